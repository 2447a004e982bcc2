/* distillation: two cross entropies, each around its largest logit, so that no logit is too large. A sample without
 * a label learns from the teacher alone. */
#include "kernels/reference/reference_loss.h"
#include "ops/loss.h"

#include <math.h>

/* One sample and its two targets. */
typedef struct lesson {
    const float *z, *soft;                    /* soft: NULL without a teacher */
    int64_t classes, known, label;            /* known: to the teacher, the first ones; label negative: none */
    int64_t first;                            /* of the classes that the label is told from */
    double temperature, of_label, of_teacher; /* the weights of both cross entropies */
} lesson;

static lesson lesson_of(const espl__call *call, int64_t n)
{
    const espl__distillation *a = call->node->attributes;
    const espl__targets *t = call->targets;
    const int64_t classes = call->at->input[0].dim[0], label = t->labels ? t->labels[n] : -1;
    const bool labelled = label >= 0 && label < classes;
    const double share = t->soft ? a->share : 0;
    const int64_t known = a->known ? a->known : classes;

    return (lesson){ .z = call->inputs[0] + n * classes,
                     .soft = t->soft ? t->soft + n * classes : NULL,
                     .classes = classes,
                     .known = known,
                     .label = labelled ? label : -1,
                     .first = a->apart && labelled && label >= known ? known : 0,
                     .temperature = a->temperature,
                     .of_label = labelled ? 1 - share : 0,
                     .of_teacher = share };
}

/* log of the sum of exp(z / temperature) over the classes first .. end - 1 */
static double log_sum(const lesson *l, int64_t first, int64_t end, double temperature)
{
    double largest = -INFINITY, sum = 0;

    for (int64_t k = first; k < end; k++)
        largest = fmax(largest, (double)l->z[k] / temperature);
    for (int64_t k = first; k < end; k++)
        sum += exp((double)l->z[k] / temperature - largest);
    return largest + log(sum);
}

static double loss_of(const lesson *l)
{
    double loss = 0;

    if (l->of_label > 0)
        loss += l->of_label * (log_sum(l, l->first, l->classes, 1) - (double)l->z[l->label]);
    if (l->of_teacher > 0) {
        const double whole = log_sum(l, 0, l->known, l->temperature), factor = l->of_teacher * l->temperature * l->temperature;
        for (int64_t k = 0; k < l->known; k++)
            loss += factor * (double)l->soft[k] * (whole - (double)l->z[k] / l->temperature);
    }
    return loss;
}

static void forward(const espl__call *call)
{
    for (int64_t n = 0; n < call->samples; n++) {
        const double weight = espl__loss_weight(call, n, call->at->input[0].dim[0]);
        const lesson l = lesson_of(call, weight != 0 ? n : 0);
        call->output[n] = weight != 0 ? (float)(weight * loss_of(&l)) : 0;
    }
}

static void gradient_of(const lesson *l, double factor, float *dz)
{
    const double T = l->temperature, whole = log_sum(l, l->first, l->classes, 1), soft_whole = log_sum(l, 0, l->known, T);
    double q = 0;

    for (int64_t k = 0; k < l->known && l->soft; k++)
        q += (double)l->soft[k];
    for (int64_t k = 0; k < l->classes; k++) {
        const double z = (double)l->z[k];
        double sum = k < l->first ? 0 : l->of_label * (exp(z - whole) - (k == l->label));
        if (l->of_teacher > 0 && k < l->known)
            sum += l->of_teacher * T * (q * exp(z / T - soft_whole) - (double)l->soft[k]);
        dz[k] = (float)(factor * sum);
    }
}

static void backward(const espl__call *call)
{
    const int64_t classes = call->at->input[0].dim[0];

    for (int64_t n = 0; n < call->samples; n++) {
        const double weight = espl__loss_weight(call, n, classes);
        float *dz = call->grad_inputs[0] + n * classes;
        const lesson l = lesson_of(call, weight != 0 ? n : 0);
        if (weight != 0)
            gradient_of(&l, weight / call->targets->total_weight, dz);
        for (int64_t k = 0; k < classes && weight == 0; k++)
            dz[k] = 0;
    }
}

const espl__kernel espl__kernel_reference_distillation_forward = {
    .name = "reference_distillation_forward",
    .op = "distillation",
    .role = ESPL__FORWARD,
    .fits = espl__fits_always,
    .run = forward,
};

const espl__kernel espl__kernel_reference_distillation_backward = {
    .name = "reference_distillation_backward",
    .op = "distillation",
    .role = ESPL__BACKWARD,
    .fits = espl__fits_always,
    .run = backward,
};
