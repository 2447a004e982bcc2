/* Nets: made by name, from a description in YAML, from a file, or node by node. */
#ifndef ESPALIER_NET_H
#define ESPALIER_NET_H

#include <espalier/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct espl_net espl_net;

/* Builds a net by what `source` names: a net file (.safetensors), a description (.yaml), or a family
 * with its size ("resnet-20", "lenet-5", "wide-resnet-16-4", "vgg-16-bn"). `settings` is YAML that
 * overrides the description's own settings ("classes: 5, width: 0.5"), or NULL. Parameters that come
 * from no file are drawn from the context's seed. Ended by espl_net_free. */
ESPL_API espl_status espl_net_open(espl_context *context, const char *source, const char *settings,
                                   espl_net **result);

/* Loads a net file. Fails with ESPL_BAD_FILE naming file, offset and reason. */
ESPL_API espl_status espl_net_load(espl_context *context, const char *path, espl_net **result);

/* Saves graph, parameters, class names and preparation as one safetensors file; the old file stays
 * whole until the new one is. */
ESPL_API espl_status espl_net_save(espl_net *net, const char *path);

/* Fills the parameters of a net with the tensors of a file, which must have the parameters' names
 * ("conv1.weight") and shapes; for files that hold tensors but no net. What a norm's parameters are called
 * elsewhere ("running_mean", "gamma") is understood. After a failure the parameters may be a mixture. */
ESPL_API espl_status espl_net_load_parameters(espl_net *net, const char *path);

/* Builds a net as espl_net_open does and fills it with the tensors of a file of another program. The
 * description's "files" say what that program calls the layers, which settings the file stands for and how
 * samples are prepared. Fails with ESPL_BAD_FILE naming the first tensor that does not fit. */
ESPL_API espl_status espl_net_open_with(espl_context *context, const char *source, const char *settings,
                                        const char *path, espl_net **result);

/* Says how samples are prepared: the rule "raw" (0 to 255 as it is), "unit" (over 255), "symmetric" (over
 * 127.5, minus 1), "imagenet" (over 255, ImageNet's mean and deviation) or "caffe" (BGR, the mean taken
 * off), or a map ("scale: 1/255, mean: [0.5, 0.5, 0.5], deviation: 0.25, order: bgr, resize: crop"). */
ESPL_API espl_status espl_net_prepare(espl_net *net, const char *how);

/* Gives the net a new last layer that tells `classes` classes apart, for pictures of other things than it was
 * trained for; all layers before it are kept to the bit, and with them how samples are prepared. `settings` is
 * YAML or NULL: "after: NAME" is the layer whose values the new one takes (auto: what the old head took, or the
 * output of a net that ends in features; planes are averaged), "start: he" draws its weights instead of beginning
 * with zeros. "classes: added" keeps what the old head knows, as far as its rows go, and `classes` counts the old
 * ones too. The classes are nameless until a run names them. After a failure the net is as it was. */
ESPL_API espl_status espl_net_replace_head(espl_net *net, int classes, const char *settings);

/* Makes a net for pictures of 3 channels one for samples of 1, 2 or 4. For 1 and 2 the weights of the first
 * convolution are summed over the colours, and equal planes give what a grey picture gave; of 4 channels the first 3 stay
 * the colours, and the fourth begins with weights of zero. How samples are prepared changes with them. Fails with
 * ESPL_BAD_SHAPE if something else than an ordinary convolution reads the colours; the net is then as it was. */
ESPL_API espl_status espl_net_take_channels(espl_net *net, int channels);

ESPL_API void espl_net_free(espl_net *net);

/* ---- node by node ---- */

typedef struct espl_builder espl_builder;

/* Begins a net that takes inputs of these sizes. Ended by espl_builder_free. */
ESPL_API espl_status espl_builder_open(espl_context *context, int64_t channels, int64_t height, int64_t width,
                                       espl_builder **result);

/* Adds a layer: the operation `op` ("conv2d"; `espalier list ops` shows all) with `attributes` in YAML
 * ("channels: 16, kernel: 3"; a plain value such as "10" is for the first attribute; or NULL).
 * `name` NULL: made from the operation and a number. `from`: the names of the layers it takes, a comma
 * between ("conv2, input"); NULL: the layer added last. After a failure the builder is as it was. */
ESPL_API espl_status espl_builder_add(espl_builder *builder, const char *op, const char *attributes,
                                      const char *name, const char *from);

/* Makes the net that ends with the layer added last. Every layer must lead there. The builder can
 * only be freed afterwards. */
ESPL_API espl_status espl_net_build(espl_builder *builder, const char *name, espl_net **result);

ESPL_API void espl_builder_free(espl_builder *builder); /* takes NULL */

/* ---- how it computes ---- */

/* What activations and their gradients are kept and multiplied in. Parameters, their gradients and sums are
 * f32 with both. */
typedef enum espl_precision {
    ESPL_F32,
    ESPL_BF16 /* 8 bits of exponent, 8 of fraction; for processors with instructions for it (AVX-512 BF16) */
} espl_precision;

/* From now on the net trains, scores and predicts in this precision; f32 at first. A run sets that of its recipe.
 * Files do not remember it.
 * Where the processor cannot, whatever runs the net fails with ESPL_UNSUPPORTED. */
ESPL_API void espl_net_set_precision(espl_net *net, espl_precision precision);

/* From now on scoring and predicting take the mean of the probabilities over so many views of each picture: 1 (at
 * first), 2 (and its mirror image) or 10 (each of both also moved by an eighth of the side in four directions). */
ESPL_API espl_status espl_net_set_views(espl_net *net, int views);

/* ---- asking ---- */

ESPL_API const char *espl_net_name(const espl_net *net);
ESPL_API int64_t espl_net_parameters(const espl_net *net); /* trainable values */
ESPL_API int64_t espl_net_macs(const espl_net *net);       /* multiply-accumulates for one sample */
ESPL_API int espl_net_classes(const espl_net *net);        /* size of the output */
ESPL_API const char *espl_net_class_name(const espl_net *net, int index); /* NULL if nameless */
ESPL_API uint64_t espl_net_hash(const espl_net *net);

#ifdef __cplusplus
}
#endif
#endif
