/* espalier finetune: a trained net and a folder of photos in, a net for these photos out. */
#include "cli_text.h"
#include "compared.h"
#include "finetune.h"
#include "interrupts.h"
#include "json_line.h"
#include "progress.h"
#include "session.h"
#include "terminal.h"

#include <espalier/run.h>
#include <espalier/technique.h>

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const cli_option options[] = {
    { "out", 'o', CLI_TEXT, offsetof(finetune_options, out), "DIR", 0, 0,
      "keep everything in DIR; without it, in runs/ under the name of the photos' folder" },
    { "net", 'n', CLI_TEXT, offsetof(finetune_options, net), "NAME", 0, 0,
      "PRETRAINED holds weights only: put them into this net, a name such as resnet-20 or a description" },
    { "prepare", 0, CLI_TEXT, offsetof(finetune_options, prepare), "HOW", 0, 0,
      "how samples are prepared for the net, as convert takes it; without it, as the net knows" },
    { "test", 0, CLI_TEXT, offsetof(finetune_options, test), "PATH", 0, 0, "held-out photos that lie elsewhere" },
    { "held-out", 0, CLI_REAL, offsetof(finetune_options, held_out), "SHARE", 0.01, 0.9,
      "share of the photos to hold out; without it, a part of their own or else 0.2" },
    { "head-epochs", 0, CLI_COUNT, offsetof(finetune_options, head_epochs), "N", 1, 100000,
      "epochs of the head alone; without it, 30" },
    { "epochs", 0, CLI_GIVEN, offsetof(finetune_options, epochs), "N", 0, 100000,
      "epochs of all layers after that; 0: the head is all that trains; without it, 12" },
    { "rate", 0, CLI_REAL, offsetof(finetune_options, rate), "RATE", 1e-9, 1e9,
      "highest rate of all layers; without it, the one that is found for the head, 0.05 at most" },
    { "batch", 0, CLI_COUNT, offsetof(finetune_options, batch), "N", 1, 1 << 20, "photos for one update; without it, 32" },
    { "resume", 0, CLI_FLAG, offsetof(finetune_options, resume), NULL, 0, 0,
      "go on where the same command was interrupted" },
    CLI_SEED_OPTION(finetune_options, machine),
    CLI_MACHINE_OPTIONS(finetune_options, machine),
    CLI_JSON_OPTION(finetune_options, json),
    CLI_OPTIONS_END
};

static const cli_argument arguments[] = {
    { "PRETRAINED", CLI_ONE, "a file with a net (.safetensors, .h5, .keras, .onnx), or with weights for --net" },
    { "PHOTOS", CLI_ONE, "a folder with a folder of pictures for each class, or a .tar of one" },
    CLI_ARGUMENTS_END
};

#define RATE_AT_MOST 0.05 /* of all layers: a head bears any, also where the range test found none */

/* The work on one of them. */
typedef struct work {
    finetune choice;
    espl_context *ctx;
    interrupts *signals;
    progress progress;
    const char *stage; /* "head", "all" */
} work;

/* ---- what is shown on the way ---- */

static void log_line(void *user, espl_level level, const char *line)
{
    work *w = user;

    progress_clear(&w->progress);
    if (level == ESPL_WARNING)
        fprintf(stderr, "%swarning:%s ", terminal_yellow(stderr), terminal_plain(stderr));
    fprintf(stderr, "%s\n", line);
}

static void write_epoch(const work *w, const espl_news *news)
{
    json_t *line = json_object();

    json_put_text(line, "event", "epoch");
    json_put_text(line, "stage", w->stage);
    json_put_count(line, "epoch", news->epoch);
    json_put_count(line, "epochs", news->epochs);
    json_put_real(line, "loss", news->loss);
    json_put_real(line, "top1", news->top1);
    json_put_real(line, "held_out_loss", news->held_out_loss);
    json_put_real(line, "held_out_top1", news->held_out_top1);
    json_put_real(line, "seconds", news->seconds);
    json_write(line);
}

static void watch(void *user, const espl_news *news)
{
    work *w = user;

    if (news->kind == ESPL_NEWS_STEP) {
        progress_step(&w->progress, news);
    } else if (news->kind == ESPL_NEWS_NOTE) {
        log_line(w, ESPL_NOTE, news->text);
    } else {
        progress_epoch(&w->progress, news);
        if (w->choice.options->json)
            write_epoch(w, news);
    }
}

/* ---- the folder and the photos ---- */

