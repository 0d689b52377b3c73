/* tally.h: how often each of many strings of bytes, or each of many numbers, occurs.
 *
 * Peers choose what is counted: the table's hash is keyed, and it takes up to
 * TALLY_KEYS_MAX different ones. What comes after is counted in `cut` alone. */
#ifndef PEERWALK_REPORT_TALLY_H
#define PEERWALK_REPORT_TALLY_H

#include "base/hash.h"

enum {
	/* The real networks show some thousands of user agents: the rest is invented. */
	TALLY_KEYS_MAX = 100 * 1000,
	TALLY_KEY_MAX = 256, /* longer ones are cut; PEER_AGENT_MAX */
};

struct tally_entry {
	uint8_t *key; /* owned by the tally */
	size_t len;
	uint64_t count;
	int64_t number; /* what tally_add_number was given */
	char *name;     /* of tally_add_named, owned by the tally; or NULL */
};

struct tally {
	struct tally_entry *entries;
	size_t len, cap;
	uint32_t *slots; /* index + 1 into entries, 0: free; a power of two of them */
	size_t slots_count;
	uint64_t total; /* of all counts, `cut` included */
	uint64_t cut;
	struct hash_key key;
	enum err err; /* sticks at ERR_NOMEM */
};

void tally_init(struct tally *t, const struct hash_key *key);
void tally_clear(struct tally *t);
void tally_add(struct tally *t, struct slice key);
void tally_add_number(struct tally *t, int64_t number);
/* A number that has a name; "" if it is not known this time. The first one stays. */
void tally_add_named(struct tally *t, int64_t number, const char *name);
/* How often that key was added; before any sort. */
uint64_t tally_count(const struct tally *t, struct slice key);
/* The most frequent first; equals in order of their numbers, then of their bytes. Nothing
 * can be added after a sort. */
void tally_sort_by_count(struct tally *t);
void tally_sort_by_number(struct tally *t);

#endif
