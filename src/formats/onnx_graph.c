/* ONNX models node by node: names, what is needed for the answer, and the walk that translates. */
#include "formats/onnx.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Stands for a batch of any size where shapes are computed with; a prime, so that what a model makes of
 * it is not taken for something else. */
#define ANY_BATCH 1000003

/* ---- asking ---- */

espl_status espl__onnx_refuse(const espl__onnx_call *call, const char *reason, ...)
{
    char text[400];
    va_list arguments;

    va_start(arguments, reason);
    vsnprintf(text, sizeof text, reason, arguments);
    va_end(arguments);
    return espl__fail(call->onnx->ctx, ESPL_UNSUPPORTED, "node \"%.100s\" (%.60s): %s", call->node->name, call->node->op_type, text);
}

static int by_name(const void *a, const void *b)
{
    const espl__onnx_value *first = a, *second = b;

    return strcmp(first->name, second->name);
}

espl__onnx_value *espl__onnx_find(const espl__onnx *o, const char *name)
{
    const espl__onnx_value wanted = { .name = name };

    return o->value_count ? bsearch(&wanted, o->values, (size_t)o->value_count, sizeof wanted, by_name) : NULL;
}

bool espl__onnx_is(const espl__onnx_node *node, const char *op)
{
    return espl__text_equal(node->op_type, op);
}

const espl__onnx_attribute *espl__onnx_attribute_of(const espl__onnx_node *node, const char *name)
{
    for (size_t i = 0; i < node->n_attribute; i++)
        if (espl__text_equal(node->attribute[i]->name, name))
            return node->attribute[i];
    return NULL;
}

/* So that no sum of such numbers overflows. */
static int64_t within_bounds(int64_t number)
{
    const int64_t most = (int64_t)1 << 60;

    return number > most ? most : number < -most ? -most
                                                 : number;
}

int64_t espl__onnx_integer(const espl__onnx_node *node, const char *name, int64_t fallback)
{
    const espl__onnx_attribute *a = espl__onnx_attribute_of(node, name);

    return a ? within_bounds(a->i) : fallback;
}

double espl__onnx_real(const espl__onnx_node *node, const char *name, double fallback)
{
    const espl__onnx_attribute *a = espl__onnx_attribute_of(node, name);

    return a ? a->f : fallback;
}

bool espl__onnx_says(const espl__onnx_node *node, const char *name, const char *text)
{
    const espl__onnx_attribute *a = espl__onnx_attribute_of(node, name);

    return a && a->s.len == strlen(text) && memcmp(a->s.data, text, a->s.len) == 0;
}

espl_status espl__onnx_integers(const espl__onnx_call *call, const char *name, int input, int64_t *list, int most, int *count)
{
    const espl__onnx_attribute *a = espl__onnx_attribute_of(call->node, name);
    espl__onnx_value *value = !a && input > 0 && input < call->count ? call->in[input] : NULL;
    const int64_t all = a ? (int64_t)a->n_ints : value ? espl__onnx_count(value)
                                                       : 0;
    espl_status s;

    *count = -1;
    if (!a && !value)
        return ESPL_OK;
    if (value && value->kind != ESPL__ONNX_CONSTANT)
        return espl__onnx_refuse(call, "its %s follow from the sample; constants were expected", name);
    if (all > most)
        return espl__onnx_refuse(call, "has %" PRId64 " %s; up to %d were expected", all, name, most);
    if (value && (s = espl__onnx_look(call->onnx, value)))
        return s;
    for (int64_t i = 0; i < all; i++)
        list[i] = a ? within_bounds(a->ints[i]) : espl__onnx_round(value->numbers[i]);
    *count = (int)all;
    return ESPL_OK;
}

/* ---- names ---- */

static size_t count_names(const Espalier__Onnx__Graph *g)
{
    size_t count = g->n_input + g->n_initializer;

    for (size_t i = 0; i < g->n_node; i++)
        count += g->node[i]->n_output;
    return count;
}

