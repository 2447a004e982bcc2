/* What the tests of data share: a folder of their own, files written into it, and readable checks.
 * Include after cmocka.h. */
#ifndef ESPL_DATA_FIXTURE_H
#define ESPL_DATA_FIXTURE_H

#include "data/data.h"
#include "data/reading.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

typedef struct fixture {
    espl_context *ctx;
    char folder[64];
    char path[512]; /* of the file written or named last */
} fixture;

static inline int fixture_open(void **state)
{
    fixture *f = calloc(1, sizeof *f);

    strcpy(f->folder, "/tmp/espalier_data_XXXXXX");
    if (!mkdtemp(f->folder) || espl_context_open(NULL, &f->ctx))
        return -1;
    *state = f;
    return 0;
}

static inline int fixture_remove(const char *path, const struct stat *about, int kind,
                                 struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline int fixture_close(void **state)
{
    fixture *f = *state;

    nftw(f->folder, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    const bool leaked = espl__bytes_now(f->ctx) != 0;
    espl_context_free(f->ctx);
    free(f);
    return leaked ? -1 : 0; /* everything a test made must have been freed */
}

static inline const char *fixture_path(fixture *f, const char *name)
{
    snprintf(f->path, sizeof f->path, "%s/%s", f->folder, name);
    return f->path;
}

static inline void fixture_folder(fixture *f, const char *name)
{
    assert_int_equal(mkdir(fixture_path(f, name), 0700), 0);
}

static inline void fixture_write(fixture *f, const char *name, const void *data, size_t bytes)
{
    FILE *file = fopen(fixture_path(f, name), "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, bytes, file), bytes);
    fclose(file);
}

static inline void fixture_write_gz(fixture *f, const char *name, const void *data, size_t bytes)
{
    gzFile file = gzopen(fixture_path(f, name), "wb");

    assert_non_null(file);
    assert_int_equal(gzwrite(file, data, (unsigned)bytes), (int)bytes);
    gzclose(file);
}

/* An IDX file of unsigned bytes: dims ends with 0. Values are what `value` says of the position. */
static inline size_t fixture_idx(uint8_t *to, const int64_t *dims, int (*value)(int64_t))
{
    size_t bytes = 4;
    int64_t count = 1;

    memset(to, 0, 4);
    to[2] = 8;
    for (int d = 0; dims[d]; d++, bytes += 4) {
        to[3]++;
        for (int b = 0; b < 4; b++)
            to[bytes + (size_t)b] = (uint8_t)(dims[d] >> (24 - 8 * b));
        count *= dims[d];
    }
    for (int64_t i = 0; i < count; i++)
        to[bytes++] = (uint8_t)value(i);
    return bytes;
}

static inline espl_status fixture_open_data(fixture *f, const char *name,
                                            const espl_data_settings *settings, espl_data **data)
{
    return espl_data_open(f->ctx, fixture_path(f, name), settings, data);
}

/* The opening fails with this status, and the message has these words. */
static inline void fixture_refuses(fixture *f, const char *name, const espl_data_settings *settings,
                                   espl_status expected, const char *words)
{
    espl_data *data = NULL;
    const espl_status status = fixture_open_data(f, name, settings, &data);

    if (status != expected || !strstr(espl_message(f->ctx), words))
        fail_msg("expected %s with \"%s\", got %s with \"%s\"", espl_status_name(expected), words,
                 espl_status_name(status), espl_message(f->ctx));
    assert_null(data);
}

static inline espl_data *fixture_opens(fixture *f, const char *name,
                                       const espl_data_settings *settings)
{
    espl_data *data = NULL;
    const espl_status status = fixture_open_data(f, name, settings, &data);

    if (status)
        fail_msg("%s: %s", espl_status_name(status), espl_message(f->ctx));
    return data;
}

/* The values of one sample, planes; the caller frees them. */
static inline float *fixture_sample(fixture *f, const espl_data *data, espl_part part,
                                    int64_t index)
{
    int64_t shape[3];
    espl__reading reading = { .ctx = f->ctx };

    espl_data_shape(data, shape);
    const int64_t size = shape[0] * shape[1] * shape[2];
    float *memory = malloc((size_t)size * 4 * sizeof(float));
    espl_sample sample = { .values = memory, .spare = memory + 2 * size, .capacity = 2 * size };
    const espl_status status = espl__data_read(data, part, index, &sample, &reading);
    if (status)
        fail_msg("%s: %s", espl_status_name(status), reading.message);
    assert_int_equal(sample.channels, shape[0]);
    assert_int_equal(sample.height, shape[1]);
    assert_int_equal(sample.width, shape[2]);
    espl__reading_end(&reading);
    return memory;
}

/* A path below the folder of real data, or NULL when there is none here (then the test is skipped).
 */
static inline const char *fixture_shared(const char *name, char path[512])
{
    const char *folder = getenv("ESPALIER_SHARED");

    if (!folder) {
        print_message("ESPALIER_SHARED is not set: the test with real data is skipped\n");
        return NULL;
    }
    snprintf(path, 512, "%s/data/%s", folder, name);
    if (access(path, R_OK)) {
        print_message("%s is missing: the test with real data is skipped\n", path);
        return NULL;
    }
    return path;
}

#define FIXTURE_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

#endif
