/* Whole files read and replaced: limits, pipes, links, a full disk, a killed writer, two writers. */
#include "base_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/espalier_files_XXXXXX";
static char path[100], part[120];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/net.safetensors", folder);
    snprintf(part, sizeof part, "%s.part", path);
    return 0;
}

static int remove_folder(void **state)
{
    char command[200];

    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void assert_file(espl_context *ctx, const char *name, const char *expected)
{
    char *data = NULL;
    size_t bytes = 0;

    assert_int_equal(espl__file_read(ctx, name, 1 << 20, &data, &bytes), ESPL_OK);
    assert_int_equal(bytes, strlen(expected));
    assert_string_equal(data, expected);
    espl__release(ctx, data);
}

static void assert_refused(espl_context *ctx, const char *name, size_t limit, espl_status expected,
                           const char *because)
{
    char here = 0, *data = &here;
    size_t bytes = 9;

    assert_int_equal(espl__file_read(ctx, name, limit, &data, &bytes), expected);
    assert_null(data);
    assert_int_equal(bytes, 0);
    if (!strstr(espl_message(ctx), because) || !strstr(espl_message(ctx), name))
        fail_msg("the message is \"%s\"", espl_message(ctx));
}

/* ---- reading ---- */

static void a_file_is_read_whole(void **state)
{
    write_file(path, "hello");
    assert_file(*state, path, "hello");
    write_file(path, "");
    assert_file(*state, path, "");
}

static void limits_are_kept(void **state)
{
    char *data = NULL;
    size_t bytes = 0;

    write_file(path, "hello");
    assert_int_equal(espl__file_read(*state, path, 5, &data, &bytes), ESPL_OK);
    espl__release(*state, data);
    assert_refused(*state, path, 4, ESPL_BAD_FILE, "larger than the 4 bytes");
    assert_refused(*state, "/dev/zero", 100000, ESPL_BAD_FILE, "larger than the 100000 bytes");
}

static void what_is_no_file_is_refused(void **state)
{
    char missing[120];

    snprintf(missing, sizeof missing, "%s/missing", folder);
    assert_refused(*state, missing, 10, ESPL_NO_FILE, "No such file");
    assert_refused(*state, folder, 10, ESPL_BAD_FILE, "is a folder");
}

/* A file that claims a terabyte must not cost one. */
static void a_sparse_giant_is_refused_before_allocating(void **state)
{
    espl_context *ctx = NULL;
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    (void)state;
    assert_int_equal(ftruncate(file, (off_t)1 << 40), 0);
    close(file);
    assert_int_equal(espl_context_open(&(espl_context_settings){ .memory_limit = 1 << 20 }, &ctx), ESPL_OK);
    assert_refused(ctx, path, SIZE_MAX, ESPL_BAD_FILE, "larger than");
    assert_int_equal(espl__bytes_peak(ctx), 0);
    espl_context_free(ctx);
    unlink(path);
}

static void a_pipe_is_read_to_its_end(void **state)
{
    enum { BYTES = 300000 };
    char fifo[120], *data = NULL;
    size_t bytes = 0;

    snprintf(fifo, sizeof fifo, "%s/pipe", folder);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    const pid_t child = fork();
    if (child == 0) {
        FILE *file = fopen(fifo, "w");
        for (int i = 0; i < BYTES; i++)
            fputc('a' + i % 26, file);
        fclose(file);
        _exit(0);
    }
    assert_int_equal(espl__file_read(*state, fifo, 1 << 20, &data, &bytes), ESPL_OK);
    assert_int_equal(bytes, BYTES);
    for (int i = 0; i < BYTES; i++)
        assert_int_equal(data[i], 'a' + i % 26);
    assert_int_equal(data[BYTES], 0);
    espl__release(*state, data);
    waitpid(child, NULL, 0);
}

/* ---- replacing ---- */

static void a_file_is_made_and_replaced(void **state)
{
    struct stat about;

    unlink(path);
    assert_int_equal(espl__file_replace(*state, path, "first", 5), ESPL_OK);
    assert_file(*state, path, "first");
    chmod(path, 0640);
    assert_int_equal(espl__file_replace(*state, path, "second", 6), ESPL_OK);
    assert_file(*state, path, "second");
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0640);
    assert_int_equal(espl__file_replace(*state, path, "", 0), ESPL_OK);
    assert_file(*state, path, "");
    assert_int_equal(access(part, F_OK), -1);
}

static void a_name_without_a_folder_works(void **state)
{
    char before[1000];

    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(espl__file_replace(*state, "plain", "here", 4), ESPL_OK);
    assert_file(*state, "plain", "here");
    assert_int_equal(chdir(before), 0);
}

static void a_link_stays_a_link(void **state)
{
    char link[120];
    struct stat about;

    snprintf(link, sizeof link, "%s/link", folder);
    write_file(path, "old");
    assert_int_equal(symlink("net.safetensors", link), 0);
    assert_int_equal(espl__file_replace(*state, link, "new", 3), ESPL_OK);
    assert_file(*state, path, "new");
    assert_int_equal(lstat(link, &about), 0);
    assert_true(S_ISLNK(about.st_mode));
}

