/* Distillation (Hinton, Vinyals and Dean 2015): the net learns from what a teacher answers as well as from the
 * labels, and so how alike the classes are to the teacher. A temperature above 1 makes that visible where the
 * teacher is sure. The teacher may be an ensemble: one net learns what several know. */
#include <espalier/technique.h>

#include <string.h>

typedef struct distill {
    char teacher[512];
    double temperature, share;
} distill;

static const espl_option options[] = {
    ESPL_TEXT(distill, teacher, "start",
              "a net file of the teacher, for the same samples and classes; start: the net as it is when the run begins"),
    ESPL_REAL(distill, temperature, "2", 0.01, 1000, "what logits are divided by; more: the lesser classes count more"),
    ESPL_REAL(distill, share, "0.5", 0, 1, "of the teacher in the loss, the labels having the rest"),
    ESPL_OPTIONS_END
};

static espl_status begin(void *self, espl_run *run)
{
    const distill *s = self;

    return espl_run_teach(run, strcmp(s->teacher, "start") == 0 ? NULL : s->teacher, s->temperature, s->share);
}

const espl_technique espl_technique_distill = {
    .name = "distill",
    .summary = "learn from the answers of a teacher net as well as from the labels",
    .paper = "Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, arXiv:1503.02531",
    .family = ESPL_REGULARIZE,
    .size = sizeof(distill),
    .options = options,
    .on = { [ESPL_NET_READY] = begin },
};
