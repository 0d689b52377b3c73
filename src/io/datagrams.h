/* datagrams.h: datagrams that have come and wait for their turn, in a ring of a fixed number whose
 * places are allocated as they are needed. */
#ifndef PEERWALK_IO_DATAGRAMS_H
#define PEERWALK_IO_DATAGRAMS_H

#include "io/udp.h"

enum { DATAGRAMS_MAX = 8192 /* 17 MiB */ };

struct datagram {
	struct netaddr from;
	uint64_t nonce; /* of the visit that it is for */
	uint64_t at_ms;
	uint16_t len;
	bool cut; /* it was longer */
	uint8_t bytes[UDP_DATAGRAM_MAX];
};

/* Zero-initialised it is empty. */
struct datagrams {
	struct datagram *ring[DATAGRAMS_MAX];
	unsigned first, count;
};

/* Behind all others, of which there are fewer than DATAGRAMS_MAX. False: no memory for it. */
bool datagrams_add(struct datagrams *d, const struct udp_datagram *come, uint64_t nonce,
		   uint64_t at_ms);
/* Takes the first one out; there is one. It stays as it is until another is added. */
const struct datagram *datagrams_take(struct datagrams *d);
void datagrams_clear(struct datagrams *d);

#endif
