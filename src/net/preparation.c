/* How samples are prepared for a net, as a person or a description writes it: one of the usual rules by
 * name, or a map such as {scale: 1/255, mean: 0.5, deviation: [0.2, 0.2, 0.2], order: bgr}. */
#include "net/foreign.h"
#include "net/layout.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The rules that pre-trained nets are usually fed by. */
static const struct {
    const char *name;
    double scale, mean[3], deviation[3];
    const char *order;
} rules[] = {
    { "raw", 1, { 0, 0, 0 }, { 1, 1, 1 }, "rgb" },
    { "unit", 1.0 / 255, { 0, 0, 0 }, { 1, 1, 1 }, "rgb" },
    { "symmetric", 1.0 / 127.5, { 1, 1, 1 }, { 1, 1, 1 }, "rgb" },                      /* Keras's "tf" */
    { "imagenet", 1.0 / 255, { 0.485, 0.456, 0.406 }, { 0.229, 0.224, 0.225 }, "rgb" }, /* torchvision */
    { "caffe", 1, { 103.939, 116.779, 123.68 }, { 1, 1, 1 }, "bgr" },
};

#define RULES "raw, unit, symmetric, imagenet and caffe"

static bool take_rule(const char *name, espl__preparation *p)
{
    for (int i = 0; i < ESPL__COUNT(rules); i++)
        if (espl__text_equal(rules[i].name, name)) {
            p->scale = rules[i].scale;
            memcpy(p->mean, rules[i].mean, sizeof rules[i].mean);
            memcpy(p->deviation, rules[i].deviation, sizeof rules[i].deviation);
            snprintf(p->order, sizeof p->order, "%s", p->channels == 1 ? "grey" : rules[i].order);
            return true;
        }
    return false;
}

/* One number for all channels or one for each. */
static espl_status read_reals(espl__layout *layout, const espl__tree *node, int channels, double values[4])
{
    espl__value value;
    const espl_status s = node ? espl__layout_value(layout, node, &value) : ESPL_OK;

    if (s || !node)
        return s;
    if (value.count != 1 && value.count != channels)
        return espl__tree_fail(layout->document, node, ESPL_BAD_OPTION,
                               "%s has %d values, but the net takes %d channels", node->key, value.count, channels);
    for (int c = 0; c < channels; c++) {
        values[c] = value.item[value.count == 1 ? 0 : c];
        if (!isfinite(values[c]))
            return espl__tree_fail(layout->document, node, ESPL_BAD_OPTION, "%s must be finite numbers", node->key);
    }
    return ESPL_OK;
}

static espl_status read_word(const espl__document *document, const espl__tree *node, const char *const *words,
                             const char *choices, char *word, size_t bytes)
{
    if (!node)
        return ESPL_OK;
    for (; *words; words++)
        if (node->kind == ESPL__SCALAR && espl__text_equal(*words, node->text)) {
            snprintf(word, bytes, "%s", *words);
            return ESPL_OK;
        }
    return espl__tree_fail(document, node, ESPL_BAD_OPTION, "%s is one of %s", node->key, choices);
}

static espl_status read_map(espl__layout *layout, const espl__tree *map, espl__preparation *p)
{
    static const char *const keys[] = { "rule", "scale", "mean", "deviation", "order", "resize", NULL };
    static const char *const orders[] = { "rgb", "bgr", "grey", NULL };
    static const char *const resizes[] = { "none", "stretch", "crop", NULL };
    const espl__document *document = layout->document;
    const espl__tree *rule = espl__tree_get(map, "rule");
    double scale[4] = { 1 };
    espl_status s;

    if ((s = espl__tree_check_keys(document, map, keys)))
        return s;
    if (rule && !take_rule(rule->text, p))
        return espl__tree_fail(document, rule, ESPL_BAD_OPTION, "rule is one of " RULES);
    scale[0] = p->scale;
    if ((s = read_reals(layout, espl__tree_get(map, "scale"), 1, scale)) ||
        (s = read_reals(layout, espl__tree_get(map, "mean"), p->channels, p->mean)) ||
        (s = read_reals(layout, espl__tree_get(map, "deviation"), p->channels, p->deviation)) ||
        (s = read_word(document, espl__tree_get(map, "order"), orders, "rgb, bgr and grey", p->order, sizeof p->order)) ||
        (s = read_word(document, espl__tree_get(map, "resize"), resizes, "none, stretch and crop", p->resize,
                       sizeof p->resize)))
        return s;
    p->scale = scale[0];
    for (int c = 0; c < p->channels; c++)
        if (!(p->deviation[c] > 1e-30))
            return espl__tree_fail(document, map, ESPL_BAD_OPTION, "deviation must be above zero");
    return ESPL_OK;
}

espl_status espl__preparation_read(espl__layout *layout, const espl__tree *node, espl__shape input,
                                   espl__preparation *result)
{
    const bool planes = input.rank == 3;
    espl__preparation p = { .known = true, .scale = 1, .deviation = { 1, 1, 1, 1 } };

    p.channels = planes && input.dim[0] <= 4 ? (int)input.dim[0] : 1;
    p.height = planes ? input.dim[1] : 0;
    p.width = planes ? input.dim[2] : 0;
    snprintf(p.order, sizeof p.order, "%s", p.channels == 1 ? "grey" : "rgb");
    snprintf(p.resize, sizeof p.resize, "%s", planes && input.dim[1] > 64 ? "crop" : "none");
    if (node->kind == ESPL__SCALAR && !take_rule(node->text, &p))
        return espl__tree_fail(layout->document, node, ESPL_BAD_OPTION,
                               "\"%.100s\" is no way to prepare samples; " RULES " are, or a map such as "
                               "{scale: 1/255, mean: 0.5, deviation: 0.2}",
                               node->text);
    if (node->kind == ESPL__MAP) {
        const espl_status s = read_map(layout, node, &p);
        if (s)
            return s;
    }
    *result = p;
    return ESPL_OK;
}

espl_status espl_net_prepare(espl_net *net, const char *how)
{
    espl__document *document;
    espl__layout layout;
    espl_status s = strchr(how, ':') ? espl__document_parse_settings(net->ctx, "prepare", how, &document)
                                     : espl__document_parse(net->ctx, "prepare", how, strlen(how), &document);

    if (s)
        return s;
    if (!(s = espl__layout_open(net->ctx, document, &layout)))
        s = espl__preparation_read(&layout, document->root, net->graph->nodes[0].shape, &net->preparation);
    espl__layout_free(&layout);
    espl__document_free(document);
    return s;
}
