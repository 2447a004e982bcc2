/* Gradual unfreezing: the head trains first, then one group of layers after the other joins it from the top,
 *
 *   groups that train in epoch e:  top + floor(e / every).
 *
 * What trains already goes on as if nothing had happened; what joins begins without momentum. */
#include <espalier/technique.h>

typedef struct unfreeze {
    int64_t groups, top;
    espl_duration every;
} unfreeze;

static const espl_option options[] = {
    ESPL_COUNT(unfreeze, groups, "0", 0, 1000, "how many groups of layers, the head among them; 0: up to 4"),
    ESPL_COUNT(unfreeze, top, "1", 1, 1000, "so many groups train from the beginning"),
    ESPL_DURATION(unfreeze, every, "1ep", 1e-9, 1e15, "let the next group go so often, at the beginning of an epoch"),
    ESPL_OPTIONS_END
};

/* How many groups train from this step on. */
static int64_t training_at(const unfreeze *u, const espl_run *run, int64_t step)
{
    return u->top + step / espl_run_duration(run, u->every);
}

static espl_status hold(const unfreeze *u, espl_run *run, int64_t step, int *groups)
{
    const espl_status s = espl_run_group_layers(run, u->groups, groups);

    for (int i = 0; i < espl_run_layers(run) && !s; i++)
        espl_run_hold_layer(run, i, espl_run_layer_group(run, i) >= training_at(u, run, step));
    return s;
}

static espl_status hold_at_first(void *self, espl_run *run)
{
    const unfreeze *u = self;
    int groups = 0;
    espl_status s;

    if (espl_run_duration(run, u->every) < espl_run_steps_per_epoch(run))
        return espl_run_fail(run, ESPL_BAD_OPTION,
                             "every: is less than an epoch, but layers are let go between epochs; set 1ep or more");
    if ((s = hold(u, run, 0, &groups)))
        return s;
    if (training_at(u, run, espl_run_steps(run) - 1) < groups)
        espl_run_warn(run, "the run ends before all %d groups of layers train; the others stay as they are", groups);
    return ESPL_OK;
}

static espl_status let_go(void *self, espl_run *run)
{
    const unfreeze *u = self;
    const int64_t step = espl_run_step(run), before = step - espl_run_steps_per_epoch(run);
    int groups = 0;
    const espl_status s = hold(u, run, step, &groups);
    const int64_t training = training_at(u, run, step);

    if (!s && training <= groups && (before < 0 || training_at(u, run, before) < training))
        espl_run_note(run, "epoch %lld: %lld of %d groups of layers train", (long long)espl_run_epoch(run) + 1,
                      (long long)training, groups);
    return s;
}

const espl_technique espl_technique_transfer_unfreeze = {
    .name = "transfer-unfreeze",
    .summary = "train the head first, then one group of layers after the other",
    .paper = "Howard and Ruder, Universal language model fine-tuning for text classification, arXiv:1801.06146",
    .family = ESPL_TRANSFER,
    .size = sizeof(unfreeze),
    .options = options,
    .on = { [ESPL_NET_READY] = hold_at_first, [ESPL_EPOCH_BEGIN] = let_go },
};
