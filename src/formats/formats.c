/* The list of formats, and loading and saving by the ending of the file's name. */
#include "formats/formats.h"

#include <string.h>

#define ESPL_FORMAT(symbol) extern const espl__format espl__format_##symbol;
#include "formats/formats.def"
#undef ESPL_FORMAT

static const espl__format *const all[] = {
#define ESPL_FORMAT(symbol) &espl__format_##symbol,
#include "formats/formats.def"
#undef ESPL_FORMAT
};

const espl__format *espl__format_at(int index)
{
    return index >= 0 && index < ESPL__COUNT(all) ? all[index] : NULL;
}

static bool has_ending(const espl__format *format, const char *path)
{
    const size_t length = strlen(path);

    for (const char *at = format->endings; *at; at += strspn(at, " ")) {
        const size_t size = strcspn(at, " ");
        if (length > size && memcmp(path + length - size, at, size) == 0)
            return true;
        at += size;
    }
    return false;
}

const espl__format *espl__format_find(const char *path)
{
    for (int i = 0; i < ESPL__COUNT(all); i++)
        if (has_ending(all[i], path))
            return all[i];
    return NULL;
}

espl_status espl__format_of(espl_context *ctx, const char *path, const espl__format **result)
{
    espl__text endings = { 0 };
    espl_status s = ESPL_OK;

    if ((*result = espl__format_find(path)))
        return ESPL_OK;
    for (int i = 0; i < ESPL__COUNT(all) && !s; i++)
        s = espl__text_add(ctx, &endings, "%s%s", i ? " " : "", all[i]->endings);
    if (!s)
        s = espl__fail(ctx, ESPL_BAD_OPTION, "%s: net files end in one of: %s", path, endings.data);
    espl__text_free(ctx, &endings);
    return s;
}

espl_status espl_net_load(espl_context *ctx, const char *path, espl_net **result)
{
    const espl__format *format;
    const espl_status s = espl__format_of(ctx, path, &format);

    *result = NULL;
    if (s)
        return s;
    if (!format->load)
        return espl__fail(ctx, ESPL_UNSUPPORTED, "%s: %s files can be written but not read", path, format->name);
    return format->load(ctx, path, result);
}

espl_status espl_net_save(espl_net *net, const char *path)
{
    const espl__format *format;
    const espl_status s = espl__format_of(net->ctx, path, &format);

    if (s)
        return s;
    if (!format->save)
        return espl__fail(net->ctx, ESPL_UNSUPPORTED, "%s: %s files can be read but not written", path, format->name);
    return format->save(net, path);
}
