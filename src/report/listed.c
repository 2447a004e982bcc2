/* Everything that is registered, by kind, and the options of a thing by name: the material of `list`. */
#include "base/tree.h"
#include "data/data.h"
#include "formats/formats.h"
#include "graph/op.h"
#include "kernels/kernel.h"
#include "net/describe.h"
#include "optimize/optimizer.h"
#include "train/techniques.h"
#include <espalier/report.h>

#include <string.h>

static bool list_technique(int index, espl_listed *result)
{
    const espl_technique *technique = espl__technique_at(index);

    if (technique)
        *result = (espl_listed){ "technique", technique->name, technique->summary, technique->paper };
    return technique != NULL;
}

static bool list_op(int index, espl_listed *result)
{
    const espl__op *op = espl__op_at(index);

    if (op)
        *result = (espl_listed){ "op", op->name, op->summary, NULL };
    return op != NULL;
}

static bool list_optimizer(int index, espl_listed *result)
{
    const espl__optimizer *optimizer = espl__optimizer_at(index);

    if (optimizer)
        *result = (espl_listed){ "optimizer", optimizer->name, optimizer->summary, optimizer->paper };
    return optimizer != NULL;
}

static bool list_source(int index, espl_listed *result)
{
    const espl__source *source = espl__source_at(index);

    if (source)
        *result = (espl_listed){ "source", source->name, source->summary, NULL };
    return source != NULL;
}

static bool list_format(int index, espl_listed *result)
{
    const espl__format *format = espl__format_at(index);

    if (format)
        *result = (espl_listed){ "format", format->name, format->summary, NULL };
    return format != NULL;
}

static bool list_kernel(int index, espl_listed *result)
{
    const espl__kernel *kernel = espl__kernel_at(index);

    if (kernel)
        *result = (espl_listed){ "kernel", kernel->name, kernel->op, NULL };
    return kernel != NULL;
}

static bool list_net(int index, espl_listed *result)
{
    const espl__named_net *net = espl__named_net_at(index);

    if (net)
        *result = (espl_listed){ "net", net->name, net->summary, net->paper };
    return net != NULL;
}

/* What was optional when this library was built. */
static const char *const features[][2] = {
#ifdef ESPL__HAVE_ONEDNN
    { "onednn", "dense kernels by oneDNN" },
#else
    { "no-onednn", "oneDNN was missing: dense kernels are our own" },
#endif
#ifdef ESPL__HAVE_TURBOJPEG
    { "jpeg", "JPEG pictures by libjpeg-turbo" },
#else
    { "no-jpeg", "libjpeg-turbo was missing: JPEG pictures cannot be read" },
#endif
#ifdef ESPL__HAVE_SPNG
    { "png", "PNG pictures by libspng" },
#else
    { "no-png", "libspng was missing: PNG pictures cannot be read" },
#endif
#ifdef ESPL__HAVE_WEBP
    { "webp", "WebP pictures by libwebp" },
#else
    { "no-webp", "libwebp was missing: WebP pictures cannot be read" },
#endif
#ifdef ESPL__HAVE_LIBZIP
    { "zip", "zip archives such as .npz by libzip" },
#else
    { "no-zip", "libzip was missing: zip archives such as .npz cannot be read" },
#endif
#ifdef ESPL__HAVE_PROTOBUF_C
    { "tensorboard", "event files for TensorBoard" },
#else
    { "no-tensorboard", "protobuf-c was missing: there are no event files, log.jsonl tells the same" },
#endif
};

static bool list_feature(int index, espl_listed *result)
{
    if (index < 0 || index >= ESPL__COUNT(features))
        return false;
    *result = (espl_listed){ "feature", features[index][0], features[index][1], NULL };
    return true;
}

static const struct {
    const char *kind;
    bool (*list)(int index, espl_listed *result);
} kinds[] = {
    { "technique", list_technique },
    { "op", list_op },
    { "optimizer", list_optimizer },
    { "source", list_source },
    { "format", list_format },
    { "kernel", list_kernel },
    { "net", list_net },
    { "feature", list_feature },
};

bool espl_listed_at(const char *kind, int index, espl_listed *result)
{
    *result = (espl_listed){ 0 };
    for (int i = 0; i < ESPL__COUNT(kinds); i++)
        if (espl__text_equal(kinds[i].kind, kind))
            return kinds[i].list(index, result);
    return false;
}

/* ---- options ---- */

static const char *const types[] = {
    [ESPL_OPTION_COUNT] = "count",
    [ESPL_OPTION_REAL] = "number",
    [ESPL_OPTION_FLAG] = "yes or no",
    [ESPL_OPTION_TEXT] = "text",
    [ESPL_OPTION_CHOICE] = "choice",
    [ESPL_OPTION_DURATION] = "duration",
    [ESPL_OPTION_COUNTS] = "counts",
    [ESPL_OPTION_REALS] = "numbers",
    [ESPL_OPTION_DURATIONS] = "durations",
};

static espl_status write_range(espl_context *ctx, const espl_option *option, espl__text *text)
{
    char low[32], high[32];

    if (option->type == ESPL_OPTION_CHOICE)
        return espl__text_add(ctx, text, "%s", option->choices);
    if (option->type == ESPL_OPTION_FLAG || option->type == ESPL_OPTION_TEXT)
        return ESPL_OK;
    espl__text_from_real(option->low, low);
    espl__text_from_real(option->high, high);
    return espl__text_add(ctx, text, "%s..%s%s%s", low, high, option->choices ? " or " : "",
                          option->choices ? option->choices : "");
}

static espl_status write_option(espl_context *ctx, const espl_option *option, espl__text *text)
{
    char key[ESPL__KEY_MAX];
    espl_status s;

    espl__option_key(option, key);
    if ((s = espl__text_add(ctx, text, "%s\t%s\t%s\t", key, types[option->type],
                            option->fallback ? option->fallback : "must be given")) ||
        (s = write_range(ctx, option, text)))
        return s;
    return espl__text_add(ctx, text, "\t%s\n", option->help);
}

/* NULL in `*options` for what has none. */
static bool find_options(const char *kind, const char *name, const espl_option **options)
{
    const espl_technique *technique = espl__technique_find(name);
    const espl__optimizer *optimizer = espl__optimizer_find(name);
    const espl__op *op = espl__op_find(name);

    *options = NULL;
    if (espl__text_equal(kind, "technique") && technique)
        *options = technique->options;
    else if (espl__text_equal(kind, "optimizer") && optimizer)
        *options = optimizer->options;
    else if (espl__text_equal(kind, "op") && op)
        *options = op->attributes;
    else
        return false;
    return true;
}

espl_status espl_options_text(espl_context *ctx, const char *kind, const char *name, char **result)
{
    const espl_option *options = NULL;
    espl__text text = { 0 };
    espl_status s;

    *result = NULL;
    if (espl__text_equal(kind, "net")) {
        s = espl__net_settings_text(ctx, name, &text);
        if (s)
            espl__text_free(ctx, &text);
        *result = text.data;
        return s;
    }
    if (!find_options(kind, name, &options))
        return espl__fail(ctx, ESPL_BAD_OPTION, "there is no %s named \"%s\" that has options", kind, name);
    s = espl__text_add(ctx, &text, "%s", "");
    for (; options && options->name && !s; options++)
        s = write_option(ctx, options, &text);
    if (s)
        espl__text_free(ctx, &text);
    *result = text.data;
    return s;
}

void espl_text_free(espl_context *ctx, char *text)
{
    espl__release(ctx, text);
}
