/* The options of commands that open data. */
#ifndef ESPL_DATA_OPTIONS_H
#define ESPL_DATA_OPTIONS_H

#include "cli.h"

#include <espalier/data.h>
#include <espalier/net.h>

typedef struct data_options {
    const char *source, *test, *label, *resize, *leave_out;
    double held_out;
    int64_t split_seed, limit;
} data_options;

/* clang-format off */
#define DATA__WITHIN(holder, field, member) (offsetof(holder, field) + offsetof(data_options, member))
#define DATA_OPTIONS(holder, field)                                                                 \
    { "test", 0, CLI_TEXT, DATA__WITHIN(holder, field, test), "PATH", 0, 0,                         \
      "held-out data that lie elsewhere" },                                                         \
    { "held-out", 0, CLI_REAL, DATA__WITHIN(holder, field, held_out), "SHARE", 0.0001, 0.9999,      \
      "share to hold out when there is no test data; without it, 0.1" },                            \
    { "split-seed", 0, CLI_COUNT, DATA__WITHIN(holder, field, split_seed), "N", 0, 9e18,            \
      "seed of that split; without it, 0" },                                                        \
    { "leave-out", 0, CLI_TEXT, DATA__WITHIN(holder, field, leave_out), "FILE", 0, 0,              \
      "pass over the pictures whose paths stand in FILE, as check-data --write writes it" },       \
    { "source", 0, CLI_TEXT, DATA__WITHIN(holder, field, source), "KIND", 0, 0,                     \
      "kind of data (\"espalier list sources\"); without it, recognised" },                         \
    { "label", 0, CLI_TEXT, DATA__WITHIN(holder, field, label), "COLUMN", 0, 0,                     \
      "label column of a CSV file, by name or number; without it, the last" },                      \
    { "limit", 0, CLI_COUNT, DATA__WITHIN(holder, field, limit), "N", 1, 9e15,                      \
      "use at most N training samples" }
/* clang-format on */

/* Opens data for a net: pictures are brought to the size of its input. */
espl_status data_options_open(espl_context *ctx, const char *path, const data_options *options,
                              const espl_net *net, espl_data **result);

#endif
