/* test_export_nodes.c: Ethereum nodes in exports: columns, and the formats of nodes alone. */
#include "report/export.h"

#include "base/keccak.h"
#include "report/csv.h"
#include "support/export.h"
#include "support/nodes.h"

#include <jansson.h>

#define ZEROS30    "000000000000000000000000000000000000000000000000000000000000"
#define KEY(first) first "beef" ZEROS30 ZEROS30 "07"

/* The hash as others compute it: of the bytes of the key. */
static void id_text(uint8_t first, char out[65])
{
	struct node_key key = node_key(first);
	uint8_t hash[32];

	keccak_256(key_slice(&key), hash);
	hex_encode(slice_of(hash, sizeof(hash)), out);
}

/* --- columns --- */

struct column {
	const char *name, *want; /* want NULL: null in JSON, empty in CSV */
};

static const struct column full_columns[] = {
	{ "network", "ethereum" },
	{ "peer", "enode://" KEY("01") "@1.2.3.4:30303?discport=30301" },
	{ "address", "1.2.3.4" },
	{ "port", "30301" },
	{ "node_id", KEY("01") },
	{ "outcome", "ok" },
	{ "agent", "Geth/v1.16.4-stable/linux-amd64/go" },
	{ "protocol", "68" },
	{ "services", NULL },
	{ "height", "900000" },
	{ "tcp_port", "30303" },
	{ "completeness", "drained" },
	{ "entries", "143" },
	{ "session", "ok" },
	{ "capabilities", "eth/67 eth/68 snap/1" },
	{ "listen_port", "30304" },
	{ "network_id", "9223372036854775808" },
	{ "genesis", "0xd4e50000000000000000000000000000000000000000000000000000000000a3" },
	{ "fork_hash", "0x07c9462e" },
	{ "fork_next", "18446744073709551615" },
	{ "head", "0x0100000000000000000000000000000000000000000000000000000000000002" },
	{ "record_seq", "1780000000123" },
	{ "record", NODE_RECORD_TEXT },
};

static const struct column visit_columns[] = {
	{ "findnodes", "11" },
	{ "session_rule", "a rule of the session" },
	{ "faults", "expired 1, many 2" },
	{ "relay", NULL },
	{ "crawl", "1" },
};

/* Named, but not there. */
static const struct column ghost_columns[] = {
	{ "peer", "enode://" KEY("02") "@[2a01::1]:0?discport=30303" },
	{ "address", "2a01::1" },
	{ "node_id", KEY("02") },
	{ "outcome", "connect_timeout" },
	{ "agent", NULL },
	{ "protocol", NULL },
	{ "tcp_port", NULL },
	{ "completeness", NULL },
	{ "entries", NULL },
	{ "session", NULL },
	{ "capabilities", NULL },
	{ "listen_port", NULL },
	{ "network_id", NULL },
	{ "genesis", NULL },
	{ "fork_hash", NULL },
	{ "fork_next", NULL },
	{ "head", NULL },
	{ "record_seq", NULL },
	{ "record", NULL },
};

static bool cell_is(const char *what, const struct column *want, struct slice got)
{
	if (slice_equal(got, slice_text(want->want != NULL ? want->want : "")))
		return true;
	print_error("%s: %s is \"%.*s\"\n", what, want->name, (int)got.len, (const char *)got.data);
	return false;
}

/* Row number `row` behind the heading, in CSV and in JSON alike. */
static bool row_is(const char *what, size_t row, const struct column *want, size_t count)
{
	struct text csv_text = export(what, "csv", NULL, 2), json_text;
	struct csv heading, csv;
	bool ok = true;
	json_t *doc, *object;
	enum err err;

	csv_init(&heading, slice_of(csv_text.data, csv_text.len));
	csv_init(&csv, slice_of(csv_text.data, csv_text.len));
	assert_true(csv_next(&heading, &err));
	for (size_t i = 0; i < row + 2; i++)
		assert_true(csv_next(&csv, &err));
	assert_int_equal(csv.count, heading.count);
	json_text = export(what, "json", NULL, 2);
	doc = json_loadb(json_text.data, json_text.len, 0, NULL);
	object = json_array_get(doc, row);
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_object_get(object, want[i].name);
		int at = csv_find(&heading, want[i].name);
		char number[32];

		assert_true(at >= 0);
		assert_non_null(value);
		ok &= cell_is("csv", &want[i], csv.fields[at]);
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
		ok &= cell_is("json", &want[i],
			      slice_text(json_is_string(value)    ? json_string_value(value)
					 : json_is_integer(value) ? number
								  : ""));
		ok &= (want[i].want == NULL) == json_is_null(value);
	}
	json_decref(doc);
	csv_clear(&heading);
	csv_clear(&csv);
	text_clear(&csv_text);
	text_clear(&json_text);
	return ok;
}

