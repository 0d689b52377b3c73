/* writer.h: a thread that puts records into the store, in batches, off the network path.
 *
 * The queue is bounded (STORE_WRITER_QUEUE_BYTES): a full queue makes the putters
 * wait, so that a slow disk slows the crawl down instead of eating memory. Batches
 * are committed at least twice a second while there is something to commit; kill -9
 * loses no more than that. Functions are thread-safe. */
#ifndef PEERWALK_STORE_WRITER_H
#define PEERWALK_STORE_WRITER_H

#include "store/store.h"

struct store_writer;

enum { STORE_WRITER_QUEUE_BYTES = 8 << 20 };

/* Takes the store over until store_writer_stop; crawl outlives the writer. on_error
 * is called once, from the writer's thread, when the store fails: everything that
 * comes later is dropped, and the crawl should stop. */
enum err store_writer_start(struct store *store, const struct store_crawl *crawl,
			    void (*on_error)(void *ctx, enum err err, const char *why), void *ctx,
			    struct store_writer **out);
void store_writer_known(struct store_writer *w, const struct netaddr *addr,
			const struct advert *advert, int64_t at_ms);
void store_writer_visit(struct store_writer *w, const struct record *record);
void store_writer_advert(struct store_writer *w, const struct advert *from,
			 const struct advert *advert, int64_t at_ms);
/* Commits what is queued, ends the thread, gives the store back. The first error. */
enum err store_writer_stop(struct store_writer *w);

#endif
