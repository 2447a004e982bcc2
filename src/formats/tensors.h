/* The tensors of a file of whatever format, for those who fill the parameters of a net with them. */
#ifndef ESPL_TENSORS_H
#define ESPL_TENSORS_H

#include "formats/safetensors.h"

typedef struct espl__tensors espl__tensors;

/* What a format offers. */
typedef struct espl__tensor_reader {
    /* Borrowed until the end; NULL past the last. */
    const espl__stored *(*at)(const espl__tensors *tensors, int index);
    /* `at(index)->count` values, converted to float, in the order of the dimensions. */
    espl_status (*read)(espl__tensors *tensors, int index, float *values);
    void (*close)(espl__tensors *tensors); /* may be NULL */
} espl__tensor_reader;

/* Kernels are named and laid out by other rules in other frameworks. */
typedef enum espl__convention {
    ESPL__ANY_CONVENTION,  /* told by the names: "weight" or "kernel" */
    ESPL__KERAS_CONVENTION /* (height, width, in, out) for convolutions, (in, out) for dense layers */
} espl__convention;

struct espl__tensors {
    espl_context *ctx;
    const char *path; /* for messages; borrowed from the file */
    int count;
    espl__convention convention;
    const espl__tensor_reader *reader;
    void *file; /* the reader's own */
};

/* Opens by the ending of the file's name. */
espl_status espl__tensors_open(espl_context *ctx, const char *path, espl__tensors *result);
void espl__tensors_close(espl__tensors *tensors); /* also what was never opened, if it is zero */

#endif
