/* report.h: what a table of a report has to hold. */
#ifndef PEERWALK_TESTS_SUPPORT_REPORT_H
#define PEERWALK_TESTS_SUPPORT_REPORT_H

#include "report/report.h"

#include "support/store_rig.h"

struct want_row {
	const char *label;
	uint64_t count;
};

static inline void assert_table(const struct report *r, enum report_table_id id, uint64_t total,
				size_t distinct, uint64_t others, const struct want_row *want)
{
	const struct report_table *t = &r->tables[id];
	size_t i = 0;

	print_message("%s\n", t->key);
	assert_int_equal(t->total, total);
	assert_int_equal(t->distinct, distinct);
	assert_int_equal(t->others, others);
	for (; want[i].label != NULL; i++) {
		assert_true(i < t->count);
		assert_string_equal(t->rows[i].label, want[i].label);
		assert_int_equal(t->rows[i].count, want[i].count);
	}
	assert_int_equal(t->count, i);
}

#define ROWS(...)                 \
	(const struct want_row[]) \
	{                         \
		__VA_ARGS__,      \
		{                 \
			NULL, 0   \
		}                 \
	}

#endif
