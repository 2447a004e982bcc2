/* The run inside: what the files of this room share. */
#ifndef ESPL_TRAIN_H
#define ESPL_TRAIN_H

#include "execute/plan.h"
#include "train/recipe.h"
#include "train/tally.h"
#include "train/techniques.h"
#include "train/updater.h"
#include <espalier/run.h>

#define ESPL__REPORTS_MAX 64
#define ESPL__PATH_MAX 1024
#define ESPL__FILE_NAME_MAX 64 /* of a file within the run's folder */

/* A technique at work in a run. */
typedef struct espl__member {
    const espl_technique *technique;
    void *self;
    espl__document *document; /* of its options, for messages */
    bool owns_document;
    const espl__tree *options; /* NULL: none were given */
    float **kept;              /* kept_per_parameter x parameters, made by the fit */
} espl__member;

/* A tensor that a technique keeps by name. */
typedef struct espl__kept_tensor {
    char *name; /* "<member>.<technique>.<name>" */
    int64_t count;
    float *values;
} espl__kept_tensor;

/* Where a run stands: everything a resume needs beside tensors. */
typedef struct espl__progress {
    int64_t step, epoch;        /* done */
    int64_t batch;              /* done in the epoch that is under way */
    espl__sums sums;            /* of that epoch */
    int64_t scorings;           /* so far */
    int64_t scored, best_known; /* 0 or 1 */
    int64_t best_epoch;         /* epochs done when the best net was kept */
    double best_loss, best_top1, best_top5;
    double last_loss, last_top1, last_top5; /* of the latest scoring */
    double rate;
    double found_rate; /* by a range test, where the recipe says `rate: find`; 0: none yet */
    double seconds;    /* over all processes that worked on it */
} espl__progress;

extern const espl_field espl__progress_fields[]; /* checkpoint_items.c */

/* A net that teaches the run's own (teacher.c). */
typedef struct espl__teacher {
    espl_net *net; /* NULL: nobody teaches */
    double temperature, share;
    int known;            /* so many of the first classes; 0: all */
    bool apart;           /* the others are told from each other alone; also where nobody teaches */
    const char *old_data; /* "": none is there */
    int64_t old_samples;
    espl__graph *fused;
    espl__plan *plan;
    bool packed;
    float *soft; /* of the samples of a batch */
} espl__teacher;

/* What a fit makes and unmakes. */
typedef struct espl__fit {
    espl__graph *graph, *whole, *fused; /* with the loss; all of it fused; what a step computes of it, fused */
    espl__plan *plan;
    struct espl__features *features; /* NULL: none are kept */
    struct espl_rates *rates;        /* of the range test that began it; NULL: none did */
    espl__plan_settings plan_settings;
    int *group;                          /* of each layer, as somebody last asked; NULL: nobody did */
    bool *frozen_before;                 /* of each parameter, before the run's techniques froze any */
    bool *held;                          /* frozen for now: its layer is let go in a later stage */
    uint8_t *frozen;                     /* as the plan was made for */
    struct espl__scorer *scorer;         /* NULL: no held-out data */
    struct espl__statistics *statistics; /* NULL: nothing averages, or there are none */
    espl__teacher teacher;
    espl__loader *loader;
    espl__updater *updater;
    float **gradients; /* the plan's, or `total` */
    float **total;     /* own sums while accumulating, NULL otherwise */
    float *weights;    /* of the samples of a batch; NULL: all 1 */
    espl__block_hook *hooks;
    int hook_count;
    espl__augmentation *augmentations;
    int augmentation_count;
    double factor;                          /* by which the pass scales gradients */
    double norm;                            /* of the gradients before that; negative: not known yet */
    double momentum, step_loss;             /* of the step that is under way, or just done */
    int64_t micro;                          /* samples of one run of the plan */
    int64_t cycle_left;                     /* steps of the cycle after this one; negative: in no cycle */
    double saved_at;                        /* when the last checkpoint was written at the end of an epoch */
    double began, training_seconds, waited; /* of this process */
    double estimating;                      /* seconds for the statistics of averages */
    int64_t images, steps_here, allocations;
} espl__fit;

