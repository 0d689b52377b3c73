#include "cli/agent.h"
#include "cli/crawl_run.h"
#include "cli/crawl_watch.h"
#include "cli/group_arg.h"
#include "cli/signals.h"
#include "io/keyfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(struct crawl_options, field)

static const struct option_row rows[] = {
	{ "seed", 's', OPTION_LIST, "PEER", "begin with this peer", NULL, AT(seeds), 0, 0, NULL },
	{ "seeds", 0, OPTION_TEXT, "FILE", "begin with the peers of this file, one a line", NULL,
	  AT(seeds_file), 0, 0, NULL },
	{ "no-default-seeds", 0, OPTION_FLAG, NULL,
	  "leave out the network's own DNS seeds or bootstrap nodes", NULL, AT(no_default_seeds), 0,
	  0, NULL },
	{ "db", 'd', OPTION_TEXT, "FILE", "keep what is learnt in this database", "peerwalk.db",
	  AT(db), 0, 0, NULL },
	{ "resume", 0, OPTION_FLAG, NULL,
	  "go on with the newest unfinished crawl of this network in the database, also one that a "
	  "limit ended",
	  NULL, AT(resume), 0, 0, NULL },
	{ "adverts", 0, OPTION_FLAG, NULL, "keep who named whom, too (large)", NULL, AT(adverts), 0,
	  0, NULL },
	{ "concurrency", 'c', OPTION_UINT, "N", "visits at a time (2000; for Ethereum 10000)", NULL,
	  AT(concurrency), 1, 1000000, NULL },
	{ "threads", 't', OPTION_UINT, "N",
	  "loops that share the work (1; for Ethereum, where signatures are most of it, one a "
	  "core)",
	  NULL, AT(threads), 1, DRIVER_THREADS_MAX, NULL },
	{ "connect-timeout", 0, OPTION_DURATION, "T",
	  "how long a connection may take (learned from those that answer; 5s at most)", NULL,
	  AT(connect_timeout_ms), 1, 0, NULL },
	{ "timeout", 0, OPTION_DURATION, "T",
	  "how long a visit may take once connected (20s, 90s with --patient, less for an answer)",
	  NULL, AT(timeout_ms), 1, 0, NULL },
	{ "patient", 0, OPTION_FLAG, NULL,
	  "wait for the lists of old software, which takes up to a minute to answer", NULL,
	  AT(patient), 0, 0, NULL },
	{ "rate", 'r', OPTION_RATE, "R", "begin at most so many visits, e.g. 500/s", NULL, AT(rate),
	  1, 0, NULL },
	{ "per-group", 0, OPTION_UINT, "N",
	  "visits at a time to one /16 of IPv4 or /32 of IPv6 addresses (16; for Ethereum 64)",
	  NULL, AT(per_group), 1, 1000000, NULL },
	{ "max-peers", 'n', OPTION_UINT, "N", "stop once so many addresses were tried", NULL,
	  AT(max_peers), 1, 0, NULL },
	{ "duration", 0, OPTION_DURATION, "T", "begin no visit after this time", NULL,
	  AT(duration_ms), 1, 0, NULL },
	{ "every", 0, OPTION_DURATION, "T",
	  "watch the network: begin a round each T, for ever or for --duration", NULL, AT(every_ms),
	  1, 0, NULL },
	{ "keep", 0, OPTION_DURATION, "T",
	  "with --every: keep each visit so long, then daily sums (90d)", NULL, AT(keep_ms), 1, 0,
	  NULL },
	{ "metrics", 0, OPTION_TEXT, "ADDR:PORT",
	  "with --every: show Prometheus how it goes, at http://ADDR:PORT/metrics", NULL,
	  AT(metrics), 0, 0, NULL },
	{ "token", 0, OPTION_TEXT, "FILE",
	  "who asks for metrics must have the token in this file; needed beyond loopback", NULL,
	  AT(token), 0, 0, NULL },
	{ "exclude", 0, OPTION_TEXT, "FILE",
	  "never dial the addresses and CIDR blocks of this file, one a line", NULL,
	  AT(exclude_file), 0, 0, NULL },
	{ "allow-private", 0, OPTION_FLAG, NULL, "dial private and loopback addresses, too", NULL,
	  AT(allow_private), 0, 0, NULL },
	{ "contact", 0, OPTION_TEXT, "TEXT",
	  "whom to write to about this crawl: goes into the user agent", NULL, AT(contact), 0, 0,
	  NULL },
	{ GROUP_ARG_ROW(AT(group)) },
	{ FORK_ARG_ROW(AT(fork), "Ethereum: mark the nodes of other chains as wrong_network") },
	{ "no-session", 0, OPTION_FLAG, NULL,
	  "Ethereum: discovery alone, without asking over TCP for client and chain", NULL,
	  AT(no_session), 0, 0, NULL },
	{ "key", 'k', OPTION_TEXT, "FILE",
	  "Ethereum: be the node of this key (peerwalk key), not of one made for this crawl", NULL,
	  AT(key), 0, 0, NULL },
	{ CHAIN_ARG_MAGIC(AT(chain)) },
	{ CHAIN_ARG_PORT(AT(chain)) },
	{ GEO_ARG_MMDB(AT(geo)) },
	{ GEO_ARG_ASMAP(AT(geo)) },
	{ LOG_ARG_FILE(AT(log)) },
	{ LOG_ARG_LEVEL(AT(log)) },
	{ LOG_ARG_FORMAT(AT(log)) },
	{ 0 },
};

