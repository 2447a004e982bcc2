/* Whole arrays of bf16 numbers. */
#include "kernels/bf16.h"

#include "kernels/wide.h"

static ESPL__WIDE_BODY void from_floats_body(uint16_t *to, const float *from, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = espl__bf16_of(from[i]);
}
ESPL__WIDE(from_floats, from_floats_body, (uint16_t * to, const float *from, int64_t count), (to, from, count))

static ESPL__WIDE_BODY void to_floats_body(float *to, const uint16_t *from, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = espl__float_of(from[i]);
}
ESPL__WIDE(to_floats, to_floats_body, (float *to, const uint16_t *from, int64_t count), (to, from, count))

static ESPL__WIDE_BODY void add_body(uint16_t *to, const uint16_t *from, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = espl__bf16_of(espl__float_of(to[i]) + espl__float_of(from[i]));
}
ESPL__WIDE(add, add_body, (uint16_t * to, const uint16_t *from, int64_t count), (to, from, count))

void espl__bf16_from_floats(uint16_t *to, const float *from, int64_t count)
{
    from_floats(to, from, count);
}

void espl__bf16_to_floats(float *to, const uint16_t *from, int64_t count)
{
    to_floats(to, from, count);
}

void espl__bf16_add(uint16_t *to, const uint16_t *from, int64_t count)
{
    add(to, from, count);
}
