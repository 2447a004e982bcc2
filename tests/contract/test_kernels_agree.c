/* Every kernel of the registry against the reference kernel of the same op and role, over all cases
 * of its op, several batches, all layouts it fits and every instruction set this processor has. A
 * new line in kernels.def is tested with no new test code; a kernel that no case reaches fails, and
 * so does one that writes past a buffer or leaves what is not a number.
 *
 * How far results may differ follows from the sums behind them: n terms of size t, summed in single
 * precision in any order, are off by about n * t * 2^-24 at most; four times that is allowed, and
 * sixteen roundings of the result itself. Winograd convolution is about ten times as far off
 * (techniques of Lavin and Gray, arXiv:1509.09308), and may be.
 *
 * Kernels for bf16 numbers are given numbers that are of this type already, and so is their reference. What
 * they store is off by 2^-9 of itself for each time it is stored (overlapping windows of a pooling: four
 * times), and n products with rounded weights by the sum of n independent roundings, for which four standard
 * deviations of a uniform error are allowed. */
#include "op_cases.h"

static const struct batch {
    int samples, shards, last;
} batches[] = { { 1, 1, 1 }, { 4, 1, 4 }, { 3, 3, 1 } };

static const int64_t wishes[] = { 1, 8, 16, 0 };

/* What the results of an op are made of. */
typedef enum made_of { COPIES,
                       ELEMENTS,
                       PRODUCTS,
                       SUMS } made_of;

static const struct {
    const char *op;
    made_of of;
} materials[] = {
    { "conv2d", PRODUCTS },
    { "dense", PRODUCTS },
    { "bias", SUMS },
    { "batch_norm", SUMS },
    { "layer_norm", SUMS },
    { "group_norm", SUMS },
    { "add", ELEMENTS },
    { "mul", SUMS },
    { "concat", COPIES },
    { "slice", COPIES },
    { "pad", COPIES },
    { "max_pool", SUMS },
    { "avg_pool", SUMS },
    { "global_avg_pool", SUMS },
    { "global_max_pool", COPIES },
    { "relu", COPIES },
    { "relu6", COPIES },
    { "prelu", SUMS },
    { "softmax", SUMS },
    { "combine", SUMS },
    { "flatten", COPIES },
    { "reshape", COPIES },
    { "transpose", COPIES },
    { "resize", SUMS },
    { "softmax_cross_entropy", SUMS },
    { "distillation", SUMS },
    { "binary_cross_entropy", SUMS },
    { "mean_squared_error", SUMS },
    { NULL, ELEMENTS }, /* the other activations, dropout */
};

static made_of material_of(const char *op)
{
    int i = 0;

    while (materials[i].op && strcmp(materials[i].op, op) != 0)
        i++;
    return materials[i].of;
}

static bool is_reference(const espl__kernel *kernel)
{
    return strncmp(kernel->name, "reference_", strlen("reference_")) == 0;
}

/* Kernels that some case has reached, by their place in the registry. */
static bool reached[1024];

/* ---- comparing ---- */

typedef enum result_kind { OUTPUT,
                           GRAD_INPUT,
                           GRAD_PARAMETER,
                           STATISTICS } result_kind;
static const char *const kind_names[] = { "output", "gradient of input", "gradient of parameter",
                                          "statistics" };

/* Terms in the longest sum behind a result. */
static double terms_of(const one_node *o, result_kind kind)
{
    const double all = (double)o->batch * (double)espl__shape_pixels(o->shape.output);

    switch (material_of(o->node.op->name)) {
    case COPIES:
    case ELEMENTS:
        return 0;
    case PRODUCTS:
        if (kind == OUTPUT)
            return (double)o->shape.macs / (double)espl__shape_size(o->shape.output);
        if (kind == GRAD_INPUT)
            return (double)one_parameter_size(o, 0) / (double)o->shape.input[0].dim[0];
        return all;
    default:
        return fmax(all * (double)o->shape.output.dim[0],
                    (double)espl__shape_size(o->shape.input[0])) /
               (o->shape.parameter_count ? (double)o->shape.output.dim[0] : 1);
    }
}

/* What storing in bf16 adds. Gradients of parameters and statistics are floats. */
static double rounding_of(const one_node *o, result_kind kind, double largest)
{
    const bool products = material_of(o->node.op->name) == PRODUCTS;

    if (!o->at.bf16 || kind == GRAD_PARAMETER || kind == STATISTICS)
        return 0;
    return 0x1p-9 * (4 * largest + (products ? 4 * sqrt(terms_of(o, kind) / 3) : 0));
}

