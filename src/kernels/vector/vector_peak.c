/* As many fused multiply-adds as a core can do: what the speed of a layer is compared with. */
#include "kernels/vector/vector.h"

#define CHAINS 12 /* more than latency times units of any core */

float ESPL__VECTOR(peak_products)(int64_t rounds); /* peak.c picks one */
double ESPL__VECTOR(peak_operations)(void);

float ESPL__VECTOR(peak_products)(int64_t rounds)
{
    const vec factor = v_all(0.999f), step = v_all(0.001f);
    vec sum[CHAINS];
    float all[LANES];

    for (int i = 0; i < CHAINS; i++)
        sum[i] = v_all((float)i);
    for (int64_t r = 0; r < rounds; r++)
        for (int i = 0; i < CHAINS; i++)
            sum[i] = v_fma(sum[i], factor, step);
    for (int i = 1; i < CHAINS; i++)
        sum[0] += sum[i];
    v_store(all, sum[0]);
    return all[0];
}

double ESPL__VECTOR(peak_operations)(void)
{
    return 2.0 * LANES * CHAINS;
}
