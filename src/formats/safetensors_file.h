/* What the reader of safetensors keeps of an open file; shared by the header's parser and the reader
 * of values. */
#ifndef ESPL_SAFETENSORS_FILE_H
#define ESPL_SAFETENSORS_FILE_H

#include "formats/safetensors.h"

#include <jansson.h>

/* The length of the header comes first, in 8 bytes. */
#define ESPL__SAFETENSORS_PREFIX 8

struct espl__safetensors {
    espl_context *ctx;
    char *path;
    int descriptor;
    uint64_t bytes;  /* of the whole file */
    uint64_t header; /* bytes of the header */
    json_t *root;    /* owns names and notes */
    json_t *notes;   /* within root, or NULL */
    int count;
    espl__stored *tensors; /* as they lie in the file */
    int *by_name;          /* indices of tensors, sorted by name */
};

/* Fills root, notes, tensors and by_name from the header's text; checks every promise it makes. */
espl_status espl__safetensors_parse(espl__safetensors *file, const char *header);

#endif
