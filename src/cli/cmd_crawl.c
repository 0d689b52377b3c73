#include "api/walk.h"
#include "cli/agent.h"
#include "cli/chain_arg.h"
#include "cli/cli.h"
#include "cli/fork_arg.h"
#include "cli/group_arg.h"
#include "cli/log_arg.h"
#include "cli/progress.h"
#include "cli/seeds.h"
#include "cli/signals.h"
#include "cli/summary.h"
#include "io/keyfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct crawl_options {
	struct option_list seeds;
	const char *seeds_file, *exclude_file, *db, *contact, *key, *fork, *group;
	bool no_default_seeds, allow_private, adverts, resume, patient, no_session;
	uint64_t concurrency, threads, max_peers, per_group;
	uint64_t connect_timeout_ms, timeout_ms, duration_ms;
	double rate;
	struct chain_arg chain;
	struct log_arg log;
};

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
	  "go on with the newest unfinished crawl of this network in the database", NULL,
	  AT(resume), 0, 0, NULL },
	{ "adverts", 0, OPTION_FLAG, NULL, "keep who named whom, too (large)", NULL, AT(adverts), 0,
	  0, NULL },
	{ "concurrency", 'c', OPTION_UINT, "N", "visits at a time (2000; for Ethereum 10000)", NULL,
	  AT(concurrency), 1, 1000000, NULL },
	{ "threads", 't', OPTION_UINT, "N",
	  "loops that share the work (1; for Ethereum, where signatures are most of it, one a "
	  "core)",
	  NULL, AT(threads), 1, DRIVER_THREADS_MAX, NULL },
	{ "connect-timeout", 0, OPTION_DURATION, "T", "how long a connection may take", "5s",
	  AT(connect_timeout_ms), 1, 0, NULL },
	{ "timeout", 0, OPTION_DURATION, "T",
	  "how long a visit may take once connected (90s with --patient)", NULL, AT(timeout_ms), 1,
	  0, NULL },
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
	{ LOG_ARG_FILE(AT(log)) },
	{ LOG_ARG_LEVEL(AT(log)) },
	{ LOG_ARG_FORMAT(AT(log)) },
	{ 0 },
};

/* One run of the command. */
struct run {
	struct cli *cli;
	const struct crawl_options *options;
	struct network network;
	struct slice group; /* empty: any */
	char agent[PEER_AGENT_MAX];
	struct seeds seeds;
	struct cidr *exclude;
	size_t exclude_count;
	uint32_t concurrency;
	unsigned threads;
	struct fork_arg fork;
	const struct ethereum_chain *chain; /* NULL: nodes of all chains are wanted */
	struct secp_key key;
	bool has_key;
	struct walk *walk;
	struct progress *progress;
	struct signals signals;
	uint64_t visited_before; /* by the runs that this one goes on from */
	bool watched;            /* signals are */
	int interrupted;         /* the status that a signal has set; 0: none */
	bool refused;            /* said that this machine refused a connection */
};

/* --- from the walk --- */

static void note_refusal(struct run *run)
{
	run->refused = true;
	progress_hide(run->progress);
	cli_note(run->cli, "this machine has no descriptor or no local port left for a connection; "
			   "going on as some become free (a smaller --concurrency needs fewer)");
}

static void on_tick(void *ctx, struct walk *walk)
{
	struct run *run = ctx;
	struct walk_result now;

	walk_stats(walk, &now);
	if (now.totals.local_errors > 0 && !run->refused)
		note_refusal(run);
	progress_update(run->progress,
			&(struct progress_sample){ .elapsed_ms = now.elapsed_ms,
						   .stats = now.stats,
						   .bytes_in = now.totals.bytes_in,
						   .bytes_out = now.totals.bytes_out,
						   .stopping = run->interrupted != 0 });
}

static void on_answer(void *ctx, const struct resolve_answer *answer)
{
	const struct run *run = ctx;

	if (answer->error != NULL)
		cli_debug(run->cli, "%s: %s", answer->name, answer->error);
	else
		cli_debug(run->cli, "%s: %zu addresses", answer->name, answer->count);
}

