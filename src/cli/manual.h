/* manual.h: the manual page, peerwalk(1), made from the rows of commands and options. */
#ifndef PEERWALK_CLI_MANUAL_H
#define PEERWALK_CLI_MANUAL_H

#include <stdio.h>

/* In roff, for the man macros. */
void manual_print(FILE *out);

#endif
