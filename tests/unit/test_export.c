#include "report/export.h"

#include "report/csv.h"
#include "store/book.h"
#include "support/export.h"
#include "support/hostile.h"

#include <jansson.h>
#include <sys/wait.h>

/* The promise of docs/cli.md, to the letter. */
static void peer_columns(void **state)
{
	static const char promised[] =
		"network,peer,address,port,node_id,outcome,agent,protocol,services,height,"
		"first_seen,last_seen,last_reached,connect_ms,handshake_ms,visits,reached_count";
	struct netaddr known = addr_of("10.1.2.3:9");
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct text out;
	char *line;

	(void)state;
	assert_int_equal(store_put_known(store, &crawl, &known, NULL, 1780000000999), ERR_OK);
	put(&crawl, ok_record(addr_of("[2a01:4f8:0:0::7]:8333"), slice_text("/Satoshi:27.0.0/")));
	put(&crawl, failed_record(addr_of("1.2.3.4:8333"), OUTCOME_CONNECT_TIMEOUT));
	out = export("peers", "csv", NULL, 3);
	line = strtok(out.data, "\n");
	assert_int_equal(strncmp(line, promised, strlen(promised)), 0);
	assert_string_equal(line + strlen(promised),
			    ",kind,claimed_services,claimed_last_seen,tcp_port,completeness,"
			    "entries,session,capabilities,listen_port,network_id,genesis,"
			    "fork_hash,fork_next,head,record_seq,record,country,asn,as_name");
	assert_string_equal(
		strtok(NULL, "\n"),
		"bitcoin,bitcoin://10.1.2.3:9,10.1.2.3,9,,,,,,,"
		"2026-05-28T20:26:40Z,2026-05-28T20:26:40Z,,,,0,0,ipv4,,,,,,,,,,,,,,,,,,");
	assert_string_equal(
		strtok(NULL, "\n"),
		"bitcoin,bitcoin://[2a01:4f8::7]:8333,2a01:4f8::7,8333,,ok,/Satoshi:27.0.0/,70016,"
		"3081,900000,2026-05-28T20:26:41Z,2026-05-28T20:26:41Z,2026-05-28T20:26:41Z,40,81,"
		"1,1,ipv6,,,,,,,,,,,,,,,,,,");
	assert_string_equal(
		strtok(NULL, "\n"),
		"bitcoin,bitcoin://1.2.3.4:8333,1.2.3.4,8333,,connect_timeout,,,,,"
		"2026-05-28T20:26:41Z,2026-05-28T20:26:41Z,,,,1,0,ipv4,,,,,,,,,,,,,,,,,,");
	assert_null(strtok(NULL, "\n"));
	text_clear(&out);
}

static struct store_crawl put_hostile(void)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");

	for (uint32_t i = 0; i < HOSTILE; i++)
		put(&crawl, ok_record(netaddr_ipv4(0x01000000 + i, 8333), hostile[i].agent));
	return crawl;
}

static void assert_harmless(const struct text *out, size_t lines)
{
	size_t count = 0;

	for (size_t i = 0; i < out->len; i++) {
		unsigned char c = (unsigned char)out->data[i];

		count += c == '\n';
		assert_true(c == '\n' || (c >= 0x20 && c != 0x7f));
	}
	assert_int_equal(count, lines);
}

static void hostile_csv(void **state)
{
	static const char *const whats[] = { "peers", "visits" };

	(void)state;
	put_hostile();
	for (unsigned w = 0; w < 2; w++) {
		struct text out = export(whats[w], "csv", NULL, HOSTILE);
		struct csv csv;
		enum err err;
		int agent;

		assert_harmless(&out, HOSTILE + 1);
		csv_init(&csv, slice_of(out.data, out.len));
		assert_true(csv_next(&csv, &err));
		agent = csv_find(&csv, "agent");
		assert_true(agent >= 0);
		for (unsigned i = 0; i < HOSTILE; i++) {
			const char *want =
				hostile[i].csv != NULL ? hostile[i].csv : hostile[i].plain;

			print_message("%s: %s\n", whats[w], hostile[i].name);
			assert_true(csv_next(&csv, &err));
			assert_true(slice_equal(csv.fields[agent], slice_text(want)));
		}
		assert_false(csv_next(&csv, &err));
		assert_int_equal(err, ERR_OK);
		csv_clear(&csv);
		text_clear(&out);
	}
}

