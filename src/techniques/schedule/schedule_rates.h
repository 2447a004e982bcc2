/* The schedules as plain functions of the step, for their techniques and for tests. `rate` is the
 * optimizer's, `t` counts from 0; what `t` counts from is said in each technique's file. */
#ifndef ESPL_SCHEDULE_RATES_H
#define ESPL_SCHEDULE_RATES_H

#include <espalier/technique.h>

double espl__rate_step(double rate, double factor, int64_t every, int64_t t);
double espl__rate_multi_step(double rate, double factor, const int64_t *at, int count, int64_t t);
double espl__rate_exponential(double rate, double factor, int64_t every, double lowest, int64_t t);
double espl__rate_polynomial(double rate, double lowest, double power, int64_t length, int64_t t);
double espl__rate_cosine(double rate, double lowest, int64_t length, int64_t t);

typedef enum espl__cyclical_shape { ESPL__TRIANGULAR,
                                    ESPL__TRIANGULAR2,
                                    ESPL__EXP_RANGE } espl__cyclical_shape;
double espl__rate_cyclical(double rate, double lowest, int64_t period, espl__cyclical_shape shape, double decay,
                           int64_t t);
double espl__rate_damped_cosine(double rate, double lowest, int64_t period, int64_t fade, int64_t t);
double espl__rate_damped_triangular(double rate, double lowest, int64_t period, double factor, int64_t t);

/* Step c of a cycle that falls by `decay` in each step; and the decay that reaches `end` times the top at
 * the last of so many points. */
double espl__rate_decaying(double top, double lowest, double decay, int64_t c);
double espl__decay_to(double end, int64_t points);

/* From `edge` to `middle` in the share `rise` of the length, then to `end`, which is the last value. */
double espl__one_cycle(double edge, double middle, double end, double rise, bool linear, int64_t length, int64_t t);

/* How sure it is, 0..1, that the values fall: a t-test of the slope, 3 values at least. */
double espl__falling(const double *value, int64_t count);
/* Student's distribution: the probability of at most t. */
double espl__student(double t, int64_t degrees);

#endif
