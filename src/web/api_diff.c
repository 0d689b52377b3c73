/* api_diff.c: from one crawl to another, in pages.
 *
 * The first question walks over both crawls, and keeps of each peer that is another one then its
 * number and what became of it; pages look up what they show. */
#include "web/serve_inner.h"

#include "report/diff.h"
#include "report/peer_url.h"
#include "report/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* Peers that can be listed (8 bytes each); the counts are of all. */
	DIFF_ITEMS_MAX = 1000 * 1000,
	KIND_BITS = 3,
};

_Static_assert(DIFF_KINDS <= 1 << KIND_BITS, "a kind has room beside the number");

/* What is kept: the counts, and each peer's number with its kind. */
struct kept {
	uint64_t counts[DIFF_KINDS];
	size_t len;
	uint64_t items[];
};

static const char *const whats[DIFF_KINDS] = {
	[DIFF_NEW] = "came",
	[DIFF_BACK] = "back",
	[DIFF_LEFT] = "went",
	[DIFF_CHANGED] = "changed",
};

/* --- the walk --- */

struct walk {
	struct store *store;
	int64_t a, b;
	uint64_t counts[DIFF_KINDS];
	struct text items;
	size_t len;
};

static enum err add(struct walk *w, int64_t id, enum diff_kind kind)
{
	uint64_t item = (uint64_t)id << KIND_BITS | kind;

	w->counts[kind]++;
	if (kind == DIFF_SAME || w->len == DIFF_ITEMS_MAX)
		return ERR_OK;
	w->len++;
	text_add_slice(&w->items, slice_of(&item, sizeof(item)));
	return w->items.err;
}

static enum err on_said(void *ctx, const struct store_change *c)
{
	return add(ctx, c->id, diff_kind(c));
}

static enum err on_difference(void *ctx, int64_t id, enum store_difference what)
{
	struct walk *w = ctx;

	switch (what) {
	case STORE_WENT:
		return add(w, id, DIFF_LEFT);
	case STORE_CAME:
		return add(w, id, DIFF_NEW);
	case STORE_BACK:
		return add(w, id, DIFF_BACK);
	case STORE_SAID:
		break;
	}
	return store_change_of(w->store, w->a, w->b, id, on_said, w);
}

struct making {
	struct store *store;
	int64_t a, b;
};

static enum err make(void *ctx, struct text *out)
{
	const struct making *m = ctx;
	struct walk w = { .store = m->store, .a = m->a, .b = m->b };
	enum err err = store_differences(m->store, m->a, m->b, on_difference, &w);
	struct kept head = { .len = w.len };

	memcpy(head.counts, w.counts, sizeof(head.counts));
	if (err == ERR_OK) {
		text_add_slice(out, slice_of(&head, sizeof(head)));
		text_add_slice(out, slice_of(w.items.data, w.items.len));
	}
	text_clear(&w.items);
	return err;
}

/* In out, which the caller clears. */
static enum err find(struct serve *s, struct store *store, const struct store_crawl *a,
		     const struct store_crawl *b, struct text *out)
{
	struct making m = { .store = store, .a = a->id, .b = b->id };
	bool over = a->ended_at_ms > 0 && b->ended_at_ms > 0;
	char key[SERVE_CACHE_KEY_MAX];

	snprintf(key, sizeof(key), "diff %" PRId64 " %" PRId64 " %d", a->id, b->id, over);
	return serve_kept(s, key, over, make, &m, out);
}

/* --- a page --- */

/* What it says otherwise; or how its visit ended, where it was not there in both. */
static json_t *side_json(const struct store_change_side *s, unsigned fields)
{
	struct text text = { 0 };
	json_t *out;

	if (fields == 0)
		return s->visited ? json_string(outcome_name(s->outcome)) : json_null();
	text_add(&text, "");
	for (enum diff_field i = 0; i < DIFF_FIELDS; i++) {
		if ((fields >> i & 1) == 0)
			continue;
		text_add(&text, text.len > 0 ? ", " : "");
		diff_add_value(&text, i, s);
	}
	out = text.err == ERR_OK ? json_stringn(text.data, text.len) : NULL;
	text_clear(&text);
	return out;
}

struct page {
	json_t *items;
	const char *network;
};

static enum err on_item(void *ctx, const struct store_change *c)
{
	struct page *p = ctx;
	enum diff_kind kind = diff_kind(c);
	unsigned fields = diff_fields(c);
	struct slice agent = c->is.agent.len > 0 ? c->is.agent : c->was.agent;
	char url[PEER_URL_MAX];
	json_t *item;

	/* It may have been something else when the list was made, while a crawl goes on. */
	if (kind == DIFF_SAME)
		return ERR_OK;
	peer_url(p->network, &c->addr, c->public, c->tcp_port, url);
	item = json_pack("{s:s s:I s:s s:o s:o s:o}", "what", whats[kind], "id", (json_int_t)c->id,
			 "peer", url, "agent", api_text_if(agent.len > 0, agent), "was",
			 side_json(&c->was, fields), "now", side_json(&c->is, fields));
	return json_array_append_new(p->items, item) == 0 ? ERR_OK : ERR_NOMEM;
}

