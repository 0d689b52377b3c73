/* wall.h: the wall clock, which somebody may set at any time. */
#ifndef PEERWALK_IO_WALL_H
#define PEERWALK_IO_WALL_H

#include <stdint.h>

int64_t wall_ms(void); /* since 1970 */

#endif
