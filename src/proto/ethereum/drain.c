#include "proto/ethereum/drain.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

const char *drain_result_name(enum drain_result result)
{
	switch (result) {
#define DRAIN_CASE(symbol, name, text) \
	case DRAIN_##symbol:           \
		return name;
		DRAIN_LIST(DRAIN_CASE)
#undef DRAIN_CASE
	}
	return "";
}

const char *drain_result_text(enum drain_result result)
{
	switch (result) {
#define DRAIN_CASE(symbol, name, text) \
	case DRAIN_##symbol:           \
		return text;
		DRAIN_LIST(DRAIN_CASE)
#undef DRAIN_CASE
	}
	return "";
}

/* The first bytes first: numbers compare as distances do. */
static uint64_t id_of(const uint8_t hash[static KADEMLIA_HASH_LEN])
{
	uint64_t id = 0;

	for (unsigned i = 0; i < 8; i++)
		id = id << 8 | hash[i];
	return id;
}

/* Bits in common with the node itself, as far as they matter. */
static unsigned depth_of(const struct drain *d, uint64_t id)
{
	uint64_t differs = id ^ d->node;
	unsigned common = differs == 0 ? 64 : (unsigned)__builtin_clzll(differs);

	return common < DRAIN_DEPTHS ? common : DRAIN_DEPTHS - 1;
}

static bool set_has(const struct drain_set *s, uint64_t id)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (s->ids[i] == id)
			return true;
	}
	return false;
}

/* Equal for equal sets, whatever their order. */
static uint64_t set_print(const struct drain_set *s)
{
	uint64_t sum = s->count;

	for (unsigned i = 0; i < s->count; i++)
		sum += random_mix(s->ids[i]);
	return sum;
}

/* False, and unchanged, if the union has more than a whole answer can. */
static bool set_merge(struct drain_set *s, const struct drain_set *with)
{
	struct drain_set sum = *s;

	for (unsigned i = 0; i < with->count; i++) {
		if (set_has(&sum, with->ids[i]))
			continue;
		if (sum.count == DRAIN_REPLY_MAX)
			return false;
		sum.ids[sum.count++] = with->ids[i];
	}
	*s = sum;
	return true;
}

void drain_init(struct drain *d, const uint8_t node[static KADEMLIA_HASH_LEN])
{
	memset(d, 0, sizeof(*d));
	d->node = id_of(node);
	d->small = UINT_MAX;
}

bool drain_next(struct drain *d, const struct targets *targets,
		uint8_t key[static KADEMLIA_KEY_LEN])
{
	uint8_t hash[KADEMLIA_HASH_LEN] = { 0 };

	if (d->over)
		return false;
	for (unsigned i = 0; i < 8; i++)
		hash[i] = (uint8_t)(d->node >> (56 - 8 * i));
	/* Another place at each question, far apart (the golden ratio's 16 bits). */
	if (d->scatter)
		targets_key(targets, (uint16_t)((d->node >> 48) + d->findnodes * 0x9e37U), key);
	else
		targets_near(targets, hash, d->depth, key);
	kademlia_hash(key, hash);
	d->target = id_of(hash);
	d->findnodes++;
	d->packets = 0;
	d->clean = true;
	d->disorder = false;
	d->got.count = 0;
	d->seen_before = d->seen_count;
	return true;
}

static bool is_seen(const struct drain *d, uint64_t id)
{
	for (unsigned i = 0; i < d->seen_count; i++) {
		if (d->seen[i] == id)
			return true;
	}
	return false;
}

static void note_seen(struct drain *d, uint64_t id)
{
	if (is_seen(d, id))
		return;
	/* More than a table of the reference client holds: its rules are not this node's. */
	if (++d->bucket_counts[depth_of(d, id)] > KADEMLIA_BUCKET_SIZE)
		d->doubt = true;
	if (d->seen_count < DRAIN_SEEN_MAX)
		d->seen[d->seen_count++] = id;
	else
		d->endless = true;
	/* So the short answers that were taken for all of a small table were none. */
	if (d->seen_count > d->small)
		d->doubt = true;
}

bool drain_neighbors(struct drain *d, const uint8_t (*hashes)[KADEMLIA_HASH_LEN], size_t count)
{
	struct drain_set *got = &d->got;
	const unsigned begin = got->count;

	d->answered = true;
	if (d->packets++ == 0)
		d->first_count = count;
	for (size_t i = 0; i < count; i++) {
		uint64_t id = id_of(hashes[i]);

		/* Out of order, twice, too many: two answers mixed, or not the reference
		 * client. */
		if (got->count == DRAIN_REPLY_MAX || set_has(got, id)) {
			d->clean = false;
			continue;
		}
		if (got->count > 0 && (id ^ d->target) < (got->ids[got->count - 1] ^ d->target)) {
			d->clean = false;
			/* Between two packets the network may have changed the order. */
			d->disorder = d->disorder || got->count > begin;
		}
		got->ids[got->count++] = id;
	}
	for (unsigned i = 0; i < got->count; i++)
		note_seen(d, got->ids[i]);
	/* An empty packet says that there is nobody to name. */
	return got->count == DRAIN_REPLY_MAX || got->count == 0;
}

