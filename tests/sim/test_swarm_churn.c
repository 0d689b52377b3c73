/* Random comings and goings: no assert trips, and the counts add up after each step. */
#include "support/swarm_net.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum {
	NODES = 16,
	STEPS = 400,
	STEP_MS = 700,
};

struct tally {
	uint32_t in, out, checking, up, all;
};

static struct tally tally_of(const struct swarm *s)
{
	struct tally t = { 0 };
	struct swarm_peer peer;

	for (uint32_t at = 0; (at = swarm_look(s, at, &peer)) != SWARM_NONE; t.all++) {
		t.in += peer.direction == SWARM_IN;
		t.out += peer.direction == SWARM_OUT;
		t.checking += peer.direction == SWARM_CHECK;
		t.up += peer.up && peer.direction != SWARM_CHECK;
		assert_true(peer.id != 0 && peer.id != SWARM_NONE);
	}
	return t;
}

static void counts_add_up(const struct net_node *node, const struct peer_policy *policy)
{
	struct tally t = tally_of(node->swarm);
	struct swarm_counts c;
	uint64_t ended = 0;

	swarm_counts(node->swarm, &c);
	assert_int_equal(c.in, t.in);
	assert_int_equal(c.out, t.out);
	assert_int_equal(c.checking, t.checking);
	assert_int_equal(c.up, t.up);
	assert_true(c.in <= policy->in_max && c.out <= policy->out_wanted);
	assert_true(c.dialling <= c.out + c.checking);
	for (unsigned i = 0; i < OUTCOME_COUNT; i++)
		ended += c.ends[i];
	/* Whoever came is here or gone. */
	assert_int_equal(c.accepted + c.dialled, t.all + ended);
	assert_int_equal(node->told[SWARM_EVENT_DOWN], ended);
}

static uint32_t any_id(const struct net_node *node, struct random *r)
{
	struct swarm_peer peer;
	uint32_t id = 0, n = 0;

	for (uint32_t at = 0; (at = swarm_look(node->swarm, at, &peer)) != SWARM_NONE;)
		if (random_below(r, ++n) == 0)
			id = peer.id;
	return id;
}

/* What the application does while it is told of something. */
static void meddle(struct net_node *node, const struct swarm_event *event)
{
	struct random *r = &node->net->random;

	switch (random_below(r, 40)) {
	case 0:
		swarm_close(node->swarm, event->peer.id, "meddled with", node->net->now_ms);
		break;
	case 1:
		swarm_close(node->swarm, any_id(node, r), "meddled with", node->net->now_ms);
		break;
	case 2:
		swarm_say(node->swarm, event->peer.id, slice_text("{\"msgtype\":\"news\"}\n"));
		break;
	case 3:
		swarm_say(node->swarm, any_id(node, r), slice_text("nonsense\n"));
		break;
	default:
		break;
	}
}

static struct netaddr place(uint32_t i)
{
	return netaddr_ipv4(0x05010101 + i % NODES * 0x10000, 8333);
}

static void disturb(struct net *net, const struct swarm_config *config,
		    const struct book_config *book)
{
	struct net_node *node = &net->nodes[random_below(&net->random, net->count)];
	struct netaddr stranger = netaddr_ipv4((uint32_t)random_next(&net->random), 999);
	struct netaddr addr = node->addr, other = place((uint32_t)random_next(&net->random));

	if (node->fate != NET_ALIVE) {
		/* It comes back, as another. */
		if (net->count < NET_NODES_MAX && net_at(net, &addr)->fate != NET_ALIVE)
			net_bootstrap(net, net_add(net, &addr, *config, *book), &other);
		return;
	}
	switch (random_below(&net->random, 8)) {
	case 0:
		net_end(net, node, NET_KILLED);
		break;
	case 1:
		net_end(net, node, NET_SILENT);
		break;
	case 2:
		swarm_stop(node->swarm, net->now_ms);
		net_step(net, node);
		net_end(net, node, NET_KILLED);
		break;
	case 3:
		swarm_close(node->swarm, any_id(node, &net->random), "disturbed", net->now_ms);
		net_step(net, node);
		break;
	case 4:
		net_bootstrap(net, node, &other);
		break;
	default:
		net_stare(net, node, &stranger);
		break;
	}
}

static void random_churn(void **state)
{
	static const char *const names[] = { "gossip", "bitcoin" };
	static const struct book_config book = {
		.new_max = 64, .tried_max = 32, .source_max = 16, .group_max = 8, .known_s = 3600
	};

	(void)state;
	for (uint64_t seed = 0; seed < 12; seed++) {
		const struct network *network = network_find(names[seed % 2]);
		struct peer_policy policy = *network->proto->policy;
		struct swarm_config config = { .network = network, .policy = &policy };
		struct net *net = net_new(seed);

		policy.in_max = 1 + (uint32_t)seed;
		policy.host_max = 2;
		policy.out_wanted = 4;
		net->on_event = meddle;
		for (uint32_t i = 0; i < NODES; i++) {
			struct netaddr addr = place(i), next = place(i + 1);

			net_bootstrap(net, net_add(net, &addr, config, book), &next);
		}
		for (uint32_t step = 0; step < STEPS; step++) {
			disturb(net, &config, &book);
			net_run(net, net->now_ms + random_below(&net->random, 2 * STEP_MS));
			for (uint32_t i = 0; i < net->count; i++)
				if (net->nodes[i].fate == NET_ALIVE)
					counts_add_up(&net->nodes[i], &policy);
		}
		net_free(net);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(random_churn) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
