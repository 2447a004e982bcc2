/* Philox against its published vectors, and the draws made from it against what they promise: even,
 * independent of who draws, and different for every stream and place. */
#include "base_rig.h"

#include <math.h>
#include <string.h>

/* The known answers that come with Random123 (kat_vectors, "philox4x32 10"): counter, key, words. */
static const uint32_t known[][10] = {
    { 0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 },
    { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e,
      0xa20bc7c6, 0x6d5451fd },
    { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb,
      0x5001e420, 0x24126ea1 },
};

static void words_are_the_published_ones(void **state)
{
    (void)state;
    for (int i = 0; i < ESPL__COUNT(known); i++) {
        const uint32_t *k = known[i];
        const espl__stream stream = { (uint64_t)k[5] << 32 | k[4] };
        uint32_t words[4];
        espl__random_words(stream, k[1], (uint64_t)k[3] << 32 | k[2], k[0], words);
        assert_memory_equal(words, k + 6, sizeof words);
    }
}

static void the_cursor_walks_over_the_words(void **state)
{
    const espl__stream stream = espl__stream_of(42, "walk");
    espl__random random = espl__random_at(stream, 3, 99);

    (void)state;
    for (uint32_t index = 0; index < 5; index++) {
        uint32_t words[4];
        espl__random_words(stream, 3, 99, index, words);
        for (int i = 0; i < 4; i++)
            assert_int_equal(espl__random_word(&random), words[i]);
    }
}

static void streams_differ_by_seed_and_name(void **state)
{
    static const char *const names[] = { "", "a", "b", "c", "ab", "ba", "dropout/fc1", "dropout/fc2" };
    uint64_t keys[64 * ESPL__COUNT(names)];
    int count = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 64; seed++)
        for (int i = 0; i < ESPL__COUNT(names); i++)
            keys[count++] = espl__stream_of(seed, names[i]).key;
    for (int i = 0; i < count; i++)
        for (int j = 0; j < i; j++)
            assert_true(keys[i] != keys[j]);
    assert_true(espl__stream_of(7, "a").key == espl__stream_of(7, "a").key);
}

/* Counts of n draws over k cells: the sum of (count - n/k)^2 / (n/k) has mean k-1 and deviation
 * sqrt(2(k-1)); five deviations are not met by chance, and the draws are fixed anyway. */
static void assert_even(const int64_t *counts, int cells, int64_t draws)
{
    const double expected = (double)draws / cells;
    double sum = 0;

    for (int i = 0; i < cells; i++)
        sum += ((double)counts[i] - expected) * ((double)counts[i] - expected) / expected;
    assert_true(fabs(sum - (cells - 1)) < 5 * sqrt(2.0 * (cells - 1)));
}

static void uniform_draws_are_even_and_below_one(void **state)
{
    espl__random random = espl__random_at(espl__stream_of(1, "uniform"), 0, 0);
    int64_t counts[64] = { 0 };
    const int64_t draws = 200000;

    (void)state;
    for (int64_t i = 0; i < draws; i++) {
        const float u = espl__random_uniform(&random);
        assert_true(u >= 0 && u < 1);
        counts[(int)(u * 64)]++;
    }
    assert_even(counts, 64, draws);
}

static void bounded_draws_are_even(void **state)
{
    static const uint64_t bounds[] = { 1, 2, 3, 10, 37 };

    (void)state;
    for (int b = 0; b < ESPL__COUNT(bounds); b++) {
        espl__random random = espl__random_at(espl__stream_of(2, "below"), 0, bounds[b]);
        int64_t counts[37] = { 0 };
        for (int i = 0; i < 50000; i++) {
            const uint64_t drawn = espl__random_below(&random, bounds[b]);
            assert_true(drawn < bounds[b]);
            counts[drawn]++;
        }
        if (bounds[b] > 1)
            assert_even(counts, (int)bounds[b], 50000);
    }
}

