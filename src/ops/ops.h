/* Small helpers that several ops share. */
#ifndef ESPL_OPS_H
#define ESPL_OPS_H

#include "graph/op.h"

/* Output as the first input; for ops that work element by element. */
espl_status espl__op_same_shape(espl__shape_call *call);

#endif
