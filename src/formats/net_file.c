/* Whole nets as safetensors files. The tensors are the parameters and statistics under their own names;
 * the notes are
 *
 *     espalier.graph        the graph (graph/graph_json.c)
 *     espalier.name         of the net
 *     espalier.classes      JSON list of the class names, if there are any
 *     espalier.preparation  JSON object: how samples are prepared, if it is known
 *     espalier.origin       JSON object: where the net came from, if it is known */
#include "formats/formats.h"
#include "formats/net_notes.h"
#include "formats/safetensors.h"

#include <inttypes.h>
#include <string.h>

/* ---- saving ---- */

static void list_tensors(const espl_net *net, espl__to_store *tensors)
{
    for (int i = 0; i < net->graph->parameter_count; i++) {
        const espl__graph_parameter *p = &net->graph->parameters[i];
        tensors[i] = (espl__to_store){ .name = p->name, .rank = p->spec.shape.rank, .values = net->parameters[i].value };
        memcpy(tensors[i].dim, p->spec.shape.dim, sizeof p->spec.shape.dim);
    }
}

static espl_status save_net(const espl_net *net, const char *path)
{
    espl__to_store *tensors = NULL;
    espl__net_notes notes = { 0 };
    espl_status s;

    if (!(s = espl__allocate(net->ctx, (size_t)net->graph->parameter_count, sizeof *tensors, &tensors)) &&
        !(s = espl__net_notes_write(net, &notes))) {
        list_tensors(net, tensors);
        s = espl__safetensors_write(net->ctx, path, tensors, net->graph->parameter_count, notes.note, notes.count);
    }
    espl__net_notes_free(net->ctx, &notes);
    espl__release(net->ctx, tensors);
    return s;
}

/* ---- loading ---- */

static espl_status check_shape(espl_context *ctx, const espl__safetensors *file, const espl__graph_parameter *p, const espl__stored *t)
{
    const espl__shape *shape = &p->spec.shape;
    espl__shape found = { .rank = t->rank < ESPL__RANK_MAX ? t->rank : ESPL__RANK_MAX };
    char found_text[96], expected_text[96];
    bool same = t->rank == shape->rank;

    memcpy(found.dim, t->dim, sizeof found.dim);
    for (int d = 0; d < shape->rank && same; d++)
        same = t->dim[d] == shape->dim[d];
    if (same)
        return ESPL_OK;
    return espl__fail(ctx, ESPL_BAD_FILE,
                      "%s: tensor \"%s\": has the shape %s, but the net needs %s", espl__safetensors_path(file),
                      p->name, espl__shape_text(found, found_text), espl__shape_text(*shape, expected_text));
}

static espl_status read_parameter(espl_context *ctx, espl__safetensors *file, const espl__graph_parameter *p, float *values)
{
    const espl__stored *t = espl__safetensors_find(file, p->name);
    espl_status s;

    if (!t)
        return espl__fail(ctx, ESPL_BAD_FILE, "%s: the net's tensor \"%s\" is missing",
                          espl__safetensors_path(file), p->name);
    if ((s = check_shape(ctx, file, p, t)))
        return s;
    return espl__safetensors_read(file, t, values);
}

/* The first tensor that the net has no place for, or NULL. */
static const char *superfluous(const espl_net *net, const espl__safetensors *file)
{
    for (int i = 0; i < espl__safetensors_count(file); i++) {
        const char *name = espl__safetensors_at(file, i)->name;
        int p = 0;
        while (p < net->graph->parameter_count && !espl__text_equal(net->graph->parameters[p].name, name))
            p++;
        if (p == net->graph->parameter_count)
            return name;
    }
    return NULL;
}

static espl_status read_parameters(espl_net *net, espl__safetensors *file)
{
    for (int i = 0; i < net->graph->parameter_count; i++) {
        const espl_status s = read_parameter(net->ctx, file, &net->graph->parameters[i], net->parameters[i].value);
        if (s)
            return s;
    }
    if (espl__safetensors_count(file) == net->graph->parameter_count)
        return ESPL_OK;
    return espl__fail(net->ctx, ESPL_BAD_FILE, "%s: the net has no place for the tensor \"%.200s\"",
                      espl__safetensors_path(file), superfluous(net, file));
}

static espl_status read_net(espl_context *ctx, espl__safetensors *file, espl_net **net)
{
    const char *json = espl__safetensors_note(file, ESPL__NOTE_GRAPH);
    const char *name = espl__safetensors_note(file, ESPL__NOTE_NAME);
    espl__graph *graph;
    espl_status s;

    if (!json)
        return espl__fail(ctx, ESPL_BAD_FILE,
                          "%s: holds tensors but no net; say with --net which net they belong to",
                          espl__safetensors_path(file));
    if ((s = espl__graph_read(ctx, json, strlen(json), &graph)))
        return espl__fail_within(ctx, s, "%s", espl__safetensors_path(file));
    if ((s = espl__net_open_empty(graph, name && *name ? name : "net", net)))
        return s;
    if ((s = espl__net_notes_read(*net, file)))
        return espl__fail_within(ctx, s, "%s", espl__safetensors_path(file));
    return read_parameters(*net, file);
}

static espl_status load_net(espl_context *ctx, const char *path, espl_net **result)
{
    espl__safetensors *file;
    espl_status s = espl__safetensors_open(ctx, path, &file);

    *result = NULL;
    if (s)
        return s;
    s = read_net(ctx, file, result);
    espl__safetensors_free(file);
    if (s) {
        espl_net_free(*result);
        *result = NULL;
    }
    return s;
}

static espl_status load_parameters(espl_net *net, const char *path)
{
    espl__safetensors *file;
    espl_status s = espl__safetensors_open(net->ctx, path, &file);

    if (s)
        return s;
    s = read_parameters(net, file);
    espl__safetensors_free(file);
    return s;
}

const espl__format espl__format_safetensors = {
    .name = "safetensors",
    .summary = "nets with their graph, class names and preparation; also plain tensors for a given net",
    .endings = ".safetensors",
    .load = load_net,
    .save = save_net,
    .load_parameters = load_parameters,
};
