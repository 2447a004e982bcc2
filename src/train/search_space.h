/* What a search looks through: the values that a recipe's line `search` names, each a list or a range. */
#ifndef ESPL_SEARCH_SPACE_H
#define ESPL_SEARCH_SPACE_H

#include "train/train.h"
#include <espalier/search.h>

#define ESPL__SEARCH_PATH_MAX 192

typedef struct espl__search_value {
    const char *name;                 /* borrowed from the recipe */
    char path[ESPL__SEARCH_PATH_MAX]; /* as espl__tree_set takes it */
    const espl__tree *listed;         /* NULL: a range */
    double low, high;
    bool log, whole; /* evenly in the logarithm; both ends are whole numbers, and so is what is drawn */
} espl__search_value;

typedef struct espl__search_space {
    int count;
    bool ranges; /* there is one at least */
    espl__search_value value[ESPL_SEARCH_VALUES_MAX];
} espl__search_space;

/* Reads `run`'s line; a short name is looked for at the top, in the optimizer, the loss and the techniques. */
espl_status espl__search_space_read(espl_run *run, espl__search_space *space);

/* How many combinations there are with `grid` values of each range; -1 if more than ESPL_SEARCH_TRIALS_MAX. */
int64_t espl__search_combinations(const espl__search_space *space, int64_t grid);
/* Adds the value of a combination: the last value changes fastest. */
espl_status espl__search_grid_text(espl_context *ctx, const espl__search_space *space, int64_t grid, int64_t combination,
                                   int value, espl__text *text);
/* Adds the value of a random trial, which depends on nothing but seed, name and `draw`. */
espl_status espl__search_drawn_text(espl_context *ctx, const espl__search_space *space, uint64_t seed, int64_t draw,
                                    int value, espl__text *text);

#endif
