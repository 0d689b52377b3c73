#include "api/walk.h"

#include "api/names.h"
#include "engine/rounds.h"
#include "io/dial.h"
#include "io/limits.h"
#include "io/wall.h"
#include "proto/ethereum/session.h"
#include "store/watch.h"
#include "store/writer.h"

#include <assert.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct walk {
	struct walk_config config;
	struct store *store; /* NULL: nothing is kept */
	struct store_crawl crawl;
	struct store_writer *writer;
	struct driver *driver;
	/* DISCOVERY_V4 alone; else NULL. */
	struct identity *identity;
	struct targets *targets; /* unless the configuration has them */
	struct resolve *resolve;
	bool holding; /* the driver waits for names */
	struct names names;
	double cpu_before;                /* seconds of this process */
	int64_t began_ms;                 /* the wall clock when this run began */
	atomic_uint_least64_t started_ns; /* of uv_hrtime, which any thread may ask */
	atomic_bool stopped;
	atomic_bool store_failed; /* set by the writer's thread */
	char why[WALK_WHY_MAX];
};

/* --- from the driver's threads --- */

static void on_known(void *ctx, const struct netaddr *addr, const struct advert *advert,
		     int64_t at_ms)
{
	struct walk *w = ctx;

	if (w->writer != NULL)
		store_writer_known(w->writer, addr, advert, at_ms);
}

static void on_visit(void *ctx, const struct record *record, bool final)
{
	struct walk *w = ctx;

	/* What was cancelled was not visited: a resumed crawl goes there. A late retry's
	 * record takes the place of the first try's. */
	if (w->writer != NULL && record->outcome != OUTCOME_CANCELLED)
		store_writer_visit(w->writer, record);
	if (w->config.on_visit != NULL)
		w->config.on_visit(w->config.ctx, record, final);
}

static void on_advert(void *ctx, const struct advert *from, const struct advert *advert,
		      int64_t at_ms)
{
	struct walk *w = ctx;

	if (w->writer != NULL)
		store_writer_advert(w->writer, from, advert, at_ms);
}

/* Running out of peers is the end from now on. */
static void let_go(struct walk *w)
{
	if (w->holding)
		driver_release(w->driver);
	w->holding = false;
}

static void on_tick(void *ctx, struct driver *driver)
{
	struct walk *w = ctx;
	struct crawl_stats stats;
	struct driver_totals totals;

	if (w->store_failed && !w->stopped)
		walk_stop(w);
	if (w->holding && uv_hrtime() - w->started_ns > WALK_NAMES_MS * 1000000ULL) {
		/* With nobody to begin with, the slowest name is worth waiting for. */
		driver_stats(driver, &stats, &totals);
		if (stats.known > 0)
			let_go(w);
	}
	if (w->config.on_tick != NULL)
		w->config.on_tick(w->config.ctx, w);
}

/* From the writer's thread; the sentence is told by walk_end, the rest is done by the
 * next tick. */
static void on_store_error(void *ctx, enum err err, const char *why)
{
	struct walk *w = ctx;

	(void)err;
	(void)why;
	w->store_failed = true;
}

/* --- names --- */

static void end_resolving(struct walk *w)
{
	if (w->resolve == NULL)
		return;
	resolve_stop(w->resolve);
	w->resolve = NULL;
	let_go(w);
}

static void on_answer(void *ctx, const struct resolve_answer *answer)
{
	struct walk *w = ctx;

	if (w->config.on_answer != NULL)
		w->config.on_answer(w->config.ctx, answer);
	for (size_t i = 0; i < answer->count; i++)
		driver_seed(w->driver, &(struct advert){ .addr = answer->addrs[i] });
	if (answer->left == 0)
		end_resolving(w);
}

enum err walk_name(struct walk *w, const char *name, uint16_t port)
{
	return names_add(&w->names, name, port, w->why);
}

static void add_boot_nodes(struct walk *w)
{
	const char *const *urls = w->config.visit.session.network->boot_nodes;
	struct enode node;
	const char *rule;

	for (; urls != NULL && *urls != NULL; urls++) {
		enum err err = enode_parse(slice_text(*urls), &node, &rule);

		assert(err == ERR_OK);
		(void)err;
		walk_seed(w, &(struct advert){ .addr = node.endpoint.addr,
					       .node_id = slice_of(node.key, sizeof(node.key)),
					       .tcp_port = node.endpoint.tcp_port });
	}
}

