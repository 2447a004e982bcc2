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

#endif
