#include "web/census_inner.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a peer stands in an order. */
struct place {
	uint64_t key;
	uint32_t id;
	/* By address the key is only its beginning. */
	uint16_t port;
	uint8_t kind;
	const uint8_t *host;
};

struct order {
	const struct census_table *table;
	enum census_sort sort;
	bool descending;
	uint32_t *ranks; /* of agents, from 1; equals have the same */
	struct place after;
	uint8_t after_host[NETADDR_BYTES_MAX];
};

bool census_sort_descends(enum census_sort sort)
{
	switch (sort) {
	case CENSUS_BY_SEEN:
	case CENSUS_BY_REACHED:
	case CENSUS_BY_UPTIME:
	case CENSUS_BY_FIRST:
	case CENSUS_BY_HEIGHT:
		return true;
	case CENSUS_BY_LATENCY:
	case CENSUS_BY_AGENT:
	case CENSUS_BY_ADDRESS:
	case CENSUS_SORTS:
		break;
	}
	return false;
}

/* What is not known comes last in either direction. */
static uint64_t key_of(const struct order *o, bool known, uint64_t value)
{
	return !known ? UINT64_MAX : o->descending ? ~value - 1 : value;
}

static uint64_t address_start(unsigned kind, const uint8_t *host)
{
	uint64_t v = 0;
	size_t len = netaddr_len(kind);

	for (size_t i = 0; i < 7; i++)
		v = v << 8 | (i < len ? host[i] : 0);
	return (uint64_t)kind << 56 | v;
}

static uint64_t row_key(const struct order *o, const struct census_row *r)
{
	switch (o->sort) {
	case CENSUS_BY_SEEN:
		return key_of(o, r->seen_s > 0, r->seen_s);
	case CENSUS_BY_REACHED:
		return key_of(o, r->reached_s > 0, r->reached_s);
	case CENSUS_BY_UPTIME:
		return key_of(o, r->uptime != CENSUS_UPTIME_NONE, r->uptime);
	case CENSUS_BY_FIRST:
		return key_of(o, r->first_s > 0, r->first_s);
	case CENSUS_BY_LATENCY:
		return key_of(o, r->latency_ms != CENSUS_LATENCY_NONE, r->latency_ms);
	case CENSUS_BY_HEIGHT:
		return key_of(o, r->height >= 0, (uint64_t)r->height);
	case CENSUS_BY_AGENT:
		return key_of(o, r->agent >= NAMES_FIRST, 2 * (uint64_t)o->ranks[r->agent]);
	case CENSUS_BY_ADDRESS:
		return key_of(o, true, address_start(r->kind, census_row_host(o->table, r)));
	case CENSUS_SORTS:
		break;
	}
	assert(false);
	return 0;
}

static struct place place_of(const struct order *o, const struct census_row *r)
{
	return (struct place){ .key = row_key(o, r),
			       .id = r->id,
			       .port = r->port,
			       .kind = r->kind,
			       .host = census_row_host(o->table, r) };
}

/* Negative: a stands before b. */
static int compare(const struct order *o, const struct place *a, const struct place *b)
{
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	if (o->sort == CENSUS_BY_ADDRESS) {
		int by = memcmp(a->host, b->host, netaddr_len(a->kind));

		if (by == 0)
			by = (a->port > b->port) - (a->port < b->port);
		if (by != 0)
			return o->descending ? -by : by;
	}
	return (a->id > b->id) - (a->id < b->id);
}

/* --- agents in their order --- */

static int by_text(const void *left, const void *right, void *names)
{
	return strncmp(names_text(names, *(const uint32_t *)left),
		       names_text(names, *(const uint32_t *)right), CENSUS_AGENT_ORDER_MAX);
}

/* after: the text of a cursor, which may be that of no agent any more, or NULL; its value. */
static enum err rank_agents(struct order *o, const char *after, uint64_t *value)
{
	const struct names *n = &o->table->agents;
	uint32_t *sorted = malloc(n->count * sizeof(*sorted)), rank = 0;

