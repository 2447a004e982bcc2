/* What a net can be made from: a name, a description, a net file. */
#include "net/describe.h"
#include "net/description.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && espl__text_equal(text + length - end_length, end);
}

/* "nets/tiny.yaml" is called "tiny". */
static void base_name(const char *path, char name[96])
{
    const char *slash = strrchr(path, '/');
    const char *begin = slash ? slash + 1 : path, *dot = strrchr(begin, '.');
    const size_t length = dot ? (size_t)(dot - begin) : strlen(begin);
    const size_t kept = length < 95 ? length : 95;

    memcpy(name, begin, kept);
    name[kept] = 0;
}

/* Whether it is meant as a file: it has a folder, exists, or ends like one ("mobilenet-v1-0.25" does
 * not: what follows its dot are digits). */
static bool looks_like_file(const char *source)
{
    const char *dot = strrchr(source, '.');

    return strchr(source, '/') || (dot && dot[1] && dot[1 + strspn(dot + 1, "0123456789-")]) ||
           access(source, F_OK) == 0;
}

espl_status espl__source_find(espl_context *ctx, const char *source, espl__source *found)
{
    espl_status s;

    *found = (espl__source){ 0 };
    if (ends_with(source, ".yaml") || ends_with(source, ".yml")) {
        base_name(source, found->name);
        return espl__document_load(ctx, source, &found->document);
    }
    snprintf(found->name, sizeof found->name, "%s", source);
    s = espl__find_description(ctx, source, &found->document, &found->given, &found->constants);
    return s || found->document || looks_like_file(source) ? s : espl__refuse_name(ctx, source);
}

void espl__source_wish(const espl__source *found, espl__wish *wish)
{
    wish->document = found->document;
    wish->fallback_name = found->name;
    wish->given = &found->given;
    wish->constants = found->constants;
}

espl_status espl__settings_check(const espl__document *document, const espl__tree **settings)
{
    if (*settings && espl__tree_empty(*settings))
        *settings = NULL;
    if (*settings && (*settings)->kind != ESPL__MAP)
        return espl__tree_fail(document, *settings, ESPL_BAD_RECIPE,
                               "settings of a net such as {classes: 10} were expected");
    return ESPL_OK;
}

espl_status espl__settings_refuse(const espl__document *document, const espl__tree *settings, const char *path)
{
    if (!settings || !settings->count)
        return ESPL_OK;
    return espl__tree_fail(document, settings, ESPL_BAD_OPTION,
                           "\"%.200s\" is a finished net; only names and descriptions (.yaml) take settings", path);
}

espl_status espl__net_make(espl_context *ctx, const char *source, const espl__document *document,
                           const espl__tree *settings, const espl__net_fit *fit, espl_net **result)
{
    espl__source found;
    espl_status s = espl__settings_check(document, &settings);
    espl__wish wish = { .override_document = document, .override = settings, .fit = fit };

    *result = NULL;
    if (s || (s = espl__source_find(ctx, source, &found)))
        return s;
    if (!found.document) {
        s = espl__settings_refuse(document, settings, source);
        return s ? s : espl_net_load(ctx, source, result);
    }
    espl__source_wish(&found, &wish);
    s = espl__describe(ctx, &wish, result);
    espl__document_free(found.document);
    return s;
}

espl_status espl__net_of_recipe(const espl__document *document, const espl__tree *node,
                                const espl__net_fit *fit, espl_net **result)
{
    const espl__tree *settings = NULL;
    const char *source = NULL;

    *result = NULL;
    if (node && node->kind == ESPL__SCALAR && *node->text)
        source = node->text;
    if (node && node->kind == ESPL__MAP && node->count == 1) {
        settings = node->first;
        source = settings->key;
    }
    if (!source)
        return espl__tree_fail(document, node, ESPL_BAD_RECIPE,
                               "a net was expected: a name (resnet-20), a name with settings ({resnet: {depth: 20}}), "
                               "a description (.yaml) or a net file (.safetensors)");
    const espl_status s = espl__net_make(document->ctx, source, document, settings, fit, result);
    if (s == ESPL_BAD_OPTION && strncmp(espl_message(document->ctx), document->name, strlen(document->name)) != 0)
        return espl__tree_fail(document, node, s, "%s", espl_message(document->ctx));
    return s;
}

espl_status espl_net_open(espl_context *ctx, const char *source, const char *settings, espl_net **result)
{
    espl__document *document;
    espl_status s;

    *result = NULL;
    if ((s = espl__document_parse_settings(ctx, "settings", settings, &document)))
        return s;
    s = espl__net_make(ctx, source, document, document->root, NULL, result);
    espl__document_free(document);
    return s;
}
