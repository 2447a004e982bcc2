/* dX = dY W and dW = dY^T X, see vector_dense.h: a block of the result stays in registers while the steps (units,
 * or samples) go by. */
#include "kernels/vector/vector_dense.h"

#if LANES == 16
#define ROWS 12
#else
#define ROWS 6
#endif
#define FEW (ROWS / 3) /* rows, where fewer than ROWS are left */
#define PANEL 2        /* vectors of columns */

/* c(i, j) = or += sum over s of a(i, s) * b(s, j); columns lie next to each other. The steps come in pieces, each
 * somewhere else, so that a block of c is written once. */
typedef struct product {
    const float *const *a, *const *b; /* of each piece */
    const int *steps;
    int pieces;
    float *c;
    int64_t rows, columns;
    int64_t a_first;                      /* from a piece's beginning to row 0 */
    int64_t a_row, a_step, b_step, c_row; /* floats from one to the next */
    bool add;                             /* to what c holds */
} product;

/* What one step adds to a block. */
ESPL__INLINE void add_step(const product *p, const float *a, const float *b, const int rows, const int vectors,
                           int64_t some, vec sum[ROWS][PANEL])
{
    vec line[PANEL];

#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++)
        line[j] = some < LANES && j == vectors - 1 ? v_load_some(b + j * LANES, some) : v_load(b + j * LANES);
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        const vec x = v_all(a[i * p->a_row]);
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++)
            sum[i][j] = v_fma(x, line[j], sum[i][j]);
    }
}

/* `rows` and `vectors` are constants at every place this is inlined to; `some` lanes of the last vector count. */
ESPL__INLINE void multiply_block(const product *p, int64_t row, int64_t column, const int rows, const int vectors,
                                 int64_t some)
{
    float *c = p->c + row * p->c_row + column;
    vec sum[ROWS][PANEL];

#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++)
            sum[i][j] = (vec){ 0 };
    for (int piece = 0; piece < p->pieces; piece++) {
        const float *a = p->a[piece] + p->a_first + row * p->a_row, *b = p->b[piece] + column;
        for (int s = 0; s < p->steps[piece]; s++, a += p->a_step, b += p->b_step)
            add_step(p, a, b, rows, vectors, some, sum);
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++) {
            float *to = c + i * p->c_row + j * LANES;
            if (some < LANES && j == vectors - 1)
                v_store_some(to, p->add ? v_load_some(to, some) + sum[i][j] : sum[i][j], some);
            else
                v_store(to, p->add ? v_load(to) + sum[i][j] : sum[i][j]);
        }
}

ESPL__INLINE void multiply_rows(const product *p, int64_t column, const int vectors, int64_t some)
{
    int64_t row = 0;

    for (; row + ROWS <= p->rows; row += ROWS)
        multiply_block(p, row, column, ROWS, vectors, some);
    for (; row + FEW <= p->rows; row += FEW)
        multiply_block(p, row, column, FEW, vectors, some);
    for (; row < p->rows; row++)
        multiply_block(p, row, column, 1, vectors, some);
}

static void multiply(const product *p)
{
    int64_t column = 0;

    for (; column + PANEL * LANES <= p->columns; column += PANEL * LANES)
        multiply_rows(p, column, PANEL, LANES);
    for (; column < p->columns; column += LANES)
        multiply_rows(p, column, 1, p->columns - column < LANES ? p->columns - column : LANES);
}

static void backward_inputs(const espl__call *call)
{
    const int features = (int)call->at->input[0].dim[0], units = (int)call->at->output.dim[0];
    const float *const dy = call->grad_output, *const weights = call->parameters[0];

    multiply(&(product){ .a = &dy,
                         .b = &weights,
                         .steps = &units,
                         .pieces = 1,
                         .c = call->grad_inputs[0],
                         .rows = call->samples,
                         .columns = features,
                         .a_row = units,
                         .a_step = 1,
                         .b_step = features,
                         .c_row = features });
}

/* Shards of samples, and the units [first, end) whose gradients they give. */
typedef struct samples {
    const float *const *x, *const *dy; /* of each shard */
    const int *count;
    int shards;
    int64_t features, units, first, end;
    bool add;
} samples;

