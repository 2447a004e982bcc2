/* espalier inspect: a net layer by layer. */
#include "cli_text.h"
#include "json_line.h"
#include "net_source.h"
#include "session.h"
#include "terminal.h"

#include <espalier/report.h>

#include <inttypes.h>

typedef struct inspect_options {
    cli_words set;
    bool json;
} inspect_options;

static const cli_option options[] = {
    NET_SET_OPTION(inspect_options, set),
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

static int run(const void *given, const cli_words *words)
{
    const inspect_options *o = given;
    espl_context *ctx = NULL;
    net_source source = { 0 };
    const int code = session_open(&(cli_machine){ 0 }, NULL, &ctx);

    if (code)
        return code;
    const espl_status status = net_source_open(ctx, words->item[0], &o->set, &source);
    const int result = session_report(ctx, status);
    if (!status && o->json)
        write_json(source.net);
    else if (!status)
        show(source.net);
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
                "  espalier inspect vgg-16-bn --set 'classes: 5'\n"
                "  espalier inspect runs/plants/net.safetensors --json",
    .size = sizeof(inspect_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
