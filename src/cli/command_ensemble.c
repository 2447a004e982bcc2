/* espalier ensemble: several nets as one file. */
#include "cli_text.h"
#include "data_options.h"
#include "json_line.h"
#include "net_source.h"
#include "session.h"

#include <espalier/ensemble.h>
#include <espalier/run.h>

typedef struct ensemble_options {
    const char *out, *select_on, *measure_on;
    int combine;
    data_options data;
    bool json;
    cli_machine machine;
} ensemble_options;

/* As the choices of --combine. */
enum { BY_MEAN,
       BY_VOTE,
       BY_LOGITS,
       BY_WEIGHTED };

static const cli_option options[] = {
    { "out", 'o', CLI_TEXT, offsetof(ensemble_options, out), "OUT", 0, 0,
      "the net file to write (.safetensors); without it, the members are only measured" },
    { "combine", 0, CLI_CHOICE, offsetof(ensemble_options, combine), "mean|vote|logits|weighted", 0, 0,
      "how answers become one: the mean of the probabilities, the majority, the mean of the logits, or a mean with "
      "weights found on the data of --select-on; without it, mean" },
    { "select-on", 0, CLI_TEXT, offsetof(ensemble_options, select_on), "DATA", 0, 0,
      "take only the members that do best together on the held-out part of DATA" },
    { "measure-on", 0, CLI_TEXT, offsetof(ensemble_options, measure_on), "DATA", 0, 0,
      "show how the members do on the held-out part of DATA, how alike they answer, and what they reach together" },
    DATA_OPTIONS(ensemble_options, data),
    CLI_MACHINE_OPTIONS(ensemble_options, machine),
    CLI_JSON_OPTION(ensemble_options, json),
    CLI_OPTIONS_END
};

static const cli_argument arguments[] = {
    { "NET", CLI_ONE_OR_MORE, "net files (.safetensors) of the members" },
    CLI_ARGUMENTS_END
};

/* One command on its way. */
typedef struct work {
    const ensemble_options *o;
    const cli_words *words;
    espl_context *ctx;
    int count;
    espl_net *members[ESPL_MEMBERS_MAX], *ensemble;
    double weight[ESPL_MEMBERS_MAX]; /* 0: not chosen */
    espl_data *data;                 /* of --measure-on */
    espl_members measured;
    espl_score score; /* of the ensemble, there */
} work;

static espl_status load_members(work *w)
{
    espl_status status = ESPL_OK;

    for (; w->count < w->words->count && !status; w->count++)
        status = espl_net_load(w->ctx, w->words->item[w->count], &w->members[w->count]);
    for (int m = 0; m < w->count; m++)
        w->weight[m] = 1.0 / w->count;
    return status;
}

static espl_status choose(work *w)
{
    const bool weighted = w->o->combine == BY_WEIGHTED;
    espl_data *data = NULL;
    espl_members chosen;
    espl_status status;

    if (!w->o->select_on)
        return ESPL_OK;
    if ((status = data_options_open(w->ctx, w->o->select_on, &w->o->data, w->members[0], &data)))
        return status;
    status = espl_ensemble_measure(w->members, w->count, data, ESPL_HELD_OUT,
                                   weighted ? ESPL_CHOOSE_WEIGHTS : ESPL_CHOOSE_MEMBERS, &chosen);
    for (int m = 0; m < w->count && !status; m++)
        w->weight[m] = chosen.member[m].weight;
    espl_data_free(data);
    return status;
}

static espl_status build(work *w)
{
    static const espl_combine by[] = { [BY_MEAN] = ESPL_COMBINE_MEAN, [BY_VOTE] = ESPL_COMBINE_VOTE, [BY_LOGITS] = ESPL_COMBINE_LOGITS, [BY_WEIGHTED] = ESPL_COMBINE_MEAN };
    espl_net *taken[ESPL_MEMBERS_MAX];
    double weights[ESPL_MEMBERS_MAX];
    int count = 0;

    for (int m = 0; m < w->count; m++)
        if (w->weight[m] > 0) {
            weights[count] = w->weight[m];
            taken[count++] = w->members[m];
        }
    return espl_ensemble_build(taken, count, by[w->o->combine], w->o->combine == BY_WEIGHTED ? weights : NULL,
                               &w->ensemble);
}

static espl_status measure(work *w)
{
    espl_status status;

    if (!w->o->measure_on)
        return ESPL_OK;
    if ((status = data_options_open(w->ctx, w->o->measure_on, &w->o->data, w->members[0], &w->data)) ||
        (status = espl_ensemble_measure(w->members, w->count, w->data, ESPL_HELD_OUT, ESPL_CHOOSE_ALL, &w->measured)))
        return status;
    return espl_score_net(w->ensemble, w->data, ESPL_HELD_OUT, 0, &w->score);
}

/* ---- telling ---- */

