/* html_times.c: how long the peers took, as distributions and as numbers. */
#include "report/html_inner.h"

#include <inttypes.h>
#include <stdio.h>

/* "to 50 ms", or short "50"; thousands are seconds in both: "to 2 s", "2 s". */
static void bin_text(unsigned bin, bool is_short, char *out, size_t cap)
{
	bool last = bin == REPORT_BINS - 1;
	uint32_t ms = report_bins_ms[last ? bin - 1 : bin];
	const char *before = last ? (is_short ? ">" : "over ") : is_short ? "" : "to ";

	if (ms >= 1000)
		snprintf(out, cap, "%s%" PRIu32 "%s", before, ms / 1000,
			 last && is_short ? "" : " s");
	else
		snprintf(out, cap, "%s%" PRIu32 "%s", before, ms, is_short ? "" : " ms");
}

void html_percent(uint64_t part, uint64_t whole, char *out, size_t cap)
{
	unsigned percent = (unsigned)((100 * part + whole / 2) / (whole > 0 ? whole : 1));

	if (part == 0)
		out[0] = 0;
	else if (percent == 0)
		snprintf(out, cap, "<1%%");
	else
		snprintf(out, cap, "%u%%", percent);
}

static void chart(struct text *out, const struct report_times *t)
{
	struct html_column columns[REPORT_BINS] = { 0 };
	char id[64], title[128], description[256], median[32], p90[32], count[32], bin[32];

	for (unsigned i = 0; i < REPORT_BINS; i++) {
		struct html_column *c = &columns[i];

		c->up = t->bins[i];
		html_percent(t->bins[i], t->count, c->over, sizeof(c->over));
		bin_text(i, true, c->label, sizeof(c->label));
		bin_text(i, false, bin, sizeof(bin));
		format_count(t->bins[i], count);
		snprintf(c->tip, sizeof(c->tip), "%s: %s", bin, count);
	}
	format_duration(t->median_ms, median);
	format_duration(t->p90_ms, p90);
	format_count(t->count, count);
	snprintf(id, sizeof(id), "chart-%s", t->key);
	snprintf(title, sizeof(title), "%s: half within %s", t->title, median);
	snprintf(description, sizeof(description),
		 "Milliseconds until %s, of %s peers: half of them took %s or less, nine of ten %s "
		 "or less.",
		 t->title, count, median, p90);
	html_columns(out, id, title, description, columns, REPORT_BINS);
}

static void row(struct text *out, const struct report *r, const char *label,
		void (*cell)(struct text *out, const struct report_times *t, unsigned bin),
		unsigned bin)
{
	text_add(out, "<tr><th scope=\"row\">");
	html_text(out, label);
	text_add(out, "</th>");
	for (unsigned i = 0; i < REPORT_TIMES; i++) {
		text_add(out, "<td>");
		cell(out, &r->times[i], bin);
		text_add(out, "</td>");
	}
	text_add(out, "</tr>\n");
}

static void count_cell(struct text *out, const struct report_times *t, unsigned bin)
{
	(void)bin;
	html_count(out, t->count);
}

static void duration(struct text *out, const struct report_times *t, uint32_t ms)
{
	char text[32];

	format_duration(ms, text);
	html_text(out, t->count > 0 ? text : "\u2013");
}

static void median_cell(struct text *out, const struct report_times *t, unsigned bin)
{
	(void)bin;
	duration(out, t, t->median_ms);
}

static void p90_cell(struct text *out, const struct report_times *t, unsigned bin)
{
	(void)bin;
	duration(out, t, t->p90_ms);
}

static void bin_cell(struct text *out, const struct report_times *t, unsigned bin)
{
	html_count(out, t->bins[bin]);
}

void html_times(struct text *out, const struct report *r)
{
	bool any = false;
	char label[32];

	for (unsigned i = 0; i < REPORT_TIMES; i++)
		any |= r->times[i].count > 0;
	if (!any)
		return;
	text_add(out, "<section id=\"times\"><h2>How long they took</h2>\n"
		      "<p>Milliseconds from the start of a visit, each column up to the number "
		      "below it.</p>\n<div class=\"pair\"><div class=\"charts\">\n");
	for (unsigned i = 0; i < REPORT_TIMES; i++) {
		if (r->times[i].count > 0)
			chart(out, &r->times[i]);
	}
	text_add(out, "</div>\n<div class=\"wide\"><table><thead><tr><th scope=\"col\">peers</th>");
	for (unsigned i = 0; i < REPORT_TIMES; i++) {
		text_add(out, "<th scope=\"col\">");
		html_text(out, r->times[i].title);
		text_add(out, "</th>");
	}
	text_add(out, "</tr></thead><tbody>\n");
	row(out, r, "all", count_cell, 0);
	row(out, r, "median", median_cell, 0);
	row(out, r, "90%", p90_cell, 0);
	for (unsigned i = 0; i < REPORT_BINS; i++) {
		bin_text(i, false, label, sizeof(label));
		row(out, r, label, bin_cell, i);
	}
	text_add(out, "</tbody></table></div></div></section>\n");
}
