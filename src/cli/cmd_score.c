#include "cli/cli.h"
#include "cli/store_arg.h"

#include "base/text.h"
#include "report/score.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct score_args {
	struct store_arg store;
	const char *truth;
	double min_recall;
};

#define AT(field) offsetof(struct score_args, field)

static const struct option_row options[] = {
	{ STORE_ARG_DB(AT(store)) },
	{ .name = "truth",
	  .letter = 't',
	  .type = OPTION_TEXT,
	  .arg = "FILE",
	  .help = "the truth, as simulate --truth has written it",
	  .offset = AT(truth) },
	{ STORE_ARG_CRAWL(AT(store), "score this crawl instead of the newest") },
	{ STORE_ARG_NETWORK(AT(store), "score the newest crawl of this network") },
	{ .name = "min-recall",
	  .type = OPTION_FRACTION,
	  .arg = "F",
	  .help = "fail (exit status 1) if a smaller share of the reachable peers was found",
	  .offset = AT(min_recall) },
	{ 0 },
};

enum {
	MISSING_SHOWN = 20,     /* without --verbose */
	MISSING_TEXT_MAX = 512, /* an enode URL and some */
};

static bool read_file(const char *path, struct text *out)
{
	static const size_t piece = 1 << 16;
	FILE *in = fopen(path, "r");
	char *buffer = malloc(piece);
	bool ok = false;
	size_t n;

	if (in == NULL || buffer == NULL)
		goto out;
	while ((n = fread(buffer, 1, piece, in)) > 0)
		text_add_slice(out, slice_of(buffer, n));
	ok = !ferror(in) && out->err == ERR_OK;
out:
	if (!ok)
		cli_error("cannot read %s: %s", path,
			  out->err != ERR_OK ? err_text(out->err) : strerror(errno));
	if (in != NULL)
		fclose(in);
	free(buffer);
	return ok;
}

static void line(const char *label, uint64_t count, const char *what)
{
	char text[32];

	format_count(count, text);
	printf("  %-10s%9s  %s\n", label, text, what);
}

/* By the crawl's own account: the truth does not say what is in a table. */
static void print_tables(const struct score *s)
{
	char count[32], name[4 * SCORE_KIND_NAME_MAX];

	for (size_t i = 0; i < s->tables_count; i++) {
		format_count(s->tables[i].count, count);
		text_escape(slice_text(s->tables[i].name), name, sizeof(name));
		printf("  %-10s%9s  %s\n", i == 0 ? "tables" : "", count, name);
	}
}

static void print_sums(const struct score *s)
{
	char count[32], of[32];

	printf("Crawl %lld of %s against the truth\n", (long long)s->crawl.id, s->crawl.network);
	format_count(s->found, count);
	format_count(s->reachable, of);
	printf("  %-10s%8.2f%%  %s of %s reachable peers were reached\n", "recall",
	       100 * score_recall(s), count, of);
	format_count(s->reached_right, count);
	format_count(s->reached, of);
	printf("  %-10s%8.2f%%  %s of %s recorded as reached can be\n", "precision",
	       100 * score_precision(s), count, of);
	line("false ok", s->false_ok, "recorded as answering though they never do");
	line("agents", s->agents_differ, "told another user agent than the truth has");
	print_tables(s);
	if (s->strangers > 0)
		line("strangers", s->strangers, "visited that are not in the truth (invented)");
}

/* "ok 1,204, no_peers 3" */
static void outcomes_text(const struct score_kind *k, struct text *out)
{
	char count[32];

	text_add(out, "");
	for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
		if (k->outcomes[i] == 0)
			continue;
		format_count(k->outcomes[i], count);
		text_printf(out, "%s%s %s", out->len > 0 ? ", " : "", outcome_name((enum outcome)i),
			    count);
	}
	if (k->unvisited > 0) {
		format_count(k->unvisited, count);
		text_printf(out, "%sunvisited %s", out->len > 0 ? ", " : "", count);
	}
}

static void print_kinds(const struct score *s)
{
	static const char *const headers[] = { "  KIND", ">PEERS", ">REACHABLE", ">REACHED",
					       "OUTCOMES" };
	struct table *t = table_new(headers, 5);
	char name[4 * SCORE_KIND_NAME_MAX], count[32];

	putchar('\n');
	for (size_t i = 0; i < s->kinds_count; i++) {
		const struct score_kind *k = &s->kinds[i];
		struct text outcomes = { 0 };

		text_escape(slice_text(k->name), name, sizeof(name));
		outcomes_text(k, &outcomes);
		table_cell(t, "  %s", name);
		format_count(k->peers, count);
		table_cell(t, "%s", count);
		format_count(k->reachable, count);
		table_cell(t, "%s", count);
		format_count(k->reached, count);
		table_cell(t, "%s", count);
		table_cell(t, "%s", outcomes.err == ERR_OK ? outcomes.data : "?");
		text_clear(&outcomes);
	}
	table_print(t);
}

