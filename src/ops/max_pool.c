/* max_pool: y = the largest value of each window; padding never wins. The gradient goes to the
 * place of that value, the first one where several are equal. */
#include "ops/ops.h"
#include "ops/pool.h"

static const espl_option attributes[] = {
    ESPL_COUNTS(espl__pool, kernel, NULL, 1, 1 << 20, "one value or (height, width)"),
    ESPL_COUNTS(espl__pool, stride, "0", 0, 1 << 20,
                "one value or (vertical, horizontal); 0: as the kernel"),
    ESPL_COUNTS(espl__pool, pad, "0", 0, 1 << 20,
                "one value, (vertical, horizontal) or (top, left, bottom, right)"),
    ESPL_FLAG(espl__pool, ceil, "no", "a last window that is only partly filled counts too"),
    ESPL_OPTIONS_END
};

const espl__op espl__op_max_pool = {
    .name = "max_pool",
    .summary = "largest value of each window",
    .size = sizeof(espl__pool),
    .attributes = attributes,
    .inputs_min = 1,
    .inputs_max = 1,
    .reads = ESPL__READS_NOTHING,
    .shape = espl__pool_shape,
};
