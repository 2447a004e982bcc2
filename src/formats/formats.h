/* File formats of nets: one file and one line in formats.def each. */
#ifndef ESPL_FORMATS_H
#define ESPL_FORMATS_H

#include "formats/tensors.h"
#include "net/net.h"

typedef struct espl__format {
    const char *name;                                                            /* "safetensors" */
    const char *summary;                                                         /* one line */
    const char *endings;                                                         /* of file names, with a blank between: ".safetensors" */
    espl_status (*load)(espl_context *ctx, const char *path, espl_net **result); /* NULL: only written */
    espl_status (*save)(const espl_net *net, const char *path);                  /* NULL: only read */
    /* Opens the tensors alone, for a net that the file does not hold; NULL: the format has none. */
    espl_status (*tensors)(espl_context *ctx, const char *path, espl__tensors *result);
} espl__format;

const espl__format *espl__format_at(int index); /* formats.def in order, NULL past the end */
const espl__format *espl__format_find(const char *path); /* by the file name's ending; NULL if none fits */
/* The same; fails naming the endings there are. */
espl_status espl__format_of(espl_context *ctx, const char *path, const espl__format **result);

#endif
