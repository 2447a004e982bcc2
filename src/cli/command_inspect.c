/* espalier inspect: a net layer by layer. */
#include "cli_text.h"
#include "json_line.h"
#include "net_source.h"
#include "session.h"
#include "terminal.h"

#include <espalier/report.h>

#include <inttypes.h>
#include <stdlib.h>

typedef struct inspect_options {
    cli_words set;
    int64_t groups;
    bool json;
} inspect_options;

static const cli_option options[] = {
    NET_SET_OPTION(inspect_options, set),
    { "groups", 'g', CLI_COUNT, offsetof(inspect_options, groups), "N", 1, 1000,
      "show N groups of layers by depth instead, as transfer-rates and transfer-unfreeze make them" },
    CLI_JSON_OPTION(inspect_options, json),
    CLI_OPTIONS_END
};

static const cli_argument arguments[] = {
    { "NET", CLI_ONE, "a net file (.safetensors), a description or recipe (.yaml), or a name such as resnet-20" },
    CLI_ARGUMENTS_END
};

static json_t *layer_as_json(const espl_layer *layer)
{
    json_t *one = json_object();

    json_put_text(one, "name", layer->name);
    json_put_text(one, "op", layer->op);
    json_put_text(one, "shape", layer->shape);
    json_put_text(one, "inputs", layer->inputs);
    json_put_count(one, "parameters", layer->parameters);
    json_put_count(one, "macs", layer->macs);
    json_put_count(one, "activation_bytes", (int64_t)layer->activation_bytes);
    json_put_count(one, "parameter_bytes", (int64_t)layer->parameter_bytes);
    return one;
}

static json_t *classes_as_json(const espl_net *net)
{
    json_t *names = json_array();

    for (int i = 0; i < espl_net_classes(net) && espl_net_class_name(net, i); i++) {
        json_t *holder = json_object();
        json_put_text(holder, "name", espl_net_class_name(net, i));
        json_array_append(names, json_object_get(holder, "name"));
        json_decref(holder);
    }
    return names;
}

static void write_json(const espl_net *net)
{
    json_t *line = json_object(), *layers = json_array();

    json_put_text(line, "net", espl_net_name(net));
    json_put_count(line, "parameters", espl_net_parameters(net));
    json_put_count(line, "macs", espl_net_macs(net));
    json_put_count(line, "classes", espl_net_classes(net));
    json_object_set_new(line, "class_names", classes_as_json(net));
    json_put_hash(line, "hash", espl_net_hash(net));
    for (int i = 0; i < espl_net_layer_count(net); i++) {
        const espl_layer layer = espl_net_layer(net, i);
        json_array_append_new(layers, layer_as_json(&layer));
    }
    json_object_set_new(line, "layers", layers);
    json_write(line);
}

static void show_head(const espl_net *net)
{
    printf("%s%s%s: %s parameters, %s MACs a sample, %d classes\n", terminal_bold(stdout),
           espl_net_name(net), terminal_plain(stdout), figure_count(espl_net_parameters(net)).text,
           figure_short((double)espl_net_macs(net)).text, espl_net_classes(net));
    printf("hash %016" PRIx64 "\n", espl_net_hash(net));
    if (espl_net_class_name(net, 0))
        printf("classes");
    for (int i = 0; i < espl_net_classes(net) && espl_net_class_name(net, i); i++)
        if (i < 20)
            printf("%s %s", i ? "," : "", espl_net_class_name(net, i));
    if (espl_net_class_name(net, 0))
        printf("%s\n", espl_net_classes(net) > 20 ? ", ..." : "");
}

static void show(const espl_net *net)
{
    cli_table *table = table_open("layer|op|output|>parameters|>MACs|>memory|>activation|inputs");
    size_t parameters = 0, activations = 0;

    show_head(net);
    putchar('\n');
    for (int i = 0; i < espl_net_layer_count(net); i++) {
        const espl_layer layer = espl_net_layer(net, i);
        table_cell(table, "%s", layer.name);
        table_cell(table, "%s", layer.op);
        table_cell(table, "%s", layer.shape);
        table_cell(table, "%s", layer.parameters ? figure_count(layer.parameters).text : "");
        table_cell(table, "%s", layer.macs ? figure_count(layer.macs).text : "");
        table_cell(table, "%s", layer.parameter_bytes ? figure_bytes((double)layer.parameter_bytes).text : "");
        table_cell(table, "%s", figure_bytes((double)layer.activation_bytes).text);
        table_cell(table, "%s", layer.inputs);
        parameters += layer.parameter_bytes;
        activations += layer.activation_bytes;
    }
    table_close(table, stdout);
    printf("\nmemory: %s of parameters, %s of activations a sample if all are kept\n",
           figure_bytes((double)parameters).text, figure_bytes((double)activations).text);
}

