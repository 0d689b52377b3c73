#include "report/export_nodes.h"

#include "base/enode_url.h"
#include "base/keccak.h"
#include "report/export_format.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	NODE_ID_LEN = 32,
};

struct node {
	uint8_t id[NODE_ID_LEN];
	bool reached; /* by the newest visit */
	int64_t first_ms, last_ms, check_ms;
	uint64_t score, seq, visits, reached_count;
	size_t text_at, text_len; /* its record or URL, in texts */
	size_t row;               /* for an order that is always the same */
};

struct nodes {
	enum export_nodes form;
	bool of_crawl;
	struct node *all;
	size_t count, cap;
	struct text texts;
};

/* "enr:" and URL-safe base64, as we have made it: nothing that could end a string or a line. */
static bool is_record(struct slice s)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789-_";

	if (s.len < 4 || memcmp(s.data, "enr:", 4) != 0)
		return false;
	for (size_t i = 4; i < s.len; i++) {
		if (s.data[i] == 0 || strchr(digits, s.data[i]) == NULL)
			return false;
	}
	return true;
}

/* False if this form has nothing to say of such a node. */
static bool add_text(struct nodes *n, const struct store_peer *p, struct node *out)
{
	bool has_record = is_record(p->node.record);
	char url[ENODE_URL_MAX];
	struct slice text = p->node.record;

	if (n->form == EXPORT_NODES_RECORDS && !has_record)
		return false;
	if (n->form == EXPORT_NODES_URLS || !has_record)
		text = slice_of(url, enode_url(p->public.data, &p->addr, p->tcp_port, url));
	else if (p->node.has_record_seq)
		out->seq = p->node.record_seq;
	out->text_at = n->texts.len;
	out->text_len = text.len;
	text_add_slice(&n->texts, text);
	return true;
}

static enum err on_peer(void *ctx, const struct store_peer *p)
{
	struct nodes *n = ctx;
	struct node node = {
		.reached = p->reached,
		.first_ms = p->first_reached_ms,
		.last_ms = p->last_reached_ms,
		.check_ms = p->visit_at_ms,
		.score = p->reached ? p->reached_count : p->reached_count / 2,
		.visits = p->visits,
		.reached_count = p->reached_count,
		.row = n->count,
	};

	if (p->public.len != ENODE_KEY_LEN || !(n->of_crawl ? p->reached : p->reached_count > 0) ||
	    !add_text(n, p, &node))
		return ERR_OK;
	/* The check lasts until its answer is there. */
	if (node.check_ms < node.last_ms)
		node.check_ms = node.last_ms;
	keccak_256(p->public, node.id);
	if (n->count == n->cap) {
		size_t cap = n->cap > 0 ? 2 * n->cap : 1024;
		struct node *all = realloc(n->all, cap * sizeof(*all));

		if (all == NULL)
			return ERR_NOMEM;
		n->all = all;
		n->cap = cap;
	}
	n->all[n->count++] = node;
	return n->texts.err;
}

/* By id; of one id the best first. */
static int in_order(const void *left, const void *right)
{
	const struct node *a = left, *b = right;
	int order = memcmp(a->id, b->id, sizeof(a->id));

	if (order != 0)
		return order;
	if (a->reached != b->reached)
		return a->reached ? -1 : 1;
	if (a->last_ms != b->last_ms)
		return a->last_ms > b->last_ms ? -1 : 1;
	return a->row < b->row ? -1 : 1;
}

/* RFC 3339; what never was is the zero time of the tool that reads this. */
static void add_time(struct text *out, const char *key, int64_t unix_ms, const char *end)
{
	char time[32] = "0001-01-01T00:00:00Z";

	if (unix_ms >= 0)
		format_time(unix_ms, false, time);
	text_printf(out, "        \"%s\": \"%s\"%s\n", key, time, end);
}

static void write_object(struct text *out, const struct nodes *n, const struct node *node,
			 bool first)
{
	char id[2 * NODE_ID_LEN + 1];

	hex_encode(slice_of(node->id, sizeof(node->id)), id);
	text_printf(out, "%s\n    \"%s\": {\n        \"seq\": %" PRIu64 ",\n", first ? "" : ",", id,
		    node->seq);
	text_printf(out, "        \"record\": \"%.*s\",\n", (int)node->text_len,
		    n->texts.data + node->text_at);
	if (node->score > 0)
		text_printf(out, "        \"score\": %" PRIu64 ",\n", node->score);
	add_time(out, "firstResponse", node->first_ms, ",");
	add_time(out, "lastResponse", node->last_ms, ",");
	add_time(out, "lastCheck", node->check_ms, "");
	text_add(out, "    }");
}

/* One of several of the same id is not the first. */
static bool is_repeated(const struct nodes *n, size_t i)
{
	return i > 0 && memcmp(n->all[i].id, n->all[i - 1].id, sizeof(n->all[i].id)) == 0;
}

static enum err write_all(const struct nodes *n, export_sink_fn *sink, void *sink_ctx,
			  uint64_t *rows)
{
	struct text out = { 0 };
	enum err err = ERR_OK;

	text_add(&out, n->form == EXPORT_NODES_SET ? "{" : "");
	for (size_t i = 0; i < n->count && err == ERR_OK; i++) {
		const struct node *node = &n->all[i];

		if (is_repeated(n, i))
			continue;
		if (n->form == EXPORT_NODES_SET)
			write_object(&out, n, node, *rows == 0);
		else
			text_printf(&out, "%.*s\n", (int)node->text_len,
				    n->texts.data + node->text_at);
		++*rows;
		err = export_flush(&out, EXPORT_FLUSH_BYTES, sink, sink_ctx);
	}
	if (n->form == EXPORT_NODES_SET)
		text_add(&out, *rows > 0 ? "\n}\n" : "}\n");
	if (err == ERR_OK)
		err = export_flush(&out, 1, sink, sink_ctx);
	text_clear(&out);
	return err;
}

/* All of them, in order. clear in every case. */
static enum err gather(struct store *s, unsigned form, const struct store_filter *filter,
		       struct nodes *out)
{
	enum err err;

	*out = (struct nodes){ .form = form, .of_crawl = filter->crawl_id != 0 };
	text_add(&out->texts, "");
	err = store_peers(s, filter, on_peer, out);
	if (err == ERR_OK && out->count > 0)
		qsort(out->all, out->count, sizeof(*out->all), in_order);
	return err;
}

static void clear(struct nodes *n)
{
	text_clear(&n->texts);
	free(n->all);
}

enum err export_nodes_run(struct store *s, unsigned form, const struct store_filter *filter,
			  struct export_options *options, export_sink_fn *sink, void *sink_ctx,
			  uint64_t *rows)
{
	struct nodes n;
	enum err err = gather(s, form, filter, &n);

	(void)options;
	*rows = 0;
	if (err == ERR_OK)
		err = write_all(&n, sink, sink_ctx, rows);
	clear(&n);
	return err;
}

enum err export_nodes_each(struct store *s, enum export_nodes form,
			   const struct store_filter *filter, export_node_fn *fn, void *ctx)
{
	struct nodes n;
	enum err err = gather(s, form, filter, &n);

	for (size_t i = 0; i < n.count && err == ERR_OK; i++) {
		const struct node *node = &n.all[i];
		struct export_node out = {
			.text = slice_of(n.texts.data + node->text_at, node->text_len),
			.reached = node->reached,
			.check_ms = node->check_ms,
			.visits = node->visits,
			.reached_count = node->reached_count,
		};

		if (!is_repeated(&n, i))
			err = fn(ctx, &out);
	}
	clear(&n);
	return err;
}