static void collect_names(const Espalier__Onnx__Graph *g, espl__onnx_value *values)
{
    size_t count = 0;

    for (size_t i = 0; i < g->n_input; i++)
        values[count++].name = g->input[i]->name;
    for (size_t i = 0; i < g->n_initializer; i++)
        values[count++].name = g->initializer[i]->name;
    for (size_t i = 0; i < g->n_node; i++)
        for (size_t k = 0; k < g->node[i]->n_output; k++)
            values[count++].name = g->node[i]->output[k];
}

/* Every name once, in order; older models list initializers among the inputs too. */
static espl_status list_values(espl__onnx *o)
{
    const size_t count = count_names(o->model->graph);
    espl_status s = espl__allocate(o->ctx, count + 1, sizeof *o->values, &o->values);

    if (s)
        return s;
    collect_names(o->model->graph, o->values);
    qsort(o->values, count, sizeof *o->values, by_name);
    for (size_t i = 0; i < count; i++)
        if (!o->value_count || !espl__text_equal(o->values[o->value_count - 1].name, o->values[i].name))
            o->values[o->value_count++] = o->values[i];
    return ESPL_OK;
}

static espl_status set_initializers(espl__onnx *o)
{
    const Espalier__Onnx__Graph *g = o->model->graph;

    for (size_t i = 0; i < g->n_initializer; i++) {
        espl__onnx_value *value = espl__onnx_find(o, g->initializer[i]->name);
        if (value->kind)
            return espl__fail(o->ctx, ESPL_BAD_FILE, "tensor \"%.100s\": is there twice", value->name);
        const espl_status s = espl__onnx_set_tensor(o, g->initializer[i], value);
        if (s)
            return s;
    }
    return ESPL_OK;
}

/* ---- input and answer ---- */

static bool read_shape(const Espalier__Onnx__ValueInfo *input, espl__shape *shape)
{
    const Espalier__Onnx__TensorType *type = input->type ? input->type->tensor_type : NULL;
    const Espalier__Onnx__Shape *s = type ? type->shape : NULL;

    if (!s || (s->n_dim != 2 && s->n_dim != 4))
        return false;
    shape->rank = (int)s->n_dim - 1;
    for (int d = 0; d < shape->rank; d++)
        shape->dim[d] = s->dim[d + 1]->dim_value;
    return espl__shape_valid(*shape);
}

static espl_status set_input(espl__onnx *o, const Espalier__Onnx__ValueInfo *input)
{
    espl__onnx_value *value = espl__onnx_find(o, input->name);
    espl__shape shape;
    bool last;
    espl_status s;

    if (o->graph)
        return espl__fail(o->ctx, ESPL_UNSUPPORTED, "the model has more than one input, among them \"%.100s\"; one was expected",
                          input->name);
    if (!read_shape(input, &shape))
        return espl__fail(o->ctx, ESPL_UNSUPPORTED,
                          "the model's input \"%.100s\" has no fixed size; (batch, channels, height, width) or (batch, features) "
                          "with numbers was expected (channels may be last): export the model with such an input, only the batch may be open",
                          input->name);
    last = shape.rank == 3 && shape.dim[2] <= 4 && shape.dim[0] > 4;
    if (last)
        shape = espl__shape_planes(shape.dim[2], shape.dim[0], shape.dim[1]);
    if ((s = espl__graph_open(o->ctx, shape, &o->graph)))
        return s;
    o->batch = input->type->tensor_type->shape->dim[0]->dim_value;
    if (o->batch < 1)
        o->batch = ANY_BATCH;
    espl__onnx_give_last(o, value, 0, last);
    if (last)
        espl__log(o->ctx, ESPL_NOTE, "the model takes pictures with channels last; the net takes them with channels first");
    return ESPL_OK;
}

static espl_status set_inputs(espl__onnx *o)
{
    const Espalier__Onnx__Graph *g = o->model->graph;

    for (size_t i = 0; i < g->n_input; i++) {
        const espl__onnx_value *value = espl__onnx_find(o, g->input[i]->name);
        const espl_status s = value->kind == ESPL__ONNX_CONSTANT ? ESPL_OK : set_input(o, g->input[i]);
        if (s)
            return s;
    }
    return o->graph ? ESPL_OK : espl__fail(o->ctx, ESPL_BAD_FILE, "the model has no input");
}

