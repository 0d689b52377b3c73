#include "api/watch.h"

#include "engine/rounds.h"
#include "store/watch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum tidy {
	TIDY_NOTHING,
	TIDY_FORGET,
	TIDY_PRUNE,
};

/* Rounds that were killed and never resumed are few: each start ends so many of them. */
enum { LOST_MAX = 16 };

struct watch {
	struct watch_config config;
	struct store *store; /* holds the network, and is not that of the walks */
	uint64_t rounds;
	struct store_crawl last; /* the newest round; id 0: none */
	bool last_is_newest;     /* no crawl by itself came after it */
	uint64_t reached_before; /* in the round before that */
	int64_t lost[LOST_MAX];  /* rounds that did not end, and are not to be resumed */
	unsigned lost_count;
	bool seeds, resumed, ran; /* of the newest round; ran: by this process */
	enum tidy tidy;
	int64_t tidied_ms; /* when that was begun last; 0: never */
	uint64_t forgotten;
	char why[WALK_WHY_MAX];
};

/* --- what an earlier process has left --- */

static void add_lost(struct watch *w, int64_t id)
{
	if (w->lost_count < LOST_MAX)
		w->lost[w->lost_count++] = id;
}

static enum err on_crawl(void *ctx, const struct store_crawl *crawl)
{
	struct watch *w = ctx;

	w->last_is_newest = crawl->every_ms > 0;
	if (crawl->every_ms == 0)
		return ERR_OK;
	if (w->last.id > 0 && w->last.ended_at_ms == 0)
		add_lost(w, w->last.id);
	w->reached_before = w->last.reached;
	w->last = *crawl;
	w->rounds++;
	return ERR_OK;
}

/* What the visits of a round come to whose process could not say it. */
static enum err on_lost_visit(void *ctx, const struct store_visit *visit)
{
	struct store_crawl *c = ctx;
	const struct record *r = &visit->record;
	int64_t ended_ms = r->started_at_ms + (r->total_ms > 0 ? r->total_ms : 0);

	if (ended_ms > c->ended_at_ms)
		c->ended_at_ms = ended_ms;
	c->known++;
	c->visited++;
	c->reached += r->reached;
	return ERR_OK;
}

static enum err end_lost(struct watch *w, int64_t id)
{
	struct store_filter filter = STORE_FILTER_ANY;
	struct store_crawl crawl;
	enum err err = ERR_OK;
	bool looked;

	if (store_crawl_running(w->store, id))
		return ERR_OK; /* somebody resumed it by hand */
	filter.crawl_id = id;
	err = store_crawl_get(w->store, id, NULL, &crawl);
	if (err != ERR_OK)
		return err;
	crawl.ended_at_ms = crawl.started_at_ms;
	crawl.known = crawl.visited = crawl.reached = 0;
	crawl.complete = false;
	err = store_visits(w->store, &filter, on_lost_visit, &crawl);
	if (err == ERR_OK)
		err = store_round_end(w->store, &crawl, &looked);
	return err == ERR_OK ? store_crawl_end(w->store, &crawl) : err;
}

static bool is_resumable(const struct watch *w, int64_t now_ms)
{
	return w->last.id > 0 && w->last.ended_at_ms == 0 && w->last_is_newest &&
	       rounds_go_on(w->last.started_at_ms, (int64_t)w->last.every_ms, now_ms);
}

static enum err end_all_lost(struct watch *w)
{
	enum err err = ERR_OK;

	for (; err == ERR_OK && w->lost_count > 0; w->lost_count--)
		err = end_lost(w, w->lost[w->lost_count - 1]);
	return err;
}

static enum err open_watch(struct watch *w)
{
	enum err err = store_open(w->config.db, STORE_CREATE, &w->store, w->why, sizeof(w->why));

	if (err != ERR_OK)
		return err;
	err = store_watch_hold(w->store, w->config.network);
	if (err == ERR_OK)
		err = store_crawls(w->store, w->config.network, on_crawl, w);
	if (err != ERR_OK)
		snprintf(w->why, sizeof(w->why), "%s", store_why(w->store));
	return err;
}

enum err watch_new(const struct watch_config *config, struct watch **out,
		   char why[static WALK_WHY_MAX])
{
	struct watch *w = calloc(1, sizeof(*w));
	enum err err = ERR_NOMEM;

	*out = NULL;
	snprintf(why, WALK_WHY_MAX, "out of memory");
	if (w == NULL)
		return err;
	assert(config->every_ms > 0 && config->keep_ms > 0);
	w->config = *config;
	err = open_watch(w);
	if (err != ERR_OK) {
		snprintf(why, WALK_WHY_MAX, "%s", w->why);
		watch_free(w);
		return err;
	}
	*out = w;
	return ERR_OK;
}

