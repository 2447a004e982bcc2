/* IDX files: what is read, from plain and packed files, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "failing.h"
#include "fixture.h"

static int pixel(int64_t i)
{
    return (int)(i * 7 % 256);
}

static int third(int64_t i)
{
    return (int)(i % 3);
}

static int always_two(int64_t i)
{
    (void)i;
    return 2;
}

static int tenth(int64_t i)
{
    return (int)(i % 10);
}

static void write_pair(fixture *f, const char *prefix, int64_t count, int (*label)(int64_t),
                       bool packed)
{
    uint8_t data[4096];
    char name[64];
    void (*write)(fixture *, const char *, const void *, size_t) = packed ? fixture_write_gz
                                                                          : fixture_write;

    size_t bytes = fixture_idx(data, (int64_t[]){ count, 4, 5, 0 }, pixel);
    snprintf(name, sizeof name, "%s-images-idx3-ubyte%s", prefix, packed ? ".gz" : "");
    write(f, name, data, bytes);
    bytes = fixture_idx(data, (int64_t[]){ count, 0 }, label);
    snprintf(name, sizeof name, "%s-labels-idx1-ubyte%s", prefix, packed ? ".gz" : "");
    write(f, name, data, bytes);
}

static void check_content(fixture *f, espl_data *data)
{
    int64_t shape[3];
    char name[256];

    espl_data_shape(data, shape);
    assert_int_equal(shape[0], 1);
    assert_int_equal(shape[1], 4);
    assert_int_equal(shape[2], 5);
    assert_int_equal(espl_data_count(data, ESPL_TRAIN), 12);
    assert_int_equal(espl_data_count(data, ESPL_HELD_OUT), 6);
    assert_int_equal(espl_data_classes(data), 3);
    assert_string_equal(espl_data_class_name(data, 2), "2");
    assert_true(espl__data_pictures(data));
    assert_string_equal(espl__data_source_name(data), "idx");
    espl__data_sample_name(data, ESPL_HELD_OUT, 5, name);
    assert_non_null(strstr(name, "t10k-images-idx3-ubyte"));
    assert_non_null(strstr(name, "[5]"));
    for (int64_t i = 0; i < 12; i++) {
        float *values = fixture_sample(f, data, ESPL_TRAIN, i);
        assert_int_equal(espl__data_label(data, ESPL_TRAIN, i), i % 3);
        for (int64_t p = 0; p < 20; p++)
            assert_true(values[p] == (float)pixel(i * 20 + p));
        free(values);
    }
}

static void reads_plain_and_packed(void **state)
{
    fixture *f = *state;

    for (int packed = 0; packed < 2; packed++) {
        const char *folder = packed ? "packed" : "plain";
        char inner[64];
        fixture_folder(f, folder);
        snprintf(inner, sizeof inner, "%s/train", folder);
        write_pair(f, inner, 12, third, packed);
        snprintf(inner, sizeof inner, "%s/t10k", folder);
        write_pair(f, inner, 6, third, packed);
        espl_data *data = fixture_opens(f, folder, NULL);
        check_content(f, data);
        espl_data_free(data);
    }
}

static void one_file_is_split(void **state)
{
    fixture *f = *state;

    write_pair(f, "train", 12, third, false);
    write_pair(f, "t10k", 6, third, false);
    espl_data *data = fixture_opens(f, "train-images-idx3-ubyte",
                                    &(espl_data_settings){ .held_out = 0.25 });
    assert_int_equal(espl_data_count(data, ESPL_TRAIN), 9);
    assert_int_equal(espl_data_count(data, ESPL_HELD_OUT), 3);
    espl_data_free(data);
    char test[512];
    snprintf(test, sizeof test, "%s/t10k-images-idx3-ubyte", f->folder);
    data = fixture_opens(f, "train-images-idx3-ubyte", &(espl_data_settings){ .test = test });
    assert_int_equal(espl_data_count(data, ESPL_TRAIN), 12);
    assert_int_equal(espl_data_count(data, ESPL_HELD_OUT), 6);
    espl_data_free(data);
}

static void class_names_beside(void **state)
{
    fixture *f = *state;

    write_pair(f, "train", 12, third, false);
    fixture_write(f, "classes.txt", "shirt\r\nankle boot \n\nbag\n", 24);
    espl_data *data = fixture_opens(f, "", NULL);
    assert_string_equal(espl_data_class_name(data, 1), "ankle boot");
    assert_string_equal(espl_data_class_name(data, 2), "bag");
    espl_data_free(data);
    fixture_write(f, "classes.txt", "shirt\n", 6);
    fixture_refuses(f, "", NULL, ESPL_BAD_FILE, "names 1 classes, the labels have 3");
}

static void refuses_lies(void **state)
{
    fixture *f = *state;
    uint8_t data[256];
    size_t bytes;

    write_pair(f, "train", 12, third, false);
    /* terabytes promised: refused before memory is asked for */
    const int64_t most = espl__allocation_count(f->ctx);
    bytes = fixture_idx(data, (int64_t[]){ 1, 1, 1, 0 }, pixel);
    memset(data + 4, 0x7f, 12);
    fixture_write(f, "train-images-idx3-ubyte", data, bytes);
    fixture_refuses(f, "", NULL, ESPL_BAD_FILE, "promises");
    fixture_write_gz(f, "train-images-idx3-ubyte", data, bytes);
    fixture_refuses(f, "", NULL, ESPL_BAD_FILE, "promises");
    assert_true(espl__bytes_peak(f->ctx) < 1 << 20);
    assert_true(espl__allocation_count(f->ctx) > most);
    /* a little more than there is */
    bytes = fixture_idx(data, (int64_t[]){ 12, 1, 2, 0 }, pixel);
    fixture_write(f, "train-images-idx3-ubyte", data, bytes - 1);
    fixture_refuses(f, "", NULL, ESPL_BAD_FILE, "promises 24 bytes");
    fixture_write_gz(f, "train-images-idx3-ubyte", data, bytes - 1);
    fixture_refuses(f, "", NULL, ESPL_BAD_FILE, "the file has only");
    fixture_write(f, "train-images-idx3-ubyte", data, bytes + 1);
    fixture_refuses(f, "", NULL, ESPL_BAD_FILE, "goes on after");
    for (size_t end = 0; end < 16; end++) {
        fixture_write(f, "train-images-idx3-ubyte", data, end);
        fixture_refuses(f, "", NULL, ESPL_BAD_FILE, "train-images-idx3-ubyte: ");
    }
}

