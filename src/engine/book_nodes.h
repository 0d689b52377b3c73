/* book_nodes.h: where a book's addresses stand: tables, rings, counts of shares. Private to
 * src/engine/book*.c.
 *
 * A node stands in one of two tables (arrays, for a random choice) and in rings: one in the order
 * of our last dealing with it, one of those whose change nobody has read yet, one of its address
 * group's, and, while it is new, one of its source group's. A node that left the book stays as
 * TABLE_GONE until that has been read off, if it was ever read to be there: so there are never
 * more of those than the book has places. */
#ifndef PEERWALK_ENGINE_BOOK_NODES_H
#define PEERWALK_ENGINE_BOOK_NODES_H

#include "base/keymap.h"
#include "engine/book.h"

enum { NODE_NONE = UINT32_MAX };
enum table { TABLE_NEW, TABLE_TRIED, TABLE_GONE, TABLES = TABLE_GONE };
enum ring { RING_DEALT, RING_CHANGED, RING_SOURCE, RING_GROUP, RINGS };
/* Who is counted: new ones by source, both tables' by group. The numbers are hashed. */
enum share { SHARE_SOURCE = 1, SHARE_NEW_GROUP, SHARE_TRIED_GROUP };

struct node {
	struct netaddr addr, source;
	uint64_t services;
	uint32_t named_s, asked_s, good_s; /* as those of book_entry */
	uint16_t failures;
	uint8_t table;
	bool dealt;     /* asked or reached: which of the two rings */
	bool changed;   /* in RING_CHANGED */
	bool told;      /* the reader of changes knows it */
	bool counts;    /* a failure of the attempt that has begun counts: see book_asked */
	uint32_t place; /* in its table */
	struct {
		uint32_t prev, next;
	} links[RINGS];
};

struct book {
	struct book_config config;
	struct hash_key key;
	struct random random;
	struct node *nodes;
	uint32_t nodes_made, nodes_cap, nodes_free; /* free ones are linked by `place` */
	struct keymap by_addr, shares;              /* a share's id: the first of its ring */
	struct {
		uint32_t *ids, count, cap;
	} tables[TABLES];
	uint32_t dealt[2]; /* the first of each ring: not dealt with yet, dealt with */
	uint32_t changed;  /* the same */
	struct netaddr own[BOOK_OWN_MAX];
	unsigned own_count;
	uint32_t good_s; /* anybody was reached */
	uint64_t refused;
};

/* Rings: *first is NODE_NONE for an empty one; new ones come last. */
void ring_add(struct book *b, enum ring ring, uint32_t *first, uint32_t id);
void ring_remove(struct book *b, enum ring ring, uint32_t *first, uint32_t id);

/* Also those that are gone. NODE_NONE: not there. */
uint32_t node_find(const struct book *b, const struct netaddr *addr);
/* Not in a table yet, or one that was gone, as good as new. NODE_NONE: no memory or place. */
uint32_t node_make(struct book *b, const struct netaddr *addr);
/* Into a table, out of it. False without memory: it is in none then. */
bool node_enter(struct book *b, uint32_t id, enum table table);
void node_leave(struct book *b, uint32_t id);
/* Out of the book. It is in no table. */
void node_forget(struct book *b, uint32_t id);
/* To be read off. */
void node_changed(struct book *b, uint32_t id);
/* Now the last in the order of dealings. */
void node_dealt(struct book *b, uint32_t id);

/* The share that an address counts for; NULL: nobody there. */
struct keymap_slot *share_find(const struct book *b, enum share what, const struct netaddr *addr);
uint32_t share_count(const struct book *b, enum share what, const struct netaddr *addr);
enum share share_of_group(enum table table);

/* Beyond use, by its age and failures. */
bool node_terrible(const struct book *b, const struct node *n, uint32_t now_s);
/* Its last sign of life, claimed or seen. */
uint32_t node_alive_s(const struct node *n);
void node_entry(const struct node *n, struct book_entry *out);

#endif
