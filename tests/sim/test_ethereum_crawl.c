/* A simulated Ethereum network, crawled by visits (probe.h) packet by packet, and compared with
 * its truth. Packets are signed and read for real; the clock only moves when all is quiet. */
#include "proto/ethereum/probe.h"
#include "sim/ethereum_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	PEERS = 400,
	GHOSTS = 400,
	SEEDS = 4,
	UNIX_S = 1795000000,
	FINDNODES_MEDIAN = 13, /* at most */
	STEPS_MAX = 2000,      /* of one visit */
};

/* Of one kind of node, what the visits of all of them have told. */
struct tally {
	unsigned visits, reached, records, results[3];
	uint32_t breaches[PROBE_BREACH_COUNT];
};

struct crawl {
	struct sim_ethereum *world;
	struct sim_ethereum_peers *peers;
	struct secp_key key;
	uint8_t public[SECP_PUBLIC_LEN];
	struct netaddr asker;
	bool known[PEERS + GHOSTS], reached[PEERS + GHOSTS];
	uint32_t queue[PEERS + GHOSTS];
	unsigned queued, strangers;
	uint64_t now_ms;
	struct tally tallies[SIM_ETHEREUM_KIND_COUNT];
	unsigned findnodes[PEERS + GHOSTS], findnodes_count;
};

static struct targets targets;

static void world_make(const char *network, double liars, struct sim_ethereum **out)
{
	struct sim_config config = { .network = network_find(network),
				     .peers = PEERS,
				     .ghosts = GHOSTS,
				     .seed = 7,
				     .liars = liars,
				     .port = 30303 };

	assert_int_equal(cidr_parse(slice_text("127.0.0.0/8"), &config.range), ERR_OK);
	assert_int_equal(sim_ethereum_new(&config, out), ERR_OK);
}

static void crawl_init(struct crawl *c, double liars)
{
	const uint8_t bytes[SECP_KEY_LEN] = { 1, 2, 3 };
	uint32_t seeds[SEEDS];

	memset(c, 0, sizeof(*c));
	world_make("ethereum", liars, &c->world);
	assert_int_equal(sim_ethereum_peers_new(c->world, &c->peers), ERR_OK);
	assert_true(secp_key_init(&c->key, bytes));
	secp_public(sim_ethereum_secp(c->world), &c->key, c->public);
	c->asker = netaddr_ipv4(0x7f000001, 40000);
	c->now_ms = 1;
	assert_int_equal(sim_ethereum_seeds(c->world, seeds, SEEDS), SEEDS);
	for (unsigned i = 0; i < SEEDS; i++) {
		c->known[seeds[i]] = true;
		c->queue[c->queued++] = seeds[i];
	}
}

static void crawl_clear(struct crawl *c)
{
	sim_ethereum_peers_free(c->peers);
	sim_ethereum_free(c->world);
}

static void name(struct crawl *c, const struct enode *node)
{
	int64_t at = sim_ethereum_find(c->world, &node->endpoint.addr);

	assert_true(cidr_contains(&sim_ethereum_config(c->world)->range, &node->endpoint.addr));
	if (at < 0) {
		c->strangers++;
	} else if (!c->known[at]) {
		c->known[at] = true;
		c->queue[c->queued++] = (uint32_t)at;
	}
}

/* The node's answers to the last packet, heard by the visit. */
static void hear(struct crawl *c, struct probe *probe, const struct netaddr *node)
{
	struct probe_event event;
	struct slice answer;

	while (sim_ethereum_peers_next(c->peers, &answer)) {
		struct discv4_packet packet;
		struct reader r;

		reader_init(&r, answer);
		discv4_decode_long(&r, &packet);
		if (reader_ok(&r))
			probe_recv(probe, node, &packet, answer.len, c->now_ms);
		else
			probe_garbage(probe, answer.len);
		while (probe_next(probe, &event)) {
			if (event.kind == PROBE_EVENT_NODE && event.usable)
				name(c, &event.node);
		}
	}
}

static void visit(struct crawl *c, uint32_t index, struct probe_info *info)
{
	static struct probe probe;
	struct probe_params params = { .targets = &targets, .own = { .addr = c->asker } };
	struct probe_packet out;
	unsigned steps = 0;

	sim_ethereum_enode(c->world, index, &params.node);
	memcpy(params.own_key, c->public, sizeof(c->public));
	params.unix_ms = UNIX_S * 1000LL + (int64_t)c->now_ms;
	probe_init(&probe, &params, c->now_ms);
	while (probe_state(&probe) != PROBE_DONE) {
		assert_true(++steps < STEPS_MAX);
		if (probe_send(&probe, &out, c->now_ms)) {
			uint8_t bytes[DISCV4_PACKET_MAX];
			struct writer w;

			writer_init(&w, bytes, sizeof(bytes));
			discv4_begin(&w, out.type);
			writer_slice(&w, slice_of(out.list, out.len));
			discv4_end(&w, 0, sim_ethereum_secp(c->world), &c->key);
			probe_sent(&probe, out.ticket, bytes, c->now_ms);
			sim_ethereum_peers_recv(c->peers, index, &c->asker, slice_of(bytes, w.len),
						UNIX_S + (int64_t)c->now_ms / 1000);
			hear(c, &probe, &params.node.endpoint.addr);
		} else {
			c->now_ms = probe_deadline(&probe);
			probe_tick(&probe, c->now_ms);
		}
	}
	probe_info(&probe, info);
}

