#include "api/visit.h"
#include "store/book.h"
#include "store/query.h"

#include <stdio.h>
#include <stdlib.h>

enum { STORE_SENTENCE_MAX = 640 };

struct pw_store {
	struct store *store; /* NULL: it could not be opened */
	bool asked;          /* a callback is running */
	char why[STORE_SENTENCE_MAX];
};

enum pw_err pw_store_open(const char *path, struct pw_store **out)
{
	struct pw_store *s = calloc(1, sizeof(*s));

	*out = s;
	if (s == NULL)
		return PW_ERR_NOMEM;
	return api_err(store_open(path, STORE_READ, &s->store, s->why, sizeof(s->why)));
}

void pw_store_close(struct pw_store *store)
{
	if (store == NULL)
		return;
	if (store->store != NULL)
		store_close(store->store);
	free(store);
}

const char *pw_store_why(const struct pw_store *store)
{
	return store->why;
}

/* --- questions --- */

/* One of the functions is there. */
struct question {
	pw_kept_crawl_fn *on_crawl;
	pw_kept_peer_fn *on_peer;
	pw_kept_visit_fn *on_visit;
	pw_kept_address_fn *on_address;
	void *ctx;
	bool enough; /* the callback wants no more */
};

/* False: it can't be asked, and *err says why. */
static bool question_begin(struct pw_store *s, enum pw_err *err)
{
	*err = s->store == NULL ? PW_ERR_NOT_FOUND : PW_ERR_BUSY;
	if (s->store == NULL)
		return false; /* `why` is still that of opening */
	if (s->asked) {
		snprintf(s->why, sizeof(s->why),
			 "a callback has asked the store that it is called by; open the database "
			 "once more for that");
		return false;
	}
	s->asked = true;
	s->why[0] = 0;
	return true;
}

/* ERR_FULL: a callback has had enough. */
static enum err more_if(struct question *q, bool more)
{
	q->enough = !more;
	return more ? ERR_OK : ERR_FULL;
}

static enum pw_err question_end(struct pw_store *s, const struct question *q, enum err err)
{
	s->asked = false;
	if (err == ERR_OK || q->enough)
		return PW_OK;
	snprintf(s->why, sizeof(s->why), "%s", store_why(s->store));
	return api_err(err);
}

static struct store_filter filter_of(const char *network, int64_t crawl)
{
	struct store_filter filter = STORE_FILTER_ANY;

	filter.network = network;
	filter.crawl_id = crawl;
	return filter;
}

static enum err tell_crawl(void *ctx, const struct store_crawl *c)
{
	struct question *q = ctx;
	const struct pw_kept_crawl told = {
		.crawl = c->id,
		.network = c->network,
		.started_at_ms = c->started_at_ms,
		.ended_at_ms = c->ended_at_ms,
		.complete = c->complete,
		.known = c->known,
		.visited = c->visited,
		.reached = c->reached,
		.adverts = c->adverts,
		.bytes_in = c->bytes_in,
		.bytes_out = c->bytes_out,
		.settings = c->settings,
	};

	return more_if(q, q->on_crawl(q->ctx, &told));
}

enum pw_err pw_store_crawls(struct pw_store *store, const char *network, pw_kept_crawl_fn *on_crawl,
			    void *ctx)
{
	struct question q = { .on_crawl = on_crawl, .ctx = ctx };
	enum pw_err err;

	if (!question_begin(store, &err))
		return err;
	return question_end(store, &q, store_crawls(store->store, network, tell_crawl, &q));
}

/* A peer is told in the words of its newest visit. */
static enum err tell_peer(void *ctx, const struct store_peer *p)
{
	struct question *q = ctx;
	struct node_info node = p->node;
	const struct record record = {
		.addr = p->addr,
		.outcome = p->outcome,
		.info = { .agent = p->agent,
			  .node_id = p->public,
			  .has_version = p->has_version,
			  .protocol = p->protocol,
			  .services = p->services,
			  .height = p->height },
		.node = p->public.len > 0 ? &node : NULL,
	};
	struct api_visit visit;
	struct pw_kept_peer told;

	node.tcp_port = p->tcp_port;
	api_visit(&visit, &record, true);
	told = (struct pw_kept_peer){
		.network = p->network,
		.peer = visit.visit.peer,
		.host = visit.visit.host,
		.port = visit.visit.port,
		.visited = p->visited,
		.visited_at_ms = p->visit_at_ms,
		.outcome = visit.visit.outcome,
		.reached = p->reached,
		.connect_ms = p->connect_ms,
		.handshake_ms = p->handshake_ms,
		.info = visit.visit.info,
		.node = visit.visit.node,
		.first_seen_ms = p->first_seen_ms,
		.last_seen_ms = p->last_seen_ms,
		.last_reached_ms = p->last_reached_ms,
		.visits = p->visits,
		.visits_reached = p->reached_count,
	};
	return more_if(q, q->on_peer(q->ctx, &told));
}

enum pw_err pw_store_peers(struct pw_store *store, const char *network, int64_t crawl,
			   pw_kept_peer_fn *on_peer, void *ctx)
{
	const struct store_filter filter = filter_of(network, crawl);
	struct question q = { .on_peer = on_peer, .ctx = ctx };
	enum pw_err err;

	if (!question_begin(store, &err))
		return err;
	return question_end(store, &q, store_peers(store->store, &filter, tell_peer, &q));
}

static enum err tell_visit(void *ctx, const struct store_visit *v)
{
	struct question *q = ctx;
	struct record record = v->record;
	struct node_info node;
	struct api_visit visit;
	struct pw_kept_visit told = { v->network, v->crawl_id, &visit.visit };

	if (record.node != NULL) {
		node = *record.node;
		node.tcp_port = v->tcp_port;
		record.node = &node;
	}
	api_visit(&visit, &record, true);
	return more_if(q, q->on_visit(q->ctx, &told));
}

enum pw_err pw_store_visits(struct pw_store *store, const char *network, int64_t crawl,
			    pw_kept_visit_fn *on_visit, void *ctx)
{
	const struct store_filter filter = filter_of(network, crawl);
	struct question q = { .on_visit = on_visit, .ctx = ctx };
	enum pw_err err;

	if (!question_begin(store, &err))
		return err;
	return question_end(store, &q, store_visits(store->store, &filter, tell_visit, &q));
}

static enum err tell_address(void *ctx, const char *book, const struct store_book_row *row)
{
	struct question *q = ctx;
	char peer[ENODE_TEXT_MAX], host[NETADDR_HOST_TEXT_MAX];
	const struct pw_kept_address told = {
		.book = book,
		.peer = peer,
		.host = host,
		.port = row->addr.port,
		.services = row->services,
		.tried = row->tried,
		.named_s = row->named_s,
		.asked_s = row->asked_s,
		.good_s = row->good_s,
		.failures = row->failures,
	};

	if (row->node_id.len == ENODE_KEY_LEN)
		enode_url(row->node_id.data, &row->addr, row->tcp_port, peer);
	else
		netaddr_text(&row->addr, peer);
	netaddr_host_text(&row->addr, host);
	return more_if(q, q->on_address(q->ctx, &told));
}

enum pw_err pw_store_addresses(struct pw_store *store, const char *network,
			       pw_kept_address_fn *on_address, void *ctx)
{
	const struct store_filter filter = filter_of(network, 0);
	struct question q = { .on_address = on_address, .ctx = ctx };
	enum pw_err err;

	if (!question_begin(store, &err))
		return err;
	return question_end(store, &q, store_books(store->store, &filter, tell_address, &q));
}
