#include "geo/geo.h"

#include "support/asmap.h"
#include "support/mmdb.h"
#include "support/mmdb_leaks.h"
#include "support/store_rig.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>

static char paths[4][256];
static char why[GEO_WHY_MAX];

struct block {
	const char *net, *record;
};

/* What the makers publish, in their own shapes. */
static const struct block maxmind_city[] = {
	{ "1.2.0.0/16",
	  "{\"city\": {\"geoname_id\": 1, \"names\": {\"de\": \"M\\u00fcnchen\", "
	  "\"en\": \"Munich\"}}, \"continent\": {\"code\": \"EU\", \"names\": {\"en\": "
	  "\"Europe\"}}, "
	  "\"country\": {\"geoname_id\": 2921044, \"is_in_european_union\": true, "
	  "\"iso_code\": \"DE\", \"names\": {\"de\": \"Deutschland\", \"en\": \"Germany\"}}, "
	  "\"location\": {\"accuracy_radius\": 20, \"latitude\": 48.1375, \"longitude\": 11.575, "
	  "\"time_zone\": \"Europe/Berlin\"}, \"postal\": {\"code\": \"80331\"}, "
	  "\"registered_country\": {\"iso_code\": \"FR\", \"names\": {\"en\": \"France\"}}, "
	  "\"subdivisions\": [{\"iso_code\": \"BY\", \"names\": {\"en\": \"Bavaria\"}}]}" },
	{ "1.2.3.0/24", "{\"country\": {\"iso_code\": \"AT\", \"names\": {\"en\": \"Austria\"}}}" },
	{ "2001:db8::/32", "{\"country\": {\"iso_code\": \"JP\", \"names\": {\"en\": \"Japan\"}}, "
			   "\"location\": {\"latitude\": -35.5, \"longitude\": -139.75}}" },
	{ NULL, NULL },
};
static const struct block maxmind_asn[] = {
	{ "1.2.0.0/16", "{\"autonomous_system_number\": 64500, "
			"\"autonomous_system_organization\": \"Example Net, Inc.\"}" },
	{ "8.8.8.0/24", "{\"autonomous_system_number\": 15169, "
			"\"autonomous_system_organization\": \"GOOGLE\"}" },
	{ NULL, NULL },
};
/* IPinfo's free edition of country and ASN, before and since it is called Lite. */
static const struct block ipinfo_old[] = {
	{ "1.2.0.0/16",
	  "{\"as_domain\": \"example.net\", \"as_name\": \"Example AS\", "
	  "\"asn\": \"AS64511\", \"continent\": \"AS\", \"continent_name\": \"Asia\", "
	  "\"country\": \"JP\", \"country_name\": \"Japan\"}" },
	{ NULL, NULL },
};
static const struct block ipinfo_lite[] = {
	{ "1.2.0.0/16", "{\"as_domain\": \"\", \"as_name\": \"Cogent Communications\", "
			"\"asn\": \"AS174\", \"continent\": \"North America\", "
			"\"continent_code\": \"NA\", \"country\": \"Canada\", "
			"\"country_code\": \"CA\"}" },
	{ NULL, NULL },
};
static const struct block ipinfo_location[] = {
	{ "1.2.0.0/16",
	  "{\"city\": \"S\\u00e3o Paulo\", \"country\": \"BR\", \"lat\": \"-23.5475\", "
	  "\"lng\": \"-46.63611\", \"region\": \"S\\u00e3o Paulo\", "
	  "\"timezone\": \"America/Sao_Paulo\"}" },
	{ NULL, NULL },
};
/* ip-location-db's. */
static const struct block flat_city[] = {
	{ "1.2.0.0/16", "{\"city\": \"Lima\", \"country_code\": \"PE\", \"latitude\": -12.04, "
			"\"longitude\": -77.03, \"timezone\": \"America/Lima\"}" },
	{ NULL, NULL },
};

static void write_blocks(int i, const char *type, unsigned ip_version, unsigned record_size,
			 const struct block *blocks)
{
	struct mmdb m;

	mmdb_init(&m, type, ip_version, record_size);
	for (size_t b = 0; blocks[b].net != NULL; b++)
		mmdb_add(&m, blocks[b].net, blocks[b].record);
	snprintf(paths[i], sizeof(paths[i]), "%s/%d.mmdb", folder.path, i);
	mmdb_write(&m, paths[i]);
	mmdb_clear(&m);
}

