#include "cli/bar.h"
#include "cli/chain_text.h"
#include "cli/cli.h"
#include "cli/geo_arg.h"
#include "cli/output_file.h"
#include "cli/service_text.h"
#include "cli/store_arg.h"
#include "cli/terminal.h"

#include "base/text.h"
#include "report/html.h"
#include "report/report.h"
#include "report/report_book.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct report_args {
	struct store_arg store;
	struct geo_arg geo;
	const char *what, *html;
	uint64_t top;
};

#define AT(field) offsetof(struct report_args, field)

static const struct option_row options[] = {
	{ STORE_ARG_DB(AT(store)) },
	{ .name = "what",
	  .letter = 'w',
	  .type = OPTION_CHOICE,
	  .arg = "WHAT",
	  .help = "crawl, or book: how many addresses our own nodes know (node --db)",
	  .initial = "crawl",
	  .offset = AT(what),
	  .choices = "crawl book" },
	{ STORE_ARG_CRAWL(AT(store), "report on this crawl instead of the newest") },
	{ STORE_ARG_NETWORK(AT(store), "report on the newest crawl of this network") },
	{ STORE_ARG_FORK(AT(store), "only Ethereum nodes of this chain, by their fork ids") },
	{ GEO_ARG_MMDB(AT(geo)) },
	{ GEO_ARG_ASMAP(AT(geo)) },
	{ .name = "html",
	  .type = OPTION_TEXT,
	  .arg = "FILE",
	  .help = "write it as a page to FILE, which needs neither a network nor scripts",
	  .offset = AT(html) },
	{ .name = "top",
	  .letter = 'n',
	  .type = OPTION_UINT,
	  .arg = "N",
	  .help = "rows for each table; the rest is one row called others; 0 shows all",
	  .initial = "10",
	  .offset = AT(top),
	  .max = 1000 * 1000 },
	{ 0 },
};

enum {
	BAR_WIDTH = 24,
	/* Columns of a row beside its label: indent, count, share, bar, gaps. */
	ROW_EXTRA = 2 + 2 + 9 + 2 + 6 + 2 + BAR_WIDTH,
	LABEL_WIDTH_MIN = 24,
	LABEL_WIDTH_MAX = 60,
};

struct layout {
	size_t label; /* columns */
	bool unicode;
};

/* A label cut or filled up to the layout's width, so that all tables stand alike. */
static void label_cell(struct table *t, const struct layout *layout, const char *label)
{
	size_t width = terminal_text_width(label);

	if (width > layout->label) {
		table_cell(t, "  %.*s..", (int)terminal_text_fit(label, layout->label - 2), label);
		return;
	}
	table_cell(t, "  %s%*s", label, (int)(layout->label - width), "");
}

static void row_cells(struct table *t, const struct layout *layout, const char *label,
		      uint64_t count, uint64_t total)
{
	double share = total > 0 ? (double)count / (double)total : 0;
	char text[32], bar[3 * BAR_MAX + 1];

	format_count(count, text);
	bar_text(share, BAR_WIDTH, layout->unicode, bar);
	label_cell(t, layout, label);
	table_cell(t, "%s", text);
	table_cell(t, "%.1f%%", 100 * share);
	table_cell(t, "%s", bar);
}

