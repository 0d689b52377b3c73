/* Whole groups of swarms on virtual time: a gossip group gathers, and loses a third of its
 * members. */
#include "support/sanitized.h"
#include "support/swarm_net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum {
	GROUP = SANITIZED ? 40 : 200,
	SMALL = SANITIZED ? 40 : 100, /* what the size of a group adds is shown once */
	LIES = SANITIZED ? 20 : 100,  /* messages of a thousand invented addresses */
	QUIET_MS = (SANITIZED ? 10 : 60) * 60 * 1000,
	GATHERED_MS = 30 * 1000,    /* by then everybody knows everybody */
	DROPPED_MS = 5 * 60 * 1000, /* by then nobody knows the dead */
};

static const struct book_config book = {
	.new_max = 2000,
	.tried_max = 2000,
	.source_max = 1000,
	.group_max = 1000,
	.known_s = 24 * 3600,
	.allow_private = true,
};

static struct swarm_config config(void)
{
	return (struct swarm_config){ .network = network_find("gossip"),
				      .session = { .agent = slice_text("/peerwalk:test/") },
				      .allow_private = true };
}

/* Where the members stand. */
static struct netaddr private_place(uint32_t i)
{
	return netaddr_ipv4(0x0a000001 + i, 5999);
}
static struct netaddr loopback_place(uint32_t i)
{
	return netaddr_ipv4(0x7f000001, (uint16_t)(6000 + i));
}
static struct netaddr public_place(uint32_t i)
{
	return netaddr_ipv4(0x05010001 + i / 4 * 0x10000 + i % 4, 5999);
}

static struct net *gather(uint64_t seed, uint32_t count, struct netaddr (*place)(uint32_t))
{
	struct net *net = net_new(seed);
	struct netaddr first = place(0);

	for (uint32_t i = 0; i < count; i++) {
		struct netaddr addr = place(i);
		struct net_node *node = net_add(net, &addr, config(), book);

		if (i > 0)
			net_bootstrap(net, node, &first);
	}
	net_run(net, net->now_ms + GATHERED_MS);
	return net;
}

/* How many of that fate are known, of all that are alive together. */
static uint32_t known(const struct net *net, enum net_fate fate)
{
	uint32_t n = 0;

	for (uint32_t at = 0; at < net->count; at++)
		for (uint32_t i = 0; i < net->count; i++)
			n += net->nodes[at].fate == NET_ALIVE && net->nodes[i].fate == fate &&
			     at != i && book_find(net->nodes[at].book, &net->nodes[i].addr, NULL);
	return n;
}

static uint32_t count_of(const struct net *net, enum net_fate fate)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < net->count; i++)
		n += net->nodes[i].fate == fate;
	return n;
}

static uint32_t root(uint32_t *parents, uint32_t i)
{
	while (parents[i] != i)
		i = parents[i] = parents[parents[i]];
	return i;
}

/* How many of the living hang together by connections, at most. */
static uint32_t component(struct net *net)
{
	uint32_t parents[NET_NODES_MAX], sizes[NET_NODES_MAX] = { 0 }, most = 0;
	struct swarm_peer peer;

	for (uint32_t i = 0; i < net->count; i++)
		parents[i] = i;
	for (uint32_t i = 0; i < net->count; i++)
		for (uint32_t at = 0;
		     (at = swarm_look(net->nodes[i].swarm, at, &peer)) != SWARM_NONE;) {
			const struct net_node *other = net_at(net, &peer.listen);

			if (net->nodes[i].fate == NET_ALIVE && peer.up && other != NULL &&
			    other->fate == NET_ALIVE)
				parents[root(parents, i)] = root(parents, other->at);
		}
	for (uint32_t i = 0; i < net->count; i++) {
		uint32_t n = ++sizes[root(parents, i)];

		most = n > most ? n : most;
	}
	return most;
}

static uint32_t connected_to(struct net *net, const struct net_node *node)
{
	struct swarm_peer peer;
	uint32_t n = 0;

	for (uint32_t i = 0; i < net->count; i++) {
		bool is = false;

		for (uint32_t at = 0;
		     (at = swarm_look(net->nodes[i].swarm, at, &peer)) != SWARM_NONE;)
			is |= netaddr_equal(&peer.listen, &node->addr);
		n += is;
	}
	return n;
}

