#include "web/census_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SERVICE_BITS = 64,
	KINDS_MAX = NETADDR_CJDNS + 1,
};

/* Everything that one pass counts, by the numbers that rows have. */
struct counts {
	uint32_t *agents, *as, *spots;
	uint32_t kinds[KINDS_MAX], outcomes[OUTCOME_COUNT], services[SERVICE_BITS];
	uint32_t countries[CENSUS_COUNTRIES_MAX + 1];
	/* By their hashes, as peers choose them; each with its number and count. */
	struct keymap protocols;
	int32_t protocol[CENSUS_PROTOCOLS_MAX];
	uint32_t protocol_count[CENSUS_PROTOCOLS_MAX], protocols_len, protocols_cut;
	uint64_t total;
};

static void counts_free(struct counts *c)
{
	if (c == NULL)
		return;
	keymap_clear(&c->protocols);
	free(c->agents);
	free(c->as);
	free(c->spots);
	free(c);
}

static struct counts *counts_new(const struct census_table *t)
{
	struct counts *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->agents = calloc(t->agents.count, sizeof(*c->agents));
	c->as = calloc(t->as_count, sizeof(*c->as));
	c->spots = calloc(t->spots_count, sizeof(*c->spots));
	if (keymap_init(&c->protocols) == ERR_OK && c->agents != NULL && c->as != NULL &&
	    c->spots != NULL)
		return c;
	counts_free(c);
	return NULL;
}

static enum err count_protocol(struct counts *c, const struct hash_key *hash, int32_t protocol)
{
	uint64_t key = hash_siphash13_short(hash, (uint32_t)protocol, sizeof(protocol));
	struct keymap_slot *slot = keymap_find(&c->protocols, key != 0 ? key : 1);

	if (slot == NULL && c->protocols_len == CENSUS_PROTOCOLS_MAX) {
		c->protocols_cut++;
		return ERR_OK;
	}
	if (slot == NULL) {
		slot = keymap_put(&c->protocols, key != 0 ? key : 1);
		if (slot == NULL)
			return ERR_NOMEM;
		slot->id = c->protocols_len++;
		c->protocol[slot->id] = protocol;
	}
	c->protocol_count[slot->id]++;
	return ERR_OK;
}

static void count_places(struct counts *c, const struct census_table *t)
{
	for (uint32_t i = 0; i < t->spots_count; i++)
		c->countries[t->spots[i].country] += c->spots[i];
}

static enum err count_all(struct counts *c, const struct census_match *m)
{
	const struct census_table *t = m->table;
	enum err err = ERR_OK;

	for (uint32_t i = 0; err == ERR_OK && i < t->count; i++) {
		const struct census_row *r = &t->rows[i];

		if (!census_match(m, r))
			continue;
		c->total++;
		c->agents[r->agent]++;
		c->as[r->as]++;
		c->spots[r->place]++;
		c->kinds[r->kind]++;
		if (r->outcome != CENSUS_OUTCOME_NONE)
			c->outcomes[r->outcome]++;
		for (uint64_t bits = r->services; bits != 0; bits &= bits - 1)
			c->services[__builtin_ctzll(bits)]++;
		if (r->protocol != CENSUS_PROTOCOL_NONE)
			err = count_protocol(c, &t->key, r->protocol);
	}
	count_places(c, t);
	return err;
}

/* --- the most frequent --- */

struct tallied {
	uint32_t number, count;
};

static int by_count(const void *left, const void *right)
{
	const struct tallied *a = left, *b = right;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	return (a->number > b->number) - (a->number < b->number);
}

/* Those with a count, the most frequent first. *out is the caller's. */
static enum err sorted(const uint32_t *counts, uint32_t count, struct tallied **out, size_t *len)
{
	*len = 0;
	for (uint32_t i = 0; i < count; i++)
		*len += counts[i] > 0;
	*out = malloc((*len + 1) * sizeof(**out));
	if (*out == NULL)
		return ERR_NOMEM;
	*len = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (counts[i] > 0)
			(*out)[(*len)++] = (struct tallied){ .number = i, .count = counts[i] };
	}
	qsort(*out, *len, sizeof(**out), by_count);
	return ERR_OK;
}

static void put(char out[static CENSUS_VALUE_MAX], const char *text)
{
	snprintf(out, CENSUS_VALUE_MAX, "%s", text);
}

