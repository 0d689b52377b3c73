/* frames.h: puts the frames of a stream of Bitcoin messages right, in place.
 *
 * A fuzzer doesn't guess checksums; what lies behind them is to be reached as well. */
#ifndef PEERWALK_TESTS_FUZZ_FRAMES_H
#define PEERWALK_TESTS_FUZZ_FRAMES_H

#include "proto/bitcoin/wire.h"

#include <string.h>

/* Magic, a length no longer than what is left, and the checksum of each message. */
static inline void put_frames_right(uint8_t *data, size_t size, const uint8_t magic[4])
{
	while (size >= BITCOIN_HEADER_LEN) {
		size_t left = size - BITCOIN_HEADER_LEN;
		size_t len = ((size_t)data[16] | (size_t)data[17] << 8) % (left + 1);
		struct writer w;

		memcpy(data, magic, 4);
		writer_init(&w, data + 16, 4);
		writer_u32le(&w, (uint32_t)len);
		bitcoin_checksum(slice_of(data + BITCOIN_HEADER_LEN, len), data + 20);
		data += BITCOIN_HEADER_LEN + len;
		size -= BITCOIN_HEADER_LEN + len;
	}
}

#endif
