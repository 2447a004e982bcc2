/* softmax_cross_entropy over vectors of classes: exponentials are taken relative to the largest logit. */
#include "kernels/reference/reference_loss.h"
#include "kernels/vector/vector.h"
#include "kernels/vector/vector_exp.h"
#include "ops/loss.h"

#include <math.h>

/* e^(z - largest) of every class, written to `e` where it is not NULL; their sum. */
static float exponentials(const float *z, float largest, int64_t classes, float *e)
{
    vec sum = { 0 };
    int64_t k = 0;

    for (; k + LANES <= classes; k += LANES) {
        const vec value = v_exp(v_load(z + k) - v_all(largest));
        sum += value;
        if (e)
            v_store(e + k, value);
    }
    if (k < classes) {
        float lanes[LANES];
        v_store(lanes, v_all(largest) - v_all(2 * V_EXP_FAR)); /* e to the power of that is 0 */
        memcpy(lanes, z + k, (size_t)(classes - k) * sizeof *z);
        const vec value = v_exp(v_load(lanes) - v_all(largest));
        sum += value;
        if (e)
            v_store_some(e + k, value, classes - k);
    }
    float total = 0;
    for (int l = 0; l < LANES; l++)
        total += sum[l];
    return total;
}

static float largest_of(const float *z, int64_t classes)
{
    float largest = z[0];

    for (int64_t k = 1; k < classes; k++)
        largest = z[k] > largest ? z[k] : largest;
    return largest;
}

/* The sum of all targets, which is 1 unless they are soft and say otherwise. */
static double total_target(const espl__call *call, int64_t n, int64_t classes, double smoothing)
{
    const float *soft = call->targets->soft;
    double sum = 0;

    if (!soft)
        return 1;
    for (int64_t k = 0; k < classes; k++)
        sum += soft[n * classes + k];
    return (1 - smoothing) * sum + smoothing;
}

/* Sum over the classes of target times logit. */
static double target_logit(const espl__call *call, int64_t n, const float *z, int64_t classes, double smoothing)
{
    const espl__targets *t = call->targets;
    double sum = t->soft ? 0 : (1 - smoothing) * z[t->labels[n]];

    for (int64_t k = 0; t->soft && k < classes; k++)
        sum += (1 - smoothing) * t->soft[n * classes + k] * z[k];
    for (int64_t k = 0; smoothing > 0 && k < classes; k++)
        sum += smoothing / (double)classes * z[k];
    return sum;
}

static void forward(const espl__call *call)
{
    const double smoothing = ((const espl__cross_entropy *)call->node->attributes)->label_smoothing;
    const int64_t classes = call->at->input[0].dim[0];

    for (int64_t n = 0; n < call->samples; n++) {
        const float *z = call->inputs[0] + n * classes;
        const double weight = espl__loss_weight(call, n, classes);
        double loss = 0;
        if (weight != 0) {
            const float largest = largest_of(z, classes);
            const double log_sum = largest + log(exponentials(z, largest, classes, NULL));
            loss = total_target(call, n, classes, smoothing) * log_sum - target_logit(call, n, z, classes, smoothing);
        }
        call->output[n] = (float)(weight * loss);
    }
}

/* factor * (total * softmax - target) */
static void backward_sample(const espl__call *call, int64_t n, int64_t classes, double factor)
{
    const double smoothing = ((const espl__cross_entropy *)call->node->attributes)->label_smoothing;
    const espl__targets *t = call->targets;
    const float *z = call->inputs[0] + n * classes;
    float *dz = call->grad_inputs[0] + n * classes;
    const float sum = exponentials(z, largest_of(z, classes), classes, dz);
    const float share = (float)(factor * total_target(call, n, classes, smoothing) / sum),
                everywhere = (float)(factor * smoothing / (double)classes), target = (float)(factor * (1 - smoothing));

    for (int64_t k = 0; k < classes; k++)
        dz[k] = dz[k] * share - everywhere;
    if (!t->soft)
        dz[t->labels[n]] -= target;
    for (int64_t k = 0; t->soft && k < classes; k++)
        dz[k] -= target * t->soft[n * classes + k];
}

static void backward(const espl__call *call)
{
    const int64_t classes = call->at->input[0].dim[0];

    for (int64_t n = 0; n < call->samples; n++) {
        const double weight = espl__loss_weight(call, n, classes);
        if (weight != 0)
            backward_sample(call, n, classes, weight / call->targets->total_weight);
        else
            memset(call->grad_inputs[0] + n * classes, 0, (size_t)classes * sizeof(float));
    }
}

static bool fits(const espl__case *at)
{
    return at->isa >= ESPL__VARIANT_ISA;
}

const espl__kernel ESPL__KERNEL(vector_softmax_cross_entropy_forward) = {
    .name = ESPL__KERNEL_NAME("vector_softmax_cross_entropy_forward"),
    .op = "softmax_cross_entropy",
    .role = ESPL__FORWARD,
    .fits = fits,
    .run = forward,
};

const espl__kernel ESPL__KERNEL(vector_softmax_cross_entropy_backward) = {
    .name = ESPL__KERNEL_NAME("vector_softmax_cross_entropy_backward"),
    .op = "softmax_cross_entropy",
    .role = ESPL__BACKWARD,
    .fits = fits,
    .run = backward,
};
