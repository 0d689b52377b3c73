/* serve_watch.c: the thread that looks whether somebody has written, and tells of it. */
#include "web/serve_inner.h"

#include "report/peer_url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { VISITS_TOLD = 50 };

static void set_why(struct serve *s, const char *why)
{
	pthread_mutex_lock(&s->lock);
	snprintf(s->why, sizeof(s->why), "%s", why);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

/* --- the database --- */

/* Nothing of the database stays. Handlers wait meanwhile, but for those of /healthz, /metrics and
 * events. */
static enum err forget(struct serve *s)
{
	struct census *census;
	enum err err = census_new(s->config.geo, &census);

	if (err != ERR_OK)
		return err;
	pthread_rwlock_wrlock(&s->swap);
	census_free(s->census);
	s->census = census;
	pthread_mutex_lock(&s->lock);
	for (int i = 0; i < HTTP_THREADS; i++) {
		store_close(s->stores[i]);
		s->stores[i] = NULL;
	}
	free(s->networks);
	s->networks = NULL;
	s->networks_count = 0;
	s->ready = s->is_copy = false;
	pthread_mutex_unlock(&s->lock);
	pthread_rwlock_unlock(&s->swap);
	serve_cache_clear(&s->cache);
	store_close(s->store);
	s->store = NULL;
	s->running_count = 0;
	s->told_version = 0;
	return ERR_OK;
}

static bool is_same(const struct stat *a, const struct stat *b, bool by_time)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       (!by_time || (a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
			     a->st_mtim.tv_nsec == b->st_mtim.tv_nsec));
}

/* Of the file, but with the time at which anybody wrote: into it, or into the log beside it. */
static int look_at(const char *path, struct stat *out)
{
	char log[4096];
	struct stat other;

	if (stat(path, out) != 0)
		return -1;
	snprintf(log, sizeof(log), "%s-wal", path);
	if (stat(log, &other) == 0 && other.st_size > 0)
		out->st_mtim = other.st_mtim;
	return 0;
}

static bool open_file(struct serve *s)
{
	char why[SERVE_WHY_MAX];

	s->opened_ms = serve_now_ms();
	s->version = -1;
	if (look_at(s->config.db, &s->file) != 0)
		memset(&s->file, 0, sizeof(s->file));
	if (store_open(s->config.db, STORE_READ, &s->store, why, sizeof(why)) != ERR_OK) {
		set_why(s, why);
		return false;
	}
	pthread_mutex_lock(&s->lock);
	s->is_copy = store_is_copy(s->store);
	s->why[0] = '\0';
	pthread_mutex_unlock(&s->lock);
	return true;
}

/* The database that stands there now is open. */
static bool look_at_file(struct serve *s)
{
	bool is_copy = s->is_copy; /* only this thread writes it */
	bool due = serve_now_ms() - s->opened_ms > SERVE_COPY_MS;
	struct stat file;

	if (look_at(s->config.db, &file) != 0) {
		const char *reason = strerror(errno);
		char why[SERVE_WHY_MAX];

		if (s->file.st_ino != 0 && forget(s) != ERR_OK)
			return false;
		memset(&s->file, 0, sizeof(s->file));
		snprintf(why, sizeof(why),
			 "%s: %s; it is shown as soon as it is there: "
			 "`peerwalk crawl` makes one",
			 s->config.db, reason);
		set_why(s, why);
		return false;
	}
	if ((s->store != NULL || is_copy) && is_same(&s->file, &file, is_copy && due))
		return true;
	return forget(s) == ERR_OK && open_file(s);
}

/* --- sums --- */

struct summing {
	struct serve *s;
	struct serve_network *networks;
	size_t count, cap;
	const struct census_network *of;
	size_t of_count;
};

static enum err on_network(void *ctx, const struct store_network *network)
{
	struct summing *g = ctx;
	struct serve_network *n = &g->networks[g->count];
	struct store_crawl crawl;

	if (g->count == g->cap)
		return ERR_OK; /* as many as the census tells apart */
	*n = (struct serve_network){ .crawls = network->crawls };
	snprintf(n->of.name, sizeof(n->of.name), "%s", network->name);
	for (size_t i = 0; i < g->of_count; i++) {
		if (strcmp(g->of[i].name, n->of.name) == 0)
			n->of = g->of[i];
	}
	if (network->newest_crawl != 0 &&
	    store_crawl_get(g->s->store, network->newest_crawl, NULL, &crawl) == ERR_OK) {
		n->has_newest = true;
		n->newest = crawl;
		n->running = crawl.ended_at_ms == 0 && store_crawl_running(g->s->store, crawl.id);
	}
	g->count++;
	return ERR_OK;
}

