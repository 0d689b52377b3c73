/* test_driver_nodes.c: crawls of a simulated Ethereum network on real sockets, on one loop and on
 * several, to their end and stopped in the middle. */
#include "io/driver.h"
#include "proto/ethereum/identity.h"
#include "support/sanitized.h"
#include "support/simnet.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	PEERS = 60,
	GHOSTS = 10,
	/* Whom it knows about: invented nodes, too. */
	KNOWN_MAX = 20000,
	SEEDS = 3,
	/* Of discovery: ghosts are asked for no longer, but twice. */
	TIMEOUT_MS = SANITIZED ? 2000 : 500,
};

/* --- the network, on a thread of its own --- */

static struct simnet net;
static struct targets targets;
static struct identity identity;

static int begin_all(void **state)
{
	const uint8_t random[SECP_RANDOM_LEN + IDENTITY_SEED_LEN] = { 6 };

	(void)state;
	targets_init(&targets);
	identity_init(&identity, NULL, random);
	simnet_start(&net, &simnet_ethereum,
		     (struct sim_config){ .network = network_find("ethereum"),
					  .peers = PEERS,
					  .ghosts = GHOSTS,
					  .seed = 3,
					  .latency_ms = 2,
					  .liars = 0.1 });
	return simnet_detach(&net);
}

static int end_all(void **state)
{
	(void)state;
	simnet_stop(&net);
	identity_clear(&identity);
	return 0;
}

/* --- the crawl --- */

enum how_to_stop { TO_THE_END, NOW, GENTLY };

struct crawler {
	struct driver *driver;
	pthread_mutex_t lock; /* the callbacks come from any loop */
	enum how_to_stop how;
	unsigned stop_after; /* visits */
	unsigned known, visits, finals, retries, cancelled, adverts;
	unsigned known_of[PEERS + GHOSTS], finals_of[PEERS + GHOSTS];
	bool reached[PEERS + GHOSTS];
	enum outcome outcomes[PEERS + GHOSTS];
};

/* The node or ghost with that key at that address, or -1. */
static int64_t index_of(const struct netaddr *addr, struct slice key)
{
	int64_t at = sim_ethereum_find(net.world, addr);
	struct enode enode;

	assert_int_equal(key.len, SECP_PUBLIC_LEN);
	if (at < 0)
		return -1;
	sim_ethereum_enode(net.world, (uint32_t)at, &enode);
	return memcmp(enode.key, key.data, SECP_PUBLIC_LEN) == 0 ? at : -1;
}

static void on_known(void *ctx, const struct netaddr *addr, const struct advert *advert,
		     int64_t unix_ms)
{
	struct crawler *c = ctx;
	int64_t at;

	(void)unix_ms;
	pthread_mutex_lock(&c->lock);
	assert_non_null(advert);
	assert_true(netaddr_equal(addr, &advert->addr));
	c->known++;
	at = index_of(addr, advert->node_id);
	if (at >= 0)
		c->known_of[at]++;
	pthread_mutex_unlock(&c->lock);
}

static void on_advert(void *ctx, const struct advert *from, const struct advert *advert,
		      int64_t unix_ms)
{
	struct crawler *c = ctx;

	(void)unix_ms;
	pthread_mutex_lock(&c->lock);
	assert_true(index_of(&from->addr, from->node_id) >= 0);
	assert_int_equal(advert->node_id.len, SECP_PUBLIC_LEN);
	c->adverts++;
	pthread_mutex_unlock(&c->lock);
}

static void on_visit(void *ctx, const struct record *record, bool final)
{
	struct crawler *c = ctx;
	int64_t at;
	bool stop;

	pthread_mutex_lock(&c->lock);
	assert_non_null(record->node);
	c->visits++;
	c->finals += final;
	c->retries += !final;
	c->cancelled += record->outcome == OUTCOME_CANCELLED;
	at = index_of(&record->addr, record->info.node_id);
	if (at >= 0 && final) {
		c->finals_of[at]++;
		c->reached[at] = record->reached;
		c->outcomes[at] = record->outcome;
	}
	stop = c->how != TO_THE_END && c->visits == c->stop_after;
	pthread_mutex_unlock(&c->lock);
	if (stop)
		driver_stop(c->driver, c->how == NOW);
}

static void crawl(struct crawler *c, unsigned threads, uint64_t max_visits,
		  struct crawl_stats *stats, struct driver_totals *totals)
{
	struct driver_config config = {
		.visit = { .session = { .network = net.config.network,
					.role = SESSION_INITIATOR,
					.agent = slice_text("test"),
					.timeout_ms = 10000,
					.identity = &identity },
			   .connect_timeout_ms = 2000 },
		.node = { .targets = &targets, .timeout_ms = TIMEOUT_MS },
		.crawl = { .nodes = true,
			   .concurrency = 60,
			   .allow_private = true,
			   .per_group = 150,
			   .max_visits = max_visits,
			   .key = { 1, 2 } },
		.threads = threads,
		.on_known = on_known,
		.on_visit = on_visit,
		.on_advert = on_advert,
		.ctx = c,
	};
	char why[DRIVER_WHY_MAX];
	uint32_t seeds[SEEDS];
	struct enode enode;