static struct geo *open_paths(size_t count, const char *asmap)
{
	const char *const list[] = { paths[0], paths[1], paths[2], paths[3] };
	struct geo *g = NULL;
	enum err err = geo_open(list, count, asmap, &g, why);

	if (err != ERR_OK)
		print_message("%s\n", why);
	assert_int_equal(err, ERR_OK);
	return g;
}

static struct geo_place find(const struct geo *g, const char *host)
{
	struct geo_place place;
	struct netaddr a;

	assert_int_equal(netaddr_parse(slice_text(host), 0, &a), ERR_OK);
	memset(&place, 0xa5, sizeof(place));
	geo_find(g, &a, &place);
	return place;
}

static void assert_nothing(const struct geo_place *p)
{
	static const struct geo_place nothing;

	assert_memory_equal(p, &nothing, sizeof(nothing));
}

static bool near(double a, double b)
{
	return a - b < 1e-9 && b - a < 1e-9;
}

/* --- shapes --- */

static void makers(void **state)
{
	static const struct {
		const char *type;
		const struct block *blocks;
		const char *country, *country_name, *city, *zone, *as_name;
		double latitude, longitude;
		uint32_t asn;
	} rows[] = {
		{ "GeoLite2-City", maxmind_city, "DE", "Germany", "Munich", "Europe/Berlin", "",
		  48.1375, 11.575, 0 },
		{ "GeoLite2-ASN", maxmind_asn, "", "", "", "", "Example Net, Inc.", 0, 0, 64500 },
		{ "ipinfo country_asn", ipinfo_old, "JP", "Japan", "", "", "Example AS", 0, 0,
		  64511 },
		{ "ipinfo lite", ipinfo_lite, "CA", "Canada", "", "", "Cogent Communications", 0, 0,
		  174 },
		{ "ipinfo location", ipinfo_location, "BR", "", "S\xc3\xa3o Paulo",
		  "America/Sao_Paulo", "", -23.5475, -46.63611, 0 },
		{ "flat city", flat_city, "PE", "", "Lima", "America/Lima", "", -12.04, -77.03, 0 },
	};
	static const unsigned sizes[] = { 24, 28, 32 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct geo_place p;
		struct geo *g;

		print_message("%s\n", rows[i].type);
		write_blocks(0, rows[i].type, 6, sizes[i % 3], rows[i].blocks);
		g = open_paths(1, NULL);
		p = find(g, "1.2.0.1");
		assert_string_equal(p.country, rows[i].country);
		assert_string_equal(p.country_name, rows[i].country_name);
		assert_string_equal(p.city, rows[i].city);
		assert_string_equal(p.time_zone, rows[i].zone);
		assert_string_equal(p.as_name, rows[i].as_name);
		assert_int_equal(p.asn, rows[i].asn);
		assert_int_equal(p.has_location, rows[i].latitude != 0);
		assert_true(near(p.latitude, rows[i].latitude));
		assert_true(near(p.longitude, rows[i].longitude));
		assert_int_equal(geo_has_countries(g), rows[i].country[0] != 0);
		assert_int_equal(geo_has_asns(g), rows[i].asn != 0);
		assert_int_equal(geo_has_locations(g), rows[i].latitude != 0);
		p = find(g, "9.9.9.9");
		assert_nothing(&p);
		geo_close(g);
	}
}

