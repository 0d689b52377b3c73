/* test_probe.c: one visit of one discv4 node, packet by packet, all of them signed and read.
 * The same in the large, over a network that loses packets: tests/sim/test_probe_network.c. */
#include "base/keccak.h"
#include "proto/ethereum/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
	NODES = 60,
	UNIX_S = 1700000000,
	START_MS = 5000,
	STEPS_MAX = 4000,
	SEQ = 7, /* of the node's record */
};

static struct targets targets;
static struct secp secp;
static struct enode nodes[NODES]; /* whom the visited node may know */
static struct secp_key our_key, its_key, other_key;
static struct enode us, it, other;

static void make_node(struct secp_key *key, struct enode *node, uint8_t a, uint8_t b)
{
	const uint8_t bytes[SECP_KEY_LEN] = { a, b, 1 };

	assert_true(secp_key_init(key, bytes));
	secp_public(&secp, key, node->key);
	node->endpoint.addr =
		netaddr_ipv4(0x05000001U | (uint32_t)a << 16 | (uint32_t)b << 8, 30303);
	node->endpoint.tcp_port = 30304;
}

static int start(void **state)
{
	static const uint8_t random[SECP_RANDOM_LEN] = { 9 };
	struct secp_key key;

	(void)state;
	targets_init(&targets);
	secp_init(&secp, random);
	make_node(&our_key, &us, 1, 1);
	make_node(&its_key, &it, 1, 2);
	make_node(&other_key, &other, 1, 3);
	for (uint8_t i = 0; i < NODES; i++)
		make_node(&key, &nodes[i], 2, i);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	secp_clear(&secp);
	return 0;
}

/* A visit and the node that is visited. */
struct rig {
	struct probe probe;
	struct kademlia table;
	uint64_t now_ms;
	uint8_t ping_hash[DISCV4_HASH_LEN], request_hash[DISCV4_HASH_LEN];
	uint8_t target[SECP_PUBLIC_LEN];
	unsigned sent[DISCV4_ENRRESPONSE + 1]; /* packets of the visit, by type */
	bool findnode_open, request_open;
	enum discv4_type last;
	struct netaddr last_to;
	unsigned bonded, named, usable, records, done;
	char order[64];             /* what was sent, a letter each */
	const struct netaddr *home; /* where it speaks from, if not at its address */
};

static void rig_sent(struct rig *rig, const struct probe_packet *out)
{
	uint8_t bytes[DISCV4_PACKET_MAX];
	struct discv4_packet packet;
	struct writer w;
	struct reader r;
	size_t mark, len = strlen(rig->order);

	writer_init(&w, bytes, sizeof(bytes));
	mark = discv4_begin(&w, out->type);
	writer_bytes(&w, out->list, out->len);
	discv4_end(&w, mark, &secp, &our_key);
	assert_true(writer_ok(&w));
	reader_init(&r, slice_of(bytes, w.len));
	discv4_decode(&r, &packet);
	assert_true(reader_ok(&r));
	probe_sent(&rig->probe, out->ticket, packet.hash.data, rig->now_ms);
	rig->sent[out->type]++;
	rig->last = out->type;
	rig->last_to = out->to;
	if (len + 1 < sizeof(rig->order))
		rig->order[len] = " ioNnRr"[out->type];
	if (out->type == DISCV4_PING) {
		assert_int_equal(packet.ping.expiration_s,
				 UNIX_S + (int64_t)(rig->now_ms - START_MS) / 1000 +
					 PROBE_EXPIRATION_S);
		memcpy(rig->ping_hash, packet.hash.data, DISCV4_HASH_LEN);
	} else if (out->type == DISCV4_FINDNODE) {
		memcpy(rig->target, packet.findnode.target.data, SECP_PUBLIC_LEN);
		rig->findnode_open = true;
	} else if (out->type == DISCV4_ENRREQUEST) {
		memcpy(rig->request_hash, packet.hash.data, DISCV4_HASH_LEN);
		rig->request_open = true;
	}
}

static void rig_drain(struct rig *rig)
{
	struct probe_event event;
	struct probe_packet out;

	while (probe_next(&rig->probe, &event)) {
		assert_int_equal(rig->done, 0);
		rig->bonded += event.kind == PROBE_EVENT_BONDED;
		rig->named += event.kind == PROBE_EVENT_NODE;
		rig->usable += event.kind == PROBE_EVENT_NODE && event.usable;
		rig->records += event.kind == PROBE_EVENT_RECORD;
		rig->done += event.kind == PROBE_EVENT_DONE;
	}
	while (probe_send(&rig->probe, &out, rig->now_ms))
		rig_sent(rig, &out);
}

/* More of what rig_init_for asks for, and of what not. */
static void rig_init_as(struct rig *rig, unsigned table, struct probe_params params)
{
	struct random random = { 3 };
	uint8_t hash[KADEMLIA_HASH_LEN];

	params.own = us.endpoint;
	params.unix_ms = UNIX_S * 1000LL;
	memset(rig, 0, sizeof(*rig));
	rig->now_ms = START_MS;
	memcpy(params.own_key, us.key, sizeof(params.own_key));
	kademlia_hash(it.key, hash);
	kademlia_init(&rig->table, hash);
	for (unsigned i = 0; i < table; i++) {
		const struct kademlia_node node =
			kademlia_node(nodes[i].key, &nodes[i].endpoint.addr, 30304);

		kademlia_add(&rig->table, &node, 0, &random);
	}
	probe_init(&rig->probe, &params, rig->now_ms);
	rig_drain(rig);
}

