/* Everything a technique needs: how it describes its options, what it keeps over a resume, and the
 * moments of the run at which it acts. One technique is one source file and one line in
 * techniques.def; docs/ and CONTRIBUTING.md show how to write one. */
#ifndef ESPALIER_TECHNIQUE_H
#define ESPALIER_TECHNIQUE_H

#include <espalier/base.h>
#include <espalier/ensemble.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- durations: "5ep", "300st", "0.7run" ---- */

typedef enum espl_unit { ESPL_STEPS,
                         ESPL_EPOCHS,
                         ESPL_RUNS } espl_unit;

typedef struct espl_duration {
    double amount;
    espl_unit unit;
} espl_duration;

/* ---- options: a table is the only description; help, parsing, checking, `explain` and the
 * resolved recipe all come from it ---- */

typedef enum espl_option_type {
    ESPL_OPTION_COUNT,    /* int64_t */
    ESPL_OPTION_REAL,     /* double */
    ESPL_OPTION_FLAG,     /* bool: yes no true false on off */
    ESPL_OPTION_TEXT,     /* char[n], n = size */
    ESPL_OPTION_CHOICE,   /* int, the index within `choices` "one|two|three" */
    ESPL_OPTION_DURATION, /* espl_duration */
    ESPL_OPTION_COUNTS,   /* espl_counts */
    ESPL_OPTION_REALS,    /* espl_reals */
    ESPL_OPTION_DURATIONS /* espl_durations */
} espl_option_type;

#define ESPL_LIST_MAX 32
typedef struct espl_counts {
    int count;
    int64_t item[ESPL_LIST_MAX];
} espl_counts;
typedef struct espl_reals {
    int count;
    double item[ESPL_LIST_MAX];
} espl_reals;
typedef struct espl_durations {
    int count;
    espl_duration item[ESPL_LIST_MAX];
} espl_durations;

typedef struct espl_option {
    const char *name;
    espl_option_type type;
    size_t offset, size;
    const char *fallback; /* the default, as it would be written in a recipe; NULL: must be given */
    double low, high;     /* both ends included; for durations of their amount; unused for text */
    const char *choices;  /* "a|b|c" or NULL; of a number above 0, a word that stands for 0 */
    const char *help;
} espl_option;

#define ESPL__OPTION(type, holder, field, fallback, low, high, choices, help)                                   \
    {                                                                                                           \
#field, type, offsetof(holder, field), sizeof(((holder *)0)->field), fallback, low, high, choices, help \
    }
#define ESPL_COUNT(holder, field, fallback, low, high, help) \
    ESPL__OPTION(ESPL_OPTION_COUNT, holder, field, fallback, low, high, NULL, help)
#define ESPL_REAL(holder, field, fallback, low, high, help) \
    ESPL__OPTION(ESPL_OPTION_REAL, holder, field, fallback, low, high, NULL, help)
#define ESPL_FLAG(holder, field, fallback, help) \
    ESPL__OPTION(ESPL_OPTION_FLAG, holder, field, fallback, 0, 1, NULL, help)
#define ESPL_TEXT(holder, field, fallback, help) \
    ESPL__OPTION(ESPL_OPTION_TEXT, holder, field, fallback, 0, 0, NULL, help)
#define ESPL_CHOICE(holder, field, fallback, choices, help) \
    ESPL__OPTION(ESPL_OPTION_CHOICE, holder, field, fallback, 0, 0, choices, help)
#define ESPL_DURATION(holder, field, fallback, low, high, help) \
    ESPL__OPTION(ESPL_OPTION_DURATION, holder, field, fallback, low, high, NULL, help)
#define ESPL_COUNTS(holder, field, fallback, low, high, help) \
    ESPL__OPTION(ESPL_OPTION_COUNTS, holder, field, fallback, low, high, NULL, help)
#define ESPL_REALS(holder, field, fallback, low, high, help) \
    ESPL__OPTION(ESPL_OPTION_REALS, holder, field, fallback, low, high, NULL, help)
#define ESPL_DURATIONS(holder, field, fallback, low, high, help) \
    ESPL__OPTION(ESPL_OPTION_DURATIONS, holder, field, fallback, low, high, NULL, help)
#define ESPL_OPTIONS_END                                      \
    {                                                         \
        NULL, ESPL_OPTION_COUNT, 0, 0, NULL, 0, 0, NULL, NULL \
    }

/* ---- what a technique keeps over a checkpoint besides its tensors ---- */

