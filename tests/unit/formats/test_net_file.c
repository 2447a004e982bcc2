/* Net files: everything comes back bit for bit, and files that do not fit are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "failing.h"
#include "formats/formats.h"
#include "formats/net_notes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH "test_net_file.safetensors"

static espl_context *ctx;

static int setup(void **state)
{
    (void)state;
    return espl_context_open(&(espl_context_settings){ .seed = 3 }, &ctx);
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
    remove(PATH);
    return 0;
}

static espl_net *made(const char *name)
{
    const espl__preparation preparation = { true, 28, 30, 3, 1.0 / 255, { 0.1, 1.0 / 3, 1e-300 }, { 0.2, 0.3, 1e300 }, "crop", "bgr" };
    const char *const classes[] = { "rose \"red\"", "\xc3\xa4", "" };
    espl_net *net;

    assert_int_equal(espl_net_open(ctx, name, "classes: 3", &net), ESPL_OK);
    net->preparation = preparation;
    assert_int_equal(espl__net_set_classes(net, classes, 3), ESPL_OK);
    assert_int_equal(espl__copy_text(ctx, "{\"seed\": 3}", &net->origin), ESPL_OK);
    return net;
}

static void assert_same(const espl_net *a, const espl_net *b)
{
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->origin, b->origin);
    assert_true(espl_net_hash(a) == espl_net_hash(b));
    for (int i = 0; i < a->graph->parameter_count; i++) {
        assert_int_equal(a->parameters[i].count, b->parameters[i].count);
        assert_memory_equal(a->parameters[i].value, b->parameters[i].value, (size_t)a->parameters[i].count * 4);
    }
    const espl__preparation *p = &a->preparation, *q = &b->preparation;
    assert_true(q->known && p->height == q->height && p->width == q->width && p->channels == q->channels);
    assert_true(p->scale == q->scale);
    assert_memory_equal(p->mean, q->mean, sizeof p->mean);
    assert_memory_equal(p->deviation, q->deviation, sizeof p->deviation);
    assert_string_equal(p->resize, q->resize);
    assert_string_equal(p->order, q->order);
    assert_int_equal(a->class_count, b->class_count);
    for (int i = 0; i < a->class_count; i++)
        assert_string_equal(a->classes[i], b->classes[i]);
}

static void everything_comes_back(void **state)
{
    static const char *const names[] = { "lenet-5", "resnet-8", "mobilenet-v2-0.1", "densenet-bc-16-4" };

    (void)state;
    for (int i = 0; i < ESPL__COUNT(names); i++) {
        espl_net *net = made(names[i]), *loaded;
        net->parameters[0].value[0] = NAN;
        net->parameters[0].value[1] = -0.0f;
        assert_int_equal(espl_net_save(net, PATH), ESPL_OK);
        if (espl_net_open(ctx, PATH, NULL, &loaded))
            fail_msg("%s", espl_message(ctx));
        assert_same(net, loaded);
        espl_net_free(loaded);
        espl_net_free(net);
    }
}

/* Every rule that a recipe can ask for: a net that was trained with it must load again. */
static void every_resize_rule_comes_back(void **state)
{
    static const char *const rules[] = { "crop", "stretch", "keras" };

    (void)state;
    for (int i = 0; i < ESPL__COUNT(rules); i++) {
        espl_net *net = made("lenet-300-100"), *loaded;
        snprintf(net->preparation.resize, sizeof net->preparation.resize, "%s", rules[i]);
        assert_int_equal(espl_net_save(net, PATH), ESPL_OK);
        if (espl_net_load(ctx, PATH, &loaded))
            fail_msg("%s", espl_message(ctx));
        assert_string_equal(loaded->preparation.resize, rules[i]);
        espl_net_free(loaded);
        espl_net_free(net);
    }
}

static void the_same_net_gives_the_same_bytes(void **state)
{
    espl_net *net = made("lenet-5"), *loaded;
    char *first, *second;
    size_t first_bytes, second_bytes;

    (void)state;
    assert_int_equal(espl_net_save(net, PATH), ESPL_OK);
    assert_int_equal(espl__file_read(ctx, PATH, SIZE_MAX, &first, &first_bytes), ESPL_OK);
    assert_int_equal(espl_net_load(ctx, PATH, &loaded), ESPL_OK);
    assert_int_equal(espl_net_save(loaded, PATH), ESPL_OK);
    assert_int_equal(espl__file_read(ctx, PATH, SIZE_MAX, &second, &second_bytes), ESPL_OK);
    assert_int_equal(first_bytes, second_bytes);
    assert_memory_equal(first, second, first_bytes);
    espl__release(ctx, first);
    espl__release(ctx, second);
    espl_net_free(net);
    espl_net_free(loaded);
}

static void what_is_not_known_stays_unknown(void **state)
{
    espl_net *net, *loaded;

    (void)state;
    assert_int_equal(espl_net_open(ctx, "lenet-300-100", NULL, &net), ESPL_OK);
    assert_int_equal(espl_net_save(net, PATH), ESPL_OK);
    assert_int_equal(espl_net_load(ctx, PATH, &loaded), ESPL_OK);
    assert_false(loaded->preparation.known);
    assert_null(loaded->origin);
    assert_int_equal(loaded->class_count, 0);
    espl_net_free(loaded);
    espl_net_free(net);
}

