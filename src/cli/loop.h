/* loop.h: an event loop for a subcommand. */
#ifndef PEERWALK_CLI_LOOP_H
#define PEERWALK_CLI_LOOP_H

#include "io/driver.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* Raises the limit of open files first. left, unless NULL: how many may be opened beside what is
 * open and what the loop needs for itself, one at least. False: why says it, and what to do. */
bool loop_begin(uv_loop_t *loop, uint64_t *left, char why[static DRIVER_WHY_MAX]);

#endif
