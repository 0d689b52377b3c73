/* How simulated Ethereum nodes answer datagrams: the honest ones as the specification has it,
 * each liar with its own lie; and their signatures. */
#include "sim/ethereum_peer.h"

#include "base/keccak.h"
#include "proto/ethereum/relay.h"
#include "sim/ethereum_sign.h"
#include "support/discv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PEERS = 800, GHOSTS = 100, NOW_S = 1795000000, ANSWERS = SIM_ETHEREUM_ANSWERS_MAX };

/* A network, and somebody who talks to it. */
struct scene {
	struct sim_ethereum *world;
	struct sim_ethereum_peers *peers;
	struct player player;
	size_t count; /* of the last answers */
	struct {
		size_t len;
		uint8_t bytes[SIM_ETHEREUM_DATAGRAM_MAX];
	} answers[ANSWERS];
};

static void scene_init(struct scene *s, const char *range)
{
	struct sim_config config = { .network = network_find("ethereum"),
				     .peers = PEERS,
				     .ghosts = GHOSTS,
				     .seed = 21,
				     .liars = 0.4,
				     .port = 30303 };
	struct netaddr addr = netaddr_ipv4(0x7f000001, 5555);

	assert_int_equal(cidr_parse(slice_text(range), &config.range), ERR_OK);
	assert_int_equal(sim_ethereum_new(&config, &s->world), ERR_OK);
	assert_int_equal(sim_ethereum_peers_new(s->world, &s->peers), ERR_OK);
	player_init(&s->player, sim_ethereum_secp(s->world), 77, &addr);
	s->count = 0;
}

static void scene_clear(struct scene *s)
{
	sim_ethereum_peers_free(s->peers);
	sim_ethereum_free(s->world);
}

static uint32_t first_of(const struct scene *s, enum sim_ethereum_kind kind)
{
	for (uint32_t i = 0; i < sim_ethereum_count(s->world); i++) {
		if (sim_ethereum_kind(s->world, i) == kind)
			return i;
	}
	fail_msg("no %s", sim_ethereum_kind_name(kind));
	return 0;
}

/* Says a packet to node `index` from `from`, and keeps the answers. */
static size_t say_from(struct scene *s, uint32_t index, const struct netaddr *from,
		       const struct packet *packet)
{
	struct slice answer;

	s->count = 0;
	sim_ethereum_peers_recv(s->peers, index, from, packet_slice(packet), NOW_S);
	while (sim_ethereum_peers_next(s->peers, &answer)) {
		assert_true(s->count < ANSWERS);
		s->answers[s->count].len = answer.len;
		memcpy(s->answers[s->count].bytes, answer.data, answer.len);
		s->count++;
	}
	return s->count;
}

static size_t say(struct scene *s, uint32_t index, const struct packet *packet)
{
	return say_from(s, index, &s->player.addr, packet);
}

/* What answer number `at` is; false if it can't be read. */
static bool read_answer(const struct scene *s, size_t at, struct discv4_packet *out)
{
	struct reader r;

	reader_init(&r, slice_of(s->answers[at].bytes, s->answers[at].len));
	discv4_decode_long(&r, out);
	return reader_ok(&r);
}

static void expect(const struct scene *s, uint32_t index, size_t at, enum discv4_type type,
		   struct discv4_packet *out)
{
	struct enode node;

	sim_ethereum_enode(s->world, index, &node);
	assert_true(at < s->count);
	assert_true(read_answer(s, at, out));
	assert_int_equal(out->type, type);
	assert_memory_equal(out->signer, node.key, sizeof(node.key));
}

static struct packet ping_packet(const struct scene *s, uint32_t index, int64_t at_s)
{
	struct discv4_ping ping;
	struct packet packet;
	struct enode node;

	sim_ethereum_enode(s->world, index, &node);
	ping = ping_of(&s->player, &node.endpoint.addr, at_s);
	say_ping(&s->player, &ping, &packet);
	return packet;
}

static struct packet pong_packet(const struct scene *s, struct slice hash, int64_t expiration_s)
{
	struct discv4_pong pong = { .to = { .addr = s->player.addr },
				    .ping_hash = hash,
				    .expiration_s = expiration_s };
	struct packet packet;

