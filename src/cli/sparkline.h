/* A curve in one line of text. */
#ifndef ESPL_SPARKLINE_H
#define ESPL_SPARKLINE_H

#include <stdio.h>

/* The values as `columns` bars between their least and largest; several values in one column show their mean.
 * What is no number is a blank. Where the terminal has no UTF-8, digits from 0 to 7. */
void sparkline(FILE *out, const double *values, int count, int columns);

#endif
