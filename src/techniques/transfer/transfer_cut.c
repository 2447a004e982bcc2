/* How far do layers carry that were learned on something else? Those below a cut are copied from the trained net, those
 * above it are drawn anew, as in a net that nobody has trained; the copied ones are frozen, or train on. The net that was
 * trained on something else gives what the paper calls AnB and AnB+, one trained on the same task its controls BnB
 * and BnB+. */
#include <espalier/technique.h>

typedef struct cut {
    int64_t groups, copied;
    double rate;
} cut;

static const espl_option options[] = {
    ESPL_COUNT(cut, groups, "0", 0, 1000, "how many groups of layers, the head among them; 0: up to 4"),
    ESPL_COUNT(cut, copied, "1", 0, 1000, "so many groups, counted from the input, keep what they learned"),
    ESPL_REAL(cut, rate, "0", 0, 1000, "what the rate is multiplied by for the copied layers; 0: they are frozen"),
    ESPL_OPTIONS_END
};

/* Group 0 is the head, the last one lies at the input. */
static bool is_copied(const cut *c, const espl_run *run, int layer, int groups)
{
    return espl_run_layer_group(run, layer) >= groups - c->copied;
}

static espl_status cut_net(void *self, espl_run *run)
{
    const cut *c = self;
    int groups = 0;
    const espl_status s = espl_run_group_layers(run, c->groups, &groups);

    if (s)
        return s;
    if (c->copied > groups)
        return espl_run_fail(run, ESPL_BAD_OPTION, "copied: %lld, but the net's layers lie in %d groups",
                             (long long)c->copied, groups);
    for (int i = 0; i < espl_run_layers(run); i++)
        if (!is_copied(c, run, i, groups))
            espl_run_draw_layer(run, i);
        else if (!(c->rate > 0))
            espl_run_freeze_layer(run, i, ESPL_FREEZE_ALL);
    return ESPL_OK;
}

static espl_status set_rates(void *self, espl_run *run)
{
    const cut *c = self;
    int groups = 0;
    const espl_status s = espl_run_group_layers(run, c->groups, &groups);

    for (int i = 0; i < espl_run_layers(run) && !s && c->rate > 0; i++)
        if (is_copied(c, run, i, groups))
            espl_run_set_layer_rate(run, i, c->rate);
    return s;
}

const espl_technique espl_technique_transfer_cut = {
    .name = "transfer-cut",
    .summary = "copy the layers up to a cut and draw those above it anew",
    .paper = "Yosinski et al., How transferable are features in deep neural networks?, arXiv:1411.1792",
    .family = ESPL_TRANSFER,
    .size = sizeof(cut),
    .options = options,
    .on = { [ESPL_NET_READY] = cut_net, [ESPL_RUN_BEGIN] = set_rates },
};
