/* test_export_seeds.c: the table that makeseeds.py reads. */
#include "support/export.h"
#include "support/hostile.h"

enum { NOW_S = 1780000000, HOUR_S = 3600 };

static struct export_options options = {
	.rules = { .now_ms = NOW_S * 1000LL, .max_age_ms = 24 * HOUR_S * 1000LL, .min_uptime = 0.5 }
};

static struct text run(uint64_t want_rows)
{
	struct text out = { 0 };
	uint64_t rows = 0;

	assert_int_equal(export_run(store, "peers", "seeds", &STORE_FILTER_ANY, &options, collect,
				    &out, &rows),
			 ERR_OK);
	assert_int_equal(rows, want_rows);
	return out;
}

static struct store_crawl begin_round(int64_t at_s)
{
	struct store_crawl crawl = { .network = "bitcoin",
				     .started_at_ms = at_s * 1000,
				     .settings = "{}",
				     .every_ms = HOUR_S * 1000 };

	assert_int_equal(store_crawl_begin(store, &crawl), ERR_OK);
	return crawl;
}

/* In `rounds` rounds, an hour apart; the last one an hour ago. */
static void watch(struct record r, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		int64_t at_s = NOW_S - (int64_t)(rounds - i) * HOUR_S;
		struct store_crawl crawl = begin_round(at_s);

		r.started_at_ms = at_s * 1000;
		put(&crawl, r);
		crawl.ended_at_ms = at_s * 1000 + 1;
		assert_int_equal(store_crawl_end(store, &crawl), ERR_OK);
	}
}

static const char head[] =
	"# address                                        good  lastSuccess   %(2h)  %(8h)  %(1d)  "
	"%(7d)  %(30d)  blocks      svcs  version\n";

/* Averages count the time before the first visit as down: 2 hours in windows of 2 h, 8 h ... */
static void watched(void **state)
{
	struct text out;

	(void)state;
	watch(ok_record(addr_of("1.2.3.4:8333"), slice_text("/Satoshi:29.0.0/")), 3);
	out = run(1);
	assert_string_equal(out.data + strlen(head),
			    "1.2.3.4:8333                                        1   1779996400   "
			    "63.21%  22.12%   8.00%   1.18%   0.28%  900000  00000c09  70016 "
			    "\"/Satoshi:29.0.0/\"\n");
	out.data[strlen(head)] = 0;
	assert_string_equal(out.data, head);
	text_clear(&out);
}

static void who_is_good(void **state)
{
	static const struct {
		const char *name;
		uint64_t services;
		int64_t protocol;
		bool good;
	} rows[] = {
		{ "like the others", 0xc09, 70016, true },
		{ "pruned", 0xc08, 70016, false },
		{ "oldest protocol", 0xc09, 70001, true },
		{ "older", 0xc09, 70000, false },
		{ "all services there are", UINT64_MAX, 70016, true },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct record r = ok_record(addr_of("1.2.3.4:18333"), slice_text("/x/"));
		struct text out;

		print_message("%s\n", rows[i].name);
		store_set_up(state);
		r.info.services = rows[i].services;
		r.info.protocol = rows[i].protocol;
		watch(r, 3);
		out = run(1);
		assert_int_equal(strstr(out.data, "  1   1779996400 ") != NULL, rows[i].good);
		assert_int_equal(strstr(out.data, "  0   1779996400 ") != NULL, !rows[i].good);
		text_clear(&out);
		store_tear_down(state);
	}
}

/* Nothing is known of their uptime, and nothing is said. Who never answered is not there. */
static void not_watched(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct record r = ok_record(addr_of("[2a01::1]:8333"), slice_text(""));
	struct text out;

	(void)state;
	r.info.height = -1;
	put(&crawl, r);
	put(&crawl, failed_record(addr_of("2.2.2.2:8333"), OUTCOME_REFUSED));
	out = run(1);
	assert_string_equal(out.data + strlen(head),
			    "[2a01::1]:8333                                      0   1780000001    "
			    "0.00%   0.00%   0.00%   0.00%   0.00%       0  00000c09  70016 "
			    "\"\"\n");
	text_clear(&out);
}

/* Twelve words a line, whatever they call themselves; and the last one says it all. */
static void hostile_agents(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct text out;
	char *line, *rest;

	(void)state;
	for (uint32_t i = 0; i < HOSTILE; i++)
		put(&crawl, ok_record(netaddr_ipv4(0x01000000 + i, 8333), hostile[i].agent));
	out = run(HOSTILE);
	line = strtok_r(out.data, "\n", &rest);
	for (uint32_t i = 0; i < HOSTILE; i++) {
		char *words, *word, *last = NULL;
		struct text agent = { 0 };
		size_t count = 0;

		line = strtok_r(NULL, "\n", &rest);
		print_message("%s\n", hostile[i].name);
		assert_non_null(line);
		for (const char *c = line; *c != 0; c++)
			assert_true(*c >= ' ' && *c < 0x7f);
		for (word = strtok_r(line, " ", &words); word != NULL;
		     word = strtok_r(NULL, " ", &words), count++)
			last = word;
		assert_int_equal(count, 12);
		assert_true(last[0] == '"' && last[strlen(last) - 1] == '"');
		text_add(&agent, "");
		for (const char *c = last + 1; c < last + strlen(last) - 1; c++) {
			char byte = *c;
			unsigned value;

			assert_int_not_equal(*c, '"');
			if (*c == '\\' && c[1] == 'x' && sscanf(c + 2, "%2x", &value) == 1) {
				byte = (char)value;
				c += 3;
			} else if (*c == '\\') {
				assert_int_equal(*++c, '\\');
			}
			text_add_slice(&agent, slice_of(&byte, 1));
		}
		assert_int_equal(agent.len, hostile[i].agent.len);
		assert_memory_equal(agent.data, hostile[i].agent.data, agent.len);
		text_clear(&agent);
	}
	assert_null(strtok_r(NULL, "\n", &rest));
	text_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(watched, store_set_up, store_tear_down),
		cmocka_unit_test(who_is_good),
		cmocka_unit_test_setup_teardown(not_watched, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(hostile_agents, store_set_up, store_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
