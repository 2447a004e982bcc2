/* Runs: a recipe (or a net, data and settings) trained, scored and kept in a folder. */
#ifndef ESPALIER_RUN_H
#define ESPALIER_RUN_H

#include <espalier/data.h>
#include <espalier/net.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct espl_run espl_run;

/* What a run tells while it works; see espl_run_watch. */
typedef enum espl_news_kind {
    ESPL_NEWS_STEP,      /* after every step */
    ESPL_NEWS_EPOCH,     /* after every epoch, scored */
    ESPL_NEWS_NOTE       /* something worth a line: `text` */
} espl_news_kind;

typedef struct espl_news {
    espl_news_kind kind;
    int64_t epoch, epochs;         /* done, and of the whole run */
    int64_t step, steps;           /* done, and of the whole run */
    double loss, top1;             /* training, running mean of this epoch */
    double held_out_loss, held_out_top1; /* ESPL_NEWS_EPOCH; NAN if there is no held-out data */
    double rate;
    double seconds, images_per_second, wait_seconds; /* since this process began training */
    const char *text;
} espl_news;

/* What came out. */
typedef struct espl_result {
    double top1, top5, loss;       /* on the held-out data, of the net that was kept; NAN if never scored */
    int64_t epochs, steps;         /* in the whole run, over all resumes */
    double seconds, images_per_second, wait_seconds; /* of this process */
    double estimate_seconds;       /* of them, for the batch-norm statistics of averages */
    size_t peak_bytes;             /* most ever held through the context */
    size_t planned_bytes;          /* the plan's own figure, known before the first step */
    int64_t step_allocations;      /* allocations during steps after the second; 0 is promised */
    char net_path[1024];
    uint64_t hash;                 /* of all parameters and statistics of the last state */
} espl_result;

/* Optional overrides when a recipe is opened. */
typedef struct espl_run_settings {
    const char *folder;            /* where the run is kept; NULL: "runs/<recipe name>" */
    bool resume;                   /* go on from the folder's checkpoint; a bad-state error names what differs */
    const char *const *set;        /* "epochs=3", "optimizer.sgd.rate=0.1"; NULL-terminated, or NULL */
    const char *const *with;       /* "augment-flip: {}" appended to the techniques; NULL-terminated, or NULL */
} espl_run_settings;

/* Opens a run from a recipe file: data, net, optimizer, techniques. Nothing is trained yet; the run
 * folder is not touched. Errors have file:line:column. Ended by espl_run_free. */
ESPL_API espl_status espl_run_load(espl_context *context, const char *recipe, const espl_run_settings *settings,
                                   espl_run **result);

/* Opens a run around a net and data that the caller owns and that must outlive it; every option at
 * its default. `options` is YAML in the recipe's grammar without net and data
 * ("epochs: 15, optimizer: {sgd: {rate: 0.01}}"), or NULL. */
ESPL_API espl_status espl_run_open(espl_net *net, espl_data *data, const char *options, espl_run **result);

/* Adds a technique by name with options in the recipe's grammar ("period: 1ep, stretch: 2"). */
ESPL_API espl_status espl_run_attach(espl_run *run, const char *technique, const char *options);

/* What a recipe asks for beyond one run: how many parts of the data are to be held out in turn (0: none, or this
 * run has its part), and the seed that repetitions count from. */
ESPL_API int64_t espl_run_folds(const espl_run *run);
ESPL_API int64_t espl_run_seed(const espl_run *run);

/* Is told news; `watch` may be called thousands of times and must be quick. */
ESPL_API void espl_run_watch(espl_run *run, void (*watch)(void *user, const espl_news *news), void *user);

/* Trains to the end (or to an interrupt: ESPL_INTERRUPTED after a checkpoint). */
ESPL_API espl_status espl_run_fit(espl_run *run);

/* The figures after a fit (also an interrupted one). Borrowed until the run is freed. */
ESPL_API const espl_result *espl_run_result(const espl_run *run);
/* Borrowed. After a fit it holds the state that was kept (the best or the last, as the recipe's `keep`
 * says), after an interrupt the state that training reached. */
ESPL_API espl_net *espl_run_net(espl_run *run);
ESPL_API espl_data *espl_run_data(espl_run *run); /* borrowed */

/* The recipe with every default written out, as YAML (text borrowed until the run is freed). */
ESPL_API espl_status espl_run_resolved(espl_run *run, const char **text);
/* Who acts when: one line for each moment that somebody acts at ("step begin: schedule-cosine"). */
ESPL_API espl_status espl_run_explained(espl_run *run, const char **text);

ESPL_API void espl_run_free(espl_run *run);

/* ---- scoring and predicting ---- */

/* Fills what is zero in `settings` by how the samples were prepared that the net was trained with: size,
 * channels and resize rule. Texts stay the net's. */
ESPL_API void espl_net_prepare_data(const espl_net *net, espl_data_settings *settings);

typedef struct espl_score_class {
    double precision, recall;
    int64_t count;
} espl_score_class;

typedef struct espl_score {
    int64_t examples;
    double top1, top5, loss;
    int class_count;
    espl_score_class *classes; /* owned by the score; ended by espl_score_free */
    espl_context *context;
} espl_score;

/* Scores a net on one part of the data, at the given batch (0: 256). A net and data that do not fit
 * fail with both shapes named. Where the data's classes are among the net's by name, they become the net's in number
 * and order. */
ESPL_API espl_status espl_score_net(espl_net *net, espl_data *data, espl_part part, int64_t batch,
                                    espl_score *result);
/* The same when it is known that the answer is one of the classes of which this part has samples: no other counts. */
ESPL_API espl_status espl_score_within(espl_net *net, espl_data *data, espl_part part, int64_t batch,
                                       espl_score *result);
ESPL_API void espl_score_free(espl_score *score);

/* The probabilities of one picture file, prepared as the net was trained: `espl_net_classes(net)`
 * floats into `probabilities`. */
ESPL_API espl_status espl_predict_file(espl_net *net, const char *path, float *probabilities);
/* The same for `count` samples already in memory as planes in their raw scale. */
ESPL_API espl_status espl_predict(espl_net *net, const float *samples, int64_t count, float *probabilities);

/* A net made ready to predict again and again: planned once, then only run. The two functions above do that anew at
 * every call. */
typedef struct espl_predictor espl_predictor;

typedef struct espl_predictor_settings {
    int64_t batch;     /* samples that are computed together, at most 64; 0: 1 */
    const char *cache; /* a folder, or NULL. Weights as this machine's kernels want them are kept in it: the next start
                        * need not arrange them, and processes that run the same net share their memory */
} espl_predictor_settings;

/* `settings` may be NULL. The net must outlive the predictor and not change meanwhile. Ended by espl_predictor_free. */
ESPL_API espl_status espl_predictor_open(espl_net *net, const espl_predictor_settings *settings, espl_predictor **result);
/* As espl_predict and espl_predict_file. */
ESPL_API espl_status espl_predictor_run(espl_predictor *predictor, const float *samples, int64_t count,
                                        float *probabilities);
ESPL_API espl_status espl_predictor_file(espl_predictor *predictor, const char *path, float *probabilities);
/* Takes NULL. */
ESPL_API void espl_predictor_free(espl_predictor *predictor);

#ifdef __cplusplus
}
#endif
#endif
