/* `precision: bf16`: close to f32 for a residual net and for one of every operation that has no kernel for bf16
 * numbers of its own, in less memory; refused where the processor cannot. */
#include "execute/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "contract/small_net.h"

#define SIZE 12
#define PIXELS (3 * SIZE * SIZE)
#define SAMPLES 23
#define CLASSES 5

/* Every rounding moves a number by 2^-9 of itself at most, so that the error of n layers one after the other grows
 * as 2^-9 sqrt(n) or, where layers take differences (norms), a few times that. The nets below have up to 20
 * layers, each of which rounds its value and its gradient: 2^-9 * sqrt(40) = 0.012, times eight. */
#define CLOSE 0.1

typedef struct answers {
    double loss;
    float *gradients[64];
    size_t bytes;
} answers;

typedef espl__graph *(*maker)(espl_context *ctx, bool loss);

static espl_context *open_context(void)
{
    espl_context *ctx;

    assert_int_equal(espl_context_open(&(espl_context_settings){ .seed = 3, .threads = 2, .oversubscribe = true }, &ctx), 0);
    return ctx;
}

static espl__plan *open_plan(espl_net *net, const espl__graph *graph)
{
    espl__plan *plan;

    if (espl__plan_open(net, graph, &(espl__plan_settings){ .batch = SAMPLES, .training = true, .samples = 4 }, &plan))
        fail_msg("%s", espl_message(net->ctx));
    return plan;
}

static void run(espl__plan *plan)
{
    static float values[SAMPLES * PIXELS];
    static int32_t labels[SAMPLES];
    espl__random r = espl__random_at(espl__stream_of(1, "samples"), 0, 0);

    for (int i = 0; i < SAMPLES * PIXELS; i++)
        values[i] = espl__random_normal(&r);
    for (int i = 0; i < SAMPLES; i++)
        labels[i] = (int32_t)espl__random_below(&r, CLASSES);
    espl__plan_run(plan, &(espl__feed){ .count = SAMPLES, .values = values, .labels = labels, .parameters_changed = true });
}

static answers answers_of(maker make, espl_precision precision)
{
    espl_context *ctx = open_context();
    answers a = { 0 };
    espl_net *net;

    small_check(ctx, espl__net_open(make(ctx, false), "net", &net));
    espl__graph *graph = make(ctx, true);
    espl_net_set_precision(net, precision);
    espl__plan *plan = open_plan(net, graph);
    run(plan);
    for (int64_t i = 0; i < SAMPLES; i++)
        a.loss += (double)espl__plan_loss(plan, i) / SAMPLES;
    for (int p = 0; p < net->graph->parameter_count; p++) {
        const size_t bytes = (size_t)net->parameters[p].count * sizeof(float);
        if (espl__plan_gradient(plan, p))
            memcpy(a.gradients[p] = malloc(bytes), espl__plan_gradient(plan, p), bytes);
    }
    a.bytes = espl__plan_bytes(plan);
    espl__plan_free(plan);
    espl__graph_free(graph);
    espl_net_free(net);
    espl_context_free(ctx);
    return a;
}

/* Length of the difference of all gradients over their length. */
static double distance(maker make, const answers *a, const answers *b)
{
    espl_context *ctx = open_context();
    espl__graph *graph = make(ctx, true);
    double apart = 0, length = 0;

    for (int p = 0; p < graph->parameter_count; p++)
        for (int64_t i = 0; a->gradients[p] && i < espl__shape_size(graph->parameters[p].spec.shape); i++) {
            apart += pow((double)a->gradients[p][i] - (double)b->gradients[p][i], 2);
            length += pow((double)a->gradients[p][i], 2);
        }
    espl__graph_free(graph);
    espl_context_free(ctx);
    return sqrt(apart / length);
}

static espl__graph *blocked(espl_context *ctx, bool loss)
{
    return small_graph(ctx, 16, SIZE, loss);
}

