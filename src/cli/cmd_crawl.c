#include "cli/chain_arg.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/seeds.h"
#include "cli/summary.h"
#include "io/dial.h"
#include "io/driver.h"
#include "io/limits.h"
#include "io/resolve.h"
#include "store/writer.h"

#include <jansson.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct crawl_options {
	struct option_list seeds;
	const char *seeds_file, *exclude_file, *db, *contact;
	bool no_default_seeds, allow_private, adverts, resume, patient;
	uint64_t concurrency, threads, max_peers, per_group;
	uint64_t connect_timeout_ms, timeout_ms, duration_ms;
	double rate;
	struct chain_arg chain;
};

#define AT(field) offsetof(struct crawl_options, field)

static const struct option_row rows[] = {
	{ "seed", 's', OPTION_LIST, "PEER", "begin with this peer (repeatable)", NULL, AT(seeds), 0,
	  0, NULL },
	{ "seeds", 0, OPTION_TEXT, "FILE", "begin with the peers of this file, one a line", NULL,
	  AT(seeds_file), 0, 0, NULL },
	{ "no-default-seeds", 0, OPTION_FLAG, NULL, "don't ask the network's DNS seeds", NULL,
	  AT(no_default_seeds), 0, 0, NULL },
	{ "db", 'd', OPTION_TEXT, "FILE", "keep what is learnt in this database", "peerwalk.db",
	  AT(db), 0, 0, NULL },
	{ "resume", 0, OPTION_FLAG, NULL,
	  "go on with the newest unfinished crawl of this network in the database", NULL,
	  AT(resume), 0, 0, NULL },
	{ "adverts", 0, OPTION_FLAG, NULL, "keep who named whom, too (large)", NULL, AT(adverts), 0,
	  0, NULL },
	{ "concurrency", 'c', OPTION_UINT, "N", "visits at a time", "2000", AT(concurrency), 1,
	  1000000, NULL },
	{ "threads", 't', OPTION_UINT, "N", "loops that share the work", "1", AT(threads), 1,
	  DRIVER_THREADS_MAX, NULL },
	{ "connect-timeout", 0, OPTION_DURATION, "T", "how long a connection may take", "5s",
	  AT(connect_timeout_ms), 0, 0, NULL },
	{ "timeout", 0, OPTION_DURATION, "T",
	  "how long a visit may take once connected (90s with --patient)", NULL, AT(timeout_ms), 0,
	  0, NULL },
	{ "patient", 0, OPTION_FLAG, NULL,
	  "wait for the lists of old software, which takes 16 to 61 s to answer", NULL, AT(patient),
	  0, 0, NULL },
	{ "rate", 'r', OPTION_RATE, "R", "begin at most so many visits, e.g. 500/s", NULL, AT(rate),
	  0, 0, NULL },
	{ "per-group", 0, OPTION_UINT, "N",
	  "visits at a time to one /16 of IPv4 or /32 of IPv6 addresses", "16", AT(per_group), 1,
	  1000000, NULL },
	{ "max-peers", 'n', OPTION_UINT, "N", "stop after so many visits", NULL, AT(max_peers), 0,
	  0, NULL },
	{ "duration", 0, OPTION_DURATION, "T", "begin no visit after this time", NULL,
	  AT(duration_ms), 0, 0, NULL },
	{ "exclude", 0, OPTION_TEXT, "FILE",
	  "never dial the addresses and CIDR blocks of this file, one a line", NULL,
	  AT(exclude_file), 0, 0, NULL },
	{ "allow-private", 0, OPTION_FLAG, NULL, "dial private and loopback addresses, too", NULL,
	  AT(allow_private), 0, 0, NULL },
	{ "contact", 0, OPTION_TEXT, "TEXT",
	  "whom to write to about this crawl: goes into the user agent", NULL, AT(contact), 0, 0,
	  NULL },
	{ CHAIN_ARG_MAGIC(AT(chain)) },
	{ CHAIN_ARG_PORT(AT(chain)) },
	{ 0 },
};

enum {
	TIMEOUT_MS = 20 * 1000, /* a whole visit: handshake and reply have limits of their own */
	TIMEOUT_PATIENT_MS = 90 * 1000,
};