static void refuses_damaged_gzip(void **state)
{
    fixture *f = *state;
    char whole[4096];

    write_pair(f, "train", 12, third, true);
    FILE *file = fopen(fixture_path(f, "train-images-idx3-ubyte.gz"), "rb");
    const size_t bytes = fread(whole, 1, sizeof whole, file);
    fclose(file);
    for (size_t end = 1; end < bytes; end++) {
        fixture_write(f, "train-images-idx3-ubyte.gz", whole, end);
        fixture_refuses(f, "", NULL, ESPL_BAD_FILE, "train-images-idx3-ubyte.gz");
    }
    whole[bytes / 2] ^= 0x10;
    fixture_write(f, "train-images-idx3-ubyte.gz", whole, bytes);
    fixture_refuses(f, "", NULL, ESPL_BAD_FILE, "damaged");
}

static void refuses_other_mistakes(void **state)
{
    fixture *f = *state;
    uint8_t data[4096];
    size_t bytes;

    fixture_refuses(f, "nowhere", NULL, ESPL_NO_FILE, "nowhere: there is no such file or folder");
    fixture_folder(f, "empty");
    fixture_refuses(f, "empty", NULL, ESPL_BAD_FILE, "is not a kind of data that is known");
    fixture_refuses(f, "empty", &(espl_data_settings){ .source = "idxx" }, ESPL_BAD_OPTION,
                    "nearest is \"idx\"");
    fixture_refuses(f, "empty", &(espl_data_settings){ .source = "idx" }, ESPL_NO_FILE,
                    "train-images-idx3-ubyte");
    write_pair(f, "train", 12, third, false);
    bytes = fixture_idx(data, (int64_t[]){ 11, 0 }, third);
    fixture_write(f, "train-labels-idx1-ubyte", data, bytes);
    fixture_refuses(f, "", NULL, ESPL_BAD_FILE, "has 11 labels, but");
    write_pair(f, "train", 12, always_two, false);
    fixture_refuses(f, "", NULL, ESPL_BAD_FILE, "all 12 samples have the same class (2)");
    write_pair(f, "train", 12, third, false);
    write_pair(f, "t10k", 12, tenth, false);
    fixture_refuses(f, "", NULL, ESPL_BAD_FILE,
                    "the test data has the label 3; the training data has only 0..2");
    unlink(fixture_path(f, "train-labels-idx1-ubyte"));
    fixture_refuses(f, "", NULL, ESPL_NO_FILE, "its labels are missing");
    data[2] = 0x0d;
    fixture_write(f, "train-images-idx3-ubyte", data, 64);
    fixture_write(f, "train-labels-idx1-ubyte", data, 64);
    fixture_refuses(f, "", NULL, ESPL_BAD_FILE, "have the type 0x0d");
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
    fixture *f = *state;

    write_pair(f, "train", 12, third, true);
    write_pair(f, "t10k", 6, third, false);
    assert_true(failing_every(open_and_free, f->folder, NULL) > 20);
}

static void reads_mnist(void **state)
{
    fixture *f = *state;
    char path[512];
    espl_data *data = NULL;
    int64_t of_class[10] = { 0 };

    if (!fixture_shared("mnist", path))
        skip();
    assert_int_equal(espl_data_open(f->ctx, path, NULL, &data), ESPL_OK);
    assert_int_equal(espl_data_count(data, ESPL_TRAIN), 60000);
    assert_int_equal(espl_data_count(data, ESPL_HELD_OUT), 10000);
    assert_int_equal(espl_data_classes(data), 10);
    for (int64_t i = 0; i < 60000; i++)
        of_class[espl__data_label(data, ESPL_TRAIN, i)]++;
    assert_int_equal(of_class[0], 5923); /* the published histogram */
    assert_int_equal(of_class[1], 6742);
    assert_int_equal(of_class[5], 5421);
    espl_data_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(reads_plain_and_packed),
        FIXTURE_TEST(one_file_is_split),
        FIXTURE_TEST(class_names_beside),
        FIXTURE_TEST(refuses_lies),
        FIXTURE_TEST(refuses_damaged_gzip),
        FIXTURE_TEST(refuses_other_mistakes),
        FIXTURE_TEST(survives_failing_allocations),
        FIXTURE_TEST(reads_mnist),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