static void rig_init_for(struct rig *rig, unsigned table, const struct enode *whom,
			 uint64_t timeout_ms)
{
	rig_init_as(rig, table,
		    (struct probe_params){
			    .node = *whom, .targets = &targets, .timeout_ms = timeout_ms });
}

/* The node's packet: signed, read, given to the visit. */
static bool rig_give(struct rig *rig, enum discv4_type type, struct slice list,
		     const struct secp_key *key, const struct netaddr *from)
{
	uint8_t bytes[DISCV4_LONG_MAX], hash[DISCV4_HASH_LEN];
	struct discv4_packet packet;
	struct reader r;
	struct writer w;
	bool taken;

	rig->now_ms += 10;
	if (rig->home != NULL)
		from = rig->home;
	writer_init(&w, bytes, sizeof(bytes));
	discv4_begin(&w, type);
	writer_slice(&w, list);
	assert_true(writer_ok(&w));
	/* By hand, as discv4_end makes no packet that is too long. */
	keccak_256(slice_from(slice_of(bytes, w.len), DISCV4_HEADER_LEN - 1), hash);
	secp_sign(&secp, key, hash, bytes + DISCV4_HASH_LEN);
	keccak_256(slice_from(slice_of(bytes, w.len), DISCV4_HASH_LEN), bytes);
	reader_init(&r, slice_of(bytes, w.len));
	discv4_decode_long(&r, &packet);
	assert_true(reader_ok(&r));
	taken = probe_recv(&rig->probe, from, &packet, w.len, rig->now_ms);
	rig_drain(rig);
	return taken;
}

static int64_t fresh(const struct rig *rig)
{
	return UNIX_S + (int64_t)(rig->now_ms - START_MS) / 1000 + 20;
}

static void give_pong(struct rig *rig, const uint8_t *hash, int64_t expiration_s,
		      const struct secp_key *key, const struct netaddr *from)
{
	uint8_t bytes[200];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	discv4_pong_encode(&w, &(struct discv4_pong){ .to = us.endpoint,
						      .ping_hash = { hash, DISCV4_HASH_LEN },
						      .expiration_s = expiration_s,
						      .has_enr_seq = true,
						      .enr_seq = SEQ });
	rig_give(rig, DISCV4_PONG, slice_of(bytes, w.len), key, from);
}

static void give_ping(struct rig *rig, int64_t expiration_s, const struct netaddr *from)
{
	uint8_t bytes[200];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	discv4_ping_encode(&w, &(struct discv4_ping){ .version = 4,
						      .from = it.endpoint,
						      .to = us.endpoint,
						      .expiration_s = expiration_s });
	rig_give(rig, DISCV4_PING, slice_of(bytes, w.len), &its_key, from);
}

static void give_nodes(struct rig *rig, const struct enode *list, size_t count,
		       int64_t expiration_s)
{
	uint8_t bytes[DISCV4_PACKET_MAX];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	assert_int_equal(discv4_neighbors_encode(&w, list, count, expiration_s), count);
	rig_give(rig, DISCV4_NEIGHBORS, slice_of(bytes, w.len), &its_key, &it.endpoint.addr);
}

/* 16 nodes in one packet of 1,373 bytes and more. */
static void give_long(struct rig *rig, const struct enode *list, size_t count)
{
	uint8_t bytes[DISCV4_LONG_MAX];
	struct writer w;
	size_t outer, inner;

	writer_init(&w, bytes, sizeof(bytes));
	outer = rlp_put_list(&w);
	inner = rlp_put_list(&w);
	for (size_t i = 0; i < count; i++) {
		size_t node = rlp_put_list(&w);

		rlp_put_bytes(&w, slice_of(list[i].endpoint.addr.bytes, 4));
		rlp_put_uint(&w, list[i].endpoint.addr.port);
		rlp_put_uint(&w, list[i].endpoint.tcp_port);
		rlp_put_bytes(&w, slice_of(list[i].key, sizeof(list[i].key)));
		rlp_end_list(&w, node);
	}
	rlp_end_list(&w, inner);
	rlp_put_uint(&w, UNIX_S + 1000);
	rlp_end_list(&w, outer);
	rig_give(rig, DISCV4_NEIGHBORS, slice_of(bytes, w.len), &its_key, &it.endpoint.addr);
}

