/* What tools/lint tells clang's analyzer, which sees one file at a time: whoever fails hands back the
 * status that it was given. Not part of the library. */
#include "base/base.h"

#define espl__fail(ctx, status, ...) ((espl__fail)(ctx, status, __VA_ARGS__), (status))
#define espl__fail_within(ctx, status, ...) ((espl__fail_within)(ctx, status, __VA_ARGS__), (status))
