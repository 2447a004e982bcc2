/* The grammar of net descriptions: what each construct lays out, and what is said about mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "failing.h"
#include "net/description.h"

#include <espalier/report.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static espl_context *ctx;

static int setup(void **state)
{
    (void)state;
    return espl_context_open(NULL, &ctx);
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
    return 0;
}

static espl_status describe(espl_context *context, const char *text, espl_net **net)
{
    espl__document *document;
    espl_status s = espl__document_parse(context, "n.yaml", text, strlen(text), &document);

    *net = NULL;
    if (s)
        return s;
    s = espl__describe(context, &(espl__wish){ .document = document, .fallback_name = "n" }, net);
    espl__document_free(document);
    return s;
}

/* The layers as "name:op:shape<inputs" with blanks between, without the input. */
static void lays_out(const char *text, const char *expected)
{
    espl_net *net;
    char found[4096] = "";

    if (describe(ctx, text, &net))
        fail_msg("%s", espl_message(ctx));
    for (int i = 1; i < espl_net_layer_count(net); i++) {
        const espl_layer l = espl_net_layer(net, i);
        const size_t used = strlen(found);
        snprintf(found + used, sizeof found - used, "%s%s:%s:%s<%s", i > 1 ? " " : "", l.name, l.op, l.shape, l.inputs);
    }
    espl_net_free(net);
    assert_string_equal(found, expected);
}

#define INPUT "input: {channels: 3, height: 8, width: 6}\n"

static void one_after_the_other(void **state)
{
    (void)state;
    lays_out(INPUT "layers:\n"
                   "- conv2d: {channels: 4, kernel: 3}\n"
                   "- relu\n"
                   "- relu:\n"
                   "  name: second\n"
                   "- flatten\n"
                   "- dense: 2\n",
             "conv2d_1:conv2d:4x6x4<input relu_1:relu:4x6x4<conv2d_1 second:relu:4x6x4<relu_1 "
             "flatten_1:flatten:96<second dense_1:dense:2<flatten_1");
}

static void settings_and_variables(void **state)
{
    (void)state;
    lays_out("settings: {a: 2, b: a * 2, wide: yes}\n"
             "let: {c: [b, 8], d: {by: a, 1: 100, 2: \"c[1]\"}}\n"
             "input: {channels: a, height: b, width: b}\n"
             "layers:\n"
             "- conv2d: {channels: d if wide else 1, kernel: \"[1, 3]\", bias: not wide}\n"
             "- conv2d: {channels: previous.channels / 2, kernel: [1, a - 1], pad: [0, 1]}\n",
             "conv2d_1:conv2d:8x4x2<input conv2d_2:conv2d:4x4x4<conv2d_1");
}

static void repeats(void **state)
{
    (void)state;
    lays_out(INPUT "layers:\n"
                   "- repeat: 2\n"
                   "  name: stage\n"
                   "  index: i\n"
                   "  let: {c: 2 ^ i}\n"
                   "  layers:\n"
                   "  - conv2d: {channels: c, kernel: 1}\n"
                   "    name: conv\n"
                   "  - relu\n"
                   "    \n"
                   "- relu:\n"
                   "  repeat: 2\n"
                   "- relu:\n"
                   "  repeat: 2\n"
                   "  index: k\n"
                   "  name: last{k + 5}\n"
                   "- relu:\n"
                   "  repeat: 0\n",
             "stage_1.conv:conv2d:1x8x6<input stage_1.relu_1:relu:1x8x6<stage_1.conv "
             "stage_2.conv:conv2d:2x8x6<stage_1.relu_1 stage_2.relu_1:relu:2x8x6<stage_2.conv "
             "relu_1:relu:2x8x6<stage_2.relu_1 relu_2:relu:2x8x6<relu_1 "
             "last5:relu:2x8x6<relu_2 last6:relu:2x8x6<last5");
}

static void repeats_over_rows(void **state)
{
    (void)state;
    lays_out(INPUT "layers:\n"
                   "- conv2d: {channels: c, kernel: k}\n"
                   "  each: [c, k]\n"
                   "  of:\n"
                   "  - [5, 1]\n"
                   "  - [2 + 4, 3]\n"
                   "- conv2d: {channels: c, kernel: 1}\n"
                   "  each: c\n"
                   "  of: [7]\n",
             "conv2d_1:conv2d:5x8x6<input conv2d_2:conv2d:6x6x4<conv2d_1 conv2d_3:conv2d:7x6x4<conv2d_2");
}

