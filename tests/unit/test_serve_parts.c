/* test_serve_parts.c: answers that are kept, within their bounds; events, and who is too slow for
 * them. */
#include "web/serve_cache.h"
#include "web/serve_feed.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has(struct serve_cache *c, const char *key, int64_t now_ms)
{
	struct text out = { 0 };
	bool found = serve_cache_get(c, key, now_ms, &out) == SERVE_CACHE_FRESH;

	text_clear(&out);
	return found;
}

static void test_cache(void **state)
{
	static struct serve_cache c;
	struct text out = { 0 };

	(void)state;
	serve_cache_init(&c);
	assert_false(has(&c, "a", 1));
	serve_cache_put(&c, "a", slice_text("for ever"), 0);
	serve_cache_put(&c, "b", slice_text("until ten"), 10);
	assert_int_equal(serve_cache_get(&c, "a", 1, &out), SERVE_CACHE_FRESH);
	assert_string_equal(out.data, "for ever");
	assert_true(has(&c, "b", 10));
	assert_false(has(&c, "b", 11));
	text_clear(&out);
	assert_int_equal(serve_cache_get(&c, "b", 11, &out), SERVE_CACHE_STALE);
	assert_string_equal(out.data, "until ten");
	serve_cache_put(&c, "a", slice_text("again"), 0);
	text_clear(&out);
	assert_int_equal(serve_cache_get(&c, "a", 1 << 30, &out), SERVE_CACHE_FRESH);
	assert_string_equal(out.data, "again");
	assert_int_equal(c.bytes, strlen("again") + strlen("until ten"));
	serve_cache_clear(&c);
	assert_false(has(&c, "a", 1));
	assert_int_equal(c.bytes, 0);
	text_clear(&out);
	serve_cache_end(&c);
}

static void test_cache_is_bounded(void **state)
{
	static struct serve_cache c;
	size_t big = SERVE_CACHE_BYTES / 4;
	uint8_t *data = calloc(1, SERVE_CACHE_BYTES + 1);
	char key[32];

	(void)state;
	assert_non_null(data);
	serve_cache_init(&c);
	/* By their number: the one that was asked for longest ago goes. */
	for (int i = 0; i < SERVE_CACHE_ENTRIES; i++) {
		snprintf(key, sizeof(key), "%d", i);
		serve_cache_put(&c, key, slice_of(data, 1), 0);
	}
	assert_true(has(&c, "0", 1));
	serve_cache_put(&c, "more", slice_of(data, 1), 0);
	assert_true(has(&c, "0", 1));
	assert_false(has(&c, "1", 1));
	/* By their bytes. */
	for (int i = 0; i < 6; i++) {
		snprintf(key, sizeof(key), "big %d", i);
		serve_cache_put(&c, key, slice_of(data, big), 0);
		assert_true(c.bytes <= SERVE_CACHE_BYTES);
	}
	assert_false(has(&c, "big 0", 1));
	assert_true(has(&c, "big 5", 1));
	/* What doesn't fit at all is not kept, and throws nothing out. */
	serve_cache_put(&c, "huge", slice_of(data, SERVE_CACHE_BYTES + 1), 0);
	assert_false(has(&c, "huge", 1));
	assert_true(has(&c, "big 5", 1));
	serve_cache_end(&c);
	free(data);
}

static void add(struct serve_feed *f, const char *network, int n)
{
	serve_feed_add(f, network, "n", json_pack("{s:i}", "n", n));
}

static const char *hear(struct http_response *r, struct text *out)
{
	text_clear(out);
	text_add(out, "");
	assert_true(r->stream(r->stream_ctx, out));
	return out->data;
}

static void test_feed(void **state)
{
	struct http_response all = { 0 }, one = { 0 };
	struct serve_feed f;
	struct text out = { 0 };

	(void)state;
	serve_feed_init(&f);
	add(&f, "a", 1); /* before anybody listens */
	serve_feed_listen(&f, NULL, &all);
	serve_feed_listen(&f, "a", &one);
	assert_string_equal(all.type, "text/event-stream");
	assert_string_equal(hear(&all, &out),
			    "retry: 2000\nevent: hello\ndata: {\"version\":\"" PEERWALK_VERSION
			    "\"}\n\n");
	hear(&one, &out);
	assert_string_equal(hear(&one, &out), "");
	add(&f, "a", 2);
	add(&f, "b", 3);
	add(&f, NULL, 4);
	serve_feed_add(&f, NULL, "lost", NULL); /* no memory: no event */
	assert_string_equal(hear(&one, &out),
			    "event: n\ndata: {\"n\":2}\n\nevent: n\ndata: {\"n\":4}\n\n");
	assert_string_equal(hear(&all, &out),
			    "event: n\ndata: {\"n\":2}\n\nevent: n\ndata: {\"n\":3}\n\n"
			    "event: n\ndata: {\"n\":4}\n\n");
	/* One is too slow: it is told, and goes on with what is still there. */
	for (int i = 0; i < SERVE_FEED_EVENTS + 1; i++)
		add(&f, "a", i);
	assert_memory_equal(hear(&one, &out), "event: changed\ndata: {\"version\":null}\n\n", 39);
	assert_null(strstr(out.data, "{\"n\":0}"));
	assert_non_null(strstr(out.data, "{\"n\":1}"));
	assert_non_null(strstr(out.data, "{\"n\":256}"));
	assert_string_equal(hear(&one, &out), "");
	all.stream_end(all.stream_ctx);
	one.stream_end(one.stream_ctx);
	text_clear(&out);
	serve_feed_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_cache_is_bounded),
		cmocka_unit_test(test_feed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
