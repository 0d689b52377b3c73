#include "web/census_table.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROWS_FIRST = 1024,
	/* Free slots: a third at least. */
	SLOTS_FULL_OF_4 = 3,
};

static enum err grow(void **items, uint32_t count, uint32_t *cap, uint32_t first, size_t size)
{
	uint32_t more = *cap > 0 ? *cap + *cap / 2 : first;
	void *p;

	if (count < *cap)
		return ERR_OK;
	p = realloc(*items, more * size);
	if (p == NULL)
		return ERR_NOMEM;
	*items = p;
	*cap = more;
	return ERR_OK;
}

static enum err put_as(struct census_table *t, uint32_t asn, uint32_t name)
{
	enum err err = grow((void **)&t->as, t->as_count, &t->as_cap, 64, sizeof(*t->as));

	if (err == ERR_OK)
		t->as[t->as_count++] = (struct census_as){ .asn = asn, .name = name };
	return err;
}

static enum err put_spot(struct census_table *t, struct census_spot spot)
{
	enum err err =
		grow((void **)&t->spots, t->spots_count, &t->spots_cap, 64, sizeof(*t->spots));

	if (err == ERR_OK)
		t->spots[t->spots_count++] = spot;
	return err;
}

static enum err table_init(struct census_table *t, const struct hash_key *key)
{
	const struct census_spot nowhere = { .cell = CENSUS_CELL_NONE,
					     .country = CENSUS_COUNTRY_NONE };
	enum err errs[] = {
		names_init(&t->agents, key, CENSUS_AGENTS_MAX),
		names_init(&t->networks, key, CENSUS_NETWORKS_MAX),
		names_init(&t->as_names, key, CENSUS_AS_MAX),
		names_init(&t->cities, key, CENSUS_PLACES_MAX),
		names_init(&t->country_names, key, CENSUS_COUNTRIES_MAX),
		keymap_init(&t->as_map),
		keymap_init(&t->spot_map),
		put_as(t, 0, NAMES_NONE),
		put_as(t, 0, NAMES_OTHERS),
		put_spot(t, nowhere),
	};

	t->key = *key;
	for (size_t i = 0; i < sizeof(errs) / sizeof(*errs); i++) {
		if (errs[i] != ERR_OK)
			return errs[i];
	}
	return ERR_OK;
}

enum err census_table_new(const struct hash_key *key, struct census_table **out)
{
	struct census_table *t = calloc(1, sizeof(*t));
	enum err err = t != NULL ? table_init(t, key) : ERR_NOMEM;

	if (err != ERR_OK) {
		census_table_free(t);
		t = NULL;
	}
	*out = t;
	return err;
}

void census_table_free(struct census_table *t)
{
	if (t == NULL)
		return;
	names_clear(&t->agents);
	names_clear(&t->networks);
	names_clear(&t->as_names);
	names_clear(&t->cities);
	names_clear(&t->country_names);
	keymap_clear(&t->as_map);
	keymap_clear(&t->spot_map);
	free(t->rows);
	free(t->slots);
	free(t->hosts);
	free(t->as);
	free(t->spots);
	free(t->sums);
	free(t);
}

static size_t names_bytes(const struct names *n)
{
	return n->cap + n->at_cap * sizeof(*n->at) + keymap_bytes(&n->map);
}

size_t census_table_bytes(const struct census_table *t)
{
	return sizeof(*t) + t->cap * sizeof(*t->rows) + t->slots_count * sizeof(*t->slots) +
	       t->hosts_cap + names_bytes(&t->agents) + names_bytes(&t->networks) +
	       names_bytes(&t->as_names) + names_bytes(&t->cities) +
	       names_bytes(&t->country_names) + keymap_bytes(&t->as_map) +
	       keymap_bytes(&t->spot_map) + t->as_cap * sizeof(*t->as) +
	       t->spots_cap * sizeof(*t->spots) + t->sums_count * sizeof(*t->sums);
}

/* --- rows by their ids --- */

static uint32_t *slot_of(const struct census_table *t, uint32_t id)
{
	uint32_t mask = t->slots_count - 1;
	uint32_t i = (uint32_t)random_mix(id) & mask;

	while (t->slots[i] != 0 && t->rows[t->slots[i] - 1].id != id)
		i = (i + 1) & mask;
	return &t->slots[i];
}

struct census_row *census_table_find(const struct census_table *t, uint32_t id)
{
	uint32_t slot = t->slots_count > 0 ? *slot_of(t, id) : 0;

	return slot != 0 ? &t->rows[slot - 1] : NULL;
}

static enum err grow_slots(struct census_table *t)
{
	uint32_t count = t->slots_count > 0 ? 2 * t->slots_count : 2 * ROWS_FIRST;
	uint32_t *slots;

	if ((uint64_t)t->count * 4 < (uint64_t)t->slots_count * SLOTS_FULL_OF_4)
		return ERR_OK;
	slots = calloc(count, sizeof(*slots));
	if (slots == NULL)
		return ERR_NOMEM;
	free(t->slots);
	t->slots = slots;
	t->slots_count = count;
	for (uint32_t i = 0; i < t->count; i++)
		*slot_of(t, t->rows[i].id) = i + 1;
	return ERR_OK;
}

