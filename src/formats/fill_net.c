/* From tensors to parameters: found by layer and name, checked, brought into our order.
 *
 * PyTorch stores kernels as we do: (out, in, height, width), dense (out, in). Keras has (height, width,
 * in, out), for depthwise kernels (height, width, channels, multiplier), and (in, out). A file that says
 * "kernel" may follow either, so its shapes decide, for all of its convolutions at once and for all of
 * its dense layers. */
#include "formats/fill_net.h"

#include <inttypes.h>
#include <string.h>

typedef enum order { UNDECIDED,
                     OURS,
                     KERAS,
                     NEITHER } order;

typedef struct filler {
    espl_net *net;
    espl__tensors *tensors;
    const espl__foreign *names;
    espl__layer_list list;
    int *tensor;             /* of each parameter; -1: it is left out */
    order of_conv, of_dense; /* of kernels */
} filler;

/* ---- finding ---- */

/* What other programs call our parameters. */
static const char *const synonyms[][6] = {
    { "weight", "kernel", "depthwise_kernel" },
    { "bias" },
    { "scale", "weight", "gamma" },
    { "shift", "bias", "beta" },
    { "mean", "running_mean", "moving_mean" },
    { "variance", "running_var", "moving_variance" },
    { "slope", "weight", "alpha" },
};

static const char *const *names_of(const char *parameter)
{
    for (int i = 0; i < ESPL__COUNT(synonyms); i++)
        if (espl__text_equal(synonyms[i][0], parameter))
            return synonyms[i];
    return NULL;
}

static int find_tensor(const filler *f, const char *layer, const char *own)
{
    for (int i = 0; i < f->list.count; i++)
        if (f->list.layer[i] && espl__text_equal(f->list.own[i], own) && espl__text_equal(f->list.layer[i], layer))
            return i;
    return -1;
}

/* Keras's norms with center or scale off have no beta or gamma; ours keep what stands for that. */
static bool may_be_left_out(const filler *f, const espl__graph_parameter *p)
{
    return f->tensors->convention == ESPL__KERAS_CONVENTION &&
           (p->spec.kind == ESPL_NORM_SCALE || p->spec.kind == ESPL_NORM_SHIFT);
}

static espl_status find_parameter(filler *f, int index)
{
    const espl__graph_parameter *p = &f->net->graph->parameters[index];
    const char *layer = f->names->name[p->node];
    const char *const *name = names_of(p->spec.name);

    f->tensor[index] = -1;
    for (int i = 0; name && i < 6 && name[i] && f->tensor[index] < 0; i++)
        f->tensor[index] = find_tensor(f, layer, name[i]);
    if (f->tensor[index] < 0 && !name)
        f->tensor[index] = find_tensor(f, layer, p->spec.name);
    if (f->tensor[index] >= 0 || may_be_left_out(f, p))
        return ESPL_OK;
    return espl__fail(f->net->ctx, ESPL_BAD_FILE, "%s: the net's tensor \"%s.%s\" is missing", f->tensors->path, layer,
                      p->spec.name);
}

/* The first tensor that no parameter wants, or NULL. */
static const char *superfluous(const filler *f)
{
    for (int i = 0; i < f->list.count; i++) {
        int p = 0;
        while (p < f->net->graph->parameter_count && f->tensor[p] != i)
            p++;
        if (f->list.layer[i] && p == f->net->graph->parameter_count)
            return f->tensors->reader->at(f->tensors, i)->name;
    }
    return NULL;
}

static espl_status find_all(filler *f)
{
    for (int i = 0; i < f->net->graph->parameter_count; i++) {
        const espl_status s = find_parameter(f, i);
        if (s)
            return s;
    }
    const char *name = superfluous(f);
    return name ? espl__fail(f->net->ctx, ESPL_BAD_FILE, "%s: the net has no place for the tensor \"%.200s\"",
                             f->tensors->path, name)
                : ESPL_OK;
}

/* ---- shapes ---- */

/* Sizes of one at the end say nothing: a 1x1 convolution is a dense layer. */
static bool same_sizes(const int64_t *a, int rank_a, const int64_t *b, int rank_b)
{
    while (rank_a > 1 && a[rank_a - 1] == 1)
        rank_a--;
    while (rank_b > 1 && b[rank_b - 1] == 1)
        rank_b--;
    return rank_a == rank_b && memcmp(a, b, (size_t)rank_a * sizeof *a) == 0;
}

