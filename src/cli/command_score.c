/* espalier score: how well a net does on data, whole and class by class. */
#include "cli_text.h"
#include "data_options.h"
#include "json_line.h"
#include "session.h"
#include "terminal.h"

#include <espalier/run.h>

#include <string.h>

typedef struct score_options {
    int part, precision;
    int64_t batch, views;
    data_options data;
    bool within, json;
    cli_machine machine;
} score_options;

/* As the choices of --part. */
enum { PART_HELD_OUT,
       PART_TRAIN,
       PART_ALL };

static const cli_option options[] = {
    { "part", 0, CLI_CHOICE, offsetof(score_options, part), "held-out|train|all", 0, 0,
      "which part of the data to score; without it, the held-out part; all: everything, for data of which "
      "nothing was trained on" },
    { "batch", 0, CLI_COUNT, offsetof(score_options, batch), "N", 1, 65536,
      "samples at a time; without it, 256" },
    { "within", 0, CLI_FLAG, offsetof(score_options, within), NULL, 0, 0,
      "answers count only among the classes of which the data has samples" },
    CLI_VIEWS_OPTION(score_options, views),
    CLI_PRECISION_OPTION(score_options, precision),
    DATA_OPTIONS(score_options, data),
    CLI_MACHINE_OPTIONS(score_options, machine),
    CLI_JSON_OPTION(score_options, json),
    CLI_OPTIONS_END
};

static const cli_argument arguments[] = {
    { "NET", CLI_ONE, "a net file (.safetensors)" },
    { "DATA", CLI_ONE, "labelled data: a folder of one folder for each class, IDX, CIFAR, .npy, .npz or .csv" },
    CLI_ARGUMENTS_END
};

static void write_json(const espl_score *score, const espl_data *data)
{
    json_t *line = json_object(), *classes = json_array();

    json_put_count(line, "examples", score->examples);
    json_put_real(line, "top1", score->top1);
    json_put_real(line, "top5", score->top5);
    json_put_real(line, "loss", score->loss);
    for (int c = 0; c < score->class_count; c++) {
        json_t *one = json_object();
        json_put_text(one, "class", espl_data_class_name(data, c));
        json_put_real(one, "precision", score->classes[c].precision);
        json_put_real(one, "recall", score->classes[c].recall);
        json_put_count(one, "count", score->classes[c].count);
        json_array_append_new(classes, one);
    }
    json_object_set_new(line, "classes", classes);
    json_write(line);
}

static void show(const espl_score *score, const espl_data *data, int part)
{
    static const char *const parts[] = { "held out", "trained on", "all there are" };
    cli_table *table = table_open("class|>precision|>recall|>count");

    printf("accuracy  %s%s%s", terminal_bold(stdout), figure_percent(score->top1).text, terminal_plain(stdout));
    if (score->class_count > 5)
        printf(", %s among the first five", figure_percent(score->top5).text);
    printf("\nloss      %s\nexamples  %s, %s\n\n", figure_loss(score->loss).text,
           figure_count(score->examples).text, parts[part]);
    for (int c = 0; c < score->class_count; c++) {
        table_cell(table, "%s", espl_data_class_name(data, c));
        table_cell(table, "%s", figure_percent(score->classes[c].precision).text);
        table_cell(table, "%s", figure_percent(score->classes[c].recall).text);
        table_cell(table, "%s", figure_count(score->classes[c].count).text);
    }
    table_close(table, stdout);
}

/* Classes are compared by their place; other names there are told, since only the user can know. */
static void compare_classes(const espl_net *net, const espl_data *data)
{
    for (int c = 0; c < espl_net_classes(net) && c < espl_data_classes(data); c++) {
        const char *name = espl_net_class_name(net, c);
        if (!name || strcmp(name, espl_data_class_name(data, c)) == 0)
            continue;
        fprintf(stderr, "%swarning:%s class %d is \"%s\" in the net but \"%s\" in the data: if they are not "
                        "the same, the figures mean nothing\n",
                terminal_yellow(stderr), terminal_plain(stderr), c, name, espl_data_class_name(data, c));
        return;
    }
}

static espl_status score(espl_context *ctx, const score_options *o, const cli_words *words)
{
    espl_score result = { 0 };
    data_options how = o->data;
    espl_data *data = NULL;
    espl_net *net = NULL;
    espl_status status = espl_net_load(ctx, words->item[0], &net);

    if (o->part == PART_ALL) /* the data as its own test data: all of it is held out */
        how.test = words->item[1];
    if (!status)
        status = data_options_open(ctx, words->item[1], &how, net, &data);
    if (!status && o->precision)
        espl_net_set_precision(net, ESPL_BF16);
    if (!status && o->views)
        status = espl_net_set_views(net, (int)o->views);
    if (!status)
        status = (o->within ? espl_score_within : espl_score_net)(
            net, data, o->part == PART_TRAIN ? ESPL_TRAIN : ESPL_HELD_OUT, o->batch, &result);
    if (!status)
        compare_classes(net, data);
    if (!status && o->json)
        write_json(&result, data);
    else if (!status)
        show(&result, data, o->part);
    espl_score_free(&result);
    espl_data_free(data);
    espl_net_free(net);
    return status;
}

static int run(const void *given, const cli_words *words)
{
    const score_options *o = given;
    espl_context *ctx = NULL;
    if (o->part == PART_ALL && o->data.test) {
        cli_complain("score: --part all takes everything in DATA, so --test has no meaning beside it");
        return CLI_WRONG_USE;
    }
    const int code = session_open(&o->machine, NULL, &ctx);

    if (code)
        return code;
    const int result = session_report(ctx, score(ctx, o, words));
    espl_context_free(ctx);
    return result;
}

const cli_command cli_command_score = {
    .name = "score",
    .summary = "measure how well a net does on data",
    .description =
        "Runs a net over labelled data and shows accuracy and loss, and for each class precision (how many "
        "of those called so are so) and recall (how many of those that are so were found). Samples are "
        "prepared as they were when the net was trained.\n\n"
        "Held-out data are found by the source's own custom (t10k files, test_batch.bin, a folder named test "
        "or val); without them, the same share is split off as in training. For a folder that is test data as a "
        "whole, say --part all.",
    .examples = "  espalier score runs/plants/net.safetensors plants/\n"
                "  espalier score runs/plants/net.safetensors more_plants/ --part all\n"
                "  espalier score runs/plants/net.safetensors plants/ --part train --json",
    .size = sizeof(score_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
