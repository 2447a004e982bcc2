/* The list of sources. */
#include "data/data.h"

#define ESPL_SOURCE(symbol) extern const espl__source espl__source_##symbol;
#include "data/sources.def"
#undef ESPL_SOURCE

static const espl__source *const all[] = {
#define ESPL_SOURCE(symbol) &espl__source_##symbol,
#include "data/sources.def"
#undef ESPL_SOURCE
};

const espl__source *espl__source_at(int index)
{
    return index >= 0 && index < ESPL__COUNT(all) ? all[index] : NULL;
}
