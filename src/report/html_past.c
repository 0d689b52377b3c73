/* html_past.c: the crawls of a network, one beside the other: how it grew, who came and went. */
#include "report/html_inner.h"

#include <stdio.h>
#include <string.h>

/* PAST_VALUE and all above it: of the trend's values one each. */
enum past_chart { PAST_KNOWN, PAST_REACHED, PAST_CHURN, PAST_VALUE };

enum { PAST_FEW = 8 /* columns that are wide enough for a number at each of them */ };

static bool is_few(const struct report *r)
{
	return r->past_count <= PAST_FEW;
}

/* "2026-05-28", or "05-28" if there is less room, or "20:26" where all is of one day. */
static void when_text(const struct report *r, size_t at, char *out, size_t cap)
{
	char first[32], last[32], time[32];

	format_time(r->past[0].started_at_ms, false, first);
	format_time(r->past[r->past_count - 1].started_at_ms, false, last);
	if (format_time(r->past[at].started_at_ms, false, time) < 16)
		snprintf(out, cap, "%s", time);
	else if (strncmp(first, last, 10) == 0)
		snprintf(out, cap, "%.5s", time + 11);
	else if (is_few(r))
		snprintf(out, cap, "%.5s", time + 5);
	else
		snprintf(out, cap, "%.10s", time);
}

static uint64_t value_of(const struct report_past *p, unsigned chart)
{
	if (chart >= PAST_VALUE)
		return p->values[chart - PAST_VALUE];
	return chart == PAST_KNOWN ? p->known : chart == PAST_REACHED ? p->reached : p->came;
}

/* What is written at a column: all values if there is room, else the newest and the highest. */
static void label_column(const struct report *r, unsigned chart, size_t at, size_t highest,
			 struct html_column *c)
{
	const struct report_past *p = &r->past[at];
	size_t last = r->past_count - 1;
	bool few = is_few(r), is_end = at == 0 || at == last;
	char count[32];

	if (few || is_end)
		when_text(r, at, c->label, sizeof(c->label));
	/* Far enough from the newest one's. */
	if (!few && at != last && (at != highest || last - at < r->past_count / 5))
		return;
	format_count(value_of(p, chart), count);
	if (chart != PAST_CHURN) {
		snprintf(c->over, sizeof(c->over), "%s", count);
		return;
	}
	if (p->came > 0)
		snprintf(c->over, sizeof(c->over), "+%.30s", count);
	format_count(p->went, count);
	if (p->went > 0)
		snprintf(c->under, sizeof(c->under), "\u2212%.28s", count);
}

static void draw(struct text *out, const struct report *r, unsigned chart, const char *id,
		 const char *title, const char *description)
{
	struct html_column columns[REPORT_PAST_MAX] = { 0 };
	size_t highest = 0;
	uint64_t any = 0;

	for (size_t i = 0; i < r->past_count; i++) {
		if (value_of(&r->past[i], chart) > value_of(&r->past[highest], chart))
			highest = i;
		any |= value_of(&r->past[i], chart);
		any |= chart == PAST_CHURN ? r->past[i].went : 0;
	}
	if (any == 0)
		return;
	for (size_t i = 0; i < r->past_count; i++) {
		const struct report_past *p = &r->past[i];
		struct html_column *c = &columns[i];
		char when[32], count[32], went[32];

		c->up = value_of(p, chart);
		c->down = chart == PAST_CHURN ? p->went : 0;
		c->faint = !p->complete;
		label_column(r, chart, i, highest, c);
		format_time(p->started_at_ms, false, when);
		format_count(c->up, count);
		format_count(c->down, went);
		if (chart == PAST_CHURN)
			snprintf(c->tip, sizeof(c->tip), "%s: %s came, %s went", when, count, went);
		else
			snprintf(c->tip, sizeof(c->tip), "%s: %s", when, count);
	}
	html_columns(out, id, title, description, columns, r->past_count);
}

