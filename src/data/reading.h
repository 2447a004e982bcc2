/* What one thread needs to read samples: a message of its own, and blocks of memory that grow to
 * the largest sample and are then used again, so that reading allocates nothing once it is warm. */
#ifndef ESPL_READING_H
#define ESPL_READING_H

#include "data/data.h"

typedef enum espl__reading_use {
    ESPL__READING_FILE,     /* the bytes of a file */
    ESPL__READING_PIXELS,   /* as decoded */
    ESPL__READING_UPRIGHT,  /* turned by the EXIF orientation */
    ESPL__READING_RESIZED,  /* between the two passes of a resize */
    ESPL__READING_TAPS,     /* weights of a resize */
    ESPL__READING_CHANNELS, /* with other channels */
    ESPL__READING_PLANES,   /* floats before a resize */
    ESPL__READING_USES
} espl__reading_use;

struct espl__reading {
    espl_context *ctx;
    char message[512];
    struct {
        void *data;
        size_t bytes;
    } block[ESPL__READING_USES];
    void *jpeg; /* TurboJPEG's handle, made when the first JPEG comes; decode_jpeg.c ends it */
};

/* Room for `bytes`, or NULL with a message. What the block held is lost when it grows. */
void *espl__reading_room(espl__reading *reading, espl__reading_use use, size_t bytes);
espl_status espl__reading_fail(espl__reading *reading, espl_status status, const char *format, ...)
    ESPL__PRINTF(3, 4);
/* Puts "where: " in front of the message and returns `status` unchanged. */
espl_status espl__reading_fail_within(espl__reading *reading, espl_status status,
                                      const char *where);
/* Reads a whole file into ESPL__READING_FILE. */
espl_status espl__reading_file(espl__reading *reading, const char *path, size_t *bytes);
void espl__reading_end(espl__reading *reading);

#endif
