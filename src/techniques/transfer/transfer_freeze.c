/* Freezing: layers that a net has already learned stay as they are while the others learn the new task.
 * A frozen layer has no gradient, no decay, no momentum and no average; its normalization goes by the
 * running statistics, which stand still; dropout between frozen layers is off. Gradients still pass
 * through it where something before it trains. */
#include <espalier/technique.h>

typedef struct freeze {
    char layers[512];
    int64_t depth;
    bool statistics;
} freeze;

static const espl_option options[] = {
    ESPL_TEXT(freeze, layers, "",
              "names of layers, such as \"block[1-4]_*, conv1\"; empty, with depth 0: all but the head"),
    ESPL_COUNT(freeze, depth, "0", 0, 100000, "freeze so many layers with parameters, counted from the input"),
    ESPL_FLAG(freeze, statistics, "no",
              "freeze the running statistics of normalizations only, and train everything else"),
    ESPL_OPTIONS_END
};

static int count_layers(const espl_run *run)
{
    int count = 0;

    for (int i = 0; i < espl_run_layers(run); i++)
        count += espl_run_layer_parameters(run, i) > 0;
    return count;
}

/* Is layer `layer`, the `number`-th with parameters, to be frozen? */
static bool chosen(const freeze *f, const espl_run *run, int layer, int64_t number)
{
    const bool named = *f->layers && espl_run_layer_matches(run, layer, f->layers);

    if (!*f->layers && f->depth == 0)
        return layer < espl_run_head(run);
    return named || number <= f->depth;
}

static espl_status freeze_layers(void *self, espl_run *run)
{
    const freeze *f = self;
    int64_t number = 0, named = 0;

    if (f->depth > count_layers(run))
        return espl_run_fail(run, ESPL_BAD_OPTION, "depth: %lld, but the net has %d layers with parameters",
                             (long long)f->depth, count_layers(run));
    for (int i = 0; i < espl_run_layers(run); i++) {
        if (!espl_run_layer_parameters(run, i))
            continue;
        number++;
        named += *f->layers && espl_run_layer_matches(run, i, f->layers);
        if (chosen(f, run, i, number))
            espl_run_freeze_layer(run, i, f->statistics ? ESPL_FREEZE_STATISTICS : ESPL_FREEZE_ALL);
    }
    if (*f->layers && !named)
        return espl_run_fail(run, ESPL_BAD_OPTION,
                             "layers: no layer with parameters is named like \"%s\"; the last one is \"%s\", and "
                             "`espalier inspect` lists all",
                             f->layers, espl_run_layer_name(run, espl_run_head(run)));
    return ESPL_OK;
}

const espl_technique espl_technique_transfer_freeze = {
    .name = "transfer-freeze",
    .summary = "keep layers as they are and train the others",
    .paper = "Yosinski et al., How transferable are features in deep neural networks?, arXiv:1411.1792",
    .family = ESPL_TRANSFER,
    .size = sizeof(freeze),
    .options = options,
    .on = { [ESPL_NET_READY] = freeze_layers },
};
