/* Opening what a recipe names: data, net, and how samples are prepared for it. */
#ifndef ESPL_OPENING_H
#define ESPL_OPENING_H

#include "train/train.h"

/* Data and net of the run's recipe, fitted to each other. */
espl_status espl__run_open_parts(espl_run *run);
/* Class names, preparation and weights of classes; refuses a net and data that do not fit. */
espl_status espl__run_fit_parts(espl_run *run);

/* Where the net's classes have names and those of the data are among them, the data's become the net's. */
espl_status espl__match_classes(const espl_net *net, espl_data *data);
/* The data's classes become those of the net, by number if they have no names, and then its own others. */
espl_status espl__join_classes(const espl_net *net, espl_data *data);

/* Data that the net learned before, `limit` training samples of it (0: all); its classes do not matter, its samples must fit. */
espl_status espl__run_open_old(espl_run *run, const char *path, int64_t limit, espl_data **data);

/* Where a file is that a recipe names: a relative path means the current folder, or the recipe's if it is not
 * found there. */
void espl__run_find_path(const espl_run *run, const char *name, char path[ESPL__PATH_MAX]);

/* Does the data suit the net? Names both shapes if not. */
espl_status espl__net_fits_data(const espl_net *net, const espl_data *data);

#endif