enum err walk_default_seeds(struct walk *w)
{
	add_boot_nodes(w);
	return names_add_seeds(&w->names, w->config.visit.session.network, w->why);
}

static enum err start_resolving(struct walk *w)
{
	enum err err;

	if (w->names.count == 0 || w->stopped)
		return ERR_OK;
	driver_hold(w->driver);
	w->holding = true;
	err = names_resolve(&w->names, driver_loop(w->driver), on_answer, w, &w->resolve, w->why);
	if (err != ERR_OK)
		let_go(w);
	return err;
}

/* --- the store --- */

/* What shaped the crawl, for whoever reads the database later; "{}" if that is too long. */
static enum err describe(struct walk *w)
{
	const struct walk_config *c = &w->config;
	struct slice agent = c->visit.session.agent, group = c->visit.session.group;
	json_t *json = json_pack("{s:I, s:I, s:I, s:f, s:b, s:b, s:b, s:s%}", "concurrency",
				 (json_int_t)c->crawl.concurrency, "connect_timeout_ms",
				 (json_int_t)c->visit.connect_timeout_ms, "threads",
				 (json_int_t)c->threads, "rate", c->crawl.rate_per_s, "patient",
				 (int)c->visit.session.patient, "allow_private",
				 (int)c->crawl.allow_private, "adverts", (int)c->adverts, "agent",
				 (const char *)agent.data, agent.len);
	size_t cap = sizeof(w->crawl.settings) - 1, len = 0;

	if (json != NULL &&
	    (group.len == 0 ||
	     json_object_set_new(json, "group",
				 json_stringn((const char *)group.data, group.len)) == 0))
		len = json_dumpb(json, w->crawl.settings, cap, JSON_COMPACT);
	json_decref(json);
	if (len == 0) {
		snprintf(w->why, sizeof(w->why), "%s", err_text(ERR_NOMEM));
		return ERR_NOMEM;
	}
	if (len > cap)
		len = (size_t)snprintf(w->crawl.settings, cap, "{}");
	w->crawl.settings[len] = '\0';
	return ERR_OK;
}

static enum err store_error(struct walk *w, enum err err)
{
	snprintf(w->why, sizeof(w->why), "%s", store_why(w->store));
	return err;
}

static enum err open_store(struct walk *w)
{
	const struct walk_config *c = &w->config;
	const char *network = c->visit.session.network->name;
	enum err err;

	w->crawl.started_at_ms = wall_ms();
	if (c->db == NULL)
		return ERR_OK;
	err = store_open_waiting(c->db, c->resume ? STORE_WRITE : STORE_CREATE,
				 (struct store_waiter){ c->on_wait, c->ctx }, &w->store, w->why,
				 sizeof(w->why));
	if (err != ERR_OK)
		return err;
	if (!c->resume) {
		w->crawl.every_ms = c->every_ms;
		snprintf(w->crawl.network, sizeof(w->crawl.network), "%s", network);
		err = describe(w);
		if (err != ERR_OK)
			return err;
		err = store_crawl_begin(w->store, &w->crawl);
		return err == ERR_OK ? ERR_OK : store_error(w, err);
	}
	err = store_crawl_unfinished(w->store, network, &w->crawl);
	if (err == ERR_NOT_FOUND) {
		snprintf(w->why, sizeof(w->why),
			 "%s holds no unfinished crawl of %s; leave --resume out to begin a new "
			 "one",
			 c->db, network);
		return err;
	}
	if (err == ERR_OK && w->crawl.ended_at_ms != 0) {
		w->crawl.ended_at_ms = 0;
		err = store_crawl_end(w->store, &w->crawl);
	}
	return err == ERR_OK ? ERR_OK : store_error(w, err);
}

/* Those that were visited; then, in a round, those that are watched; then all others: of these,
 * who is watched and not due rests. */
