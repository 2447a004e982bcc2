/* Opening the tensors of a file, and filling nets from them. */
#include "formats/tensors.h"

#include "base/tree.h"
#include "formats/fill_net.h"
#include "formats/formats.h"
#include "net/foreign.h"

espl_status espl__tensors_open(espl_context *ctx, const char *path, espl__tensors *result)
{
    const espl__format *format;
    const espl_status s = espl__format_of(ctx, path, &format);

    *result = (espl__tensors){ 0 };
    if (s)
        return s;
    if (!format->tensors)
        return espl__fail(ctx, ESPL_UNSUPPORTED, "%s: parameters alone cannot be read from %s files", path,
                          format->name);
    return format->tensors(ctx, path, result);
}

void espl__tensors_close(espl__tensors *tensors)
{
    if (tensors->reader && tensors->reader->close)
        tensors->reader->close(tensors);
    *tensors = (espl__tensors){ 0 };
}

espl_status espl_net_load_parameters(espl_net *net, const char *path)
{
    espl__tensors tensors;
    espl__foreign names = { 0 };
    espl_status s = espl__tensors_open(net->ctx, path, &tensors);

    if (s)
        return s;
    if (!(s = espl__foreign_own(net, &names)))
        s = espl__fill_net(net, &tensors, &names);
    espl__foreign_free(&names);
    espl__tensors_close(&tensors);
    return s;
}

static espl_status open_with(espl_context *ctx, const char *source, const espl__document *settings,
                             espl__tensors *tensors, espl_net **result)
{
    espl__foreign names = { 0 };
    espl__layer_list layers = { 0 };
    espl_status s;

    if (!(s = espl__layer_list_make(tensors, &layers)) &&
        !(s = espl__foreign_open(ctx, source, settings, settings->root, (const char *const *)layers.layer,
                                 layers.count, result, &names)))
        s = espl__fill_net(*result, tensors, &names);
    espl__layer_list_free(ctx, &layers);
    espl__foreign_free(&names);
    return s;
}

espl_status espl_net_open_with(espl_context *ctx, const char *source, const char *settings, const char *path,
                               espl_net **result)
{
    espl__document *document;
    espl__tensors tensors;
    espl_status s = espl__document_parse_settings(ctx, "settings", settings, &document);

    *result = NULL;
    if (s)
        return s;
    if (!(s = espl__tensors_open(ctx, path, &tensors))) {
        s = open_with(ctx, source, document, &tensors, result);
        espl__tensors_close(&tensors);
    }
    espl__document_free(document);
    if (s) {
        espl_net_free(*result);
        *result = NULL;
    }
    return s;
}
