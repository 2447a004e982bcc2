/* label: threads. The loader: the same batches for any number of threads, whole epochs, resuming,
 * errors that reach the caller, ending at any moment, and no allocation once it is warm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "failing.h"
#include "fixture.h"

#include <math.h>

#define COUNT 203

static int label_of(int64_t i)
{
    return (int)(i % 7);
}

static int value_of(int64_t i)
{
    return (int)(i / 16 % 256);
}

static void write_data(fixture *f)
{
    static uint8_t data[8192];

    fixture_write(f, "train-images-idx3-ubyte", data,
                  fixture_idx(data, (int64_t[]){ COUNT, 4, 4, 0 }, value_of));
    fixture_write(f, "train-labels-idx1-ubyte", data,
                  fixture_idx(data, (int64_t[]){ COUNT, 0 }, label_of));
    fixture_write(f, "t10k-images-idx3-ubyte", data,
                  fixture_idx(data, (int64_t[]){ 14, 4, 4, 0 }, value_of));
    fixture_write(f, "t10k-labels-idx1-ubyte", data,
                  fixture_idx(data, (int64_t[]){ 14, 0 }, label_of));
}

/* Adds a draw to every value, so that draws can be seen in the batches. */
static void add_noise(const void *self, espl_sample *sample, espl_draw *draw)
{
    const float most = *(const float *)self;

    for (int64_t i = 0; i < sample->channels * sample->height * sample->width; i++)
        sample->values[i] += espl_draw_between(draw, 0, most);
}

static void swap_buffers(const void *self, espl_sample *sample, espl_draw *draw)
{
    float *values = sample->values;

    (void)self;
    (void)draw;
    memcpy(sample->spare, values,
           (size_t)(sample->channels * sample->height * sample->width) * sizeof(float));
    sample->values = sample->spare;
    sample->spare = values;
}

static void enlarge(const void *self, espl_sample *sample, espl_draw *draw)
{
    (void)self;
    (void)draw;
    sample->height++;
}

static const float noise = 0.5f;
static const espl_technique noisy = { .name = "augment-noise", .augment = add_noise };
static const espl_technique swapping = { .name = "augment-swap", .augment = swap_buffers };
static const espl_technique enlarging = { .name = "augment-enlarge", .augment = enlarge };

static espl__loader_settings some_settings(const espl__augmentation augmentations[3])
{
    return (espl__loader_settings){ .part = ESPL_TRAIN,
                                    .batch = 32,
                                    .shuffle = true,
                                    .seed = 11,
                                    .epochs = 3,
                                    .scale = 1.0 / 255,
                                    .mean = { 0.5, 0.5, 0.5, 0.5 },
                                    .deviation = { 0.25, 0.25, 0.25, 0.25 },
                                    .augmentations = augmentations,
                                    .augmentation_count = 3 };
}

/* Every batch, one number for each value; the caller frees. */
static float *drain(fixture *f, espl_data *data, const espl__loader_settings *settings,
                    int64_t *count)
{
    espl__loader *loader = NULL;
    const espl__batch *batch = NULL;
    float *all = malloc(sizeof *all * COUNT * 4 * 20);

    *count = 0;
    assert_int_equal(espl__loader_open(data, settings, &loader), ESPL_OK);
    while (!espl__loader_next(loader, &batch) && batch) {
        for (int64_t i = 0; i < batch->count; i++) {
            all[(*count)++] = (float)batch->epoch;
            all[(*count)++] = (float)batch->number;
            all[(*count)++] = (float)batch->index[i];
            all[(*count)++] = (float)batch->labels[i];
            memcpy(all + *count, batch->values + i * 16, 16 * sizeof *all);
            *count += 16;
        }
    }
    assert_null(batch);
    assert_true(espl__loader_waited(loader) >= 0);
    espl__loader_free(loader);
    (void)f;
    return all;
}

