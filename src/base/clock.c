/* Seconds and disturbances for measuring, never for randomness. */
#include "base/base.h"

#include <sys/resource.h>
#include <time.h>

double espl__now(void)
{
    struct timespec now = { 0 };

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

espl__usage espl__usage_now(void)
{
    struct rusage used = { 0 };

    getrusage(RUSAGE_SELF, &used);
    return (espl__usage){
        .seconds = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                   (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6,
        .lost = used.ru_nivcsw,
    };
}
