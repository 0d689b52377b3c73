/* discv4_cases.h: how a conforming discv4 node answers, asked over whatever carries packets.
 *
 * The cases are those of the reference client's conformance tests (go-ethereum,
 * cmd/devp2p/internal/v4test), which take 300 ms without an answer for silence. */
#ifndef PEERWALK_TESTS_SUPPORT_DISCV4_CASES_H
#define PEERWALK_TESTS_SUPPORT_DISCV4_CASES_H

#include "proto/ethereum/rlp.h"
#include "support/discv4.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { CASE_SILENCE_MS = 300, CASE_LISTENERS = 2 };

/* Two addresses to speak from, and the node. Each case takes a key that is new to it. */
struct carrier {
	const struct discv4 *node;
	struct netaddr node_addr;
	struct netaddr addrs[CASE_LISTENERS]; /* two hosts */
	const struct secp *secp;
	uint32_t players; /* so far */
	/* Before each case: other ports, at which nobody was met before. */
	void (*renew)(struct carrier *c);
	void (*say)(struct carrier *c, unsigned listener, struct slice packet);
	/* The next packet for this listener; false after CASE_SILENCE_MS without one. */
	bool (*hear)(struct carrier *c, unsigned listener, struct packet *out);
	int64_t (*now_s)(struct carrier *c);
};

static inline struct player new_player(struct carrier *c)
{
	struct player p;

	player_init(&p, c->secp, 1000 + c->players++, &c->addrs[0]);
	return p;
}

static inline bool hear(struct carrier *c, unsigned listener, struct packet *out,
			struct discv4_packet *p)
{
	struct reader r;

	if (!c->hear(c, listener, out))
		return false;
	reader_init(&r, packet_slice(out));
	discv4_decode(&r, p);
	assert_true(reader_ok(&r));
	assert_memory_equal(p->signer, c->node->key, sizeof(p->signer));
	return true;
}

static inline void hear_nothing(struct carrier *c, unsigned listener)
{
	struct packet packet;

	assert_false(c->hear(c, listener, &packet));
}

static inline void check_pong(struct carrier *c, const struct discv4_packet *p,
			      const struct packet *ping)
{
	assert_true(slice_equal(p->pong.ping_hash, packet_hash(ping)));
	assert_true(netaddr_equal(&p->pong.to.addr, &c->addrs[0]));
	assert_in_range(p->pong.expiration_s - c->now_s(c), DISCV4_EXPIRATION_S - 2,
			DISCV4_EXPIRATION_S);
	assert_true(p->pong.has_enr_seq && p->pong.enr_seq == discv4_seq(c->node));
}

/* Says the ping; the first two packets back are one PONG and one PING, which comes out. */
static inline void hear_both(struct carrier *c, const struct packet *ping, struct packet *theirs)
{
	unsigned pongs = 0, pings = 0;
	struct discv4_packet p;
	struct packet heard;

	c->say(c, 0, packet_slice(ping));
	for (unsigned i = 0; i < 2; i++) {
		assert_true(hear(c, 0, &heard, &p));
		if (p.type == DISCV4_PONG) {
			pongs++;
			check_pong(c, &p, ping);
		} else {
			assert_int_equal(p.type, DISCV4_PING);
			assert_true(netaddr_equal(&p.ping.to.addr, &c->addrs[0]));
			pings++;
			*theirs = heard;
		}
	}
	assert_int_equal(pongs, 1);
	assert_int_equal(pings, 1);
}

static inline void say_pong_to(struct carrier *c, const struct player *by, struct slice ping_hash)
{
	struct discv4_pong m = { .to = { .addr = c->node_addr },
				 .ping_hash = ping_hash,
				 .expiration_s = c->now_s(c) + PLAYER_EXPIRATION_S };
	struct packet pong;

	say_pong(by, &m, &pong);
	c->say(c, 0, packet_slice(&pong));
}

static inline void bond(struct carrier *c, const struct player *by)
{
	struct discv4_ping m = ping_of(by, &c->node_addr, c->now_s(c));
	struct packet ping, theirs;

	say_ping(by, &m, &ping);
	hear_both(c, &ping, &theirs);
	say_pong_to(c, by, packet_hash(&theirs));
}

static inline void case_ping_good(struct carrier *c)
{
	struct player by = new_player(c);
	struct discv4_ping m = ping_of(&by, &c->node_addr, c->now_s(c));
	struct packet ping, theirs;

	say_ping(&by, &m, &ping);
	hear_both(c, &ping, &theirs);
}