/* "runs/photos" of "some/photos/" or "photos.tar". */
static void choose_folder(finetune *f)
{
    char name[512];

    if (f->options->out) {
        snprintf(f->folder, sizeof f->folder, "%s", f->options->out);
        return;
    }
    snprintf(name, sizeof name, "%s", f->photos);
    size_t length = strlen(name);
    while (length > 1 && name[length - 1] == '/')
        name[--length] = 0;
    const char *slash = strrchr(name, '/'), *base = slash && slash[1] ? slash + 1 : name;
    char *dot = strrchr(name, '.');
    if (dot && dot > base && strcmp(dot, ".tar") == 0)
        *dot = 0;
    snprintf(f->folder, sizeof f->folder, "runs/%s", strcmp(base, ".") && strcmp(base, "..") ? base : "photos");
}

/* The folder and those above it. */
static bool make_folder(const char *folder)
{
    char path[1024];

    snprintf(path, sizeof path, "%s", folder);
    for (char *slash = path + 1; *slash; slash++)
        if (*slash == '/') {
            *slash = 0;
            mkdir(path, 0777); /* the last one tells */
            *slash = '/';
        }
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return true;
    cli_complain("%s: the folder cannot be made: %s", folder, strerror(errno));
    return false;
}

static void show_left_out(const finetune *f, const espl_faults *check)
{
    int64_t left_out = 0, look_at = 0;

    for (int64_t i = 0; i < check->fault_count; i++) {
        left_out += check->faults[i].advice == ESPL_LEAVE_OUT;
        look_at += check->faults[i].advice == ESPL_LOOK_AT;
    }
    fprintf(stderr, "photos: %s of %d classes", figure_count(check->pictures).text, check->classes);
    if (check->held_out)
        fprintf(stderr, ", %s of them held out", figure_count(check->held_out).text);
    fprintf(stderr, "; %s faults to leave out, %s to look at (\"espalier check-data\" explains them)\n",
            figure_count(left_out).text, figure_count(look_at).text);
    for (int64_t i = 0; i < check->fault_count; i++)
        if (check->faults[i].advice == ESPL_LEAVE_OUT)
            fprintf(stderr, "  left out: %s: %s\n", check->faults[i].file, check->faults[i].text);
    if (left_out)
        fprintf(stderr, "  the list is %s\n", f->left_out);
}

/* Finds what must not be trained on, unless an interrupted run has found it before. */
static espl_status check_photos(work *w)
{
    finetune *f = &w->choice;
    espl_faults check;
    espl_status status = espl_check_data(w->ctx, f->photos, &check);

    if (status == ESPL_BAD_FILE) { /* other kinds of data have no pictures to look at */
        fprintf(stderr, "not checked for faults: %s\n", espl_message(w->ctx));
        finetune_choose(f, NULL);
        return ESPL_OK;
    }
    if (status)
        return status;
    for (int64_t i = 0; i < check.fault_count && !*f->left_out; i++)
        if (check.faults[i].advice == ESPL_LEAVE_OUT)
            finetune_path(f, "left_out.txt", f->left_out);
    if (*f->left_out)
        status = espl_faults_write(&check, f->left_out);
    if (!status) {
        show_left_out(f, &check);
        finetune_choose(f, &check);
    }
    espl_faults_free(&check);
    return status;
}

/* ---- the stages ---- */

static espl_status train_stage(work *w, const char *stage)
{
    char name[32], recipe[1100], folder[1100];
    espl_run *run = NULL;

    w->stage = stage;
    snprintf(name, sizeof name, "%s.yaml", stage);
    finetune_path(&w->choice, name, recipe);
    finetune_path(&w->choice, stage, folder);
    fprintf(stderr, "\n%s%s%s: %s\n", terminal_bold(stderr),
            strcmp(stage, "head") == 0 ? "the head" : "all layers", terminal_plain(stderr), recipe);
    progress_begin(&w->progress);
    const espl_run_settings settings = { .folder = folder, .resume = w->choice.options->resume };
    espl_status status = espl_run_load(w->ctx, recipe, &settings, &run);
    if (!status) {
        espl_run_watch(run, watch, w);
        interrupts_heed(w->signals, w->ctx);
        status = espl_run_fit(run);
        interrupts_ignore(w->signals);
        progress_clear(&w->progress);
    }
    if (!status && strcmp(stage, "head") == 0 && !(w->choice.rate > 0))
        w->choice.rate = fmin(espl_run_base_rate(run), RATE_AT_MOST);
    espl_run_free(run);
    return status;
}

/* The recommended one of all nets becomes the net of the whole. */
static espl_status choose_net(work *w, const char *net, espl_compared *compared)
{
    char head[1100], all[1100];
    const char *const also[] = { head, NULL };
    const bool both = w->choice.epochs > 0;

    finetune_path(&w->choice, "head", head);
    finetune_path(&w->choice, "all", all);
    return espl_compare_run(w->ctx, both ? all : head,
                            &(espl_compare_settings){ .out = net, .also = both ? also : NULL }, compared);
}

/* ---- what came out ---- */

