/* relu, relu6 and add of two: element by element, so the layout does not matter as long as all agree. */
#include "kernels/vector/activation.h"

static ESPL__APART bool same_layout(const espl__case *at)
{
    bool same = true;

    for (int i = 0; i < at->input_count; i++)
        same = same && at->input_block[i] == at->output_block;
    return same;
}

static ESPL__APART bool same_two(const espl__case *at)
{
    return at->input_count == 2 && same_layout(at) && espl__shape_equal(at->input[0], at->input[1]);
}

static bool fits(const espl__case *at)
{
    return at->isa >= ESPL__VARIANT_ISA && same_layout(at);
}

static bool fits_two(const espl__case *at)
{
    return at->isa >= ESPL__VARIANT_ISA && same_two(at);
}

static int64_t count_of(const espl__call *call)
{
    return call->samples * espl__shape_size(call->at->output);
}

ESPL__INLINE void activate(const espl__call *call, int activation)
{
    const int64_t count = count_of(call);
    const stored *x = stored_in(call->inputs[0]);
    stored *y = stored_at(call->output);
    int64_t i = 0;

    for (; i + LANES <= count; i += LANES)
        v_put(y + i, v_activate(activation, v_get(x + i)));
    v_put_some(y + i, v_activate(activation, v_get_some(x + i, count - i)), count - i);
}

ESPL__INLINE void activate_backward(const espl__call *call, int activation)
{
    const int64_t count = count_of(call);
    const stored *y = stored_in(call->output), *dy = stored_in(call->grad_output);
    stored *dx = stored_at(call->grad_inputs[0]);
    int64_t i = 0;

    if (!dx)
        return;
    for (; i + LANES <= count; i += LANES)
        v_put(dx + i, v_activate_backward(activation, v_get(dy + i), v_get(y + i)));
    const vec last = v_activate_backward(activation, v_get_some(dy + i, count - i), v_get_some(y + i, count - i));
    v_put_some(dx + i, last, count - i);
}

static void relu_forward(const espl__call *call)
{
    activate(call, ESPL__RELU);
}

static void relu_backward(const espl__call *call)
{
    activate_backward(call, ESPL__RELU);
}

static void relu6_forward(const espl__call *call)
{
    activate(call, ESPL__RELU6);
}

static void relu6_backward(const espl__call *call)
{
    activate_backward(call, ESPL__RELU6);
}

static void add_forward(const espl__call *call)
{
    const int64_t count = count_of(call);
    const stored *a = stored_in(call->inputs[0]), *b = stored_in(call->inputs[1]);
    stored *y = stored_at(call->output);
    int64_t i = 0;

    for (; i + LANES <= count; i += LANES)
        v_put(y + i, v_get(a + i) + v_get(b + i));
    v_put_some(y + i, v_get_some(a + i, count - i) + v_get_some(b + i, count - i), count - i);
}

const espl__kernel ESPL__KERNEL(vector_relu_forward) = {
    .name = ESPL__KERNEL_NAME("vector_relu_forward"),
    .bf16 = ESPL__VARIANT_BF16,
    .op = "relu",
    .role = ESPL__FORWARD,
    .fits = fits,
    .run = relu_forward,
};

const espl__kernel ESPL__KERNEL(vector_relu_backward) = {
    .name = ESPL__KERNEL_NAME("vector_relu_backward"),
    .bf16 = ESPL__VARIANT_BF16,
    .op = "relu",
    .role = ESPL__BACKWARD,
    .fits = fits,
    .run = relu_backward,
};

const espl__kernel ESPL__KERNEL(vector_relu6_forward) = {
    .name = ESPL__KERNEL_NAME("vector_relu6_forward"),
    .bf16 = ESPL__VARIANT_BF16,
    .op = "relu6",
    .role = ESPL__FORWARD,
    .fits = fits,
    .run = relu6_forward,
};

const espl__kernel ESPL__KERNEL(vector_relu6_backward) = {
    .name = ESPL__KERNEL_NAME("vector_relu6_backward"),
    .bf16 = ESPL__VARIANT_BF16,
    .op = "relu6",
    .role = ESPL__BACKWARD,
    .fits = fits,
    .run = relu6_backward,
};

const espl__kernel ESPL__KERNEL(vector_add_forward) = {
    .name = ESPL__KERNEL_NAME("vector_add_forward"),
    .bf16 = ESPL__VARIANT_BF16,
    .op = "add",
    .role = ESPL__FORWARD,
    .fits = fits_two,
    .run = add_forward,
};
