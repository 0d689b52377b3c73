#include "cli/progress.h"

#include "base/text.h"
#include "cli/alloc.h"
#include "cli/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum progress_mode {
	PROGRESS_NONE,
	PROGRESS_LINES,
	PROGRESS_BLOCK,
};

enum {
	BAR_MIN = 10,
	BAR_MAX = 40,
	LINES_MAX = 5,
	LINE_BYTES = 1024,
	RATE_WINDOW_MS = 10000, /* the rate shown is that of about the last ten seconds */
	ETA_AFTER_MS = 3000,    /* before that it is mere guessing */
};

struct progress {
	const struct cli *cli;
	enum progress_mode mode;
	const char *network;
	bool colour, utf8;
	unsigned lines;       /* on the screen now */
	bool drawn;           /* at least once, plain lines included */
	uint64_t drawn_at_ms; /* elapsed time of the newest drawing */
	/* A sliding average of visits a second. */
	uint64_t rate_at_ms, rate_visited;
	double rate;
	bool has_rate;
};

/* One line in the making: cut at the right edge, colours taking no room. */
struct line {
	char text[LINE_BYTES];
	size_t len, columns, width;
	bool colour;
};

struct progress *progress_new(const struct cli *cli, const char *network)
{
	struct progress *p = alloc_zeroed(1, sizeof(*p));

	p->cli = cli;
	p->network = network;
	p->colour = cli->colour_err;
	p->utf8 = terminal_is_utf8();
	if (cli->quiet)
		p->mode = PROGRESS_NONE;
	else if (cli->err_is_terminal && terminal_can_draw(STDERR_FILENO))
		p->mode = PROGRESS_BLOCK;
	else if (log_wants(cli->log, LOG_DEBUG))
		p->mode = PROGRESS_LINES;
	return p;
}

static void measure(struct progress *p, const struct progress_sample *s)
{
	uint64_t ms = s->elapsed_ms - p->rate_at_ms;
	double now, weight;

	if (s->elapsed_ms <= p->rate_at_ms || (p->has_rate && ms < PROGRESS_DRAW_MS))
		return;
	now = 1000.0 * (double)(s->stats.visited - p->rate_visited) / (double)ms;
	weight = (double)ms / RATE_WINDOW_MS;
	if (weight > 1 || !p->has_rate)
		weight = 1;
	/* At the start the window is as long as the crawl. */
	if (s->elapsed_ms < RATE_WINDOW_MS && p->has_rate)
		weight = (double)ms / (double)s->elapsed_ms;
	p->rate += weight * (now - p->rate);
	p->has_rate = true;
	p->rate_at_ms = s->elapsed_ms;
	p->rate_visited = s->stats.visited;
}

/* What is left at the present rate; more may become known, so it is a lower bound. */
static bool time_left(const struct progress *p, const struct progress_sample *s, uint64_t *ms)
{
	uint64_t left = s->stats.waiting + s->stats.in_flight;

	if (s->elapsed_ms < ETA_AFTER_MS || p->rate < 0.1 || s->stopping)
		return false;
	*ms = (uint64_t)(1000.0 * (double)left / p->rate);
	return true;
}

/* Adds text if all of it fits; false if not. */
static bool put(struct line *l, const char *colour, const char *text)
{
	size_t columns = terminal_text_width(text);
	int n;

	if (l->columns + columns > l->width || l->len + strlen(text) + 16 > LINE_BYTES)
		return false;
	if (colour != NULL && l->colour)
		n = snprintf(l->text + l->len, LINE_BYTES - l->len, "\033[%sm%s\033[0m", colour,
			     text);
	else
		n = snprintf(l->text + l->len, LINE_BYTES - l->len, "%s", text);
	l->len += (size_t)n;
	l->columns += columns;
	return true;
}

/* "123 label", after a gap unless it is the first of the line. */
static bool put_count(struct line *l, uint64_t n, const char *label, const char *colour)
{
	char text[128], count[32];
	size_t gap = l->columns > 2 ? 3 : 0;

	format_count(n, count);
	snprintf(text, sizeof(text), "%*s%s %s", (int)gap, "", count, label);
	return put(l, colour, text);
}

static void bar_line(struct line *l, const struct progress *p, const struct progress_sample *s)
{
	const struct crawl_stats *st = &s->stats;
	uint64_t dialable = st->known > st->no_dial ? st->known - st->no_dial : 0;
	double share = dialable > 0 ? (double)st->visited / (double)dialable : 0;
	char text[96], visited[32], known[32], bar[3 * BAR_MAX + 1] = "";
	size_t room = l->width / 3, cells, full;

	cells = room < BAR_MIN ? BAR_MIN : room > BAR_MAX ? BAR_MAX : room;
	share = share > 1 ? 1 : share;
	full = (size_t)(share * (double)cells);
	put(l, "1", p->network);
	put(l, NULL, "  ");
	for (size_t i = 0; i < full; i++)
		strcat(bar, p->utf8 ? "\u2501" : "#");
	put(l, s->stopping ? "33" : "32", bar);
	bar[0] = '\0';
	for (size_t i = full; i < cells; i++)
		strcat(bar, p->utf8 ? "\u2500" : "-");
	put(l, "2", bar);
	/* Down, not to the nearest: 100% means all. */
	snprintf(text, sizeof(text), " %3u%%", (unsigned)(share * 100));
	put(l, NULL, text);
	format_count(st->visited, visited);
	format_count(dialable, known);
	snprintf(text, sizeof(text), "  %s of %s visited", visited, known);
	put(l, NULL, text);
}

