/* Reading a recipe: the option tables of its top, its data and its normalization, and the names of
 * optimizer and loss. */
#include "train/recipe.h"

#include <stdio.h>
#include <string.h>

#define LARGEST 1e15

const espl_option espl__recipe_table[] = {
    ESPL_REAL(espl__recipe_options, held_out, "0", 0, 0.9,
              "share of the training data held out for scoring; 0: the data's own test part, else a tenth"),
    ESPL_COUNT(espl__recipe_options, folds, "0", 0, 1000,
               "cross-validation: cut the training data in so many parts and hold each out in turn; 0: none"),
    ESPL_COUNT(espl__recipe_options, fold, "0", 0, 1000, "the part that this run holds out, from 1; 0: train takes each in turn"),
    ESPL_COUNT(espl__recipe_options, epochs, "10", 1, LARGEST, "how often every training sample is seen"),
    ESPL_COUNT(espl__recipe_options, batch, "64", 1, 1 << 20, "samples for one update"),
    ESPL_COUNT(espl__recipe_options, accumulate, "1", 1, 1 << 20,
               "compute a batch in so many parts, for nets that would not fit otherwise"),
    ESPL_COUNT(espl__recipe_options, seed, "0", 0, LARGEST, "of every random draw"),
    ESPL_CHOICE(espl__recipe_options, sampling, "shuffled", "shuffled|balanced",
                "which samples make an epoch; balanced: every class as often as any other"),
    ESPL_CHOICE(espl__recipe_options, algorithm, "auto", "auto|direct",
                "of convolutions; direct: no Winograd transforms"),
    ESPL_CHOICE(espl__recipe_options, precision, "f32", "f32|bf16",
                "what activations are kept and multiplied in; bf16: half the memory, on processors with AVX-512 BF16"),
    ESPL_DURATION(espl__recipe_options, score_every, "1ep", 1e-9, LARGEST,
                  "score the held-out data so often, at the end of an epoch"),
    ESPL_CHOICE(espl__recipe_options, keep, "auto", "auto|best|last",
                "which net is saved: the best on the held-out data, or the last; auto: the best on data held out "
                "of the training data, the last where the held-out data is a test set"),
    ESPL_CHOICE(espl__recipe_options, cache, "auto", "auto|yes|no",
                "compute the frozen part of the net once for each sample and keep what it gives; yes: or refuse"),
    ESPL_COUNT(espl__recipe_options, variants, "0", 0, 1 << 20,
               "augmentations draw so many variants of each sample, which take turns; 0: a new one in every epoch"),
    ESPL_DURATION(espl__recipe_options, checkpoint_every, "1ep", 1e-9, LARGEST,
                  "write a checkpoint so often besides the one at the end of each epoch"),
    ESPL_OPTIONS_END
};

const espl_option espl__recipe_data_table[] = {
    ESPL_TEXT(espl__recipe_data, path, NULL, "folder or file"),
    ESPL_TEXT(espl__recipe_data, test, "", "path of the held-out data; empty: found or split off"),
    ESPL_TEXT(espl__recipe_data, leave_out, "",
              "file with the paths of pictures to pass over, as check-data --write writes it; empty: none"),
    ESPL_TEXT(espl__recipe_data, source, "", "kind of data; empty: recognised"),
    ESPL_TEXT(espl__recipe_data, label, "", "CSV: name or number of the label column; empty: the last"),
    ESPL_REAL(espl__recipe_data, held_out, "0", 0, 0.9, "share to split off; 0: as at the top"),
    ESPL_COUNT(espl__recipe_data, split_seed, "0", 0, LARGEST, "of the split"),
    ESPL_COUNT(espl__recipe_data, height, "0", 0, 16384, "bring pictures to this height; 0: as they are"),
    ESPL_COUNT(espl__recipe_data, width, "0", 0, 16384, "bring pictures to this width; 0: as they are"),
    ESPL_COUNT(espl__recipe_data, channels, "0", 0, 3, "1: grey, 3: colour, 0: as they are"),
    ESPL_COUNT(espl__recipe_data, limit, "0", 0, LARGEST, "use so many training samples; 0: all"),
    ESPL_COUNT(espl__recipe_data, keep_pixels, "512", 0, 1 << 20,
               "keep so many MiB of decoded and resized pictures in memory for the epochs after the first; 0: none"),
    ESPL_CHOICE(espl__recipe_data, resize, "crop", "crop|stretch|keras",
                "how pictures are brought to size: crop short side then centre, stretch, or as Keras does"),
    ESPL_OPTIONS_END
};