	say_pong(&s->player, &pong, &packet);
	return packet;
}

/* PING, and the PONG to its PING: the node's second answer. */
static void bond(struct scene *s, uint32_t index)
{
	struct packet packet = ping_packet(s, index, NOW_S);

	assert_true(say(s, index, &packet) >= 2);
	packet = pong_packet(s, slice_of(s->answers[1].bytes, DISCV4_HASH_LEN), NOW_S + 20);
	assert_int_equal(say(s, index, &packet), 0);
}

static struct packet findnode_packet(const struct scene *s, int64_t expiration_s)
{
	struct packet packet;

	say_findnode(&s->player, s->player.public, expiration_s, &packet);
	return packet;
}

static struct packet enrrequest_packet(const struct scene *s, int64_t expiration_s)
{
	struct packet packet;

	say_enrrequest(&s->player, expiration_s, &packet);
	return packet;
}

/* All nodes of the last answers, which are NEIGHBORS. */
static size_t named(const struct scene *s, struct enode out[static 64])
{
	size_t count = 0;

	for (size_t i = 0; i < s->count; i++) {
		struct discv4_packet packet;
		struct reader r;

		assert_true(read_answer(s, i, &packet));
		assert_int_equal(packet.type, DISCV4_NEIGHBORS);
		reader_init(&r, packet.neighbors.nodes);
		while (count < 64 && discv4_neighbors_next(&r, &out[count]))
			count++;
	}
	return count;
}

/* --- the honest ones --- */

static void a_ping_gets_a_pong_and_a_ping(void **state)
{
	struct packet packet;
	struct discv4_packet p;
	struct enode node;
	struct scene s;

	(void)state;
	scene_init(&s, "127.0.0.0/8");
	packet = ping_packet(&s, 0, NOW_S);
	sim_ethereum_enode(s.world, 0, &node);
	assert_int_equal(say(&s, 0, &packet), 2);
	expect(&s, 0, 0, DISCV4_PONG, &p);
	assert_memory_equal(p.pong.ping_hash.data, packet.bytes, DISCV4_HASH_LEN);
	assert_true(netaddr_equal(&p.pong.to.addr, &s.player.addr));
	assert_int_equal(p.pong.expiration_s, NOW_S + 20);
	assert_true(p.pong.has_enr_seq && p.pong.enr_seq == sim_ethereum_seq(s.world, 0));
	expect(&s, 0, 1, DISCV4_PING, &p);
	assert_int_equal(p.ping.version, DISCV4_VERSION);
	assert_true(enode_endpoint_equal(&p.ping.from, &node.endpoint));
	assert_true(netaddr_equal(&p.ping.to.addr, &s.player.addr));
	/* Both together are no more than three times what came; a real node counts (discv4.h). */
	assert_true(s.answers[0].len + s.answers[1].len <= 3 * packet.len);
	/* Once it is proven, a PONG alone; to the next node it isn't. */
	bond(&s, 0);
	packet = ping_packet(&s, 0, NOW_S);
	assert_int_equal(say(&s, 0, &packet), 1);
	packet = ping_packet(&s, 1, NOW_S);
	assert_true(say(&s, 1, &packet) >= 2);
	scene_clear(&s);
}