static void same_for_any_threads(void **state)
{
    fixture *f = *state;
    const espl__augmentation augmentations[] = { { &noisy, &noise },
                                                 { &swapping, NULL },
                                                 { &noisy, &noise } };
    espl__loader_settings settings = some_settings(augmentations);
    int64_t count = 0, expected_count = 0;

    write_data(f);
    espl_data *data = fixture_opens(f, "", NULL);
    float *expected = drain(f, data, &settings, &expected_count);
    assert_int_equal(expected_count, COUNT * 3 * 20);
    for (int threads = 2; threads <= 5; threads++)
        for (int ahead = 1; ahead <= 7; ahead += 3) {
            settings.threads = threads;
            settings.ahead = ahead;
            float *got = drain(f, data, &settings, &count);
            assert_int_equal(count, expected_count);
            assert_memory_equal(got, expected, (size_t)count * sizeof *got);
            free(got);
        }
    free(expected);
    espl_data_free(data);
}

static void an_epoch_is_every_sample_once(void **state)
{
    fixture *f = *state;
    const espl__augmentation augmentations[] = { { &noisy, &noise },
                                                 { &swapping, NULL },
                                                 { &noisy, &noise } };
    espl__loader_settings settings = some_settings(augmentations);
    int64_t count = 0, moved = 0;

    write_data(f);
    settings.augmentation_count = 0;
    espl_data *data = fixture_opens(f, "", NULL);
    float *all = drain(f, data, &settings, &count);
    for (int epoch = 0; epoch < 3; epoch++) {
        int seen[COUNT] = { 0 };
        for (int i = 0; i < COUNT; i++) {
            const float *row = all + (epoch * COUNT + i) * 20;
            const int index = (int)row[2];
            seen[index]++;
            moved += index != i;
            assert_int_equal((int)row[0], epoch);
            assert_int_equal((int)row[1], i / 32);
            assert_int_equal((int)row[3], index % 7);
            assert_true(fabsf(row[4] - (float)((index % 256 / 255.0 - 0.5) / 0.25)) < 1e-6f);
        }
        for (int i = 0; i < COUNT; i++)
            assert_int_equal(seen[i], 1);
    }
    assert_true(moved > 3 * COUNT * 9 / 10);
    for (int i = 0, same = 0; i < COUNT; i++) { /* another epoch, another order */
        same += (int)all[i * 20 + 2] == (int)all[(COUNT + i) * 20 + 2];
        assert_true(same < COUNT / 10);
    }
    free(all);
    settings.shuffle = false;
    settings.part = ESPL_HELD_OUT;
    settings.epochs = 1;
    settings.batch = 100; /* more than there are: one batch of all */
    all = drain(f, data, &settings, &count);
    assert_int_equal(count, 14 * 20);
    for (int i = 0; i < 14; i++)
        assert_int_equal((int)all[i * 20 + 2], i);
    free(all);
    espl_data_free(data);
}

static void resumes_anywhere(void **state)
{
    fixture *f = *state;
    const espl__augmentation augmentations[] = { { &noisy, &noise },
                                                 { &swapping, NULL },
                                                 { &noisy, &noise } };
    espl__loader_settings settings = some_settings(augmentations);
    int64_t all_count = 0, count = 0;

    write_data(f);
    espl_data *data = fixture_opens(f, "", NULL);
    float *all = drain(f, data, &settings, &all_count);
    settings.threads = 2;
    for (int64_t batch = 0; batch < 21; batch += 4) {
        settings.first_epoch = batch / 7;
        settings.first_batch = batch % 7;
        float *rest = drain(f, data, &settings, &count);
        assert_int_equal(count, all_count - (batch / 7 * COUNT + batch % 7 * 32) * 20);
        assert_memory_equal(rest, all + all_count - count, (size_t)count * sizeof *rest);
        free(rest);
    }
    free(all);
    espl_data_free(data);
}

static void a_draw_belongs_to_its_sample(void **state)
{
    fixture *f = *state;
    const espl__augmentation augmentations[] = { { &noisy, &noise },
                                                 { &swapping, NULL },
                                                 { &noisy, &noise } };
    espl__loader_settings settings = some_settings(augmentations);
    int64_t count = 0;

    write_data(f);
    espl_data *data = fixture_opens(f, "", NULL);
    float *shuffled = drain(f, data, &settings, &count);
    settings.shuffle = false;
    settings.batch = 50;
    float *in_order = drain(f, data, &settings, &count);
    for (int i = 0; i < 3 * COUNT; i++) { /* other order, other batches, same sample */
        const float *row = shuffled + i * 20;
        assert_memory_equal(row + 2, in_order + ((int)row[0] * COUNT + (int)row[2]) * 20 + 2,
                            18 * sizeof(float));
    }
    assert_memory_not_equal(in_order + 4, in_order + COUNT * 20 + 4,
                            16 * sizeof(float)); /* other epoch */
    settings.seed = 12;
    float *other = drain(f, data, &settings, &count);
    assert_memory_not_equal(in_order + 4, other + 4, 16 * sizeof(float));
    free(shuffled);
    free(in_order);
    free(other);
    espl_data_free(data);
}