#define ROW(what, row, columns) row_is(what, row, columns, sizeof(columns) / sizeof(*columns))

static void columns(void **state)
{
	struct node_key key = node_key(1), other = node_key(2);
	struct node_info full = full_node(), none = { 0 };
	struct store_crawl crawl = begin_crawl(store, "ethereum");

	(void)state;
	put(&crawl, node_record("1.2.3.4:30301", &key, &full));
	put(&crawl, ghost_record("[2a01::1]:30303", &other, &none));
	assert_true(ROW("peers", 0, full_columns));
	assert_true(ROW("peers", 1, ghost_columns));
	assert_true(ROW("visits", 0, full_columns));
	assert_true(ROW("visits", 0, visit_columns));
	assert_true(ROW("visits", 1, ghost_columns));
}

/* Not a byte of a stranger's text ends a field or a line, whatever the column. */
static void hostile(void **state)
{
	static const char evil[] = "=cmd|' /C x'!\"\n,\x1b[31m\xff\xe2\x80\xae</script>";
	static const char *const whats[] = { "peers", "visits" };
	struct node_key key = node_key(1);
	struct node_info node = full_node();
	struct store_crawl crawl = begin_crawl(store, "ethereum");
	struct record r = node_record("1.2.3.4:30303", &key, &node);

	(void)state;
	r.info.agent = slice_text(evil);
	node.capabilities = slice_text(evil);
	node.record = slice_text("=x\"\ny");
	node.session = "=y\n\"";
	node.session_rule = evil;
	node.completeness = "\n\"";
	node.faults = slice_text("=z\"\n");
	put(&crawl, r);
	for (size_t what = 0; what < 2; what++) {
		struct text out = export(whats[what], "csv", NULL, 1), json;
		struct csv csv;
		size_t rows = 0, fields = 0;
		json_t *doc;
		enum err err;

		csv_init(&csv, slice_of(out.data, out.len));
		while (csv_next(&csv, &err)) {
			fields = rows++ == 0 ? csv.count : fields;
			assert_int_equal(csv.count, fields);
			for (size_t i = 0; i < csv.count; i++)
				assert_true(csv.fields[i].len == 0 || csv.fields[i].data[0] != '=');
		}
		assert_int_equal(err, ERR_OK);
		assert_int_equal(rows, 2);
		json = export(whats[what], "jsonl", NULL, 1);
		assert_non_null(strchr(json.data, '\n'));
		assert_string_equal(strchr(json.data, '\n'), "\n");
		assert_null(memchr(json.data, 0x1b, json.len));
		assert_null(memchr(out.data, 0x1b, out.len));
		assert_null(memchr(out.data, 0xff, out.len));
		doc = json_loads(json.data, 0, NULL);
		assert_non_null(doc);
		assert_string_equal(json_string_value(json_object_get(doc, "record")),
				    "=x\"\\x0ay");
		/* No word of ours: as if nothing had been said. */
		assert_true(json_is_null(json_object_get(doc, "session")));
		json_decref(doc);
		csv_clear(&csv);
		text_clear(&out);
		text_clear(&json);
	}
}

/* --- formats of nodes --- */

/* Key 1 at two addresses, of which the second answered last; key 2 that answered once and not
 * the second time; key 3 never; key 4 without a record; a peer of another network. */
static struct store_crawl put_nodes(void)
{
	struct node_key one = node_key(1), two = node_key(2), three = node_key(3),
			four = node_key(4);
	struct node_info full = full_node(), none = { 0 }, bare = { .tcp_port = 7 };
	struct store_crawl first = begin_crawl(store, "ethereum"), second;
	struct record r;

