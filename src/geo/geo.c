#include "geo/geo.h"

#include "base/text.h"
#include "geo/asmap.h"
#include "geo/geo_record.h"

#include <errno.h>
#include <maxminddb.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	/* Nodes of a tree that are looked at to learn what its records have: some milliseconds. */
	SAMPLE_MAX = 1024,
	PATH_SHOWN_MAX = 200, /* of a file's name in a message */
	/* Records of a database that are kept as they were read, 500 bytes each: peers crowd in few
	 * places. A power of two. */
	KEPT_MAX = 16 * 1024,
	KEPT_PROBES = 4,
};

/* Never changed, and never replaced: so it can be read without a lock. */
struct kept {
	uint32_t offset; /* of the record */
	struct geo_place place;
};

struct database {
	MMDB_s db;
	uint32_t forms;               /* that its records have */
	_Atomic(struct kept *) *kept; /* KEPT_MAX slots; or NULL */
};

struct geo {
	struct database databases[GEO_DATABASES_MAX];
	size_t count;
	uint32_t forms;
	uint8_t *asmap; /* NULL: none */
	size_t asmap_len;
};

static enum err fail(enum err err, char *why, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static enum err fail(enum err err, char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, GEO_WHY_MAX, format, args);
	va_end(args);
	return err;
}

static enum err fail_nomem(char *why)
{
	return fail(ERR_NOMEM, why, "out of memory: end other programs");
}

/* As the system has said it, in errno. */
static enum err fail_to_read(const char *path, char *why)
{
	int saved = errno;

	if (saved == ENOMEM)
		return fail_nomem(why);
	return fail(saved == ENOENT ? ERR_NOT_FOUND : ERR_IO, why,
		    "cannot read %.*s: %s; check its name and who may read it", PATH_SHOWN_MAX,
		    path, strerror(saved));
}

/* --- opening --- */

static enum err check_file(const char *path, struct stat *st, char *why)
{
	if (stat(path, st) != 0)
		return fail_to_read(path, why);
	if (!S_ISREG(st->st_mode))
		return fail(ERR_IO, why, "%.*s is no file: name the database itself",
			    PATH_SHOWN_MAX, path);
	return ERR_OK;
}

/* Which forms of what we look for there are, by looking at records all over the tree. Of a tree
 * without more nodes than that, all of them. */
static bool look_around(struct database *d)
{
	uint32_t count = d->db.metadata.node_count, step = count / SAMPLE_MAX + 1;

	for (uint32_t i = 0; i < count; i += step) {
		MMDB_search_node_s node;

		if (MMDB_read_node(&d->db, i, &node) != MMDB_SUCCESS ||
		    node.left_record_type == MMDB_RECORD_TYPE_INVALID ||
		    node.right_record_type == MMDB_RECORD_TYPE_INVALID)
			return false;
		if (node.left_record_type == MMDB_RECORD_TYPE_DATA)
			d->forms |= geo_record_forms(&node.left_record_entry, d->forms);
		if (node.right_record_type == MMDB_RECORD_TYPE_DATA)
			d->forms |= geo_record_forms(&node.right_record_entry, d->forms);
	}
	return true;
}

static enum err open_database(struct geo *g, const char *path, char *why)
{
	struct database *d = &g->databases[g->count];
	struct stat st;
	enum err err = check_file(path, &st, why);
	int status;

	if (err != ERR_OK)
		return err;
	status = MMDB_open(path, MMDB_MODE_MMAP, &d->db);
	/* Of an empty file nothing can be mapped either. */
	if (status == MMDB_FILE_OPEN_ERROR || (status == MMDB_IO_ERROR && st.st_size > 0))
		return fail_to_read(path, why);
	if (status == MMDB_OUT_OF_MEMORY_ERROR)
		return fail_nomem(why);
	if (status != MMDB_SUCCESS)
		return fail(ERR_CORRUPT, why,
			    "%.*s is no database in MaxMind's format, or only a part of one: "
			    "unpack it if it is packed (.gz, .tar.gz), or get it once more",
			    PATH_SHOWN_MAX, path);
	g->count++; /* from here on it is closed with the others */
	if ((d->db.metadata.ip_version != 4 && d->db.metadata.ip_version != 6) ||
	    d->db.metadata.binary_format_major_version != 2 || !look_around(d))
		return fail(ERR_CORRUPT, why, "the database %.*s is damaged: get it once more",
			    PATH_SHOWN_MAX, path);
	if (d->forms == 0) {
		char type[64] = "";

		if (d->db.metadata.database_type != NULL)
			text_escape(slice_text(d->db.metadata.database_type), type, sizeof(type));
		return fail(ERR_VALUE, why,
			    "the database %.*s (%s) has neither countries nor places nor AS "
			    "numbers: take one of a country, city or ASN edition",
			    PATH_SHOWN_MAX, path, type);
	}
	g->forms |= d->forms;
	/* A number and a name are read as fast as found. */
	if (__builtin_popcount(d->forms) <= 2)
		return ERR_OK;
	d->kept = calloc(KEPT_MAX, sizeof(*d->kept));
	return d->kept != NULL ? ERR_OK : fail_nomem(why);
}

