/* A net: the graph, the values of its parameters, and what travels with them - class names, how
 * inputs must be prepared, where it came from. */
#ifndef ESPL_NET_INTERNAL_H
#define ESPL_NET_INTERNAL_H

#include "graph/graph.h"
#include <espalier/net.h>

typedef struct espl__parameter {
    float *value; /* canonical layout, owned by the net */
    int64_t count;
    bool frozen;
} espl__parameter;

/* What must be done to a sample before it enters the net. */
typedef struct espl__preparation {
    bool known;            /* false: nobody has said yet */
    int64_t height, width; /* of the input; 0: the graph's */
    int channels;
    double scale; /* value = (raw * scale - mean[c]) / deviation[c] */
    double mean[4], deviation[4];
    char resize[16]; /* "none", "stretch", "crop" (short side, then centre), "keras" */
    char order[8];   /* "rgb", "bgr", "grey" */
} espl__preparation;

struct espl_net {
    espl_context *ctx;
    espl__graph *graph;
    espl__parameter *parameters; /* graph->parameter_count of them */
    espl_precision precision;
    int views; /* test-time augmentation: 0 or 1: none */
    espl__preparation preparation;
    double temperature; /* by which logits are divided; 0: 1 */
    double unknown;     /* an answer less probable than this is none; 0: all are */
    int class_count;
    char **classes; /* NULL: nameless */
    char *name;     /* "resnet-20" */
    char *origin;   /* JSON object with recipe hash, seed, scores; may be NULL */
};

/* A net around a finished graph, with every parameter filled from the context's seed. The graph is
 * taken over, also by a failure. Fails before allocating when the parameters alone need more than the
 * context's memory limit. */
espl_status espl__net_open(espl__graph *graph, const char *name, espl_net **result);
/* The same with every parameter zero, for those who fill them from a file. */
espl_status espl__net_open_empty(espl__graph *graph, const char *name, espl_net **result);
/* Fills all parameters that are not frozen anew, each from the stream "fill/<its name>", so that a parameter's values do
 * not depend on what else is in the net. Weights are normal with the deviation sqrt(2 / fan_in), not
 * truncated (He et al. 2015, arXiv:1502.01852, equation 10). */
void espl__net_fill(espl_net *net, uint64_t seed);
/* The same for one of them. */
void espl__net_fill_parameter(espl_net *net, int parameter, uint64_t seed);
/* Names the classes (copied); there must be one name for each value of the output. */
espl_status espl__net_set_classes(espl_net *net, const char *const *classes, int count);
/* The node of the head: the last one that has weights (head.c). */
int espl__net_head(const espl__graph *graph);
/* Cuts the layers in `count` groups by depth, counted from the top: 0 is the head, and the body lies in the
 * others with about as many layers each. Fills the group of every node and says how many there are; `count`
 * 0: up to 4. ESPL_BAD_OPTION if there are fewer layers than groups (groups.c). */
espl_status espl__net_groups(const espl__graph *graph, int count, int *group, int *found);
/* The node whose value is the logits: what a softmax at the end takes. */
int espl__logits_node(const espl__graph *graph);
/* Hash over all parameters and statistics, in order. */
uint64_t espl__net_hash(const espl_net *net);

#endif