static void check_object(const json_t *object, unsigned i)
{
	const json_t *agent = json_object_get(object, "agent");

	print_message("%s\n", hostile[i].name);
	assert_true(json_is_object(object));
	assert_string_equal(json_string_value(agent), hostile[i].plain);
	assert_int_equal(json_integer_value(json_object_get(object, "port")), 8333);
	assert_int_equal(json_integer_value(json_object_get(object, "services")), 0xc09);
	assert_string_equal(json_string_value(json_object_get(object, "outcome")), "ok");
}

/* Read back by jansson, which takes nothing but valid UTF-8. */
static void hostile_json(void **state)
{
	struct text out;
	json_t *doc;
	char *line;

	(void)state;
	put_hostile();
	out = export("peers", "json", NULL, HOSTILE);
	assert_harmless(&out, HOSTILE + 2);
	doc = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(doc);
	assert_int_equal(json_array_size(doc), HOSTILE);
	for (unsigned i = 0; i < HOSTILE; i++)
		check_object(json_array_get(doc, i), i);
	json_decref(doc);
	text_clear(&out);

	out = export("visits", "jsonl", NULL, HOSTILE);
	assert_harmless(&out, HOSTILE);
	line = strtok(out.data, "\n");
	for (unsigned i = 0; i < HOSTILE; i++, line = strtok(NULL, "\n")) {
		doc = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(doc);
		check_object(doc, i);
		json_decref(doc);
	}
	assert_null(line);
	text_clear(&out);
}

/* A reader that shares no line with ours: Python's csv. It prints the agents in hex. */
static void csv_by_python(void **state)
{
	static const char program[] =
		"python3 -c \"import csv,sys\n"
		"for row in csv.DictReader(open(sys.argv[1], newline='', encoding='utf-8')):\n"
		"    assert None not in row and None not in row.values(), row\n"
		"    print(row['agent'].encode().hex() + '.')\" ";
	char path[200], command[sizeof(program) + 200], line[2048], want[2048];
	struct text out;
	FILE *file, *pipe;

	(void)state;
	if (system("python3 -c 'import csv' 2>/dev/null") != 0)
		skip();
	put_hostile();
	out = export("peers", "csv", NULL, HOSTILE);
	snprintf(path, sizeof(path), "%s/peers.csv", folder.path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(out.data, 1, out.len, file), out.len);
	fclose(file);
	text_clear(&out);
	snprintf(command, sizeof(command), "%s%s", program, path);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	for (unsigned i = 0; i < HOSTILE; i++) {
		const char *text = hostile[i].csv != NULL ? hostile[i].csv : hostile[i].plain;

		print_message("%s\n", hostile[i].name);
		hex_encode(slice_text(text), want);
		strcat(want, ".\n");
		assert_non_null(fgets(line, sizeof(line), pipe));
		assert_string_equal(line, want);
	}
	assert_null(fgets(line, sizeof(line), pipe));
	assert_int_equal(pclose(pipe), 0);
}

static void values_of_visits(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct record r = ok_record(addr_of("[fd00::1]:8333"), slice_text("/x/"));
	struct text out;
	json_t *v;

	(void)state;
	r.started_at_ms = 1780000001234;
	r.rule = "a rule, broken";
	r.info.services = UINT64_MAX;
	r.info.height = -1;
	r.info.relay = true;
	r.info.has_clock = true;
	r.info.clock_skew_s = -3;
	r.info.sees_us_as = addr_of("[2a01::1]:7");
	r.info.negotiation = slice_text("version verack");
	r.reply_ms = -1;
	r.bytes_in = 1ULL << 40;
	put(&crawl, r);
	out = export("visits", "jsonl", NULL, 1);
	v = json_loadb(out.data, out.len, 0, NULL);
	assert_non_null(v);
	assert_int_equal(json_integer_value(json_object_get(v, "crawl")), crawl.id);
	assert_string_equal(json_string_value(json_object_get(v, "started_at")),
			    "2026-05-28T20:26:41.234Z");
	assert_string_equal(json_string_value(json_object_get(v, "services")),
			    "18446744073709551615");
	assert_true(json_is_null(json_object_get(v, "height")));
	assert_true(json_is_null(json_object_get(v, "reply_ms")));
	assert_true(json_is_null(json_object_get(v, "feefilter")));
	assert_true(json_is_true(json_object_get(v, "relay")));
	assert_true(json_is_true(json_object_get(v, "reached")));
	assert_true(json_is_false(json_object_get(v, "stepwise")));
	assert_int_equal(json_integer_value(json_object_get(v, "clock_skew_s")), -3);
	assert_int_equal(json_integer_value(json_object_get(v, "bytes_in")), 1LL << 40);
	assert_string_equal(json_string_value(json_object_get(v, "sees_us_as")), "[2a01::1]:7");
	assert_string_equal(json_string_value(json_object_get(v, "rule")), "a rule, broken");
	assert_string_equal(json_string_value(json_object_get(v, "negotiation")), "version verack");
	assert_string_equal(json_string_value(json_object_get(v, "address")), "fd00::1");
	json_decref(v);
	text_clear(&out);
}

