/* http_guard.c: who may ask, and what of a request is looked at before anybody answers it. */
#include "web/http_inner.h"

#include "crypto/sha256.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char bearer[] = "Bearer ";

/* A browser keeps one cookie of a name for all ports of a host: the port is part of it. The value
 * is made from the token, so that the token itself is stored nowhere. */
void http_guard_init(struct http *h, uint16_t port)
{
	uint8_t hash[32];
	struct sha256 s;

	snprintf(h->cookie_name, sizeof(h->cookie_name), "peerwalk-%u", (unsigned)port);
	sha256_init(&s);
	sha256_update(&s, slice_text("peerwalk cookie of "));
	sha256_update(&s, slice_text(h->token));
	sha256_final(&s, hash);
	hex_encode(slice_of(hash, sizeof(hash)), h->cookie);
}

/* In a time that tells nothing of where they differ: of both a hash is compared. */
static bool is_same(struct slice a, struct slice b)
{
	uint8_t x[32], y[32];
	volatile uint8_t differs = 0;

	sha256(a, x);
	sha256(b, y);
	for (size_t i = 0; i < sizeof(x); i++)
		differs |= x[i] ^ y[i];
	return differs == 0;
}

static const char *header(const struct http_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, name);
}

static bool has_token(const struct http *h, const struct http_request *r)
{
	const char *said = header(r, "Authorization");
	const char *cookie = MHD_lookup_connection_value(r->mhd, MHD_COOKIE_KIND, h->cookie_name);
	bool good = false;

	if (said != NULL && strncasecmp(said, bearer, sizeof(bearer) - 1) == 0)
		good = is_same(slice_text(said + sizeof(bearer) - 1), slice_text(h->token));
	if (!good && cookie != NULL)
		good = is_same(slice_text(cookie), slice_text(h->cookie));
	return good;
}

/* A number, or localhost; with or without a port. */
static bool is_number(const char *host)
{
	char text[INET6_ADDRSTRLEN + 2];
	struct in6_addr room;
	size_t len;

	if (host == NULL)
		return false;
	len = strcspn(host, host[0] == '[' ? "]" : ":");
	len += host[0] == '[' && host[len] == ']';
	if (len >= sizeof(text) || (host[len] != '\0' && host[len] != ':'))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)len, host);
	if (text[0] == '[') {
		if (text[len - 1] != ']')
			return false;
		text[len - 1] = '\0';
		return inet_pton(AF_INET6, text + 1, &room) == 1;
	}
	return strcasecmp(text, "localhost") == 0 || inet_pton(AF_INET, text, &room) == 1;
}

static void refuse_token(struct http_answer *a, const struct http_request *r)
{
	static const char page[] =
		"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width\"><title>peerwalk</title>"
		"<h1>peerwalk</h1><p>This server needs its token: the first line of the file that "
		"it was started with (--token FILE).<form action=\"/\"><label>Token <input "
		"name=\"token\" type=\"password\" required></label> <button>Show</button></form>";
	const char *accept = header(r, "Accept");

	if (accept != NULL && strstr(accept, "text/html") != NULL) {
		a->r.status = 401;
		a->r.type = "text/html; charset=utf-8";
		a->r.fixed = slice_text(page);
	} else {
		http_error(&a->r, 401,
			   "the token is missing or wrong; expected \"Authorization: Bearer "
			   "TOKEN\", or a visit to /?token=TOKEN before");
	}
	a->ask_token = true;
}

/* --- all of it --- */

static bool check_form(struct http_request *r, struct http_answer *a)
{
	const union MHD_ConnectionInfo *size =
		MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	const char *length = header(r, "Content-Length"), *fault;

	if (r->uri_len > HTTP_URI_MAX)
		http_error(&a->r, 414, "the URL has more than %d bytes", HTTP_URI_MAX);
	else if (size != NULL && size->header_size > HTTP_REQUEST_MAX)
		http_error(&a->r, 431, "the request's line and headers have more than %d bytes",
			   HTTP_REQUEST_MAX);
	else if ((length != NULL && strcmp(length, "0") != 0) ||
		 header(r, "Transfer-Encoding") != NULL)
		http_error(&a->r, 413, "a request has no body here");
	a->close = a->r.status != 0;
	if (a->r.status != 0)
		return false;
	fault = http_request_read(r);
	if (fault != NULL)
		http_error(&a->r, 400, "%s; expected at most %d different ones of %d bytes each",
			   fault, HTTP_PARAMS_MAX, HTTP_PARAM_MAX);
	return fault == NULL;
}

bool http_guard(const struct http *h, struct http_request *r, struct http_answer *a)
{
	const char *said;

	if (!check_form(r, a))
		return false;
	if (h->token[0] == '\0') {
		if (is_number(header(r, "Host")))
			return true;
		http_error(&a->r, 400,
			   "without a token only requests to an address or to localhost are "
			   "answered: expected Host: %s",
			   h->where);
		return false;
	}
	if (strcmp(r->path, "/healthz") == 0)
		return true;
	said = strcmp(r->path, "/") == 0 ? http_param(r, "token") : NULL;
	if (said != NULL && is_same(slice_text(said), slice_text(h->token))) {
		/* The address that has the token in it must not stay in the browser's history. */
		a->r.status = 303;
		a->location = "/";
		a->set_cookie = true;
		return false;
	}
	if (said == NULL && has_token(h, r))
		return true;
	refuse_token(a, r);
	return false;
}
