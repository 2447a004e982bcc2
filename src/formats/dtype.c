/* The types values are stored in. */
#include "formats/safetensors.h"

static const struct {
    const char *name;
    size_t size;
} types[ESPL__DTYPE_COUNT] = {
    [ESPL__F32] = { "F32", 4 },
    [ESPL__F64] = { "F64", 8 },
    [ESPL__F16] = { "F16", 2 },
    [ESPL__BF16] = { "BF16", 2 },
    [ESPL__I64] = { "I64", 8 },
    [ESPL__I32] = { "I32", 4 },
    [ESPL__I16] = { "I16", 2 },
    [ESPL__I8] = { "I8", 1 },
    [ESPL__U64] = { "U64", 8 },
    [ESPL__U32] = { "U32", 4 },
    [ESPL__U16] = { "U16", 2 },
    [ESPL__U8] = { "U8", 1 },
    [ESPL__BOOL] = { "BOOL", 1 },
};

const char *espl__dtype_name(espl__dtype dtype)
{
    return types[dtype].name;
}

size_t espl__dtype_size(espl__dtype dtype)
{
    return types[dtype].size;
}
