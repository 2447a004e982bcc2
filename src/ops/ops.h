/* What the shape rules of several ops share: checking inputs and attributes with whole sentences,
 * and declaring parameters. */
#ifndef ESPL_OPS_H
#define ESPL_OPS_H

#include "graph/op.h"
#include "ops/window.h"

/* Output as the first input; for ops that work element by element. */
espl_status espl__op_same_shape(espl__shape_call *call);

/* Input `i` must be planes (channels x height x width), or a vector. */
espl_status espl__op_needs_planes(const espl__shape_call *call, int i);
espl_status espl__op_needs_vector(const espl__shape_call *call, int i);
/* Every input must have the shape of the first. */
espl_status espl__op_needs_equal(const espl__shape_call *call);

/* An attribute must lie within low..high, both included; NaN never does. */
espl_status espl__op_check_count(const espl__shape_call *call, const char *name, int64_t value,
                                 int64_t low, int64_t high);
espl_status espl__op_check_real(const espl__shape_call *call, const char *name, double value,
                                double low, double high);
/* A list: so many values as `counts` has bits for (bit 2: two values), each within low..high. */
espl_status espl__op_check_counts(const espl__shape_call *call, const char *name,
                                  const espl_counts *list, unsigned counts, int64_t low,
                                  int64_t high);

/* Adds a parameter and returns it for what is special about it. */
espl__parameter_spec *espl__op_parameter(espl__shape_call *call, const char *name, espl_kind kind,
                                         espl__shape shape, espl__fill fill);

/* Attributes of a window: kernel, stride, padding (and dilation, NULL if the op has none). */
espl_status espl__op_check_window(const espl__shape_call *call, const espl_counts *kernel,
                                  const espl_counts *stride, const espl_counts *pad,
                                  const espl_counts *dilation);
/* Height and width of what a window gives over planes; `ceil`: a last window that begins within the
 * input but reaches past the padding counts too. Fails where no window fits. */
espl_status espl__op_window_output(const espl__shape_call *call, const espl__window *window,
                                   bool ceil, int64_t size[2]);

/* Ends a shape rule: stores output and cost after checking that both can be counted. */
espl_status espl__op_finish(espl__shape_call *call, espl__shape output, double macs);

#endif
