/* espalier average: one net with the mean of the weights of several. */
#include "cli_text.h"
#include "data_options.h"
#include "json_line.h"
#include "net_source.h"
#include "session.h"

#include <espalier/ensemble.h>
#include <espalier/run.h>

typedef struct average_options {
    const char *out, *path;
    bool greedy, far, json;
    data_options data;
    cli_machine machine;
} average_options;

static const cli_option options[] = {
    { "out", 'o', CLI_TEXT, offsetof(average_options, out), "OUT", 0, 0, "the net file to write (.safetensors)" },
    { "data", 0, CLI_TEXT, offsetof(average_options, path), "DATA", 0, 0,
      "data whose training part gives the batch-norm statistics of the average and whose held-out part scores it; "
      "nets with batch norm need it" },
    { "greedy", 0, CLI_FLAG, offsetof(average_options, greedy), NULL, 0, 0,
      "from the best net down, take only those with which the average does not get worse on the held-out part" },
    { "far", 0, CLI_FLAG, offsetof(average_options, far), NULL, 0, 0,
      "average also nets that lie far apart; without it, they are refused" },
    DATA_OPTIONS(average_options, data),
    CLI_MACHINE_OPTIONS(average_options, machine),
    CLI_JSON_OPTION(average_options, json),
    CLI_OPTIONS_END
};

static const cli_argument arguments[] = {
    { "NET", CLI_ONE_OR_MORE, "net files (.safetensors), snapshots of one run or fine-tunings of one net" },
    CLI_ARGUMENTS_END
};

/* One command on its way. */
typedef struct work {
    const average_options *o;
    const cli_words *words;
    espl_context *ctx;
    int count;
    espl_net *nets[ESPL_MEMBERS_MAX], *average;
    espl_data *data;
    espl_average result;
    espl_score score;
} work;

static void write_json(const work *w)
{
    json_t *line = json_object(), *taken = json_array();

    json_put_text(line, "out", w->o->out);
    json_put_real(line, "cosine", w->result.cosine);
    for (int i = 0; i < w->count; i++)
        if (w->result.taken[i]) {
            json_t *one = json_object();
            json_put_text(one, "file", w->words->item[i]);
            json_array_append_new(taken, one);
        }
    json_object_set_new(line, "taken", taken);
    if (w->data) {
        json_put_real(line, "top1", w->score.top1);
        json_put_real(line, "loss", w->score.loss);
    }
    json_write(line);
}

static void show(const work *w)
{
    for (int i = 0; i < w->count && w->o->greedy; i++)
        printf("%s  %s  %s\n", w->result.taken[i] ? "taken" : "left ", figure_percent(w->result.member_top1[i]).text,
               w->words->item[i]);
    printf("%s: the mean of %d nets, whose weights have a cosine of %.2f at least", w->o->out, w->result.count,
           w->result.cosine);
    if (w->data)
        printf("; accuracy %s, loss %s", figure_percent(w->score.top1).text, figure_loss(w->score.loss).text);
    putchar('\n');
}

static espl_status average(work *w)
{
    espl_average_settings settings = { .greedy = w->o->greedy, .far = w->o->far };
    espl_status status = ESPL_OK;

    for (; w->count < w->words->count && !status; w->count++)
        status = espl_net_load(w->ctx, w->words->item[w->count], &w->nets[w->count]);
    if (status || (w->o->path && (status = data_options_open(w->ctx, w->o->path, &w->o->data, w->nets[0], &w->data))))
        return status;
    settings.data = w->data;
    if ((status = espl_net_average(w->nets, w->count, &settings, &w->result, &w->average)) ||
        (w->data && (status = espl_score_net(w->average, w->data, ESPL_HELD_OUT, 0, &w->score))) ||
        (status = espl_net_save(w->average, w->o->out)))
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
    espl_net_free(w->average);
    for (int i = 0; i < w->count; i++)
        espl_net_free(w->nets[i]);
    espl_context_free(w->ctx);
}

/* An exit code if the words make no sense together, having said why. */
static int check(const average_options *o, const cli_words *words)
{
    if (words->count > ESPL_MEMBERS_MAX)
        cli_complain("average: %d nets are given, but at most %d can be averaged", words->count, ESPL_MEMBERS_MAX);
    else if (!o->out)
        cli_complain("average: name the net file to write with --out");
    else if (o->greedy && !o->path)
        cli_complain("average: --greedy scores averages on data: give --data DATA");
    else
        return net_source_check_name("average", o->out);
    return CLI_WRONG_USE;
}

static int run(const void *given, const cli_words *words)
{
    work w = { .o = given, .words = words };
    int code = check(w.o, words);

    if (code || (code = session_open(&w.o->machine, NULL, &w.ctx)))
        return code;
    code = session_report(w.ctx, average(&w));
    close_work(&w);
    return code;
}

const cli_command cli_command_average = {
    .name = "average",
    .summary = "make one net with the mean of the weights of several",
    .description =
        "Writes a net whose weights are the mean of those of the given nets, which must be layer by layer the same. It "
        "costs what one of them costs, and is often better than the best of them if they come from one start: "
        "snapshots of a run, or a net fine-tuned several times. Nets that were trained from different first weights "
        "are refused, since the mean of theirs computes nothing sensible; for those there is \"espalier ensemble\".\n\n"
        "Batch-norm statistics are estimated for the average on training data. With --greedy, nets are added from the "
        "best one down, and stay if the average does not get worse for it.",
    .examples = "  espalier average runs/a/net.safetensors runs/b/net.safetensors --out soup.safetensors --data plants/\n"
                "  espalier average runs/*/net.safetensors -o soup.safetensors --data plants/ --greedy",
    .size = sizeof(average_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