static void on_signal(void *ctx, int status)
{
	struct run *run = ctx;

	run->interrupted = status;
	walk_stop(run->walk);
}

/* --- preparations --- */

static bool finds_nodes(const struct run *run)
{
	return run->network.discovery == DISCOVERY_V4;
}

/* Whose nodes are wanted: the network's name may say it, too. */
static int read_fork(struct run *run)
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

static int read_key(struct run *run)
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
static int read_node_inputs(struct run *run)
{
	const struct crawl_options *o = run->options;
	int status;

	if (!finds_nodes(run))
		return o->fork == NULL && o->key == NULL && !o->no_session
			       ? EXIT_DONE
			       : cli_usage(run->cli, "--fork, --key and --no-session are for "
						     "Ethereum's networks");
	status = read_fork(run);
	return status == EXIT_DONE ? read_key(run) : status;
}

static bool has_own_seeds(const struct run *run)
{
	return run->network.dns_seeds[0] != NULL || run->network.boot_nodes != NULL;
}

static int read_inputs(struct run *run, const char *network)
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
	if (status == EXIT_DONE && run->seeds.count + run->seeds.names_count == 0 &&
	    (o->no_default_seeds || !has_own_seeds(run)) && !o->resume)
		return cli_usage(
			run->cli, "there is nobody to begin with: %s %s; give --seed or --seeds",
			run->network.name,
			has_own_seeds(run) ? "has seeds, but --no-default-seeds leaves them out"
					   : "has no seeds of its own");
	return status;
}

static int fit_concurrency(struct run *run)
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

