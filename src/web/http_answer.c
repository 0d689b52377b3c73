/* http_answer.c: from a handler's response to the bytes of an answer: headers, ETag, compression.
 */
#include "web/http_inner.h"

#include "crypto/sha256.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum {
	ETAG_BYTES = 12, /* of the hash: no two answers of a server's life have the same */
	ETAG_MAX = 4 + 2 * ETAG_BYTES + 1,
	GZIP_MIN = 1024, /* fits a packet, whether it is compressed or not */
	/* Fast: most readers are on this machine. */
	GZIP_LEVEL = 3,
	GZIP_WINDOW = 15 + 16, /* gzip's header, not zlib's */
	INFLATED_MAX = 16 << 20,
};

/* Text inside quotes of JSON, of which strangers wrote parts. */
static void add_quoted(struct text *out, const char *text)
{
	struct text safe = { 0 };

	text_add_escaped(&safe, slice_text(text));
	for (size_t i = 0; i < safe.len; i++) {
		char c[3] = { '\\', safe.data[i], 0 };

		text_add(out, c[1] == '"' || c[1] == '\\' ? c : c + 1);
	}
	if (safe.err != ERR_OK)
		out->err = safe.err;
	text_clear(&safe);
}

void http_error(struct http_response *r, unsigned status, const char *format, ...)
{
	struct text why = { 0 };
	char line[HTTP_WHY_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	text_clear(&r->body);
	text_add(&why, "{\"error\": \"");
	add_quoted(&why, line);
	text_add(&why, "\"}\n");
	*r = (struct http_response){ .status = status, .body = why };
}

/* --- compression --- */

/* "gzip" among the words of Accept-Encoding, and not refused by q=0. */
static bool takes_gzip(struct MHD_Connection *mhd)
{
	const char *p = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, "Accept-Encoding");

	for (; p != NULL && *p != '\0'; p += *p == ',') {
		const char *q;

		p += strspn(p, " \t");
		if (strncasecmp(p, "gzip", 4) == 0 && strchr(",; \t", p[4]) != NULL) {
			q = strstr(p, "q=0");
			return q == NULL || q > p + strcspn(p, ",") ||
			       strspn(q + 3, ".0") != strcspn(q + 3, ", \t");
		}
		p += strcspn(p, ",");
	}
	return false;
}

/* NULL: no memory; or it did not become smaller. The caller frees. */
static uint8_t *deflated(struct slice in, size_t *len)
{
	z_stream z = { .next_in = (Bytef *)in.data, .avail_in = (uInt)in.len };
	uint8_t *out;
	uLong room;

	if (in.len > UINT32_MAX ||
	    deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return NULL;
	room = deflateBound(&z, (uLong)in.len);
	out = malloc(room);
	z.next_out = out;
	z.avail_out = (uInt)room;
	if (out == NULL || deflate(&z, Z_FINISH) != Z_STREAM_END || z.total_out >= in.len) {
		free(out);
		out = NULL;
	}
	*len = z.total_out;
	deflateEnd(&z);
	return out;
}

/* For the rare client that takes no gzip, of what was embedded as that. */
static uint8_t *inflated(struct slice in, size_t *len)
{
	z_stream z = { .next_in = (Bytef *)in.data, .avail_in = (uInt)in.len };
	uint8_t *out = NULL;
	size_t cap = 0;
	int rc = Z_OK;

	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return NULL;
	while (rc == Z_OK && cap < INFLATED_MAX) {
		uint8_t *more = realloc(out, cap == 0 ? 4 * in.len + 64 : 2 * cap);

		if (more == NULL)
			break;
		out = more;
		cap = cap == 0 ? 4 * in.len + 64 : 2 * cap;
		z.next_out = out + z.total_out;
		z.avail_out = (uInt)(cap - z.total_out);
		rc = inflate(&z, Z_NO_FLUSH);
	}
	*len = z.total_out;
	inflateEnd(&z);
	if (rc == Z_STREAM_END)
		return out;
	free(out);
	return NULL;
}

/* --- ETag --- */

/* Weak (W/): the same text, whether compressed or not. */
static void make_etag(struct slice body, char out[static ETAG_MAX])
{
	uint8_t hash[32];
	char hex[2 * ETAG_BYTES + 1];

	sha256(body, hash);
	hex_encode(slice_of(hash, ETAG_BYTES), hex);
	snprintf(out, ETAG_MAX, "W/\"%s\"", hex);
}

static bool has_etag(struct MHD_Connection *mhd, const char *etag)
{
	const char *known = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, "If-None-Match");

	/* The text of the tag, without W/, which a cache between may have dropped. */
	return known != NULL && (strstr(known, etag + 2) != NULL || strcmp(known, "*") == 0);
}

/* --- headers --- */

