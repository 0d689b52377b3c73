/* test_export_graph.c: who named whom as graphs, and snapshots as Bitnodes has them; read back by
 * the programs that they are for, where there are such. */
#include "report/export.h"

#include "support/export.h"
#include "support/hostile.h"

#include <jansson.h>

/* A peer for each hostile user agent. */
static void put_hostile(const struct store_crawl *crawl)
{
	for (uint32_t i = 0; i < HOSTILE; i++)
		put(crawl, ok_record(netaddr_ipv4(0x01000000 + i, 8333), hostile[i].agent));
}

/* Each of them names the next one; the last names somebody who was never visited. */
static struct store_crawl put_named(void)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");

	put_hostile(&crawl);
	for (uint32_t i = 0; i < HOSTILE; i++) {
		struct advert from = { .addr = netaddr_ipv4(0x01000000 + i, 8333) };
		struct advert named = { .addr = netaddr_ipv4(0x01000001 + i, 8333) };

		assert_int_equal(store_put_advert(store, &crawl, &from, &named, 1780000000000),
				 ERR_OK);
	}
	return crawl;
}

/* What a program prints that is handed the export as a file; the caller closes it. */
static FILE *read_back(struct text *out, const char *program)
{
	char path[200], command[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/export", folder.path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(out->data, 1, out->len, file), out->len);
	fclose(file);
	text_clear(out);
	assert_true(snprintf(command, sizeof(command), "%s %s", program, path) <
		    (int)sizeof(command));
	file = popen(command, "r");
	assert_non_null(file);
	return file;
}

static void dot_text(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct advert from = { .addr = addr_of("1.2.3.4:8333") };
	struct advert named = { .addr = addr_of("[2a00::1]:8333") };
	struct text out;

	(void)state;
	put(&crawl, ok_record(from.addr, slice_text("a\"b\\")));
	assert_int_equal(store_put_advert(store, &crawl, &from, &named, 1780000000000), ERR_OK);
	out = export("adverts", "dot", NULL, 1);
	assert_string_equal(out.data,
			    "digraph adverts {\n"
			    "\tn1 [label=\"bitcoin://1.2.3.4:8333\", network=\"bitcoin\", "
			    "outcome=\"ok\", agent=\"a\\\"b\\\\\"];\n"
			    "\tn2 [label=\"bitcoin://[2a00::1]:8333\", network=\"bitcoin\"];\n"
			    "\tn1 -> n2 [crawl=1];\n"
			    "}\n");
	text_clear(&out);
}

/* Only what belongs to a crawl, as it was then. */
static void of_a_crawl(void **state)
{
	struct store_crawl first = put_named(), second = begin_crawl(store, "bitcoin");
	struct advert from = { .addr = netaddr_ipv4(0x01000000, 8333) };
	struct advert named = { .addr = netaddr_ipv4(0x02000000, 8333) };
	struct store_filter filter = STORE_FILTER_ANY;
	struct text out;

	(void)state;
	put(&second, failed_record(from.addr, OUTCOME_REFUSED));
	assert_int_equal(store_put_advert(store, &second, &from, &named, 1780000000000), ERR_OK);
	out = export("adverts", "dot", NULL, HOSTILE + 1);
	assert_non_null(strstr(out.data, "[crawl=2]"));
	text_clear(&out);
	filter.crawl_id = second.id;
	out = export("adverts", "dot", &filter, 1);
	assert_non_null(strstr(out.data, "outcome=\"refused\"];"));
	assert_null(strstr(out.data, "1.0.0.1:"));
	text_clear(&out);
	filter.crawl_id = first.id;
	out = export("adverts", "dot", &filter, HOSTILE);
	assert_null(strstr(out.data, "2.0.0.0:"));
	assert_null(strstr(out.data, "refused"));
	text_clear(&out);
}

/* Nodes come before edges, edges lead to nodes, and each agent reads as it has to. */
static void graphml_by_python(void **state)
{
	static const char program[] =
		"python3 -c \"import sys, xml.etree.ElementTree as tree\n"
		"n = '{http://graphml.graphdrawing.org/xmlns}'\n"
		"graph = tree.parse(sys.argv[1]).getroot().find(n + 'graph')\n"
		"seen, edges = set(), 0\n"
		"for item in graph:\n"
		"    if item.tag == n + 'node':\n"
		"        assert edges == 0\n"
		"        seen.add(item.get('id'))\n"
		"        data = {d.get('key'): d.text for d in item}\n"
		"        if 'outcome' in data:\n"
		"            print(data.get('agent', '').encode().hex() + '.')\n"
		"    else:\n"
		"        edges += 1\n"
		"        assert item.get('source') in seen and item.get('target') in seen\n"
		"assert edges + 1 == len(seen)\"";
	char line[2048], want[2048];
	struct text out;
	FILE *pipe;

	(void)state;
	if (system("python3 -c 'import xml.etree' 2>/dev/null") != 0)
		skip();
	put_named();
	out = export("adverts", "graphml", NULL, HOSTILE);
	pipe = read_back(&out, program);
	for (unsigned i = 0; i < HOSTILE; i++) {
		print_message("%s\n", hostile[i].name);
		hex_encode(slice_text(hostile[i].plain), want);
		strcat(want, ".\n");
		assert_non_null(fgets(line, sizeof(line), pipe));
		assert_string_equal(line, want);
	}
	assert_null(fgets(line, sizeof(line), pipe));
	assert_int_equal(pclose(pipe), 0);
}

/* Graphviz reads it and writes it again in its own layout of the text. */
static void dot_by_graphviz(void **state)
{
	static char all[1 << 16];
	char bare[128];
	struct text out;
	size_t len;
	FILE *pipe;

	(void)state;
	if (system("command -v dot >/dev/null") != 0)
		skip();
	put_named();
	out = export("adverts", "dot", NULL, HOSTILE);
	pipe = read_back(&out, "timeout 60 dot -Tcanon");
	len = fread(all, 1, sizeof(all) - 1, pipe);
	all[len] = 0;
	assert_int_equal(pclose(pipe), 0);
	for (unsigned i = 0; i < HOSTILE; i++) {
		struct text quoted = { 0 };

		print_message("%s\n", hostile[i].name);
		if (hostile[i].plain[0] == 0)
			continue; /* has no attribute */
		text_add(&quoted, "agent=\"");
		for (const char *c = hostile[i].plain; *c != 0; c++)
			text_printf(&quoted, *c == '"' ? "\\%c" : "%c", *c);
		text_add(&quoted, "\"");
		/* A word or a number of the language needs no quotation marks, and gets none. */
		snprintf(bare, sizeof(bare), "agent=%s,", hostile[i].plain);
		assert_true(strstr(all, quoted.data) != NULL || strstr(all, bare) != NULL);
		text_clear(&quoted);
	}
	assert_non_null(strstr(all, "n1 -> n2"));
}

static void snapshot(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct record r = ok_record(addr_of("[2a00::1]:8333"), slice_text("/max/"));
	struct text out;
	json_t *doc, *nodes;
	json_int_t timestamp, total, height;

	(void)state;
	put_hostile(&crawl);
	put(&crawl, failed_record(addr_of("9.9.9.9:8333"), OUTCOME_REFUSED));
	r.info.services = INT64_MAX;
	r.info.height = 5000000000;
	put(&crawl, r);
	r = ok_record(addr_of("[2a00::2]:8333"), slice_text("/unsaid/"));
	r.info.height = -1;
	put(&crawl, r);
	crawl.ended_at_ms = 1780000123456;
	assert_int_equal(store_crawl_end(store, &crawl), ERR_OK);
	out = export("peers", "bitnodes", NULL, HOSTILE + 2);
	assert_non_null(strstr(out.data, "\"[2a00::1]:8333\": [70016, \"/max/\", 1780000001, "
					 "9223372036854775807, 5000000000, null, null, null, "
					 "null, null, null, null, null]"));
	assert_non_null(strstr(out.data, "\"/unsaid/\", 1780000001, 3081, null, null,"));
	assert_null(strstr(out.data, "9.9.9.9"));
	doc = json_loadb(out.data, out.len, 0, NULL);
	assert_int_equal(json_unpack(doc, "{s:I s:I s:I s:o}", "timestamp", &timestamp,
				     "total_nodes", &total, "latest_height", &height, "nodes",
				     &nodes),
			 0);
	assert_int_equal(timestamp, 1780000123);
	assert_int_equal(total, HOSTILE + 2);
	assert_int_equal(height, 900000);
	assert_int_equal(json_object_size(nodes), HOSTILE + 2);
	for (uint32_t i = 0; i < HOSTILE; i++) {
		char key[32];
		json_t *node;

		snprintf(key, sizeof(key), "1.0.0.%u:8333", i);
		node = json_object_get(nodes, key);
		print_message("%s\n", hostile[i].name);
		assert_int_equal(json_array_size(node), 13);
		assert_string_equal(json_string_value(json_array_get(node, 1)), hostile[i].plain);
	}
	json_decref(doc);
	text_clear(&out);
}

static void empty(void **state)
{
	static const char *const formats[] = { "dot", "graphml" };
	struct store_filter any = STORE_FILTER_ANY;
	struct text out;
	uint64_t rows;

	(void)state;
	begin_crawl(store, "bitcoin");
	for (unsigned i = 0; i < 2; i++) {
		out = export("adverts", formats[i], NULL, 0);
		assert_null(strstr(out.data, "n1"));
		text_clear(&out);
		assert_int_equal(export_run(store, "peers", formats[i], &any, &no_options, collect,
					    &out, &rows),
				 ERR_VALUE);
	}
	out = export("peers", "bitnodes", NULL, 0);
	assert_string_equal(out.data, "{\"timestamp\": 0, \"total_nodes\": 0, "
				      "\"latest_height\": 0, \"nodes\": {}}\n");
	text_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(dot_text, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(of_a_crawl, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(graphml_by_python, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(dot_by_graphviz, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(snapshot, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(empty, store_set_up, store_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
