/* test_probe_node.c: a visit (probe.h) of our own discv4 node (discv4.h), in whole packets. */
#include "proto/ethereum/discv4.h"
#include "proto/ethereum/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum {
	NODES = 60,
	UNIX_S = 1700000000,
	STEPS_MAX = 5000,
};

static struct targets targets;
static struct secp secp;
static struct discv4 node;
static struct probe probe;
static struct secp_key our_key;
static struct netaddr node_addr, our_addr;
static unsigned named, usable, records;

static void make_key(struct secp_key *key, uint8_t public[SECP_PUBLIC_LEN], uint8_t a, uint8_t b)
{
	const uint8_t bytes[SECP_KEY_LEN] = { a, b, 1 };

	assert_true(secp_key_init(key, bytes));
	secp_public(&secp, key, public);
}

static int start(void **state)
{
	static const uint8_t random[SECP_RANDOM_LEN] = { 5 };

	(void)state;
	targets_init(&targets);
	secp_init(&secp, random);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	secp_clear(&secp);
	return 0;
}

/* Our packets to the node. */
static void probe_to_node(uint64_t now_ms)
{
	struct probe_packet out;
	struct probe_event event;

	while (probe_next(&probe, &event)) {
		named += event.kind == PROBE_EVENT_NODE;
		usable += event.kind == PROBE_EVENT_NODE && event.usable;
		records += event.kind == PROBE_EVENT_RECORD;
	}
	while (probe_send(&probe, &out, now_ms)) {
		uint8_t bytes[DISCV4_PACKET_MAX];
		struct writer w;
		size_t mark;

		writer_init(&w, bytes, sizeof(bytes));
		mark = discv4_begin(&w, out.type);
		writer_bytes(&w, out.list, out.len);
		discv4_end(&w, mark, &secp, &our_key);
		assert_true(writer_ok(&w) && netaddr_equal(&out.to, &node_addr));
		probe_sent(&probe, out.ticket, bytes, now_ms);
		assert_int_equal(discv4_recv(&node, &our_addr, slice_of(bytes, w.len), now_ms),
				 DISCV4_TAKEN);
	}
}

/* The node's packets to us; those to others get lost. */
static void node_to_probe(uint64_t now_ms)
{
	struct discv4_datagram d;

	while (discv4_send(&node, &d)) {
		struct discv4_packet packet;
		struct reader r;

		if (!netaddr_equal(&d.to, &our_addr))
			continue;
		reader_init(&r, slice_of(d.bytes, d.len));
		discv4_decode_long(&r, &packet);
		assert_true(reader_ok(&r));
		assert_true(probe_recv(&probe, &node_addr, &packet, d.len, now_ms));
		probe_to_node(now_ms);
	}
}

static void node_start(uint8_t key[SECP_PUBLIC_LEN])
{
	struct discv4_params params = { .secp = &secp,
					.seed = 1,
					.wall_ms = UNIX_S * 1000LL,
					.self = { node_addr, 30303 },
					.seq = 4 };

	make_key(&params.key, key, 1, 1);
	discv4_init(&node, &params, 1000);
	for (uint8_t i = 0; i < NODES; i++) {
		struct netaddr addr = netaddr_ipv4(0x05000001U | (uint32_t)i << 8, 30303);
		uint8_t other[SECP_PUBLIC_LEN];
		struct kademlia_node n;
		struct secp_key unused;

		make_key(&unused, other, 2, i);
		n = kademlia_node(other, &addr, 30303);
		kademlia_add(&node.table, &n, 1000, &node.random);
		kademlia_alive(&node.table, &n, 1000, &node.random);
	}
}

static void visit(uint64_t *now_ms)
{
	named = usable = records = 0;
	probe_to_node(*now_ms);
	for (unsigned i = 0; i < STEPS_MAX && probe_state(&probe) != PROBE_DONE; i++) {
		node_to_probe(*now_ms);
		++*now_ms;
		probe_tick(&probe, *now_ms);
		probe_to_node(*now_ms);
	}
	assert_int_equal(probe_state(&probe), PROBE_DONE);
}

/* All that it has in its table, and its record; the second time it knows us, and sends no
 * PING. */
static void own_node(void **state)
{
	struct probe_params params = { .targets = &targets };
	struct probe_info info;
	uint64_t now_ms = 1000;
	struct reader r;
	struct enr record;

	(void)state;
	node_addr = netaddr_ipv4(0x05640001, 30303);
	our_addr = netaddr_ipv4(0x05650001, 40404);
	node_start(params.node.key);
	make_key(&our_key, params.own_key, 3, 3);
	params.node.endpoint = (struct enode_endpoint){ node_addr, 30303 };
	params.own = (struct enode_endpoint){ our_addr, 0 };
	for (unsigned time = 0; time < 2; time++) {
		params.unix_ms = UNIX_S * 1000LL + (int64_t)now_ms;
		probe_init(&probe, &params, now_ms);
		visit(&now_ms);
		probe_info(&probe, &info);
		assert_int_equal(info.outcome, OUTCOME_OK);
		assert_int_equal(info.completeness, DRAIN_DRAINED);
		assert_true(info.pinged == (time == 0));
		assert_int_equal(usable, named);
		assert_in_range(info.table, kademlia_count(&node.table), NODES + 1);
		assert_int_equal(records, 1);
		assert_true(netaddr_equal(&info.sees.addr, &our_addr));
		reader_init(&r, info.record);
		enr_decode(&r, &record);
		assert_true(reader_ok(&r) && record.seq == discv4_seq(&node));
		for (unsigned b = 0; b < PROBE_BREACH_COUNT; b++)
			assert_int_equal(info.breaches[b], 0);
	}
	discv4_clear(&node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_node),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
