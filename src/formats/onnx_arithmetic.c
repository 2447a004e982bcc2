/* Sums and products of ONNX models: with constants they are terms, biases and scales, and some of them
 * spell out an activation:
 *     x * sigmoid(x)                            silu
 *     x * clip(x + 3, 0, 6) / 6                 hard swish; without the first x hard sigmoid
 *     x * (1 + erf(x / sqrt(2))) / 2            GELU
 * whatever the order of the factors is. */
#include "formats/onnx.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- operands ---- */

/* The number, if the value is a constant of one. */
static bool is_number(const espl__onnx *o, espl__onnx_value *value, double *number)
{
    if (value->kind != ESPL__ONNX_CONSTANT || espl__onnx_count(value) != 1 || espl__onnx_look(o, value))
        return false;
    *number = value->numbers[0];
    return isfinite(*number);
}

/* Whether the constant has a number for each channel of the computed value: (channels, 1, 1) beside planes,
 * (features) beside vectors and what has its channels last, with or without ones in front. */
static bool is_by_channel(const espl__onnx_value *constant, const espl__onnx_value *value)
{
    const int behind = value->channels_last ? 0 : value->rank - 1; /* dimensions behind the channels */
    const int at = constant->rank - 1 - behind;
    const int64_t channels = value->rank ? value->dim[value->channels_last ? 2 : 0] : 0;

    return value->rank > 0 && at >= 0 && constant->dim[at] == channels && espl__onnx_count(constant) == channels;
}

static espl_status take_two(espl__onnx_call *call, espl__onnx_value **computed, espl__onnx_value **other)
{
    espl__onnx_value *a = call->in[0], *b = call->count > 1 ? call->in[1] : NULL;

    if (call->count != 2 || !b)
        return espl__onnx_refuse(call, "has %d inputs; two were expected", call->count);
    *computed = a->kind == ESPL__ONNX_COMPUTED ? a : b;
    *other = *computed == a ? b : a;
    return ESPL_OK;
}

/* The call's output as a term of the node that `value` follows from. */
static void give_term(espl__onnx_call *call, const espl__onnx_value *value, espl__onnx_term term, double scale, double offset)
{
    espl__onnx_see(call->out, value, value->rank, value->dim);
    call->out->term = term;
    call->out->scale = scale;
    call->out->offset = offset;
    call->out->weight = value->weight;
    call->out->channels_last = value->channels_last;
}

static espl_status give_affine(espl__onnx_call *call, espl__onnx_value *value, double scale, double offset)
{
    int node;
    espl_status s;

    if (value->term == ESPL__ONNX_AFFINE) {
        offset += scale * value->offset;
        scale *= value->scale;
    } else if ((s = espl__onnx_take(call->onnx, value, value->channels_last, &node))) {
        return s;
    }
    if (!isfinite(scale) || !isfinite(offset))
        return espl__onnx_refuse(call, "its numbers are not finite");
    give_term(call, value, ESPL__ONNX_AFFINE, scale, offset);
    return ESPL_OK;
}

/* A scale or a bias for each channel. */
static espl_status give_by_channel(espl__onnx_call *call, espl__onnx_value *value, const espl__onnx_source *scale,
                                   const espl__onnx_source *offset)
{
    const bool last = value->channels_last;
    const int rank = value->rank;
    int node;
    espl_status s;

    if ((s = espl__onnx_take(call->onnx, value, last, &node)) || (s = espl__onnx_affine(call->onnx, call->node, "", &node, scale, offset)))
        return s;
    espl__onnx_give_last(call->onnx, call->out, node, last);
    return call->out->rank == rank ? ESPL_OK : espl__onnx_refuse(call, "changes the shape of what it takes");
}

static espl_status refuse_constant(const espl__onnx_call *call)
{
    return espl__onnx_refuse(call, "takes a constant that is neither one number nor one for each channel");
}

/* ---- sums ---- */

static espl_status add_bias(espl__onnx_call *call, espl__onnx_value *value, const espl__onnx_value *constant, double sign)
{
    const espl__onnx_source bias = { .value = constant, .number = sign };
    espl__onnx *o = call->onnx;
    espl_status s;
    int node;

    if (value->term != ESPL__ONNX_DENSE)
        return give_by_channel(call, value, NULL, &bias);
    if ((s = espl__onnx_dense(o, value, &bias, &node)))
        return s;
    espl__onnx_give_last(o, call->out, node, value->channels_last);
    return ESPL_OK;
}

