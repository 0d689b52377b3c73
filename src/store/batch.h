/* batch.h: a thread that writes what is handed to it into the store, in batches, off the path of
 * whoever hands it over. Private to src/store: the writer of a crawl and the book of a node are
 * made of it.
 *
 * The queue is bounded, and full is what it may be: whoever puts either waits then, or is refused.
 * A batch is one transaction, committed at least twice a second while there is something to
 * commit: kill -9 loses no more than that. Functions are thread-safe. */
#ifndef PEERWALK_STORE_BATCH_H
#define PEERWALK_STORE_BATCH_H

#include "store/store.h"

struct batches;

enum { BATCH_HEAD_BYTES = 8 /* beside each item: its size */ };

/* Writes one item, on the thread, inside the transaction. Items are aligned to 8 bytes, and stay
 * where they are until the end of the batch. */
typedef enum err batch_write_fn(void *ctx, const void *item);
/* The last of a batch has been written: what was put off is written now. */
typedef enum err batch_rest_fn(void *ctx);
typedef void batch_error_fn(void *ctx, enum err err, const char *why);

/* Takes the store over until batches_stop. rest may be NULL. on_error (may be NULL) is called once,
 * from the thread, when the store fails: everything that comes later is dropped. ERR_NOMEM. */
enum err batches_start(struct store *store, size_t queue_bytes, batch_write_fn *write,
		       batch_rest_fn *rest, void *ctx, batch_error_fn *on_error, void *error_ctx,
		       struct batches **out);
/* Room for an item of that size, to be filled in, then batches_put. NULL: the store has failed, or,
 * unless wait, the queue is full; then there is nothing to put. */
void *batches_take(struct batches *b, size_t size, bool wait);
void batches_put(struct batches *b);
/* How many items of that size fit now. */
size_t batches_room(struct batches *b, size_t size);
/* Commits what is queued, ends the thread, gives the store back. The first error. */
enum err batches_stop(struct batches *b);

#endif