/* Counts who uses each value, from the answer backwards. */
static espl_status count_uses(espl__onnx *o)
{
    const Espalier__Onnx__Graph *g = o->model->graph;
    espl__onnx_value *answer = g->n_output == 1 ? espl__onnx_find(o, g->output[0]->name) : NULL;

    if (!answer)
        return espl__fail(o->ctx, ESPL_UNSUPPORTED, "the model has %zu outputs, or one that no node gives; one was expected",
                          g->n_output);
    answer->uses = 1;
    for (size_t i = g->n_node; i-- > 0;) {
        const espl__onnx_node *node = g->node[i];
        bool needed = false;
        for (size_t k = 0; k < node->n_output; k++) {
            const espl__onnx_value *value = espl__onnx_find(o, node->output[k]);
            needed = needed || value->uses;
        }
        for (size_t k = 0; needed && k < node->n_input; k++) {
            espl__onnx_value *value = espl__onnx_find(o, node->input[k]);
            if (value)
                value->uses++;
        }
    }
    return ESPL_OK;
}

/* ---- the walk ---- */

static espl_status collect_inputs(espl__onnx_call *call)
{
    const espl__onnx_node *node = call->node;

    if (node->n_input > ESPL__INPUTS_MAX)
        return espl__onnx_refuse(call, "takes %zu inputs; up to %d were expected", node->n_input, ESPL__INPUTS_MAX);
    for (size_t i = 0; i < node->n_input; i++) {
        call->in[i] = *node->input[i] ? espl__onnx_find(call->onnx, node->input[i]) : NULL;
        if (*node->input[i] && (!call->in[i] || !call->in[i]->kind))
            return espl__onnx_refuse(call, "takes \"%.100s\", which no node before it gives", node->input[i]);
    }
    call->count = (int)node->n_input;
    return ESPL_OK;
}

static espl_status collect_outputs(espl__onnx_call *call)
{
    const espl__onnx_node *node = call->node;

    for (size_t i = 0; i < node->n_output; i++) {
        espl__onnx_value *value = espl__onnx_find(call->onnx, node->output[i]);
        if (!*value->name)
            continue;
        if (value->kind || value->from)
            return espl__onnx_refuse(call, "gives \"%.100s\", which is there already", node->output[i]);
        value->from = node;
    }
    call->out = espl__onnx_find(call->onnx, node->output[0]);
    return ESPL_OK;
}

/* What a node that is not understood is told. */
static espl_status refuse_op(const espl__onnx_call *call)
{
    static const char *const quantized[] = { "*Quantize*", "QLinear*", "*Integer", "QGemm" };

    for (int i = 0; i < ESPL__COUNT(quantized); i++)
        if (espl__text_match(quantized[i], call->node->op_type))
            return espl__onnx_refuse(call, "belongs to a quantized model; import the model of floats from which it was made");
    if (*call->node->domain && !espl__text_equal(call->node->domain, "ai.onnx"))
        return espl__onnx_refuse(call, "is no operation of ONNX itself but of \"%.60s\"; export the model without optimizing it for "
                                       "a runtime",
                                 call->node->domain);
    return espl__onnx_refuse(call, "there is no such operation here");
}

/* Sums and products may have the constant in front. */
static bool takes_sample(const espl__onnx_call *call)
{
    const bool either = espl__onnx_is(call->node, "Add") || espl__onnx_is(call->node, "Mul") || espl__onnx_is(call->node, "Sub");
    const espl__onnx_value *first = call->count > 0 ? call->in[0] : NULL, *second = call->count > 1 ? call->in[1] : NULL;

    return first && (first->kind == ESPL__ONNX_COMPUTED || (either && second && second->kind == ESPL__ONNX_COMPUTED));
}

