#include "report/diff.h"

#include "report/tally.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *diff_kind_name(enum diff_kind kind)
{
	static const char *const names[DIFF_KINDS] = {
#define DIFF_KIND_NAME(symbol, name) [DIFF_##symbol] = name,
		DIFF_KIND_LIST(DIFF_KIND_NAME)
#undef DIFF_KIND_NAME
	};

	return names[kind];
}

static const struct {
	const char *key, *text;
} fields[DIFF_FIELDS] = {
#define DIFF_FIELD_ROW(symbol, key, text) [DIFF_FIELD_##symbol] = { key, text },
	DIFF_FIELD_LIST(DIFF_FIELD_ROW)
#undef DIFF_FIELD_ROW
};

const char *diff_field_key(enum diff_field field)
{
	return fields[field].key;
}

const char *diff_field_text(enum diff_field field)
{
	return fields[field].text;
}

void diff_add_value(struct text *out, enum diff_field field, const struct store_change_side *side)
{
	char hex[2 * sizeof(side->fork_hash) + 1];

	switch (field) {
	case DIFF_FIELD_AGENT:
		text_add_escaped(out, side->agent);
		break;
	case DIFF_FIELD_PROTOCOL:
		text_printf(out, "protocol %" PRId64, side->protocol);
		break;
	case DIFF_FIELD_SERVICES:
		text_printf(out, "services 0x%" PRIx64, side->services);
		break;
	case DIFF_FIELD_RECORD:
		text_printf(out, "record %" PRIu64, side->record_seq);
		break;
	case DIFF_FIELD_FORK:
		hex_encode(slice_of(side->fork_hash, sizeof(side->fork_hash)), hex);
		text_printf(out, "fork 0x%s", hex);
		break;
	case DIFF_FIELDS:
		break;
	}
}

/* A node without a session tells no name, and any other peer says so if it has none. */
static bool has_agent(const struct store_change *c, const struct store_change_side *side)
{
	return side->agent.len > 0 || (c->public.len == 0 && side->has_version);
}

/* A node that shares no version of eth with us has told none. */
static bool has_protocol(const struct store_change *c, const struct store_change_side *side)
{
	return side->has_version && (c->public.len == 0 || side->protocol != 0);
}

unsigned diff_fields(const struct store_change *c)
{
	const struct store_change_side *a = &c->was, *b = &c->is;
	bool is_node = c->public.len > 0;
	unsigned out = 0;

	if (!a->reached || !b->reached)
		return 0;
	if (has_agent(c, a) && has_agent(c, b) && !slice_equal(a->agent, b->agent))
		out |= 1 << DIFF_FIELD_AGENT;
	if (has_protocol(c, a) && has_protocol(c, b) && a->protocol != b->protocol)
		out |= 1 << DIFF_FIELD_PROTOCOL;
	if (!is_node && a->has_version && b->has_version && a->services != b->services)
		out |= 1 << DIFF_FIELD_SERVICES;
	if (a->has_record_seq && b->has_record_seq && a->record_seq != b->record_seq)
		out |= 1 << DIFF_FIELD_RECORD;
	if (a->has_fork && b->has_fork &&
	    memcmp(a->fork_hash, b->fork_hash, sizeof(a->fork_hash)) != 0)
		out |= 1 << DIFF_FIELD_FORK;
	return out;
}

enum diff_kind diff_kind(const struct store_change *c)
{
	if (!c->is.reached)
		return DIFF_LEFT;
	if (!c->was.reached)
		return c->back ? DIFF_BACK : DIFF_NEW;
	return diff_fields(c) != 0 ? DIFF_CHANGED : DIFF_SAME;
}

/* --- counts --- */

struct gather {
	struct diff *diff;
	struct tally was, is; /* user agents */
};

static enum err on_change(void *ctx, const struct store_change *c)
{
	struct gather *g = ctx;
	struct diff *d = g->diff;
	unsigned changed = diff_fields(c);
	enum diff_kind kind = diff_kind(c);

	d->kinds[kind]++;
	d->reached_a += c->was.reached;
	d->reached_b += c->is.reached;
	if (kind == DIFF_LEFT && c->is.visited)
		d->outcomes[c->is.outcome]++;
	else if (kind == DIFF_LEFT)
		d->unvisited++;
	for (unsigned i = 0; i < DIFF_FIELDS; i++)
		d->fields[i] += changed >> i & 1;
	if (c->was.reached && has_agent(c, &c->was))
		tally_add(&g->was, c->was.agent);
	if (c->is.reached && has_agent(c, &c->is))
		tally_add(&g->is, c->is.agent);
	return ERR_OK;
}

