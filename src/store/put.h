/* put.h: what a crawl has learnt, on its way into the tables: it is gathered peer by peer, so that
 * somebody who becomes known, is visited and is named in one batch becomes one row of peers at
 * once, and then written with a few statements for all. Private to src/store.
 *
 * Whatever is added borrows until put_flush. After an error put_drop: nothing of it is written. */
#ifndef PEERWALK_STORE_PUT_H
#define PEERWALK_STORE_PUT_H

#include "base/hash.h"
#include "base/keymap.h"
#include "store/db.h"

enum {
	/* Different peers that are gathered before they are written: 1 MB. */
	PUT_PEERS_MAX = 8 * 1024,
	/* Adverts, of which one peer gives up to a thousand: 1 MB. */
	PUT_ADVERTS_MAX = 32 * 1024,
	/* Numbers of rows of peers that are kept, so that nobody who is visited soon after he
	 * became known has to be looked for in the index: 16 MB when they are that many. */
	PUT_IDS_MAX = 768 * 1024,
};

/* As the functions of store.h, but for the end of the batch. */
enum err put_known(struct store *s, const struct store_crawl *crawl, const struct netaddr *addr,
		   const struct advert *advert, int64_t at_ms);
enum err put_visit(struct store *s, const struct store_crawl *crawl, const struct record *record);
enum err put_advert(struct store *s, const struct store_crawl *crawl, const struct advert *from,
		    const struct advert *advert, int64_t at_ms);
/* In a transaction of its own, unless there is a batch. */
enum err put_flush(struct store *s);
void put_drop(struct store *s);
/* Rows of peers went away: their numbers lead to nobody. */
void put_forget_ids(struct store *s);
void put_free(struct store *s);

/* What was added of one peer. */
struct put_peer {
	struct netaddr addr;
	struct slice node_id;       /* of a node */
	const struct advert *claim; /* the newest that was said of it; NULL: nothing */
	const struct record *visit; /* NULL: none */
	uint64_t hash;              /* of its key */
	int64_t id;                 /* of its row; 0: there is none, or it isn't known yet */
	int64_t again;              /* the row of the visit that changes by no more than a number of
				     * tries; 0: there is none such */
	int64_t at_ms;              /* when it was first added */
	int64_t from_ms, to_ms;     /* the first and the last time that it was seen */
	uint16_t tcp_port;          /* as those say who made it known; 0: not said */
	uint16_t named_port;        /* in the advert that came first of all, for a fresh row */
	bool known;                 /* not only named in an advert */
	bool fresh;                 /* its row is still to come */
};

struct put_advert {
	uint32_t from, peer; /* in puts.peers */
	const struct advert *advert;
	int64_t at_ms;
};

/* Which of the peers a statement is for. */
enum put_list {
	PUT_MISSING, /* are not found in `ids` */
	PUT_KNOWN,   /* their rows change no more than that they are known again */
	PUT_SILENT,  /* their rows change by a visit of which nothing came */
	PUT_WHOLE,   /* their rows are made, or change by any other visit */
	PUT_MISSED,  /* get a row in visits that says how it ended, and no more */
	PUT_VISITED, /* get any other row in visits */
	PUT_AGAIN,   /* their visits change no more than a number of tries */
	PUT_LISTS,
};

struct puts {
	const struct store_crawl *crawl;
	int64_t network_id;
	size_t peers_count, adverts_count, adverts_cap;
	struct put_peer peers[PUT_PEERS_MAX];
	struct put_advert *adverts;
	/* put_flush's own, each in the order of `peers`. */
	struct {
		size_t count;
		uint32_t at[PUT_PEERS_MAX];
	} lists[PUT_LISTS];
	/* Under the hash of a peer's key: the number of its row (0: not known), and its place in
	 * `peers` plus 1 (0: it has none). */
	struct keymap ids;
	struct hash_key key;
	bool ids_of_all;                  /* of the network: who is not there has no row */
	int64_t ids_network, ids_version; /* store_version, when they were right */
};

/* What the statements read (put_columns.c). */
struct feed;
struct feed put_feed(const struct puts *p, enum put_list list);
struct feed put_adverts(const struct puts *p);

/* Nothing came of it but how it ended, and when. */
bool put_is_silent(const struct record *r);
/* A gossip peer's id is of one run of a program: what it says of itself, like its agent. */
bool put_said_id(const struct record *r);

#endif