static void print_table(const struct report *r, enum report_table_id id,
			const struct layout *layout)
{
	const struct report_table *t = &r->tables[id];
	char title[64], count[32];
	const char *headers[] = { title, ">PEERS", ">SHARE", "" };
	bool of_places = id == REPORT_COUNTRIES || id == REPORT_ASNS;
	struct table *out;

	if (t->total == 0)
		return;
	if (id == REPORT_HEIGHTS && r->has_tip) {
		format_count((uint64_t)r->tip, count);
		snprintf(title, sizeof(title), "HEIGHT (the median is %s)", count);
	} else {
		size_t i = 0;

		for (; t->title[i] != 0 && i + 1 < sizeof(title); i++)
			title[i] = (char)(t->title[i] >= 'a' && t->title[i] <= 'z'
						  ? t->title[i] - 'a' + 'A'
						  : t->title[i]);
		title[i] = 0;
	}
	if (of_places && t->total < r->reached) {
		format_count(r->reached - t->total, count);
		snprintf(title + strlen(title), sizeof(title) - strlen(title), " (%s not known)",
			 count);
	}
	putchar('\n');
	out = table_new(headers, 4);
	for (size_t i = 0; i < t->count; i++)
		row_cells(out, layout, t->rows[i].label, t->rows[i].count, t->total);
	if (t->others > 0) {
		char label[64];

		format_count(t->distinct - t->count, count);
		snprintf(label, sizeof(label), "%s others", count);
		row_cells(out, layout, label, t->others, t->total);
	}
	table_print(out);
}

static void print_times(const struct report *r, const struct layout *layout)
{
	static const char *const headers[] = { "TIME UNTIL", ">PEERS", ">MEDIAN", ">90 %" };
	struct table *out = table_new(headers, 4);
	char count[32], median[32], p90[32];

	putchar('\n');
	for (unsigned i = 0; i < REPORT_TIMES; i++) {
		const struct report_times *t = &r->times[i];

		format_count(t->count, count);
		format_duration(t->median_ms, median);
		format_duration(t->p90_ms, p90);
		label_cell(out, layout, t->title);
		table_cell(out, "%s", count);
		table_cell(out, "%s", t->count > 0 ? median : "-");
		table_cell(out, "%s", t->count > 0 ? p90 : "-");
	}
	table_print(out);
}

static void print_head(const struct report *r, const char *fork)
{
	const struct store_crawl *c = &r->crawl;
	char when[32], took[32], known[32], rested[32], visited[32], reached[32];

	format_time(c->started_at_ms, false, when);
	printf("Crawl %lld of %s, begun %s", (long long)c->id, c->network, when);
	if (c->ended_at_ms > 0) {
		format_duration((uint64_t)(c->ended_at_ms - c->started_at_ms), took);
		printf(", took %s%s\n", took, c->complete ? "" : "; not complete");
	} else {
		printf(", not ended\n");
	}
	format_count(c->known, known);
	format_count(r->visited, visited);
	format_count(r->reached, reached);
	if (fork != NULL)
		printf("of %s: ", fork);
	else if (c->known > 0)
		printf("%s known, ", known);
	if (fork == NULL && c->every_ms > 0 && c->complete && c->known > c->visited) {
		format_count(c->known - c->visited, rested);
		printf("%s of them rested, ", rested);
	}
	printf("%s visited, %s reached (%.1f%%)\n", visited, reached,
	       r->visited > 0 ? 100 * (double)r->reached / (double)r->visited : 0);
}

/* Who came and who went, if that was kept, or looked for. */
static void print_before(const struct report *r)
{
	char came[32], went[32];

	if (r->before_id == 0)
		return;
	format_count(r->came, came);
	format_count(r->went, went);
	printf("since crawl %lld: %s came, %s went\n", (long long)r->before_id, came, went);
}

static void print_uptime(const struct report *r, const struct layout *layout)
{
	static const char *const headers[] = { "UPTIME", ">A DAY", ">7 DAYS", ">30 DAYS" };
	struct table *out;
	char count[32];

	if (!r->has_uptime || r->uptime[0].count == 0)
		return;
	putchar('\n');
	out = table_new(headers, 4);
	for (unsigned bin = REPORT_UPTIME_BINS; bin-- > 0;) {
		char label[32];

		snprintf(label, sizeof(label), "%s%u to %u%%", bin > 0 ? "over " : "", 10 * bin,
			 10 * (bin + 1));
		label_cell(out, layout, label);
		for (unsigned i = 0; i < REPORT_UPTIMES; i++) {
			format_count(r->uptime[i].bins[bin], count);
			table_cell(out, "%s", count);
		}
	}
	table_print(out);
}

