/* ONNX models on their way to a graph. A model is a list of nodes between named values. A value is a
 * constant, or what our graph computes from a sample; the batch, which ONNX counts as the first dimension,
 * is no part of our shapes.
 *
 * Much of what exporters write is no operation of ours: changes of shape, constants computed from shapes,
 * activations spelled out as sums and products. A value therefore says how it follows from a node of the
 * graph - seen under another shape, or as a term such as "relu6(x + 3)" - and further nodes are added only
 * when something needs it as it is. */
#ifndef ESPL_ONNX_H
#define ESPL_ONNX_H

#include "formats/draft.h"
#include "net/net.h"
#include "onnx.pb-c.h"

typedef Espalier__Onnx__Model espl__onnx_model;
typedef Espalier__Onnx__Node espl__onnx_node;
typedef Espalier__Onnx__Tensor espl__onnx_tensor;
typedef Espalier__Onnx__Attribute espl__onnx_attribute;

#define ESPL__ONNX_RANK_MAX 8
/* Constants up to this size are computed with; larger ones are weights. */
#define ESPL__ONNX_NUMBERS_MAX 65536

/* How a value follows from the node x of the graph. */
typedef enum espl__onnx_term {
    ESPL__ONNX_WHOLE,   /* x */
    ESPL__ONNX_AFFINE,  /* scale * x + offset */
    ESPL__ONNX_PADDED,  /* x with zeros around */
    ESPL__ONNX_DENSE,   /* weight * x; a sum behind it becomes the bias */
    ESPL__ONNX_RELU,    /* relu(scale * x + offset); a limit behind it makes it relu6 */
    ESPL__ONNX_SIGMOID, /* sigmoid(x) */
    ESPL__ONNX_SILU,    /* x * sigmoid(x) */
    ESPL__ONNX_HARD_SIGMOID,
    ESPL__ONNX_HARD_SWISH,
    ESPL__ONNX_RELU6_PLUS_3,   /* scale * relu6(x + 3) */
    ESPL__ONNX_X_RELU6_PLUS_3, /* scale * x * relu6(x + 3) */
    ESPL__ONNX_ERF,            /* scale * erf(x / sqrt(2)) + offset */
    ESPL__ONNX_X_ERF           /* x * (scale * erf(x / sqrt(2)) + offset) */
} espl__onnx_term;

typedef enum espl__onnx_kind { ESPL__ONNX_NOTHING, /* no node before has given it */
                               ESPL__ONNX_CONSTANT,
                               ESPL__ONNX_COMPUTED } espl__onnx_kind;

typedef struct espl__onnx_value {
    const char *name; /* borrowed from the model */
    espl__onnx_kind kind;
    const espl__onnx_node *from; /* that gives it; or NULL */
    int uses;                    /* by nodes that lead to the answer, or as the answer */
    int rank;                    /* computed values without the batch */
    int64_t dim[ESPL__ONNX_RANK_MAX];
    /* a constant: the numbers if they have been looked at, else a tensor of the file */
    bool whole;                      /* integers */
    const espl__onnx_tensor *tensor; /* may be NULL */
    double *numbers;                 /* owned */
    bool turned;                     /* they are kept with the two dimensions the other way round */
    /* a computed value: */
    int node;
    bool channels_last; /* the node has (channels, height, width) where the value has (height, width, channels) */
    espl__onnx_term term;
    double scale, offset;
    int64_t pad[4];                        /* top, left, bottom, right */
    const struct espl__onnx_value *weight; /* units x features */
} espl__onnx_value;

/* Where the values of a parameter of the graph come from. */
typedef struct espl__onnx_source {
    const espl__onnx_value *value; /* NULL: `number` for all */
    bool turned;                   /* of two dimensions, the other way round */
    bool inverse;                  /* 1 / value */
    double number;                 /* or what the value is multiplied by */
} espl__onnx_source;

