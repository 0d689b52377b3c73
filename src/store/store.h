/* store.h: what the crawls have learnt, in a database.
 *
 * SQLite in WAL mode. A store belongs to one thread; the writer (store/writer.h) has
 * its own thread and takes records from any. Errors come with a sentence for the
 * user, what to do included, from store_why. */
#ifndef PEERWALK_STORE_STORE_H
#define PEERWALK_STORE_STORE_H

#include "engine/record.h"

struct store;

enum {
	STORE_SCHEMA = 4,      /* the newest schema this program knows */
	STORE_COMMIT_MS = 500, /* so long at most is anything on its way to the disk */
};

enum store_mode {
	STORE_READ,   /* must exist; never written: of an older one a migrated copy is read */
	STORE_WRITE,  /* must exist */
	STORE_CREATE, /* made if missing; migrated if older */
};

/* ERR_NOT_FOUND, ERR_NOT_OURS, ERR_NEWER, ERR_CORRUPT, ERR_READ_ONLY, ERR_BUSY,
 * ERR_DISK_FULL, ERR_IO, ERR_NOMEM. why (of why_cap bytes) gets a sentence with the remedy on
 * failure. */
enum err store_open(const char *path, enum store_mode mode, struct store **out, char *why,
		    size_t why_cap);
/* Told once for each wait for another process's transaction that has taken some seconds already,
 * by the thread that waits. It goes on for up to ten seconds while a store is opened, and for up to
 * a minute later. fn may be NULL. */
struct store_waiter {
	void (*fn)(void *ctx);
	void *ctx;
};
enum err store_open_waiting(const char *path, enum store_mode mode, struct store_waiter waiter,
			    struct store **out, char *why, size_t why_cap);
void store_close(struct store *s);
/* The sentence that belongs to the last error of this store; never NULL. */
const char *store_why(const struct store *s);

/* One crawl, as the final JSON and the crawls table have it. */
struct store_crawl {
	int64_t id;
	char network[64];
	int64_t started_at_ms, ended_at_ms; /* ended: 0 while running or interrupted */
	bool complete;                      /* nobody was left to ask */
	uint64_t known, visited, reached, adverts, bytes_in, bytes_out;
	double cpu_seconds;
	uint64_t max_rss_bytes;
	char settings[512]; /* JSON text: the options that shaped it */
	uint64_t every_ms;  /* a round of watching (store/watch.h); 0: a crawl by itself */
	bool pruned;        /* visits and adverts of it are gone, or going (store_prune) */
};

/* Takes network, started_at_ms, settings, every_ms; sets id. */
enum err store_crawl_begin(struct store *s, struct store_crawl *crawl);
/* Writes the sums. With ended_at_ms 0 the crawl stays unfinished. */
enum err store_crawl_end(struct store *s, const struct store_crawl *crawl);
/* By id; id 0: the newest, of that network if network is not NULL. ERR_NOT_FOUND. */
enum err store_crawl_get(struct store *s, int64_t id, const char *network, struct store_crawl *out);
/* The newest that had begun by then, of that network or (NULL) of any. ERR_NOT_FOUND. */
enum err store_crawl_at(struct store *s, int64_t unix_ms, const char *network,
			struct store_crawl *out);
/* The one before it, of the same network. ERR_NOT_FOUND. */
enum err store_crawl_before(struct store *s, const struct store_crawl *crawl,
			    struct store_crawl *out);
/* The newest crawl of that network, if it did not end, or ended before all were asked and is no
 * round of watching. ERR_NOT_FOUND; ERR_BUSY while
 * another process writes it (unless the store was opened for reading). */
enum err store_crawl_unfinished(struct store *s, const char *network, struct store_crawl *out);

/* A batch: everything between begin and commit is there after a crash, or nothing. The
 * first error of a put ends the batch, and undoes it. */
enum err store_begin(struct store *s);
enum err store_commit(struct store *s);

/* Peers are told apart by their addresses, and nodes of discovery by their keys as well: node_id
 * in adverts, info.node_id in records that have a node. Without a node, info.node_id (a gossip
 * peer's, of one run) is kept as something that the peer said. */

/* Rows one by one; those of a crawl come in batches, which cost half as much (store/writer.h). */

/* An address that became known to that crawl at that time (a seed, or named by a
 * peer): a peers row, first_seen and last_seen. advert may be NULL where there are no node
 * ids. */
enum err store_put_known(struct store *s, const struct store_crawl *crawl,
			 const struct netaddr *addr, const struct advert *advert, int64_t at_ms);
/* A visit: one row for (crawl, peer); a late retry replaces the first try's row, unless it timed
 * out as that did: then only the number of tries is new. */
enum err store_put_visit(struct store *s, const struct store_crawl *crawl,
			 const struct record *record);
/* Who named whom; only with --adverts. Of `from` addr, node_id and tcp_port count. */
enum err store_put_advert(struct store *s, const struct store_crawl *crawl,
			  const struct advert *from, const struct advert *advert, int64_t at_ms);

/* For --resume: everybody known to that crawl (of the advert addr, node_id and tcp_port hold
 * something), with the outcome and number of tries of the visit (tries 0: not visited).
 * Stops when fn returns false. */
typedef bool store_resume_fn(void *ctx, const struct advert *peer, enum outcome outcome,
			     bool reached, unsigned tries);
enum err store_resume(struct store *s, const struct store_crawl *crawl, store_resume_fn *fn,
		      void *ctx);

#endif