/* --- preparations --- */

/* Whose nodes are wanted: the network's name may say it, too. */
static int read_fork(struct crawl_run *run)
{
	const char *text = run->options->fork != NULL ? run->options->fork : run->network.chain;
	char names[FORK_ARG_NAMES_MAX];
	const char *rule;
	enum err err;

	if (text == NULL)
		return EXIT_DONE;
	err = fork_arg_parse(text, &run->fork, &rule);
	if (err == ERR_NOT_FOUND) {
		fork_arg_names(names);
		return cli_usage(run->cli,
				 "--fork: there is no chain \"%s\"; expected %s, or "
				 "GENESIS:FORK,FORK,...",
				 text, names);
	}
	if (err != ERR_OK)
		return cli_usage(run->cli, "--fork: expected %s", rule);
	run->chain = &run->fork.chain;
	return EXIT_DONE;
}

static int read_key(struct crawl_run *run)
{
	const char *path = run->options->key;
	char why[KEYFILE_WHY_MAX];

	if (path == NULL)
		return EXIT_DONE;
	if (keyfile_read(path, &run->key, why) != ERR_OK) {
		cli_fail(run->cli, "%s", why);
		return EXIT_FAILED;
	}
	run->has_key = true;
	return EXIT_DONE;
}

/* What is said of nodes, and of nothing else. */
static int read_node_inputs(struct crawl_run *run)
{
	const struct crawl_options *o = run->options;
	int status;

	if (!crawl_run_finds_nodes(run))
		return o->fork == NULL && o->key == NULL && !o->no_session
			       ? EXIT_DONE
			       : cli_usage(run->cli, "--fork, --key and --no-session are for "
						     "Ethereum's networks");
	status = read_fork(run);
	return status == EXIT_DONE ? read_key(run) : status;
}

static int read_inputs(struct crawl_run *run, const char *network)
{
	const struct crawl_options *o = run->options;
	int status = chain_arg_read(run->cli, &o->chain, network, &run->network);

	if (status == EXIT_DONE)
		status = group_arg_read(run->cli, o->group, &run->network, &run->group);
	if (status == EXIT_DONE)
		status = agent_make(run->cli, &run->network, run->options->contact, run->agent);
	if (status == EXIT_DONE)
		status = read_node_inputs(run);
	for (size_t i = 0; status == EXIT_DONE && i < o->seeds.count; i++)
		status = seeds_add(&run->seeds, run->cli, &run->network, o->seeds.items[i]);
	if (status == EXIT_DONE && o->seeds_file != NULL)
		status = seeds_read(&run->seeds, run->cli, &run->network, o->seeds_file);
	if (status == EXIT_DONE && o->exclude_file != NULL)
		status =
			exclude_read(run->cli, o->exclude_file, &run->exclude, &run->exclude_count);
	/* With --every the database may know somebody. */
	if (status == EXIT_DONE && !o->resume && o->every_ms == 0)
		status = crawl_run_need_seeds(run);
	return status;
}

