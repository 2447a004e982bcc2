/* espalier convert: from any file or name that stands for a net to a net file. */
#include "cli_text.h"
#include "json_line.h"
#include "net_source.h"
#include "session.h"

#include <inttypes.h>
#include <string.h>

typedef struct convert_options {
    const char *net;
    cli_words set;
    bool json;
    cli_machine machine;
} convert_options;

static const cli_option options[] = {
    { "net", 'n', CLI_TEXT, offsetof(convert_options, net), "NAME", 0, 0,
      "IN holds weights only: put them into this net, a name such as resnet-20, a description or a net file" },
    NET_SET_OPTION(convert_options, set),
    CLI_SEED_OPTION(convert_options, machine),
    CLI_JSON_OPTION(convert_options, json),
    CLI_OPTIONS_END
};

static const cli_argument arguments[] = {
    { "IN", CLI_ONE, "a net file (.safetensors), a description (.yaml), or a name such as resnet-20" },
    { "OUT", CLI_ONE, "the net file to write (.safetensors)" },
    CLI_ARGUMENTS_END
};

static void tell(const espl_net *net, const char *path, bool json)
{
    if (!json) {
        printf("%s: %s, %s parameters, %d classes, hash %016" PRIx64 "\n", path, espl_net_name(net),
               figure_count(espl_net_parameters(net)).text, espl_net_classes(net), espl_net_hash(net));
        return;
    }
    json_t *line = json_object();
    json_put_text(line, "file", path);
    json_put_text(line, "net", espl_net_name(net));
    json_put_count(line, "parameters", espl_net_parameters(net));
    json_put_count(line, "classes", espl_net_classes(net));
    json_put_hash(line, "hash", espl_net_hash(net));
    json_write(line);
}

static espl_status convert(espl_context *ctx, const convert_options *o, const char *in, const char *out)
{
    net_source source = { 0 };
    espl_status status = net_source_open(ctx, o->net ? o->net : in, &o->set, &source);

    if (!status && o->net)
        status = espl_net_load_parameters(source.net, in);
    if (!status)
        status = espl_net_save(source.net, out);
    if (!status)
        tell(source.net, out, o->json);
    net_source_close(&source);
    return status;
}

static bool is_net_file(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot && strcmp(dot, ".safetensors") == 0;
}

static int run(const void *given, const cli_words *words)
{
    const convert_options *o = given;
    espl_context *ctx = NULL;
    if (!is_net_file(words->item[1])) {
        cli_complain("convert: \"%s\" is not the name of a net file; it must end in .safetensors",
                     words->item[1]);
        return CLI_WRONG_USE;
    }
    const int code = session_open(&o->machine, NULL, &ctx);

    if (code)
        return code;
    const int result = session_report(ctx, convert(ctx, o, words->item[0], words->item[1]));
    espl_context_free(ctx);
    return result;
}

const cli_command cli_command_convert = {
    .name = "convert",
    .summary = "write a net as a net file, from other files or fresh",
    .description =
        "Writes a net file: graph, parameters, class names and how samples are prepared, in the safetensors "
        "format that many other programs read.\n\n"
        "From a name or a description a net is made with fresh parameters, drawn from --seed. With --net, IN "
        "is a safetensors file of any program whose tensors have the names and sizes of that net's "
        "parameters (\"espalier inspect\" shows them); norms may also be named as in PyTorch.",
    .examples = "  espalier convert resnet-20 fresh.safetensors --set 'classes: 5' --seed 7\n"
                "  espalier convert weights.safetensors net.safetensors --net resnet-20",
    .size = sizeof(convert_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