const espl_option espl__recipe_normalize_table[] = {
    ESPL_REALS(espl__recipe_normalize, mean, "0", -1e9, 1e9, "of each channel, one for all or one for each"),
    ESPL_REALS(espl__recipe_normalize, deviation, "1", 1e-9, 1e9, "of each channel"),
    ESPL_REAL(espl__recipe_normalize, scale, "1", 1e-12, 1e12, "raw values are multiplied with it first"),
    ESPL_OPTIONS_END
};

static const char *const keys[] = { "net", "data", "weights", "prepare", "head", "held-out", "folds", "fold", "epochs", "batch", "accumulate", "optimizer",
                                    "loss", "class-weights", "sampling", "seed", "algorithm", "precision", "score-every", "keep",
                                    "cache", "variants", "checkpoint-every", "normalize", "techniques", "search", NULL };

bool espl__recipe_has_key(const char *key)
{
    for (int i = 0; keys[i]; i++)
        if (espl__text_equal(keys[i], key))
            return true;
    return false;
}

espl_status espl__recipe_named(const espl__document *document, const espl__tree *node, const char *what,
                               const char **name, const espl__tree **settings)
{
    *name = NULL;
    *settings = NULL;
    if (node->kind == ESPL__SCALAR && *node->text) {
        *name = node->text;
        return ESPL_OK;
    }
    if (node->kind != ESPL__MAP || node->count != 1)
        return espl__tree_fail(document, node, ESPL_BAD_RECIPE,
                               "%s: a name or one name with its options in braces was expected", what);
    *name = node->first->key;
    *settings = node->first;
    return ESPL_OK;
}

/* ---- names ---- */

static espl_status fail_unknown(const espl__document *document, const espl__tree *node, const char *what,
                                const char *name, const char *const *names, int count)
{
    const char *nearest = espl__text_nearest(name, names, count);

    if (nearest)
        return espl__tree_fail(document, node, ESPL_BAD_OPTION,
                               "%s: there is no \"%s\"; did you mean \"%s\"?", what, name, nearest);
    return espl__tree_fail(document, node, ESPL_BAD_OPTION,
                           "%s: there is no \"%s\"; `espalier list` shows what there is", what, name);
}

static espl_status read_optimizer(espl__recipe *r)
{
    const espl__tree *node = espl__tree_get(r->document->root, "optimizer"), *settings = NULL;
    const char *names[16], *name = "sgd";
    int count = 0;
    espl_status s;

    if (node && (s = espl__recipe_named(r->document, node, "optimizer", &name, &settings)))
        return s;
    if (!(r->optimizer = espl__optimizer_find(name))) {
        while (count < ESPL__COUNT(names) && espl__optimizer_at(count)) {
            names[count] = espl__optimizer_at(count)->name;
            count++;
        }
        return fail_unknown(r->document, node, "optimizer", name, names, count);
    }
    if ((s = espl__allocate(r->ctx, 1, r->optimizer->size, &r->optimizer_options)))
        return s;
    return espl__options_read(r->document, settings, r->optimizer->options, r->optimizer->name,
                              r->optimizer_options);
}

/* Losses are ops, whose names have "_" where a recipe has "-". */
const espl__op *espl__loss_find(const char *name)
{
    const espl__op *op;

    for (int i = 0; name && (op = espl__op_at(i)); i++) {
        const char *a = op->name, *b = name;
        while (*a && (*a == *b || (*a == '_' && *b == '-'))) {
            a++;
            b++;
        }
        if (!*a && !*b)
            return op->flags & ESPL__IS_LOSS ? op : NULL;
    }
    return NULL;
}