static espl_status add_constant(espl__onnx_call *call, espl__onnx_value *value, espl__onnx_value *constant, double sign)
{
    double number;

    if (!is_number(call->onnx, constant, &number))
        return is_by_channel(constant, value) ? add_bias(call, value, constant, sign) : refuse_constant(call);
    if (value->term == ESPL__ONNX_ERF) {
        give_term(call, value, value->term, value->scale, value->offset + sign * number);
        return ESPL_OK;
    }
    return give_affine(call, value, 1, sign * number);
}

static espl_status add_computed(espl__onnx_call *call)
{
    int nodes[ESPL__INPUTS_MAX], node = 0;
    bool last = true;
    espl_status s;

    for (int i = 0; i < call->count; i++) {
        if (!call->in[i] || call->in[i]->kind != ESPL__ONNX_COMPUTED)
            return espl__onnx_refuse(call, "adds a constant to more than one input");
        last = last && call->in[i]->channels_last;
    }
    for (int i = 0; i < call->count; i++)
        if ((s = espl__onnx_take(call->onnx, call->in[i], last, &nodes[i])))
            return s;
    if ((s = espl__onnx_add(call->onnx, call->node, "", "add", nodes, call->count, &node, "%s", "")))
        return s;
    espl__onnx_give_last(call->onnx, call->out, node, last);
    return ESPL_OK;
}

espl_status espl__onnx_add_values(espl__onnx_call *call)
{
    espl__onnx_value *value = NULL, *other = NULL;

    if (call->count == 1)
        return espl__onnx_same(call);
    if (call->count != 2)
        return add_computed(call);
    const espl_status s = take_two(call, &value, &other);
    if (s)
        return s;
    return other->kind == ESPL__ONNX_CONSTANT ? add_constant(call, value, other, 1) : add_computed(call);
}

espl_status espl__onnx_sub(espl__onnx_call *call)
{
    espl__onnx_value *value = NULL, *other = NULL;
    espl_status s = take_two(call, &value, &other);
    double number;
    int nodes[2];

    if (s)
        return s;
    if (value == call->in[0] && other->kind == ESPL__ONNX_CONSTANT)
        return add_constant(call, value, other, -1);
    if (other->kind == ESPL__ONNX_CONSTANT)
        return is_number(call->onnx, other, &number) ? give_affine(call, value, -1, number) : refuse_constant(call);
    const espl__onnx_source minus = { .number = -1 };
    if ((s = espl__onnx_resolve(call->onnx, call->in[0], &nodes[0])) || (s = espl__onnx_resolve(call->onnx, call->in[1], &nodes[1])) ||
        (s = espl__onnx_affine(call->onnx, call->node, "", &nodes[1], &minus, NULL)) ||
        (s = espl__onnx_add(call->onnx, call->node, "_sum", "add", nodes, 2, &nodes[0], "%s", "")))
        return s;
    espl__onnx_give(call->onnx, call->out, nodes[0]);
    return ESPL_OK;
}

/* ---- products ---- */

static espl_status scale_by(espl__onnx_call *call, espl__onnx_value *value, double number)
{
    switch (value->term) {
    case ESPL__ONNX_ERF:
    case ESPL__ONNX_X_ERF:
    case ESPL__ONNX_RELU6_PLUS_3:
    case ESPL__ONNX_X_RELU6_PLUS_3:
        give_term(call, value, value->term, value->scale * number, value->offset * number);
        return ESPL_OK;
    default:
        return give_affine(call, value, number, 0);
    }
}

static espl_status mul_constant(espl__onnx_call *call, espl__onnx_value *value, espl__onnx_value *constant, bool inverse)
{
    const espl__onnx_source scale = { .value = constant, .inverse = inverse, .number = 1 };
    double number;

    if (!is_number(call->onnx, constant, &number))
        return is_by_channel(constant, value) ? give_by_channel(call, value, &scale, NULL) : refuse_constant(call);
    if (inverse && number == 0)
        return espl__onnx_refuse(call, "divides by zero");
    return scale_by(call, value, inverse ? 1 / number : number);
}

static bool is_near(double a, double b)
{
    return fabs(a - b) <= 1e-4 * fabs(b);
}

