/* Arrays as NumPy saved them (tests/golden/numpy_arrays.py), and headers that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "failing.h"
#include "fixture.h"

#define ARRAYS ESPL__SOURCE_DIR "/tests/golden/arrays/"

static espl_data *open_golden(fixture *f, const char *name, const espl_data_settings *settings)
{
    char path[512];
    espl_data *data = NULL;

    snprintf(path, sizeof path, ARRAYS "%s", name);
    const espl_status status = espl_data_open(f->ctx, path, settings, &data);
    if (status)
        fail_msg("%s", espl_message(f->ctx));
    return data;
}

static void refuse_golden(fixture *f, const char *name, const char *words)
{
    char path[512];
    espl_data *data = NULL;

    snprintf(path, sizeof path, ARRAYS "%s", name);
    const espl_status status = espl_data_open(f->ctx, path, NULL, &data);
    if (status == ESPL_OK || !strstr(espl_message(f->ctx), words))
        fail_msg("expected \"%s\", got %s: %s", words, espl_status_name(status),
                 espl_message(f->ctx));
}

static size_t load(const char *name, char *data, size_t most)
{
    char path[512];

    snprintf(path, sizeof path, ARRAYS "%s", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t bytes = fread(data, 1, most, file);
    fclose(file);
    return bytes;
}

static void check_shape(const espl_data *data, int64_t channels, int64_t height, int64_t width)
{
    int64_t shape[3];

    espl_data_shape(data, shape);
    assert_int_equal(shape[0], channels);
    assert_int_equal(shape[1], height);
    assert_int_equal(shape[2], width);
}

/* One of six samples is held out; which one, the seed decides. Values tell which sample it is. */
static void reads_every_type(void **state)
{
    fixture *f = *state;
    static const char *const types[] = { "u1", "u2", "u4", "u8", "i1", "i2",
                                         "i4", "i8", "f2", "f4", "f8", "version2" };

    for (int t = 0; t < ESPL__COUNT(types); t++) {
        char name[32];
        const int less = types[t][0] == 'u' ? 0 : 20;
        int seen = 0;
        snprintf(name, sizeof name, "x_%s.npy", types[t]);
        espl_data *data = open_golden(f, name, NULL);
        check_shape(data, 5, 1, 1);
        assert_false(espl__data_pictures(data));
        assert_int_equal(espl_data_classes(data), 3);
        for (int part = 0; part < 2; part++)
            for (int64_t i = 0; i < espl_data_count(data, (espl_part)part); i++) {
                char sample[256];
                espl__data_sample_name(data, (espl_part)part, i, sample);
                const int index = atoi(strchr(sample, '[') + 1);
                float *values = fixture_sample(f, data, (espl_part)part, i);
                for (int p = 0; p < 5; p++)
                    assert_true(values[p] == (float)((index * 5 + p) * 7 % 100 - less));
                assert_int_equal(espl__data_label(data, (espl_part)part, i), index % 3);
                seen |= 1 << index;
                free(values);
            }
        assert_int_equal(seen, 63);
        espl_data_free(data);
    }
}

/* Value (c, y, x) of sample i in the order that the file has. */
static void shapes_have_their_rule(void **state)
{
    fixture *f = *state;
    static const char *const names[] = { "x_planes.npy", "x_last.npy", "x_grey.npy" };

    for (int n = 0; n < 3; n++) {
        espl_data *data = open_golden(f, names[n], NULL);
        const int channels = n == 2 ? 1 : 3;
        char sample[256];
        check_shape(data, channels, 4, 5);
        assert_true(espl__data_pictures(data));
        espl__data_sample_name(data, ESPL_TRAIN, 1, sample);
        const int index = atoi(strchr(sample, '[') + 1);
        float *values = fixture_sample(f, data, ESPL_TRAIN, 1);
        for (int c = 0; c < channels; c++)
            for (int p = 0; p < 20; p++) {
                const int place = n == 1 ? (index * 20 + p) * 3 + c
                                         : (index * channels + c) * 20 + p;
                assert_true(values[c * 20 + p] == (float)(place * 7 % 100));
            }
        free(values);
        espl_data_free(data);
    }
}

