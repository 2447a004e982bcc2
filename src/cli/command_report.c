/* espalier report: a run as one HTML file. */
#include "cli_text.h"
#include "json_line.h"
#include "session.h"

#include <espalier/run_report.h>

#include <stdio.h>

typedef struct report_options {
    const char *data, *out;
    double seconds;
    bool bare, json;
    cli_machine machine;
} report_options;

static const cli_option options[] = {
    { "out", 'o', CLI_TEXT, offsetof(report_options, out), "FILE", 0, 0,
      "write the page there; without it, as report.html in the run's folder" },
    { "data", 0, CLI_TEXT, offsetof(report_options, data), "PATH", 0, 0,
      "where the run's data lie now; without it, where its recipe says" },
    { "seconds", 0, CLI_REAL, offsetof(report_options, seconds), "N", 0.01, 60,
      "time each candidate for so long; without it, 0.3" },
    { "bare", 0, CLI_FLAG, offsetof(report_options, bare), NULL, 0, 0,
      "leave out the comparison of nets, which needs the data" },
    CLI_MACHINE_OPTIONS(report_options, machine),
    CLI_JSON_OPTION(report_options, json),
    CLI_OPTIONS_END
};

static const cli_argument arguments[] = {
    { "RUN", CLI_ONE, "the folder of a run" },
    CLI_ARGUMENTS_END
};

static int run(const void *given, const cli_words *words)
{
    const report_options *o = given;
    const espl_report_settings settings = { .data = o->data, .seconds = o->seconds, .bare = o->bare };
    char path[1100];
    const char *page = o->out ? o->out : path;
    espl_context *ctx = NULL;
    const int code = session_open(&o->machine, NULL, &ctx);

    if (code)
        return code;
    snprintf(path, sizeof path, "%s/report.html", words->item[0]);
    const int result = session_report(ctx, espl_report_run(ctx, words->item[0], &settings, page));
    if (!result && o->json) {
        json_t *line = json_object();
        json_put_text(line, "page", page);
        json_write(line);
    } else if (!result) {
        printf("%s\n", page);
    }
    espl_context_free(ctx);
    return result;
}

const cli_command cli_command_report = {
    .name = "report",
    .summary = "write a run as one HTML file",
    .description =
        "Writes what became of a run as a page that needs nothing else: which of its nets to ship, as `espalier compare` "
        "tells, with accuracy, interval, loss, calibration, size and time of each; loss, accuracy and learning rate over "
        "the epochs; and the recipe with every default.\n\n"
        "A run that is not at its end yet has nets to compare only if it kept any: use --bare.",
    .examples = "  espalier report runs/plants\n"
                "  espalier report runs/plants --bare -o plants.html",
    .size = sizeof(report_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
