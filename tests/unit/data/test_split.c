/* Holding out and limiting: by class, by seed, and nothing twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "data/parts.h"
#include "fixture.h"

#define COUNT 1000
#define CLASSES 4

/* 600, 300, 90 and 10 samples, mixed. */
static void uneven_labels(int32_t *labels)
{
    for (int i = 0; i < COUNT; i++)
        labels[i] = i % 100 < 60 ? 0 : i % 100 < 90 ? 1
                                   : i % 100 < 99   ? 2
                                                    : 3;
}

static void split(fixture *f, const int32_t *labels, int64_t count, int classes, double share,
                  uint64_t seed, bool *held, int64_t *of_class)
{
    assert_int_equal(espl__split(f->ctx, labels, count, classes, share, seed, held), ESPL_OK);
    memset(of_class, 0, (size_t)classes * sizeof *of_class);
    for (int64_t i = 0; i < count; i++)
        of_class[labels[i]] += held[i];
}

static void keeps_the_shares(void **state)
{
    fixture *f = *state;
    int32_t labels[COUNT];
    bool held[COUNT], again[COUNT], other[COUNT];
    int64_t of[CLASSES];

    uneven_labels(labels);
    split(f, labels, COUNT, CLASSES, 0.2, 7, held, of);
    assert_int_equal(of[0], 120);
    assert_int_equal(of[1], 60);
    assert_int_equal(of[2], 18);
    assert_int_equal(of[3], 2);
    split(f, labels, COUNT, CLASSES, 0.2, 7, again, of);
    assert_memory_equal(held, again, sizeof held);
    split(f, labels, COUNT, CLASSES, 0.2, 8, other, of);
    assert_memory_not_equal(held, other, sizeof held);
    int differ = 0;
    for (int i = 0; i < COUNT; i++)
        differ += held[i] != other[i];
    assert_true(differ > 200); /* 320 expected of two independent draws */
}

static void gives_what_is_left_to_the_largest_remainders(void **state)
{
    fixture *f = *state;
    const int32_t labels[] = { 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2 };
    bool held[15];
    int64_t of[3];

    split(f, labels, 15, 3, 0.1, 1, held, of); /* 0.7, 0.5, 0.3 of 2 */
    assert_int_equal(of[0], 1);
    assert_int_equal(of[1], 1);
    assert_int_equal(of[2], 0);
    split(f, labels, 15, 3, 0.001, 1, held, of); /* at least one */
    assert_int_equal(of[0] + of[1] + of[2], 1);
    split(f, labels, 15, 3, 0.999, 1, held, of); /* one of each stays */
    assert_int_equal(of[0], 6);
    assert_int_equal(of[1], 4);
    assert_int_equal(of[2], 2);
}

static void limits_in_turn(void **state)
{
    fixture *f = *state;
    int32_t labels[COUNT];
    int64_t order[COUNT], of[CLASSES] = { 0 }, count = COUNT;

    uneven_labels(labels);
    for (int64_t i = 0; i < COUNT; i++)
        order[i] = i;
    assert_int_equal(espl__limit(f->ctx, labels, CLASSES, 51, order, &count), ESPL_OK);
    assert_int_equal(count, 51);
    for (int64_t i = 0; i < count; i++) {
        of[labels[order[i]]]++;
        assert_true(i == 0 || order[i] > order[i - 1]);
    }
    assert_int_equal(of[0], 14); /* ten rounds of four, three rounds of three, two more */
    assert_int_equal(of[1], 14);
    assert_int_equal(of[2], 13);
    assert_int_equal(of[3], 10);
    for (int64_t i = 0, seen = 0; i < 14; i++) { /* the first ones of class 0 */
        while (labels[seen] != 0)
            seen++;
        int64_t at = 0;
        while (at < count && order[at] != seen)
            at++;
        assert_true(at < count);
        seen++;
    }
    count = COUNT;
    assert_int_equal(espl__limit(f->ctx, labels, CLASSES, COUNT + 1, order, &count), ESPL_OK);
    assert_int_equal(count, COUNT);
}

static int label_of(int64_t i)
{
    return (int)(i % 2);
}

static int value_of(int64_t i)
{
    return (int)(i / 4);
}

