/* One value of an option: text into its field and back. */
#ifndef ESPL_OPTION_VALUE_H
#define ESPL_OPTION_VALUE_H

#include "base/tree.h"

bool espl__option_is_list(const espl_option *option);
/* Reads `text` into the field, or into the item `index` of a list. The message does not begin with the
 * option's name. */
espl_status espl__value_read(espl_context *ctx, const espl_option *option, void *target, int index,
                             const char *text);
espl_status espl__value_write(espl_context *ctx, const espl_option *option, const void *target, int index,
                              espl__text *text);
/* How many items the list has, and saying so. */
int espl__value_count(const espl_option *option, const void *target);
void espl__value_set_count(const espl_option *option, void *target, int count);

#endif