static void a_group_gathers_from_one_address(void **state)
{
	static const struct {
		struct netaddr (*place)(uint32_t);
		uint32_t count;
	} rows[] = { { private_place, GROUP }, { loopback_place, SMALL }, { public_place, SMALL } };

	(void)state;
	for (unsigned row = 0; row < sizeof(rows) / sizeof(*rows); row++) {
		const uint32_t count = rows[row].count;
		struct net *net = gather(row, count, rows[row].place);

		assert_int_equal(known(net, NET_ALIVE), count * (count - 1));
		assert_int_equal(component(net), count);
		net_free(net);
	}
}

static void the_dead_are_dropped(void **state)
{
	static const struct {
		const char *name;
		enum net_fate fate;
		uint32_t first; /* of the dead; every third is one of them */
		uint32_t count;
	} rows[] = {
		{ "killed: their connections are reset", NET_KILLED, 1, SMALL },
		{ "killed, and the one that all began with is among them", NET_KILLED, 0, SMALL },
		{ "fallen silent, the first again among them: nothing tells of their end",
		  NET_SILENT, 0, SMALL * 3 / 2 },
	};

	(void)state;
	for (unsigned row = 0; row < sizeof(rows) / sizeof(*rows); row++) {
		const uint32_t count = rows[row].count;
		struct net *net = gather(10 + row, count, private_place);
		uint32_t alive;

		for (uint32_t i = rows[row].first; i < count; i += 3)
			net_end(net, &net->nodes[i], rows[row].fate);
		alive = count_of(net, NET_ALIVE);
		assert_in_range(alive, count / 2, count * 2 / 3 + 1);
		net_run(net, net->now_ms + DROPPED_MS);
		if (known(net, rows[row].fate) != 0)
			fail_msg("%s: %u still known", rows[row].name, known(net, rows[row].fate));
		if (known(net, NET_ALIVE) != alive * (alive - 1))
			fail_msg("%s: the living are forgotten", rows[row].name);
		if (component(net) != alive)
			fail_msg("%s: %u of %u hang together", rows[row].name, component(net),
				 alive);
		net_free(net);
	}
}

/* A thousand addresses of nobody, to all that it is connected to. */
static void lie(struct net *net, struct net_node *liar, uint32_t first, uint32_t step)
{
	static char text[SWARM_SAY_MAX];
	struct swarm_peer peer;
	int len = snprintf(text, sizeof(text), "{\"msgtype\":\"addr\",\"peers\":[");

	for (uint32_t i = 0; i < 1000; i++) {
		struct netaddr invented = netaddr_ipv4(first + i * step, 5999);
		char place[NETADDR_TEXT_MAX];

		netaddr_text(&invented, place);
		len += snprintf(text + len, sizeof(text) - (size_t)len, "%s\"%s\"",
				i > 0 ? "," : "", place);
	}
	len += snprintf(text + len, sizeof(text) - (size_t)len, "]}\n");
	for (uint32_t at = 0; (at = swarm_look(liar->swarm, at, &peer)) != SWARM_NONE;)
		swarm_say(liar->swarm, peer.id, slice_of(text, (size_t)len));
	net_step(net, liar);
}

struct lies {
	struct net *net;
	uint32_t count;
};

static bool count_lie(void *ctx, const struct book_entry *entry)
{
	struct lies *lies = ctx;

	lies->count += net_at(lies->net, &entry->addr) == NULL;
	return true;
}

static uint32_t believed(struct net *net)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < net->count; i++) {
		struct lies lies = { .net = net };

		book_each(net->nodes[i].book, count_lie, &lies);
		n += lies.count > 0;
	}
	return n;
}

/* One of 40 names LIES thousand addresses of nobody. Whom the others know is not pushed out by
 * that, a newcomer is heard of, and nobody hears the inventions but from the liar. */