static void draw_all(struct text *out, const struct report *r)
{
	const struct report_past *first = &r->past[0], *last = &r->past[r->past_count - 1];
	char from[32], to[32], description[256];
	bool has_known = true;

	for (size_t i = 0; i < r->past_count; i++)
		has_known &= r->past[i].has_known;
	format_count(first->reached, from);
	format_count(last->reached, to);
	snprintf(description, sizeof(description), "Peers reached in each crawl, from %s to %s.",
		 from, to);
	draw(out, r, PAST_REACHED, "chart-reached", "Reached", description);
	format_count(last->came, from);
	format_count(last->went, to);
	snprintf(description, sizeof(description),
		 "Against the crawl before: up who was reached anew, down who was not any more. In "
		 "the newest %s came and %s went.",
		 from, to);
	draw(out, r, PAST_CHURN, "chart-churn", "Came, and went", description);
	if (!has_known)
		return;
	format_count(first->known, from);
	format_count(last->known, to);
	snprintf(description, sizeof(description), "Addresses known in each crawl, from %s to %s.",
		 from, to);
	draw(out, r, PAST_KNOWN, "chart-known", "Known addresses", description);
}

static void cell(struct text *out, bool has, uint64_t count)
{
	text_add(out, "<td>");
	if (has)
		html_count(out, count);
	else
		text_add(out, "\u2013");
	text_add(out, "</td>");
}

void html_trend(struct text *out, const struct report *r)
{
	const char *what = r->trend.table == REPORT_CLIENTS ? "Clients" : "User agents";
	size_t kept = 0;
	char id[32], from[32], to[32], description[128];

	for (size_t i = 0; i < r->past_count; i++) {
		bool any = false;

		for (size_t v = 0; v < r->trend.count; v++)
			any |= r->past[i].has_value[v];
		kept += any;
	}
	if (kept < 2)
		return;
	text_printf(out,
		    "<section id=\"trend\"><h2>%s over time</h2>\n<p>Peers that said so in each "
		    "crawl; each chart has a scale of its own.</p>\n<div class=\"charts\">\n",
		    what);
	for (unsigned v = 0; v < r->trend.count; v++) {
		const char *label = r->trend.rows[v].label;

		snprintf(id, sizeof(id), "chart-trend-%u", v);
		format_count(r->past[0].values[v], from);
		format_count(r->past[r->past_count - 1].values[v], to);
		snprintf(description, sizeof(description), "From %s to %s peers.", from, to);
		draw(out, r, PAST_VALUE + v, id, label[0] != 0 ? label : "(empty)", description);
	}
	text_add(out, "</div></section>\n");
}

void html_past(struct text *out, const struct report *r)
{
	if (r->past_count < 2)
		return;
	text_add(out, "<section id=\"changes\"><h2>From crawl to crawl</h2>\n"
		      "<p>Came: reached, and not in the crawl before. Went: the reverse. "
		      "All numbers are in the table at the end.</p>\n<div class=\"charts\">\n");
	draw_all(out, r);
	text_add(out, "</div></section>\n");
}

void html_past_table(struct text *out, const struct report *r)
{
	bool partial = false;

	if (r->past_count < 2)
		return;
	for (size_t i = 0; i < r->past_count; i++)
		partial |= !r->past[i].complete;
	text_add(out, "<section id=\"history\"><h2>Crawls</h2>\n");
	if (partial)
		text_add(out, "<p>Those with an asterisk, paler above, did not ask everybody. Whom "
			      "they did not ask counts neither as come nor as gone.</p>\n");
	text_add(out, "<div class=\"wide\"><table><thead><tr><th scope=\"col\">crawl</th>"
		      "<th scope=\"col\">known</th><th scope=\"col\">visited</th>"
		      "<th scope=\"col\">reached</th><th scope=\"col\">came</th>"
		      "<th scope=\"col\">went</th></tr></thead><tbody>\n");
	for (size_t i = r->past_count; i-- > 0;) {
		const struct report_past *p = &r->past[i];

		text_printf(out, "<tr><th scope=\"row\">%lld%s <small>", (long long)p->crawl_id,
			    p->complete ? "" : "*");
		html_time(out, p->started_at_ms);
		text_add(out, "</small></th>");
		cell(out, p->has_known, p->known);
		cell(out, true, p->visited);
		cell(out, true, p->reached);
		cell(out, p->has_before, p->came);
		cell(out, p->has_before, p->went);
		text_add(out, "</tr>\n");
	}
	text_add(out, "</tbody></table></div></section>\n");
}
