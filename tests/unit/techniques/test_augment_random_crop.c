/* Random resized crop: windows within their limits, all of them reached, enlarged as the
 * antialiasing resize does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "augment_rig.h"

#include "data/reading.h"
#include "data/resample.h"

/* Channel 0 holds the column, channel 1 the row, channel 2 something crooked. */
static float coordinates(int64_t c, int64_t y, int64_t x)
{
    return c == 0 ? (float)x : c == 1 ? (float)y
                                      : (float)((x * 37 + y * 101) % 256);
}

typedef struct found {
    int64_t top, left, height, width;
} found;

/* The first and the last result of each axis lie beyond the centres of the window's border pixels,
 * so they show the border exactly. */
static found window_of(const rig *r)
{
    const int64_t bottom = r->sample.height - 1, right = r->sample.width - 1;
    const found w = { (int64_t)rig_at(r, 1, 0, 0), (int64_t)rig_at(r, 0, 0, 0),
                      (int64_t)rig_at(r, 1, bottom, 0) - (int64_t)rig_at(r, 1, 0, 0) + 1,
                      (int64_t)rig_at(r, 0, 0, right) - (int64_t)rig_at(r, 0, 0, 0) + 1 };

    return w;
}

/* All three channels against the resize that is tested against Pillow. */
static void check_enlarged(rig *r, found w)
{
    float expected[64 * 64], original[64 * 64];
    espl__reading reading = { .ctx = r->ctx };
    const int64_t height = r->sample.height, width = r->sample.width;
    const espl__window all = { height, width, 0, 0, height, width };

    for (int64_t c = 0; c < 3; c++) {
        for (int64_t i = 0; i < height * width; i++)
            original[i] = coordinates(c, i / width, i % width);
        assert_int_equal(espl__resize_plane(original + w.top * width + w.left, width, w.height,
                                            w.width, all, true, expected, &reading),
                         ESPL_OK);
        for (int64_t i = 0; i < height * width; i++)
            if (fabsf(r->sample.values[c * height * width + i] - expected[i]) > 1e-3f)
                fail_msg("channel %lld pixel %lld: %g, expected %g", (long long)c, (long long)i,
                         (double)r->sample.values[c * height * width + i], (double)expected[i]);
    }
    espl__reading_end(&reading);
}

static void windows_are_within_limits(void **state)
{
    rig *r = rig_open("augment-random-crop", "area-low: 0.2, area-high: 0.7", 3, 40, 48);
    double smallest = 1, largest = 0;
    int64_t most_top = 0, most_left = 0;

    (void)state;
    for (uint64_t i = 0; i < 400; i++) {
        rig_fill(r, coordinates);
        rig_act(r, i);
        const found w = window_of(r);
        const double area = (double)(w.height * w.width) / (40 * 48),
                     ratio = (double)w.width / (double)w.height;
        assert_true(area > 0.2 * 0.9 && area < 0.7 * 1.1); /* sides are rounded to whole pixels */
        assert_true(ratio > 0.75 * 0.92 && ratio < 1.3333 * 1.08);
        smallest = fmin(smallest, area);
        largest = fmax(largest, area);
        most_top = w.top > most_top ? w.top : most_top;
        most_left = w.left > most_left ? w.left : most_left;
        if (i < 40)
            check_enlarged(r, w);
    }
    assert_true(smallest < 0.23 && largest > 0.66);
    assert_true(most_top > 15 && most_left > 15);
    rig_close(r);
}

static void the_whole_is_left_alone(void **state)
{
    rig *r = rig_open("augment-random-crop", "area-low: 1, ratio-low: 1, ratio-high: 1", 3, 30, 30);

    (void)state;
    rig_fill(r, coordinates);
    rig_act(r, 0);
    for (int64_t c = 0; c < 3; c++)
        for (int64_t i = 0; i < 900; i++)
            assert_true(r->sample.values[c * 900 + i] == coordinates(c, i / 30, i % 30));
    rig_close(r);
}

/* A strip has no window of the allowed shapes: the largest in the middle is taken. */
static void strips_fall_back_to_the_middle(void **state)
{
    rig *r = rig_open("augment-random-crop", "area-low: 0.9, area-high: 1", 3, 4, 40);

    (void)state;
    rig_fill(r, coordinates);
    rig_act(r, 0);
    const found w = window_of(r);
    assert_int_equal(w.height, 4);
    assert_int_equal(w.width, 5);
    assert_int_equal(w.left, 17);
    check_enlarged(r, w);
    rig_close(r);
}

static void single_pixels_spread(void **state)
{
    rig *r = rig_open("augment-random-crop", "area-low: 0.0001, area-high: 0.0001", 3, 20, 20);

    (void)state;
    for (uint64_t i = 0; i < 20; i++) {
        rig_fill(r, coordinates);
        rig_act(r, i);
        const found w = window_of(r);
        if (w.height == 1 && w.width == 1)
            for (int64_t p = 0; p < 400; p++)
                assert_true(r->sample.values[800 + p] == coordinates(2, w.top, w.left));
    }
    rig_close(r);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    rig_refuses("augment-random-crop", "area-low: 0", 3, 8, 8, "area-low");
    rig_refuses("augment-random-crop", "area-high: 1.5", 3, 8, 8, "area-high");
    rig_refuses("augment-random-crop", "area-low: 0.9, area-high: 0.5", 3, 8, 8,
                "area-low: 0.9 is above area-high: 0.5");
    rig_refuses("augment-random-crop", "ratio-low: 2", 3, 8, 8, "ratio-low: 2 is above ratio-high");
    rig_refuses("augment-random-crop", "", 8, 1, 1, "acts on pictures");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_are_within_limits),
        cmocka_unit_test(the_whole_is_left_alone),
        cmocka_unit_test(strips_fall_back_to_the_middle),
        cmocka_unit_test(single_pixels_spread),
        cmocka_unit_test(bad_options_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