/* What makes no sense is not known, and spoils nothing beside it. */
static void odd_values(void **state)
{
	static const struct block blocks[] = {
		{ "1.0.0.0/24", "{\"country_code\": \"ZZ\", \"country_name\": \"-\", \"asn\": 0}" },
		{ "1.0.1.0/24", "{\"country_code\": \"d\", \"city\": \"-\", \"asn\": \"AS\"}" },
		{ "1.0.2.0/24", "{\"country_code\": \"de\", \"asn\": \"AS4294967296\", "
				"\"as_name\": \"x\"}" },
		{ "1.0.3.0/24", "{\"country_code\": 7, \"city\": [1], \"asn\": {\"a\": 1}, "
				"\"latitude\": 91, \"longitude\": 7}" },
		{ "1.0.4.0/24", "{\"country_code\": \"D1\", \"latitude\": \"1.2.3\", "
				"\"longitude\": \"x\", \"asn\": \"174\"}" },
		{ "1.0.5.0/24", "{\"latitude\": 12.5}" },
		{ "1.0.6.0/24", "{\"latitude\": \"7\", \"longitude\": \"-.5\", "
				"\"asn\": 4294967295, \"city\": \"\"}" },
		{ "1.0.7.0/24", "\"text\"" },
		{ "1.0.8.0/24", "[{\"country_code\": \"DE\"}]" },
		{ "1.0.9.0/24",
		  "{\"country\": {\"iso_code\": {\"names\": 1}}, \"asn\": \"AS1x\"}" },
		{ NULL, NULL },
	};
	struct geo_place p;
	struct geo *g;

	(void)state;
	write_blocks(0, "odd", 4, 24, blocks);
	g = open_paths(1, NULL);
	for (unsigned i = 0; i < 10; i++) {
		char host[32];

		snprintf(host, sizeof(host), "1.0.%u.1", i);
		p = find(g, host);
		print_message("%s\n", host);
		if (i == 2) {
			assert_string_equal(p.country, "DE");
			assert_string_equal(p.as_name, "x");
			assert_int_equal(p.asn, 0);
		} else if (i == 4) {
			assert_string_equal(p.country, "");
			assert_int_equal(p.asn, 174);
			assert_false(p.has_location);
		} else if (i == 6) {
			assert_int_equal(p.asn, UINT32_MAX);
			assert_true(p.has_location && near(p.latitude, 7));
			assert_true(near(p.longitude, -0.5));
		} else {
			assert_nothing(&p);
		}
	}
	p = find(g, "2001:db8::1"); /* not in a database of IPv4 */
	assert_nothing(&p);
	geo_close(g);
}

/* Names are cut between two characters. */
static void long_names(void **state)
{
	char record[1024], name[400] = "";
	struct block blocks[] = { { "1.0.0.0/8", record }, { NULL, NULL } };
	struct geo_place p;
	struct geo *g;

	(void)state;
	strcpy(name, "x");
	for (unsigned i = 0; i < 60; i++)
		strcat(name, "\xc3\xa4");
	snprintf(record, sizeof(record), "{\"city\": \"%s\"}", name);
	write_blocks(0, "long", 4, 24, blocks);
	g = open_paths(1, NULL);
	p = find(g, "1.1.1.1");
	assert_int_equal(strlen(p.city), GEO_NAME_MAX - 1);
	assert_memory_equal(p.city, name, GEO_NAME_MAX - 1);
	geo_close(g);
	strcpy(name, "xy"); /* now the limit falls into a character */
	for (unsigned i = 0; i < 60; i++)
		strcat(name, "\xc3\xa4");
	snprintf(record, sizeof(record), "{\"city\": \"%s\"}", name);
	write_blocks(0, "long", 4, 24, blocks);
	g = open_paths(1, NULL);
	p = find(g, "1.1.1.1");
	assert_int_equal(strlen(p.city), GEO_NAME_MAX - 2);
	assert_memory_equal(p.city, name, GEO_NAME_MAX - 2);
	geo_close(g);
}

/* --- addresses --- */

static void ipv4_in_ipv6(void **state)
{
	static const char *const same[] = {
		"1.2.3.4",
		"::ffff:1.2.3.4",
		"2002:102:304::1",                  /* 6to4 */
		"2001:0:c000:22d:0:63bf:fefd:fcfb", /* Teredo */
		"64:ff9b::102:304",
		"::ffff:0:102:304",
	};
	static struct asmap_tree tree;
	struct text bits = { 0 };
	uint8_t image[64];
	char asmap[256];
	struct mmdb m;

	(void)state;
	asmap_add(&tree, "1.2.3.0/24", 77);
	asmap_node_text(&tree, 0, &bits);
	snprintf(asmap, sizeof(asmap), "%s/asmap", folder.path);
	mmdb_save(asmap, slice_of(image, asmap_pack(&bits, image, sizeof(image))));
	text_clear(&bits);
	/* Of IPv4 alone; of both; of both, with the aliases that MaxMind's files have. */
	for (unsigned kind = 0; kind < 3; kind++) {
		struct geo *g;

		mmdb_init(&m, "country", kind == 0 ? 4 : 6, 28);
		mmdb_add(&m, "1.2.3.0/24", "{\"country\": {\"iso_code\": \"AT\"}}");
		if (kind == 2) {
			mmdb_alias(&m, "::ffff:0:0/96");
			mmdb_alias(&m, "2002::/16");
		}
		snprintf(paths[0], sizeof(paths[0]), "%s/0.mmdb", folder.path);
		mmdb_write(&m, paths[0]);
		mmdb_clear(&m);
		g = open_paths(1, asmap);
		for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
			struct geo_place p = find(g, same[i]);

			print_message("%s\n", same[i]);
			assert_string_equal(p.country, "AT");
			assert_int_equal(p.asn, 77);
		}
		geo_close(g);
	}
}

