/* The flow through the layers of a description: one after the other, repeated, left out, in branches
 * and in blocks. */
#include "net/layout.h"

#include <stdio.h>
#include <string.h>

/* Repetitions; layers are limited to the same number. */
#define MOST_TURNS ESPL__GRAPH_NODES_MAX

static const char *const item_keys[] = { "name", "from", "when", "let", "repeat", "index", "each", "of", "join" };

/* One item of a list of layers, taken apart. */
typedef struct item {
    const espl__tree *node;
    const char *what;       /* op, block, "layers" or "branches" */
    const espl__tree *body; /* its value, or NULL */
    const espl__tree *name, *from, *when, *let, *repeat, *index, *each, *of, *join;
    bool numbered; /* it repeats: a plain name gets the number behind it */
    int turn;      /* from 0 */
} item;

static espl_status fail_at(espl__layout *layout, const espl__tree *node, const char *message)
{
    return espl__tree_fail(layout->document, node, ESPL_BAD_RECIPE, "%s", message);
}

/* ---- taking apart ---- */

static bool is_item_key(const char *key)
{
    for (int i = 0; i < ESPL__COUNT(item_keys); i++)
        if (espl__text_equal(item_keys[i], key))
            return true;
    return false;
}

static espl_status find_what(espl__layout *layout, item *it)
{
    for (const espl__tree *child = it->node->first; child; child = child->next) {
        if (is_item_key(child->key))
            continue;
        if (it->what)
            return espl__tree_fail(layout->document, child, ESPL_BAD_RECIPE,
                                   "\"%s\" and \"%s\" are two layers; each begins with a \"-\" of its own", it->what,
                                   child->key);
        it->what = child->key;
        it->body = child;
    }
    return it->what ? ESPL_OK
                    : fail_at(layout, it->node, "this item names no layer, block, \"layers\" or \"branches\"");
}

static espl_status check_item(espl__layout *layout, const item *it)
{
    const bool branches = espl__text_equal(it->what, "branches");

    if (it->repeat && it->each)
        return fail_at(layout, it->each, "\"repeat\" and \"each\" cannot both be given");
    if (!it->each != !it->of)
        return fail_at(layout, it->each ? it->each : it->of,
                       "\"each\" names the variables and \"of\" lists their values; one is missing");
    if (it->index && !it->repeat && !it->each)
        return fail_at(layout, it->index, "\"index\" counts the turns of \"repeat\" or \"each\", and there is neither");
    if (branches && !it->join)
        return fail_at(layout, it->node, "\"branches\" need \"join\", such as add or concat");
    if (it->join && !branches)
        return fail_at(layout, it->join, "\"join\" belongs to \"branches\"; there are none");
    return ESPL_OK;
}

static espl_status take_apart(espl__layout *layout, const espl__tree *node, item *it)
{
    *it = (item){ .node = node };
    if (node->kind == ESPL__SCALAR && *node->text) {
        it->what = node->text;
        return ESPL_OK;
    }
    if (node->kind != ESPL__MAP)
        return fail_at(layout, node, "a layer was expected, such as \"- relu\" or \"- dense: {units: 10}\"");
    const espl_status s = find_what(layout, it);
    if (s)
        return s;
    it->name = espl__tree_get(node, "name");
    it->from = espl__tree_get(node, "from");
    it->when = espl__tree_get(node, "when");
    it->let = espl__tree_get(node, "let");
    it->repeat = espl__tree_get(node, "repeat");
    it->index = espl__tree_get(node, "index");
    it->each = espl__tree_get(node, "each");
    it->of = espl__tree_get(node, "of");
    it->join = espl__tree_get(node, "join");
    return check_item(layout, it);
}

/* ---- names and sources ---- */

static bool can_be_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

    return *name && !name[strspn(name, letters)] && !espl__text_equal(name, "input") &&
           !espl__text_equal(name, "previous");
}

