#include "report/export.h"

#include "report/export_format.h"

#include <string.h>

enum {
	FLUSH_BYTES = 64 * 1024, /* output is handed on in pieces of about this size */
	PEER_TEXT_MAX = 64 + 3 + NETADDR_TEXT_MAX, /* network://HOST:PORT */
};

const struct export_format export_formats[] = {
	{ "csv", "comma-separated values with a line of names (RFC 4180)", export_csv },
	{ "jsonl", "one JSON object a line", export_jsonl },
	{ "json", "one JSON array", export_json },
	{ NULL, NULL, NULL },
};

const char *const export_whats[] = { "peers", "visits", "adverts", NULL };

/* The first seventeen are a promise to scripts (docs/cli.md): add at the end only. */
static const char *const peer_names[] = {
	"network",
	"peer",
	"address",
	"port",
	"node_id",
	"outcome",
	"agent",
	"protocol",
	"services",
	"height",
	"first_seen",
	"last_seen",
	"last_reached",
	"connect_ms",
	"handshake_ms",
	"visits",
	"reached_count",
	"kind",
	"claimed_services",
	"claimed_last_seen",
};

static const char *const visit_names[] = {
	"crawl",       "network",    "peer",         "address",     "port",         "node_id",
	"started_at",  "outcome",    "reached",      "tries",       "stepwise",     "rule",
	"connect_ms",  "version_ms", "handshake_ms", "reply_ms",    "total_ms",     "agent",
	"protocol",    "services",   "height",       "relay",       "clock_skew_s", "feefilter",
	"negotiation", "sees_us_as", "adverts",      "adverts_new", "adverts_cut",  "messages_in",
	"unknown_in",  "bytes_in",   "bytes_out",    "kind",
};

static const char *const advert_names[] = {
	"crawl",   "network", "at",       "from",      "peer",
	"address", "port",    "services", "last_seen", "kind",
};

struct export
{
	export_format_fn *write;
	const char *const *names;
	size_t count;
	export_sink_fn *sink;
	void *sink_ctx;
	struct text out;
	uint64_t rows;
};

static struct export_cell none(void)
{
	return (struct export_cell){ .kind = EXPORT_NONE };
}

static struct export_cell number(int64_t v)
{
	return (struct export_cell){ .kind = EXPORT_INT, .number = v };
}

static struct export_cell number_if(bool there, int64_t v)
{
	return there ? number(v) : none();
}

static struct export_cell unumber(uint64_t v)
{
	return (struct export_cell){ .kind = EXPORT_UINT, .unumber = v };
}

static struct export_cell unumber_if(bool there, uint64_t v)
{
	return there ? unumber(v) : none();
}

static struct export_cell boolean_if(bool there, bool v)
{
	return there ? (struct export_cell){ .kind = EXPORT_BOOL, .number = v } : none();
}

static struct export_cell time_s(int64_t unix_ms)
{
	return unix_ms >= 0 ? (struct export_cell){ .kind = EXPORT_TIME, .number = unix_ms }
			    : none();
}

/* Seconds as others claim them: years after 9999 have no ISO form of four digits. */
static struct export_cell claimed_time(bool there, int64_t unix_s)
{
	return there && unix_s >= 0 && unix_s < 253402300800 ? time_s(unix_s * 1000) : none();
}

static struct export_cell plain(struct slice s)
{
	return (struct export_cell){ .kind = EXPORT_PLAIN, .text = s };
}

static struct export_cell word(const char *s)
{
	return plain(slice_text(s));
}

static struct export_cell stranger_if(bool there, struct slice s)
{
	return there ? (struct export_cell){ .kind = EXPORT_STRANGER, .text = s } : none();
}

static struct export_cell peer_text(const char *network, const struct netaddr *a,
				    char out[static PEER_TEXT_MAX])
{
	size_t len = strnlen(network, 63);

	memcpy(out, network, len);
	memcpy(out + len, "://", 3);
	len += 3;
	len += netaddr_text(a, out + len);
	return plain(slice_of(out, len));
}

static enum err flush(struct export *e)
{
	enum err err = e->out.err;

	if (err == ERR_OK && e->out.len > 0)
		err = e->sink(e->sink_ctx, slice_of(e->out.data, e->out.len));
	e->out.len = 0;
	return err;
}

static enum err put_row(struct export *e, const struct export_cell *cells)
{
	e->write(&e->out, EXPORT_ROW, e->rows++, e->names, cells, e->count);
	return e->out.len >= FLUSH_BYTES || e->out.err != ERR_OK ? flush(e) : ERR_OK;
}

static enum err on_peer(void *ctx, const struct store_peer *p)
{
	char peer[PEER_TEXT_MAX];
	const struct export_cell cells[] = {
		word(p->network),
		peer_text(p->network, &p->addr, peer),
		plain(p->address),
		number(p->addr.port),
		plain(p->node_id),
		p->visited ? word(outcome_name(p->outcome)) : none(),
		stranger_if(p->has_version, p->agent),
		number_if(p->has_version, p->protocol),
		unumber_if(p->has_version, p->services),
		number_if(p->has_version && p->height >= 0, p->height),
		time_s(p->first_seen_ms),
		time_s(p->last_seen_ms),
		time_s(p->last_reached_ms),
		number_if(p->connect_ms >= 0, p->connect_ms),
		number_if(p->handshake_ms >= 0, p->handshake_ms),
		unumber(p->visits),
		unumber(p->reached_count),
		word(netaddr_kind_name(p->addr.kind)),
		unumber_if(p->has_claim, p->claimed_services),
		claimed_time(p->has_claim, p->claimed_seen_s),
	};

	_Static_assert(sizeof(cells) / sizeof(*cells) == sizeof(peer_names) / sizeof(*peer_names),
		       "a name for each cell");
	return put_row(ctx, cells);
}

