/* The interval of a share: cases worked out by hand and limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <espalier/report.h>
#include <math.h>

static void expect(double share, int64_t count, double low, double high)
{
    double l, h;

    espl_interval_95(share, count, &l, &h);
    assert_true(fabs(l - low) < 5e-5);
    assert_true(fabs(h - high) < 5e-5);
}

static void known_intervals(void **state)
{
    (void)state;
    expect(0.5, 10, 0.2366, 0.7634);
    expect(0.9, 10, 0.5958, 0.9821);
    expect(0, 10, 0, 0.2775); /* z^2 / (n + z^2) */
    expect(1, 10, 0.7225, 1);
    expect(0.87, 548, 0.8392, 0.8956);
    expect(0.5, 0, 0, 1);
    expect(NAN, 10, 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(known_intervals) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
