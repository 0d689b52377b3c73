/* alloc_engine.c: a crawl's decisions, a swarm with its connections, and crawls of simulated
 * networks from end to end in memory. */
#include "faults/scenario.h"
#include "sim/ethereum_peer.h"
#include "sim/virtual.h"

#include <stdio.h>
#include <stdlib.h>

/* What belongs to the test is there. */
static inline void *rig_calloc(size_t count, size_t size)
{
	void *p;

	failing_exempt(true);
	p = calloc(count, size);
	failing_exempt(false);
	return p;
}
#define calloc rig_calloc
#include "support/swarm_rig.h"
#undef calloc

/* --- a crawl's decisions --- */

enum { CRAWLED = 900, HOSTS = 120 };

static struct crawl *crawl;

static enum outcome outcome_of(uint32_t id)
{
	return id % 4 == 0 ? OUTCOME_CONNECT_TIMEOUT : id % 9 == 1 ? OUTCOME_REFUSED : OUTCOME_OK;
}

/* Peers at a few hosts in few groups, so that most of them have to wait for each other. */
static void name_some(uint32_t from, uint32_t *taken)
{
	struct advert adverts[60];
	enum crawl_verdict verdicts[60];
	uint8_t ids[60][PEER_NODE_ID_MAX] = { { 0 } };

	for (uint32_t i = 0; i < 60; i++) {
		uint32_t n = from + i;

		memcpy(ids[i], &n, sizeof(n));
		adverts[i] = (struct advert){
			.addr = netaddr_ipv4(0x01000000 + n % HOSTS * 0x8001, (uint16_t)(1000 + n)),
			.node_id = slice_of(ids[i], sizeof(ids[i])),
		};
	}
	crawl_add_named(crawl, adverts, 60, taken, verdicts);
}

static void drive(uint32_t *begun)
{
	struct crawl_dial dial[64];
	uint32_t flying = 0, named = 0, taken = 0;
	uint64_t until, now = 1, steps = 0;

	for (;;) {
		enum crawl_action action = CRAWL_WAIT;

		want(++steps < 100 * CRAWLED);
		if (flying < 64)
			action = crawl_next(crawl, ++now, &dial[flying], &until);
		if (action == CRAWL_DIAL) {
			++*begun;
			if (*begun % 50 == 7) /* the machine has no descriptor left */
				crawl_give_back(crawl, dial[flying].id);
			else
				flying++;
			continue;
		}
		if (action == CRAWL_DONE || steps >= 100 * CRAWLED)
			return;
		want(flying > 0);
		if (flying == 0)
			return;
		flying--;
		crawl_finish(crawl, dial[flying].id, outcome_of(dial[flying].id), true);
		if (named < CRAWLED) {
			name_some(named, &taken);
			named += 60;
		}
	}
}

static enum err crawl_decides(bool nodes)
{
	struct crawl_config config = { .concurrency = 64, .per_group = 3, .nodes = nodes };
	struct crawl_stats stats;
	uint32_t begun = 0, taken = 0;
	enum err err = crawl_new(&config, 1, &crawl);

	if (err != ERR_OK)
		return err;
	name_some(0, &taken);
	drive(&begun);
	crawl_stats(crawl, &stats);
	want(stats.in_flight == 0 && stats.waiting == 0);
	want(stats.known <= stats.visited + stats.no_dial + stats.no_memory);
	said_number(stats.known);
	said_number(stats.visited);
	crawl_free(crawl);
	return stats.no_memory > 0 ? ERR_NOMEM : ERR_OK;
}

static enum err run_crawl(void)
{
	return crawl_decides(false);
}

static enum err run_crawl_nodes(void)
{
	return crawl_decides(true);
}

/* --- what an earlier run has left --- */

static enum err run_resume(void)
{
	struct crawl_config config = { .concurrency = 8 };
	struct crawl_stats stats;
	enum err err = crawl_new(&config, 1, &crawl);

	if (err != ERR_OK)
		return err;
	for (uint32_t i = 0; i < 1500; i++) {
		struct advert peer = { .addr = netaddr_ipv4(0x01000000 + i * 0x101, 8333) };

		if (i % 3 == 0)
			crawl_add_visited(crawl, &peer, outcome_of(i), i % 2 == 0, 1);
		else if (i % 3 == 1)
			crawl_add_watched(crawl, &peer, i % 2 == 0);
		else
			crawl_add(crawl, &peer);
	}
	crawl_add_own(crawl, &(struct netaddr){ .kind = NETADDR_IPV4, .bytes = { 9, 9, 9, 9 } });
	crawl_stats(crawl, &stats);
	said_number(stats.known);
	want(stats.visited + stats.waiting + stats.resting == stats.known || stats.no_memory > 0);
	crawl_free(crawl);
	return stats.no_memory > 0 ? ERR_NOMEM : ERR_OK;
}

/* --- whole crawls on virtual time --- */

static void count_record(void *ctx, uint32_t index, const struct record *record)
{
	(void)index;
	++*(uint64_t *)ctx;
	want(record->outcome < OUTCOME_COUNT);
}

static enum err run_world(const char *network)
{
	struct sim_config config = { .network = network_find(network),
				     .peers = 40,
				     .ghosts = 10,
				     .seed = 3,
				     .latency_ms = 80,
				     .jitter_ms = 20,
				     .loss = 0.05,
				     .liars = 0.2,
				     .port = 8333 };
	struct crawl_config crawling = { .concurrency = 20, .allow_private = true };
	struct visit_config visit = { .session = { .network = config.network,
						   .agent = slice_text("/test:1/"),
						   .timeout_ms = 30000 },
				      .connect_timeout_ms = 5000 };
	struct sim_run run = { .crawl = &crawling, .visit = &visit, .on_record = count_record };
	struct sim_result result = { 0 };
	struct netaddr seeds[4];
	uint64_t records = 0;
	struct sim_world *world;
	enum err err;

