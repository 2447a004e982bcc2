/* Starting espalier-read-h5 and taking over what it writes. The file goes in as standard input, the
 * tensors come out into a temporary file without a name; the program sees nothing else. */
#include "formats/keras_h5.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "espalier-read-h5"

/* Beside the program that runs, or where it is installed. */
static bool find_program(char path[4096])
{
    char self[2048] = "";
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash = length > 0 ? strrchr(self, '/') : NULL;

    if (slash) {
        *slash = 0;
        snprintf(path, 4096, "%s/" PROGRAM, self);
        if (access(path, X_OK) == 0)
            return true;
        snprintf(path, 4096, "%s/../libexec/espalier/" PROGRAM, self);
        if (access(path, X_OK) == 0)
            return true;
    }
#ifdef ESPL__LIBEXEC_DIR
    snprintf(path, 4096, "%s/espalier/" PROGRAM, ESPL__LIBEXEC_DIR);
    return access(path, X_OK) == 0;
#else
    return false;
#endif
}

static int start(const char *program, int in, int out, int errors, pid_t *child)
{
    char *const arguments[] = { (char *)(uintptr_t)program, NULL }, *const environment[] = { NULL };
    posix_spawn_file_actions_t actions;
    int code = posix_spawn_file_actions_init(&actions);

    if (code)
        return code;
    if (!(code = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO)) &&
        !(code = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO)) &&
        !(code = posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)))
        code = posix_spawn(child, program, &actions, NULL, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

/* What the program said, on one line of printable characters. */
static void read_complaint(FILE *errors, char text[400])
{
    rewind(errors);
    text[fread(text, 1, 399, errors)] = 0;
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
            *c = '?';
}

static espl_status judge(espl_context *ctx, const char *path, int code, FILE *errors)
{
    char complaint[400];

    if (WIFEXITED(code) && WEXITSTATUS(code) == 0)
        return ESPL_OK;
    read_complaint(errors, complaint);
    if (WIFEXITED(code))
        return espl__fail(ctx, ESPL_BAD_FILE, "%s: %s", path, *complaint ? complaint : "is no HDF5 file that can be read");
    return espl__fail(ctx, ESPL_BAD_FILE,
                      "%s: reading it ended with signal %d%s; the file is damaged, or too large for the limits of " PROGRAM,
                      path, WTERMSIG(code), WTERMSIG(code) == SIGXCPU ? " (too long)" : "");
}

static espl_status run(espl_context *ctx, int descriptor, const char *path, FILE *out, FILE *errors)
{
    char program[4096];
    pid_t child;
    int code;

    if (!find_program(program))
        return espl__fail(ctx, ESPL_UNSUPPORTED,
                          "%s: the program " PROGRAM " is missing; it comes with builds that have the HDF5 library, and "
                          "belongs beside espalier or into libexec/espalier",
                          path);
    if ((code = start(program, descriptor, fileno(out), fileno(errors), &child)))
        return espl__fail(ctx, ESPL_UNSUPPORTED, "%s: %s cannot be started: %s", path, program, strerror(code));
    while (waitpid(child, &code, 0) < 0)
        if (errno != EINTR)
            return espl__fail(ctx, ESPL_BAD_FILE, "%s: " PROGRAM " got lost: %s", path, strerror(errno));
    return judge(ctx, path, code, errors);
}

espl_status espl__keras_h5_open(espl_context *ctx, int descriptor, const char *path, espl__safetensors **result)
{
    FILE *out = tmpfile(), *errors = tmpfile();
    espl_status s = out && errors ? run(ctx, descriptor, path, out, errors)
                                  : espl__fail(ctx, ESPL_WRITE_FAILED, "%s: no temporary file can be made: %s", path,
                                               strerror(errno));

    *result = NULL;
    if (!s)
        s = espl__safetensors_open_at(ctx, dup(fileno(out)), path, result);
    if (out)
        fclose(out);
    if (errors)
        fclose(errors);
    return s;
}
