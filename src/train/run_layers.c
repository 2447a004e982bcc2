/* The layers of a run's net, as techniques see them: names, groups by depth, a rate for each. */
#include "train/train.h"

#include <stdio.h>
#include <string.h>

#define PATTERN_MAX 256

int espl_run_layers(const espl_run *run)
{
    return run->net->graph->node_count;
}

const char *espl_run_layer_name(const espl_run *run, int layer)
{
    return run->net->graph->nodes[layer].name;
}

int64_t espl_run_layer_parameters(const espl_run *run, int layer)
{
    const espl__node *node = &run->net->graph->nodes[layer];
    int64_t count = 0;

    for (int i = 0; i < node->parameter_count; i++)
        if (run->net->graph->parameters[node->parameters[i]].spec.kind != ESPL_BUFFER)
            count += run->net->parameters[node->parameters[i]].count;
    return count;
}

bool espl_run_layer_matches(const espl_run *run, int layer, const char *patterns)
{
    char pattern[PATTERN_MAX];

    while (*patterns) {
        const size_t length = strcspn(patterns, ",");
        const size_t space = strspn(patterns, " ");
        if (length > space && length < sizeof pattern) {
            snprintf(pattern, sizeof pattern, "%.*s", (int)(length - space), patterns + space);
            if (espl__text_match(pattern, espl_run_layer_name(run, layer)))
                return true;
        }
        patterns += length + (patterns[length] == ',');
    }
    return false;
}

int espl_run_head(const espl_run *run)
{
    return espl__net_head(run->net->graph);
}

void espl_run_draw_layer(espl_run *run, int layer)
{
    const espl__node *node = &run->net->graph->nodes[layer];

    for (int i = 0; i < node->parameter_count; i++)
        espl__net_fill_parameter(run->net, node->parameters[i], (uint64_t)run->recipe.options.seed);
}

/* ---- groups and their rates ---- */

espl_status espl_run_group_layers(espl_run *run, int64_t count, int *found)
{
    const espl__graph *graph = run->net->graph;
    espl_status s = ESPL_OK;

    if (!run->fit.group)
        s = espl__allocate(run->ctx, (size_t)graph->node_count, sizeof *run->fit.group, &run->fit.group);
    if (!s && (s = espl__net_groups(graph, (int)count, run->fit.group, found)) == ESPL_BAD_OPTION) {
        char message[256];
        snprintf(message, sizeof message, "%s", espl_message(run->ctx));
        return espl_run_fail(run, s, "%s", message);
    }
    return s;
}

int espl_run_layer_group(const espl_run *run, int layer)
{
    return run->fit.group ? run->fit.group[layer] : 0;
}

void espl_run_set_layer_rate(espl_run *run, int layer, double factor)
{
    const espl__node *node = &run->net->graph->nodes[layer];

    for (int i = 0; i < node->parameter_count; i++)
        espl__updater_set_rate(run->fit.updater, node->parameters[i], factor);
}
