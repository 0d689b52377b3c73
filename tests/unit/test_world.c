#include "sim/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NOW_S = 1790000000, DAY_S = 24 * 60 * 60, PORT = 8333 };

static struct sim_world *make(const char *range, uint32_t peers, uint32_t ghosts, uint64_t seed,
			      double liars)
{
	struct sim_config config = {
		.network = network_find("bitcoin"),
		.peers = peers,
		.ghosts = ghosts,
		.seed = seed,
		.latency_ms = 100,
		.liars = liars,
		.port = PORT,
	};
	struct sim_world *w = NULL;

	assert_int_equal(cidr_parse(slice_text(range), &config.range), ERR_OK);
	assert_int_equal(sim_world_new(&config, &w), ERR_OK);
	assert_int_equal(sim_world_count(w), peers + ghosts);
	return w;
}

static bool is_liar(enum sim_kind kind)
{
	return kind >= SIM_LIAR_MAGIC;
}

static void same_seed_same_world(void **state)
{
	struct sim_world *a = make("127.0.0.0/8", 500, 500, 7, 0.1);
	struct sim_world *b = make("127.0.0.0/8", 500, 500, 7, 0.1);
	struct sim_world *c = make("127.0.0.0/8", 500, 500, 8, 0.1);
	struct sim_peer x, y, z;
	unsigned same = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		sim_world_peer(a, i, &x);
		sim_world_peer(b, i, &y);
		sim_world_peer(c, i, &z);
		assert_true(netaddr_equal(&x.addr, &y.addr));
		assert_int_equal(x.kind, y.kind);
		assert_string_equal(x.agent, y.agent);
		assert_int_equal(x.services, y.services);
		assert_int_equal(x.height, y.height);
		assert_int_equal(x.rtt_ms, y.rtt_ms);
		assert_int_equal(x.clock_skew_s, y.clock_skew_s);
		same += netaddr_equal(&x.addr, &z.addr);
	}
	assert_true(same < 10);
	sim_world_free(a);
	sim_world_free(b);
	sim_world_free(c);
}

static int compare_addr(const void *a, const void *b)
{
	return memcmp(((const struct netaddr *)a)->bytes, ((const struct netaddr *)b)->bytes,
		      NETADDR_BYTES_MAX);
}

/* groups: of how many /16 (IPv4) or /32 (IPv6) at least the addresses come. */
static const struct {
	const char *range;
	uint32_t peers, ghosts, groups;
} ranges[] = {
	{ "127.0.0.0/8", 3000, 2000, 250 },    { "10.7.0.0/16", 3000, 2000, 1 },
	{ "10.7.8.0/24", 100, 154, 1 },        { "0.0.0.0/0", 1000, 1000, 1900 },
	{ "192.0.2.8/30", 1, 1, 1 },           { "fd00::/8", 3000, 2000, 4900 },
	{ "2a00::/12", 3000, 2000, 4900 },     { "2001:db8::/32", 3000, 2000, 1 },
	{ "2001:db8:1:2::/112", 500, 500, 1 },
};

static void addresses_are_distinct_and_found_again(void **state)
{
	(void)state;
	for (size_t row = 0; row < sizeof(ranges) / sizeof(ranges[0]); row++) {
		uint32_t count = ranges[row].peers + ranges[row].ghosts, groups = 1;
		struct sim_world *w =
			make(ranges[row].range, ranges[row].peers, ranges[row].ghosts, 3, 0.1);
		const struct sim_config *config = sim_world_config(w);
		size_t prefix = config->range.base.kind == NETADDR_IPV4 ? 2 : 4;
		struct netaddr *list = calloc(count, sizeof(*list));
		struct sim_peer peer;

		assert_non_null(list);
		for (uint32_t i = 0; i < count; i++) {
			sim_world_peer(w, i, &peer);
			list[i] = peer.addr;
			assert_int_equal(peer.index, i);
			assert_true(cidr_contains(&config->range, &peer.addr));
			assert_int_equal(sim_world_find(w, &peer.addr), i);
			peer.addr.port++;
			assert_int_equal(sim_world_find(w, &peer.addr), -1);
		}
		qsort(list, count, sizeof(*list), compare_addr);
		for (uint32_t i = 1; i < count; i++) {
			assert_false(netaddr_same_host(&list[i - 1], &list[i]));
			groups += memcmp(list[i - 1].bytes, list[i].bytes, prefix) != 0;
		}
		assert_true(groups >= ranges[row].groups);
		free(list);
		sim_world_free(w);
	}
}

