/* log.jsonl: one JSON object a line for the beginning, each epoch and the end of a run. It is what reports
 * are made from, so a resumed run continues it without doubles: lines of epochs that lie behind the
 * checkpoint are cut off, because they will be written again. */
#include "train/train.h"
#include <espalier/find_rate.h>

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LARGEST_LOG ((size_t)1 << 28)
#define FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(12))

struct espl__log {
    FILE *file;
    char path[ESPL__PATH_MAX];
};

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *count(int64_t value)
{
    return json_integer((json_int_t)value);
}

/* Takes the object over. */
static espl_status write_line(espl_run *run, json_t *line)
{
    char *text = line ? json_dumps(line, FLAGS) : NULL;
    bool written = false;

    json_decref(line);
    if (!text)
        return espl__fail(run->ctx, ESPL_NO_MEMORY, "%s: not enough memory for a line", run->log->path);
    written = fprintf(run->log->file, "%s\n", text) > 0 && fflush(run->log->file) == 0;
    free(text);
    if (written)
        return ESPL_OK;
    return espl__fail(run->ctx, ESPL_WRITE_FAILED, "%s: cannot be written: %s", run->log->path,
                      strerror(errno));
}

/* ---- going on with an old log ---- */

/* Whole lines that do not tell of an epoch behind the checkpoint. */
static bool belongs(const char *line, size_t length, int64_t epochs)
{
    json_t *object = json_loadb(line, length, 0, NULL);
    const char *event = json_string_value(json_object_get(object, "event"));
    const bool is_epoch = event && espl__text_equal(event, "epoch");
    const bool result =
        event && (!is_epoch || json_integer_value(json_object_get(object, "epoch")) <= epochs);

    json_decref(object);
    return result;
}

static espl_status cut(espl_run *run)
{
    char *old = NULL;
    size_t bytes = 0;
    espl__text kept = { 0 };
    espl_status s = espl__file_read(run->ctx, run->log->path, LARGEST_LOG, &old, &bytes);

    if (s)
        return s == ESPL_NO_FILE ? ESPL_OK : s;
    for (char *line = old, *end; !s && (end = memchr(line, '\n', (size_t)(old + bytes - line))); line = end + 1)
        if (belongs(line, (size_t)(end - line), run->progress.epoch))
            s = espl__text_add_bytes(run->ctx, &kept, line, (size_t)(end + 1 - line));
    if (!s)
        s = espl__file_replace(run->ctx, run->log->path, kept.data, kept.length);
    espl__text_free(run->ctx, &kept);
    espl__release(run->ctx, old);
    return s;
}

/* ---- reading ---- */

static double number_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_number(value) ? json_number_value(value) : NAN;
}

static bool read_epoch(const char *line, size_t length, int64_t epoch, double *loss, double *top1)
{
    json_t *object = json_loadb(line, length, 0, NULL);
    const char *event = json_string_value(json_object_get(object, "event"));
    const bool found = event && espl__text_equal(event, "epoch") &&
                       json_integer_value(json_object_get(object, "epoch")) == epoch;

    if (found) {
        *loss = number_of(object, "held_out_loss");
        *top1 = number_of(object, "held_out_top1");
    }
    json_decref(object);
    return found;
}

espl_status espl__log_find_epoch(espl_context *ctx, const char *path, int64_t epoch, double *loss, double *top1, bool *found)
{
    char *text = NULL;
    size_t bytes = 0;
    const espl_status s = espl__file_read(ctx, path, LARGEST_LOG, &text, &bytes);

    *found = false;
    if (s)
        return s == ESPL_NO_FILE ? ESPL_OK : s;
    for (char *line = text, *end; (end = memchr(line, '\n', (size_t)(text + bytes - line))); line = end + 1)
        *found |= read_epoch(line, (size_t)(end - line), epoch, loss, top1);
    espl__release(ctx, text);
    return ESPL_OK;
}

/* ---- lines ---- */

static json_t *begin_line(espl_run *run, bool resumed)
{
    static const char *const isa[] = { "plain", "avx2", "avx512" };
    const espl__plan *plan = run->fit.plan;
    json_t *line = json_object();

    json_object_set_new(line, "event", json_string(resumed ? "resume" : "begin"));
    json_object_set_new(line, "version", json_string(espl_version()));
    json_object_set_new(line, "isa", json_string(isa[espl__isa_here()]));
    json_object_set_new(line, "threads", count(espl__worker_count(run->ctx)));
    json_object_set_new(line, "time", count((int64_t)time(NULL)));
    json_object_set_new(line, "net", json_string(run->net->name));
    json_object_set_new(line, "parameters", count(espl_net_parameters(run->net)));
    json_object_set_new(line, "macs", count(espl_net_macs(run->net)));
    json_object_set_new(line, "classes", count(espl_data_classes(run->data)));
    json_object_set_new(line, "samples", count(espl_data_count(run->data, ESPL_TRAIN)));
    json_object_set_new(line, "held_out", count(espl_data_count(run->data, ESPL_HELD_OUT)));
    json_object_set_new(line, "epochs", count(run->recipe.options.epochs));
    json_object_set_new(line, "steps_per_epoch", count(run->steps_per_epoch));
    json_object_set_new(line, "batch", count(run->recipe.options.batch));
    if (run->progress.found_rate > 0)
        json_object_set_new(line, "found_rate", number(run->progress.found_rate));
    json_object_set_new(line, "seed", count(run->recipe.options.seed));
    json_object_set_new(line, "shard", count(espl__plan_shard_samples(plan)));
    json_object_set_new(line, "lanes", count(espl__plan_lanes(plan)));
    json_object_set_new(line, "planned_bytes", count((int64_t)run->result.planned_bytes));
    json_object_set_new(line, "step", count(run->progress.step));
    return line;
}

