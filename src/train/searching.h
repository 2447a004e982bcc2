/* A search inside: what opening it and running it share. */
#ifndef ESPL_SEARCHING_H
#define ESPL_SEARCHING_H

#include "train/search_space.h"

struct espl_search {
    espl_context *ctx;
    char *recipe, *folder;
    const char *const *set, *const *with; /* copies, NULL-terminated */
    espl_run *base;                       /* the recipe as it was asked for; owns what the space borrows */
    espl__search_space space;
    int64_t draws, grid, keep; /* draws 0: the grid */
    int64_t epochs;
    bool hold_out; /* part of the training data, since the recipe would score on a test set */
    int count;
    espl_trial *trial;
    char **text; /* count x values */
    char **folders;
    int *order; /* the ranking */

    int64_t pause; /* the trial that trains stops after so many epochs */
    bool asked;    /* to stop */
    void (*watch)(void *user, const espl_news *news);
    void *watch_user;
};

/* Reads every trial's recipe: with a mistake in a value the tenth trial would come to nothing after a night. */
espl_status espl__search_check_trials(espl_search *search);

#endif