static void pictures_are_brought_to_size(void **state)
{
    fixture *f = *state;
    const espl_data_settings settings = {
        .height = 2, .width = 2, .channels = 1, .resize = "stretch"
    };
    espl_data *planes = open_golden(f, "x_planes.npy", &settings),
              *last = open_golden(f, "x_last.npy", &settings);

    check_shape(planes, 1, 2, 2);
    check_shape(last, 1, 2, 2);
    float *values = fixture_sample(f, last, ESPL_TRAIN, 0);
    for (int i = 0; i < 4; i++)
        assert_true(values[i] >= 0 && values[i] < 100);
    free(values);
    espl_data_free(planes);
    espl_data_free(last);
}

static void archives_hold_both_parts(void **state)
{
    fixture *f = *state;
    espl_data *data = open_golden(f, "packed.npz", NULL);

    assert_int_equal(espl_data_count(data, ESPL_TRAIN), 6);
    assert_int_equal(espl_data_count(data, ESPL_HELD_OUT), 3);
    check_shape(data, 1, 4, 5);
    for (int64_t i = 0; i < 3; i++) {
        float *values = fixture_sample(f, data, ESPL_HELD_OUT, i);
        assert_int_equal(espl__data_label(data, ESPL_HELD_OUT, i), i);
        for (int p = 0; p < 20; p++)
            assert_true(values[p] == (float)((i * 20 + p) * 7 % 100));
        free(values);
    }
    espl_data_free(data);
    data = open_golden(f, "stored.npz", NULL);
    assert_int_equal(espl_data_count(data, ESPL_TRAIN), 5);
    assert_int_equal(espl_data_count(data, ESPL_HELD_OUT), 1);
    espl_data_free(data);
}

static void folders_hold_pairs(void **state)
{
    fixture *f = *state;
    char data[4096];

    fixture_folder(f, "set");
    fixture_write(f, "set/X_train.npy", data, load("x_f4.npy", data, sizeof data));
    fixture_write(f, "set/y_train.npy", data, load("y_f4.npy", data, sizeof data));
    espl_data *opened = fixture_opens(f, "set", NULL);
    assert_int_equal(espl_data_count(opened, ESPL_TRAIN), 5);
    espl_data_free(opened);
    fixture_write(f, "set/X_test.npy", data, load("x_f4.npy", data, sizeof data));
    fixture_write(f, "set/y_test.npy", data, load("y_f4.npy", data, sizeof data));
    fixture_write(f, "set/classes.txt", "low\nmiddle\nhigh\n", 16);
    opened = fixture_opens(f, "set", NULL);
    assert_int_equal(espl_data_count(opened, ESPL_TRAIN), 6);
    assert_int_equal(espl_data_count(opened, ESPL_HELD_OUT), 6);
    assert_string_equal(espl_data_class_name(opened, 2), "high");
    espl_data_free(opened);
    unlink(fixture_path(f, "set/y_train.npy"));
    fixture_refuses(f, "set/X_train.npy", NULL, ESPL_NO_FILE, "its labels are missing");
}

static void refuses_what_it_cannot_read(void **state)
{
    fixture *f = *state;

    refuse_golden(f, "x_big.npy", "big endian order; save a.astype(\"<f4\")");
    refuse_golden(f, "x_fortran.npy", "Fortran's order; save numpy.ascontiguousarray(a)");
    refuse_golden(f, "x_complex.npy", "have the type \"<c8\"");
    refuse_golden(f, "x_records.npy", "it holds records");
    fixture_refuses(f, "", &(espl_data_settings){ .source = "npy" }, ESPL_BAD_FILE,
                    "has no pair of arrays");
}

/* A header made by hand and what is said about it. */
static void refuse_header(fixture *f, const char *header, size_t numbers, const char *words)
{
    char data[4096] = "\x93NUMPY\1\0";
    const size_t length = strlen(header);

    data[8] = (char)(length & 255);
    data[9] = (char)(length >> 8);
    memcpy(data + 10, header, length);
    fixture_write(f, "y.npy", data, 10 + length + numbers);
    fixture_write(f, "X.npy", data, 10 + length + numbers);
    espl_data *opened = NULL;
    const espl_status status = espl_data_open(f->ctx, f->path, NULL, &opened);
    if ((status != ESPL_BAD_FILE && status != ESPL_BAD_SHAPE) ||
        !strstr(espl_message(f->ctx), words))
        fail_msg("%s: expected \"%s\", got %s: %s", header, words, espl_status_name(status),
                 espl_message(f->ctx));
}