static bool is_kernel(const filler *f, int index)
{
    return f->net->graph->parameters[index].spec.kind == ESPL_WEIGHT;
}

static bool is_conv(const filler *f, int index)
{
    return f->net->graph->parameters[index].spec.shape.rank == 4;
}

static bool is_ours(const espl__shape *shape, const espl__stored *t)
{
    return same_sizes(shape->dim, shape->rank, t->dim, t->rank);
}

/* Whether it is the kernel as Keras orders it. */
static bool is_keras(const espl__shape *s, const espl__stored *t)
{
    const int64_t *d = t->dim;

    if (s->rank == 2)
        return (t->rank == 2 && d[0] == s->dim[1] && d[1] == s->dim[0]) ||
               (t->rank == 4 && d[0] * d[1] == 1 && d[2] == s->dim[1] && d[3] == s->dim[0]);
    if (s->rank != 4 || t->rank != 4 || d[0] != s->dim[2] || d[1] != s->dim[3])
        return false;
    return (d[2] == s->dim[1] && d[3] == s->dim[0]) || (s->dim[1] == 1 && d[2] * d[3] == s->dim[0]);
}

static espl_status refuse_shape(const filler *f, int index, const espl__stored *t)
{
    const espl__graph_parameter *p = &f->net->graph->parameters[index];
    espl__shape found = { .rank = t->rank < ESPL__RANK_MAX ? t->rank : ESPL__RANK_MAX };
    char found_text[96], expected_text[96];

    memcpy(found.dim, t->dim, sizeof found.dim);
    return espl__fail(f->net->ctx, ESPL_BAD_FILE, "%s: tensor \"%s\": has the shape %s, but the net needs %s",
                      f->tensors->path, t->name, espl__shape_text(found, found_text),
                      espl__shape_text(p->spec.shape, expected_text));
}

/* The order that one tensor speaks for. */
static order order_of(const filler *f, int index, const espl__stored *t)
{
    const espl__shape *shape = &f->net->graph->parameters[index].spec.shape;
    const bool weight = espl__text_equal(f->list.own[f->tensor[index]], "weight");
    const bool keras = !weight && is_keras(shape, t);
    const bool ours = (weight || f->tensors->convention != ESPL__KERAS_CONVENTION) && is_ours(shape, t);

    return keras && ours ? UNDECIDED : keras ? KERAS
                                   : ours    ? OURS
                                             : NEITHER;
}

static espl_status decide_order(filler *f, int index)
{
    const espl__stored *t = f->tensors->reader->at(f->tensors, f->tensor[index]);
    order *whole = is_conv(f, index) ? &f->of_conv : &f->of_dense;
    const order own = order_of(f, index, t);

    if (own == NEITHER || (own != UNDECIDED && *whole != UNDECIDED && *whole != own))
        return refuse_shape(f, index, t);
    if (own != UNDECIDED)
        *whole = own;
    return ESPL_OK;
}

static espl_status check_shapes(filler *f)
{
    for (int i = 0; i < f->net->graph->parameter_count; i++) {
        const espl__stored *t = f->tensors->reader->at(f->tensors, f->tensor[i]);
        espl_status s = ESPL_OK;
        if (!t)
            continue;
        if (is_kernel(f, i))
            s = decide_order(f, i);
        else if (!is_ours(&f->net->graph->parameters[i].spec.shape, t))
            s = refuse_shape(f, i, t);
        if (s)
            return s;
    }
    return ESPL_OK;
}

/* Square kernels alone do not tell in which order they are. */
static espl_status check_decided(const filler *f)
{
    for (int i = 0; i < f->net->graph->parameter_count; i++)
        if (is_kernel(f, i) && (is_conv(f, i) ? f->of_conv : f->of_dense) == UNDECIDED)
            return espl__fail(f->net->ctx, ESPL_BAD_FILE,
                              "%s: tensor \"%s\": its shape fits inputs first and outputs first, and no other tensor "
                              "of its kind tells which it is; call it \"weight\" if outputs are first",
                              f->tensors->path, f->tensors->reader->at(f->tensors, f->tensor[i])->name);
    return ESPL_OK;
}

