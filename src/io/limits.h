/* limits.h: what the system lets this process do, and what it has used. */
#ifndef PEERWALK_IO_LIMITS_H
#define PEERWALK_IO_LIMITS_H

#include <stdint.h>

/* Raises the limit of open descriptors to its hard maximum; returns the limit. */
uint64_t limits_raise_descriptors(void);
/* Descriptors that are open now. */
uint64_t limits_open_descriptors(void);
double limits_cpu_seconds(void);     /* user and system, this process */
uint64_t limits_max_rss_bytes(void); /* the largest resident size so far */

#endif
