/* The transforms of winograd.h for LANES channels at once: those of one dimension, applied to columns and then
 * to rows. */
#ifndef ESPL_WINOGRAD_TRANSFORMS_H
#define ESPL_WINOGRAD_TRANSFORMS_H

#include "kernels/vector/winograd.h"

#if TILE == 2
#include "kernels/vector/winograd_lines_2x2.h"
#elif TAPS == 3
#include "kernels/vector/winograd_lines_3x3.h"
#else
#include "kernels/vector/winograd_lines_5x5.h"
#endif

/* U = G g G' of all taps. */
ESPL__INLINE void transform_filter(const vec g[TAPS * TAPS], vec u[FREQUENCIES])
{
    vec columns[POINTS][TAPS], line[TAPS], all[POINTS];

    for (int j = 0; j < TAPS; j++) {
        for (int i = 0; i < TAPS; i++)
            line[i] = g[TAPS * i + j];
        filter_line(line, all);
        for (int i = 0; i < POINTS; i++)
            columns[i][j] = all[i];
    }
    for (int i = 0; i < POINTS; i++)
        filter_line(columns[i], u + POINTS * i);
}

/* H' M H: the taps from the vectors of all frequencies, `plane` floats apart. */
ESPL__INLINE void transform_taps(const float *m, int64_t plane, vec taps[TAPS * TAPS])
{
    vec rows[TAPS][POINTS], line[POINTS], some[TAPS];

    for (int j = 0; j < POINTS; j++) {
        for (int i = 0; i < POINTS; i++)
            line[i] = v_load(m + (POINTS * i + j) * plane);
        taps_line(line, some);
        for (int i = 0; i < TAPS; i++)
            rows[i][j] = some[i];
    }
    for (int i = 0; i < TAPS; i++)
        taps_line(rows[i], taps + TAPS * i);
}

#endif
