/* Shapes of samples. */
#include "tensor/shape.h"

#include <inttypes.h>
#include <stdio.h>

espl__shape espl__shape_vector(int64_t features)
{
    return (espl__shape){ .rank = 1, .dim = { features } };
}

espl__shape espl__shape_planes(int64_t channels, int64_t height, int64_t width)
{
    return (espl__shape){ .rank = 3, .dim = { channels, height, width } };
}

int64_t espl__shape_size(espl__shape shape)
{
    int64_t size = 1;

    for (int i = 0; i < shape.rank; i++)
        size *= shape.dim[i];
    return size;
}

bool espl__shape_equal(espl__shape a, espl__shape b)
{
    if (a.rank != b.rank)
        return false;
    for (int i = 0; i < a.rank; i++)
        if (a.dim[i] != b.dim[i])
            return false;
    return true;
}

int64_t espl__shape_channels(espl__shape shape)
{
    return shape.dim[0];
}

int64_t espl__shape_pixels(espl__shape shape)
{
    return espl__shape_size(shape) / shape.dim[0];
}

const char *espl__shape_text(espl__shape shape, char text[96])
{
    size_t used = 0;

    text[0] = 0;
    for (int i = 0; i < shape.rank && used < 96; i++)
        used += (size_t)snprintf(text + used, 96 - used, "%s%" PRId64, i ? "x" : "", shape.dim[i]);
    return text;
}

bool espl__shape_valid(espl__shape shape)
{
    const int64_t limit = (int64_t)1 << 40;
    int64_t size = 1;

    if (shape.rank < 1 || shape.rank > ESPL__RANK_MAX)
        return false;
    for (int i = 0; i < shape.rank; i++) {
        if (shape.dim[i] < 1 || shape.dim[i] > limit / size)
            return false;
        size *= shape.dim[i];
    }
    return true;
}