static void refuses_lies(void **state)
{
    fixture *f = *state;

    refuse_header(f, "{'descr': '<f4', 'fortran_order': False, 'shape': (100000000, 1000), }", 16,
                  "promises");
    refuse_header(f, "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
                  16, "cannot be understood");
    refuse_header(f,
                  "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 1000000000), }",
                  16, "more values than can be");
    refuse_header(f, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 23,
                  "promises 24 bytes");
    refuse_header(f, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 25,
                  "goes on after");
    refuse_header(f, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }", 0, "0 numbers");
    refuse_header(f, "{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 4, "0 dimensions");
    refuse_header(f, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1), }", 4,
                  "5 dimensions");
    refuse_header(f, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }", 4,
                  "cannot be understood");
    refuse_header(f, "{'descr': '<f4', 'fortran_order': False, }", 4, "cannot be understood");
    refuse_header(f, "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 4,
                  "cannot be understood");
    refuse_header(f, "{'descr': '<f4' 'fortran_order': False, 'shape': (1,), }", 4,
                  "cannot be understood");
    refuse_header(f, "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,), }", 4,
                  "cannot be understood");
    refuse_header(f, "{'descr': '', 'fortran_order': False, 'shape': (1,), }", 4,
                  "have the type \"\"");
    refuse_header(f, "{'descr': '<f3', 'fortran_order': False, 'shape': (1,), }", 4,
                  "have the type \"<f3\"");
    refuse_header(f, "{'descr': '<f", 0, "cannot be understood");
    refuse_header(f, "", 0, "cannot be understood");
    assert_true(espl__bytes_peak(f->ctx) < 1 << 20);
}

static void refuses_damaged_archives(void **state)
{
    fixture *f = *state;
    char data[8192];
    const size_t bytes = load("packed.npz", data, sizeof data);

    for (size_t at = 0; at < bytes; at += 7) {
        espl_data *opened = NULL;
        char kept = data[at];
        data[at] = (char)(data[at] ^ 0x21);
        fixture_write(f, "damaged.npz", data, bytes);
        data[at] = kept;
        const espl_status status = espl_data_open(f->ctx, f->path, NULL, &opened);
        assert_true(status == ESPL_OK || strlen(espl_message(f->ctx)) > 10);
        espl_data_free(opened);
        fixture_write(f, "cut.npz", data, at);
        assert_int_not_equal(espl_data_open(f->ctx, f->path, NULL, &opened), ESPL_OK);
        assert_null(opened);
    }
}

static void write_pair(fixture *f, const char *type, const void *x, size_t x_bytes,
                       const char *shape, const double *y, int count)
{
    char data[1024] = "\x93NUMPY\1\0";
    int length = snprintf(data + 10, 512, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }",
                          type, shape);

    data[8] = (char)length;
    memcpy(data + 10 + length, x, x_bytes);
    fixture_write(f, "X.npy", data, 10 + (size_t)length + x_bytes);
    length = snprintf(data + 10, 512, "{'descr': '<f8', 'fortran_order': False, 'shape': (%d,), }",
                      count);
    data[8] = (char)length;
    memcpy(data + 10 + length, y, (size_t)count * sizeof *y);
    fixture_write(f, "y.npy", data, 10 + (size_t)length + (size_t)count * sizeof *y);
}