struct espl_run {
    espl_context *ctx;
    espl__recipe recipe;
    char *recipe_path; /* NULL: none */
    espl_net *net;
    espl_data *data;
    bool owns;    /* net and data */
    char *folder; /* NULL: nothing is written */
    bool resume;

    espl__member *members; /* in recipe order */
    int member_count;
    int *order; /* in which they act */
    const espl__member *acting;
    espl__kept_tensor *kept;
    int kept_count;

    float *class_weight; /* NULL: all 1 */
    int old_classes;     /* that the net knew before others were added; 0: none were */
    int64_t steps_per_epoch;
    int64_t cut; /* in so many cycles, as nobody else makes any; 0: it is not */
    bool has_cycles, fitted;
    espl__progress progress;
    espl__fit fit;
    float **best;      /* values of the best net, while it is in no file */
    char *best_origin; /* its words; NULL: the best net is in its file, or there is no folder for one */

    struct {
        char name[64];
        double value;
    } report[ESPL__REPORTS_MAX];
    int report_count;
    struct espl__log *log;
    struct espl__event_log *events;

    void (*watch)(void *user, const espl_news *news);
    void *watch_user;
    espl_result result;
    espl__text resolved, explained;
};

/* ---- members.c ---- */

espl_status espl__members_read(espl_run *run);
/* `options` is the node of its settings or NULL; the document is taken over if `owns_document`, also
 * after a failure. */
espl_status espl__member_add(espl_run *run, const espl_technique *technique, espl__document *document,
                             bool owns_document, const espl__tree *options);
espl_status espl__member_add_named(espl_run *run, const char *name, const espl__tree *place,
                                   espl__document *document, bool owns_document, const espl__tree *options);
/* Calls everybody who acts at that moment, in order. */
espl_status espl__moment(espl_run *run, espl_moment moment);
void espl__members_free(espl_run *run);
bool espl__member_acts_on_blocks(const espl__member *member);

/* ---- run_api.c ---- */

/* A tensor of zeros kept under that name, which is taken over, also after a failure. */
espl_status espl__keep_tensor(espl_run *run, char *name, int64_t count, espl__kept_tensor **result);

/* Of the step that begins, where the run is cut in cycles; -1 where it is not. */
int64_t espl__cycle_left(const espl_run *run);

/* ---- resolve.c ---- */

/* The resolved recipe; `notes`: with the comments about version, processor and plan. */
espl_status espl__resolve(espl_run *run, bool notes, espl__text *text);

/* ---- prepare.c ---- */

espl_status espl__fit_open(espl_run *run);
/* For what trains as the net's flags say now: plan, scorer and the frozen part's features, and the statistics for
 * averages. The loader is freed. */
espl_status espl__fit_open_plans(espl_run *run);
espl_status espl__fit_open_statistics(espl_run *run);
/* Begins where the run stands. */
espl_status espl__fit_open_loader(espl_run *run);
/* What the fit will hold at most, known before its first step. */
size_t espl__fit_bytes(const espl_run *run);
void espl__fit_free(espl_run *run);

/* ---- run.c ---- */

/* The first half of opening: the recipe, changed as `settings` say, and its techniques; neither net nor data. */
espl_status espl__run_read(espl_context *ctx, const char *recipe, const espl_run_settings *settings, espl_run **result);

/* ---- loop.c ---- */

/* News for whoever watches; `text` of a note, else NULL. */
void espl__run_tell(espl_run *run, espl_news_kind kind, const char *text);

/* ---- frozen.c ---- */

/* The net may be the caller's: which of its parameters are frozen is put back at the end. */
espl_status espl__frozen_remember(espl_run *run);
void espl__frozen_restore(espl_run *run);
/* Fails if nothing is left to train. */
espl_status espl__frozen_check(espl_run *run);
/* How much trains and what the rest saves; empty if nothing is frozen. */
espl_status espl__frozen_note(espl_run *run, char note[256]);

/* ---- teacher.c ---- */

