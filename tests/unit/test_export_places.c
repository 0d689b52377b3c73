#include "report/export.h"

#include "support/export.h"
#include "support/places.h"

#include <jansson.h>

static struct geo *geo;

static int set_up(void **state)
{
	char why[GEO_WHY_MAX], city[256], asn[256];
	const char *const files[] = { city, asn };

	store_set_up(state);
	places_write(folder.path);
	snprintf(city, sizeof(city), "%s/city.mmdb", folder.path);
	snprintf(asn, sizeof(asn), "%s/asn.mmdb", folder.path);
	return geo_open(files, 2, NULL, &geo, why) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	geo_close(geo);
	return store_tear_down(state);
}

static const char onion[] = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333";
static const char *const hosts[] = {
	"1.0.0.1:8333",   "2.0.0.1:8333", "3.0.0.1:8333", "127.130.0.1:8333",
	"[2a01::7]:8333", "9.9.9.9:8333", onion,
};

static void fill(void)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");

	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
		put(&crawl, ok_record(addr_of(hosts[i]), slice_text("/a/")));
}

static struct text run(const char *what, const char *format, const char *country, uint32_t asn,
		       uint64_t want_rows)
{
	struct export_options options = { .geo = geo, .asn = asn };
	struct store_filter any = STORE_FILTER_ANY;
	struct text out = { 0 };
	uint64_t rows = 0;

	strcpy(options.country, country);
	assert_int_equal(export_run(store, what, format, &any, &options, collect, &out, &rows),
			 ERR_OK);
	assert_int_equal(rows, want_rows);
	return out;
}

/* The last three columns, in CSV as text and in JSON as what they are. */
static void columns(void **state)
{
	static const char *const want[] = {
		",DE,64500,\"Example Net, Inc.\"",
		",FR,64501,Exemple",
		",BR,64502,<script>alert(1)</script>",
		",US,64504,'=Formula",
		",CH,64505,",
		",,,",
		",,,",
	};
	static const char *const whats[] = { "peers", "visits" };

	(void)state;
	fill();
	for (unsigned w = 0; w < 2; w++) {
		struct text out = run(whats[w], "csv", "", 0, 7);
		char *line = strtok(out.data, "\n");
		json_t *doc;

		print_message("%s\n", whats[w]);
		assert_string_equal(strrchr(line, ',') - strlen(",country,asn"),
				    ",country,asn,as_name");
		for (size_t i = 0; i < 7; i++) {
			line = strtok(NULL, "\n");
			assert_non_null(line);
			assert_true(strlen(line) > strlen(want[i]));
			assert_string_equal(line + strlen(line) - strlen(want[i]), want[i]);
		}
		text_clear(&out);
		out = run(whats[w], "json", "", 0, 7);
		doc = json_loadb(out.data, out.len, 0, NULL);
		assert_int_equal(json_integer_value(json_object_get(json_array_get(doc, 3), "asn")),
				 64504);
		assert_string_equal(
			json_string_value(json_object_get(json_array_get(doc, 3), "as_name")),
			"=Formula");
		assert_true(json_is_null(json_object_get(json_array_get(doc, 4), "as_name")));
		assert_true(json_is_null(json_object_get(json_array_get(doc, 6), "country")));
		json_decref(doc);
		text_clear(&out);
	}
}

static void chosen(void **state)
{
	static const struct {
		const char *country;
		uint32_t asn;
		uint64_t rows;
		const char *has;
	} rows[] = {
		{ "DE", 0, 1, "1.0.0.1" },         { "", 64504, 1, "127.130.0.1" },
		{ "US", 64504, 1, "127.130.0.1" }, { "DE", 64504, 0, "" },
		{ "CH", 0, 1, "2a01::7" },
	};
	static const char *const whats[][2] = { { "peers", "csv" },
						{ "visits", "csv" },
						{ "peers", "bitnodes" } };

	(void)state;
	fill();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (unsigned w = 0; w < 3; w++) {
			struct text out = run(whats[w][0], whats[w][1], rows[i].country,
					      rows[i].asn, rows[i].rows);

			assert_non_null(strstr(out.data, rows[i].has));
			assert_null(strstr(out.data, "9.9.9.9"));
			text_clear(&out);
		}
	}
}

static const json_t *node(const json_t *doc, const char *host, size_t at)
{
	return json_array_get(json_object_get(json_object_get(doc, "nodes"), host), at);
}

/* From field 5 on: hostname, city, country, latitude, longitude, timezone, ASN, organization. */
static void bitnodes(void **state)
{
	struct text out;
	json_t *doc;

	(void)state;
	fill();
	out = run("peers", "bitnodes", "", 0, 7);
	doc = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(doc);
	assert_true(json_is_null(node(doc, hosts[2], 5)));
	assert_string_equal(json_string_value(node(doc, hosts[2], 6)), "S\xc3\xa3o Paulo");
	assert_string_equal(json_string_value(node(doc, hosts[2], 7)), "BR");
	assert_true(json_real_value(node(doc, hosts[2], 8)) == -23.5475);
	assert_true(json_real_value(node(doc, hosts[2], 9)) == -46.6361);
	assert_string_equal(json_string_value(node(doc, hosts[2], 10)), "America/Sao_Paulo");
	assert_string_equal(json_string_value(node(doc, hosts[2], 11)), "AS64502");
	assert_string_equal(json_string_value(node(doc, hosts[2], 12)),
			    "<script>alert(1)</script>");
	/* Known in part, and not at all. */
	assert_string_equal(json_string_value(node(doc, hosts[4], 7)), "CH");
	assert_string_equal(json_string_value(node(doc, hosts[4], 11)), "AS64505");
	for (size_t i = 5; i < 13; i++) {
		assert_int_equal(json_is_null(node(doc, hosts[4], i)), i != 7 && i != 11);
		assert_true(json_is_null(node(doc, onion, i)));
	}
	assert_null(node(doc, onion, 13));
	json_decref(doc);
	text_clear(&out);
}

#define WITH_PLACES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PLACES(columns),
		WITH_PLACES(chosen),
		WITH_PLACES(bitnodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
