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
 * ("conv1.weight") and shapes; for files that hold tensors but no net. After a failure the parameters
 * may be a mixture. */
ESPL_API espl_status espl_net_load_parameters(espl_net *net, const char *path);

ESPL_API void espl_net_free(espl_net *net);

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
