/* Snapshot ensemble: the net at the end of every cycle of the rate, with its batch-norm statistics, is a member,
 * and the last m of them answer together by the mean of their probabilities. A rate that starts high again takes
 * the weights to another minimum, so one run gives several nets that err differently.
 *
 * The paper's baselines come from the same code: NoCycle, equally spaced snapshots of an ordinary run, with any
 * schedule without cycles and `cycles: M`; SingleCycle, nets with nothing in common, with `fresh: yes`. */
#include <espalier/technique.h>

#include <math.h>
#include <stdio.h>

typedef struct snapshots {
    int64_t last, cycles;
    int combine;
    bool fresh;
    int64_t taken, combined; /* members saved, and of those, seen by the latest ensemble */
    double loss, top1;       /* of that, for the log */
} snapshots;

static const espl_option options[] = {
    ESPL_COUNT(snapshots, last, "5", 1, ESPL_MEMBERS_MAX, "how many of the latest snapshots make the ensemble"),
    ESPL_COUNT(snapshots, cycles, "1", 1, 1e6,
               "where the schedule has no cycles, take snapshots at the ends of so many equal parts of the run"),
    ESPL_CHOICE(snapshots, combine, "mean", "mean|vote|logits",
                "the ensemble's answer: mean of the probabilities, majority, or mean of the logits"),
    ESPL_FLAG(snapshots, fresh, "no", "begin every cycle from fresh weights instead of the last ones"),
    ESPL_OPTIONS_END
};

static const espl_field kept[] = {
    ESPL_KEEP(snapshots, taken),
    ESPL_KEEP(snapshots, combined),
    ESPL_KEEP(snapshots, loss),
    ESPL_KEEP(snapshots, top1),
    ESPL_KEEP_END
};

static espl_status begin(void *self, espl_run *run)
{
    const snapshots *s = self;

    return espl_run_cut_in_cycles(run, s->cycles);
}

static espl_status take(void *self, espl_run *run)
{
    snapshots *s = self;
    char name[48];

    snprintf(name, sizeof name, "snapshots/%lld", (long long)++s->taken);
    const espl_status status = espl_run_save_net(run, name);
    if (!status && s->fresh && espl_run_step(run) < espl_run_steps(run))
        espl_run_begin_anew(run, s->taken);
    return status;
}

static espl_status combine(snapshots *s, espl_run *run)
{
    const int64_t count = s->taken < s->last ? s->taken : s->last;
    char text[ESPL_MEMBERS_MAX][48];
    const char *names[ESPL_MEMBERS_MAX];

    for (int64_t m = 0; m < count; m++) {
        const long long number = s->taken - count + 1 + m;
        snprintf(text[m], sizeof text[m], "snapshots/%lld", number);
        names[m] = text[m];
    }
    s->combined = s->taken;
    return espl_run_combine(run, names, (int)count, (espl_combine)s->combine, "ensemble", &s->loss, &s->top1);
}

static espl_status end_epoch(void *self, espl_run *run)
{
    snapshots *s = self;
    espl_status status;

    if (s->taken > s->combined && (status = combine(s, run)))
        return status;
    if (!s->taken && espl_run_step(run) == espl_run_steps(run))
        espl_run_warn(run, "the run ended before its first cycle did: make the cycles shorter");
    if (s->combined && !isnan(s->loss)) {
        espl_run_report(run, "ensemble_loss", s->loss);
        espl_run_report(run, "ensemble_top1", s->top1);
    }
    return ESPL_OK;
}

const espl_technique espl_technique_ensemble_snapshot = {
    .name = "ensemble-snapshot",
    .summary = "train once, keep a net for each cycle of the rate and let them answer together",
    .paper = "Huang et al., Snapshot ensembles: train 1, get M for free, arXiv:1704.00109",
    .family = ESPL_ENSEMBLE,
    .size = sizeof(snapshots),
    .options = options,
    .kept = kept,
    .on = { [ESPL_RUN_BEGIN] = begin, [ESPL_CYCLE_END] = take, [ESPL_EPOCH_END] = end_epoch },
};
