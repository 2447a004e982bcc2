/* Opening data and net for a run; see opening.h. */
#include "train/opening.h"
#include "formats/formats.h"
#include "net/describe.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const resizes[] = { "crop", "stretch", "keras" };

void espl__run_find_path(const espl_run *run, const char *name, char path[ESPL__PATH_MAX])
{
    const char *slash = run->recipe_path ? strrchr(run->recipe_path, '/') : NULL;

    if (*name != '/' && slash && access(name, F_OK) != 0) {
        const int length = (int)(slash - run->recipe_path);
        const int used = snprintf(path, ESPL__PATH_MAX, "%.*s/%s", length, run->recipe_path, name);
        if (used < ESPL__PATH_MAX && access(path, F_OK) == 0)
            return;
    }
    snprintf(path, ESPL__PATH_MAX, "%s", name);
}

static const char *or_null(const char *text)
{
    return *text ? text : NULL;
}

static espl_status open_data(espl_run *run)
{
    const espl__recipe_data *d = &run->recipe.data;
    const double held_out = d->held_out > 0 ? d->held_out : run->recipe.options.held_out;
    const espl__tree *node = espl__tree_get(run->recipe.document->root, "data");
    char path[ESPL__PATH_MAX], test[ESPL__PATH_MAX], leave_out[ESPL__PATH_MAX];

    espl__run_find_path(run, d->path, path);
    espl__run_find_path(run, d->test, test);
    espl__run_find_path(run, d->leave_out, leave_out);
    const espl_data_settings settings = {
        .source = or_null(d->source),
        .test = *d->test ? test : NULL,
        .leave_out = *d->leave_out ? leave_out : NULL,
        .held_out = held_out,
        .folds = run->recipe.options.folds,
        .fold = run->recipe.options.fold,
        .split_seed = (uint64_t)d->split_seed,
        .label = or_null(d->label),
        .height = d->height,
        .width = d->width,
        .resize = resizes[d->resize],
        .channels = (int)d->channels,
        .keep_pixels = d->keep_pixels,
        .one_class = run->recipe.new_head && run->recipe.head.classes == ESPL__HEAD_ADDED,
        .limit = d->limit,
    };
    const espl_status s = espl_data_open(run->ctx, path, &settings, &run->data);
    return s ? espl__tree_fail(run->recipe.document, node, s, "%s", espl_message(run->ctx)) : ESPL_OK;
}

/* A net file knows its input, and so does a net that a file of weights was made for; a description adapts to
 * the data. */
static bool is_file(const espl_run *run)
{
    const espl__tree *node = run->recipe.net;
    const char *name = node->kind == ESPL__MAP && node->first ? node->first->key : node->text;

    return run->recipe.weights || espl__format_find(name);
}

/* Pictures are brought to what such a net takes, unless the recipe says otherwise; only a net for colour is
 * brought to the channels of the data (take_channels). */
static void take_size(espl_run *run)
{
    const espl__shape input = run->net->graph->nodes[0].shape;
    const espl__tree *data = espl__tree_get(run->recipe.document->root, "data");
    espl__recipe_data *d = &run->recipe.data;

    if (input.rank != 3 || espl__shape_pixels(input) == 1) /* rows of a table */
        return;
    if (!d->height && !d->width) {
        d->height = input.dim[1];
        d->width = input.dim[2];
    }
    if (!d->channels && input.dim[0] == 1)
        d->channels = 1;
    for (int i = 0; i < ESPL__COUNT(resizes) && (data->kind != ESPL__MAP || !espl__tree_get(data, "resize")); i++)
        if (espl__text_equal(run->net->preparation.resize, resizes[i]))
            d->resize = i;
}

static espl_status open_with_weights(espl_run *run, const char *net, const espl__tree *settings)
{
    const espl__tree *weights = run->recipe.weights;
    char path[ESPL__PATH_MAX];
    espl__text text = { 0 };
    espl_status s = settings ? espl__tree_write(run->ctx, settings, &text) : ESPL_OK;

    espl__run_find_path(run, weights->text, path);
    if (!s && (s = espl_net_open_with(run->ctx, net, text.data, path, &run->net)))
        s = espl__tree_fail(run->recipe.document, weights, s, "%s", espl_message(run->ctx));
    espl__text_free(run->ctx, &text);
    return s;
}