static inline void case_ping_wrong_to(struct carrier *c)
{
	struct netaddr wrong = netaddr_ipv4(0xc0000201, 30303);
	struct player by = new_player(c);
	struct discv4_ping m = ping_of(&by, &wrong, c->now_s(c));
	struct packet ping, theirs;

	say_ping(&by, &m, &ping);
	hear_both(c, &ping, &theirs);
}

static inline void case_ping_wrong_from(struct carrier *c)
{
	struct player by = new_player(c);
	struct discv4_ping m = ping_of(&by, &c->node_addr, c->now_s(c));
	struct packet ping, theirs;

	m.from.addr = netaddr_ipv4(0xc0000201, 30303);
	say_ping(&by, &m, &ping);
	hear_both(c, &ping, &theirs);
}

/* Elements and bytes that nobody knows, and another version (EIP-8). */
static inline void case_ping_more(struct carrier *c)
{
	struct player by = new_player(c);
	struct packet ping, theirs;
	struct writer w;
	size_t outer, inner;

	packet_begin(&ping, &w, DISCV4_PING);
	outer = rlp_put_list(&w);
	rlp_put_uint(&w, 555);
	for (unsigned i = 0; i < 2; i++) {
		inner = rlp_put_list(&w);
		rlp_put_bytes(&w, slice_of(c->addrs[0].bytes, 4));
		rlp_put_uint(&w, c->addrs[0].port);
		rlp_put_uint(&w, 0);
		rlp_end_list(&w, inner);
	}
	rlp_put_uint(&w, (uint64_t)c->now_s(c) + PLAYER_EXPIRATION_S);
	rlp_put_bytes(&w, slice_text("more"));
	rlp_put_uint(&w, 7);
	rlp_end_list(&w, outer);
	writer_bytes(&w, "behind", 6);
	packet_end(&ping, &w, &by);
	hear_both(c, &ping, &theirs);
}

static inline void case_ping_expired(struct carrier *c)
{
	struct player by = new_player(c);
	struct discv4_ping m = ping_of(&by, &c->node_addr, c->now_s(c));
	struct packet ping;

	m.expiration_s = -(c->now_s(c) + PLAYER_EXPIRATION_S); /* as the suite has it */
	say_ping(&by, &m, &ping);
	c->say(c, 0, packet_slice(&ping));
	m.expiration_s = c->now_s(c) - 5;
	say_ping(&by, &m, &ping);
	c->say(c, 0, packet_slice(&ping));
	hear_nothing(c, 0);
}

static inline void case_unknown_type(struct carrier *c)
{
	struct player by = new_player(c);
	struct discv4_ping m = ping_of(&by, &c->node_addr, c->now_s(c));
	struct packet packet;
	struct writer w;

	packet_begin(&packet, &w, 66);
	discv4_ping_encode(&w, &m);
	packet_end(&packet, &w, &by);
	c->say(c, 0, packet_slice(&packet));
	hear_nothing(c, 0);
}

static inline void case_bonded_ping_wrong_from(struct carrier *c)
{
	struct player by = new_player(c);
	struct discv4_ping m = ping_of(&by, &c->node_addr, c->now_s(c));
	struct packet ping, heard;
	struct discv4_packet p;

	bond(c, &by);
	m.from.addr = netaddr_ipv4(0xc0000201, 30303);
	say_ping(&by, &m, &ping);
	c->say(c, 0, packet_slice(&ping));
	assert_true(hear(c, 0, &heard, &p));
	assert_int_equal(p.type, DISCV4_PONG);
	check_pong(c, &p, &ping);
	hear_nothing(c, 0);
}

static inline void case_enrrequest(struct carrier *c)
{
	struct player by = new_player(c);
	struct packet request, heard;
	struct discv4_packet p;

	bond(c, &by);
	say_enrrequest(&by, c->now_s(c) + PLAYER_EXPIRATION_S, &request);
	c->say(c, 0, packet_slice(&request));
	assert_true(hear(c, 0, &heard, &p));
	assert_int_equal(p.type, DISCV4_ENRRESPONSE);
	assert_true(slice_equal(p.enrresponse.request_hash, packet_hash(&request)));
	assert_memory_equal(p.enrresponse.record.key, c->node->key, SECP_PUBLIC_LEN);
	assert_int_equal(p.enrresponse.record.seq, discv4_seq(c->node));
	assert_true(slice_equal(p.enrresponse.record.raw, discv4_record(c->node)));
}

static inline void case_enrrequest_unbonded(struct carrier *c)
{
	struct player by = new_player(c);
	struct packet request;

	say_enrrequest(&by, c->now_s(c) + PLAYER_EXPIRATION_S, &request);
	c->say(c, 0, packet_slice(&request));
	hear_nothing(c, 0);
}

