/* The library's crawl, on loopback: against a simulated world that lives in a thread. */
#include "peerwalk.h"
#include "support/simnet.h"
#include "support/store.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PEERS = 120, SEEDS = 4 };

/* --- the world --- */

static struct {
	struct simnet sim;
	struct netaddr seeds[SEEDS];
	uint32_t reachable;
	char db[64];
} net;

static void count_reachable(void)
{
	bool *reachable = calloc(sim_world_count(net.sim.world), sizeof(*reachable));

	assert_non_null(reachable);
	assert_int_equal(sim_world_reachable(net.sim.world, net.seeds, SEEDS, false, reachable),
			 ERR_OK);
	for (uint32_t i = 0; i < sim_world_count(net.sim.world); i++)
		net.reachable += reachable[i];
	free(reachable);
}

static int start(void **state)
{
	(void)state;
	simnet_start(&net.sim, &simnet_bitcoin,
		     (struct sim_config){ .network = network_find("bitcoin-regtest"),
					  .peers = PEERS,
					  .ghosts = 0,
					  .seed = 5,
					  .latency_ms = 2 });
	assert_int_equal(sim_world_seeds(net.sim.world, net.seeds, SEEDS), SEEDS);
	count_reachable();
	snprintf(net.db, sizeof(net.db), "test_api_crawl.%d.db", (int)getpid());
	return simnet_detach(&net.sim);
}

static int stop(void **state)
{
	(void)state;
	if (net.sim.thread != 0) /* else start failed */
		simnet_stop(&net.sim);
	return 0;
}

/* --- crawls --- */

struct told {
	struct pw_crawl *crawl;
	unsigned visits, reached, finals, ticks;
	unsigned stop_after; /* visits; 0: never */
	int inside;          /* callbacks at this moment; there is one at most */
	char host[64];       /* of the last visit */
	enum pw_outcome outcome;
};

static void on_visit(void *ctx, const struct pw_visit *v)
{
	struct told *told = ctx;
	struct pw_stats stats = { .size = sizeof(stats) };

	assert_int_equal(told->inside++, 0);
	told->visits++;
	told->finals += v->final;
	told->reached += v->reached;
	told->outcome = v->outcome;
	snprintf(told->host, sizeof(told->host), "%s", v->host);
	/* IPv6 in brackets: localhost is ::1 as well where /etc/hosts says so. */
	assert_memory_equal(v->peer + (v->peer[0] == '['), v->host, strlen(v->host));
	assert_null(v->node); /* peers of Bitcoin have no keys */
	assert_true(v->reached ? v->handshake_ms >= v->connect_ms : v->handshake_ms == -1);
	assert_true(!v->reached || (strlen(v->info->agent) > 0 && v->info->has_version));
	pw_crawl_stats(told->crawl, &stats);
	assert_true(stats.visited + stats.in_flight > 0 || v->outcome == PW_OUTCOME_CANCELLED);
	if (told->visits == told->stop_after)
		pw_crawl_stop(told->crawl);
	told->inside--;
}

static void on_progress(void *ctx, const struct pw_stats *stats)
{
	struct told *told = ctx;

	assert_int_equal(told->inside++, 0);
	assert_true(stats->known >= stats->visited);
	told->ticks++;
	told->inside--;
}

static void add_seeds(struct pw_crawl *crawl)
{
	char text[NETADDR_TEXT_MAX];

	for (unsigned i = 0; i < SEEDS; i++) {
		netaddr_text(&net.seeds[i], text);
		assert_int_equal(pw_crawl_add_seed(crawl, text), PW_OK);
	}
}

static struct pw_crawl *new_crawl(struct told *told, const char *db, unsigned threads,
				  double rate_per_s)
{
	struct pw_crawl_config config = { .size = sizeof(config) };

	memset(told, 0, sizeof(*told));
	config.network = pw_network_find("bitcoin-regtest");
	config.database = db;
	config.allow_private = true;
	config.threads = threads;
	config.concurrency = 50;
	config.rate_per_s = rate_per_s;
	config.connect_timeout_ms = 500;
	config.timeout_ms = 1500; /* old software answers much later */
	config.on_visit = on_visit;
	config.on_progress = on_progress;
	config.ctx = told;
	assert_int_equal(pw_crawl_new(&config, &told->crawl), PW_OK);
	return told->crawl;
}