static bool add_visited(void *ctx, const struct advert *peer, enum outcome outcome, bool reached,
			unsigned tries)
{
	struct walk *w = ctx;

	if (tries > 0)
		crawl_add_visited(driver_crawl(w->driver), peer, outcome, reached, (uint8_t)tries);
	return true;
}

static bool add_watched(void *ctx, const struct store_watched *watched)
{
	struct walk *w = ctx;

	crawl_add_watched(driver_crawl(w->driver), &watched->peer,
			  schedule_is_due(&watched->schedule, w->config.due_before_ms));
	return true;
}

static bool add_left(void *ctx, const struct advert *peer, enum outcome outcome, bool reached,
		     unsigned tries)
{
	struct walk *w = ctx;

	(void)outcome;
	(void)reached;
	if (tries == 0)
		crawl_add(driver_crawl(w->driver), peer);
	return true;
}

static enum err take_up(struct walk *w)
{
	bool resume = w->config.resume;
	enum err err = ERR_OK;

	if (resume && w->crawl.every_ms > 0)
		w->config.due_before_ms =
			rounds_due_before_ms(0, (int64_t)w->crawl.every_ms, w->crawl.started_at_ms);
	if (resume)
		err = store_resume(w->store, &w->crawl, add_visited, w);
	if (err == ERR_OK && w->crawl.every_ms > 0)
		err = store_watched(w->store, w->crawl.network, add_watched, w);
	if (err == ERR_OK && resume)
		err = store_resume(w->store, &w->crawl, add_left, w);
	return err;
}

static enum err start_writer(struct walk *w)
{
	enum err err;

	if (w->store == NULL)
		return ERR_OK;
	err = take_up(w);
	if (err != ERR_OK)
		return store_error(w, err);
	err = store_writer_start(w->store, &w->crawl, on_store_error, w, &w->writer);
	if (err != ERR_OK)
		snprintf(w->why, sizeof(w->why),
			 "cannot start the thread that writes the database: out of memory");
	return err;
}

/* --- the walk --- */

uint32_t walk_concurrency(const struct network *network)
{
	return network->discovery == DISCOVERY_V4 ? WALK_NODES_CONCURRENCY : WALK_CONCURRENCY;
}

/* Signatures are nearly all the work of a walk of nodes: a thread for each core. */
unsigned walk_threads(const struct network *network)
{
	unsigned cores = uv_available_parallelism();

	if (network->discovery != DISCOVERY_V4)
		return 1;
	return cores < DRIVER_THREADS_MAX ? cores : DRIVER_THREADS_MAX;
}

/* Who we are, and the keys to search with. */
static enum err make_identity(struct walk *w)
{
	uint8_t random[SECP_RANDOM_LEN + IDENTITY_SEED_LEN];

	if (w->config.visit.session.network->discovery != DISCOVERY_V4)
		return ERR_OK;
	w->config.crawl.nodes = true;
	w->identity = calloc(1, sizeof(*w->identity));
	if (w->config.targets == NULL)
		w->config.targets = w->targets = malloc(sizeof(*w->targets));
	if (w->identity == NULL || w->config.targets == NULL) {
		snprintf(w->why, sizeof(w->why), "out of memory");
		return ERR_NOMEM;
	}
	dial_random(random, sizeof(random));
	identity_init(w->identity, w->config.key, random);
	explicit_bzero(random, sizeof(random));
	if (w->targets != NULL)
		targets_init(w->targets);
	w->config.visit.session.identity = w->identity;
	return ERR_OK;
}

/* The addresses of this machine are not dialled, even if they are seeds; those of its
 * loopback are, where private addresses are allowed. Where peers live in private networks (gossip),
 * some of them may well stand on the machine that asks: there all of its addresses are, then. */
static void exclude_own(struct walk *w)
{
	const struct peer_policy *policy = w->config.visit.session.network->proto->policy;
	uv_interface_address_t *list;
	struct netaddr addr;
	int count;

	if ((policy != NULL && policy->allow_private && w->config.crawl.allow_private) ||
	    uv_interface_addresses(&list, &count) != 0)
		return;
	for (int i = 0; i < count; i++) {
		if (list[i].is_internal ||
		    !dial_netaddr((struct sockaddr *)&list[i].address, &addr))
			continue;
		addr.port = w->config.visit.session.network->default_port;
		crawl_add_own(driver_crawl(w->driver), &addr);
	}
	uv_free_interface_addresses(list, count);
}