static void leaves_out(void **state)
{
    (void)state;
    lays_out(INPUT "layers:\n"
                   "- relu:\n"
                   "  when: previous.channels == 4\n"
                   "- sigmoid:\n"
                   "  when: previous.height == 8 and previous.width == 6\n"
                   "- when: no\n"
                   "  layers: [relu, relu]\n"
                   "- tanh:\n"
                   "  repeat: 3\n"
                   "  index: i\n"
                   "  when: i != 1\n",
             "sigmoid_1:sigmoid:3x8x6<input tanh_1:tanh:3x8x6<sigmoid_1 tanh_2:tanh:3x8x6<tanh_1");
}

static void refers(void **state)
{
    (void)state;
    lays_out(INPUT "layers:\n"
                   "- relu:\n"
                   "  name: a\n"
                   "- tanh:\n"
                   "  name: b\n"
                   "- sigmoid:\n"
                   "  from: a\n"
                   "- concat:\n"
                   "  from: [input, previous, b, a]\n"
                   "- conv2d: {channels: a.channels + b.size, kernel: 1}\n",
             "a:relu:3x8x6<input b:tanh:3x8x6<a sigmoid_1:sigmoid:3x8x6<a "
             "concat_1:concat:12x8x6<input, sigmoid_1, b, a conv2d_1:conv2d:147x8x6<concat_1");
}

static void branches(void **state)
{
    (void)state;
    lays_out(INPUT "layers:\n"
                   "- relu\n"
                   "- branches:\n"
                   "    main: [tanh, sigmoid]\n"
                   "    shortcut: []\n"
                   "  join: add\n"
                   "  name: sum\n"
                   "- branches:\n"
                   "  - - silu\n"
                   "  -\n"
                   "  - [relu]\n"
                   "  join: {concat: }\n"
                   "- conv2d: {channels: main.channels, kernel: 1}\n"
                   "- add:\n"
                   "  from: [previous, sum, main]\n",
             "relu_1:relu:3x8x6<input sum.tanh_1:tanh:3x8x6<relu_1 sum.sigmoid_1:sigmoid:3x8x6<sum.tanh_1 "
             "sum.add_1:add:3x8x6<sum.sigmoid_1, relu_1 "
             "silu_1:silu:3x8x6<sum.add_1 relu_2:relu:3x8x6<sum.add_1 "
             "concat_1:concat:9x8x6<silu_1, sum.add_1, relu_2 "
             "conv2d_1:conv2d:3x8x6<concat_1 add_1:add:3x8x6<conv2d_1, sum.add_1, sum.sigmoid_1");
}

static void blocks(void **state)
{
    (void)state;
    lays_out("settings: {base: 2}\n" INPUT
             "blocks:\n"
             "  conv:\n"
             "    arguments: {channels: , kernel: 1, twice: 2 * channels}\n"
             "    let: {all: channels + twice + base}\n"
             "    layers:\n"
             "    - conv2d: {channels: all, kernel: kernel}\n"
             "      name: only\n"
             "  unit:\n"
             "    layers:\n"
             "    - conv: 1\n"
             "    - conv: {channels: input.channels, twice: 0}\n"
             "      name: again\n"
             "layers:\n"
             "- conv: {channels: 3, kernel: 3}\n"
             "- unit\n"
             "- unit:\n"
             "  name: u\n"
             "  from: conv_last\n"
             "  when: no\n"
             "- conv: base\n"
             "  repeat: 2\n"
             "  name: c\n"
             "- relu:\n"
             "  from: c_1\n"
             "- concat:\n"
             "  from: [c, previous]\n",
             "conv_1.only:conv2d:11x6x4<input unit_1.conv_1.only:conv2d:5x6x4<conv_1.only "
             "unit_1.again.only:conv2d:13x6x4<unit_1.conv_1.only c_1.only:conv2d:8x6x4<unit_1.again.only "
             "c_2.only:conv2d:8x6x4<c_1.only relu_1:relu:8x6x4<c_1.only concat_1:concat:16x6x4<c_2.only, relu_1");
}

/* An argument's value is computed with the caller's variables, whatever the block calls its own. */
static void arguments_belong_to_the_caller(void **state)
{
    (void)state;
    lays_out(INPUT "blocks:\n"
                   "  b:\n"
                   "    arguments: {x: , y: }\n"
                   "    layers:\n"
                   "    - conv2d: {channels: 10 * x + y, kernel: 1}\n"
                   "layers:\n"
                   "- let: {x: 1, y: 2}\n"
                   "  b: {x: y, y: x}\n",
             "b_1.conv2d_1:conv2d:21x8x6<input");
}