static void refuses_wrong_labels_and_numbers(void **state)
{
    fixture *f = *state;
    const float x[] = { 1, 2, 3, 4, 5, 6 }, missing[] = { 1, 2, 3, 4, __builtin_nanf(""), 6 };

    write_pair(f, "<f4", x, sizeof x, "(3, 2)", (double[]){ 0, 1, 2 }, 3);
    espl_data *data = fixture_opens(f, "X.npy", NULL);
    espl_data_free(data);
    write_pair(f, "<f4", x, sizeof x, "(3, 2)", (double[]){ 0, 1 }, 2);
    fixture_refuses(f, "X.npy", NULL, ESPL_BAD_FILE, "has 2 labels, but there are 3 samples");
    write_pair(f, "<f4", x, sizeof x, "(3, 2)", (double[]){ 0, 0.5, 1 }, 3);
    fixture_refuses(f, "X.npy", NULL, ESPL_BAD_FILE, "label 1 is 0.5");
    write_pair(f, "<f4", x, sizeof x, "(3, 2)", (double[]){ 0, 1, -1 }, 3);
    fixture_refuses(f, "X.npy", NULL, ESPL_BAD_FILE, "label 2 is -1");
    write_pair(f, "<f4", x, sizeof x, "(3, 2)", (double[]){ 0, 1, 1e9 }, 3);
    fixture_refuses(f, "X.npy", NULL, ESPL_BAD_FILE, "label 2 is 1e+09");
    write_pair(f, "<f4", missing, sizeof missing, "(3, 2)", (double[]){ 0, 1, 2 }, 3);
    fixture_refuses(f, "X.npy", NULL, ESPL_BAD_FILE, "number 4 is nan");
    write_pair(f, "<f4", x, sizeof x, "(3, 2)", (double[]){ 0, 1, 2 }, 3);
    fixture_refuses(f, "X.npy", &(espl_data_settings){ .height = 8, .width = 8 }, ESPL_BAD_OPTION,
                    "rows of 2 numbers");
}

/* Halves: zero, the smallest, one, a third, the largest; infinity is refused. */
static void halves_are_exact(void **state)
{
    fixture *f = *state;
    const uint16_t bits[] = { 0x8000, 0x0001, 0x3c00, 0x3555, 0x7bff, 0xc000 },
                   infinite[] = { 0x7c00, 0 };
    const double expected[] = { 0, 0x1p-24, 1, 0.333251953125, 65504, -2 };

    write_pair(f, "<f2", bits, sizeof bits, "(2, 3)", (double[]){ 0, 1 }, 2);
    espl_data *data = fixture_opens(f, "X.npy", &(espl_data_settings){ .held_out = 0.1 });
    for (int part = 0; part < 2; part++)
        for (int64_t i = 0; i < espl_data_count(data, (espl_part)part); i++) {
            float *values = fixture_sample(f, data, (espl_part)part, i);
            const int64_t label = espl__data_label(data, (espl_part)part, i);
            for (int p = 0; p < 3; p++)
                assert_true(values[p] == (float)expected[label * 3 + p]);
            free(values);
        }
    espl_data_free(data);
    write_pair(f, "<f2", infinite, sizeof infinite, "(2, 1)", (double[]){ 0, 1 }, 2);
    fixture_refuses(f, "X.npy", NULL, ESPL_BAD_FILE, "number 0 is inf");
}

static espl_status open_and_free(espl_context *ctx, void *argument)
{
    espl_data *data = NULL;
    const espl_status status = espl_data_open(ctx, argument, NULL, &data);

    espl_data_free(data);
    return status;
}

static void survives_failing_allocations(void **state)
{
    char archive[] = ARRAYS "packed.npz", numbers[] = ARRAYS "x_f8.npy";

    (void)state;
    assert_true(failing_every(open_and_free, archive, NULL) > 20);
    assert_true(failing_every(open_and_free, numbers, NULL) > 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(reads_every_type),
        FIXTURE_TEST(shapes_have_their_rule),
        FIXTURE_TEST(pictures_are_brought_to_size),
        FIXTURE_TEST(archives_hold_both_parts),
        FIXTURE_TEST(folders_hold_pairs),
        FIXTURE_TEST(refuses_what_it_cannot_read),
        FIXTURE_TEST(refuses_lies),
        FIXTURE_TEST(refuses_damaged_archives),
        FIXTURE_TEST(refuses_wrong_labels_and_numbers),
        FIXTURE_TEST(halves_are_exact),
        FIXTURE_TEST(survives_failing_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