static enum err make_driver(struct walk *w)
{
	struct driver_config config = {
		.visit = w->config.visit,
		.node = { .targets = w->config.targets,
			  .chain = w->config.chain,
			  .no_session = w->config.no_session },
		.crawl = w->config.crawl,
		.threads = w->config.threads,
		.give_up_ms = w->config.give_up_ms,
		.on_known = on_known,
		.on_visit = on_visit,
		.on_advert = w->config.adverts ? on_advert : NULL,
		.on_tick = on_tick,
		.ctx = w,
	};
	enum err err;

	dial_random(&config.crawl.key, sizeof(config.crawl.key));
	err = driver_new(&config, &w->driver, w->why);
	w->started_ns = uv_hrtime();
	return err;
}

/* A time that was asked for is kept to; what was not is learned. */
static void set_patience(struct walk_config *c)
{
	struct patience_config *p = &c->crawl.patience;
	bool nodes = c->visit.session.network->discovery == DISCOVERY_V4;

	*p = (struct patience_config){ 0 };
	if (c->visit.connect_timeout_ms == 0 && nodes)
		*p = (struct patience_config){ .connect_ms = PROBE_REPLY_MS,
					       .connect_min_ms = WALK_PONG_MIN_MS };
	else if (c->visit.connect_timeout_ms == 0)
		p->connect_ms = WALK_CONNECT_TIMEOUT_MS;
	if (c->visit.session.timeout_ms == 0 && !nodes)
		p->answer_ms = WALK_ANSWER_TIMEOUT_MS;
}

static void set_defaults(struct walk_config *c)
{
	struct session_params *s = &c->visit.session;

	set_patience(c);
	s->role = SESSION_INITIATOR;
	s->goal = SESSION_GOAL_PEERS;
	if (s->timeout_ms == 0)
		s->timeout_ms = s->patient ? WALK_TIMEOUT_PATIENT_MS : WALK_TIMEOUT_MS;
	if (c->visit.connect_timeout_ms == 0)
		c->visit.connect_timeout_ms = WALK_CONNECT_TIMEOUT_MS;
	if (c->crawl.concurrency == 0)
		c->crawl.concurrency = walk_concurrency(s->network);
	if (c->threads == 0)
		c->threads = walk_threads(s->network);
}

enum err walk_new(const struct walk_config *config, struct walk **out, char *why)
{
	struct walk *w = calloc(1, sizeof(*w));
	enum err err;

	*out = NULL;
	if (w == NULL) {
		snprintf(why, WALK_WHY_MAX, "out of memory");
		return ERR_NOMEM;
	}
	w->config = *config;
	w->cpu_before = limits_cpu_seconds();
	set_defaults(&w->config);
	err = make_identity(w);
	if (err == ERR_OK)
		err = open_store(w);
	if (err == ERR_OK)
		err = make_driver(w);
	if (err == ERR_OK)
		err = start_writer(w);
	if (err != ERR_OK) {
		snprintf(why, WALK_WHY_MAX, "%s", w->why);
		walk_free(w);
		return err;
	}
	exclude_own(w);
	*out = w;
	return ERR_OK;
}

void walk_free(struct walk *w)
{
	if (w == NULL)
		return;
	if (w->writer != NULL)
		store_writer_stop(w->writer);
	driver_free(w->driver);
	if (w->store != NULL)
		store_close(w->store);
	if (w->identity != NULL)
		identity_clear(w->identity);
	free(w->identity);
	free(w->targets);
	free(w);
}

void walk_seed(struct walk *w, const struct advert *peer)
{
	driver_seed(w->driver, peer);
}

enum err walk_run(struct walk *w)
{
	enum err err;

	w->started_ns = uv_hrtime();
	w->began_ms = wall_ms();
	err = start_resolving(w);
	if (err == ERR_OK)
		driver_run(w->driver);
	end_resolving(w);
	return err;
}

void walk_stop(struct walk *w)
{
	w->stopped = true;
	end_resolving(w);
	driver_stop(w->driver, true);
}