static json_t *rates_line(const espl_rates *rates)
{
    json_t *line = json_object(), *points = json_array();

    json_object_set_new(line, "event", json_string("find-rate"));
    json_object_set_new(line, "rate", number(rates->rate));
    json_object_set_new(line, "low", number(rates->low));
    json_object_set_new(line, "high", number(rates->high));
    json_object_set_new(line, "base", number(rates->base));
    json_object_set_new(line, "maximum", number(rates->maximum));
    json_object_set_new(line, "trusted", json_boolean(rates->trusted));
    json_object_set_new(line, "reason", json_string(rates->reason));
    for (int i = 0; i < rates->count; i++) {
        json_t *point = json_object();
        json_object_set_new(point, "rate", number(rates->points[i].rate));
        json_object_set_new(point, "loss", number(rates->points[i].loss));
        json_object_set_new(point, "smooth", number(rates->points[i].smooth));
        json_object_set_new(point, "training", number(rates->points[i].training));
        json_array_append_new(points, point);
    }
    json_object_set_new(line, "points", points);
    return line;
}

espl_status espl__log_begin(espl_run *run, bool resumed)
{
    espl_status s;

    if (!run->folder)
        return ESPL_OK;
    if ((s = espl__allocate(run->ctx, 1, sizeof *run->log, &run->log)))
        return s;
    espl__folder_path(run, "log.jsonl", run->log->path);
    if (resumed && (s = cut(run)))
        return s;
    run->log->file = fopen(run->log->path, resumed ? "ab" : "wb");
    if (!run->log->file)
        return espl__fail(run->ctx, ESPL_WRITE_FAILED, "%s: cannot be opened: %s", run->log->path,
                          strerror(errno));
    s = write_line(run, begin_line(run, resumed));
    return s || !run->fit.rates ? s : write_line(run, rates_line(run->fit.rates));
}

espl_status espl__log_epoch(espl_run *run, const espl_news *news)
{
    json_t *line;

    if (!run->log)
        return ESPL_OK;
    line = json_object();
    json_object_set_new(line, "event", json_string("epoch"));
    json_object_set_new(line, "epoch", count(news->epoch));
    json_object_set_new(line, "step", count(news->step));
    json_object_set_new(line, "loss", number(news->loss));
    json_object_set_new(line, "top1", number(news->top1));
    json_object_set_new(line, "held_out_loss", number(news->held_out_loss));
    json_object_set_new(line, "held_out_top1", number(news->held_out_top1));
    json_object_set_new(line, "rate", number(news->rate));
    json_object_set_new(line, "seconds", number(news->seconds));
    json_object_set_new(line, "images_per_second", number(news->images_per_second));
    json_object_set_new(line, "wait_seconds", number(news->wait_seconds));
    for (int i = 0; i < run->report_count; i++)
        json_object_set_new(line, run->report[i].name, number(run->report[i].value));
    return write_line(run, line);
}

static json_t *end_line(espl_run *run, espl_status how)
{
    const espl_result *r = &run->result;
    char hash[24];
    json_t *line = json_object();

    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)r->hash);
    json_object_set_new(line, "event",
                        json_string(how == ESPL_OK ? "end" : how == ESPL_INTERRUPTED ? "interrupted"
                                                                                     : "failed"));
    if (how)
        json_object_set_new(line, "message", json_string(espl_message(run->ctx)));
    json_object_set_new(line, "epochs", count(r->epochs));
    json_object_set_new(line, "steps", count(r->steps));
    json_object_set_new(line, "top1", number(r->top1));
    json_object_set_new(line, "top5", number(r->top5));
    json_object_set_new(line, "loss", number(r->loss));
    json_object_set_new(line, "best_epoch", count(run->progress.best_epoch));
    json_object_set_new(line, "seconds", number(r->seconds));
    json_object_set_new(line, "images_per_second", number(r->images_per_second));
    json_object_set_new(line, "wait_seconds", number(r->wait_seconds));
    json_object_set_new(line, "estimate_seconds", number(r->estimate_seconds));
    json_object_set_new(line, "planned_bytes", count((int64_t)r->planned_bytes));
    json_object_set_new(line, "peak_bytes", count((int64_t)r->peak_bytes));
    json_object_set_new(line, "step_allocations", count(r->step_allocations));
    json_object_set_new(line, "net", json_string(r->net_path));
    json_object_set_new(line, "hash", json_string(hash));
    return line;
}

espl_status espl__log_end(espl_run *run, espl_status how)
{
    char *text;

    if (!run->log || !run->log->file)
        return ESPL_OK;
    if (how == ESPL_OK)
        return write_line(run, end_line(run, how));
    /* the message of what went wrong must stay, so a second mishap is not reported */
    json_t *line = end_line(run, how);
    if ((text = json_dumps(line, FLAGS))) {
        fprintf(run->log->file, "%s\n", text);
        fflush(run->log->file);
    }
    free(text);
    json_decref(line);
    return ESPL_OK;
}

void espl__log_free(espl_run *run)
{
    if (!run->log)
        return;
    if (run->log->file)
        fclose(run->log->file);
    espl__release(run->ctx, run->log);
    run->log = NULL;
}
