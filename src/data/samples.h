/* Samples that are all in memory: what idx, cifar, npy and csv files become. Pixels stay bytes;
 * they turn into floats when a sample is read. A reader fills this struct, the functions here do
 * the rest. */
#ifndef ESPL_SAMPLES_H
#define ESPL_SAMPLES_H

#include "data/data.h"
#include "data/fitting.h"
#include "data/paths.h"

typedef struct espl__samples {
    espl_context *ctx;
    char *origin; /* what messages and sample names call it */
    int64_t count;
    int64_t stored[3];  /* channels, height, width */
    bool channels_last; /* stored as height, width, channels */
    uint8_t *bytes;     /* either these */
    float *numbers;     /* or these */
    int32_t *labels;
    int classes;
    char **names; /* of the classes; NULL: nameless */
    bool pictures;
    espl__fitting fitting;
} espl__samples;

espl_status espl__samples_make(espl_context *ctx, espl__samples **result);
void espl__samples_free(espl_context *ctx, void *state);
/* Takes class names from the first file of `folder` that exists among `files`, a name a line. None
 * is no failure; fewer names than classes is. */
espl_status espl__samples_name_classes(espl__samples *samples, const char *folder,
                                       const char *const *files);
espl_status espl__samples_set_name(espl__samples *samples, int index, const char *name,
                                   size_t length);
/* The rule for arrays: (n), (n,features), (n,h,w), and with four dimensions (n,h,w,c) if the last
 * is 1, 3 or 4, else (n,c,h,w). false: not a shape of samples. */
bool espl__samples_shape(espl__samples *samples, const int64_t *dims, int rank);

/* Functions of a source over this state. */
int64_t espl__samples_count(const void *state);
int espl__samples_classes(const void *state);
const char *espl__samples_class_name(const void *state, int index);
void espl__samples_sample_name(const void *state, int64_t index, char name[256]);
int32_t espl__samples_label(const void *state, int64_t index);
void espl__samples_shape_of(const void *state, int64_t shape[3]);
bool espl__samples_pictures(const void *state);
espl_status espl__samples_read(const void *state, int64_t index, espl_sample *sample,
                               espl__reading *reading);

#define ESPL__SAMPLES_FUNCTIONS                                                                    \
    .release = espl__samples_free, .count = espl__samples_count, .classes = espl__samples_classes, \
    .class_name = espl__samples_class_name, .sample_name = espl__samples_sample_name,              \
    .label = espl__samples_label, .shape = espl__samples_shape_of,                                 \
    .pictures = espl__samples_pictures, .read = espl__samples_read

#endif
