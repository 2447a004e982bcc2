/* Flip: mirrored or not, in the share that was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "augment_rig.h"

static bool is_mirrored(const rig *r)
{
    const int64_t width = r->sample.width;
    const bool mirrored = rig_at(r, 0, 0, 0) != rig_place(0, 0, 0);

    for (int64_t c = 0; c < r->sample.channels; c++)
        for (int64_t y = 0; y < r->sample.height; y++)
            for (int64_t x = 0; x < width; x++)
                assert_true(rig_at(r, c, y, x) == rig_place(c, y, mirrored ? width - 1 - x : x));
    return mirrored;
}

static int64_t count_mirrored(const char *options, int64_t width, int64_t n)
{
    rig *r = rig_open("augment-flip", options, 3, 6, width);
    int64_t mirrored = 0;

    for (int64_t i = 0; i < n; i++) {
        rig_fill(r, rig_place);
        rig_act(r, (uint64_t)i);
        mirrored += is_mirrored(r);
    }
    rig_close(r);
    return mirrored;
}

static void flips_the_share_asked_for(void **state)
{
    (void)state;
    rig_check_mean((double)count_mirrored("", 5, 4000), 4000, 0.5, 0.5);
    rig_check_mean((double)count_mirrored("chance: 0.1", 33, 4000), 4000, 0.1, 0.3);
    assert_int_equal(count_mirrored("chance: 0", 4, 500), 0);
    assert_int_equal(count_mirrored("chance: 1", 17, 500), 500);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    rig_refuses("augment-flip", "chance: 1.1", 1, 8, 8, "chance");
    rig_refuses("augment-flip", "chance: -0.1", 1, 8, 8, "chance");
    rig_refuses("augment-flip", "chance: nan", 1, 8, 8, "chance");
    rig_refuses("augment-flip", "", 4, 1, 1, "acts on pictures");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flips_the_share_asked_for),
        cmocka_unit_test(bad_options_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