/* The item's own name, "" if it has none. */
static espl_status own_name(espl__layout *layout, const item *it, char name[ESPL__NAME_MAX])
{
    bool replaced = false;
    espl_status s;

    name[0] = 0;
    if (!it->name)
        return ESPL_OK;
    if ((s = espl__layout_text(layout, it->name, name, ESPL__NAME_MAX - 16, &replaced)))
        return s;
    if (!can_be_name(name))
        return espl__tree_fail(layout->document, it->name, ESPL_BAD_RECIPE,
                               "\"%s\" cannot be the name of a layer; letters, digits, \"_\" and \"-\" can, except for "
                               "\"input\" and \"previous\"",
                               name);
    if (it->numbered && !replaced)
        snprintf(name + strlen(name), 16, "_%d", it->turn + 1);
    return ESPL_OK;
}

static espl_status find_sources(espl__layout *layout, const item *it, int inputs[ESPL__INPUTS_MAX], int *count)
{
    espl_status s;

    *count = 1;
    inputs[0] = layout->current;
    if (!it->from || it->from->kind == ESPL__SCALAR)
        return it->from ? espl__layout_refer(layout, it->from, &inputs[0]) : ESPL_OK;
    if (it->from->kind == ESPL__MAP || !it->from->count || it->from->count > ESPL__INPUTS_MAX)
        return espl__tree_fail(layout->document, it->from, ESPL_BAD_RECIPE,
                               "\"from\" is a name or a list of 1 to %d names", ESPL__INPUTS_MAX);
    *count = 0;
    for (const espl__tree *child = it->from->first; child; child = child->next)
        if ((s = espl__layout_refer(layout, child, &inputs[(*count)++])))
            return s;
    return ESPL_OK;
}

static espl_status one_source(espl__layout *layout, const item *it, int count)
{
    return count == 1 ? ESPL_OK
                      : fail_at(layout, it->from, "only a single operation can take several inputs; this takes one");
}

/* ---- groups and branches ---- */

static espl_status lay_out_list(espl__layout *layout, const espl__tree *list)
{
    if (!list || espl__tree_empty(list))
        return ESPL_OK;
    return espl__layout_layers(layout, list);
}

static espl_status lay_out_group(espl__layout *layout, const item *it, const char *name)
{
    espl__scope scope;
    espl_status s = espl__layout_enter(layout, it->node, name, &scope);

    if (s)
        return s;
    s = lay_out_list(layout, it->body);
    espl__layout_leave(layout, &scope);
    return s;
}

/* A branch's key is the label of its end; it is no scope, so that names stay short. */
static espl_status lay_out_branch(espl__layout *layout, const espl__tree *branch, int source, int *end)
{
    espl_status s;

    if (branch->key && !can_be_name(branch->key))
        return fail_at(layout, branch, "a branch's name is made of letters, digits, \"_\" and \"-\"");
    layout->current = source;
    if ((s = lay_out_list(layout, branch)))
        return s;
    *end = layout->current;
    return branch->key ? espl__layout_label(layout, branch->key, *end) : ESPL_OK;
}

/* "add" or {concat: {...}} */
static espl_status join(espl__layout *layout, const item *it, const int *ends, int count)
{
    const espl__tree *node = it->join, *body = NULL;

    if (node->kind == ESPL__MAP && node->first && !node->first->next)
        node = body = node->first;
    else if (node->kind != ESPL__SCALAR)
        return fail_at(layout, node, "\"join\" is one operation, such as add or concat");
    const char *what = body ? body->key : node->text;
    const espl__op *op = espl__op_find(what);
    if (!op)
        return espl__tree_fail(layout->document, node, ESPL_BAD_RECIPE, "there is no operation \"%s\"; add and concat "
                                                                        "join branches",
                               what);
    return espl__layout_op(layout, node, op, body, "", ends, count);
}

