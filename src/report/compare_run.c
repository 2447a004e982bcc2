/* espl_compare_run: all nets of a run scored, timed and one of them recommended. */
#include "report/candidates.h"
#include <espalier/report.h>

#include <stdio.h>
#include <string.h>

static const espl_compare_settings defaults = { 0 };

static espl_status open_run(espl_context *ctx, const char *folder, const char *data, espl_run **run)
{
    char recipe[1024], path[1040];
    const char *const set[] = { path, NULL };

    if (snprintf(recipe, sizeof recipe, "%s/recipe.yaml", folder) >= (int)sizeof recipe ||
        (data && snprintf(path, sizeof path, "data.path=%s", data) >= (int)sizeof path))
        return espl__fail(ctx, ESPL_BAD_OPTION, "the name of the run's folder or data is too long");
    return espl_run_load(ctx, recipe, &(espl_run_settings){ .folder = folder, .set = data ? set : NULL }, run);
}

/* Where the time is enough for one run only, that one made kernels too: a second try finds them made. */
static espl_status time_one(espl__entry *e, double seconds)
{
    espl_status s = ESPL_OK;
    int runs = 0;

    for (int tries = 0; tries < 2 && runs < 2 && !s; tries++) {
        espl_bench bench;
        s = espl_bench_net(e->net, &(espl_bench_settings){ .seconds = seconds > 0 ? seconds : 0.3 }, &bench);
        runs = bench.runs;
        e->about.ms = s ? 0 : bench.median_ms;
        espl_bench_free(&bench);
    }
    return s;
}

static espl_status time_all(espl__candidates *c, double seconds)
{
    espl_status s = ESPL_OK;

    for (int i = 0; i < c->count && !s; i++)
        s = time_one(&c->entry[i], seconds);
    return s;
}

static espl_status fill(espl__candidates *c, const espl_compare_settings *o, espl_compared *r)
{
    espl_status s = espl__allocate(c->ctx, (size_t)c->count, sizeof *r->candidate, &r->candidate);

    if (s)
        return s;
    r->samples = espl_data_count(c->data, ESPL_HELD_OUT);
    r->count = c->count;
    espl__recommend(c, r);
    if ((s = time_all(c, o->seconds)))
        return s;
    for (int i = 0; i < c->count; i++)
        r->candidate[i] = c->entry[i].about;
    return o->out ? espl_net_save(c->entry[r->recommended].net, o->out) : ESPL_OK;
}

/* "plants/" of "runs/plants/" */
static void prefix_of(const char *folder, char prefix[64])
{
    size_t length = strlen(folder);

    while (length > 1 && folder[length - 1] == '/')
        length--;
    size_t from = length;
    while (from > 0 && folder[from - 1] != '/')
        from--;
    snprintf(prefix, 64, "%.*s/", (int)(length - from < 62 ? length - from : 62), folder + from);
}

static espl_status gather(espl__candidates *c, const char *folder, const char *const *also)
{
    char prefix[64] = "";
    espl_status s;

    c->folder = folder;
    c->prefix = prefix;
    if (also && *also)
        prefix_of(folder, prefix);
    s = espl__candidates_load(c);
    if (!s)
        s = espl__candidates_combine(c);
    for (; also && *also && !s; also++) {
        c->folder = *also;
        prefix_of(*also, prefix);
        s = espl__candidates_load(c);
    }
    c->prefix = "";
    return s;
}

espl_status espl_compare_run(espl_context *ctx, const char *folder, const espl_compare_settings *settings,
                             espl_compared *result)
{
    const espl_compare_settings *o = settings ? settings : &defaults;
    espl__candidates *c = NULL;
    espl_run *run = NULL;
    espl_status s;

    *result = (espl_compared){ .context = ctx };
    if ((s = espl__allocate(ctx, 1, sizeof *c, &c)))
        return s;
    c->ctx = ctx;
    if (!(s = open_run(ctx, folder, o->data, &run))) {
        c->data = espl_run_data(run);
        if (!(s = gather(c, folder, o->also)))
            s = fill(c, o, result);
        espl__candidates_free(c);
    }
    espl_run_free(run);
    espl__release(ctx, c);
    if (s)
        espl_compared_free(result);
    return s;
}

void espl_compared_free(espl_compared *compared)
{
    if (!compared || !compared->context)
        return;
    espl__release(compared->context, compared->candidate);
    *compared = (espl_compared){ 0 };
}
