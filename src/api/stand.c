#include "api/stand.h"

#include "base/uuid.h"
#include "io/dial.h"
#include "io/wall.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NETWORK_MAX = 128, /* "gossip/GROUP" */
	/* A smaller share is no use: a network of five peers may have all in one group. */
	SHARE_MIN = 64,
};

struct stand {
	struct stand_config config;
	const struct peer_policy *policy;
	char network[NETWORK_MAX]; /* what the store calls the book */
	uint8_t id[UUID_LEN];
	struct store *store; /* NULL: nothing is kept */
	struct store_book *kept;
	struct book *book;
	struct netaddr *peers;
	size_t peers_count;
	struct names names, seeds;
	struct swarm_host *host; /* NULL: not started, or on its way out */
	struct resolve *resolve, *resolve_seeds;
	bool seeds_asked, told;
	uint64_t names_ms, seeds_ms; /* looked up no earlier */
	uv_timer_t timer;
	atomic_int failed; /* enum err of the store, from its thread */
	char why[STAND_WHY_MAX];
};

static int64_t unix_s(void)
{
	return wall_ms() / 1000;
}

static enum err no_memory(struct stand *s)
{
	snprintf(s->why, sizeof(s->why), "out of memory");
	return ERR_NOMEM;
}

/* --- the book, in memory and on disk --- */

static uint32_t share(uint32_t all, uint32_t part)
{
	return all / part > SHARE_MIN ? all / part : SHARE_MIN;
}

/* Shares after Core's: a quarter as many tried addresses as new ones; of the new a sixteenth by
 * one source (64 of 1,024 buckets), of the tried the same for one group (Core: 8 of 256). */
static enum err make_book(struct stand *s)
{
	const struct peer_policy *p = s->policy;
	struct book_config config = {
		.new_max = p->known_max,
		.tried_max = share(p->known_max, 4),
		.source_max = share(p->known_max, 16),
		.group_max = share(p->known_max, 64),
		.known_s = (int64_t)p->known_s,
		.allow_private = s->config.host.swarm.allow_private,
	};

	dial_random(&config.seed, sizeof(config.seed));
	return book_new(&config, &s->book) == ERR_OK ? ERR_OK : no_memory(s);
}

static bool on_row(void *ctx, const struct store_book_row *row)
{
	struct stand *s = ctx;
	const struct book_entry entry = {
		.addr = row->addr,
		.source = row->source,
		.services = row->services,
		.named_s = row->named_s,
		.asked_s = row->asked_s,
		.good_s = row->good_s,
		.failures = row->failures,
		.tried = row->tried,
	};

	book_restore(s->book, &entry, unix_s());
	return true;
}

/* From the store's thread; told by the next look at the book. */
static void on_store_error(void *ctx, enum err err, const char *why)
{
	struct stand *s = ctx;

	(void)why;
	s->failed = (int)err;
}

/* A group of a gossip network has a book of its own. */
static void name_book(struct stand *s)
{
	const struct session_params *p = &s->config.host.swarm.session;
	const char *network = s->config.host.swarm.network->name;

	if (p->group.len == 0)
		snprintf(s->network, sizeof(s->network), "%s", network);
	else
		snprintf(s->network, sizeof(s->network), "%s/%.*s", network, (int)p->group.len,
			 (const char *)p->group.data);
}

static enum err open_book(struct stand *s)
{
	enum err err;

	if (s->config.db == NULL)
		return ERR_OK;
	err = store_open_waiting(s->config.db, STORE_CREATE,
				 (struct store_waiter){ s->config.on_wait, s->config.ctx },
				 &s->store, s->why, sizeof(s->why));
	if (err != ERR_OK)
		return err;
	err = store_book_load(s->store, s->network, on_row, s);
	if (err == ERR_OK)
		err = store_book_start(s->store, s->network, on_store_error, s, &s->kept);
	if (err != ERR_OK)
		snprintf(s->why, sizeof(s->why), "%s", store_why(s->store));
	return err;
}

