/* espalier convert: from any file or name that stands for a net to a net file. */
#include "cli_text.h"
#include "json_line.h"
#include "net_source.h"
#include "session.h"

#include <espalier/report.h>
#include <inttypes.h>

typedef struct convert_options {
    const char *net, *prepare, *check;
    cli_words set;
    bool json;
    cli_machine machine;
} convert_options;

static const cli_option options[] = {
    { "net", 'n', CLI_TEXT, offsetof(convert_options, net), "NAME", 0, 0,
      "IN holds weights only: put them into this net, a name such as resnet-20, a description or a net file" },
    { "prepare", 0, CLI_TEXT, offsetof(convert_options, prepare), "HOW", 0, 0,
      "how samples are prepared for the net: raw, unit, symmetric, imagenet, caffe, or numbers such as "
      "'scale: 1/255, mean: 0.5, deviation: 0.25, order: bgr'" },
    { "check", 0, CLI_TEXT, offsetof(convert_options, check), "REFERENCE", 0, 0,
      "run the inputs of this file and print the largest difference from its recorded answers, relative to the "
      "largest of them" },
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

static void tell(const espl_net *net, const char *path, bool json, const espl_check *check)
{
    if (!json) {
        printf("%s: %s, %s parameters, %d classes, hash %016" PRIx64 "\n", path, espl_net_name(net),
               figure_count(espl_net_parameters(net)).text, espl_net_classes(net), espl_net_hash(net));
        if (check->samples)
            printf("largest difference %.3g of the largest of %s in %" PRId64 " samples\n", check->largest_difference,
                   check->compared, check->samples);
        return;
    }
    json_t *line = json_object();
    json_put_text(line, "file", path);
    json_put_text(line, "net", espl_net_name(net));
    json_put_count(line, "parameters", espl_net_parameters(net));
    json_put_count(line, "classes", espl_net_classes(net));
    json_put_hash(line, "hash", espl_net_hash(net));
    if (check->samples) {
        json_put_real(line, "largest_difference", check->largest_difference);
        json_put_text(line, "compared", check->compared);
        json_put_count(line, "samples", check->samples);
    }
    json_write(line);
}

/* IN is a whole net, or holds the parameters of the one that --net names. */
static espl_status open_net(espl_context *ctx, const convert_options *o, const char *in, net_source *source)
{
    return o->net ? net_source_open_with(ctx, o->net, &o->set, in, source) : net_source_open(ctx, in, &o->set, source);
}

static espl_status convert(espl_context *ctx, const convert_options *o, const char *in, const char *out)
{
    net_source source = { 0 };
    espl_check check = { 0 };
    espl_status status = open_net(ctx, o, in, &source);

    if (!status && o->prepare)
        status = espl_net_prepare(source.net, o->prepare);
    if (!status && o->check)
        status = espl_net_check(source.net, o->check, &check);
    if (!status)
        status = espl_net_save(source.net, out);
    if (!status)
        tell(source.net, out, o->json, &check);
    net_source_close(&source);
    return status;
}

static int run(const void *given, const cli_words *words)
{
    const convert_options *o = given;
    espl_context *ctx = NULL;
    int code = net_source_check_name("convert", words->item[1]);

    if (code || (code = session_open(&o->machine, NULL, &ctx)))
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
        "holds the parameters of that net, written by any program. The names that the net's description knows of "
        "other programs are understood, and with them how samples are prepared; other files must use the names "
        "of the net's own layers (\"espalier inspect\" shows them).",
    .examples = "  espalier convert resnet-20 fresh.safetensors --set 'classes: 5' --seed 7\n"
                "  espalier convert weights.safetensors net.safetensors --net resnet-20 --check reference.safetensors",
    .size = sizeof(convert_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