static void add_headers(const struct http *h, struct MHD_Response *m, const struct http_answer *a)
{
	static const char *const always[][2] = {
		{ "Content-Security-Policy",
		  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
		  "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
		  "frame-ancestors 'none'" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Referrer-Policy", "no-referrer" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
	};
	char cookie[192];

	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		MHD_add_response_header(m, always[i][0], always[i][1]);
	MHD_add_response_header(m, "Cache-Control", a->r.cache != NULL ? a->r.cache : "no-cache");
	if (a->r.status != 304 && a->r.status != 303)
		MHD_add_response_header(m, "Content-Type",
					a->r.type != NULL ? a->r.type : "application/json");
	if (a->location != NULL)
		MHD_add_response_header(m, "Location", a->location);
	if (a->ask_token)
		MHD_add_response_header(m, "WWW-Authenticate", "Bearer");
	if (a->allow)
		MHD_add_response_header(m, "Allow", "GET, HEAD");
	if (a->close)
		MHD_add_response_header(m, "Connection", "close");
	if (a->set_cookie) {
		snprintf(cookie, sizeof(cookie), "%s=%s; Path=/; HttpOnly; SameSite=Strict",
			 h->cookie_name, h->cookie);
		MHD_add_response_header(m, "Set-Cookie", cookie);
	}
}

static enum MHD_Result queue(const struct http *h, struct http_conn *c, struct MHD_Response *m,
			     const struct http_answer *a)
{
	enum MHD_Result result;

	if (m == NULL)
		return MHD_NO; /* no memory: closes the connection */
	add_headers(h, m, a);
	result = MHD_queue_response(c->request.mhd, a->r.status, m);
	MHD_destroy_response(m);
	return result;
}

/* --- bodies --- */

/* Takes the body over, in the form in which it goes out. */
static struct MHD_Response *make_response(struct http_answer *a, bool gzip, bool *is_gzip)
{
	struct http_response *r = &a->r;
	bool is_fixed = r->fixed.data != NULL;
	struct slice body = is_fixed ? r->fixed : slice_of(r->body.data, r->body.len);
	uint8_t *made = NULL;
	size_t len = 0;

	*is_gzip = is_fixed && r->fixed_gzipped;
	if (*is_gzip && !gzip) {
		made = inflated(body, &len);
		*is_gzip = false;
		if (made == NULL)
			return NULL;
	} else if (!*is_gzip && gzip && body.len >= GZIP_MIN) {
		made = deflated(body, &len);
		*is_gzip = made != NULL;
	}
	if (made != NULL)
		return MHD_create_response_from_buffer(len, made, MHD_RESPMEM_MUST_FREE);
	if (is_fixed || body.len == 0)
		return MHD_create_response_from_buffer(body.len, (void *)body.data,
						       MHD_RESPMEM_PERSISTENT);
	r->body = (struct text){ 0 };
	return MHD_create_response_from_buffer(body.len, (void *)body.data, MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result send_body(struct http *h, struct http_conn *c, struct http_answer *a)
{
	struct slice body =
		a->r.fixed.data != NULL ? a->r.fixed : slice_of(a->r.body.data, a->r.body.len);
	char etag[ETAG_MAX] = "";
	struct MHD_Response *m;
	bool is_gzip = false;

	if (a->r.status == 200)
		make_etag(body, etag);
	if (etag[0] != '\0' && has_etag(c->request.mhd, etag)) {
		a->r.status = 304;
		m = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	} else {
		m = make_response(a, takes_gzip(c->request.mhd), &is_gzip);
	}
	if (m != NULL && etag[0] != '\0') {
		MHD_add_response_header(m, "ETag", etag);
		MHD_add_response_header(m, "Vary", "Accept-Encoding");
	}
	if (m != NULL && is_gzip)
		MHD_add_response_header(m, "Content-Encoding", "gzip");
	return queue(h, c, m, a);
}

static enum MHD_Result send_stream(struct http *h, struct http_conn *c, struct http_answer *a,
				   bool is_head)
{
	struct MHD_Response *m;

	if (is_head)
		m = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	else
		m = http_stream_new(h, c, &a->r);
	if ((is_head || m == NULL) && a->r.stream_end != NULL)
		a->r.stream_end(a->r.stream_ctx);
	if (m == NULL) {
		http_error(&a->r, 503,
			   "%d clients listen already; expected one of them to leave before",
			   HTTP_STREAMS_MAX);
		return send_body(h, c, a);
	}
	return queue(h, c, m, a);
}

enum MHD_Result http_send(struct http *h, struct http_conn *c, struct http_answer *a, bool is_head)
{
	enum MHD_Result result;

	a->r.status = a->r.status != 0 ? a->r.status : 200;
	if (a->r.body.err != ERR_OK)
		http_error(&a->r, 503, "out of memory: end other programs");
	assert(a->r.stream == NULL || a->r.body.len == 0);
	result = a->r.stream != NULL ? send_stream(h, c, a, is_head) : send_body(h, c, a);
	text_clear(&a->r.body);
	return result;
}