static const char *country_code(unsigned number, char out[static 3])
{
	if (number == CENSUS_COUNTRY_NONE)
		return "";
	out[0] = (char)('A' + number / 26);
	out[1] = (char)('A' + number % 26);
	out[2] = 0;
	return out;
}

static void as_texts(const struct census_table *t, uint32_t number, struct census_count *out)
{
	const struct census_as *as = &t->as[number];
	const char *name = names_text(&t->as_names, as->name);

	if (number == 0) {
		put(out->value, "none");
		put(out->text, "unknown");
	} else if (as->asn == 0) {
		put(out->text, name);
	} else {
		snprintf(out->value, sizeof(out->value), "%u", as->asn);
		snprintf(out->text, sizeof(out->text), "AS%u%s%s", as->asn, name[0] ? " " : "",
			 name);
	}
}

/* The words for a value; what is not known, and not asked for either, has none. */
static void texts(const struct census_table *t, const struct counts *c, enum census_facet facet,
		  uint32_t number, struct census_count *out)
{
	char code[3];

	switch (facet) {
	case CENSUS_AGENTS:
		put(number == NAMES_OTHERS ? out->text : out->value,
		    names_text(&t->agents, number));
		break;
	case CENSUS_COUNTRIES:
		if (number == CENSUS_COUNTRY_NONE) {
			put(out->value, "none");
			put(out->text, "unknown");
		} else {
			put(out->value, country_code(number, code));
			put(out->text, names_text(&t->country_names, t->country_name[number]));
		}
		break;
	case CENSUS_ASNS:
		as_texts(t, number, out);
		break;
	case CENSUS_KINDS:
		put(out->value, netaddr_kind_name(number));
		break;
	case CENSUS_OUTCOMES:
		put(out->value, outcome_name((enum outcome)number));
		put(out->text, outcome_text((enum outcome)number));
		break;
	case CENSUS_SERVICES:
		snprintf(out->value, sizeof(out->value), "%u", number);
		break;
	case CENSUS_PROTOCOLS:
		snprintf(out->value, sizeof(out->value), "%d", c->protocol[number]);
		break;
	case CENSUS_FACETS:
		break;
	}
}

/* Of agents: what was not said is not counted. */
static enum err facet_rows(const struct census_table *t, const struct counts *c,
			   enum census_facet facet, size_t top, struct census_facets *out)
{
	const struct {
		const uint32_t *counts;
		uint32_t count;
	} of[CENSUS_FACETS] = {
		[CENSUS_AGENTS] = { c->agents, t->agents.count },
		[CENSUS_COUNTRIES] = { c->countries, CENSUS_COUNTRIES_MAX + 1 },
		[CENSUS_ASNS] = { c->as, t->as_count },
		[CENSUS_KINDS] = { c->kinds, KINDS_MAX },
		[CENSUS_OUTCOMES] = { c->outcomes, OUTCOME_COUNT },
		[CENSUS_SERVICES] = { c->services, SERVICE_BITS },
		[CENSUS_PROTOCOLS] = { c->protocol_count, c->protocols_len },
	};
	struct tallied *items;
	size_t len;
	enum err err = sorted(of[facet].counts, of[facet].count, &items, &len);

	if (err != ERR_OK)
		return err;
	len = len < top ? len : top;
	out->rows[facet] = calloc(len + 1, sizeof(*out->rows[facet]));
	if (out->rows[facet] == NULL)
		err = ERR_NOMEM;
	for (size_t i = 0; err == ERR_OK && i < len; i++) {
		out->rows[facet][i].count = items[i].count;
		texts(t, c, facet, items[i].number, &out->rows[facet][i]);
		out->counts[facet]++;
	}
	free(items);
	return err;
}

/* Holds the lock for the pass and what comes of it. */
static enum err counted(const struct census_table *t, const struct census_filter *filter,
			struct counts **out)
{
	struct census_match m;
	enum err err = census_match_init(&m, t, filter);

	*out = err == ERR_OK ? counts_new(t) : NULL;
	if (*out == NULL)
		err = ERR_NOMEM;
	if (err == ERR_OK)
		err = count_all(*out, &m);
	census_match_clear(&m);
	return err;
}

enum err census_facets(const struct census *c, const struct census_filter *filter, size_t top,
		       struct census_facets *out)
{
	const struct census_table *t = census_read(c);
	struct counts *counts;
	enum err err = counted(t, filter, &counts);