static espl_status translate(espl__onnx *o, const espl__onnx_node *node)
{
    espl__onnx_call call = { .onnx = o, .node = node };
    const bool own = !*node->domain || espl__text_equal(node->domain, "ai.onnx");
    espl__onnx_translator translator = own ? espl__onnx_translator_of(node->op_type) : NULL;
    bool done = false;
    espl_status s;

    if ((s = collect_inputs(&call)) || (s = collect_outputs(&call)) || (own && (s = espl__onnx_fold(&call, &done))) || done)
        return s;
    if (!translator)
        return refuse_op(&call);
    if (!takes_sample(&call))
        return espl__onnx_refuse(&call, "takes nothing, or a constant where what follows from the sample was expected");
    s = translator(&call);
    return !s && !call.out->kind ? espl__onnx_refuse(&call, "gives nothing") : s;
}

static bool is_needed(const espl__onnx *o, const espl__onnx_node *node)
{
    for (size_t i = 0; i < node->n_output; i++)
        if (espl__onnx_find(o, node->output[i])->uses)
            return true;
    return false;
}

static espl_status finish(espl__onnx *o)
{
    espl__onnx_value *answer = espl__onnx_find(o, o->model->graph->output[0]->name);
    int node, unused = -1;
    espl_status s;

    if (answer->kind != ESPL__ONNX_COMPUTED || answer->rank < 1)
        return espl__fail(o->ctx, ESPL_UNSUPPORTED, "the model's output \"%.100s\" does not follow from its input, sample by sample",
                          answer->name);
    if ((s = espl__onnx_resolve(o, answer, &node)))
        return s;
    if (node == 0)
        return espl__fail(o->ctx, ESPL_UNSUPPORTED, "the model gives back its input");
    o->graph->output = node;
    if ((s = espl__graph_unused(o->graph, &unused)) || unused < 0)
        return s;
    return espl__fail(o->ctx, ESPL_UNSUPPORTED, "node \"%s\" does not lead to the model's output", o->graph->nodes[unused].name);
}

static espl_status check_opset(espl__onnx *o)
{
    for (size_t i = 0; i < o->model->n_opset_import; i++) {
        const Espalier__Onnx__Opset *set = o->model->opset_import[i];
        if (!*set->domain || espl__text_equal(set->domain, "ai.onnx"))
            o->opset = set->version;
    }
    if (o->opset >= 7 && o->opset <= 21)
        return ESPL_OK;
    return espl__fail(o->ctx, ESPL_UNSUPPORTED, "the model is of opset %" PRId64 "; 7 to 21 are read: export it again with such a "
                                                "version (opset_version=17), or let onnx.version_converter change it",
                      o->opset);
}

espl_status espl__onnx_read(espl__onnx *o)
{
    espl_status s;

    if (!o->model->graph || !o->model->graph->n_node)
        return espl__fail(o->ctx, ESPL_BAD_FILE, "holds no graph; is it an ONNX model?");
    if ((s = check_opset(o)) || (s = list_values(o)) || (s = set_initializers(o)) || (s = set_inputs(o)) || (s = count_uses(o)))
        return s;
    for (size_t i = 0; i < o->model->graph->n_node; i++)
        if (is_needed(o, o->model->graph->node[i]) && (s = translate(o, o->model->graph->node[i])))
            return s;
    return finish(o);
}

/* ---- filling ---- */

static espl_status fill_parameter(espl__onnx *o, const espl__onnx_source *source, espl__parameter *p)
{
    const espl__onnx_value *value = source->value;
    const bool one = value && espl__onnx_count(value) == 1 && p->count > 1;
    float *to = p->value, single = 0;
    espl_status s = ESPL_OK;

    if (value && source->turned) {
        const espl__onnx_value other = espl__onnx_turn(value);
        s = espl__onnx_read_floats(o, &other, to);
    } else if (value) {
        s = espl__onnx_read_floats(o, value, one ? &single : to);
    }
    for (int64_t i = 0; i < p->count && !s; i++) {
        const float read = !value ? 1 : one ? single
                                            : to[i];
        to[i] = source->inverse ? (float)(source->number / read) : (float)(source->number * read);
    }
    return s;
}

espl_status espl__onnx_fill(espl__onnx *o, espl_net *net)
{
    for (int i = 0; i < net->graph->parameter_count; i++) {
        const espl_status s = fill_parameter(o, &o->sources[i], &net->parameters[i]);
        if (s)
            return s;
    }
    return ESPL_OK;
}
