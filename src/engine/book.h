/* book.h: the addresses that a standing peer knows, and how far each is to be believed.
 *
 * After the idea of Bitcoin Core's address manager (addrman): `new` addresses are hearsay,
 * `tried` ones were reached by ourselves, and no stranger may fill the book. Where Core has
 * buckets, this counts: the addresses that one source (the /16 or /32 of whoever named them)
 * brought may take up source_max places among the new, those of one group group_max places of
 * each table. Whoever is over his share replaces his own. A full table, or a full group, gives up
 * the worst of a few: who is beyond use; among the new else somebody whose source brought more
 * than the newcomer's; among the tried who failed, or was not reached for four hours. If there is
 * no such one, the newcomer has no place. So a flood of names from one corner pushes out nobody
 * else's, and one from many corners takes an equal share for each of them at most.
 *
 * Where private addresses are allowed, they have no shares: whoever allows them vouches for them,
 * and a whole group may stand on one host.
 *
 * What is asked about one address takes constant time. A full book of Core's sizes (65,536 new,
 * 16,384 tried) takes 172 bytes an address, as tests/unit/test_book_model.c measures.
 *
 * Decisions without I/O: time and randomness come from outside, and what has changed can be
 * read off, for whoever keeps the book on disk (store/book.h). Times are seconds since 1970. */
#ifndef PEERWALK_ENGINE_BOOK_H
#define PEERWALK_ENGINE_BOOK_H

#include "base/hash.h"
#include "base/peer.h"

struct book;

enum {
	BOOK_WAIT_S = 60,           /* Bitcoin Core's 10 min are for 2^16 strangers */
	BOOK_WAIT_MAX_S = 6 * 3600, /* who comes back is found again within so long */
	BOOK_AHEAD_S = 10 * 60,     /* by so much may others' clocks be ahead (Core's) */
	BOOK_OWN_MAX = 64, /* our own addresses: a stranger may relay us to ourselves at many */
};

struct book_config {
	uint32_t new_max, tried_max;
	uint32_t source_max, group_max;
	int64_t known_s;    /* forgotten when nobody named or reached it for so long */
	uint32_t wait_s;    /* between attempts; doubles with failures. 0: BOOK_WAIT_S */
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
	uint32_t failures; /* attempts since then that count; see book_failed */
	bool tried;
};

/* ERR_NOMEM. */
enum err book_new(const struct book_config *config, struct book **out);
void book_free(struct book *b);

/* An address that `source` named. True: it was not known before. False: known, not routable,
 * our own, or there is no place for it. */
bool book_add(struct book *b, const struct advert *peer, const struct netaddr *source,
	      int64_t now_s);
/* From the disk, as it was, and in the order of asked_s and good_s. Who has no place any more is
 * told as gone by book_changed. */
void book_restore(struct book *b, const struct book_entry *entry, int64_t now_s);
/* One of our own addresses: taken out, and never in again (the last BOOK_OWN_MAX of them). */
void book_own(struct book *b, const struct netaddr *addr);

/* An attempt begins; it was reached (which moves it among the tried, if there is a place); it was
 * not, which counts as a failure if it is the first one, or if anybody was reached since the
 * attempt before. Nothing happens to who is not in the book. */
void book_asked(struct book *b, const struct netaddr *addr, int64_t now_s);
void book_reached(struct book *b, const struct netaddr *addr, uint64_t services, int64_t now_s);
void book_failed(struct book *b, const struct netaddr *addr, int64_t now_s);
/* Out of the book. */
void book_drop(struct book *b, const struct netaddr *addr);

/* Whether it is known; *out may be NULL. */
bool book_find(const struct book *b, const struct netaddr *addr, struct book_entry *out);
/* Somebody to dial now: of the tried or the new with equal odds, the fresh and the faultless
 * first, no one within the wait after his last attempt, and none that `skip` (may be NULL) says
 * true of. False: nobody, among 4,096 of each table at least; finding that out may take 8,000
 * calls of skip, so who hears it waits a while before asking again. */
typedef bool book_skip_fn(void *ctx, const struct netaddr *addr);
bool book_pick(struct book *b, int64_t now_s, book_skip_fn *skip, void *ctx,
	       struct book_entry *out);
/* Who has waited long for a check: never dealt with, or neither asked nor reached since before_s;
 * each of the two in the order of their waiting, with equal odds. The same are left out as by
 * book_pick. Looks at 128 at most, and at others the next time. False: nobody. */
bool book_oldest(struct book *b, int64_t now_s, int64_t before_s, book_skip_fn *skip, void *ctx,
		 struct book_entry *out);
/* A random choice for others without repeats, `cap` at most: no one who is beyond use, or was not
 * reached by ourselves since good_since_s (0: hearsay, too). Beyond use, after Core: not heard of
 * for known_s, never reached in three attempts, not in ten over a week. Times are told to the
 * hour. Returns how many. */
size_t book_sample(struct book *b, int64_t now_s, int64_t good_since_s, struct advert *out,
		   size_t cap);
/* Forgets who is too old, and takes times that lie ahead for now. Call it now and then, and when
 * the clock was set back: it goes through the whole book. */
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
/* Since the last call: who has changed, or (gone) is out of the book, of whom was told or restored
 * before. Each is told once, as it is now. False: no more. Who never calls this loses nothing but
 * the changes: the list is as long as the book at most. */
bool book_changed(struct book *b, struct book_entry *out, bool *gone);

#endif
