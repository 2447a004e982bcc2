/* What averages share; see average.h. */
#include "techniques/average/average.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

espl_status espl__average_begin(void *self, espl_run *run)
{
    const espl__average *a = self;
    const size_t length = strlen(a->name);

    if (length > 0 &&
        strspn(a->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == length)
        return ESPL_OK;
    return espl_run_fail(run, ESPL_BAD_OPTION,
                         "name: \"%s\" cannot be the name of a file; use letters, digits, - and _", a->name);
}

void espl__average_update(void *self, const espl_block *block)
{
    const espl__average *a = self;

    if (a->share > 0)
        espl_block_average(block, 0, a->share);
}

void espl__average_report(const espl__average *a, espl_run *run, double loss, double top1)
{
    char figure[64];

    if (isnan(loss))
        return;
    snprintf(figure, sizeof figure, "%s_loss", a->name);
    espl_run_report(run, figure, loss);
    snprintf(figure, sizeof figure, "%s_top1", a->name);
    espl_run_report(run, figure, top1);
}

espl_status espl__average_end_epoch(void *self, espl_run *run)
{
    const espl__average *a = self;
    const bool last = espl_run_step(run) == espl_run_steps(run);
    char name[48];
    double loss, top1;

    if (!a->count) {
        if (last)
            espl_run_warn(run, "the run ended before there was anything to average: begin earlier");
        return ESPL_OK;
    }
    if (!espl_run_held_out(run, &loss, &top1) && !last)
        return ESPL_OK;
    snprintf(name, sizeof name, "averages/%s", a->name);
    const espl_status s = espl_run_try_kept(run, 0, last ? name : NULL, &loss, &top1);
    if (!s)
        espl__average_report(a, run, loss, top1);
    return s;
}

double espl__share_corrected(double decay, int64_t n)
{
    return n <= 1 ? 1 : (1 - decay) / (1 - pow(decay, (double)n));
}

double espl__share_counted(double decay, int64_t n)
{
    const double k = (double)(n - 1);

    return n <= 1 ? 1 : 1 - fmin(decay, (1 + k) / (10 + k));
}

double espl__share_power(double decay, int64_t n)
{
    const double k = (double)(n - 1);

    return n <= 1 ? 1 : 1 - fmin(decay, 1 - pow(1 + k, -2.0 / 3));
}
