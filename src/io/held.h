/* held.h: the unfinished message of a connection, kept until the rest of it comes.
 *
 * The room grows with what has come, not with what the peer has announced, and is given back
 * when the message is over. Whoever holds many of them knows from `all` how much they take
 * together. */
#ifndef PEERWALK_IO_HELD_H
#define PEERWALK_IO_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum {
	HELD_LEAST = 4096,
	/* Larger room is given back as soon as less will do; smaller stays for the next message. */
	HELD_SMALL = 64 * 1024,
};

/* Zero, or as these functions leave it. */
struct held {
	uint8_t *bytes;
	uint32_t len, cap;
};

/* Where to read on: behind what is held, or, with nothing held, into the buffer that all share.
 * Never empty. */
uv_buf_t held_room(const struct held *h, uint8_t *shared, size_t len);
/* What the room for len bytes would be, of a message that needs `need`. */
size_t held_cap(const struct held *h, size_t len, size_t need);
/* Keeps data, which may lie in what was held, in room of cap bytes: held_cap's. False: no memory.
 */
bool held_keep(struct held *h, const uint8_t *data, size_t len, size_t cap, size_t *all);
/* Nothing any more. */
void held_clear(struct held *h, size_t *all);

#endif
