/* Asking a tree, failing with its marks, and writing values over places in it. */
#include "base_rig.h"
#include "base/tree.h"

#include <stdio.h>
#include <string.h>

static const char recipe[] = "net: resnet-20\n"
                             "epoch: 3\n"
                             "optimizer: sgd\n"
                             "cache:\n"
                             "sizes: [1, 2, 3]\n"
                             "techniques:\n"
                             "  - prune-weights: {sparsity: 0.5}\n"
                             "  - augment-flip\n"
                             "  - average-ema:\n";

static const char *const known[] = { "net", "epochs", "optimizer", "cache", "sizes", "techniques", NULL };

static espl__document *open_recipe(espl_context *ctx)
{
    espl__document *document = NULL;

    assert_int_equal(espl__document_parse(ctx, "plants.yaml", recipe, strlen(recipe), &document), ESPL_OK);
    return document;
}

/* "a.b.0" by hand, without the code under test */
static const espl__tree *at(const espl__document *document, const char *path)
{
    const espl__tree *node = document->root;

    while (*path && node) {
        const size_t length = strcspn(path, "/");
        const espl__tree *child = node->first;
        for (int i = 0; child; child = child->next, i++) {
            char index[16];
            snprintf(index, sizeof index, "%d", i);
            const char *name = child->key ? child->key : index;
            if (strlen(name) == length && strncmp(name, path, length) == 0)
                break;
        }
        node = child;
        path += length + (path[length] == '/');
    }
    return node;
}

static void assert_text(const espl__document *document, const char *path, const char *text)
{
    const espl__tree *node = at(document, path);

    if (!node)
        fail_msg("nothing is at %s", path);
    assert_int_equal(node->kind, ESPL__SCALAR);
    assert_string_equal(node->text, text);
}

/* Every child knows its parent, counts agree, keys stand in maps only. */
static void assert_sound(const espl__tree *node)
{
    int count = 0;

    assert_true(node->kind != ESPL__SCALAR || !node->first);
    for (const espl__tree *child = node->first; child; child = child->next, count++) {
        assert_ptr_equal(child->parent, node);
        assert_true((child->key != NULL) == (node->kind == ESPL__MAP));
        assert_sound(child);
    }
    assert_int_equal(count, node->count);
}

static void unknown_keys_name_the_nearest(void **state)
{
    espl__document *document = open_recipe(*state);
    static const char *const others[] = { "alpha", "beta", NULL };
    static const char *const none[] = { NULL };

    assert_int_equal(espl__tree_check_keys(document, document->root, known), ESPL_BAD_RECIPE);
    assert_string_equal(espl_message(*state),
                        "plants.yaml:2:1: unknown key \"epoch\"; did you mean \"epochs\"?");
    assert_int_equal(espl__tree_check_keys(document, document->root, others), ESPL_BAD_RECIPE);
    assert_string_equal(espl_message(*state), "plants.yaml:1:1: unknown key \"net\"; known are: alpha, beta");
    assert_int_equal(espl__tree_check_keys(document, document->root, none), ESPL_BAD_RECIPE);
    assert_string_equal(espl_message(*state), "plants.yaml:1:1: unknown key \"net\"; known are: none");
    espl__document_free(document);
}

static void keys_are_looked_for_in_maps_only(void **state)
{
    espl__document *document = open_recipe(*state);

    assert_int_equal(espl__tree_check_keys(document, at(document, "cache"), known), ESPL_OK);
    assert_int_equal(espl__tree_check_keys(document, NULL, known), ESPL_OK);
    assert_int_equal(espl__tree_check_keys(document, at(document, "net"), known), ESPL_BAD_RECIPE);
    assert_string_equal(espl_message(*state),
                        "plants.yaml:1:6: a single value was found; keys with values were expected");
    assert_int_equal(espl__tree_check_keys(document, at(document, "sizes"), known), ESPL_BAD_RECIPE);
    assert_null(espl__tree_get(at(document, "sizes"), "net"));
    assert_null(espl__tree_get(at(document, "net"), "net"));
    assert_null(espl__tree_get(NULL, "net"));
    espl__document_free(document);
}

static void failures_have_their_place(void **state)
{
    espl__document *document = open_recipe(*state);

    assert_int_equal(espl__tree_fail(document, at(document, "techniques/0/prune-weights/sparsity"),
                                     ESPL_BAD_STATE, "%s is %d", "this", 1),
                     ESPL_BAD_STATE);
    assert_string_equal(espl_message(*state), "plants.yaml:7:31: this is 1");
    espl__tree_fail(document, NULL, ESPL_BAD_STATE, "all");
    assert_string_equal(espl_message(*state), "plants.yaml: all");
    espl__tree_fail(document, NULL, ESPL_BAD_STATE, "%s", espl_message(*state));
    assert_string_equal(espl_message(*state), "plants.yaml: plants.yaml: all");
    espl__document_free(document);
}