static void check_complete(const struct told *told)
{
	struct pw_stats stats = { .size = sizeof(stats) };
	uint64_t sum = 0;

	pw_crawl_stats(told->crawl, &stats);
	assert_int_equal(stats.reached, net.reachable);
	assert_int_equal(told->reached, net.reachable);
	assert_int_equal(told->finals, stats.visited);
	assert_true(told->ticks > 0 && stats.elapsed_ms > 0);
	assert_true(stats.complete && stats.waiting == 0 && stats.in_flight == 0);
	assert_true(stats.bytes_in > 0 && stats.adverts > stats.known);
	for (int i = 0; i < PW_OUTCOME_COUNT; i++)
		sum += stats.outcomes[i];
	assert_int_equal(sum, stats.visited);
}

static void test_walk(void **state)
{
	(void)state;
	for (unsigned threads = 1; threads <= 3; threads += 2) {
		struct told told;
		struct pw_crawl *crawl = new_crawl(&told, NULL, threads, 0);

		add_seeds(crawl);
		assert_int_equal(pw_crawl_run(crawl), PW_OK);
		check_complete(&told);
		pw_crawl_free(crawl);
	}
}

/* The same seeds a second time: another crawl, with its own counts. */
static void test_run_again(void **state)
{
	struct told told;
	struct pw_crawl *crawl = new_crawl(&told, NULL, 1, 0);

	(void)state;
	add_seeds(crawl);
	assert_int_equal(pw_crawl_run(crawl), PW_OK);
	told = (struct told){ .crawl = crawl };
	assert_int_equal(pw_crawl_run(crawl), PW_OK);
	check_complete(&told);
	pw_crawl_free(crawl);
}

static enum err count_peer(void *ctx, const struct store_peer *peer)
{
	*(unsigned *)ctx += peer->reached;
	return ERR_OK;
}

static void test_database(void **state)
{
	struct pw_stats stats = { .size = sizeof(stats) };
	struct store_crawl row;
	struct told told;
	struct pw_crawl *crawl = new_crawl(&told, net.db, 2, 0);
	struct store *store;
	unsigned reached = 0;
	char why[256];

	(void)state;
	add_seeds(crawl);
	assert_int_equal(pw_crawl_run(crawl), PW_OK);
	check_complete(&told);
	pw_crawl_stats(crawl, &stats);
	assert_int_equal(stats.crawl, 1);
	pw_crawl_free(crawl);

	assert_int_equal(store_open(net.db, STORE_READ, &store, why, sizeof(why)), ERR_OK);
	assert_int_equal(store_peers(store, &STORE_FILTER_ANY, count_peer, &reached), ERR_OK);
	assert_int_equal(reached, net.reachable);
	assert_int_equal(store_crawl_get(store, 1, NULL, &row), ERR_OK);
	assert_true(row.complete && row.ended_at_ms >= row.started_at_ms);
	assert_int_equal(row.bytes_in, stats.bytes_in);
	assert_non_null(strstr(row.settings, "/peerwalk:"));
	store_close(store);
	db_remove(net.db);
}

/* Whatever we call ourselves, the column holds JSON. */
static void test_settings_too_long(void **state)
{
	struct pw_crawl_config config = { .size = sizeof(config), .database = net.db };
	struct store_crawl row;
	struct pw_crawl *crawl;
	struct store *store;
	char why[256], agent[257];

	(void)state;
	memset(agent, '"', sizeof(agent) - 1);
	agent[sizeof(agent) - 1] = '\0';
	config.network = pw_network_find("bitcoin-regtest");
	config.agent = agent;
	config.allow_private = true;
	assert_int_equal(pw_crawl_new(&config, &crawl), PW_OK);
	assert_int_equal(pw_crawl_add_seed(crawl, "127.0.0.1:1"), PW_OK);
	assert_int_equal(pw_crawl_run(crawl), PW_OK);
	pw_crawl_free(crawl);
	assert_int_equal(store_open(net.db, STORE_READ, &store, why, sizeof(why)), ERR_OK);
	assert_int_equal(store_crawl_get(store, 1, NULL, &row), ERR_OK);
	assert_string_equal(row.settings, "{}");
	store_close(store);
	db_remove(net.db);
}

