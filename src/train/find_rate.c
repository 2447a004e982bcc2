/* Finding a rate: the range test, and the choice from its curve. `rate: find` does it when the run begins, before
 * any technique has acted; the rate is then a part of the progress, so that a resume has it. */
#include "train/features.h"
#include "train/range_test.h"

espl_status espl__find_rate(espl_run *run, const espl_rates_settings *settings, espl_rates *result)
{
    espl__rate_curve *curve = NULL;
    espl_status s;

    *result = (espl_rates){ 0 };
    if ((s = espl__allocate(run->ctx, 1, sizeof *curve, &curve)))
        return s;
    if (!(s = espl__range_test(run, settings, result, curve)))
        espl__choose_rate(curve, espl__seed(run->ctx), result);
    espl__release(run->ctx, curve);
    return s;
}

static void tell(espl_run *run, const espl_rates *rates)
{
    if (rates->trusted)
        espl__log(run->ctx, ESPL_NOTE, "rate: found %.2g, between %.2g and %.2g, in %.1f s: %s", rates->rate,
                  rates->low, rates->high, rates->seconds, rates->reason);
    else
        espl__log(run->ctx, ESPL_WARNING, "rate: none was found, %g is taken: %s", espl__usual_rate(run),
                  rates->reason);
}

/* The fit is open. What the frozen part gives is computed once for the test and the training that may follow. */
static espl_status search(espl_run *run, const espl_rates_settings *settings, espl_rates *result)
{
    espl_status s = run->fit.features ? espl__features_fill(run) : ESPL_OK;

    return s ? s : espl__find_rate(run, settings, result);
}

espl_status espl__rate_take(espl_run *run)
{
    espl_rates **rates = &run->fit.rates;
    espl_status s;

    if (espl_run_base_rate(run) > 0)
        return ESPL_OK;
    if ((s = espl__allocate(run->ctx, 1, sizeof **rates, rates)) || (s = search(run, NULL, *rates)))
        return s;
    run->progress.found_rate = (*rates)->trusted ? (*rates)->rate : espl__usual_rate(run);
    tell(run, *rates);
    return ESPL_OK;
}

espl_status espl_run_find_rate(espl_run *run, const espl_rates_settings *settings, espl_rates *result)
{
    char *const folder = run->folder;
    espl_status s;

    *result = (espl_rates){ 0 };
    if (run->fitted)
        return espl__fail(run->ctx, ESPL_BAD_STATE, "a rate is looked for before the run is fitted");
    run->folder = NULL; /* no file is to be left */
    if (!(s = espl__fit_open(run)))
        s = search(run, settings, result);
    espl__fit_free(run);
    run->folder = folder;
    return s;
}