static void no_ip(void **state)
{
	struct geo_place p;
	struct geo *g;

	(void)state;
	write_blocks(0, "all", 6, 24,
		     (const struct block[]){ { "::/1", "{\"country\": \"DE\"}" },
					     { "8000::/1", "{\"country\": \"DE\"}" },
					     { NULL, NULL } });
	g = open_paths(1, NULL);
	p = find(g, "fd00::1");
	assert_string_equal(p.country, "DE");
	p = find(g, "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion");
	assert_nothing(&p);
	p = find(NULL, "1.2.3.4");
	assert_nothing(&p);
	assert_false(geo_has_countries(NULL) || geo_has_asns(NULL) || geo_has_locations(NULL));
	geo_close(g);
	geo_close(NULL);
}

/* --- several files --- */

static void precedence(void **state)
{
	static struct asmap_tree tree;
	static const struct block country[] = { { "1.2.3.0/24", "{\"country\": \"CH\"}" },
						{ "8.8.0.0/16", "{\"country\": \"US\"}" },
						{ NULL, NULL } };
	struct text bits = { 0 };
	uint8_t image[64];
	char asmap[256];
	struct geo_place p;
	struct geo *g;

	(void)state;
	write_blocks(0, "country", 4, 24, country);
	write_blocks(1, "city", 6, 32, maxmind_city);
	write_blocks(2, "asn", 6, 28, maxmind_asn);
	g = open_paths(3, NULL);
	assert_true(geo_has_countries(g) && geo_has_asns(g) && geo_has_locations(g));
	p = find(g, "1.2.3.4"); /* the first says CH; the second AT, which is no name for it */
	assert_string_equal(p.country, "CH");
	assert_string_equal(p.country_name, "");
	assert_int_equal(p.asn, 64500);
	p = find(g, "1.2.9.9"); /* the first knows nothing */
	assert_string_equal(p.country, "DE");
	assert_string_equal(p.city, "Munich");
	assert_string_equal(p.as_name, "Example Net, Inc.");
	p = find(g, "2001:db8::5");
	assert_string_equal(p.country, "JP");
	assert_true(p.has_location && near(p.latitude, -35.5));
	geo_close(g);

	/* The asmap's AS before the databases', whose names only fit their own. */
	asmap_add(&tree, "1.2.0.0/16", 64501);
	asmap_add(&tree, "8.8.8.0/24", 15169);
	asmap_node_text(&tree, 0, &bits);
	snprintf(asmap, sizeof(asmap), "%s/asmap", folder.path);
	mmdb_save(asmap, slice_of(image, asmap_pack(&bits, image, sizeof(image))));
	text_clear(&bits);
	g = open_paths(3, asmap);
	p = find(g, "1.2.9.9");
	assert_int_equal(p.asn, 64501);
	assert_string_equal(p.as_name, "");
	p = find(g, "8.8.8.8");
	assert_int_equal(p.asn, 15169);
	assert_string_equal(p.as_name, "GOOGLE");
	geo_close(g);
	g = open_paths(0, asmap);
	assert_true(geo_has_asns(g) && !geo_has_countries(g));
	p = find(g, "1.2.9.9");
	assert_int_equal(p.asn, 64501);
	geo_close(g);
}

/* --- files that are none --- */

static enum err try_open(const char *path, const char *asmap)
{
	struct geo *g = NULL;
	enum err err = geo_open(&path, path != NULL ? 1 : 0, asmap, &g, why);

	print_message("%s\n", err == ERR_OK ? "opened" : why);
	assert_int_equal(g != NULL, err == ERR_OK);
	geo_close(g);
	return err;
}

