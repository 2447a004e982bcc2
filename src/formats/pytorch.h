/* Files of torch.save, opened: what the pickle says about tensors and where their values lie. */
#ifndef ESPL_PYTORCH_H
#define ESPL_PYTORCH_H

#include "formats/pickle.h"
#include "formats/tensors.h"

/* A block of values that tensors look into. */
typedef struct espl__torch_storage {
    char *key;
    espl__dtype dtype;
    int64_t count;
    int64_t place; /* of the first value in a legacy file; -1: not there */
} espl__torch_storage;

typedef struct espl__torch_tensor {
    espl__stored stored;
    char *name;
    int storage;
    int64_t offset, span; /* values of the storage that it reaches over */
    int64_t stride[ESPL__STORED_RANK_MAX];
} espl__torch_tensor;

typedef struct espl__torch {
    espl_context *ctx;
    char *path;
    char prefix[256]; /* "archive/" of the members of a zip file; */
    bool zip;
    int descriptor; /* of a legacy file */
    int64_t bytes;  /* of the whole file */
    char *head;     /* its beginning, or the pickle of a zip file */
    size_t head_bytes;
    espl__pickle pickle;
    espl__torch_tensor *tensors;
    int count, capacity;
    espl__torch_storage *storages;
    int storage_count, storage_capacity;
    int visited; /* items of dicts, so that dicts that hold one another many times come to an end */
} espl__torch;

/* Finds the state dict below the pickle's root and lists its tensors and their storages. */
espl_status espl__torch_collect(espl__torch *torch);
/* A legacy file lists its storages behind the pickle, each with its length before its values. */
espl_status espl__torch_place_storages(espl__torch *torch);

#endif
