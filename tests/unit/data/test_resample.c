/* Resizing against Pillow's own results (tests/golden/pillow_pictures.py), and the two-point rule
 * by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "data/fitting.h"
#include "data/resample.h"
#include "fixture.h"

#include <math.h>

/* The sequence of the golden script. */
static uint8_t golden_value(int64_t i)
{
    return (uint8_t)((uint32_t)(i * 2654435761LL + 12345) >> 24);
}

typedef struct golden {
    char rule[16];
    int64_t channels, height, width, to_height, to_width;
} golden;

static bool next_case(FILE *file, golden *g)
{
    long long n[5];

    if (fscanf(file, "%15s %lld %lld %lld %lld %lld", g->rule, &n[0], &n[1], &n[2], &n[3], &n[4]) !=
        6)
        return false;
    g->channels = n[0];
    g->height = n[1];
    g->width = n[2];
    g->to_height = n[3];
    g->to_width = n[4];
    return true;
}

static void check_floats(FILE *file, const golden *g, espl__reading *reading)
{
    float *in = malloc((size_t)(g->height * g->width) * sizeof *in);
    float *out = malloc((size_t)(g->to_height * g->to_width) * sizeof *out);
    const espl__window window = { g->to_height, g->to_width, 0, 0, g->to_height, g->to_width };

    for (int64_t i = 0; i < g->height * g->width; i++)
        in[i] = golden_value(i);
    assert_int_equal(espl__resize_plane(in, g->width, g->height, g->width, window, true, out,
                                        reading),
                     ESPL_OK);
    for (int64_t i = 0; i < g->to_height * g->to_width; i++) {
        double expected;
        assert_int_equal(fscanf(file, "%lf", &expected), 1);
        assert_true(fabs(out[i] - expected) <
                    255 * 100 * 6e-8); /* at most 100 sums of values up to 255 */
    }
    free(in);
    free(out);
}

static void check_bytes(FILE *file, const golden *g, espl__reading *reading)
{
    const int64_t size = g->height * g->width * g->channels, result = g->to_height * g->to_width;
    uint8_t *in = malloc((size_t)size);
    float *out = malloc((size_t)(result * g->channels) * sizeof *out);
    espl__fitting fitting = { g->channels, g->to_height, g->to_width, ESPL__FIT_CROP };

    assert_true(espl__fit_rule_of(g->rule, &fitting.rule));
    for (int64_t i = 0; i < size; i++)
        in[i] = golden_value(i);
    assert_int_equal(espl__fitting_pixels(&fitting, in, g->channels, g->height, g->width, out,
                                          reading),
                     ESPL_OK);
    for (int64_t i = 0; i < result; i++)
        for (int64_t c = 0; c < g->channels; c++) {
            int expected;
            assert_int_equal(fscanf(file, "%d", &expected), 1);
            if (out[c * result + i] != (float)expected)
                fail_msg("%s %lldx%lld to %lldx%lld: pixel %lld channel %lld is %g, Pillow has %d",
                         g->rule, (long long)g->height, (long long)g->width,
                         (long long)g->to_height, (long long)g->to_width, (long long)i,
                         (long long)c, (double)out[c * result + i], expected);
        }
    free(in);
    free(out);
}

static void equals_pillow(void **state)
{
    fixture *f = *state;
    FILE *file = fopen(ESPL__SOURCE_DIR "/tests/golden/pillow_resize.txt", "r");
    espl__reading reading = { .ctx = f->ctx };
    golden g;
    int cases = 0;

    assert_non_null(file);
    for (; next_case(file, &g); cases++)
        if (!strcmp(g.rule, "float"))
            check_floats(file, &g, &reading);
        else
            check_bytes(file, &g, &reading);
    assert_int_equal(cases, 19);
    fclose(file);
    espl__reading_end(&reading);
}

static void keras_looks_at_two_points(void **state)
{
    fixture *f = *state;
    espl__reading reading = { .ctx = f->ctx };
    const uint8_t two[] = { 0, 100 }, eight[] = { 0, 10, 20, 30, 40, 50, 60, 70 };
    float out[8];

    espl__fitting fitting = { 1, 1, 4, ESPL__FIT_KERAS };
    assert_int_equal(espl__fitting_pixels(&fitting, two, 1, 1, 2, out, &reading), ESPL_OK);
    assert_true(out[0] == 0 && out[1] == 25 && out[2] == 75 && out[3] == 100);
    fitting.width = 2;
    assert_int_equal(espl__fitting_pixels(&fitting, eight, 1, 1, 8, out, &reading), ESPL_OK);
    assert_true(out[0] == 15 &&
                out[1] == 55); /* between pixels 1, 2 and 5, 6; the others are never seen */
    fitting.width = 1;
    fitting.height = 2;
    assert_int_equal(espl__fitting_pixels(&fitting, eight, 1, 8, 1, out, &reading), ESPL_OK);
    assert_true(out[0] == 15 && out[1] == 55);
    espl__reading_end(&reading);
}

static void changes_channels(void **state)
{
    fixture *f = *state;
    espl__reading reading = { .ctx = f->ctx };
    const uint8_t colour[] = { 255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255 }, grey[] = { 7, 9 };
    const float planes[] = { 100, 50, 200, 50, 10, 50 };
    float out[8];
    espl__fitting fitting = { 1, 1, 4, ESPL__FIT_CROP };

    assert_int_equal(espl__fitting_pixels(&fitting, colour, 3, 1, 4, out, &reading), ESPL_OK);
    assert_true(out[0] == 76 && out[1] == 150 && out[2] == 29 &&
                out[3] == 255); /* Pillow's convert("L") */
    fitting.channels = 3;
    fitting.width = 2;
    assert_int_equal(espl__fitting_pixels(&fitting, grey, 1, 1, 2, out, &reading), ESPL_OK);
    for (int c = 0; c < 3; c++)
        assert_true(out[2 * c] == 7 && out[2 * c + 1] == 9);
    fitting.channels = 1;
    assert_int_equal(espl__fitting_planes(&fitting, planes, 3, 1, 2, out, &reading), ESPL_OK);
    assert_true(fabsf(out[0] - (29.9f + 117.4f + 1.14f)) < 1e-4f && fabsf(out[1] - 50) < 1e-4f);
    espl__reading_end(&reading);
}

/* Reading a window of a larger result gives the same values as cutting it out of the whole. */
static void windows_are_cut_outs(void **state)
{
    fixture *f = *state;
    espl__reading reading = { .ctx = f->ctx };
    float in[30 * 20], whole[12 * 10], part[5 * 4];
    const espl__window all = { 12, 10, 0, 0, 12, 10 }, some = { 12, 10, 3, 2, 5, 4 };

    for (int i = 0; i < 600; i++)
        in[i] = golden_value(i);
    assert_int_equal(espl__resize_plane(in, 20, 30, 20, all, true, whole, &reading), ESPL_OK);
    assert_int_equal(espl__resize_plane(in, 20, 30, 20, some, true, part, &reading), ESPL_OK);
    for (int y = 0; y < 5; y++)
        for (int x = 0; x < 4; x++)
            assert_true(part[y * 4 + x] == whole[(y + 3) * 10 + x + 2]);
    espl__reading_end(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(equals_pillow),
        FIXTURE_TEST(keras_looks_at_two_points),
        FIXTURE_TEST(changes_channels),
        FIXTURE_TEST(windows_are_cut_outs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