static void refuses_at(const char *text, const char *place, const char *reason)
{
    espl_net *net;
    char start[64];

    assert_int_not_equal(describe(ctx, text, &net), ESPL_OK);
    assert_null(net);
    snprintf(start, sizeof start, "n.yaml:%s: ", place);
    if (strncmp(espl_message(ctx), start, strlen(start)) != 0 || !strstr(espl_message(ctx), reason))
        fail_msg("\"%s\" does not begin with \"%s\" or does not say \"%s\"", espl_message(ctx), start, reason);
}

/* `line` begins the list of layers on line 2. */
static void refuses(const char *layers, const char *place, const char *reason)
{
    char text[2048];

    snprintf(text, sizeof text, INPUT "layers:\n%s", layers);
    refuses_at(text, place, reason);
}

static void tells_mistakes_in_layers(void **state)
{
    (void)state;
    refuses("- conv2d: {chanels: 3, kernel: 1, channels: 1}\n", "3:12", "conv2d has no attribute \"chanels\"; did you mean");
    refuses("- conv2d: {kernel: 1}\n", "3:11", "conv2d needs \"channels\" (output channels)");
    refuses("- conv2d\n", "3:3", "conv2d needs \"channels\"");
    refuses("- conv2d: {channels: 16 * 0.3, kernel: 1}\n", "3:22", "channels: 16 * 0.3 is 4.8, not a whole number");
    refuses("- conv2d: {channels: 16 * with, kernel: 1}\n", "3:27", "there is no variable \"with\"");
    refuses("- conv2d: {channels: \"16 / (1 - 1)\", kernel: 1}\n", "3:26", "division by zero");
    refuses("- conv2d: {channels: -1, kernel: 1}\n", "3:22", "not within");
    refuses("- conv2d: {channels: [1, 2], kernel: 1}\n", "3:22", "channels is one number, not a list");
    refuses("- conv2d: {channels: {a: 1}, kernel: 1}\n", "3:22", "not a map");
    refuses("- conv2d: {channels: , kernel: 1}\n", "3:12", "a value is missing");
    refuses("- conv2d: {channels: 1, kernel: 9}\n", "3:3", "conv2d_1: ");
    refuses("- conv3d: {channels: 1}\n", "3:3", "there is no layer or block \"conv3d\"; did you mean \"conv2d\"?");
    refuses("- rellu\n", "3:3", "did you mean \"relu\"?");
    refuses("- relu: 3\n", "3:9", "relu has no attributes");
    refuses("- relu: {a: 3}\n", "3:10", "relu has no attribute \"a\"");
    refuses("- softmax_cross_entropy\n", "3:3", "is a loss");
    refuses("- relu:\n  sigmoid:\n", "4:3", "two layers");
    refuses("- name: a\n", "3:3", "names no layer");
    refuses("- []\n", "3:3", "a layer was expected");
    refuses("-\n- relu\n", "3:2", "a layer was expected");
    refuses("- add:\n  from: [input, b]\n", "4:17", "no layer before this one in the same block is named \"b\"");
    refuses("- relu:\n  name: abc\n- add:\n  from: [abd, input]\n", "6:10", "did you mean \"abc\"?");
    refuses("- add:\n  from: []\n", "4:9", "\"from\" is a name or a list");
    refuses("- add:\n  from: {a: b}\n", "4:9", "\"from\" is a name or a list");
    refuses("- add\n", "3:3", "add takes");
    refuses("- relu:\n  name: a b\n", "4:9", "cannot be the name of a layer");
    refuses("- relu:\n  name: input\n", "4:9", "cannot be the name of a layer");
    refuses("- relu:\n  name: a\n- relu:\n  name: a\n", "5:3", "already has a node of this name");
    refuses("- relu:\n  name: \"a{\"\n", "4:9", "is not closed");
    refuses("- relu:\n  name: a{1 +}\n", "4:14", "a number or a name was expected");
    refuses("- relu:\n  when: maybe\n", "4:9", "there is no variable \"maybe\"");
    refuses("- relu:\n  repeat: 1.5\n", "4:11", "a whole number");
    refuses("- relu:\n  repeat: -1\n", "4:11", "a whole number");
    refuses("- relu:\n  repeat: 1e9\n", "4:11", "0..20000");
    refuses("- relu:\n  repeat: 2\n  each: a\n  of: [1]\n", "5:9", "cannot both be given");
    refuses("- relu:\n  each: a\n", "4:9", "one is missing");
    refuses("- relu:\n  each: [a, b]\n  of: [1]\n", "5:8", "this row has 1 values for 2 variables");
    refuses("- relu:\n  each: a\n  of: 3\n", "5:7", "\"of\" is a list");
    refuses("- relu:\n  index: i\n", "4:10", "there is neither");
    refuses("- relu:\n  repeat: 1\n  index: if\n", "5:10", "cannot be a variable's name");
    refuses("- branches: [[], []]\n", "3:3", "need \"join\"");
    refuses("- branches: [[]]\n  join: add\n", "3:13", "2 to 64 lists");
    refuses("- branches: [[], []]\n  join: ad\n", "4:9", "there is no operation \"ad\"");
    refuses("- relu:\n  join: add\n", "4:9", "belongs to \"branches\"");
    refuses("- branches: [[], [{conv2d: {channels: 4, kernel: 1}}]]\n  join: add\n", "4:9", "add_1: ");
    refuses("- layers: relu\n", "3:11", "a list of layers was expected");
    refuses("- layers\n", "3:3", "no layer or block \"layers\"");
    refuses("- relu:\n  let: 3\n", "4:8", "names and values");
    refuses("- relu:\n  let: {a: {b: 3}}\n", "4:12", "needs \"by\"");
    refuses("- relu:\n  let: {a: {by: 4, 3: 3, 5: 1}}\n", "4:17", "4 is 4, but it can only be one of: 3, 5");
    refuses("- relu:\n- relu:\n  from: input\n", "3:1", "\"relu_1\" does not lead to the last one");
    refuses("- relu:\n  when: no\n", "3:1", "no layers");
    refuses("- relu:\n  name: a234567890b234567890c234567890d234567890e234567890f234567890g234567890\n", "4:9", "longer than");
}

