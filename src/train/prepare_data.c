/* Data for a net that is trained already: as those were that it was trained with. */
#include "net/net.h"

#include <espalier/run.h>

void espl_net_prepare_data(const espl_net *net, espl_data_settings *settings)
{
    const espl__shape input = net->graph->nodes[0].shape;

    if (input.rank != 3 || espl__shape_pixels(input) == 1) /* rows of a table */
        return;
    if (!settings->height && !settings->width) {
        settings->height = input.dim[1];
        settings->width = input.dim[2];
    }
    if (!settings->channels && (input.dim[0] == 1 || input.dim[0] == 3))
        settings->channels = (int)input.dim[0];
    if (!settings->resize && *net->preparation.resize)
        settings->resize = net->preparation.resize;
}
