/* html_uptime.c: how much of the time the watched peers are up. */
#include "report/html_inner.h"

#include <stdio.h>
#include <string.h>

/* "1d" is "the last day", roughly: averages forget, they don't end. */
static const char *window_text(const char *key)
{
	return strcmp(key, "1d") == 0 ? "a day" : strcmp(key, "7d") == 0 ? "7 days" : "30 days";
}

static void chart(struct text *out, const struct report_uptime *u)
{
	struct html_column columns[REPORT_UPTIME_BINS] = { 0 };
	uint64_t most = u->bins[REPORT_UPTIME_BINS - 1];
	char id[64], title[64], description[160], count[32], all[32];

	for (unsigned i = 0; i < REPORT_UPTIME_BINS; i++) {
		struct html_column *c = &columns[i];

		c->up = u->bins[i];
		html_percent(u->bins[i], u->count, c->over, sizeof(c->over));
		snprintf(c->label, sizeof(c->label), "%u%%", 10 * (i + 1));
		format_count(u->bins[i], count);
		snprintf(c->tip, sizeof(c->tip), "%u to %u%%: %s", 10 * i, 10 * (i + 1), count);
	}
	format_count(u->count, all);
	format_count(most, count);
	snprintf(id, sizeof(id), "chart-uptime-%s", u->key);
	snprintf(title, sizeof(title), "Over %s", window_text(u->key));
	snprintf(description, sizeof(description),
		 "Of %s peers %s were up for more than 90%% of the time.", all, count);
	html_columns(out, id, title, description, columns, REPORT_UPTIME_BINS);
}

void html_uptime(struct text *out, const struct report *r)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < REPORT_UPTIMES; i++)
		any += r->uptime[i].count;
	if (!r->has_uptime || any == 0)
		return;
	text_add(out, "<section id=\"uptime\"><h2>How much of the time they are up</h2>\n"
		      "<p>Of the peers that are watched, and were ever reached: the share of the "
		      "time, each column up to the number below it. Recent time weighs more.</p>\n"
		      "<div class=\"charts\">\n");
	for (unsigned i = 0; i < REPORT_UPTIMES; i++) {
		if (r->uptime[i].count > 0)
			chart(out, &r->uptime[i]);
	}
	text_add(out, "</div></section>\n");
}
