/* The hash has the published values of XXH3 (they end up in files), and chains; the clock goes on. */
#include "base_rig.h"

#include <string.h>

static void values_are_those_of_xxh3(void **state)
{
    (void)state;
    /* `xxhsum -H3` of nothing and of "a"; an other value would orphan every cache and checkpoint */
    assert_true(espl__hash("", 0, 0) == 0x2d06800538d394c2u);
    assert_true(espl__hash("a", 1, 0) == 0xe6c632b61e964e1fu);
}

static void every_byte_and_the_seed_count(void **state)
{
    unsigned char bytes[300] = { 0 };
    const uint64_t plain = espl__hash(bytes, sizeof bytes, 0);

    (void)state;
    assert_true(espl__hash(bytes, sizeof bytes, 1) != plain);
    assert_true(espl__hash(bytes, sizeof bytes - 1, 0) != plain);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = 1;
        assert_true(espl__hash(bytes, sizeof bytes, 0) != plain);
        bytes[i] = 0;
    }
    assert_true(espl__hash(bytes, sizeof bytes, 0) == plain);
    assert_true(espl__hash("b", 1, espl__hash("a", 1, 0)) != espl__hash("a", 1, espl__hash("b", 1, 0)));
}

static void the_clock_does_not_go_back(void **state)
{
    const double begin = espl__now();
    double last = begin;

    (void)state;
    while (last - begin < 0.002) {
        const double now = espl__now();
        assert_true(now >= last);
        last = now;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_those_of_xxh3),
        cmocka_unit_test(every_byte_and_the_seed_count),
        cmocka_unit_test(the_clock_does_not_go_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
