/* The header of a .npy file: the type of the numbers, their order, and the shape. */
#ifndef ESPL_NPY_HEADER_H
#define ESPL_NPY_HEADER_H

#include "data/packed.h"

#define ESPL__NPY_DIMS 8

typedef struct espl__npy_header {
    char kind; /* 'u', 'i', 'f', 'b' (bool) */
    int bytes; /* of a number: 1, 2, 4, 8 */
    int rank;
    int64_t dim[ESPL__NPY_DIMS];
    int64_t count; /* the product, below 2^48 */
} espl__npy_header;

/* Reads it and leaves the file at the first number. Fails for orders and types that are not read
 * here, saying how to save the array instead. */
espl_status espl__npy_header_read(espl_context *ctx, espl__packed *file, espl__npy_header *header);

/* `count` numbers from little endian memory. */
void espl__npy_convert(const espl__npy_header *header, const uint8_t *data, int64_t count,
                       double *numbers);

#endif