static void put_entry(struct stand *s, const struct book_entry *e, bool gone)
{
	const struct store_book_row row = {
		.addr = e->addr,
		.source = e->source,
		.services = e->services,
		.named_s = e->named_s,
		.asked_s = e->asked_s,
		.good_s = e->good_s,
		.failures = e->failures,
		.tried = e->tried,
	};

	if (gone)
		store_book_drop(s->kept, &e->addr, slice_of(NULL, 0));
	else
		store_book_put(s->kept, &row);
}

/* What has changed goes to the store, as far as that has room. True: there is more. */
static bool keep_book(struct stand *s)
{
	size_t room = s->kept != NULL ? store_book_room(s->kept) : 0;
	struct book_entry e;
	bool gone;

	for (; room > 0; room--) {
		if (!book_changed(s->book, &e, &gone))
			return false;
		put_entry(s, &e, gone);
	}
	return s->kept != NULL;
}

/* --- making --- */

enum err stand_new(const struct stand_config *config, struct stand **out,
		   char why[static STAND_WHY_MAX])
{
	struct stand *s = calloc(1, sizeof(*s));
	enum err err;

	*out = NULL;
	if (s == NULL) {
		snprintf(why, STAND_WHY_MAX, "out of memory");
		return ERR_NOMEM;
	}
	s->config = *config;
	s->policy = config->host.swarm.policy != NULL ? config->host.swarm.policy
						      : config->host.swarm.network->proto->policy;
	assert(s->policy != NULL);
	name_book(s);
	err = make_book(s);
	if (err == ERR_OK)
		err = open_book(s);
	if (err != ERR_OK) {
		snprintf(why, STAND_WHY_MAX, "%s", s->why);
		stand_free(s);
		return err;
	}
	*out = s;
	return ERR_OK;
}

void stand_free(struct stand *s)
{
	if (s == NULL)
		return;
	stand_end(s);
	book_free(s->book);
	free(s->peers);
	free(s);
}

enum err stand_peer(struct stand *s, const struct netaddr *addr)
{
	struct netaddr *peers;

	if (s->peers_count == SWARM_BOOTSTRAPS_MAX) {
		snprintf(s->why, sizeof(s->why), "at most %d peers to begin with",
			 SWARM_BOOTSTRAPS_MAX);
		return ERR_LIMIT;
	}
	peers = realloc(s->peers, (s->peers_count + 1) * sizeof(*peers));
	if (peers == NULL)
		return no_memory(s);
	s->peers = peers;
	peers[s->peers_count++] = *addr;
	return ERR_OK;
}

enum err stand_name(struct stand *s, const char *name, uint16_t port)
{
	return names_add(&s->names, name, port, s->why);
}

/* --- names --- */

static void on_answer(struct stand *s, const struct resolve_answer *answer,
		      struct resolve **resolve)
{
	if (s->config.on_answer != NULL)
		s->config.on_answer(s->config.ctx, answer);
	if (answer->left == 0 && *resolve != NULL) {
		resolve_stop(*resolve);
		*resolve = NULL;
	}
}

static void on_peer(void *ctx, const struct resolve_answer *answer)
{
	struct stand *s = ctx;

	for (size_t i = 0; s->host != NULL && i < answer->count; i++)
		swarm_bootstrap(swarm_host_swarm(s->host), &answer->addrs[i]);
	if (s->host != NULL)
		swarm_host_step(s->host);
	on_answer(s, answer, &s->resolve);
}

/* A DNS seed's answers are hearsay: in the book nobody is believed before he has answered. */
static void on_seed(void *ctx, const struct resolve_answer *answer)
{
	struct stand *s = ctx;

	for (size_t i = 0; i < answer->count; i++) {
		const struct advert advert = { .addr = answer->addrs[i], .last_seen_s = unix_s() };

		book_add(s->book, &advert, &advert.addr, unix_s());
	}
	on_answer(s, answer, &s->resolve_seeds);
}

/* Names are looked up again as long as nobody is connected: DNS may have been dead, or tell other
 * addresses by now. A network's own seeds are asked only if nothing else leads into the network. */
