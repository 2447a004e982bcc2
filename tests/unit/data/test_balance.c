/* label: threads. Balanced sampling: every class as often as any other, whole passes before repeats, the same
 * from any place and for any number of threads, and randomness of its own for each repeat. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fixture.h"

#define COUNT 50
#define EPOCHS 3

/* 40, 7 and 3 samples. */
static int label_of(int64_t i)
{
    return i % 5 ? 0 : i < 35 ? 1
                              : 2;
}

static int value_of(int64_t i)
{
    return (int)(i / 4 % 256);
}

static espl_data *open_data(fixture *f)
{
    static uint8_t data[4096];

    fixture_write(f, "train-images-idx3-ubyte", data, fixture_idx(data, (int64_t[]){ COUNT, 2, 2, 0 }, value_of));
    fixture_write(f, "train-labels-idx1-ubyte", data, fixture_idx(data, (int64_t[]){ COUNT, 0 }, label_of));
    fixture_write(f, "t10k-images-idx3-ubyte", data, fixture_idx(data, (int64_t[]){ 5, 2, 2, 0 }, value_of));
    fixture_write(f, "t10k-labels-idx1-ubyte", data, fixture_idx(data, (int64_t[]){ 5, 0 }, label_of));
    return fixture_opens(f, "", NULL);
}

/* Adds a draw to the first value. */
static void add_noise(const void *self, espl_sample *sample, espl_draw *draw)
{
    (void)self;
    sample->values[0] += espl_draw_uniform(draw);
}

static const espl_technique noisy = { .name = "augment-noise", .augment = add_noise };

typedef struct drawn {
    int64_t index, draw;
    float value;
    int label;
} drawn;

static int64_t drain(espl_data *data, int64_t first_epoch, int64_t first_batch, int threads, drawn *all)
{
    const espl__augmentation augmentations[] = { { &noisy, NULL } };
    const espl__loader_settings settings = { .batch = 8, .shuffle = true, .balanced = true, .seed = 3, .epochs = EPOCHS, .first_epoch = first_epoch, .first_batch = first_batch, .augmentations = augmentations, .augmentation_count = 1, .threads = threads };
    espl__loader *loader = NULL;
    const espl__batch *batch = NULL;
    int64_t count = 0;

    assert_int_equal(espl__loader_open(data, &settings, &loader), ESPL_OK);
    while (!espl__loader_next(loader, &batch) && batch)
        for (int64_t i = 0; i < batch->count; i++)
            all[count++] = (drawn){ batch->index[i], batch->draw[i], batch->values[i * 4], batch->labels[i] };
    espl__loader_free(loader);
    return count;
}

static void classes_come_alike(void **state)
{
    fixture *f = *state;
    espl_data *data = open_data(f);
    drawn all[EPOCHS * COUNT];
    int64_t of_frequent[COUNT] = { 0 };

    assert_int_equal(drain(data, 0, 0, 1, all), EPOCHS * COUNT);
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        int64_t classes[3] = { 0 }, seen[COUNT] = { 0 };
        for (int i = 0; i < COUNT; i++) {
            const drawn *d = &all[epoch * COUNT + i];
            classes[d->label]++;
            seen[d->index]++;
            assert_int_equal(d->label, label_of(d->index));
            assert_int_equal(d->index, d->draw % COUNT);
            of_frequent[d->index] += d->label == 0;
        }
        for (int c = 0; c < 3; c++) /* 50 is not divided by 3: who gets one more takes turns */
            assert_int_equal(classes[c], COUNT / 3 + ((c + epoch) % 3 == 0) + ((c + epoch) % 3 == 1));
        for (int i = 0; i < COUNT; i++) {
            const int64_t size = (int64_t[]){ 40, 7, 3 }[label_of(i)], least = classes[label_of(i)] / size;
            assert_true(seen[i] == least || seen[i] == least + 1);
        }
    }
    int missed = 0;
    for (int i = 0; i < COUNT; i++)
        missed += label_of(i) == 0 && !of_frequent[i];
    assert_true(missed < 40 - COUNT / 3); /* other ones are left out in other epochs */
    espl_data_free(data);
}

/* A sample that comes again is augmented otherwise. */
static void repeats_differ(void **state)
{
    espl_data *data = open_data(*state);
    drawn all[EPOCHS * COUNT];
    int pairs = 0;

    drain(data, 0, 0, 1, all);
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < i; j++)
            if (all[i].index == all[j].index) {
                assert_true(all[i].draw != all[j].draw);
                assert_true(all[i].value != all[j].value);
                pairs++;
            }
    assert_true(pairs > 10);
    espl_data_free(data);
}

static void goes_on_anywhere_with_any_threads(void **state)
{
    espl_data *data = open_data(*state);
    drawn all[EPOCHS * COUNT], part[EPOCHS * COUNT];

    drain(data, 0, 0, 1, all);
    for (int64_t epoch = 0; epoch < EPOCHS; epoch++)
        for (int64_t batch = 0; batch < 7; batch += 3) {
            const int64_t from = epoch * COUNT + batch * 8;
            assert_int_equal(drain(data, epoch, batch, 3, part), EPOCHS * COUNT - from);
            for (int64_t i = from; i < EPOCHS * COUNT; i++)
                assert_true(part[i - from].draw == all[i].draw && part[i - from].value == all[i].value);
        }
    espl_data_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(classes_come_alike),
        FIXTURE_TEST(repeats_differ),
        FIXTURE_TEST(goes_on_anywhere_with_any_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