static void work_line(struct line *l, const struct progress *p, const struct progress_sample *s)
{
	char text[96], time[32];
	uint64_t left_ms;

	put(l, NULL, "  ");
	put_count(l, s->stats.reached, "found", "32");
	put_count(l, s->stats.in_flight, "in flight", NULL);
	put_count(l, s->stats.waiting, "waiting", NULL);
	snprintf(text, sizeof(text), "   %.0f/s", p->rate);
	put(l, NULL, text);
	format_duration(s->elapsed_ms / 1000 * 1000, time);
	snprintf(text, sizeof(text), "   %s", time);
	put(l, NULL, text);
	if (s->stopping) {
		put(l, "33", "   stopping");
	} else if (time_left(p, s, &left_ms)) {
		format_duration((left_ms + 999) / 1000 * 1000, time);
		snprintf(text, sizeof(text), ", %s to go", time);
		put(l, NULL, text);
	}
}

/* The outcomes so far, the frequent ones first, as many as fit into two lines. */
static unsigned outcome_lines(struct line *lines, unsigned count, const struct crawl_stats *st)
{
	bool shown[OUTCOME_COUNT] = { false };
	unsigned used = 0;

	for (unsigned n = 0; n < OUTCOME_COUNT; n++) {
		unsigned best = OUTCOME_COUNT;

		for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
			if (!shown[i] && st->outcomes[i] > 0 &&
			    (best == OUTCOME_COUNT || st->outcomes[i] > st->outcomes[best]))
				best = i;
		}
		if (best == OUTCOME_COUNT)
			break;
		shown[best] = true;
		if (used == 0) {
			put(&lines[0], NULL, "  ");
			used = 1;
		}
		if (put_count(&lines[used - 1], st->outcomes[best], outcome_name(best), "2"))
			continue;
		if (used == count)
			break;
		put(&lines[used++], NULL, "  ");
		if (!put_count(&lines[used - 1], st->outcomes[best], outcome_name(best), "2"))
			break;
	}
	return used;
}

static void draw_block(struct progress *p, const struct progress_sample *s)
{
	struct line lines[LINES_MAX] = { 0 };
	unsigned count;

	for (unsigned i = 0; i < LINES_MAX; i++) {
		/* The last column stays free: writing to it makes some terminals wrap. */
		lines[i].width = terminal_width(STDERR_FILENO) - 1;
		lines[i].colour = p->colour;
	}
	bar_line(&lines[0], p, s);
	work_line(&lines[1], p, s);
	count = 2 + outcome_lines(&lines[2], 2, &s->stats);
	progress_hide(p);
	for (unsigned i = 0; i < count; i++)
		fprintf(stderr, "%s\n", lines[i].text);
	fflush(stderr);
	p->lines = count;
}

static void print_line(const struct progress *p, const struct progress_sample *s)
{
	char visited[32], known[32], reached[32], time[32];

	format_count(s->stats.visited, visited);
	format_count(s->stats.known, known);
	format_count(s->stats.reached, reached);
	format_duration(s->elapsed_ms / 1000 * 1000, time);
	cli_debug(p->cli, "%s: %s: %s known, %s visited, %s found, %u in flight, %.0f/s%s",
		  p->network, time, known, visited, reached, s->stats.in_flight, p->rate,
		  s->stopping ? ", stopping" : "");
}

void progress_update(struct progress *p, const struct progress_sample *s)
{
	uint64_t every_ms = p->mode == PROGRESS_BLOCK ? PROGRESS_DRAW_MS : PROGRESS_LINE_MS;

	measure(p, s);
	switch (p->mode) {
	case PROGRESS_NONE:
		return;
	case PROGRESS_BLOCK:
		if (p->drawn && s->elapsed_ms < p->drawn_at_ms + every_ms)
			return;
		draw_block(p, s);
		break;
	case PROGRESS_LINES:
		if (s->elapsed_ms < p->drawn_at_ms + every_ms)
			return;
		print_line(p, s);
		break;
	}
	p->drawn = true;
	p->drawn_at_ms = s->elapsed_ms;
}

void progress_hide(struct progress *p)
{
	if (p == NULL || p->lines == 0)
		return;
	/* Up to the first line of the block, and clear from there: with it goes the ^C
	 * that the terminal may have echoed below. A terminal made narrower meanwhile may
	 * have wrapped the lines, or not: better to leave a line of ours behind than to
	 * clear what was there before. */
	fprintf(stderr, "\r\033[%uA\033[J", p->lines);
	fflush(stderr);
	p->lines = 0;
}

void progress_end(struct progress *p)
{
	progress_hide(p);
	free(p);
}