static void write_json(const work *w)
{
    json_t *line = json_object(), *members = json_array();

    json_put_text(line, "out", w->o->out);
    json_put_count(line, "parameters", espl_net_parameters(w->ensemble));
    json_put_count(line, "macs", espl_net_macs(w->ensemble));
    for (int m = 0; m < w->count; m++) {
        const espl_member *member = &w->measured.member[m];
        json_t *one = json_object();
        json_put_text(one, "file", w->words->item[m]);
        json_put_real(one, "weight", w->weight[m]);
        if (w->data) {
            json_put_real(one, "top1", member->top1);
            json_put_real(one, "loss", member->loss);
            json_put_real(one, "calibration_error", member->calibration_error);
        }
        json_array_append_new(members, one);
    }
    json_object_set_new(line, "members", members);
    if (w->data) {
        json_put_real(line, "disagreement", w->measured.mean_disagreement);
        json_put_real(line, "correlation", w->measured.mean_correlation);
        json_put_real(line, "top1", w->score.top1);
        json_put_real(line, "loss", w->score.loss);
    }
    json_write(line);
}

static void show_members(const work *w)
{
    cli_table *table = table_open("member|>weight|>accuracy|>loss|>differs from the others");

    for (int m = 0; m < w->count; m++) {
        const espl_member *member = &w->measured.member[m];
        double differs = 0;
        for (int other = 0; other < w->count && w->count > 1; other++)
            differs += w->measured.disagreement[m][other] / (w->count - 1);
        table_cell(table, "%s", w->words->item[m]);
        table_cell(table, "%.3f", w->weight[m]);
        table_cell(table, "%s", figure_percent(member->top1).text);
        table_cell(table, "%s", figure_loss(member->loss).text);
        table_cell(table, "%s", figure_percent(differs).text);
    }
    table_cell(table, "together");
    table_cell(table, " ");
    table_cell(table, "%s", figure_percent(w->score.top1).text);
    table_cell(table, "%s", figure_loss(w->score.loss).text);
    table_cell(table, " ");
    table_close(table, stdout);
    if (w->count > 1)
        printf("Two members answer %s of %s samples differently; their probabilities correlate with %.3f.\n",
               figure_percent(w->measured.mean_disagreement).text, figure_count(w->score.examples).text,
               w->measured.mean_correlation);
}

static void show(const work *w)
{
    int chosen = 0;

    for (int m = 0; m < w->count; m++)
        chosen += w->weight[m] > 0;
    if (w->data)
        show_members(w);
    for (int m = 0; m < w->count && w->o->select_on && !w->data; m++)
        printf("%.3f  %s\n", w->weight[m], w->words->item[m]);
    if (w->o->out)
        printf("%s: %d of %d members, %s parameters, %s multiply-accumulates\n", w->o->out, chosen, w->count,
               figure_short((double)espl_net_parameters(w->ensemble)).text,
               figure_short((double)espl_net_macs(w->ensemble)).text);
}

static espl_status ensemble(work *w)
{
    espl_status status;

    if ((status = load_members(w)) || (status = choose(w)) || (status = build(w)) || (status = measure(w)))
        return status;
    if (w->o->out && (status = espl_net_save(w->ensemble, w->o->out)))
        return status;
    if (w->o->json)
        write_json(w);
    else
        show(w);
    return ESPL_OK;
}

static void close_work(work *w)
{
    espl_score_free(&w->score);
    espl_data_free(w->data);
    espl_net_free(w->ensemble);
    for (int m = 0; m < w->count; m++)
        espl_net_free(w->members[m]);
    espl_context_free(w->ctx);
}

/* An exit code if the words make no sense together, having said why. */
static int check(const ensemble_options *o, const cli_words *words)
{
    if (words->count > ESPL_MEMBERS_MAX)
        cli_complain("ensemble: %d members are given, but an ensemble has at most %d", words->count, ESPL_MEMBERS_MAX);
    else if (o->combine == BY_WEIGHTED && !o->select_on)
        cli_complain("ensemble: --combine weighted needs data to find the weights on: give --select-on DATA");
    else if (!o->out && !o->measure_on && !o->select_on)
        cli_complain("ensemble: there is nothing to do: name the file to write with --out, or data with --measure-on");
    else
        return o->out ? net_source_check_name("ensemble", o->out) : CLI_DONE;
    return CLI_WRONG_USE;
}

static int run(const void *given, const cli_words *words)
{
    work w = { .o = given, .words = words };
    int code = check(w.o, words);

    if (code || (code = session_open(&w.o->machine, NULL, &w.ctx)))
        return code;
    code = session_report(w.ctx, ensemble(&w));
    close_work(&w);
    return code;
}

const cli_command cli_command_ensemble = {
    .name = "ensemble",
    .summary = "make one net of several that answer together",
    .description =
        "Writes a net that runs all members and combines what they answer: by the mean of their probabilities, by "
        "vote, by the mean of their logits, or by a mean with weights. It is a net file like any other. Layers that "
        "are equal in several members, such as a frozen beginning, are in it once and run once.\n\n"
        "Members must take the same samples, prepared alike, and tell the same classes apart; they need not be nets of "
        "one kind. With --select-on, members are added one by one as long as the loss of their mean probability on "
        "the held-out part of those data falls. Choose on other data than those that you measure on.",
    .examples = "  espalier ensemble runs/plants/snapshots/*.safetensors --out five.safetensors\n"
                "  espalier ensemble a.safetensors b.safetensors --measure-on plants/\n"
                "  espalier ensemble nets/*.safetensors -o best.safetensors --select-on val/ --test val/ --combine weighted",
    .size = sizeof(ensemble_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
