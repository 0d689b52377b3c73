/* fuzz_serve.c: what the web server's API says of databases of anybody's making (any_db.h). The
 * first two bytes choose the questions. Every answer is JSON without control characters, or
 * metrics; nothing is told as "out of memory". */
#include "fuzz/any_db.h"
#include "web/page.h"
#include "web/serve_inner.h"

/* Where no page is built: no question is for it. */
__attribute__((weak)) const struct page_file page_files[1];
__attribute__((weak)) const size_t page_file_count;

enum { INPUT_MAX = 4096, ASKED_AT_ONCE = 3 };

static const char *const targets[] = {
	"/api/v1/networks",
	"/api/v1/crawls?limit=9",
	"/api/v1/crawls?network=ethereum&limit=2",
	"/api/v1/crawls/3",
	"/api/v1/crawls/2/report",
	"/api/v1/crawls/6/report",
	"/api/v1/history?network=bitcoin",
	"/api/v1/history?network=ethereum&table=clients",
	"/api/v1/diff?a=1&b=3",
	"/api/v1/diff?a=5&b=6",
	"/api/v1/peers?sort=agent&limit=5&q=satoshi",
	"/api/v1/peers?sort=uptime&reached=1",
	"/api/v1/peers?sort=address&limit=100",
	"/api/v1/facets?network=bitcoin",
	"/api/v1/facets?top=5",
	"/api/v1/peers/1",
	"/api/v1/peers/2",
	"/api/v1/peers/9",
	"/api/v1/peers/1/history",
	"/api/v1/peers/9/history",
	"/api/v1/map",
	"/metrics",
};

static void check_answer(const char *target, const struct http_response *r)
{
	struct slice body = slice_of(r->body.data, r->body.len);
	json_t *doc;

	CHECK(r->body.err == ERR_OK && body.len > 0);
	CHECK(r->status != 503 || strstr(r->body.data, "memory") == NULL);
	for (size_t i = 0; i < body.len; i++)
		CHECK((body.data[i] >= 0x20 && body.data[i] != 0x7f) || body.data[i] == '\n');
	if (strcmp(target, "/metrics") == 0)
		return;
	doc = json_loadb(r->body.data, r->body.len, 0, NULL);
	CHECK(doc != NULL);
	json_decref(doc);
}

static void ask(struct serve *s, const char *target)
{
	struct http_request *q = http_request_new(target);
	struct http_response r = { 0 };

	CHECK(q != NULL);
	serve_handle(s, q, &r);
	check_answer(target, &r);
	text_clear(&r.body);
	http_request_free(q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct serve_config config = { .key = { 1, 2 } };
	struct any_in in = { data, size };
	uint8_t first = any_byte(&in), step = any_byte(&in);
	struct store *store;
	struct serve *s;
	enum err err;

	if (size < 4 || size > INPUT_MAX)
		return 0;
	store = any_db_store(&in);
	if (store == NULL)
		return 0;
	CHECK(serve_new(&config, &s) == ERR_OK);
	err = census_refresh(s->census, store, 1000);
	CHECK(err != ERR_NOMEM);
	if (err == ERR_OK) {
		s->ready = true;
		s->stores[0] = store;
		for (unsigned i = 0; i < ASKED_AT_ONCE; i++)
			ask(s, targets[(first + i * step) % (sizeof(targets) / sizeof(*targets))]);
		s->stores[0] = NULL;
	}
	serve_free(s);
	return 0;
}
