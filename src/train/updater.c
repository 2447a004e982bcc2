/* One pass of the optimizer; see updater.h. */
#include "train/updater.h"

#include "kernels/wide.h"

#include <math.h>
#include <string.h>

#define BLOCK 2048 /* floats: value, gradient and two states are 32 KiB */

typedef struct block {
    int parameter;
    int64_t offset, count;
} block;

struct espl__updater {
    espl_context *ctx;
    espl_net *net;
    const espl__optimizer *optimizer;
    void *options; /* a copy, in which momentum may change from step to step */
    int parameter_count, state_count;
    float **states; /* state_count x parameter_count */
    int64_t *times;
    double *rates; /* of each parameter, by which the rate of a step is multiplied */
    int64_t block_count;
    block *blocks;
    double *partial; /* of each block */
    bool *sick;      /* a gradient of the block was not finite */
};

/* What a pass needs to know; each worker takes a contiguous part of the blocks. */
typedef struct pass {
    espl__updater *updater;
    float *const *gradients;
    float *const *part;
    double factor, rate;
    bool first;
    const espl__block_hook *hooks;
    int hook_count;
    void (*visit)(const struct pass *pass, int64_t index);
} pass;

static void visit_blocks(void *argument, int worker, int workers)
{
    const pass *p = argument;
    const int64_t count = p->updater->block_count;

    for (int64_t i = count * worker / workers; i < count * (worker + 1) / workers; i++)
        p->visit(p, i);
}

static void walk(pass *p)
{
    espl__workers_run(p->updater->ctx, visit_blocks, p);
}

double espl__tree_sum(const double *values, int64_t count)
{
    if (count <= 1)
        return count ? values[0] : 0;
    const int64_t half = count / 2;
    return espl__tree_sum(values, half) + espl__tree_sum(values + half, count - half);
}

bool espl__parameter_trains(const espl_net *net, int parameter)
{
    return !net->parameters[parameter].frozen &&
           net->graph->parameters[parameter].spec.kind != ESPL_BUFFER;
}

/* ---- norm and gathering ---- */

