/* What a net can be made from: a name, a description, a net file. */
#include "net/describe.h"
#include "net/description.h"

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

static espl_status from_description(espl_context *ctx, const espl__wish *wish, const char *path, espl_net **result)
{
    espl__document *document;
    char name[96];
    const espl_status s = espl__document_load(ctx, path, &document);

    if (s)
        return s;
    base_name(path, name);
    espl__wish whole = *wish;
    whole.document = document;
    whole.fallback_name = name;
    const espl_status made = espl__describe(ctx, &whole, result);
    espl__document_free(document);
    return made;
}

static espl_status from_file(espl_context *ctx, const espl__wish *wish, const char *path, espl_net **result)
{
    if (wish->override && wish->override->count)
        return espl__tree_fail(wish->override_document, wish->override, ESPL_BAD_OPTION,
                               "\"%.200s\" is a finished net; only names and descriptions (.yaml) take settings", path);
    return espl_net_load(ctx, path, result);
}

static espl_status from_name(espl_context *ctx, const espl__wish *wish, const char *name, espl_net **result)
{
    espl__document *document;
    espl__given given;
    espl__wish whole = *wish;
    const espl_status s = espl__find_description(ctx, name, &document, &given, &whole.constants);

    if (s)
        return s;
    if (!document)
        return looks_like_file(name) ? from_file(ctx, wish, name, result) : espl__refuse_name(ctx, name);
    whole.document = document;
    whole.fallback_name = name;
    whole.given = &given;
    const espl_status made = espl__describe(ctx, &whole, result);
    espl__document_free(document);
    return made;
}

espl_status espl__net_make(espl_context *ctx, const char *source, const espl__document *document,
                           const espl__tree *settings, const espl__net_fit *fit, espl_net **result)
{
    espl__wish wish = { .override_document = document, .override = settings, .fit = fit };

    *result = NULL;
    if (settings && espl__tree_empty(settings))
        wish.override = NULL;
    else if (settings && settings->kind != ESPL__MAP)
        return espl__tree_fail(document, settings, ESPL_BAD_RECIPE,
                               "settings of a net such as {classes: 10} were expected");
    if (ends_with(source, ".yaml") || ends_with(source, ".yml"))
        return from_description(ctx, &wish, source, result);
    return from_name(ctx, &wish, source, result);
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
