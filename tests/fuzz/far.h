/* far.h: who stands at the other ends of a node's connections, for the fuzz targets of whole
 * nodes: addresses by number, and a real session that does what the protocol says, until the
 * fuzzer speaks for it. */
#ifndef PEERWALK_TESTS_FUZZ_FAR_H
#define PEERWALK_TESTS_FUZZ_FAR_H

#include "fuzz/fuzz.h"
#include "proto/proto.h"

#include <string.h>

enum {
	FAR_UNIX_S = 1800000000,
	FAR_SAID_MAX = 4096, /* said at once: a session's flight, or an answer of few names */
	FAR_NAMES_MAX = 8,
};

/* Public hosts of many groups, of one group, of one host; IPv6 likewise; a house, loopback, and
 * what nobody should dial. */
static inline struct netaddr far_addr(uint8_t number)
{
	unsigned n = number >> 3;
	struct netaddr a = { .kind = NETADDR_IPV6, .port = 8333 };

	switch (number & 7) {
	case 0:
		return netaddr_ipv4(0x05000001U + (n << 16), 8333);
	case 1:
		return netaddr_ipv4(0x06060001U + (n << 4), 8333);
	case 2:
		return netaddr_ipv4(0x07070707U, (uint16_t)(8333 + n));
	case 3:
		return netaddr_ipv4(0x0a000001U + (n >> 1), (uint16_t)(5999 + (n & 1)));
	case 4:
		return netaddr_ipv4(0x7f000001U, (uint16_t)(5999 + n));
	case 5:
		a.bytes[0] = 0x26;
		a.bytes[3] = (uint8_t)n;
		a.bytes[15] = 1;
		return a;
	case 6:
		a.bytes[0] = 0x26;
		a.bytes[1] = 1;
		a.bytes[15] = (uint8_t)(n + 1);
		return a;
	default:
		return netaddr_ipv4(n % 2 == 0 ? 0xe0000001U : 0U, (uint16_t)(n > 20 ? 0 : n));
	}
}

/* One that keeps to the protocol. */
struct far_session {
	const struct proto *proto;
	uint8_t names; /* the number of the first whom it names */
	bool over;
	uint8_t id[16]; /* gossip */
	_Alignas(16) uint8_t memory[SESSION_SIZE_MAX];
};

struct far_kind {
	const struct network *network;
	enum session_role role;
	enum session_goal goal;
	uint8_t id, names;
	uint16_t listen_port;
	struct netaddr sees_us_as;
	uint64_t nonce;
};

/* The next event; false: there is none. Answers who asks; *said grows by that. */
static inline bool far_event(struct far_session *f, struct session_event *e, uint8_t *said,
			     size_t *len)
{
	struct advert names[FAR_NAMES_MAX];

	if (f->over || !f->proto->next(f->memory, e))
		return false;
	f->over = e->kind == SESSION_EVENT_DONE;
	if (e->kind != SESSION_EVENT_ASKED)
		return true;
	for (unsigned i = 0; i < FAR_NAMES_MAX; i++)
		names[i] = (struct advert){ .addr = far_addr((uint8_t)(f->names + i)),
					    .last_seen_s = FAR_UNIX_S - 100 };
	*len += f->proto->answer(f->memory, names, f->names % (FAR_NAMES_MAX + 1), said + *len,
				 FAR_SAID_MAX - *len);
	return true;
}

/* What it has to say; how much. */
static inline size_t far_says(struct far_session *f, uint8_t said[static FAR_SAID_MAX])
{
	struct session_event e;
	size_t len = 0, n;

	while (far_event(f, &e, said, &len))
		;
	while ((n = f->proto->send(f->memory, said + len, FAR_SAID_MAX - len)) > 0)
		len += n;
	return len;
}

static inline void far_begin(struct far_session *f, const struct far_kind *kind, uint64_t now_ms)
{
	struct session_params params = {
		.network = kind->network,
		.role = kind->role,
		.goal = kind->goal,
		.nonce = kind->nonce,
		.unix_s = FAR_UNIX_S,
		.agent = slice_text("/far:1/"),
		.services = 9,
		.peer = kind->sees_us_as,
		.own_id = slice_of(f->id, sizeof(f->id)),
		.listen_port = kind->listen_port,
		.timeout_ms = kind->goal == SESSION_GOAL_STAY ? 0 : 60 * 1000,
		.ping_count = 2,
		.ping_interval_ms = 1000,
	};

	f->proto = kind->network->proto;
	f->names = kind->names;
	f->over = false;
	memset(f->id, kind->id, sizeof(f->id));
	f->proto->init(f->memory, &params, now_ms);
}

#endif
