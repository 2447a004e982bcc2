/* Files of other programs hold parameters but no net. The description of a net says under "files" what
 * the layers are called there, which settings of the net they stand for, and how samples are prepared:
 *
 *     files:
 *       - from: github.com/akamaster/pytorch_resnet_cifar10
 *         prepare: {rule: imagenet, resize: none}
 *         settings: {classes: 10}         # of this net, which such a file stands for
 *         headless: {top: no}             # the same for a file that lacks the last layer
 *         layers:
 *           stem.conv: conv1
 *           stage_{s}.unit_{u}.first.conv: layer{s}.{u - 1}.conv1
 *       - net: resnet-8-mlperf            # or these layers are those of another net */
#ifndef ESPL_FOREIGN_H
#define ESPL_FOREIGN_H

#include "net/description.h"
#include "net/layout.h"

/* What a file calls the layers of a net. */
typedef struct espl__foreign {
    espl_context *ctx;
    int count;   /* of the graph's nodes */
    char **name; /* for each node; NULL where it has no parameters */
} espl__foreign;

/* Names are compared with dots, whatever stands between their parts: "fire2/squeeze" is "fire2.squeeze". */
void espl__foreign_plain(char *name);
void espl__foreign_free(espl__foreign *names);

/* Makes the net that `source` and `settings` (of `document`; NULL: none) name in the form that a file
 * with these layers stands for, with every parameter zero, and finds the file's names of its layers. `layers`
 * may hold NULLs, which mean nothing. Where no "files" entry fits, the names are the net's own. */
espl_status espl__foreign_open(espl_context *ctx, const char *source, const espl__document *document,
                               const espl__tree *settings, const char *const *layers, int count,
                               espl_net **result, espl__foreign *names);
/* The net's own names, for a net that is there. */
espl_status espl__foreign_own(const espl_net *net, espl__foreign *names);

/* The name of a rule (raw, unit, symmetric, imagenet, caffe) or a map, for samples of the shape `input`. */
espl_status espl__preparation_read(espl__layout *layout, const espl__tree *node, espl__shape input,
                                   espl__preparation *result);

#endif
