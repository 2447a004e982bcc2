/* Pad and crop: every picture is the old one moved by at most the border, all moves equally often.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "augment_rig.h"

/* By how much the picture was moved, from a pixel that stayed inside; checks all the others. */
static void check_moved(const rig *r, int64_t *down, int64_t *across)
{
    const int64_t height = r->sample.height, width = r->sample.width;
    const float middle = rig_at(r, 0, height / 2, width / 2) - 1;

    *down = (int64_t)middle / 100 - height / 2;
    *across = (int64_t)middle % 100 - width / 2;
    for (int64_t c = 0; c < r->sample.channels; c++)
        for (int64_t y = 0; y < height; y++)
            for (int64_t x = 0; x < width; x++) {
                const int64_t from_y = y + *down, from_x = x + *across;
                const bool inside = from_y >= 0 && from_y < height && from_x >= 0 && from_x < width;
                assert_true(rig_at(r, c, y, x) ==
                            (inside ? rig_place(c, from_y, from_x) : r->neutral[c]));
            }
}

static void every_move_is_equally_likely(void **state)
{
    rig *r = rig_open("augment-crop", "pad: 2, fill: zero", 2, 12, 9);
    int64_t seen[5][5] = { { 0 } };

    (void)state;
    for (uint64_t i = 0; i < 5000; i++) {
        int64_t down, across;
        rig_fill(r, rig_place);
        rig_act(r, i);
        check_moved(r, &down, &across);
        assert_in_range(down + 2, 0, 4);
        assert_in_range(across + 2, 0, 4);
        seen[down + 2][across + 2]++;
    }
    for (int y = 0; y < 5; y++)
        for (int x = 0; x < 5; x++)
            rig_check_mean((double)seen[y][x], 5000, 1 / 25.0, sqrt(24) / 25);
    rig_close(r);
}

static void fills_with_the_mean(void **state)
{
    rig *r = rig_open("augment-crop", "pad: 4, fill: mean", 3, 16, 16);
    int64_t down, across, moved = 0;

    (void)state;
    for (int c = 0; c < 3; c++)
        r->neutral[c] = 120.5f + (float)c;
    for (uint64_t i = 0; i < 50; i++) {
        rig_fill(r, rig_place);
        rig_act(r, i);
        check_moved(r, &down, &across);
        moved += down || across;
    }
    assert_true(moved > 40);
    rig_close(r);
}

/* A border wider than the picture may leave nothing of it. */
static void wide_borders_leave_nothing(void **state)
{
    rig *r = rig_open("augment-crop", "pad: 100", 1, 5, 4);
    int empty = 0;

    (void)state;
    for (uint64_t i = 0; i < 200; i++) {
        bool any = false;
        rig_fill(r, rig_place);
        rig_act(r, i);
        for (int p = 0; p < 20; p++)
            any |= r->sample.values[p] != 0;
        empty += !any;
    }
    assert_true(empty > 180);
    rig_close(r);
}

static void no_border_is_no_change(void **state)
{
    rig *r = rig_open("augment-crop", "pad: 0", 1, 5, 4);
    int64_t down, across;

    (void)state;
    rig_fill(r, rig_place);
    rig_act(r, 1);
    check_moved(r, &down, &across);
    assert_true(down == 0 && across == 0);
    rig_close(r);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    rig_refuses("augment-crop", "pad: -1", 1, 8, 8, "pad");
    rig_refuses("augment-crop", "pad: 1.5", 1, 8, 8, "pad");
    rig_refuses("augment-crop", "fill: red", 1, 8, 8, "fill");
    rig_refuses("augment-crop", "pda: 1", 1, 8, 8, "pad");
    rig_refuses("augment-crop", "", 20, 1, 1,
                "acts on pictures, but the data has samples of 20 numbers");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_move_is_equally_likely),
        cmocka_unit_test(fills_with_the_mean),
        cmocka_unit_test(wide_borders_leave_nothing),
        cmocka_unit_test(no_border_is_no_change),
        cmocka_unit_test(bad_options_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
