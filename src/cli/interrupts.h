/* Ctrl-C and termination while a run goes on: the first asks the library to stop cleanly, the second
 * ends the program at once. */
#ifndef ESPL_INTERRUPTS_H
#define ESPL_INTERRUPTS_H

#include <espalier/base.h>

typedef struct interrupts interrupts;

/* Call it before anything starts threads, so that all of them leave the signals to ours. Until
 * interrupts_heed they end the program as usual. NULL if no thread could be started; signals then
 * keep their usual meaning. */
interrupts *interrupts_open(void);
void interrupts_heed(interrupts *all, espl_context *ctx);
void interrupts_ignore(interrupts *all); /* as before interrupts_heed */
void interrupts_close(interrupts *all);  /* takes NULL, as do the others */

#endif