static void large_bounds_are_kept(void **state)
{
    espl__random random = espl__random_at(espl__stream_of(3, "large"), 0, 0);
    const uint64_t bound = UINT64_MAX / 3 * 2;
    int64_t halves[2] = { 0 };

    (void)state;
    for (int i = 0; i < 20000; i++) {
        const uint64_t drawn = espl__random_below(&random, bound);
        assert_true(drawn < bound);
        halves[drawn >= bound / 2]++;
        assert_true(espl__random_below(&random, UINT64_MAX) < UINT64_MAX);
    }
    assert_even(halves, 2, 20000); /* without rejection the lower half would be met twice as often */
}

/* The moments of n standard normal draws: mean 0 +- 1/sqrt(n), variance 1 +- sqrt(2/n), fourth moment
 * 3 +- sqrt(96/n); five deviations each. */
static void normal_draws_have_the_moments(void **state)
{
    espl__random random = espl__random_at(espl__stream_of(4, "normal"), 0, 0);
    const int n = 200000;
    double sum = 0, squares = 0, fourth = 0, within = 0;

    (void)state;
    for (int i = 0; i < n; i++) {
        const double x = espl__random_normal(&random);
        assert_true(isfinite(x));
        sum += x;
        squares += x * x;
        fourth += x * x * x * x;
        within += fabs(x) < 1;
    }
    assert_true(fabs(sum / n) < 5 / sqrt(n));
    assert_true(fabs(squares / n - 1) < 5 * sqrt(2.0 / n));
    assert_true(fabs(fourth / n - 3) < 5 * sqrt(96.0 / n));
    assert_true(fabs(within / n - 0.682689) < 5 * sqrt(0.6827 * 0.3173 / n));
}

static void a_shuffle_is_a_permutation(void **state)
{
    espl__random random = espl__random_at(espl__stream_of(5, "shuffle"), 0, 0);
    int64_t order[1000];
    bool seen[1000] = { false };

    (void)state;
    espl__random_shuffle(&random, order, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_in_range(order[i], 0, 999);
        assert_false(seen[order[i]]);
        seen[order[i]] = true;
    }
    espl__random_shuffle(&random, order, 0);
    espl__random_shuffle(&random, order, 1);
    assert_int_equal(order[0], 0);
}

static void all_permutations_are_as_likely(void **state)
{
    int64_t counts[24] = { 0 };
    const int draws = 48000;

    (void)state;
    for (int i = 0; i < draws; i++) {
        espl__random random = espl__random_at(espl__stream_of(6, "four"), 0, (uint64_t)i);
        int64_t o[4];
        espl__random_shuffle(&random, o, 4);
        const int64_t third = (o[2] > o[3]), second = (o[1] > o[2]) + (o[1] > o[3]);
        counts[o[0] * 6 + second * 2 + third]++;
    }
    assert_even(counts, 24, draws);
}

/* A draw belongs to its place: who drew before, or at the neighbour's, does not matter. */
static void places_do_not_disturb_each_other(void **state)
{
    const espl__stream stream = espl__stream_of(8, "places");
    espl__random alone = espl__random_at(stream, 1, 5), other = espl__random_at(stream, 1, 4);
    uint32_t words[8];

    (void)state;
    for (int i = 0; i < 8; i++)
        words[i] = espl__random_word(&alone);
    alone = espl__random_at(stream, 1, 5);
    for (int i = 0; i < 8; i++) {
        assert_true(espl__random_word(&other) != words[i]);
        assert_int_equal(espl__random_word(&alone), words[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_the_published_ones),
        cmocka_unit_test(the_cursor_walks_over_the_words),
        cmocka_unit_test(streams_differ_by_seed_and_name),
        cmocka_unit_test(uniform_draws_are_even_and_below_one),
        cmocka_unit_test(bounded_draws_are_even),
        cmocka_unit_test(large_bounds_are_kept),
        cmocka_unit_test(normal_draws_have_the_moments),
        cmocka_unit_test(a_shuffle_is_a_permutation),
        cmocka_unit_test(all_permutations_are_as_likely),
        cmocka_unit_test(places_do_not_disturb_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