/* f both packets, n the first only, x both expired, l all in one packet, d both, and each twice */
static void give_answer(struct rig *rig, char how)
{
	const struct kademlia_node *near[KADEMLIA_BUCKET_SIZE];
	struct enode list[KADEMLIA_BUCKET_SIZE];
	uint8_t hash[KADEMLIA_HASH_LEN];
	size_t count, first;
	int64_t expiration_s = how == 'x' ? UNIX_S - 60 : fresh(rig);

	kademlia_hash(rig->target, hash);
	count = kademlia_closest(&rig->table, hash, near);
	for (size_t i = 0; i < count; i++) {
		memcpy(list[i].key, near[i]->key, sizeof(list[i].key));
		list[i].endpoint = (struct enode_endpoint){ near[i]->addr, near[i]->tcp_port };
	}
	first = count < DRAIN_PACKET_NODES ? count : DRAIN_PACKET_NODES;
	rig->findnode_open = false;
	if (how == 'l' && count == KADEMLIA_BUCKET_SIZE) {
		give_long(rig, list, count);
		return;
	}
	for (int i = 0; i < (how == 'd' ? 2 : 1); i++)
		give_nodes(rig, list, first, expiration_s);
	for (int i = 0; i < (how == 'd' ? 2 : 1) && how != 'n' && count > first; i++)
		give_nodes(rig, list + first, count - first, expiration_s);
}

static void give_record(struct rig *rig, const uint8_t *request, uint64_t seq,
			const struct secp_key *key, const struct enode_endpoint *endpoint)
{
	uint8_t record[ENR_LEN_MAX], bytes[400];
	struct enr_draft draft;
	struct writer w, r;

	enr_draft_init(&draft, seq);
	enr_draft_endpoint(&draft, endpoint);
	writer_init(&r, record, sizeof(record));
	enr_draft_sign(&draft, &secp, key, &r);
	writer_init(&w, bytes, sizeof(bytes));
	discv4_enrresponse_encode(&w, slice_of(request, DISCV4_HASH_LEN), slice_of(record, r.len));
	rig->request_open = false;
	rig_give(rig, DISCV4_ENRRESPONSE, slice_of(bytes, w.len), &its_key, &it.endpoint.addr);
}

/* Nodes that it has no business to name, and one that it may. */
static void give_hostile(struct rig *rig)
{
	static const uint32_t ips[] = { 0x0a000001, 0x7f000001, 0, 0xc0000201, 0xe0000001 };
	struct enode list[8];

	memcpy(list, nodes, sizeof(list));
	for (size_t i = 0; i < 5; i++)
		list[i].endpoint.addr = netaddr_ipv4(ips[i], 30303);
	list[5].endpoint.addr.port = RELAY_PORT_SYSTEM;
	memset(list[6].key, 0x11, sizeof(list[6].key));
	give_nodes(rig, list, 8, fresh(rig));
}

/* More than 16 in the answer to one question; of most of them a table of 40 knows nothing. */
static void give_many(struct rig *rig)
{
	give_nodes(rig, nodes + NODES - 24, 12, fresh(rig));
	give_nodes(rig, nodes + NODES - 12, 12, fresh(rig));
}

static void wait_over(struct rig *rig)
{
	uint64_t at = probe_deadline(&rig->probe);

	if (at == UINT64_MAX)
		return;
	probe_tick(&rig->probe, at - 1);
	assert_true(probe_deadline(&rig->probe) == at);
	rig->now_ms = at > rig->now_ms ? at : rig->now_ms;
	rig->findnode_open = rig->request_open = false;
	probe_tick(&rig->probe, rig->now_ms);
	rig_drain(rig);
}

/* As a good node behaves from here on, with answers as give_answer has them. */
static void serve(struct rig *rig, char how)
{
	for (unsigned i = 0; i < STEPS_MAX && rig->done == 0; i++) {
		if (rig->findnode_open)
			give_answer(rig, how);
		else if (rig->request_open)
			give_record(rig, rig->request_hash, SEQ, &its_key, &it.endpoint);
		else
			wait_over(rig);
	}
}

static const uint8_t wrong[DISCV4_HASH_LEN] = { 1, 2, 3 };

/* PONG: p good, w with a wrong hash, e expired, s signed by a stranger (S: who guesses), u by
 * ourselves, h from another host, t from another port */
static bool act_pong(struct rig *rig, char what)
{
	const struct secp_key *key = what == 's' || what == 'S' ? &other_key
				     : what == 'u'              ? &our_key
								: &its_key;
	struct netaddr from = what == 'h' ? other.endpoint.addr : it.endpoint.addr;

	if (strchr("pwesSuht", what) == NULL)
		return false;
	from.port += what == 't';
	give_pong(rig, what == 'w' || what == 'S' ? wrong : rig->ping_hash,
		  what == 'e' ? UNIX_S - 60 : fresh(rig), key, &from);
	return true;
}

/* PING: i good, j expired, J below zero, k from another port */
static bool act_ping(struct rig *rig, char what)
{
	struct netaddr from = it.endpoint.addr;

	if (strchr("ijJk", what) == NULL)
		return false;
	from.port += what == 'k';
	give_ping(rig,
		  what == 'j'   ? UNIX_S - 60
		  : what == 'J' ? -(UNIX_S + 20)
				: fresh(rig),
		  &from);
	return true;
}

