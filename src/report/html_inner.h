/* html_inner.h: what a page is put together from. Private to html*.c. */
#ifndef PEERWALK_REPORT_HTML_INNER_H
#define PEERWALK_REPORT_HTML_INNER_H

#include "base/text.h"
#include "report/report.h"

/* Text, for an element or an attribute in quotation marks. Never trusts that it was escaped. */
void html_text(struct text *out, const char *s);
/* "1,234" */
void html_count(struct text *out, uint64_t n);
/* "2026-08-01 12:00 UTC", as a time element. */
void html_time(struct text *out, int64_t unix_ms);

/* "37%", "<1%", and nothing for nothing. */
void html_percent(uint64_t part, uint64_t whole, char *out, size_t cap);

/* A column of a chart: up from the line, and perhaps another one down from it. */
struct html_column {
	uint64_t up, down;
	char over[32], under[32]; /* what stands at its ends; may be empty */
	char label[32];           /* below the chart */
	char tip[160];            /* what it says when it is pointed at */
	bool faint;
};

/* A figure. description says in words what is to be seen. */
void html_columns(struct text *out, const char *id, const char *title, const char *description,
		  const struct html_column *columns, size_t count);

/* html_past.c, html_times.c, html_uptime.c: sections; none where there is nothing to show. */
void html_past(struct text *out, const struct report *r);
void html_trend(struct text *out, const struct report *r);
void html_uptime(struct text *out, const struct report *r);
void html_past_table(struct text *out, const struct report *r);
void html_times(struct text *out, const struct report *r);

/* The style sheet, without its element; and its hash as the policy has it. */
extern const char html_style[];
extern const char html_style_hash[];

#endif
