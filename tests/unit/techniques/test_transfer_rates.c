/* Rates by depth: a step of plain descent moves each group by exactly its own rate times the gradient. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "unit/train/tiny_run.h"

#define CHAIN                                        \
    "name: chain\n"                                  \
    "settings: {classes: 3}\n"                       \
    "input: {channels: 1, height: 8, width: 8}\n"    \
    "layers:\n"                                      \
    "  - conv2d: {channels: 4, kernel: 3, pad: 1}\n" \
    "    name: a\n"                                  \
    "  - relu\n"                                     \
    "  - conv2d: {channels: 4, kernel: 3, pad: 1}\n" \
    "    name: b\n"                                  \
    "  - relu\n"                                     \
    "  - flatten\n"                                  \
    "  - dense: 8\n"                                 \
    "    name: c\n"                                  \
    "  - relu\n"                                     \
    "  - dense: classes\n"                           \
    "    name: out\n"

/* Keeps value and gradient as they are before the update. */
static void keep(void *self, const espl_block *block)
{
    (void)self;
    memcpy(block->kept[0], block->value, (size_t)block->count * sizeof(float));
    memcpy(block->kept[1], block->gradient, (size_t)block->count * sizeof(float));
}

typedef struct checker {
    int64_t wrong;
    const double *rates; /* of each parameter */
} checker;

static checker the_checker;

static void compare(void *self, const espl_block *block)
{
    const float rate = (float)the_checker.rates[block->parameter];

    (void)self;
    for (int64_t i = 0; i < block->count; i++) {
        const float moved = rate * block->kept[1][i];
        the_checker.wrong += block->value[i] != block->kept[0][i] - moved;
    }
}

static const espl_technique keeping = {
    .name = "keeping",
    .summary = "compares a step with the rule",
    .family = ESPL_OBSERVE,
    .size = 1,
    .kept_per_parameter = 2,
    .before_update = keep,
    .after_update = compare,
};

typedef struct notes {
    int count;
    char text[8][256];
} notes;

static void hear(void *user, const espl_news *news)
{
    notes *n = user;

    if (news->kind == ESPL_NEWS_NOTE && !strncmp(news->text, "group", 5) && n->count < 8)
        snprintf(n->text[n->count++], sizeof n->text[0], "%s", news->text);
}

static espl_status fit(const tiny *t, const char *options, const double *rates, notes *heard, char message[512])
{
    espl_context *ctx = NULL;
    espl_data *data = NULL;
    espl_net *net = NULL;
    espl_run *run = NULL;
    char path[160];

    the_checker = (checker){ .rates = rates };
    assert_int_equal(espl_context_open(&(espl_context_settings){ .threads = 1 }, &ctx), ESPL_OK);
    snprintf(path, sizeof path, "%s/data", t->folder);
    assert_int_equal(espl_data_open(ctx, path, NULL, &data), ESPL_OK);
    tiny_write(t, "chain.yaml", CHAIN);
    snprintf(path, sizeof path, "%s/chain.yaml", t->folder);
    assert_int_equal(espl_net_open(ctx, path, NULL, &net), ESPL_OK);
    assert_int_equal(espl_run_open(net, data, "epochs: 1, batch: 10, optimizer: {sgd: {rate: 0.001, momentum: 0}}", &run),
                     ESPL_OK);
    assert_int_equal(espl_run_attach_own(run, &keeping, NULL), ESPL_OK);
    espl_run_watch(run, hear, heard);
    espl_status s = espl_run_attach(run, "transfer-rates", options);
    if (!s)
        s = espl_run_fit(run);
    snprintf(message, 512, "%s", s ? espl_message(ctx) : "");
    espl_run_free(run);
    espl_net_free(net);
    espl_data_free(data);
    espl_context_free(ctx);
    return s;
}

/* Weight and bias of a, b, c and out, from the input: the figures of the paper's factor. */
static void test_each_group_moves_by_its_own_rate(void **state)
{
    const double r[] = { 1e-3, 1e-3 * (1 / pow(2.6, 1)), 1e-3 * (1 / pow(2.6, 2)), 1e-3 * (1 / pow(2.6, 3)) };
    const double by_factor[] = { r[3], r[3], r[2], r[2], r[1], r[1], r[0], r[0] };
    const double by_spread[] = { 1e-3 * (1 / pow(100, 1)), 1e-3 * (1 / pow(100, 1)), 1e-3 * (1 / pow(100, 1)), 1e-3 * (1 / pow(100, 1)),
                                 1e-3 * (1 / pow(100, 0.5)), 1e-3 * (1 / pow(100, 0.5)), 1e-3, 1e-3 };
    notes heard = { 0 };
    char message[512];

    assert_float_equal(r[1], 3.84615e-4, 1e-9);
    assert_float_equal(r[2], 1.47929e-4, 1e-9);
    assert_float_equal(r[3], 5.68957e-5, 1e-10);
    assert_int_equal(fit(*state, "factor: 2.6", by_factor, &heard, message), ESPL_OK);
    assert_int_equal(the_checker.wrong, 0);
    assert_int_equal(heard.count, 4);
    assert_non_null(strstr(heard.text[0], "27 values  rate x 1 "));
    assert_non_null(strstr(heard.text[0], "out"));
    assert_non_null(strstr(heard.text[3], "40 values  rate x 0.0569"));
    assert_int_equal(fit(*state, "groups: 3, spread: 100", by_spread, &heard, message), ESPL_OK);
    assert_int_equal(the_checker.wrong, 0);
}

static void test_refuses(void **state)
{
    notes heard = { 0 };
    char message[512];

    assert_int_equal(fit(*state, "groups: 5", NULL, &heard, message), ESPL_BAD_OPTION);
    assert_non_null(strstr(message, "transfer-rates: groups: 5, but the net has 4 layers with weights"));
    assert_int_equal(fit(*state, "spread: 0.5", NULL, &heard, message), ESPL_BAD_OPTION);
    assert_non_null(strstr(message, "spread: 0.5"));
    assert_int_equal(fit(*state, "factor: 0.5", NULL, &heard, message), ESPL_BAD_OPTION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TINY_TEST_OF(test_each_group_moves_by_its_own_rate),
        TINY_TEST_OF(test_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