static void tells_mistakes_elsewhere(void **state)
{
    (void)state;
    refuses_at("layers: [relu]\n", "1:1", "does not say channels");
    refuses_at("input: {channels: 3, height: 8}\nlayers: [relu]\n", "1:1", "does not say width");
    refuses_at("input: {channels: 3, height: 8, width: 8, depth: 3}\nlayers: [relu]\n", "1:43", "unknown key \"depth\"");
    refuses_at("input: 3\nlayers: [relu]\n", "1:8", "must be a map");
    refuses_at(INPUT, "1:1", "a net needs \"layers\"");
    refuses_at(INPUT "layers: [relu]\nlayer: 3\n", "3:1", "did you mean \"layers\"?");
    refuses_at("settings: {a: b}\n" INPUT "layers: [relu]\n", "1:15", "no variable \"b\"");
    refuses_at("settings: {a-b: 1}\n" INPUT "layers: [relu]\n", "1:17", "cannot be a variable's name");
    refuses_at("settings: {a: 3}\nrequire: {a < 3: \"a is {a}\"}\n" INPUT "layers: [relu]\n", "2:18", "a is 3");
    refuses_at("require: {a < 3: \"x\"}\n" INPUT "layers: [relu]\n", "1:11", "no variable \"a\"");
    refuses_at("blocks: {b: {layers: [b]}}\n" INPUT "layers: [b]\n", "1:23", "contain itself");
    refuses_at("blocks: {b: {layers: [c]}, c: {layers: [b]}}\n" INPUT "layers: [b]\n", "1:41", "contain itself");
    refuses_at("blocks: {b: {layer: [c]}}\n" INPUT "layers: [b]\n", "1:14", "did you mean \"layers\"?");
    refuses_at("blocks: {b: {arguments: {x: }, layers: [relu]}}\n" INPUT "layers: [b]\n", "3:10", "needs the argument \"x\"");
    refuses_at("blocks: {b: {arguments: {x: }, layers: [relu]}}\n" INPUT "layers: [{b: {y: 1}}]\n", "3:15", "unknown key \"y\"");
    refuses_at("blocks: {b: {layers: [relu]}}\n" INPUT "layers: [{b: 3}]\n", "3:14", "takes no arguments");
    refuses_at("blocks: {b: {layers: [{relu: , when: x}]}}\n" INPUT "layers: [{let: {x: 1}, b: }]\n", "1:38",
               "no variable \"x\"");
    refuses_at("name: \"{x}\"\n" INPUT "layers: [relu]\n", "1:9", "no variable \"x\"");
}

