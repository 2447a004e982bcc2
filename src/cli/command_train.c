/* espalier train: train a net as a recipe says, show how it goes, and say what came out. */
#include "cli_text.h"
#include "interrupts.h"
#include "json_line.h"
#include "progress.h"
#include "recipe_options.h"
#include "repeats.h"
#include "session.h"
#include "terminal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct train_options {
    const char *out;
    int64_t seeds;
    bool resume, json;
    recipe_options recipe;
} train_options;

static const cli_option options[] = {
    { "out", 'o', CLI_TEXT, offsetof(train_options, out), "DIR", 0, 0,
      "keep the run in DIR; without it, in runs/ under the recipe's name" },
    { "resume", 0, CLI_FLAG, offsetof(train_options, resume), NULL, 0, 0,
      "go on from the checkpoint in the run's folder" },
    { "seeds", 0, CLI_COUNT, offsetof(train_options, seeds), "N", 1, 1000,
      "train N times, with the recipe's seed and the N - 1 after it, and show mean and deviation" },
    RECIPE_OPTIONS(train_options, recipe),
    CLI_MACHINE_OPTIONS(train_options, recipe.machine),
    CLI_JSON_OPTION(train_options, json),
    CLI_OPTIONS_END
};

static const cli_argument arguments[] = {
    { "RECIPE", CLI_ONE, "a recipe in YAML: net, data, optimizer, techniques" },
    CLI_ARGUMENTS_END
};

/* One training, from the options to the last line. */
typedef struct training {
    const train_options *options;
    const char *recipe;
    char folder[1024];
    progress progress;
    espl_context *ctx;
    espl_run *run;
    int64_t fold, seed; /* of one of several runs; fold 0: the recipe has no folds */
    bool repeated;
} training;

/* "runs/plants" of "recipes/plants.yaml", as the library would call it. */
static void choose_folder(training *t)
{
    const char *slash = strrchr(t->recipe, '/'), *name = slash ? slash + 1 : t->recipe;
    const char *dot = strrchr(name, '.');
    const size_t length = dot && dot != name ? (size_t)(dot - name) : strlen(name);

    if (t->options->out)
        snprintf(t->folder, sizeof t->folder, "%s", t->options->out);
    else
        snprintf(t->folder, sizeof t->folder, "runs/%.*s", (int)length, name);
}

static void log_line(void *user, espl_level level, const char *line)
{
    training *t = user;

    progress_clear(&t->progress);
    if (level == ESPL_WARNING)
        fprintf(stderr, "%swarning:%s ", terminal_yellow(stderr), terminal_plain(stderr));
    fprintf(stderr, "%s\n", line);
}

static void write_epoch(const espl_news *news)
{
    json_t *line = json_object();

    json_put_text(line, "event", "epoch");
    json_put_count(line, "epoch", news->epoch);
    json_put_count(line, "epochs", news->epochs);
    json_put_count(line, "step", news->step);
    json_put_count(line, "steps", news->steps);
    json_put_real(line, "loss", news->loss);
    json_put_real(line, "top1", news->top1);
    json_put_real(line, "held_out_loss", news->held_out_loss);
    json_put_real(line, "held_out_top1", news->held_out_top1);
    json_put_real(line, "rate", news->rate);
    json_put_real(line, "seconds", news->seconds);
    json_put_real(line, "images_per_second", news->images_per_second);
    json_put_real(line, "wait_seconds", news->wait_seconds);
    json_write(line);
}

static void watch(void *user, const espl_news *news)
{
    training *t = user;

    switch (news->kind) {
    case ESPL_NEWS_STEP:
        progress_step(&t->progress, news);
        break;
    case ESPL_NEWS_EPOCH:
        progress_epoch(&t->progress, news);
        if (t->options->json)
            write_epoch(news);
        break;
    case ESPL_NEWS_NOTE:
        log_line(t, ESPL_NOTE, news->text);
        break;
    }
}