/* Stopped from a callback, then gone on with by another object. */
static void test_stop_and_resume(void **state)
{
	struct pw_crawl_config config = { .size = sizeof(config) };
	struct pw_stats stats = { .size = sizeof(stats) };
	struct told told;
	struct pw_crawl *crawl = new_crawl(&told, net.db, 1, 100);
	unsigned before;

	(void)state;
	told.stop_after = 10;
	add_seeds(crawl);
	assert_int_equal(pw_crawl_run(crawl), PW_OK);
	pw_crawl_stats(crawl, &stats);
	assert_false(stats.complete);
	assert_int_equal(stats.outcomes[PW_OUTCOME_CANCELLED], 0);
	before = (unsigned)stats.visited;
	assert_in_range(before, 10, net.reachable - 1);
	pw_crawl_free(crawl);

	config.network = pw_network_find("bitcoin-regtest");
	config.database = net.db;
	config.resume = true;
	config.allow_private = true;
	config.timeout_ms = 1500;
	config.on_visit = on_visit;
	config.ctx = &told;
	assert_int_equal(pw_crawl_new(&config, &crawl), PW_OK);
	told = (struct told){ .crawl = crawl };
	assert_int_equal(pw_crawl_run(crawl), PW_OK);
	pw_crawl_stats(crawl, &stats);
	assert_true(stats.complete);
	assert_int_equal(stats.crawl, 1);
	assert_int_equal(stats.reached, net.reachable);
	assert_int_equal(stats.visited, before + told.finals);
	/* It has ended now. */
	assert_int_equal(pw_crawl_run(crawl), PW_ERR_NOT_FOUND);
	assert_non_null(strstr(pw_crawl_why(crawl), "no unfinished crawl"));
	pw_crawl_free(crawl);
	db_remove(net.db);
}

struct stopper {
	struct pw_crawl *crawl;
	pthread_t thread;
};

static void *stop_soon(void *arg)
{
	struct stopper *s = arg;
	struct pw_stats stats = { .size = sizeof(stats) };

	do {
		usleep(1000);
		pw_crawl_stats(s->crawl, &stats);
	} while (stats.known == 0);
	pw_crawl_stop(s->crawl);
	return NULL;
}

/* A peer that takes the connection attempt and never answers: the crawl would wait five
 * seconds and try once more. */
static void test_stop_from_thread(void **state)
{
	struct pw_crawl_config config = { .size = sizeof(config) };
	struct pw_stats stats = { .size = sizeof(stats) };
	struct stopper s;
	struct told told = { 0 };
	struct netaddr silent = net.seeds[0];
	char text[NETADDR_TEXT_MAX];

	(void)state;
	config.network = pw_network_find("bitcoin-regtest");
	config.allow_private = true;
	config.on_visit = on_visit;
	config.ctx = &told;
	silent.port = (uint16_t)(sim_world_config(net.sim.world)->port + SIM_PORT_SILENT);
	netaddr_text(&silent, text);
	assert_int_equal(pw_crawl_new(&config, &s.crawl), PW_OK);
	told.crawl = s.crawl;
	assert_int_equal(pw_crawl_add_seed(s.crawl, text), PW_OK);
	assert_int_equal(pthread_create(&s.thread, NULL, stop_soon, &s), 0);
	assert_int_equal(pw_crawl_run(s.crawl), PW_OK);
	pthread_join(s.thread, NULL);
	pw_crawl_stats(s.crawl, &stats);
	assert_false(stats.complete);
	assert_true(stats.elapsed_ms < 2000);
	assert_int_equal(told.outcome, PW_OUTCOME_CANCELLED);

	/* Stopped before it runs. */
	told = (struct told){ .crawl = s.crawl };
	pw_crawl_stop(s.crawl);
	assert_int_equal(pw_crawl_run(s.crawl), PW_OK);
	assert_int_equal(told.visits, 0);
	pw_crawl_free(s.crawl);
}