static inline void find(struct carrier *c, const struct player *by, unsigned listener, int more_s)
{
	struct packet find;

	say_findnode(by, by->public, c->now_s(c) + more_s, &find);
	c->say(c, listener, packet_slice(&find));
}

static inline void case_findnode_unbonded(struct carrier *c)
{
	struct player by = new_player(c);

	find(c, &by, 0, PLAYER_EXPIRATION_S);
	hear_nothing(c, 0);
}

static inline void case_findnode(struct carrier *c)
{
	struct player by = new_player(c);
	struct discv4_packet p;
	struct packet heard;

	bond(c, &by);
	find(c, &by, 0, PLAYER_EXPIRATION_S);
	assert_true(hear(c, 0, &heard, &p));
	assert_int_equal(p.type, DISCV4_NEIGHBORS);
}

static inline void case_findnode_expired(struct carrier *c)
{
	struct player by = new_player(c);

	bond(c, &by);
	find(c, &by, 0, -5);
	hear_nothing(c, 0);
}

static inline void case_neighbors_unasked(struct carrier *c)
{
	struct player by = new_player(c), fake = new_player(c);
	struct enode lie = { .endpoint = { .addr = c->addrs[0], .tcp_port = 1 } }, named;
	struct packet neighbors, heard;
	struct discv4_packet p;
	struct reader r;

	bond(c, &by);
	memcpy(lie.key, fake.public, sizeof(lie.key));
	say_neighbors(&by, &lie, 1, c->now_s(c) + PLAYER_EXPIRATION_S, &neighbors);
	c->say(c, 0, packet_slice(&neighbors));
	find(c, &fake, 0, PLAYER_EXPIRATION_S); /* unbonded: silence */
	find(c, &by, 0, PLAYER_EXPIRATION_S);
	assert_true(hear(c, 0, &heard, &p));
	do {
		assert_int_equal(p.type, DISCV4_NEIGHBORS);
		reader_init(&r, p.neighbors.nodes);
		while (discv4_neighbors_next(&r, &named))
			assert_memory_not_equal(named.key, fake.public, sizeof(named.key));
	} while (hear(c, 0, &heard, &p));
}

static inline void case_pong_wrong_hash(struct carrier *c)
{
	struct player by = new_player(c);
	struct discv4_ping m = ping_of(&by, &c->node_addr, c->now_s(c));
	uint8_t wrong[DISCV4_HASH_LEN];
	struct packet ping, theirs;

	say_ping(&by, &m, &ping);
	hear_both(c, &ping, &theirs);
	memcpy(wrong, theirs.bytes, sizeof(wrong));
	wrong[31] ^= 1;
	say_pong_to(c, &by, slice_of(wrong, sizeof(wrong)));
	find(c, &by, 0, PLAYER_EXPIRATION_S);
	hear_nothing(c, 0);
}

static inline void case_bond_of_another_host(struct carrier *c)
{
	struct player by = new_player(c);
	struct packet request;

	bond(c, &by);
	find(c, &by, 1, PLAYER_EXPIRATION_S);
	say_enrrequest(&by, c->now_s(c) + PLAYER_EXPIRATION_S, &request);
	c->say(c, 1, packet_slice(&request));
	hear_nothing(c, 1);
	hear_nothing(c, 0);
}

static const struct {
	const char *name;
	void (*run)(struct carrier *c);
} discv4_cases[] = {
	{ "ping", case_ping_good },
	{ "ping with a wrong to", case_ping_wrong_to },
	{ "ping with a wrong from", case_ping_wrong_from },
	{ "ping with more elements", case_ping_more },
	{ "expired ping", case_ping_expired },
	{ "unknown type", case_unknown_type },
	{ "bonded ping with a wrong from", case_bonded_ping_wrong_from },
	{ "enrrequest", case_enrrequest },
	{ "enrrequest without a bond", case_enrrequest_unbonded },
	{ "findnode without a bond", case_findnode_unbonded },
	{ "findnode", case_findnode },
	{ "expired findnode", case_findnode_expired },
	{ "neighbors that nobody asked for", case_neighbors_unasked },
	{ "pong with a wrong hash", case_pong_wrong_hash },
	{ "a bond of another host", case_bond_of_another_host },
};

static inline void cases_run(struct carrier *c)
{
	for (size_t i = 0; i < sizeof(discv4_cases) / sizeof(*discv4_cases); i++) {
		print_message("  %s\n", discv4_cases[i].name);
		c->renew(c);
		discv4_cases[i].run(c);
	}
}

#endif