/* The line that other programs read; "done", or "interrupted" with the same fields. */
static void write_result(const training *t, const char *event)
{
    const espl_result *r = espl_run_result(t->run);
    json_t *line = json_object();

    json_put_text(line, "event", event);
    json_put_real(line, "top1", r->top1);
    json_put_real(line, "top5", r->top5);
    json_put_real(line, "loss", r->loss);
    json_put_count(line, "epochs", r->epochs);
    json_put_count(line, "steps", r->steps);
    json_put_real(line, "seconds", r->seconds);
    json_put_real(line, "images_per_second", r->images_per_second);
    json_put_real(line, "wait_seconds", r->wait_seconds);
    json_put_real(line, "estimate_seconds", r->estimate_seconds);
    json_put_count(line, "peak_bytes", (int64_t)r->peak_bytes);
    json_put_count(line, "planned_bytes", (int64_t)r->planned_bytes);
    json_put_count(line, "step_allocations", r->step_allocations);
    json_put_text(line, "net", r->net_path);
    json_put_text(line, "folder", t->folder);
    json_put_hash(line, "hash", r->hash);
    json_write(line);
}

static void show_next(const char *net)
{
    char *word = shell_word(net);

    printf("\n%sNext%s\n", terminal_bold(stdout), terminal_plain(stdout));
    printf("  espalier predict %s PICTURE...\n", word);
    printf("  espalier score %s DATA\n", word);
    printf("  espalier inspect %s\n", word);
    free(word);
}

static void show_accuracy(const training *t)
{
    const espl_result *r = espl_run_result(t->run);

    if (!isfinite(r->top1)) {
        puts("accuracy  not measured: there is no held-out data");
        return;
    }
    printf("accuracy  %s%s%s on held-out data", terminal_bold(stdout), figure_percent(r->top1).text,
           terminal_plain(stdout));
    if (isfinite(r->top5) && espl_net_classes(espl_run_net(t->run)) > 5)
        printf(", %s among the first five", figure_percent(r->top5).text);
    printf(", loss %s\n", figure_loss(r->loss).text);
}

static void show_result(const training *t)
{
    const espl_result *r = espl_run_result(t->run);

    if (t->progress.live)
        putchar('\n');
    show_accuracy(t);
    printf("trained   %s epochs, %s steps; this time %s at %s images/s, %s of it waiting for data\n",
           figure_count(r->epochs).text, figure_count(r->steps).text, figure_time(r->seconds).text,
           figure_rate(r->images_per_second).text, figure_time(r->wait_seconds).text);
    printf("memory    %s at most, %s of it planned before the first step\n",
           figure_bytes((double)r->peak_bytes).text, figure_bytes((double)r->planned_bytes).text);
    printf("run       %s\n", t->folder);
    printf("net       %s\n", r->net_path);
    show_next(r->net_path);
}

/* How to go on after an interrupt: the same command with --resume. */
static void tell_resume(const training *t)
{
    const recipe_options *o = &t->options->recipe;
    char *recipe = shell_word(t->recipe), *folder = shell_word(t->folder);

    if (t->run)
        cli_complain("interrupted after %" PRId64 " steps; everything is saved in %s; go on with:",
                     espl_run_result(t->run)->steps, t->folder);
    else
        cli_complain("interrupted; everything is saved in %s; go on with:", t->folder);
    fprintf(stderr, "  espalier train %s --out %s --resume", recipe, folder);
    for (int i = 0; i < o->set.count + o->with.count; i++) {
        const bool set = i < o->set.count;
        char *word = shell_word(set ? o->set.item[i] : o->with.item[i - o->set.count]);
        fprintf(stderr, " --%s %s", set ? "set" : "with", word);
        free(word);
    }
    if (t->options->seeds)
        fprintf(stderr, " --seeds %" PRId64, t->options->seeds);
    if (o->machine.seed.given)
        fprintf(stderr, " --seed %" PRId64, o->machine.seed.value);
    fputc('\n', stderr);
    free(recipe);
    free(folder);
}

static int conclude(training *t, espl_status status)
{
    progress_clear(&t->progress);
    if (status == ESPL_INTERRUPTED) {
        if (t->options->json)
            write_result(t, "interrupted");
        if (!t->repeated)
            tell_resume(t);
        return CLI_INTERRUPTED;
    }
    if (status)
        return session_report(t->ctx, status);
    if (t->options->json)
        write_result(t, "done");
    else if (!t->repeated)
        show_result(t);
    return CLI_DONE;
}

