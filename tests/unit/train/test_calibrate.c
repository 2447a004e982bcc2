/* A temperature that is known is found again, accuracy stays and the calibration error falls; what a net keeps of it
 * survives its file, and training forgets it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tiny_run.h"
#include "train/temperature.h"

#include <espalier/calibrate.h>
#include <espalier/ensemble.h>

#define SAMPLES 20000
#define CLASSES 5

static int draw_class(const float *probability, double u)
{
    int k = 0;

    while (k + 1 < CLASSES && u >= (double)probability[k])
        u -= (double)probability[k++];
    return k;
}

/* Logits that are too sure by a factor: labels are drawn with the probabilities at that temperature. */
static void draw(double temperature, float *logits, int32_t *label)
{
    espl__random random = espl__random_at(espl__stream_of(3, "logits"), 0, 0);

    for (int n = 0; n < SAMPLES; n++) {
        float p[CLASSES];
        for (int k = 0; k < CLASSES; k++)
            p[k] = logits[n * CLASSES + k] = 4 * espl__random_normal(&random);
        espl__temper(p, CLASSES, temperature);
        label[n] = draw_class(p, (double)espl__random_uniform(&random));
    }
}

static double mean_loss(const float *logits, const int32_t *label, double temperature)
{
    double sum = 0;

    for (int n = 0; n < SAMPLES; n++)
        sum += espl__tempered_loss(logits + n * CLASSES, CLASSES, label[n], temperature);
    return sum / SAMPLES;
}

/* The expected calibration error, in 15 bins of equal width. */
static double calibration_error(const float *logits, const int32_t *label, double temperature)
{
    double surplus[15] = { 0 }, error = 0; /* of sureness over right answers, of each bin */

    for (int n = 0; n < SAMPLES; n++) {
        float p[CLASSES];
        int best = 0;
        memcpy(p, logits + n * CLASSES, sizeof p);
        espl__temper(p, CLASSES, temperature);
        for (int k = 1; k < CLASSES; k++)
            best = p[k] > p[best] ? k : best;
        const int bin = (int)((double)p[best] * 15);
        surplus[bin < 15 ? bin : 14] += (double)p[best] - (label[n] == best);
    }
    for (int i = 0; i < 15; i++)
        error += fabs(surplus[i]) / SAMPLES;
    return error;
}

static void test_finds_a_known_temperature(void **unused)
{
    float *logits = calloc(SAMPLES * CLASSES, sizeof *logits);
    int32_t *label = calloc(SAMPLES, sizeof *label);

    (void)unused;
    for (int i = 0; i < 3; i++) {
        const double known = (const double[]){ 0.5, 1, 2.5 }[i];
        double found = 0;
        draw(known, logits, label);
        assert_true(espl__find_temperature(logits, label, SAMPLES, CLASSES, &found));
        assert_true(fabs(log(found / known)) < 0.05);
        assert_true(calibration_error(logits, label, found) < 0.02);
        if (known != 1)
            assert_true(calibration_error(logits, label, found) < calibration_error(logits, label, 1) / 2);
        const double least = mean_loss(logits, label, found);
        assert_true(least <= mean_loss(logits, label, known));
        assert_true(least < mean_loss(logits, label, 1.02 * found) && least < mean_loss(logits, label, found / 1.02));
    }
    free(logits);
    free(label);
}

/* Two classes, logits 0 and 2, three of four right: the loss is least where sigmoid(2 / T) = 3/4, at T = 2 / ln 3. */
static void test_by_hand(void **unused)
{
    const float logits[] = { 0, 2, 0, 2, 0, 2, 0, 2 };
    const int32_t label[] = { 1, 1, 1, 0 }, right[] = { 1, 1, 1, 1 }, wrong[] = { 0, 0, 0, 0 };
    float p[] = { 0, 2 };
    double found = 0;

    (void)unused;
    assert_true(espl__find_temperature(logits, label, 4, 2, &found));
    assert_true(fabs(found - 2 / log(3)) < 1e-9);
    espl__temper(p, 2, found);
    assert_true(fabs((double)p[1] - 0.75) < 1e-6);
    assert_true(fabs(espl__tempered_loss(logits, 2, 1, found) + log(0.75)) < 1e-9);
    assert_false(espl__find_temperature(logits, right, 4, 2, &found)); /* the surer the better */
    assert_false(espl__find_temperature(logits, wrong, 4, 2, &found));
}

static espl_net *load(tiny *t, espl_context *ctx, const char *name)
{
    char path[256];
    espl_net *net = NULL;

    snprintf(path, sizeof path, "%s/%s", t->folder, name);
    if (espl_net_load(ctx, path, &net))
        fail_msg("%s", espl_message(ctx));
    return net;
}

static espl_data *open_data(tiny *t, espl_context *ctx)
{
    char path[256];
    espl_data *data = NULL;

    snprintf(path, sizeof path, "%s/data", t->folder);
    assert_int_equal(espl_data_open(ctx, path, NULL, &data), ESPL_OK);
    return data;
}