void watch_free(struct watch *w)
{
	if (w != NULL && w->store != NULL)
		store_close(w->store);
	free(w);
}

/* --- what is next --- */

int64_t watch_next_ms(const struct watch *w, int64_t now_ms)
{
	if (w->last.id == 0 || is_resumable(w, now_ms))
		return now_ms;
	return rounds_next_ms(w->last.started_at_ms, (int64_t)w->config.every_ms, now_ms);
}

static bool is_untidy(const struct watch *w, int64_t now_ms)
{
	return w->ran && (w->tidied_ms == 0 || now_ms < w->tidied_ms ||
			  now_ms - w->tidied_ms >= WATCH_TIDY_EVERY_MS);
}

enum watch_step watch_next(struct watch *w, int64_t now_ms)
{
	if (is_untidy(w, now_ms)) {
		w->tidied_ms = now_ms;
		w->tidy = TIDY_FORGET;
	}
	if (w->tidy != TIDY_NOTHING &&
	    now_ms - w->last.started_at_ms - (int64_t)w->config.every_ms < WATCH_TIDY_LATE_MS)
		return WATCH_TIDY;
	return watch_next_ms(w, now_ms) <= now_ms ? WATCH_ROUND : WATCH_WAIT;
}

static enum err tidy(struct watch *w, int64_t now_ms)
{
	uint64_t forgotten = 0;
	bool more = false;
	enum err err = ERR_OK;

	switch (w->tidy) {
	case TIDY_NOTHING:
		break;
	case TIDY_FORGET:
		err = store_watch_forget(w->store, w->config.network, now_ms, &forgotten);
		w->forgotten += forgotten;
		w->tidy = TIDY_PRUNE;
		break;
	case TIDY_PRUNE:
		err = store_prune(w->store, w->config.network, now_ms, (int64_t)w->config.keep_ms,
				  &more);
		if (!more)
			w->tidy = TIDY_NOTHING;
		break;
	}
	return err;
}

enum err watch_tidy(struct watch *w, int64_t now_ms)
{
	enum err err = tidy(w, now_ms);

	if (err == ERR_BUSY) {
		w->tidy = TIDY_NOTHING;
		return ERR_OK;
	}
	if (err != ERR_OK)
		snprintf(w->why, sizeof(w->why), "%s", store_why(w->store));
	return err;
}

/* --- rounds --- */

enum err watch_begin(struct watch *w, struct walk_config *config, int64_t now_ms, struct walk **out)
{
	enum err err;

	w->resumed = is_resumable(w, now_ms);
	if (!w->resumed && w->last.id > 0 && w->last.ended_at_ms == 0)
		add_lost(w, w->last.id);
	err = end_all_lost(w);
	if (err != ERR_OK) {
		snprintf(w->why, sizeof(w->why), "%s", store_why(w->store));
		return err;
	}
	w->seeds = (w->resumed ? w->reached_before : w->last.reached) < WATCH_FEW;
	config->db = w->config.db;
	config->resume = w->resumed;
	config->every_ms = w->config.every_ms;
	config->due_before_ms =
		rounds_due_before_ms(w->last.started_at_ms, (int64_t)w->config.every_ms, now_ms);
	err = walk_new(config, out, w->why);
	if (err == ERR_OK)
		w->rounds += !w->resumed;
	return err;
}

bool watch_wants_seeds(const struct watch *w)
{
	return w->seeds;
}

void watch_end(struct watch *w, const struct walk_result *result)
{
	w->ran = true;
	w->last_is_newest = true;
	w->last.id = result->crawl_id;
	w->last.started_at_ms = result->started_at_ms;
	w->last.every_ms = w->config.every_ms;
	w->last.ended_at_ms = result->started_at_ms + (int64_t)result->elapsed_ms;
	w->last.reached = result->stats.reached;
}

uint64_t watch_round(const struct watch *w)
{
	return w->rounds;
}

bool watch_is_resumed(const struct watch *w)
{
	return w->resumed;
}

uint64_t watch_forgotten(const struct watch *w)
{
	return w->forgotten;
}

const char *watch_why(const struct watch *w)
{
	return w->why;
}
