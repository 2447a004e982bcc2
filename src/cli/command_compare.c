/* espalier compare: which of the nets of a run to ship. */
#include "compared.h"
#include "session.h"

typedef struct compare_options {
    const char *data, *out;
    double seconds;
    bool json;
    cli_machine machine;
} compare_options;

static const cli_option options[] = {
    { "data", 0, CLI_TEXT, offsetof(compare_options, data), "PATH", 0, 0,
      "where the run's data lie now; without it, where its recipe says" },
    { "out", 'o', CLI_TEXT, offsetof(compare_options, out), "OUT", 0, 0,
      "write the recommended net (.safetensors), also if it is made of several" },
    { "seconds", 0, CLI_REAL, offsetof(compare_options, seconds), "N", 0.01, 60,
      "time each candidate for so long; without it, 0.3" },
    CLI_MACHINE_OPTIONS(compare_options, machine),
    CLI_JSON_OPTION(compare_options, json),
    CLI_OPTIONS_END
};

static const cli_argument arguments[] = {
    { "RUN", CLI_ONE_OR_MORE, "the folder of a run that came to its end; all are scored on the data of the first" },
    CLI_ARGUMENTS_END
};

static espl_status compare(espl_context *ctx, const compare_options *o, const cli_words *runs)
{
    const espl_compare_settings settings = {
        .data = o->data, .out = o->out, .seconds = o->seconds, .also = runs->item + 1
    };
    espl_compared compared;
    const espl_status status = espl_compare_run(ctx, runs->item[0], &settings, &compared);

    if (status)
        return status;
    if (o->json)
        compared_write_json(&compared);
    else
        compared_show(&compared);
    espl_compared_free(&compared);
    return ESPL_OK;
}

static int run(const void *given, const cli_words *words)
{
    const compare_options *o = given;
    espl_context *ctx = NULL;
    const int code = session_open(&o->machine, NULL, &ctx);

    if (code)
        return code;
    const int result = session_report(ctx, compare(ctx, o, words));
    espl_context_free(ctx);
    return result;
}

const cli_command cli_command_compare = {
    .name = "compare",
    .summary = "show which of the nets of a run, or of several, to ship",
    .description =
        "Scores and times every net in a run's folder - the last, the best, averages, snapshots, the ensemble - and "
        "what can be made of them: an average of the snapshots' weights, and the snapshots together by the mean of "
        "their probabilities, by vote, and with only those members that help.\n\n"
        "Accuracy comes with its interval, loss is the mean of -log of the true class's probability, calibration how "
        "far probabilities are from how often they are right. One candidate is recommended: the cheapest of those that "
        "the held-out samples cannot tell from the most accurate one. What was chosen on the held-out data themselves "
        "looks a little better there than it is.",
    .examples = "  espalier compare runs/plants\n"
                "  espalier compare runs/plants --out ship.safetensors\n"
                "  espalier compare runs/plants runs/plants-longer",
    .size = sizeof(compare_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
