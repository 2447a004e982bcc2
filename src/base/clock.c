/* Seconds for measuring, never for randomness. */
#include "base/base.h"

#include <time.h>

double espl__now(void)
{
    struct timespec now = { 0 };

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
