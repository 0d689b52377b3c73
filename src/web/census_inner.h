/* census_inner.h: what the files of the census share. Private to src/web/census*. */
#ifndef PEERWALK_WEB_CENSUS_INNER_H
#define PEERWALK_WEB_CENSUS_INNER_H

#include "web/census_table.h"

#include <pthread.h>
#include <stdatomic.h>

struct census {
	const struct geo *geo;
	struct hash_key key;
	/* Readers hold it for a pass over the table; it is written to, and exchanged, by the one
	 * thread that refreshes, which reads it without. */
	pthread_rwlock_t lock;
	struct census_table *table; /* never NULL */
	/* Of that thread alone. */
	int64_t peer_id, visit_id; /* for store_news */
	int64_t swept_ms;
	bool swept;
	atomic_uint_fast64_t version;
};

/* What a `text` of a filter matches, but for agents and AS's names (census_text.c). */
enum {
	CENSUS_TEXT_MAX = 256,
	CENSUS_NODE_DIGITS_MIN = 4, /* fewer would match many ids by chance */
};
struct census_text {
	char text[CENSUS_TEXT_MAX + 1]; /* in lower case; without a URL's scheme */
	size_t len;
	bool exact; /* it is an address, and maybe a port */
	struct netaddr addr;
	/* Of IPv4: up to four parts, and which octets they match: as its end, as all of it, as its
	 * beginning; with one part alone, anywhere. */
	unsigned octets; /* parts; 0: can't be in one */
	bool octet[4][256];
	/* Of IPv6: likewise, a bit for each group. Where "::" stands in it, one part alone, the
	 * longest, anywhere. */
	unsigned groups;
	bool gap; /* "::" stands in it */
	uint8_t group[8][65536 / 8];
	/* Of names in base 32: the bits that they begin with. */
	bool in_onion, in_i2p; /* it is in what such names end with */
	bool digits32;
	uint8_t bits[NETADDR_BYTES_MAX + 5];
	size_t bits_len;    /* digits before a dot, or all */
	size_t node_digits; /* 0: none */
	uint8_t node[PEER_NODE_ID_MAX];
};
void census_text_init(struct census_text *t, const char *text);
/* host: the bytes of the row's address, behind them its node id. */
bool census_text_match(const struct census_text *t, const struct census_row *row,
		       const uint8_t *host);

/* A filter made ready for a pass over the table (census_match.c). */
struct census_match {
	const struct census_table *table;
	const struct census_filter *filter;
	bool nobody; /* matches */
	uint32_t network, agent;
	uint32_t as;                   /* UINT32_MAX: any */
	uint8_t *place;                /* of spots: whether they are in that country; NULL: any */
	uint8_t *agent_text, *as_text; /* whether the text is in it; NULL: no text */
	struct census_text *text;
};
/* ERR_NOMEM. Clear it in any case. */
enum err census_match_init(struct census_match *m, const struct census_table *t,
			   const struct census_filter *filter);
void census_match_clear(struct census_match *m);
bool census_match(const struct census_match *m, const struct census_row *row);

/* The lock, for questions. */
const struct census_table *census_read(const struct census *c);
void census_read_end(const struct census *c);

#endif