/* How complete the crawl is, by its own account: what was to be had from the nodes' tables. */
static void print_completeness(const struct report *r)
{
	const struct report_table *t = &r->tables[REPORT_COMPLETENESS];
	const struct report_counts *entries = &r->counts[REPORT_ENTRIES];
	const struct report_counts *findnodes = &r->counts[REPORT_FINDNODES];
	char count[32];

	if (t->total == 0)
		return;
	printf("tables ");
	for (size_t i = 0; i < t->count; i++) {
		format_count(t->rows[i].count, count);
		printf("%s %s ", i > 0 ? "," : "", count);
		for (const char *c = t->rows[i].label; *c != 0; c++)
			putchar(*c == '_' ? ' ' : *c);
		if (i == 0)
			printf(" (%.1f%%)", 100 * (double)t->rows[i].count / (double)t->total);
	}
	putchar('\n');
	if (entries->count > 0)
		printf("in the median %u entries by %u questions, 90%% of the tables by %u or "
		       "less\n",
		       entries->median, findnodes->median, findnodes->p90);
}

/* Service by service says more than each set of them, and client by client more than their
 * full names, unless asked for. */
static bool is_shown(const struct report *r, enum report_table_id id, bool verbose)
{
	if (id == REPORT_COMPLETENESS)
		return false; /* it has its line */
	return verbose || (id != REPORT_SERVICES && (id != REPORT_AGENTS || !r->has_nodes));
}

static void print_report(const struct report *r, const char *fork, bool verbose)
{
	static const enum report_table_id order[] = {
		REPORT_OUTCOMES,        REPORT_KINDS,        REPORT_AGENTS,   REPORT_PROTOCOLS,
		REPORT_SERVICE_BITS,    REPORT_SERVICES,     REPORT_PORTS,    REPORT_HEIGHTS,
		REPORT_COUNTRIES,       REPORT_ASNS,         REPORT_SESSIONS, REPORT_CLIENTS,
		REPORT_CLIENT_VERSIONS, REPORT_CAPABILITIES, REPORT_NETWORKS, REPORT_FORKS,
	};
	struct layout layout = { .label = LABEL_WIDTH_MIN, .unicode = bar_can_unicode() };
	size_t width = terminal_width(STDOUT_FILENO), most;

	most = width > ROW_EXTRA + LABEL_WIDTH_MIN ? width - ROW_EXTRA : LABEL_WIDTH_MIN;
	most = most < LABEL_WIDTH_MAX ? most : LABEL_WIDTH_MAX;
	for (unsigned i = 0; i < REPORT_TABLES; i++) {
		for (size_t row = 0; is_shown(r, i, verbose) && row < r->tables[i].count; row++) {
			size_t w = terminal_text_width(r->tables[i].rows[row].label);

			layout.label = w > layout.label ? w : layout.label;
		}
	}
	layout.label = layout.label < most ? layout.label : most;
	print_head(r, fork);
	print_before(r);
	print_completeness(r);
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
		if (is_shown(r, order[i], verbose))
			print_table(r, order[i], &layout);
	}
	print_times(r, &layout);
	print_uptime(r, &layout);
}