struct asked {
	struct store_crawl a, b;
	int what; /* -1: all */
	size_t limit, cursor;
};

/* *next: where the following page begins; 0: there is none. */
static enum err fill(struct store *store, const struct asked *ask, const struct kept *kept,
		     struct page *page, size_t *next)
{
	enum err err = ERR_OK;
	size_t taken = 0;

	*next = 0;
	for (size_t i = ask->cursor; i < kept->len && err == ERR_OK; i++) {
		uint64_t item = kept->items[i];

		if (ask->what >= 0 && (int)(item & ((1 << KIND_BITS) - 1)) != ask->what)
			continue;
		if (taken++ == ask->limit) {
			*next = i;
			break;
		}
		err = store_change_of(store, ask->a.id, ask->b.id, (int64_t)(item >> KIND_BITS),
				      on_item, page);
	}
	return err;
}

static void answer(struct store *store, const struct asked *ask, const struct kept *kept,
		   struct http_response *r)
{
	struct page page = { .items = json_array(), .network = ask->b.network };
	char text[24];
	size_t next;
	enum err err = fill(store, ask, kept, &page, &next);

	if (err != ERR_OK) {
		json_decref(page.items);
		api_failed(r, store, err);
		return;
	}
	snprintf(text, sizeof(text), "%zu", next);
	api_send(r, json_pack("{s:o s:o s:I s:I s:I s:I s:o s:s?}", "a",
			      api_crawl_json(store, &ask->a), "b", api_crawl_json(store, &ask->b),
			      "came", (json_int_t)kept->counts[DIFF_NEW], "went",
			      (json_int_t)kept->counts[DIFF_LEFT], "back",
			      (json_int_t)kept->counts[DIFF_BACK], "changed",
			      (json_int_t)kept->counts[DIFF_CHANGED], "items", page.items, "next",
			      next > 0 ? text : NULL));
}

/* --- the question --- */

/* False: answered. */
static bool read_crawl(struct store *store, const struct http_request *q, struct http_response *r,
		       const char *name, struct store_crawl *out)
{
	const char *text = http_param(q, name);
	uint64_t id = 0;
	enum err err;

	if (text == NULL || parse_uint(text, INT64_MAX, &id) != ERR_OK || id == 0) {
		http_error(r, 400, "expected a=ID&b=ID, two crawls of one network");
		return false;
	}
	err = store_crawl_get(store, (int64_t)id, NULL, out);
	if (err == ERR_NOT_FOUND)
		http_error(r, 404, "there is no crawl %s; /api/v1/crawls lists all", text);
	else if (err != ERR_OK)
		api_failed(r, store, err);
	else if (out->pruned)
		http_error(r, 404,
			   "the visits of crawl %s are gone (crawl --keep); name a newer one",
			   text);
	return err == ERR_OK && !out->pruned;
}

static bool read_what(const struct http_request *q, struct http_response *r, int *out)
{
	const char *text = http_param(q, "what");

	*out = -1;
	for (int i = 0; i < DIFF_KINDS && text != NULL; i++) {
		if (whats[i] != NULL && strcmp(whats[i], text) == 0)
			*out = i;
	}
	if (text == NULL || *out >= 0)
		return true;
	http_error(r, 400, "what is \"%s\"; expected came, went, back or changed", text);
	return false;
}

void api_diff(struct serve *s, struct store *store, const struct http_request *q,
	      struct http_response *r)
{
	const char *cursor = http_param(q, "cursor");
	struct text room = { 0 };
	struct asked ask;
	uint64_t at = 0;
	enum err err;

	if (!api_known(q, r, "a b what limit cursor") ||
	    !api_number(q, r, "limit", API_LIMIT_DEFAULT, &ask.limit) ||
	    !read_what(q, r, &ask.what) || !read_crawl(store, q, r, "a", &ask.a) ||
	    !read_crawl(store, q, r, "b", &ask.b))
		return;
	if (strcmp(ask.a.network, ask.b.network) != 0) {
		http_error(r, 400,
			   "crawl %" PRId64 " is of %s, crawl %" PRId64 " of %s; expected "
			   "two of one network",
			   ask.a.id, ask.a.network, ask.b.id, ask.b.network);
		return;
	}
	if (cursor != NULL && parse_uint(cursor, DIFF_ITEMS_MAX, &at) != ERR_OK) {
		http_error(r, 400, "cursor is \"%s\"; expected what an answer has as next", cursor);
		return;
	}
	ask.cursor = (size_t)at;
	err = find(s, store, &ask.a, &ask.b, &room);
	/* Memory of malloc's is aligned for it. */
	if (err == ERR_OK)
		answer(store, &ask, (const struct kept *)(const void *)room.data, r);
	else
		api_failed(r, store, err);
	text_clear(&room);
}
