/* Names of nets: "wide-resnet-16-4" is the built-in description that says "wide-resnet-{depth}-{width}". */
#include "net/description.h"

#include <stdio.h>
#include <string.h>

#define NAMES_MAX 128
#define NAME_MAX_BYTES 64

/* ---- patterns ---- */

/* "16" or "0.25" at `text`; returns what follows, or NULL. */
static const char *take_number(const char *text, double *value)
{
    char digits[32];
    size_t length = strspn(text, "0123456789.");

    while (length && text[length - 1] == '.')
        length--;
    if (!length || length >= sizeof digits)
        return NULL;
    memcpy(digits, text, length);
    digits[length] = 0;
    return espl__text_to_real(digits, value) ? text + length : NULL;
}

/* Takes "{depth}" off the pattern and its number off the name. */
static bool take_setting(const char **pattern, const char **name, espl__given *given)
{
    const char *end = strchr(*pattern, '}');
    const size_t length = end ? (size_t)(end - *pattern) - 1 : 0;
    double value = 0;

    if (!end || given->count == ESPL__GIVEN_MAX || length >= sizeof given->item[0].name)
        return false;
    *name = take_number(*name, &value);
    if (!*name)
        return false;
    memcpy(given->item[given->count].name, *pattern + 1, length);
    given->item[given->count].name[length] = 0;
    given->item[given->count++].value = value;
    *pattern = end + 1;
    return true;
}

bool espl__name_fits(const char *pattern, const char *name, espl__given *given)
{
    *given = (espl__given){ 0 };
    while (*pattern) {
        if (*pattern == '{') {
            if (!take_setting(&pattern, &name, given))
                return false;
        } else if (*pattern++ != *name++) {
            return false;
        }
    }
    return !*name;
}

/* ---- finding ---- */

static espl_status parse(espl_context *ctx, const espl__builtin *builtin, espl__document **document)
{
    char name[96];

    snprintf(name, sizeof name, "nets/%s.yaml", builtin->name);
    return espl__document_parse(ctx, name, (const char *)builtin->text, builtin->bytes, document);
}

/* The entry of the description's "names" that fits, or NULL. */
static const espl__tree *find_entry(const espl__document *document, const char *name, bool exact,
                                    espl__given *given)
{
    const espl__tree *names = espl__tree_get(document->root, "names");

    for (const espl__tree *entry = names ? names->first : NULL; entry; entry = entry->next)
        if (!strchr(entry->key, '{') == exact && espl__name_fits(entry->key, name, given))
            return entry;
    return NULL;
}

static espl_status find(espl_context *ctx, const char *name, bool exact, espl__document **document,
                        espl__given *given, const espl__tree **settings)
{
    *document = NULL;
    for (int i = 0; espl__builtin_at(i); i++) {
        const espl_status s = parse(ctx, espl__builtin_at(i), document);
        if (s)
            return s;
        const espl__tree *entry = find_entry(*document, name, exact, given);
        if (entry) {
            *settings = entry->kind == ESPL__MAP ? entry : NULL;
            return ESPL_OK;
        }
        espl__document_free(*document);
        *document = NULL;
    }
    return ESPL_OK;
}

espl_status espl__find_description(espl_context *ctx, const char *name, espl__document **document,
                                   espl__given *given, const espl__tree **settings)
{
    const espl_status s = find(ctx, name, true, document, given, settings);

    return s || *document ? s : find(ctx, name, false, document, given, settings);
}

/* ---- settings, for `list` ---- */

/* "resnet-{depth}" with a number for its setting. */
static void fill_in(const char *name, char filled[NAME_MAX_BYTES])
{
    size_t used = 0;

    while (*name && used + 1 < NAME_MAX_BYTES) {
        const char *close = *name == '{' ? strchr(name, '}') : NULL;
        filled[used++] = close ? '1' : *name;
        name = close ? close + 1 : name + 1;
    }
    filled[used] = 0;
}

/* Whether the name alone decides the setting. */
static bool is_said(const espl__given *given, const espl__tree *constants, const char *setting)
{
    for (int i = 0; i < given->count; i++)
        if (espl__text_equal(given->item[i].name, setting))
            return true;
    return espl__tree_get(constants, setting) != NULL;
}

static espl_status write_settings(espl_context *ctx, const espl__document *document, const espl__given *given,
                                  const espl__tree *constants, espl__text *text)
{
    const espl__tree *settings = espl__tree_get(document->root, "settings");
    const espl__tree *input = espl__tree_get(document->root, "input");
    espl_status s = ESPL_OK;

    for (const espl__tree *c = settings ? settings->first : NULL; c && !s; c = c->next)
        if (!is_said(given, constants, c->key))
            s = espl__text_add(ctx, text, "%s\tnumber\t%s\t\t%s\n", c->key, c->kind == ESPL__SCALAR ? c->text : "a list",
                               espl__text_equal(c->key, "classes") ? "as many as the data has" : "");
    if (s || !input || input->count != 3)
        return s;
    return espl__text_add(ctx, text, "input\tcounts\t[%s, %s, %s]\t\tchannels, height, width; those of the data\n",
                          input->first->text, input->first->next->text, input->first->next->next->text);
}

espl_status espl__net_settings_text(espl_context *ctx, const char *name, espl__text *text)
{
    espl__document *document;
    espl__given given;
    const espl__tree *constants = NULL;
    char filled[NAME_MAX_BYTES];

    fill_in(name, filled);
    espl_status s = espl__find_description(ctx, filled, &document, &given, &constants);
    if (s)
        return s;
    if (!document)
        return espl__refuse_name(ctx, name);
    s = write_settings(ctx, document, &given, constants, text);
    espl__document_free(document);
    return s;
}

/* ---- the nearest name ---- */

/* "resnet-{depth}" and "resnt-20" both with # for their numbers, so that they can be compared. */
static void blur(const char *name, char blurred[NAME_MAX_BYTES])
{
    size_t used = 0;

    while (*name && used + 2 < NAME_MAX_BYTES) {
        const char *close = *name == '{' ? strchr(name, '}') : NULL;
        double value;
        const char *after = close ? close + 1 : take_number(name, &value);
        blurred[used++] = after ? '#' : *name;
        name = after ? after : name + 1;
    }
    blurred[used] = 0;
}

espl_status espl__refuse_name(espl_context *ctx, const char *name)
{
    const char *candidates[NAMES_MAX];
    char blurred[NAMES_MAX][NAME_MAX_BYTES], wanted[NAME_MAX_BYTES];
    int count = 0, i = 0;

    for (; espl__named_net_at(count) && count < NAMES_MAX; count++) {
        blur(espl__named_net_at(count)->name, blurred[count]);
        candidates[count] = blurred[count];
    }
    blur(name, wanted);
    const char *nearest = espl__text_nearest(wanted, candidates, count);
    while (nearest && candidates[i] != nearest)
        i++;
    if (nearest)
        return espl__fail(ctx, ESPL_BAD_OPTION, "there is no net \"%.100s\"; did you mean \"%s\"?", name,
                          espl__named_net_at(i)->name);
    return espl__fail(ctx, ESPL_BAD_OPTION,
                      "there is no net \"%.100s\"; give a name (\"espalier list nets\" shows them), a description "
                      "(.yaml) or a net file (.safetensors)",
                      name);
}