static void crawl_run(struct crawl *c)
{
	for (unsigned i = 0; i < c->queued; i++) {
		uint32_t index = c->queue[i];
		struct tally *t = &c->tallies[sim_ethereum_kind(c->world, index)];
		struct probe_info info;

		visit(c, index, &info);
		t->visits++;
		c->reached[index] = info.reached;
		for (unsigned b = 0; b < PROBE_BREACH_COUNT; b++)
			t->breaches[b] += info.breaches[b];
		if (!info.reached)
			continue;
		t->reached++;
		t->records += info.record.len > 0;
		t->results[info.completeness]++;
		c->findnodes[c->findnodes_count++] = info.findnodes;
	}
}

static int by_number(const void *a, const void *b)
{
	return (int)*(const unsigned *)a - (int)*(const unsigned *)b;
}

static void expect_truth(struct crawl *c)
{
	bool reachable[PEERS + GHOSTS];
	uint32_t seeds[SEEDS];
	unsigned count = 0;

	sim_ethereum_seeds(c->world, seeds, SEEDS);
	assert_int_equal(sim_ethereum_reachable(c->world, seeds, SEEDS, reachable), ERR_OK);
	for (unsigned i = 0; i < PEERS + GHOSTS; i++) {
		if (reachable[i] != c->reached[i])
			fail_msg("node %u, %s: %s, and was%s reached", i,
				 sim_ethereum_kind_name(sim_ethereum_kind(c->world, i)),
				 reachable[i] ? "can be reached" : "can't be reached",
				 c->reached[i] ? "" : " not");
		count += reachable[i];
	}
	assert_true(count > PEERS / 2 && count < PEERS);
}

static void honest_nodes_and_ghosts(void **state)
{
	static struct crawl c;
	const struct tally *t = &c.tallies[SIM_ETHEREUM_HONEST];

	(void)state;
	crawl_init(&c, 0);
	crawl_run(&c);
	expect_truth(&c);
	assert_int_equal(t->visits, t->reached);
	assert_int_equal(t->records, t->reached);
	assert_int_equal(t->results[DRAIN_DRAINED], t->reached);
	for (unsigned b = 0; b < PROBE_BREACH_COUNT; b++)
		assert_int_equal(t->breaches[b], 0);
	/* Ghosts are named plentifully. */
	assert_true(c.tallies[SIM_ETHEREUM_GHOST].visits > GHOSTS * 9 / 10);
	assert_int_equal(c.tallies[SIM_ETHEREUM_GHOST].reached, 0);
	qsort(c.findnodes, c.findnodes_count, sizeof(*c.findnodes), by_number);
	print_message("%u reached, %u FINDNODEs in the median, %u at most\n", c.findnodes_count,
		      c.findnodes[c.findnodes_count / 2], c.findnodes[c.findnodes_count - 1]);
	assert_in_range(c.findnodes[c.findnodes_count / 2], 2, FINDNODES_MEDIAN);
	assert_int_equal(c.strangers, 0);
	crawl_clear(&c);
}

/* What each kind of liar is caught at, by every one of its nodes that was visited. */
static void liars_are_seen_through(void **state)
{
	static const struct {
		enum sim_ethereum_kind kind;
		enum probe_breach breach;
	} rows[] = {
		{ SIM_ETHEREUM_LIAR_BAD_HASH, PROBE_BREACH_GARBAGE },
		{ SIM_ETHEREUM_LIAR_BAD_SIGNATURE, PROBE_BREACH_GARBAGE },
		{ SIM_ETHEREUM_LIAR_EXPIRED, PROBE_BREACH_EXPIRED },
		{ SIM_ETHEREUM_LIAR_OVERSIZED, PROBE_BREACH_LONG },
		{ SIM_ETHEREUM_LIAR_UNSOLICITED, PROBE_BREACH_UNSOLICITED },
		{ SIM_ETHEREUM_LIAR_INVENT, PROBE_BREACH_MANY },
		{ SIM_ETHEREUM_LIAR_WRONG_PONG, PROBE_BREACH_WRONG_PONG },
		{ SIM_ETHEREUM_LIAR_PRIVATE, PROBE_BREACH_BAD_ADDRESS },
		{ SIM_ETHEREUM_LIAR_PRIVATE, PROBE_BREACH_LOW_PORT },
		{ SIM_ETHEREUM_LIAR_OTHER_KEY, PROBE_BREACH_OTHER_KEY },
		{ SIM_ETHEREUM_LIAR_BAD_RECORD, PROBE_BREACH_BAD_RECORD },
		{ SIM_ETHEREUM_LIAR_BAD_RECORD, PROBE_BREACH_GARBAGE },
	};
	static struct crawl c;
	const struct tally *t;

	(void)state;
	crawl_init(&c, 0.4);
	crawl_run(&c);
	expect_truth(&c);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		t = &c.tallies[rows[i].kind];
		if (t->visits == 0 || t->breaches[rows[i].breach] == 0)
			fail_msg("%s: %u visits, never %s", sim_ethereum_kind_name(rows[i].kind),
				 t->visits, probe_breach_name(rows[i].breach));
	}
	/* Nobody's table that is not there is taken for whole. */
	t = &c.tallies[SIM_ETHEREUM_LIAR_INVENT];
	assert_int_equal(t->results[DRAIN_DRAINED], 0);
	assert_int_equal(c.tallies[SIM_ETHEREUM_LIAR_BAD_RECORD].records, 0);
	assert_true(c.strangers > 0);
	/* The honest ones are not blamed for it. */
	t = &c.tallies[SIM_ETHEREUM_HONEST];
	assert_int_equal(t->records, t->reached);
	for (unsigned b = 0; b < PROBE_BREACH_COUNT; b++)
		assert_int_equal(t->breaches[b], 0);
	crawl_clear(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(honest_nodes_and_ghosts),
		cmocka_unit_test(liars_are_seen_through),
	};

	targets_init(&targets);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
