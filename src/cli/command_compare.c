/* espalier compare: which of the nets of a run to ship. */
#include "cli_text.h"
#include "json_line.h"
#include "session.h"
#include "terminal.h"

#include <espalier/compare.h>

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
    { "RUN", CLI_ONE, "the folder of a run that came to its end" },
    CLI_ARGUMENTS_END
};

static void write_json(const espl_compared *c)
{
    for (int i = 0; i < c->count; i++) {
        const espl_candidate *a = &c->candidate[i];
        json_t *line = json_object();
        json_put_text(line, "candidate", a->name);
        json_put_real(line, "top1", a->top1);
        json_put_real(line, "low", a->low);
        json_put_real(line, "high", a->high);
        json_put_real(line, "nll", a->nll);
        json_put_real(line, "ece", a->calibration_error);
        json_put_count(line, "bytes", (int64_t)a->bytes);
        json_put_real(line, "ms", a->ms);
        json_put_count(line, "macs", a->macs);
        json_put_text(line, "file", *a->path ? a->path : NULL);
        json_put_flag(line, "recommended", i == c->recommended);
        if (i == c->recommended)
            json_put_text(line, "reason", c->reason);
        json_write(line);
    }
}

static void show(const espl_compared *c)
{
    cli_table *table = table_open("candidate|>accuracy|95 % interval|>loss|>calibration|>size|>ms");

    for (int i = 0; i < c->count; i++) {
        const espl_candidate *a = &c->candidate[i];
        table_cell(table, "%s%s", a->name, i == c->recommended ? " *" : "");
        table_cell(table, "%s", figure_percent(a->top1).text);
        table_cell(table, "%.2f - %.2f", 100 * a->low, 100 * a->high);
        table_cell(table, "%s", figure_loss(a->nll).text);
        table_cell(table, "%.4f", a->calibration_error);
        table_cell(table, "%s", figure_bytes((double)a->bytes).text);
        table_cell(table, "%.3f", a->ms);
    }
    table_close(table, stdout);
    printf("\n* %s.\n", c->reason);
}

static espl_status compare(espl_context *ctx, const compare_options *o, const char *folder)
{
    const espl_compare_settings settings = { .data = o->data, .out = o->out, .seconds = o->seconds };
    espl_compared compared;
    const espl_status status = espl_compare_run(ctx, folder, &settings, &compared);

    if (status)
        return status;
    if (o->json)
        write_json(&compared);
    else
        show(&compared);
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
    const int result = session_report(ctx, compare(ctx, o, words->item[0]));
    espl_context_free(ctx);
    return result;
}

const cli_command cli_command_compare = {
    .name = "compare",
    .summary = "show which of the nets of a run to ship",
    .description =
        "Scores and times every net in a run's folder - the last, the best, averages, snapshots, the ensemble - and "
        "what can be made of them: an average of the snapshots' weights, and the snapshots together by the mean of "
        "their probabilities, by vote, and with only those members that help.\n\n"
        "Accuracy comes with its interval, loss is the mean of -log of the true class's probability, calibration how "
        "far probabilities are from how often they are right. One candidate is recommended: the cheapest of those that "
        "the held-out samples cannot tell from the most accurate one. What was chosen on the held-out data themselves "
        "looks a little better there than it is.",
    .examples = "  espalier compare runs/plants\n"
                "  espalier compare runs/plants --out ship.safetensors",
    .size = sizeof(compare_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
