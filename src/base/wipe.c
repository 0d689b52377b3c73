#include "base/wipe.h"

#include <stdint.h>
#include <string.h>

__attribute__((noinline)) void wipe_stack(void)
{
	uint8_t below[16 * 1024];

	explicit_bzero(below, sizeof(below));
}