static void adverts(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct advert from = { .addr = addr_of("[2a01::1]:8333") };
	struct advert advert = { .addr = addr_of("1.2.3.4:5"),
				 .services = 9,
				 .last_seen_s = 1780000000 };
	struct text out;

	(void)state;
	assert_int_equal(store_put_advert(store, &crawl, &from, &advert, 1780000002000), ERR_OK);
	/* A time that no calendar has. */
	advert.addr.port = 6;
	advert.last_seen_s = INT64_MAX;
	assert_int_equal(store_put_advert(store, &crawl, &from, &advert, 1780000002000), ERR_OK);
	out = export("adverts", "csv", NULL, 2);
	assert_string_equal(
		out.data,
		"crawl,network,at,from,peer,address,port,services,last_seen,kind\n"
		"1,bitcoin,2026-05-28T20:26:42Z,bitcoin://[2a01::1]:8333,bitcoin://1.2.3.4:5,"
		"1.2.3.4,5,9,2026-05-28T20:26:40Z,ipv4\n"
		"1,bitcoin,2026-05-28T20:26:42Z,bitcoin://[2a01::1]:8333,bitcoin://1.2.3.4:6,"
		"1.2.3.4,6,9,,ipv4\n");
	text_clear(&out);
}

static void empty(void **state)
{
	struct text out;
	json_t *doc;

	(void)state;
	out = export("peers", "json", NULL, 0);
	doc = json_loadb(out.data, out.len, 0, NULL);
	assert_true(json_is_array(doc));
	assert_int_equal(json_array_size(doc), 0);
	json_decref(doc);
	text_clear(&out);
	out = export("adverts", "jsonl", NULL, 0);
	assert_int_equal(out.len, 0);
	text_clear(&out);
}

static void filtered(void **state)
{
	struct store_crawl first = put_hostile(), second = begin_crawl(store, "bitcoin");
	struct store_filter filter = STORE_FILTER_ANY;
	struct text out;
	uint64_t rows;

	(void)state;
	put(&second, failed_record(netaddr_ipv4(0x01000000, 8333), OUTCOME_REFUSED));
	filter.outcome = OUTCOME_REFUSED;
	out = export("peers", "csv", &filter, 1);
	text_clear(&out);
	/* In the first crawl all was well. */
	filter.crawl_id = first.id;
	out = export("peers", "csv", &filter, 0);
	text_clear(&out);
	filter.outcome = OUTCOME_OK;
	out = export("peers", "csv", &filter, HOSTILE);
	text_clear(&out);
	out = export("visits", "csv", &filter, HOSTILE);
	text_clear(&out);
	filter.crawl_id = 99;
	assert_int_equal(
		export_run(store, "peers", "csv", &filter, &no_options, collect, &out, &rows),
		ERR_NOT_FOUND);
	assert_non_null(strstr(store_why(store), "99"));
	assert_int_equal(
		export_run(store, "peers", "xml", &filter, &no_options, collect, &out, &rows),
		ERR_NOT_FOUND);
	assert_int_equal(
		export_run(store, "trees", "csv", &filter, &no_options, collect, &out, &rows),
		ERR_NOT_FOUND);
}

struct small_sink {
	size_t taken, largest;
	unsigned calls, fail_at;
};