	put(&first, node_record("1.1.1.1:30303", &one, &full));
	put(&first, node_record("1.1.1.2:30303", &two, &full));
	put(&first, ghost_record("1.1.1.3:30303", &three, &none));
	second = begin_crawl(store, "ethereum");
	full.record = slice_text("enr:-newer_One");
	full.record_seq++;
	r = node_record("2.2.2.2:30301", &one, &full);
	r.started_at_ms += 3600 * 1000;
	put(&second, r);
	r = ghost_record("1.1.1.2:30303", &two, &none);
	r.started_at_ms += 3600 * 1000;
	put(&second, r);
	r = node_record("[2a01::4]:30301", &four, &bare);
	r.started_at_ms += 3600 * 1000;
	put(&second, r);
	second = begin_crawl(store, "bitcoin");
	put(&second, ok_record(addr_of("9.9.9.9:8333"), slice_text("/x/")));
	return first;
}

struct expected_node {
	uint8_t key;
	const char *record;
	uint64_t seq;
	int64_t score; /* 0: left out */
	const char *first, *last, *check;
};

static const struct expected_node expected[] = {
	/* The second address alone: reached once. */
	{ 1, "enr:-newer_One", 1780000000124, 1, "2026-05-28T21:26:41Z", "2026-05-28T21:26:41Z",
	  "2026-05-28T21:26:41Z" },
	/* Half of one. */
	{ 2, NODE_RECORD_TEXT, 1780000000123, 0, "2026-05-28T20:26:41Z", "2026-05-28T20:26:41Z",
	  "2026-05-28T21:26:41Z" },
	{ 4, "enode://" KEY("04") "@[2a01::4]:7?discport=30301", 0, 1, "2026-05-28T21:26:41Z",
	  "2026-05-28T21:26:41Z", "2026-05-28T21:26:41Z" },
};

static void check_node(const json_t *doc, const struct expected_node *want)
{
	static const char *const keys[] = { "seq",           "record",       "score",
					    "firstResponse", "lastResponse", "lastCheck" };
	char id[65];
	const json_t *node;
	size_t known = 0;

	id_text(want->key, id);
	node = json_object_get(doc, id);
	assert_true(json_is_object(node));
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		known += json_object_get(node, keys[i]) != NULL;
	assert_int_equal(known, json_object_size(node));
	assert_int_equal(known, want->score > 0 ? 6 : 5);
	assert_int_equal(json_integer_value(json_object_get(node, "seq")), want->seq);
	assert_string_equal(json_string_value(json_object_get(node, "record")), want->record);
	if (want->score > 0)
		assert_int_equal(json_integer_value(json_object_get(node, "score")), want->score);
	assert_string_equal(json_string_value(json_object_get(node, "firstResponse")), want->first);
	assert_string_equal(json_string_value(json_object_get(node, "lastResponse")), want->last);
	assert_string_equal(json_string_value(json_object_get(node, "lastCheck")), want->check);
}

/* The keys of each object stand in their places, not only somewhere. */
static void nodeset(void **state)
{
	char id[65], previous[65] = "", begin[128];
	struct text out;
	const char *key;
	json_t *doc, *value;

	(void)state;
	put_nodes();
	out = export("peers", "nodeset", NULL, 3);
	doc = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(json_object_size(doc), 3);
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
		check_node(doc, &expected[i]);
	/* jansson keeps the order of the file. */
	json_object_foreach(doc, key, value)
	{
		assert_int_equal(strlen(key), 64);
		assert_true(strcmp(previous, key) < 0);
		snprintf(previous, sizeof(previous), "%s", key);
	}
	id_text(1, id);
	snprintf(begin, sizeof(begin),
		 "\n    \"%s\": {\n        \"seq\": 1780000000124,\n        \"record\": \"", id);
	assert_non_null(strstr(out.data, begin));
	assert_string_equal(out.data + out.len - 8, "    }\n}\n");
	assert_int_equal(strncmp(out.data, "{\n    \"", 7), 0);
	json_decref(doc);
	text_clear(&out);
}

static void lines(void **state)
{
	struct text out;

	(void)state;
	put_nodes();
	out = export("peers", "enodes", NULL, 3);
	assert_non_null(strstr(out.data, "enode://" KEY("01") "@2.2.2.2:30303?discport=30301\n"));
	assert_non_null(strstr(out.data, "enode://" KEY("02") "@1.1.1.2:30303\n"));
	assert_non_null(strstr(out.data, "enode://" KEY("04") "@[2a01::4]:7?discport=30301\n"));
	text_clear(&out);
	out = export("peers", "enrs", NULL, 2);
	assert_non_null(strstr(out.data, NODE_RECORD_TEXT "\n"));
	assert_non_null(strstr(out.data, "enr:-newer_One\n"));
	assert_int_equal(out.len, strlen(NODE_RECORD_TEXT) + strlen("enr:-newer_One") + 2);
	text_clear(&out);
}

