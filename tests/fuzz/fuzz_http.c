/* fuzz_http.c: requests to the web server as libmicrohttpd would hand them over, and what the API
 * answers. An input is a line each for the path and query, and headers ("Name: value").
 *
 * The functions of libmicrohttpd that a request is read with are replaced by ones that read the
 * input. Whatever it asks: who has no token gets nothing but the sentence that says so, and every
 * answer is JSON, or a page of our own. */
#include "fuzz/file.h"
#include "support/http_api.h"
#include "web/api_peers.h"
#include "web/http_inner.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

enum { INPUT_MAX = 4096, LINES_MAX = 32 };

/* --- in the place of libmicrohttpd --- */

static struct {
	char text[INPUT_MAX + 1];
	char *target, *query;
	struct {
		char *name, *value;
	} headers[LINES_MAX];
	unsigned count;
} said;

const char *MHD_lookup_connection_value(struct MHD_Connection *c, enum MHD_ValueKind kind,
					const char *key)
{
	(void)c;
	for (unsigned i = 0; i < said.count; i++) {
		if (kind == MHD_HEADER_KIND && strcasecmp(said.headers[i].name, key) == 0)
			return said.headers[i].value;
		if (kind == MHD_COOKIE_KIND && strcasecmp(said.headers[i].name, "Cookie") == 0)
			return said.headers[i].value;
	}
	return NULL;
}

int MHD_get_connection_values_n(struct MHD_Connection *c, enum MHD_ValueKind kind,
				MHD_KeyValueIteratorN fn, void *ctx)
{
	char *next, *query = said.query;
	int count = 0;

	(void)c;
	for (; query != NULL; query = next, count++) {
		char *value;
		size_t name_len, value_len = 0;

		next = strchr(query, '&');
		if (next != NULL)
			*next++ = 0;
		value = strchr(query, '=');
		if (value != NULL)
			*value++ = 0;
		name_len = MHD_http_unescape(query);
		if (value != NULL)
			value_len = MHD_http_unescape(value);
		if (fn(ctx, kind, query, name_len, value, value_len) == MHD_NO)
			break;
	}
	return count;
}

const union MHD_ConnectionInfo *MHD_get_connection_info(struct MHD_Connection *c,
							enum MHD_ConnectionInfoType what, ...)
{
	static union MHD_ConnectionInfo info;

	(void)c;
	(void)what;
	info.header_size = strlen(said.target);
	return &info;
}

/* --- a request --- */

static void take_lines(struct slice in)
{
	char *next, *line = said.text;

	memcpy(said.text, in.data, in.len);
	said.text[in.len] = 0;
	said.target = said.text;
	said.query = NULL;
	said.count = 0;
	for (bool first = true; line != NULL; line = next, first = false) {
		char *colon;

		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = 0;
		colon = strstr(line, ": ");
		if (first || colon == NULL || said.count == LINES_MAX)
			continue;
		*colon = 0;
		said.headers[said.count].name = line;
		said.headers[said.count++].value = colon + 2;
	}
}

static void check_answer(const struct http_response *r)
{
	struct slice body = r->fixed.len > 0 ? r->fixed : slice_of(r->body.data, r->body.len);
	json_t *doc;

	CHECK(r->status == 0 || (r->status >= 200 && r->status <= 599));
	if (r->type != NULL)
		return;
	doc = json_loadb((const char *)body.data, body.len, 0, NULL);
	CHECK(doc != NULL);
	for (size_t i = 0; i < body.len; i++)
		CHECK((body.data[i] >= 0x20 && body.data[i] != 0x7f) || body.data[i] == '\n');
	json_decref(doc);
}

/* Past the guard, by whoever may. */
static void check_guard(const char *token)
{
	struct http_request request = { .uri_len = strlen(said.target) };
	struct http_answer answer = { .close = false };
	static struct http http;
	bool passed;

	http.token[0] = 0;
	strcpy(http.token, token);
	strcpy(http.where, "127.0.0.1:8080");
	http_guard_init(&http, 8080);
	said.query = strchr(said.target, '?');
	if (said.query != NULL)
		*said.query++ = 0;
	request.path = said.target;
	passed = http_guard(&http, &request, &answer);
	CHECK(passed == (answer.r.status == 0));
	CHECK(request.count <= HTTP_PARAMS_MAX);
	if (!passed && answer.location == NULL)
		check_answer(&answer.r);
	text_clear(&answer.r.body);
}

static void check_api(const char *target)
{
	struct http_response r = { 0 };
	struct http_request *request = http_request_new(target);

	if (request == NULL)
		return;
	if (api_peers(http_api_peers(), http_api_store(), request, &r))
		check_answer(&r);
	text_clear(&r.body);
	http_request_free(request);
}

static void check_token_file(struct slice in)
{
	char token[HTTP_PARAM_MAX + 1], why[HTTP_WHY_MAX];

	if (http_token_read(fuzz_file(in), token, why) == ERR_OK) {
		CHECK(strlen(token) >= 16 && strlen(token) <= HTTP_PARAM_MAX);
		return;
	}
	CHECK(why[0] != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);

	if (size < 1 || size > INPUT_MAX)
		return 0;
	check_token_file(in);
	take_lines(in);
	check_api(said.target);
	check_guard("");
	take_lines(in);
	check_guard("0123456789abcdef");
	return 0;
}
