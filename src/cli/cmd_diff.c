#include "cli/chain_text.h"
#include "cli/cli.h"
#include "cli/store_arg.h"
#include "cli/terminal.h"

#include "base/text.h"
#include "report/diff.h"
#include "report/peer_url.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct diff_args {
	struct store_arg store;
	uint64_t top;
	bool list;
};

#define AT(field) offsetof(struct diff_args, field)

static const struct option_row options[] = {
	{ STORE_ARG_DB(AT(store)) },
	{ STORE_ARG_NETWORK(AT(store), "compare crawls of this network") },
	{ .name = "list",
	  .letter = 'l',
	  .type = OPTION_FLAG,
	  .help = "the peers themselves, too: those who came, left, or changed",
	  .offset = AT(list) },
	{ .name = "top",
	  .letter = 'n',
	  .type = OPTION_UINT,
	  .arg = "N",
	  .help = "so many user agents, those that changed most; 0 shows all",
	  .initial = "10",
	  .offset = AT(top),
	  .max = 1000 * 1000 },
	{ 0 },
};

enum {
	LABEL_WIDTH = 60, /* columns for a user agent; what is longer is cut */
	PEER_WIDTH = 36,  /* columns that most peers fill; longer ones push the rest aside */
};

/* --- which crawls --- */

/* What stands for a crawl on the command line. */
struct point {
	int64_t crawl; /* 0: a time */
	int64_t at_ms;
};

static int read_point(const struct cli *cli, const char *arg, struct point *out)
{
	uint64_t number = 0;

	*out = (struct point){ 0 };
	if (parse_uint(arg, INT64_MAX, &number) == ERR_OK && number > 0) {
		out->crawl = (int64_t)number;
		return EXIT_DONE;
	}
	if (parse_time(arg, &out->at_ms) == ERR_OK)
		return EXIT_DONE;
	return cli_usage(cli,
			 "\"%s\" is no crawl: expected its number, or a time such as 2026-08-01 or "
			 "2026-08-01T12:00Z",
			 arg);
}

/* Both crawls. Times are of the network that is named, or else of the crawl beside them, or of
 * the newest crawl; without a second crawl the newest is meant, and without a first the one
 * before it. */
static enum err find_crawls(struct store *s, const struct point points[2], unsigned count,
			    const char *network, struct store_crawl out[2])
{
	struct store_crawl newest;
	enum err err = store_crawl_get(s, 0, network, &newest);
	const char *of = network != NULL ? network : newest.network;

	for (unsigned i = count; i-- > 0 && err == ERR_OK;) {
		if (points[i].crawl == 0)
			continue;
		err = store_crawl_get(s, points[i].crawl, network, &out[i]);
		of = out[i].network;
	}
	for (unsigned i = 0; i < count && err == ERR_OK; i++) {
		if (points[i].crawl == 0)
			err = store_crawl_at(s, points[i].at_ms, of, &out[i]);
	}
	if (err == ERR_OK && count < 2)
		err = store_crawl_get(s, 0, of, &out[1]);
	return err == ERR_OK && count == 0 ? store_crawl_before(s, &out[1], &out[0]) : err;
}

/* Crawls that can't be compared; or, in words, what to think of when reading. */
static int check_crawls(const struct cli *cli, const struct store_crawl *a,
			const struct store_crawl *b)
{
	if (strcmp(a->network, b->network) != 0) {
		cli_error("crawl %" PRId64 " is of %s, and crawl %" PRId64
			  " of %s: compare two of one network",
			  a->id, a->network, b->id, b->network);
		return EXIT_FAILED;
	}
	if (a->id == b->id) {
		cli_error("both are crawl %" PRId64 ": name two different ones", a->id);
		return EXIT_FAILED;
	}
	if (a->pruned || b->pruned) {
		cli_error("the visits of crawl %" PRId64 " are gone (crawl --keep), and with them "
			  "whom it reached: name a newer one",
			  b->pruned ? b->id : a->id);
		return EXIT_FAILED;
	}
	if (!b->complete)
		cli_note(cli,
			 "crawl %" PRId64 " is not complete: whom it did not get to counts as "
			 "having left",
			 b->id);
	if (!a->complete)
		cli_note(cli,
			 "crawl %" PRId64 " is not complete: whom it did not get to counts as "
			 "having come",
			 a->id);
	return EXIT_DONE;
}

/* --- text --- */

static void print_head(const struct store_crawl *c, uint64_t reached)
{
	char when[32], count[32];

	format_time(c->started_at_ms, false, when);
	format_count(reached, count);
	printf("Crawl %" PRId64 " of %s, begun %s: %s reached%s\n", c->id, c->network, when, count,
	       c->complete ? "" : "; not complete");
}