static enum err grow_hosts(struct census_table *t, size_t bytes)
{
	size_t cap = t->hosts_cap + t->hosts_cap / 2 + 64 * ROWS_FIRST;
	uint8_t *hosts;

	if (t->hosts_len + bytes <= t->hosts_cap)
		return ERR_OK;
	hosts = realloc(t->hosts, cap);
	if (hosts == NULL)
		return ERR_NOMEM;
	t->hosts = hosts;
	t->hosts_cap = cap;
	return ERR_OK;
}

struct netaddr census_row_addr(const struct census_table *t, const struct census_row *r)
{
	struct netaddr a = { .kind = r->kind, .port = r->port };

	memcpy(a.bytes, census_row_host(t, r), netaddr_len(r->kind));
	return a;
}

/* --- places --- */

unsigned census_country_number(const char *code)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 2; i++) {
		char c = code[i] >= 'a' && code[i] <= 'z' ? (char)(code[i] - 32) : code[i];

		if (c < 'A' || c > 'Z')
			return CENSUS_COUNTRY_NONE;
		n = n * 26 + (unsigned)(c - 'A');
	}
	return code[2] == 0 ? n : CENSUS_COUNTRY_NONE;
}

static uint16_t cell_of(const struct geo_place *p)
{
	long row, column;

	/* A database may say anything. */
	if (!p->has_location || !(fabs(p->latitude) <= 90) || !(fabs(p->longitude) <= 180))
		return CENSUS_CELL_NONE;
	row = lround(p->latitude) + 90;
	column = lround(p->longitude) + 180;
	return (uint16_t)(row * CENSUS_CELL_COLUMNS + column);
}

static enum err put_name(struct names *n, const char *text, uint32_t *out)
{
	char harmless[CENSUS_NAME_MAX];

	text_escape(slice_text(text), harmless, sizeof(harmless));
	return names_put(n, harmless, out);
}

static enum err find_spot(struct census_table *t, const struct geo_place *p, uint32_t *out)
{
	struct census_spot spot = { .cell = cell_of(p),
				    .country = (uint16_t)census_country_number(p->country) };
	enum err err = put_name(&t->cities, p->city, &spot.city);
	struct keymap_slot *slot;
	uint64_t key;

	*out = 0;
	if (err == ERR_OK && spot.country != CENSUS_COUNTRY_NONE &&
	    t->country_name[spot.country] == NAMES_NONE)
		err = put_name(&t->country_names, p->country_name, &t->country_name[spot.country]);
	if (err != ERR_OK || (spot.cell == CENSUS_CELL_NONE && spot.country == CENSUS_COUNTRY_NONE))
		return err;
	/* Of a country one entry always has room: the one without anything else. */
	if (t->spots_count >= CENSUS_PLACES_MAX) {
		spot.cell = CENSUS_CELL_NONE;
		spot.city = NAMES_NONE;
	}
	key = hash_siphash13(&t->key, &spot, sizeof(spot));
	slot = keymap_put(&t->spot_map, key != 0 ? key : 1);
	if (slot == NULL)
		return ERR_NOMEM;
	if (slot->id == 0) {
		err = put_spot(t, spot);
		if (err != ERR_OK)
			return err;
		slot->id = t->spots_count - 1;
	}
	*out = slot->id;
	return ERR_OK;
}

static enum err find_as(struct census_table *t, const struct geo_place *p, uint32_t *out)
{
	struct keymap_slot *slot;
	uint64_t key = hash_siphash13_short(&t->key, p->asn, sizeof(p->asn));
	uint32_t name;
	enum err err;

	*out = 0;
	if (p->asn == 0)
		return ERR_OK;
	slot = keymap_find(&t->as_map, key != 0 ? key : 1);
	if (slot == NULL && t->as_count >= CENSUS_AS_MAX) {
		*out = 1;
		return ERR_OK;
	}
	if (slot == NULL) {
		err = put_name(&t->as_names, p->as_name, &name);
		if (err == ERR_OK)
			err = put_as(t, p->asn, name);
		slot = err == ERR_OK ? keymap_put(&t->as_map, key != 0 ? key : 1) : NULL;
		if (slot == NULL)
			return ERR_NOMEM;
		slot->id = t->as_count - 1;
	}
	*out = slot->id;
	return ERR_OK;
}

/* --- putting --- */

static uint32_t seconds(int64_t unix_ms)
{
	int64_t s = unix_ms > 0 ? unix_ms / 1000 : 0;

	return s < UINT32_MAX ? (uint32_t)s : UINT32_MAX;
}

static int32_t clamp(int64_t v)
{
	return v > INT32_MAX ? INT32_MAX : v < -INT32_MAX ? -INT32_MAX : (int32_t)v;
}

static uint16_t uptime_of(const struct schedule *s)
{
	double up = s != NULL ? schedule_uptime(s, WINDOW_7D) : -1;

	if (!(up >= 0))
		return CENSUS_UPTIME_NONE;
	return (uint16_t)lround((up < 1 ? up : 1) * CENSUS_UPTIME_ONE);
}