static int make_walk(struct run *run)
{
	const struct crawl_options *o = run->options;
	struct walk_config config = {
		.visit = { .session = { .network = &run->network,
					.patient = o->patient,
					.agent = slice_text(run->agent),
					.group = run->group,
					.timeout_ms = o->timeout_ms },
			   .connect_timeout_ms = o->connect_timeout_ms },
		.crawl = { .concurrency = run->concurrency,
			   .rate_per_s = o->rate,
			   .max_visits = o->max_peers,
			   .duration_ms = o->duration_ms,
			   .allow_private = o->allow_private,
			   .per_group = (uint32_t)o->per_group,
			   .exclude = run->exclude,
			   .exclude_count = run->exclude_count },
		.threads = run->threads,
		.key = run->has_key ? &run->key : NULL,
		.chain = run->chain,
		.no_session = o->no_session,
		.db = o->db,
		.resume = o->resume,
		.adverts = o->adverts,
		.on_tick = on_tick,
		.on_answer = on_answer,
		.ctx = run,
	};
	char why[WALK_WHY_MAX];

	if (walk_new(&config, &run->walk, why) != ERR_OK) {
		cli_fail(run->cli, "%s", why);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static void tell_earlier(struct run *run)
{
	struct walk_result earlier;

	if (!run->options->resume)
		return;
	walk_stats(run->walk, &earlier);
	run->visited_before = earlier.stats.visited;
	cli_note(run->cli, "going on with crawl %lld: %llu visited, %llu waiting",
		 (long long)earlier.crawl_id, (unsigned long long)earlier.stats.visited,
		 (unsigned long long)earlier.stats.waiting);
}

static int begin_with(struct run *run, const struct seeds *seeds)
{
	for (size_t i = 0; i < seeds->count; i++) {
		const struct advert seed = seeds_advert(seeds, i);

		walk_seed(run->walk, &seed);
	}
	for (size_t i = 0; i < seeds->names_count; i++) {
		if (walk_name(run->walk, seeds->names[i].name, seeds->names[i].port) != ERR_OK)
			return cli_usage(run->cli, "%s", walk_why(run->walk));
	}
	if (!run->options->no_default_seeds && walk_default_seeds(run->walk) != ERR_OK)
		return cli_usage(run->cli, "%s", walk_why(run->walk));
	return EXIT_DONE;
}

/* --- the run --- */

/* Only once the summary is there: a signal meanwhile is too late, and must not cost it. */
static void unwatch(struct run *run)
{
	if (run->watched)
		signals_close(&run->signals);
	run->watched = false;
}

static int walk(struct run *run)
{
	int status = begin_with(run, &run->seeds);

	if (status != EXIT_DONE)
		return status;
	signals_watch(&run->signals, walk_loop(run->walk), on_signal, run);
	signals_watch_log(&run->signals, run->cli->log);
	run->watched = true;
	signals_unref(&run->signals);
	run->progress = progress_new(run->cli, run->network.name);
	if (walk_run(run->walk) != ERR_OK)
		status = EXIT_FAILED;
	progress_end(run->progress);
	if (run->interrupted != 0)
		unwatch(run); /* whoever asks again does not want to wait for the summary */
	if (status != EXIT_DONE)
		cli_fail(run->cli, "%s", walk_why(run->walk));
	return status;
}

static int unreached(const struct run *run, const struct walk_result *result)
{
	const char *why = "no seed answered; is there a way to the Internet? other seeds can be "
			  "given with --seed";

	if (result->stats.known == 0 && run->seeds.count > 0)
		why = "every seed is a private, an excluded or this machine's own address; "
		      "--allow-private permits private ones";
	else if (result->stats.known == 0)
		why = "no seed has an address; is there a way to the Internet? --verbose shows "
		      "what the resolver says";
	cli_fail(run->cli, "nobody could be reached: %s", why);
	return EXIT_UNREACHED;
}

static void log_end(const struct run *run, const struct walk_result *r)
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

static int conclude(struct run *run)
{
	const char *db = run->options->db;
	struct walk_result result;
	struct summary summary;
	int status;

	if (walk_end(run->walk, &result) != ERR_OK) {
		cli_fail(run->cli, "%s", walk_why(run->walk));
		return EXIT_FAILED;
	}
	log_end(run, &result);
	summary = (struct summary){
		.network = run->network.name,
		.db = db,
		.crawl = result.crawl_id,
		.started_at_ms = result.started_at_ms,
		.elapsed_ms = result.elapsed_ms,
		.stats = result.stats,
		.visited_before = run->visited_before,
		.bytes_in = result.totals.bytes_in,
		.bytes_out = result.totals.bytes_out,
		.nodes = finds_nodes(run) ? &result.totals.nodes : NULL,
		.cpu_seconds = result.cpu_seconds,
		.max_rss_bytes = result.max_rss_bytes,
		.complete = result.complete,
	};
	status = summary_print(run->cli, &summary);
	fflush(stdout); /* closing the database takes a while, and it must not get lost */
	if (status != EXIT_DONE)
		return status;
	if (run->interrupted != 0) {
		cli_note(run->cli,
			 "interrupted; what was learnt is in %s, and crawl %s --resume "
			 "--db %s goes on",
			 db, run->network.name, db);
		return run->interrupted;
	}
	return result.stats.reached == 0 ? unreached(run, &result) : EXIT_DONE;
}

static int run_crawl(struct cli *cli, void *options, char **args, unsigned args_count)
{
	struct run *run = calloc(1, sizeof(*run));
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
		status = read_inputs(run, args[0]);
	if (status == EXIT_DONE)
		status = fit_concurrency(run);
	if (status == EXIT_DONE)
		status = make_walk(run);
	if (status == EXIT_DONE) {
		tell_earlier(run);
		status = walk(run);
	}
	if (status == EXIT_DONE)
		status = conclude(run);
	unwatch(run);
	walk_free(run->walk);
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
		 "Ctrl-C keeps all that was learnt; --resume goes on later.",
	.examples = "peerwalk crawl bitcoin\n"
		    "    walk Bitcoin's main network from its DNS seeds\n"
		    "peerwalk crawl bitcoin --patient --contact you@example.org --db main.db\n"
		    "    wait for old software too, and say whom to write to\n"
		    "peerwalk crawl bitcoin-testnet4 --seed 192.0.2.7:48333 --no-default-seeds\n"
		    "    begin with one peer\n"
		    "peerwalk crawl bitcoin --resume\n"
		    "    go on with an interrupted crawl\n"
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
