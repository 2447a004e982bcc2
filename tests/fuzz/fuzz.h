/* What every fuzz target uses: a context with little memory, and bytes put into a file, since readers
 * take paths.
 *
 * A target is a file fuzz_<name>.c with LLVMFuzzerTestOneInput; its seeds lie in seeds/<name>/. With the
 * preset "fuzz" it becomes a libFuzzer program (tools/fuzz runs all of them); otherwise replay.c calls it
 * with every seed, cut short and damaged, as a ctest test. */
#ifndef ESPL_TESTS_FUZZ_H
#define ESPL_TESTS_FUZZ_H

#include "base/base.h"
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* One worker, 256 MiB: a lying size must be refused, not tried. Ends the program if it cannot be had. */
espl_context *fuzz_context(void);

/* Ends the program: what is promised does not hold. */
void fuzz_give_up(const char *why);

/* The path of a file of that name ("a/b": in a folder) that holds these bytes; written over by the next
 * call with the name. */
const char *fuzz_file(const char *name, const void *data, size_t bytes);

/* Checks what every failure promises: a whole sentence. Ends the program otherwise. */
void fuzz_status(const espl_context *ctx, espl_status status);

#endif