	o->ranks = calloc(n->count, sizeof(*o->ranks));
	if (sorted == NULL || o->ranks == NULL) {
		free(sorted);
		return ERR_NOMEM;
	}
	for (uint32_t i = 0; i < n->count; i++)
		sorted[i] = i;
	qsort_r(sorted + NAMES_FIRST, n->count - NAMES_FIRST, sizeof(*sorted), by_text, (void *)n);
	*value = 1;
	for (uint32_t i = NAMES_FIRST; i < n->count; i++) {
		int by = after == NULL
				 ? -1
				 : strncmp(names_text(n, sorted[i]), after, CENSUS_AGENT_ORDER_MAX);

		if (i == NAMES_FIRST || by_text(&sorted[i - 1], &sorted[i], (void *)n) != 0)
			rank++;
		o->ranks[sorted[i]] = rank;
		if (by <= 0)
			*value = 2 * (uint64_t)rank + (by < 0);
	}
	free(sorted);
	return ERR_OK;
}

/* --- cursors --- */

/* ORDER ID VALUE, with dots between: the letter of a sort, in capitals if it is reversed; then
 * hexadecimal digits. VALUE is a key, "-" if it was not known; an agent's beginning; an address. */
static char letter(const struct census_page *page)
{
	return (char)((page->reverse ? 'A' : 'a') + page->sort);
}

static void cursor_write(const struct order *o, const struct census_page *page,
			 const struct place *last, char out[static CENSUS_CURSOR_MAX])
{
	const struct census_row *r = census_table_find(o->table, last->id);
	int len = snprintf(out, CENSUS_CURSOR_MAX, "%c.%x.", letter(page), last->id);
	uint8_t key[NETADDR_KEY_MAX];
	struct netaddr addr;

	_Static_assert(CENSUS_CURSOR_MAX > 2 + 9 + 2 * CENSUS_AGENT_ORDER_MAX, "the longest fits");
	if (o->sort == CENSUS_BY_ADDRESS) {
		addr = census_row_addr(o->table, r);
		hex_encode(slice_of(key, netaddr_key(&addr, key)), out + len);
	} else if (last->key == UINT64_MAX) {
		strcpy(out + len, "-");
	} else if (o->sort == CENSUS_BY_AGENT) {
		const char *text = names_text(&o->table->agents, r->agent);

		hex_encode(slice_of(text, strnlen(text, CENSUS_AGENT_ORDER_MAX)), out + len);
	} else {
		snprintf(out + len, (size_t)(CENSUS_CURSOR_MAX - len), "%llx",
			 (unsigned long long)last->key);
	}
}

static bool hex_number(const char **at, uint64_t max, char end, uint64_t *out)
{
	const char *p = *at;

	*out = 0;
	for (; *p != end; p++) {
		unsigned digit = *p >= '0' && *p <= '9'   ? (unsigned)(*p - '0')
				 : *p >= 'a' && *p <= 'f' ? (unsigned)(*p - 'a' + 10)
							  : 16;

		if (digit > 15 || *out > max >> 4)
			return false;
		*out = *out << 4 | digit;
	}
	if (p == *at)
		return false;
	*at = *p != 0 ? p + 1 : p;
	return true;
}

static bool address_read(struct order *o, const char *hex)
{
	uint8_t key[NETADDR_KEY_MAX];
	size_t len, host_len;

	if (hex_decode(slice_text(hex), key, sizeof(key), &len) != ERR_OK || len < 3)
		return false;
	host_len = netaddr_len(key[0]);
	if (len != host_len + 3)
		return false;
	memcpy(o->after_host, key + 1, host_len);
	o->after.kind = key[0];
	o->after.host = o->after_host;
	o->after.port = (uint16_t)(key[len - 2] << 8 | key[len - 1]);
	o->after.key = key_of(o, true, address_start(key[0], o->after_host));
	return true;
}

/* agent: gets the text of an agent's cursor. */
static enum err cursor_read(struct order *o, const struct census_page *page,
			    char agent[static CENSUS_AGENT_ORDER_MAX + 1])
{
	const char *at = page->after;
	uint64_t id;
	size_t len;

	if (at[0] != letter(page) || at[1] != '.')
		return ERR_SYNTAX;
	at += 2;
	if (!hex_number(&at, UINT32_MAX, '.', &id))
		return ERR_SYNTAX;
	o->after.id = (uint32_t)id;
	if (o->sort == CENSUS_BY_ADDRESS)
		return address_read(o, at) ? ERR_OK : ERR_SYNTAX;
	o->after.key = UINT64_MAX;
	if (strcmp(at, "-") == 0)
		return ERR_OK;
	if (o->sort != CENSUS_BY_AGENT)
		return hex_number(&at, UINT64_MAX, 0, &o->after.key) ? ERR_OK : ERR_SYNTAX;
	if (hex_decode(slice_text(at), (uint8_t *)agent, CENSUS_AGENT_ORDER_MAX, &len) != ERR_OK ||
	    len == 0)
		return ERR_SYNTAX;
	agent[len] = 0;
	return ERR_OK;
}

