/* Whole nets as safetensors files. The tensors are the parameters and statistics under their own names;
 * the notes are
 *
 *     espalier.graph        the graph (graph/graph_json.c)
 *     espalier.name         of the net
 *     espalier.classes      JSON list of the class names, if there are any
 *     espalier.preparation  JSON object: how samples are prepared, if it is known
 *     espalier.calibration  JSON object: temperature and least probability of an answer, of a calibrated net
 *     espalier.origin       JSON object: where the net came from, if it is known */
#include "formats/fill_net.h"
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

static const espl__stored *tensor_at(const espl__tensors *tensors, int index)
{
    return espl__safetensors_at(tensors->file, index);
}

static espl_status read_tensor(espl__tensors *tensors, int index, float *values)
{
    return espl__safetensors_read(tensors->file, tensor_at(tensors, index), values);
}

static void close_tensors(espl__tensors *tensors)
{
    espl__safetensors_free(tensors->file);
}

static const espl__tensor_reader reader = { tensor_at, read_tensor, close_tensors };

static espl__tensors tensors_of(espl_context *ctx, espl__safetensors *file)
{
    return (espl__tensors){ .ctx = ctx, .path = espl__safetensors_path(file), .count = espl__safetensors_count(file), .reader = &reader, .file = file };
}

static espl_status open_tensors(espl_context *ctx, const char *path, espl__tensors *result)
{
    espl__safetensors *file;
    const espl_status s = espl__safetensors_open(ctx, path, &file);

    if (!s)
        *result = tensors_of(ctx, file);
    return s;
}

static espl_status read_parameters(espl_net *net, espl__safetensors *file)
{
    espl__tensors tensors = tensors_of(net->ctx, file);
    espl__foreign names = { 0 };
    espl_status s = espl__foreign_own(net, &names);

    if (!s)
        s = espl__fill_net(net, &tensors, &names);
    espl__foreign_free(&names);
    return s;
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

const espl__format espl__format_safetensors = {
    .name = "safetensors",
    .summary = "nets with their graph, class names and preparation; also plain tensors for a given net",
    .endings = ".safetensors",
    .load = load_net,
    .save = save_net,
    .tensors = open_tensors,
};