/* ---- values ---- */

/* keras[y][x][in][out] or, depthwise, keras[y][x][channel][multiplier]: in both the last two together are
 * the outputs of a depthwise kernel, whose inner dimension is one. */
static void turn_conv(const float *keras, const espl__shape *shape, float *ours)
{
    const int64_t outputs = shape->dim[0], inputs = shape->dim[1], taps = shape->dim[2] * shape->dim[3];

    for (int64_t o = 0; o < outputs; o++)
        for (int64_t i = 0; i < inputs; i++)
            for (int64_t k = 0; k < taps; k++)
                ours[(o * inputs + i) * taps + k] = keras[(k * inputs + i) * outputs + o];
}

/* The planes that a flatten before this dense layer takes apart, if there are any. */
static espl__shape planes_before(const espl__graph *graph, int node)
{
    const espl__node *from = &graph->nodes[graph->nodes[node].inputs[0]];

    while (from->op && (from->op->flags & (ESPL__IS_RANDOM | ESPL__IS_ACTIVATION)))
        from = &graph->nodes[from->inputs[0]];
    if (from->op && espl__text_equal(from->op->name, "flatten"))
        return graph->nodes[from->inputs[0]].shape;
    return (espl__shape){ .rank = 1, .dim = { 1 } };
}

/* keras[in][out]; behind a flatten Keras counts its inputs by pixel first and channel last. */
static void turn_dense(const filler *f, int index, const float *keras, float *ours)
{
    const espl__graph_parameter *p = &f->net->graph->parameters[index];
    const int64_t outputs = p->spec.shape.dim[0], inputs = p->spec.shape.dim[1];
    const espl__shape planes = planes_before(f->net->graph, p->node);
    const int64_t channels = planes.rank == 3 ? planes.dim[0] : inputs, pixels = inputs / channels;

    for (int64_t o = 0; o < outputs; o++)
        for (int64_t c = 0; c < channels; c++)
            for (int64_t k = 0; k < pixels; k++)
                ours[o * inputs + c * pixels + k] = keras[(k * channels + c) * outputs + o];
}

static espl_status read_turned(filler *f, int index)
{
    const espl__parameter *p = &f->net->parameters[index];
    float *values = NULL;
    espl_status s = espl__allocate(f->net->ctx, (size_t)p->count, sizeof *values, &values);

    if (s)
        return s;
    if (!(s = f->tensors->reader->read(f->tensors, f->tensor[index], values))) {
        if (is_conv(f, index))
            turn_conv(values, &f->net->graph->parameters[index].spec.shape, p->value);
        else
            turn_dense(f, index, values, p->value);
    }
    espl__release(f->net->ctx, values);
    return s;
}

static void leave_out(espl_net *net, int index)
{
    for (int64_t i = 0; i < net->parameters[index].count; i++)
        net->parameters[index].value[i] = net->graph->parameters[index].spec.fill == ESPL__FILL_ONE;
}

static espl_status read_all(filler *f)
{
    for (int i = 0; i < f->net->graph->parameter_count; i++) {
        if (f->tensor[i] < 0) {
            leave_out(f->net, i);
            continue;
        }
        const bool turned = is_kernel(f, i) && (is_conv(f, i) ? f->of_conv : f->of_dense) == KERAS;
        const espl_status s = turned ? read_turned(f, i)
                                     : f->tensors->reader->read(f->tensors, f->tensor[i], f->net->parameters[i].value);
        if (s)
            return s;
    }
    return ESPL_OK;
}

espl_status espl__fill_net(espl_net *net, espl__tensors *tensors, const espl__foreign *names)
{
    filler f = { .net = net, .tensors = tensors, .names = names };
    espl_status s;

    if (!(s = espl__layer_list_make(tensors, &f.list)) &&
        !(s = espl__allocate(net->ctx, (size_t)net->graph->parameter_count, sizeof *f.tensor, &f.tensor)) &&
        !(s = find_all(&f)) && !(s = check_shapes(&f)) && !(s = check_decided(&f)))
        s = read_all(&f);
    espl__layer_list_free(net->ctx, &f.list);
    espl__release(net->ctx, f.tensor);
    return s;
}