static void parts_have_nothing_in_common(void **state)
{
    fixture *f = *state;
    uint8_t data[1024];
    int seen[50] = { 0 };

    fixture_write(f, "train-images-idx3-ubyte", data,
                  fixture_idx(data, (int64_t[]){ 50, 2, 2, 0 }, value_of));
    fixture_write(f, "train-labels-idx1-ubyte", data,
                  fixture_idx(data, (int64_t[]){ 50, 0 }, label_of));
    espl_data *all = fixture_opens(f, "",
                                   &(espl_data_settings){ .held_out = 0.3, .split_seed = 5 });
    for (int part = 0; part < 2; part++)
        for (int64_t i = 0; i < espl_data_count(all, (espl_part)part); i++) {
            float *values = fixture_sample(f, all, (espl_part)part, i);
            assert_int_equal(espl__data_label(all, (espl_part)part, i), (int)values[0] % 2);
            seen[(int)values[0]]++;
            free(values);
        }
    for (int i = 0; i < 50; i++)
        assert_int_equal(seen[i], 1);
    espl_data *other = fixture_opens(f, "",
                                     &(espl_data_settings){ .held_out = 0.3, .split_seed = 6 });
    espl_data *few = fixture_opens(f, "",
                                   &(espl_data_settings){
                                       .held_out = 0.3, .split_seed = 5, .limit = 7 });
    assert_int_equal(espl_data_count(few, ESPL_TRAIN), 7);
    assert_int_equal(espl_data_count(few, ESPL_HELD_OUT), 15);
    assert_true(espl__data_hash(all) != espl__data_hash(other));
    assert_true(espl__data_hash(all) != espl__data_hash(few));
    espl_data_free(other);
    other = fixture_opens(f, "", &(espl_data_settings){ .held_out = 0.3, .split_seed = 5 });
    assert_true(espl__data_hash(all) == espl__data_hash(other));
    espl_data_free(all);
    espl_data_free(other);
    espl_data_free(few);
    fixture_refuses(f, "", &(espl_data_settings){ .held_out = 1 }, ESPL_BAD_OPTION,
                    "held-out: 1 is not within");
    fixture_refuses(f, "", &(espl_data_settings){ .held_out = -0.1 }, ESPL_BAD_OPTION, "held-out");
    fixture_refuses(f, "", &(espl_data_settings){ .folds = 1 }, ESPL_BAD_OPTION, "folds: 2 or more parts");
    fixture_refuses(f, "", &(espl_data_settings){ .folds = 3, .fold = 4 }, ESPL_BAD_OPTION, "not 3 and part 4");
    fixture_refuses(f, "", &(espl_data_settings){ .folds = 3, .held_out = 0.1 }, ESPL_BAD_OPTION, "neither test nor held-out");
    fixture_refuses(f, "", &(espl_data_settings){ .folds = 1000 }, ESPL_BAD_OPTION, "cannot be made of");
    fixture_refuses(f, "", &(espl_data_settings){ .limit = -1 }, ESPL_BAD_OPTION, "limit: -1");
}

/* Every sample is held out once; parts differ by one sample at most, as do the samples of each class. */
static void folds_hold_out_everything_once(void **state)
{
    fixture *f = *state;
    int32_t labels[COUNT];
    int times[COUNT] = { 0 };

    uneven_labels(labels);
    for (int64_t fold = 0; fold < 7; fold++) {
        bool held[COUNT];
        int64_t of[CLASSES] = { 0 }, all = 0;
        assert_int_equal(espl__split_fold(f->ctx, labels, COUNT, CLASSES, 7, fold, 1, held), ESPL_OK);
        for (int i = 0; i < COUNT; i++) {
            times[i] += held[i];
            of[labels[i]] += held[i];
            all += held[i];
        }
        assert_true(all == COUNT / 7 || all == COUNT / 7 + 1);
        for (int c = 0; c < CLASSES; c++) {
            const int64_t whole = (int64_t[]){ 600, 300, 90, 10 }[c] / 7;
            assert_true(of[c] == whole || of[c] == whole + 1);
        }
    }
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(times[i], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(keeps_the_shares),
        FIXTURE_TEST(gives_what_is_left_to_the_largest_remainders),
        FIXTURE_TEST(folds_hold_out_everything_once),
        FIXTURE_TEST(limits_in_turn),
        FIXTURE_TEST(parts_have_nothing_in_common),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