typedef struct espl__onnx {
    espl_context *ctx;
    const char *path; /* of the file, beside which others may lie */
    espl__onnx_model *model;
    int64_t opset;
    int64_t batch; /* what stands for it where shapes are computed with */
    espl__graph *graph;
    espl__onnx_value *values; /* by name */
    int value_count;
    espl__onnx_source *sources; /* of each parameter of the graph */
    int source_capacity;
} espl__onnx;

/* A node being translated. */
typedef struct espl__onnx_call {
    espl__onnx *onnx;
    const espl__onnx_node *node;
    int count;                              /* of inputs, as they are written */
    espl__onnx_value *in[ESPL__INPUTS_MAX]; /* NULL: left out */
    espl__onnx_value *out;                  /* the first output; others are found by name */
} espl__onnx_call;

/* Reads the whole model into onnx->graph. ESPL_UNSUPPORTED names the node that has no counterpart. */
espl_status espl__onnx_read(espl__onnx *onnx);
/* Fills a net made of onnx->graph. */
espl_status espl__onnx_fill(espl__onnx *onnx, espl_net *net);
/* Class names and preparation as far as the model's metadata tell (onnx_notes.c). */
espl_status espl__onnx_notes(espl__onnx *onnx, espl_net *net);
/* Parses a model; releases what all of it holds. */
espl_status espl__onnx_open(espl_context *ctx, const char *path, espl__onnx *onnx);
void espl__onnx_close(espl__onnx *onnx);

/* ---- asking (onnx_graph.c) ---- */

espl_status espl__onnx_refuse(const espl__onnx_call *call, const char *reason, ...) ESPL__PRINTF(2, 3);
espl__onnx_value *espl__onnx_find(const espl__onnx *onnx, const char *name); /* or NULL */
bool espl__onnx_is(const espl__onnx_node *node, const char *op);
/* Attributes; `fallback` where there is none. */
const espl__onnx_attribute *espl__onnx_attribute_of(const espl__onnx_node *node, const char *name); /* or NULL */
int64_t espl__onnx_integer(const espl__onnx_node *node, const char *name, int64_t fallback);
double espl__onnx_real(const espl__onnx_node *node, const char *name, double fallback);
bool espl__onnx_says(const espl__onnx_node *node, const char *name, const char *text);
/* Integers that are an attribute in older opsets and input `input` in newer ones. `count` is -1 if there are none.
 * Fails if there are more than `most`, or if they are not constant. */
espl_status espl__onnx_integers(const espl__onnx_call *call, const char *name, int input, int64_t *list, int most,
                                int *count);

/* ---- constants (onnx_tensor.c) ---- */

int64_t espl__onnx_count(const espl__onnx_value *value); /* product of the dimensions */
/* Makes the value the constant that the tensor is; its bytes are looked at when they are needed. */
espl_status espl__onnx_set_tensor(const espl__onnx *onnx, const espl__onnx_tensor *tensor, espl__onnx_value *value);
/* Whether the values that the dimensions promise are there, before memory is asked for them. */
espl_status espl__onnx_check_stored(const espl__onnx *onnx, const espl__onnx_value *value);
/* All values of a constant, converted. */
espl_status espl__onnx_read_floats(const espl__onnx *onnx, const espl__onnx_value *value, float *to);
/* A matrix the other way round; shares the values. */
espl__onnx_value espl__onnx_turn(const espl__onnx_value *value);
/* Makes sure that `numbers` is there; fails for more than ESPL__ONNX_NUMBERS_MAX. */
espl_status espl__onnx_look(const espl__onnx *onnx, espl__onnx_value *value);
int64_t espl__onnx_round(double number); /* as an integer, kept within 2^60 */

/* ---- translating ---- */

