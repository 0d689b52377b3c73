/* Peers of Bitcoin's network on virtual time: forty that are told of one of them. */
#include "support/swarm_net.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum {
	PEERS = 40,
	OUT = 8, /* connections that each of them wants */
	GATHERED_MS = 10 * 60 * 1000,
	DAY_MS = 24 * 3600 * 1000,
	/* What comes over a connection in a day: every two minutes a ping, and the pong for ours;
	 * the last two may still be on their way. */
	DAYS_MESSAGES = 2 * 24 * 30 - 2,
};

static const struct book_config book = {
	.new_max = 10000,
	.tried_max = 10000,
	.source_max = 1000,
	.group_max = 1000,
	.known_s = 30 * 24 * 3600,
};

/* Connections that ended after the hand-shake, of peers and of checks, of all swarms. */
static uint32_t ends[SWARM_CHECK + 1][OUTCOME_COUNT];

static void on_event(struct net_node *node, const struct swarm_event *event)
{
	(void)node;
	if (event->kind == SWARM_EVENT_DOWN && event->peer.up)
		ends[event->peer.direction][event->outcome]++;
}

/* Each in a network of its own. */
static struct netaddr place(uint32_t i)
{
	return netaddr_ipv4(0x05010001 + i * 0x10000, 8333);
}

static struct net *gather(void)
{
	struct swarm_config config = { .network = network_find("bitcoin"),
				       .session = { .agent = slice_text("/peerwalk:test/") } };
	struct net *net = net_new(1);
	struct netaddr first = place(0);

	memset(ends, 0, sizeof(ends));
	net->on_event = on_event;
	for (uint32_t i = 0; i < PEERS; i++) {
		struct netaddr addr = place(i);
		struct net_node *node = net_add(net, &addr, config, book);

		if (i > 0)
			net_bootstrap(net, node, &first);
	}
	net_run(net, net->now_ms + GATHERED_MS);
	return net;
}

/* How many the first is connected to, over however many others. */
static uint32_t component(const struct net *net)
{
	bool seen[NET_NODES_MAX] = { true }, grows = true;
	uint32_t n = 1;

	while (grows) {
		grows = false;
		for (uint32_t i = 0; i < net->links_len; i++) {
			const struct net_end *ends_of = net->links[i].ends;
			uint32_t a = ends_of[0].node, b = ends_of[1].node;

			if (ends_of[0].id == SWARM_NONE || ends_of[1].id == SWARM_NONE ||
			    b == UINT32_MAX || seen[a] == seen[b])
				continue;
			seen[a] = seen[b] = grows = true;
			n++;
		}
	}
	return n;
}

static struct swarm_counts counts_of(const struct net *net, uint32_t i)
{
	struct swarm_counts counts;

	swarm_counts(net->nodes[i].swarm, &counts);
	return counts;
}

/* One of them has told each whom it knew when it was asked; the rest they learn from each other:
 * by feelers, by announcements, and by what is passed on. */
static void they_find_each_other(void **state)
{
	struct net *net = gather();
	uint32_t known = 0;

	(void)state;
	for (uint32_t i = 0; i < PEERS; i++) {
		struct swarm_counts c = counts_of(net, i);
		uint32_t knows = c.book.new_count + c.book.tried_count;

		assert_int_equal(c.out, OUT);
		assert_true(c.up >= OUT);
		assert_true(knows >= PEERS / 3);
		known += knows;
	}
	assert_true(known >= PEERS * PEERS / 2);
	assert_int_equal(component(net), PEERS);
	net_free(net);
}

/* Nobody finds fault with anybody, and no connection but a feeler's ends. */
static void they_stay_together_for_a_day(void **state)
{
	struct net *net = gather();
	uint64_t before[PEERS];

	(void)state;
	for (uint32_t i = 0; i < PEERS; i++)
		before[i] = counts_of(net, i).messages_in;
	net_run(net, net->now_ms + DAY_MS);
	for (uint32_t i = 0; i < PEERS; i++) {
		struct swarm_counts c = counts_of(net, i);

		assert_int_equal(c.out, OUT);
		assert_true(c.messages_in - before[i] >= c.up * DAYS_MESSAGES);
	}
	for (unsigned outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
		assert_int_equal(ends[SWARM_OUT][outcome], 0);
		assert_true(outcome == OUTCOME_OK || ends[SWARM_CHECK][outcome] == 0);
		assert_true(outcome == OUTCOME_OK || ends[SWARM_IN][outcome] == 0);
	}
	assert_true(ends[SWARM_CHECK][OUTCOME_OK] > 0);
	assert_int_equal(ends[SWARM_IN][OUTCOME_OK], 0); /* others' feelers were no peers */
	net_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_find_each_other),
		cmocka_unit_test(they_stay_together_for_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