static void test_a_net_keeps_it(void **state)
{
    tiny *t = *state;
    const char *const set[] = { "epochs=1", "optimizer.sgd.rate=0.01", NULL };
    espl_context *ctx = NULL;
    espl_calibration c;
    espl_score before, after;
    float sample[64] = { 0 }, p[3], q[3];
    char path[256];

    tiny_hash(t, &(tiny_job){ .text = TINY_RECIPE("tiny.yaml", ""), .set = set });
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    espl_net *net = load(t, ctx, "run/net.safetensors");
    espl_data *data = open_data(t, ctx);
    assert_int_equal(espl_score_net(net, data, ESPL_HELD_OUT, 0, &before), ESPL_OK);
    assert_int_equal(espl_predict(net, sample, 1, p), ESPL_OK);
    if (espl_net_calibrate(net, data, ESPL_HELD_OUT, 0.2, &c))
        fail_msg("%s", espl_message(ctx));
    snprintf(path, sizeof path, "%s/calibrated.safetensors", t->folder);
    assert_int_equal(espl_net_save(net, path), ESPL_OK);
    espl_net_free(net);
    net = load(t, ctx, "calibrated.safetensors");
    assert_true(fabs(espl_net_temperature(net) - c.temperature) < 1e-12 * c.temperature);
    assert_true(fabs(espl_net_unknown(net) - c.unknown) < 1e-12 && c.unknown > 0);
    assert_int_equal(espl_score_net(net, data, ESPL_HELD_OUT, 0, &after), ESPL_OK);
    assert_true(after.top1 == before.top1 && fabs(after.top1 - c.top1) < 1e-12);
    assert_true(fabs(after.loss - c.loss) < 1e-5 && fabs(before.loss - c.loss_before) < 1e-5);
    assert_true(c.loss <= c.loss_before && c.refused_right <= 0.2 && c.refused_right <= c.refused_wrong + 0.2);
    assert_int_equal(espl_predict(net, sample, 1, q), ESPL_OK);
    /* ln(p0 / p1) is divided by the temperature */
    assert_true(fabs(log((double)q[0] / (double)q[1]) * c.temperature - log((double)p[0] / (double)p[1])) < 1e-3);
    espl_score_free(&before);
    espl_score_free(&after);
    espl_net_free(net);
    espl_data_free(data);
    espl_context_free(ctx);
}

/* An ensemble's logits are those that the mean of its members' probabilities has. */
static void test_of_an_ensemble(void **state)
{
    tiny *t = *state;
    espl_context *ctx = NULL;
    espl_net *members[2], *net = NULL;
    espl_calibration c;
    espl_score after;
    char path[256];

    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    for (int m = 0; m < 2; m++) {
        const char *const set[] = { "epochs=1", "optimizer.sgd.rate=0.01", m ? "seed=1" : "seed=2", NULL };
        tiny_hash(t, &(tiny_job){ .text = TINY_RECIPE("tiny.yaml", ""), .set = set });
        members[m] = load(t, ctx, "run/net.safetensors");
    }
    assert_int_equal(espl_ensemble_build(members, 2, ESPL_COMBINE_MEAN, NULL, &net), ESPL_OK);
    espl_data *data = open_data(t, ctx);
    if (espl_net_calibrate(net, data, ESPL_HELD_OUT, 0.2, &c))
        fail_msg("%s", espl_message(ctx));
    assert_true(c.temperature != 1 && c.loss < c.loss_before);
    snprintf(path, sizeof path, "%s/ensemble.safetensors", t->folder);
    assert_int_equal(espl_net_save(net, path), ESPL_OK);
    espl_net_free(net);
    net = load(t, ctx, "ensemble.safetensors");
    assert_int_equal(espl_score_net(net, data, ESPL_HELD_OUT, 0, &after), ESPL_OK);
    assert_true(after.top1 == c.top1 && fabs(after.loss - c.loss) < 1e-5);
    espl_score_free(&after);
    for (int m = 0; m < 2; m++)
        espl_net_free(members[m]);
    espl_net_free(net);
    espl_data_free(data);
    espl_context_free(ctx);
}

static void test_refuses_and_forgets(void **state)
{
    tiny *t = *state;
    espl_context *ctx = NULL;
    espl_calibration c;
    espl_run *run = NULL;

    tiny_hash(t, &(tiny_job){ .text = TINY_RECIPE("tiny.yaml", ""), .set = (const char *const[]){ "epochs=1", NULL } });
    assert_int_equal(espl_context_open(NULL, &ctx), ESPL_OK);
    espl_net *net = load(t, ctx, "run/net.safetensors");
    espl_data *data = open_data(t, ctx);
    assert_int_equal(espl_net_calibrate(net, data, ESPL_HELD_OUT, 1, &c), ESPL_BAD_OPTION);
    assert_int_equal(espl_net_calibrate(net, data, ESPL_HELD_OUT, NAN, &c), ESPL_BAD_OPTION);
    assert_true(espl_net_temperature(net) == 1 && espl_net_unknown(net) == 0);
    net->temperature = 3;
    net->unknown = 0.5;
    assert_int_equal(espl_run_open(net, data, "epochs: 1", &run), ESPL_OK);
    assert_int_equal(espl_run_fit(run), ESPL_OK);
    assert_true(espl_net_temperature(net) == 1 && espl_net_unknown(net) == 0);
    espl_run_free(run);
    espl_net_free(net);
    espl_data_free(data);
    espl_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_a_known_temperature),
        cmocka_unit_test(test_by_hand),
        TINY_TEST_OF(test_a_net_keeps_it),
        TINY_TEST_OF(test_of_an_ensemble),
        TINY_TEST_OF(test_refuses_and_forgets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