typedef espl_status (*espl__onnx_translator)(espl__onnx_call *call);
espl__onnx_translator espl__onnx_translator_of(const char *op); /* onnx_ops.c; NULL: there is none */
/* Computes with constants alone (onnx_fold.c); `done` false: it is no operation for that. */
espl_status espl__onnx_fold(espl__onnx_call *call, bool *done);
/* Names in the graph: those of PyTorch's modules where they can be told (onnx_names.c). */
void espl__onnx_name(const espl__onnx *onnx, const espl__onnx_node *node, const char *suffix, char name[180]);

/* Adding nodes (onnx_values.c). The node that gives a value as it is, under its own shape; `flat`: under whatever
 * shape it has; for those who look at values only. */
espl_status espl__onnx_resolve(espl__onnx *onnx, espl__onnx_value *value, int *node);
espl_status espl__onnx_resolve_flat(espl__onnx *onnx, espl__onnx_value *value, int *node);
/* Adds a node called as the call's or `from` with `suffix` and tells its parameters' sources in order. */
espl_status espl__onnx_add(espl__onnx *onnx, const espl__onnx_node *from, const char *suffix, const char *op,
                           const int *inputs, int count, int *node, const char *attributes, ...) ESPL__PRINTF(8, 9);
espl_status espl__onnx_source_set(espl__onnx *onnx, int node, int parameter, espl__onnx_source source);
/* The value is `node` of the graph as it is; or, `last`, what has channels last where the node has them first. */
void espl__onnx_give(espl__onnx *onnx, espl__onnx_value *value, int node);
void espl__onnx_give_last(espl__onnx *onnx, espl__onnx_value *value, int node, bool last);
/* For operations that act alike in both orders: the node under its shape if `last` is false, else with channels first
 * (a value of one pixel has them anywhere). */
espl_status espl__onnx_take(espl__onnx *onnx, espl__onnx_value *value, bool last, int *node);
/* A pending product with a matrix, with a bias or NULL. */
espl_status espl__onnx_dense(espl__onnx *onnx, const espl__onnx_value *value, const espl__onnx_source *bias, int *node);
/* The value is another one seen under a shape without batch. */
void espl__onnx_see(espl__onnx_value *value, const espl__onnx_value *other, int rank, const int64_t *dim);
/* Multiplied by, and added to, a constant for each channel or one for all. */
espl_status espl__onnx_affine(espl__onnx *onnx, const espl__onnx_node *from, const char *suffix, int *node,
                              const espl__onnx_source *scale, const espl__onnx_source *offset);

/* Translators by family, gathered in onnx_ops.c. */
espl_status espl__onnx_add_values(espl__onnx_call *call);
espl_status espl__onnx_sub(espl__onnx_call *call);
espl_status espl__onnx_mul(espl__onnx_call *call);
espl_status espl__onnx_div(espl__onnx_call *call);
espl_status espl__onnx_clip(espl__onnx_call *call);
espl_status espl__onnx_relu(espl__onnx_call *call);
espl_status espl__onnx_sigmoid(espl__onnx_call *call);
espl_status espl__onnx_hard_sigmoid(espl__onnx_call *call);
espl_status espl__onnx_erf(espl__onnx_call *call);
espl_status espl__onnx_conv(espl__onnx_call *call);
espl_status espl__onnx_max_pool(espl__onnx_call *call);
espl_status espl__onnx_average_pool(espl__onnx_call *call);
espl_status espl__onnx_pad(espl__onnx_call *call);
espl_status espl__onnx_same(espl__onnx_call *call);
espl_status espl__onnx_reshape(espl__onnx_call *call);
espl_status espl__onnx_flatten(espl__onnx_call *call);
espl_status espl__onnx_squeeze(espl__onnx_call *call);
espl_status espl__onnx_unsqueeze(espl__onnx_call *call);
espl_status espl__onnx_transpose(espl__onnx_call *call);
espl_status espl__onnx_slice(espl__onnx_call *call);
espl_status espl__onnx_split(espl__onnx_call *call);
espl_status espl__onnx_gather(espl__onnx_call *call);

#endif
