/* A thread of our own waits for the signals that everybody else blocks: no handler, so nothing it does
 * has to be safe inside one, and no global that a handler would need. */
#include "interrupts.h"
#include "cli.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define CLOSING SIGUSR1 /* wakes our thread at the end; from anybody else it means what it always does */

struct interrupts {
    pthread_t thread;
    sigset_t signals, before;
    pthread_mutex_t lock; /* guards ctx: it must not be freed while it is told */
    espl_context *ctx;    /* NULL: nobody heeds */
    bool asked;
    atomic_bool closing;
};

static void die_of(const interrupts *all, int number)
{
    signal(number, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &all->signals, NULL);
    kill(getpid(), number);
}

static void heed(interrupts *all, int number)
{
    pthread_mutex_lock(&all->lock);
    const bool ask = all->ctx && !all->asked && number != CLOSING;
    if (ask) {
        all->asked = true;
        espl_interrupt(all->ctx);
    }
    pthread_mutex_unlock(&all->lock);
    if (ask)
        fprintf(stderr, "\nstopping after this step; once more stops at once\n");
    else
        die_of(all, number);
}

static void *wait_for_signals(void *argument)
{
    interrupts *all = argument;
    int number;

    while (sigwait(&all->signals, &number) == 0 && !atomic_load(&all->closing))
        heed(all, number);
    return NULL;
}

interrupts *interrupts_open(void)
{
    interrupts *all = cli_allocate(1, sizeof *all);

    pthread_mutex_init(&all->lock, NULL);
    sigemptyset(&all->signals);
    sigaddset(&all->signals, SIGINT);
    sigaddset(&all->signals, SIGTERM);
    sigaddset(&all->signals, CLOSING);
    pthread_sigmask(SIG_BLOCK, &all->signals, &all->before);
    if (pthread_create(&all->thread, NULL, wait_for_signals, all) == 0)
        return all;
    pthread_sigmask(SIG_SETMASK, &all->before, NULL);
    free(all);
    return NULL;
}

void interrupts_heed(interrupts *all, espl_context *ctx)
{
    if (!all)
        return;
    pthread_mutex_lock(&all->lock);
    all->ctx = ctx;
    pthread_mutex_unlock(&all->lock);
}

void interrupts_ignore(interrupts *all)
{
    interrupts_heed(all, NULL);
}

void interrupts_close(interrupts *all)
{
    if (!all)
        return;
    atomic_store(&all->closing, true);
    pthread_kill(all->thread, CLOSING);
    pthread_join(all->thread, NULL);
    pthread_sigmask(SIG_SETMASK, &all->before, NULL);
    pthread_mutex_destroy(&all->lock);
    free(all);
}