static void errors_reach_the_caller(void **state)
{
    fixture *f = *state;
    const espl__augmentation augmentations[] = { { &noisy, &noise },
                                                 { &enlarging, NULL },
                                                 { &noisy, &noise } };
    espl__loader_settings settings = some_settings(augmentations);
    espl__loader *loader = NULL;
    const espl__batch *batch = NULL;

    write_data(f);
    espl_data *data = fixture_opens(f, "", NULL);
    settings.threads = 3;
    settings.shuffle = false;
    settings.augmentation_count = 2;
    assert_int_equal(espl__loader_open(data, &settings, &loader), ESPL_OK);
    assert_int_equal(espl__loader_next(loader, &batch), ESPL_BAD_SHAPE);
    assert_null(batch);
    assert_non_null(strstr(espl_message(f->ctx),
                           "train-images-idx3-ubyte[0]: is 1x5x4 after augmentation, 1x4x4"));
    espl__loader_free(loader);
    settings.batch = 0;
    assert_int_equal(espl__loader_open(data, &settings, &loader), ESPL_BAD_OPTION);
    assert_null(loader);
    settings.batch = 1;
    settings.deviation[0] = NAN;
    assert_int_equal(espl__loader_open(data, &settings, &loader), ESPL_BAD_OPTION);
    espl_data_free(data);
}

static void ends_at_any_moment(void **state)
{
    fixture *f = *state;
    const espl__augmentation augmentations[] = { { &noisy, &noise },
                                                 { &swapping, NULL },
                                                 { &noisy, &noise } };
    espl__loader_settings settings = some_settings(augmentations);

    write_data(f);
    espl_data *data = fixture_opens(f, "", NULL);
    for (int taken = 0; taken < 24; taken++) {
        espl__loader *loader = NULL;
        const espl__batch *batch = NULL;
        settings.threads = 1 + taken % 4;
        assert_int_equal(espl__loader_open(data, &settings, &loader), ESPL_OK);
        for (int i = 0; i < taken; i++)
            assert_int_equal(espl__loader_next(loader, &batch), ESPL_OK);
        espl__loader_free(loader);
    }
    espl__loader_free(NULL);
    espl_data_free(data);
}

static void allocates_nothing_when_warm(void **state)
{
    fixture *f = *state;
    const espl__augmentation augmentations[] = { { &noisy, &noise },
                                                 { &swapping, NULL },
                                                 { &noisy, &noise } };
    espl__loader_settings settings = some_settings(augmentations);
    espl__loader *loader = NULL;
    const espl__batch *batch = NULL;

    write_data(f);
    espl_data *data = fixture_opens(f, "",
                                    &(espl_data_settings){
                                        .height = 6, .width = 6, .channels = 3 });
    assert_int_equal(espl__loader_open(data, &settings, &loader), ESPL_OK);
    assert_int_equal(espl__loader_batches_per_epoch(loader), 7);
    for (int i = 0; i < 5; i++)
        assert_int_equal(espl__loader_next(loader, &batch), ESPL_OK);
    const int64_t before = espl__allocation_count(f->ctx);
    while (!espl__loader_next(loader, &batch) && batch)
        ;
    assert_int_equal(espl__allocation_count(f->ctx), before);
    espl__loader_free(loader);
    espl_data_free(data);
}

