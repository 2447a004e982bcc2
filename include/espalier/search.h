/* Searching for values of a recipe: many trials, of which the better ones are trained on. */
#ifndef ESPALIER_SEARCH_H
#define ESPALIER_SEARCH_H

#include <espalier/run.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ESPL_SEARCH_VALUES_MAX 16
#define ESPL_SEARCH_TRIALS_MAX 1000

typedef struct espl_search espl_search;

/* Zero in every field is a good default. */
typedef struct espl_search_settings {
    const char *folder;     /* where the trials are kept; NULL: "runs/<recipe name>-search" */
    const char *const *set; /* changes of the recipe, as for a run */
    const char *const *with;
    int64_t trials; /* so many random draws; 0: every combination where all values are listed, else 16 */
    int64_t grid;   /* every combination, with so many values of each range; 0: none */
    int64_t keep;   /* train on one of so many trials after each round; 0: 3, 1: train all to the end */
} espl_search_settings;

/* One trial and how far it got. */
typedef struct espl_trial {
    int64_t epochs;    /* trained and scored */
    double top1, loss; /* on the held-out data, then; NAN: not scored yet, or its training diverged */
    bool diverged;
    const char *folder; /* of its run */
} espl_trial;

/* Opens the search that the recipe's line `search` asks for and checks that every trial's recipe can be read; nothing
 * is trained. Ended by espl_search_free. ESPL_BAD_STATE if the folder holds another search. */
ESPL_API espl_status espl_search_open(espl_context *context, const char *recipe, const espl_search_settings *settings,
                                      espl_search **result);
ESPL_API void espl_search_free(espl_search *search);

/* Is told the news of every trial's training, and a note when a trial begins. */
ESPL_API void espl_search_watch(espl_search *search, void (*watch)(void *user, const espl_news *news), void *user);

/* Trains. In the first round every trial gets a share of the epochs, in each round after it one of `keep` trials goes
 * on, and the last round ends with the recipe's epochs: such a trial is then what a training with its values alone
 * would be, to the bit. What an earlier call in the same folder did is not done again. ESPL_INTERRUPTED if asked to
 * stop; the next call goes on from there. */
ESPL_API espl_status espl_search_run(espl_search *search);

/* Trials count from 0; what is returned is borrowed until the search is freed. */
ESPL_API int espl_search_trials(const espl_search *search);
ESPL_API const espl_trial *espl_search_trial(const espl_search *search, int trial);
/* The trial at a place of the ranking, 0 the best: who got further comes first, then the more accurate. */
ESPL_API int espl_search_ranked(const espl_search *search, int place);
/* What is searched: as the recipe calls it ("rate"), as --set calls it ("optimizer.sgd.rate"), and a trial's value. */
ESPL_API int espl_search_values(const espl_search *search);
ESPL_API const char *espl_search_name(const espl_search *search, int value);
ESPL_API const char *espl_search_path(const espl_search *search, int value);
ESPL_API const char *espl_search_text(const espl_search *search, int trial, int value);
ESPL_API const char *espl_search_folder(const espl_search *search);

/* Draws accuracy against one of the values as an SVG picture, a colour for each round. ESPL_BAD_OPTION if its values are
 * no numbers. */
ESPL_API espl_status espl_search_plot(espl_context *context, const espl_search *search, int value,
                                      const char *path);

#ifdef __cplusplus
}
#endif
#endif