static void strangers_are_not_found(void **state)
{
	static const char *const rows[] = { "127.0.0.1:8333",       "127.0.0.255:8333",
					    "127.255.255.255:8333", "128.0.0.1:8333",
					    "[::1]:8333",           "[fd00::1]:8333" };
	struct sim_world *w = make("127.0.0.0/8", 100, 100, 1, 0.1);
	struct sim_world *w6 = make("fd00::/8", 100, 100, 1, 0.1);
	struct netaddr addr;
	struct sim_peer peer;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(netaddr_parse(slice_text(rows[i]), 0, &addr), ERR_OK);
		assert_int_equal(sim_world_find(w, &addr), -1);
		assert_int_equal(sim_world_find(w6, &addr), -1);
	}
	/* The same network, another host. */
	sim_world_peer(w6, 5, &peer);
	peer.addr.bytes[15] = 2;
	assert_int_equal(sim_world_find(w6, &peer.addr), -1);
	sim_world_free(w);
	sim_world_free(w6);
}

static void too_small_a_range_is_refused(void **state)
{
	static const struct {
		const char *range;
		uint32_t peers, ghosts, port;
		enum err err;
	} rows[] = {
		{ "10.0.0.0/24", 200, 54, PORT, ERR_OK },
		{ "10.0.0.0/24", 200, 55, PORT, ERR_VALUE },
		{ "10.0.0.0/31", 1, 0, PORT, ERR_VALUE },
		{ "10.0.0.0/16", UINT32_MAX, 2, PORT, ERR_VALUE },
		{ "10.0.0.0/16", 0, 5, PORT, ERR_VALUE },
		{ "10.0.0.0/16", 5, 5, 0, ERR_VALUE },
		{ "10.0.0.0/16", 5, 5, 65531, ERR_OK },
		{ "10.0.0.0/16", 5, 5, 65532, ERR_VALUE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sim_config config = { .network = network_find("bitcoin"),
					     .peers = rows[i].peers,
					     .ghosts = rows[i].ghosts,
					     .port = (uint16_t)rows[i].port };
		struct sim_world *w;

		assert_int_equal(cidr_parse(slice_text(rows[i].range), &config.range), ERR_OK);
		assert_int_equal(sim_world_new(&config, &w), rows[i].err);
		sim_world_free(w);
	}
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The shares are what tests and demonstrations count on. */
static void population_is_mixed_as_promised(void **state)
{
	enum { PEERS = 20000, GHOSTS = 10000 };
	struct sim_world *w = make("127.0.0.0/8", PEERS, GHOSTS, 5, 0.05);
	uint32_t kinds[SIM_KIND_COUNT] = { 0 }, near_clock = 0, far_clock = 0, at_tip = 0;
	uint32_t hidden = 0, ports[5] = { 0 };
	uint32_t *rtts = calloc(PEERS, sizeof(*rtts));
	struct sim_peer peer;

	(void)state;
	assert_non_null(rtts);
	for (uint32_t i = 0; i < PEERS + GHOSTS; i++) {
		sim_world_peer(w, i, &peer);
		kinds[peer.kind]++;
		ports[peer.addr.port - PORT]++;
		assert_int_equal(peer.addr.port == PORT + SIM_PORT_REFUSED,
				 peer.kind == SIM_GHOST_REFUSED);
		assert_int_equal(peer.addr.port == PORT + SIM_PORT_SILENT,
				 peer.kind == SIM_GHOST_SILENT);
		assert_int_equal(i >= PEERS,
				 peer.kind == SIM_GHOST_REFUSED || peer.kind == SIM_GHOST_SILENT);
		assert_true(peer.listed || peer.kind == SIM_HONEST);
		hidden += !peer.listed;
		if (i >= PEERS)
			continue;
		rtts[i] = peer.rtt_ms;
		near_clock += llabs(peer.clock_skew_s) <= 2;
		far_clock += llabs(peer.clock_skew_s) >= 3600;
		at_tip += peer.height == 976000;
	}
	assert_in_range(kinds[SIM_OLD], 280, 480);
	assert_in_range(kinds[SIM_STEPWISE], 450, 690);
	assert_in_range(kinds[SIM_FULL], 800, 1100);
	assert_in_range(kinds[SIM_GHOST_REFUSED], 4800, 5200);
	for (int kind = SIM_LIAR_MAGIC; kind < SIM_KIND_COUNT; kind++)
		assert_in_range(kinds[kind], 60, 140);
	assert_in_range(hidden, 50, 140);
	assert_in_range(ports[0], 17500, 18500);
	assert_true(ports[1] > ports[2] && ports[2] > 0);
	assert_in_range(near_clock, PEERS * 90 / 100, PEERS);
	assert_in_range(far_clock, 1, PEERS * 3 / 100);
	assert_in_range(at_tip, PEERS * 90 / 100, PEERS);
	qsort(rtts, PEERS, sizeof(*rtts), compare_u32);
	assert_in_range(rtts[PEERS / 2], 95, 105);
	assert_in_range(rtts[PEERS * 9 / 10], 180, 260);
	assert_true(rtts[0] >= 1 && rtts[PEERS - 1] <= 1000);
	free(rtts);
	sim_world_free(w);
}

static void agents_fit_their_kind(void **state)
{
	struct sim_world *w = make("127.0.0.0/8", 5000, 0, 9, 0);
	struct sim_peer peer;

	(void)state;
	for (uint32_t i = 0; i < 5000; i++) {
		sim_world_peer(w, i, &peer);
		assert_false(is_liar(peer.kind));
		assert_true(strlen(peer.agent) <= PEER_AGENT_MAX);
		if (peer.kind == SIM_OLD)
			assert_non_null(strstr(peer.agent, "/Satoshi:0."));
		if (peer.kind == SIM_STEPWISE)
			assert_true(peer.protocol <= 70015);
		if (peer.kind == SIM_HONEST)
			assert_true(peer.protocol >= 70016);
	}
	sim_world_free(w);
}

static const struct {
	const char *name;
	uint32_t peers, ghosts;
	size_t least; /* length of an answer, at least */
} tables[] = {
	{ "alone", 1, 0, 0 },           { "two", 2, 0, 1 },
	{ "small", 30, 20, 20 },        { "demo", 2000, 3000, 600 },
	{ "large", 20000, 20000, 990 }, { "mostly ghosts", 100, 20000, 500 },
	{ "no ghosts", 3000, 0, 380 },
};

static void check_advert(const struct sim_world *w, const struct advert *advert, uint32_t self,
			 uint8_t *named)
{
	struct sim_peer peer;
	int64_t index;

	assert_true(advert->last_seen_s <= NOW_S);
	assert_true(advert->last_seen_s > NOW_S - 30 * DAY_S);
	if (!netaddr_is_ip(&advert->addr)) {
		assert_true(netaddr_is_routable(&advert->addr));
		return;
	}
	index = sim_world_find(w, &advert->addr);
	assert_true(index >= 0 && index != self);
	assert_int_equal(named[index], 0);
	named[index] = 1;
	sim_world_peer(w, (uint32_t)index, &peer);
	assert_true(peer.listed);
	assert_int_equal(advert->services, peer.services);
}

static void answers_are_cores(void **state)
{
	(void)state;
	for (size_t row = 0; row < sizeof(tables) / sizeof(tables[0]); row++) {
		uint32_t count = tables[row].peers + tables[row].ghosts, self, aliens = 0;
		struct sim_world *w =
			make("127.0.0.0/8", tables[row].peers, tables[row].ghosts, 11, 0.1);
		struct advert table[SIM_TABLE_MAX + 1], again[SIM_TABLE_MAX + 1];
		uint8_t *named = calloc(count, 1);

		assert_non_null(named);
		for (uint32_t k = 0; k < 20; k++) {
			size_t n, m;

			self = k * tables[row].peers / 20;
			n = sim_world_table(w, self, NOW_S, table, SIM_TABLE_MAX + 1);
			m = sim_world_table(w, self, NOW_S, again, SIM_TABLE_MAX + 1);
			assert_int_equal(n, m);
			assert_memory_equal(table, again, n * sizeof(*table));
			assert_true(n <= SIM_TABLE_MAX);
			assert_true(n <= count);
			assert_true(n >= tables[row].least);
			/* 23 % of what it knows, but for worlds where that is next to nobody. */
			assert_true(n <= 32 || n <= count * 23 / 100);
			memset(named, 0, count);
			for (size_t i = 0; i < n; i++) {
				check_advert(w, &table[i], self, named);
				aliens += !netaddr_is_ip(&table[i].addr);
			}
			assert_int_equal(sim_world_table(w, self, NOW_S, table, 3), n < 3 ? n : 3);
		}
		if (tables[row].least >= 100)
			assert_true(aliens > 0);
		free(named);
		sim_world_free(w);
	}
}

static bool named_by(enum sim_kind kind, bool patient)
{
	return kind == SIM_HONEST || kind == SIM_STEPWISE || (kind == SIM_OLD && patient);
}

/* The same walk as sim_world_reachable's, over the answers as they go out. */
static void walk(const struct sim_world *w, const struct netaddr *seeds, size_t seeds_count,
		 bool patient, bool *known)
{
	uint32_t count = sim_world_count(w);
	uint32_t *queue = calloc(count, sizeof(*queue)), first = 0, end = 0;
	struct advert table[SIM_TABLE_MAX];
	struct sim_peer peer;

	assert_non_null(queue);
	memset(known, 0, count);
	for (size_t i = 0; i < seeds_count; i++) {
		queue[end] = (uint32_t)sim_world_find(w, &seeds[i]);
		known[queue[end++]] = true;
	}
	for (; first < end; first++) {
		size_t n;

		sim_world_peer(w, queue[first], &peer);
		if (!named_by(peer.kind, patient))
			continue;
		n = sim_world_table(w, queue[first], NOW_S, table, SIM_TABLE_MAX);
		for (size_t i = 0; i < n; i++) {
			int64_t at = sim_world_find(w, &table[i].addr);

			if (at < 0 || known[at])
				continue;
			known[at] = true;
			queue[end++] = (uint32_t)at;
		}
	}
	free(queue);
}

static void truth_is_what_a_walk_finds(void **state)
{
	static const struct {
		uint32_t peers, ghosts;
		bool patient;
	} rows[] = { { 1, 0, false },       { 5, 5, false },   { 50, 50, true },
		     { 1000, 9000, false }, { 5000, 0, true }, { 100, 30000, false } };

	(void)state;
	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		struct sim_world *w = make("127.0.0.0/8", rows[row].peers, rows[row].ghosts, 2, .2);
		uint32_t count = sim_world_count(w), listed = 0, found = 0;
		bool *reachable = calloc(count, 1), *known = calloc(count, 1);
		struct netaddr seeds[3];
		size_t seeds_count = sim_world_seeds(w, seeds, 3);
		struct sim_peer peer;

		assert_true(reachable && known && seeds_count > 0);
		assert_int_equal(
			sim_world_reachable(w, seeds, seeds_count, rows[row].patient, reachable),
			ERR_OK);
		walk(w, seeds, seeds_count, rows[row].patient, known);
		for (uint32_t i = 0; i < count; i++) {
			sim_world_peer(w, i, &peer);
			assert_int_equal(reachable[i],
					 known[i] && sim_kind_shakes_hands(peer.kind));
			listed += peer.listed && sim_kind_shakes_hands(peer.kind);
			found += reachable[i];
		}
		/* Who is listed is also found; the seeds' own kind makes the rest moot. */
		assert_int_equal(found, listed);
		free(reachable);
		free(known);
		sim_world_free(w);
	}
}

static void seeds_are_honest_and_nobody_else_starts_a_walk(void **state)
{
	struct sim_world *w = make("127.0.0.0/8", 200, 200, 4, 1.0);
	struct netaddr seeds[8], stranger = netaddr_ipv4(0x08080808, PORT);
	bool reachable[400];
	struct sim_peer peer;

	(void)state;
	assert_int_equal(sim_world_seeds(w, seeds, 8), 1); /* all the others lie */
	assert_int_equal(sim_world_find(w, &seeds[0]), 0);
	assert_int_equal(sim_world_reachable(w, &stranger, 1, true, reachable), ERR_OK);
	for (uint32_t i = 0; i < 400; i++)
		assert_false(reachable[i]);
	sim_world_peer(w, 300, &peer); /* a ghost as the only seed */
	assert_int_equal(sim_world_reachable(w, &peer.addr, 1, true, reachable), ERR_OK);
	for (uint32_t i = 0; i < 400; i++)
		assert_false(reachable[i]);
	sim_world_free(w);
}

static void invented_addresses_stay_inside(void **state)
{
	struct sim_world *w = make("127.0.0.0/8", 1000, 1000, 4, 0);
	struct netaddr first = sim_world_invented(w, 0), addr;
	unsigned real = 0;

	(void)state;
	for (uint64_t i = 0; i < SIM_INVENTED_MAX; i++) {
		addr = sim_world_invented(w, i);
		assert_true(cidr_contains(&sim_world_config(w)->range, &addr));
		assert_int_equal(addr.port, PORT + SIM_PORT_REFUSED);
		real += sim_world_find(w, &addr) >= 0;
	}
	assert_true(real < 10);
	addr = sim_world_invented(w, SIM_INVENTED_MAX);
	assert_true(netaddr_equal(&addr, &first));
	sim_world_free(w);
}

static void kinds_have_names_and_outcomes(void **state)
{
	(void)state;
	for (int kind = 0; kind < SIM_KIND_COUNT; kind++) {
		uint32_t outcomes = sim_kind_outcomes((enum sim_kind)kind);

		assert_true(strlen(sim_kind_name((enum sim_kind)kind)) > 0);
		assert_true(outcomes != 0);
		/* Nobody is believed who did not even shake hands. */
		if (!sim_kind_shakes_hands((enum sim_kind)kind))
			assert_int_equal(outcomes & (1U << OUTCOME_OK | 1U << OUTCOME_NO_PEERS), 0);
	}
	assert_string_equal(sim_kind_name(SIM_GHOST_SILENT), "ghost_silent");
	assert_string_equal(sim_kind_name(SIM_LIAR_BAD_ADDR), "bad_addr");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_seed_same_world),
		cmocka_unit_test(addresses_are_distinct_and_found_again),
		cmocka_unit_test(strangers_are_not_found),
		cmocka_unit_test(too_small_a_range_is_refused),
		cmocka_unit_test(population_is_mixed_as_promised),
		cmocka_unit_test(agents_fit_their_kind),
		cmocka_unit_test(answers_are_cores),
		cmocka_unit_test(truth_is_what_a_walk_finds),
		cmocka_unit_test(seeds_are_honest_and_nobody_else_starts_a_walk),
		cmocka_unit_test(invented_addresses_stay_inside),
		cmocka_unit_test(kinds_have_names_and_outcomes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