static void a_liar_pushes_nobody_out(void **state)
{
	static const struct {
		struct netaddr (*place)(uint32_t);
		uint32_t invented, step;
	} rows[] = { { public_place, 0x20000001, 977 }, { private_place, 0x0a800001, 1 } };

	(void)state;
	for (unsigned row = 0; row < 2; row++) {
		struct net *net = gather(20, 40, rows[row].place);
		struct net_node *liar = &net->nodes[7], *late;
		struct netaddr addr = rows[row].place(99);

		for (uint32_t i = 0; i < LIES; i++) {
			lie(net, liar, rows[row].invented + i * 1000 * rows[row].step,
			    rows[row].step);
			net_run(net, net->now_ms + 2000);
		}
		assert_int_equal(known(net, NET_ALIVE), 40 * 39);
		assert_int_equal(component(net), 40);
		/* Believed by some, passed on by none. */
		assert_in_range(believed(net), 1, connected_to(net, liar));
		late = net_add(net, &addr, config(), book);
		net_bootstrap(net, late, &net->nodes[0].addr);
		net_run(net, net->now_ms + GATHERED_MS);
		assert_int_equal(known(net, NET_ALIVE), 41 * 40);
		net_free(net);
	}
}

/* A host opens connections to everybody, as fast as they are closed, and says nothing. */
static void a_flood_from_one_host_keeps_nobody_out(void **state)
{
	struct net *net = net_new(30);
	struct peer_policy policy = *network_find("gossip")->proto->policy;
	struct swarm_config small = config();
	struct netaddr first = public_place(0);

	(void)state;
	policy.in_max = 30; /* fewer than the flood's host may have */
	small.policy = &policy;
	for (uint32_t i = 0; i < 40; i++) {
		struct netaddr addr = public_place(i);

		net_add(net, &addr, small, book);
	}
	for (uint32_t s = 0; s < 90; s++) {
		for (uint32_t i = 0; i < net->count; i++)
			for (uint16_t k = 0; k < 40; k++)
				net_stare(net, &net->nodes[i],
					  &(struct netaddr){ .kind = NETADDR_IPV4,
							     .bytes = { 66, 6, 6, 6 },
							     .port = (uint16_t)(1 + s * 40 + k) });
		for (uint32_t i = 1; s == 4 && i < net->count; i++)
			net_bootstrap(net, &net->nodes[i], &first);
		net_run(net, net->now_ms + 1000);
	}
	assert_int_equal(known(net, NET_ALIVE), 40 * 39);
	assert_int_equal(component(net), 40);
	net_free(net);
}

static uint32_t disturbances;

/* Whom others check is told of a caller that comes and goes: that is no disturbance. */
static void note_disturbance(struct net_node *node, const struct swarm_event *event)
{
	(void)node;
	disturbances += event->kind == SWARM_EVENT_LOST ||
			((event->kind == SWARM_EVENT_UP || event->kind == SWARM_EVENT_DOWN) &&
			 event->peer.direction == SWARM_OUT);
}

/* Once everybody has whom he wants nothing changes: all connections stand. */
static void a_quiet_group_stays_as_it_is(void **state)
{
	static const char *const names[] = { "gossip", "bitcoin" };

	(void)state;
	for (unsigned row = 0; row < 2; row++) {
		struct net *net = net_new(40 + row);
		struct swarm_config c = config();

		c.network = network_find(names[row]);
		net->on_event = note_disturbance;
		for (uint32_t i = 0; i < 40; i++) {
			struct netaddr addr = public_place(i), first = public_place(0);

			net_bootstrap(net, net_add(net, &addr, c, book), &first);
		}
		net_run(net, net->now_ms + 10 * 60 * 1000);
		assert_int_equal(component(net), 40);
		disturbances = 0;
		net_run(net, net->now_ms + QUIET_MS);
		assert_int_equal(disturbances, 0);
		for (uint32_t i = 0; i < net->count; i++) {
			struct swarm_counts counts;

			swarm_counts(net->nodes[i].swarm, &counts);
			assert_true(counts.dialling <= counts.checking); /* or it is connected */
			assert_true(counts.up >= 8);
		}
		net_free(net);
	}
}

static void one_seed_has_one_course(void **state)
{
	uint64_t events[3];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct net *net = gather(i == 2 ? 8 : 7, 40, private_place);

		events[i] = net->carried;
		net_free(net);
	}
	assert_int_equal(events[0], events[1]);
	assert_int_not_equal(events[0], events[2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_group_gathers_from_one_address),
		cmocka_unit_test(the_dead_are_dropped),
		cmocka_unit_test(a_liar_pushes_nobody_out),
		cmocka_unit_test(a_flood_from_one_host_keeps_nobody_out),
		cmocka_unit_test(a_quiet_group_stays_as_it_is),
		cmocka_unit_test(one_seed_has_one_course),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
