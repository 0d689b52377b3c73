#include "cli/summary.h"

#include "base/text.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

/* A line of the upper part: a label, and what belongs to it. */
static void line(const char *label, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void line(const char *label, const char *format, ...)
{
	va_list args;

	printf("  %-10s", label);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

static void print_counts(const struct summary *s)
{
	const struct crawl_stats *st = &s->stats;
	char a[32], b[32], c[32];

	format_count(st->known, a);
	format_count(st->no_dial, b);
	if (st->no_dial > 0)
		line("known", "%s addresses, %s of them of networks that can't be dialled", a, b);
	else
		line("known", "%s addresses", a);
	format_count(st->visited, a);
	format_count(st->waiting, b);
	if (st->waiting > 0)
		line("visited", "%s; %s were left", a, b);
	else
		line("visited", "%s", a);
	if (s->visited_before > 0) {
		format_count(s->visited_before, a);
		line("", "%s of them in earlier runs; named, time, traffic and CPU are of this one",
		     a);
	}
	format_count(st->reached, a);
	line("reached", "%s (%.1f%% of the visited)", a, percent(st->reached, st->visited));
	format_count(st->adverts, a);
	format_count(st->not_routable, b);
	format_count(st->excluded + st->cut, c);
	line("named", "%s times; %s not routable, %s excluded or over a cap", a, b, c);
}

static void print_nodes(const struct driver_nodes *n)
{
	char drained[32], partial[32], out[32], told[32], full[32], sessions[32];
	uint64_t tables = n->drained + n->partial + n->timed_out;

	format_count(n->drained, drained);
	format_count(n->partial, partial);
	format_count(n->timed_out, out);
	line("tables", "%s drained (%.1f%%), %s partial, %s timed out", drained,
	     percent(n->drained, tables), partial, out);
	format_count(n->sessions, sessions);
	format_count(n->sessions_told, told);
	format_count(n->sessions_full, full);
	if (n->sessions > 0)
		line("sessions", "%s, of which %s said who they are, and %s that they are full",
		     sessions, told, full);
}

static void print_costs(const struct summary *s)
{
	double seconds = (double)s->elapsed_ms / 1000.0;
	double visited = (double)(s->stats.visited - s->visited_before);
	char a[32], b[32];

	format_duration(s->elapsed_ms, a);
	line("time", "%s, %.1f visits a second", a, seconds > 0 ? visited / seconds : 0.0);
	format_duration(s->connect_timeout_ms, a);
	format_duration(s->answer_timeout_ms, b);
	if (s->nodes != NULL)
		line("waiting", "%s for a PONG, in the end", a);
	else
		line("waiting", "%s for a connection, %s for an answer, in the end", a, b);
	format_bytes(s->bytes_in, a);
	format_bytes(s->bytes_out, b);
	line("traffic", "%s in, %s out", a, b);
	line("CPU", "%.2f s, %.2f ms a visit", s->cpu_seconds,
	     visited > 0 ? 1e3 * s->cpu_seconds / visited : 0.0);
	format_bytes(s->max_rss_bytes, a);
	line("memory", "%s at most", a);
}

static void print_outcomes(const struct summary *s)
{
	static const char *const headers[] = { "  OUTCOME", ">PEERS", ">SHARE", "" };
	struct table *t = table_new(headers, 4);
	char count[32];

	for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
		if (s->stats.outcomes[i] == 0)
			continue;
		format_count(s->stats.outcomes[i], count);
		table_cell(t, "  %s", outcome_name((enum outcome)i));
		table_cell(t, "%s", count);
		table_cell(t, "%.1f%%", percent(s->stats.outcomes[i], s->stats.visited));
		table_cell(t, "%s", outcome_text((enum outcome)i));
	}
	table_print(t);
}

static void print_text(const struct summary *s)
{
	char started[32];

	format_time(s->started_at_ms, false, started);
	if (s->db != NULL)
		printf("Crawl %lld of %s, begun at %s, kept in %s", (long long)s->crawl, s->network,
		       started, s->db);
	else
		printf("Crawl of %s, begun at %s", s->network, started);
	puts(s->complete ? "" : " (not complete)");
	putchar('\n');
	print_counts(s);
	if (s->nodes != NULL)
		print_nodes(s->nodes);
	print_costs(s);
	if (s->stats.visited > 0) {
		putchar('\n');
		print_outcomes(s);
	}
}

static json_t *outcomes_json(const struct crawl_stats *st)
{
	json_t *outcomes = json_object();

	for (unsigned i = 0; i < OUTCOME_COUNT; i++)
		json_object_set_new(outcomes, outcome_name((enum outcome)i),
				    json_integer((json_int_t)st->outcomes[i]));
	return outcomes;
}

static void add_nodes(json_t *doc, const struct driver_nodes *n)
{
	json_object_set_new(doc, "tables",
			    json_pack("{s:I, s:I, s:I}", "drained", (json_int_t)n->drained,
				      "partial", (json_int_t)n->partial, "timed_out",
				      (json_int_t)n->timed_out));
	json_object_set_new(doc, "sessions",
			    json_pack("{s:I, s:I, s:I}", "begun", (json_int_t)n->sessions, "told",
				      (json_int_t)n->sessions_told, "full",
				      (json_int_t)n->sessions_full));
	json_object_set_new(doc, "datagrams_in", json_integer((json_int_t)n->datagrams_in));
	json_object_set_new(doc, "datagrams_out", json_integer((json_int_t)n->datagrams_out));
}

static void add_waits(json_t *doc, const struct summary *s)
{
	json_object_set_new(doc, "connect_timeout_ms",
			    json_integer((json_int_t)s->connect_timeout_ms));
	if (s->nodes == NULL)
		json_object_set_new(doc, "answer_timeout_ms",
				    json_integer((json_int_t)s->answer_timeout_ms));
}

json_t *summary_json(const struct summary *s)
{
	char started[32];
	json_t *doc;

	format_time(s->started_at_ms, false, started);
	doc = json_pack(
		"{s:s, s:I, s:s, s:f, s:f, s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:f, s:I, s:b}",
		"network", s->network, "crawl", (json_int_t)s->crawl, "started_at", started,
		"seconds", (double)s->elapsed_ms / 1000.0, "visit_seconds",
		(double)s->visits_ms / 1000.0, "known", (json_int_t)s->stats.known, "visited",
		(json_int_t)s->stats.visited, "reached", (json_int_t)s->stats.reached, "outcomes",
		outcomes_json(&s->stats), "adverts", (json_int_t)s->stats.adverts, "bytes_in",
		(json_int_t)s->bytes_in, "bytes_out", (json_int_t)s->bytes_out, "cpu_seconds",
		s->cpu_seconds, "max_rss_bytes", (json_int_t)s->max_rss_bytes, "complete",
		(int)s->complete);
	if (doc != NULL)
		add_waits(doc, s);
	if (doc != NULL && s->nodes != NULL)
		add_nodes(doc, s->nodes);
	return doc;
}

static int print_json(const struct summary *s)
{
	json_t *doc = summary_json(s);

	if (doc == NULL) {
		cli_error("out of memory: the crawl is kept in the database all the same");
		return EXIT_FAILED;
	}
	json_dumpf(doc, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(doc);
	return EXIT_DONE;
}

int summary_print(const struct cli *cli, const struct summary *s)
{
	if (cli->json)
		return print_json(s);
	print_text(s);
	return EXIT_DONE;
}