static enum err take(void *ctx, struct slice data)
{
	struct small_sink *s = ctx;

	s->taken += data.len;
	s->largest = data.len > s->largest ? data.len : s->largest;
	return ++s->calls == s->fail_at ? ERR_IO : ERR_OK;
}

/* Output comes in pieces, and whoever takes them can end it. */
static void streams(void **state)
{
	struct store_filter any = STORE_FILTER_ANY;
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct small_sink sink = { 0 };
	uint64_t rows;

	(void)state;
	assert_int_equal(store_begin(store), ERR_OK);
	for (uint32_t i = 0; i < 5000; i++)
		put(&crawl, ok_record(netaddr_ipv4(i, 8333), slice_text("/x/")));
	assert_int_equal(store_commit(store), ERR_OK);
	assert_int_equal(export_run(store, "peers", "csv", &any, &no_options, take, &sink, &rows),
			 ERR_OK);
	assert_int_equal(rows, 5000);
	assert_true(sink.calls > 5);
	assert_true(sink.largest < 128 * 1024);
	sink = (struct small_sink){ .fail_at = 2 };
	assert_int_equal(export_run(store, "peers", "csv", &any, &no_options, take, &sink, &rows),
			 ERR_IO);
	assert_int_equal(sink.calls, 2);
	assert_true(rows < 5000);
}

/* What nodes know: of a network with all its groups, of a kind. */
static void books(void **state)
{
	static const uint8_t key[PEER_NODE_ID_MAX] = { 0xab };
	const struct store_book_row rows[] = {
		{ .addr = addr_of("1.2.3.4:8333"),
		  .source = addr_of("[2a00::1]:2"),
		  .services = 9,
		  .named_s = 1780000000,
		  .asked_s = 1780000001,
		  .good_s = 1780000002,
		  .tried = true },
		{ .addr = addr_of("[2a00::5]:6"), .failures = 3 },
		{ .addr = addr_of("9.9.9.9:30303"),
		  .node_id = slice_of(key, 64),
		  .tcp_port = 30304 },
	};
	static const char *const names[] = { "bitcoin", "gossip/it's, a group", "ethereum" };
	struct store_filter filter = STORE_FILTER_ANY;
	struct store_book *b;
	struct text out;
	json_t *line;
	char url[256];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(store_book_start(store, names[i], NULL, NULL, &b), ERR_OK);
		assert_true(store_book_put(b, &rows[i]));
		assert_int_equal(store_book_stop(b), ERR_OK);
	}
	out = export("book", "csv", NULL, 3);
	assert_string_equal(strtok(out.data, "\n"),
			    "book,peer,address,port,node_id,tcp_port,kind,services,tried,named,"
			    "reached,attempted,failures,source");
	assert_string_equal(strtok(NULL, "\n"),
			    "bitcoin,bitcoin://1.2.3.4:8333,1.2.3.4,8333,,,ipv4,9,1,"
			    "2026-05-28T20:26:40Z,2026-05-28T20:26:42Z,2026-05-28T20:26:41Z,0,"
			    "[2a00::1]:2");
	assert_string_equal(strtok(NULL, "\n"), "\"gossip/it's, a group\",gossip://[2a00::5]:6,"
						"2a00::5,6,,,ipv6,0,0,,,,3,");
	assert_null(strstr(strtok(NULL, "\n"), "gossip"));
	text_clear(&out);
	filter.network = "ethereum";
	out = export("book", "jsonl", &filter, 1);
	line = json_loads(out.data, 0, NULL);
	snprintf(url, sizeof(url), "enode://ab%0126d@9.9.9.9:30304?discport=30303", 0);
	assert_string_equal(json_string_value(json_object_get(line, "peer")), url);
	assert_true(json_is_null(json_object_get(line, "services")));
	json_decref(line);
	text_clear(&out);
	filter.network = "gossip";
	filter.kind = NETADDR_IPV6;
	out = export("book", "json", &filter, 1);
	text_clear(&out);
	filter.kind = NETADDR_IPV4;
	out = export("book", "json", &filter, 0);
	assert_string_equal(out.data, "[\n]\n");
	text_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(peer_columns, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(hostile_csv, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(hostile_json, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(csv_by_python, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(values_of_visits, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(adverts, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(books, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(empty, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(filtered, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(streams, store_set_up, store_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
