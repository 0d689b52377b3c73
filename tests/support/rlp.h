/* rlp.h: RLP of a test from its digits, with parentheses for lists: "(04 (7f) 80)".
 *
 * Strings are written with their headers; those of lists are put in here. */
#ifndef PEERWALK_TESTS_SUPPORT_RLP_H
#define PEERWALK_TESTS_SUPPORT_RLP_H

#include "proto/ethereum/rlp.h"
#include "support/hex.h"

static inline void rlp_notation(struct writer *w, const char *text)
{
	size_t marks[RLP_DEPTH_MAX + 2], depth = 0;

	while (*text != 0) {
		char digits[3] = { text[0], text[1], 0 };
		uint8_t byte;

		if (*text == '(') {
			marks[depth++] = rlp_put_list(w);
		} else if (*text == ')') {
			rlp_end_list(w, marks[--depth]);
		} else if (*text != ' ') {
			hex_bytes(digits, &byte, 1);
			writer_u8(w, byte);
			text++;
		}
		text++;
	}
}

#endif
