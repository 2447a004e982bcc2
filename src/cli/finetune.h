/* What finetune decides, and the recipes that say it. */
#ifndef ESPL_FINETUNE_H
#define ESPL_FINETUNE_H

#include "cli.h"

#include <espalier/check_data.h>

typedef struct finetune_options {
    const char *out, *net, *prepare, *test;
    double held_out, rate;
    int64_t head_epochs, batch;
    cli_given epochs;
    bool resume, json;
    cli_machine machine;
} finetune_options;

/* One fine-tuning: everything it chose. */
typedef struct finetune {
    const finetune_options *options;
    const char *net, *photos;    /* as they were given */
    char folder[1024];           /* of everything */
    char left_out[1100];         /* the list of pictures passed over; empty: none */
    double held_out;             /* share to split off; 0: the data has a part of its own */
    int64_t head_epochs, epochs; /* of the head alone, of all layers */
    int64_t batch;
    double rate; /* of all layers; 0: that which the head's training found */
} finetune;

/* Chooses what the options leave open. `check`: NULL if the data is of another kind. */
void finetune_choose(finetune *f, const espl_faults *check);
/* "FOLDER/head.yaml" */
void finetune_path(const finetune *f, const char *name, char path[1100]);
/* Write the recipe of the head alone, and that of all layers, which begins with the net that the first one
 * kept. false, having said why: the file cannot be written. */
bool finetune_write_head(const finetune *f);
bool finetune_write_all(const finetune *f);

#endif