enum err census_news_init(struct census_news *n, int64_t id, const struct store_peer *p,
			  const struct schedule *schedule)
{
	bool is_node = p->public.len > 0;
	size_t host_len = netaddr_len(p->addr.kind), node_len = 0;
	struct census_row *r = &n->row;

	if (id <= 0 || id > UINT32_MAX)
		return ERR_LIMIT;
	*r = (struct census_row){
		.id = (uint32_t)id,
		.seen_s = seconds(p->last_seen_ms),
		.first_s = seconds(p->first_seen_ms),
		.reached_s = seconds(p->last_reached_ms),
		.height = p->has_version && p->height >= 0 ? clamp(p->height) : -1,
		.protocol = p->has_version && !(is_node && p->protocol == 0) ? clamp(p->protocol)
									     : CENSUS_PROTOCOL_NONE,
		.services = p->has_version && !is_node ? p->services : 0,
		.crawl = p->crawl_id < UINT32_MAX ? (uint32_t)p->crawl_id : UINT32_MAX,
		.latency_ms = p->connect_ms < 0                     ? CENSUS_LATENCY_NONE
			      : p->connect_ms < CENSUS_LATENCY_NONE ? (uint16_t)p->connect_ms
								    : CENSUS_LATENCY_NONE - 1,
		.uptime = uptime_of(schedule),
		.port = p->addr.port,
		.kind = p->addr.kind,
		.outcome = p->visited ? (uint8_t)p->outcome : CENSUS_OUTCOME_NONE,
		.flags = (p->visited ? CENSUS_ROW_VISITED : 0) |
			 (p->visited && p->reached ? CENSUS_ROW_REACHED : 0),
	};
	memcpy(n->host, p->addr.bytes, host_len);
	if (hex_decode(p->node_id, n->host + host_len, PEER_NODE_ID_MAX, &node_len) == ERR_OK)
		r->node_len = (uint8_t)node_len;
	snprintf(n->network, sizeof(n->network), "%s", p->network);
	text_escape(p->agent, n->agent, sizeof(n->agent));
	n->has_place = false;
	return ERR_OK;
}

static enum err sums_of(struct census_table *t, const struct census_news *n, uint16_t *network)
{
	struct census_network *sums;
	uint32_t number;
	enum err err = names_put(&t->networks, n->network, &number);

	if (err != ERR_OK)
		return err;
	*network = (uint16_t)number;
	if (number < t->sums_count)
		return ERR_OK;
	sums = realloc(t->sums, (number + 1) * sizeof(*sums));
	if (sums == NULL)
		return ERR_NOMEM;
	t->sums = sums;
	while (t->sums_count <= number) {
		struct census_network *s = &sums[t->sums_count];

		*s = (struct census_network){ 0 };
		snprintf(s->name, sizeof(s->name), "%s", names_text(&t->networks, t->sums_count++));
	}
	return ERR_OK;
}

static void count_row(struct census_table *t, const struct census_row *r, uint64_t by)
{
	struct census_network *s = &t->sums[r->network];

	s->peers += by;
	if ((r->flags & CENSUS_ROW_VISITED) == 0)
		return;
	s->visited += by;
	s->reached += (r->flags & CENSUS_ROW_REACHED) != 0 ? by : 0;
	s->outcomes[r->outcome] += by;
}

/* Where the row's address and node id stand; those of old are written over where they fit. */
static void put_host(struct census_table *t, const struct census_news *n,
		     const struct census_row *old, struct census_row *row)
{
	size_t len = netaddr_len(row->kind) + row->node_len;

	if (old != NULL && netaddr_len(old->kind) + old->node_len >= len) {
		row->host = old->host;
	} else {
		row->host = (uint32_t)(t->hosts_len / 4);
		t->hosts_len += (len + 3) / 4 * 4;
	}
	memcpy(t->hosts + 4 * (size_t)row->host, n->host, len);
}

enum err census_table_put(struct census_table *t, const struct census_news *n)
{
	struct census_row row = n->row, *old;
	enum err err = sums_of(t, n, &row.network);

	if (err == ERR_OK)
		err = names_put(&t->agents, n->agent, &row.agent);
	if (err == ERR_OK && n->has_place)
		err = find_spot(t, &n->place, &row.place);
	if (err == ERR_OK && n->has_place)
		err = find_as(t, &n->place, &row.as);
	if (err == ERR_OK)
		err = grow_hosts(t, sizeof(n->host));
	if (err == ERR_OK)
		err = grow((void **)&t->rows, t->count, &t->cap, ROWS_FIRST, sizeof(*t->rows));
	if (err == ERR_OK)
		err = grow_slots(t);
	if (err != ERR_OK)
		return err;
	old = census_table_find(t, row.id);
	put_host(t, n, old, &row);
	if (old == NULL) {
		*slot_of(t, row.id) = ++t->count;
		t->rows[t->count - 1] = row;
	} else {
		if (!n->has_place) {
			row.place = old->place;
			row.as = old->as;
		}
		count_row(t, old, (uint64_t)-1);
		*old = row;
	}
	count_row(t, &row, 1);
	return ERR_OK;
}
