/* resize: planes brought to another height and width. With i = in and o = out the place of output x
 * is half-pixel     (x + 1/2) * i / o - 1/2      (Pillow, most new nets) align-corners  x * (i - 1)
 * / (o - 1) asymmetric     x * i / o                    (older nets) kept within the input. Nearest
 * takes the value there (half-pixel and align-corners round half up, asymmetric rounds down),
 * bilinear mixes the two neighbours in each direction by distance. */
#include "ops/arrange.h"
#include "ops/ops.h"

#include <math.h>

#define MOST (1 << 20)

static const espl_option attributes[] = {
    ESPL_REALS(espl__resizing, scale, "2", 1e-6, 1e6, "one value or (vertical, horizontal)"),
    ESPL_COUNTS(espl__resizing, size, "0", 0, MOST, "one value or (height, width); 0: by scale"),
    ESPL_CHOICE(espl__resizing, mode, "nearest", "nearest|bilinear",
                "take the nearest value or mix neighbours"),
    ESPL_CHOICE(espl__resizing, place, "half-pixel", "half-pixel|align-corners|asymmetric",
                "how places in the output map to the input"),
    ESPL_OPTIONS_END
};

espl__resize_tap espl__resize_at(const espl__resizing *a, int64_t inputs, int64_t outputs,
                                 int64_t o)
{
    const double ratio = (double)inputs / (double)outputs;
    double place = (double)o * ratio;

    if (a->place == ESPL__HALF_PIXEL)
        place = ((double)o + 0.5) * ratio - 0.5;
    if (a->place == ESPL__ALIGN_CORNERS)
        place = outputs > 1 ? (double)o * (double)(inputs - 1) / (double)(outputs - 1) : 0;
    if (a->mode == ESPL__NEAREST)
        place = floor(a->place == ESPL__ASYMMETRIC ? place : place + 0.5);
    place = fmin(fmax(place, 0), (double)(inputs - 1));
    const int64_t first = (int64_t)place;
    return (espl__resize_tap){ first, first + 1 < inputs ? first + 1 : first,
                               place - (double)first };
}

static espl_status check(const espl__shape_call *call)
{
    const espl__resizing *a = call->attributes;
    espl_status s;

    if ((s = espl__op_needs_planes(call, 0)) ||
        (s = espl__op_check_counts(call, "size", &a->size, 7, 0, MOST)) ||
        (s = espl__op_check_count(call, "values in scale", a->scale.count, 0, 2)) ||
        (s = espl__op_check_count(call, "mode", a->mode, ESPL__NEAREST, ESPL__BILINEAR)) ||
        (s = espl__op_check_count(call, "place", a->place, ESPL__HALF_PIXEL, ESPL__ASYMMETRIC)))
        return s;
    for (int i = 0; i < a->scale.count; i++)
        if ((s = espl__op_check_real(call, "scale", a->scale.item[i], 1e-6, 1e6)))
            return s;
    return ESPL_OK;
}

static espl_status shape(espl__shape_call *call)
{
    const espl__resizing *a = call->attributes;
    espl__shape output = call->input[0];
    espl_status s;

    if ((s = check(call)))
        return s;
    for (int axis = 0; axis < 2; axis++) {
        const int64_t size = a->size.count ? a->size.item[a->size.count > 1 ? axis : 0] : 0;
        const double scale = a->scale.count ? a->scale.item[a->scale.count > 1 ? axis : 0] : 2;
        const double scaled = floor((double)call->input[0].dim[1 + axis] * scale);
        if (!size && (s = espl__op_check_real(call, axis ? "the scaled width" : "the scaled height",
                                              scaled, 1, MOST)))
            return s;
        output.dim[1 + axis] = size ? size : (int64_t)scaled;
    }
    return espl__op_finish(call, output, 0);
}

const espl__op espl__op_resize = {
    .name = "resize",
    .summary = "planes brought to another size, nearest or bilinear",
    .size = sizeof(espl__resizing),
    .attributes = attributes,
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_NOTHING,
    .shape = shape,
};
