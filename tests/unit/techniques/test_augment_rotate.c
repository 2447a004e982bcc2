/* Rotation: a slope stays a slope, turned by the angle that was drawn; corners are filled; angles
 * are even. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "augment_rig.h"

/* Planes that rise to the right and downwards: looked up between pixels they are exact. */
static float slopes(int64_t c, int64_t y, int64_t x)
{
    return c == 0 ? (float)x : (float)y;
}

/* The angle that the draws of this index give. */
static double angle_of(uint64_t index, double most)
{
    espl_draw draw = rig_draw(index);

    return espl_draw_between(&draw, (float)-most, (float)most) * 3.14159265358979323846 / 180;
}

static void looks_up_where_pixels_came_from(void **state)
{
    rig *r = rig_open("augment-rotate", "degrees: 180, fill: mean", 2, 21, 31);
    int inside = 0, outside = 0;

    (void)state;
    r->neutral[0] = r->neutral[1] = -500;
    for (uint64_t i = 0; i < 60; i++) {
        const double angle = angle_of(i, 180);
        rig_fill(r, slopes);
        rig_act(r, i);
        for (int64_t y = 0; y < 21; y++)
            for (int64_t x = 0; x < 31; x++) {
                const double dx = (double)x - 15, dy = (double)y - 10;
                const double from_x = 15 + cos(angle) * dx - sin(angle) * dy,
                             from_y = 10 + sin(angle) * dx + cos(angle) * dy;
                if (from_x > 1e-3 && from_x < 30 - 1e-3 && from_y > 1e-3 && from_y < 20 - 1e-3) {
                    assert_true(fabs(rig_at(r, 0, y, x) - from_x) < 1e-3 &&
                                fabs(rig_at(r, 1, y, x) - from_y) < 1e-3);
                    inside++;
                } else if (from_x < -1.001 || from_x > 31.001 || from_y < -1.001 ||
                           from_y > 21.001) {
                    assert_true(rig_at(r, 0, y, x) == -500);
                    outside++;
                }
            }
    }
    assert_true(inside > 60 * 200 && outside > 1000);
    rig_close(r);
}

/* Positive angles turn against the clock: what was on the right is then on top. */
static void positive_is_against_the_clock(void **state)
{
    rig *r = rig_open("augment-rotate", "degrees: 180", 1, 21, 21);
    double best = 9, angle = 0;
    uint64_t index = 0;

    (void)state;
    for (uint64_t i = 0; i < 3000; i++)
        if (fabs(angle_of(i, 180) - 1.5707963) < best) {
            angle = angle_of(i, 180);
            best = fabs(angle - 1.5707963);
            index = i;
        }
    rig_fill(r, slopes);
    rig_act(r, index);
    assert_true(angle > 1.56 && angle < 1.58);
    assert_true(rig_at(r, 0, 2, 10) > 17 && rig_at(r, 0, 18, 10) < 3);
    rig_close(r);
}

static void no_angle_is_no_change(void **state)
{
    rig *r = rig_open("augment-rotate", "degrees: 0", 2, 8, 7);

    (void)state;
    rig_fill(r, rig_place);
    rig_act(r, 5);
    for (int64_t i = 0; i < 2 * 56; i++)
        assert_true(r->sample.values[i] == rig_place(i / 56, i % 56 / 7, i % 7));
    rig_close(r);
}

static void angles_are_even(void **state)
{
    double sum = 0, squares = 0;

    (void)state;
    for (uint64_t i = 0; i < 4000; i++) {
        const double angle = angle_of(i, 15) * 180 / 3.14159265358979323846;
        assert_true(fabs(angle) <= 15);
        sum += angle;
        squares += angle * angle;
    }
    rig_check_mean(sum, 4000, 0, 15 / sqrt(3));
    rig_check_mean(squares, 4000, 75, 75 * 0.9);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    rig_refuses("augment-rotate", "degrees: -1", 3, 8, 8, "degrees");
    rig_refuses("augment-rotate", "degrees: 181", 3, 8, 8, "degrees");
    rig_refuses("augment-rotate", "fill: 7", 3, 8, 8, "fill");
    rig_refuses("augment-rotate", "", 8, 1, 1, "acts on pictures");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_up_where_pixels_came_from),
        cmocka_unit_test(positive_is_against_the_clock),
        cmocka_unit_test(no_angle_is_no_change),
        cmocka_unit_test(angles_are_even),
        cmocka_unit_test(bad_options_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
