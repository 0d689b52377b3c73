/* book.h: the address book of a standing peer, on disk (table `book`), and the table of a node of
 * Ethereum (table `node_table`).
 *
 * A store_book has a thread of its own, as the writer of a crawl has: what has changed is handed
 * to it and is committed at least twice a second, off the network path. kill -9 loses no more than
 * that. */
#ifndef PEERWALK_STORE_BOOK_H
#define PEERWALK_STORE_BOOK_H

#include "store/store.h"

struct store_book;

/* One row. Ethereum: node_id, tcp_port and record are set, tried says "answered a check". */
struct store_book_row {
	struct netaddr addr, source; /* source: NETADDR_NONE where it is not kept */
	uint64_t services;
	int64_t named_s, asked_s, good_s;
	uint32_t failures;
	bool tried;
	struct slice node_id; /* empty where peers have no keys */
	uint16_t tcp_port;
};

typedef bool store_book_fn(void *ctx, const struct store_book_row *row);

/* Takes the store over until store_book_stop. on_error: as store_writer_start's. `network` is
 * also what tells books apart: "bitcoin", "gossip/GROUP", "ethereum". */
enum err store_book_start(struct store *store, const char *network,
			  void (*on_error)(void *ctx, enum err err, const char *why), void *ctx,
			  struct store_book **out);
/* Everybody of that network; before store_book_start, with the store. */
enum err store_book_load(struct store *store, const char *network, store_book_fn *fn, void *ctx);
/* Put and drop never wait: over STORE_BOOK_QUEUE_MAX rows the rest is dropped and counted, and
 * comes when it changes again. */
void store_book_put(struct store_book *b, const struct store_book_row *row);
void store_book_drop(struct store_book *b, const struct netaddr *addr, struct slice node_id);
/* Small values that a node keeps ("seq", "reflected"): names of up to 31 letters. */
void store_book_keep(struct store_book *b, const char *name, struct slice value);
/* Commits what is queued, ends the thread, gives the store back. The first error. */
enum err store_book_stop(struct store_book *b);

#endif
