/* What a technique may ask of a run and tell it (espalier/technique.h). */
#include "train/train.h"

#include <math.h>
#include <stdio.h>

espl_status espl_run_fail(espl_run *run, espl_status status, const char *format, ...)
{
    char message[768];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (!run->acting)
        return espl__fail(run->ctx, status, "%s", message);
    return espl__tree_fail(run->acting->document, run->acting->options, status, "%s: %s",
                           run->acting->technique->name, message);
}

void espl_run_warn(espl_run *run, const char *format, ...)
{
    char message[768];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    espl__log(run->ctx, ESPL_WARNING, "%s%s%s", run->acting ? run->acting->technique->name : "",
              run->acting ? ": " : "", message);
}

void espl_run_note(espl_run *run, const char *format, ...)
{
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    espl__run_tell(run, ESPL_NEWS_NOTE, text);
}

void espl_run_sample_shape(const espl_run *run, int64_t shape[3])
{
    espl_data_shape(run->data, shape);
}

int64_t espl_run_step(const espl_run *run)
{
    return run->progress.step;
}

int64_t espl_run_epoch(const espl_run *run)
{
    return run->progress.epoch;
}

int64_t espl_run_steps_per_epoch(const espl_run *run)
{
    return run->steps_per_epoch;
}

int64_t espl_run_steps(const espl_run *run)
{
    return run->steps_per_epoch * run->recipe.options.epochs;
}

int64_t espl_run_duration(const espl_run *run, espl_duration duration)
{
    const double unit[] = {
        [ESPL_STEPS] = 1,
        [ESPL_EPOCHS] = (double)run->steps_per_epoch,
        [ESPL_RUNS] = (double)espl_run_steps(run),
    };

    return (int64_t)floor(fmin(duration.amount * unit[duration.unit], 9e18) + 0.5);
}

double espl_run_base_rate(const espl_run *run)
{
    const double given = ((const espl__optimizer_common *)run->recipe.optimizer_options)->rate;

    return given > 0 ? given : run->progress.found_rate;
}

void espl_run_set_rate(espl_run *run, double rate)
{
    run->progress.rate = rate;
}

double espl_run_rate(const espl_run *run)
{
    return run->progress.rate;
}

/* Where the optimizer's options have it. */
static const double *momentum_of(const espl_run *run)
{
    const espl__optimizer *o = run->recipe.optimizer;

    if (!o || !o->momentum)
        return NULL;
    return (const double *)(const void *)((const char *)run->recipe.optimizer_options + o->momentum);
}

double espl_run_base_momentum(const espl_run *run)
{
    return momentum_of(run) ? *momentum_of(run) : 0;
}

void espl_run_set_momentum(espl_run *run, double momentum)
{
    run->fit.momentum = momentum;
}

double espl_run_loss(const espl_run *run)
{
    return run->fit.step_loss;
}

bool espl_run_held_out(const espl_run *run, double *loss, double *top1)
{
    *loss = run->progress.last_loss;
    *top1 = run->progress.last_top1;
    return run->progress.scored;
}

void espl_run_set_cycle_left(espl_run *run, int64_t left)
{
    run->fit.cycle_left = left;
}

int64_t espl_run_cycle_left(const espl_run *run)
{
    return run->fit.cycle_left;
}

espl_status espl_run_cut_in_cycles(espl_run *run, int64_t count)
{
    if (run->has_cycles && (!run->cut || run->cut == count))
        return ESPL_OK;
    if (run->cut)
        return espl_run_fail(run, ESPL_BAD_OPTION, "cycles: %lld, but another technique cuts the run in %lld",
                             (long long)count, (long long)run->cut);
    if (count > espl_run_steps(run))
        return espl_run_fail(run, ESPL_BAD_OPTION, "cycles: %lld do not fit in %lld steps", (long long)count,
                             (long long)espl_run_steps(run));
    run->cut = count;
    run->has_cycles = true;
    return ESPL_OK;
}

/* As the run is cut: equal cycles, the last one takes what is over. */
int64_t espl__cycle_left(const espl_run *run)
{
    const int64_t step = run->progress.step;

    if (!run->cut)
        return -1;
    const int64_t each = espl_run_steps(run) / run->cut, number = step / each;
    return (number < run->cut - 1 ? (number + 1) * each : espl_run_steps(run)) - 1 - step;
}

bool espl_run_has_cycles(const espl_run *run)
{
    return run->has_cycles;
}

void espl_run_announce_cycles(espl_run *run)
{
    run->has_cycles = true;
}

double espl_run_gradient_norm(espl_run *run)
{
    espl__fit *fit = &run->fit;

    if (fit->norm < 0)
        fit->norm = espl__updater_norm(fit->updater, fit->gradients);
    return fit->norm * fit->factor;
}

void espl_run_scale_gradients(espl_run *run, double factor)
{
    run->fit.factor *= factor; /* taken into account by the optimizer's pass */
}

void espl_run_report(espl_run *run, const char *name, double value)
{
    int i = 0;

    while (i < run->report_count && !espl__text_equal(run->report[i].name, name))
        i++;
    if (i == ESPL__REPORTS_MAX)
        return;
    snprintf(run->report[i].name, sizeof run->report[i].name, "%s", name);
    run->report[i].value = value;
    if (i == run->report_count)
        run->report_count++;
}

static espl__kept_tensor *find_kept(espl_run *run, const char *name)
{
    for (int i = 0; i < run->kept_count; i++)
        if (espl__text_equal(run->kept[i].name, name))
            return &run->kept[i];
    return NULL;
}

/* Takes the name over, also after a failure. */
espl_status espl__keep_tensor(espl_run *run, char *name, int64_t count, espl__kept_tensor **result)
{
    const size_t old = (size_t)run->kept_count;
    float *values = NULL;
    espl_status s;

    *result = NULL;
    if ((s = espl__allocate(run->ctx, (size_t)count, sizeof(float), &values)) ||
        (s = espl__resize(run->ctx, old, old + 1, sizeof *run->kept, &run->kept))) {
        espl__release(run->ctx, values);
        espl__release(run->ctx, name);
        return s;
    }
    *result = &run->kept[run->kept_count++];
    **result = (espl__kept_tensor){ .name = name, .count = count, .values = values };
    return ESPL_OK;
}

espl_status espl_run_keep_tensor(espl_run *run, const char *name, int64_t count, float **values)
{
    espl__kept_tensor *kept;
    espl__text whole = { 0 };
    espl_status s;

    *values = NULL;
    if (!run->acting || count < 1)
        return espl_run_fail(run, ESPL_BAD_STATE, "%lld values cannot be kept here", (long long)count);
    if ((s = espl__text_add(run->ctx, &whole, "%d.%s.%s", (int)(run->acting - run->members),
                            run->acting->technique->name, name)))
        return s;
    if ((kept = find_kept(run, whole.data)))
        espl__text_free(run->ctx, &whole);
    else if ((s = espl__keep_tensor(run, whole.data, count, &kept)))
        return s;
    if (kept->count != count)
        return espl_run_fail(run, ESPL_BAD_STATE, "keeps %lld values named %s, but %lld are there",
                             (long long)count, name, (long long)kept->count);
    *values = kept->values;
    return ESPL_OK;
}
