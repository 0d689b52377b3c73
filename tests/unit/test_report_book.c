#include "report/report_book.h"

#include "support/store_rig.h"

enum { NOW = 1780000000, DAY = 24 * 3600 };

static void put(const char *name, const char *addr, int64_t good_s, uint32_t failures)
{
	const struct store_book_row row = { .addr = addr_of(addr),
					    .good_s = good_s,
					    .failures = failures };
	struct store_book *b;

	assert_int_equal(store_book_start(store, name, NULL, NULL, &b), ERR_OK);
	assert_true(store_book_put(b, &row));
	assert_int_equal(store_book_stop(b), ERR_OK);
}

static void says(const char *network, const char *want)
{
	json_t *books, *wanted = json_loads(want, 0, NULL);

	assert_non_null(wanted);
	assert_int_equal(report_books(store, network, NOW, &books), ERR_OK);
	if (!json_equal(books, wanted))
		fail_msg("%s", json_dumps(books, 0));
	json_decref(books);
	json_decref(wanted);
}

static void a_line_for_each_book(void **state)
{
	static const char bitcoin[] =
		"{\"book\":\"bitcoin\",\"known\":4,\"reached\":3,\"day\":1,\"failing\":2,"
		"\"last_reached\":1779999999,\"kinds\":{\"ipv4\":3,\"ipv6\":1}}";
	char all[512];

	(void)state;
	says(NULL, "[]");
	put("bitcoin", "1.1.1.1:1", NOW - 1, 0);
	put("bitcoin", "1.1.1.1:2", NOW - DAY - 1, 1);
	put("bitcoin", "1.1.1.1:3", 0, 9);
	put("bitcoin", "[2a00::1]:4", 1, 0);
	put("gossip/a\x01\"b", "1.1.1.1:1", 0, 0);
	snprintf(all, sizeof(all), "[%s,%s]", bitcoin,
		 "{\"book\":\"gossip/a\\\\x01\\\"b\",\"known\":1,\"reached\":0,\"day\":0,"
		 "\"failing\":0,\"last_reached\":null,\"kinds\":{\"ipv4\":1}}");
	says(NULL, all);
	snprintf(all, sizeof(all), "[%s]", bitcoin);
	says("bitcoin", all);
	says("ethereum", "[]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_for_each_book, store_set_up,
						store_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
