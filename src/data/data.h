/* Data inside the library: sources that know a kind of file, samples, statistics, and the loader
 * that runs ahead of the workers.
 *
 * The way of a sample: source reads it (raw scale, planes) -> augmentations (training only) ->
 * (value * scale - mean[c]) / deviation[c] -> its place in the batch. */
#ifndef ESPL_DATA_INTERNAL_H
#define ESPL_DATA_INTERNAL_H

#include "base/base.h"
#include <espalier/data.h>
#include <espalier/technique.h>

/* What one thread needs to read samples: its own message and its own growing memory (reading.h). */
typedef struct espl__reading espl__reading;

/* One kind of files. A source is opened twice, for training and for test data, or once and split.
 */
typedef struct espl__source {
    const char *name; /* "idx" */
    const char *summary;
    /* Does the path look like one of mine? Looks at names and first bytes only. */
    bool (*fits)(const char *path);
    espl_status (*open)(espl_context *ctx, const char *path, const espl_data_settings *settings,
                        bool test, void **state);
    void (*release)(espl_context *ctx, void *state);
    /* Is there test data by this source's custom beside this path? Asked after the training data
     * was opened. */
    bool (*has_test)(const char *path, const void *state);
    bool validates; /* what it finds there is meant for choosing between nets, like a folder "val" */
    int64_t (*count)(const void *state);
    int (*classes)(const void *state);
    const char *(*class_name)(const void *state, int index); /* NULL: nameless */
    /* what the user would call the sample: a file's name, or "train-images-idx3-ubyte[17]" */
    void (*sample_name)(const void *state, int64_t index, char name[256]);
    int32_t (*label)(const void *state, int64_t index);
    /* channels, height, width that every sample will have */
    void (*shape)(const void *state, int64_t shape[3]);
    /* true: values are pixels 0..255; false: numbers as they are */
    bool (*pictures)(const void *state);
    /* Reads one sample (planes of the shape above; the sample's capacity is at least twice that).
     * Called by several loader threads at once, each with its own `reading`, where a failure leaves
     * a message that names the file. */
    espl_status (*read)(const void *state, int64_t index, espl_sample *sample,
                        espl__reading *reading);
} espl__source;

const espl__source *espl__source_at(int index); /* sources.def in order, NULL past the end */

/* Mean and standard deviation of each channel over the training part (all samples up to 10,000,
 * else 10,000 evenly spaced), of value * scale. Where there are more than four channels (tables),
 * all values together make one mean and one deviation, found in all four places. A deviation of
 * zero becomes 1. */
espl_status espl__data_measure(espl_data *data, double scale, double mean[4], double deviation[4]);
bool espl__data_pictures(const espl_data *data);
/* Whether the held-out data is a test set: it measures, and nothing may be chosen by it. */
bool espl__data_has_test(const espl_data *data);
int32_t espl__data_label(const espl_data *data, espl_part part, int64_t index);
/* What the user would call the sample: a file name, or "train-images-idx3-ubyte[17]". */
void espl__data_sample_name(const espl_data *data, espl_part part, int64_t index, char name[256]);
const char *espl__data_source_name(const espl_data *data);
/* Reads one sample as it comes from its source, on the caller's thread. */
espl_status espl__data_read(const espl_data *data, espl_part part, int64_t index,
                            espl_sample *sample, espl__reading *reading);
/* Are all classes of the data, by name, among these? */
bool espl__data_classes_among(const espl_data *data, const char *const *names, int count);
/* The data's classes become these, among which all of its own are; labels follow by name. (take_classes.c) */
espl_status espl__data_take_classes(espl_data *data, const char *const *names, int count);
/* 64-bit fingerprint of the labels, counts, shape and source names: does a checkpoint fit this
 * data? */
uint64_t espl__data_hash(const espl_data *data);

struct espl_draw {
    struct espl__random random;
};

typedef struct espl__augmentation {
    const espl_technique *technique;
    const void *self;
} espl__augmentation;

/* ---- the loader (loader.c) ---- */

typedef struct espl__batch {
    int64_t count; /* samples in it; the last of an epoch may have fewer */
    float *values; /* count x channels x height x width, prepared */
    int32_t *labels;
    int64_t *index;        /* of each sample within its part */
    int64_t *draw;         /* what its randomness goes by: index, moved on by the part's size each time
                            * that the sample comes again in one epoch */
    int64_t epoch, number; /* number of the batch within the epoch */
} espl__batch;

typedef struct espl__loader_settings {
    espl_part part;
    int64_t batch;
    bool shuffle;  /* by (seed, "shuffle", epoch) */
    bool balanced; /* every class as often as any other: an epoch repeats samples of rare classes and leaves out
                    * some of frequent ones */
    uint64_t seed;
    int64_t first_epoch, first_batch; /* where to begin (resume) */
    int64_t epochs;                   /* hand out so many, counted from 0; then it is dry */
    double scale;                     /* 0: 1 */
    double mean[4], deviation[4];     /* in the net's order of channels; with more than four
                                       * channels the first pair serves all */
    bool swap_red_blue;
    const espl__augmentation *augmentations;
    int augmentation_count;
    int64_t variants; /* augmentations draw for (epoch mod variants); 0: anew in every epoch */
    /* Values computed before are handed out instead of samples: `ready_size` of them for each sample of the
     * part, for one variant after the other. NULL: samples are read. */
    const float *ready;
    int64_t ready_size;
    int threads; /* 0: one */
    int ahead;   /* batches kept ready; 0: 3 */
} espl__loader_settings;

typedef struct espl__loader espl__loader;
espl_status espl__loader_open(espl_data *data, const espl__loader_settings *settings,
                              espl__loader **result);
/* The next batch, borrowed until the next call; NULL in *batch when dry. Fails when a sample could
 * not be read. Allocates nothing through the context after the first batches. */
espl_status espl__loader_next(espl__loader *loader, const espl__batch **batch);
/* Seconds spent waiting inside espl__loader_next since the loader was opened. */
double espl__loader_waited(const espl__loader *loader);
int64_t espl__loader_batches_per_epoch(const espl__loader *loader);
void espl__loader_free(espl__loader *loader);

/* ---- one file (picture.c): for predict ---- */

/* Decodes a JPEG, PNG or WebP (by content, not by name), turns it upright by its EXIF orientation,
 * brings it to channels x height x width by the resize rule. Values 0..255, planes. */
espl_status espl__picture_read(espl_context *ctx, const char *path, const char *resize,
                               int64_t channels, int64_t height, int64_t width, float *planes);

#endif