/* Descriptions that would run away. */
static void tells_more_mistakes(void **state)
{
    char text[4096] = "- relu:\n  let: {l: [1";

    (void)state;
    for (int i = 0; i < 32; i++)
        strcat(text, ", 1");
    strcat(text, "]}\n");
    refuses(text, "4:12", "at most 32 items");
    strcpy(text, "- relu:\n  when: min(1");
    for (int i = 0; i < 32; i++)
        strcat(text, ", 1");
    strcat(text, ")\n");
    refuses(text, "4:110", "at most 32 items");
    refuses("- relu:\n  let: {l: [1], m: [l]}\n", "4:21", "a list was found where a number is needed");
    refuses("- relu:\n  let: {l: [1]}\n  when: l\n", "5:9", "a list was found where a number is needed");
    refuses("- relu:\n  let: {l: [1]}\n  name: a{l}\n", "5:9", "{l} is a list");
    refuses("- relu:\n  name: [a]\n", "4:9", "a text was expected, not a list");
    refuses("- branches: {\"a b\": [], c: []}\n  join: add\n", "3:21", "a branch's name");
    refuses("- branches: [[], []]\n  join: [add]\n", "4:9", "\"join\" is one operation");
    refuses("- relu:\n  repeat: 1\n  index: [i]\n", "5:10", "the name of a variable was expected");
    refuses("- relu:\n  when: foo(1)\n", "4:9", "there is no function \"foo\"; there are");
    refuses("- relu:\n  when: \"[1, 2](0)\"\n", "4:16", "an operator or the end");
    refuses("- relu:\n  when: \"[1, 2][0\"\n", "4:18", "\"]\" was expected");
    refuses_at("blocks: {b: {arguments: [x], layers: [relu]}}\n" INPUT "layers: [b]\n", "1:25", "a map of names and defaults");
    refuses_at("blocks: {b: {arguments: {x-y: 1}, layers: [relu]}}\n" INPUT "layers: [b]\n", "1:31", "cannot be a variable's name");
}

/* Words and text go to their attributes as they are, but for what is in braces. */
static void attributes_may_be_words(void **state)
{
    (void)state;
    lays_out("settings: {factor: 2}\n" INPUT "layers:\n"
             "- resize: {size: [8 * factor, 6 * factor], mode: bilinear}\n",
             "resize_1:resize:3x16x12<input");
    refuses("- resize: {size: [8, 6], mode: cubic}\n", "3:32", "cubic");
}

static espl_status open_yaml(const char *path, const char *settings, espl_net **net)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs("settings: {classes: 2}\n" INPUT "layers: [flatten, {dense: classes}]\n", file);
    fclose(file);
    const espl_status s = espl_net_open(ctx, path, settings, net);
    remove(path);
    return s;
}

static void files_are_opened(void **state)
{
    espl_net *net;

    (void)state;
    assert_int_equal(open_yaml("test_describe.tmp.yaml", "classes: 4", &net), ESPL_OK);
    assert_string_equal(espl_net_name(net), "test_describe.tmp");
    assert_int_equal(espl_net_classes(net), 4);
    espl_net_free(net);
    assert_int_equal(open_yaml("./test_describe.yml", NULL, &net), ESPL_OK);
    assert_string_equal(espl_net_name(net), "test_describe");
    espl_net_free(net);
    assert_int_equal(open_yaml("./test_describe.yml", "class: 4", &net), ESPL_BAD_RECIPE);
    assert_string_equal(espl_message(ctx), "settings:1:1: unknown key \"class\"; did you mean \"classes\"?");
    assert_int_equal(open_yaml("./test_describe.yml", "[1]", &net), ESPL_BAD_RECIPE);
}

