/* The library's crawl of Ethereum's nodes, on loopback: against a simulated network that lives
 * in a thread. */
#include "peerwalk.h"
#include "support/simnet.h"
#include "support/store.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PEERS = 90, GHOSTS = 10, COUNT = PEERS + GHOSTS, SEEDS = 3 };

/* --- the network --- */

static struct {
	struct simnet sim;
	uint32_t seeds[SEEDS];
	bool reachable[COUNT];
	unsigned reachable_count;
	char db[64];
} net;

static int start(void **state)
{
	(void)state;
	simnet_start(&net.sim, &simnet_ethereum,
		     (struct sim_config){ .network = network_find("ethereum"),
					  .peers = PEERS,
					  .ghosts = GHOSTS,
					  .seed = 6,
					  .latency_ms = 2,
					  .liars = 0.1 });
	assert_int_equal(sim_ethereum_seeds(net.sim.world, net.seeds, SEEDS), SEEDS);
	assert_int_equal(sim_ethereum_reachable(net.sim.world, net.seeds, SEEDS, net.reachable),
			 ERR_OK);
	for (unsigned i = 0; i < COUNT; i++)
		net.reachable_count += net.reachable[i];
	assert_in_range(net.reachable_count, PEERS / 2, PEERS - 1);
	snprintf(net.db, sizeof(net.db), "test_api_crawl_nodes.%d.db", (int)getpid());
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
	unsigned stop_after; /* visits; 0: never */
	unsigned visits, finals, reached, foreign, with_session, named, listed, cancelled;
	bool reached_node[COUNT];
	enum pw_outcome outcome;
	char peer[256]; /* the last that was reached and told its chain */
	void (*check)(const struct pw_visit *v, const struct sim_ethereum_node *truth);
};

static void on_visit(void *ctx, const struct pw_visit *v)
{
	struct told *told = ctx;
	struct sim_ethereum_node truth;
	struct netaddr addr;
	int64_t index;

	assert_non_null(v->node);
	assert_int_equal(netaddr_parse(slice_text(v->host), v->port, &addr), ERR_OK);
	index = sim_ethereum_find(net.sim.world, &addr);
	told->visits++;
	told->finals += v->final;
	told->reached += v->reached;
	told->foreign += v->outcome == PW_OUTCOME_WRONG_NETWORK;
	told->cancelled += v->outcome == PW_OUTCOME_CANCELLED;
	told->with_session += v->node->session != NULL;
	told->named += v->info->has_version;
	told->listed +=
		v->node->completeness != NULL && strcmp(v->node->completeness, "drained") == 0;
	told->outcome = v->outcome;
	if (v->reached && v->node->has_status)
		snprintf(told->peer, sizeof(told->peer), "%s", v->peer);
	if (told->visits == told->stop_after)
		pw_crawl_stop(told->crawl);
	if (index < 0) { /* one that a liar made up */
		assert_false(v->reached);
		return;
	}
	told->reached_node[index] = told->reached_node[index] || v->reached;
	sim_ethereum_node(net.sim.world, (uint32_t)index, &truth);
	if (told->check != NULL && truth.kind == SIM_ETHEREUM_HONEST)
		told->check(v, &truth);
}

static void add_seeds(struct pw_crawl *crawl, unsigned count)
{
	char text[ENODE_TEXT_MAX];
	struct enode node;

	for (unsigned i = 0; i < count; i++) {
		sim_ethereum_enode(net.sim.world, net.seeds[i], &node);
		enode_text(&node, text);
		assert_int_equal(pw_crawl_add_seed(crawl, text), PW_OK);
	}
}

static struct pw_crawl_config config_for(struct told *told)
{
	struct pw_crawl_config config = { .size = sizeof(config) };

	memset(told, 0, sizeof(*told));
	config.network = pw_network_find("ethereum");
	config.allow_private = true;
	config.connect_timeout_ms = 2000;
	config.timeout_ms = 5000;
	config.on_visit = on_visit;
	config.ctx = told;
	return config;
}

static struct pw_crawl *new_crawl(const struct pw_crawl_config *config)
{
	struct pw_crawl *crawl;

	assert_int_equal(pw_crawl_new(config, &crawl), PW_OK);
	return crawl;
}

