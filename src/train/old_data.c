/* Data that a run's net learned before: a few pictures of it, beside what the run trains on. */
#include "train/opening.h"

espl_status espl__run_open_old(espl_run *run, const char *path, int64_t limit, espl_data **data)
{
    espl_data_settings settings = { .one_class = true, .limit = limit };
    int64_t here[3], there[3];
    char found[ESPL__PATH_MAX];
    espl_status s;

    espl__run_find_path(run, path, found);
    if (espl__data_pictures(run->data))
        espl_net_prepare_data(run->net, &settings);
    if ((s = espl_data_open(run->ctx, found, &settings, data)))
        return s;
    espl_data_shape(run->data, here);
    espl_data_shape(*data, there);
    if (here[0] == there[0] && here[1] == there[1] && here[2] == there[2])
        return ESPL_OK;
    espl_data_free(*data);
    *data = NULL;
    return espl_run_fail(run, ESPL_BAD_SHAPE, "data: samples of %lldx%lldx%lld, but the net takes %lldx%lldx%lld",
                         (long long)there[0], (long long)there[1], (long long)there[2], (long long)here[0],
                         (long long)here[1], (long long)here[2]);
}
