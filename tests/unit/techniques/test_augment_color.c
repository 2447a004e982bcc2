/* Colour jitter: each change against its formula, with the very numbers that were drawn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "augment_rig.h"

static float colourful(int64_t c, int64_t y, int64_t x)
{
    return (float)(((c + 1) * 53 + y * 31 + x * 17 + c * x * y) % 256);
}

/* The draws in the order in which the technique makes them. */
typedef struct drawn {
    double brightness, contrast, saturation, hue;
} drawn;

static drawn draws_of(uint64_t index, double b, double c, double s, double h)
{
    espl_draw draw = rig_draw(index);
    drawn d;

    d.brightness = espl_draw_between(&draw, (float)fmax(0, 1 - b), (float)(1 + b));
    d.contrast = espl_draw_between(&draw, (float)fmax(0, 1 - c), (float)(1 + c));
    d.saturation = espl_draw_between(&draw, (float)fmax(0, 1 - s), (float)(1 + s));
    d.hue = espl_draw_between(&draw, (float)-h, (float)h);
    return d;
}

static double limit(double v)
{
    return v < 0 ? 0 : v > 255 ? 255
                               : v;
}

static double grey_at(int64_t y, int64_t x)
{
    return 0.299 * colourful(0, y, x) + 0.587 * colourful(1, y, x) + 0.114 * colourful(2, y, x);
}

typedef enum change { BRIGHTNESS,
                      CONTRAST,
                      SATURATION } change;

static void check_change(const char *options, change what)
{
    rig *r = rig_open("augment-color", options, 3, 9, 11);
    double mean = 0;

    for (int i = 0; i < 99; i++)
        mean += grey_at(i / 11, i % 11) / 99;
    for (uint64_t i = 0; i < 50; i++) {
        const drawn d = draws_of(i, what == BRIGHTNESS ? 0.6 : 0, what == CONTRAST ? 0.6 : 0,
                                 what == SATURATION ? 1.5 : 0, 0);
        rig_fill(r, colourful);
        rig_act(r, i);
        for (int64_t c = 0; c < 3; c++)
            for (int64_t y = 0; y < 9; y++)
                for (int64_t x = 0; x < 11; x++) {
                    const double v = colourful(c, y, x), grey = grey_at(y, x);
                    const double expected = what == BRIGHTNESS ? v * d.brightness
                                            : what == CONTRAST ? mean + d.contrast * (v - mean)
                                                               : grey + d.saturation * (v - grey);
                    assert_true(fabs(rig_at(r, c, y, x) - limit(expected)) < 1e-3);
                }
    }
    rig_close(r);
}

static void each_change_has_its_formula(void **state)
{
    (void)state;
    check_change("brightness: 0.6, contrast: 0, saturation: 0", BRIGHTNESS);
    check_change("brightness: 0, contrast: 0.6, saturation: 0", CONTRAST);
    check_change("brightness: 0, contrast: 0, saturation: 1.5", SATURATION);
}

/* Hue by the sextants of the colour circle, as textbooks have it. */
static void shifted(const double in[3], double turns, double out[3])
{
    const double most = fmax(in[0], fmax(in[1], in[2])), least = fmin(in[0], fmin(in[1], in[2])),
                 chroma = most - least;
    double hue = 0;

    if (chroma > 0)
        hue = most == in[0]   ? fmod((in[1] - in[2]) / chroma + 6, 6)
              : most == in[1] ? (in[2] - in[0]) / chroma + 2
                              : (in[0] - in[1]) / chroma + 4;
    hue = fmod(hue + 6 * turns + 12, 6);
    const int sextant = (int)hue;
    const double part = hue - sextant, p = least, q = most - chroma * part,
                 t = least + chroma * part;
    const double table[6][3] = { { most, t, p }, { q, most, p }, { p, most, t }, { p, q, most }, { t, p, most }, { most, p, q } };
    memcpy(out, table[sextant % 6], sizeof table[0]);
}

