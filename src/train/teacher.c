/* A net that teaches the run's own: for every batch it answers the same samples, and its softened answers become
 * targets beside the labels. */
#include "net/alike.h"
#include "net/average_nets.h"
#include "ops/loss.h"
#include "train/opening.h"
#include "train/scorer.h"

#include <math.h>

static espl_status open_net(espl_run *run, const char *name, espl_net **net)
{
    char path[ESPL__PATH_MAX];
    espl_status s;

    if (!name)
        return espl__net_copy(run->net, net);
    espl__run_find_path(run, name, path);
    if ((s = espl_net_load(run->ctx, path, net)))
        return espl_run_fail(run, s, "teacher: %s", espl_message(run->ctx));
    espl_net *pair[] = { run->net, *net };
    if ((s = espl__nets_answer_alike(pair, 2)))
        return espl_run_fail(run, s, "teacher: %s (net 2) cannot teach this net (net 1): %s", path,
                             espl_message(run->ctx));
    return ESPL_OK;
}

espl_status espl_run_teach(espl_run *run, const char *teacher, double temperature, double share)
{
    espl__teacher *t = &run->fit.teacher;

    if (t->net)
        return espl_run_fail(run, ESPL_BAD_STATE, "another technique has brought a teacher; a run has one");
    t->temperature = temperature;
    t->share = share;
    t->known = 0;
    t->apart = false;
    return open_net(run, teacher, &t->net);
}

/* Two or more classes are new, and nothing but new ones is learned from. */
static bool only_new(const espl_run *run)
{
    const int64_t count = espl_data_count(run->data, ESPL_TRAIN);

    if (!run->old_classes || espl_net_classes(run->net) < run->old_classes + 2)
        return false;
    for (int64_t i = 0; i < count; i++)
        if (espl__data_label(run->data, ESPL_TRAIN, i) < run->old_classes)
            return false;
    return true;
}

espl_status espl_run_teach_old(espl_run *run, const espl_old_task *old)
{
    espl__teacher *t = &run->fit.teacher;
    const bool own_loss = espl__text_equal(run->recipe.loss->name, "softmax_cross_entropy");
    espl_data *data = NULL;
    espl_status s = old->share > 0 ? espl_run_teach(run, NULL, old->temperature, old->share) : ESPL_OK;

    if (s || (t->net && !(old->share > 0))) /* somebody else teaches */
        return s;
    t->temperature = old->temperature;
    t->share = old->share;
    t->known = run->old_classes;
    t->apart = old->apart && own_loss && only_new(run);
    t->old_data = old->data;
    t->old_samples = old->samples;
    if (t->apart && *old->data) /* it is wanted at the end: better to fail now */
        s = espl__run_open_old(run, old->data, old->samples, &data);
    espl_data_free(data);
    return s;
}

espl_status espl__teacher_loss_graph(espl_run *run, espl__graph **result)
{
    const espl__teacher *t = &run->fit.teacher;
    const espl__recipe *r = &run->recipe;

    if (!t->net && !t->apart)
        return espl__loss_graph(run->net->graph, r->loss, r->loss_options, result);
    return espl__loss_graph(run->net->graph, espl__loss_find("distillation"),
                            &(espl__distillation){ .temperature = t->temperature, .share = t->share, .known = t->known, .apart = t->apart }, result);
}

espl_status espl__teacher_open_plan(espl_run *run)
{
    espl__teacher *t = &run->fit.teacher;
    const size_t values = (size_t)run->fit.micro * (size_t)espl_net_classes(run->net);
    espl__graph *graph = NULL;
    espl_status s;

    if (!t->net)
        return ESPL_OK;
    t->net->precision = run->net->precision;
    if (!(s = espl__graph_copy(t->net->graph, &graph))) {
        espl__graph_cut(graph, espl__logits_node(graph));
        if (!(s = espl__fuse(t->net, graph, false, &t->fused)) &&
            !(s = espl__plan_open(t->net, t->fused, &(espl__plan_settings){ .batch = run->fit.micro }, &t->plan)))
            s = espl__allocate(run->ctx, values, sizeof *t->soft, &t->soft);
    }
    espl__graph_free(graph);
    return s;
}

static void soften(const float *logits, int classes, double temperature, float *soft)
{
    double largest = -INFINITY, sum = 0;

    for (int k = 0; k < classes; k++)
        largest = fmax(largest, (double)logits[k]);
    for (int k = 0; k < classes; k++)
        sum += exp(((double)logits[k] - largest) / temperature);
    for (int k = 0; k < classes; k++)
        soft[k] = (float)(exp(((double)logits[k] - largest) / temperature) / sum);
}

const float *espl__teacher_answer(espl_run *run, const float *values, int64_t count)
{
    espl__teacher *t = &run->fit.teacher;
    const int classes = espl_net_classes(run->net);

    if (!t->net)
        return NULL;
    espl__plan_run(t->plan, &(espl__feed){ .count = count, .values = values, .parameters_changed = !t->packed });
    t->packed = true;
    for (int64_t i = 0; i < count; i++)
        soften(espl__plan_output(t->plan, i), t->known ? t->known : classes, t->temperature, t->soft + i * classes);
    return t->soft;
}

void espl__teacher_free(espl_run *run)
{
    espl__teacher *t = &run->fit.teacher;

    espl__plan_free(t->plan);
    espl__graph_free(t->fused);
    espl_net_free(t->net);
    espl__release(run->ctx, t->soft);
    *t = (espl__teacher){ 0 };
}
