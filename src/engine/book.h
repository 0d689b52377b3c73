/* book.h: the addresses that a standing peer knows, and how far each is to be believed.
 *
 * After the idea of Bitcoin Core's address manager (addrman): `new` addresses are hearsay,
 * `tried` ones were reached by ourselves, and no stranger may fill the book. Where Core has
 * buckets, this counts: the addresses that one source (the /16 or /32 of whoever named them)
 * brought may take up source_max places among the new, those of one group group_max places of
 * each table. Whoever is over his share replaces his own; a full table gives up the worst of a
 * few that are picked at random. So a flood of names from one corner pushes out nobody else's.
 *
 * Decisions without I/O: time and randomness come from outside, and what has changed can be
 * read off, for whoever keeps the book on disk (store/book.h). Times are seconds since 1970. */
#ifndef PEERWALK_ENGINE_BOOK_H
#define PEERWALK_ENGINE_BOOK_H

#include "base/hash.h"
#include "base/peer.h"

struct book;

struct book_config {
	uint32_t new_max, tried_max;
	uint32_t source_max, group_max;
	int64_t known_s;    /* forgotten when nobody named or reached it for so long */
	bool allow_private; /* else what is not routable is not kept */
	uint64_t seed;      /* random, secret */
};

/* One address, as the book holds it. */
struct book_entry {
	struct netaddr addr;
	struct netaddr source; /* who named it first; itself: a seed, or it called us */
	uint64_t services;
	int64_t named_s;   /* last named, as it was claimed, not later than the time then */
	int64_t asked_s;   /* our last attempt to reach it; 0: none */
	int64_t good_s;    /* when we reached it last; 0: never */
	uint32_t failures; /* attempts since then */
	bool tried;
};

/* ERR_NOMEM. */
enum err book_new(const struct book_config *config, struct book **out);
void book_free(struct book *b);

/* An address that `source` named. True: it was not known before. False: known, not routable,
 * our own, or there is no place for it. */
bool book_add(struct book *b, const struct advert *peer, const struct netaddr *source,
	      int64_t now_s);
/* From the disk, as it was. */
void book_restore(struct book *b, const struct book_entry *entry, int64_t now_s);
/* One of our own addresses: taken out, and never in again. */
void book_own(struct book *b, const struct netaddr *addr);

/* An attempt begins; it was reached (which moves it among the tried); it was not. */
void book_asked(struct book *b, const struct netaddr *addr, int64_t now_s);
void book_reached(struct book *b, const struct netaddr *addr, uint64_t services, int64_t now_s);
void book_failed(struct book *b, const struct netaddr *addr, int64_t now_s);
/* Out of the book. */
void book_drop(struct book *b, const struct netaddr *addr);

/* Whether it is known; *out may be NULL. */
bool book_find(const struct book *b, const struct netaddr *addr, struct book_entry *out);
/* Somebody to dial now: of the tried or the new with equal odds, the fresh and the faultless
 * first, no one within his doubling wait after failures, and none that `skip` says true of.
 * False: nobody. */
typedef bool book_skip_fn(void *ctx, const struct netaddr *addr);
bool book_pick(struct book *b, int64_t now_s, book_skip_fn *skip, void *ctx,
	       struct book_entry *out);
/* Who has waited longest for a check: neither asked nor reached since before_s. False: nobody. */
bool book_oldest(struct book *b, int64_t before_s, book_skip_fn *skip, void *ctx,
		 struct book_entry *out);
/* A random choice for others, `cap` at most: no one who failed again and again, is too old, or
 * was not reached by ourselves since good_since_s (0: hearsay, too). Returns how many. */
size_t book_sample(struct book *b, int64_t now_s, int64_t good_since_s, struct advert *out,
		   size_t cap);
/* Forgets who is too old; call it now and then. */
void book_expire(struct book *b, int64_t now_s);

struct book_counts {
	uint32_t new_count, tried_count;
	uint64_t refused; /* names for which there was no place */
	size_t bytes;
};
void book_counts(const struct book *b, struct book_counts *out);
/* Everybody, in no order; stops when fn returns false. */
typedef bool book_each_fn(void *ctx, const struct book_entry *entry);
void book_each(const struct book *b, book_each_fn *fn, void *ctx);
/* Since the last call with the same: who has changed, or (gone) is out of the book. Each is told
 * once, as it is now. False: no more. */
bool book_changed(struct book *b, struct book_entry *out, bool *gone);

#endif
