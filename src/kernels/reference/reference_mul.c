/* mul: the product of two inputs; a dimension with a single value is spread over the output's. */
#include "kernels/reference/reference.h"

/* A tensor whose dimensions are 1 or those of the output. */
typedef struct spread {
    espl__layout layout;
    int64_t dim[ESPL__RANK_MAX];
} spread;

static spread spread_of(espl__shape shape, int64_t block)
{
    spread s = { .layout = espl__layout_of(shape, block) };

    for (int d = 0; d < ESPL__RANK_MAX; d++)
        s.dim[d] = d < shape.rank ? shape.dim[d] : 1;
    return s;
}

static spread spread_of_input(const espl__case *at, int i)
{
    return spread_of(at->input[i], at->input_block[i]);
}

/* Where the value that belongs to place `o` of the output lies. */
static int64_t spread_at(const spread *s, int64_t n, const int64_t o[ESPL__RANK_MAX])
{
    int64_t i[ESPL__RANK_MAX];

    for (int d = 0; d < ESPL__RANK_MAX; d++)
        i[d] = s->dim[d] == 1 ? 0 : o[d];
    return espl__at(&s->layout, n, i[0], (i[1] * s->dim[2] + i[2]) * s->dim[3] + i[3]);
}

/* Goes to the next place from `o` within `first` .. `end`; false when there is none. */
static bool advance(int64_t o[ESPL__RANK_MAX], const int64_t first[ESPL__RANK_MAX],
                    const int64_t end[ESPL__RANK_MAX])
{
    for (int d = ESPL__RANK_MAX - 1; d >= 0; d--) {
        if (++o[d] < end[d])
            return true;
        o[d] = first[d];
    }
    return false;
}

static void forward(const espl__call *call)
{
    const spread a = spread_of_input(call->at, 0), b = spread_of_input(call->at, 1);
    const spread y = spread_of(call->at->output, call->at->output_block);
    const int64_t first[ESPL__RANK_MAX] = { 0 };

    for (int64_t n = 0; n < call->samples; n++) {
        int64_t o[ESPL__RANK_MAX] = { 0 };
        do
            call->output[spread_at(&y, n, o)] =
                call->inputs[0][spread_at(&a, n, o)] * call->inputs[1][spread_at(&b, n, o)];
        while (advance(o, first, y.dim));
    }
}

/* Sum of dy * other over all places of the output that used the value at `place` of input x. */
static double sum_uses(const espl__call *call, const spread *x, const spread *other,
                       const float *values, const spread *y, int64_t n,
                       const int64_t place[ESPL__RANK_MAX])
{
    int64_t first[ESPL__RANK_MAX], end[ESPL__RANK_MAX], o[ESPL__RANK_MAX];
    double sum = 0;

    for (int d = 0; d < ESPL__RANK_MAX; d++) {
        o[d] = first[d] = place[d];
        end[d] = x->dim[d] == 1 ? y->dim[d] : place[d] + 1;
    }
    do
        sum += (double)call->grad_output[spread_at(y, n, o)] * values[spread_at(other, n, o)];
    while (advance(o, first, end));
    return sum;
}

static void backward(const espl__call *call)
{
    const spread y = spread_of(call->at->output, call->at->output_block);
    const int64_t first[ESPL__RANK_MAX] = { 0 };

    for (int i = 0; i < 2; i++) {
        const spread x = spread_of_input(call->at, i), other = spread_of_input(call->at, 1 - i);
        for (int64_t n = 0; call->grad_inputs[i] && n < call->samples; n++) {
            int64_t place[ESPL__RANK_MAX] = { 0 };
            do
                call->grad_inputs[i][spread_at(&x, n, place)] =
                    (float)sum_uses(call, &x, &other, call->inputs[1 - i], &y, n, place);
            while (advance(place, first, x.dim));
        }
    }
}

const espl__kernel espl__kernel_reference_mul_forward = {
    .name = "reference_mul_forward",
    .op = "mul",
    .role = ESPL__FORWARD,
    .fits = espl__fits_always,
    .run = forward,
};

const espl__kernel espl__kernel_reference_mul_backward = {
    .name = "reference_mul_backward",
    .op = "mul",
    .role = ESPL__BACKWARD,
    .fits = espl__fits_always,
    .run = backward,
};
