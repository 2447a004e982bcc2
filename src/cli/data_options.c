/* Data as a net wants it. */
#include "data_options.h"

#include <espalier/run.h>

espl_status data_options_open(espl_context *ctx, const char *path, const data_options *options,
                              const espl_net *net, espl_data **result)
{
    espl_data_settings settings = {
        .source = options->source,
        .test = options->test,
        .held_out = options->held_out,
        .split_seed = (uint64_t)options->split_seed,
        .label = options->label,
        .leave_out = options->leave_out,
        .one_class = true, /* the net tells it from others */
        .limit = options->limit,
    };

    espl_net_prepare_data(net, &settings);
    return espl_data_open(ctx, path, &settings, result);
}