static enum err sum_up(struct serve *s)
{
	struct summing g = { .s = s, .cap = CENSUS_NETWORKS_MAX };
	struct census_network *of = calloc(CENSUS_NETWORKS_MAX, sizeof(*of));
	enum err err = ERR_NOMEM;

	g.networks = calloc(g.cap, sizeof(*g.networks));
	if (of != NULL && g.networks != NULL) {
		g.of_count = census_networks(s->census, of, CENSUS_NETWORKS_MAX);
		g.of_count = g.of_count < CENSUS_NETWORKS_MAX ? g.of_count : CENSUS_NETWORKS_MAX;
		g.of = of;
		err = store_networks(s->store, on_network, &g);
	}
	free(of);
	if (err != ERR_OK) {
		free(g.networks);
		return err;
	}
	pthread_mutex_lock(&s->lock);
	free(s->networks);
	s->networks = g.networks;
	s->networks_count = g.count;
	pthread_mutex_unlock(&s->lock);
	return ERR_OK;
}

/* --- crawls that go on --- */

static json_t *crawl_event(const struct serve_running *r, bool running)
{
	uint64_t every_s = r->crawl.every_ms / 1000;
	uint64_t known = r->known > r->progress.visited ? r->known : r->progress.visited;

	return json_pack("{s:I s:s s:o s:b s:I s:I s:I s:I s:f s:o}", "id", (json_int_t)r->crawl.id,
			 "network", r->crawl.network, "started_at",
			 api_time(r->crawl.started_at_ms), "running", (int)running, "known",
			 (json_int_t)known, "visited", (json_int_t)r->progress.visited, "reached",
			 (json_int_t)r->progress.reached, "waiting",
			 (json_int_t)(running ? known - r->progress.visited : 0), "per_second",
			 r->per_second, "every_seconds",
			 r->crawl.every_ms > 0 ? json_integer((json_int_t)every_s) : json_null());
}

struct telling {
	const struct serve *s;
	const struct serve_running *running;
	json_t *items;
};

static json_t *location(bool there, double degrees)
{
	return there ? json_real(degrees) : json_null();
}

static enum err on_visit(void *ctx, const struct store_recent *v)
{
	struct telling *t = ctx;
	struct geo_place place;
	char url[PEER_URL_MAX];

	peer_url(t->running->crawl.network, &v->peer.addr, v->peer.node_id, v->peer.tcp_port, url);
	geo_find(t->s->config.geo, &v->peer.addr, &place);
	json_array_append_new(
		t->items,
		json_pack("{s:I s:s s:s s:b s:o s:o s:o s:o}", "id", (json_int_t)v->id, "peer", url,
			  "outcome", outcome_name(v->outcome), "reached", (int)v->reached, "agent",
			  api_text_if(v->has_agent, v->agent), "country",
			  api_text_if(place.country[0] != '\0', slice_text(place.country)),
			  "latitude", location(place.has_location, place.latitude), "longitude",
			  location(place.has_location, place.longitude)));
	return ERR_OK;
}

static enum err tell_visits(struct serve *s, const struct serve_running *r, int64_t above)
{
	struct telling t = { .s = s, .running = r, .items = json_array() };
	enum err err = store_recent(s->store, r->crawl.id, above, VISITS_TOLD, on_visit, &t);
	size_t told = json_array_size(t.items);
	uint64_t more = r->progress.fresh > told ? r->progress.fresh - told : 0;

	if (err == ERR_OK && told > 0)
		serve_feed_add(&s->feed, r->crawl.network, "visits",
			       json_pack("{s:I s:O s:I}", "crawl", (json_int_t)r->crawl.id, "items",
					 t.items, "more", (json_int_t)more));
	json_decref(t.items);
	return err;
}

/* Looks how far it has come, and tells. */
static enum err follow(struct serve *s, struct serve_running *r)
{
	int64_t above = r->progress.last_visit, now = serve_now_ms(), took = now - r->at_ms;
	uint64_t before = r->progress.visited;
	bool is_first = r->at_ms == 0;
	enum err err = store_progress(s->store, r->crawl.id, &r->progress);

	if (err != ERR_OK)
		return err;
	if (!is_first && took > 0)
		r->per_second = (double)(r->progress.visited - before) * 1000 / (double)took;
	r->at_ms = now;
	if (now - r->known_at_ms >= 20 * r->known_cost_ms) {
		err = store_progress_known(s->store, r->crawl.id, &r->known);
		r->known_at_ms = now;
		r->known_cost_ms = serve_now_ms() - now;
	}
	if (err == ERR_OK && !is_first && r->progress.fresh > 0)
		err = tell_visits(s, r, above);
	serve_feed_add(&s->feed, r->crawl.network, "crawl", crawl_event(r, true));
	return err;
}