static void a_full_disk_leaves_the_old_file(void **state)
{
    struct rlimit before, tight = { .rlim_cur = 50000 };
    static char large[200000];

    write_file(path, "the old checkpoint");
    memset(large, 'x', sizeof large);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight.rlim_max = before.rlim_max;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    const espl_status status = espl__file_replace(*state, path, large, sizeof large);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, ESPL_WRITE_FAILED);
    assert_non_null(strstr(espl_message(*state), path));
    assert_non_null(strstr(espl_message(*state), "too large"));
    assert_file(*state, path, "the old checkpoint");
    assert_int_equal(access(part, F_OK), -1);
}

static void a_real_full_disk_says_so(void **state)
{
    assert_int_equal(espl__file_replace(*state, "/dev/full", "x", 1), ESPL_WRITE_FAILED);
    assert_non_null(strstr(espl_message(*state), "No space left"));
    assert_int_equal(access("/dev/full.part", F_OK), -1);
}

/* Renaming a file over /dev/null, as root, would break the machine. */
static void devices_are_written_through(void **state)
{
    struct stat about;

    assert_int_equal(espl__file_replace(*state, "/dev/null", "x", 1), ESPL_OK);
    assert_int_equal(stat("/dev/null", &about), 0);
    assert_true(S_ISCHR(about.st_mode));
}

static void a_folder_is_no_target(void **state)
{
    char missing[120];

    assert_int_equal(espl__file_replace(*state, folder, "x", 1), ESPL_WRITE_FAILED);
    assert_non_null(strstr(espl_message(*state), "is a folder"));
    snprintf(missing, sizeof missing, "%s/none/net", folder);
    assert_int_equal(espl__file_replace(*state, missing, "x", 1), ESPL_WRITE_FAILED);
    assert_non_null(strstr(espl_message(*state), "No such file"));
}

static void what_a_killed_writer_left_is_used_up(void **state)
{
    write_file(part, "half of a much longer file");
    assert_int_equal(espl__file_replace(*state, path, "whole", 5), ESPL_OK);
    assert_file(*state, path, "whole");
    assert_int_equal(access(part, F_OK), -1);
}

static void a_second_writer_is_told(void **state)
{
    write_file(path, "old");
    const int other = open(part, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(flock(other, LOCK_EX), 0);
    assert_int_equal(espl__file_replace(*state, path, "new", 3), ESPL_WRITE_FAILED);
    assert_non_null(strstr(espl_message(*state), "another process"));
    assert_file(*state, path, "old");
    assert_int_equal(access(part, F_OK), 0);
    close(other);
    assert_int_equal(espl__file_replace(*state, path, "new", 3), ESPL_OK);
}

static void write_for_ever(espl_context *ctx)
{
    static char versions[2][400000];

    memset(versions[0], 'a', sizeof versions[0]);
    memset(versions[1], 'b', sizeof versions[1]);
    for (int i = 0;; i++)
        if (espl__file_replace(ctx, path, versions[i % 2], 200000 + (size_t)(i % 2) * 200000))
            _exit(1);
}

/* Killed at any moment, a writer leaves one whole version, never half of one. */
static void a_killed_writer_leaves_a_whole_file(void **state)
{
    espl_context *ctx = *state;

    write_file(path, "");
    for (int round = 0; round < 20; round++) {
        char *data = NULL;
        size_t bytes = 0;
        const pid_t child = fork();
        if (child == 0)
            write_for_ever(ctx);
        usleep(3000 + (useconds_t)round * 700);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        assert_int_equal(espl__file_read(ctx, path, 1 << 20, &data, &bytes), ESPL_OK);
        assert_true(bytes == 0 || bytes == 200000 || bytes == 400000);
        for (size_t i = 0; i < bytes; i++)
            assert_int_equal(data[i], bytes == 200000 ? 'a' : 'b');
        espl__release(ctx, data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CONTEXT(a_file_is_read_whole),
        WITH_CONTEXT(limits_are_kept),
        WITH_CONTEXT(what_is_no_file_is_refused),
        WITH_CONTEXT(a_sparse_giant_is_refused_before_allocating),
        WITH_CONTEXT(a_pipe_is_read_to_its_end),
        WITH_CONTEXT(a_file_is_made_and_replaced),
        WITH_CONTEXT(a_name_without_a_folder_works),
        WITH_CONTEXT(a_link_stays_a_link),
        WITH_CONTEXT(a_full_disk_leaves_the_old_file),
        WITH_CONTEXT(a_real_full_disk_says_so),
        WITH_CONTEXT(devices_are_written_through),
        WITH_CONTEXT(a_folder_is_no_target),
        WITH_CONTEXT(what_a_killed_writer_left_is_used_up),
        WITH_CONTEXT(a_second_writer_is_told),
        WITH_CONTEXT(a_killed_writer_leaves_a_whole_file),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
