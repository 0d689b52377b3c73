/* peer_inner.h: the inside of a simulated connection. peer.c has what all protocols share (the
 * outputs and their times, the session, the answers), a manner what one of them does its own
 * way. Private to sim/peer*.c. */
#ifndef PEERWALK_SIM_PEER_INNER_H
#define PEERWALK_SIM_PEER_INNER_H

#include "base/uuid.h"
#include "sim/liars.h"
#include "sim/peer.h"

struct sim_manner {
	void (*begin)(struct sim_conn *c); /* before all others */
	/* What a liar that speaks no protocol says first. */
	void (*lie)(struct sim_conn *c, uint64_t now_ms);
	/* Takes whole messages off the front; how many bytes are done with. */
	size_t (*take)(struct sim_conn *c, struct slice in, uint64_t now_ms);
	/* How many bytes of in, at least one, are of the unfinished message that is held. */
	size_t (*lacks)(struct slice held, struct slice in);
	/* Of the session's words, what this peer's software would really say. */
	void (*spoken)(struct sim_conn *c, uint8_t *words, size_t len, uint64_t now_ms);
	/* What it says unasked once hands are shaken. */
	void (*shaken)(struct sim_conn *c, uint64_t now_ms);
	/* How long it takes to answer whom it knows. */
	uint64_t (*wait_ms)(const struct sim_conn *c);
	/* A message with these; its length. */
	size_t (*answer)(struct sim_conn *c, const struct advert *adverts, size_t count,
			 uint8_t *out, size_t cap);
};

extern const struct sim_manner sim_manner_bitcoin, sim_manner_gossip;

enum { SIM_VERACK_LEN = 24 };

struct sim_conn {
	const struct sim_world *world;
	const struct proto *proto;
	const struct sim_manner *manner;
	struct sim_peer peer;
	struct netaddr from;
	uint64_t start_ms;
	int64_t start_s;
	bool has_session, shaken, spoke, asked, told_self;

	/* What the client sent and nobody has taken yet. */
	uint8_t *in;
	size_t in_len, in_cap;

	/* What waits to be told, due at out_ms; then the end, if there is one. */
	uint8_t *out;
	size_t out_at, out_len, out_cap;
	uint64_t out_ms;
	bool ends;
	enum sim_output_kind end;
	uint64_t end_ms;

	uint64_t answer_ms; /* when the next list of peers is due; UINT64_MAX: none */
	uint64_t invented;  /* how many LIAR_INVENT has made up */
	bool verack_waits;  /* SIM_STEPWISE holds its verack back */
	uint8_t verack[SIM_VERACK_LEN];
	uint8_t own_id[UUID_LEN]; /* gossip */

	_Alignas(16) uint8_t session[];
};

int64_t sim_wall_s(const struct sim_conn *c, uint64_t now_ms);
void sim_end(struct sim_conn *c, enum sim_output_kind how, uint64_t now_ms);
void sim_tell(struct sim_conn *c, const void *data, size_t len, uint64_t now_ms);
/* Its own address, alone. */
void sim_tell_self(struct sim_conn *c, uint64_t now_ms);
void sim_start_session(struct sim_conn *c, uint64_t nonce, uint64_t now_ms);
/* Gives the session bytes, and tells what comes of them. */
void sim_hear(struct sim_conn *c, struct slice in, uint64_t now_ms);

#endif
