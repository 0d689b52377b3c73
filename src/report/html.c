#include "report/html.h"

#include "report/html_inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The order of the page: what most people look for comes first. */
static const struct {
	enum report_table_id id;
	const char *title, *note; /* note: NULL for none */
} sections[] = {
	{ REPORT_OUTCOMES, "How the visits ended", NULL },
	{ REPORT_KINDS, "Kinds of network", NULL },
	{ REPORT_COMPLETENESS, "Tables of nodes",
	  "Drained: listed in full, and that is proven. Partial: what could be had. Timed out: no "
	  "question was answered." },
	{ REPORT_CLIENTS, "Clients", NULL },
	{ REPORT_CLIENT_VERSIONS, "Clients and their versions", NULL },
	{ REPORT_FORKS, "Forks", NULL },
	{ REPORT_NETWORKS, "Network ids", NULL },
	{ REPORT_CAPABILITIES, "Capabilities",
	  "A node offers several: the shares are of the nodes, and don\u2019t add up." },
	{ REPORT_SESSIONS, "How the sessions ended",
	  "Full: too many peers already, so the node lives." },
	{ REPORT_AGENTS, "User agents", NULL },
	{ REPORT_PROTOCOLS, "Protocol versions", NULL },
	{ REPORT_SERVICE_BITS, "Services",
	  "A peer offers several: the shares are of the peers, and don\u2019t add up." },
	{ REPORT_SERVICES, "Sets of services", NULL },
	{ REPORT_COUNTRIES, "Countries", "Where a database says that the addresses are." },
	{ REPORT_ASNS, "Networks of providers", "Autonomous systems that announce the addresses." },
	{ REPORT_HEIGHTS, "Heights", "In blocks behind the median of what the peers said." },
	{ REPORT_PORTS, "Ports", NULL },
};

_Static_assert(sizeof(sections) / sizeof(*sections) == REPORT_TABLES, "each table has a section");

/* --- pieces --- */

void html_text(struct text *out, const char *s)
{
	struct text safe = { 0 };

	/* Labels of a report are escaped already; names of networks are out of a file. */
	text_add_escaped_rest(&safe, s);
	for (size_t i = 0; i < safe.len; i++) {
		switch (safe.data[i]) {
		case '&':
			text_add(out, "&amp;");
			break;
		case '<':
			text_add(out, "&lt;");
			break;
		case '>':
			text_add(out, "&gt;");
			break;
		case '"':
			text_add(out, "&quot;");
			break;
		case '\'':
			text_add(out, "&#39;");
			break;
		default:
			text_add_slice(out, slice_of(&safe.data[i], 1));
		}
	}
	if (safe.err != ERR_OK)
		out->err = safe.err;
	text_clear(&safe);
}

void html_count(struct text *out, uint64_t n)
{
	char text[32];

	format_count(n, text);
	text_add(out, text);
}

void html_time(struct text *out, int64_t unix_ms)
{
	char text[32];

	if (format_time(unix_ms, false, text) < 16) {
		text_add(out, "\u2013");
		return;
	}
	text_printf(out, "<time datetime=\"%s\"><span>%.10s</span> %.5s UTC</time>", text, text,
		    text + 11);
}

/* "12.3%" */
static void percent(struct text *out, uint64_t part, uint64_t whole)
{
	uint64_t tenths = whole > 0 ? (uint64_t)(1000.0 * (double)part / (double)whole + .5) : 0;

	text_printf(out, "%" PRIu64 ".%" PRIu64 "%%", tenths / 10, tenths % 10);
}

/* --- tables --- */

static void table_row(struct text *out, const struct report_table *t, const char *label,
		      const char *more, uint64_t count, uint64_t most)
{
	unsigned width = (unsigned)(1000.0 * (double)count / (double)most);

	text_add(out, "<tr><th scope=\"row\"><bdi class=\"label\">");
	html_text(out, label);
	text_add(out, "</bdi>");
	if (more != NULL) {
		text_add(out, "<small>");
		html_text(out, more);
		text_add(out, "</small>");
	}
	text_printf(out,
		    "<svg class=\"bar\" viewBox=\"0 0 1000 5\" preserveAspectRatio=\"none\" "
		    "aria-hidden=\"true\"><rect width=\"%u\" height=\"5\"/></svg></th><td>",
		    width > 0 ? width : 1);
	html_count(out, count);
	text_add(out, "</td><td>");
	percent(out, count, t->total);
	text_add(out, "</td></tr>\n");
}

