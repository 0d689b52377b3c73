/* census_table.h: the table of a census: rows of 64 bytes, what they lead to, and each text once.
 * Private to src/web/census*.
 *
 * It knows no locks: one thread writes, and whoever else reads is kept out meanwhile. */
#ifndef PEERWALK_WEB_CENSUS_TABLE_H
#define PEERWALK_WEB_CENSUS_TABLE_H

#include "base/hash.h"
#include "base/keymap.h"
#include "base/text.h"
#include "web/census.h"

/* Different texts, by number. */
enum {
	NAMES_NONE,   /* "" */
	NAMES_OTHERS, /* whatever came when there was no room any more */
	NAMES_FIRST,
};
struct names {
	struct keymap map;
	struct hash_key key;
	char *text; /* one after the other, each with its NUL */
	size_t len, cap;
	uint32_t *at; /* where each begins */
	uint32_t count, at_cap, max;
};
enum err names_init(struct names *n, const struct hash_key *key, uint32_t max);
void names_clear(struct names *n);
/* NAMES_OTHERS: there is no room. ERR_NOMEM. */
enum err names_put(struct names *n, const char *text, uint32_t *out);
/* NAMES_NONE: there is none. */
uint32_t names_find(const struct names *n, const char *text);
static inline const char *names_text(const struct names *n, uint32_t i)
{
	return n->text + n->at[i];
}

enum {
	CENSUS_ROW_VISITED = 1,
	CENSUS_ROW_REACHED = 2, /* in the newest visit */
	CENSUS_LATENCY_NONE = UINT16_MAX,
	CENSUS_UPTIME_NONE = UINT16_MAX,
	CENSUS_UPTIME_ONE = UINT16_MAX - 1, /* all of the time */
	CENSUS_OUTCOME_NONE = UINT8_MAX,
	CENSUS_PROTOCOL_NONE = INT32_MIN,
	CENSUS_CELL_NONE = UINT16_MAX,
	CENSUS_CELL_COLUMNS = 361, /* degrees from -180 to 180 */
	CENSUS_CELLS = 181 * CENSUS_CELL_COLUMNS,
	CENSUS_COUNTRIES_MAX = 26 * 26, /* pairs of letters */
	CENSUS_COUNTRY_NONE = CENSUS_COUNTRIES_MAX,
};

struct census_row {
	uint64_t services;
	uint32_t id;
	uint32_t seen_s, first_s, reached_s; /* since 1970; 0: never */
	uint32_t host;                       /* where its address is, and behind it its node id */
	uint32_t agent, as, place;           /* numbers of names, of entries */
	int32_t height, protocol;            /* -1: not said; CENSUS_PROTOCOL_NONE */
	uint32_t crawl;
	uint16_t latency_ms, uptime, port, network;
	uint8_t kind, outcome, flags, node_len;
};
_Static_assert(sizeof(struct census_row) == 64, "a line of the cache");

struct census_as {
	uint32_t asn, name;
};
struct census_spot {
	uint16_t cell, country; /* CENSUS_CELL_NONE, CENSUS_COUNTRY_NONE: not known */
	uint32_t city;
};

struct census_table {
	struct census_row *rows;
	uint32_t count, cap;
	uint32_t *slots; /* row + 1 by the hash of an id, 0: free; a power of two of them */
	uint32_t slots_count;
	uint8_t *hosts; /* bytes of addresses and node ids, each from a multiple of 4 */
	size_t hosts_len, hosts_cap;
	struct names agents, networks, as_names, cities, country_names;
	struct keymap as_map, spot_map;
	struct hash_key key;
	struct census_as *as;      /* the first: of no known AS; the second: others */
	struct census_spot *spots; /* the first: nowhere */
	uint32_t as_count, as_cap, spots_count, spots_cap;
	uint32_t country_name[CENSUS_COUNTRIES_MAX]; /* numbers of names */
	struct census_network *sums;                 /* by the number of the network's name */
	uint32_t sums_count;
};

enum err census_table_new(const struct hash_key *key, struct census_table **out);
void census_table_free(struct census_table *t); /* NULL is fine */
size_t census_table_bytes(const struct census_table *t);

/* What is known of a peer, standing on its own: made before the lock is taken. */
struct census_news {
	struct census_row row; /* but for what are numbers of names, and host */
	uint8_t host[NETADDR_BYTES_MAX + PEER_NODE_ID_MAX];
	char network[64];
	char agent[CENSUS_VALUE_MAX];
	bool has_place; /* place holds something: looked up once a peer */
	struct geo_place place;
};
/* ERR_LIMIT: its number is over 2^32. */
enum err census_news_init(struct census_news *n, int64_t id, const struct store_peer *peer,
			  const struct schedule *schedule);
/* NULL: it is not there. */
struct census_row *census_table_find(const struct census_table *t, uint32_t id);
/* ERR_NOMEM, and nothing has changed but names that nobody has. */
enum err census_table_put(struct census_table *t, const struct census_news *n);

static inline const uint8_t *census_row_host(const struct census_table *t,
					     const struct census_row *r)
{
	return t->hosts + 4 * (size_t)r->host;
}
static inline const uint8_t *census_row_node(const struct census_table *t,
					     const struct census_row *r)
{
	return census_row_host(t, r) + netaddr_len(r->kind);
}
struct netaddr census_row_addr(const struct census_table *t, const struct census_row *r);
/* "de", "DE": a number below CENSUS_COUNTRIES_MAX; CENSUS_COUNTRY_NONE otherwise. */
unsigned census_country_number(const char *code);

#endif
