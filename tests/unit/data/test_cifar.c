/* CIFAR binaries: records, class names, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "failing.h"
#include "fixture.h"

#define PIXELS 3072

/* Records of `label_bytes` labels; pixel p of record i is (i + p / 1024 * 50 + p) % 256. */
static void write_records(fixture *f, const char *name, int count, int label_bytes, int first)
{
    const size_t record = (size_t)label_bytes + PIXELS;
    uint8_t *data = calloc((size_t)count, record);

    for (int i = 0; i < count; i++) {
        uint8_t *at = data + (size_t)i * record;
        at[0] = (uint8_t)((first + i) % 10);
        if (label_bytes == 2)
            at[1] = (uint8_t)((first + i) % 100);
        for (int p = 0; p < PIXELS; p++)
            at[label_bytes + p] = (uint8_t)(first + i + p / 1024 * 50 + p);
    }
    fixture_write(f, name, data, (size_t)count * record);
    free(data);
}

static void reads_ten_classes(void **state)
{
    fixture *f = *state;
    int64_t shape[3];

    write_records(f, "data_batch_1.bin", 15, 1, 0);
    write_records(f, "data_batch_2.bin", 10, 1, 15);
    write_records(f, "test_batch.bin", 5, 1, 100);
    fixture_write(f, "batches.meta.txt",
                  "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n", 61);
    espl_data *data = fixture_opens(f, "", NULL);
    espl_data_shape(data, shape);
    assert_int_equal(shape[0] * 10000 + shape[1] * 100 + shape[2], 33232);
    assert_int_equal(espl_data_count(data, ESPL_TRAIN), 25);
    assert_int_equal(espl_data_count(data, ESPL_HELD_OUT), 5);
    assert_int_equal(espl_data_classes(data), 10);
    assert_string_equal(espl_data_class_name(data, 9), "truck");
    for (int64_t i = 0; i < 25; i++) {
        float *values = fixture_sample(f, data, ESPL_TRAIN, i);
        assert_int_equal(espl__data_label(data, ESPL_TRAIN, i), i % 10);
        for (int p = 0; p < PIXELS; p++)
            assert_true(values[p] == (float)((i + p / 1024 * 50 + p) % 256));
        free(values);
    }
    assert_int_equal(espl__data_label(data, ESPL_HELD_OUT, 3), 3);
    espl_data_free(data);
}

static void reads_hundred_classes(void **state)
{
    fixture *f = *state;

    write_records(f, "train.bin", 20, 2, 35);
    write_records(f, "test.bin", 10, 2, 90);
    espl_data *data = fixture_opens(f, "", NULL);
    assert_int_equal(espl_data_classes(data), 100);
    assert_int_equal(espl__data_label(data, ESPL_TRAIN, 4), 39); /* the fine one */
    assert_int_equal(espl__data_label(data, ESPL_HELD_OUT, 9), 99);
    float *values = fixture_sample(f, data, ESPL_TRAIN, 4);
    assert_true(values[0] == 39 && values[1024] == 39 + 50);
    free(values);
    espl_data_free(data);
}

static void brings_to_size_and_grey(void **state)
{
    fixture *f = *state;
    int64_t shape[3];

    write_records(f, "data_batch_1.bin", 10, 1, 0);
    espl_data *data = fixture_opens(f, "",
                                    &(espl_data_settings){
                                        .height = 16, .width = 12, .channels = 1 });
    espl_data_shape(data, shape);
    assert_int_equal(shape[0] * 10000 + shape[1] * 100 + shape[2], 11612);
    float *values = fixture_sample(f, data, ESPL_TRAIN, 0);
    for (int p = 0; p < 16 * 12; p++)
        assert_true(values[p] >= 0 && values[p] <= 255);
    free(values);
    espl_data_free(data);
    fixture_refuses(f, "", &(espl_data_settings){ .height = 16 }, ESPL_BAD_OPTION,
                    "give both sides");
    fixture_refuses(f, "", &(espl_data_settings){ .channels = 2 }, ESPL_BAD_OPTION,
                    "neither 1 (grey) nor 3");
    fixture_refuses(f, "", &(espl_data_settings){ .resize = "squash" }, ESPL_BAD_OPTION,
                    "\"squash\" is none of");
}

static void refuses_mistakes(void **state)
{
    fixture *f = *state;
    uint8_t *data = calloc(2, PIXELS + 1);

    fixture_write(f, "data_batch_1.bin", data, 2 * (PIXELS + 1) - 1);
    fixture_refuses(f, "", NULL, ESPL_BAD_FILE,
                    "data_batch_1.bin: has 6145 bytes; CIFAR-10 files have a multiple of 3073");
    fixture_write(f, "data_batch_1.bin", data, 0);
    fixture_refuses(f, "", NULL, ESPL_BAD_FILE, "has 0 bytes");
    data[PIXELS + 1] = 10;
    fixture_write(f, "data_batch_1.bin", data, 2 * (PIXELS + 1));
    fixture_refuses(f, "", NULL, ESPL_BAD_FILE,
                    "record 1 (byte 3073): label 10 is not within 0..9");
    data[PIXELS + 1] = 0;
    fixture_write(f, "data_batch_1.bin", data, 2 * (PIXELS + 1));
    fixture_refuses(f, "", NULL, ESPL_BAD_FILE, "all 2 samples have the same class (0)");
    unlink(fixture_path(f, "data_batch_1.bin"));
    write_records(f, "test_batch.bin", 3, 1, 0);
    fixture_refuses(f, "", NULL, ESPL_NO_FILE, "data_batch_1.bin");
    free(data);
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

    write_records(f, "data_batch_1.bin", 12, 1, 0);
    write_records(f, "data_batch_2.bin", 12, 1, 3);
    write_records(f, "test_batch.bin", 3, 1, 0);
    assert_true(failing_every(open_and_free, f->folder, NULL) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(reads_ten_classes),
        FIXTURE_TEST(reads_hundred_classes),
        FIXTURE_TEST(brings_to_size_and_grey),
        FIXTURE_TEST(refuses_mistakes),
        FIXTURE_TEST(survives_failing_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