static void count_row(struct table *t, const char *label, uint64_t n, uint64_t of)
{
	char count[32];

	format_count(n, count);
	table_cell(t, "%s", label);
	table_cell(t, "%s", count);
	table_cell(t, "%.1f%%", of > 0 ? 100 * (double)n / (double)of : 0);
}

static void print_counts(const struct diff *d)
{
	static const char *const headers[] = { "PEERS", ">COUNT", ">SHARE" };
	struct table *t = table_new(headers, 3);
	uint64_t came = d->kinds[DIFF_NEW] + d->kinds[DIFF_BACK], left = d->kinds[DIFF_LEFT];
	uint64_t stayed = d->kinds[DIFF_CHANGED] + d->kinds[DIFF_SAME];
	char label[64];

	count_row(t, "came", came, d->reached_b);
	if (came > 0) {
		count_row(t, "  new", d->kinds[DIFF_NEW], d->reached_b);
		count_row(t, "  back", d->kinds[DIFF_BACK], d->reached_b);
	}
	count_row(t, "left", left, d->reached_a);
	for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
		snprintf(label, sizeof(label), "  %s", outcome_name(i));
		if (d->outcomes[i] > 0)
			count_row(t, label, d->outcomes[i], d->reached_a);
	}
	if (d->unvisited > 0)
		count_row(t, "  not visited", d->unvisited, d->reached_a);
	count_row(t, "stayed", stayed, d->reached_a);
	for (enum diff_field i = 0; i < DIFF_FIELDS; i++) {
		snprintf(label, sizeof(label), "  %s", diff_field_text(i));
		if (d->fields[i] > 0)
			count_row(t, label, d->fields[i], d->reached_a);
	}
	putchar('\n');
	table_print(t);
}

static void print_agents(const struct diff *d)
{
	static const char *const headers[] = { "USER AGENT", ">BEFORE", ">NOW", ">CHANGE" };
	struct table *t;
	char was[32], is[32], change[32];

	if (d->agents_count == 0)
		return;
	t = table_new(headers, 4);
	for (size_t i = 0; i < d->agents_count; i++) {
		const struct diff_agent *a = &d->agents[i];
		bool more = a->is > a->was;

		format_count(a->was, was);
		format_count(a->is, is);
		format_count(more ? a->is - a->was : a->was - a->is, change);
		if (terminal_text_width(a->label) > LABEL_WIDTH)
			table_cell(t, "%.*s..", (int)terminal_text_fit(a->label, LABEL_WIDTH - 2),
				   a->label);
		else
			table_cell(t, "%s", a->label[0] != 0 ? a->label : "(empty)");
		table_cell(t, "%s", was);
		table_cell(t, "%s", is);
		table_cell(t, "%c%s", more ? '+' : '-', change);
	}
	putchar('\n');
	table_print(t);
	if (d->agents_moved > d->agents_count)
		printf("and %zu others; --top 0 shows all\n", d->agents_moved - d->agents_count);
}

static void field_text(enum diff_field field, const struct store_crawl *crawl,
		       const struct store_change_side *s, struct text *out)
{
	char chain[64] = "";

	diff_add_value(out, field, s);
	if (field != DIFF_FIELD_FORK)
		return;
	chain_text_fork(s->fork_hash, crawl->started_at_ms, chain, sizeof(chain));
	if (chain[0] != 0)
		text_printf(out, " (%s)", chain);
}

/* "left     bitcoin://1.2.3.4:8333      connect_timeout  /Satoshi:27.0.0/" */
static enum err print_peer(void *ctx, const struct store_change *c, enum diff_kind kind,
			   unsigned fields)
{
	const struct diff *d = ctx;
	struct text t = { 0 };
	char url[PEER_URL_MAX];
	enum err err;

	peer_url(d->b.network, &c->addr, c->public, c->tcp_port, url);
	text_printf(&t, "%-7s  %-*s  ", diff_kind_name(kind), PEER_WIDTH, url);
	if (kind == DIFF_LEFT)
		text_printf(&t, "%s  ",
			    c->is.visited ? outcome_name(c->is.outcome) : "not visited");
	if (kind != DIFF_CHANGED)
		text_add_escaped(&t, kind == DIFF_LEFT ? c->was.agent : c->is.agent);
	for (enum diff_field i = 0, shown = 0; i < DIFF_FIELDS; i++) {
		if ((fields >> i & 1) == 0)
			continue;
		text_add(&t, shown++ > 0 ? "; " : "");
		field_text(i, &d->a, &c->was, &t);
		text_add(&t, " -> ");
		field_text(i, &d->b, &c->is, &t);
	}
	err = t.err;
	while (err == ERR_OK && t.len > 0 && t.data[t.len - 1] == ' ')
		t.data[--t.len] = 0;
	if (err == ERR_OK)
		puts(t.data);
	text_clear(&t);
	return err;
}