static void look_for_names(struct stand *s)
{
	uint64_t now_ms = uv_now(s->timer.loop);
	bool nobody_known, go;
	char why[NAMES_WHY_MAX];
	struct swarm_counts c;

	swarm_counts(swarm_host_swarm(s->host), &c);
	if (s->names.count > 0 && s->resolve == NULL && c.up == 0 && now_ms >= s->names_ms) {
		s->names_ms = now_ms + STAND_AGAIN_MS;
		/* Without a thread for it now, it is tried again. */
		names_resolve(&s->names, s->timer.loop, on_peer, s, &s->resolve, why);
	}
	nobody_known = c.book.new_count + c.book.tried_count == 0;
	go = now_ms >= s->seeds_ms ? c.up < 2 : nobody_known && !s->seeds_asked;
	if (s->seeds.count > 0 && s->resolve_seeds == NULL && go) {
		s->seeds_asked = true;
		s->seeds_ms = now_ms + STAND_SEEDS_AGAIN_MS;
		names_resolve(&s->seeds, s->timer.loop, on_seed, s, &s->resolve_seeds, why);
	}
}

/* --- running --- */

static void on_timer(uv_timer_t *timer)
{
	struct stand *s = timer->data;

	keep_book(s);
	look_for_names(s);
	if (s->failed != ERR_OK && !s->told) {
		s->told = true;
		snprintf(s->why, sizeof(s->why), "%s", store_why(s->store));
		if (s->config.on_error != NULL)
			s->config.on_error(s->config.ctx, (enum err)s->failed);
	}
}

static enum err start_host(struct stand *s, uv_loop_t *loop)
{
	struct swarm_host_config *c = &s->config.host;
	struct session_params *p = &c->swarm.session;
	char why[SWARM_HOST_WHY_MAX];
	enum err err;

	dial_random(s->id, sizeof(s->id));
	uuid_make(s->id);
	dial_random(&c->swarm.seed, sizeof(c->swarm.seed));
	dial_random(&p->nonce, sizeof(p->nonce));
	if (p->own_id.len == 0)
		p->own_id = slice_of(s->id, sizeof(s->id));
	c->swarm.book = s->book;
	err = swarm_host_start(loop, c, &s->host, why);
	if (err != ERR_OK)
		snprintf(s->why, sizeof(s->why), "%s", why);
	return err;
}

enum err stand_start(struct stand *s, uv_loop_t *loop)
{
	enum err err;

	if (s->config.default_seeds &&
	    names_add_seeds(&s->seeds, s->config.host.swarm.network, s->why) != ERR_OK)
		s->seeds.count = 0;
	err = start_host(s, loop);
	if (err != ERR_OK)
		return err;
	s->names_ms = uv_now(loop);
	s->seeds_ms = uv_now(loop) + STAND_SEEDS_MS;
	uv_timer_init(loop, &s->timer);
	s->timer.data = s;
	uv_timer_start(&s->timer, on_timer, 0, STAND_KEEP_MS);
	for (size_t i = 0; i < s->peers_count; i++)
		swarm_bootstrap(swarm_host_swarm(s->host), &s->peers[i]);
	swarm_host_step(s->host);
	return ERR_OK;
}

void stand_stop(struct stand *s)
{
	if (s->host == NULL)
		return;
	if (s->resolve != NULL)
		resolve_stop(s->resolve);
	if (s->resolve_seeds != NULL)
		resolve_stop(s->resolve_seeds);
	s->resolve = s->resolve_seeds = NULL;
	uv_close((uv_handle_t *)&s->timer, NULL);
	swarm_host_stop(s->host);
	s->host = NULL;
}

enum err stand_end(struct stand *s)
{
	enum err err = ERR_OK;

	assert(s->host == NULL);
	if (s->kept != NULL) {
		while (keep_book(s) && s->failed == ERR_OK)
			uv_sleep(1);
		err = store_book_stop(s->kept);
		s->kept = NULL;
	}
	if (err != ERR_OK)
		snprintf(s->why, sizeof(s->why), "%s", store_why(s->store));
	if (s->store != NULL)
		store_close(s->store);
	s->store = NULL;
	return err;
}

struct swarm_host *stand_host(struct stand *s)
{
	return s->host;
}

const char *stand_why(const struct stand *s)
{
	return s->why;
}
