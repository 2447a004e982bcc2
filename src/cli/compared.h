/* A comparison of nets as people and programs read it. */
#ifndef ESPL_COMPARED_H
#define ESPL_COMPARED_H

#include <espalier/compare.h>

/* A table, a star at the recommended one, and why. */
void compared_show(const espl_compared *compared);
/* A line for each candidate. */
void compared_write_json(const espl_compared *compared);

#endif