static int print_json(const struct report *r)
{
	json_t *doc = report_json(r);

	if (doc == NULL) {
		cli_error("out of memory: end other programs, or ask for less with --top");
		return EXIT_FAILED;
	}
	json_dumpf(doc, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(doc);
	return EXIT_DONE;
}

static int write_html(const struct cli *cli, const struct report *r, const struct report_args *o)
{
	struct text page = { 0 };
	enum err err = report_html(r, o->store.fork, &page);
	struct output_file file;
	bool written;

	if (err != ERR_OK) {
		cli_error("out of memory: end other programs, or ask for less with --top");
		text_clear(&page);
		return EXIT_FAILED;
	}
	written = output_file_open(&file, o->html, "--html");
	if (written && fwrite(page.data, 1, page.len, file.file) != page.len) {
		cli_error("cannot write to %s: %s; make room, or name another file with --html",
			  o->html, strerror(errno));
		written = false;
	}
	written = output_file_close(&file, written) && written;
	if (written && !output_file_is_stdout(o->html))
		cli_note(cli, "the page is in %s: open it with a browser", o->html);
	text_clear(&page);
	return written ? EXIT_DONE : EXIT_FAILED;
}

/* --- books --- */

static void print_books(const json_t *books)
{
	static const char *const headers[] = { "BOOK",     ">KNOWN",       ">REACHED", ">IN A DAY",
					       ">FAILING", "LAST REACHED", "KINDS" };
	static const char *const numbers[] = { "known", "reached", "day", "failing" };
	struct table *t = table_new(headers, sizeof(headers) / sizeof(*headers));
	size_t i;
	json_t *book;

	json_array_foreach(books, i, book)
	{
		json_int_t last = json_integer_value(json_object_get(book, "last_reached"));
		char text[128] = "", when[32];
		size_t len = 0;
		const char *kind;
		json_t *count;

		table_cell(t, "%s", json_string_value(json_object_get(book, "book")));
		for (unsigned n = 0; n < sizeof(numbers) / sizeof(*numbers); n++) {
			format_count(
				(uint64_t)json_integer_value(json_object_get(book, numbers[n])),
				text);
			table_cell(t, "%s", text);
		}
		format_time(last * 1000, false, when);
		table_cell(t, "%s", last > 0 ? when : "never");
		json_object_foreach(json_object_get(book, "kinds"), kind, count) len +=
			(size_t)snprintf(text + len, sizeof(text) - len, "%s%s %lld",
					 len > 0 ? ", " : "", kind,
					 (long long)json_integer_value(count));
		table_cell(t, "%s", text);
	}
	table_print(t);
}

static int report_on_books(const struct cli *cli, const struct report_args *o)
{
	struct store *store;
	json_t *books;
	enum err err;

	if (o->store.crawl != 0 || o->store.fork != NULL)
		return cli_usage(cli, "--crawl and --fork are of crawls, not for --what book");
	store = store_arg_open(&o->store);
	if (store == NULL)
		return EXIT_FAILED;
	err = report_books(store, o->store.network, time(NULL), &books);
	if (err != ERR_OK) {
		cli_error("%s", err == ERR_NOMEM ? "out of memory: end other programs"
						 : store_why(store));
	} else if (cli->json) {
		json_dumpf(books, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (json_array_size(books) == 0) {
		cli_note(cli, "there is no address in any book yet: peerwalk node --db keeps one");
	} else {
		print_books(books);
	}
	json_decref(books);
	store_close(store);
	return err == ERR_OK ? EXIT_DONE : EXIT_FAILED;
}

static int show(const struct cli *cli, const struct report *r, const struct report_args *o)
{
	/* A report that was kept has outcomes. */
	if (r->crawl.pruned && (o->store.fork != NULL || r->tables[REPORT_OUTCOMES].total == 0))
		cli_note(cli,
			 "the visits of crawl %lld are gone (crawl --keep), and no report that "
			 "answers this was kept",
			 (long long)r->crawl.id);
	if (o->html != NULL)
		return write_html(cli, r, o);
	if (cli->json)
		return print_json(r);
	print_report(r, o->store.fork, cli->verbose > 0);
	return EXIT_DONE;
}

static int run(struct cli *cli, void *values, char **args, unsigned args_count)
{
	const struct report_args *o = values;
	struct report_options ask = { .crawl_id = (int64_t)o->store.crawl,
				      .network = o->store.network,
				      .top = (size_t)o->top,
				      .history = cli->json || o->html != NULL,
				      .key = store_arg_hash_key(),
				      .service_name = service_text,
				      .fork_text = chain_text_fork,
				      .network_text = chain_text_network };
	struct report report = { 0 };
	struct store_forks forks;
	int status = store_arg_forks(cli, &o->store, &forks);
	struct geo *geo = NULL;
	struct store *store;
	enum err err;

	(void)args;
	(void)args_count;
	if (o->html != NULL && (cli->json || strcmp(o->what, "book") == 0))
		return cli_usage(cli, "--html is of crawls, and instead of --json");
	if (status == EXIT_DONE && strcmp(o->what, "book") == 0)
		return report_on_books(cli, o);
	if (status == EXIT_DONE)
		status = geo_arg_open(cli, &o->geo, &geo);
	if (status != EXIT_DONE)
		return status;
	ask.geo = geo;
	ask.forks = (const uint8_t(*)[4])forks.hashes;
	ask.forks_count = forks.count;
	status = EXIT_FAILED;
	store = store_arg_open(&o->store);
	if (store == NULL) {
		geo_close(geo);
		return EXIT_FAILED;
	}
	err = report_gather(store, &ask, &report);
	if (err == ERR_NOMEM)
		cli_error("out of memory: end other programs");
	else if (err != ERR_OK)
		cli_error("%s", store_why(store));
	else
		status = show(cli, &report, o);
	report_clear(&report);
	store_close(store);
	geo_close(geo);
	return status;
}

const struct command command_report = {
	.name = "report",
	.summary = "shows what a crawl found",
	.usage = "[options]",
	.about =
		"Reads a crawl from the database, the newest one unless told otherwise, and "
		"shows how its visits ended, and what the peers that were reached say of "
		"themselves: user agents, protocol versions, services, kinds of network, ports, "
		"heights; then how long they took to answer (the median, and the time that nine "
		"of ten kept).\n"
		"\n"
		"Of Ethereum it says how completely the nodes' tables were listed: \"drained\" is "
		"proven, \"partial\" is what could be had, \"timed out\" answered no question. "
		"Then "
		"how the TCP sessions ended (full: too many peers, so it lives), which clients and "
		"versions there are, what they offer, and which chains and forks they are on; "
		"--verbose adds the clients' full names.\n"
		"\n"
		"--what book tells of each book of our own nodes how many addresses it has, how "
		"many of them the node has reached by itself, and within a day, and how many did "
		"not answer any more; export --what book has them all.\n"
		"\n"
		"Heights are told by their distance from the median. --verbose adds a table of "
		"the sets of services. --json has the same numbers, and all tables.\n"
		"\n"
		"--mmdb and --asmap add where the reached peers are: countries, and the autonomous "
		"systems that announce their addresses. peerwalk brings no such database; "
		"docs/places.md says whose there are.\n"
		"\n"
		"The report of a crawl is kept at its end, and shown from there, also when its "
		"visits are gone (crawl --keep). That of a crawl that goes on, and of one chain "
		"(--fork), is counted when it is asked for.\n"
		"\n"
		"--html writes all of them as a page, for people to look at, to print and to send: "
		"one file, which asks nobody for anything. Where the database has several crawls "
		"of the network, it also shows how many were reached in each, who came and who "
		"went, and how the most frequent user agents did; and of peers that are watched "
		"(crawl --every) how much of the time they are up.\n",
	.examples = "peerwalk report\n"
		    "    the newest crawl in peerwalk.db\n"
		    "peerwalk report --crawl 3 --top 20\n"
		    "    crawl 3, with longer tables\n"
		    "peerwalk report --network bitcoin-signet --json\n"
		    "    the newest crawl of signet, for programs\n"
		    "peerwalk report --mmdb country.mmdb --mmdb asn.mmdb\n"
		    "    with countries and autonomous systems\n"
		    "peerwalk report --html report.html\n"
		    "    the same as a page, with what has changed since the crawls before\n"
		    "peerwalk report --network ethereum --fork mainnet\n"
		    "    mainnet's nodes of the newest crawl of Ethereum\n",
	.options = options,
	.options_size = sizeof(struct report_args),
	.run = run,
};