static int check_watch_options(const struct crawl_run *run)
{
	const struct crawl_options *o = run->options;

	if (o->every_ms == 0 && (o->keep_ms > 0 || o->metrics != NULL))
		return cli_usage(run->cli, "--keep and --metrics are for a crawl with --every");
	if (o->token != NULL && o->metrics == NULL)
		return cli_usage(run->cli, "--token is for --metrics");
	if (o->every_ms > 0 && o->resume)
		return cli_usage(run->cli, "--every goes on by itself: leave out --resume");
	return EXIT_DONE;
}

static int fit_concurrency(struct crawl_run *run)
{
	const struct crawl_options *o = run->options;
	uint32_t wanted = (uint32_t)o->concurrency;
	char why[DRIVER_WHY_MAX];
	uint64_t limit;

	if (wanted == 0)
		wanted = walk_concurrency(&run->network);
	run->threads = o->threads > 0 ? (unsigned)o->threads : walk_threads(&run->network);
	run->concurrency = driver_fit_concurrency(wanted, run->threads, &limit);
	if (run->concurrency == 0) {
		driver_few_descriptors(limit, why);
		cli_fail(run->cli, "%s", why);
		return EXIT_FAILED;
	}
	if (run->concurrency < wanted)
		cli_note(run->cli,
			 "concurrency lowered from %u to %u: this process may open %llu files "
			 "(ulimit -Hn, or LimitNOFILE= in a systemd unit, raises that)",
			 wanted, run->concurrency, (unsigned long long)limit);
	return EXIT_DONE;
}

/* --- a crawl by itself --- */

struct single {
	struct crawl_run *run;
	struct signals signals;
	bool watched; /* signals are */
};

static void on_signal(void *ctx, int status)
{
	struct crawl_run *run = ctx;

	run->interrupted = status;
	walk_stop(run->walk);
}

/* Only once the summary is there: a signal meanwhile is too late, and must not cost it. */
static void unwatch(struct single *s)
{
	if (s->watched)
		signals_close(&s->signals);
	s->watched = false;
}

static int walk(struct single *s)
{
	struct crawl_run *run = s->run;
	int status = crawl_run_seed(run, true, true);

	if (status != EXIT_DONE)
		return status;
	signals_watch(&s->signals, walk_loop(run->walk), on_signal, run);
	signals_watch_log(&s->signals, run->cli->log);
	s->watched = true;
	signals_unref(&s->signals);
	status = crawl_run_walk(run);
	if (run->interrupted != 0)
		unwatch(s); /* whoever asks again does not want to wait for the summary */
	return status;
}

static void log_end(const struct crawl_run *run, const struct walk_result *r)
{
	cli_event(run->cli, LOG_INFO, "ended",
		  (struct log_field[]){ log_text("network", run->network.name),
					log_number("crawl", r->crawl_id),
					log_number("known", (int64_t)r->stats.known),
					log_number("visited", (int64_t)r->stats.visited),
					log_number("reached", (int64_t)r->stats.reached),
					log_number("elapsed_ms", (int64_t)r->elapsed_ms),
					log_text("complete", r->complete ? "yes" : "no"),
					{ 0 } });
}

static int conclude(struct single *s)
{
	struct crawl_run *run = s->run;
	const char *db = run->options->db;
	struct walk_result result;
	struct summary summary;
	int ended = crawl_run_end(run, &result), status;

	/* Who was left out changes nothing of what is there. */
	if (ended != EXIT_DONE && !result.left_out)
		return ended;
	log_end(run, &result);
	summary = crawl_run_summary(run, &result);
	status = summary_print(run->cli, &summary);
	fflush(stdout); /* closing the database takes a while, and it must not get lost */
	if (status != EXIT_DONE || ended != EXIT_DONE)
		return ended != EXIT_DONE ? ended : status;
	if (run->interrupted != 0) {
		cli_note(run->cli,
			 "interrupted; what was learnt is in %s, and crawl %s --resume "
			 "--db %s goes on",
			 db, run->network.name, db);
		return run->interrupted;
	}
	unwatch(s); /* from here on nothing is lost */
	/* The report takes the place of the crawl in memory, not one beside it. */
	walk_free(run->walk);
	run->walk = NULL;
	crawl_run_keep_report(run, result.crawl_id);
	if (result.stats.reached > 0)
		return EXIT_DONE;
	cli_fail(run->cli, "nobody could be reached: %s", crawl_run_unreached(run, &result));
	return EXIT_UNREACHED;
}

