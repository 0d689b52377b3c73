/* test_gossip_explain.c: what `peerwalk decode gossip` tells of lines, and steps over JSON. */
#include "base/hash.h"
#include "proto/gossip/explain.h"
#include "proto/gossip/json_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ID "a46de8d6-177e-4644-a711-63d182fdbade"

struct told {
	char text[1024];
	const char *in;
};

/* "name=text" with what stands there in the input, or "name#index" where a list has begun. */
static void tell(void *ctx, const struct field *f)
{
	struct told *t = ctx;
	size_t len = strlen(t->text);
	char *to = t->text + len;
	size_t cap = sizeof(t->text) - len;

	if (f->kind == FIELD_GROUP)
		snprintf(to, cap, "%s#%u ", f->name, (unsigned)f->value);
	else if (f->kind == FIELD_ADDR)
		snprintf(to, cap, "%s=%s ", f->name, f->text);
	else
		snprintf(to, cap, "%s=%.*s ", f->name, (int)f->bytes.len, f->bytes.data);
	/* The place is that of the value as it is written. */
	if (f->kind == FIELD_TEXT)
		assert_non_null(memmem(t->in + f->at, f->len, f->bytes.data, f->bytes.len));
}

static const struct {
	const char *name, *in, *told;
	enum err err;
	size_t err_at;
	const char *rule;
} rows[] = {
	{ "the tutorial's hello", "{\"nodeid\": \"" ID "\", \"msgtype\": \"hello\"}\n",
	  "message#0 nodeid=" ID " msgtype=hello ", ERR_OK, 0, NULL },
	{ "without a line's end", "{\"msgtype\":\"ping\"}", "message#0 msgtype=ping ", ERR_OK, 0,
	  NULL },
	{ "CR LF, and another line",
	  "{\"msgtype\":\"ping\",\"nonce\":7}\r\n{\"msgtype\":\"pong\"}\n",
	  "message#0 msgtype=ping nonce=7 message#1 msgtype=pong ", ERR_OK, 0, NULL },
	{ "addr",
	  "{\"peers\":[[\"1.2.3.4:5\",\"" ID
	  "\"],\"[::1]:6\",[\"a.name:7\",null],\"1.2.\\u0033.4:8\"],"
	  "\"msgtype\":\"addr\"}",
	  "message#0 peer#0 addr=1.2.3.4:5 nodeid=" ID " peer#1 addr=[::1]:6 peer#2 host=a.name:7 "
	  "nodeid=null peer#3 addr=1.2.3.4:8 msgtype=addr ",
	  ERR_OK, 0, NULL },
	{ "an empty addr", "{\"msgtype\":\"addr\",\"peers\":[]}", "message#0 msgtype=addr ", ERR_OK,
	  0, NULL },
	{ "an application's own", "{\"msgtype\":\"chat\",\"to\":[\"a\", {\"b\":1}],\"peers\":[1]}",
	  "message#0 msgtype=chat to=[\"a\", {\"b\":1}] peers=[1] ", ERR_OK, 0, NULL },
	{ "a field that breaks a rule is told all the same",
	  "{\"msgtype\":\"hello\",\"nodeid\":\"me\",\"port\":5}",
	  "message#0 msgtype=hello nodeid=me port=5 ", ERR_VALUE, 0, "hello: nodeid is a UUID" },
	{ "no JSON, in the second line", "{\"msgtype\":\"ping\"}\nhello?\n",
	  "message#0 msgtype=ping message#1 ", ERR_SYNTAX, 19, "a line is one JSON object" },
	{ "nothing", "", "message#0 ", ERR_SYNTAX, 0, "a line is one JSON object" },
	{ "no more is told behind an error", "[]\n{\"msgtype\":\"ping\"}\n", "message#0 ",
	  ERR_SYNTAX, 0, "a line is one JSON object" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct told t = { .in = rows[i].in };
		const char *rule = NULL;
		size_t err_at = 0;
		enum err err = gossip_explain(network_find("gossip"), slice_text(rows[i].in), tell,
					      &t, &err_at, &rule);

		if (err != rows[i].err || strcmp(t.text, rows[i].told) != 0 ||
		    (err != ERR_OK &&
		     (err_at != rows[i].err_at || strcmp(rule, rows[i].rule) != 0)))
			fail_msg("%s: %s at %zu: %s", rows[i].name, err_name(err), err_at, t.text);
	}
}

static const struct {
	const char *text;
	unsigned depth;
	const char *steps; /* "key:value|" */
} walks[] = {
	{ "{}", 1, "" },
	{ "[]", 1, "" },
	{ " { \"a\" : 1 , \"b\":[1,[2]],\"c\":{\"d\":\"]}\"} } ", 3,
	  "a:1|b:[1,[2]]|c:{\"d\":\"]}\"}|" },
	{ "[true,null ,\"a\\\"b\",-1.5e3]", 1, ":true|:null|:\"a\\\"b\"|:-1.5e3|" },
	{ "[\"a\",\"b\"]", 1, ":\"a\"|:\"b\"|" },
	/* No JSON: whatever comes of it, nothing is read beyond the end. */
	{ "", 0, "" },
	{ "{", 1, "" },
	{ "[\"", 1, ":\"|" },
	{ "{\"a\\", 1, ":\"a\\|" },
	{ "{\"a\":", 1, "" },
	{ "[[", 2, ":[|" },
};

static void test_walks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(walks) / sizeof(*walks); i++) {
		char steps[256] = "";
		struct slice key, value;
		struct reader r;

		reader_init(&r, slice_text(walks[i].text));
		json_enter(&r);
		while (json_step(&r, &key, &value))
			snprintf(steps + strlen(steps), sizeof(steps) - strlen(steps), "%.*s:%.*s|",
				 (int)key.len, key.data != NULL ? (const char *)key.data : "",
				 (int)value.len, value.data);
		if (strcmp(steps, walks[i].steps) != 0 ||
		    json_depth(slice_text(walks[i].text)) != walks[i].depth)
			fail_msg("%s: %s", walks[i].text, steps);
	}
}

/* Bytes of any kind, of brackets and quotes most of all: the walk ends, and stays inside. */
static void test_any_bytes(void **state)
{
	static const char letters[] = "{}[]\"\\:, a1";
	struct random random = { .state = 3 };
	uint8_t text[64];

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		size_t len = random_below(&random, sizeof(text) + 1);
		struct slice key, value;
		/* At the end of the array, so that a sanitizer sees reads beyond it. */
		uint8_t *at = text + sizeof(text) - len;
		unsigned steps = 0;
		struct reader r;

		for (size_t k = 0; k < len; k++)
			at[k] = (uint8_t)letters[random_below(&random, sizeof(letters) - 1)];
		reader_init(&r, slice_of(at, len));
		json_enter(&r);
		while (json_step(&r, &key, &value)) {
			assert_true(value.data >= r.data && value.data + value.len <= r.data + len);
			assert_true(r.at <= len && ++steps <= sizeof(text));
		}
		assert_true(json_depth(slice_of(at, len)) <= len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_walks),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
