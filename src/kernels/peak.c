/* Measures the peak of one core. */
#include "kernels/peak.h"

#include "kernels/kernel.h"

#define ROUNDS ((int64_t)20000) /* a tenth of a millisecond or less */
#define REPEATS 100             /* the fastest counts: any other was disturbed, or too early for the clock */

typedef struct probe {
    float (*products)(int64_t rounds);
    double (*operations)(void); /* of a round */
} probe;

#define PROBE(variant)                                   \
    float espl__peak_products_##variant(int64_t rounds); \
    double espl__peak_operations_##variant(void);        \
    static const probe probe_##variant = {               \
        espl__peak_products_##variant,                   \
        espl__peak_operations_##variant,                 \
    };
PROBE(plain)
#ifdef ESPL__HAVE_X86_VARIANTS
PROBE(avx2)
PROBE(avx512)
#endif

static const probe *probe_here(void)
{
#ifdef ESPL__HAVE_X86_VARIANTS
    const espl__isa isa = espl__isa_here();

    if (isa == ESPL__ISA_AVX512)
        return &probe_avx512;
    if (isa == ESPL__ISA_AVX2)
        return &probe_avx2;
#endif
    return &probe_plain;
}

double espl__peak_gflops(void)
{
    const probe *p = probe_here();
    volatile float kept = 0; /* so that the work is not left out */
    double best = 0;

    for (int i = 0; i < REPEATS; i++) {
        const double began = espl__now();
        kept = p->products(ROUNDS);
        const double took = espl__now() - began;
        if (took > 0 && (best <= 0 || took < best))
            best = took;
    }
    (void)kept;
    return best > 0 ? 1e-9 * p->operations() * (double)ROUNDS / best : 0;
}