static const struct {
    const char *path, *value, *place, *text;
} sets[] = {
    { "net", "lenet-5", "net", "lenet-5" },
    { "net.name", "x", NULL, "set net.name=x: there is the single value \"lenet-5\" where \"name\" is looked for" },
    { "epochs", "15", "epochs", "15" },
    { "optimizer.sgd.rate", "0.1", "optimizer/sgd/rate", "0.1" },
    { "optimizer.sgd.momentum", "0.9", "optimizer/sgd/momentum", "0.9" },
    { "optimizer.sgd.rate", "0.2", "optimizer/sgd/rate", "0.2" },
    { "optimizer", "{adam: {rate: 1e-3}}", "optimizer/adam/rate", "1e-3" },
    { "cache.limit", "3", "cache/limit", "3" },
    { "brand.new.thing", "1", "brand/new/thing", "1" },
    { "sizes.1", "22", "sizes/1", "22" },
    { "sizes.3", "4", "sizes/3", "4" },
    { "sizes.5", "6", NULL, "set sizes.5=6: there is a list of 4 items without \"5\"; 0 to 4 can be set" },
    { "sizes.x", "6", NULL, "without \"x\"" },
    { "sizes.-1", "6", NULL, "without \"-1\"" },
    { "sizes.99999999999999", "6", NULL, "without \"99999999999999\"" },
    { "techniques.0.prune-weights.sparsity", "0.7", "techniques/0/prune-weights/sparsity", "0.7" },
    { "techniques.prune-weights.sparsity", "0.8", "techniques/0/prune-weights/sparsity", "0.8" },
    { "techniques.augment-flip.share", "0.5", "techniques/1/augment-flip/share", "0.5" },
    { "techniques.average-ema.decay", "0.9", "techniques/2/average-ema/decay", "0.9" },
    { "techniques.3", "{augment-crop: {pad: 4}}", "techniques/3/augment-crop/pad", "4" },
    { "techniques.no-such.x", "1", NULL, "without \"no-such\"" },
    { "epochs", "", "epochs", "" },
    { "note", "'a: b'", "note", "a: b" },
    { "", "1", NULL, "a name is missing in the path" },
    { "a..b", "1", NULL, "a name is missing in the path" },
    { "a.", "1", NULL, "a name is missing in the path" },
    { "sizes", "[1", NULL, "set sizes=[1: did not find expected ',' or ']'" },
    { "sizes", "*x", NULL, "set sizes=*x: aliases" },
    { "sizes", "{a: 1, a: 2}", NULL, "set sizes={a: 1, a: 2}: the key \"a\" is given twice" },
};

static void values_are_written_over(void **state)
{
    espl__document *document = open_recipe(*state);

    for (int i = 0; i < ESPL__COUNT(sets); i++) {
        const espl_status status = espl__tree_set(document, sets[i].path, sets[i].value);
        if (sets[i].place) {
            assert_int_equal(status, ESPL_OK);
            assert_text(document, sets[i].place, sets[i].text);
        } else {
            assert_int_not_equal(status, ESPL_OK);
            if (!strstr(espl_message(*state), sets[i].text))
                fail_msg("\"%s\" instead of \"%s\"", espl_message(*state), sets[i].text);
        }
        assert_sound(document->root);
    }
    assert_int_equal(at(document, "sizes")->count, 4);
    assert_null(at(document, "optimizer/sgd"));
    espl__document_free(document);
}

static void what_was_set_is_named_in_failures(void **state)
{
    espl__document *document = open_recipe(*state);

    assert_int_equal(espl__tree_set(document, "optimizer.sgd", "{rate: 7}"), ESPL_OK);
    espl__tree_fail(document, at(document, "optimizer/sgd/rate"), ESPL_BAD_OPTION, "too much");
    assert_string_equal(espl_message(*state), "set optimizer.sgd={rate: 7}: too much");
    espl__document_free(document);
}

static void an_empty_document_can_be_filled(void **state)
{
    espl__document *document = NULL;

    assert_int_equal(espl__document_parse_settings(*state, "settings", NULL, &document), ESPL_OK);
    assert_int_equal(espl__tree_set(document, "optimizer.sgd.rate", "0.1"), ESPL_OK);
    assert_text(document, "optimizer/sgd/rate", "0.1");
    assert_sound(document->root);
    espl__document_free(document);
}

static void endless_paths_are_refused(void **state)
{
    espl__document *document = open_recipe(*state);
    espl__text path = { 0 };

    for (int i = 0; i < 10000; i++)
        assert_int_equal(espl__text_add(*state, &path, "%sa", i ? "." : ""), ESPL_OK);
    assert_int_equal(espl__tree_set(document, path.data, "1"), ESPL_BAD_OPTION);
    assert_non_null(strstr(espl_message(*state), "the path is too long"));
    espl__text_free(*state, &path);
    espl__document_free(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CONTEXT(unknown_keys_name_the_nearest),
        WITH_CONTEXT(keys_are_looked_for_in_maps_only),
        WITH_CONTEXT(failures_have_their_place),
        WITH_CONTEXT(values_are_written_over),
        WITH_CONTEXT(what_was_set_is_named_in_failures),
        WITH_CONTEXT(an_empty_document_can_be_filled),
        WITH_CONTEXT(endless_paths_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