static void print_missing(const struct score *s, size_t most)
{
	uint64_t missing = s->reachable - s->found;
	const struct score_peer *p;
	size_t at = 0, shown = 0;
	char addr[MISSING_TEXT_MAX], kind[4 * SCORE_KIND_NAME_MAX];

	if (missing == 0)
		return;
	printf("\n  MISSING\n");
	while (shown < most && (p = score_missing(s, &at)) != NULL) {
		if (p->peer != NULL)
			text_escape(slice_text(p->peer), addr, sizeof(addr));
		else
			netaddr_text(&p->addr, addr);
		text_escape(slice_text(s->kinds[p->kind].name), kind, sizeof(kind));
		printf("  %s, %s: %s\n", addr, kind,
		       p->visited ? outcome_text(p->outcome) : "never visited");
		shown++;
	}
	if (missing > shown)
		printf("  and %llu more; --verbose lists them all\n",
		       (unsigned long long)(missing - shown));
}

static int print(const struct cli *cli, const struct score *s)
{
	size_t most = cli->verbose > 0 ? SIZE_MAX : MISSING_SHOWN;
	json_t *doc;

	if (!cli->json) {
		print_sums(s);
		print_kinds(s);
		print_missing(s, most);
		return EXIT_DONE;
	}
	doc = score_json(s, most);
	if (doc == NULL) {
		cli_error("out of memory: end other programs");
		return EXIT_FAILED;
	}
	json_dumpf(doc, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(doc);
	return EXIT_DONE;
}

static int judge(const struct cli *cli, const struct score_args *o, const struct score *s)
{
	int status = print(cli, s);

	if (status == EXIT_DONE && score_recall(s) < o->min_recall) {
		cli_error("the recall is %.4f, less than --min-recall %.4f: %llu reachable peers "
			  "were not reached",
			  score_recall(s), o->min_recall,
			  (unsigned long long)(s->reachable - s->found));
		status = EXIT_FAILED;
	}
	return status;
}

static int run(struct cli *cli, void *values, char **args, unsigned args_count)
{
	const struct score_args *o = values;
	struct score_options ask = { .crawl_id = (int64_t)o->store.crawl,
				     .network = o->store.network,
				     .key = store_arg_hash_key() };
	struct text truth = { 0 };
	struct score score = { 0 };
	struct store *store = NULL;
	int status = EXIT_FAILED;
	enum err err;

	(void)args;
	(void)args_count;
	if (o->truth == NULL)
		return cli_usage(cli, "--truth FILE is missing: the file that \"peerwalk simulate "
				      "--truth FILE\" has written");
	if (!read_file(o->truth, &truth))
		goto out;
	store = store_arg_open(&o->store);
	if (store == NULL)
		goto out;
	err = score_run(store, slice_of(truth.data, truth.len), &ask, &score);
	if (err == ERR_OK)
		status = judge(cli, o, &score);
	else if (err == ERR_SYNTAX || err == ERR_LIMIT)
		cli_error("%s:%llu: this is not what \"simulate --truth\" writes: a line "
			  "peer,address,port,kind,agent,reachable, then one for each peer",
			  o->truth, (unsigned long long)score.truth_line);
	else
		cli_error("%s", err == ERR_NOMEM ? "out of memory: end other programs"
						 : store_why(store));
out:
	score_clear(&score);
	text_clear(&truth);
	store_close(store);
	return status;
}

const struct command command_score = {
	.name = "score",
	.summary = "holds a crawl of a simulated network against the truth",
	.usage = "--truth FILE [options]",
	.about = "Compares what a crawl recorded with what \"peerwalk simulate\" knows.\n"
		 "\n"
		 "Recall is the share of the reachable peers that were reached: with whom a "
		 "handshake was completed. Precision is the share of those recorded as reached "
		 "whose kind completes handshakes. False ok counts ghosts and liars recorded as "
		 "answering.\n"
		 "\n"
		 "Of Ethereum a peer is a key at an address: recall 1 says that each key answered "
		 "where the truth has it, and proved its address. How completely the tables were "
		 "listed is the crawl's own account.\n"
		 "\n"
		 "Reachable peers that were not reached are listed, the first twenty unless "
		 "--verbose.\n",
	.examples = "peerwalk score --truth truth.csv\n"
		    "    the newest crawl in peerwalk.db\n"
		    "peerwalk score --truth truth.csv --min-recall 0.99 --json\n"
		    "    for a test: exit status 1 if more than one peer of a hundred was missed\n",
	.options = options,
	.options_size = sizeof(struct score_args),
	.run = run,
};