/* ENRRESPONSE: r good, a of no request, o of another node, g older, v with a LAN address */
static bool act_record(struct rig *rig, char what)
{
	const struct enode_endpoint lan = { netaddr_ipv4(0x0a000005, 30303), 30303 };

	if (strchr("raogv", what) == NULL)
		return false;
	give_record(rig, what == 'a' ? wrong : rig->request_hash, what == 'g' ? SEQ - 1 : SEQ,
		    what == 'o' ? &other_key : &its_key, what == 'v' ? &lan : &it.endpoint);
	return true;
}

/* What the node does, a letter each; at the end of the script it is silent. Besides those
 * above, f n x l: NEIGHBORS, see give_answer; 0 empty, b hostile ones, m unasked, 6 of 15
 * and 16 nodes; c garbage; . nothing, until the wait is over; it is good from here on: D,
 * with long packets L, with first packets only N, with each packet twice W */
static void act(struct rig *rig, char what)
{
	if (act_pong(rig, what) || act_ping(rig, what) || act_record(rig, what))
		return;
	if (what == '0')
		give_nodes(rig, NULL, 0, fresh(rig));
	else if (what == 'b')
		give_hostile(rig);
	else if (what == 'm')
		give_nodes(rig, nodes, DRAIN_PACKET_NODES, fresh(rig));
	else if (what == '6')
		give_many(rig);
	else if (what == 'c')
		probe_garbage(&rig->probe, DISCV4_PACKET_MIN);
	else if (what == '.')
		wait_over(rig);
	else if (strchr("DLNW", what) != NULL)
		serve(rig, what == 'D' ? 'f' : what == 'L' ? 'l' : what == 'N' ? 'n' : 'd');
	else
		give_answer(rig, what);
}

static const struct {
	const char *name, *script, *breaches;
	unsigned table;
	enum outcome outcome;
	enum drain_result completeness;
	unsigned pings, pongs, findnodes, requests, records;
} rows[] = {
#define T       OUTCOME_CONNECT_TIMEOUT, DRAIN_TIMED_OUT
#define H       OUTCOME_HANDSHAKE_TIMEOUT, DRAIN_TIMED_OUT
#define OK_ALL  OUTCOME_OK, DRAIN_DRAINED
#define OK_PART OUTCOME_OK, DRAIN_PARTIAL
	/* The bond. */
	{ "a good node", "piD", "", 40, OK_ALL, 1, 1, 3, 1, 1 },
	{ "its PING comes first", "ipD", "", 40, OK_ALL, 1, 1, 3, 1, 1 },
	{ "nobody there", "", "", 40, T, 3, 0, 0, 0, 0 },
	{ "PONG at the third PING", "..piD", "", 40, OK_ALL, 3, 1, 3, 1, 1 },
	{ "bonded before: no PING", "p.D", "", 40, OK_ALL, 1, 0, 3, 1, 1 },
	{ "its PING comes late", "p.iD", "", 40, OK_ALL, 1, 1, 3, 1, 1 },
	{ "its PING was lost", "p..piD", "", 40, OK_ALL, 2, 1, 4, 1, 1 },
	{ "our PONG was lost twice", "pi.pi.piD", "", 40, OK_ALL, 3, 3, 5, 1, 1 },
	{ "PINGs, but no PONG", "i", "", 40, H, 3, 1, 0, 0, 0 },
	{ "PINGs without end", "piiiiiiiiiiiiiiiiiiD", "pings", 40, OK_ALL, 1, 14, 3, 1, 1 },
	{ "an expired PING", "pj.D", "expired", 40, OK_ALL, 1, 0, 3, 1, 1 },
	{ "an expiration below zero", "pJ.D", "expired", 40, OK_ALL, 1, 0, 3, 1, 1 },
	{ "an expired PONG", "ee", "expired", 40, H, 3, 0, 0, 0, 0 },
	{ "a wrong PONG", "w", "wrong_pong", 40, H, 3, 0, 0, 0, 0 },
	{ "a wrong PONG, then a right one", "wpiD", "wrong_pong", 40, OK_ALL, 1, 1, 3, 1, 1 },
	{ "another node lives there", "s", "other_key", 40, OUTCOME_PROTOCOL_ERROR, DRAIN_TIMED_OUT,
	  1, 0, 0, 0, 0 },
	{ "a stranger guesses", "SpiD", "other_key", 40, OK_ALL, 1, 1, 3, 1, 1 },
	{ "a stranger, after the bond", "psiD", "other_key", 40, OK_ALL, 1, 1, 3, 1, 1 },
	{ "ourselves at another address", "u", "other_key", 40, OUTCOME_SELF, DRAIN_TIMED_OUT, 1, 0,
	  0, 0, 0 },
	{ "its key at another host", "h", "other_host", 40, T, 3, 0, 0, 0, 0 },
	{ "another port", "tkD", "other_port", 40, OK_ALL, 1, 1, 3, 1, 1 },
	{ "garbage only", "ccc", "garbage", 40, T, 3, 0, 0, 0, 0 },
	{ "garbage all along", "cpciD", "garbage", 40, OK_ALL, 1, 1, 3, 1, 1 },
	/* The table. */
	{ "empty table", "piD", "", 0, OUTCOME_NO_PEERS, DRAIN_DRAINED, 1, 1, 19, 1, 1 },
	{ "small table", "piD", "", 5, OK_ALL, 1, 1, 4, 1, 1 },
	{ "60 nodes", "piD", "", 60, OK_ALL, 1, 1, 3, 1, 1 },
	{ "16 in one packet", "piL", "long", 40, OK_ALL, 1, 1, 3, 1, 1 },
	{ "first packets only", "piN", "", 40, OK_PART, 1, 1, 7, 1, 1 },
	{ "a lost answer", "pif.D", "", 40, OK_ALL, 1, 1, 4, 2, 1 },
	{ "never an answer", "pi", "", 40, OUTCOME_NO_PEERS, DRAIN_TIMED_OUT, 5, 1, 5, 3, 0 },
	{ "gone in the middle", "pif", "", 40, OK_PART, 1, 1, 4, 3, 0 },
	{ "expired answers", "pixD", "expired", 40, OK_ALL, 2, 1, 4, 1, 1 },
	{ "NEIGHBORS before any question", "mpiD", "unsolicited", 40, OK_ALL, 1, 1, 3, 1, 1 },
	{ "hostile NEIGHBORS", "pib", "bad_address low_port off_curve", 40, OK_PART, 1, 1, 4, 3,
	  0 },
	{ "24 nodes in one answer", "pi6D", "many", 40, OK_PART, 1, 1, 6, 1, 1 },
	{ "an answer that comes with the next one", "pif.6D", "", 40, OK_PART, 1, 1, 3, 2, 1 },
	{ "a part of it came before, among others", "pifm.6D", "", 40, OK_PART, 1, 1, 3, 2, 1 },
	{ "each packet comes twice", "piW", "", 40, OK_PART, 1, 1, 11, 1, 1 },
	{ "bonded by a fourth of five tries", "pi.pi.pi.piD", "", 40, OK_ALL, 4, 4, 6, 1, 1 },
	{ "bonded anew, its PING comes first", "p..iD", "", 40, OK_ALL, 2, 1, 4, 1, 1 },
	/* The record. */
	{ "no record", "pifff", "", 40, OK_ALL, 1, 1, 3, 3, 0 },
	{ "record at the third request", "pifff..rD", "", 40, OK_ALL, 1, 1, 3, 3, 1 },
	{ "a record for no request", "pifaD", "wrong_request", 40, OK_ALL, 1, 1, 3, 2, 1 },
	{ "the record of another", "pifoD", "bad_record", 40, OK_ALL, 1, 1, 3, 1, 0 },
	{ "an old record", "pifgD", "old_record", 40, OK_ALL, 1, 1, 3, 1, 0 },
	{ "a record of a LAN", "pifvD", "record_address", 40, OK_ALL, 1, 1, 3, 1, 1 },
};