static espl_status lay_out_branches(espl__layout *layout, const item *it, const char *name)
{
    int ends[ESPL__INPUTS_MAX], count = 0;
    const int source = layout->current;
    espl__scope scope;
    espl_status s;

    if (it->body->kind == ESPL__SCALAR || it->body->count < 2 || it->body->count > ESPL__INPUTS_MAX)
        return espl__tree_fail(layout->document, it->body, ESPL_BAD_RECIPE,
                               "\"branches\" are 2 to %d lists of layers", ESPL__INPUTS_MAX);
    if ((s = espl__layout_enter(layout, it->node, name, &scope)))
        return s;
    for (const espl__tree *branch = it->body->first; branch && !s; branch = branch->next)
        s = lay_out_branch(layout, branch, source, &ends[count++]);
    if (!s)
        s = join(layout, it, ends, count);
    espl__layout_leave(layout, &scope);
    return s;
}

/* ---- blocks ---- */

static espl_status check_arguments(espl__layout *layout, const item *it, const espl__tree *arguments)
{
    const char *known[ESPL__ARGUMENTS_MAX + 1] = { NULL };
    int count = 0;

    if (arguments && !espl__tree_empty(arguments) && arguments->kind != ESPL__MAP)
        return fail_at(layout, arguments, "\"arguments\" is a map of names and defaults");
    if (arguments && arguments->count > ESPL__ARGUMENTS_MAX)
        return espl__tree_fail(layout->document, arguments, ESPL_BAD_RECIPE, "a block can have at most %d arguments",
                               ESPL__ARGUMENTS_MAX);
    for (const espl__tree *child = arguments ? arguments->first : NULL; child; child = child->next)
        known[count++] = child->key;
    if (it->body && it->body->kind == ESPL__MAP)
        return espl__tree_check_keys(layout->document, it->body, known);
    if (it->body && !espl__tree_empty(it->body) && !count)
        return espl__tree_fail(layout->document, it->body, ESPL_BAD_RECIPE, "the block \"%s\" takes no arguments", it->what);
    return ESPL_OK;
}

/* What the caller gives for an argument, or NULL. A plain value is for the first one. */
static const espl__tree *given(const item *it, const espl__tree *argument)
{
    if (!it->body || espl__tree_empty(it->body))
        return NULL;
    if (it->body->kind == ESPL__MAP)
        return espl__tree_get(it->body, argument->key);
    return argument->parent->first == argument ? it->body : NULL;
}

/* Which variables and labels are seen, and what "input" means. */
typedef struct sight {
    int frame, count, label_frame, input;
} sight;

static sight look(const espl__layout *layout)
{
    return (sight){ layout->variables.frame, layout->variables.count, layout->label_frame, layout->input };
}

static void see(espl__layout *layout, const sight *s)
{
    layout->variables.frame = s->frame;
    layout->variables.count = s->count;
    layout->label_frame = s->label_frame;
    layout->input = s->input;
}

/* Computes the arguments and leaves them in sight. What the caller gives means what it means there; a
 * default is computed within the block, behind the arguments before it. */
static espl_status push_arguments(espl__layout *layout, const item *it, const espl__tree *arguments,
                                  const sight *caller)
{
    espl__value value;
    espl_status s = ESPL_OK;

    for (const espl__tree *a = arguments ? arguments->first : NULL; a && !s; a = a->next) {
        const espl__tree *from_caller = given(it, a);
        const sight own = look(layout);
        if (!from_caller && espl__tree_empty(a))
            return espl__tree_fail(layout->document, it->node, ESPL_BAD_RECIPE,
                                   "the block \"%s\" needs the argument \"%s\"", it->what, a->key);
        if (from_caller)
            see(layout, caller);
        s = espl__layout_value(layout, from_caller ? from_caller : a, &value);
        see(layout, &own);
        if (!s && (s = espl__variables_push(&layout->variables, a->key, &value)))
            s = espl__tree_fail(layout->document, a, s, "%s", espl_message(layout->ctx));
    }
    return s;
}

