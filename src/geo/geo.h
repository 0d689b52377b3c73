/* geo.h: where an address is, and whose network it is in: from databases in MaxMind's format
 * (libmaxminddb: country, city, ASN, of whichever maker) and from an asmap file as Bitcoin Core
 * reads it (-asmap).
 *
 * Looking up is thread-safe. Text comes from a file, not from a peer, but a file may be anybody's:
 * show it as a stranger's. */
#ifndef PEERWALK_GEO_GEO_H
#define PEERWALK_GEO_GEO_H

#include "base/netaddr.h"

enum {
	GEO_DATABASES_MAX = 8,
	GEO_NAME_MAX = 96, /* longer names are cut, between two characters */
	GEO_ZONE_MAX = 48, /* the longest of IANA's has 32 */
	GEO_WHY_MAX = 512,
};

struct geo; /* open databases */

/* What they say of one address. Nothing is known of addresses that are no IPs. */
struct geo_place {
	char country[3]; /* ISO 3166-1 alpha-2; "": not known */
	char country_name[GEO_NAME_MAX];
	char city[GEO_NAME_MAX];
	bool has_location;
	double latitude, longitude;   /* degrees */
	char time_zone[GEO_ZONE_MAX]; /* "Europe/Berlin" */
	uint32_t asn;                 /* 0: not known */
	char as_name[GEO_NAME_MAX];
};

/* Files of MaxMind's format in the order of preference; and an asmap file, or NULL, whose AS is
 * believed before theirs. What a file does not know the next may add, but nothing that contradicts
 * what is there: no city in another country, no name of another AS. The files stay open and must
 * not be written to: a new edition takes the place of the old one by renaming it.
 * ERR_NOT_FOUND, ERR_CORRUPT (or no such file at all), ERR_VALUE (it has none of these things),
 * ERR_LIMIT (too many files), ERR_IO, ERR_NOMEM; why gets a sentence with the remedy. */
enum err geo_open(const char *const *mmdb, size_t count, const char *asmap, struct geo **out,
		  char why[static GEO_WHY_MAX]);
void geo_close(struct geo *g); /* NULL is fine */

/* g may be NULL: then nothing is known. An IPv4 address that is mapped into IPv6, of 6to4, of
 * Teredo or behind NAT64 counts as the IPv4 address. Where a file is damaged nothing is known. */
void geo_find(const struct geo *g, const struct netaddr *addr, struct geo_place *out);
/* Whether the files have any; of NULL they have none. */
bool geo_has_countries(const struct geo *g);
bool geo_has_asns(const struct geo *g);
bool geo_has_locations(const struct geo *g);

#endif