/* The names of what was noted, in the list's order. */
static void noted(const struct probe_info *info, char out[static 300])
{
	size_t len = 0;

	out[0] = '\0';
	for (unsigned b = 0; b < PROBE_BREACH_COUNT; b++) {
		if (info->breaches[b] > 0)
			len += (size_t)snprintf(out + len, 300 - len, "%s%s", len > 0 ? " " : "",
						probe_breach_name((enum probe_breach)b));
	}
}

static bool row_holds(size_t i, struct rig *rig, const struct probe_info *info)
{
	char breaches[300];

	noted(info, breaches);
	if (info->outcome == rows[i].outcome && info->completeness == rows[i].completeness &&
	    strcmp(breaches, rows[i].breaches) == 0 && rig->sent[DISCV4_PING] == rows[i].pings &&
	    rig->sent[DISCV4_PONG] == rows[i].pongs &&
	    rig->sent[DISCV4_FINDNODE] == rows[i].findnodes &&
	    rig->sent[DISCV4_ENRREQUEST] == rows[i].requests && rig->records == rows[i].records)
		return true;
	print_error("%s: %s, %s, \"%s\", %u %u %u %u %u (%s)\n", rows[i].name,
		    outcome_name(info->outcome), drain_result_name(info->completeness), breaches,
		    rig->sent[DISCV4_PING], rig->sent[DISCV4_PONG], rig->sent[DISCV4_FINDNODE],
		    rig->sent[DISCV4_ENRREQUEST], rig->records, rig->order);
	return false;
}

static void scripts(void **state)
{
	static struct rig rig;
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct probe_info info;

		rig_init_for(&rig, rows[i].table, &it, 0);
		for (const char *what = rows[i].script; *what != '\0'; what++)
			act(&rig, *what);
		for (unsigned step = 0; step < STEPS_MAX && rig.done == 0; step++)
			wait_over(&rig);
		probe_info(&rig.probe, &info);
		failed += !row_holds(i, &rig, &info);
		assert_int_equal(rig.done, 1);
		assert_int_equal(rig.bonded, info.reached);
		assert_int_equal(rig.named, info.named);
		assert_int_equal(rig.sent[DISCV4_FINDNODE], info.findnodes);
		assert_int_equal(info.record.len > 0, rig.records);
		assert_true(probe_deadline(&rig.probe) == UINT64_MAX);
		if (info.completeness == DRAIN_DRAINED)
			assert_int_equal(info.table, kademlia_count(&rig.table));
	}
	assert_int_equal(failed, 0);
}