static espl_status prepare_as_asked(espl_run *run)
{
    const espl__tree *node = run->recipe.prepare;
    espl__text text = { 0 };
    espl_status s;

    if (!node)
        return ESPL_OK;
    if (!(s = espl__tree_write(run->ctx, node, &text)) && (s = espl_net_prepare(run->net, text.data)))
        s = espl__tree_fail(run->recipe.document, node, s, "%s", espl_message(run->ctx));
    espl__text_free(run->ctx, &text);
    return s;
}

static espl_status open_net(espl_run *run, const espl__net_fit *fit)
{
    const espl__document *document = run->recipe.document;
    const espl__tree *node = run->recipe.net, *settings = NULL;
    char path[ESPL__PATH_MAX];
    const char *name = NULL;
    espl_status s = espl__recipe_named(document, node, "net", &name, &settings);

    if (s)
        return s;
    espl__run_find_path(run, name, path);
    if (run->recipe.weights)
        s = open_with_weights(run, path, settings);
    else if (espl__text_equal(path, name))
        s = espl__net_of_recipe(document, node, fit, &run->net);
    else
        s = espl__net_make(run->ctx, path, document, settings, fit, &run->net);
    return s ? s : prepare_as_asked(run);
}

/* A net for colour, and data that have another number of channels. */
static espl_status take_channels(espl_run *run)
{
    const espl__shape input = run->net->graph->nodes[0].shape;
    espl__recipe_data *d = &run->recipe.data;
    int64_t shape[3];
    espl_status s;

    espl_data_shape(run->data, shape);
    if (input.rank != 3 || input.dim[0] != 3 || shape[1] != input.dim[1] || shape[2] != input.dim[2])
        return ESPL_OK;
    if (shape[0] == 1 || shape[0] == 3)
        d->channels = shape[0];
    if (shape[0] != 1 && shape[0] != 2 && shape[0] != 4)
        return ESPL_OK;
    if (run->recipe.normalize != ESPL__NORMALIZE_MEASURED)
        run->net->preparation.known = false; /* the recipe's takes its place */
    if ((s = espl_net_take_channels(run->net, (int)shape[0])))
        return espl__tree_fail(run->recipe.document, espl__tree_get(run->recipe.document->root, "data"), s,
                               "%s", espl_message(run->ctx));
    espl__log(run->ctx, ESPL_NOTE,
              "the data has %d channel%s, the net 3: the weights of its first convolution are brought to that%s",
              (int)shape[0], shape[0] == 1 ? "" : "s", shape[0] == 1 ? " (data: channels: 3 keeps the net as it is)" : "");
    return ESPL_OK;
}

espl_status espl__run_open_parts(espl_run *run)
{
    const bool file = is_file(run);
    int64_t shape[3];
    espl_status s;

    espl__set_seed(run->ctx, (uint64_t)run->recipe.options.seed);
    if (file && (s = open_net(run, NULL)))
        return s;
    if (file)
        take_size(run);
    if ((s = open_data(run)) || (file && (s = take_channels(run))) || file)
        return s;
    espl_data_shape(run->data, shape);
    return open_net(run, &(espl__net_fit){ .channels = shape[0], .height = shape[1], .width = shape[2], .classes = espl_data_classes(run->data) });
}

/* ---- fitting ---- */