/* What a node says, and what the simulation made of it. */
static void check_node(const struct pw_visit *v, const struct sim_ethereum_node *truth)
{
	static const char *const words[SIM_ETHEREUM_SESSION_COUNT] = {
		[SIM_ETHEREUM_SESSION_STATUS] = "ok",
		[SIM_ETHEREUM_SESSION_FULL] = "full",
		[SIM_ETHEREUM_SESSION_HANGS_UP] = "hung_up",
		[SIM_ETHEREUM_SESSION_CLOSED] = "refused",
		[SIM_ETHEREUM_SESSION_NONE] = NULL,
	};
	const struct pw_node *n = v->node;
	const char *word = words[truth->session];
	size_t place;
	const struct ethereum_chain *chain = forkid_chain(truth->forkid.hash, &place);
	char url[ENODE_TEXT_MAX];

	enode_text(&truth->enode, url);
	assert_string_equal(v->peer, url);
	assert_int_equal(n->public_key.len, SECP_PUBLIC_LEN);
	assert_memory_equal(n->public_key.data, truth->enode.key, SECP_PUBLIC_LEN);
	assert_int_equal(n->tcp_port, truth->enode.endpoint.tcp_port);
	assert_true(v->reached && v->handshake_ms >= v->connect_ms && v->connect_ms >= 0);
	assert_non_null(n->completeness);
	assert_true(n->questions > 0);
	assert_memory_equal(n->record, "enr:", 4);
	assert_true(n->has_record_seq);
	assert_int_equal(n->record_seq, truth->seq);
	assert_true(n->has_fork);
	assert_memory_equal(n->fork_hash, truth->forkid.hash, sizeof(n->fork_hash));
	assert_int_equal(n->fork_next, truth->forkid.next);
	if (chain == NULL)
		assert_null(n->chain);
	else
		assert_string_equal(n->chain,
				    strcmp(chain->name, "ethereum") == 0 ? "mainnet" : chain->name);
	if (word == NULL) {
		assert_null(n->session);
	} else {
		assert_non_null(n->session);
		assert_string_equal(n->session, word);
	}
	assert_int_equal(n->has_hello, truth->session == SIM_ETHEREUM_SESSION_STATUS);
	assert_int_equal(v->info->has_version, n->has_hello);
	assert_int_equal(n->has_status, n->has_hello);
	/* Some clients are called by control characters. */
	assert_int_equal(v->info->raw_agent.len, n->has_hello ? strlen(truth->client) : 0);
	if (n->has_hello)
		assert_memory_equal(v->info->raw_agent.data, truth->client, strlen(truth->client));
	assert_null(strpbrk(v->info->agent, "\033\r\n"));
	if (!n->has_hello) {
		assert_string_equal(n->capabilities, "");
		return;
	}
	assert_non_null(strstr(n->capabilities, "eth/"));
	assert_in_range(v->info->protocol, 66, 72);
	assert_int_equal(n->network_id, truth->status.network_id);
	assert_memory_equal(n->genesis, truth->status.genesis, sizeof(n->genesis));
	assert_memory_equal(n->head, truth->status.head, sizeof(n->head));
}

static void test_walk(void **state)
{
	struct told told;
	struct pw_stats stats = { .size = sizeof(stats) };
	struct pw_crawl_config config = config_for(&told);
	struct pw_crawl *crawl;
	struct store *store;
	struct store_crawl row;
	char why[256], peer[sizeof(told.peer)];

	(void)state;
	config.database = net.db;
	config.threads = 1;
	crawl = new_crawl(&config);
	add_seeds(crawl, SEEDS);
	told.check = check_node;
	assert_int_equal(pw_crawl_run(crawl), PW_OK);
	pw_crawl_stats(crawl, &stats);
	assert_memory_equal(told.reached_node, net.reachable, sizeof(net.reachable));
	assert_int_equal(stats.reached, net.reachable_count);
	assert_int_equal(stats.visited, told.finals);
	assert_true(stats.complete);
	assert_true(told.named > 0 && told.named < told.with_session);
	assert_true(told.listed > net.reachable_count / 2);
	assert_int_equal(told.foreign, 0);
	pw_crawl_free(crawl);

	assert_int_equal(store_open(net.db, STORE_READ, &store, why, sizeof(why)), ERR_OK);
	assert_int_equal(store_crawl_get(store, stats.crawl, NULL, &row), ERR_OK);
	assert_int_equal(row.reached, net.reachable_count);
	assert_non_null(strstr(row.settings, "\"peerwalk/v" PEERWALK_VERSION "\""));
	store_close(store);
	db_remove(net.db);

	/* What names a visit is what a crawl begins with. */
	snprintf(peer, sizeof(peer), "%s", told.peer);
	config = config_for(&told);
	config.max_visits = 1;
	crawl = new_crawl(&config);
	assert_int_equal(pw_crawl_add_seed(crawl, peer), PW_OK);
	assert_int_equal(pw_crawl_run(crawl), PW_OK);
	assert_int_equal(told.reached, 1);
	assert_string_equal(told.peer, peer);
	pw_crawl_free(crawl);
}