static double tolerance_of(const one_node *o, const espl__kernel *kernel, result_kind kind,
                           double largest)
{
    const double unit = 0x1p-24, off = strstr(kernel->name, "winograd") ? 10 : 1;
    const double term =
        material_of(o->node.op->name) == SUMS || o->shape.parameter_count > 2 ? 3 : 1;

    if (material_of(o->node.op->name) == COPIES)
        return 0;
    return off * unit * (4 * term * terms_of(o, kind) + 16 * fmax(largest, term)) +
           rounding_of(o, kind, largest);
}

static void compare(const one_node *o, const espl__kernel *kernel, result_kind kind, int which,
                    const float *found, const float *truth, int64_t count)
{
    char in[96], out[96];
    double largest = 0;

    assert_non_null(found);
    assert_non_null(truth);
    for (int64_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(truth[i]));
    const double tolerance = tolerance_of(o, kernel, kind, largest);
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)found[i] - truth[i]) <= tolerance))
            fail_msg("%s (%s -> %s, %d shards of %d, blocks %d and %d, isa %d): %s %d [%d] is "
                     "%.9g, the reference "
                     "says %.9g, tolerance %.3g",
                     kernel->name, espl__shape_text(o->shape.input[0], in),
                     espl__shape_text(o->shape.output, out), o->shards, o->samples,
                     (int)o->at.input_block[0], (int)o->at.output_block, (int)o->at.isa,
                     kind_names[kind], which, (int)i, found[i], truth[i], tolerance);
}

/* What the kernel gave must agree; what others gave on its behalf is not looked at. */
static void compare_results(const one_node *o, const espl__kernel *kernel, const one_result *r,
                            const one_result *truth)
{
    const espl__role role = kernel->role;

    if (role == ESPL__FORWARD) {
        compare(o, kernel, OUTPUT, 0, r->output, truth->output,
                o->batch * espl__shape_size(o->shape.output));
        for (int p = 0; p < o->shape.parameter_count; p++)
            if (o->shape.parameter[p].kind == ESPL_BUFFER)
                compare(o, kernel, STATISTICS, p, r->parameter[p], truth->parameter[p],
                        one_parameter_size(o, p));
        return;
    }
    for (int i = 0;
         role != ESPL__BACKWARD_PARAMETERS && !o->no_input_gradients && i < o->shape.input_count;
         i++)
        compare(o, kernel, GRAD_INPUT, i, r->grad_input[i], truth->grad_input[i],
                o->batch * espl__shape_size(o->shape.input[i]));
    for (int p = 0; role != ESPL__BACKWARD_INPUTS && !o->no_parameter_gradients &&
                    p < o->shape.parameter_count;
         p++)
        if (o->shape.parameter[p].kind != ESPL_BUFFER)
            compare(o, kernel, GRAD_PARAMETER, p, r->grad_parameter[p], truth->grad_parameter[p],
                    one_parameter_size(o, p));
}

/* ---- which forward kernel goes before a backward one ---- */

/* "vector_x_backward_avx2" follows "vector_x_forward_avx2", others what the plan would take; NULL
 * if nothing of the forward run is read. */
static const espl__kernel *partner_of(const one_node *o, const espl__kernel *backward)
{
    const char *word = strstr(backward->name, "_backward");
    const espl__kernel *kernel, *first = NULL;
    espl__case at = o->at;
    char name[128] = "";

    if (backward->role != ESPL__BACKWARD && !(o->node.op->reads & ESPL__READS_OUTPUT))
        return NULL;
    at.role = ESPL__FORWARD;
    if (word)
        snprintf(name, sizeof name, "%.*s_forward%s", (int)(word - backward->name), backward->name,
                 word + strlen("_backward"));
    for (int i = 0; (kernel = espl__kernel_at(i)); i++) {
        if (kernel->role != ESPL__FORWARD || strcmp(kernel->op, backward->op) != 0 ||
            !espl__kernel_fits(kernel, &at))
            continue;
        if (strcmp(kernel->name, name) == 0)
            return kernel;
        first = first ? first : kernel; /* the plan would take it */
    }
    return first;
}

/* ---- one case ---- */

static bool run_kernel(const one_node *o, const espl__kernel *kernel, one_result *r)
{
    const espl__kernel *const backward[] = { kernel, NULL };
    const bool forward = kernel->role == ESPL__FORWARD;

    return one_run(o, forward ? kernel : partner_of(o, kernel), forward ? NULL : backward, r);
}

/* Frozen parameters and inputs that nobody asks about: the rest must not change. */
static void try_parts(one_node *o, const espl__kernel *kernel, const one_result *truth)
{
    one_result r;

    if (kernel->role != ESPL__BACKWARD || !o->shape.parameter_count)
        return;
    for (int part = 0; part < 2; part++) {
        o->no_input_gradients = part == 0;
        o->no_parameter_gradients = part == 1;
        if (run_kernel(o, kernel, &r)) {
            compare_results(o, kernel, &r, truth);
            one_result_free(&r);
        }
    }
    o->no_input_gradients = o->no_parameter_gradients = false;
}

