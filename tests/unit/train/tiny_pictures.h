/* Made-up pictures of three channels as .npy files, for tests with nets that want colour. Include after
 * tiny_run.h. */
#ifndef ESPL_TINY_PICTURES_H
#define ESPL_TINY_PICTURES_H

#include "tiny_run.h"

/* A .npy file of bytes; `shape` as NumPy writes it ("50, 8, 8, 3"). */
static inline void tiny_write_npy(const tiny *t, const char *name, const char *shape, const uint8_t *values,
                                  size_t count)
{
    char header[128];
    FILE *file = tiny_create(t, name);
    const int used = snprintf(header, sizeof header, "{'descr': '|u1', 'fortran_order': False, 'shape': (%s), }", shape);

    memset(header + used, ' ', sizeof header - (size_t)used);
    header[117] = '\n';
    fwrite("\x93NUMPY\x01\x00", 1, 8, file);
    fputc(118, file);
    fputc(0, file);
    fwrite(header, 1, 118, file);
    fwrite(values, 1, count, file);
    fclose(file);
}

/* One part: tiny_pixel's bars, weaker from channel to channel. */
static inline void tiny_write_pictures(const tiny *t, const char *x, const char *y, int64_t first, int64_t count,
                                       int64_t side)
{
    uint8_t *values = malloc((size_t)(count * side * side * 3)), *labels = malloc((size_t)count);
    char shape[64];

    for (int64_t i = 0; i < count; i++) {
        for (int64_t p = 0; p < side * side; p++)
            for (int64_t c = 0; c < 3; c++)
                values[(i * side * side + p) * 3 + c] =
                    (uint8_t)(tiny_pixel(first + i, p / side, p % side) / (c + 1));
        labels[i] = (uint8_t)((first + i) % TINY_CLASSES);
    }
    snprintf(shape, sizeof shape, "%d, %d, %d, 3", (int)count, (int)side, (int)side);
    tiny_write_npy(t, x, shape, values, (size_t)(count * side * side * 3));
    snprintf(shape, sizeof shape, "%d,", (int)count);
    tiny_write_npy(t, y, shape, labels, (size_t)count);
    free(values);
    free(labels);
}

/* A folder with a training and a test part. */
static inline void tiny_make_pictures(const tiny *t, const char *name, int64_t side, int64_t train, int64_t test)
{
    static const char *const files[] = { "X.npy", "y.npy", "x_test.npy", "y_test.npy" };
    char folder[160], path[4][64];

    snprintf(folder, sizeof folder, "%s/%s", t->folder, name);
    assert_int_equal(mkdir(folder, 0700), 0);
    for (int i = 0; i < 4; i++)
        snprintf(path[i], sizeof path[i], "%s/%s", name, files[i]);
    tiny_write_pictures(t, path[0], path[1], 0, train, side);
    tiny_write_pictures(t, path[2], path[3], 1000, test, side);
}

#endif