static enum err read_asmap(struct geo *g, const char *path, char *why)
{
	const char *rule;
	size_t at_bit;
	struct stat st;
	enum err err = check_file(path, &st, why);
	FILE *f;

	if (err != ERR_OK)
		return err;
	if (st.st_size > ASMAP_BYTES_MAX)
		return fail(ERR_CORRUPT, why,
			    "%.*s is no asmap file: it is longer than any; --asmap takes the one "
			    "that Bitcoin Core takes as -asmap",
			    PATH_SHOWN_MAX, path);
	f = fopen(path, "rbe");
	if (f == NULL)
		return fail_to_read(path, why);
	g->asmap = malloc((size_t)st.st_size + 1);
	if (g->asmap != NULL)
		g->asmap_len = fread(g->asmap, 1, (size_t)st.st_size, f);
	if (g->asmap == NULL)
		err = fail_nomem(why);
	else if (ferror(f))
		err = fail_to_read(path, why);
	fclose(f);
	if (err == ERR_OK && !asmap_check(slice_of(g->asmap, g->asmap_len), &rule, &at_bit))
		err = fail(ERR_CORRUPT, why,
			   "%.*s is no asmap file, or damaged: %s (bit %zu); get it once more",
			   PATH_SHOWN_MAX, path, rule, at_bit);
	return err;
}

enum err geo_open(const char *const *mmdb, size_t count, const char *asmap, struct geo **out,
		  char why[static GEO_WHY_MAX])
{
	struct geo *g;
	enum err err = ERR_OK;

	*out = NULL;
	if (count > GEO_DATABASES_MAX)
		return fail(ERR_LIMIT, why, "%zu databases are too many: %d at most", count,
			    GEO_DATABASES_MAX);
	g = calloc(1, sizeof(*g));
	if (g == NULL)
		return fail_nomem(why);
	for (size_t i = 0; i < count && err == ERR_OK; i++)
		err = open_database(g, mmdb[i], why);
	if (asmap != NULL && err == ERR_OK)
		err = read_asmap(g, asmap, why);
	if (err != ERR_OK) {
		geo_close(g);
		return err;
	}
	*out = g;
	return ERR_OK;
}

void geo_close(struct geo *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < g->count; i++) {
		struct database *d = &g->databases[i];

		for (size_t slot = 0; d->kept != NULL && slot < KEPT_MAX; slot++)
			free(atomic_load(&d->kept[slot]));
		free(d->kept);
		MMDB_close(&d->db);
	}
	free(g->asmap);
	free(g);
}

bool geo_has_countries(const struct geo *g)
{
	return g != NULL && geo_forms_have(g->forms, GEO_COUNTRY);
}

bool geo_has_asns(const struct geo *g)
{
	return g != NULL && (g->asmap != NULL || geo_forms_have(g->forms, GEO_ASN));
}

bool geo_has_locations(const struct geo *g)
{
	return g != NULL && geo_forms_have(g->forms, GEO_LATITUDE) &&
	       geo_forms_have(g->forms, GEO_LONGITUDE);
}

/* --- looking up --- */

/* Where an IPv4 address stands in an IPv6 address of that prefix. */
static const struct {
	uint8_t bits, at, invert;
	uint8_t prefix[12];
} carriers[] = {
	{ 96, 12, 0, { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff } }, /* mapped (RFC 4291) */
	{ 16, 2, 0, { 0x20, 0x02 } },                                /* 6to4 (RFC 3056) */
	{ 32, 12, 0xff, { 0x20, 0x01, 0, 0 } },                      /* Teredo (RFC 4380) */
	{ 96, 12, 0, { 0, 0x64, 0xff, 0x9b } },                      /* NAT64 (RFC 6052) */
	{ 96, 12, 0, { 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff } },       /* SIIT (RFC 2765) */
};