typedef struct espl_field {
    const char *name;
    size_t offset, size;
} espl_field;
#define ESPL_KEEP(holder, field)                                      \
    {                                                                 \
#field, offsetof(holder, field), sizeof(((holder *)0)->field) \
    }
#define ESPL_KEEP_END \
    {                 \
        NULL, 0, 0    \
    }

/* ---- the run as a technique sees it ---- */

typedef struct espl_run espl_run;

typedef enum espl_moment {
    ESPL_NET_READY, /* the graph may still be rewritten, a loss term added; then the plan is made */
    ESPL_RUN_BEGIN, /* once, before the first step, also after a resume */
    ESPL_EPOCH_BEGIN,
    ESPL_BATCH_READY,     /* the batch is in memory, nothing is computed yet */
    ESPL_STEP_BEGIN,      /* the rate of this step is set here */
    ESPL_GRADIENTS_READY, /* summed over the whole batch, before the optimizer */
    ESPL_STEP_END,
    ESPL_CYCLE_END, /* after the last step of a cycle of the schedule */
    ESPL_EPOCH_END, /* after scoring, if the run scores */
    ESPL_RUN_END,
    ESPL_MOMENT_COUNT
} espl_moment;

/* At one moment the families act in this order, members of a family in recipe order. */
typedef enum espl_family {
    ESPL_TRANSFER,
    ESPL_INITIALIZE,
    ESPL_AUGMENT,
    ESPL_SCHEDULE,
    ESPL_REGULARIZE,
    ESPL_PRUNE,
    ESPL_AVERAGE,
    ESPL_ENSEMBLE,
    ESPL_OBSERVE,
    ESPL_FAMILY_COUNT
} espl_family;

/* What a parameter is for; decay, averages and pruning go by it (techniques act on kinds). */
typedef enum espl_kind {
    ESPL_WEIGHT,
    ESPL_BIAS,
    ESPL_NORM_SCALE,
    ESPL_NORM_SHIFT,
    ESPL_SCALAR,
    ESPL_GATE,
    ESPL_BUFFER, /* running statistics: never trained */
    ESPL_KIND_COUNT
} espl_kind;

/* A piece of one parameter that fits the first cache, inside the optimizer's single pass. `kept[i]`
 * is the same piece of the i-th tensor that the technique keeps per parameter. */
typedef struct espl_block {
    float *value;
    float *gradient;
    float *const *kept;
    int64_t count;
    int64_t offset; /* of the piece within its parameter */
    int parameter;  /* index within the net */
    espl_kind kind;
    double rate; /* of this parameter in this step */
} espl_block;

/* A sample on its way to the net: planes of `height` x `width` floats, one for each channel, in the
 * source's own scale (0..255 for pictures). An augmentation may change the sizes as long as
 * `capacity` floats suffice, or use `spare`, a second buffer of the same capacity, and swap. */
typedef struct espl_sample {
    float *values, *spare;
    int64_t capacity;
    int64_t channels, height, width;
    const float *neutral; /* for each channel the value that becomes 0 at the net's input; NULL: 0 */
} espl_sample;

/* Random draws of one augmentation for one sample in one epoch. */
typedef struct espl_draw espl_draw;
ESPL_API float espl_draw_uniform(espl_draw *draw); /* [0,1) */
ESPL_API float espl_draw_between(espl_draw *draw, float low, float high);
ESPL_API int64_t espl_draw_below(espl_draw *draw, int64_t bound); /* 0..bound-1 */
ESPL_API float espl_draw_normal(espl_draw *draw);

typedef struct espl_technique {
    const char *name;    /* "schedule-cosine" */
    const char *summary; /* one line */
    const char *paper;   /* source, or NULL */
    espl_family family;
    size_t size; /* of its state, which begins as zeros */
    const espl_option *options;
    const espl_field *kept;
    espl_status (*on[ESPL_MOMENT_COUNT])(void *self, espl_run *run);
    /* Called for every block of every trainable parameter, before or after the optimizer's update.
     * No allocation, no failure; several workers call it at once for different blocks. */
    void (*before_update)(void *self, const espl_block *block);
    void (*after_update)(void *self, const espl_block *block);
    /* Changes one training sample; called by loader threads, must not write to `self`. */
    void (*augment)(const void *self, espl_sample *sample, espl_draw *draw);
    int kept_per_parameter; /* how many tensors like each parameter it keeps */
} espl_technique;

/* Adds a technique of the caller's own, which must outlive the run; options as for espl_run_attach. */
ESPL_API espl_status espl_run_attach_own(espl_run *run, const espl_technique *technique, const char *options);