void walk_stats(struct walk *w, struct walk_result *out)
{
	driver_stats(w->driver, &out->stats, &out->totals);
	out->connect_timeout_ms = out->stats.wait.connect_ms > 0
					  ? out->stats.wait.connect_ms
					  : w->config.visit.connect_timeout_ms;
	out->answer_timeout_ms =
		out->stats.wait.answer_ms > 0 ? out->stats.wait.answer_ms : WALK_ANSWER_TIMEOUT_MS;
	out->crawl_id = w->crawl.id;
	out->started_at_ms = w->crawl.started_at_ms;
	out->elapsed_ms = (uv_hrtime() - w->started_ns) / 1000000;
	out->cpu_seconds = limits_cpu_seconds() - w->cpu_before;
	out->max_rss_bytes = limits_max_rss_bytes();
	out->left_out = out->stats.no_memory > 0 || out->totals.gave_up;
	out->unheard = false;
	out->complete = !w->stopped && out->stats.waiting == 0 && out->stats.in_flight == 0 &&
			!out->left_out;
}

/* As its visits have their times: the clock at the beginning, and the time since. Who sets the
 * clock meanwhile makes no crawl that ended before it began. */
static int64_t end_ms(const struct walk *w, const struct walk_result *r)
{
	int64_t at_ms = w->began_ms + (int64_t)r->elapsed_ms;

	return at_ms > w->crawl.started_at_ms ? at_ms : w->crawl.started_at_ms;
}

/* Sums up in the store; of a resumed crawl, known, visited and reached are of all runs. */
static enum err end_in_store(struct walk *w, struct walk_result *r)
{
	enum err err = store_writer_stop(w->writer);
	bool looked = true;

	w->writer = NULL;
	r->cpu_seconds = limits_cpu_seconds() - w->cpu_before; /* the last rows too */
	if (err != ERR_OK)
		return store_error(w, err);
	w->crawl.complete = r->complete;
	w->crawl.ended_at_ms = w->stopped || r->left_out ? 0 : end_ms(w, r);
	w->crawl.known = r->stats.known;
	w->crawl.visited = r->stats.visited;
	w->crawl.reached = r->stats.reached;
	w->crawl.adverts += r->stats.adverts;
	w->crawl.bytes_in += r->totals.bytes_in;
	w->crawl.bytes_out += r->totals.bytes_out;
	w->crawl.cpu_seconds += r->cpu_seconds;
	w->crawl.max_rss_bytes = r->max_rss_bytes;
	if (w->crawl.every_ms > 0 && w->crawl.ended_at_ms > 0)
		err = store_round_end(w->store, &w->crawl, &looked);
	r->unheard = !looked;
	if (err == ERR_OK)
		err = store_crawl_end(w->store, &w->crawl);
	return err == ERR_OK ? ERR_OK : store_error(w, err);
}

/* This machine's fault, which costs nobody his place in the next run. */
static enum err tell_left_out(struct walk *w, const struct walk_result *r)
{
	if (r->totals.gave_up) {
		snprintf(w->why, sizeof(w->why),
			 "for %llu s this machine had no descriptor, no memory, no local port or "
			 "no route for "
			 "a single connection: end other programs, or raise what this one may have "
			 "(ulimit -n, or LimitNOFILE= in a systemd unit), then go on (--resume)",
			 (unsigned long long)DRIVER_GIVE_UP_MS / 1000);
		return ERR_IO;
	}
	snprintf(w->why, sizeof(w->why),
		 "out of memory: %llu peers were left out of this crawl; end other programs, or "
		 "raise the limit that this process has, then go on with what was left out "
		 "(--resume)",
		 (unsigned long long)r->stats.no_memory);
	return ERR_NOMEM;
}

enum err walk_end(struct walk *w, struct walk_result *out)
{
	enum err err;

	walk_stats(w, out);
	err = w->writer != NULL ? end_in_store(w, out) : ERR_OK;
	return err == ERR_OK && !w->stopped && out->left_out ? tell_left_out(w, out) : err;
}

uv_loop_t *walk_loop(struct walk *w)
{
	return driver_loop(w->driver);
}

const char *walk_why(const struct walk *w)
{
	return w->why;
}