/* One run of the command. */
struct run {
	struct cli *cli;
	const struct crawl_options *options;
	struct network network;
	char agent[PEER_AGENT_MAX];
	struct seeds seeds;
	struct cidr *exclude;
	size_t exclude_count;
	uint32_t concurrency;
	struct store *store;
	struct store_crawl crawl;
	struct store_writer *writer;
	struct driver *driver;
	struct progress *progress;
	struct resolve *resolve;
	uv_signal_t signals[2];
	uint64_t started_ms; /* of the loop's clock */
	atomic_bool store_failed;
	int interrupted; /* the signal; 0: none */
};

/* --- from the driver's threads --- */

static void on_known(void *ctx, const struct netaddr *addr, const struct advert *advert,
		     int64_t unix_ms)
{
	store_writer_known(((struct run *)ctx)->writer, addr, advert, unix_ms);
}

static void on_visit(void *ctx, const struct record *record, bool final)
{
	(void) final; /* a late retry's record takes the place of the first try's */
	/* What was cancelled was not visited: --resume goes there. */
	if (record->outcome != OUTCOME_CANCELLED)
		store_writer_visit(((struct run *)ctx)->writer, record);
}

static void on_advert(void *ctx, const struct netaddr *from, const struct advert *advert,
		      int64_t unix_ms)
{
	store_writer_advert(((struct run *)ctx)->writer, from, advert, unix_ms);
}

static void on_tick(void *ctx, struct driver *driver)
{
	struct run *run = ctx;
	struct progress_sample sample = {
		.elapsed_ms = uv_now(driver_loop(driver)) - run->started_ms,
		.stopping = run->interrupted != 0,
	};
	struct driver_totals totals;

	driver_stats(driver, &sample.stats, &totals);
	sample.bytes_in = totals.bytes_in;
	sample.bytes_out = totals.bytes_out;
	progress_update(run->progress, &sample);
}

static void on_store_error(void *ctx, enum err err, const char *why)
{
	struct run *run = ctx;

	(void)err;
	(void)why; /* told at the end, when the progress is off the screen */
	run->store_failed = true;
	driver_stop(run->driver, true);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct run *run = handle->data;

	run->interrupted = number;
	if (run->resolve != NULL) {
		resolve_stop(run->resolve);
		run->resolve = NULL;
		driver_release(run->driver);
	}
	driver_stop(run->driver, true);
}

/* --- names --- */

static void on_answer(void *ctx, const struct resolve_answer *answer)
{
	struct run *run = ctx;

	if (answer->error != NULL)
		cli_debug(run->cli, "%s: %s", answer->name, answer->error);
	else
		cli_debug(run->cli, "%s: %zu addresses", answer->name, answer->count);
	for (size_t i = 0; i < answer->count; i++)
		driver_seed(run->driver, &answer->addrs[i]);
	if (answer->left > 0)
		return;
	resolve_stop(run->resolve);
	run->resolve = NULL;
	driver_release(run->driver);
}

