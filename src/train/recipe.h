/* A recipe as it was written: the text with its places, and everything in it that an option table or a
 * name decides. Nets, data and techniques are opened from it later (run.c, members.c). */
#ifndef ESPL_RECIPE_H
#define ESPL_RECIPE_H

#include "base/tree.h"
#include "data/data.h"
#include "graph/op.h"
#include "net/head.h"
#include "optimize/optimizer.h"

enum { ESPL__KEEP_AUTO, /* until the data is open */
       ESPL__KEEP_BEST,
       ESPL__KEEP_LAST };
enum { ESPL__CACHE_AUTO,
       ESPL__CACHE_YES,
       ESPL__CACHE_NO };
enum { ESPL__SAMPLING_SHUFFLED,
       ESPL__SAMPLING_BALANCED };
enum { ESPL__ALGORITHM_AUTO,
       ESPL__ALGORITHM_DIRECT };

/* What stands at the top of a recipe. */
typedef struct espl__recipe_options {
    double held_out;
    int64_t folds, fold, epochs, batch, accumulate, seed, variants;
    int sampling, algorithm, precision, keep, cache; /* precision: as espl_precision */
    espl_duration score_every, checkpoint_every;
} espl__recipe_options;

/* What stands under `data`. */
typedef struct espl__recipe_data {
    char path[1024], test[1024], leave_out[1024], source[32], label[128];
    double held_out;
    int64_t split_seed, height, width, channels, limit, keep_pixels;
    int resize;
} espl__recipe_data;

/* What stands under `normalize`, if it is a map. */
typedef struct espl__recipe_normalize {
    espl_reals mean, deviation;
    double scale;
} espl__recipe_normalize;

enum { ESPL__NORMALIZE_MEASURED,
       ESPL__NORMALIZE_NONE,
       ESPL__NORMALIZE_GIVEN };

typedef struct espl__recipe {
    espl_context *ctx;
    espl__document *document;
    espl__recipe_options options;
    espl__recipe_data data;
    int normalize;
    espl__recipe_normalize normalization;
    const espl__optimizer *optimizer;
    void *optimizer_options;
    const espl__op *loss;
    void *loss_options;
    const espl__tree *net;     /* NULL: given by the caller, like the data */
    const espl__tree *weights; /* a file that fills the net; NULL: none */
    const espl__tree *prepare; /* how samples are prepared; NULL: as the net knows, or by `normalize` */
    bool new_head;
    espl__head head;
    const espl__tree *class_weights; /* NULL: all 1; "balanced", or a list */
    const espl__tree *techniques;    /* NULL: none */
    const espl__tree *search;        /* what trials are to find out; NULL: nothing */
} espl__recipe;

extern const espl_option espl__recipe_table[];
extern const espl_option espl__recipe_data_table[];
extern const espl_option espl__recipe_normalize_table[];

/* Fills the recipe from its document, which it then owns (also after a failure). `whole`: net and data
 * must be there; otherwise they must not. */
espl_status espl__recipe_read(espl_context *ctx, espl__document *document, bool whole,
                              espl__recipe *recipe);
void espl__recipe_free(espl__recipe *recipe);

/* Is it one of those that stand at the top? */
bool espl__recipe_has_key(const char *key);
/* The one key of "name" or "{name: settings}" and its settings (NULL: none). */
espl_status espl__recipe_named(const espl__document *document, const espl__tree *node, const char *what,
                               const char **name, const espl__tree **settings);
/* A loss by name, "-" and "_" alike; NULL if there is none. */
const espl__op *espl__loss_find(const char *name);
/* The part of a recipe as text in flow style. */
espl_status espl__tree_write(espl_context *ctx, const espl__tree *node, espl__text *text);

#endif