/* Who doesn't want the table, or the record either. What is sent, a letter each: i PING, o PONG,
 * R ENRREQUEST. */
static void no_questions(void **state)
{
	static const struct {
		const char *name, *script;
		bool no_record;
		const char *order;
		enum outcome outcome;
		unsigned records;
		int64_t total_ms; /* -1: any */
	} wanted[] = {
		{ "its record", "pir", false, "ioR", OUTCOME_OK, 1, 30 },
		{ "its PING comes first", "ipr", false, "ioR", OUTCOME_OK, 1, 30 },
		{ "it knows us already", "p.r", false, "iR", OUTCOME_OK, 1, -1 },
		/* Ours to its PING may be lost, so each try begins with a bond. */
		{ "asked once more", "pi.pir", false, "ioRioR", OUTCOME_OK, 1, -1 },
		{ "three times, no more", "pi.pi.pi.", false, "ioRioRioR", OUTCOME_OK, 0, -1 },
		{ "whether it is there", "pi", true, "io", OUTCOME_OK, 0, 20 },
		{ "its PING came first", "ip", true, "io", OUTCOME_OK, 0, 20 },
		{ "whether it is still there", "p.", true, "i", OUTCOME_OK, 0,
		  10 + PROBE_SETTLE_MS },
		{ "it is not", "...", true, "iii", OUTCOME_CONNECT_TIMEOUT, 0, -1 },
	};
	static struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		struct probe_info info;

		rig_init_as(&rig, 40,
			    (struct probe_params){ .node = it,
						   .no_table = true,
						   .no_record = wanted[i].no_record });
		for (const char *what = wanted[i].script; *what != '\0'; what++)
			act(&rig, *what);
		for (unsigned step = 0; step < STEPS_MAX && rig.done == 0; step++)
			wait_over(&rig);
		probe_info(&rig.probe, &info);
		if (strcmp(rig.order, wanted[i].order) != 0 || info.outcome != wanted[i].outcome ||
		    (wanted[i].total_ms >= 0 && info.total_ms != wanted[i].total_ms))
			fail_msg("%s: %s, %s after %d ms", wanted[i].name, rig.order,
				 outcome_name(info.outcome), (int)info.total_ms);
		assert_int_equal(rig.records, wanted[i].records);
		assert_int_equal(rig.done, 1);
		assert_true(info.drained_ms == -1 && info.findnodes == 0);
	}
}

/* What the visit knows in the end, and when it knew it. */
static void what_was_learnt(void **state)
{
	static struct rig rig;
	struct probe_info info;
	struct reader r;
	struct enr record;

	(void)state;
	rig_init_for(&rig, 40, &it, 0);
	act(&rig, 'p');
	probe_info(&rig.probe, &info);
	assert_true(info.reached && !info.pinged);
	assert_int_equal(probe_state(&rig.probe), PROBE_SETTLING);
	assert_int_equal(info.rtt_ms, 10);
	act(&rig, 'i');
	assert_int_equal(probe_state(&rig.probe), PROBE_ASKING);
	act(&rig, 'D');
	probe_info(&rig.probe, &info);
	assert_int_equal(info.bonded_ms, 10);
	assert_int_equal(info.neighbors_ms, 30);
	assert_in_range(info.drained_ms, 30, info.total_ms);
	assert_in_range(info.record_ms, 30, info.total_ms);
	assert_int_equal(info.expires_in_s, 20);
	assert_int_equal(info.version, 4);
	assert_true(info.has_enr_seq && info.enr_seq == SEQ);
	assert_true(enode_endpoint_equal(&info.sees, &us.endpoint));
	assert_true(enode_endpoint_equal(&info.claims, &it.endpoint));
	reader_init(&r, info.record);
	enr_decode(&r, &record);
	assert_true(reader_ok(&r) && record.seq == SEQ);
	assert_memory_equal(record.key, it.key, sizeof(record.key));
	assert_int_equal(info.packets_out, 6);
	assert_int_equal(info.packets_in, 2 + 2 * info.findnodes + 1);
	assert_true(info.bytes_in > 3 * DISCV4_PACKET_MAX && info.bytes_out > 6 * 98);
	assert_int_equal(rig.usable, rig.named);
	assert_true(info.named >= info.table && info.other == NULL && info.rule == NULL);
	/* It is over: nothing counts any more. */
	act(&rig, 'm');
	act(&rig, 'c');
	probe_failed(&rig.probe, OUTCOME_REFUSED, rig.now_ms);
	probe_cancel(&rig.probe, rig.now_ms);
	probe_tick(&rig.probe, rig.now_ms + 100000);
	rig_drain(&rig);
	assert_int_equal(rig.done, 1);
	assert_int_equal(rig.named, info.named);
	assert_int_equal(rig.probe.info.outcome, OUTCOME_OK);
}