static void swaps_red_and_blue(void **state)
{
    fixture *f = *state;
    uint8_t record[2][3073] = { { 0 }, { 1 } };
    espl__loader *loader = NULL;
    const espl__batch *batch = NULL;
    const espl__loader_settings settings = {
        .batch = 1, .epochs = 1, .mean = { 3, 2, 1, 0 }, .swap_red_blue = true
    };

    memset(record[0] + 1, 10, 1024);
    memset(record[0] + 1025, 20, 1024);
    memset(record[0] + 2049, 30, 1024);
    memcpy(record[1] + 1, record[0] + 1, 3072);
    fixture_write(f, "data_batch_1.bin", record, sizeof record);
    fixture_write(f, "test_batch.bin", record, sizeof record);
    espl_data *data = fixture_opens(f, "", NULL);
    assert_int_equal(espl__loader_open(data, &settings, &loader), ESPL_OK);
    assert_int_equal(espl__loader_next(loader, &batch), ESPL_OK);
    assert_true(batch->values[0] == 27 && batch->values[1024] == 18 && batch->values[2048] == 9);
    espl__loader_free(loader);
    espl_data_free(data);
}

/* Without swap_red_blue and with it, what `neutral` says becomes zero. */
static void make_neutral(const void *self, espl_sample *sample, espl_draw *draw)
{
    const int64_t pixels = sample->height * sample->width;

    (void)self;
    (void)draw;
    for (int64_t c = 0; c < sample->channels; c++)
        for (int64_t i = 0; i < pixels; i++)
            sample->values[c * pixels + i] = sample->neutral[c];
}

static void neutral_becomes_zero(void **state)
{
    fixture *f = *state;
    uint8_t record[2][3073] = { { 0 }, { 1 } };
    static const espl_technique neutralizing = { .name = "augment-neutral",
                                                 .augment = make_neutral };
    const espl__augmentation augmentation = { &neutralizing, NULL };

    fixture_write(f, "data_batch_1.bin", record, sizeof record);
    fixture_write(f, "test_batch.bin", record, sizeof record);
    espl_data *data = fixture_opens(f, "", NULL);
    for (int swap = 0; swap < 2; swap++) {
        espl__loader *loader = NULL;
        const espl__batch *batch = NULL;
        const espl__loader_settings settings = { .batch = 1,
                                                 .epochs = 1,
                                                 .scale = 1 / 255.0,
                                                 .mean = { 0.4, 0.5, 0.6 },
                                                 .deviation = { 0.2, 0.3, 0.4 },
                                                 .swap_red_blue = swap,
                                                 .augmentations = &augmentation,
                                                 .augmentation_count = 1 };
        assert_int_equal(espl__loader_open(data, &settings, &loader), ESPL_OK);
        assert_int_equal(espl__loader_next(loader, &batch), ESPL_OK);
        for (int i = 0; i < 3072; i++)
            assert_true(fabsf(batch->values[i]) < 1e-6f);
        espl__loader_free(loader);
    }
    espl_data_free(data);
}

static espl_status load_some(espl_context *ctx, void *argument)
{
    const espl__augmentation augmentations[] = { { &noisy, &noise },
                                                 { &swapping, NULL },
                                                 { &noisy, &noise } };
    espl__loader_settings settings = some_settings(augmentations);
    espl_data *data = NULL;
    espl__loader *loader = NULL;
    const espl__batch *batch = NULL;
    espl_status status = espl_data_open(ctx, argument,
                                        &(espl_data_settings){ .height = 6, .width = 6 }, &data);

    settings.epochs = 1;
    if (!status)
        status = espl__loader_open(data, &settings, &loader);
    while (!status) {
        status = espl__loader_next(loader, &batch);
        if (!batch)
            break;
    }
    espl__loader_free(loader);
    espl_data_free(data);
    return status;
}

static void survives_failing_allocations(void **state)
{
    fixture *f = *state;

    write_data(f);
    assert_true(failing_every(load_some, f->folder, NULL) > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(same_for_any_threads),
        FIXTURE_TEST(an_epoch_is_every_sample_once),
        FIXTURE_TEST(resumes_anywhere),
        FIXTURE_TEST(a_draw_belongs_to_its_sample),
        FIXTURE_TEST(errors_reach_the_caller),
        FIXTURE_TEST(ends_at_any_moment),
        FIXTURE_TEST(allocates_nothing_when_warm),
        FIXTURE_TEST(swaps_red_and_blue),
        FIXTURE_TEST(neutral_becomes_zero),
        FIXTURE_TEST(survives_failing_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
