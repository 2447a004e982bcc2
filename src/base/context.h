/* The fields of a context; only the files of this room look inside. */
#ifndef ESPL_CONTEXT_H
#define ESPL_CONTEXT_H

#include "base/base.h"

#include <signal.h>
#include <stdatomic.h>

#define ESPL__WORKERS_MAX 256

struct espl_context {
    espl_context_settings settings;
    int workers;
    volatile sig_atomic_t interrupted;
    atomic_llong allocations;
    atomic_size_t bytes_now, bytes_peak;
    char message[1024];
};

#endif
