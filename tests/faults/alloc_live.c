/* alloc_live.c: the public library (peerwalk.h) on real sockets of the loopback: crawls, and
 * members that stay a while. */
#include "peerwalk.h"

#include "faults/data.h"
#include "faults/world.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

static char path[256];

static void before(const char *network)
{
	world_need(network);
	snprintf(path, sizeof(path), "%s/live.db", scenario_folder());
	db_remove(path);
}

/* A descriptor, a socket, a thread that could not be had for want of memory says no more. */
static enum err result_of(enum pw_err err)
{
	return err == PW_ERR_IO ? ERR_NOMEM : (enum err)err;
}

/* --- crawls --- */

static unsigned long visits, cancelled;

static void on_visit(void *ctx, const struct pw_visit *visit)
{
	(void)ctx;
	visits += visit->final;
	cancelled += visit->outcome == PW_OUTCOME_CANCELLED;
}

static enum pw_err crawl(struct pw_crawl *c)
{
	struct pw_stats stats = { .size = sizeof(stats) };
	enum pw_err err = pw_crawl_add_seed(c, world.seed_text);

	if (err == PW_OK)
		err = pw_crawl_add_exclude(c, "192.0.2.0/24");
	if (err == PW_OK)
		err = pw_crawl_run(c);
	want(err == PW_OK || strstr(pw_crawl_why(c), "memory") != NULL);
	pw_crawl_stats(c, &stats);
	/* Who was under way when the store failed. */
	want(err != PW_OK || (cancelled == 0 && stats.outcomes[PW_OUTCOME_CANCELLED] == 0));
	want(err != PW_OK || (stats.reached > 0 && visits == stats.visited));
	if (err == PW_OK)
		said_number(stats.reached);
	return err;
}

static enum err run_crawl(void)
{
	const struct pw_crawl_config config = {
		.size = sizeof(config),
		.network = pw_network_find(world.network->name),
		.database = path,
		.keep_adverts = true,
		.allow_private = true,
		.concurrency = 16,
		.threads = 1,
		.connect_timeout_ms = 2000,
		.timeout_ms = 3000,
		.on_visit = on_visit,
	};
	struct pw_crawl *c;
	enum pw_err err = pw_crawl_new(&config, &c);

	visits = cancelled = 0;
	if (err == PW_OK)
		err = crawl(c);
	pw_crawl_free(c);
	return result_of(err);
}

static void after_crawl(enum err err)
{
	if (access(path, F_OK) != 0)
		want(err != ERR_OK);
	else
		want(data_sound(path));
}

/* --- members --- */

enum {
	STAY_MS = 300,         /* whoever has met nobody by then has no memory for it */
	FIRST_STAY_MS = 20000, /* without a fault, on a busy machine */
};

static struct {
	pthread_t watcher; /* ends the stay; it has all the memory it wants */
	_Atomic(struct pw_member *) member;
	atomic_bool watched, met, over;
	bool was_met; /* at least once */
} stay;

static void *watch(void *arg)
{
	unsigned limit_ms = stay.was_met ? STAY_MS : FIRST_STAY_MS;
	struct pw_member *member = NULL;

	failing_exempt(true);
	stay.watched = true;
	for (unsigned ms = 0; ms < limit_ms && !stay.over && !stay.met; ms += member != NULL) {
		member = stay.member;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	member = stay.member; /* it may have met somebody before anybody looked here */
	if (member != NULL)
		pw_member_stop(member);
	return arg;
}

static void before_member(const char *network)
{
	before(network);
	stay.member = NULL;
	stay.watched = stay.met = stay.over = false;
	assert_int_equal(pthread_create(&stay.watcher, NULL, watch, NULL), 0);
	while (!stay.watched) /* a thread's beginning may allocate */
		sched_yield();
}

static void on_up(void *ctx, const struct pw_member_peer *peer)
{
	static const char hi[] = "{\"text\":\"hi\"}";

	(void)ctx;
	if (world.network == network_find("gossip"))
		pw_member_say(stay.member, peer->id, "chat",
			      (struct pw_bytes){ (const uint8_t *)hi, sizeof(hi) - 1 });
}

static void on_known(void *ctx, const char *address)
{
	(void)ctx;
	(void)address;
	stay.met = true;
}

static enum pw_err be_there(struct pw_member *m)
{
	enum pw_err err = pw_member_add_listen(m, "127.0.0.1:0");

	if (err == PW_OK)
		err = pw_member_add_seed(m, world.seed_text);
	stay.member = m;
	if (err == PW_OK)
		err = pw_member_run(m);
	want(err == PW_OK || strstr(pw_member_why(m), "memory") != NULL);
	return err;
}

static enum err run_member(void)
{
	const struct pw_member_config config = {
		.size = sizeof(config),
		.network = pw_network_find(world.network->name),
		.database = path,
		.allow_private = true,
		.on_peer_up = on_up,
		.on_known = on_known,
	};
	struct pw_member *m;
	enum pw_err err = pw_member_new(&config, &m);

	if (err == PW_OK)
		err = be_there(m);
	stay.over = true;
	pthread_join(stay.watcher, NULL);
	pw_member_free(m);
	return result_of(err);
}

static void after_member(enum err err)
{
	want(stay.met || stay.was_met); /* the first time nothing fails */
	stay.was_met = true;
	after_crawl(err);
}

/* --- networks --- */

static void crawl_bitcoin(void)
{
	before("bitcoin-regtest");
}

static void crawl_ethereum(void)
{
	before("ethereum");
}

static void member_bitcoin(void)
{
	before_member("bitcoin-regtest");
}

static void member_gossip(void)
{
	before_member("gossip");
}

static void member_ethereum(void)
{
	before_member("ethereum");
}

const struct scenario live_scenarios[] = {
	SCENARIO("library's crawl of bitcoin", crawl_bitcoin, run_crawl, after_crawl,
		 .threads = true, .points = 2),
	SCENARIO("library's crawl of ethereum", crawl_ethereum, run_crawl, after_crawl,
		 .threads = true, .long_form = true),
	SCENARIO("member of bitcoin", member_bitcoin, run_member, after_member, .threads = true,
		 .points = 6),
	SCENARIO("member of gossip", member_gossip, run_member, after_member, .threads = true,
		 .points = 6),
	SCENARIO("member of ethereum", member_ethereum, run_member, after_member, .threads = true,
		 .points = 6),
	{ 0 },
};
