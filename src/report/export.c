#include "report/export.h"

#include "report/export_bitnodes.h"
#include "report/export_enrtree.h"
#include "report/export_format.h"
#include "report/export_graph.h"
#include "report/export_nodes.h"
#include "report/export_seeds.h"
#include "report/export_zone.h"
#include "report/peer_url.h"
#include "store/book.h"

#include <stdio.h>
#include <string.h>

enum {
	FLUSH_BYTES = 64 * 1024,         /* output is handed on in pieces of about this size */
	BYTES_TEXT_MAX = 2 + 2 * 32 + 1, /* 0x and a hash */
};

const struct export_format export_formats[] = {
	{ "csv", "comma-separated values with a line of names (RFC 4180)", .write = export_csv },
	{ "jsonl", "one JSON object a line", .write = export_jsonl },
	{ "json", "one JSON array", .write = export_json },
	{ "nodeset", "nodes as go-ethereum's devp2p tool keeps them", .what = "peers",
	  .run = export_nodes_run, .form = EXPORT_NODES_SET },
	{ "enodes", "one enode URL a line", .what = "peers", .run = export_nodes_run,
	  .form = EXPORT_NODES_URLS },
	{ "enrs", "one node record a line", .what = "peers", .run = export_nodes_run,
	  .form = EXPORT_NODES_RECORDS },
	{ "enrtree", "node records as a signed tree in a DNS zone file", .what = "peers",
	  .run = export_enrtree_run },
	{ "seeds", "the table that bitcoin-seeder dumps, and makeseeds.py reads", .what = "peers",
	  .run = export_seeds_run },
	{ "zone", "a zone file for a DNS seed", .what = "peers", .run = export_zone_run },
	{ "bitnodes", "a snapshot as Bitnodes publishes them", .what = "peers",
	  .run = export_bitnodes_run },
	{ "dot", "a graph for Graphviz", .what = "adverts", .run = export_graph_run,
	  .form = EXPORT_GRAPH_DOT },
	{ "graphml", "a graph in GraphML", .what = "adverts", .run = export_graph_run,
	  .form = EXPORT_GRAPH_GRAPHML },
	{ .name = NULL },
};

const char *const export_whats[] = { "peers", "visits", "adverts", "book", NULL };

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
	"tcp_port",
	"completeness",
	"entries",
	"session",
	"capabilities",
	"listen_port",
	"network_id",
	"genesis",
	"fork_hash",
	"fork_next",
	"head",
	"record_seq",
	"record",
	"country",
	"asn",
	"as_name",
};

static const char *const visit_names[] = {
	"crawl",        "network",    "peer",         "address",     "port",         "node_id",
	"started_at",   "outcome",    "reached",      "tries",       "stepwise",     "rule",
	"connect_ms",   "version_ms", "handshake_ms", "reply_ms",    "total_ms",     "agent",
	"protocol",     "services",   "height",       "relay",       "clock_skew_s", "feefilter",
	"negotiation",  "sees_us_as", "adverts",      "adverts_new", "adverts_cut",  "messages_in",
	"unknown_in",   "bytes_in",   "bytes_out",    "kind",        "tcp_port",     "completeness",
	"entries",      "session",    "capabilities", "listen_port", "network_id",   "genesis",
	"fork_hash",    "fork_next",  "head",         "record_seq",  "record",       "findnodes",
	"session_rule", "faults",     "country",      "asn",         "as_name",
};

static const char *const advert_names[] = {
	"crawl",   "network", "at",       "from",      "peer",
	"address", "port",    "services", "last_seen", "kind",
};

static const char *const book_names[] = {
	"book",     "peer",  "address", "port",    "node_id",   "tcp_port", "kind",
	"services", "tried", "named",   "reached", "attempted", "failures", "source",
};

