/* Giving a net a new head, for classes that it was not trained for. */
#ifndef ESPL_HEAD_H
#define ESPL_HEAD_H

#include "base/tree.h"
#include "net/net.h"

typedef struct espl__head {
    char after[208]; /* name of a layer, or "auto" */
    int start, classes;
} espl__head;

/* As its option `classes` says. */
enum { ESPL__HEAD_NEW,
       ESPL__HEAD_ADDED };

extern const espl_option espl__head_options[];

/* What espl_net_replace_head does. The net is unchanged after a failure. */
espl_status espl__net_replace_head(espl_net *net, const espl__head *head, int classes);

#endif