/* ---- what a technique may ask and tell ---- */

/* Fails with the technique's name and place in the recipe put in front. */
ESPL_API espl_status espl_run_fail(espl_run *run, espl_status status, const char *format, ...);

/* A line in the run's log of warnings, with the technique's name in front. */
ESPL_API void espl_run_warn(espl_run *run, const char *format, ...);

/* A line for whoever watches the run, ESPL_NEWS_NOTE. */
ESPL_API void espl_run_note(espl_run *run, const char *format, ...);

/* Channels, height, width of every sample (features, 1, 1 for tables). */
ESPL_API void espl_run_sample_shape(const espl_run *run, int64_t shape[3]);
ESPL_API int64_t espl_run_step(const espl_run *run);  /* optimizer steps done */
ESPL_API int64_t espl_run_epoch(const espl_run *run); /* epochs done */
ESPL_API int64_t espl_run_steps_per_epoch(const espl_run *run);
ESPL_API int64_t espl_run_steps(const espl_run *run); /* of the whole run */
/* A duration in steps of this run, rounded to the nearest. */
ESPL_API int64_t espl_run_duration(const espl_run *run, espl_duration duration);

ESPL_API double espl_run_base_rate(const espl_run *run);     /* as the recipe says */
ESPL_API void espl_run_set_rate(espl_run *run, double rate); /* of the step that begins */
ESPL_API double espl_run_rate(const espl_run *run);
/* Momentum (of Adam: beta1) as the recipe says, 0 if the optimizer has none, and for the step that begins. */
ESPL_API double espl_run_base_momentum(const espl_run *run);
ESPL_API void espl_run_set_momentum(espl_run *run, double momentum);

ESPL_API double espl_run_loss(const espl_run *run); /* mean training loss of the step just done (STEP_END) */
/* The scores of the epoch just done (EPOCH_END); false if it was not scored. */
ESPL_API bool espl_run_held_out(const espl_run *run, double *loss, double *top1);
/* Writes the net as it is to `name`.safetensors in the run's folder; does nothing in a run without one. */
ESPL_API espl_status espl_run_save_net(espl_run *run, const char *name);

/* Says at STEP_BEGIN that this step lies in a cycle of the schedule, and how many steps of the cycle come after
 * it: the cycle ends with the step at which that is 0. A schedule that does so announces it at RUN_BEGIN. */
ESPL_API void espl_run_set_cycle_left(espl_run *run, int64_t left);
ESPL_API int64_t espl_run_cycle_left(const espl_run *run); /* negative: this step lies in no cycle */
ESPL_API bool espl_run_has_cycles(const espl_run *run);
ESPL_API void espl_run_announce_cycles(espl_run *run);
/* Cuts the whole run in `count` equal cycles unless its schedule makes cycles (RUN_BEGIN). */
ESPL_API espl_status espl_run_cut_in_cycles(espl_run *run, int64_t count);

/* Moves the technique's tensor `kept` towards the parameter's value by `share` of the way, 0..1: for
 * after_update. With 1 / n of the n-th value it is the mean of all. */
ESPL_API void espl_block_average(const espl_block *block, int kept, double share);

/* Tries the net whose trained parameters are the technique's tensors `kept`: the statistics of batch norm are
 * estimated for it from training samples, it is scored on the held-out data (NAN without any) and, unless `name`
 * is NULL, saved as espl_run_save_net would. The run's own net is then what it was, to the bit. For the
 * moments between steps: CYCLE_END, EPOCH_END, RUN_END. */
ESPL_API espl_status espl_run_try_kept(espl_run *run, int kept, const char *name, double *loss, double *top1);

/* Makes one net of `count` that espl_run_save_net wrote under these names (espalier/ensemble.h), scores it on the
 * held-out data (NAN without any) and saves it under `name`. Does nothing in a run without a folder, which keeps no
 * nets. For CYCLE_END, EPOCH_END, RUN_END. */
ESPL_API espl_status espl_run_combine(espl_run *run, const char *const *names, int count, espl_combine by,
                                      const char *name, double *loss, double *top1);
/* From now on the net learns from what a teacher answers as well as from the labels: the loss becomes the op
 * `distillation` with these attributes. `teacher`: a net file, found as the recipe's own files are, for the same samples
 * and classes; NULL: the net as it is now (NET_READY). */
ESPL_API espl_status espl_run_teach(espl_run *run, const char *teacher, double temperature, double share);