	pthread_mutex_init(&c->lock, NULL);
	if (driver_new(&config, &c->driver, why) != ERR_OK)
		fail_msg("%s", why);
	assert_int_equal(sim_ethereum_seeds(net.world, seeds, SEEDS), SEEDS);
	for (unsigned i = 0; i < SEEDS; i++) {
		sim_ethereum_enode(net.world, seeds[i], &enode);
		assert_int_equal(
			driver_seed(
				c->driver,
				&(struct advert){ .addr = enode.endpoint.addr,
						  .node_id = slice_of(enode.key, sizeof(enode.key)),
						  .tcp_port = enode.endpoint.tcp_port }),
			CRAWL_NEW);
	}
	driver_run(c->driver);
	driver_stats(c->driver, stats, totals);
	driver_free(c->driver);
	pthread_mutex_destroy(&c->lock);
}

static void everybody_is_found(void **state)
{
	static const unsigned threads[] = { 1, 3 };
	bool reachable[PEERS + GHOSTS];
	uint32_t seeds[SEEDS];

	(void)state;
	assert_int_equal(sim_ethereum_seeds(net.world, seeds, SEEDS), SEEDS);
	assert_int_equal(sim_ethereum_reachable(net.world, seeds, SEEDS, reachable), ERR_OK);
	for (size_t t = 0; t < sizeof(threads) / sizeof(*threads); t++) {
		struct crawler *c = calloc(1, sizeof(*c));
		struct driver_totals totals;
		struct crawl_stats stats;
		unsigned reached = 0;

		assert_non_null(c);
		crawl(c, threads[t], 0, &stats, &totals);
		for (uint32_t i = 0; i < PEERS + GHOSTS; i++) {
			bool answers = sim_ethereum_kind_answers(sim_ethereum_kind(net.world, i));

			if (c->reached[i] && !answers)
				fail_msg("node %u can't be reached", i);
			if (reachable[i] && !c->reached[i])
				fail_msg("node %u was not reached: %s", i,
					 outcome_name(c->outcomes[i]));
			/* Each once: told when it becomes known, and at its end. */
			assert_in_range(c->known_of[i], 0, 1);
			assert_int_equal(c->finals_of[i], c->known_of[i]);
			reached += c->reached[i];
		}
		assert_true(reached > PEERS / 2);
		assert_int_equal(stats.reached, reached);
		assert_int_equal(stats.known, c->known);
		assert_int_equal(stats.visited, c->finals);
		assert_int_equal(stats.visited, stats.known);
		assert_int_equal(stats.waiting + stats.in_flight, 0);
		assert_int_equal(stats.adverts, c->adverts);
		assert_int_equal(stats.begun, c->visits);
		assert_int_equal(totals.local_errors, 0);
		assert_int_equal(totals.nodes.drained + totals.nodes.partial +
					 totals.nodes.timed_out,
				 reached);
		assert_true(totals.nodes.sessions_told > reached / 4);
		free(c);
	}
}

static void stopped_in_the_middle(void **state)
{
	static const struct {
		const char *name;
		enum how_to_stop how;
		unsigned threads;
	} rows[] = { { "now", NOW, 1 },
		     { "now, on three loops", NOW, 3 },
		     { "gently, on three loops", GENTLY, 3 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct crawler *c = calloc(1, sizeof(*c));
		struct driver_totals totals;
		struct crawl_stats stats;

		assert_non_null(c);
		c->how = rows[i].how;
		c->stop_after = 10;
		crawl(c, rows[i].threads, 0, &stats, &totals);
		/* Whatever was begun has ended, once, and some are left. */
		if (stats.begun != c->visits || stats.in_flight != 0 || stats.waiting == 0 ||
		    c->visits < 10)
			fail_msg("%s: %u of %u", rows[i].name, c->visits, (unsigned)stats.begun);
		if ((c->cancelled > 0) != (rows[i].how == NOW))
			fail_msg("%s: %u were cancelled", rows[i].name, c->cancelled);
		free(c);
	}
}

static void no_more_than_wanted(void **state)
{
	struct crawler *c = calloc(1, sizeof(*c));
	struct driver_totals totals;
	struct crawl_stats stats;

	(void)state;
	assert_non_null(c);
	crawl(c, 2, 20, &stats, &totals);
	/* However many of them needed a second try. */
	assert_int_equal(c->finals, 20);
	assert_int_equal(stats.visited, 20);
	assert_int_equal(c->visits, stats.begun);
	assert_true(stats.known > 20);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_is_found),
		cmocka_unit_test(stopped_in_the_middle),
		cmocka_unit_test(no_more_than_wanted),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, begin_all, end_all);
}