/* What x times a term of x is; false if it is nothing known. */
static bool combine(espl__onnx_call *call, const espl__onnx_value *x, const espl__onnx_value *term)
{
    const bool plain = x->term == ESPL__ONNX_WHOLE;
    const double scale = plain ? 1 : x->scale;

    if (x->node != term->node || x->rank != term->rank || x->channels_last != term->channels_last || memcmp(x->dim, term->dim, sizeof x->dim) != 0 ||
        !(plain || (x->term == ESPL__ONNX_AFFINE && x->offset == 0)))
        return false;
    if (term->term == ESPL__ONNX_SIGMOID && plain)
        give_term(call, x, ESPL__ONNX_SILU, 1, 0);
    else if (term->term == ESPL__ONNX_HARD_SIGMOID && plain && is_near(term->scale, 1.0 / 6) && is_near(term->offset, 0.5))
        give_term(call, x, ESPL__ONNX_HARD_SWISH, 1, 0);
    else if (term->term == ESPL__ONNX_RELU6_PLUS_3)
        give_term(call, x, ESPL__ONNX_X_RELU6_PLUS_3, scale * term->scale, 0);
    else if (term->term == ESPL__ONNX_ERF)
        give_term(call, x, ESPL__ONNX_X_ERF, scale * term->scale, scale * term->offset);
    else
        return false;
    return true;
}

/* Factors of one number for each channel may stay vectors. */
static espl_status resolve_factor(espl__onnx *o, espl__onnx_value *value, int *node)
{
    const espl_status s = espl__onnx_resolve_flat(o, value, node);
    const espl__shape shape = s ? espl__shape_vector(1) : o->graph->nodes[*node].shape;
    const bool by_channel = !value->channels_last && value->rank == 3 && value->dim[1] == 1 && value->dim[2] == 1 && shape.rank == 1;

    return s || by_channel ? s : espl__onnx_resolve(o, value, node);
}

/* One of them has its channels last; so has the other, or it has one pixel. */
static espl_status mul_last(espl__onnx_call *call)
{
    int nodes[2], node = 0;
    espl_status s;

    for (int i = 0; i < 2; i++)
        if ((s = espl__onnx_take(call->onnx, call->in[i], true, &nodes[i])))
            return s;
    if (!call->in[0]->channels_last || !call->in[1]->channels_last)
        return espl__onnx_refuse(call, "multiplies values with channels first and last");
    if ((s = espl__onnx_add(call->onnx, call->node, "", "mul", nodes, 2, &node, "%s", "")))
        return s;
    espl__onnx_give_last(call->onnx, call->out, node, true);
    return ESPL_OK;
}

static espl_status mul_computed(espl__onnx_call *call)
{
    espl__onnx_value *a = call->in[0], *b = call->in[1];
    int64_t dim[ESPL__ONNX_RANK_MAX] = { 0 };
    int nodes[2], node = 0;
    espl_status s;

    if (combine(call, a, b) || combine(call, b, a))
        return ESPL_OK;
    if (a->channels_last || b->channels_last)
        return mul_last(call);
    if (a->rank != b->rank)
        return espl__onnx_refuse(call, "multiplies values of %d and %d dimensions", a->rank + 1, b->rank + 1);
    for (int d = 0; d < a->rank; d++)
        dim[d] = a->dim[d] > b->dim[d] ? a->dim[d] : b->dim[d];
    if ((s = resolve_factor(call->onnx, a, &nodes[0])) || (s = resolve_factor(call->onnx, b, &nodes[1])) ||
        (s = espl__onnx_add(call->onnx, call->node, "", "mul", nodes, 2, &node, "%s", "")))
        return s;
    const int rank = a->rank;
    espl__onnx_give(call->onnx, call->out, node);
    espl__onnx_see(call->out, call->out, rank, dim);
    return ESPL_OK;
}

espl_status espl__onnx_mul(espl__onnx_call *call)
{
    espl__onnx_value *value = NULL, *other = NULL;
    const espl_status s = take_two(call, &value, &other);

    if (s)
        return s;
    return other->kind == ESPL__ONNX_CONSTANT ? mul_constant(call, value, other, false) : mul_computed(call);
}

espl_status espl__onnx_div(espl__onnx_call *call)
{
    espl__onnx_value *value = NULL, *other = NULL;
    const espl_status s = take_two(call, &value, &other);

    if (s)
        return s;
    if (value != call->in[0] || other->kind != ESPL__ONNX_CONSTANT)
        return espl__onnx_refuse(call, "divides by what follows from the sample; only constants are possible");
    return mul_constant(call, value, other, true);
}

/* ---- what may be part of an activation ---- */

