#include "api/peer_arg.h"
#include "api/pipe_guard.h"
#include "api/visit.h"
#include "api/walk.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(OUTCOME_COUNT <= sizeof(((struct pw_stats *)0)->outcomes) / sizeof(uint64_t),
	       "every outcome has its count");

struct pw_crawl {
	struct pw_crawl_config config;
	char agent[PEER_AGENT_MAX + 1], group[GOSSIP_GROUP_MAX + 1];
	char *database;
	const struct ethereum_chain *chain; /* NULL: everybody's nodes */
	struct secp_key key;                /* ours, if config.key was given */
	struct peer_arg *seeds;
	size_t seeds_count;
	struct cidr *exclude;
	size_t exclude_count;
	atomic_bool stop;
	pthread_mutex_t calling; /* one callback at a time */
	pthread_mutex_t lock;    /* of what follows */
	struct walk *walk;       /* while it runs */
	struct walk_result last; /* of the last run */
	char why[WALK_WHY_MAX];
};

/* --- making --- */

static bool is_allowed(const struct pw_crawl_config *c)
{
	return c->network != NULL && c->threads <= DRIVER_THREADS_MAX && c->rate_per_s >= 0 &&
	       (!c->resume || c->database != NULL);
}

/* Whose nodes are wanted, and who we are to them. */
static bool take_node_config(struct pw_crawl *c)
{
	const struct pw_crawl_config *p = &c->config;
	const struct network *network = api_network(p->network);
	const char *chain = p->chain != NULL ? p->chain : network->chain;

	if (!api_has_nodes(network))
		return p->chain == NULL && p->key == NULL && !p->no_session;
	if (chain != NULL && (c->chain = api_chain(chain)) == NULL)
		return false;
	return p->key == NULL || secp_key_init(&c->key, p->key);
}

static bool take_config(struct pw_crawl *c, const struct pw_crawl_config *config)
{
	return api_config(&c->config, sizeof(c->config), config) && is_allowed(&c->config) &&
	       take_node_config(c) &&
	       api_agent(api_network(c->config.network), c->config.agent, c->agent) &&
	       api_group(api_network(c->config.network), c->config.group, c->group);
}

enum pw_err pw_crawl_new(const struct pw_crawl_config *config, struct pw_crawl **out)
{
	struct pw_crawl *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (c == NULL)
		return PW_ERR_NOMEM;
	if (!take_config(c, config)) {
		free(c);
		return PW_ERR_VALUE;
	}
	if (c->config.threads == 0)
		c->config.threads = walk_threads(api_network(c->config.network));
	if (c->config.database != NULL && (c->database = strdup(c->config.database)) == NULL) {
		secp_key_clear(&c->key);
		free(c);
		return PW_ERR_NOMEM;
	}
	pthread_mutex_init(&c->calling, NULL);
	pthread_mutex_init(&c->lock, NULL);
	*out = c;
	return PW_OK;
}

void pw_crawl_free(struct pw_crawl *crawl)
{
	if (crawl == NULL)
		return;
	pthread_mutex_destroy(&crawl->calling);
	pthread_mutex_destroy(&crawl->lock);
	free(crawl->database);
	free(crawl->seeds);
	free(crawl->exclude);
	secp_key_clear(&crawl->key);
	free(crawl);
}

static enum pw_err no_memory(struct pw_crawl *c)
{
	snprintf(c->why, sizeof(c->why), "out of memory");
	return PW_ERR_NOMEM;
}

enum pw_err pw_crawl_add_seed(struct pw_crawl *crawl, const char *peer)
{
	struct peer_arg seed, *seeds;
	char why[PEER_ARG_WHY_MAX];

	if (!peer_arg_parse(peer, api_network(crawl->config.network), false, &seed, why)) {
		snprintf(crawl->why, sizeof(crawl->why), "%s", why);
		return PW_ERR_SYNTAX;
	}
	seeds = realloc(crawl->seeds, (crawl->seeds_count + 1) * sizeof(*seeds));
	if (seeds == NULL)
		return no_memory(crawl);
	crawl->seeds = seeds;
	seeds[crawl->seeds_count++] = seed;
	return PW_OK;
}

enum pw_err pw_crawl_add_exclude(struct pw_crawl *crawl, const char *block)
{
	struct cidr parsed, *exclude;

	if (cidr_parse(slice_text(block), &parsed) != ERR_OK) {
		snprintf(crawl->why, sizeof(crawl->why),
			 "\"%s\" is no address and no CIDR block such as 192.0.2.0/24 or "
			 "2001:db8::/32 (the bits after the prefix have to be zero)",
			 block);
		return PW_ERR_SYNTAX;
	}
	exclude = realloc(crawl->exclude, (crawl->exclude_count + 1) * sizeof(*exclude));
	if (exclude == NULL)
		return no_memory(crawl);
	crawl->exclude = exclude;
	exclude[crawl->exclude_count++] = parsed;
	return PW_OK;
}

/* --- from the walk's threads --- */

static void on_visit(void *ctx, const struct record *r, bool final)
{
	struct pw_crawl *c = ctx;
	struct api_visit told;

	api_visit(&told, r, final);
	pthread_mutex_lock(&c->calling);
	c->config.on_visit(c->config.ctx, &told.visit);
	pthread_mutex_unlock(&c->calling);
}

