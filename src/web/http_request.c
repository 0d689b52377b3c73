/* http_request.c: what a handler sees of a request. */
#include "web/http_inner.h"

#include <stdlib.h>
#include <string.h>

static const char *add_param(struct http_request *r, const char *name, size_t name_len,
			     const char *value, size_t value_len)
{
	if (name_len > HTTP_PARAM_MAX || value_len > HTTP_PARAM_MAX)
		return "a parameter is too long";
	if (r->count == HTTP_PARAMS_MAX)
		return "there are too many parameters";
	if (strlen(name) != name_len || strlen(value) != value_len)
		return "a parameter has a zero byte in it";
	if (http_param(r, name) != NULL)
		return "a parameter is given twice";
	r->params[r->count].name = name;
	r->params[r->count++].value = value;
	return NULL;
}

struct reading {
	struct http_request *request;
	const char *fault;
};

static enum MHD_Result on_param(void *ctx, enum MHD_ValueKind kind, const char *name,
				size_t name_len, const char *value, size_t value_len)
{
	struct reading *reading = ctx;

	(void)kind;
	/* "?name" alone, without a sign behind it */
	if (value == NULL)
		value = "";
	reading->fault = add_param(reading->request, name, name_len, value, value_len);
	return reading->fault == NULL ? MHD_YES : MHD_NO;
}

const char *http_request_read(struct http_request *r)
{
	struct reading reading = { .request = r };

	r->count = 0;
	if (r->has_nul)
		return "the URL has a zero byte in it";
	MHD_get_connection_values_n(r->mhd, MHD_GET_ARGUMENT_KIND, on_param, &reading);
	return reading.fault;
}

const char *http_path(const struct http_request *r)
{
	return r->path;
}

bool http_param_at(const struct http_request *r, size_t i, const char **name, const char **value)
{
	if (i >= r->count)
		return false;
	*name = r->params[i].name;
	*value = r->params[i].value;
	return true;
}

const char *http_param(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++) {
		if (strcmp(r->params[i].name, name) == 0)
			return r->params[i].value;
	}
	return NULL;
}

static bool is_word_of(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *w = words; *w != '\0'; w += strspn(w, " ")) {
		size_t n = strcspn(w, " ");

		if (n == len && memcmp(w, word, n) == 0)
			return true;
		w += n;
	}
	return false;
}

const char *http_param_unknown(const struct http_request *r, const char *names)
{
	for (size_t i = 0; i < r->count; i++) {
		if (!is_word_of(names, r->params[i].name))
			return r->params[i].name;
	}
	return NULL;
}

/* --- without a connection --- */

static size_t unescape(char *text)
{
	for (char *c = text; *c != '\0'; c++)
		*c = *c == '+' ? ' ' : *c;
	return MHD_http_unescape(text);
}

static const char *read_query(struct http_request *r, char *query)
{
	const char *fault = NULL;

	for (char *next; query != NULL && fault == NULL; query = next) {
		char *value;

		next = strchr(query, '&');
		if (next != NULL)
			*next++ = '\0';
		value = strchr(query, '=');
		if (value != NULL)
			*value++ = '\0';
		else
			value = query + strlen(query);
		if (*query != '\0')
			fault = add_param(r, query, unescape(query), value, unescape(value));
	}
	return fault;
}

struct http_request *http_request_new(const char *target)
{
	struct http_request *r = calloc(1, sizeof(*r));
	char *query;

	if (r == NULL)
		return NULL;
	r->room = strdup(target);
	r->path = r->room;
	query = r->room != NULL ? strchr(r->room, '?') : NULL;
	if (query != NULL)
		*query++ = '\0';
	if (r->room != NULL)
		MHD_http_unescape(r->room);
	if (r->room != NULL && strstr(target, "%00") == NULL && read_query(r, query) == NULL)
		return r;
	http_request_free(r);
	return NULL;
}

void http_request_free(struct http_request *r)
{
	if (r == NULL)
		return;
	free(r->room);
	free(r);
}
