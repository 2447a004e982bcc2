/* A schedule in a run of which only the clock exists: 10 epochs of 100 steps at a rate of 0.1. The steps
 * are set by hand and the rate is asked for. Include after cmocka.h. */
#ifndef ESPL_SCHEDULE_RIG_H
#define ESPL_SCHEDULE_RIG_H

#include "train/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define RIG_RATE 0.1
#define RIG_STEPS 1000
#define RIG_EPOCH 100

typedef struct rig {
    espl_context *ctx;
    espl_run run;
    espl__optimizer_common optimizer;
} rig;

static inline void rig_open(rig *r)
{
    memset(r, 0, sizeof *r);
    assert_int_equal(espl_context_open(NULL, &r->ctx), ESPL_OK);
    r->optimizer.rate = RIG_RATE;
    r->run.ctx = r->ctx;
    r->run.recipe.options.epochs = RIG_STEPS / RIG_EPOCH;
    r->run.recipe.optimizer_options = &r->optimizer;
    r->run.steps_per_epoch = RIG_EPOCH;
}

static inline void rig_close(rig *r)
{
    espl__members_free(&r->run);
    assert_int_equal(espl__bytes_now(r->ctx), 0);
    espl_context_free(r->ctx);
}

/* Adds the technique and lets it check itself as at the beginning of a run. */
static inline espl_status rig_begin(rig *r, const char *name, const char *options)
{
    const espl_status s = espl_run_attach(&r->run, name, options);

    return s ? s : espl__moment(&r->run, ESPL_RUN_BEGIN);
}

static inline double rig_rate(rig *r, int64_t step)
{
    r->run.progress.step = step;
    assert_int_equal(espl__moment(&r->run, ESPL_STEP_BEGIN), ESPL_OK);
    return espl_run_rate(&r->run);
}

static inline void rig_close_to(double got, double expected)
{
    if (!(fabs(got - expected) <= 1e-12 * fabs(expected) + 1e-15))
        fail_msg("got %.15g, expected %.15g", got, expected);
}

typedef struct rig_point {
    int64_t step;
    double rate;
} rig_point;

/* The rates at some steps; they depend on the step alone, so they are asked for out of order, too. */
static inline void rig_check(const char *name, const char *options, const rig_point *points, int count)
{
    rig r;

    rig_open(&r);
    if (rig_begin(&r, name, options))
        fail_msg("%s", espl_message(r.ctx));
    for (int i = 0; i < count; i++)
        rig_close_to(rig_rate(&r, points[i].step), points[i].rate);
    for (int i = count - 1; i >= 0; i--)
        rig_close_to(rig_rate(&r, points[i].step), points[i].rate);
    rig_close(&r);
}

/* Refused with a message that has these words. */
static inline void rig_refuses(const char *name, const char *options, const char *words)
{
    rig r;

    rig_open(&r);
    if (rig_begin(&r, name, options) != ESPL_BAD_OPTION || !strstr(espl_message(r.ctx), name) ||
        !strstr(espl_message(r.ctx), words))
        fail_msg("%s {%s}: %s", name, options, espl_message(r.ctx));
    rig_close(&r);
}

/* The steps at whose end a cycle ends, in the whole run. */
static inline void rig_cycles(const char *name, const char *options, const int64_t *ends, int count)
{
    int found = 0;
    rig r;

    rig_open(&r);
    if (rig_begin(&r, name, options))
        fail_msg("%s", espl_message(r.ctx));
    assert_true(espl_run_has_cycles(&r.run));
    for (int64_t step = 0; step < RIG_STEPS; step++) {
        r.run.fit.cycle_left = -1;
        rig_rate(&r, step);
        if (r.run.fit.cycle_left)
            continue;
        if (found == count || ends[found] != step)
            fail_msg("%s {%s}: a cycle ends at step %d", name, options, (int)step);
        found++;
    }
    assert_int_equal(found, count);
    rig_close(&r);
}

static inline void rig_note(void *user, espl_level level, const char *line)
{
    if (level == ESPL_WARNING)
        snprintf(user, 512, "%s", line);
}

/* It begins with a warning that has these words, or without any (NULL). */
static inline void rig_warns(const char *name, const char *options, const char *words)
{
    char warning[512] = "";
    rig r;

    rig_open(&r);
    espl_context_free(r.ctx);
    assert_int_equal(espl_context_open(&(espl_context_settings){ .log = rig_note, .user = warning }, &r.ctx),
                     ESPL_OK);
    r.run.ctx = r.ctx;
    assert_int_equal(rig_begin(&r, name, options), ESPL_OK);
    if (words ? !strstr(warning, words) || !strstr(warning, name) : *warning)
        fail_msg("%s {%s}: \"%s\"", name, options, warning);
    rig_close(&r);
}

#define RIG_CHECK(name, options, ...)                            \
    rig_check(name, options, (const rig_point[]){ __VA_ARGS__ }, \
              (int)(sizeof((const rig_point[]){ __VA_ARGS__ }) / sizeof(rig_point)))

#endif
