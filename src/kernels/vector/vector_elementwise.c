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
    const float *x = call->inputs[0];
    int64_t i = 0;

    for (; i + LANES <= count; i += LANES)
        v_store(call->output + i, v_activate(activation, v_load(x + i)));
    v_store_some(call->output + i, v_activate(activation, v_load_some(x + i, count - i)), count - i);
}

ESPL__INLINE void activate_backward(const espl__call *call, int activation)
{
    const int64_t count = count_of(call);
    const float *y = call->output, *dy = call->grad_output;
    float *dx = call->grad_inputs[0];
    int64_t i = 0;

    if (!dx)
        return;
    for (; i + LANES <= count; i += LANES)
        v_store(dx + i, v_activate_backward(activation, v_load(dy + i), v_load(y + i)));
    const vec last = v_activate_backward(activation, v_load_some(dy + i, count - i), v_load_some(y + i, count - i));
    v_store_some(dx + i, last, count - i);
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
    const float *a = call->inputs[0], *b = call->inputs[1];
    int64_t i = 0;

    for (; i + LANES <= count; i += LANES)
        v_store(call->output + i, v_load(a + i) + v_load(b + i));
    v_store_some(call->output + i, v_load_some(a + i, count - i) + v_load_some(b + i, count - i), count - i);
}

const espl__kernel ESPL__KERNEL(vector_relu_forward) = {
    .name = ESPL__KERNEL_NAME("vector_relu_forward"),
    .op = "relu",
    .role = ESPL__FORWARD,
    .fits = fits,
    .run = relu_forward,
};

const espl__kernel ESPL__KERNEL(vector_relu_backward) = {
    .name = ESPL__KERNEL_NAME("vector_relu_backward"),
    .op = "relu",
    .role = ESPL__BACKWARD,
    .fits = fits,
    .run = relu_backward,
};

const espl__kernel ESPL__KERNEL(vector_relu6_forward) = {
    .name = ESPL__KERNEL_NAME("vector_relu6_forward"),
    .op = "relu6",
    .role = ESPL__FORWARD,
    .fits = fits,
    .run = relu6_forward,
};

const espl__kernel ESPL__KERNEL(vector_relu6_backward) = {
    .name = ESPL__KERNEL_NAME("vector_relu6_backward"),
    .op = "relu6",
    .role = ESPL__BACKWARD,
    .fits = fits,
    .run = relu6_backward,
};

const espl__kernel ESPL__KERNEL(vector_add_forward) = {
    .name = ESPL__KERNEL_NAME("vector_add_forward"),
    .op = "add",
    .role = ESPL__FORWARD,
    .fits = fits_two,
    .run = add_forward,
};
