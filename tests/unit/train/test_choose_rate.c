/* Choosing a rate from curves whose answer is known: right in spite of noise, and refused where noise hides it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "train/rate_curve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define POINTS 100
#define RUNS 100

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* The loss falls by the logistic curve around 0.003 and breaks around 0.5; behind normalizations it rises by noise there,
 * a quarter of the fall, and breaks far above. */
static double truth(double rate, double fall, bool normalized)
{
    const double x = log(rate), fallen = 2.3 - fall * logistic((x - log(0.003)) / 0.7);

    return fallen + (normalized ? 0.25 * fall * logistic((x - log(0.5)) / 0.5) : exp((x - log(0.5)) / 0.3));
}

/* Of the part where nine tenths of the fall are done the middle, in the logarithm, or the upper end. */
static double known_answer(double fall, bool normalized)
{
    double lowest = 2.3, in = 0, out = 0;

    for (double x = -11; x < 2; x += 1e-4)
        lowest = fmin(lowest, truth(exp(x), fall, normalized));
    for (double x = -11; x < 2; x += 1e-4)
        if (truth(exp(x), fall, normalized) <= 2.3 - 0.9 * (2.3 - lowest)) {
            in = in < 0 ? in : x;
            out = x;
        }
    return normalized ? exp(out) : exp(0.5 * (in + out));
}

/* A test of the given noise, diverged where the loss is above four times the first; where the curve rises slowly, with as
 * many repeats as a test has by default. */
static void measure(espl__rate_curve *curve, int run, double fall, double noise, bool normalized)
{
    *curve = (espl__rate_curve){ .count = POINTS, .repeats = normalized ? 3 : 1, .normalized = normalized };
    espl__rates_spread(1e-5, 10, POINTS, curve->rate);
    for (int r = 0; r < curve->repeats; r++) {
        espl__random random = espl__random_at(espl__stream_of(1, "noise"), (uint32_t)run, (uint32_t)r);
        for (int i = 0; i < POINTS; i++) {
            const double loss = truth(curve->rate[i], fall, normalized) + noise * (double)espl__random_normal(&random);
            curve->loss[r][i] = loss > 9 ? NAN : loss;
            curve->training[r][i] = loss;
        }
    }
}

static espl__rate_curve *curve;
static espl_rates *rates;

static int open(void **unused)
{
    (void)unused;
    curve = calloc(1, sizeof *curve);
    rates = calloc(1, sizeof *rates);
    return !curve || !rates;
}

static int shut(void **unused)
{
    (void)unused;
    free(curve);
    free(rates);
    return 0;
}

static void expect_found(double answer, bool normalized)
{
    int right = 0, held = 0;

    for (int run = 0; run < RUNS; run++) {
        measure(curve, run, 1.5, 0.1, normalized);
        espl__choose_rate(curve, (uint64_t)run, rates);
        right += rates->trusted && fabs(log(rates->rate / answer)) < log(1.5);
        held += rates->trusted && rates->low / 1.3 < answer && answer < rates->high * 1.3 &&
                rates->low <= rates->rate && rates->rate <= rates->high;
    }
    if (right < 95 || held < 95)
        fail_msg("%d of %d are within a factor of 1.5 of %.3g, %d intervals hold it", right, RUNS, answer, held);
}

static void test_finds_the_known_answer_in_noise(void **unused)
{
    (void)unused;
    expect_found(known_answer(1.5, false), false);
    expect_found(known_answer(1.5, true), true);
}

static void test_without_noise(void **unused)
{
    const double answer = known_answer(1.5, false);

    (void)unused;
    measure(curve, 0, 1.5, 0, false);
    espl__choose_rate(curve, 0, rates);
    assert_true(rates->trusted && fabs(log(rates->rate / answer)) < log(1.2));
    assert_true(rates->base < rates->rate && rates->rate < rates->maximum * 1.1);
    assert_true(rates->steepest < rates->rate); /* why the known rules are not taken */
    assert_true(rates->valley < rates->rate);
}

static void expect_refusal(const char *words)
{
    espl__choose_rate(curve, 0, rates);
    if (rates->trusted || !isnan(rates->rate) || !strstr(rates->reason, words))
        fail_msg("%s, expected a refusal with \"%s\"", rates->reason, words);
}

static void test_refuses_what_noise_hides(void **unused)
{
    int refused = 0;

    (void)unused;
    for (int run = 0; run < RUNS; run++) {
        measure(curve, run, 0.1, 0.1, run % 2);
        espl__choose_rate(curve, (uint64_t)run, rates);
        refused += !rates->trusted && isnan(rates->rate) && strstr(rates->reason, "does not support a choice");
    }
    if (refused < 95)
        fail_msg("%d of %d are refused", refused, RUNS);
}

static void test_refuses_ranges_that_end_too_soon(void **unused)
{
    (void)unused;
    measure(curve, 0, 1.5, 0.01, false);
    espl__rates_spread(1e-5, 0.01, POINTS, curve->rate);
    for (int i = 0; i < POINTS; i++)
        curve->loss[0][i] = truth(curve->rate[i], 1.5, false);
    expect_refusal("try higher ones");
    for (int i = 0; i < POINTS; i++)
        curve->loss[0][i] = 1 + 0.01 * i;
    expect_refusal("no rate lowers the loss");
    for (int i = 0; i < POINTS; i++)
        curve->loss[0][i] = NAN;
    expect_refusal("no rate lowers the loss");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_the_known_answer_in_noise),
        cmocka_unit_test(test_without_noise),
        cmocka_unit_test(test_refuses_what_noise_hides),
        cmocka_unit_test(test_refuses_ranges_that_end_too_soon),
    };

    return cmocka_run_group_tests(tests, open, shut);
}