	*out = (struct census_facets){ 0 };
	if (err == ERR_OK) {
		out->total = counts->total;
		counts->agents[NAMES_NONE] = 0;
		/* Where nobody's place is known there is no base to ask. */
		if (!geo_has_countries(c->geo))
			counts->countries[CENSUS_COUNTRY_NONE] = 0;
		if (!geo_has_asns(c->geo))
			counts->as[0] = 0;
	}
	for (unsigned i = 0; err == ERR_OK && i < CENSUS_FACETS; i++)
		err = facet_rows(t, counts, (enum census_facet)i, top, out);
	counts_free(counts);
	census_read_end(c);
	return err;
}

void census_facets_clear(struct census_facets *f)
{
	for (unsigned i = 0; i < CENSUS_FACETS; i++)
		free(f->rows[i]);
	*f = (struct census_facets){ 0 };
}

/* --- the map --- */

static enum err map_countries(const struct census_table *t, const struct counts *c,
			      struct census_map *out)
{
	struct tallied *items;
	size_t len;
	enum err err = sorted(c->countries, CENSUS_COUNTRIES_MAX, &items, &len);

	if (err != ERR_OK)
		return err;
	out->countries = calloc(len + 1, sizeof(*out->countries));
	out->countries_count = out->countries != NULL ? len : 0;
	for (size_t i = 0; i < out->countries_count; i++) {
		struct census_country *o = &out->countries[i];

		country_code(items[i].number, o->code);
		snprintf(o->name, sizeof(o->name), "%s",
			 names_text(&t->country_names, t->country_name[items[i].number]));
		o->count = items[i].count;
	}
	free(items);
	return out->countries != NULL ? ERR_OK : ERR_NOMEM;
}

/* Of each cell: how many, and its spot that has the most. */
struct cells {
	uint32_t count[CENSUS_CELLS], spot[CENSUS_CELLS];
};

static enum err map_places(const struct census_table *t, const struct counts *c,
			   struct census_map *out)
{
	struct cells *cells = calloc(1, sizeof(*cells));
	struct tallied *items = NULL;
	size_t len = 0;
	enum err err = cells != NULL ? ERR_OK : ERR_NOMEM;

	for (uint32_t i = 0; err == ERR_OK && i < t->spots_count; i++) {
		uint16_t cell = t->spots[i].cell;

		if (cell == CENSUS_CELL_NONE || c->spots[i] == 0)
			continue;
		cells->count[cell] += c->spots[i];
		if (c->spots[i] > c->spots[cells->spot[cell]] || cells->spot[cell] == 0)
			cells->spot[cell] = i;
	}
	if (err == ERR_OK)
		err = sorted(cells->count, CENSUS_CELLS, &items, &len);
	len = len < CENSUS_MAP_PLACES_MAX ? len : CENSUS_MAP_PLACES_MAX;
	out->places = err == ERR_OK ? calloc(len + 1, sizeof(*out->places)) : NULL;
	out->places_count = out->places != NULL ? len : 0;
	for (size_t i = 0; i < out->places_count; i++) {
		const struct census_spot *spot = &t->spots[cells->spot[items[i].number]];
		struct census_place *o = &out->places[i];

		o->latitude = (int)(items[i].number / CENSUS_CELL_COLUMNS) - 90;
		o->longitude = (int)(items[i].number % CENSUS_CELL_COLUMNS) - 180;
		o->count = items[i].count;
		snprintf(o->city, sizeof(o->city), "%s", names_text(&t->cities, spot->city));
		country_code(spot->country, o->country);
	}
	free(items);
	free(cells);
	return out->places != NULL ? ERR_OK : ERR_NOMEM;
}

enum err census_map(const struct census *c, const struct census_filter *filter,
		    struct census_map *out)
{
	const struct census_table *t = census_read(c);
	struct counts *counts;
	enum err err = counted(t, filter, &counts);

	*out = (struct census_map){ 0 };
	if (err == ERR_OK) {
		out->unknown = counts->spots[0];
		err = map_countries(t, counts, out);
	}
	if (err == ERR_OK)
		err = map_places(t, counts, out);
	counts_free(counts);
	census_read_end(c);
	return err;
}

void census_map_clear(struct census_map *m)
{
	free(m->countries);
	free(m->places);
	*m = (struct census_map){ 0 };
}
