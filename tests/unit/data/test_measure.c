/* Mean and deviation of channels, for any number of workers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fixture.h"

#include <math.h>

static int label_of(int64_t i)
{
    return (int)(i % 2);
}

static int value_of(int64_t i)
{
    return (int)(i * i % 251);
}

static int constant(int64_t i)
{
    (void)i;
    return 77;
}

static espl_data *open_with(fixture *f, int threads, espl_context **ctx)
{
    espl_data *data = NULL;
    const espl_context_settings settings = { .threads = threads, .oversubscribe = true };

    assert_int_equal(espl_context_open(&settings, ctx), ESPL_OK);
    assert_int_equal(espl_data_open(*ctx, f->folder, &(espl_data_settings){ .held_out = 0.5 },
                                    &data),
                     ESPL_OK);
    return data;
}

static void equals_the_definition(void **state)
{
    fixture *f = *state;
    uint8_t data[8192];
    double mean[4], deviation[4], first_mean = 0, first_deviation = 0;

    fixture_write(f, "train-images-idx3-ubyte", data,
                  fixture_idx(data, (int64_t[]){ 200, 5, 6, 0 }, value_of));
    fixture_write(f, "train-labels-idx1-ubyte", data,
                  fixture_idx(data, (int64_t[]){ 200, 0 }, label_of));
    for (int threads = 1; threads <= 3; threads++) {
        espl_context *ctx = NULL;
        espl_data *d = open_with(f, threads, &ctx);
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < 100; i++) {
            float *values = fixture_sample(f, d, ESPL_TRAIN, i);
            for (int p = 0; p < 30; p++) {
                sum += values[p] / 255.0;
                squares += values[p] / 255.0 * (values[p] / 255.0);
            }
            free(values);
        }
        assert_int_equal(espl__data_measure(d, 1.0 / 255, mean, deviation), ESPL_OK);
        assert_true(fabs(mean[0] - sum / 3000) < 1e-12);
        assert_true(fabs(deviation[0] - sqrt(squares / 3000 - sum * sum / 9e6)) < 1e-12);
        if (threads == 1) {
            first_mean = mean[0];
            first_deviation = deviation[0];
        }
        assert_true(mean[0] == first_mean && deviation[0] == first_deviation); /* to the bit */
        espl_data_free(d);
        espl_context_free(ctx);
    }
}

static void a_constant_channel_divides_by_one(void **state)
{
    fixture *f = *state;
    uint8_t data[2048];
    double mean[4], deviation[4];

    fixture_write(f, "train-images-idx3-ubyte", data,
                  fixture_idx(data, (int64_t[]){ 20, 3, 3, 0 }, constant));
    fixture_write(f, "train-labels-idx1-ubyte", data,
                  fixture_idx(data, (int64_t[]){ 20, 0 }, label_of));
    espl_data *d = fixture_opens(f, "", NULL);
    assert_int_equal(espl__data_measure(d, 1.0 / 255, mean, deviation), ESPL_OK);
    assert_true(fabs(mean[0] - 77 / 255.0) < 1e-12);
    assert_true(deviation[0] == 1);
    espl_data_free(d);
}

/* CIFAR-10's published figures, over all 50,000; ours come from 10,000 of them. */
static void near_the_published_figures(void **state)
{
    fixture *f = *state;
    static const double published_mean[] = { 0.49139968, 0.48215841, 0.44653091 };
    static const double published_deviation[] = { 0.24703223, 0.24348513, 0.26158784 };
    const char *folder = getenv("ESPALIER_CIFAR10");
    double mean[4], deviation[4];
    espl_data *data = NULL;

    if (!folder || access(folder, R_OK)) {
        print_message("ESPALIER_CIFAR10 names no folder of CIFAR-10 binaries: skipped\n");
        skip();
    }
    assert_int_equal(espl_data_open(f->ctx, folder, NULL, &data), ESPL_OK);
    assert_int_equal(espl__data_measure(data, 1.0 / 255, mean, deviation), ESPL_OK);
    for (int c = 0; c < 3; c++) {
        assert_true(fabs(mean[c] - published_mean[c]) < 0.005);
        assert_true(fabs(deviation[c] - published_deviation[c]) < 0.005);
    }
    espl_data_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(equals_the_definition),
        FIXTURE_TEST(a_constant_channel_divides_by_one),
        FIXTURE_TEST(near_the_published_figures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
