/* The most that one core of this machine computes in f32. */
#ifndef ESPL_PEAK_H
#define ESPL_PEAK_H

/* GFLOP/s of one thread, measured for some milliseconds with the widest vectors of this processor. */
double espl__peak_gflops(void);

#endif
