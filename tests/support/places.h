/* places.h: small databases of places, for tests of what uses them: files of countries, cities
 * and ASNs in MaxMind's own shape, and an asmap, of the same few blocks. */
#ifndef PEERWALK_TESTS_SUPPORT_PLACES_H
#define PEERWALK_TESTS_SUPPORT_PLACES_H

#include "support/asmap.h"
#include "support/mmdb.h"

struct places_row {
	const char *net, *country, *country_name, *city, *zone;
	double latitude, longitude;
	uint32_t asn;
	const char *as_name;
};

/* Addresses that simulated networks (127.0.0.0/8) and tests use, among others. Blocks do not
 * overlap. */
static const struct places_row places_rows[] = {
	{ "1.0.0.0/16", "DE", "Germany", "Berlin", "Europe/Berlin", 52.52, 13.405, 64500,
	  "Example Net, Inc." },
	{ "2.0.0.0/16", "FR", "France", "Paris", "Europe/Paris", 48.8566, 2.3522, 64501,
	  "Exemple" },
	{ "3.0.0.0/16", "BR", "Brazil", "S\xc3\xa3o Paulo", "America/Sao_Paulo", -23.5475, -46.6361,
	  64502, "<script>alert(1)</script>" },
	{ "127.0.0.0/10", "DE", "Germany", "Berlin", "Europe/Berlin", 52.52, 13.405, 64500,
	  "Example Net, Inc." },
	{ "127.64.0.0/10", "JP", "Japan", "Tokyo", "Asia/Tokyo", 35.6895, 139.6917, 64503,
	  "\xe6\x9d\xb1\xe4\xba\xac" },
	{ "127.128.0.0/10", "US", "United States", NULL, "America/Chicago", 37.751, -97.822, 64504,
	  "=Formula" },
	{ "2a01::/32", "CH", "Switzerland", NULL, NULL, 0, 0, 64505, NULL },
};

enum { PLACES_ROWS = sizeof(places_rows) / sizeof(*places_rows) };

static inline void places_write_one(const char *path, const char *type, json_t *(*record)(size_t))
{
	struct mmdb m;

	mmdb_init(&m, type, 6, 28);
	for (size_t i = 0; i < PLACES_ROWS; i++) {
		json_t *value = record(i);
		char *text = json_dumps(value, 0);

		assert(text != NULL);
		mmdb_add(&m, places_rows[i].net, text);
		free(text);
		json_decref(value);
	}
	mmdb_write(&m, path);
	mmdb_clear(&m);
}

static inline json_t *places_country(size_t i)
{
	return json_pack("{s:{s:s, s:{s:s}}}", "country", "iso_code", places_rows[i].country,
			 "names", "en", places_rows[i].country_name);
}

static inline json_t *places_city(size_t i)
{
	const struct places_row *r = &places_rows[i];
	json_t *out = places_country(i);

	if (r->city != NULL)
		json_object_set_new(out, "city", json_pack("{s:{s:s}}", "names", "en", r->city));
	if (r->zone != NULL)
		json_object_set_new(out, "location",
				    json_pack("{s:f, s:f, s:s}", "latitude", r->latitude,
					      "longitude", r->longitude, "time_zone", r->zone));
	return out;
}

static inline json_t *places_asn(size_t i)
{
	return json_pack("{s:I, s:s*}", "autonomous_system_number", (json_int_t)places_rows[i].asn,
			 "autonomous_system_organization", places_rows[i].as_name);
}

/* country.mmdb, city.mmdb, asn.mmdb and asmap.dat in a folder. */
static inline void places_write(const char *to)
{
	static struct asmap_tree tree;
	struct text bits = { 0 };
	uint8_t image[1024];
	char path[256];

	snprintf(path, sizeof(path), "%s/country.mmdb", to);
	places_write_one(path, "GeoLite2-Country", places_country);
	snprintf(path, sizeof(path), "%s/city.mmdb", to);
	places_write_one(path, "GeoLite2-City", places_city);
	snprintf(path, sizeof(path), "%s/asn.mmdb", to);
	places_write_one(path, "GeoLite2-ASN", places_asn);
	memset(&tree, 0, sizeof(tree));
	for (size_t i = 0; i < PLACES_ROWS; i++)
		asmap_add(&tree, places_rows[i].net, places_rows[i].asn);
	asmap_node_text(&tree, 0, &bits);
	snprintf(path, sizeof(path), "%s/asmap.dat", to);
	mmdb_save(path, slice_of(image, asmap_pack(&bits, image, sizeof(image))));
	text_clear(&bits);
}

#endif