	cidr_parse(slice_text("127.0.0.0/16"), &config.range);
	err = sim_world_new(&config, &world);
	if (err != ERR_OK)
		return err;
	run.world = world;
	run.ctx = &records;
	err = sim_run(&run, seeds, sim_world_seeds(world, seeds, 4), &result);
	sim_world_free(world);
	/* A simulated peer without memory resets its connection, and may hide whom it knows. */
	want(err != ERR_OK || result.stats.no_memory > 0 || records == result.stats.visited);
	return err == ERR_OK && result.stats.no_memory > 0 ? ERR_NOMEM : err;
}

static enum err run_bitcoin_world(void)
{
	return run_world("bitcoin");
}

static enum err run_gossip_world(void)
{
	return run_world("gossip");
}

/* What stands behind `simulate ethereum`. */
static enum err run_ethereum_world(void)
{
	struct sim_config config = { .network = network_find("ethereum"),
				     .peers = 30,
				     .ghosts = 10,
				     .seed = 7,
				     .liars = 0.3,
				     .port = 30303 };
	struct sim_ethereum_peers *peers = NULL;
	struct sim_ethereum *world;
	bool reachable[40];
	uint32_t seeds[4];
	enum err err;

	cidr_parse(slice_text("127.0.0.0/8"), &config.range);
	err = sim_ethereum_new(&config, &world);
	if (err != ERR_OK)
		return err;
	err = sim_ethereum_peers_new(world, &peers);
	if (err == ERR_OK) {
		sim_ethereum_seeds(world, seeds, 4);
		err = sim_ethereum_reachable(world, seeds, 4, reachable);
	}
	if (err == ERR_OK)
		said(slice_of(reachable, sizeof(reachable)));
	sim_ethereum_peers_free(peers);
	sim_ethereum_free(world);
	return err;
}

/* --- a swarm --- */

static const char *network_of_swarm;
static bool stands;

static void before_swarm(void)
{
	rig_begin(network_of_swarm);
	rig.policy.out_wanted = 8;
	rig.config.session.listen_port = 8333;
	rig.config.allow_private = true;
	rig.book_config.allow_private = true;
}

static void talk(void)
{
	for (unsigned i = 0; i < 12; i++) {
		struct far *f;
		char text[32];

		snprintf(text, sizeof(text), "9.%u.1.1:4000", i + 1);
		f = rig_calls(text);
		if (f == NULL)
			continue; /* no memory for it: refused */
		snprintf(text, sizeof(text), "5.%u.1.1:8333", i);
		far_names_one(f, text, 60);
		swarm_say(rig.swarm, f->id, slice_text("0123456789012345678901234"));
		rig_run();
	}
	for (unsigned i = 0; i < 6; i++) {
		rig_later(1000);
		while (rig.dials_count > 2)
			rig_fails(OUTCOME_REFUSED);
		while (rig.dials_count > 0)
			rig_stands();
	}
	for (unsigned i = 0; i < rig.fars_count; i += 3)
		if (rig.fars[i]->open)
			rig_hangs_up(rig.fars[i]);
	rig_later(60 * 1000);
	swarm_stop(rig.swarm, rig.now);
	rig_run();
}

static enum err run_swarm(void)
{
	struct netaddr own = at("5.5.5.5:8333"), boot = at("6.6.6.6:8333");
	struct swarm_counts counts;
	enum err err = book_new(&rig.book_config, &rig.book);

	rig.config.policy = &rig.policy;
	rig.config.book = rig.book;
	if (err == ERR_OK)
		err = swarm_new(&rig.config, rig.now, &rig.swarm);
	stands = err == ERR_OK;
	if (!stands)
		return err;
	swarm_own(rig.swarm, &own);
	swarm_bootstrap(rig.swarm, &boot);
	talk();
	counts = rig_counts();
	want(counts.in == 0 && counts.out == 0 && counts.dialling == 0);
	return ERR_OK; /* what it has no memory for, it does without */
}

static void after_swarm(enum err err)
{
	(void)err;
	rig_end();
}

static void before_bitcoin_swarm(void)
{
	network_of_swarm = "bitcoin";
	before_swarm();
}

static void before_gossip_swarm(void)
{
	network_of_swarm = "gossip";
	before_swarm();
}

const struct scenario engine_scenarios[] = {
	SCENARIO("crawl", NULL, run_crawl, NULL, .points = 200),
	SCENARIO("crawl of nodes", NULL, run_crawl_nodes, NULL, .points = 200),
	SCENARIO("resumed crawl", NULL, run_resume, NULL, .points = 200),
	SCENARIO("world of bitcoin", NULL, run_bitcoin_world, NULL, .points = 150),
	SCENARIO("world of gossip", NULL, run_gossip_world, NULL, .points = 150),
	SCENARIO("world of ethereum", NULL, run_ethereum_world, NULL, .points = 150),
	SCENARIO("swarm of bitcoin", before_bitcoin_swarm, run_swarm, after_swarm, .points = 150),
	SCENARIO("swarm of gossip", before_gossip_swarm, run_swarm, after_swarm, .points = 150),
	{ 0 },
};