static void write_result(const work *w, const espl_compared *compared, const char *net)
{
    const espl_candidate *chosen = &compared->candidate[compared->recommended];
    json_t *line = json_object();

    compared_write_json(compared);
    json_put_text(line, "event", "done");
    json_put_text(line, "chosen", chosen->name);
    json_put_real(line, "top1", chosen->top1);
    json_put_real(line, "low", chosen->low);
    json_put_real(line, "high", chosen->high);
    json_put_count(line, "held_out", compared->samples);
    json_put_real(line, "loss", chosen->nll);
    json_put_text(line, "net", net);
    json_put_text(line, "folder", w->choice.folder);
    json_write(line);
}

static void show_result(const work *w, const espl_compared *compared, const char *net)
{
    const espl_candidate *chosen = &compared->candidate[compared->recommended];
    char *word = shell_word(net), *folder = shell_word(w->choice.folder);

    compared_show(compared);
    printf("\naccuracy  %s%s%s on %s held-out photos; for photos like them %s to %s, with 95 %% certainty\n",
           terminal_bold(stdout), figure_percent(chosen->top1).text, terminal_plain(stdout),
           figure_count(compared->samples).text, figure_percent(chosen->low).text, figure_percent(chosen->high).text);
    printf("net       %s\n", net);
    printf("run       %s\n", w->choice.folder);
    printf("\n%sThe same again%s\n  espalier train %s/head.yaml -o %s/head\n", terminal_bold(stdout),
           terminal_plain(stdout), folder, folder);
    if (w->choice.epochs)
        printf("  espalier train %s/all.yaml -o %s/all\n", folder, folder);
    printf("\n%sNext%s\n  espalier predict %s PICTURE...\n  espalier score %s DATA\n  espalier report %s/%s\n",
           terminal_bold(stdout), terminal_plain(stdout), word, word, folder, w->choice.epochs ? "all" : "head");
    free(word);
    free(folder);
}

static espl_status show_chosen(work *w)
{
    char net[1100];
    espl_compared compared;
    espl_status status;

    finetune_path(&w->choice, "net.safetensors", net);
    if ((status = choose_net(w, net, &compared)))
        return status;
    if (w->choice.options->json)
        write_result(w, &compared, net);
    else
        show_result(w, &compared, net);
    espl_compared_free(&compared);
    return ESPL_OK;
}

static espl_status finetune_all(work *w)
{
    espl_status status = check_photos(w);

    if (status)
        return status;
    if (!finetune_write_head(&w->choice))
        return ESPL_WRITE_FAILED;
    if ((status = train_stage(w, "head")))
        return status;
    if (w->choice.epochs && !finetune_write_all(&w->choice)) /* with the rate that the head has found */
        return ESPL_WRITE_FAILED;
    if (w->choice.epochs && (status = train_stage(w, "all")))
        return status;
    return show_chosen(w);
}

static int conclude(const work *w, espl_status status)
{
    if (status == ESPL_INTERRUPTED)
        cli_complain("interrupted; everything is saved in %s, and the same command with --resume goes on",
                     w->choice.folder);
    else if (status != ESPL_WRITE_FAILED || *espl_message(w->ctx))
        return session_report(w->ctx, status);
    return session_exit_code(status);
}

static int run(const void *given, const cli_words *words)
{
    work w = { .choice = { .options = given, .net = words->item[0], .photos = words->item[1] } };
    const espl_context_settings hears = { .log = log_line, .user = &w };

    choose_folder(&w.choice);
    if (!make_folder(w.choice.folder))
        return CLI_COULD_NOT;
    w.signals = interrupts_open();
    int code = session_open(&w.choice.options->machine, &hears, &w.ctx);
    if (!code)
        code = conclude(&w, finetune_all(&w));
    espl_context_free(w.ctx);
    interrupts_close(w.signals);
    return code;
}

const cli_command cli_command_finetune = {
    .name = "finetune",
    .summary = "teach a trained net the classes of a folder of photos",
    .description =
        "Takes a net that somebody has trained and a folder of photos, and makes a net that tells the classes of "
        "these photos apart. It looks for faults in the photos and leaves out what would harm, gives the net a new "
        "head, computes all other layers once for four variants of each photo, looks for a rate and trains the head "
        "on that, then trains all layers, the lower the slower, and an average of their weights beside. Of all nets "
        "that came out the one that \"espalier compare\" recommends is kept.\n\n"
        "What it chose is written as recipes, head.yaml and all.yaml, which \"espalier train\" runs to the same "
        "bits and which are a good place to begin when something is to be changed.",
    .examples = "  espalier finetune mobilenet.h5 photos/\n"
                "  espalier finetune mobilenet.h5 photos/ --epochs 0  # only the head: minutes, not hours\n"
                "  espalier finetune weights.safetensors photos/ --net resnet-20 -o runs/plants",
    .size = sizeof(finetune_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