static void findnode_is_answered_from_the_table(void **state)
{
	uint32_t table[KADEMLIA_ENTRIES_MAX], near[KADEMLIA_BUCKET_SIZE];
	uint8_t hash[KADEMLIA_HASH_LEN];
	struct enode nodes[64], node;
	struct discv4_packet p;
	struct packet packet;
	struct scene s;
	size_t count;

	(void)state;
	scene_init(&s, "127.0.0.0/8");
	bond(&s, 0);
	packet = findnode_packet(&s, NOW_S + 20);
	assert_int_equal(say(&s, 0, &packet), 2);
	for (size_t i = 0; i < 2; i++) {
		expect(&s, 0, i, DISCV4_NEIGHBORS, &p);
		assert_int_equal(p.neighbors.count, i == 0 ? 12 : 4);
		assert_int_equal(p.neighbors.expiration_s, NOW_S + 20);
		assert_in_range(s.answers[i].len, DISCV4_PACKET_MIN, DISCV4_PACKET_MAX);
	}
	count = sim_ethereum_table(s.world, 0, table);
	kademlia_hash(s.player.public, hash);
	assert_int_equal(sim_ethereum_closest(s.world, table, count, hash, near), 16);
	assert_int_equal(named(&s, nodes), 16);
	for (size_t i = 0; i < 16; i++) {
		sim_ethereum_enode(s.world, near[i], &node);
		assert_memory_equal(nodes[i].key, node.key, sizeof(node.key));
		assert_true(enode_endpoint_equal(&nodes[i].endpoint, &node.endpoint));
	}
	scene_clear(&s);
}

static void who_knows_nobody_says_so(void **state)
{
	uint32_t table[KADEMLIA_ENTRIES_MAX], index = 0;
	struct enode nodes[64];
	struct packet packet;
	struct scene s;

	(void)state;
	scene_init(&s, "127.0.0.0/8");
	while (sim_ethereum_table(s.world, index, table) > 0 ||
	       sim_ethereum_kind(s.world, index) != SIM_ETHEREUM_HONEST)
		assert_true(++index < PEERS);
	bond(&s, index);
	packet = findnode_packet(&s, NOW_S + 20);
	assert_int_equal(say(&s, index, &packet), 1);
	assert_int_equal(named(&s, nodes), 0);
	scene_clear(&s);
}

static void the_record_is_its_own(void **state)
{
	struct sim_ethereum_node node;
	struct enode_endpoint endpoint;
	struct discv4_packet p;
	struct packet packet;
	struct forkid forkid;
	struct scene s;

	(void)state;
	scene_init(&s, "127.0.0.0/8");
	bond(&s, 0);
	packet = enrrequest_packet(&s, NOW_S + 20);
	assert_int_equal(say(&s, 0, &packet), 1);
	expect(&s, 0, 0, DISCV4_ENRRESPONSE, &p);
	sim_ethereum_node(s.world, 0, &node);
	assert_memory_equal(p.enrresponse.request_hash.data, packet.bytes, DISCV4_HASH_LEN);
	assert_memory_equal(p.enrresponse.record.key, node.enode.key, sizeof(node.enode.key));
	assert_true(p.enrresponse.record.seq == node.seq);
	assert_true(enr_endpoint4(&p.enrresponse.record, &endpoint));
	assert_true(enode_endpoint_equal(&endpoint, &node.enode.endpoint));
	assert_true(enr_forkid(&p.enrresponse.record, &forkid));
	assert_memory_equal(forkid.hash, node.forkid.hash, sizeof(forkid.hash));
	scene_clear(&s);
}

enum bonded { NOT_BONDED, BONDED };

