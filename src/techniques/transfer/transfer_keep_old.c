/* Learning without forgetting: a net learns something new while it goes on to answer about the old classes as it did
 * before (Li and Hoiem 2016, arXiv:1606.09282), with old and new classes in separate softmaxes. Or, or besides,
 * elastic weight consolidation: each parameter is drawn back to where it was, as strongly as what the net knew depended
 * on it,
 *
 *   L = L_new + strength / 2 sum_k F_k (theta_k - theta_old,k)^2,
 *
 * F being the diagonal of the Fisher information of the old task at theta_old (Kirkpatrick et al. 2016,
 * arXiv:1612.00796, equation 3). */
#include "techniques/transfer/keep_old.h"

#include <espalier/technique.h>

#include <math.h>
#include <string.h>

enum { FISHER,
       OLD };

typedef struct keep_old {
    double strength, share, temperature;
    int64_t samples;
    char data[512];
    bool head, apart;
    bool measured, begun;
} keep_old;

static const espl_option options[] = {
    ESPL_REAL(keep_old, strength, "0", 0, 1e9, "of the pull to the old values, such as 100; 0: none"),
    ESPL_TEXT(keep_old, data, "", "data that the net learned before, or some of them; empty: those of this run"),
    ESPL_COUNT(keep_old, samples, "200", 1, 1000000, "so many of them are looked at"),
    ESPL_FLAG(keep_old, head, "no", "pull the head too; no: it is free to learn new classes"),
    ESPL_REAL(keep_old, share, "0.5", 0, 1, "of the old net's answers about the old classes in the loss; 0: it is not asked"),
    ESPL_REAL(keep_old, temperature, "2", 0.01, 1000, "what logits are divided by before these answers are compared"),
    ESPL_FLAG(keep_old, apart, "yes",
              "tell new classes from each other alone, not from old ones, where no sample of an old one is trained on"),
    ESPL_OPTIONS_END
};

static const espl_field kept[] = { ESPL_KEEP(keep_old, measured), ESPL_KEEP(keep_old, begun), ESPL_KEEP_END };

void espl__keep_old_gradient(float *gradient, const float *value, const float *old, const float *fisher,
                             int64_t count, double strength, double rate)
{
    const float most = (float)fmin(1 / rate, 1e30), times = (float)strength;

    for (int64_t i = 0; i < count; i++) {
        const float pull = times * fisher[i] < most ? times * fisher[i] : most;
        gradient[i] += pull * (value[i] - old[i]);
    }
}

static espl_status begin(void *self, espl_run *run)
{
    const keep_old *k = self;

    return espl_run_teach_old(run, &(espl_old_task){ k->temperature, k->share, k->apart, k->data, k->samples });
}

static espl_status measure(void *self, espl_run *run)
{
    keep_old *k = self;

    if (k->measured || !(k->strength > 0))
        return ESPL_OK;
    k->measured = true;
    return espl_run_measure_fisher(run, FISHER, k->samples, k->data, k->head);
}

/* The old values are those before the first update. */
static void pull(void *self, const espl_block *block)
{
    const keep_old *k = self;

    if (!k->begun)
        memcpy(block->kept[OLD], block->value, (size_t)block->count * sizeof(float));
    else if (k->strength > 0)
        espl__keep_old_gradient(block->gradient, block->value, block->kept[OLD], block->kept[FISHER], block->count,
                                k->strength, block->rate);
}

static espl_status end_step(void *self, espl_run *run)
{
    (void)run;
    ((keep_old *)self)->begun = true;
    return ESPL_OK;
}

const espl_technique espl_technique_transfer_keep_old = {
    .name = "transfer-keep-old",
    .summary = "learn something new without losing what the net knew",
    .paper = "Li and Hoiem, Learning without forgetting, arXiv:1606.09282",
    .family = ESPL_TRANSFER,
    .size = sizeof(keep_old),
    .options = options,
    .kept = kept,
    .kept_per_parameter = 2,
    .before_update = pull,
    .on = { [ESPL_NET_READY] = begin, [ESPL_RUN_BEGIN] = measure, [ESPL_STEP_END] = end_step },
};
