/* Expressions in net descriptions: values, precedence, and what is said about mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/expression.h"

#include <string.h>

static espl_context *ctx;
static espl__variables variables;

static bool shape_of(void *user, const char *name, espl__shape *shape)
{
    (void)user;
    *shape = espl__shape_planes(16, 32, 24);
    return strcmp(name, "stem") == 0;
}

static int setup(void **state)
{
    const espl__value list = { true, 3, { 2, 3, 5 } }, depth = espl__number(20), hidden = espl__number(1);

    (void)state;
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    assert_int_equal(espl__variables_open(ctx, &variables), ESPL_OK);
    variables.shape = shape_of;
    espl__variables_push(&variables, "depth", &depth);
    espl__variables_push(&variables, "blocks", &list);
    variables.globals = variables.count;
    espl__variables_push(&variables, "hidden", &hidden); /* of a block that is not the current one */
    variables.frame = variables.count;
    espl__variables_push(&variables, "stride", &hidden);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    espl__variables_free(&variables);
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
    return 0;
}

static void gives(const char *text, double expected)
{
    espl__value value;
    int place;

    if (espl__evaluate(&variables, text, &value, &place))
        fail_msg("%s: %s", text, espl_message(ctx));
    if (value.is_list || value.item[0] != expected)
        fail_msg("%s gives %g, not %g", text, value.item[0], expected);
    assert_int_equal(place, strlen(text));
}

static void refuses(const char *text, int expected_place, const char *reason)
{
    espl__value value;
    int place = -1;

    assert_int_equal(espl__evaluate(&variables, text, &value, &place), ESPL_BAD_RECIPE);
    if (!strstr(espl_message(ctx), reason))
        fail_msg("%s: \"%s\" does not say \"%s\"", text, espl_message(ctx), reason);
    if (place != expected_place)
        fail_msg("%s: place %d, not %d (%s)", text, place, expected_place, espl_message(ctx));
}

static void computes(void **state)
{
    (void)state;
    gives("7", 7);
    gives(" 2.5e-1 ", 0.25);
    gives("1 + 2 * 3", 7);
    gives("(1 + 2) * 3", 9);
    gives("10 - 4 - 3", 3);
    gives("16 / 4 / 2", 2);
    gives("7 % 3 + -7 % 3", 3);
    gives("2 ^ 3 ^ 2", 512);
    gives("-2 ^ 2", -4);
    gives("2 ^ -1", 0.5);
    gives("--2", 2);
    gives("(depth - 2) / 6", 3);
    gives("depth>=20", 1);
    gives("1 + 1 == 2 and not 3 < 2", 1);
    gives("no or off or false", 0);
    gives("yes and 5", 1);
    gives("blocks[1] * 10", 30);
    gives("[4, 5, 6][stride]", 5);
    gives("count(blocks) + sum(blocks) + max(blocks) + min(4, 2)", 3 + 10 + 5 + 2);
    gives("floor(2.7) + ceil(2.2) + round(2.5) + abs(-1) + sqrt(9)", 2 + 3 + 3 + 1 + 3);
    gives("min(max(1, 2), max(3, min(4, 5)))", 2);
    gives("stem.channels + stem.height + stem.width", 16 + 32 + 24);
    gives("stem.size", 16 * 32 * 24);
}

/* The MobileNets' rule, from their published channel counts at several widths. */
static void rounds_to_multiples(void **state)
{
    (void)state;
    gives("multiple(32 * 0.35, 8)", 16); /* 11.2: 8 would lose more than a tenth */
    gives("multiple(16 * 0.35, 8)", 8);
    gives("multiple(24 * 0.75, 8)", 24); /* 18: 16 would lose 11 % */
    gives("multiple(96 * 1.4, 8)", 136);
    gives("multiple(1, 8)", 8);
}

static void computes_only_what_is_asked(void **state)
{
    (void)state;
    gives("1 if depth == 20 else 1 / 0", 1);
    gives("1 / 0 if no else 2", 2);
    gives("1 / (depth - 20) if depth != 20 else 0", 0);
    gives("unknown if depth != 20 else 4", 4);
}

static void chooses(void **state)
{
    (void)state;
    gives("1 if yes else 2 if yes else 3", 1);
    gives("1 if no else 2 if yes else 3", 2);
    gives("1 if no else 2 if no else 3", 3);
    gives("(1 if no else 2) * 3", 6);
    gives("0 and 1 / 0", 0);
    gives("1 or 1 / 0 or unknown(3)", 1);
    gives("1 or 0 and 1 / 0", 1);
    gives("(0 and 1 / 0) or 7", 1);
}