/* One kernel in one layout. */
static void try_layout(one_node *o, int index, const one_result *truth)
{
    const espl__kernel *kernel = espl__kernel_at(index);
    one_result r;

    if (!run_kernel(o, kernel, &r))
        return;
    reached[index] = true;
    compare_results(o, kernel, &r, truth);
    one_result_free(&r);
    try_parts(o, kernel, truth);
}

/* Wishes that come to the same layouts are tried once. */
static void try_layouts(one_node *o, int index, const one_result *truth)
{
    int64_t tried[16][ESPL__COUNT(op_cases->input) + 1];
    int count = 0;

    for (int in = 0; in < ESPL__COUNT(wishes); in++)
        for (int out = 0; out < ESPL__COUNT(wishes); out++) {
            bool fresh = true;
            one_set_blocks(o, wishes[in], wishes[out]);
            memset(tried[count], 0, sizeof *tried);
            memcpy(tried[count], o->at.input_block, (size_t)o->shape.input_count * sizeof **tried);
            tried[count][o->shape.input_count] = o->at.output_block;
            for (int i = 0; i < count; i++)
                fresh = fresh && memcmp(tried[i], tried[count], sizeof *tried);
            if (fresh)
                try_layout(o, index, truth);
            count += fresh;
        }
}

/* Does the kernel look at the instruction set? Others need no trying on lower ones. */
static bool has_variants(const espl__kernel *kernel)
{
    return strstr(kernel->name, "_plain") || strstr(kernel->name, "_avx");
}

/* The reference kernels gave the truth; their layouts are the gradient check's business. */
static void note_reference(const one_node *o, int index)
{
    espl__case at = o->at;

    at.role = espl__kernel_at(index)->role;
    reached[index] = reached[index] || espl__kernel_at(index)->fits(&at);
}

/* A backward kernel must not claim a gradient that what was fused for inference does not have. */
static bool refuses_rightly(const one_node *o, const op_case *c, const espl__kernel *kernel)
{
    espl__case at = o->at;

    at.role = kernel->role;
    if (!c->no_gradient || kernel->role == ESPL__FORWARD)
        return false;
    if (kernel->fits(&at))
        fail_msg("%s fits a node that has no gradient", kernel->name);
    return true;
}

static void try_kernels(one_node *o, const op_case *c, const one_result *truth)
{
    const espl__kernel *kernel;

    for (int i = 0; (kernel = espl__kernel_at(i)); i++) {
        if (strcmp(kernel->op, o->node.op->name) != 0 || kernel->bf16 != o->at.bf16 ||
            refuses_rightly(o, c, kernel))
            continue;
        if (is_reference(kernel)) {
            note_reference(o, i);
            continue;
        }
        for (int isa = has_variants(kernel) ? ESPL__ISA_PLAIN : espl__isa_here();
             isa <= (int)espl__isa_here(); isa++) {
            o->at.isa = (espl__isa)isa;
            try_layouts(o, i, truth);
        }
    }
}

/* One value has no variance: normalizing it leaves nothing but rounding. */
static bool is_empty(const one_node *o)
{
    return strcmp(o->node.op->name, "batch_norm") == 0 &&
           o->batch * espl__shape_pixels(o->shape.output) < 2;
}

static void check_case(espl_context *ctx, const op_case *c, const struct batch *batch, bool bf16)
{
    const espl__kernel *backward[3];
    one_result truth;
    one_node o;

    op_case_open(c, ctx, batch->samples, batch->shards, batch->last, &o);
    if (is_empty(&o)) {
        one_free(&o);
        return;
    }
    if (bf16)
        one_round(&o);
    one_reference_backward(&o, backward);
    assert_true(
        one_run(&o, one_reference(&o, ESPL__FORWARD), c->no_gradient ? NULL : backward, &truth));
    o.at.bf16 = bf16;
    try_kernels(&o, c, &truth);
    one_result_free(&truth);
    one_free(&o);
}

static void test_op(void **state)
{
    const espl__op *op = *state;
    espl_context *ctx;
    int tried = 0;

    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    for (int i = 0; i < ESPL__COUNT(op_cases); i++)
        for (int b = 0; strcmp(op_cases[i].op, op->name) == 0 && b < ESPL__COUNT(batches); b++) {
            check_case(ctx, &op_cases[i], &batches[b], false);
            if (espl__bf16_here())
                check_case(ctx, &op_cases[i], &batches[b], true);
            tried++;
        }
    if (!tried)
        fail_msg("%s has no case in op_cases.h", op->name);
    espl_context_free(ctx);
}

/* ---- a sample's place ---- */

