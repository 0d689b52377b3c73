/* api_peer_filter.c: parameters, and answers that are none. */
#include "report/json_text.h"
#include "web/api_peer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SERVICE_BITS = 64 };

bool api_known(const struct http_request *q, struct http_response *r, const char *names)
{
	const char *unknown = http_param_unknown(q, names);

	if (unknown == NULL)
		return true;
	if (names[0] == 0)
		http_error(r, 400, "there is no parameter \"%s\" here, nor any other", unknown);
	else
		http_error(r, 400, "there is no parameter \"%s\"; expected one of: %s", unknown,
			   names);
	return false;
}

bool api_number(const struct http_request *q, struct http_response *r, const char *name,
		size_t initial, size_t *out)
{
	const char *text = http_param(q, name);
	uint64_t v = initial;

	if (text != NULL && (parse_uint(text, API_LIMIT_MAX, &v) != ERR_OK || v == 0)) {
		http_error(r, 400, "%s is \"%s\"; expected a number from 1 to %d", name, text,
			   API_LIMIT_MAX);
		return false;
	}
	*out = (size_t)v;
	return true;
}

/* --- each parameter: false if it is malformed --- */

static bool yes_no(const char *text, int *out)
{
	*out = strcmp(text, "yes") == 0;
	return *out == 1 || strcmp(text, "no") == 0;
}

static bool country(const char *text)
{
	size_t letters = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return strcmp(text, "none") == 0 || (letters == 2 && text[2] == 0);
}

static bool asn(const char *text, int64_t *out)
{
	uint64_t v = 0;

	*out = -1;
	if (strcmp(text, "none") == 0)
		return true;
	if (strncasecmp(text, "as", 2) == 0)
		text += 2;
	if (parse_uint(text, UINT32_MAX, &v) != ERR_OK || v == 0)
		return false;
	*out = (int64_t)v;
	return true;
}

static bool kind(const char *text, int *out)
{
	for (*out = NETADDR_IPV4; *out <= NETADDR_CJDNS; (*out)++) {
		if (strcmp(text, netaddr_kind_name((unsigned)*out)) == 0)
			return true;
	}
	return false;
}

static bool outcome(const char *text, int *out)
{
	enum outcome o;

	if (!outcome_parse(text, &o))
		return false;
	*out = (int)o;
	return true;
}

static bool number(const char *text, uint64_t max, int64_t *out)
{
	uint64_t v;

	if (parse_uint(text, max, &v) != ERR_OK)
		return false;
	*out = (int64_t)v;
	return true;
}

/* With "NODE_" in front, as Bitcoin Core's sources have it, or without. */
static bool service_named(const struct api_peers *a, const char *network, const char *name,
			  uint64_t *out)
{
	if (strncasecmp(name, "NODE_", 5) == 0)
		name += 5;
	for (unsigned bit = 0; a->service_name != NULL && bit < SERVICE_BITS; bit++) {
		const char *known = a->service_name(network, bit);

		if (known != NULL && strcasecmp(known, name) == 0) {
			*out |= 1ULL << bit;
			return true;
		}
	}
	return false;
}

static bool services(const struct api_peers *a, const char *network, const char *list,
		     uint64_t *out)
{
	while (true) {
		size_t len = strcspn(list, ",");
		char name[HTTP_PARAM_MAX + 1];
		uint64_t bit;

		if (len == 0 || len >= sizeof(name))
			return false;
		memcpy(name, list, len);
		name[len] = 0;
		if (parse_uint(name, SERVICE_BITS - 1, &bit) == ERR_OK)
			*out |= 1ULL << bit;
		else if (!service_named(a, network, name, out))
			return false;
		if (list[len] == 0)
			return true;
		list += len + 1;
	}
}

static void expected(struct http_response *r, const char *name, const char *value, const char *what)
{
	http_error(r, 400, "%s is \"%s\"; expected %s", name, value, what);
}

/* Those that are one of a few words, or text. */
static const char *words(const struct http_request *q, const char *name, struct census_filter *f)
{
	const char *v = http_param(q, name);

	if (v == NULL)
		return NULL;
	if (strcmp(name, "reached") == 0)
		return yes_no(v, &f->reached) ? NULL : "yes or no";
	if (strcmp(name, "visited") == 0)
		return yes_no(v, &f->visited) ? NULL : "yes or no";
	if (strcmp(name, "kind") == 0)
		return kind(v, &f->kind) ? NULL : "ipv4, ipv6, onion, onion2, i2p or cjdns";
	if (strcmp(name, "outcome") == 0)
		return outcome(v, &f->outcome) ? NULL : "an outcome, such as ok or connect_timeout";
	if (strcmp(name, "country") == 0)
		return country(f->country = v) ? NULL : "two letters, or none";
	return asn(v, &f->asn) ? NULL : "the number of an AS, or none";
}

bool api_filter(const struct api_peers *a, const struct http_request *q, struct http_response *r,
		struct census_filter *out)
{
	static const char *const names[] = { "reached", "visited", "kind",
					     "outcome", "country", "asn" };
	const char *protocol = http_param(q, "protocol"), *crawl = http_param(q, "crawl");
	const char *service = http_param(q, "service");

	*out = CENSUS_FILTER_ANY;
	out->network = http_param(q, "network");
	out->text = http_param(q, "q");
	out->agent = http_param(q, "agent");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *what = words(q, names[i], out);

		if (what != NULL) {
			expected(r, names[i], http_param(q, names[i]), what);
			return false;
		}
	}
	if (protocol != NULL && !number(protocol, INT32_MAX, &out->protocol)) {
		expected(r, "protocol", protocol, "a protocol version, a number");
		return false;
	}
	if (crawl != NULL && (!number(crawl, INT64_MAX, &out->crawl_id) || out->crawl_id == 0)) {
		expected(r, "crawl", crawl, "the number of a crawl");
		return false;
	}
	if (service != NULL &&
	    !services(a, out->network != NULL ? out->network : "", service, &out->services)) {
		expected(r, "service", service,
			 "numbers of bits, from 0 to 63, or names, such as NETWORK, with "
			 "commas between them");
		return false;
	}
	return true;
}

/* --- answers --- */

void api_send(struct http_response *r, json_t *doc)
{
	if (json_text_add(&r->body, doc, JSON_COMPACT | JSON_REAL_PRECISION(12)) != ERR_OK) {
		text_clear(&r->body);
		api_failed(r, NULL, ERR_NOMEM);
	}
}

void api_failed(struct http_response *r, struct store *s, enum err err)
{
	if (err == ERR_LIMIT) {
		http_error(r, 503,
			   "another question that takes long is being answered: ask again "
			   "in a moment");
		return;
	}
	http_error(r, 503, "%s",
		   err == ERR_NOMEM || s == NULL ? "out of memory; ask for less, or again later"
						 : store_why(s));
}