static void tells_mistakes(void **state)
{
    (void)state;
    refuses("", 0, "a number or a name was expected at the end");
    refuses("1 +", 3, "a number or a name was expected");
    refuses("1 2", 2, "an operator or the end was expected before \"2\"");
    refuses("(1", 2, "\")\" was expected");
    refuses("16 * dept", 5, "there is no variable \"dept\" here; did you mean \"depth\"?");
    refuses("hidden", 0, "there is no variable \"hidden\"");
    refuses("1 + 6 / (2 - 2)", 6, "division by zero");
    refuses("5 % 0", 2, "division by zero");
    refuses("1e308 * 10", 0, "not a finite number");
    refuses("sqrt(-1)", 0, "not a finite number");
    refuses("0 ^ -1", 0, "not a finite number");
    refuses("blocks + 1", 0, "a list was found where a number is needed");
    refuses("1 + blocks", 4, "a list was found where a number is needed");
    refuses("not blocks", 4, "a list was found");
    refuses("blocks[3]", 7, "the list has 3 items");
    refuses("blocks[0.5]", 7, "the list has 3 items");
    refuses("blocks[-1]", 7, "the list has 3 items");
    refuses("depth[0]", 6, "only lists have items");
    refuses("1 < 2 < 3", 6, "an operator or the end was expected");
    refuses("flor(2)", 0, "did you mean \"floor\"?");
    refuses("floor(1, 2)", 0, "floor takes 1 value, not 2");
    refuses("max()", 0, "max takes 1 values or more, not 0");
    refuses("1 if 2", 6, "\"else\" was expected");
    refuses("if", 0, "a number or a name was expected before \"if\"");
    refuses("stem.chanels", 0, "channels, height, width and size can");
    refuses("stam.channels", 0, "no layer named \"stam\"");
    refuses("1x", 0, "\"1x\" is not a number");
    refuses("1.2.3", 0, "\"1.2.3\" is not a number");
    refuses("$", 0, "before \"$\"");
    refuses("[1, 2", 5, "\"]\" was expected");
    refuses("[[1], 2]", 1, "a list was found");
}

static void limits_depth_and_length(void **state)
{
    char text[2000];

    (void)state;
    memset(text, '(', 400);
    text[400] = 0;
    refuses(text, 24, "nested too deeply");
    memset(text, '-', 400);
    refuses(text, 24, "nested too deeply");
    for (int i = 0; i < 100; i++)
        memcpy(text + 4 * i, "not ", 4);
    text[400] = 0;
    refuses(text, 96, "nested too deeply");
    memset(text, '1', 501);
    text[501] = 0;
    refuses(text, 0, "may have 500 characters, not 501");
    /* calls within calls must not take time that grows with two to the depth */
    strcpy(text, "1");
    for (int i = 0; i < 20; i++) {
        char wrapped[600];
        strcpy(wrapped, "min(");
        strcat(wrapped, text);
        strcat(wrapped, ",1)");
        strcpy(text, wrapped);
    }
    gives(text, 1);
}

static void keeps_variables_apart(void **state)
{
    const espl__value one = espl__number(1);
    char name[8];

    (void)state;
    assert_int_equal(espl__variables_push(&variables, "a-b", &one), ESPL_BAD_RECIPE);
    assert_int_equal(espl__variables_push(&variables, "if", &one), ESPL_BAD_RECIPE);
    assert_int_equal(espl__variables_push(&variables, "2a", &one), ESPL_BAD_RECIPE);
    assert_int_equal(espl__variables_push(&variables, "", &one), ESPL_BAD_RECIPE);
    /* a local one hides a global one of the same name and leaves it as it was */
    assert_int_equal(espl__variables_push(&variables, "depth", &one), ESPL_OK);
    gives("depth", 1);
    variables.count = variables.frame;
    gives("depth", 20);
    espl_status s = ESPL_OK;
    for (int i = 0; !s; i++) {
        name[0] = 'v';
        name[1] = (char)('a' + i / 26);
        name[2] = (char)('a' + i % 26);
        name[3] = 0;
        s = espl__variables_push(&variables, name, &one);
    }
    assert_int_equal(s, ESPL_BAD_RECIPE);
    assert_int_equal(variables.count, ESPL__VARIABLES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(computes, setup, teardown),
        cmocka_unit_test_setup_teardown(rounds_to_multiples, setup, teardown),
        cmocka_unit_test_setup_teardown(computes_only_what_is_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(chooses, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_mistakes, setup, teardown),
        cmocka_unit_test_setup_teardown(limits_depth_and_length, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_variables_apart, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
