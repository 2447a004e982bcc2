/* Which of the known names did the user mean? */
#ifndef ESPL_NEAREST_NAME_H
#define ESPL_NEAREST_NAME_H

typedef struct cli_nearest {
    const char *wanted, *name; /* name: the nearest so far, NULL if nothing is near enough */
    int distance;
} cli_nearest;

/* Begin with { .wanted = … }, offer every known name, then look at `name`. */
void cli_nearest_offer(cli_nearest *nearest, const char *name);

#endif