/* A term of the input as it is. */
static espl_status give_term_of_whole(espl__onnx_call *call, espl__onnx_term term, double scale, double offset)
{
    int node;
    const espl_status s = espl__onnx_take(call->onnx, call->in[0], call->in[0]->channels_last, &node);

    if (!s)
        give_term(call, call->in[0], term, scale, offset);
    return s;
}

espl_status espl__onnx_sigmoid(espl__onnx_call *call)
{
    return give_term_of_whole(call, ESPL__ONNX_SIGMOID, 1, 0);
}

espl_status espl__onnx_hard_sigmoid(espl__onnx_call *call)
{
    return give_term_of_whole(call, ESPL__ONNX_HARD_SIGMOID, espl__onnx_real(call->node, "alpha", 0.2), espl__onnx_real(call->node, "beta", 0.5));
}

espl_status espl__onnx_erf(espl__onnx_call *call)
{
    const espl__onnx_value *x = call->in[0];

    if (x->term != ESPL__ONNX_AFFINE || x->offset != 0 || !is_near(x->scale, sqrt(0.5)))
        return espl__onnx_refuse(call, "is known only as part of GELU, on x / sqrt(2)");
    give_term(call, x, ESPL__ONNX_ERF, 1, 0);
    return ESPL_OK;
}

/* ---- clip ---- */

/* Limits are attributes in opset 7 to 10 and inputs since. */
static espl_status find_limit(espl__onnx_call *call, const char *name, int input, double *limit)
{
    espl__onnx_value *value = input < call->count ? call->in[input] : NULL;
    espl_status s;

    *limit = espl__onnx_real(call->node, name, *limit);
    if (!value)
        return ESPL_OK;
    if (value->kind != ESPL__ONNX_CONSTANT || espl__onnx_count(value) != 1)
        return espl__onnx_refuse(call, "its limits follow from the sample; constants were expected");
    if (!(s = espl__onnx_look(call->onnx, value)))
        *limit = value->numbers[0];
    return s;
}

static espl_status relu6_of(espl__onnx_call *call, int input, bool last)
{
    int node;
    const espl_status s = espl__onnx_add(call->onnx, call->node, "", "relu6", &input, 1, &node, "%s", "");

    if (!s)
        espl__onnx_give_last(call->onnx, call->out, node, last);
    return s;
}

static espl_status clip_whole(espl__onnx_call *call, double low, double high)
{
    int node;
    espl_status s;

    if (low <= -FLT_MAX && high >= FLT_MAX)
        return espl__onnx_same(call);
    if (low == 0 && high >= FLT_MAX)
        return espl__onnx_relu(call);
    if (low != 0 || high != 6)
        return espl__onnx_refuse(call, "keeps values within %g..%g; 0..6 or everything above 0 is possible", low, high);
    s = espl__onnx_take(call->onnx, call->in[0], call->in[0]->channels_last, &node);
    return s ? s : relu6_of(call, node, call->in[0]->channels_last);
}

espl_status espl__onnx_relu(espl__onnx_call *call)
{
    const espl__onnx_value *x = call->in[0];

    if (x->term != ESPL__ONNX_AFFINE)
        return give_term_of_whole(call, ESPL__ONNX_RELU, 1, 0);
    give_term(call, x, ESPL__ONNX_RELU, x->scale, x->offset);
    return ESPL_OK;
}

espl_status espl__onnx_clip(espl__onnx_call *call)
{
    const espl__onnx_value *x = call->in[0];
    double low = -HUGE_VAL, high = HUGE_VAL;
    espl_status s;

    if ((s = find_limit(call, "min", 1, &low)) || (s = find_limit(call, "max", 2, &high)))
        return s;
    if (x->term == ESPL__ONNX_RELU && low <= 0)
        low = 0;
    const bool affine = (x->term == ESPL__ONNX_AFFINE || x->term == ESPL__ONNX_RELU) && low == 0;
    if (affine && high == 6 && x->scale == 1 && x->offset == 3)
        give_term(call, x, ESPL__ONNX_RELU6_PLUS_3, 1, 0);
    else if (affine && high == 1 && x->scale > 0)
        give_term(call, x, ESPL__ONNX_HARD_SIGMOID, x->scale, x->offset);
    else if (x->term == ESPL__ONNX_RELU && high == 6 && x->scale == 1 && x->offset == 0)
        return relu6_of(call, x->node, x->channels_last);
    else
        return clip_whole(call, low, high);
    return ESPL_OK;
}