/* --- what is refused --- */

static void test_arguments(void **state)
{
	static const struct {
		const char *seed;
		enum pw_err err;
		const char *why;
	} seeds[] = {
		{ "127.0.0.1", PW_OK, "" },
		{ "127.0.0.1:1", PW_OK, "" },
		{ "[::1]:8333", PW_OK, "" },
		{ "bitcoin-regtest://127.0.0.1:1", PW_OK, "" },
		{ "seed.example.org", PW_OK, "" },
		{ "bitcoin://127.0.0.1:1", PW_ERR_SYNTAX, "another network" },
		{ "127.0.0.1:99999", PW_ERR_SYNTAX, "port" },
		{ "no peer", PW_ERR_SYNTAX, "expected" },
		{ "", PW_ERR_SYNTAX, "expected" },
	};
	struct told told;
	struct pw_crawl *crawl = new_crawl(&told, NULL, 1, 0);

	(void)state;
	for (size_t i = 0; i < sizeof(seeds) / sizeof(*seeds); i++) {
		enum pw_err err = pw_crawl_add_seed(crawl, seeds[i].seed);

		if (err != seeds[i].err || strstr(pw_crawl_why(crawl), seeds[i].why) == NULL)
			fail_msg("%s: %s, %s", seeds[i].seed, pw_err_text(err),
				 pw_crawl_why(crawl));
	}
	assert_int_equal(pw_crawl_add_exclude(crawl, "192.0.2.0/24"), PW_OK);
	assert_int_equal(pw_crawl_add_exclude(crawl, "192.0.2.1/24"), PW_ERR_SYNTAX);
	assert_non_null(strstr(pw_crawl_why(crawl), "192.0.2.1/24"));
	pw_crawl_free(crawl);
	pw_crawl_free(NULL);
}

static void test_config(void **state)
{
	struct {
		const char *what;
		struct pw_crawl_config config;
	} rows[] = {
		{ "no network", { .size = sizeof(struct pw_crawl_config) } },
		{ "agent", { .agent = "\n" } },
		{ "threads", { .threads = 65 } },
		{ "rate", { .rate_per_s = -1 } },
		{ "resume without a database", { .resume = true } },
	};
	struct pw_crawl *crawl;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pw_crawl_config c = rows[i].config;

		c.size = sizeof(c);
		if (i > 0)
			c.network = pw_network_find("bitcoin");
		if (pw_crawl_new(&c, &crawl) != PW_ERR_VALUE || crawl != NULL)
			fail_msg("%s", rows[i].what);
	}
}

static void test_run_errors(void **state)
{
	struct told told;
	struct pw_crawl *crawl = new_crawl(&told, NULL, 1, 0);
	FILE *file;

	(void)state;
	assert_int_equal(pw_crawl_run(crawl), PW_ERR_NOT_FOUND);
	assert_non_null(strstr(pw_crawl_why(crawl), "nobody to begin with"));
	for (unsigned i = 0; i < 65; i++)
		assert_int_equal(pw_crawl_add_seed(crawl, "a.invalid:1"), PW_OK);
	assert_int_equal(pw_crawl_run(crawl), PW_ERR_LIMIT);
	assert_non_null(strstr(pw_crawl_why(crawl), "64"));
	assert_int_equal(told.visits, 0);
	pw_crawl_free(crawl);

	file = fopen(net.db, "w");
	assert_non_null(file);
	fputs("This is a letter to somebody, and no database. It has to stay as it is.\n", file);
	fclose(file);
	crawl = new_crawl(&told, net.db, 1, 0);
	add_seeds(crawl);
	assert_int_equal(pw_crawl_run(crawl), PW_ERR_NOT_OURS);
	assert_non_null(strstr(pw_crawl_why(crawl), net.db));
	assert_int_equal(told.visits, 0);
	pw_crawl_free(crawl);
	db_remove(net.db);
}

