#include "report/report.h"

#include "support/places.h"
#include "support/report.h"
#include "support/sql.h"

static struct geo *geo;

static int set_up(void **state)
{
	char why[GEO_WHY_MAX], country[256], asn[256];
	const char *const files[] = { country, asn };

	store_set_up(state);
	places_write(folder.path);
	snprintf(country, sizeof(country), "%s/country.mmdb", folder.path);
	snprintf(asn, sizeof(asn), "%s/asn.mmdb", folder.path);
	return geo_open(files, 2, NULL, &geo, why) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	geo_close(geo);
	return store_tear_down(state);
}

/* Three in Germany, two in France, one in Brazil, one in Switzerland; one nobody knows where, one
 * in Tor; and one in France that was not reached. */
static void fill(void)
{
	static const char *const reached[] = {
		"1.0.0.1:8333",
		"1.0.0.2:8333",
		"1.0.200.1:8333",
		"2.0.0.1:8333",
		"2.0.0.2:8333",
		"3.0.0.1:8333",
		"[2a01::7]:8333",
		"9.9.9.9:8333",
		"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333",
	};
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct record failed = failed_record(addr_of("2.0.0.9:8333"), OUTCOME_CONNECT_TIMEOUT);

	for (size_t i = 0; i < sizeof(reached) / sizeof(*reached); i++) {
		struct record r = ok_record(addr_of(reached[i]), slice_text("/a/"));

		assert_int_equal(store_put_visit(store, &crawl, &r), ERR_OK);
	}
	assert_int_equal(store_put_visit(store, &crawl, &failed), ERR_OK);
}

static void assert_places(bool keeper_knows, bool asker_knows, bool visits, bool want)
{
	struct store_crawl crawl;
	struct report_options options = { .top = 3, .key = { 1, 2 } };
	struct report r;

	print_message("kept with %d, asked with %d, visits %d\n", keeper_knows, asker_knows,
		      visits);
	fill();
	assert_int_equal(store_crawl_get(store, 0, NULL, &crawl), ERR_OK);
	crawl.ended_at_ms = crawl.started_at_ms + 1000;
	assert_int_equal(store_crawl_end(store, &crawl), ERR_OK);
	options.geo = keeper_knows ? geo : NULL;
	options.crawl_id = crawl.id;
	assert_int_equal(report_keep(store, &options), ERR_OK);
	if (!visits)
		run_sql(folder.db, "DELETE FROM visits");
	options.geo = asker_knows ? geo : NULL;
	assert_int_equal(report_gather(store, &options, &r), ERR_OK);
	assert_int_equal(r.reached, 9);
	if (want) {
		assert_table(&r, REPORT_COUNTRIES, 7, 4, 1,
			     ROWS({ "DE Germany", 3 }, { "FR France", 2 }, { "BR Brazil", 1 }));
		assert_table(&r, REPORT_ASNS, 7, 4, 1,
			     ROWS({ "AS64500 Example Net, Inc.", 3 }, { "AS64501 Exemple", 2 },
				  { "AS64502 <script>alert(1)</script>", 1 }));
		assert_int_equal(r.tables[REPORT_ASNS].rows[1].number, 64501);
		assert_string_equal(r.tables[REPORT_COUNTRIES].rows[1].value, "FR");
	} else {
		assert_int_equal(r.tables[REPORT_COUNTRIES].total, 0);
		assert_int_equal(r.tables[REPORT_ASNS].count, 0);
	}
	report_clear(&r);
}

/* The crawl was told where peers are, or whoever asks is; then the peers are looked up that it
 * reached, as long as their visits are there. */
static void of_a_kept_report(void **state)
{
	(void)state;
	assert_places(true, false, false, true);
	assert_places(true, true, false, true);
	assert_places(false, true, true, true);
	assert_places(false, true, false, false);
	assert_places(false, false, true, false);
}

static void tables(void **state)
{
	struct report_options options = { .top = 3, .key = { 1, 2 }, .geo = geo };
	struct report r;
	json_t *doc;

	(void)state;
	fill();
	assert_int_equal(report_gather(store, &options, &r), ERR_OK);
	assert_int_equal(r.reached, 9);
	/* Equals in the order of the alphabet. */
	assert_table(&r, REPORT_COUNTRIES, 7, 4, 1,
		     ROWS({ "DE Germany", 3 }, { "FR France", 2 }, { "BR Brazil", 1 }));
	assert_table(&r, REPORT_ASNS, 7, 4, 1,
		     ROWS({ "AS64500 Example Net, Inc.", 3 }, { "AS64501 Exemple", 2 },
			  { "AS64502 <script>alert(1)</script>", 1 }));
	doc = report_json(&r);
	assert_non_null(doc);
	{
		json_t *row = json_array_get(
			json_object_get(json_object_get(doc, "countries"), "rows"), 0);

		assert_string_equal(json_string_value(json_object_get(row, "value")), "DE");
		assert_string_equal(json_string_value(json_object_get(row, "text")), "DE Germany");
		row = json_array_get(json_object_get(json_object_get(doc, "asns"), "rows"), 1);
		assert_int_equal(json_integer_value(json_object_get(row, "value")), 64501);
		assert_string_equal(json_string_value(json_object_get(row, "text")),
				    "AS64501 Exemple");
	}
	json_decref(doc);
	report_clear(&r);
}

/* The AS of 2a01::7 has a number, and no name. */
static void no_name(void **state)
{
	struct report_options options = { .key = { 1, 2 }, .geo = geo };
	struct report r;

	(void)state;
	fill();
	assert_int_equal(report_gather(store, &options, &r), ERR_OK);
	assert_string_equal(r.tables[REPORT_ASNS].rows[3].label, "AS64505");
	assert_string_equal(r.tables[REPORT_COUNTRIES].rows[3].label, "CH Switzerland");
	report_clear(&r);
}

static void no_database(void **state)
{
	struct report_options options = { .top = 3, .key = { 1, 2 } };
	struct report r;
	json_t *doc;

	(void)state;
	fill();
	assert_int_equal(report_gather(store, &options, &r), ERR_OK);
	assert_table(&r, REPORT_COUNTRIES, 0, 0, 0, ROWS({ NULL, 0 }));
	assert_table(&r, REPORT_ASNS, 0, 0, 0, ROWS({ NULL, 0 }));
	doc = report_json(&r);
	assert_int_equal(json_array_size(json_object_get(json_object_get(doc, "asns"), "rows")), 0);
	json_decref(doc);
	report_clear(&r);
}

#define WITH_PLACES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PLACES(tables),
		WITH_PLACES(of_a_kept_report),
		WITH_PLACES(no_name),
		WITH_PLACES(no_database),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