static espl_status read_loss(espl__recipe *r)
{
    static const espl_option none[] = { ESPL_OPTIONS_END };
    const espl__tree *node = espl__tree_get(r->document->root, "loss"), *settings = NULL;
    const char *names[16], *name = "softmax_cross_entropy";
    const espl__op *op;
    int count = 0;
    espl_status s;

    if (node && (s = espl__recipe_named(r->document, node, "loss", &name, &settings)))
        return s;
    if (!(r->loss = espl__loss_find(name))) {
        for (int i = 0; count < ESPL__COUNT(names) && (op = espl__op_at(i)); i++)
            if (op->flags & ESPL__IS_LOSS)
                names[count++] = op->name;
        return fail_unknown(r->document, node, "loss", name, names, count);
    }
    if (r->loss->size && (s = espl__allocate(r->ctx, 1, r->loss->size, &r->loss_options)))
        return s;
    return espl__options_read(r->document, settings, r->loss->attributes ? r->loss->attributes : none,
                              r->loss->name, r->loss_options);
}

/* ---- data and normalization ---- */

static espl_status copy_path(espl__recipe *r, const espl__tree *node)
{
    if (strlen(node->text) >= sizeof r->data.path || !*node->text)
        return espl__tree_fail(r->document, node, ESPL_BAD_OPTION,
                               "data: a path of 1 to %zu bytes was expected", sizeof r->data.path - 1);
    snprintf(r->data.path, sizeof r->data.path, "%s", node->text);
    return ESPL_OK;
}

static espl_status read_data(espl__recipe *r)
{
    const espl__tree *node = espl__tree_get(r->document->root, "data");
    espl_status s;

    if (!node)
        return ESPL_OK;
    if (node->kind == ESPL__MAP)
        return espl__options_read(r->document, node, espl__recipe_data_table, "data", &r->data);
    if (node->kind == ESPL__LIST)
        return espl__tree_fail(r->document, node, ESPL_BAD_RECIPE,
                               "data: a path or a map with a path was expected, not a list");
    if ((s = espl__options_begin(r->ctx, espl__recipe_data_table, &r->data)))
        return s;
    return copy_path(r, node);
}

static espl_status read_normalize(espl__recipe *r)
{
    const espl__tree *node = espl__tree_get(r->document->root, "normalize");

    if (!node || (node->kind == ESPL__SCALAR && espl__text_equal(node->text, "measured")))
        return ESPL_OK;
    if (node->kind == ESPL__SCALAR && espl__text_equal(node->text, "none")) {
        r->normalize = ESPL__NORMALIZE_NONE;
        return ESPL_OK;
    }
    if (node->kind != ESPL__MAP)
        return espl__tree_fail(r->document, node, ESPL_BAD_OPTION,
                               "normalize: \"measured\", \"none\" or a map with mean, deviation and scale "
                               "was expected");
    r->normalize = ESPL__NORMALIZE_GIVEN;
    return espl__options_read(r->document, node, espl__recipe_normalize_table, "normalize",
                              &r->normalization);
}

/* ---- the net ---- */

static espl_status read_head(espl__recipe *r)
{
    const espl__tree *node = espl__tree_get(r->document->root, "head");

    if (!node)
        return ESPL_OK;
    r->new_head = true;
    if (node->kind == ESPL__SCALAR && espl__text_equal(node->text, "auto"))
        return espl__options_begin(r->ctx, espl__head_options, &r->head);
    if (node->kind != ESPL__MAP)
        return espl__tree_fail(r->document, node, ESPL_BAD_OPTION,
                               "head: \"auto\" or a map such as {after: avg_pool, start: zero} was expected");
    return espl__options_read(r->document, node, espl__head_options, "head", &r->head);
}