static void what_gets_no_answer(void **state)
{
	static const struct {
		const char *name;
		enum bonded bonded;
		unsigned type; /* 0: garbage */
		int64_t expiration_s;
		bool other_host;
	} rows[] = {
		{ "an expired ping", NOT_BONDED, DISCV4_PING, -1, false },
		{ "findnode without a proof", NOT_BONDED, DISCV4_FINDNODE, 20, false },
		{ "enrrequest without a proof", NOT_BONDED, DISCV4_ENRREQUEST, 20, false },
		{ "an expired findnode", BONDED, DISCV4_FINDNODE, -1, false },
		{ "an expired enrrequest", BONDED, DISCV4_ENRREQUEST, -1, false },
		{ "findnode from another host", BONDED, DISCV4_FINDNODE, 20, true },
		{ "enrrequest from another host", BONDED, DISCV4_ENRREQUEST, 20, true },
		{ "neighbors", BONDED, DISCV4_NEIGHBORS, 20, false },
		{ "a record", BONDED, DISCV4_ENRRESPONSE, 20, false },
		{ "garbage", BONDED, 0, 20, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct netaddr from;
		struct packet packet;
		struct enode self;
		struct scene s;

		scene_init(&s, "127.0.0.0/8");
		from = s.player.addr;
		from.bytes[3] += rows[i].other_host ? 1 : 0;
		self = (struct enode){ .endpoint = { s.player.addr, 1 } };
		if (rows[i].bonded == BONDED)
			bond(&s, 0);
		packet = findnode_packet(&s, NOW_S + rows[i].expiration_s);
		if (rows[i].type == 0)
			packet.bytes[packet.len - 1] ^= 1;
		else if (rows[i].type == DISCV4_PING)
			packet = ping_packet(&s, 0, NOW_S - 21);
		else if (rows[i].type == DISCV4_ENRREQUEST)
			packet = enrrequest_packet(&s, NOW_S + rows[i].expiration_s);
		else if (rows[i].type == DISCV4_NEIGHBORS)
			say_neighbors(&s.player, &self, 1, NOW_S + 20, &packet);
		else if (rows[i].type == DISCV4_ENRRESPONSE)
			say_enrresponse(&s.player, slice_of(self.key, 32), 1, &self.endpoint,
					&packet);
		if (say_from(&s, 0, &from, &packet) != 0)
			fail_msg("%s", rows[i].name);
		scene_clear(&s);
	}
}

static void a_bond_is_one_keys_at_one_address(void **state)
{
	struct packet packet, foreign;
	struct player player;
	struct scene s;

	(void)state;
	scene_init(&s, "127.0.0.0/8");
	/* A PONG that names nothing of the node's, or too late, proves nothing. */
	packet = ping_packet(&s, 0, NOW_S);
	assert_int_equal(say(&s, 0, &packet), 2);
	foreign = pong_packet(&s, slice_of(packet.bytes, DISCV4_HASH_LEN), NOW_S + 20);
	say(&s, 0, &foreign);
	packet = findnode_packet(&s, NOW_S + 20);
	assert_int_equal(say(&s, 0, &packet), 0);
	bond(&s, 0);
	assert_int_equal(say(&s, 0, &packet), 2);
	bond(&s, 1 + first_of(&s, SIM_ETHEREUM_HONEST));
	/* Another key pings from there: it has to prove itself, and so has the first one then. */
	player = s.player;
	player_init(&s.player, sim_ethereum_secp(s.world), 78, &player.addr);
	foreign = ping_packet(&s, 0, NOW_S);
	assert_int_equal(say(&s, 0, &foreign), 2);
	assert_int_equal(say(&s, 0, &packet), 0);
	scene_clear(&s);
}

/* A PONG that comes after the node's next PING still counts; of the one before that, not. */
static void a_late_pong_counts(void **state)
{
	uint8_t hashes[3][DISCV4_HASH_LEN];
	struct packet packet;
	struct scene s;

	(void)state;
	for (unsigned which = 0; which < 3; which++) {
		scene_init(&s, "127.0.0.0/8");
		for (unsigned i = 0; i < 3; i++) {
			packet = ping_packet(&s, 0, NOW_S + i);
			assert_int_equal(say(&s, 0, &packet), 2);
			memcpy(hashes[i], s.answers[1].bytes, DISCV4_HASH_LEN);
			/* The same second makes the same packet: let its time be another. */
			sim_ethereum_peers_recv(s.peers, 0, &s.player.addr, packet_slice(&packet),
						NOW_S + 1 + i);
			for (struct slice a; sim_ethereum_peers_next(s.peers, &a);)
				memcpy(hashes[i], a.data, DISCV4_HASH_LEN);
		}
		packet = pong_packet(&s, slice_of(hashes[which], DISCV4_HASH_LEN), NOW_S + 20);
		say(&s, 0, &packet);
		packet = findnode_packet(&s, NOW_S + 20);
		assert_int_equal(say(&s, 0, &packet), which == 2 ? 2 : 0);
		scene_clear(&s);
	}
}

/* More addresses than are kept: the oldest has to prove itself anew. */
static void the_oldest_asker_is_forgotten(void **state)
{
	struct netaddr first;
	struct packet packet;
	struct scene s;

	(void)state;
	scene_init(&s, "127.0.0.0/8");
	first = s.player.addr;
	bond(&s, 0);
	for (unsigned i = 1; i < SIM_ETHEREUM_ASKERS_MAX; i++) {
		s.player.addr.port++;
		bond(&s, 0);
	}
	packet = findnode_packet(&s, NOW_S + 20);
	assert_int_equal(say(&s, 0, &packet), 2);
	assert_int_equal(say_from(&s, 0, &first, &packet), 2); /* heard of again */
	s.player.addr.port++;
	bond(&s, 0);
	assert_int_equal(say_from(&s, 0, &first, &packet), 2);
	first.port++; /* the second of all */
	assert_int_equal(say_from(&s, 0, &first, &packet), 0);
	scene_clear(&s);
}

static void ghosts_are_silent_and_counted(void **state)
{
	struct sim_ethereum_peer_counts counts;
	struct packet packet;
	struct scene s;

	(void)state;
	scene_init(&s, "127.0.0.0/8");
	packet = ping_packet(&s, PEERS, NOW_S);
	assert_int_equal(say(&s, PEERS, &packet), 0);
	bond(&s, 0);
	packet = findnode_packet(&s, NOW_S + 20);
	say(&s, 0, &packet);
	say(&s, 1, &packet);
	packet = enrrequest_packet(&s, NOW_S + 20);
	say(&s, 0, &packet);
	sim_ethereum_peers_counts(s.peers, &counts);
	assert_int_equal(counts.ghosts, 1);
	assert_int_equal(counts.pings, 1);
	assert_int_equal(counts.bonds, 1);
	assert_int_equal(counts.findnodes, 1);
	assert_int_equal(counts.enrrequests, 1);
	assert_int_equal(counts.dropped, 1);
	scene_clear(&s);
}

/* --- liars --- */

static void some_never_prove_anything(void **state)
{
	struct packet packet;
	struct discv4_packet p;
	struct enode node;
	struct scene s;
	uint32_t i;

	(void)state;
	scene_init(&s, "127.0.0.0/8");
	for (size_t at = 0; at < 2; at++) {
		i = first_of(&s, SIM_ETHEREUM_LIAR_BAD_HASH);
		packet = ping_packet(&s, i, NOW_S);
		assert_int_equal(say(&s, i, &packet), 2);
		assert_false(read_answer(&s, at, &p));
		s.answers[at].bytes[s.answers[at].len % DISCV4_HASH_LEN] ^= 0x40;
		assert_true(read_answer(&s, at, &p)); /* nothing else is wrong with it */

		i = first_of(&s, SIM_ETHEREUM_LIAR_BAD_SIGNATURE);
		packet = ping_packet(&s, i, NOW_S);
		assert_int_equal(say(&s, i, &packet), 2);
		assert_false(read_answer(&s, at, &p));

		i = first_of(&s, SIM_ETHEREUM_LIAR_OTHER_KEY);
		packet = ping_packet(&s, i, NOW_S);
		assert_int_equal(say(&s, i, &packet), 2);
		assert_true(read_answer(&s, at, &p));
		sim_ethereum_enode(s.world, i, &node);
		assert_memory_not_equal(p.signer, node.key, sizeof(node.key));
		assert_true(secp_public_valid(p.signer));
	}
	i = first_of(&s, SIM_ETHEREUM_LIAR_EXPIRED);
	packet = ping_packet(&s, i, NOW_S);
	assert_int_equal(say(&s, i, &packet), 2);
	expect(&s, i, 0, DISCV4_PONG, &p);
	assert_true(p.pong.expiration_s < NOW_S);
	expect(&s, i, 1, DISCV4_PING, &p);
	assert_true(p.ping.expiration_s < NOW_S);

	i = first_of(&s, SIM_ETHEREUM_LIAR_WRONG_PONG);
	packet = ping_packet(&s, i, NOW_S);
	assert_int_equal(say(&s, i, &packet), 2);
	expect(&s, i, 0, DISCV4_PONG, &p);
	assert_memory_not_equal(p.pong.ping_hash.data, packet.bytes, DISCV4_HASH_LEN);
	scene_clear(&s);
}

static void the_oversized_sends_all_in_one(void **state)
{
	struct enode nodes[64];
	struct packet packet;
	unsigned sizes[2] = { 0 };
	struct scene s;

	(void)state;
	scene_init(&s, "127.0.0.0/8");
	for (uint32_t i = 0; i < PEERS; i++) {
		if (sim_ethereum_kind(s.world, i) != SIM_ETHEREUM_LIAR_OVERSIZED)
			continue;
		bond(&s, i);
		packet = findnode_packet(&s, NOW_S + 20);
		assert_int_equal(say(&s, i, &packet), 1);
		if (named(&s, nodes) < 16)
			continue; /* it has just started */
		assert_true(s.answers[0].len > DISCV4_PACKET_MAX);
		assert_int_equal(s.answers[0].len == SIM_ETHEREUM_DATAGRAM_MAX, i % 2);
		sizes[i % 2]++;
	}
	assert_true(sizes[0] > 0 && sizes[1] > 0);
	scene_clear(&s);
}

static void expect_invented(const struct scene *s, size_t first)
{
	for (size_t i = first; i < s->count; i++) {
		struct discv4_packet packet;
		struct enode node;
		struct reader r;

		assert_true(read_answer(s, i, &packet));
		assert_int_equal(packet.type, DISCV4_NEIGHBORS);
		assert_int_equal(packet.neighbors.count, 12);
		reader_init(&r, packet.neighbors.nodes);
		while (discv4_neighbors_next(&r, &node)) {
			assert_true(secp_public_valid(node.key));
			assert_true(cidr_contains(&sim_ethereum_config(s->world)->range,
						  &node.endpoint.addr));
			assert_int_equal(sim_ethereum_find(s->world, &node.endpoint.addr), -1);
		}
	}
}

static void some_name_who_is_not_there(void **state)
{
	struct packet packet;
	struct scene s;
	uint8_t first[64];
	uint32_t i;

	(void)state;
	scene_init(&s, "127.0.0.0/8");
	i = first_of(&s, SIM_ETHEREUM_LIAR_UNSOLICITED);
	packet = ping_packet(&s, i, NOW_S);
	assert_int_equal(say(&s, i, &packet), 4); /* before anybody has asked */
	expect_invented(&s, 2);

	i = first_of(&s, SIM_ETHEREUM_LIAR_INVENT);
	bond(&s, i);
	packet = findnode_packet(&s, NOW_S + 20);
	assert_int_equal(say(&s, i, &packet), 3); /* 36 nodes */
	expect_invented(&s, 0);
	memcpy(first, s.answers[0].bytes + DISCV4_HEADER_LEN + 20, sizeof(first));
	assert_int_equal(say(&s, i, &packet), 3); /* others each time */
	assert_memory_not_equal(first, s.answers[0].bytes + DISCV4_HEADER_LEN + 20, sizeof(first));
	/* All that there are, and over again. */
	for (unsigned k = 0; k < SIM_INVENTED_MAX / 36 + 2; k++) {
		assert_int_equal(say(&s, i, &packet), 3);
		expect_invented(&s, 0);
	}
	scene_clear(&s);
}

/* Seen from inside: nobody may believe them. */
static void some_name_where_nobody_can_be(void **state)
{
	static const char *const ranges[] = { "127.0.0.0/8", "10.0.0.0/8", "20.0.0.0/8" };

	(void)state;
	for (size_t r = 0; r < 3; r++) {
		unsigned seen[8] = { 0 };
		struct packet packet;
		struct scene s;

		scene_init(&s, ranges[r]);
		for (uint32_t i = 0; i < PEERS; i++) {
			struct enode nodes[64], self;
			size_t count;

			if (sim_ethereum_kind(s.world, i) != SIM_ETHEREUM_LIAR_PRIVATE)
				continue;
			sim_ethereum_enode(s.world, i, &self);
			bond(&s, i);
			packet = findnode_packet(&s, NOW_S + 20);
			say(&s, i, &packet);
			count = named(&s, nodes);
			for (size_t k = 0; k < count; k++) {
				const struct netaddr *a = &nodes[k].endpoint.addr;
				enum relay relay = relay_check(&self.endpoint.addr, a);

				seen[relay]++;
				/* What may be called on is of the simulation. */
				if (relay == RELAY_OK)
					assert_true(cidr_contains(
						&sim_ethereum_config(s.world)->range, a));
			}
		}
		assert_true(seen[RELAY_OK] > 0 && seen[RELAY_SPECIAL] > 0);
		assert_true(seen[RELAY_LOW_PORT] > 0);
		assert_true((seen[RELAY_LOOPBACK] > 0) == (r == 1));
		assert_true((seen[RELAY_LAN] > 0) == (r == 2));
		scene_clear(&s);
	}
}

static void bad_records_are_bad_in_three_ways(void **state)
{
	unsigned foreign = 0, unreadable = 0;
	struct packet packet;
	struct scene s;

	(void)state;
	scene_init(&s, "127.0.0.0/8");
	for (uint32_t i = 0; i < PEERS; i++) {
		struct discv4_packet p;
		struct enode node;

		if (sim_ethereum_kind(s.world, i) != SIM_ETHEREUM_LIAR_BAD_RECORD)
			continue;
		bond(&s, i);
		packet = enrrequest_packet(&s, NOW_S + 20);
		assert_int_equal(say(&s, i, &packet), 1);
		sim_ethereum_enode(s.world, i, &node);
		if (read_answer(&s, 0, &p)) {
			assert_memory_not_equal(p.enrresponse.record.key, node.key,
						sizeof(node.key));
			assert_int_equal(i % 3, 0);
			foreign++;
		} else {
			assert_int_not_equal(i % 3, 0);
			unreadable |= 1U << i % 3;
		}
	}
	assert_true(foreign > 0);
	assert_int_equal(unreadable, 6);
	scene_clear(&s);
}

/* --- signatures --- */

static void signatures_are_as_good_as_any(void **state)
{
	struct random random = { 3 };
	unsigned ids[2] = { 0 };
	struct scene s;

	(void)state;
	scene_init(&s, "127.0.0.0/8");
	for (uint32_t i = 0; i < PEERS; i++) {
		uint8_t hash[32], signature[SECP_SIGNATURE_LEN], public[SECP_PUBLIC_LEN];
		uint64_t number = random_next(&random);
		struct enode node;

		keccak_256(slice_of(&number, sizeof(number)), hash);
		sim_sign(sim_ethereum_key(s.world, i), hash, signature);
		sim_ethereum_enode(s.world, i, &node);
		assert_true(secp_recover(signature, hash, public));
		assert_memory_equal(public, node.key, sizeof(public));
		/* This one refuses the larger of both possible s. */
		assert_true(secp_verify(signature, hash, node.key));
		hash[5] ^= 1;
		assert_false(secp_verify(signature, hash, node.key));
		assert_in_range(signature[64], 0, 1);
		ids[signature[64]]++;
	}
	assert_true(ids[0] > PEERS / 3 && ids[1] > PEERS / 3);
	scene_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ping_gets_a_pong_and_a_ping),
		cmocka_unit_test(findnode_is_answered_from_the_table),
		cmocka_unit_test(who_knows_nobody_says_so),
		cmocka_unit_test(the_record_is_its_own),
		cmocka_unit_test(what_gets_no_answer),
		cmocka_unit_test(a_bond_is_one_keys_at_one_address),
		cmocka_unit_test(a_late_pong_counts),
		cmocka_unit_test(the_oldest_asker_is_forgotten),
		cmocka_unit_test(ghosts_are_silent_and_counted),
		cmocka_unit_test(some_never_prove_anything),
		cmocka_unit_test(the_oversized_sends_all_in_one),
		cmocka_unit_test(some_name_who_is_not_there),
		cmocka_unit_test(some_name_where_nobody_can_be),
		cmocka_unit_test(bad_records_are_bad_in_three_ways),
		cmocka_unit_test(signatures_are_as_good_as_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
