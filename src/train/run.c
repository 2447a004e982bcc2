/* Opening and closing runs: a recipe file, or a net and data with options. */
#include "train/opening.h"

#include <stdio.h>
#include <string.h>

/* "data: plants/" is short for {path: plants/}, so that other settings can be put beside the path. */
static espl_status spell_out_data(espl_run *run, espl__document *document, const char *path)
{
    const espl__tree *data = espl__tree_get(document->root, "data");
    espl__text text = { 0 };
    espl_status s;

    if (strncmp(path, "data.", 5) != 0 || !data || data->kind != ESPL__SCALAR)
        return ESPL_OK;
    if (!(s = espl__text_add(run->ctx, &text, "{path: ")) &&
        !(s = espl__text_add_quoted(run->ctx, &text, data->text)) &&
        !(s = espl__text_add(run->ctx, &text, "}")))
        s = espl__tree_set(document, "data", text.data);
    espl__text_free(run->ctx, &text);
    return s;
}

static espl_status apply_set(espl_run *run, espl__document *document, const char *const *set)
{
    char path[256];
    espl_status s = ESPL_OK;

    for (; set && *set && !s; set++) {
        const char *equals = strchr(*set, '=');
        if (!equals || equals == *set || equals - *set >= (int)sizeof path)
            return espl__fail(run->ctx, ESPL_BAD_OPTION,
                              "\"%s\": key=value was expected, such as epochs=3 or optimizer.sgd.rate=0.1",
                              *set);
        snprintf(path, sizeof path, "%.*s", (int)(equals - *set), *set);
        if (!(s = spell_out_data(run, document, path)))
            s = espl__tree_set(document, path, equals + 1);
    }
    return s;
}

/* "augment-flip" or "augment-flip: {share: 0.5}" */
static espl_status add_with(espl_run *run, const char *text)
{
    espl__document *document = NULL;
    const espl__tree *options = NULL;
    const char *name = NULL;
    espl_status s = espl__document_parse_settings(run->ctx, "--with", text, &document);

    if (s)
        return s;
    const espl__tree *root = document->root;
    /* A name alone is read as a map with one key that has no value. */
    if ((s = espl__recipe_named(document, root, "techniques", &name, &options))) {
        espl__document_free(document);
        return s;
    }
    return espl__member_add_named(run, name, root, document, true, options);
}

static espl_status read_recipe(espl_run *run, const char *path, const espl_run_settings *settings)
{
    espl__document *document = NULL;
    espl_status s;

    if ((s = espl__folder_name(run->ctx, path, "", settings->folder, &run->folder)) ||
        (s = espl__copy_text(run->ctx, path, &run->recipe_path)) ||
        (s = espl__document_load(run->ctx, path, &document)))
        return s;
    if ((s = apply_set(run, document, settings->set))) {
        espl__document_free(document);
        return s;
    }
    if ((s = espl__recipe_read(run->ctx, document, true, &run->recipe)) || (s = espl__members_read(run)))
        return s;
    for (const char *const *with = settings->with; with && *with; with++)
        if ((s = add_with(run, *with)))
            return s;
    run->owns = true;
    return ESPL_OK;
}

espl_status espl__run_read(espl_context *ctx, const char *recipe, const espl_run_settings *settings, espl_run **result)
{
    static const espl_run_settings none = { 0 };
    espl_run *run = NULL;
    espl_status s;

    *result = NULL;
    if ((s = espl__allocate(ctx, 1, sizeof *run, &run)))
        return s;
    run->ctx = ctx;
    run->resume = settings && settings->resume;
    if ((s = read_recipe(run, recipe, settings ? settings : &none))) {
        espl_run_free(run);
        return s;
    }
    *result = run;
    return ESPL_OK;
}

espl_status espl_run_load(espl_context *ctx, const char *recipe, const espl_run_settings *settings,
                          espl_run **result)
{
    espl_run *run = NULL;
    espl_status s;

    *result = NULL;
    if ((s = espl__run_read(ctx, recipe, settings, &run)))
        return s;
    if ((s = espl__run_open_parts(run)) || (s = espl__run_fit_parts(run))) {
        espl_run_free(run);
        return s;
    }
    *result = run;
    return ESPL_OK;
}

static espl_status open(espl_run *run, const char *options)
{
    espl__document *document = NULL;
    espl_status s;

    if ((s = espl__document_parse_settings(run->ctx, "options", options, &document)) ||
        (s = espl__recipe_read(run->ctx, document, false, &run->recipe)))
        return s;
    espl__set_seed(run->ctx, (uint64_t)run->recipe.options.seed);
    if ((s = espl__members_read(run)))
        return s;
    return espl__run_fit_parts(run);
}

espl_status espl_run_open(espl_net *net, espl_data *data, const char *options, espl_run **result)
{
    espl_run *run = NULL;
    espl_status s;

    *result = NULL;
    if ((s = espl__allocate(net->ctx, 1, sizeof *run, &run)))
        return s;
    run->ctx = net->ctx;
    run->net = net;
    run->data = data;
    if ((s = open(run, options))) {
        espl_run_free(run);
        return s;
    }
    *result = run;
    return ESPL_OK;
}

void espl_run_watch(espl_run *run, void (*watch)(void *user, const espl_news *news), void *user)
{
    run->watch = watch;
    run->watch_user = user;
}

const espl_result *espl_run_result(const espl_run *run)
{
    return &run->result;
}

int64_t espl_run_folds(const espl_run *run)
{
    return run->recipe.options.fold ? 0 : run->recipe.options.folds;
}

int64_t espl_run_seed(const espl_run *run)
{
    return run->recipe.options.seed;
}

espl_net *espl_run_net(espl_run *run)
{
    return run->net;
}

espl_data *espl_run_data(espl_run *run)
{
    return run->data;
}

void espl_run_free(espl_run *run)
{
    if (!run)
        return;
    espl__fit_free(run);
    espl__log_free(run);
    espl__events_free(run);
    espl__net_keep_free(run);
    espl__members_free(run);
    espl__recipe_free(&run->recipe);
    if (run->owns) {
        espl_net_free(run->net);
        espl_data_free(run->data);
    }
    espl__text_free(run->ctx, &run->resolved);
    espl__text_free(run->ctx, &run->explained);
    espl__release(run->ctx, run->class_weight);
    espl__release(run->ctx, run->folder);
    espl__release(run->ctx, run->recipe_path);
    espl__release(run->ctx, run);
}
