#include "proto/gossip/json_walk.h"

#include <string.h>

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Behind the string whose opening quote is at `at`. */
static size_t string_end(const uint8_t *text, size_t len, size_t at)
{
	for (at++; at < len && text[at] != '"'; at++)
		at += text[at] == '\\';
	return at < len ? at + 1 : len;
}

unsigned json_depth(struct slice text)
{
	unsigned depth = 0, deepest = 0;

	for (size_t at = 0; at < text.len; at++) {
		uint8_t c = text.data[at];

		if (c == '"') {
			at = string_end(text.data, text.len, at) - 1;
		} else if (c == '[' || c == '{') {
			depth++;
			deepest = depth > deepest ? depth : deepest;
		} else if ((c == ']' || c == '}') && depth > 0) {
			depth--;
		}
	}
	return deepest;
}

static size_t value_end(const uint8_t *text, size_t len, size_t at)
{
	unsigned depth = 0;

	for (; at < len; at++) {
		uint8_t c = text[at];

		if (c == '"') {
			at = string_end(text, len, at) - 1;
		} else if (c == '[' || c == '{') {
			depth++;
			continue;
		} else if (c == ']' || c == '}') {
			if (depth == 0)
				return at; /* of whatever this stands in */
			depth--;
		} else if (depth == 0) {
			if (c == ',' || is_blank(c))
				return at;
			continue;
		}
		if (depth == 0)
			return at + 1;
	}
	return len;
}

static void skip_blanks(struct reader *r)
{
	while (r->at < r->len && is_blank(r->data[r->at]))
		r->at++;
}

void json_enter(struct reader *r)
{
	skip_blanks(r);
	r->at += r->at < r->len;
}

/* A string before a colon is a key. */
static void take_key(struct reader *r, struct slice *key)
{
	size_t start = r->at, end;

	*key = slice_of(NULL, 0);
	if (r->at >= r->len || r->data[r->at] != '"')
		return;
	end = string_end(r->data, r->len, r->at);
	r->at = end;
	skip_blanks(r);
	if (r->at >= r->len || r->data[r->at] != ':') {
		r->at = start;
		return;
	}
	*key = slice_of(r->data + start + 1, end - start - 2);
	r->at++;
	skip_blanks(r);
}

bool json_step(struct reader *r, struct slice *key, struct slice *value)
{
	size_t start;

	skip_blanks(r);
	if (r->at < r->len && r->data[r->at] == ',')
		r->at++;
	skip_blanks(r);
	take_key(r, key);
	start = r->at;
	r->at = value_end(r->data, r->len, start);
	*value = slice_of(r->data + start, r->at - start);
	return r->at > start;
}
