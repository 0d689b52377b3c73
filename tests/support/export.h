/* export.h: an export of the test's database, as one text. */
#ifndef PEERWALK_TESTS_SUPPORT_EXPORT_H
#define PEERWALK_TESTS_SUPPORT_EXPORT_H

#include "report/export.h"

#include "support/store_rig.h"

/* For formats that need nothing; and what they say if they give up. */
static struct export_options no_options;

static inline enum err collect(void *ctx, struct slice data)
{
	struct text *out = ctx;

	text_add_slice(out, data);
	return out->err;
}

/* filter: NULL for all. */
static inline struct text export(const char *what, const char *format,
				 const struct store_filter *filter, uint64_t want_rows)
{
	struct store_filter any = STORE_FILTER_ANY;
	struct text out = { 0 };
	uint64_t rows = 0;

	text_add(&out, "");
	assert_int_equal(export_run(store, what, format, filter != NULL ? filter : &any,
				    &no_options, collect, &out, &rows),
			 ERR_OK);
	assert_int_equal(rows, want_rows);
	return out;
}

static inline void put(const struct store_crawl *crawl, struct record r)
{
	assert_int_equal(store_put_visit(store, crawl, &r), ERR_OK);
}

#endif