/* What is counted: "9,088 visits", or "1,700 of the 1,819 reached". */
static void table_of(struct text *out, const struct report *r, const struct report_table *t)
{
	html_count(out, t->total);
	if (strcmp(t->of, "reached") == 0 && t->total != r->reached) {
		text_add(out, " of the ");
		html_count(out, r->reached);
	}
	text_printf(out, " %s", t->of);
	if (t->distinct > t->count && t != &r->tables[REPORT_HEIGHTS]) {
		text_add(out, ", ");
		html_count(out, t->distinct);
		text_add(out, " different");
	}
	text_add(out, ". ");
}

static void table_note(struct text *out, const struct report *r, const struct report_table *t,
		       const char *note)
{
	const struct report_counts *entries = &r->counts[REPORT_ENTRIES];
	const struct report_counts *findnodes = &r->counts[REPORT_FINDNODES];

	if (note != NULL)
		html_text(out, note);
	if (t == &r->tables[REPORT_HEIGHTS] && r->has_tip) {
		text_add(out, " It is ");
		html_count(out, (uint64_t)r->tip);
		text_add(out, ".");
	}
	if (t == &r->tables[REPORT_COMPLETENESS] && entries->count > 0)
		text_printf(out,
			    " In the median %" PRIu32 " entries by %" PRIu32
			    " questions; nine of ten tables have %" PRIu32
			    " entries or less, by %" PRIu32 " questions or less.",
			    entries->median, findnodes->median, entries->p90, findnodes->p90);
}

static void table_section(struct text *out, const struct report *r, size_t at)
{
	const struct report_table *t = &r->tables[sections[at].id];
	uint64_t most = t->others;
	char label[64], count[32];
	enum outcome outcome;

	if (t->count == 0 && t->others == 0)
		return;
	for (size_t i = 0; i < t->count; i++)
		most = t->rows[i].count > most ? t->rows[i].count : most;
	text_printf(out, "<section id=\"%s\"><h2>%s</h2>\n<p>", t->key, sections[at].title);
	table_of(out, r, t);
	table_note(out, r, t, sections[at].note);
	text_printf(out,
		    "</p>\n<table><thead><tr><th scope=\"col\">%s</th><th scope=\"col\">peers</th>"
		    "<th scope=\"col\">share</th></tr></thead><tbody>\n",
		    t->title);
	for (size_t i = 0; i < t->count; i++) {
		const struct report_row *row = &t->rows[i];
		bool is_outcome = sections[at].id == REPORT_OUTCOMES;

		is_outcome = is_outcome && outcome_parse(row->label, &outcome);
		table_row(out, t, row->label[0] != 0 ? row->label : "(empty)",
			  is_outcome ? outcome_text(outcome) : NULL, row->count, most);
	}
	if (t->others > 0) {
		format_count(t->distinct - t->count, count);
		snprintf(label, sizeof(label), "%s others", count);
		text_add(out, "</tbody><tbody class=\"faint\">\n");
		table_row(out, t, label, NULL, t->others, most);
	}
	text_add(out, "</tbody></table></section>\n");
}

/* --- overview --- */

static void tile(struct text *out, const char *name)
{
	text_printf(out, "</dd></div>\n<div><dt>%s</dt><dd>", name);
}

static void bytes_text(struct text *out, uint64_t bytes)
{
	char text[32];

	format_bytes(bytes, text);
	text_add(out, text);
}

static void tile_of_before(struct text *out, const struct report *r)
{
	if (r->before_id == 0)
		return;
	tile(out, "Came");
	html_count(out, r->came);
	text_add(out, "</dd><dd>");
	html_count(out, r->went);
	text_printf(out, " went since crawl %" PRId64, r->before_id);
}