/* ip is the IPv4 address behind an IPv6 one: true, and its 4 bytes are in v4. */
static bool find_ipv4(const struct netaddr *a, uint8_t v4[4])
{
	if (a->kind == NETADDR_IPV4) {
		memcpy(v4, a->bytes, 4);
		return true;
	}
	for (size_t i = 0; i < sizeof(carriers) / sizeof(*carriers); i++) {
		if (memcmp(a->bytes, carriers[i].prefix, carriers[i].bits / 8) != 0)
			continue;
		for (size_t b = 0; b < 4; b++)
			v4[b] = a->bytes[carriers[i].at + b] ^ carriers[i].invert;
		return true;
	}
	return false;
}

/* The address as the two libraries take it. */
struct target {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} socket;
	uint8_t ip[ASMAP_IP_BITS / 8];
};

static void make_target(const struct netaddr *a, struct target *out)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint8_t v4[4];

	*out = (struct target){ 0 };
	if (find_ipv4(a, v4)) {
		out->socket.v4.sin_family = AF_INET;
		memcpy(&out->socket.v4.sin_addr, v4, sizeof(v4));
		memcpy(out->ip, mapped, sizeof(mapped));
		memcpy(out->ip + sizeof(mapped), v4, sizeof(v4));
		return;
	}
	out->socket.v6.sin6_family = AF_INET6;
	memcpy(&out->socket.v6.sin6_addr, a->bytes, sizeof(out->socket.v6.sin6_addr));
	memcpy(out->ip, a->bytes, sizeof(out->ip));
}

static void read_record(const struct database *d, MMDB_entry_s *entry, struct geo_place *out)
{
	size_t at = entry->offset * UINT32_C(2654435769) >> 18; /* Knuth's, of 14 bits */
	struct kept *made;

	for (unsigned probe = 0; d->kept != NULL && probe < KEPT_PROBES; probe++, at++) {
		_Atomic(struct kept *) *slot = &d->kept[at % KEPT_MAX];
		struct kept *there = atomic_load_explicit(slot, memory_order_acquire);

		if (there != NULL && there->offset != entry->offset)
			continue;
		if (there != NULL) {
			*out = there->place;
			return;
		}
		geo_record_read(entry, d->forms, out);
		made = malloc(sizeof(*made));
		if (made == NULL)
			return;
		*made = (struct kept){ .offset = entry->offset, .place = *out };
		if (!atomic_compare_exchange_strong(slot, &there, made))
			free(made); /* somebody else was faster */
		return;
	}
	geo_record_read(entry, d->forms, out);
}

/* What one database adds to what those before it have said. */
static void merge(const struct geo_place *in, struct geo_place *out)
{
	bool same = out->country[0] == 0 || in->country[0] == 0 ||
		    strcmp(out->country, in->country) == 0;

	if (same && out->country[0] == 0)
		memcpy(out->country, in->country, sizeof(out->country));
	if (same && out->country_name[0] == 0)
		memcpy(out->country_name, in->country_name, sizeof(out->country_name));
	if (same && out->city[0] == 0 && !out->has_location) {
		memcpy(out->city, in->city, sizeof(out->city));
		memcpy(out->time_zone, in->time_zone, sizeof(out->time_zone));
		out->has_location = in->has_location;
		out->latitude = in->latitude;
		out->longitude = in->longitude;
	}
	if (out->asn == 0)
		out->asn = in->asn;
	if (out->as_name[0] == 0 && (in->asn == 0 || in->asn == out->asn))
		memcpy(out->as_name, in->as_name, sizeof(out->as_name));
}

void geo_find(const struct geo *g, const struct netaddr *addr, struct geo_place *out)
{
	struct target target;

	*out = (struct geo_place){ 0 };
	if (g == NULL || !netaddr_is_ip(addr))
		return;
	make_target(addr, &target);
	if (g->asmap != NULL)
		out->asn = asmap_find(slice_of(g->asmap, g->asmap_len), target.ip);
	for (size_t i = 0; i < g->count; i++) {
		const struct database *d = &g->databases[i];
		struct geo_place place;
		int status;
		MMDB_lookup_result_s found =
			MMDB_lookup_sockaddr(&d->db, &target.socket.any, &status);

		if (status != MMDB_SUCCESS || !found.found_entry)
			continue;
		read_record(d, &found.entry, &place);
		merge(&place, out);
	}
}
