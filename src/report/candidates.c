/* Gathering the nets of a run; see candidates.h. */
#include "report/candidates.h"
#include <espalier/report.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t bytes_of(const espl_net *net)
{
    size_t bytes = 0;

    for (int i = 0; i < net->graph->parameter_count; i++)
        bytes += (size_t)net->parameters[i].count * sizeof(float);
    return bytes;
}

static void fill(espl__entry *e, const char *prefix, const char *name, const char *path)
{
    const espl__quality q = espl__answers_score(&e->answers);

    e->about = (espl_candidate){ .top1 = q.top1,
                                 .nll = q.nll,
                                 .calibration_error = q.calibration_error,
                                 .macs = espl_net_macs(e->net),
                                 .bytes = bytes_of(e->net) };
    snprintf(e->about.name, sizeof e->about.name, "%.47s%.47s", prefix, name);
    snprintf(e->about.path, sizeof e->about.path, "%s", path);
    espl_interval_95(q.top1, e->answers.samples, &e->about.low, &e->about.high);
}

/* The candidate that computes the same: parameters, and how the last layer goes about it. */
static espl__entry *twin_of(espl__candidates *c, const espl_net *net)
{
    const espl__node *end = &net->graph->nodes[net->graph->output];

    for (int i = 0; i < c->count; i++) {
        const espl__graph *graph = c->entry[i].net->graph;
        const espl__node *other = &graph->nodes[graph->output];
        if (graph->node_count == net->graph->node_count && other->op == end->op &&
            memcmp(other->attributes, end->attributes, end->op->size) == 0 &&
            espl_net_hash(c->entry[i].net) == espl_net_hash(net))
            return &c->entry[i];
    }
    return NULL;
}

static espl_status add(espl__candidates *c, espl_net *net, const char *name, const char *path)
{
    espl__entry *e = &c->entry[c->count];
    espl_status s;

    if (c->count == ESPL__CANDIDATES_MAX)
        return espl__fail(c->ctx, ESPL_BAD_STATE, "%s: has more than %d nets to compare", c->folder,
                          ESPL__CANDIDATES_MAX);
    if ((s = espl__answers_take(net, c->data, ESPL_HELD_OUT, &e->answers)))
        return s;
    e->net = net;
    fill(e, c->prefix, name, path);
    c->count++;
    return ESPL_OK;
}

espl_status espl__candidates_add(espl__candidates *c, espl_net *net, const char *name, const char *path,
                                 espl__entry **entry)
{
    espl__entry *twin = twin_of(c, net);
    const espl_status s = twin ? ESPL_OK : add(c, net, name, path);

    if (twin || s)
        espl_net_free(net);
    if (entry)
        *entry = s ? NULL : twin ? twin
                                 : &c->entry[c->count - 1];
    return s;
}

static espl_status load(espl__candidates *c, const char *path, const char *name, int snapshot)
{
    espl__entry *entry = NULL;
    espl_net *net = NULL;
    espl_status s;

    if ((s = espl_net_load(c->ctx, path, &net)) || (s = espl__candidates_add(c, net, name, path, &entry)))
        return s;
    if (snapshot)
        entry->snapshot = snapshot;
    return ESPL_OK;
}

/* "9" comes before "10". */
static int compare_paths(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    const size_t of_x = strlen(*x), of_y = strlen(*y);

    return of_x != of_y ? (of_x > of_y) - (of_x < of_y) : strcmp(*x, *y);
}

/* "averages/ema" as "ema", "snapshots/3" as "snapshot 3" */
static void name_of(const char *path, const char *prefix, char name[48])
{
    const char *slash = strrchr(path, '/'), *stem = slash ? slash + 1 : path;

    snprintf(name, 48, "%s%.*s", prefix, (int)(strrchr(stem, '.') - stem), stem);
}

static espl_status load_all(espl__candidates *c, const char *pattern, const char *prefix, bool snapshots)
{
    char whole[1024], name[48];
    glob_t found;
    espl_status s = ESPL_OK;

    snprintf(whole, sizeof whole, "%s/%s", c->folder, pattern);
    if (glob(whole, GLOB_NOSORT, NULL, &found) != 0)
        return ESPL_OK;
    qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, compare_paths);
    for (size_t i = 0; i < found.gl_pathc && !s; i++) {
        name_of(found.gl_pathv[i], prefix, name);
        s = load(c, found.gl_pathv[i], name, snapshots ? (int)i + 1 : 0);
    }
    globfree(&found);
    return s;
}

static espl_status load_kept(espl__candidates *c)
{
    char path[1024];
    glob_t found;

    snprintf(path, sizeof path, "%s/last.safetensors", c->folder);
    const bool two = glob(path, 0, NULL, &found) == 0; /* the best is another one than the last */
    if (two)
        globfree(&found);
    snprintf(path, sizeof path, "%s/net.safetensors", c->folder);
    const espl_status s = load(c, path, two ? "best" : "last", 0);
    return s || !two ? s : load_all(c, "last.safetensors", "", false);
}

espl_status espl__candidates_load(espl__candidates *c)
{
    espl_status s;

    if ((s = load_kept(c)) || (s = load_all(c, "averages/*.safetensors", "", false)) ||
        (s = load_all(c, "snapshots/*.safetensors", "snapshot ", true)))
        return s;
    return load_all(c, "ensemble.safetensors", "", false);
}

void espl__candidates_free(espl__candidates *c)
{
    for (int i = 0; i < c->count; i++) {
        espl_net_free(c->entry[i].net);
        espl__answers_free(c->ctx, &c->entry[i].answers);
    }
    c->count = 0;
}