/* Whether a node is missing that was named before and is nearer than the farthest. */
static bool leaves_out(const struct drain *d, const struct drain_set *s)
{
	uint64_t farthest = 0;

	for (unsigned i = 0; i < s->count; i++) {
		if ((s->ids[i] ^ d->target) > farthest)
			farthest = s->ids[i] ^ d->target;
	}
	for (unsigned i = 0; i < d->seen_count; i++) {
		if ((d->seen[i] ^ d->target) < farthest && !set_has(s, d->seen[i]))
			return true;
	}
	return false;
}

/* Whether the sizes of the packets say that none is missing. The reference client fills
 * one before it begins the next; of its two the first has 12. (A single one says nothing:
 * it may be what is left of two, or all that a peer of another make ever names.) */
static bool all_packets(const struct drain *d)
{
	return d->packets == 2 && d->first_count == DRAIN_PACKET_NODES;
}

/* Whether all that the table has to say at this depth is known. */
static bool is_whole(struct drain *d)
{
	const struct drain_set *got = &d->got;
	uint64_t print = set_print(got);

	d->agree = d->agree > 0 && print == d->last_print ? d->agree + 1 : 1;
	d->last_print = print;
	if (got->count == DRAIN_REPLY_MAX && d->agree >= DRAIN_REPEAT) {
		d->unsorted = d->unsorted || d->disorder;
		d->doubt = d->doubt || d->unsorted;
		d->scatter = d->unsorted && leaves_out(d, got);
		d->whole = *got;
		return !d->scatter;
	}
	if (got->count < DRAIN_REPLY_MAX && got->count == d->seen_count &&
	    d->agree >= DRAIN_AGREE) {
		d->whole = *got;
		d->small = d->seen_count;
		return true;
	}
	if (!d->clean)
		return false;
	if (!leaves_out(d, got) && all_packets(d)) {
		d->whole = *got;
		return true;
	}
	if (!set_merge(&d->whole, got))
		d->whole = *got; /* the table has changed meanwhile */
	return d->whole.count == DRAIN_REPLY_MAX && !leaves_out(d, &d->whole);
}

static bool has_shallower(const struct drain *d, const struct drain_set *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (depth_of(d, s->ids[i]) < d->depth)
			return true;
	}
	return false;
}

/* Whether nothing is left to ask for below this depth. In doubt, the few nodes of a last
 * packet don't say so: they are far away even if there are many near. */
static bool is_last(const struct drain *d, bool whole)
{
	if (d->depth == DRAIN_DEPTHS - 1)
		return true;
	if (whole)
		return has_shallower(d, &d->whole);
	return d->got.count > DRAIN_REPLY_MAX - DRAIN_PACKET_NODES && has_shallower(d, &d->got);
}

/* Of a table that may be sorted by something else: an answer for any place, or none. */
static void end_scattered(struct drain *d)
{
	d->doubt = true;
	if (d->packets > 0)
		d->barren = d->seen_count > d->seen_before ? 0 : d->barren + 1;
	d->over = d->barren >= DRAIN_BARREN || d->findnodes >= DRAIN_FINDNODES_MAX;
}

void drain_reply_end(struct drain *d)
{
	bool whole = false;

	assert(!d->over);
	if (d->packets > 0) {
		d->silences = 0;
		whole = !d->scatter && is_whole(d);
	} else if (++d->silences == DRAIN_SILENCES) {
		d->doubt = true;
		d->over = true;
		return;
	}
	if (d->scatter) {
		end_scattered(d);
		return;
	}
	d->attempts++;
	if (!whole && d->findnodes < DRAIN_FINDNODES_MAX &&
	    (d->packets == 0 || d->attempts < (d->doubt ? DRAIN_ATTEMPTS_DOUBT : DRAIN_ATTEMPTS)))
		return; /* once more at this depth */
	d->doubt = d->doubt || !whole;
	if (is_last(d, whole) && d->unsorted && d->seen_count >= DRAIN_REPLY_MAX) {
		d->scatter = true;
		d->over = d->findnodes >= DRAIN_FINDNODES_MAX;
	} else if (is_last(d, whole)) {
		d->over = true;
	} else if (d->findnodes >= DRAIN_FINDNODES_MAX) {
		d->doubt = true;
		d->over = true;
	} else {
		d->depth++;
		d->attempts = 0;
		d->whole.count = 0;
	}
}

enum drain_result drain_result(const struct drain *d)
{
	if (!d->answered)
		return DRAIN_TIMED_OUT;
	return d->over && !d->doubt ? DRAIN_DRAINED : DRAIN_PARTIAL;
}

unsigned drain_findnodes(const struct drain *d)
{
	return d->findnodes;
}

unsigned drain_count(const struct drain *d)
{
	return d->seen_count;
}

bool drain_has(const struct drain *d, const uint8_t hash[static KADEMLIA_HASH_LEN])
{
	return is_seen(d, id_of(hash));
}

bool drain_endless(const struct drain *d)
{
	return d->endless;
}