/* Saves a net with its tensors and notes changed by hand, and expects the loader's answer. */
static void refuses(espl_net *net, int dropped, const char *note, const char *text, const char *reason)
{
    espl__net_notes notes = { 0 };
    espl__to_store tensors[64];
    espl_net *loaded = (void *)ctx;
    int count = 0;

    assert_int_equal(espl__net_notes_write(net, &notes), ESPL_OK);
    for (int i = 0; i < notes.count; i++)
        if (note && espl__text_equal(notes.note[i].key, note))
            notes.note[i].text = text;
    for (int i = 0; i < net->graph->parameter_count; i++) {
        const espl__graph_parameter *p = &net->graph->parameters[i];
        tensors[count] = (espl__to_store){ .name = p->name, .rank = p->spec.shape.rank, .values = net->parameters[i].value };
        memcpy(tensors[count].dim, p->spec.shape.dim, sizeof p->spec.shape.dim);
        count += i != dropped;
    }
    if (dropped == -2)
        tensors[count++] = (espl__to_store){ .name = "more", .values = net->parameters[0].value };
    if (dropped == -3)
        tensors[0].dim[0]--;
    assert_int_equal(espl__safetensors_write(ctx, PATH, tensors, count, notes.note, notes.count), ESPL_OK);
    assert_int_equal(espl_net_load(ctx, PATH, &loaded), ESPL_BAD_FILE);
    assert_null(loaded);
    if (!strstr(espl_message(ctx), reason) || strncmp(espl_message(ctx), PATH, strlen(PATH)) != 0)
        fail_msg("\"%s\" does not say \"%s\"", espl_message(ctx), reason);
    espl__net_notes_free(ctx, &notes);
}

static void refuses_what_does_not_fit(void **state)
{
    espl_net *net = made("lenet-300-100");
#define PREPARATION(height, mean, deviation, resize, order)                                                           \
    "{\"height\":" height ",\"width\":8,\"scale\":1,\"mean\":" mean ",\"deviation\":" deviation ",\"resize\":" resize \
    ",\"order\":" order "}"

    (void)state;
    refuses(net, 2, NULL, NULL, "the net's tensor \"fc2.weight\" is missing");
    refuses(net, -2, NULL, NULL, "no place for the tensor \"more\"");
    refuses(net, -3, NULL, NULL, "tensor \"fc1.weight\": has the shape 299x784, but the net needs 300x784");
    refuses(net, -1, ESPL__NOTE_GRAPH, "{", "the graph is not valid JSON");
    refuses(net, -1, ESPL__NOTE_GRAPH, "{}", "the graph: its version");
    refuses(net, -1, ESPL__NOTE_CLASSES, "[\"a\"]", "not a list of 3 names");
    refuses(net, -1, ESPL__NOTE_CLASSES, "{}", "not a list of 3 names");
    refuses(net, -1, ESPL__NOTE_CLASSES, "[\"a\", \"b\", 3]", "name 2 is not a text");
    refuses(net, -1, ESPL__NOTE_CLASSES, "[", "espalier.classes: is not valid JSON");
    refuses(net, -1, ESPL__NOTE_ORIGIN, "[]", "espalier.origin: is not a JSON object");
    refuses(net, -1, ESPL__NOTE_PREPARATION, "{}", "\"height\" is missing");
    refuses(net, -1, ESPL__NOTE_PREPARATION, PREPARATION("-1", "[1]", "[1]", "\"crop\"", "\"rgb\""), "\"height\"");
    refuses(net, -1, ESPL__NOTE_PREPARATION, PREPARATION("1", "1", "[1]", "\"crop\"", "\"rgb\""), "\"mean\"");
    refuses(net, -1, ESPL__NOTE_PREPARATION, PREPARATION("1", "[1,1,1,1,1]", "[1]", "\"crop\"", "\"rgb\""), "\"mean\"");
    refuses(net, -1, ESPL__NOTE_PREPARATION, PREPARATION("1", "[1]", "[0]", "\"crop\"", "\"rgb\""), "\"deviation\"");
    refuses(net, -1, ESPL__NOTE_PREPARATION, PREPARATION("1", "[1]", "[1, 1]", "\"crop\"", "\"rgb\""), "\"deviation\"");
    refuses(net, -1, ESPL__NOTE_PREPARATION, PREPARATION("1", "[1]", "[1]", "\"cro\"", "\"rgb\""), "\"resize\"");
    refuses(net, -1, ESPL__NOTE_PREPARATION, PREPARATION("1", "[1]", "[1]", "\"crop\"", "7"), "\"order\"");
    espl_net_free(net);
}

