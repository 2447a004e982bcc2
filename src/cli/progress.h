/* How training goes on, on stderr: a line that is redrawn where stderr is a terminal, a line an epoch
 * everywhere. */
#ifndef ESPL_PROGRESS_H
#define ESPL_PROGRESS_H

#include <espalier/run.h>

typedef struct progress {
    bool live;       /* redraw a line */
    bool shown;      /* there is a line to clear */
    double drawn_at; /* seconds of the monotonic clock */
    int64_t first;   /* steps done when this process began; -1: not known yet */
} progress;

void progress_begin(progress *p);
void progress_step(progress *p, const espl_news *news);
void progress_epoch(progress *p, const espl_news *news);
/* Of one training among many: its steps and epochs, and of its notes those that begin with `about`; what else a training
 * notes, it notes every time. */
void progress_training(progress *progress, const espl_news *news, const char *about);
/* Clears the line, so that something else can be written. */
void progress_clear(progress *p);

#endif