/* All names of one port are looked up together; seeds share their network's port. */
static int start_resolving(struct run *run)
{
	const char *names[RESOLVE_NAMES_MAX];
	size_t count = run->seeds.names_count;

	if (count == 0)
		return EXIT_DONE;
	if (count > RESOLVE_NAMES_MAX)
		return cli_usage(run->cli,
				 "at most %d seeds can be names; give the others as "
				 "addresses",
				 RESOLVE_NAMES_MAX);
	for (size_t i = 0; i < count; i++) {
		names[i] = run->seeds.names[i].name;
		if (run->seeds.names[i].port != run->seeds.names[0].port)
			return cli_usage(run->cli, "seeds that are names need one port in common");
	}
	driver_hold(run->driver);
	if (resolve_start(driver_loop(run->driver), names, count, run->seeds.names[0].port,
			  on_answer, run, &run->resolve) != ERR_OK) {
		cli_error("cannot start looking up the names of the seeds; give addresses instead");
		driver_release(run->driver);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

/* --- preparations --- */

/* BIP 14: /name:version(comment)/; the comment may not hold what frames it. */
static int make_agent(struct run *run)
{
	const char *contact = run->options->contact;
	int n;

	if (contact == NULL || *contact == 0) {
		snprintf(run->agent, sizeof(run->agent), "/peerwalk:%s/", PEERWALK_VERSION);
		return EXIT_DONE;
	}
	for (const char *p = contact; *p != 0; p++) {
		if (*p < 0x20 || *p > 0x7e || strchr("/()", *p) != NULL)
			return cli_usage(run->cli, "--contact may hold printable ASCII without "
						   "slashes and parentheses (BIP 14)");
	}
	n = snprintf(run->agent, sizeof(run->agent), "/peerwalk:%s(%s)/", PEERWALK_VERSION,
		     contact);
	if (n >= (int)sizeof(run->agent))
		return cli_usage(run->cli,
				 "--contact is too long: the whole user agent may have "
				 "%d bytes",
				 PEER_AGENT_MAX - 1);
	return EXIT_DONE;
}

static int read_inputs(struct run *run, const char *network)
{
	const struct crawl_options *o = run->options;
	int status = chain_arg_read(run->cli, &o->chain, network, &run->network);

	if (status == EXIT_DONE)
		status = make_agent(run);
	for (size_t i = 0; status == EXIT_DONE && i < o->seeds.count; i++)
		status = seeds_add(&run->seeds, run->cli, &run->network, o->seeds.items[i]);
	if (status == EXIT_DONE && o->seeds_file != NULL)
		status = seeds_read(&run->seeds, run->cli, &run->network, o->seeds_file);
	if (status == EXIT_DONE && !o->no_default_seeds)
		status = seeds_add_defaults(&run->seeds, run->cli, &run->network);
	if (status == EXIT_DONE && o->exclude_file != NULL)
		status =
			exclude_read(run->cli, o->exclude_file, &run->exclude, &run->exclude_count);
	if (status == EXIT_DONE && run->seeds.addrs_count + run->seeds.names_count == 0 &&
	    !o->resume)
		return cli_usage(run->cli,
				 "there is nobody to begin with: %s has no seeds of its "
				 "own here; give --seed or --seeds",
				 run->network.name);
	return status;
}

static void fit_concurrency(struct run *run)
{
	uint32_t wanted = (uint32_t)run->options->concurrency;
	uint64_t limit;

	run->concurrency = driver_fit_concurrency(wanted, (unsigned)run->options->threads, &limit);
	if (run->concurrency < wanted)
		cli_note(run->cli,
			 "concurrency lowered from %u to %u: this process may open %llu files "
			 "(ulimit -Hn, or LimitNOFILE= in a systemd unit, raises that)",
			 wanted, run->concurrency, (unsigned long long)limit);
}

static void describe_settings(struct run *run)
{
	const struct crawl_options *o = run->options;
	json_t *json =
		json_pack("{s:I, s:I, s:I, s:f, s:b, s:b, s:b, s:s}", "concurrency",
			  (json_int_t)run->concurrency, "connect_timeout_ms",
			  (json_int_t)o->connect_timeout_ms, "threads", (json_int_t)o->threads,
			  "rate", o->rate, "patient", o->patient, "allow_private", o->allow_private,
			  "adverts", o->adverts, "agent", run->agent);
	char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

	if (text != NULL && strlen(text) < sizeof(run->crawl.settings))
		strcpy(run->crawl.settings, text);
	free(text);
	json_decref(json);
}

static int open_store(struct run *run)
{
	const struct crawl_options *o = run->options;
	uv_timeval64_t now;
	char why[512];
	enum err err;

	if (store_open(o->db, o->resume ? STORE_WRITE : STORE_CREATE, &run->store, why,
		       sizeof(why)) != ERR_OK) {
		cli_error("%s", why);
		return EXIT_FAILED;
	}
	if (o->resume) {
		err = store_crawl_unfinished(run->store, run->network.name, &run->crawl);
		if (err == ERR_OK)
			return EXIT_DONE;
		if (err == ERR_NOT_FOUND)
			cli_error("%s holds no unfinished crawl of %s; leave --resume out to begin "
				  "a new one",
				  o->db, run->network.name);
		else
			cli_error("%s", store_why(run->store));
		return EXIT_FAILED;
	}
	uv_gettimeofday(&now);
	run->crawl.started_at_ms = now.tv_sec * 1000 + now.tv_usec / 1000;
	snprintf(run->crawl.network, sizeof(run->crawl.network), "%s", run->network.name);
	describe_settings(run);
	if (store_crawl_begin(run->store, &run->crawl) != ERR_OK) {
		cli_error("%s", store_why(run->store));
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static bool on_resumed(void *ctx, const struct netaddr *addr, enum outcome outcome, bool reached,
		       unsigned tries)
{
	struct crawl *crawl = ctx;

	if (tries > 0)
		crawl_add_visited(crawl, addr, outcome, reached, (uint8_t)tries);
	else
		crawl_add(crawl, addr);
	return true;
}

static int load_earlier(struct run *run)
{
	struct crawl_stats stats;
	struct driver_totals totals;

	if (!run->options->resume)
		return EXIT_DONE;
	if (store_resume(run->store, &run->crawl, on_resumed, driver_crawl(run->driver)) !=
	    ERR_OK) {
		cli_error("%s", store_why(run->store));
		return EXIT_FAILED;
	}
	driver_stats(run->driver, &stats, &totals);
	cli_note(run->cli, "going on with crawl %lld: %llu visited, %llu waiting",
		 (long long)run->crawl.id, (unsigned long long)stats.visited,
		 (unsigned long long)stats.waiting);
	return EXIT_DONE;
}

/* The addresses of this machine are not dialled, unless they are seeds. */
static void exclude_own(struct run *run)
{
	uv_interface_address_t *list;
	struct netaddr addr;
	int count;

	if (uv_interface_addresses(&list, &count) != 0)
		return;
	for (int i = 0; i < count; i++) {
		if (list[i].is_internal ||
		    !dial_netaddr((struct sockaddr *)&list[i].address, &addr))
			continue;
		addr.port = run->network.default_port;
		crawl_add_own(driver_crawl(run->driver), &addr);
	}
	uv_free_interface_addresses(list, count);
}

static int make_driver(struct run *run)
{
	const struct crawl_options *o = run->options;
	uint64_t timeout_ms = o->timeout_ms;
	struct driver_config config = {
		.visit = { .session = { .network = &run->network,
					.role = SESSION_INITIATOR,
					.goal = SESSION_GOAL_PEERS,
					.patient = o->patient,
					.agent = slice_text(run->agent) },
			   .connect_timeout_ms = o->connect_timeout_ms },
		.crawl = { .concurrency = run->concurrency,
			   .rate_per_s = o->rate,
			   .max_visits = o->max_peers,
			   .duration_ms = o->duration_ms,
			   .allow_private = o->allow_private,
			   .per_group = (uint32_t)o->per_group,
			   .exclude = run->exclude,
			   .exclude_count = run->exclude_count },
		.threads = (unsigned)o->threads,
		.on_known = on_known,
		.on_visit = on_visit,
		.on_advert = o->adverts ? on_advert : NULL,
		.on_tick = on_tick,
		.ctx = run,
	};

	if (timeout_ms == 0)
		timeout_ms = o->patient ? TIMEOUT_PATIENT_MS : TIMEOUT_MS;
	config.visit.session.timeout_ms = timeout_ms;
	dial_random(&config.crawl.key, sizeof(config.crawl.key));
	if (driver_new(&config, &run->driver) != ERR_OK) {
		cli_error("cannot start %u event loops: out of memory or descriptors",
			  config.threads);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

/* --- the run --- */

static void watch_signals(struct run *run, bool on)
{
	static const int numbers[] = { SIGINT, SIGTERM };

	for (unsigned i = 0; i < 2; i++) {
		if (!on) {
			uv_close((uv_handle_t *)&run->signals[i], NULL);
			continue;
		}
		uv_signal_init(driver_loop(run->driver), &run->signals[i]);
		run->signals[i].data = run;
		uv_signal_start(&run->signals[i], on_signal, numbers[i]);
		uv_unref((uv_handle_t *)&run->signals[i]);
	}
}

static int walk(struct run *run)
{
	int status;

	run->started_ms = uv_now(driver_loop(run->driver));
	watch_signals(run, true);
	run->progress = progress_new(run->cli, run->network.name);
	for (size_t i = 0; i < run->seeds.addrs_count; i++)
		driver_seed(run->driver, &run->seeds.addrs[i]);
	exclude_own(run);
	status = start_resolving(run);
	if (status == EXIT_DONE)
		driver_run(run->driver);
	if (run->resolve != NULL)
		resolve_stop(run->resolve);
	run->resolve = NULL;
	watch_signals(run, false);
	progress_end(run->progress);
	run->progress = NULL;
	return status;
}

static int close_crawl(struct run *run, struct summary *summary)
{
	struct driver_totals totals;
	uv_timeval64_t now;
	enum err err = store_writer_stop(run->writer);

	run->writer = NULL;
	if (err != ERR_OK) {
		cli_error("%s", store_why(run->store));
		return EXIT_FAILED;
	}
	driver_stats(run->driver, &summary->stats, &totals);
	uv_gettimeofday(&now);
	summary->complete = run->interrupted == 0 && summary->stats.waiting == 0;
	summary->bytes_in = totals.bytes_in;
	summary->bytes_out = totals.bytes_out;
	summary->cpu_seconds = limits_cpu_seconds();
	summary->max_rss_bytes = limits_max_rss_bytes();
	summary->elapsed_ms = uv_now(driver_loop(run->driver)) - run->started_ms;
	run->crawl.complete = summary->complete;
	/* An interrupted crawl stays open: --resume finds it. */
	run->crawl.ended_at_ms = run->interrupted != 0 ? 0 : now.tv_sec * 1000 + now.tv_usec / 1000;
	run->crawl.known = summary->stats.known;
	run->crawl.visited = summary->stats.visited;
	run->crawl.reached = summary->stats.reached;
	run->crawl.adverts += summary->stats.adverts;
	run->crawl.bytes_in += totals.bytes_in;
	run->crawl.bytes_out += totals.bytes_out;
	run->crawl.cpu_seconds += summary->cpu_seconds;
	run->crawl.max_rss_bytes = summary->max_rss_bytes;
	if (store_crawl_end(run->store, &run->crawl) != ERR_OK) {
		cli_error("%s", store_why(run->store));
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static int conclude(struct run *run)
{
	struct summary summary = {
		.network = run->network.name,
		.db = run->options->db,
		.crawl = run->crawl.id,
		.started_at_ms = run->crawl.started_at_ms,
	};
	int status = close_crawl(run, &summary);

	if (status != EXIT_DONE)
		return status;
	status = summary_print(run->cli, &summary);
	if (status != EXIT_DONE)
		return status;
	if (run->interrupted != 0) {
		cli_note(run->cli,
			 "interrupted; what was learnt is in %s, and crawl %s --resume "
			 "--db %s goes on",
			 run->options->db, run->network.name, run->options->db);
		return run->interrupted == SIGTERM ? EXIT_TERMINATED : EXIT_INTERRUPTED;
	}
	if (summary.stats.reached == 0) {
		cli_error("nobody could be reached: %s",
			  summary.stats.known == 0
				  ? "no seed has an address; is there a way to the Internet? "
				    "--verbose shows what the resolver says"
				  : "no seed answered; is there a way to the Internet? other "
				    "seeds can be given with --seed");
		return EXIT_UNREACHED;
	}
	return EXIT_DONE;
}

static int run_crawl(struct cli *cli, void *options, char **args, unsigned args_count)
{
	struct run *run = calloc(1, sizeof(*run));
	int status;

	(void)args_count;
	if (run == NULL) {
		cli_error("out of memory");
		return EXIT_FAILED;
	}
	run->cli = cli;
	run->options = options;
	status = read_inputs(run, args[0]);
	if (status == EXIT_DONE) {
		fit_concurrency(run);
		status = open_store(run);
	}
	if (status == EXIT_DONE)
		status = make_driver(run);
	if (status == EXIT_DONE)
		status = load_earlier(run);
	if (status == EXIT_DONE && store_writer_start(run->store, &run->crawl, on_store_error, run,
						      &run->writer) != ERR_OK) {
		cli_error("cannot start the thread that writes the database: out of memory");
		status = EXIT_FAILED;
	}
	if (status == EXIT_DONE)
		status = walk(run);
	if (status == EXIT_DONE)
		status = conclude(run);
	if (run->writer != NULL)
		store_writer_stop(run->writer);
	driver_free(run->driver);
	if (run->store != NULL)
		store_close(run->store);
	seeds_clear(&run->seeds);
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
		    "    a Bitcoin-like chain that is not on the list\n",
	.options = rows,
	.options_size = sizeof(struct crawl_options),
	.args_min = 1,
	.args_max = 1,
	.args_choices = "networks",
	.run = run_crawl,
};