static void on_tick(void *ctx, struct walk *walk)
{
	struct pw_crawl *c = ctx;
	struct pw_stats stats = { .size = sizeof(stats) };

	if (c->stop)
		walk_stop(walk);
	if (c->config.on_progress == NULL)
		return;
	pw_crawl_stats(c, &stats);
	pthread_mutex_lock(&c->calling);
	c->config.on_progress(c->config.ctx, &stats);
	pthread_mutex_unlock(&c->calling);
}

/* --- running --- */

static enum err new_walk(struct pw_crawl *c, struct walk **out)
{
	const struct pw_crawl_config *p = &c->config;
	const struct network *network = api_network(p->network);
	uint32_t wanted = p->concurrency > 0 ? p->concurrency : walk_concurrency(network);
	uint64_t limit;
	uint32_t concurrency = driver_fit_concurrency(wanted, p->threads, &limit);
	struct walk_config config = {
		.visit = { .session = { .network = network,
					.patient = p->patient,
					.agent = slice_text(c->agent),
					.group = slice_text(c->group),
					.timeout_ms = p->timeout_ms },
			   .connect_timeout_ms = p->connect_timeout_ms },
		.crawl = { .concurrency = concurrency,
			   .rate_per_s = p->rate_per_s,
			   .max_visits = p->max_visits,
			   .duration_ms = p->duration_ms,
			   .allow_private = p->allow_private,
			   .per_group = p->per_group,
			   .exclude = c->exclude,
			   .exclude_count = c->exclude_count },
		.threads = p->threads,
		.key = p->key != NULL ? &c->key : NULL,
		.chain = c->chain,
		.no_session = p->no_session,
		.db = c->database,
		.resume = p->resume,
		.adverts = p->keep_adverts,
		.on_visit = p->on_visit != NULL ? on_visit : NULL,
		.on_tick = on_tick,
		.ctx = c,
	};

	if (concurrency == 0) {
		driver_few_descriptors(limit, c->why);
		return ERR_LIMIT;
	}
	return walk_new(&config, out, c->why);
}

static enum err add_seeds(struct pw_crawl *c, struct walk *walk)
{
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < c->seeds_count; i++) {
		const struct peer_arg *seed = &c->seeds[i];
		const struct advert advert = peer_arg_advert(seed);

		if (seed->is_name)
			err = walk_name(walk, seed->name, seed->port);
		else
			walk_seed(walk, &advert);
	}
	if (err == ERR_OK && c->config.dns_seeds)
		err = walk_default_seeds(walk);
	return err;
}

/* Lets pw_crawl_stats see it, or takes it away and keeps what it came to. */
static void show_walk(struct pw_crawl *c, struct walk *walk, const struct walk_result *last)
{
	pthread_mutex_lock(&c->lock);
	c->walk = walk;
	if (last != NULL)
		c->last = *last;
	pthread_mutex_unlock(&c->lock);
}

static enum err run(struct pw_crawl *c)
{
	struct walk_result result = { 0 };
	struct walk *walk;
	enum err err = new_walk(c, &walk), end;

	if (err != ERR_OK)
		return err;
	show_walk(c, walk, NULL);
	err = add_seeds(c, walk);
	if (err == ERR_OK) {
		if (c->stop)
			walk_stop(walk);
		err = walk_run(walk);
	}
	end = walk_end(walk, &result);
	if (err == ERR_OK)
		err = end;
	if (err != ERR_OK)
		snprintf(c->why, sizeof(c->why), "%s", walk_why(walk));
	show_walk(c, NULL, &result);
	walk_free(walk);
	return err;
}

static bool has_own_seeds(const struct network *network)
{
	return network->dns_seeds[0] != NULL || network->boot_nodes != NULL;
}

enum pw_err pw_crawl_run(struct pw_crawl *crawl)
{
	const struct pw_crawl_config *p = &crawl->config;
	struct pipe_guard guard;
	enum err err;

	crawl->why[0] = 0;
	if (crawl->seeds_count == 0 && !p->resume &&
	    !(p->dns_seeds && has_own_seeds(api_network(p->network)))) {
		snprintf(crawl->why, sizeof(crawl->why),
			 "there is nobody to begin with: add a seed, or set dns_seeds for a "
			 "network that has some");
		return PW_ERR_NOT_FOUND;
	}
	pipe_guard_begin(&guard);
	err = run(crawl);
	pipe_guard_end(&guard);
	crawl->stop = false;
	return api_err(err);
}

void pw_crawl_stop(struct pw_crawl *crawl)
{
	crawl->stop = true;
}

void pw_crawl_stats(struct pw_crawl *crawl, struct pw_stats *out)
{
	struct walk_result r;
	struct pw_stats s;

	pthread_mutex_lock(&crawl->lock);
	if (crawl->walk != NULL)
		walk_stats(crawl->walk, &r);
	else
		r = crawl->last;
	pthread_mutex_unlock(&crawl->lock);
	s = (struct pw_stats){
		.crawl = r.crawl_id,
		.elapsed_ms = r.elapsed_ms,
		.known = r.stats.known,
		.waiting = r.stats.waiting,
		.in_flight = r.stats.in_flight,
		.visited = r.stats.visited,
		.reached = r.stats.reached,
		.adverts = r.stats.adverts,
		.bytes_in = r.totals.bytes_in,
		.bytes_out = r.totals.bytes_out,
		.complete = r.complete,
	};
	memcpy(s.outcomes, r.stats.outcomes, sizeof(r.stats.outcomes));
	api_give(out, &s, sizeof(s));
}

const char *pw_crawl_why(const struct pw_crawl *crawl)
{
	return crawl->why;
}