/* What is shown of the network follows as well. */
static void show_progress(struct serve *s, const struct serve_running *r, bool running)
{
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->networks_count; i++) {
		struct serve_network *n = &s->networks[i];

		if (!n->has_newest || n->newest.id != r->crawl.id)
			continue;
		n->running = running;
		if (n->newest.ended_at_ms == 0) {
			n->newest.known = r->known;
			n->newest.visited = r->progress.visited;
			n->newest.reached = r->progress.reached;
		}
	}
	pthread_mutex_unlock(&s->lock);
}

static void tell_end(struct serve *s, struct serve_running *r)
{
	struct store_crawl crawl;

	if (store_crawl_get(s->store, r->crawl.id, NULL, &crawl) == ERR_OK &&
	    crawl.ended_at_ms > 0) {
		r->known = crawl.known;
		r->progress.visited = crawl.visited;
		r->progress.reached = crawl.reached;
	}
	show_progress(s, r, false);
	r->per_second = 0;
	serve_feed_add(&s->feed, r->crawl.network, "crawl", crawl_event(r, false));
}

/* Takes up those that have begun. */
static void find_running(struct serve *s)
{
	for (size_t i = 0; i < s->networks_count; i++) {
		const struct serve_network *n = &s->networks[i];
		bool known = !n->has_newest || !n->running;

		for (size_t k = 0; k < s->running_count && !known; k++)
			known = s->running[k].crawl.id == n->newest.id;
		if (!known && s->running_count < SERVE_RUNNING_MAX)
			s->running[s->running_count++] =
				(struct serve_running){ .crawl = n->newest };
	}
}

/* An end tells; also that of a crawl that was killed, which writes nothing. */
static enum err follow_all(struct serve *s)
{
	enum err err = ERR_OK;
	size_t kept = 0;

	find_running(s);
	for (size_t i = 0; i < s->running_count; i++) {
		struct serve_running *r = &s->running[i];

		/* After an error the others are looked at the next time. */
		if (err == ERR_OK && !store_crawl_running(s->store, r->crawl.id)) {
			tell_end(s, r);
			continue;
		}
		if (err == ERR_OK) {
			err = follow(s, r);
			show_progress(s, r, true);
		}
		s->running[kept++] = *r;
	}
	s->running_count = kept;
	return err;
}

/* --- the thread --- */

static void tell_changed(struct serve *s)
{
	uint64_t version = census_version(s->census);

	if (version == s->told_version || serve_now_ms() - s->told_ms < SERVE_CHANGED_MS)
		return;
	s->told_version = version;
	s->told_ms = serve_now_ms();
	serve_feed_add(&s->feed, NULL, "changed",
		       json_pack("{s:I}", "version", (json_int_t)version));
}

/* A copy of an older database does not change, and handlers take turns at it. */
static void lend_copy(struct serve *s)
{
	pthread_mutex_lock(&s->lock);
	if (s->is_copy) {
		s->stores[0] = s->store;
		s->store = NULL;
	}
	s->ready = true;
	s->why[0] = '\0';
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static enum err look_inside(struct serve *s)
{
	int64_t version;
	enum err err = store_version(s->store, &version);

	if (err == ERR_OK && version != s->version) {
		err = census_refresh(s->census, s->store, serve_now_ms());
		if (err == ERR_OK)
			err = sum_up(s);
		if (err == ERR_OK)
			s->version = version;
	}
	if (err == ERR_OK)
		err = follow_all(s);
	if (err == ERR_OK)
		lend_copy(s);
	return err;
}

static void look(struct serve *s)
{
	enum err err;

	if (!look_at_file(s))
		return;
	if (s->store != NULL) {
		err = look_inside(s);
		/* Who holds it for long is told; a damaged one is opened anew, as somebody may
		 * have repaired it. */
		if (err != ERR_OK && s->store != NULL) {
			set_why(s, err == ERR_NOMEM ? "out of memory: end other programs, or give "
						      "this one more"
						    : store_why(s->store));
			if (err != ERR_BUSY)
				memset(&s->file, 0, sizeof(s->file));
		}
	}
	tell_changed(s);
	http_wake(s->http);
}

void *serve_watch(void *serve)
{
	struct serve *s = serve;
	bool stopping = false;

	while (!stopping) {
		int64_t began_ms = serve_now_ms(), pause_ms;
		struct timespec until;

		look(s);
		pause_ms = 10 * (serve_now_ms() - began_ms);
		pause_ms = pause_ms > SERVE_LOOK_MS ? pause_ms : SERVE_LOOK_MS;
		pause_ms = pause_ms < SERVE_LOOK_MAX_MS ? pause_ms : SERVE_LOOK_MAX_MS;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += pause_ms / 1000;
		pthread_mutex_lock(&s->lock);
		while (!s->stopping && pthread_cond_timedwait(&s->changed, &s->lock, &until) == 0)
			continue;
		stopping = s->stopping;
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}
