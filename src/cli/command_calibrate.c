/* espalier calibrate: probabilities that mean what they say, and the answer "unknown". */
#include "cli_text.h"
#include "data_options.h"
#include "json_line.h"
#include "net_source.h"
#include "session.h"

#include <espalier/calibrate.h>

typedef struct calibrate_options {
    const char *out;
    double false_refusals;
    data_options data;
    bool json;
    cli_machine machine;
} calibrate_options;

static const cli_option options[] = {
    { "out", 'o', CLI_TEXT, offsetof(calibrate_options, out), "OUT", 0, 0,
      "the net file to write (.safetensors); without it, the figures are only shown" },
    { "false-refusals", 0, CLI_REAL, offsetof(calibrate_options, false_refusals), "SHARE", 0, 0.99,
      "answer \"unknown\" where the net is less sure than in all but SHARE of its right answers, such as 0.05; without "
      "it, the net always answers" },
    DATA_OPTIONS(calibrate_options, data),
    CLI_MACHINE_OPTIONS(calibrate_options, machine),
    CLI_JSON_OPTION(calibrate_options, json),
    CLI_OPTIONS_END
};

static const cli_argument arguments[] = {
    { "NET", CLI_ONE, "a net file (.safetensors), also of an ensemble" },
    { "DATA", CLI_ONE, "labelled data; the held-out part is taken" },
    CLI_ARGUMENTS_END
};

static void write_json(const espl_calibration *c, const char *out)
{
    json_t *line = json_object();

    json_put_text(line, "out", out);
    json_put_count(line, "examples", c->examples);
    json_put_real(line, "temperature", c->temperature);
    json_put_real(line, "unknown", c->unknown);
    json_put_real(line, "top1", c->top1);
    json_put_real(line, "loss_before", c->loss_before);
    json_put_real(line, "loss", c->loss);
    json_put_real(line, "calibration_error_before", c->calibration_error_before);
    json_put_real(line, "calibration_error", c->calibration_error);
    json_put_real(line, "refused_right", c->refused_right);
    json_put_real(line, "refused_wrong", c->refused_wrong);
    json_write(line);
}

static void show(const espl_calibration *c, const char *out)
{
    printf("temperature  %.3g, on %s samples of which %s are answered right\n", c->temperature,
           figure_count(c->examples).text, figure_percent(c->top1).text);
    printf("loss         %s, before %s\n", figure_loss(c->loss).text, figure_loss(c->loss_before).text);
    printf("calibration  off by %s, before by %s\n", figure_percent(c->calibration_error).text,
           figure_percent(c->calibration_error_before).text);
    if (c->unknown > 0)
        printf("unknown      below %s: %s of the wrong answers, and %s of the right ones\n",
               figure_percent(c->unknown).text, figure_percent(c->refused_wrong).text,
               figure_percent(c->refused_right).text);
    if (out)
        printf("net          %s\n", out);
}

static espl_status calibrate(espl_context *ctx, const calibrate_options *o, const cli_words *words)
{
    espl_calibration found;
    espl_data *data = NULL;
    espl_net *net = NULL;
    espl_status status = espl_net_load(ctx, words->item[0], &net);

    if (!status)
        status = data_options_open(ctx, words->item[1], &o->data, net, &data);
    if (!status)
        status = espl_net_calibrate(net, data, ESPL_HELD_OUT, o->false_refusals, &found);
    if (!status && o->out)
        status = espl_net_save(net, o->out);
    if (!status && o->json)
        write_json(&found, o->out);
    else if (!status)
        show(&found, o->out);
    espl_data_free(data);
    espl_net_free(net);
    return status;
}

static int run(const void *given, const cli_words *words)
{
    const calibrate_options *o = given;
    espl_context *ctx = NULL;
    int code = o->out ? net_source_check_name("calibrate", o->out) : CLI_DONE;

    if (code || (code = session_open(&o->machine, NULL, &ctx)))
        return code;
    code = session_report(ctx, calibrate(ctx, o, words));
    espl_context_free(ctx);
    return code;
}

const cli_command cli_command_calibrate = {
    .name = "calibrate",
    .summary = "make the probabilities of a net mean what they say",
    .description =
        "Finds the temperature by which the logits of a net must be divided so that of the answers given with 80 percent "
        "about 80 in 100 are right. No answer becomes another. With --false-refusals it also finds how sure the net must "
        "be to answer at all; below that, predict says \"unknown\". Both are kept in the net's file, and predict, score and "
        "the library go by them.\n\n"
        "Take data that the net was not trained on and that nothing is measured on afterwards. Calibrate an ensemble as a "
        "whole, after it was put together; what was found for a member does not count there.",
    .examples = "  espalier calibrate net.safetensors plants/ -o calibrated.safetensors\n"
                "  espalier calibrate net.safetensors plants/ -o careful.safetensors --false-refusals 0.05",
    .size = sizeof(calibrate_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