/* How long each answer is waited for; and that we are not told of ourselves. */
static void waits(void **state)
{
	static struct rig rig;
	struct enode list[] = { us, other };

	(void)state;
	rig_init_for(&rig, 40, &it, 0);
	assert_int_equal(probe_deadline(&rig.probe), rig.now_ms + PROBE_REPLY_MS);
	act(&rig, 'p');
	assert_int_equal(probe_deadline(&rig.probe), rig.now_ms + PROBE_SETTLE_MS);
	act(&rig, 'i');
	assert_int_equal(probe_deadline(&rig.probe), rig.now_ms + PROBE_REPLY_MS + 10);
	give_nodes(&rig, list, 2, fresh(&rig));
	assert_int_equal(rig.named, 1);
	assert_int_equal(probe_deadline(&rig.probe), rig.now_ms + PROBE_REST_MS);
	give_nodes(&rig, nodes, 1, fresh(&rig)); /* which does not make the wait longer */
	assert_int_equal(probe_deadline(&rig.probe), rig.now_ms - 10 + PROBE_REST_MS);
	rig_init_for(&rig, 40, &it, 500);
	assert_int_equal(probe_deadline(&rig.probe), START_MS + 500);
	rig_init_for(&rig, 40, &it, UINT64_MAX);
	assert_int_equal(probe_deadline(&rig.probe), START_MS + PROBE_REPLY_MS);
}

/* Of eight named only the good one may be called on; a node of a LAN may name its own. */
static void named_addresses(void **state)
{
	static struct rig rig;
	struct probe_info info;
	struct enode home = it;

	(void)state;
	rig_init_for(&rig, 40, &it, 0);
	act(&rig, 'p');
	act(&rig, 'i');
	act(&rig, 'b');
	probe_info(&rig.probe, &info);
	assert_int_equal(rig.named, 8);
	assert_int_equal(rig.usable, 1);
	assert_int_equal(info.breaches[PROBE_BREACH_BAD_ADDRESS], 5);
	assert_int_equal(info.breaches[PROBE_BREACH_LOW_PORT], 1);
	assert_int_equal(info.breaches[PROBE_BREACH_OFF_CURVE], 1);

	home.endpoint.addr = netaddr_ipv4(0x0a000009, 30303);
	rig_init_for(&rig, 40, &home, 0);
	rig.home = &home.endpoint.addr;
	act(&rig, 'p');
	act(&rig, 'i');
	act(&rig, 'b');
	assert_int_equal(rig.usable, 2);
}

/* NEIGHBORS without end end the visit, at a named bound. */
static void flood(void **state)
{
	static struct rig rig;
	struct probe_info info;
	unsigned given = 0;

	(void)state;
	rig_init_for(&rig, 40, &it, 0);
	act(&rig, 'p');
	act(&rig, 'i');
	for (; given < 2 * PROBE_PACKETS_MAX && rig.done == 0; given++)
		give_nodes(&rig, nodes, 1, fresh(&rig));
	probe_info(&rig.probe, &info);
	assert_int_equal(rig.done, 1);
	assert_int_equal(given, PROBE_PACKETS_MAX - 1);
	assert_int_equal(info.outcome, OUTCOME_TOO_BIG);
	assert_string_equal(info.rule, probe_breach_text(PROBE_BREACH_FLOOD));
	assert_int_not_equal(info.completeness, DRAIN_DRAINED);
	assert_true(info.reached && info.breaches[PROBE_BREACH_FLOOD] == 1);
}

/* New nodes all the time: no more questions than the cap, and no proof. */
static void endless_table(void **state)
{
	static struct rig rig;
	struct probe_info info;
	struct random random = { 8 };

	(void)state;
	rig_init_for(&rig, 40, &it, 0);
	act(&rig, 'p');
	act(&rig, 'i');
	for (unsigned step = 0; step < STEPS_MAX && rig.done == 0; step++) {
		struct enode list[12];

		memcpy(list, nodes, sizeof(list));
		for (size_t i = 0; i < 12 * sizeof(list[0].key); i++)
			list[i / sizeof(list[0].key)].key[i % sizeof(list[0].key)] =
				(uint8_t)random_next(&random);
		if (rig.findnode_open)
			give_nodes(&rig, list, 12, fresh(&rig));
		else
			wait_over(&rig);
		rig.findnode_open = rig.probe.findnode.waiting;
	}
	probe_info(&rig.probe, &info);
	assert_int_equal(rig.done, 1);
	assert_in_range(info.findnodes, 2, PROBE_FINDNODES_MAX);
	assert_int_equal(info.completeness, DRAIN_PARTIAL);
	assert_true(info.breaches[PROBE_BREACH_OFF_CURVE] > 0);
}

