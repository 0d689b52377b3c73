/* option_value.h: one typed value of an option, from text into its field. */
#ifndef PEERWALK_CLI_OPTION_VALUE_H
#define PEERWALK_CLI_OPTION_VALUE_H

#include "cli/cli.h"

/* Stores text (NULL: a flag without a value) in the field of `row` in `base`; false
 * if it is not what the row expects. TEXT, LIST and CHOICE keep the pointer. */
bool option_value_set(const struct option_row *row, void *base, const char *text);
/* Back to zero, as before the first set; frees the items of a list. */
void option_value_reset(const struct option_row *row, void *base);

#endif
