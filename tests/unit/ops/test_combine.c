/* Ensembles of logits against numbers worked out apart: mean, vote and geometric mean, ties, what equal members
 * come to, and voters that err independently. */
#include "op_run.h"
#include "ops/combine.h"

#define CLASSES_MAX 4

/* Opens an ensemble of `members` whose probabilities of one sample are given, row by row. */
static void open_rows(op_run *r, const espl__combine *a, int members, int classes, const double *rows)
{
    espl__shape inputs[ESPL_LIST_MAX];

    for (int m = 0; m < members; m++)
        inputs[m] = espl__shape_vector(classes);
    op_open(r, "combine", a, inputs, members, 1);
    for (int m = 0; m < members; m++)
        for (int k = 0; k < classes; k++)
            r->node.input[m][k] = (float)(log(rows[m * classes + k]) + 0.5 * m); /* logits are free by a constant */
    op_go(r, false);
}

/* The softmax of what came out. */
static void probabilities(const op_run *r, int classes, double *p)
{
    double sum = 0;

    for (int k = 0; k < classes; k++)
        sum += p[k] = exp((double)r->result.output[k]);
    for (int k = 0; k < classes; k++)
        p[k] /= sum;
}

static void check(const espl__combine *a, int members, int classes, const double *rows, const double *expected)
{
    double p[CLASSES_MAX];
    op_run r;

    open_rows(&r, a, members, classes, rows);
    probabilities(&r, classes, p);
    for (int k = 0; k < classes; k++)
        if (!(fabs(p[k] - expected[k]) < 1e-6))
            fail_msg("class %d has %.9g, not %.9g", k, p[k], expected[k]);
    op_free(&r);
}

static const double three[] = { .40, .35, .25, .42, .38, .20, .05, .90, .05 };

static void test_mean(void **unused)
{
    double nll = 0;

    (void)unused;
    check(&(espl__combine){ .by = ESPL__COMBINE_MEAN }, 3, 3, three, (const double[]){ .29, .5433333, .1666667 });
    check(&(espl__combine){ .by = ESPL__COMBINE_MEAN, .weights = { 3, { .5, .5, 0 } } }, 3, 3, three,
          (const double[]){ .41, .365, .225 });
    for (int m = 0; m < 3; m++)
        nll -= log(three[3 * m + 1]) / 3;
    assert_true(fabs(nll - .707589) < 1e-6 && -log(.5433333) < nll); /* Jensen */
}

/* The squared error of the mean is the mean of the members' less their spread (Krogh and Vedelsby 1995): for .1, .2 and .4
 * where .2 is right, a hundredth of 1/9 = 5/3 - 14/9. */
static void test_ambiguity(void **unused)
{
    const double rows[] = { .1, .9, .2, .8, .4, .6 }, right = .2;
    double p[2], errors = 0, spread = 0;
    op_run r;

    (void)unused;
    open_rows(&r, &(espl__combine){ .by = ESPL__COMBINE_MEAN }, 3, 2, rows);
    probabilities(&r, 2, p);
    for (int m = 0; m < 3; m++) {
        errors += (rows[2 * m] - right) * (rows[2 * m] - right) / 3;
        spread += (rows[2 * m] - p[0]) * (rows[2 * m] - p[0]) / 3;
    }
    const double error = (p[0] - right) * (p[0] - right);
    assert_true(fabs(error - .00111111) < 1e-7 && fabs(errors - .01666667) < 1e-7 && fabs(spread - .01555556) < 1e-7);
    assert_true(fabs(error - (errors - spread)) < 1e-7);
    op_free(&r);
}

/* Votes 0, 0, 1, where the mean probability says 1. It is a fourth voter, who cannot turn a majority. */
static void test_vote(void **unused)
{
    (void)unused;
    check(&(espl__combine){ .by = ESPL__COMBINE_VOTE }, 3, 3, three,
          (const double[]){ 2.29 / 4, 1.5433333 / 4, .1666667 / 4 });
    check(&(espl__combine){ .by = ESPL__COMBINE_VOTE }, 2, 2, (const double[]){ .6, .4, .1, .9 }, /* a tie */
          (const double[]){ 1.35 / 3, 1.65 / 3 });
    check(&(espl__combine){ .by = ESPL__COMBINE_VOTE }, 2, 2, (const double[]){ .6, .4, .4, .6 }, /* and no way out */
          (const double[]){ .5, .5 });
}

static void test_geometric(void **unused)
{
    const double rows[] = { .9, .1, .2, .8 };

    (void)unused;
    check(&(espl__combine){ .by = ESPL__COMBINE_MEAN }, 2, 2, rows, (const double[]){ .55, .45 });
    check(&(espl__combine){ .by = ESPL__COMBINE_LOGITS }, 2, 2, rows, (const double[]){ .6, .4 });
}

/* An ensemble of one net many times is that net, bit for bit. */
static void test_equal_members(void **unused)
{
    const espl__shape inputs[6] = { espl__shape_vector(4), espl__shape_vector(4), espl__shape_vector(4),
                                    espl__shape_vector(4), espl__shape_vector(4), espl__shape_vector(4) };
    const double z[] = { -300.25, 1e-20, 88.3, 17 };

    (void)unused;
    for (int by = ESPL__COMBINE_MEAN; by <= ESPL__COMBINE_LOGITS; by += ESPL__COMBINE_LOGITS)
        for (int members = 1; members <= 6; members++) {
            op_run r;
            op_open(&r, "combine", &(espl__combine){ .by = by }, inputs, members, 1);
            for (int m = 0; m < members; m++)
                op_set(r.node.input[m], z, 4);
            op_go(&r, false);
            assert_memory_equal(r.result.output, r.node.input[0], 4 * sizeof(float));
            op_free(&r);
        }
}

/* How often voters are wrong together who are wrong with probability `error`, each for himself. */
static double error_of(int voters, double error)
{
    double sum = 0;

    for (unsigned pattern = 0; pattern < 1u << voters; pattern++) {
        double rows[2 * ESPL_LIST_MAX], p[2], chance = 1;
        op_run r;
        for (int m = 0; m < voters; m++) {
            const bool wrong = pattern >> m & 1;
            rows[2 * m] = wrong ? .45 : .55;
            rows[2 * m + 1] = 1 - rows[2 * m];
            chance *= wrong ? error : 1 - error;
        }
        open_rows(&r, &(espl__combine){ .by = ESPL__COMBINE_VOTE }, voters, 2, rows);
        probabilities(&r, 2, p);
        sum += p[1] > p[0] ? chance : 0;
        op_free(&r);
    }
    return sum;
}

static void test_independent_voters(void **unused)
{
    (void)unused;
    assert_true(fabs(error_of(3, .3) - .216) < 1e-12);
    assert_true(fabs(error_of(5, .3) - .16308) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mean),
        cmocka_unit_test(test_ambiguity),
        cmocka_unit_test(test_vote),
        cmocka_unit_test(test_geometric),
        cmocka_unit_test(test_equal_members),
        cmocka_unit_test(test_independent_voters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