espl_status espl__net_fits_data(const espl_net *net, const espl_data *data)
{
    const espl__shape input = net->graph->nodes[0].shape;
    int64_t shape[3];
    char text[96];

    espl_data_shape(data, shape);
    const bool fits = input.rank == 3
                          ? input.dim[0] == shape[0] && input.dim[1] == shape[1] && input.dim[2] == shape[2]
                          : espl__shape_size(input) == shape[0] * shape[1] * shape[2];
    if (!fits)
        return espl__fail(net->ctx, ESPL_BAD_SHAPE,
                          "the net \"%s\" takes samples of %s but the data has samples of %lldx%lldx%lld: "
                          "set the data's height, width and channels, or the net's input",
                          net->name, espl__shape_text(input, text), (long long)shape[0],
                          (long long)shape[1], (long long)shape[2]);
    /* one logit tells two classes apart */
    if (espl_net_classes(net) != espl_data_classes(data) &&
        !(espl_net_classes(net) == 1 && espl_data_classes(data) == 2))
        return espl__fail(net->ctx, ESPL_BAD_SHAPE,
                          "the net \"%s\" tells %d classes apart but the data has %d: give the net "
                          "\"classes: %d\", or the recipe \"head: auto\" if it has learned others",
                          net->name, espl_net_classes(net), espl_data_classes(data),
                          espl_data_classes(data));
    return ESPL_OK;
}

static espl_status name_classes(espl_run *run)
{
    const int count = espl_data_classes(run->data);
    const char **names = NULL;
    espl_status s;

    if (espl_net_classes(run->net) != count)
        return ESPL_OK;
    s = espl__allocate(run->ctx, (size_t)count, sizeof *names, &names);
    for (int i = 0; i < count && !s; i++)
        names[i] = espl_data_class_name(run->data, i);
    if (!s)
        s = espl__net_set_classes(run->net, names, count);
    espl__release(run->ctx, names);
    return s;
}

static espl_status give_normalization(espl_run *run, espl__preparation *p)
{
    const espl__recipe_normalize *n = &run->recipe.normalization;
    const int channels = p->channels < 4 ? p->channels : 4;

    if ((n->mean.count != 1 && n->mean.count != channels) ||
        (n->deviation.count != 1 && n->deviation.count != channels))
        return espl__tree_fail(run->recipe.document, espl__tree_get(run->recipe.document->root, "normalize"),
                               ESPL_BAD_OPTION,
                               "normalize: mean and deviation need one value for all or %d values, one for "
                               "each channel",
                               channels);
    p->scale = n->scale;
    for (int c = 0; c < 4; c++) {
        p->mean[c] = n->mean.item[n->mean.count > c ? c : 0];
        p->deviation[c] = n->deviation.item[n->deviation.count > c ? c : 0];
    }
    return ESPL_OK;
}

static espl_status prepare(espl_run *run)
{
    espl__preparation *p = &run->net->preparation;
    int64_t shape[3];
    espl_status s = ESPL_OK;

    espl_data_shape(run->data, shape);
    p->channels = (int)shape[0];
    p->height = shape[1];
    p->width = shape[2];
    if (!*p->order)
        snprintf(p->order, sizeof p->order, "%s", p->channels == 3 ? "rgb" : "grey");
    if (run->recipe.net || !*p->resize)
        snprintf(p->resize, sizeof p->resize, "%s", resizes[run->recipe.data.resize]);
    if (run->recipe.normalize == ESPL__NORMALIZE_GIVEN) {
        s = give_normalization(run, p);
    } else if (run->recipe.normalize == ESPL__NORMALIZE_NONE) {
        p->scale = 1;
        for (int c = 0; c < 4; c++) {
            p->mean[c] = 0;
            p->deviation[c] = 1;
        }
    } else if (!p->known) {
        p->scale = espl__data_pictures(run->data) ? 1.0 / 255 : 1;
        s = espl__data_measure(run->data, p->scale, p->mean, p->deviation);
    }
    p->known = !s;
    return s;
}

static espl_status replace_head(espl_run *run)
{
    const espl__document *document = run->recipe.document;
    espl_status s;

    if (!run->recipe.new_head)
        return espl__match_classes(run->net, run->data);
    if (run->recipe.head.classes == ESPL__HEAD_ADDED) {
        run->old_classes = espl_net_classes(run->net);
        if ((s = espl__join_classes(run->net, run->data)))
            return s;
    }
    if (!(s = espl__net_replace_head(run->net, &run->recipe.head, espl_data_classes(run->data))))
        return ESPL_OK;
    return espl__tree_fail(document, espl__tree_get(document->root, "head"), s, "%s", espl_message(run->ctx));
}

