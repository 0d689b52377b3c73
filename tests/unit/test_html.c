/* test_html.c: a report as a page: whatever strangers say is text in it, and its numbers are
 * those of the JSON. */
#include "report/html.h"
#include "report/html_inner.h"

#include "support/hostile.h"
#include "support/nodes.h"
#include "support/report.h"

#include <sys/wait.h>

static const struct report_options options = { .key = { 1, 2 }, .history = true };

static void put(const struct store_crawl *crawl, struct record r)
{
	assert_int_equal(store_put_visit(store, crawl, &r), ERR_OK);
}

static struct text page_of(const struct report_options *ask, struct report *r)
{
	struct text page = { 0 };

	assert_int_equal(report_gather(store, ask, r), ERR_OK);
	assert_int_equal(report_html(r, NULL, &page), ERR_OK);
	return page;
}

static void write_file(const char *path, const char *data, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* Parsers that share no line with us read it, and compare it with the JSON: html.parser and
 * expat, in Python. How many numbers were the same; skips where there is no Python. */
static unsigned same_numbers(const struct report_options *ask)
{
	char html[200], json[200], command[1024], said[64] = "";
	struct report r;
	struct text page = page_of(ask, &r);
	json_t *doc = report_json(&r);
	FILE *pipe;

	if (system("python3 -c 'import html.parser' 2>/dev/null") != 0)
		skip();
	snprintf(html, sizeof(html), "%s/page.html", folder.path);
	snprintf(json, sizeof(json), "%s/page.json", folder.path);
	write_file(html, page.data, page.len);
	assert_int_equal(json_dump_file(doc, json, 0), 0);
	snprintf(command, sizeof(command), "python3 %s/support/read_page.py %s %s", TEST_DATA, html,
		 json);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_non_null(fgets(said, sizeof(said), pipe));
	assert_int_equal(pclose(pipe), 0);
	json_decref(doc);
	text_clear(&page);
	report_clear(&r);
	return (unsigned)strtoul(said, NULL, 10);
}

static void escapes(void **state)
{
	static const struct {
		const char *name, *in, *out;
	} rows[] = {
		{ "ordinary", "/Satoshi:27.0.0/", "/Satoshi:27.0.0/" },
		{ "a script", "<script>alert(1)</script>",
		  "&lt;script&gt;alert(1)&lt;/script&gt;" },
		{ "out of an attribute", "\" onload=\"x' y='",
		  "&quot; onload=&quot;x&#39; y=&#39;" },
		{ "an entity", "&lt;b&#62;", "&amp;lt;b&amp;#62;" },
		{ "the end of CDATA", "]]>", "]]&gt;" },
		{ "escaped before", "a\\x0ab\\\\", "a\\x0ab\\\\" },
		{ "not escaped before", "a\nb\x1b[31m\x7f", "a\\x0ab\\x1b[31m\\x7f" },
		{ "turned around", "\xe2\x80\xaegnp.exe\xd8\x9c",
		  "\\xe2\\x80\\xaegnp.exe\\xd8\\x9c" },
		{ "no UTF-8", "\xff\xc0\xbc", "\\xff\\xc0\\xbc" },
		{ "letters", "Größe שלום 中文", "Größe שלום 中文" },
		{ "nothing", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct text out = { 0 };

		print_message("%s\n", rows[i].name);
		text_add(&out, "");
		html_text(&out, rows[i].in);
		assert_int_equal(out.err, ERR_OK);
		assert_string_equal(out.data, rows[i].out);
		text_clear(&out);
	}
}

/* In every place where a peer's words stand: agents, clients, capabilities. */
static void put_strangers(const char *network)
{
	static uint8_t longest[PEER_AGENT_MAX];
	struct store_crawl crawl = begin_crawl(store, network);
	struct node_info node = full_node();
	char at[32];

	memset(longest, 0x01, sizeof(longest));
	for (uint32_t i = 0; i <= HOSTILE; i++) {
		struct node_key key = node_key((uint8_t)i);
		struct slice words = i < HOSTILE ? hostile[i].agent : slice_of(longest, 256);
		struct record r = ok_record(netaddr_ipv4(0x01000000 + i, 8333), words);

		snprintf(at, sizeof(at), "1.2.3.%u:4", i);
		if (network[0] == 'e')
			r = node_record(at, &key, &node);
		r.info.agent = words;
		node.capabilities = words;
		put(&crawl, r);
	}
}

static void strangers(void **state)
{
	struct report r;
	struct text page;

	(void)state;
	put_strangers("bitcoin");
	page = page_of(&options, &r);
	assert_null(strstr(page.data, "</script>"));
	assert_non_null(strstr(page.data, "&lt;/script&gt;&lt;b&gt;"));
	for (size_t i = 0; i < page.len; i++) {
		unsigned char c = (unsigned char)page.data[i];

		assert_true(c == '\n' || (c >= 0x20 && c != 0x7f));
	}
	text_clear(&page);
	report_clear(&r);
	assert_true(same_numbers(&options) > 2 * HOSTILE);
}

static void strangers_among_nodes(void **state)
{
	(void)state;
	put_strangers("ethereum");
	/* Agents, clients, their versions, capabilities. */
	assert_true(same_numbers(&options) > 4 * HOSTILE);
}

/* A file may come from elsewhere, and name a network as it likes. */
static void strange_network(void **state)
{
	struct report r;
	struct text page;

	(void)state;
	begin_crawl(store, "</title><script>\x1b]0;x");
	page = page_of(&options, &r);
	/* No name of a network, and the store reads it as none. */
	assert_null(strstr(page.data, "script&gt;"));
	assert_non_null(strstr(page.data, "<title>, crawl 1"));
	text_clear(&page);
	report_clear(&r);
	same_numbers(&options);
}

/* Sections that have nothing to say are left out. */
static void empty(void **state)
{
	struct report r;
	struct text page;

	(void)state;
	begin_crawl(store, "bitcoin");
	page = page_of(&options, &r);
	assert_null(strstr(page.data, "<section"));
	assert_null(strstr(page.data, "<table"));
	assert_null(strstr(page.data, "<dt>Height"));
	assert_non_null(strstr(page.data, "not ended"));
	text_clear(&page);
	report_clear(&r);
	assert_int_equal(same_numbers(&options), 2);
}

/* A table of which nobody has anything is none. */
static void no_services(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct record record = ok_record(netaddr_ipv4(0x01000000, 8333), slice_text("/x/"));
	struct report r;
	struct text page;

	(void)state;
	record.info.services = 0;
	put(&crawl, record);
	page = page_of(&options, &r);
	assert_int_equal(r.tables[REPORT_SERVICE_BITS].total, 1);
	assert_null(strstr(page.data, "id=\"service_bits\""));
	assert_non_null(strstr(page.data, "id=\"services\""));
	text_clear(&page);
	report_clear(&r);
	same_numbers(&options);
}

static void crawl_of(const char *network, unsigned first, unsigned last, bool complete)
{
	static int64_t day;
	struct store_crawl crawl = { .started_at_ms = 1780000000000 + day++ * 86400 * 1000,
				     .settings = "{}",
				     .complete = complete,
				     .known = last,
				     .adverts = 1234,
				     .bytes_in = 5000 };

	snprintf(crawl.network, sizeof(crawl.network), "%s", network);
	assert_int_equal(store_crawl_begin(store, &crawl), ERR_OK);
	for (uint32_t i = first; i < last; i++) {
		struct record r = ok_record(netaddr_ipv4(0x01000000 + i, 8333),
					    slice_text(i % 3 ? "/a/" : "/b/"));

		r.connect_ms = (int32_t)(i * i);
		r.info.height = 900000 + i % 2;
		put(&crawl, i % 5 == 0 ? failed_record(r.addr, OUTCOME_REFUSED) : r);
	}
	crawl.ended_at_ms = crawl.started_at_ms + 2000;
	assert_int_equal(store_crawl_end(store, &crawl), ERR_OK);
}

static void crawls(void **state)
{
	struct report_options ask = options;
	struct report r;
	struct text page;

	(void)state;
	crawl_of("bitcoin", 0, 30, true);
	page = page_of(&options, &r);
	assert_null(strstr(page.data, "id=\"history\""));
	assert_non_null(strstr(page.data, "<time datetime=\"2026-05-28T20:26:40Z\">"));
	text_clear(&page);
	report_clear(&r);
	same_numbers(&options);

	for (unsigned i = 1; i < REPORT_PAST_MAX + 3; i++)
		crawl_of("bitcoin", i, 30 + 2 * i, i % 4 != 0);
	page = page_of(&options, &r);
	assert_non_null(strstr(page.data, "id=\"history\""));
	assert_non_null(strstr(page.data, "id=\"chart-churn-title\""));
	/* Not all asked everybody. */
	assert_non_null(strstr(page.data, "<g class=\"faint\">"));
	assert_non_null(strstr(page.data, "with an asterisk"));
	text_clear(&page);
	report_clear(&r);
	assert_true(same_numbers(&options) > 5 * REPORT_PAST_MAX);
	/* Rows that have no room are one. */
	ask.top = 1;
	same_numbers(&ask);
}

/* Rounds of watching, whose reports are kept: what was said over time, and how much of it they are
 * up. */
static void rounds(void **state)
{
	struct report r;
	struct text page;

	(void)state;
	for (unsigned round = 0; round < 6; round++) {
		struct store_crawl crawl = { .network = "bitcoin",
					     .started_at_ms = 1780000000000 + round * 3600 * 1000,
					     .settings = "{}",
					     .every_ms = 3600 * 1000,
					     .complete = true };
		struct report_options keep = { .key = { 3, 4 } };

		assert_int_equal(store_crawl_begin(store, &crawl), ERR_OK);
		for (uint32_t i = 0; i < 20; i++) {
			struct record record =
				ok_record(netaddr_ipv4(0x01000000 + i, 8333),
					  slice_text(i % 3 + round < 4 ? "/<b>old/" : "/new/"));

			if ((i + round) % 4 == 0)
				record = failed_record(record.addr, OUTCOME_REFUSED);
			record.started_at_ms = crawl.started_at_ms + i;
			put(&crawl, record);
		}
		crawl.ended_at_ms = crawl.started_at_ms + 2000;
		crawl.visited = 20;
		crawl.reached = 15;
		assert_int_equal(store_crawl_end(store, &crawl), ERR_OK);
		keep.crawl_id = crawl.id;
		assert_int_equal(report_keep(store, &keep), ERR_OK);
	}
	page = page_of(&options, &r);
	assert_true(r.has_uptime);
	assert_int_equal(r.uptime[0].count, 20);
	assert_int_equal(r.trend.count, 1);
	assert_int_equal(r.past[0].values[0], 0);
	assert_int_equal(r.before_id, 5);
	assert_non_null(strstr(page.data, "id=\"chart-trend-0-title\""));
	assert_non_null(strstr(page.data, "id=\"chart-uptime-30d-title\""));
	text_clear(&page);
	report_clear(&r);
	same_numbers(&options);
}

/* No width or height leaves its chart, whatever is drawn. */
static void columns(void **state)
{
	static const struct {
		const char *name;
		uint64_t up, down;
		size_t count;
	} rows[] = {
		{ "none", 0, 0, 0 },       { "one", 7, 0, 1 },
		{ "nothing", 0, 0, 3 },    { "up", UINT64_MAX / 4, 0, 12 },
		{ "both", 1, 1000000, 2 }, { "many", 5, 5, REPORT_PAST_MAX },
		{ "down", 0, 9, 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct html_column c[REPORT_PAST_MAX];
		struct text out = { 0 };
		unsigned drawn = 0;

		print_message("%s\n", rows[i].name);
		for (size_t k = 0; k < rows[i].count; k++)
			c[k] = (struct html_column){ .up = rows[i].up, .down = rows[i].down };
		html_columns(&out, "id", "a title", "what is seen", c, rows[i].count);
		for (const char *at = out.data; (at = strstr(at, "<rect")) != NULL; at++, drawn++) {
			const char *box = strstr(at, " x=\"");
			double x, y, width, height;

			assert_int_equal(sscanf(box,
						" x=\"%lf\" y=\"%lf\" width=\"%lf\" "
						"height=\"%lf\"",
						&x, &y, &width, &height),
					 4);
			assert_true(x >= 0 && width > 0 && x + width <= 340);
			assert_true(y >= 0 && height >= 1 && y + height <= 150);
		}
		assert_int_equal(drawn, rows[i].count * ((rows[i].up > 0) + (rows[i].down > 0)));
		text_clear(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes),
		cmocka_unit_test(columns),
		cmocka_unit_test_setup_teardown(strangers, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(strangers_among_nodes, store_set_up,
						store_tear_down),
		cmocka_unit_test_setup_teardown(strange_network, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(empty, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(no_services, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(crawls, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(rounds, store_set_up, store_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
