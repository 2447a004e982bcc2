/* Keras's description of a model (model_config, config.json) on its way to a graph. */
#ifndef ESPL_KERAS_H
#define ESPL_KERAS_H

#include "formats/draft.h"
#include "formats/safetensors.h"
#include "net/net.h"

#include <jansson.h>

/* What a layer gives. MobileNetV3 writes a hard sigmoid as relu6(x + 3) / 6 in three layers, of which the
 * first two are no nodes of ours. */
typedef enum espl__keras_stage { ESPL__KERAS_WHOLE,
                                 ESPL__KERAS_PLUS_3,
                                 ESPL__KERAS_RELU6_PLUS_3 } espl__keras_stage;

typedef struct espl__keras_layer {
    const char *own, *kind; /* borrowed from the JSON: "conv1", "Conv2D" */
    const char *name;       /* the same as `own`; of a layer of a model within the model, "base/conv1" */
    char *full;             /* the latter, owned; else NULL */
    int model;              /* the layer that is the model it belongs to; -1: the outermost */
    json_t *config;
    const char *weights; /* what its weights are called, in Keras's order, a blank between */
    int inputs[ESPL__INPUTS_MAX], input_count;
    espl__keras_stage input_stage; /* of the only input */
    int number_count;              /* of the constant of a sum or product: one for all channels, or one for each */
    double numbers[4];
    int node;       /* what it gives */
    bool padded;    /* ZeroPadding2D: `node`, and these sides (top, left, bottom, right) still to be added; also of */
    int64_t pad[4]; /* a convolution's input */
    espl__keras_stage stage;
} espl__keras_layer;

typedef struct espl__keras {
    espl_context *ctx;
    espl__graph *graph;
    espl__keras_layer *layers;
    int count, capacity;
    const char *name;
    int version;          /* of Keras, 1 to 3; 0: not known */
    const char *left_out; /* the first layer that drops whole samples while training, and how many there are */
    int left_out_count;
    /* Rescaling, Normalization and arithmetic at the beginning: value = raw * scale[c] + offset[c] */
    bool rescaled;
    double scale[4], offset[4];
    /* For Normalization, whose numbers are weights: reads up to 4 of them, false if there are none. */
    bool (*numbers)(void *user, const espl__keras_layer *layer, const char *own, double *values, int count);
    void *user;
} espl__keras;

/* Reads the whole config into keras->graph. ESPL_UNSUPPORTED names the layer that has no counterpart. */
espl_status espl__keras_read(espl__keras *keras, json_t *config);
void espl__keras_free(espl__keras *keras);

/* One layer (keras_layers.c): adds its nodes and sets node and weights. */
espl_status espl__keras_translate(espl__keras *keras, espl__keras_layer *layer);
/* Whether the layer adds its input's padding itself, and padding as a node for those that do not. */
bool espl__keras_takes_padding(const espl__keras_layer *layer);
espl_status espl__keras_pad(espl__keras *keras, espl__keras_layer *layer);
/* The layer to which what is stored under this name belongs, and what it is called there; NULL for none
 * (keras_names.c). */
const espl__keras_layer *espl__keras_layer_of(const espl__keras *keras, const char *stored, const char **own);
/* Adds what the weight number `index` is called by layer and kind, "conv1/kernel", "sep/depthwise/depthwise_kernel";
 * leaves `name` empty for what belongs to no layer. Fails if the file does not tell. */
espl_status espl__keras_weight_name(const espl__keras *keras, const espl__safetensors *weights, int index, espl__text *name);
espl_status espl__keras_refuse(const espl__keras *keras, const espl__keras_layer *layer, const char *reason);

#endif