/* ---- weights of classes ---- */

static espl_status weigh_balanced(espl_run *run)
{
    const int classes = espl_data_classes(run->data);
    const int64_t count = espl_data_count(run->data, ESPL_TRAIN);
    int64_t *counts = NULL;
    int present = 0;
    const espl_status s = espl__allocate(run->ctx, (size_t)classes, sizeof *counts, &counts);

    if (s)
        return s;
    for (int64_t i = 0; i < count; i++) {
        const int32_t label = espl__data_label(run->data, ESPL_TRAIN, i);
        if (label >= 0 && label < classes)
            counts[label]++;
    }
    for (int c = 0; c < classes; c++)
        present += counts[c] > 0;
    for (int c = 0; c < classes; c++)
        run->class_weight[c] = counts[c] ? (float)((double)count / ((double)present * (double)counts[c])) : 1;
    espl__release(run->ctx, counts);
    return ESPL_OK;
}

static espl_status weigh_listed(espl_run *run, const espl__tree *node)
{
    const int classes = espl_data_classes(run->data);
    double value = 0;
    int c = 0;

    if (node->kind != ESPL__LIST || node->count != classes)
        return espl__tree_fail(run->recipe.document, node, ESPL_BAD_OPTION,
                               "class-weights: \"balanced\" or a list of %d weights, one for each class, was "
                               "expected",
                               classes);
    for (const espl__tree *item = node->first; item; item = item->next) {
        if (item->kind != ESPL__SCALAR || !espl__text_to_real(item->text, &value) || !(value > 0) ||
            !(value <= 1e6))
            return espl__tree_fail(run->recipe.document, item, ESPL_BAD_OPTION,
                                   "class-weights: \"%s\" is not a number above 0 and up to 1000000",
                                   item->text);
        run->class_weight[c++] = (float)value;
    }
    return ESPL_OK;
}

static espl_status weigh_classes(espl_run *run)
{
    const espl__tree *node = run->recipe.class_weights;
    espl_status s;

    if (!node)
        return ESPL_OK;
    if ((s = espl__allocate(run->ctx, (size_t)espl_data_classes(run->data), sizeof(float),
                            &run->class_weight)))
        return s;
    if (node->kind == ESPL__SCALAR && espl__text_equal(node->text, "balanced"))
        return weigh_balanced(run);
    return weigh_listed(run, node);
}

/* The best epoch by a test set would be chosen with what must only measure. */
static void choose_kept(espl_run *run)
{
    if (run->recipe.options.keep == ESPL__KEEP_AUTO)
        run->recipe.options.keep = espl__data_has_test(run->data) ? ESPL__KEEP_LAST : ESPL__KEEP_BEST;
}

static espl_status choose_precision(espl_run *run)
{
    const espl__document *document = run->recipe.document;
    const int precision = run->recipe.options.precision;

    if (precision == ESPL_BF16 && !espl__bf16_here())
        return espl__tree_fail(document, espl__tree_get(document->root, "precision"), ESPL_UNSUPPORTED,
                               "precision: bf16: this processor has no AVX-512 instructions for bf16 numbers; "
                               "use `precision: f32`");
    espl_net_set_precision(run->net, precision);
    return ESPL_OK;
}

espl_status espl__run_fit_parts(espl_run *run)
{
    const int64_t count = espl_data_count(run->data, ESPL_TRAIN), batch = run->recipe.options.batch;
    espl_status s;

    if ((s = replace_head(run)) || (s = espl__net_fits_data(run->net, run->data)) || (s = name_classes(run)) || (s = prepare(run)) ||
        (s = weigh_classes(run)) || (s = choose_precision(run)))
        return s;
    choose_kept(run);
    run->steps_per_epoch = (count + batch - 1) / batch;
    if (run->steps_per_epoch > INT64_MAX / run->recipe.options.epochs)
        return espl__fail(run->ctx, ESPL_BAD_OPTION, "epochs: %lld are more than can be counted in steps",
                          (long long)run->recipe.options.epochs);
    return ESPL_OK;
}
