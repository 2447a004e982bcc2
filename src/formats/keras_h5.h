/* HDF5 files through the program espalier-read-h5. */
#ifndef ESPL_KERAS_H5_H
#define ESPL_KERAS_H5_H

#include "formats/safetensors.h"

/* Runs the program on an open file, which is called `path` in messages; what it writes is opened and
 * checked like any safetensors file. */
espl_status espl__keras_h5_open(espl_context *ctx, int descriptor, const char *path, espl__safetensors **result);

#endif
