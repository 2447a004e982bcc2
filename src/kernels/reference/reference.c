/* What reference kernels share. */
#include "kernels/reference/reference.h"

#include "ops/conv2d.h"

bool espl__fits_always(const espl__case *at)
{
    (void)at;
    return true;
}

espl__layout espl__layout_of(espl__shape shape, int64_t block)
{
    espl__layout layout = { .size = espl__shape_size(shape),
                            .channels = espl__shape_channels(shape),
                            .pixels = espl__shape_pixels(shape),
                            .block = block };

    layout.width = shape.rank > 1 ? shape.dim[shape.rank - 1] : 1;
    layout.height = layout.pixels / layout.width;
    return layout;
}

espl__layout espl__layout_of_input(const espl__case *at, int i)
{
    return espl__layout_of(at->input[i], at->input_block[i]);
}

espl__layout espl__layout_of_output(const espl__case *at)
{
    return espl__layout_of(at->output, at->output_block);
}

float espl__activate(int activation, float x)
{
    if (activation == ESPL__NO_ACTIVATION)
        return x;
    if (x < 0)
        return 0;
    return activation == ESPL__RELU6 && x > 6 ? 6 : x;
}

float espl__activate_back(int activation, float y, float grad)
{
    if (activation == ESPL__NO_ACTIVATION)
        return grad;
    return y > 0 && (activation == ESPL__RELU || y < 6) ? grad : 0;
}