static void check_close(maker make)
{
    const answers f32 = answers_of(make, ESPL_F32), bf16 = answers_of(make, ESPL_BF16);
    const double apart = distance(make, &f32, &bf16);

    if (!(fabs(f32.loss - bf16.loss) <= CLOSE * f32.loss))
        fail_msg("a loss of %g became %g", f32.loss, bf16.loss);
    if (!(apart <= CLOSE))
        fail_msg("the gradients are %g of their length apart", apart);
    if (make == blocked) /* others hold little but weights */
        assert_true(bf16.bytes < f32.bytes);
    for (int p = 0; p < 64; p++) {
        free(f32.gradients[p]);
        free(bf16.gradients[p]);
    }
}

static espl__graph *channels_last(espl_context *ctx, bool loss)
{
    return small_graph(ctx, 6, SIZE, loss);
}

static espl__graph *wide(espl_context *ctx, bool loss)
{
    return wide_graph(ctx, 8, SIZE, loss);
}

static void bf16_is_close_to_f32(void **unused)
{
    (void)unused;
    if (!espl__bf16_here())
        skip();
    check_close(blocked);
    check_close(channels_last);
    check_close(wide);
}

/* An operation with its attributes as they begin. */
static int add_plain(small_net *n, const char *op, int a, int b)
{
    const espl__op *found = espl__op_find(op);
    void *attributes = calloc(1, found->size ? found->size : 1);

    small_check(n->ctx, espl__options_begin(n->ctx, found->attributes, attributes));
    const int node = small_add(n, op, found->size ? attributes : NULL, a, b);
    free(attributes);
    return node;
}

/* Whatever takes a picture and needs no attributes, one after the other, with a path beside it. */
static espl__graph *mixture(espl_context *ctx, bool loss)
{
    static const char *const chain[] = { "leaky_relu", "group_norm", "prelu", "elu", "layer_norm", "gelu", "silu",
                                         "hard_swish", "bias", "selu", "hard_sigmoid", "tanh", "dropout" };
    small_net n = { .ctx = ctx };
    espl__dense dense = { .units = CLASSES, .bias = true };

    small_check(ctx, espl__graph_open(ctx, espl__shape_planes(3, SIZE, SIZE), &n.graph));
    int at = small_conv(&n, 0, 32, 3, 1);
    const int beside = add_plain(&n, "sigmoid", at, -1);
    for (int i = 0; i < ESPL__COUNT(chain); i++)
        at = add_plain(&n, chain[i], at, -1);
    at = add_plain(&n, "mul", add_plain(&n, "add", at, beside), beside);
    at = add_plain(&n, "concat", at, beside);
    at = add_plain(&n, "flatten", add_plain(&n, "global_max_pool", at, -1), -1);
    at = small_add(&n, "dense", &dense, at, -1);
    if (loss)
        small_add(&n, "softmax_cross_entropy", NULL, at, -1);
    return n.graph;
}

static void every_operation_runs(void **unused)
{
    (void)unused;
    if (!espl__bf16_here())
        skip();
    check_close(mixture);
}

static void refused_where_the_processor_cannot(void **unused)
{
    espl__plan *plan;
    espl_net *net;

    (void)unused;
    if (espl__bf16_here())
        skip();
    espl_context *ctx = open_context();
    espl__graph *graph = blocked(ctx, true);
    small_check(ctx, espl__net_open(blocked(ctx, false), "net", &net));
    espl_net_set_precision(net, ESPL_BF16);
    assert_int_equal(espl__plan_open(net, graph, &(espl__plan_settings){ .batch = 1 }, &plan), ESPL_UNSUPPORTED);
    assert_non_null(strstr(espl_message(ctx), "precision: f32"));
    espl__graph_free(graph);
    espl_net_free(net);
    espl_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bf16_is_close_to_f32),
        cmocka_unit_test(every_operation_runs),
        cmocka_unit_test(refused_where_the_processor_cannot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