/* Stopped from a callback, then gone on with by another object. What is cut short is a visit of
 * a node like any other. */
static void test_stop_and_resume(void **state)
{
	struct pw_stats stats = { .size = sizeof(stats) };
	struct told told;
	struct pw_crawl_config config = config_for(&told);
	uint64_t before;

	(void)state;
	config.database = net.db;
	config.concurrency = 20;
	told.crawl = new_crawl(&config);
	told.stop_after = 10;
	add_seeds(told.crawl, SEEDS);
	assert_int_equal(pw_crawl_run(told.crawl), PW_OK);
	pw_crawl_stats(told.crawl, &stats);
	assert_false(stats.complete);
	assert_true(told.cancelled > 0);
	assert_int_equal(stats.outcomes[PW_OUTCOME_CANCELLED], 0);
	before = stats.visited;
	assert_in_range(before, 10, net.reachable_count - 1);
	pw_crawl_free(told.crawl);

	config = config_for(&told);
	config.database = net.db;
	config.resume = true;
	told.crawl = new_crawl(&config);
	assert_int_equal(pw_crawl_run(told.crawl), PW_OK);
	pw_crawl_stats(told.crawl, &stats);
	assert_true(stats.complete);
	assert_int_equal(stats.reached, net.reachable_count);
	assert_int_equal(stats.visited, before + told.finals);
	pw_crawl_free(told.crawl);
	db_remove(net.db);
}

/* --- whose nodes --- */

static const char *wanted;

static void check_chain(const struct pw_visit *v, const struct sim_ethereum_node *truth)
{
	size_t place;
	const struct ethereum_chain *chain = forkid_chain(truth->forkid.hash, &place);
	bool is_wanted = chain != NULL && strcmp(chain->name, wanted) == 0;

	assert_true(v->reached);
	assert_int_equal(v->outcome == PW_OUTCOME_WRONG_NETWORK, !is_wanted);
}

