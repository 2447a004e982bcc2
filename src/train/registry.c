/* The list of techniques, and the names of families and moments. */
#include "train/techniques.h"

#define ESPL_TECHNIQUE(symbol) extern const espl_technique espl_technique_##symbol;
#include "techniques/techniques.def"
#undef ESPL_TECHNIQUE

static const espl_technique *const all[] = {
#define ESPL_TECHNIQUE(symbol) &espl_technique_##symbol,
#include "techniques/techniques.def"
#undef ESPL_TECHNIQUE
};

static const char *const families[ESPL_FAMILY_COUNT] = {
    [ESPL_TRANSFER] = "transfer",
    [ESPL_INITIALIZE] = "initialize",
    [ESPL_AUGMENT] = "augment",
    [ESPL_SCHEDULE] = "schedule",
    [ESPL_REGULARIZE] = "regularize",
    [ESPL_PRUNE] = "prune",
    [ESPL_AVERAGE] = "average",
    [ESPL_ENSEMBLE] = "ensemble",
    [ESPL_OBSERVE] = "observe",
};

static const char *const moments[ESPL_MOMENT_COUNT] = {
    [ESPL_NET_READY] = "net ready",
    [ESPL_RUN_BEGIN] = "run begin",
    [ESPL_EPOCH_BEGIN] = "epoch begin",
    [ESPL_BATCH_READY] = "batch ready",
    [ESPL_STEP_BEGIN] = "step begin",
    [ESPL_GRADIENTS_READY] = "gradients ready",
    [ESPL_STEP_END] = "step end",
    [ESPL_CYCLE_END] = "cycle end",
    [ESPL_EPOCH_END] = "epoch end",
    [ESPL_RUN_END] = "run end",
};

const espl_technique *espl__technique_at(int index)
{
    return index >= 0 && index < ESPL__COUNT(all) ? all[index] : NULL;
}

const espl_technique *espl__technique_find(const char *name)
{
    for (int i = 0; i < ESPL__COUNT(all); i++)
        if (espl__text_equal(all[i]->name, name))
            return all[i];
    return NULL;
}

const char *espl__family_name(espl_family family)
{
    return families[family];
}

const char *espl__moment_name(espl_moment moment)
{
    return moments[moment];
}
