#include "report/csv.h"

#include <string.h>

void csv_init(struct csv *c, struct slice text)
{
	*c = (struct csv){ .rest = text, .next_line = 1 };
}

void csv_clear(struct csv *c)
{
	text_clear(&c->scratch);
	*c = (struct csv){ 0 };
}

/* A field in quotes, its first quote already taken; its text goes to scratch. */
static enum err quoted(struct csv *c)
{
	size_t i = 0;

	for (;;) {
		const uint8_t *quote =
			c->rest.len > i ? memchr(c->rest.data + i, '"', c->rest.len - i) : NULL;

		if (quote == NULL)
			return ERR_SYNTAX;
		for (const uint8_t *p = c->rest.data + i; p < quote; p++)
			c->next_line += *p == '\n';
		text_add_slice(&c->scratch,
			       slice_of(c->rest.data + i, (size_t)(quote - c->rest.data) - i));
		i = (size_t)(quote - c->rest.data) + 1;
		if (i == c->rest.len || c->rest.data[i] != '"')
			break;
		text_add(&c->scratch, "\"");
		i++;
	}
	c->rest = slice_from(c->rest, i);
	return c->scratch.err;
}

static void bare(struct csv *c)
{
	size_t i = 0;

	while (i < c->rest.len && c->rest.data[i] != ',' && c->rest.data[i] != '\n')
		i++;
	text_add_slice(&c->scratch, slice_of(c->rest.data, i));
	/* The CR of a CRLF belongs to the line's end. */
	if (i < c->rest.len && c->rest.data[i] == '\n' && i > 0 && c->rest.data[i - 1] == '\r')
		c->scratch.len--;
	c->rest = slice_from(c->rest, i);
}

bool csv_next(struct csv *c, enum err *err)
{
	size_t ends[CSV_FIELDS_MAX], from = 0;
	bool more = true;

	*err = ERR_OK;
	c->count = 0;
	c->scratch.len = 0;
	c->line = c->next_line;
	if (c->rest.len == 0)
		return false;
	while (more) {
		if (c->count == CSV_FIELDS_MAX)
			*err = ERR_LIMIT;
		if (*err == ERR_OK && c->rest.len > 0 && c->rest.data[0] == '"') {
			c->rest = slice_from(c->rest, 1);
			*err = quoted(c);
			if (*err == ERR_OK && c->rest.len > 0 && c->rest.data[0] == '\r')
				c->rest = slice_from(c->rest, 1);
		} else if (*err == ERR_OK) {
			bare(c);
		}
		/* Behind a field: a comma, the line's end, or that of the text. */
		if (*err == ERR_OK && c->rest.len > 0 && c->rest.data[0] != ',' &&
		    c->rest.data[0] != '\n')
			*err = ERR_SYNTAX;
		if (*err != ERR_OK)
			return false;
		ends[c->count++] = c->scratch.len;
		more = c->rest.len > 0 && c->rest.data[0] == ',';
		c->next_line += c->rest.len > 0 && c->rest.data[0] == '\n';
		c->rest = slice_from(c->rest, 1);
	}
	*err = c->scratch.err;
	/* Only now: scratch may have moved while it grew. */
	for (size_t i = 0; i < c->count; i++) {
		c->fields[i] = slice_of(c->scratch.data + from, ends[i] - from);
		from = ends[i];
	}
	return *err == ERR_OK;
}

int csv_find(const struct csv *c, const char *name)
{
	for (size_t i = 0; i < c->count; i++) {
		if (slice_equal(c->fields[i], slice_text(name)))
			return (int)i;
	}
	return -1;
}