/* The net's graph with the loss that it trains by. */
espl_status espl__teacher_loss_graph(espl_run *run, espl__graph **result);
/* The rest does nothing where nobody teaches. */
espl_status espl__teacher_open_plan(espl_run *run);
/* Soft targets for these samples, borrowed until the next call; NULL if nobody teaches. */
const float *espl__teacher_answer(espl_run *run, const float *values, int64_t count);
void espl__teacher_free(espl_run *run);

/* ---- step.c ---- */

/* One batch from loading to update. */
espl_status espl__step(espl_run *run, const espl__batch *batch);
/* The two halves of it, for those who ask for no schedule: the batch's gradients, while its losses are added to
 * the sums of the epoch; and the update with the progress's rate. `*sick`: the first parameter whose gradient was
 * not finite, or -1. */
void espl__step_compute(espl_run *run, const espl__batch *batch);
espl_status espl__step_update(espl_run *run, int *sick);

/* ---- find_rate.c ---- */

/* Finds the rate that the recipe asks for, unless it names one or a checkpoint brought the one that was found. */
espl_status espl__rate_take(espl_run *run);

/* ---- diverged.c ---- */

/* Fails with ESPL_DIVERGED, naming step and layer. `parameter`: whose gradient was not finite, or -1. */
espl_status espl__diverged(espl_run *run, const espl__batch *batch, int parameter);

/* ---- folder.c ---- */

/* The folder `given`, or "runs/NAME" of a recipe's file with `ending` behind it, to be released. Fails if its name leaves
 * no room for those of a run within it and of that run's files. */
espl_status espl__folder_name(espl_context *ctx, const char *recipe, const char *ending, const char *given, char **result);
/* Makes a folder and those above it. */
espl_status espl__folder_make(espl_context *ctx, const char *folder);
/* Makes it for a run that begins, and moves the checkpoint of an earlier one out of the way. */
espl_status espl__folder_begin(espl_run *run);
/* Makes the folders within it that a file of this name needs. */
espl_status espl__folder_make_for(espl_run *run, const char *name);
/* The resolved recipe, for a run that begins or goes on. */
espl_status espl__folder_write_recipe(espl_run *run);
void espl__folder_path(const espl_run *run, const char *name, char path[ESPL__PATH_MAX]);
/* Makes a folder of several runs that belong together, with the run's resolved recipe and the lines `more` in its file
 * `name`. If that file is there and says something else, fails with ESPL_BAD_STATE. */
espl_status espl__folder_claim(espl_run *run, const char *folder, const char *name, const char *more);

/* ---- checkpoint.c ---- */

espl_status espl__checkpoint_write(espl_run *run);
/* Goes on from the folder's checkpoint; `*found` says whether there was one. */
espl_status espl__checkpoint_read(espl_run *run, bool *found);

/* ---- log.c, event_log.c: both do nothing without a folder ---- */

espl_status espl__log_begin(espl_run *run, bool resumed);
espl_status espl__log_epoch(espl_run *run, const espl_news *news);
espl_status espl__log_end(espl_run *run, espl_status how);
void espl__log_free(espl_run *run);
/* The held-out figures that a log tells of an epoch; NAN where it was not scored. No file: `*found` is false. */
espl_status espl__log_find_epoch(espl_context *ctx, const char *path, int64_t epoch, double *loss, double *top1,
                                 bool *found);

espl_status espl__events_begin(espl_run *run, bool resumed);
espl_status espl__events_epoch(espl_run *run, const espl_news *news);
void espl__events_free(espl_run *run);

/* ---- kept_net.c ---- */

/* Writes a net as it is to `name`.safetensors in the folder, if there is one. `scored`: the latest scoring is
 * its own. */
espl_status espl__net_save_as(espl_run *run, espl_net *net, const char *name, bool scored);
/* Keeps the net as it is now if the recipe's `keep` wants it; without `saves` a copy in memory is enough. */
espl_status espl__net_keep(espl_run *run, bool saves);
/* Writes such a copy. Call it before a checkpoint is written, and before more than now trains. */
espl_status espl__net_write_kept(espl_run *run);
/* The net becomes the one that was kept. */
espl_status espl__net_take_kept(espl_run *run);
void espl__net_keep_free(espl_run *run);

#endif