/* What is to be kept of what the net knew before the recipe's head added classes. */
typedef struct espl_old_task {
    double temperature, share; /* of the old net's answers about the old classes in the loss; share 0: nobody teaches */
    bool apart;                /* see below */
    const char *data;          /* of samples that it learned, "": none; the text must outlive the run */
    int64_t samples;           /* of them to look at */
} espl_old_task;

/* The same by the net as it is now (NET_READY), about the classes alone that it knew. `apart`: where two or more classes were
 * added and no sample of an old one is trained on, the cross entropy with the label (softmax_cross_entropy) is among the new
 * classes alone, scores are taken among them, and in the net that is kept the outputs of new classes are brought on one
 * scale with the old ones: by the old samples, or by the lengths of their weights. */
ESPL_API espl_status espl_run_teach_old(espl_run *run, const espl_old_task *old);
/* Draws everything that trains anew, as the `time`-th time with this seed, and clears what the optimizer keeps
 * (CYCLE_END). */
ESPL_API void espl_run_begin_anew(espl_run *run, int64_t time);

/* The layers of the net in the order in which they are computed; the first is the input. */
ESPL_API int espl_run_layers(const espl_run *run);
ESPL_API const char *espl_run_layer_name(const espl_run *run, int layer);
ESPL_API int64_t espl_run_layer_parameters(const espl_run *run, int layer); /* values that can be trained */
/* Does its name match "block[1-4]_*", or one of several patterns with commas between? */
ESPL_API bool espl_run_layer_matches(const espl_run *run, int layer, const char *patterns);
/* The layer where the head begins: the last one with weights. */
ESPL_API int espl_run_head(const espl_run *run);

/* Cuts the layers in groups by depth: group 0 is the head, the last group lies at the input, and blocks of a net
 * stay whole where that leaves enough groups. `count` 0: up to 4 groups. Fails if the net has fewer layers with
 * weights. Returns in `found` how many there are; espl_run_layer_group goes by the latest call. */
ESPL_API espl_status espl_run_group_layers(espl_run *run, int64_t count, int *found);
ESPL_API int espl_run_layer_group(const espl_run *run, int layer);
/* From the next step on, the rate is multiplied by `factor` for the layer's parameters; 1 at first (RUN_BEGIN or
 * later; set it anew after a resume). */
ESPL_API void espl_run_set_layer_rate(espl_run *run, int layer, double factor);

/* A frozen layer has no gradient, decay, momentum or average, and computes as in inference. */
typedef enum espl_freeze {
    ESPL_FREEZE_NOTHING,
    ESPL_FREEZE_STATISTICS, /* of a normalization: running statistics are used and stay; the rest trains */
    ESPL_FREEZE_ALL
} espl_freeze;
/* At NET_READY, for as long as the run lasts. */
ESPL_API void espl_run_freeze_layer(espl_run *run, int layer, espl_freeze what);
/* Draws a layer's parameters anew, running statistics too, as they are in a net of these layers that nobody has trained
 * (NET_READY). */
ESPL_API void espl_run_draw_layer(espl_run *run, int layer);
/* Holds a layer, which then counts as frozen, or lets it go if it was held (NET_READY, EPOCH_BEGIN). The plan is
 * made anew; what trained before keeps what the optimizer and the techniques hold of it. Layers that are frozen
 * otherwise stay so. */
ESPL_API void espl_run_hold_layer(espl_run *run, int layer, bool hold);

/* Fills the technique's tensors `kept`, zero before, with the diagonal of the net's Fisher information as it is now:
 * how much its answers depend on each value that trains, over at most `samples` training samples of the data at
 * `data` ("": the run's own). The head's stay zero unless `head`. For RUN_BEGIN. */
ESPL_API espl_status espl_run_measure_fisher(espl_run *run, int kept, int64_t samples, const char *data, bool head);

/* Norm over the gradients of all trainable parameters, and scaling all of them (GRADIENTS_READY). */
ESPL_API double espl_run_gradient_norm(espl_run *run);
ESPL_API void espl_run_scale_gradients(espl_run *run, double factor);

/* `count` floats that live as long as the fit, zero at first, written into checkpoints and brought back on
 * resume. Ask at RUN_BEGIN, by a name that is unique within the technique; the run owns them. */
ESPL_API espl_status espl_run_keep_tensor(espl_run *run, const char *name, int64_t count, float **values);

/* Adds `name: value` to the log line of this epoch (EPOCH_END). */
ESPL_API void espl_run_report(espl_run *run, const char *name, double value);

#ifdef __cplusplus
}
#endif
#endif