static void stays_within_limits(void **state)
{
    char text[8192] = INPUT "layers:\n";

    (void)state;
    refuses("- relu:\n  repeat: 20000\n- relu\n", "3:3", "more than 20000 layers");
    /* 20000 ^ 5 turns of nothing */
    for (int depth = 0; depth < 5; depth++) {
        const size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%*s- repeat: 20000\n%*s  layers:\n", 2 * depth, "", 2 * depth, "");
    }
    strcat(text, "            []\n");
    espl_net *net;
    assert_int_equal(describe(ctx, text, &net), ESPL_BAD_RECIPE);
    assert_non_null(strstr(espl_message(ctx), "too much work"));
    strcpy(text, INPUT "layers: ");
    for (int depth = 0; depth < 40; depth++)
        strcat(text, "[{layers: ");
    strcat(text, "[relu]");
    for (int depth = 0; depth < 40; depth++)
        strcat(text, "}]");
    assert_int_equal(describe(ctx, text, &net), ESPL_BAD_RECIPE);
    assert_int_equal(describe(ctx, "input: {channels: 100000, height: 1, width: 1}\nlayers:\n"
                                   "- flatten\n- dense: 10000000\n",
                              &net),
                     ESPL_NO_MEMORY);
    assert_non_null(strstr(espl_message(ctx), "the parameters alone need"));
}

/* The complete example of docs/guides/nets.md. */
static void the_guides_example_is_a_net(void **state)
{
    char *guide;
    size_t bytes;
    espl_net *net;

    (void)state;
    assert_int_equal(espl__file_read(ctx, ESPL__SOURCE_DIR "/docs/guides/nets.md", 1 << 20, &guide, &bytes), ESPL_OK);
    char *begin = strstr(guide, "```yaml\n");
    assert_non_null(begin);
    begin += strlen("```yaml\n");
    char *end = strstr(begin, "```");
    assert_non_null(end);
    *end = 0;
    if (describe(ctx, begin, &net))
        fail_msg("%s", espl_message(ctx));
    assert_string_equal(espl_net_name(net), "tiny-resnet-8");
    assert_int_equal(espl_net_classes(net), 10);
    assert_int_equal(espl_net_parameters(net), 77850);
    espl_net_free(net);
    espl__release(ctx, guide);
}

static espl_status describe_once(espl_context *context, void *text)
{
    espl_net *net;
    const espl_status s = describe(context, text, &net);

    espl_net_free(net);
    return s;
}

static void survives_failing_allocations(void **state)
{
    char text[] = "name: t{depth}\nsettings: {depth: 2}\n" INPUT
                  "blocks:\n"
                  "  b:\n"
                  "    arguments: {channels: 4}\n"
                  "    layers:\n"
                  "    - conv2d: {channels: channels, kernel: [1, 1]}\n"
                  "      name: conv\n"
                  "layers:\n"
                  "- branches: [[b], [{b: 4}]]\n"
                  "  join: add\n"
                  "  repeat: depth\n"
                  "- flatten\n"
                  "- dense: 3\n";

    (void)state;
    assert_true(failing_every(describe_once, text, NULL) > 50);
}

static espl_status open_by_name(espl_context *context, void *name)
{
    espl_net *net;
    const espl_status s = espl_net_open(context, name, "classes: 3", &net);

    espl_net_free(net);
    return s;
}

static void survives_failing_allocations_by_name(void **state)
{
    (void)state;
    failing_some(open_by_name, (void *)"lenet-5", NULL, 200, 7);
}

static espl_status open_unknown(espl_context *context, void *name)
{
    espl_net *net;
    const espl_status s = espl_net_open(context, name, NULL, &net);

    return s == ESPL_BAD_OPTION ? ESPL_OK : s;
}

static void survives_failing_allocations_in_messages(void **state)
{
    (void)state;
    failing_some(open_unknown, (void *)"lenot-5", NULL, 20, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_after_the_other, setup, teardown),
        cmocka_unit_test_setup_teardown(settings_and_variables, setup, teardown),
        cmocka_unit_test_setup_teardown(repeats, setup, teardown),
        cmocka_unit_test_setup_teardown(repeats_over_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(leaves_out, setup, teardown),
        cmocka_unit_test_setup_teardown(refers, setup, teardown),
        cmocka_unit_test_setup_teardown(branches, setup, teardown),
        cmocka_unit_test_setup_teardown(blocks, setup, teardown),
        cmocka_unit_test_setup_teardown(arguments_belong_to_the_caller, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_mistakes_in_layers, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_mistakes_elsewhere, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_more_mistakes, setup, teardown),
        cmocka_unit_test_setup_teardown(attributes_may_be_words, setup, teardown),
        cmocka_unit_test_setup_teardown(files_are_opened, setup, teardown),
        cmocka_unit_test_setup_teardown(stays_within_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(the_guides_example_is_a_net, setup, teardown),
        cmocka_unit_test(survives_failing_allocations),
        cmocka_unit_test(survives_failing_allocations_by_name),
        cmocka_unit_test(survives_failing_allocations_in_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
