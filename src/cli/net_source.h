/* Commands that look at nets take whatever stands for one: a net file, a description, a family's name,
 * or a recipe. */
#ifndef ESPL_NET_SOURCE_H
#define ESPL_NET_SOURCE_H

#include "cli.h"

#include <espalier/run.h>

typedef struct net_source {
    espl_net *net; /* owned by the run if there is one */
    espl_run *run; /* NULL unless a recipe was named */
} net_source;

/* `set`: of a net, its settings ("classes: 5"); of a recipe, its values ("epochs=3"). */
espl_status net_source_open(espl_context *ctx, const char *source, const cli_words *set, net_source *result);
/* The net that `source` names with the parameters of the file `path`. */
espl_status net_source_open_with(espl_context *ctx, const char *source, const cli_words *set, const char *path,
                                 net_source *result);
void net_source_close(net_source *source);

/* Is `path` the name of a net file to be written? Returns an exit code, having said why if it is not CLI_DONE. */
int net_source_check_name(const char *command, const char *path);

/* clang-format off */
#define NET_SET_OPTION(holder, field)                                                               \
    { "set", 0, CLI_WORDS, offsetof(holder, field), "SETTING", 0, 0,                                \
      "change a setting of the net, such as 'classes: 5'; of a recipe, such as batch=64; may be given again" }
/* clang-format on */

#endif