static void wrong_files(void **state)
{
	static const struct block other[] = { { "1.2.0.0/16", "{\"is_anonymous\": true}" },
					      { NULL, NULL } };
	const char *many[GEO_DATABASES_MAX + 1];
	char path[256];
	struct geo *g;

	(void)state;
	snprintf(path, sizeof(path), "%s/none", folder.path);
	assert_int_equal(try_open(path, NULL), ERR_NOT_FOUND);
	assert_non_null(strstr(why, path));
	assert_int_equal(try_open(NULL, path), ERR_NOT_FOUND);
	assert_int_equal(try_open(folder.path, NULL), ERR_IO);
	assert_int_equal(try_open(NULL, folder.path), ERR_IO);
	mmdb_save(path, slice_of("", 0));
	assert_int_equal(try_open(path, NULL), ERR_CORRUPT);
	assert_int_equal(try_open(NULL, path), ERR_CORRUPT);
	mmdb_save(path, slice_text("\x1f\x8b\x08 no database at all, but something packed"));
	assert_int_equal(try_open(path, NULL), ERR_CORRUPT);
	assert_non_null(strstr(why, "unpack"));
	assert_int_equal(try_open(NULL, path), ERR_CORRUPT);
	write_blocks(0, "GeoIP2-Anonymous-IP", 6, 24, other);
	assert_int_equal(try_open(paths[0], NULL), ERR_VALUE);
	assert_non_null(strstr(why, "GeoIP2-Anonymous-IP"));
	write_blocks(0, "country", 6, 24, maxmind_city);
	assert_int_equal(try_open(paths[0], NULL), ERR_OK);
	assert_int_equal(try_open(paths[0], paths[0]), ERR_CORRUPT);
	assert_int_equal(truncate(path, 64 << 20), 0);
	assert_int_equal(try_open(NULL, path), ERR_CORRUPT);
	for (size_t i = 0; i <= GEO_DATABASES_MAX; i++)
		many[i] = paths[0];
	assert_int_equal(geo_open(many, GEO_DATABASES_MAX + 1, NULL, &g, why), ERR_LIMIT);
	assert_int_equal(geo_open(many, GEO_DATABASES_MAX, NULL, &g, why), ERR_OK);
	geo_close(g);
}

/* Cut short anywhere, or with bytes turned over: it is refused, or something is not known. */
static void damaged(void **state)
{
	static const char *const hosts[] = { "1.2.3.4", "1.2.9.9", "8.8.8.8", "2001:db8::1" };
	uint32_t random = 1;
	struct text image;
	struct mmdb m;

	(void)state;
	mmdb_init(&m, "city", 6, 28);
	for (size_t b = 0; maxmind_city[b].net != NULL; b++)
		mmdb_add(&m, maxmind_city[b].net, maxmind_city[b].record);
	image = mmdb_image(&m);
	mmdb_clear(&m);
	snprintf(paths[0], sizeof(paths[0]), "%s/0.mmdb", folder.path);
	for (size_t len = 0; len < image.len; len += 1 + len / 64) {
		const char *path = paths[0];
		struct geo *g;

		mmdb_save(path, slice_of(image.data, len));
		assert_int_not_equal(geo_open(&path, 1, NULL, &g, why), ERR_OK);
		assert_null(g);
	}
	for (unsigned round = 0; round < 2000; round++) {
		const char *path = paths[0];
		char kept[3];
		size_t at[3];
		struct geo *g;

		for (unsigned i = 0; i < 3; i++) {
			random = random * 1664525 + 1013904223;
			at[i] = (random >> 8) % image.len;
			kept[i] = image.data[at[i]];
			image.data[at[i]] = (char)(kept[i] ^ (char)(1U << (random >> 29)));
		}
		mmdb_save(path, slice_of(image.data, image.len));
		if (geo_open(&path, 1, NULL, &g, why) == ERR_OK) {
			for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
				find(g, hosts[i]);
			geo_close(g);
		}
		for (unsigned i = 3; i-- > 0;)
			image.data[at[i]] = kept[i];
	}
	text_clear(&image);
}

/* --- threads --- */

static void *look_up(void *ctx)
{
	const struct geo *g = ctx;

	for (unsigned i = 0; i < 2000; i++) {
		struct geo_place p = find(g, i % 2 == 0 ? "1.2.9.9" : "1.2.3.4");

		if (strcmp(p.country, i % 2 == 0 ? "DE" : "AT") != 0 || p.asn != 64500)
			return NULL;
	}
	return ctx;
}

static void threads(void **state)
{
	pthread_t all[4];
	struct geo *g;

	(void)state;
	write_blocks(0, "city", 6, 28, maxmind_city);
	write_blocks(1, "asn", 6, 24, maxmind_asn);
	g = open_paths(2, NULL);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&all[i], NULL, look_up, g), 0);
	for (unsigned i = 0; i < 4; i++) {
		void *result;

		assert_int_equal(pthread_join(all[i], &result), 0);
		assert_ptr_equal(result, g);
	}
	geo_close(g);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_set_up, folder_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(makers),       IN_FOLDER(odd_values), IN_FOLDER(long_names),
		IN_FOLDER(ipv4_in_ipv6), IN_FOLDER(no_ip),      IN_FOLDER(precedence),
		IN_FOLDER(wrong_files),  IN_FOLDER(damaged),    IN_FOLDER(threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
