#include "report/export_graph.h"

#include "report/export_format.h"
#include "report/peer_url.h"

#include <inttypes.h>
#include <string.h>

/* What text_add_escaped has made, with some characters replaced. */
static void add_replaced(struct text *out, struct slice s, const char *chars, const char *const *by)
{
	struct text plain = { 0 };

	text_add(&plain, "");
	text_add_escaped(&plain, s);
	if (plain.err != ERR_OK)
		out->err = plain.err;
	for (const char *at = plain.data; plain.err == ERR_OK && *at != 0;) {
		size_t len = strcspn(at, chars);

		text_add_slice(out, slice_of(at, len));
		at += len;
		if (*at != 0)
			text_add(out, by[strchr(chars, *at++) - chars]);
	}
	text_clear(&plain);
}

/* In DOT a backslash means itself, unless a quotation mark follows; as each is doubled, none of
 * the text's own ever stands before one that ends it. */
void export_dot_text(struct text *out, struct slice s)
{
	static const char *const by[] = { "\\\"" };

	text_add(out, "\"");
	add_replaced(out, s, "\"", by);
	text_add(out, "\"");
}

/* What XML can't hold at all, control characters and U+FFFF, is escaped by then. */
void export_xml_text(struct text *out, struct slice s)
{
	static const char *const by[] = { "&amp;", "&lt;", "&gt;", "&quot;" };

	add_replaced(out, s, "&<>\"", by);
}

struct graph {
	enum export_graph form;
	export_sink_fn *sink;
	void *sink_ctx;
	struct text out;
	uint64_t *edges;
};

static enum err flush(struct graph *g)
{
	return export_flush(&g->out, EXPORT_FLUSH_BYTES, g->sink, g->sink_ctx);
}

/* The attributes of a node, in the order of their keys below. */
enum { ATTRIBUTES = 4 };
static const char *const names[ATTRIBUTES] = { "peer", "network", "outcome", "agent" };

static void add_attribute(struct graph *g, unsigned i, struct slice value)
{
	if (g->form == EXPORT_GRAPH_DOT) {
		/* What Graphviz writes beside a node is called its label. */
		text_printf(&g->out, i == 0 ? "label=" : ", %s=", names[i]);
		export_dot_text(&g->out, value);
		return;
	}
	text_printf(&g->out, "<data key=\"%s\">", names[i]);
	export_xml_text(&g->out, value);
	text_add(&g->out, "</data>");
}

static enum err on_node(void *ctx, const struct store_advert_peer *p)
{
	struct graph *g = ctx;
	char url[PEER_URL_MAX];
	const struct slice values[ATTRIBUTES] = {
		slice_of(url, peer_url(p->network, &p->peer.addr, p->peer.node_id, p->peer.tcp_port,
				       url)),
		slice_text(p->network),
		slice_text(p->visited ? outcome_name(p->outcome) : ""),
		p->agent,
	};

	text_printf(&g->out,
		    g->form == EXPORT_GRAPH_DOT ? "\tn%" PRId64 " [" : "<node id=\"n%" PRId64 "\">",
		    p->id);
	/* What is not known has no attribute. */
	for (unsigned i = 0; i < ATTRIBUTES; i++) {
		if (values[i].len > 0)
			add_attribute(g, i, values[i]);
	}
	text_add(&g->out, g->form == EXPORT_GRAPH_DOT ? "];\n" : "</node>\n");
	return flush(g);
}

static enum err on_edge(void *ctx, const struct store_advert *a)
{
	struct graph *g = ctx;

	if (g->form == EXPORT_GRAPH_DOT)
		text_printf(&g->out, "\tn%" PRId64 " -> n%" PRId64 " [crawl=%" PRId64 "];\n",
			    a->from_id, a->peer_id, a->crawl_id);
	else
		text_printf(&g->out,
			    "<edge source=\"n%" PRId64 "\" target=\"n%" PRId64 "\">"
			    "<data key=\"crawl\">%" PRId64 "</data></edge>\n",
			    a->from_id, a->peer_id, a->crawl_id);
	++*g->edges;
	return flush(g);
}

static void add_head(struct graph *g)
{
	if (g->form == EXPORT_GRAPH_DOT) {
		text_add(&g->out, "digraph adverts {\n");
		return;
	}
	text_add(&g->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			  "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n");
	for (unsigned i = 0; i < ATTRIBUTES; i++)
		text_printf(&g->out,
			    "<key id=\"%s\" for=\"node\" attr.name=\"%s\" attr.type=\"string\"/>\n",
			    names[i], names[i]);
	text_add(&g->out, "<key id=\"crawl\" for=\"edge\" attr.name=\"crawl\" "
			  "attr.type=\"long\"/>\n"
			  "<graph id=\"adverts\" edgedefault=\"directed\">\n");
}

enum err export_graph_run(struct store *s, unsigned form, const struct store_filter *filter,
			  struct export_options *options, export_sink_fn *sink, void *sink_ctx,
			  uint64_t *rows)
{
	struct graph g = { .form = form, .sink = sink, .sink_ctx = sink_ctx, .edges = rows };
	enum err err;

	(void)options;
	*rows = 0;
	add_head(&g);
	err = store_advert_peers(s, filter, on_node, &g);
	if (err == ERR_OK)
		err = store_adverts(s, filter, on_edge, &g);
	text_add(&g.out, form == EXPORT_GRAPH_DOT ? "}\n" : "</graph>\n</graphml>\n");
	if (err == ERR_OK)
		err = export_flush(&g.out, 1, sink, sink_ctx);
	text_clear(&g.out);
	return err;
}
