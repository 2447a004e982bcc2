/* What an espl_data is made of; only the files of this room look inside. */
#ifndef ESPL_PARTS_H
#define ESPL_PARTS_H

#include "data/data.h"

typedef struct espl__part {
    const void *state; /* of the source that holds it */
    int64_t count;
    int64_t *order;       /* position in the part -> index in the source; NULL: the same */
    const int32_t *class; /* class in the source -> class of the data; NULL: the same */
} espl__part;

struct espl_data {
    espl_context *ctx;
    const espl__source *source, *test_source;
    void *state, *test_state; /* test_state NULL: held out of the training data, or none */
    espl__part part[2];
    bool has_test; /* false also if what is held out is meant for choosing */
    int32_t *class[2]; /* of the parts; NULL: none */
    int classes;
    char **names;
    int64_t shape[3];
};

/* Splits `count` labelled samples: held[i] becomes true for share * count of them (rounded to the
 * nearest, at least one), each class by its own share as closely as whole samples allow; of every
 * class at least one sample stays. Which ones is a function of the seed and the labels alone.
 * (split.c) */
espl_status espl__split(espl_context *ctx, const int32_t *labels, int64_t count, int classes,
                        double share, uint64_t seed, bool *held);

/* Cuts them in `folds` parts, of which no two differ by more than one sample of a class or in all:
 * held[i] becomes true for part `fold`, from 0. The parts are a function of the seed and the labels
 * alone. (split.c) */
espl_status espl__split_fold(espl_context *ctx, const int32_t *labels, int64_t count, int classes,
                             int64_t folds, int64_t fold, uint64_t seed, bool *held);

/* Keeps the first samples of each class in turn until `limit` are kept; order stays. Returns how
 * many entries of `order` are left. (split.c) */
espl_status espl__limit(espl_context *ctx, const int32_t *labels, int classes, int64_t limit,
                        int64_t *order, int64_t *count);

#endif
