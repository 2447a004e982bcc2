/* What can be asked about nets, techniques and speed: the material of `inspect`, `list` and `bench`. */
#ifndef ESPALIER_REPORT_H
#define ESPALIER_REPORT_H

#include <espalier/run.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One node of a net as `inspect` shows it. Texts are borrowed from the net. */
typedef struct espl_layer {
    const char *name, *op;
    char shape[96];            /* of the output, "16x32x32" */
    char inputs[256];          /* names, comma between */
    int64_t parameters, macs;
    size_t activation_bytes;   /* of the output, for one sample */
    size_t parameter_bytes;
} espl_layer;
ESPL_API int espl_net_layer_count(const espl_net *net);
ESPL_API espl_layer espl_net_layer(const espl_net *net, int index);
/* Cuts the layers in groups by depth, as transfer-rates and transfer-unfreeze do: 0 is the head, the input lies
 * in the last one. `count` 0: up to 4; `group` has a place for each layer. ESPL_BAD_OPTION if the net has fewer
 * layers with weights. */
ESPL_API espl_status espl_net_group_layers(espl_net *net, int count, int *group);

/* Everything that is registered, for `list`: kind is "technique", "op", "optimizer", "source", "format",
 * "kernel" or "command-less" library "feature" (name and whether this build has it). */
typedef struct espl_listed {
    const char *kind, *name, *summary, *paper;
} espl_listed;
/* false past the end of that kind */
ESPL_API bool espl_listed_at(const char *kind, int index, espl_listed *result);
/* The options of a technique, optimizer or op, one line each with a tab between name, type, default,
 * range and help, as one text to be freed with espl_text_free; ESPL_BAD_OPTION if there is no such thing. */
ESPL_API espl_status espl_options_text(espl_context *context, const char *kind, const char *name, char **text);
ESPL_API void espl_text_free(espl_context *context, char *text);

typedef struct espl_bench_settings {
    int64_t batch;             /* 0: 1 for forward, 128 for training */
    bool train;                /* a whole training step; else forward */
    bool direct;               /* no Winograd convolution */
    bool runners_up;           /* time the next best kernel of every layer as well */
    double seconds;            /* of measuring, one run at least; 0: 3 */
} espl_bench_settings;
typedef struct espl_bench_layer {
    char node[64], kernel[64], role[24];
    double milliseconds, gflops;
    double bytes;              /* of the values, gradients and parameters it touches, each counted once */
    double peak_share;         /* of what the threads can compute at most, 0..1 and above: products that an
                                * algorithm saves are counted */
    char runner_up[64];        /* another kernel that fits the layer, "" if there is none */
    double runner_up_ms;
} espl_bench_layer;
typedef struct espl_bench {
    double median_ms, min_ms, max_ms, images_per_second, gflops;
    double first_ms;           /* of the first run */
    double processor_ms;       /* that all threads spent on a run, whatever else the machine did */
    double peak_gflops;        /* of one thread of this machine, measured */
    int runs, disturbed;       /* that count; that do not, since another program took a processor */
    int threads;
    int64_t batch;
    size_t planned_bytes;
    int layer_count;
    espl_bench_layer *layers;
    espl_context *context;
} espl_bench;
/* Times the net on random inputs. */
ESPL_API espl_status espl_bench_net(espl_net *net, const espl_bench_settings *settings, espl_bench *result);
ESPL_API void espl_bench_free(espl_bench *bench);

/* How far a net's answers are from recorded ones (docs/guides/import.md has the file's layout). */
typedef struct espl_check {
    double largest_difference; /* over all samples and answers, relative to the largest recorded answer */
    double largest_answer;
    int64_t samples, answers;  /* answers of one sample */
    char compared[16];         /* "logits" or "features" */
} espl_check;
/* Runs the inputs that a reference file holds. ESPL_BAD_FILE if the file does not fit the net.
 * Raw pixels are taken as they are, with a warning, if the net does not say how they are prepared. */
ESPL_API espl_status espl_net_check(espl_net *net, const char *path, espl_check *result);

/* The 95 % interval (Wilson) of a share, such as an accuracy, that was counted on `count` samples. */
ESPL_API void espl_interval_95(double share, int64_t count, double *low, double *high);

typedef struct espl_comparison {
    espl_bench first, second;  /* without layers; nothing to be freed */
    int rounds;
    /* of every round, the time of the second for a sample over that of the first: above 1 the first is
     * faster. Median, least and largest. */
    double ratio, ratio_min, ratio_max;
} espl_comparison;
/* Times two nets, or one with two settings, in turn, for the seconds of the first one's settings. They may
 * belong to contexts of different thread counts; the message of a failure is in the first one's. */
ESPL_API espl_status espl_bench_compare(espl_net *first, const espl_bench_settings *of_first, espl_net *second,
                                        const espl_bench_settings *of_second, espl_comparison *result);

#ifdef __cplusplus
}
#endif
#endif