struct export
{
	export_format_fn *write;
	const struct export_options *options;
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
	return there && unix_s > 0 && unix_s < 253402300800 ? time_s(unix_s * 1000) : none();
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
				    struct slice node_id, uint16_t tcp_port,
				    char out[static PEER_URL_MAX])
{
	return plain(slice_of(out, peer_url(network, a, node_id, tcp_port, out)));
}

/* "0x07c9462e". */
static struct export_cell bytes_if(bool there, const uint8_t *bytes, size_t len,
				   char out[static BYTES_TEXT_MAX])
{
	if (!there)
		return none();
	memcpy(out, "0x", 2);
	hex_encode(slice_of(bytes, len), out + 2);
	return plain(slice_of(out, 2 + 2 * len));
}

static struct export_cell word_if(const char *s)
{
	return stranger_if(s != NULL, slice_text(s != NULL ? s : ""));
}

enum {
	NODE_CELLS = 12,
	PLACE_CELLS = 3,
	/* Where they begin. */
	PEER_NODE_CELLS = 21,
	PEER_PLACE_CELLS = PEER_NODE_CELLS + NODE_CELLS,
	VISIT_NODE_CELLS = 35,
	VISIT_PLACE_CELLS = VISIT_NODE_CELLS + NODE_CELLS + 3,
};

struct node_texts {
	char genesis[BYTES_TEXT_MAX], fork_hash[BYTES_TEXT_MAX], head[BYTES_TEXT_MAX];
};

/* The columns from completeness to record, which peers and visits have alike. */
static void node_cells(const struct node_info *n, struct node_texts *t,
		       struct export_cell out[static NODE_CELLS])
{
	const struct peer_chain *c = &n->chain;
	const struct export_cell cells[NODE_CELLS] = {
		word_if(n->completeness),
		number_if(n->completeness != NULL, n->entries),
		word_if(n->session),
		stranger_if(n->has_hello, n->capabilities),
		number_if(n->has_hello, n->listen_port),
		unumber_if(c->has_status, c->network_id),
		bytes_if(c->has_status, c->genesis, sizeof(c->genesis), t->genesis),
		bytes_if(c->has_fork, c->fork_hash, sizeof(c->fork_hash), t->fork_hash),
		unumber_if(c->has_fork, c->fork_next),
		bytes_if(c->has_status, c->head, sizeof(c->head), t->head),
		unumber_if(n->has_record_seq, n->record_seq),
		stranger_if(n->record.len > 0, n->record),
	};

	memcpy(out, cells, sizeof(cells));
}

/* The columns from country to as_name. */
static void place_cells(const struct geo_place *p, struct export_cell out[static PLACE_CELLS])
{
	out[0] = p->country[0] != 0 ? word(p->country) : none();
	out[1] = number_if(p->asn != 0, p->asn);
	out[2] = stranger_if(p->as_name[0] != 0, slice_text(p->as_name));
}

static enum err put_row(struct export *e, const struct export_cell *cells)
{
	e->write(&e->out, EXPORT_ROW, e->rows++, e->names, cells, e->count);
	return export_flush(&e->out, EXPORT_FLUSH_BYTES, e->sink, e->sink_ctx);
}

/* The same with the columns of where addr is, from cell `at` on; nothing if it isn't wanted. */
static enum err put_placed_row(struct export *e, const struct netaddr *addr,
			       struct export_cell *cells, size_t at)
{
	struct geo_place place;

	if (!export_place(e->options, addr, &place))
		return ERR_OK;
	place_cells(&place, cells + at);
	return put_row(e, cells);
}