/* The recipe with what the command line changes in it, and the fold and seed of one of several runs. */
static int load(training *t)
{
    const espl_context_settings hears = { .log = log_line, .user = t };
    const int code = session_open(&t->options->recipe.machine, &hears, &t->ctx);
    recipe_settings changes;

    if (code)
        return code;
    recipe_settings_make(&t->options->recipe, &changes);
    changes.settings.folder = t->folder;
    changes.settings.resume = t->options->resume;
    if (t->repeated)
        recipe_settings_add(&changes, "seed", t->seed);
    if (t->fold)
        recipe_settings_add(&changes, "fold", t->fold);
    const espl_status status = espl_run_load(t->ctx, t->recipe, &changes.settings, &t->run);
    recipe_settings_free(&changes);
    return session_report(t->ctx, status);
}

static void unload(training *t)
{
    espl_run_free(t->run);
    espl_context_free(t->ctx);
    t->run = NULL;
    t->ctx = NULL;
}

static int train(training *t, interrupts *signals)
{
    espl_run_watch(t->run, watch, t);
    interrupts_heed(signals, t->ctx);
    const espl_status status = espl_run_fit(t->run);
    interrupts_ignore(signals);
    return conclude(t, status);
}

/* ---- several runs ---- */

/* One of them, in a folder of its own within that of all. */
static int train_one(const training *all, int64_t fold, int64_t seed, interrupts *signals, repeats *results)
{
    training t = { .options = all->options, .recipe = all->recipe, .fold = fold, .seed = seed, .repeated = true };
    char name[48] = "";
    int length = fold ? snprintf(name, sizeof name, "fold-%" PRId64, fold) : 0;

    if (all->options->seeds)
        snprintf(name + length, sizeof name - (size_t)length, "%sseed-%" PRId64, length ? "-" : "", seed);
    snprintf(t.folder, sizeof t.folder, "%.*s/%s", (int)(sizeof t.folder - sizeof name - 1), all->folder, name);
    fprintf(stderr, "%s\n", name);
    progress_begin(&t.progress);
    int code = load(&t);
    if (!code && !(code = train(&t, signals)))
        repeats_add(results, name, espl_run_result(t.run));
    unload(&t);
    return code;
}

static int train_all(training *t, int64_t folds, int64_t seed, interrupts *signals)
{
    const int64_t seeds = t->options->seeds ? t->options->seeds : 1;
    repeats results = { 0 };
    int code = CLI_DONE;

    for (int64_t fold = folds ? 1 : 0; fold <= folds && !code; fold++)
        for (int64_t i = 0; i < seeds && !code; i++)
            code = train_one(t, fold, seed + i, signals, &results);
    if (code == CLI_INTERRUPTED)
        tell_resume(t);
    if (!code && t->options->json)
        repeats_write_json(&results);
    else if (!code)
        repeats_show(&results);
    repeats_free(&results);
    return code;
}

static int run(const void *given, const cli_words *words)
{
    training t = { .options = given, .recipe = words->item[0] };
    interrupts *signals = interrupts_open();

    choose_folder(&t);
    progress_begin(&t.progress);
    int code = load(&t);
    const int64_t folds = code ? 0 : espl_run_folds(t.run), seed = code ? 0 : espl_run_seed(t.run);
    if (!code && (folds || t.options->seeds)) {
        unload(&t);
        code = train_all(&t, folds, seed, signals);
    } else if (!code) {
        code = train(&t, signals);
    }
    unload(&t);
    interrupts_close(signals);
    return code;
}

const cli_command cli_command_train = {
    .name = "train",
    .summary = "train a net as a recipe says",
    .description =
        "Trains the net of a recipe on its data and keeps everything in the run's folder: the recipe with "
        "every default written out, a log, a checkpoint, and the net. Shows how it goes on stderr, and at "
        "the end what came out on stdout.\n\n"
        "Ctrl-C (or SIGTERM) finishes the step and saves a checkpoint; --resume goes on from there with the "
        "same bits as if nothing had happened. A second one stops at once; the checkpoint before it stays "
        "whole. The result does not depend on the number of threads.\n\n"
        "With --seeds, or a recipe with folds, several runs are made one after the other, each in a folder of its "
        "own within the run's, and their figures shown with mean and deviation.",
    .examples = "  espalier train recipe.yaml\n"
                "  espalier train recipe.yaml --out runs/short --set epochs=3 --set optimizer.sgd.rate=0.05\n"
                "  espalier train recipe.yaml --with 'average-ema: {decay: 0.999}'\n"
                "  espalier train recipe.yaml --seeds 5\n"
                "  espalier train recipe.yaml --set folds=5\n"
                "  espalier train recipe.yaml --resume --json",
    .size = sizeof(train_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