static void rotate(void *values, size_t bytes, int samples)
{
    unsigned char *v = values, *first = v ? one_zeros(bytes, 1) : NULL;

    if (!v)
        return;
    memcpy(first, v, bytes);
    memmove(v, v + bytes, bytes * (size_t)(samples - 1));
    memcpy(v + bytes * (size_t)(samples - 1), first, bytes);
    free(first);
}

static void rotate_node(one_node *o)
{
    const size_t classes = (size_t)espl__shape_size(o->shape.input[0]);

    for (int i = 0; i < o->shape.input_count; i++)
        rotate(o->input[i], (size_t)espl__shape_size(o->shape.input[i]) * sizeof(float), o->batch);
    rotate(o->grad_output, (size_t)espl__shape_size(o->shape.output) * sizeof(float), o->batch);
    rotate(o->labels, sizeof *o->labels, o->batch);
    rotate(o->index, sizeof *o->index, o->batch);
    rotate(o->soft, classes * sizeof(float), o->batch);
    rotate(o->weight, sizeof(float), o->batch);
}

static void rotate_result(const one_node *o, one_result *r)
{
    rotate(r->output, (size_t)espl__shape_size(o->shape.output) * sizeof(float), o->batch);
    for (int i = 0; i < o->shape.input_count; i++)
        rotate(r->grad_input[i], (size_t)espl__shape_size(o->shape.input[i]) * sizeof(float),
               o->batch);
}

static void same_bits(const one_node *o, const espl__kernel *kernel, const float *a, const float *b,
                      espl__shape shape)
{
    if (a && b && memcmp(a, b, (size_t)(o->batch * espl__shape_size(shape)) * sizeof(float)))
        fail_msg("%s: a sample comes out differently at another place of the shard", kernel->name);
}

static void check_places(one_node *o, const espl__kernel *kernel)
{
    one_result before, after;

    if (!run_kernel(o, kernel, &before))
        return;
    rotate_node(o);
    assert_true(run_kernel(o, kernel, &after));
    rotate_result(o, &before);
    same_bits(o, kernel, before.output, after.output, o->shape.output);
    for (int i = 0; i < o->shape.input_count; i++)
        same_bits(o, kernel, before.grad_input[i], after.grad_input[i], o->shape.input[i]);
    one_result_free(&before);
    one_result_free(&after);
}

/* Whatever a sample's place in the shard: the same bits. (Not so where the batch normalizes.) */
static void test_places(void **state)
{
    static const int64_t layouts[] = { 8, 16, 0 };
    const espl__kernel *kernel;
    espl_context *ctx;
    one_node o;

    (void)state;
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    for (int i = 0; i < ESPL__COUNT(op_cases); i++)
        for (int k = 0; (kernel = espl__kernel_at(k)); k++) {
            const op_case *c = &op_cases[i];
            if (strcmp(c->op, kernel->op) != 0 ||
                (c->no_gradient && kernel->role != ESPL__FORWARD) ||
                (c->large && is_reference(kernel))) /* slow, and each of its sums is one sample's */
                continue;
            if (kernel->bf16 && !espl__bf16_here())
                continue;
            op_case_open(c, ctx, 4, 1, 4, &o);
            o.at.isa = espl__isa_here();
            o.at.bf16 = kernel->bf16;
            for (int l = 0; l < ESPL__COUNT(layouts); l++) {
                one_set_blocks(&o, layouts[l], layouts[l]);
                if (!(strcmp(kernel->op, "batch_norm") == 0 && o.at.training))
                    check_places(&o, kernel);
            }
            one_free(&o);
        }
    espl_context_free(ctx);
}

/* ---- nobody is forgotten ---- */

static bool runs_here(const char *name)
{
    if (strstr(name, "bf16"))
        return espl__bf16_here();
    if (strstr(name, "_avx512"))
        return espl__isa_here() >= ESPL__ISA_AVX512;
    return !strstr(name, "_avx2") || espl__isa_here() >= ESPL__ISA_AVX2;
}

static void test_all_reached(void **state)
{
    const espl__kernel *kernel;

    (void)state;
    for (int i = 0; (kernel = espl__kernel_at(i)); i++)
        if (runs_here(kernel->name) && !reached[i])
            fail_msg("%s fits no case of op_cases.h: add one that it fits", kernel->name);
}

int main(void)
{
    enum { MOST = 256 };
    struct CMUnitTest tests[MOST + 2];
    size_t count = 0;
    const espl__op *op;

    for (int i = 0; (op = espl__op_at(i)) && count < MOST; i++)
        tests[count++] = (struct CMUnitTest){ op->name, test_op, NULL, NULL, (void *)op };
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(test_places);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(test_all_reached);
    return _cmocka_run_group_tests("kernels agree", tests, count, NULL, NULL);
}