static espl_status block_body(espl__layout *layout, const item *it, const espl__tree *block, const sight *caller)
{
    static const char *const keys[] = { "arguments", "let", "layers", NULL };
    const espl__tree *arguments = espl__tree_get(block, "arguments");
    espl_status s;

    if ((s = espl__tree_check_keys(layout->document, block, keys)) || (s = check_arguments(layout, it, arguments)) ||
        (s = push_arguments(layout, it, arguments, caller)) ||
        (s = espl__layout_let(layout, espl__tree_get(block, "let"))))
        return s;
    return lay_out_list(layout, espl__tree_get(block, "layers"));
}

/* Variables and labels of the caller are out of sight within a block. */
static espl_status isolated(espl__layout *layout, const item *it, const espl__tree *block)
{
    const sight caller = look(layout);

    see(layout, &(sight){ caller.count, caller.count, layout->label_count, layout->current });
    layout->active[layout->active_count++] = block;
    const espl_status s = block_body(layout, it, block, &caller);
    layout->active_count--;
    layout->label_count = layout->label_frame;
    see(layout, &caller);
    return s;
}

static espl_status lay_out_block(espl__layout *layout, const item *it, const espl__tree *block, const char *name)
{
    char made[ESPL__NAME_MAX];
    espl__scope scope;
    espl_status s;

    for (int i = 0; i < layout->active_count; i++)
        if (layout->active[i] == block)
            return espl__tree_fail(layout->document, it->node, ESPL_BAD_RECIPE,
                                   "the block \"%s\" would contain itself without end", it->what);
    if (layout->active_count == ESPL__LAYOUT_DEPTH)
        return fail_at(layout, it->node, "blocks are nested too deeply");
    if (!*name) {
        if ((s = espl__layout_next_name(layout, block->key, made)))
            return s;
        name = made;
    }
    if ((s = espl__layout_enter(layout, it->node, name, &scope)))
        return s;
    s = isolated(layout, it, block);
    espl__layout_leave(layout, &scope);
    return s;
}

/* ---- one item ---- */

static espl_status unknown(espl__layout *layout, const item *it)
{
    const char *names[256] = { "layers", "branches" };
    int count = 2;

    for (const espl__tree *b = layout->blocks ? layout->blocks->first : NULL; b && count < 128; b = b->next)
        names[count++] = b->key;
    for (int i = 0; espl__op_at(i) && count < ESPL__COUNT(names); i++)
        names[count++] = espl__op_at(i)->name;
    espl__tree at = *it->node;
    if (it->body) {
        at.line = it->body->key_line;
        at.column = it->body->key_column;
    }
    const char *nearest = espl__text_nearest(it->what, names, count);
    if (nearest)
        return espl__tree_fail(layout->document, &at, ESPL_BAD_RECIPE,
                               "there is no layer or block \"%s\"; did you mean \"%s\"?", it->what, nearest);
    return espl__tree_fail(layout->document, &at, ESPL_BAD_RECIPE,
                           "there is no layer or block \"%s\"; \"espalier list ops\" shows the layers", it->what);
}

static espl_status lay_out_what(espl__layout *layout, const item *it, const char *name)
{
    const espl__tree *block = espl__tree_get(layout->blocks, it->what);
    const espl__op *op = espl__op_find(it->what);
    int inputs[ESPL__INPUTS_MAX], count = 0;
    espl_status s = find_sources(layout, it, inputs, &count);

    if (s)
        return s;
    if (op && !block)
        return espl__layout_op(layout, it->node, op, it->body, name, inputs, count);
    if ((s = one_source(layout, it, count)))
        return s;
    layout->current = inputs[0];
    if (block)
        return lay_out_block(layout, it, block, name);
    if (espl__text_equal(it->what, "layers") && it->body)
        return lay_out_group(layout, it, name);
    if (espl__text_equal(it->what, "branches") && it->body)
        return lay_out_branches(layout, it, name);
    return unknown(layout, it);
}

