/* book.h: the addresses that a standing peer knows, on disk (table `book`): those of its book
 * (engine/book.h), or, of Ethereum, of its Kademlia table.
 *
 * A store_book has a thread of its own, as the writer of a crawl has: what has changed is handed
 * to it and is committed at least twice a second, off the network path. kill -9 loses no more than
 * that. Names tell books apart: "bitcoin", "gossip/GROUP", "ethereum". */
#ifndef PEERWALK_STORE_BOOK_H
#define PEERWALK_STORE_BOOK_H

#include "store/query.h"

struct store_book;

enum {
	STORE_BOOK_QUEUE_MAX = 4096, /* rows on their way to the disk */
	STORE_BOOK_KEY_MAX = 32,     /* of a value, with its NUL */
	STORE_BOOK_VALUE_MAX = 128,
};

/* One row. Of Ethereum: node_id and tcp_port are set, tried says "answered a check". */
struct store_book_row {
	struct netaddr addr, source; /* source: NETADDR_NONE where it is not kept */
	uint64_t services;
	int64_t named_s, asked_s, good_s; /* seconds since 1970; 0: never */
	uint32_t failures;
	bool tried;
	struct slice node_id; /* empty where peers have no keys */
	uint16_t tcp_port;    /* 0: none, or not known */
};

/* Everybody of that book, in the order of asked_s and good_s; before store_book_start, with the
 * store. Stops when fn returns false. No such book: nobody. */
typedef bool store_book_fn(void *ctx, const struct store_book_row *row);
enum err store_book_load(struct store *store, const char *name, store_book_fn *fn, void *ctx);
/* A value that was kept, of up to STORE_BOOK_VALUE_MAX bytes; *len 0: none. Likewise. */
enum err store_book_value(struct store *store, const char *name, const char *key,
			  uint8_t out[static STORE_BOOK_VALUE_MAX], size_t *len);
/* For reports, which may ask for filter->network (with all its groups) and filter->kind. */
typedef enum err store_books_fn(void *ctx, const char *name, const struct store_book_row *row);
enum err store_books(struct store *store, const struct store_filter *filter, store_books_fn *fn,
		     void *ctx);

/* Takes the store over until store_book_stop. on_error: as store_writer_start's. ERR_BUSY: another
 * node keeps a book of that name in this file; or what a store fails with, told by store_why. */
enum err store_book_start(struct store *store, const char *name,
			  void (*on_error)(void *ctx, enum err err, const char *why), void *ctx,
			  struct store_book **out);
/* How many rows can be put now. Whoever reads changes off a book reads so many. */
size_t store_book_room(struct store_book *b);
/* They never wait. False: it was not taken, as STORE_BOOK_QUEUE_MAX are queued, or as the store
 * has failed. */
bool store_book_put(struct store_book *b, const struct store_book_row *row);
bool store_book_drop(struct store_book *b, const struct netaddr *addr, struct slice node_id);
/* Small values that a node keeps ("seq"). */
bool store_book_keep(struct store_book *b, const char *key, struct slice value);
/* Commits what is queued, ends the thread, gives the store back. The first error. */
enum err store_book_stop(struct store_book *b);

#endif