static enum err on_visit(void *ctx, const struct store_visit *v)
{
	const struct record *r = &v->record;
	const struct peer_info *i = &r->info;
	char peer[PEER_TEXT_MAX], host[NETADDR_HOST_TEXT_MAX], us[NETADDR_TEXT_MAX];
	char node_id[2 * PEER_NODE_ID_MAX + 1];
	bool has_us = i->sees_us_as.kind != NETADDR_NONE;
	size_t host_len = netaddr_host_text(&r->addr, host);
	size_t us_len = has_us ? netaddr_text(&i->sees_us_as, us) : 0;

	hex_encode(i->node_id, node_id);
	const struct export_cell cells[] = {
		number(v->crawl_id),
		word(v->network),
		peer_text(v->network, &r->addr, peer),
		plain(slice_of(host, host_len)),
		number(r->addr.port),
		word(node_id),
		{ .kind = EXPORT_TIME_MS, .number = r->started_at_ms },
		word(outcome_name(r->outcome)),
		boolean_if(true, r->reached),
		number(r->tries),
		boolean_if(true, r->stepwise),
		stranger_if(r->rule != NULL, slice_text(r->rule != NULL ? r->rule : "")),
		number_if(r->connect_ms >= 0, r->connect_ms),
		number_if(r->version_ms >= 0, r->version_ms),
		number_if(r->handshake_ms >= 0, r->handshake_ms),
		number_if(r->reply_ms >= 0, r->reply_ms),
		number_if(r->total_ms >= 0, r->total_ms),
		stranger_if(i->has_version, i->agent),
		number_if(i->has_version, i->protocol),
		unumber_if(i->has_version, i->services),
		number_if(i->has_version && i->height >= 0, i->height),
		boolean_if(i->has_version, i->relay),
		number_if(i->has_clock, i->clock_skew_s),
		unumber_if(i->has_feefilter, i->feefilter),
		stranger_if(i->negotiation.len > 0, i->negotiation),
		has_us ? plain(slice_of(us, us_len)) : none(),
		number(r->adverts),
		number(r->adverts_new),
		number(r->adverts_cut),
		number(r->messages_in),
		number(r->unknown_in),
		unumber(r->bytes_in),
		unumber(r->bytes_out),
		word(netaddr_kind_name(r->addr.kind)),
	};

	_Static_assert(sizeof(cells) / sizeof(*cells) == sizeof(visit_names) / sizeof(*visit_names),
		       "a name for each cell");
	return put_row(ctx, cells);
}

static enum err on_advert(void *ctx, const struct store_advert *a)
{
	const struct netaddr *addr = &a->advert.addr;
	char from[PEER_TEXT_MAX], peer[PEER_TEXT_MAX], host[NETADDR_HOST_TEXT_MAX];
	const struct export_cell cells[] = {
		number(a->crawl_id),
		word(a->network),
		time_s(a->at_ms),
		peer_text(a->network, &a->from.addr, from),
		peer_text(a->network, addr, peer),
		plain(slice_of(host, netaddr_host_text(addr, host))),
		number(addr->port),
		unumber(a->advert.services),
		claimed_time(true, a->advert.last_seen_s),
		word(netaddr_kind_name(addr->kind)),
	};

	_Static_assert(sizeof(cells) / sizeof(*cells) ==
			       sizeof(advert_names) / sizeof(*advert_names),
		       "a name for each cell");
	return put_row(ctx, cells);
}

static enum err walk_peers(struct store *s, const struct store_filter *filter, struct export *e)
{
	return store_peers(s, filter, on_peer, e);
}

static enum err walk_visits(struct store *s, const struct store_filter *filter, struct export *e)
{
	return store_visits(s, filter, on_visit, e);
}

static enum err walk_adverts(struct store *s, const struct store_filter *filter, struct export *e)
{
	return store_adverts(s, filter, on_advert, e);
}

/* In the order of export_whats. */
static const struct {
	const char *const *names;
	size_t count;
	enum err (*walk)(struct store *s, const struct store_filter *filter, struct export *e);
} whats[] = {
	{ peer_names, sizeof(peer_names) / sizeof(*peer_names), walk_peers },
	{ visit_names, sizeof(visit_names) / sizeof(*visit_names), walk_visits },
	{ advert_names, sizeof(advert_names) / sizeof(*advert_names), walk_adverts },
};

enum err export_run(struct store *s, const char *what, const char *format,
		    const struct store_filter *filter, export_sink_fn *sink, void *sink_ctx,
		    uint64_t *rows)
{
	const struct export_format *f = export_formats;
	struct export e = { .sink = sink, .sink_ctx = sink_ctx };
	struct store_crawl crawl;
	size_t i = 0;
	enum err err;

	*rows = 0;
	while (f->name != NULL && strcmp(f->name, format) != 0)
		f++;
	while (export_whats[i] != NULL && strcmp(export_whats[i], what) != 0)
		i++;
	if (f->name == NULL || export_whats[i] == NULL)
		return ERR_NOT_FOUND;
	e.write = f->write;
	e.names = whats[i].names;
	e.count = whats[i].count;
	err = store_read_begin(s);
	if (err == ERR_OK && filter->crawl_id != 0)
		err = store_crawl_get(s, filter->crawl_id, filter->network, &crawl);
	if (err == ERR_OK) {
		e.write(&e.out, EXPORT_HEAD, 0, e.names, NULL, e.count);
		err = whats[i].walk(s, filter, &e);
	}
	if (err == ERR_OK) {
		e.write(&e.out, EXPORT_TAIL, e.rows, e.names, NULL, e.count);
		err = flush(&e);
	}
	store_read_end(s);
	text_clear(&e.out);
	*rows = e.rows;
	return err;
}
