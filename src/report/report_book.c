#include "report/report_book.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { DAY_S = 24 * 3600 };

/* Rows come book by book. */
struct gather {
	json_t *books;
	int64_t now_s;
	char *name; /* of the book that is counted; NULL: none yet */
	uint64_t known, reached, day, failing, kinds[NETADDR_CJDNS + 1];
	int64_t last_s;
};

static enum err end_book(struct gather *g)
{
	struct text name = { 0 };
	json_t *kinds = json_object(), *book;
	enum err err;

	if (g->name == NULL) {
		json_decref(kinds);
		return ERR_OK;
	}
	text_add_escaped(&name, slice_text(g->name));
	for (unsigned k = NETADDR_IPV4; k <= NETADDR_CJDNS; k++) {
		if (g->kinds[k] > 0)
			json_object_set_new(kinds, netaddr_kind_name(k),
					    json_integer((json_int_t)g->kinds[k]));
	}
	err = name.err;
	book = err != ERR_OK ? NULL
			     : json_pack("{s:s s:I s:I s:I s:I s:o s:O}", "book", name.data,
					 "known", (json_int_t)g->known, "reached",
					 (json_int_t)g->reached, "day", (json_int_t)g->day,
					 "failing", (json_int_t)g->failing, "last_reached",
					 g->last_s > 0 ? json_integer(g->last_s) : json_null(),
					 "kinds", kinds);
	json_decref(kinds);
	text_clear(&name);
	if (book == NULL || json_array_append_new(g->books, book) != 0)
		err = ERR_NOMEM;
	return err;
}

static enum err begin_book(struct gather *g, const char *name)
{
	enum err err = end_book(g);
	char *copy = strdup(name);

	free(g->name);
	*g = (struct gather){ .books = g->books, .now_s = g->now_s, .name = copy };
	return err == ERR_OK && copy == NULL ? ERR_NOMEM : err;
}

static enum err count_row(void *ctx, const char *name, const struct store_book_row *row)
{
	struct gather *g = ctx;
	enum err err = ERR_OK;

	if (g->name == NULL || strcmp(g->name, name) != 0)
		err = begin_book(g, name);
	if (err != ERR_OK)
		return err;
	g->known++;
	g->kinds[row->addr.kind]++;
	g->reached += row->good_s > 0;
	g->day += row->good_s > 0 && row->good_s >= g->now_s - DAY_S;
	g->failing += row->failures > 0;
	g->last_s = row->good_s > g->last_s ? row->good_s : g->last_s;
	return ERR_OK;
}

enum err report_books(struct store *s, const char *network, int64_t now_s, json_t **out)
{
	struct store_filter filter = STORE_FILTER_ANY;
	struct gather g = { .books = json_array(), .now_s = now_s };
	enum err err = ERR_NOMEM;

	*out = NULL;
	if (g.books == NULL)
		return err;
	filter.network = network;
	err = store_books(s, &filter, count_row, &g);
	if (err == ERR_OK)
		err = end_book(&g);
	free(g.name);
	if (err == ERR_OK)
		*out = g.books;
	else
		json_decref(g.books);
	return err;
}