static enum err on_peer(void *ctx, const struct store_peer *p)
{
	/* A node offers capabilities instead of services, and may share no version of eth. */
	bool is_node = p->public.len > 0;
	char peer[PEER_URL_MAX];
	struct node_texts texts;
	struct export_cell cells[] = {
		word(p->network),
		peer_text(p->network, &p->addr, p->public, p->tcp_port, peer),
		plain(p->address),
		number(p->addr.port),
		plain(p->node_id),
		p->visited ? word(outcome_name(p->outcome)) : none(),
		stranger_if(p->has_version || p->agent.len > 0, p->agent),
		number_if(p->has_version && !(is_node && p->protocol == 0), p->protocol),
		unumber_if(p->has_version && !is_node, p->services),
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
		number_if(p->tcp_port != 0, p->tcp_port),
		[PEER_PLACE_CELLS + PLACE_CELLS - 1] = none(),
	};

	_Static_assert(sizeof(cells) / sizeof(*cells) == sizeof(peer_names) / sizeof(*peer_names),
		       "a name for each cell");
	node_cells(&p->node, &texts, cells + PEER_NODE_CELLS);
	return put_placed_row(ctx, &p->addr, cells, PEER_PLACE_CELLS);
}

static enum err on_visit(void *ctx, const struct store_visit *v)
{
	static const struct node_info no_node;
	const struct record *r = &v->record;
	const struct peer_info *i = &r->info;
	const struct node_info *n = r->node != NULL ? r->node : &no_node;
	bool is_node = r->node != NULL;
	struct node_texts texts;
	char peer[PEER_URL_MAX], host[NETADDR_HOST_TEXT_MAX], us[NETADDR_TEXT_MAX];
	char node_id[2 * PEER_NODE_ID_MAX + 1];
	bool has_us = i->sees_us_as.kind != NETADDR_NONE;
	size_t host_len = netaddr_host_text(&r->addr, host);
	size_t us_len = has_us ? netaddr_text(&i->sees_us_as, us) : 0;

	hex_encode(i->node_id, node_id);
	struct export_cell cells[] = {
		number(v->crawl_id),
		word(v->network),
		peer_text(v->network, &r->addr, i->node_id, v->tcp_port, peer),
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
		stranger_if(i->has_version || i->agent.len > 0, i->agent),
		number_if(i->has_version && !(is_node && i->protocol == 0), i->protocol),
		unumber_if(i->has_version && !is_node, i->services),
		number_if(i->has_version && i->height >= 0, i->height),
		boolean_if(i->has_version && !is_node, i->relay),
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
		number_if(v->tcp_port != 0, v->tcp_port),
		[VISIT_NODE_CELLS + NODE_CELLS] = number_if(n->completeness != NULL, n->findnodes),
		word_if(n->session_rule),
		stranger_if(n->faults.len > 0, n->faults),
		[VISIT_PLACE_CELLS + PLACE_CELLS - 1] = none(),
	};

	_Static_assert(sizeof(cells) / sizeof(*cells) == sizeof(visit_names) / sizeof(*visit_names),
		       "a name for each cell");
	node_cells(n, &texts, cells + VISIT_NODE_CELLS);
	return put_placed_row(ctx, &r->addr, cells, VISIT_PLACE_CELLS);
}