static void test_chains(void **state)
{
	static const struct {
		const char *network, *chain, *wanted;
	} rows[] = {
		{ "ethereum", "mainnet", "ethereum" },
		{ "sepolia", NULL, "sepolia" }, /* the network's name says it */
		{ "sepolia", "mainnet", "ethereum" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct told told;
		struct pw_crawl_config config = config_for(&told);
		struct pw_crawl *crawl;

		config.network = pw_network_find(rows[i].network);
		config.chain = rows[i].chain;
		config.no_session = true;
		wanted = rows[i].wanted;
		crawl = new_crawl(&config);
		add_seeds(crawl, SEEDS);
		told.check = check_chain;
		assert_int_equal(pw_crawl_run(crawl), PW_OK);
		assert_int_equal(told.reached, net.reachable_count);
		assert_in_range(told.foreign, 1, told.reached - 1);
		assert_int_equal(told.with_session + told.named, 0);
		pw_crawl_free(crawl);
	}
}

/* With a node's own key we are that node. */
static void test_key(void **state)
{
	struct told told;
	struct pw_crawl_config config = config_for(&told);
	struct secp_key key = *sim_ethereum_key(net.sim.world, net.seeds[0]);
	struct pw_crawl *crawl;

	(void)state;
	config.key = key.bytes;
	crawl = new_crawl(&config);
	memset(&key, 0xff, sizeof(key)); /* it was copied */
	add_seeds(crawl, 1);
	assert_int_equal(pw_crawl_run(crawl), PW_OK);
	assert_int_equal(told.visits, 1);
	assert_int_equal(told.outcome, PW_OUTCOME_SELF);
	pw_crawl_free(crawl);
}

/* --- what is refused --- */

static void test_config(void **state)
{
	static const uint8_t key[32] = { [31] = 1 }, zero[32] = { 0 };
	static const struct {
		const char *what, *network;
		struct pw_crawl_config config;
		enum pw_err err;
	} rows[] = {
		{ "plain", "ethereum", { .chain = NULL }, PW_OK },
		{ "a chain", "ethereum", { .chain = "hoodi" }, PW_OK },
		{ "main as mainnet", "ethereum", { .chain = "mainnet" }, PW_OK },
		{ "main by the network's name", "sepolia", { .chain = "ethereum" }, PW_OK },
		{ "no such chain", "ethereum", { .chain = "goerli" }, PW_ERR_VALUE },
		{ "no chain at all", "ethereum", { .chain = "" }, PW_ERR_VALUE },
		{ "a key", "ethereum", { .key = key }, PW_OK },
		{ "zero is no key", "ethereum", { .key = zero }, PW_ERR_VALUE },
		{ "a chain for Bitcoin", "bitcoin", { .chain = "mainnet" }, PW_ERR_VALUE },
		{ "a key for Bitcoin", "bitcoin", { .key = key }, PW_ERR_VALUE },
		{ "discovery for Bitcoin", "bitcoin", { .no_session = true }, PW_ERR_VALUE },
	};
	static const struct {
		const char *seed;
		enum pw_err err;
		const char *why;
	} seeds[] = {
		{ "127.0.0.1:30303", PW_ERR_SYNTAX, "enode" },
		{ "enode://00@127.0.0.1:30303", PW_ERR_SYNTAX, "128" },
		{ "bitcoin://127.0.0.1:8333", PW_ERR_SYNTAX, "another network" },
		{ "enr:-", PW_ERR_SYNTAX, "record" },
	};
	struct pw_crawl *crawl;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pw_crawl_config c = rows[i].config;
		enum pw_err err;

		c.size = sizeof(c);
		c.network = pw_network_find(rows[i].network);
		err = pw_crawl_new(&c, &crawl);
		if (err != rows[i].err || (crawl != NULL) != (err == PW_OK))
			fail_msg("%s: %s", rows[i].what, pw_err_text(err));
		pw_crawl_free(crawl);
	}
	crawl = new_crawl(&(struct pw_crawl_config){ .size = sizeof(struct pw_crawl_config),
						     .network = pw_network_find("ethereum") });
	for (size_t i = 0; i < sizeof(seeds) / sizeof(*seeds); i++) {
		enum pw_err err = pw_crawl_add_seed(crawl, seeds[i].seed);

		if (err != seeds[i].err || strstr(pw_crawl_why(crawl), seeds[i].why) == NULL)
			fail_msg("%s: %s, %s", seeds[i].seed, pw_err_text(err),
				 pw_crawl_why(crawl));
	}
	assert_int_equal(pw_crawl_run(crawl), PW_ERR_NOT_FOUND);
	assert_non_null(strstr(pw_crawl_why(crawl), "nobody to begin with"));
	pw_crawl_free(crawl);
}

/* Bootstrap nodes are seeds like DNS names. Everybody is excluded: nothing is sent. */
static void test_boot_nodes(void **state)
{
	struct told told;
	struct pw_crawl_config config = config_for(&told);
	struct pw_stats stats = { .size = sizeof(stats) };
	struct pw_crawl *crawl;

	(void)state;
	config.dns_seeds = true;
	crawl = new_crawl(&config);
	assert_int_equal(pw_crawl_add_exclude(crawl, "0.0.0.0/0"), PW_OK);
	assert_int_equal(pw_crawl_add_exclude(crawl, "::/0"), PW_OK);
	assert_int_equal(pw_crawl_run(crawl), PW_OK);
	pw_crawl_stats(crawl, &stats);
	assert_int_equal(told.visits + stats.visited, 0);
	assert_true(stats.complete);
	pw_crawl_free(crawl);
}

/* What a program that was built with the header before Ethereum passes. */
static void test_earlier_size(void **state)
{
	static const uint8_t key[32] = { [31] = 1 };
	struct told told;
	struct pw_crawl_config config = config_for(&told);
	struct pw_crawl *crawl;

	(void)state;
	config.network = pw_network_find("bitcoin");
	config.size = offsetof(struct pw_crawl_config, no_session);
	config.key = key; /* not seen */
	crawl = new_crawl(&config);
	pw_crawl_free(crawl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk),         cmocka_unit_test(test_stop_and_resume),
		cmocka_unit_test(test_chains),       cmocka_unit_test(test_key),
		cmocka_unit_test(test_config),       cmocka_unit_test(test_boot_nodes),
		cmocka_unit_test(test_earlier_size),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
