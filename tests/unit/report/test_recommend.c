/* Which candidate is recommended: the cheapest that samples cannot tell from the best, the best where they can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "report/candidates.h"

#include <string.h>

#define SAMPLES 200

static espl__candidates candidates;
static float probability[3][2 * SAMPLES];
static int32_t label[SAMPLES];

/* Right in the first `right` samples; all are of class 1. */
static void add(const char *name, int right, int64_t macs, double nll)
{
    espl__entry *e = &candidates.entry[candidates.count];
    float *p = probability[candidates.count++];

    for (int n = 0; n < SAMPLES; n++) {
        label[n] = 1;
        p[2 * n + 1] = n < right ? .9f : .2f;
        p[2 * n] = 1 - p[2 * n + 1];
    }
    *e = (espl__entry){ .about = { .top1 = (double)right / SAMPLES, .macs = macs, .nll = nll },
                        .answers = { .samples = SAMPLES, .classes = 2, .probability = p, .label = label } };
    strcpy(e->about.name, name);
}

static void check(const char *name, const char *words)
{
    espl_compared r = { .samples = SAMPLES };

    espl__recommend(&candidates, &r);
    assert_string_equal(candidates.entry[r.recommended].about.name, name);
    if (!strstr(r.reason, words))
        fail_msg("\"%s\" is not in \"%s\"", words, r.reason);
    candidates.count = 0;
}

static void test_recommends(void **unused)
{
    (void)unused;
    add("one", 190, 100, .3); /* 2 samples less: chance */
    add("five", 192, 500, .2);
    check("one", "200 samples cannot tell that from five with 96.00 %. Of all such candidates it costs least, and costs "
                 "5.0 times less");
    add("one", 180, 100, .3); /* 12 less: not chance */
    add("five", 192, 500, .2);
    check("five", "five has the largest accuracy");
    add("one", 190, 100, .3); /* of equal cost the surer one */
    add("ema", 190, 100, .2);
    add("five", 191, 500, .2);
    check("ema", "costs 5.0 times less");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recommends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
