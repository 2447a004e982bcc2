/* Workers are the threads of one OpenMP region. oneDNN, called inside, runs single-threaded there. */
#include "base/base.h"
#include "base/context.h"

#include <omp.h>

void espl__workers_run(espl_context *ctx, void (*work)(void *argument, int worker, int workers),
                       void *argument)
{
#pragma omp parallel num_threads(ctx->workers)
    {
        /* Libraries called inside must not open teams of their own, also where there is one worker. The
         * setting belongs to the region and ends with it. */
        omp_set_num_threads(1);
        work(argument, omp_get_thread_num(), omp_get_num_threads());
    }
}

void espl__meet(void)
{
#pragma omp barrier
}
