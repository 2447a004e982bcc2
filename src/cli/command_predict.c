/* espalier predict: what a net sees in picture files. */
#include "cli_text.h"
#include "json_line.h"
#include "session.h"
#include "terminal.h"

#include <espalier/calibrate.h>
#include <espalier/run.h>

#include <stdlib.h>

typedef struct predict_options {
    int64_t top, views;
    int precision;
    const char *cache;
    bool json;
    cli_machine machine;
} predict_options;

static const cli_option options[] = {
    { "top", 0, CLI_COUNT, offsetof(predict_options, top), "K", 1, 1000,
      "show the K likeliest classes; without it, 3" },
    CLI_VIEWS_OPTION(predict_options, views),
    CLI_PRECISION_OPTION(predict_options, precision),
    { "cache", 0, CLI_TEXT, offsetof(predict_options, cache), "FOLDER", 0, 0,
      "keep the weights as this machine's kernels want them in this folder, so that the next start need not arrange "
      "them" },
    CLI_MACHINE_OPTIONS(predict_options, machine),
    CLI_JSON_OPTION(predict_options, json),
    CLI_OPTIONS_END
};

static const cli_argument arguments[] = {
    { "NET", CLI_ONE, "a net file (.safetensors)" },
    { "FILE", CLI_ONE_OR_MORE, "pictures: JPEG, PNG or WebP" },
    CLI_ARGUMENTS_END
};

typedef struct answer {
    int index;
    float probability;
} answer;

/* The `top` largest of `count` probabilities, largest first. */
static void choose(const float *probabilities, int count, answer *best, int top)
{
    int found = 0;

    for (int i = 0; i < count; i++) {
        int at = found;
        while (at > 0 && probabilities[i] > best[at - 1].probability)
            at--;
        if (at >= top)
            continue;
        for (int j = found < top ? found : top - 1; j > at; j--)
            best[j] = best[j - 1];
        best[at] = (answer){ i, probabilities[i] };
        found += found < top;
    }
}

/* A nameless class is called by its number. */
static const char *class_name(const espl_net *net, int index, char number[16])
{
    const char *name = espl_net_class_name(net, index);

    snprintf(number, 16, "%d", index);
    return name ? name : number;
}

static json_t *answer_as_json(const espl_net *net, const answer *a)
{
    json_t *one = json_object();
    char number[16];

    json_put_text(one, "class", class_name(net, a->index, number));
    json_put_real(one, "probability", a->probability);
    return one;
}

static void write_json(const espl_net *net, const char *file, const answer *best, int top)
{
    json_t *line = json_object(), *all = json_array();
    char number[16];

    json_put_text(line, "file", file);
    json_put_text(line, "class", class_name(net, best[0].index, number));
    json_put_real(line, "probability", best[0].probability);
    json_put_flag(line, "unknown", (double)best[0].probability < espl_net_unknown(net));
    for (int i = 0; i < top; i++)
        json_array_append_new(all, answer_as_json(net, &best[i]));
    json_object_set_new(line, "top", all);
    json_write(line);
}

static void show(const espl_net *net, const char *file, const answer *best, int top)
{
    char number[16];

    printf("%s: %s", file, (double)best[0].probability < espl_net_unknown(net) ? "unknown, perhaps " : "");
    for (int i = 0; i < top; i++)
        printf("%s%s%s%s %s", i ? ", " : "", i ? "" : terminal_bold(stdout), class_name(net, best[i].index, number),
               i ? "" : terminal_plain(stdout), figure_percent(best[i].probability).text);
    putchar('\n');
    fflush(stdout);
}

/* A net with one output tells two classes apart: it gives the probability of the second. */
static int class_count(const espl_net *net)
{
    return espl_net_classes(net) == 1 ? 2 : espl_net_classes(net);
}

static espl_status ask(espl_predictor *predictor, const espl_net *net, const char *file, float *probabilities)
{
    const espl_status status = espl_predictor_file(predictor, file, probabilities);

    if (!status && espl_net_classes(net) == 1) {
        probabilities[1] = probabilities[0];
        probabilities[0] = 1 - probabilities[1];
    }
    return status;
}

/* All files, also behind a bad one; the first failure gives the exit code. */
static int predict(espl_context *ctx, const predict_options *o, const espl_net *net, espl_predictor *predictor,
                   const cli_words *words)
{
    const int count = class_count(net), wanted = o->top ? (int)o->top : 3, top = wanted < count ? wanted : count;
    float *probabilities = cli_allocate((size_t)count, sizeof *probabilities);
    answer *best = cli_allocate((size_t)top, sizeof *best);
    int code = CLI_DONE;

    for (int i = 1; i < words->count; i++) {
        const espl_status status = ask(predictor, net, words->item[i], probabilities);
        const int one = session_report(ctx, status);
        code = code ? code : one;
        if (status)
            continue;
        choose(probabilities, count, best, top);
        if (o->json)
            write_json(net, words->item[i], best, top);
        else
            show(net, words->item[i], best, top);
    }
    free(best);
    free(probabilities);
    return code;
}

static int run(const void *given, const cli_words *words)
{
    const predict_options *o = given;
    espl_context *ctx = NULL;
    espl_net *net = NULL;
    espl_predictor *predictor = NULL;
    int code = session_open(&o->machine, NULL, &ctx);

    if (code)
        return code;
    code = session_report(ctx, espl_net_load(ctx, words->item[0], &net));
    if (!code && o->precision)
        espl_net_set_precision(net, ESPL_BF16);
    if (!code && o->views)
        code = session_report(ctx, espl_net_set_views(net, (int)o->views));
    if (!code)
        code = session_report(ctx, espl_predictor_open(net, &(espl_predictor_settings){ .cache = o->cache }, &predictor));
    if (!code)
        code = predict(ctx, o, net, predictor, words);
    espl_predictor_free(predictor);
    espl_net_free(net);
    espl_context_free(ctx);
    return code;
}

const cli_command cli_command_predict = {
    .name = "predict",
    .summary = "say what a net sees in pictures",
    .description = "Shows for each picture the likeliest classes and their probabilities. A picture is "
                   "prepared as those were that the net was trained with. A file that cannot be read is "
                   "named on stderr; the others are still done.\n\n"
                   "A net that was calibrated calls what it is not sure enough of \"unknown\".",
    .examples = "  espalier predict runs/plants/net.safetensors new/*.jpg\n"
                "  espalier predict runs/plants/net.safetensors rose.jpg --top 5 --json",
    .size = sizeof(predict_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