static void overview(struct text *out, const struct report *r, const char *of)
{
	const struct store_crawl *c = &r->crawl;
	const struct report_times *connect = &r->times[REPORT_CONNECT];
	const struct report_table *tables = &r->tables[REPORT_COMPLETENESS];
	char text[32];

	text_add(out, "<dl>\n<div><dt>Reached</dt><dd>");
	html_count(out, r->reached);
	text_add(out, "</dd><dd>");
	percent(out, r->reached, r->visited);
	text_add(out, " of ");
	html_count(out, r->visited);
	text_add(out, " visited");
	if (of == NULL && (c->ended_at_ms > 0 || c->visited > 0)) {
		tile(out, "Known");
		html_count(out, c->known);
		text_add(out, "</dd><dd>named ");
		html_count(out, c->adverts);
		text_add(out, " times");
		if (c->every_ms > 0 && c->complete && c->known > c->visited) {
			text_add(out, "</dd><dd>");
			html_count(out, c->known - c->visited);
			text_add(out, " rested, not visited");
		}
	}
	tile_of_before(out, r);
	if (connect->count > 0) {
		tile(out, "Connect within");
		format_duration(connect->median_ms, text);
		text_add(out, text);
		format_duration(connect->p90_ms, text);
		text_printf(out, "</dd><dd>90%% in %s", text);
	}
	if (tables->total > 0 && tables->count > 0) {
		tile(out, "Tables listed");
		html_count(out, tables->total);
		text_add(out, "</dd><dd>");
		percent(out, tables->rows[0].count, tables->total);
		text_add(out, " ");
		html_text(out, tables->rows[0].label);
	}
	if (r->has_tip) {
		tile(out, "Height");
		html_count(out, (uint64_t)r->tip);
		text_add(out, "</dd><dd>in the median");
	}
	if (of == NULL && c->ended_at_ms > 0) {
		tile(out, "Received");
		bytes_text(out, c->bytes_in);
		text_add(out, "</dd><dd>");
		bytes_text(out, c->bytes_out);
		text_add(out, " sent");
	}
	text_add(out, "</dd></div>\n</dl>\n");
}

static void head(struct text *out, const struct report *r, const char *of)
{
	const struct store_crawl *c = &r->crawl;
	char text[32];

	text_add(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
		      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		      "style-src '");
	text_add(out, html_style_hash);
	text_add(out, "'; base-uri 'none'; form-action 'none'\"/>\n"
		      "<meta name=\"referrer\" content=\"no-referrer\"/>\n"
		      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
		      "<title>");
	html_text(out, c->network);
	text_printf(out, ", crawl %" PRId64 "</title>\n<style>", c->id);
	text_add(out, html_style);
	text_add(out, "</style></head>\n<body><header><h1><bdi>");
	html_text(out, c->network);
	text_add(out, "</bdi>");
	if (of != NULL) {
		text_add(out, ": <bdi>");
		html_text(out, of);
		text_add(out, "</bdi>");
	}
	text_printf(out, "</h1>\n<p>Crawl %" PRId64 ", begun ", c->id);
	html_time(out, c->started_at_ms);
	if (c->ended_at_ms > 0) {
		format_duration((uint64_t)(c->ended_at_ms - c->started_at_ms), text);
		text_printf(out, ", took %s%s", text,
			    c->complete ? "; nobody was left to ask" : "; not complete");
	} else {
		text_add(out, ", not ended");
	}
	text_add(out, "</p></header>\n<main>\n");
}

enum err report_html(const struct report *r, const char *of, struct text *out)
{
	head(out, r, of);
	overview(out, r, of);
	html_past(out, r);
	html_trend(out, r);
	html_uptime(out, r);
	text_add(out, "<div class=\"tables\">\n");
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++)
		table_section(out, r, i);
	text_add(out, "</div>\n");
	html_times(out, r);
	html_past_table(out, r);
	text_add(out, "</main>\n<footer>Made by peerwalk " PEERWALK_VERSION
		      ". What peers say of themselves is shown as they say it; \\x and two digits "
		      "stand for a byte that can\u2019t be shown.</footer>\n</body></html>\n");
	return out->err;
}