static void add_weights(const samples *s, float *weights)
{
    multiply(&(product){ .a = s->dy,
                         .b = s->x,
                         .steps = s->count,
                         .pieces = s->shards,
                         .c = weights + s->first * s->features,
                         .rows = s->end - s->first,
                         .columns = s->features,
                         .a_first = s->first,
                         .a_row = 1,
                         .a_step = s->units,
                         .b_step = s->features,
                         .c_row = s->features,
                         .add = s->add });
}

static void add_bias(const samples *s, float *bias)
{
    for (int64_t u = s->first; u < s->end; u++) {
        float sum = s->add ? bias[u] : 0;
        for (int i = 0; i < s->shards; i++)
            for (int64_t n = 0; n < s->count[i]; n++)
                sum += s->dy[i][n * s->units + u];
        bias[u] = sum;
    }
}

static void add_samples(const espl__dense *a, const samples *s, float *const *gradients)
{
    if (gradients[0])
        add_weights(s, gradients[0]);
    if (a->bias && gradients[1])
        add_bias(s, gradients[1]);
}

static void backward_parameters(const espl__call *call)
{
    const espl__dense *a = call->node->attributes;
    const float *const x = call->inputs[0], *const dy = call->grad_output;

    add_samples(a,
                &(samples){ .x = &x,
                            .dy = &dy,
                            .count = &call->valid,
                            .shards = 1,
                            .features = call->at->input[0].dim[0],
                            .units = a->units,
                            .end = a->units,
                            .add = call->add },
                call->grad_parameters);
}

static int64_t units_of_part(const espl__case *at)
{
    const int64_t units = DENSE_PART_BYTES / (at->input[0].dim[0] * (int64_t)sizeof(float)) / ROWS * ROWS;

    return units < ROWS ? ROWS : units;
}

static espl_status prepare_split(espl_context *ctx, const espl__case *at, espl__needs *needs, void **state)
{
    const int64_t each = units_of_part(at);

    (void)ctx;
    *state = NULL;
    needs->parts = (int)((at->output.dim[0] + each - 1) / each);
    return ESPL_OK;
}

static void merge_split(const espl__merge_call *call)
{
    const espl__dense *a = call->node->attributes;
    const int64_t each = units_of_part(call->at), first = call->part * each;

    add_samples(a,
                &(samples){ .x = (const float *const *)call->inputs,
                            .dy = (const float *const *)call->grad_outputs,
                            .count = call->valid,
                            .shards = call->shards,
                            .features = call->at->input[0].dim[0],
                            .units = a->units,
                            .first = first,
                            .end = first + each < a->units ? first + each : a->units },
                call->grad_parameters);
}

/* A fused activation would have to be undone first. */
static ESPL__APART bool suits(const espl__case *at)
{
    const espl__dense *a = at->node->attributes;

    return dense_suits(at) && a->activation == ESPL__NO_ACTIVATION;
}

static ESPL__APART bool suits_split(const espl__case *at)
{
    return suits(at) && at->shards > 1 && dense_bytes(at) >= DENSE_BYTES_SPLIT;
}

static bool fits(const espl__case *at)
{
    return at->isa >= ESPL__VARIANT_ISA && suits(at);
}

static bool fits_split(const espl__case *at)
{
    return at->isa >= ESPL__VARIANT_ISA && suits_split(at);
}

const espl__kernel ESPL__KERNEL(vector_dense_backward_inputs) = {
    .name = ESPL__KERNEL_NAME("vector_dense_backward_inputs"),
    .op = "dense",
    .role = ESPL__BACKWARD_INPUTS,
    .fits = fits,
    .run = backward_inputs,
};

const espl__kernel ESPL__KERNEL(vector_dense_backward_parameters) = {
    .name = ESPL__KERNEL_NAME("vector_dense_backward_parameters"),
    .op = "dense",
    .role = ESPL__BACKWARD_PARAMETERS,
    .fits = fits,
    .run = backward_parameters,
};

const espl__kernel ESPL__KERNEL(vector_dense_backward_parameters_split) = {
    .name = ESPL__KERNEL_NAME("vector_dense_backward_parameters_split"),
    .op = "dense",
    .role = ESPL__BACKWARD_PARAMETERS,
    .fits = fits_split,
    .prepare = prepare_split,
    .merge = merge_split,
};
