/* Reading a run's log; see run_history.h. */
#include "report/run_history.h"

#include <jansson.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LOG_MAX ((size_t)1 << 28)

static const char *const keys[] = { "epoch", "loss", "top1", "held_out_loss", "held_out_top1", "rate" };

static double real_of(const json_t *line, const char *key)
{
    const json_t *value = json_object_get(line, key);

    return json_is_number(value) ? json_number_value(value) : NAN;
}

static int64_t count_of(const json_t *line, const char *key)
{
    return json_integer_value(json_object_get(line, key));
}

static void take_begin(espl__run_history *h, const json_t *line)
{
    const char *net = json_string_value(json_object_get(line, "net"));

    snprintf(h->net, sizeof h->net, "%s", net ? net : "");
    h->parameters = count_of(line, "parameters");
    h->samples = count_of(line, "samples");
    h->held_out = count_of(line, "held_out");
    h->epochs = count_of(line, "epochs");
    h->batch = count_of(line, "batch");
    h->seed = count_of(line, "seed");
}

static bool take_points(espl_rates *rates, const json_t *points)
{
    const size_t n = json_array_size(points);

    if (n > ESPL_RATE_POINTS_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        const json_t *point = json_array_get(points, i);
        rates->points[i] = (espl_rate_point){ real_of(point, "rate"), real_of(point, "loss"), real_of(point, "smooth"),
                                              real_of(point, "training") };
    }
    rates->count = (int)n;
    return true;
}

static bool take_rates(espl_rates *rates, const json_t *line)
{
    const char *reason = json_string_value(json_object_get(line, "reason"));

    rates->rate = real_of(line, "rate");
    rates->low = real_of(line, "low");
    rates->high = real_of(line, "high");
    rates->trusted = json_is_true(json_object_get(line, "trusted"));
    snprintf(rates->reason, sizeof rates->reason, "%s", reason ? reason : "");
    return take_points(rates, json_object_get(line, "points"));
}

static void take_epoch(espl__run_history *h, const json_t *line)
{
    for (int k = 0; k < ESPL__HISTORY_COLUMNS; k++)
        h->column[k][h->count] = real_of(line, keys[k]);
    h->count++;
}

static bool take_line(espl__run_history *h, const char *text, size_t length)
{
    json_t *line = json_loadb(text, length, 0, NULL);
    const char *event = json_string_value(json_object_get(line, "event"));

    if (event && (strcmp(event, "begin") == 0 || strcmp(event, "resume") == 0))
        take_begin(h, line);
    else if (event && strcmp(event, "epoch") == 0)
        take_epoch(h, line);
    const bool taken = event && (strcmp(event, "find-rate") != 0 || take_rates(&h->rates, line));
    json_decref(line);
    return taken;
}

static espl_status take_all(espl__run_history *h, const char *path, const char *text)
{
    int64_t number = 0;

    for (const char *at = text, *end; *at; at = *end ? end + 1 : end) {
        end = strchr(at, '\n') ? strchr(at, '\n') : at + strlen(at);
        number++;
        if (end > at && !take_line(h, at, (size_t)(end - at)))
            return espl__fail(h->ctx, ESPL_BAD_FILE, "%s: line %lld is none of a run's log: each is a JSON object with an event",
                              path, (long long)number);
    }
    if (*h->net)
        return ESPL_OK;
    return espl__fail(h->ctx, ESPL_BAD_FILE, "%s: does not say which net was trained: it is no run's log", path);
}

static size_t count_lines(const char *text)
{
    size_t lines = 1;

    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

espl_status espl__history_read(espl_context *ctx, const char *folder, espl__run_history *result)
{
    char path[1100], *text = NULL;
    size_t bytes = 0;
    espl_status s;

    *result = (espl__run_history){ .ctx = ctx };
    if (snprintf(path, sizeof path, "%s/log.jsonl", folder) >= (int)sizeof path)
        return espl__fail(ctx, ESPL_BAD_OPTION, "the name of the run's folder is too long");
    if ((s = espl__file_read(ctx, path, LOG_MAX, &text, &bytes)))
        return s;
    for (int k = 0; k < ESPL__HISTORY_COLUMNS && !s; k++)
        s = espl__allocate(ctx, count_lines(text), sizeof(double), &result->column[k]);
    if (!s)
        s = take_all(result, path, text);
    espl__release(ctx, text);
    return s;
}

void espl__history_free(espl__run_history *h)
{
    for (int k = 0; k < ESPL__HISTORY_COLUMNS; k++)
        espl__release(h->ctx, h->column[k]);
}
