/* alloc_io.c: whole crawls on real sockets of the loopback, with their database. */
#include "api/walk.h"
#include "faults/data.h"
#include "faults/world.h"
#include "io/dial.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- crawls --- */

static char path[256];
static uint64_t reached_at_best;

static enum err crawl_once(bool resume, uint64_t *reached)
{
	struct walk_config config = {
		.visit = { .session = { .network = world.network,
					.agent = slice_text("/walk:1/"),
					.timeout_ms = 3000 },
			   .connect_timeout_ms = 2000 },
		.crawl = { .allow_private = true, .concurrency = 16 },
		.threads = 1,
		.give_up_ms = 300,
		.db = path,
		.resume = resume,
		.adverts = true,
	};
	struct advert seed = { .addr = world.seed };
	struct walk_result result = { 0 };
	char why[WALK_WHY_MAX] = "";
	struct walk *walk;
	enum err err = walk_new(&config, &walk, why);

	want(err == ERR_OK || strstr(why, "memory") != NULL);
	if (err != ERR_OK)
		return err == ERR_IO ? ERR_NOMEM : err;
	if (world.network->discovery == DISCOVERY_V4)
		seed.node_id = slice_of(world.seed_key, sizeof(world.seed_key));
	walk_seed(walk, &seed);
	err = walk_run(walk);
	if (err == ERR_OK)
		err = walk_end(walk, &result);
	want(err == ERR_OK || strstr(walk_why(walk), "memory") != NULL);
	/* Nobody is blamed for what this machine lacks. */
	want(result.stats.outcomes[OUTCOME_CANCELLED] == 0);
	*reached = result.stats.reached;
	walk_free(walk);
	return err == ERR_IO ? ERR_NOMEM : err;
}

static enum err run_walk(void)
{
	uint64_t reached = 0;
	enum err err = crawl_once(false, &reached);

	if (err == ERR_OK && reached_at_best == 0)
		reached_at_best = reached;
	want(err != ERR_OK || (reached > 0 && reached == reached_at_best));
	return err;
}

/* When there is memory again, what is there of it is sound, and the rest can be had. */
static void after_walk(enum err err)
{
	uint64_t reached = 0;
	int64_t unfinished;

	if (access(path, F_OK) != 0) {
		want(err != ERR_OK);
		return;
	}
	want(data_sound(path));
	unfinished = data_number(path, "SELECT count(*) FROM crawls WHERE ended_at_ms IS NULL");
	want(err != ERR_OK || unfinished == 0);
	if (unfinished != 1)
		return;
	want(crawl_once(true, &reached) == ERR_OK);
	want(reached == reached_at_best);
}

static void before_walk(const char *network)
{
	world_need(network);
	snprintf(path, sizeof(path), "%s/walk.db", scenario_folder());
	db_remove(path);
}

static void before_bitcoin(void)
{
	before_walk("bitcoin-regtest");
}

static void before_gossip(void)
{
	before_walk("gossip");
}

static void before_ethereum(void)
{
	before_walk("ethereum");
}

/* --- a visit of somebody who reads late --- */

enum { SAID_MAX = 8 * 1000 * 1000 /* bytes: more than a socket's buffers */ };

static struct late {
	int listener;
	struct netaddr at;
	uv_loop_t loop;
	struct dialer dialer;
	uint32_t said; /* numbers, one after the other, once our version is out */
	bool over, failed_here;
	size_t heard;
	uint8_t bytes[SAID_MAX];
} late;

static void before_late(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int little = 4096;

	late.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(late.listener, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
	want(bind(late.listener, (struct sockaddr *)&at, len) == 0);
	want(listen(late.listener, 1) == 0);
	want(getsockname(late.listener, (struct sockaddr *)&at, &len) == 0);
	late.at = netaddr_ipv4(INADDR_LOOPBACK, ntohs(at.sin_port));
	late.said = 0;
	late.heard = 0;
	late.over = late.failed_here = false;
	want(uv_loop_init(&late.loop) == 0);
	dialer_init(&late.dialer, &late.loop);
}

static void after_late(enum err err)
{
	(void)err;
	uv_run(&late.loop, UV_RUN_DEFAULT);
	want(uv_loop_close(&late.loop) == 0);
	close(late.listener);
}

static size_t say_more(void *ctx, struct visit *v, uint8_t *out, size_t cap)
{
	size_t n = 0;

	(void)ctx;
	(void)v;
	for (; n + 4 <= cap && late.said < SAID_MAX / 4 - cap; n += 4, late.said++)
		memcpy(out + n, &late.said, 4);
	return n;
}

static void on_late_done(void *ctx, struct dial *dial, const struct record *record)
{
	(void)ctx;
	want(record->outcome == OUTCOME_CANCELLED);
	late.failed_here = dial_failed_here(dial);
	late.over = true;
}

/* All that was said, or what came before the end of it. Returns where the numbers begin. */
static size_t hear_late(int fd)
{
	size_t version = 0;
	ssize_t n = 1;

	while (n != 0 && (version == 0 || late.heard < version + 4 * (size_t)late.said)) {
		uv_run(&late.loop, UV_RUN_NOWAIT);
		n = recv(fd, late.bytes + late.heard, SAID_MAX - late.heard,
			 late.over ? 0 : MSG_DONTWAIT);
		late.heard += n > 0 ? (size_t)n : 0;
		if (late.heard >= 24)
			version = 24 + late.bytes[16]; /* the length of its payload */
	}
	return version;
}

/* Whoever finds a gap in the stream blames us for it. */
static enum err run_late(void)
{
	const struct visit_config config = {
		.session = { .network = network_find("bitcoin"),
			     .goal = SESSION_GOAL_LISTEN,
			     .stepwise = true, /* our version, and nothing else */
			     .agent = slice_text("/late:1/") },
		.connect_timeout_ms = 60000,
		.more = say_more,
	};
	struct dial *dial;
	enum err err =
		dial_start(&late.dialer, &config, &late.at, NULL, 1, on_late_done, NULL, &dial);
	size_t at;
	uint32_t i;
	int fd;

	if (err != ERR_OK)
		return err == ERR_IO ? ERR_NOMEM : err;
	while (late.said == 0 && !late.over)
		uv_run(&late.loop, UV_RUN_ONCE);
	fd = accept4(late.listener, NULL, NULL, SOCK_CLOEXEC);
	at = hear_late(fd);
	for (i = 0; at + 4 <= late.heard && memcmp(late.bytes + at, &i, 4) == 0; i++)
		at += 4;
	want(late.heard - at < 4);
	want(late.over || i == late.said);
	close(fd);
	err = late.failed_here ? ERR_NOMEM : ERR_OK;
	if (!late.over)
		dial_cancel(dial);
	return err;
}

const struct scenario io_scenarios[] = {
	SCENARIO("crawl of bitcoin", before_bitcoin, run_walk, after_walk, .threads = true,
		 .points = 4),
	SCENARIO("crawl of gossip", before_gossip, run_walk, after_walk, .threads = true,
		 .points = 4),
	SCENARIO("crawl of ethereum", before_ethereum, run_walk, after_walk, .threads = true,
		 .points = 4),
	SCENARIO("visit of a late reader", before_late, run_late, after_late),
	{ 0 },
};