struct mover {
	struct slice agent;
	uint64_t was, is;
};

static uint64_t moved(const struct mover *m)
{
	return m->was > m->is ? m->was - m->is : m->is - m->was;
}

static int by_change(const void *left, const void *right)
{
	const struct mover *a = left, *b = right;
	size_t len = a->agent.len < b->agent.len ? a->agent.len : b->agent.len;
	int order = len > 0 ? memcmp(a->agent.data, b->agent.data, len) : 0;

	if (moved(a) != moved(b))
		return moved(a) > moved(b) ? -1 : 1;
	return order != 0 ? order : (a->agent.len > b->agent.len) - (a->agent.len < b->agent.len);
}

/* Everybody that one of both has, each once, if its number changed. */
static size_t find_movers(const struct gather *g, struct mover *out)
{
	size_t count = 0;

	for (size_t i = 0; i < g->was.len + g->is.len; i++) {
		bool is_first = i < g->was.len;
		const struct tally_entry *e =
			is_first ? &g->was.entries[i] : &g->is.entries[i - g->was.len];
		struct mover m = { .agent = slice_of(e->key, e->len) };

		m.was = is_first ? e->count : tally_count(&g->was, m.agent);
		m.is = is_first ? tally_count(&g->is, m.agent) : e->count;
		if (m.was != m.is && (is_first || m.was == 0))
			out[count++] = m;
	}
	return count;
}

static enum err agent_row(struct diff *d, const struct mover *m)
{
	struct text label = { 0 };

	text_add(&label, "");
	text_add_escaped(&label, m->agent);
	if (label.err != ERR_OK) {
		text_clear(&label);
		return ERR_NOMEM;
	}
	d->agents[d->agents_count++] =
		(struct diff_agent){ .label = label.data, .was = m->was, .is = m->is };
	return ERR_OK;
}

static enum err fill_agents(struct gather *g, size_t top)
{
	struct diff *d = g->diff;
	size_t most = g->was.len + g->is.len;
	struct mover *movers = calloc(most + 1, sizeof(*movers));
	enum err err = g->was.err != ERR_OK ? g->was.err : g->is.err;

	if (movers == NULL)
		return ERR_NOMEM;
	d->agents_a = g->was.total;
	d->agents_b = g->is.total;
	if (err == ERR_OK)
		d->agents_moved = find_movers(g, movers);
	qsort(movers, d->agents_moved, sizeof(*movers), by_change);
	top = top == 0 || top > d->agents_moved ? d->agents_moved : top;
	d->agents = calloc(top + 1, sizeof(*d->agents));
	if (d->agents == NULL)
		err = ERR_NOMEM;
	for (size_t i = 0; i < top && err == ERR_OK; i++)
		err = agent_row(d, &movers[i]);
	free(movers);
	return err;
}

enum err diff_gather(struct store *s, const struct diff_options *options, struct diff *out)
{
	struct gather g = { .diff = out };
	enum err err;

	*out = (struct diff){ .a = options->a, .b = options->b };
	tally_init(&g.was, &options->key);
	tally_init(&g.is, &options->key);
	err = store_changes(s, out->a.id, out->b.id, on_change, &g);
	if (err == ERR_OK)
		err = fill_agents(&g, options->top);
	tally_clear(&g.was);
	tally_clear(&g.is);
	return err;
}

void diff_clear(struct diff *d)
{
	for (size_t i = 0; i < d->agents_count; i++)
		free(d->agents[i].label);
	free(d->agents);
	*d = (struct diff){ 0 };
}

/* --- peers --- */

struct each {
	struct store *store;
	int64_t a, b;
	diff_peer_fn *fn;
	void *ctx;
};

static enum err on_peer(void *ctx, const struct store_change *c)
{
	const struct each *e = ctx;
	enum diff_kind kind = diff_kind(c);

	return kind != DIFF_SAME ? e->fn(e->ctx, c, kind, diff_fields(c)) : ERR_OK;
}

static enum err on_difference(void *ctx, int64_t id, enum store_difference what)
{
	const struct each *e = ctx;

	(void)what;
	return store_change_of(e->store, e->a, e->b, id, on_peer, ctx);
}

enum err diff_peers(struct store *s, const struct diff *d, diff_peer_fn *fn, void *ctx)
{
	struct each e = { .store = s, .a = d->a.id, .b = d->b.id, .fn = fn, .ctx = ctx };

	return store_differences(s, e.a, e.b, on_difference, &e);
}
