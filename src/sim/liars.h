/* liars.h: the bytes that lying peers send in place of a session: one function a lie.
 *
 * Private to sim/peer*.c. Everything is appended to a bounded writer. */
#ifndef PEERWALK_SIM_LIARS_H
#define PEERWALK_SIM_LIARS_H

#include "sim/world.h"

enum {
	SIM_GARBAGE_LEN = 1024,
	SIM_LIE_MAX = 2048,        /* no lie is longer, but for the lists of addresses */
	SIM_BAD_ADDR_COUNT = 2000, /* twice what Bitcoin Core allows */
};

/* Bitcoin: the first thing that a liar of that kind says; nothing for kinds that don't begin
 * with a lie. */
void sim_lie_opening(const struct sim_world *w, const struct sim_peer *peer, int64_t now_s,
		     struct writer *out);
/* Bytes of something that is no peer: other services' greetings, or noise. */
void sim_lie_garbage(const struct sim_world *w, uint32_t index, struct writer *out);
/* Makes the checksum of every message in there wrong. */
void sim_lie_checksums(uint8_t *messages, size_t len);
/* count invented adverts, number `first` and those after it. */
void sim_lie_adverts(const struct sim_world *w, uint64_t first, int64_t now_s, struct advert *out,
		     size_t count);

#endif