static enum err order_init(struct order *o, const struct census_table *t,
			   const struct census_page *page)
{
	char agent[CENSUS_AGENT_ORDER_MAX + 1] = "";
	uint64_t value = 0;
	enum err err = ERR_OK;

	*o = (struct order){ .table = t,
			     .sort = page->sort,
			     .descending = census_sort_descends(page->sort) != page->reverse };
	if (page->after != NULL)
		err = cursor_read(o, page, agent);
	if (err != ERR_OK || page->sort != CENSUS_BY_AGENT)
		return err;
	err = rank_agents(o, agent[0] != 0 ? agent : NULL, &value);
	if (agent[0] != 0)
		o->after.key = key_of(o, true, value);
	return err;
}

/* --- the first so many --- */

/* The last in the order is on top. */
struct heap {
	const struct order *order;
	struct place *items;
	size_t count, cap;
};

static void swap(struct place *a, struct place *b)
{
	struct place c = *a;

	*a = *b;
	*b = c;
}

static void sift_down(struct heap *h)
{
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= h->count)
			return;
		if (child + 1 < h->count &&
		    compare(h->order, &h->items[child + 1], &h->items[child]) > 0)
			child++;
		if (compare(h->order, &h->items[i], &h->items[child]) >= 0)
			return;
		swap(&h->items[i], &h->items[child]);
		i = child;
	}
}

static void heap_put(struct heap *h, const struct place *p)
{
	size_t i = h->count;

	if (h->count == h->cap) {
		if (compare(h->order, p, &h->items[0]) < 0) {
			h->items[0] = *p;
			sift_down(h);
		}
		return;
	}
	h->items[h->count++] = *p;
	while (i > 0 && compare(h->order, &h->items[i], &h->items[(i - 1) / 2]) > 0) {
		swap(&h->items[i], &h->items[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
}

/* Leaves them in their order. */
static void heap_sort(struct heap *h)
{
	size_t count = h->count;

	while (h->count > 1) {
		swap(&h->items[0], &h->items[--h->count]);
		sift_down(h);
	}
	h->count = count;
}

static enum err find(const struct census_match *m, const struct order *o,
		     const struct census_page *page, int64_t *ids, struct census_found *out)
{
	/* One more than asked for tells that there is a next page. */
	struct heap h = { .order = o, .cap = page->limit + 1 };
	const struct census_table *t = m->table;

	h.items = malloc(h.cap * sizeof(*h.items));
	if (h.items == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < t->count; i++) {
		struct place p;

		if (!census_match(m, &t->rows[i]))
			continue;
		out->total++;
		p = place_of(o, &t->rows[i]);
		if (page->after == NULL || compare(o, &p, &o->after) > 0)
			heap_put(&h, &p);
	}
	heap_sort(&h);
	out->count = h.count < page->limit ? h.count : page->limit;
	for (size_t i = 0; i < out->count; i++)
		ids[i] = h.items[i].id;
	if (h.count > out->count && out->count > 0)
		cursor_write(o, page, &h.items[out->count - 1], out->next);
	free(h.items);
	return ERR_OK;
}

enum err census_find(const struct census *c, const struct census_filter *filter,
		     const struct census_page *page, int64_t *ids, struct census_found *out)
{
	const struct census_table *t = census_read(c);
	struct census_match m;
	struct order o;
	enum err err = order_init(&o, t, page);

	*out = (struct census_found){ 0 };
	if (err == ERR_OK) {
		err = census_match_init(&m, t, filter);
		if (err == ERR_OK)
			err = find(&m, &o, page, ids, out);
		census_match_clear(&m);
	}
	free(o.ranks);
	census_read_end(c);
	return err;
}