/* A crawl of its own; one chain of two. */
static void filtered(void **state)
{
	static const uint8_t mine[][4] = { { 0x07, 0xc9, 0x46, 0x2e } },
			     others[][4] = { { 0x26, 0x89, 0x56, 0xb6 } };
	struct store_crawl first = put_nodes();
	struct store_filter filter = STORE_FILTER_ANY;
	struct text out;
	char id[65];

	(void)state;
	filter.crawl_id = first.id;
	out = export("peers", "nodeset", &filter, 2);
	id_text(1, id);
	assert_non_null(strstr(out.data, id));
	assert_non_null(strstr(out.data, NODE_RECORD_TEXT));
	assert_null(strstr(out.data, "newer"));
	text_clear(&out);
	/* In the second one key 2 was silent. */
	filter.crawl_id = first.id + 1;
	out = export("peers", "enodes", &filter, 2);
	assert_null(strstr(out.data, KEY("02")));
	text_clear(&out);
	filter = STORE_FILTER_ANY;
	filter.forks = mine;
	filter.forks_count = 1;
	out = export("peers", "enodes", &filter, 2);
	assert_null(strstr(out.data, KEY("04")));
	text_clear(&out);
	filter.forks = others;
	out = export("peers", "nodeset", &filter, 0);
	assert_string_equal(out.data, "{}\n");
	text_clear(&out);
	out = export("visits", "csv", &filter, 0);
	text_clear(&out);
}

/* What is in the database as a record, but is none, goes nowhere as one. */
static void no_records(void **state)
{
	static const char *const records[] = { "enr:a\"b", "enr:a\nb", "enr",
					       "\"}",      "enr:a b",  "enr:+/=" };
	struct node_key key = node_key(1);
	struct node_info node = full_node();
	struct store_crawl crawl = begin_crawl(store, "ethereum");

	(void)state;
	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++) {
		struct text out;
		json_t *doc;
		char id[65];

		print_message("%s\n", records[i]);
		node.record = slice_text(records[i]);
		put(&crawl, node_record("1.1.1.1:30303", &key, &node));
		out = export("peers", "nodeset", NULL, 1);
		doc = json_loadb(out.data, out.len, 0, NULL);
		id_text(1, id);
		assert_string_equal(
			json_string_value(json_object_get(json_object_get(doc, id), "record")),
			"enode://" KEY("01") "@1.1.1.1:30303");
		assert_int_equal(
			json_integer_value(json_object_get(json_object_get(doc, id), "seq")), 0);
		json_decref(doc);
		text_clear(&out);
		out = export("peers", "enrs", NULL, 0);
		assert_string_equal(out.data, "");
		text_clear(&out);
	}
}

static void refused(void **state)
{
	uint64_t rows = 0;
	struct text out = { 0 };

	(void)state;
	assert_int_equal(export_run(store, "visits", "nodeset", &STORE_FILTER_ANY, &no_options,
				    collect, &out, &rows),
			 ERR_VALUE);
	assert_int_equal(export_run(store, "adverts", "enrs", &STORE_FILTER_ANY, &no_options,
				    collect, &out, &rows),
			 ERR_VALUE);
	assert_int_equal(out.len, 0);
}

static void adverts(void **state)
{
	struct node_key one = node_key(1), two = node_key(2);
	struct advert from = node_advert("1.1.1.1:30303", 30303, &one);
	struct advert named = node_advert("1.1.1.1:30303", 0, &two);
	struct store_crawl crawl = begin_crawl(store, "ethereum");
	struct text out;

	(void)state;
	assert_int_equal(store_put_advert(store, &crawl, &from, &named, 1780000002000), ERR_OK);
	out = export("adverts", "csv", NULL, 1);
	assert_non_null(strstr(out.data, ",enode://" KEY("01") "@1.1.1.1:30303,enode://" KEY(
						 "02") "@1.1.1.1:0?discport=30303,1.1.1.1,30303,"));
	text_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(columns, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(hostile, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(nodeset, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(lines, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(filtered, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(no_records, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(refused, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(adverts, store_set_up, store_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
