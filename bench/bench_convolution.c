/* 3x3 convolutions of one shard on one thread: our tiles of 4x4 and 2x2 beside oneDNN's direct kernels, in
 * turns and by the thread's own clock, so that what else the machine does counts little and meets both. One
 * JSON line a shape and role; "gflops" counts the multiplications of the plain sum. Run it pinned:
 *     taskset -c 1 bench_convolution [seconds a line] [text that a shape must contain] [avx512, avx2 or plain] */
#include "unit/kernels/kernel_rig.h"
#include "ops/conv2d.h"

#include <time.h>

#define ROUNDS_MAX 4096

typedef struct shape {
    int64_t in, out, size;
    int samples;
} shape;

static const shape shapes[] = {
    { 16, 16, 32, 16 }, { 32, 32, 16, 16 }, { 64, 64, 8, 16 }, { 16, 32, 32, 16 }, { 64, 64, 32, 4 }, { 128, 128, 16, 4 }, { 256, 256, 8, 4 }, { 64, 64, 56, 2 }, { 128, 128, 28, 2 }, { 256, 256, 14, 4 }, { 512, 512, 7, 8 }, { 64, 64, 4, 16 }, { 8, 8, 32, 16 }, { 64, 12, 32, 8 }, { 160, 12, 32, 2 }, { 256, 12, 16, 4 }, { 64, 64, 2, 16 }, { 512, 512, 2, 16 }, { 64, 64, 5, 16 }, { 64, 64, 6, 16 }, { 256, 256, 6, 8 }, { 512, 512, 4, 16 }, { 32, 32, 2, 16 }, { 128, 128, 3, 16 }, { 64, 64, 10, 16 }
};

static const char *const roles[] = { "forward", "backward_inputs", "backward_parameters" };

static rig rig_of(const shape *s, espl__conv2d *attributes, espl__isa isa, float *weights)
{
    rig r = { .samples = s->samples, .batch = s->samples };

    r.node.attributes = attributes;
    r.node.input_count = r.at.input_count = 1;
    r.node.parameter_count = 1;
    r.at.input[0] = espl__shape_planes(s->in, s->size, s->size);
    r.at.output = espl__shape_planes(s->out, s->size, s->size);
    const int64_t width = isa == ESPL__ISA_AVX512 ? 16 : 8;
    const bool blocked = s->in % width == 0 && s->out % width == 0; /* else channels last, as the plan does */
    r.at.input_block[0] = blocked ? width : s->in;
    r.at.output_block = blocked ? width : s->out;
    r.at.training = true;
    r.at.isa = isa;
    r.parameter[0] = weights;
    r.parameter_size[0] = s->in * s->out * 9;
    return r;
}

static void fill(rig *r)
{
    espl__random random = espl__random_at(espl__stream_of(5, "bench"), 0, 0);

    for (int64_t i = 0; i < r->samples * espl__shape_size(r->at.input[0]); i++)
        r->input[0][i] = 2 * espl__random_uniform(&random) - 1;
    for (int64_t i = 0; i < r->samples * espl__shape_size(r->at.output); i++)
        r->grad_output[i] = 2 * espl__random_uniform(&random) - 1;
}

