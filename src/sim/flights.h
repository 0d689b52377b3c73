/* flights.h: datagrams on their way: what goes in comes out when its time has come, in the order
 * of those times, and what is due at one time in the order in which it went in. No clock. */
#ifndef PEERWALK_SIM_FLIGHTS_H
#define PEERWALK_SIM_FLIGHTS_H

#include "base/netaddr.h"

enum {
	/* More are lost, as a queue of a router may lose them: some 90 MiB of them if all are of
	 * the longest kind that honest nodes send. */
	SIM_FLIGHTS_MAX = 65536,
};

/* One datagram. */
struct sim_flight {
	uint64_t at_ms, number; /* number: private */
	struct netaddr from, to;
	size_t len;
	uint8_t bytes[];
};

struct sim_flights {
	/* private */
	struct sim_flight **heap;
	size_t count, cap;
	uint64_t last;
};

/* All zeros is an empty one. Frees what is still on its way. */
void sim_flights_clear(struct sim_flights *f);
/* False: it is lost, as there are too many, or no memory for it. */
bool sim_flights_add(struct sim_flights *f, uint64_t at_ms, const struct netaddr *from,
		     const struct netaddr *to, struct slice bytes);
/* When the next one is due; UINT64_MAX: none is. */
uint64_t sim_flights_due(const struct sim_flights *f);
/* The next one that is due by now_ms, to be freed by the caller; NULL: none is. */
struct sim_flight *sim_flights_take(struct sim_flights *f, uint64_t now_ms);

#endif
