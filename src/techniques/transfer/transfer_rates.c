/* Discriminative rates: the layers near the input, which have learned what is common to all pictures, move
 * more slowly than those near the head. The layers lie in groups by depth, and
 *
 *   rate_g = rate / factor^g,   g = 0 for the head. */
#include <espalier/technique.h>

#include <math.h>

typedef struct rates {
    int64_t groups;
    double factor, spread;
} rates;

static const espl_option options[] = {
    ESPL_COUNT(rates, groups, "0", 0, 1000, "how many groups of layers, the head among them; 0: up to 4"),
    ESPL_REAL(rates, factor, "2.6", 1, 1e6, "a group's rate is that of the group above it divided by this"),
    ESPL_REAL(rates, spread, "0", 0, 1e9,
              "instead of factor: the head's rate over that of the lowest group, in equal ratios between; 0: by factor"),
    ESPL_OPTIONS_END
};

/* What the rate of group `group` of `groups` is multiplied by. */
static double share(const rates *r, int group, int groups)
{
    if (!(r->spread > 0))
        return 1 / pow(r->factor, group);
    return groups > 1 ? 1 / pow(r->spread, (double)group / (groups - 1)) : 1;
}

/* A line of the table: which layers, how many values, which rate. */
static void show(espl_run *run, int group, double factor)
{
    const char *first = NULL, *last = NULL;
    long long values = 0;

    for (int i = 0; i < espl_run_layers(run); i++) {
        if (espl_run_layer_group(run, i) != group || !espl_run_layer_parameters(run, i))
            continue;
        first = first ? first : espl_run_layer_name(run, i);
        last = espl_run_layer_name(run, i);
        values += espl_run_layer_parameters(run, i);
    }
    espl_run_note(run, "group %2d  %9lld values  rate x %-9.3g %s%s%s", group, values, factor, first ? first : "no layer",
                  first != last ? " to " : "", first != last ? last : "");
}

static espl_status set_rates(void *self, espl_run *run)
{
    const rates *r = self;
    int groups = 0;
    espl_status s;

    if (r->spread > 0 && r->spread < 1)
        return espl_run_fail(run, ESPL_BAD_OPTION,
                             "spread: %g would move the lowest layers fastest; set 1 or more, or 0 to go by factor",
                             r->spread);
    if ((s = espl_run_group_layers(run, r->groups, &groups)))
        return s;
    for (int i = 0; i < espl_run_layers(run); i++)
        espl_run_set_layer_rate(run, i, share(r, espl_run_layer_group(run, i), groups));
    for (int group = 0; group < groups; group++)
        show(run, group, share(r, group, groups));
    return ESPL_OK;
}

const espl_technique espl_technique_transfer_rates = {
    .name = "transfer-rates",
    .summary = "lower rates for layers further from the head",
    .paper = "Howard and Ruder, Universal language model fine-tuning for text classification, arXiv:1801.06146",
    .family = ESPL_TRANSFER,
    .size = sizeof(rates),
    .options = options,
    .on = { [ESPL_RUN_BEGIN] = set_rates },
};