static espl_status label_item(espl__layout *layout, const item *it, const char *name)
{
    char plain[ESPL__NAME_MAX];
    espl_status s;

    if (!*name)
        return ESPL_OK;
    if ((s = espl__layout_label(layout, name, layout->current)) || !it->numbered)
        return s;
    /* the last one of a repeated layer also goes by the name without the number */
    if ((s = espl__layout_text(layout, it->name, plain, sizeof plain, NULL)))
        return s;
    return espl__layout_label(layout, plain, layout->current);
}

/* One turn; its variables end with it. */
static espl_status turn(espl__layout *layout, const item *it)
{
    char name[ESPL__NAME_MAX];
    double wanted = 1;
    espl_status s;

    if ((s = espl__layout_let(layout, it->let)) ||
        (it->when && (s = espl__layout_number(layout, it->when, &wanted))))
        return s;
    if (wanted == 0)
        return ESPL_OK;
    if ((s = own_name(layout, it, name)) || (s = lay_out_what(layout, it, name)))
        return s;
    return label_item(layout, it, name);
}

static espl_status push(espl__layout *layout, const espl__tree *name, double number)
{
    const espl__value value = espl__number(number);

    if (name->kind != ESPL__SCALAR)
        return fail_at(layout, name, "the name of a variable was expected");
    const espl_status s = espl__variables_push(&layout->variables, name->text, &value);
    return s ? espl__tree_fail(layout->document, name, s, "%s", espl_message(layout->ctx)) : ESPL_OK;
}

/* The variables of `each` get the values of one row of `of`. */
static espl_status push_row(espl__layout *layout, const espl__tree *each, const espl__tree *row)
{
    const bool several = each->kind == ESPL__LIST;
    const espl__tree *name = several ? each->first : each;
    espl__value values;
    espl_status s = espl__layout_value(layout, row, &values);

    if (s)
        return s;
    if (values.count != (several ? each->count : 1))
        return espl__tree_fail(layout->document, row, ESPL_BAD_RECIPE, "this row has %d values for %d variables",
                               values.count, several ? each->count : 1);
    for (int i = 0; i < values.count && !s; i++, name = name->next)
        s = push(layout, name, values.item[i]);
    return s;
}

static espl_status turns(espl__layout *layout, item *it, int64_t count)
{
    const int variables = layout->variables.count;
    const espl__tree *row = it->of ? it->of->first : NULL;
    espl_status s = ESPL_OK;

    for (it->turn = 0; it->turn < count && !s; it->turn++, row = row ? row->next : NULL) {
        if (it->index)
            s = push(layout, it->index, it->turn);
        if (!s && it->each)
            s = push_row(layout, it->each, row);
        if (!s)
            s = turn(layout, it);
        layout->variables.count = variables;
        layout->variables.work += 100;
    }
    return s;
}

static espl_status lay_out_item(espl__layout *layout, const espl__tree *node)
{
    int64_t count = 1;
    item it;
    espl_status s = take_apart(layout, node, &it);

    if (s)
        return s;
    it.numbered = it.repeat || it.each;
    if (it.repeat && (s = espl__layout_count(layout, it.repeat, MOST_TURNS, &count)))
        return s;
    if (it.of && it.of->kind != ESPL__LIST)
        return fail_at(layout, it.of, "\"of\" is a list of values or of rows of values");
    return turns(layout, &it, it.of ? it.of->count : count);
}

espl_status espl__layout_layers(espl__layout *layout, const espl__tree *list)
{
    espl_status s = ESPL_OK;

    if (list->kind != ESPL__LIST)
        return fail_at(layout, list, "a list of layers was expected, each beginning with \"-\"");
    if (layout->depth == ESPL__LAYOUT_DEPTH)
        return fail_at(layout, list, "layers are nested too deeply");
    layout->depth++;
    for (const espl__tree *node = list->first; node && !s; node = node->next)
        s = lay_out_item(layout, node);
    layout->depth--;
    return s;
}