static void plain_tensors_need_a_net(void **state)
{
    espl_net *net = made("lenet-300-100"), *other;
    espl__to_store tensors[6];

    (void)state;
    for (int i = 0; i < 6; i++) {
        const espl__graph_parameter *p = &net->graph->parameters[i];
        tensors[i] = (espl__to_store){ .name = p->name, .rank = p->spec.shape.rank, .values = net->parameters[i].value };
        memcpy(tensors[i].dim, p->spec.shape.dim, sizeof p->spec.shape.dim);
    }
    assert_int_equal(espl__safetensors_write(ctx, PATH, tensors, 6, NULL, 0), ESPL_OK);
    assert_int_equal(espl_net_load(ctx, PATH, &other), ESPL_BAD_FILE);
    assert_non_null(strstr(espl_message(ctx), "holds tensors but no net; say with --net which net they belong to"));
    assert_int_equal(espl_net_open(ctx, "lenet-300-100", "classes: 3", &other), ESPL_OK);
    espl__net_fill(other, 99);
    assert_true(espl_net_hash(net) != espl_net_hash(other));
    assert_int_equal(espl_net_load_parameters(other, PATH), ESPL_OK);
    assert_true(espl_net_hash(net) == espl_net_hash(other));
    espl_net_free(other);
    assert_int_equal(espl_net_open(ctx, "lenet-5", NULL, &other), ESPL_OK);
    assert_int_equal(espl_net_load_parameters(other, PATH), ESPL_BAD_FILE);
    espl_net_free(other);
    espl_net_free(net);
}

static void refuses_endings_it_does_not_know(void **state)
{
    espl_net *net = made("lenet-300-100"), *loaded;

    (void)state;
    assert_int_equal(espl_net_save(net, "net.txt"), ESPL_BAD_OPTION);
    assert_string_equal(espl_message(ctx), "net.txt: net files end in one of: .safetensors .pth .pt .th .h5 .hdf5 .keras .onnx");
    assert_int_equal(espl_net_save(net, ".safetensors"), ESPL_BAD_OPTION);
    assert_int_equal(espl_net_load(ctx, "net.txt", &loaded), ESPL_BAD_OPTION);
    assert_int_equal(espl_net_save(net, "no/such/folder/net.safetensors"), ESPL_WRITE_FAILED);
    espl_net_free(net);
}

static void the_old_file_survives_a_failure(void **state)
{
    espl_net *net = made("lenet-300-100"), *loaded;

    (void)state;
    assert_int_equal(espl_net_save(net, PATH), ESPL_OK);
    net->origin[0] = (char)0xff; /* cannot be written */
    assert_int_equal(espl_net_save(net, PATH), ESPL_BAD_STATE);
    assert_int_equal(espl_net_load(ctx, PATH, &loaded), ESPL_OK);
    assert_true(espl_net_hash(net) == espl_net_hash(loaded));
    espl_net_free(loaded);
    espl_net_free(net);
}

/* Folder names may be Latin-1; the net must be kept all the same. */
static void names_that_are_no_utf8_are_no_reason_to_lose_a_net(void **state)
{
    const char *const classes[] = { "rose", "k\xf6nig", "\xc3\xa4" };
    espl_net *net = made("lenet-300-100"), *loaded;

    (void)state;
    net->name[0] = (char)0xff;
    assert_int_equal(espl__net_set_classes(net, classes, 3), ESPL_OK);
    assert_int_equal(espl_net_save(net, PATH), ESPL_OK);
    assert_int_equal(espl_net_load(ctx, PATH, &loaded), ESPL_OK);
    assert_string_equal(espl_net_name(loaded), "?enet-300-100");
    assert_string_equal(espl_net_class_name(loaded, 1), "k?nig");
    assert_string_equal(espl_net_class_name(loaded, 2), "\xc3\xa4");
    espl_net_free(loaded);
    espl_net_free(net);
}

static void formats_are_listed(void **state)
{
    (void)state;
    assert_string_equal(espl__format_at(0)->name, "safetensors");
    assert_null(espl__format_at(-1));
    int count = 0;
    while (espl__format_at(count))
        assert_non_null(espl__format_at(count++)->summary);
}

static espl_status load_and_save(espl_context *context, void *path)
{
    espl_net *net;
    espl_status s = espl_net_load(context, path, &net);

    if (!s)
        s = espl_net_save(net, PATH ".again.safetensors");
    espl_net_free(net);
    return s;
}

static void survives_failing_allocations(void **state)
{
    espl_net *net = made("lenet-300-100");

    (void)state;
    assert_int_equal(espl_net_save(net, PATH), ESPL_OK);
    espl_net_free(net);
    assert_true(failing_every(load_and_save, (void *)PATH, NULL) > 50);
    remove(PATH ".again.safetensors");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(every_resize_rule_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_net_gives_the_same_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_known_stays_unknown, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_what_does_not_fit, setup, teardown),
        cmocka_unit_test_setup_teardown(plain_tensors_need_a_net, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_endings_it_does_not_know, setup, teardown),
        cmocka_unit_test_setup_teardown(the_old_file_survives_a_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(names_that_are_no_utf8_are_no_reason_to_lose_a_net, setup, teardown),
        cmocka_unit_test_setup_teardown(formats_are_listed, setup, teardown),
        cmocka_unit_test_setup_teardown(survives_failing_allocations, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
