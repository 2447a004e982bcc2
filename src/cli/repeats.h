/* What came out of several runs of one recipe: each one's figures, mean and deviation. */
#ifndef ESPL_REPEATS_H
#define ESPL_REPEATS_H

#include <espalier/run.h>

typedef struct repeat {
    char name[48]; /* "fold-2-seed-7" */
    double top1, loss;
} repeat;

typedef struct repeats {
    int count;
    repeat *all;
} repeats;

void repeats_add(repeats *repeats, const char *name, const espl_result *result);
void repeats_show(const repeats *repeats);
void repeats_write_json(const repeats *repeats);
void repeats_free(repeats *repeats);

#endif