/* Seconds this thread has worked. */
static double worked(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of one run. */
static double time_one(rig *r)
{
    float *pointers[4];
    const espl__call call = rig_call(r, 0, pointers);
    const double begin = worked();

    r->kernel->run(&call);
    return worked() - begin;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* What the role computes, in canonical order; the caller frees it. */
static float *result_of(rig *r, int64_t *count)
{
    const espl__shape side = r->kernel->role == ESPL__FORWARD ? r->at.output : r->at.input[0];
    const float *from = r->kernel->role == ESPL__FORWARD ? r->output : r->grad_input[0];

    *count = r->kernel->role == ESPL__BACKWARD_PARAMETERS ? r->parameter_size[0] : r->samples * espl__shape_size(side);
    float *result = calloc((size_t)*count, sizeof(float));
    if (r->kernel->role != ESPL__BACKWARD_PARAMETERS)
        memcpy(result, from, (size_t)*count * sizeof(float));
    else if (r->kernel->unpack)
        r->kernel->unpack(&r->at, r->state, 0, r->grad_parameter[0], result);
    else
        memcpy(result, r->grad_parameter[0], (size_t)*count * sizeof(float));
    return result;
}

/* Largest difference, relative to the root of the mean square. */
static double difference(rig *ours, rig *theirs)
{
    int64_t count;
    float *a = result_of(ours, &count), *b = result_of(theirs, &count);
    double largest = 0, squares = 0;

    for (int64_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs((double)a[i] - b[i]));
        squares += (double)b[i] * b[i];
    }
    free(a);
    free(b);
    return largest / sqrt(squares / (double)count);
}

/* A kernel ready to run on filled memory; false if it does not fit. */
static bool ready(rig *r, espl_context *ctx, const char *name)
{
    if (!rig_find(name) || !rig_open(r, ctx, rig_find(name)))
        return false;
    fill(r);
    rig_run(r);
    return true;
}

enum { TILES_4,
       TILES_2,
       ONEDNN,
       KERNELS };

static void bench(espl_context *ctx, const shape *s, const char *role, const char *variant, double seconds)
{
    static double times[KERNELS][ROUNDS_MAX];
    const espl__isa isa = !strcmp(variant, "avx512") ? ESPL__ISA_AVX512 : !strcmp(variant, "avx2") ? ESPL__ISA_AVX2
                                                                                                   : ESPL__ISA_PLAIN;
    espl__conv2d a = { .channels = s->out, .groups = 1 };
    float *weights = calloc((size_t)(s->in * s->out * 9), sizeof(float));
    char name[KERNELS][64];
    bool can[KERNELS];
    double speed[KERNELS];
    int rounds = 0;

    a.kernel = (espl_counts){ .count = 1, .item = { 3 } };
    a.stride = a.dilation = a.pad = (espl_counts){ .count = 1, .item = { 1 } };
    for (int64_t i = 0; i < s->in * s->out * 9; i++)
        weights[i] = (float)(i % 17) / 17 - 0.5f;
    rig rigs[KERNELS] = { rig_of(s, &a, isa, weights), rig_of(s, &a, isa, weights), rig_of(s, &a, isa, weights) };
    snprintf(name[TILES_4], sizeof name[0], "winograd_conv2d_%s_%s", role, variant);
    snprintf(name[TILES_2], sizeof name[0], "winograd_2x2_conv2d_%s_%s", role, variant);
    snprintf(name[ONEDNN], sizeof name[0], "onednn_conv2d_%s", role);
    for (int k = 0; k < KERNELS; k++)
        can[k] = ready(&rigs[k], ctx, name[k]);
    for (const double end = espl__now() + seconds; rounds < ROUNDS_MAX && (rounds < 3 || espl__now() < end); rounds++)
        for (int k = 0; k < KERNELS; k++)
            times[k][rounds] = can[k] ? time_one(&rigs[k]) : 0;
    const double work = 18e-9 * (double)(s->in * s->out * s->size * s->size * s->samples);
    for (int k = 0; k < KERNELS; k++) {
        qsort(times[k], (size_t)rounds, sizeof(double), compare);
        speed[k] = can[k] ? work / times[k][rounds / 2] : 0;
    }
    const espl__kernel *four = rig_find(name[TILES_4]), *two = rig_find(name[TILES_2]);
    printf("{\"shape\": \"n%d %lldx%lld>%lld\", \"role\": \"%s\", \"isa\": \"%s\", \"tiles_4x4_gflops\": %.1f, "
           "\"tiles_2x2_gflops\": %.1f, \"onednn_gflops\": %.1f, \"chosen\": \"%s\", \"error\": %.2g, \"rounds\": %d}\n",
           s->samples, (long long)s->in, (long long)s->size, (long long)s->out, role, variant, speed[TILES_4],
           speed[TILES_2], speed[ONEDNN],
           can[TILES_4] && four->pays(&rigs[TILES_4].at)  ? "4x4"
           : can[TILES_2] && two->pays(&rigs[TILES_2].at) ? "2x2"
                                                          : "direct",
           can[TILES_4] && can[ONEDNN] ? difference(&rigs[TILES_4], &rigs[ONEDNN]) : 0, rounds);
    fflush(stdout);
    for (int k = 0; k < KERNELS; k++)
        if (can[k])
            rig_free(&rigs[k]);
    free(weights);
}

int main(int argc, char **argv)
{
    static const char *const names[] = { "plain", "avx2", "avx512" };
    const double seconds = argc > 1 ? atof(argv[1]) : 0.3;
    const char *wanted = argc > 2 ? argv[2] : "", *variant = argc > 3 ? argv[3] : names[espl__isa_here()];
    espl_context *ctx;

    if (espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx))
        return 1;
    for (int i = 0; i < ESPL__COUNT(shapes); i++)
        for (int j = 0; j < ESPL__COUNT(roles); j++) {
            char text[64];
            snprintf(text, sizeof(text), "%lldx%lld>%lld %s", (long long)shapes[i].in, (long long)shapes[i].size,
                     (long long)shapes[i].out, roles[j]);
            if (strstr(text, wanted))
                bench(ctx, &shapes[i], roles[j], variant, seconds);
        }
    espl_context_free(ctx);
    return 0;
}
