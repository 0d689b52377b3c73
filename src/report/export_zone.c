#include "report/export_zone.h"

#include "base/hash.h"
#include "report/export_format.h"
#include "report/good.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* What every resolver takes over UDP (RFC 1035), without what an OPT record with a cookie
	 * takes of it (RFC 6891, RFC 7873: 11 + 4 + 40 bytes). */
	ANSWER_MAX = 512 - 55,
	HEADER_LEN = 12,
	QUESTION_LEN = 4, /* type and class */
	RECORD_LEN = 12,  /* a name that points back, type, class, TTL, length */
};

struct candidate {
	struct netaddr addr;
	uint64_t services, group;
	int64_t height;
	uint64_t rank;
};

/* Who is left out, by the first reason. */
struct losses {
	uint64_t peers, unreached, elsewhere, old, height;
};

struct zone {
	const struct export_options *options;
	struct candidate *all;
	size_t count, cap;
	struct losses lost;
	struct text out;
	/* Groups that the name has an address of. */
	uint64_t taken[2 * ZONE_PER_NAME_MAX];
	size_t taken_count;
};

bool zone_filter_parse(struct slice text, uint64_t *out)
{
	*out = 0;
	if (text.len < 2 || text.len > 17 || text.data[0] != 'x' || text.data[1] == '0')
		return false;
	for (size_t i = 1; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return false;
		*out = *out << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return true;
}

/* Whoever is in the same group may be the same person. */
static uint64_t group_of(const struct geo *geo, const struct netaddr *a)
{
	struct geo_place place = { 0 };

	if (geo != NULL)
		geo_find(geo, a, &place);
	if (place.asn != 0)
		return 1ULL << 32 | place.asn;
	if (a->kind == NETADDR_IPV4)
		return 2ULL << 32 | (uint64_t)a->bytes[0] << 8 | a->bytes[1];
	return 3ULL << 32 | (uint64_t)a->bytes[0] << 24 | (uint64_t)a->bytes[1] << 16 |
	       (uint64_t)a->bytes[2] << 8 | a->bytes[3];
}

static enum err on_peer(void *ctx, const struct store_peer *p, const struct schedule *schedule)
{
	struct zone *z = ctx;
	const struct export_names *names = z->options->names;

	z->lost.peers++;
	if (!p->reached || !p->has_version) {
		z->lost.unreached++;
		return ERR_OK;
	}
	if (!netaddr_is_ip(&p->addr) || p->addr.port != names->port ||
	    !(names->allow_private || netaddr_is_routable(&p->addr))) {
		z->lost.elsewhere++;
		return ERR_OK;
	}
	if (!good_peer(&z->options->rules, p, schedule) || p->protocol < GOOD_PROTOCOL_MIN) {
		z->lost.old++;
		return ERR_OK;
	}
	if (z->count == z->cap) {
		size_t cap = z->cap > 0 ? 2 * z->cap : 1024;
		struct candidate *all = realloc(z->all, cap * sizeof(*all));

		if (all == NULL)
			return ERR_NOMEM;
		z->all = all;
		z->cap = cap;
	}
	z->all[z->count++] = (struct candidate){
		.addr = p->addr,
		.services = p->services,
		.height = p->height,
		.group = group_of(z->options->geo, &p->addr),
	};
	return ERR_OK;
}

static int by_height(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;

	return (a->height > b->height) - (a->height < b->height);
}

/* Leaves those near the median: who is far behind does not follow the chain, or follows another. */
static void keep_high(struct zone *z)
{
	size_t kept = 0;
	int64_t median;

	if (z->count == 0)
		return;
	qsort(z->all, z->count, sizeof(*z->all), by_height);
	median = z->all[z->count / 2].height;
	for (size_t i = 0; i < z->count; i++) {
		int64_t h = z->all[i].height;
		uint64_t apart = h > median ? (uint64_t)h - (uint64_t)median
					    : (uint64_t)median - (uint64_t)h;

		if (h >= 0 && apart <= z->options->names->height_within)
			z->all[kept++] = z->all[i];
	}
	z->lost.height = z->count - kept;
	z->count = kept;
}

static int by_rank(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;

	return (a->rank > b->rank) - (a->rank < b->rank);
}

/* Another order for each serial and name. */
static void shuffle(struct zone *z, uint64_t bits)
{
	const struct hash_key key = { z->options->zone->serial, bits };

	for (size_t i = 0; i < z->count; i++) {
		uint8_t bytes[NETADDR_KEY_MAX];
		size_t len = netaddr_key(&z->all[i].addr, bytes);

		z->all[i].rank = hash_siphash13(&key, bytes, len);
	}
	if (z->count > 0)
		qsort(z->all, z->count, sizeof(*z->all), by_rank);
}

/* How many addresses an answer for that name can hold. */
static size_t room_for(const struct zone *z, size_t label_len, size_t address_len)
{
	size_t name = strlen(z->options->zone->origin) + 2 + (label_len > 0 ? label_len + 1 : 0);
	size_t used = HEADER_LEN + name + QUESTION_LEN;
	size_t room = used < ANSWER_MAX ? (ANSWER_MAX - used) / (RECORD_LEN + address_len) : 0;

	return room < z->options->names->per_name ? room : z->options->names->per_name;
}

static bool take_group(struct zone *z, uint64_t group)
{
	for (size_t i = 0; i < z->taken_count; i++) {
		if (z->taken[i] == group)
			return false;
	}
	z->taken[z->taken_count++] = group;
	return true;
}

/* bits 0: the origin. */
static uint64_t add_name(struct zone *z, uint64_t bits)
{
	char label[20] = "", host[NETADDR_HOST_TEXT_MAX];
	size_t label_len = 0, left[2]; /* of A and AAAA */
	uint64_t added = 0;

	if (bits != 0)
		label_len = (size_t)snprintf(label, sizeof(label), "x%" PRIx64, bits);
	else
		bits = GOOD_NODE_NETWORK;
	left[0] = room_for(z, label_len, 4);
	left[1] = room_for(z, label_len, 16);
	z->taken_count = 0;
	for (size_t i = 0; i < z->count && left[0] + left[1] > 0; i++) {
		const struct candidate *c = &z->all[i];
		unsigned type = c->addr.kind == NETADDR_IPV6;

		if ((c->services & bits) != bits || left[type] == 0 || !take_group(z, c->group))
			continue;
		left[type]--;
		added++;
		netaddr_host_text(&c->addr, host);
		text_printf(&z->out, "%s IN %s %s\n", label_len > 0 ? label : "@",
			    type == 0 ? "A" : "AAAA", host);
	}
	return added;
}

static void explain(const struct zone *z, struct export_options *options)
{
	const struct losses *l = &z->lost;

	snprintf(options->note, sizeof(options->note),
		 "%zu of %" PRIu64 " peers are good enough for a zone: %" PRIu64
		 " were not reached, %" PRIu64 " are at another port than %u or no public IP "
		 "address, %" PRIu64 " were visited too long ago, are not up often "
		 "enough or speak an old protocol, and "
		 "the height of %" PRIu64 " is far from the median",
		 z->count, l->peers, l->unreached, l->elsewhere, options->names->port, l->old,
		 l->height);
}

enum err export_zone_run(struct store *s, unsigned form, const struct store_filter *filter,
			 struct export_options *options, export_sink_fn *sink, void *sink_ctx,
			 uint64_t *rows)
{
	const struct export_names *names = options->names;
	struct zone z = { .options = options };
	struct store_crawl crawl;
	enum err err = store_crawl_get(s, 0, filter->network, &crawl);

	(void)form;
	if (err == ERR_OK)
		err = good_walk(s, crawl.network, filter, on_peer, &z);
	if (err == ERR_OK) {
		keep_high(&z);
		dns_zone_head(&z.out, options->zone);
		shuffle(&z, 0);
		*rows = add_name(&z, 0);
		for (size_t i = 0; i < names->filters_count; i++) {
			shuffle(&z, names->filters[i]);
			*rows += add_name(&z, names->filters[i]);
		}
		explain(&z, options);
		err = *rows > 0 ? export_flush(&z.out, 1, sink, sink_ctx) : ERR_VALUE;
	}
	text_clear(&z.out);
	free(z.all);
	return err;
}