/* Nobody there, everybody excluded: no error, but nobody was reached. */
static void test_nobody(void **state)
{
	struct pw_stats stats = { .size = sizeof(stats) };
	struct netaddr refused = net.seeds[0];
	char text[NETADDR_TEXT_MAX];
	struct told told;
	struct pw_crawl *crawl = new_crawl(&told, NULL, 1, 0);

	(void)state;
	refused.port = (uint16_t)(sim_world_config(net.sim.world)->port + SIM_PORT_REFUSED);
	netaddr_text(&refused, text);
	assert_int_equal(pw_crawl_add_seed(crawl, text), PW_OK);
	assert_int_equal(pw_crawl_run(crawl), PW_OK);
	assert_int_equal(told.visits, 1);
	assert_int_equal(told.outcome, PW_OUTCOME_REFUSED);
	pw_crawl_stats(crawl, &stats);
	assert_int_equal(stats.outcomes[PW_OUTCOME_REFUSED], 1);

	assert_int_equal(pw_crawl_add_exclude(crawl, told.host), PW_OK);
	told = (struct told){ .crawl = crawl };
	assert_int_equal(pw_crawl_run(crawl), PW_OK);
	assert_int_equal(told.visits, 0);
	pw_crawl_free(crawl);
}

/* A name that every machine knows without asking anybody. */
static void test_name(void **state)
{
	struct pw_stats stats = { .size = sizeof(stats) };
	struct told told;
	struct pw_crawl *crawl = new_crawl(&told, NULL, 1, 0);
	char text[32];

	(void)state;
	snprintf(text, sizeof(text), "localhost:%u",
		 sim_world_config(net.sim.world)->port + (unsigned)SIM_PORT_REFUSED);
	assert_int_equal(pw_crawl_add_seed(crawl, text), PW_OK);
	assert_int_equal(pw_crawl_run(crawl), PW_OK);
	pw_crawl_stats(crawl, &stats);
	assert_in_range(stats.visited, 1, 2); /* 127.0.0.1, perhaps ::1 */
	assert_int_equal(stats.outcomes[PW_OUTCOME_REFUSED] +
				 stats.outcomes[PW_OUTCOME_UNREACHABLE],
			 stats.visited);
	pw_crawl_free(crawl);
}

/* A smaller struct, as an earlier header had it, is filled as far as it goes. */
static void test_stats_size(void **state)
{
	struct told told;
	struct pw_crawl *crawl = new_crawl(&told, NULL, 1, 0);
	struct pw_stats stats;

	(void)state;
	memset(&stats, 0xff, sizeof(stats));
	stats.size = offsetof(struct pw_stats, visited);
	pw_crawl_stats(crawl, &stats);
	assert_int_equal(stats.size, offsetof(struct pw_stats, visited));
	assert_int_equal(stats.in_flight, 0);
	assert_true(stats.visited == UINT64_MAX && stats.outcomes[31] == UINT64_MAX);
	pw_crawl_free(crawl);
}

/* The process's own handling of SIGPIPE is as it was. */
static void test_sigpipe(void **state)
{
	struct told told;
	struct pw_crawl *crawl = new_crawl(&told, NULL, 1, 0);
	struct sigaction action;
	sigset_t mask;

	(void)state;
	add_seeds(crawl);
	assert_int_equal(pw_crawl_run(crawl), PW_OK);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
	assert_int_equal(sigismember(&mask, SIGPIPE), 0);
	assert_int_equal(sigaction(SIGPIPE, NULL, &action), 0);
	assert_true(action.sa_handler == SIG_DFL);
	pw_crawl_free(crawl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_run_again),
		cmocka_unit_test(test_database),
		cmocka_unit_test(test_settings_too_long),
		cmocka_unit_test(test_stop_and_resume),
		cmocka_unit_test(test_stop_from_thread),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_run_errors),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_stats_size),
		cmocka_unit_test(test_sigpipe),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
