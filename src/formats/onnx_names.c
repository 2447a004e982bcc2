/* What nodes of an ONNX model are called here. PyTorch names its nodes by the way to the module,
 * "/layer1/layer1.0/conv1/Conv", and initializers by the parameter, "layer1.0.conv1.weight"; both give
 * "layer1.0.conv1", as the module is called there. Other names stay as they are. */
#include "formats/onnx.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);

    return length > tail && espl__text_equal(text + length - tail, end);
}

/* "conv1" of "conv1.weight", if the first constant that the node takes is called so. */
static int length_by_weight(const espl__onnx *o, const espl__onnx_node *node, const char **weight)
{
    for (size_t i = 1; i < node->n_input && i < 2; i++) {
        const espl__onnx_value *value = espl__onnx_find(o, node->input[i]);
        if (value && value->kind == ESPL__ONNX_CONSTANT && !value->from && ends_with(value->name, ".weight")) {
            *weight = value->name;
            return (int)(strlen(value->name) - strlen(".weight"));
        }
    }
    return 0;
}

/* Whether "relu_1" says what "Relu" does; letters of either case are the same. */
static bool says_op(const char *part, size_t length, const char *op)
{
    for (; *op; op++, part++, length--)
        if (!length || tolower((unsigned char)*part) != tolower((unsigned char)*op))
            return false;
    return true;
}

/* The last dotted piece of a part: "relu" of "layer1.0.relu". */
static const char *last_piece(const char *part, size_t *length)
{
    for (size_t i = *length; i > 0; i--)
        if (part[i - 1] == '.') {
            *length -= i;
            return part + i;
        }
    return part;
}

/* Operations with parameters are modules of their own. */
static bool is_module(const espl__onnx_node *node)
{
    static const char *const ops[] = { "Conv", "Gemm", "MatMul", "*Normalization" };

    for (int i = 0; i < ESPL__COUNT(ops); i++)
        if (espl__text_match(ops[i], node->op_type))
            return true;
    return false;
}

/* Whether this part of a path adds nothing: the next one repeats it ("layer1" before "layer1.0"), or it is
 * the operation behind a module that is called like it ("Relu" behind "relu_1"), or that is nothing else. */
static bool is_idle(const char *part, size_t length, const char *before, size_t before_length, const espl__onnx_node *node)
{
    const char *next = part + length;

    if (*next == '/')
        return strncmp(next + 1, part, length) == 0 && next[1 + length] == '.';
    const char *piece = before ? last_piece(before, &before_length) : NULL;
    const bool is_op = strncmp(part, node->op_type, strlen(node->op_type)) == 0;
    return piece && is_op && (says_op(piece, before_length, node->op_type) || is_module(node));
}

static void join_path(const espl__onnx_node *node, char *name, size_t size)
{
    const char *before = NULL;
    size_t used = 0, before_length = 0;

    for (const char *part = node->name + 1; *part;) {
        const size_t length = strcspn(part, "/");
        if (length && !is_idle(part, length, before, before_length, node) && used < size)
            used += (size_t)snprintf(name + used, size - used, "%s%.*s", used ? "." : "", (int)(length < 100 ? length : 100), part);
        before = part;
        before_length = length;
        part += length + (part[length] == '/');
    }
}

/* Only what any terminal and file can hold; names are compared with patterns. */
static void make_plain(char *name)
{
    for (char *c = name; *c; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f || *c == '"' || *c == '\\')
            *c = '_';
}

/* A number behind it where the name is taken. */
static void make_unique(const espl__graph *graph, char name[180])
{
    const int length = (int)strlen(name);

    for (int number = graph->node_count; number < graph->node_count + 100 && espl__graph_find(graph, name) >= 0; number++)
        snprintf(name + length, 180 - (size_t)length, "_%d", number);
}

void espl__onnx_name(const espl__onnx *o, const espl__onnx_node *node, const char *suffix, char name[180])
{
    const char *weight = NULL;
    const int length = length_by_weight(o, node, &weight);
    char stem[140] = "";

    if (length)
        snprintf(stem, sizeof stem, "%.*s", length < 139 ? length : 139, weight);
    else if (*node->name == '/')
        join_path(node, stem, sizeof stem);
    else
        snprintf(stem, sizeof stem, "%.139s", node->name);
    snprintf(name, 180, "%.139s%s", *stem ? stem : node->op_type, suffix);
    make_plain(name);
    make_unique(o->graph, name);
}