static enum err on_advert(void *ctx, const struct store_advert *a)
{
	const struct netaddr *addr = &a->advert.addr;
	char from[PEER_URL_MAX], peer[PEER_URL_MAX], host[NETADDR_HOST_TEXT_MAX];
	const struct export_cell cells[] = {
		number(a->crawl_id),
		word(a->network),
		time_s(a->at_ms),
		peer_text(a->network, &a->from.addr, a->from.node_id, a->from.tcp_port, from),
		peer_text(a->network, addr, a->advert.node_id, a->advert.tcp_port, peer),
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

static enum err on_book_row(void *ctx, const char *name, const struct store_book_row *row)
{
	/* "gossip/GROUP": the group is the book's, not the peer's. */
	char peer[PEER_URL_MAX], host[NETADDR_HOST_TEXT_MAX], source[NETADDR_TEXT_MAX];
	char node_id[2 * PEER_NODE_ID_MAX + 1], network[64];
	bool has_source = row->source.kind != NETADDR_NONE;
	size_t source_len = has_source ? netaddr_text(&row->source, source) : 0;

	snprintf(network, sizeof(network), "%.*s", (int)strcspn(name, "/"), name);
	hex_encode(row->node_id, node_id);
	const struct export_cell cells[] = {
		stranger_if(true, slice_text(name)),
		stranger_if(true,
			    peer_text(network, &row->addr, row->node_id, row->tcp_port, peer).text),
		plain(slice_of(host, netaddr_host_text(&row->addr, host))),
		number(row->addr.port),
		word(node_id),
		number_if(row->tcp_port != 0, row->tcp_port),
		word(netaddr_kind_name(row->addr.kind)),
		unumber_if(row->node_id.len == 0, row->services),
		boolean_if(true, row->tried),
		claimed_time(row->named_s > 0, row->named_s),
		claimed_time(row->good_s > 0, row->good_s),
		claimed_time(row->asked_s > 0, row->asked_s),
		number(row->failures),
		has_source ? plain(slice_of(source, source_len)) : none(),
	};

	_Static_assert(sizeof(cells) / sizeof(*cells) == sizeof(book_names) / sizeof(*book_names),
		       "a name for each cell");
	return put_row(ctx, cells);
}

static enum err walk_book(struct store *s, const struct store_filter *filter, struct export *e)
{
	return store_books(s, filter, on_book_row, e);
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

typedef enum err walk_fn(struct store *s, const struct store_filter *filter, struct export *e);

/* In the order of export_whats. */
static const struct {
	const char *const *names;
	size_t count;
	walk_fn *walk;
} whats[] = {
	{ peer_names, sizeof(peer_names) / sizeof(*peer_names), walk_peers },
	{ visit_names, sizeof(visit_names) / sizeof(*visit_names), walk_visits },
	{ advert_names, sizeof(advert_names) / sizeof(*advert_names), walk_adverts },
	{ book_names, sizeof(book_names) / sizeof(*book_names), walk_book },
};

static enum err write_table(struct store *s, const struct store_filter *filter, walk_fn *walk,
			    struct export *e)
{
	enum err err;

	e->write(&e->out, EXPORT_HEAD, 0, e->names, NULL, e->count);
	err = walk(s, filter, e);
	if (err != ERR_OK)
		return err;
	e->write(&e->out, EXPORT_TAIL, e->rows, e->names, NULL, e->count);
	return export_flush(&e->out, 1, e->sink, e->sink_ctx);
}

enum err export_run(struct store *s, const char *what, const char *format,
		    const struct store_filter *filter, struct export_options *options,
		    export_sink_fn *sink, void *sink_ctx, uint64_t *rows)
{
	const struct export_format *f = export_formats;
	struct export e = { .options = options, .sink = sink, .sink_ctx = sink_ctx };
	struct store_crawl crawl;
	size_t i = 0;
	enum err err;

	*rows = 0;
	options->note[0] = 0;
	while (f->name != NULL && strcmp(f->name, format) != 0)
		f++;
	while (export_whats[i] != NULL && strcmp(export_whats[i], what) != 0)
		i++;
	if (f->name == NULL || export_whats[i] == NULL)
		return ERR_NOT_FOUND;
	if (f->write == NULL && strcmp(f->what, what) != 0)
		return ERR_VALUE;
	e.write = f->write;
	e.names = whats[i].names;
	e.count = whats[i].count;
	err = store_read_begin(s);
	if (err == ERR_OK && filter->crawl_id != 0)
		err = store_crawl_get(s, filter->crawl_id, filter->network, &crawl);
	if (err == ERR_OK && e.write == NULL)
		err = f->run(s, f->form, filter, options, sink, sink_ctx, &e.rows);
	else if (err == ERR_OK)
		err = write_table(s, filter, whats[i].walk, &e);
	store_read_end(s);
	text_clear(&e.out);
	*rows = e.rows;
	return err;
}