static void hue_goes_around_the_circle(void **state)
{
    rig *r = rig_open("augment-color", "brightness: 0, contrast: 0, saturation: 0, hue: 0.5", 3, 9,
                      11);
    double most = -1, least = 1;

    (void)state;
    for (uint64_t i = 0; i < 200; i++) {
        const double turns = draws_of(i, 0, 0, 0, 0.5).hue;
        most = fmax(most, turns);
        least = fmin(least, turns);
        rig_fill(r, colourful);
        rig_act(r, i);
        for (int64_t y = 0; y < 9; y++)
            for (int64_t x = 0; x < 11; x++) {
                double expected[3];
                shifted((double[3]){ colourful(0, y, x), colourful(1, y, x), colourful(2, y, x) },
                        turns, expected);
                for (int64_t c = 0; c < 3; c++)
                    assert_true(fabs(rig_at(r, c, y, x) - expected[c]) < 2e-2);
            }
    }
    assert_true(most > 0.45 && least < -0.45);
    rig_close(r);
}

static void grey_pictures_change_in_light_only(void **state)
{
    rig *r = rig_open("augment-color", "brightness: 0, contrast: 0.5, saturation: 9, hue: 0.5", 1,
                      9, 11);
    double mean = 0;

    (void)state;
    for (int i = 0; i < 99; i++)
        mean += colourful(0, i / 11, i % 11) / 99;
    rig_fill(r, colourful);
    rig_act(r, 4);
    const double factor = draws_of(4, 0, 0.5, 9, 0.5).contrast;
    for (int i = 0; i < 99; i++)
        assert_true(fabs(r->sample.values[i] -
                         limit(mean + factor * (colourful(0, i / 11, i % 11) - mean))) < 1e-3);
    rig_close(r);
}

static void brighten(double *v, double factor)
{
    for (int i = 0; i < 297; i++)
        v[i] = limit(v[i] * factor);
}

static void change_contrast(double *v, double factor)
{
    double mean = 0;

    for (int i = 0; i < 99; i++)
        mean += (0.299 * v[i] + 0.587 * v[99 + i] + 0.114 * v[198 + i]) / 99;
    for (int i = 0; i < 297; i++)
        v[i] = limit(mean + factor * (v[i] - mean));
}

static double distance(const rig *r, const double *v)
{
    double most = 0;

    for (int i = 0; i < 297; i++)
        most = fmax(most, fabs(r->sample.values[i] - v[i]));
    return most;
}

/* Where values are cut off at 255, brightness before contrast is not contrast before brightness.
 * Every result must be one of the two, and either in about half of the cases. */
static void orders_vary(void **state)
{
    rig *r = rig_open("augment-color", "brightness: 0.8, contrast: 0.8, saturation: 0", 3, 9, 11);
    int bright_first = 0, differ = 0;

    (void)state;
    for (uint64_t i = 0; i < 2000; i++) {
        const drawn d = draws_of(i, 0.8, 0.8, 0, 0);
        double one[297], other[297];
        for (int p = 0; p < 297; p++)
            one[p] = other[p] = colourful(p / 99, p % 99 / 11, p % 11);
        brighten(one, d.brightness);
        change_contrast(one, d.contrast);
        change_contrast(other, d.contrast);
        brighten(other, d.brightness);
        rig_fill(r, colourful);
        rig_act(r, i);
        const double to_one = distance(r, one), to_other = distance(r, other);
        assert_true(fmin(to_one, to_other) < 1e-3);
        if (fmax(to_one, to_other) > 1) {
            differ++;
            bright_first += to_one < to_other;
        }
    }
    assert_true(differ > 500);
    rig_check_mean(bright_first, differ, 0.5, 0.5);
    rig_close(r);
}

static void nothing_asked_nothing_changed(void **state)
{
    rig *r = rig_open("augment-color", "brightness: 0, contrast: 0, saturation: 0, hue: 0", 3, 9,
                      11);

    (void)state;
    rig_fill(r, colourful);
    rig_act(r, 4);
    for (int64_t i = 0; i < 297; i++)
        assert_true(r->sample.values[i] == colourful(i / 99, i % 99 / 11, i % 11));
    rig_close(r);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    rig_refuses("augment-color", "brightness: -1", 3, 8, 8, "brightness");
    rig_refuses("augment-color", "hue: 0.6", 3, 8, 8, "hue");
    rig_refuses("augment-color", "contrast: inf", 3, 8, 8, "contrast");
    rig_refuses("augment-color", "colour: 1", 3, 8, 8, "colour");
    rig_refuses("augment-color", "", 8, 1, 1, "acts on pictures");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_change_has_its_formula),
        cmocka_unit_test(hue_goes_around_the_circle),
        cmocka_unit_test(grey_pictures_change_in_light_only),
        cmocka_unit_test(orders_vary),
        cmocka_unit_test(nothing_asked_nothing_changed),
        cmocka_unit_test(bad_options_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
