/* Cutout: squares of the neutral value, cut at the borders, of the mean size that the paper has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "augment_rig.h"

static float one(int64_t c, int64_t y, int64_t x)
{
    (void)c;
    (void)y;
    (void)x;
    return 1;
}

typedef struct hole {
    int64_t top, left, height, width, pixels;
} hole;

/* What was erased must be one rectangle, the same in every channel. */
static hole hole_of(const rig *r)
{
    hole h = { 1000, 1000, 0, 0, 0 };
    int64_t bottom = -1, right = -1;

    for (int64_t y = 0; y < r->sample.height; y++)
        for (int64_t x = 0; x < r->sample.width; x++) {
            const bool gone = rig_at(r, 0, y, x) != 1;
            for (int64_t c = 0; c < r->sample.channels; c++)
                assert_true(rig_at(r, c, y, x) == (gone ? r->neutral[c] : 1));
            if (!gone)
                continue;
            h.pixels++;
            h.top = y < h.top ? y : h.top;
            h.left = x < h.left ? x : h.left;
            bottom = y > bottom ? y : bottom;
            right = x > right ? x : right;
        }
    h.height = bottom - h.top + 1;
    h.width = right - h.left + 1;
    assert_int_equal(h.pixels, h.height * h.width);
    return h;
}

/* The mean share that is erased is ((mean visible side) / W)^2. */
static void check_share(const char *options, int64_t side, double expected)
{
    rig *r = rig_open("augment-cutout", options, 3, side, side);
    double share = 0;

    for (int c = 0; c < 3; c++)
        r->neutral[c] = 100.0f + (float)c;
    for (uint64_t i = 0; i < 4000; i++) {
        rig_fill(r, one);
        rig_act(r, i);
        share += (double)hole_of(r).pixels / (double)(side * side);
    }
    rig_check_mean(share, 4000, expected,
                   0.08); /* deviation of the share is below that for all three */
    rig_close(r);
}

static void erases_the_share_of_the_paper(void **state)
{
    (void)state;
    check_share("length: 16", 32, 0.191406);
    check_share("length: 8", 32, 0.054932);
    check_share("length: 20", 32, 0.278091);
    check_share("length: 14", 28, 0.191406);
}

/* With the draws known, the square is known: a centre in the corner leaves 64 pixels, one in the
 * middle 256. */
static void squares_lie_around_their_centre(void **state)
{
    rig *r = rig_open("augment-cutout", "length: 16", 1, 32, 32);
    int corners = 0, middles = 0;

    (void)state;
    for (uint64_t i = 0; i < 3000; i++) {
        espl_draw draw = rig_draw(i);
        const int64_t y = espl_draw_below(&draw, 32), x = espl_draw_below(&draw, 32);
        rig_fill(r, one);
        rig_act(r, i);
        const hole h = hole_of(r);
        assert_int_equal(h.top, y < 8 ? 0 : y - 8);
        assert_int_equal(h.left, x < 8 ? 0 : x - 8);
        assert_int_equal(h.height, (y + 8 > 32 ? 32 : y + 8) - h.top);
        if (y == 0 && x == 0) {
            assert_int_equal(h.pixels, 64);
            corners++;
        }
        if (y == 16 && x == 16) {
            assert_int_equal(h.pixels, 256);
            middles++;
        }
    }
    assert_true(corners > 0 && middles > 0);
    rig_close(r);
}

static void odd_lengths_are_whole(void **state)
{
    rig *r = rig_open("augment-cutout", "length: 5", 1, 32, 32);
    int64_t most = 0;

    (void)state;
    for (uint64_t i = 0; i < 100; i++) {
        rig_fill(r, one);
        rig_act(r, i);
        const hole h = hole_of(r);
        most = h.pixels > most ? h.pixels : most;
    }
    assert_int_equal(most, 25);
    rig_close(r);
}

static void holes_are_counted(void **state)
{
    rig *r = rig_open("augment-cutout", "length: 2, holes: 0", 1, 8, 8), *two;
    int64_t erased = 0;

    (void)state;
    rig_fill(r, one);
    rig_act(r, 0);
    for (int i = 0; i < 64; i++)
        assert_true(r->sample.values[i] == 1);
    rig_close(r);
    two = rig_open("augment-cutout", "length: 1, holes: 3", 1, 64, 64);
    for (uint64_t i = 0; i < 100; i++) {
        rig_fill(two, one);
        rig_act(two, i);
        for (int p = 0; p < 4096; p++)
            erased += two->sample.values[p] != 1;
    }
    assert_true(erased > 290 && erased <= 300); /* three, unless they meet */
    rig_close(two);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    rig_refuses("augment-cutout", "length: 0", 3, 8, 8, "length");
    rig_refuses("augment-cutout", "length: 17", 3, 8, 20,
                "length: 17 is more than twice a side of the pictures (20x8 pixels)");
    rig_refuses("augment-cutout", "holes: -1", 3, 8, 8, "holes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(erases_the_share_of_the_paper),
        cmocka_unit_test(squares_lie_around_their_centre),
        cmocka_unit_test(odd_lengths_are_whole),
        cmocka_unit_test(holes_are_counted),
        cmocka_unit_test(bad_options_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
