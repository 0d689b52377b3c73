/* hex.h: bytes of a test from their digits; blanks between them are for the eye. */
#ifndef PEERWALK_TESTS_SUPPORT_HEX_H
#define PEERWALK_TESTS_SUPPORT_HEX_H

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A row that is no hex, or too long, is a fault of the test. */
static inline struct slice hex_bytes(const char *hex, uint8_t *out, size_t cap)
{
	static const char all[] = "0123456789abcdef";
	size_t digits = 0;

	memset(out, 0, cap);
	for (; *hex != 0; hex++) {
		const char *digit = strchr(all, *hex);

		if (*hex == ' ')
			continue;
		if (digit == NULL || digits / 2 >= cap) {
			fprintf(stderr, "bad hex in a row: %s\n", hex);
			abort();
		}
		out[digits / 2] |= (uint8_t)((digit - all) << (digits % 2 == 0 ? 4 : 0));
		digits++;
	}
	return slice_of(out, digits / 2);
}

#endif