static enum err print_text(struct store *s, struct diff *d, bool list)
{
	print_head(&d->a, d->reached_a);
	print_head(&d->b, d->reached_b);
	print_counts(d);
	print_agents(d);
	if (!list)
		return ERR_OK;
	putchar('\n');
	return diff_peers(s, d, print_peer, d);
}

/* --- JSON --- */

struct json_list {
	const struct diff *diff;
	bool more;
};

static enum err print_peer_json(void *ctx, const struct store_change *c, enum diff_kind kind,
				unsigned fields)
{
	struct json_list *l = ctx;
	json_t *peer = diff_peer_json(l->diff, c, kind, fields);

	if (peer == NULL)
		return ERR_NOMEM;
	fputs(l->more ? ",\n    " : "\n    ", stdout);
	l->more = true;
	json_dumpf(peer, stdout, JSON_COMPACT);
	json_decref(peer);
	return ERR_OK;
}

/* The document that was made in memory, and in it the list, which never is. */
static enum err print_json(struct store *s, const struct diff *d, bool list)
{
	struct json_list l = { .diff = d };
	json_t *doc = diff_json(d);
	enum err err = ERR_OK;

	if (doc == NULL)
		return ERR_NOMEM;
	putchar('{');
	json_dumpf(doc, stdout, JSON_INDENT(2) | JSON_EMBED);
	json_decref(doc);
	if (list) {
		fputs(",\n  \"peers\": [", stdout);
		err = diff_peers(s, d, print_peer_json, &l);
		fputs("\n  ]", stdout);
	}
	puts("\n}");
	return err;
}

static enum err compare(const struct cli *cli, const struct diff_args *o, struct store *s,
			const struct store_crawl crawls[2])
{
	const struct diff_options ask = {
		.a = crawls[0], .b = crawls[1], .top = (size_t)o->top, .key = store_arg_hash_key()
	};
	struct diff d;
	enum err err = diff_gather(s, &ask, &d);

	if (err == ERR_OK)
		err = cli->json ? print_json(s, &d, o->list) : print_text(s, &d, o->list);
	diff_clear(&d);
	return err;
}

static int run(struct cli *cli, void *values, char **args, unsigned args_count)
{
	const struct diff_args *o = values;
	struct point points[2] = { 0 };
	struct store_crawl crawls[2];
	int status = EXIT_DONE;
	struct store *store;
	enum err err;

	for (unsigned i = 0; i < args_count && status == EXIT_DONE; i++)
		status = read_point(cli, args[i], &points[i]);
	if (status != EXIT_DONE)
		return status;
	store = store_arg_open(&o->store);
	if (store == NULL)
		return EXIT_FAILED;
	err = store_read_begin(store);
	if (err == ERR_OK)
		err = find_crawls(store, points, args_count, o->store.network, crawls);
	if (err == ERR_OK)
		status = check_crawls(cli, &crawls[0], &crawls[1]);
	if (err == ERR_OK && status == EXIT_DONE)
		err = compare(cli, o, store, crawls);
	store_read_end(store);
	if (err != ERR_OK) {
		cli_error("%s", err == ERR_NOMEM ? "out of memory: end other programs"
						 : store_why(store));
		status = EXIT_FAILED;
	}
	store_close(store);
	return status;
}

const struct command command_diff = {
	.name = "diff",
	.summary = "shows what changed between two crawls",
	.usage = "[A [B]] [options]",
	.about = "Compares two crawls of one network: who came (new, or back after an earlier "
		 "crawl that reached it), who left (and how the visit ended that shows it), who "
		 "stayed, and how many of them say something else of themselves now. Then the "
		 "user agents whose number changed most.\n"
		 "\n"
		 "A and B are numbers of crawls, or times: \"2026-08-01\" (its first moment) or "
		 "\"2026-08-01T12:00Z\" stand for the newest crawl of the network that had begun "
		 "by then; without a zone a time is UTC. Without B it is the newest crawl, and "
		 "without A the one before it.\n"
		 "\n"
		 "A peer is there if it was reached. It is told from others by its address and, of "
		 "Ethereum, its key: one that moved has left and come. What it did not say in one "
		 "of both crawls does not count as changed.\n",
	.examples = "peerwalk diff\n"
		    "    the newest crawl, and the one before it\n"
		    "peerwalk diff 3 7 --list\n"
		    "    from crawl 3 to crawl 7, peer by peer\n"
		    "peerwalk diff 2026-08-01 2026-09-01 --network bitcoin --json\n"
		    "    a month, for programs\n",
	.options = options,
	.options_size = sizeof(struct diff_args),
	.args_max = 2,
	.run = run,
};