/* Whatever comes in whatever order, the visit ends, and costs no more than its caps. */
static void any_order(void **state)
{
	static const char all[] = "ppiiifffffnxl0bm6raogvwesSuhtjJkc....DLN";
	static struct rig rig;
	struct random random = { 12 };
	unsigned outcomes[OUTCOME_COUNT] = { 0 };

	(void)state;
	for (unsigned run = 0; run < 300; run++) {
		struct probe_info info;

		rig_init_for(&rig, 40, &it, 0);
		for (unsigned i = 0; i < 60 && rig.done == 0; i++)
			act(&rig, all[random_below(&random, sizeof(all) - 1)]);
		for (unsigned step = 0; step < STEPS_MAX && rig.done == 0; step++)
			wait_over(&rig);
		probe_info(&rig.probe, &info);
		assert_int_equal(rig.done, 1);
		assert_in_range(rig.sent[DISCV4_PING], 1, PROBE_PINGS_MAX);
		assert_in_range(rig.sent[DISCV4_PONG], 0, PROBE_PONGS_MAX);
		assert_in_range(rig.sent[DISCV4_FINDNODE], 0, PROBE_FINDNODES_MAX);
		assert_in_range(rig.sent[DISCV4_ENRREQUEST], 0, PROBE_TRIES);
		assert_true(info.reached || rig.sent[DISCV4_FINDNODE] == 0);
		assert_true(info.reached || rig.named == 0);
		outcomes[info.outcome]++;
	}
	/* They don't all end the same way. */
	assert_true(outcomes[OUTCOME_OK] > 20 && outcomes[OUTCOME_SELF] > 20);
	assert_true(outcomes[OUTCOME_PROTOCOL_ERROR] > 20);
}

/* The time is over, ICMP says so, it is stopped from our side, or it is ourselves. */
static void ends(void **state)
{
	static struct rig rig;
	struct probe_info info;

	(void)state;
	rig_init_for(&rig, 40, &it, 1500);
	act(&rig, 'p');
	act(&rig, 'i');
	act(&rig, 'f');
	for (unsigned i = 0; i < 4; i++)
		act(&rig, '.');
	probe_info(&rig.probe, &info);
	assert_int_equal(info.outcome, OUTCOME_OK);
	assert_int_equal(info.completeness, DRAIN_PARTIAL);
	assert_int_equal(info.total_ms, 1500);

	rig_init_for(&rig, 40, &it, 0);
	probe_failed(&rig.probe, OUTCOME_REFUSED, rig.now_ms);
	rig_drain(&rig);
	assert_int_equal(rig.done, 1);
	assert_int_equal(rig.probe.info.outcome, OUTCOME_REFUSED);

	rig_init_for(&rig, 40, &it, 0);
	act(&rig, 'p');
	probe_failed(&rig.probe, OUTCOME_REFUSED, rig.now_ms); /* anybody can forge it */
	act(&rig, 'f');
	assert_int_equal(rig.done, 0);
	probe_cancel(&rig.probe, rig.now_ms);
	rig_drain(&rig);
	assert_int_equal(rig.done, 1);
	assert_int_equal(rig.probe.info.outcome, OUTCOME_CANCELLED);

	rig_init_for(&rig, 40, &us, 0);
	assert_int_equal(rig.done, 1);
	assert_int_equal(rig.probe.info.outcome, OUTCOME_SELF);
	assert_int_equal(rig.sent[DISCV4_PING], 0);
}

/* Whose packet is whose; and what is too long, but for NEIGHBORS, is not taken. */
static void whose(void **state)
{
	static struct rig rig;
	uint8_t list[1300];
	struct probe_info info;
	struct writer w;

	(void)state;
	rig_init_for(&rig, 40, &it, 0);
	writer_init(&w, list, sizeof(list));
	discv4_pong_encode(&w, &(struct discv4_pong){ .to = us.endpoint,
						      .ping_hash = { rig.ping_hash, 32 },
						      .expiration_s = fresh(&rig) });
	assert_false(rig_give(&rig, DISCV4_PONG, slice_of(list, w.len), &other_key,
			      &other.endpoint.addr));
	assert_int_equal(rig.probe.info.packets_in, 0);
	writer_zeros(&w, sizeof(list) - w.len);
	assert_true(
		rig_give(&rig, DISCV4_PONG, slice_of(list, w.len), &its_key, &it.endpoint.addr));
	assert_int_equal(rig.bonded, 0);
	act(&rig, 's');
	probe_info(&rig.probe, &info);
	assert_int_equal(info.breaches[PROBE_BREACH_LONG], 1);
	assert_true(info.has_other_key && !info.reached);
	assert_memory_equal(info.other, other.key, sizeof(other.key));
}

/* A PONG goes to where the PING came from, whatever that says. */
static void pong_goes_back(void **state)
{
	static struct rig rig;

	(void)state;
	rig_init_for(&rig, 40, &it, 0);
	act(&rig, 'k');
	assert_int_equal(rig.last, DISCV4_PONG);
	assert_true(netaddr_same_host(&rig.last_to, &it.endpoint.addr));
	assert_int_equal(rig.last_to.port, it.endpoint.addr.port + 1);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(probe_state_name(PROBE_SETTLING), "settling");
	assert_string_equal(probe_breach_name(PROBE_BREACH_OFF_CURVE), "off_curve");
	assert_string_equal(probe_breach_text(PROBE_BREACH_LONG),
			    "a packet of more than 1280 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scripts),
		cmocka_unit_test(no_questions),
		cmocka_unit_test(what_was_learnt),
		cmocka_unit_test(named_addresses),
		cmocka_unit_test(flood),
		cmocka_unit_test(endless_table),
		cmocka_unit_test(any_order),
		cmocka_unit_test(waits),

		cmocka_unit_test(ends),

		cmocka_unit_test(whose),
		cmocka_unit_test(pong_goes_back),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