static int crawl_once(struct crawl_run *run)
{
	const struct walk_config config = crawl_run_config(run);
	struct single single = { .run = run };
	char why[WALK_WHY_MAX];
	int status;

	if (walk_new(&config, &run->walk, why) != ERR_OK) {
		cli_fail(run->cli, "%s", why);
		return EXIT_FAILED;
	}
	if (run->options->resume)
		crawl_run_tell_earlier(run);
	status = walk(&single);
	if (status == EXIT_DONE)
		status = conclude(&single);
	unwatch(&single);
	walk_free(run->walk);
	return status;
}

static int run_crawl(struct cli *cli, void *options, char **args, unsigned args_count)
{
	struct crawl_run *run = calloc(1, sizeof(*run));
	int status;

	(void)args_count;
	if (run == NULL) {
		cli_fail(cli, "out of memory");
		return EXIT_FAILED;
	}
	run->cli = cli;
	run->options = options;
	status = log_arg_open(cli, &run->options->log);
	if (status == EXIT_DONE)
		status = check_watch_options(run);
	if (status == EXIT_DONE)
		status = read_inputs(run, args[0]);
	if (status == EXIT_DONE)
		status = geo_arg_open(cli, &run->options->geo, &run->geo);
	if (status == EXIT_DONE)
		status = fit_concurrency(run);
	if (status == EXIT_DONE)
		status = run->options->every_ms > 0 ? crawl_watch(run) : crawl_once(run);
	free(run->targets);
	geo_close(run->geo);
	seeds_clear(&run->seeds);
	secp_key_clear(&run->key);
	free(run->exclude);
	free(run);
	return status;
}

const struct command command_crawl = {
	.name = "crawl",
	.summary = "walks a network until nobody is left to ask",
	.usage = "NETWORK [options]",
	.about = "Dials the seeds, asks each peer who it is and whom it knows, and goes on until "
		 "everybody named has been visited. What was learnt is kept in a SQLite database; "
		 "report and export show it.\n"
		 "\n"
		 "Every address is visited once; a connection attempt without an answer is made "
		 "once more at the end. At most one visit at a time goes to one IP. Non-routable "
		 "addresses, those of this machine and excluded ones are never dialled.\n"
		 "\n"
		 "Ctrl-C keeps all that was learnt; --resume goes on later.\n"
		 "\n"
		 "With --every it never ends: known peers are visited in each round, those that "
		 "were missed after waits that double, new ones at once. Who is up, since when and "
		 "how much of the time is kept for each peer. The same command goes on later.",
	.examples = "peerwalk crawl bitcoin\n"
		    "    walk Bitcoin's main network from its DNS seeds\n"
		    "peerwalk crawl bitcoin --patient --contact you@example.org --db main.db\n"
		    "    wait for old software too, and say whom to write to\n"
		    "peerwalk crawl bitcoin-testnet4 --seed 192.0.2.7:48333 --no-default-seeds\n"
		    "    begin with one peer\n"
		    "peerwalk crawl bitcoin --resume\n"
		    "    go on with an interrupted crawl\n"
		    "peerwalk crawl bitcoin --every 10m --db watch.db --metrics 127.0.0.1:9111\n"
		    "    watch it for weeks, and tell Prometheus how it goes\n"
		    "peerwalk crawl mychain --magic 0a0b0c0d --port 7777 --seed seed.example.org\n"
		    "    a Bitcoin-like chain that is not on the list\n"
		    "peerwalk crawl ethereum --db nodes.db\n"
		    "    every node of Ethereum's discovery: its table, its record, client and "
		    "chain\n"
		    "peerwalk crawl ethereum --fork mainnet --no-default-seeds --seed enode://...\n"
		    "    from one node; those of other chains are marked\n",
	.options = rows,
	.options_size = sizeof(struct crawl_options),
	.args_min = 1,
	.args_max = 1,
	.args_choices = "networks",
	.run = run_crawl,
};