static void square_block(const pass *p, int64_t index)
{
    const block *b = &p->updater->blocks[index];
    const float *g = p->gradients[b->parameter] + b->offset;
    double sum[4] = { 0 };
    int64_t i = 0;

    for (; i + 4 <= b->count; i += 4)
        for (int k = 0; k < 4; k++)
            sum[k] += (double)g[i + k] * (double)g[i + k];
    for (; i < b->count; i++)
        sum[0] += (double)g[i] * (double)g[i];
    p->updater->partial[index] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

double espl__updater_norm(espl__updater *updater, float *const *gradients)
{
    walk(&(pass){ .updater = updater, .gradients = gradients, .visit = square_block });
    return sqrt(espl__tree_sum(updater->partial, updater->block_count));
}

static void gather_block(const pass *p, int64_t index)
{
    const block *b = &p->updater->blocks[index];
    float *restrict total = p->gradients[b->parameter] + b->offset;
    const float *restrict part = p->part[b->parameter] + b->offset;
    const float scale = (float)p->factor;

    if (p->first) {
        for (int64_t i = 0; i < b->count; i++)
            total[i] = scale * part[i];
    } else {
        for (int64_t i = 0; i < b->count; i++)
            total[i] += scale * part[i];
    }
}

void espl__updater_gather(espl__updater *updater, float *const *total, float *const *part, double scale,
                          bool first)
{
    walk(&(pass){ .updater = updater, .gradients = total, .part = part, .factor = scale, .first = first, .visit = gather_block });
}

/* ---- the update ---- */

/* Scales, and says whether every value is finite: 0 * x is 0 only then. */
static ESPL__WIDE_BODY void scale_body(float *restrict gradient, int64_t count, float factor, bool *finite)
{
    float zero[16] = { 0 };
    int64_t i = 0;

    if (factor != 1)
        for (int64_t k = 0; k < count; k++)
            gradient[k] *= factor;
    for (; i + 16 <= count; i += 16)
        for (int k = 0; k < 16; k++)
            zero[k] += gradient[i + k] * 0.0f;
    for (; i < count; i++)
        zero[0] += gradient[i] * 0.0f;
    for (int k = 1; k < 16; k++)
        zero[0] += zero[k];
    *finite = zero[0] == 0;
}
ESPL__WIDE(scale_gradient, scale_body, (float *restrict gradient, int64_t count, float factor, bool *finite),
           (gradient, count, factor, finite))

static void call_hooks(const pass *p, espl_block *at, bool before)
{
    float *kept[ESPL__KEPT_MAX];

    for (int h = 0; h < p->hook_count; h++) {
        const espl__block_hook *hook = &p->hooks[h];
        void (*call)(void *, const espl_block *) =
            before ? hook->technique->before_update : hook->technique->after_update;
        if (!call)
            continue;
        for (int k = 0; k < hook->technique->kept_per_parameter; k++)
            kept[k] = hook->kept[k * p->updater->parameter_count + at->parameter] + at->offset;
        at->kept = kept;
        call(hook->self, at);
    }
}

static void update_block(const pass *p, int64_t index)
{
    espl__updater *u = p->updater;
    const block *b = &u->blocks[index];
    const espl__optimizer_common *common = u->options;
    espl_block at = {
        .value = u->net->parameters[b->parameter].value + b->offset,
        .gradient = p->gradients[b->parameter] + b->offset,
        .count = b->count,
        .offset = b->offset,
        .parameter = b->parameter,
        .kind = u->net->graph->parameters[b->parameter].spec.kind,
        .rate = p->rate * u->rates[b->parameter],
    };
    const double decay = at.kind == ESPL_WEIGHT ? common->decay : 0;
    float *state[ESPL__STATES_MAX] = { NULL };
    bool finite;

    scale_gradient(at.gradient, at.count, (float)p->factor, &finite);
    u->sick[index] = !finite;
    call_hooks(p, &at, true);
    if (decay > 0 && !u->optimizer->decoupled)
        for (int64_t i = 0; i < at.count; i++)
            at.gradient[i] += (float)decay * at.value[i];
    for (int s = 0; s < u->state_count; s++)
        state[s] = u->states[s * u->parameter_count + b->parameter] + b->offset;
    u->optimizer->update(u->options, &(espl__update){ .value = at.value,
                                                      .gradient = at.gradient,
                                                      .state = state,
                                                      .count = at.count,
                                                      .times = u->times[b->parameter],
                                                      .rate = at.rate,
                                                      .decay = decay });
    call_hooks(p, &at, false);
}

int espl__updater_run(espl__updater *updater, float *const *gradients, double factor, double rate,
                      const espl__block_hook *hooks, int hook_count)
{
    for (int i = 0; i < updater->parameter_count; i++)
        updater->times[i] += espl__parameter_trains(updater->net, i);
    walk(&(pass){ .updater = updater, .gradients = gradients, .factor = factor, .rate = rate, .hooks = hooks, .hook_count = hook_count, .visit = update_block });
    for (int64_t i = 0; i < updater->block_count; i++)
        if (updater->sick[i])
            return updater->blocks[i].parameter;
    return -1;
}

void espl__updater_set_rate(espl__updater *u, int parameter, double factor)
{
    u->rates[parameter] = factor;
}

void espl__updater_set_momentum(espl__updater *u, double momentum)
{
    if (u->optimizer->momentum)
        memcpy((char *)u->options + u->optimizer->momentum, &momentum, sizeof momentum);
}

/* ---- opening ---- */

static int64_t cut(const espl_net *net, block *blocks)
{
    int64_t count = 0;

    for (int i = 0; i < net->graph->parameter_count; i++) {
        if (!espl__parameter_trains(net, i))
            continue;
        for (int64_t at = 0; at < net->parameters[i].count; at += BLOCK, count++) {
            const int64_t left = net->parameters[i].count - at;
            if (blocks)
                blocks[count] = (block){ i, at, left < BLOCK ? left : BLOCK };
        }
    }
    return count;
}

/* The optimizer's tensors of one parameter: there while it trains. */
static espl_status match_states(espl__updater *u, int parameter)
{
    const bool trains = espl__parameter_trains(u->net, parameter);
    espl_status s = ESPL_OK;

    for (int k = 0; k < u->state_count && !s; k++) {
        float **state = &u->states[k * u->parameter_count + parameter];
        if (trains && !*state)
            s = espl__allocate(u->ctx, (size_t)u->net->parameters[parameter].count, sizeof(float), state);
        else if (!trains) {
            espl__release(u->ctx, *state);
            *state = NULL;
        }
    }
    if (!trains)
        u->times[parameter] = 0;
    return s;
}

static void free_blocks(espl__updater *u)
{
    espl__release(u->ctx, u->sick);
    espl__release(u->ctx, u->partial);
    espl__release(u->ctx, u->blocks);
    u->sick = NULL;
    u->partial = NULL;
    u->blocks = NULL;
}

espl_status espl__updater_match(espl__updater *u)
{
    espl_status s = ESPL_OK;

    free_blocks(u);
    u->block_count = cut(u->net, NULL);
    const size_t blocks = (size_t)u->block_count;
    if ((s = espl__allocate(u->ctx, blocks, sizeof *u->blocks, &u->blocks)) ||
        (s = espl__allocate(u->ctx, blocks, sizeof *u->partial, &u->partial)) ||
        (s = espl__allocate(u->ctx, blocks, sizeof *u->sick, &u->sick)))
        return s;
    cut(u->net, u->blocks);
    for (int i = 0; i < u->parameter_count && !s; i++)
        s = match_states(u, i);
    return s;
}

espl_status espl__updater_open(espl_net *net, const espl__optimizer *optimizer, const void *options,
                               espl__updater **result)
{
    espl_context *ctx = net->ctx;
    espl__updater *u = NULL;
    espl_status s;

    *result = NULL;
    if ((s = espl__allocate(ctx, 1, sizeof *u, &u)))
        return s;
    u->ctx = ctx;
    u->net = net;
    u->optimizer = optimizer;
    u->parameter_count = net->graph->parameter_count;
    u->state_count = espl__optimizer_states(optimizer, options);
    const size_t parameters = (size_t)u->parameter_count;
    if ((s = espl__allocate(ctx, parameters, sizeof *u->times, &u->times)) ||
        (s = espl__allocate(ctx, parameters, sizeof *u->rates, &u->rates)) ||
        (s = espl__allocate(ctx, parameters * (size_t)u->state_count, sizeof *u->states, &u->states)) ||
        (s = espl__allocate(ctx, 1, optimizer->size, &u->options)) || (s = espl__updater_match(u))) {
        espl__updater_free(u);
        return s;
    }
    memcpy(u->options, options, optimizer->size);
    for (int i = 0; i < u->parameter_count; i++)
        u->rates[i] = 1;
    *result = u;
    return ESPL_OK;
}

void espl__updater_free(espl__updater *u)
{
    if (!u)
        return;
    for (int i = 0; u->states && i < u->state_count * u->parameter_count; i++)
        espl__release(u->ctx, u->states[i]);
    espl__release(u->ctx, u->states);
    espl__release(u->ctx, u->options);
    espl__release(u->ctx, u->rates);
    espl__release(u->ctx, u->times);
    free_blocks(u);
    espl__release(u->ctx, u);
}

int espl__updater_states(const espl__updater *updater)
{
    return updater->state_count;
}

float *espl__updater_state(espl__updater *updater, int state, int parameter)
{
    return updater->states[state * updater->parameter_count + parameter];
}

int64_t *espl__updater_times(espl__updater *updater)
{
    return updater->times;
}
