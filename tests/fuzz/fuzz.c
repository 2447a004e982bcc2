/* The context and the files of the fuzz targets. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[512]; /* of the whole program: a target runs one input after the other */

void fuzz_give_up(const char *why)
{
    fprintf(stderr, "fuzz: %s\n", why);
    abort();
}

espl_context *fuzz_context(void)
{
    espl_context *ctx = NULL;

    if (espl_context_open(&(espl_context_settings){ .threads = 1, .memory_limit = (size_t)256 << 20 }, &ctx))
        fuzz_give_up("no context");
    return ctx;
}

static void remove_files(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command))
        fprintf(stderr, "fuzz: %s is left behind\n", folder);
}

static void make_folder(void)
{
    /* In memory where there is such a place: a target writes thousands of files a second. */
    strcpy(folder, access("/dev/shm", W_OK) ? "/tmp/espalier-fuzz-XXXXXX" : "/dev/shm/espalier-fuzz-XXXXXX");
    if (!mkdtemp(folder))
        fuzz_give_up("no folder for files");
    atexit(remove_files);
}

const char *fuzz_file(const char *name, const void *data, size_t bytes)
{
    if (!folder[0])
        make_folder();
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = 0;
        mkdir(path, 0700); /* is there after the first input */
    }
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, bytes, file) != bytes || fclose(file))
        fuzz_give_up("cannot write a file");
    return path;
}

void fuzz_status(const espl_context *ctx, espl_status status)
{
    if (status < ESPL_OK || status >= ESPL_STATUS_COUNT)
        fuzz_give_up("a status that is none");
    if (status && strlen(espl_message(ctx)) < 10)
        fuzz_give_up("a failure without a sentence");
}