/* ---- groups of layers ---- */

/* What lies in one of them. */
typedef struct layer_group {
    const char *first, *last; /* layers with parameters; NULL: there is none */
    int64_t layers, parameters, macs;
} layer_group;

static layer_group gather_group(const espl_net *net, const int *group, int number)
{
    layer_group g = { 0 };

    for (int i = 0; i < espl_net_layer_count(net); i++) {
        const espl_layer layer = espl_net_layer(net, i);
        if (group[i] != number)
            continue;
        g.macs += layer.macs;
        if (!layer.parameters)
            continue;
        g.first = g.first ? g.first : layer.name;
        g.last = layer.name;
        g.layers++;
        g.parameters += layer.parameters;
    }
    return g;
}

static json_t *group_as_json(int number, const layer_group *g)
{
    json_t *one = json_object();

    json_put_count(one, "group", number);
    json_put_text(one, "first", g->first ? g->first : "");
    json_put_text(one, "last", g->last ? g->last : "");
    json_put_count(one, "layers", g->layers);
    json_put_count(one, "parameters", g->parameters);
    json_put_count(one, "macs", g->macs);
    return one;
}

static void write_groups(const espl_net *net, const int *group, bool json)
{
    cli_table *table = json ? NULL : table_open(">group|from|to|>layers|>parameters|>MACs");

    if (!json)
        show_head(net);
    for (int number = 0; number <= group[0]; number++) {
        const layer_group g = gather_group(net, group, number);
        if (json) {
            json_write(group_as_json(number, &g));
            continue;
        }
        table_cell(table, "%d", number);
        table_cell(table, "%s", g.first ? g.first : "");
        table_cell(table, "%s", g.last ? g.last : "");
        table_cell(table, "%s", figure_count(g.layers).text);
        table_cell(table, "%s", figure_count(g.parameters).text);
        table_cell(table, "%s", figure_count(g.macs).text);
    }
    if (!json) {
        putchar('\n');
        table_close(table, stdout);
    }
}

static espl_status inspect_groups(espl_net *net, const inspect_options *o)
{
    int *group = cli_allocate((size_t)espl_net_layer_count(net), sizeof *group);
    const espl_status status = espl_net_group_layers(net, (int)o->groups, group);

    if (!status)
        write_groups(net, group, o->json);
    free(group);
    return status;
}

static espl_status inspect(espl_net *net, const inspect_options *o)
{
    if (o->groups)
        return inspect_groups(net, o);
    if (o->json)
        write_json(net);
    else
        show(net);
    return ESPL_OK;
}

static int run(const void *given, const cli_words *words)
{
    const inspect_options *o = given;
    espl_context *ctx = NULL;
    net_source source = { 0 };
    const int code = session_open(&(cli_machine){ 0 }, NULL, &ctx);

    if (code)
        return code;
    espl_status status = net_source_open(ctx, words->item[0], &o->set, &source);
    if (!status)
        status = inspect(source.net, o);
    const int result = session_report(ctx, status);
    net_source_close(&source);
    espl_context_free(ctx);
    return result;
}

const cli_command cli_command_inspect = {
    .name = "inspect",
    .summary = "show a net layer by layer",
    .description = "Shows the layers of a net with their output for one sample, trainable parameters, "
                   "multiply-accumulates for one sample, and memory; and the hash of all parameters and "
                   "statistics, by which two nets can be compared.",
    .examples = "  espalier inspect resnet-20\n"
                "  espalier inspect resnet-20 --groups 4\n"
                "  espalier inspect vgg-16-bn --set 'classes: 5'\n"
                "  espalier inspect runs/plants/net.safetensors --json",
    .size = sizeof(inspect_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