static espl_status read_net(espl__recipe *r)
{
    r->net = espl__tree_get(r->document->root, "net");
    r->weights = espl__tree_get(r->document->root, "weights");
    r->prepare = espl__tree_get(r->document->root, "prepare");
    if (r->weights && (r->weights->kind != ESPL__SCALAR || !*r->weights->text))
        return espl__tree_fail(r->document, r->weights, ESPL_BAD_OPTION, "weights: the path of a file was expected");
    if (r->prepare && espl__tree_get(r->document->root, "normalize"))
        return espl__tree_fail(r->document, r->prepare, ESPL_BAD_OPTION,
                               "prepare: says what normalize says too; take one of them out");
    return read_head(r);
}

/* ---- the top ---- */

static espl_status read_top(espl__recipe *r)
{
    espl_status s = espl__options_begin(r->ctx, espl__recipe_table, &r->options);

    r->options.seed = (int64_t)espl__seed(r->ctx);
    for (const espl__tree *child = r->document->root->first; child && !s; child = child->next) {
        const espl_option *option = espl__option_find(espl__recipe_table, child->key);
        if (!option)
            continue;
        if (child->kind != ESPL__SCALAR)
            return espl__tree_fail(r->document, child, ESPL_BAD_OPTION,
                                   "%s: one value was expected, not a list or a map", child->key);
        if ((s = espl__option_set(r->ctx, option, &r->options, child->text)))
            s = espl__tree_fail(r->document, child, s, "%s", espl_message(r->ctx));
    }
    if (!s && r->options.accumulate > r->options.batch)
        s = espl__tree_fail(r->document, espl__tree_get(r->document->root, "accumulate"), ESPL_BAD_OPTION,
                            "accumulate: a batch of %lld cannot be computed in %lld parts",
                            (long long)r->options.batch, (long long)r->options.accumulate);
    return s;
}

static espl_status check_keys(espl__recipe *r, bool whole)
{
    const espl__tree *root = r->document->root, *given;
    espl_status s = espl__tree_check_keys(r->document, root, keys);

    if (s)
        return s;
    for (int i = 0; i < 5; i++) { /* net, data and what is about the net's file */
        given = espl__tree_get(root, keys[i]);
        if (whole && !given && i < 2)
            return espl__tree_fail(r->document, NULL, ESPL_BAD_RECIPE, "the recipe needs a line \"%s: ...\"",
                                   keys[i]);
        if (!whole && given)
            return espl__tree_fail(r->document, given, ESPL_BAD_OPTION,
                                   "%s: is given by the program and cannot be an option", keys[i]);
    }
    return ESPL_OK;
}

espl_status espl__recipe_read(espl_context *ctx, espl__document *document, bool whole, espl__recipe *r)
{
    const espl__tree *root = document->root;
    espl_status s;

    *r = (espl__recipe){ .ctx = ctx, .document = document };
    if (root->kind != ESPL__MAP && !espl__tree_empty(root))
        return espl__tree_fail(document, root, ESPL_BAD_RECIPE,
                               "a map with keys such as \"net:\" and \"epochs:\" was expected");
    if ((s = check_keys(r, whole)) || (s = read_top(r)) || (s = read_net(r)) || (s = read_data(r)) ||
        (s = read_normalize(r)) || (s = read_optimizer(r)) || (s = read_loss(r)))
        return s;
    r->class_weights = espl__tree_get(root, "class-weights");
    r->search = espl__tree_get(root, "search");
    if (r->search && espl__tree_empty(r->search))
        r->search = NULL;
    r->techniques = espl__tree_get(root, "techniques");
    if (r->techniques && espl__tree_empty(r->techniques))
        r->techniques = NULL;
    if (r->techniques && r->techniques->kind != ESPL__LIST)
        return espl__tree_fail(document, r->techniques, ESPL_BAD_RECIPE,
                               "techniques: a list was expected, each item after a dash");
    return ESPL_OK;
}

void espl__recipe_free(espl__recipe *r)
{
    if (!r->ctx)
        return;
    espl__release(r->ctx, r->loss_options);
    espl__release(r->ctx, r->optimizer_options);
    espl__document_free(r->document);
    *r = (espl__recipe){ 0 };
}
