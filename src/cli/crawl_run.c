#include "cli/crawl_run.h"

#include "base/text.h"
#include "cli/store_arg.h"
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

bool crawl_run_finds_nodes(const struct crawl_run *run)
{
	return run->network.discovery == DISCOVERY_V4;
}

/* --- from the walk --- */

static void note_refusal(struct crawl_run *run)
{
	run->refused = true;
	progress_hide(run->progress);
	cli_note(run->cli, "this machine has no descriptor, no memory, no local port or no route "
			   "left for a connection; "
			   "going on as some become free (a smaller --concurrency needs fewer)");
}

/* Every so often: when it has changed by a quarter. */
static void note_wait(struct crawl_run *run, uint64_t wait_ms)
{
	uint64_t told_ms = run->told_wait_ms;
	char text[32];

	if (wait_ms * 4 <= told_ms * 5 && wait_ms * 5 >= told_ms * 4)
		return;
	run->told_wait_ms = wait_ms;
	format_duration(wait_ms, text);
	cli_debug(run->cli, "an answer to a first try is waited for %s", text);
}

/* Often from the thread that writes. */
static void on_wait(void *ctx)
{
	const struct crawl_run *run = ctx;

	store_arg_waits(run->cli, run->options->db);
}

static void on_tick(void *ctx, struct walk *walk)
{
	struct crawl_run *run = ctx;
	struct walk_result now;

	walk_stats(walk, &now);
	note_wait(run, now.connect_timeout_ms);
	if (now.totals.local_errors > 0 && !run->refused)
		note_refusal(run);
	progress_update(run->progress,
			&(struct progress_sample){ .elapsed_ms = now.elapsed_ms,
						   .stats = now.stats,
						   .bytes_in = now.totals.bytes_in,
						   .bytes_out = now.totals.bytes_out,
						   .stopping = run->interrupted != 0 });
	if (run->on_tick != NULL)
		run->on_tick(run->on_tick_ctx, &now);
}

static void on_answer(void *ctx, const struct resolve_answer *answer)
{
	const struct crawl_run *run = ctx;

	if (answer->error != NULL)
		cli_debug(run->cli, "%s: %s", answer->name, answer->error);
	else
		cli_debug(run->cli, "%s: %zu addresses", answer->name, answer->count);
}

static bool has_own_seeds(const struct crawl_run *run)
{
	return run->network.dns_seeds[0] != NULL || run->network.boot_nodes != NULL;
}

int crawl_run_need_seeds(const struct crawl_run *run)
{
	bool none = run->options->no_default_seeds || !has_own_seeds(run);

	if (run->seeds.count + run->seeds.names_count > 0 || !none)
		return EXIT_DONE;
	return cli_usage(run->cli, "there is nobody to begin with: %s %s; give --seed or --seeds",
			 run->network.name,
			 has_own_seeds(run) ? "has seeds, but --no-default-seeds leaves them out"
					    : "has no seeds of its own");
}

/* --- the walk --- */

struct walk_config crawl_run_config(struct crawl_run *run)
{
	const struct crawl_options *o = run->options;

	return (struct walk_config){
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
		.targets = run->targets,
		.chain = run->chain,
		.no_session = o->no_session,
		.db = o->db,
		.resume = o->resume,
		.adverts = o->adverts,
		.on_tick = on_tick,
		.on_wait = on_wait,
		.on_answer = on_answer,
		.ctx = run,
	};
}

void crawl_run_tell_earlier(struct crawl_run *run)
{
	struct walk_result earlier;

	walk_stats(run->walk, &earlier);
	run->visited_before = earlier.stats.visited;
	cli_note(run->cli, "going on with crawl %lld: %llu visited, %llu waiting",
		 (long long)earlier.crawl_id, (unsigned long long)earlier.stats.visited,
		 (unsigned long long)earlier.stats.waiting);
}

int crawl_run_seed(struct crawl_run *run, bool names, bool network_seeds)
{
	const struct seeds *seeds = &run->seeds;

	for (size_t i = 0; i < seeds->count; i++) {
		const struct advert seed = seeds_advert(seeds, i);

		walk_seed(run->walk, &seed);
	}
	for (size_t i = 0; names && i < seeds->names_count; i++) {
		if (walk_name(run->walk, seeds->names[i].name, seeds->names[i].port) != ERR_OK)
			return cli_usage(run->cli, "%s", walk_why(run->walk));
	}
	if (network_seeds && !run->options->no_default_seeds &&
	    walk_default_seeds(run->walk) != ERR_OK)
		return cli_usage(run->cli, "%s", walk_why(run->walk));
	return EXIT_DONE;
}

int crawl_run_walk(struct crawl_run *run)
{
	enum err err;

	run->progress = progress_new(run->cli, run->network.name);
	err = walk_run(run->walk);
	progress_end(run->progress);
	run->progress = NULL;
	if (err == ERR_OK)
		return EXIT_DONE;
	cli_fail(run->cli, "%s", walk_why(run->walk));
	return EXIT_FAILED;
}

int crawl_run_end(struct crawl_run *run, struct walk_result *result)
{
	if (walk_end(run->walk, result) != ERR_OK) {
		cli_fail(run->cli, "%s", walk_why(run->walk));
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

void crawl_run_keep_report(const struct crawl_run *run, int64_t crawl_id)
{
	const struct report_options options = {
		.crawl_id = crawl_id,
		.key = store_arg_hash_key(),
		.geo = run->geo,
	};
	char text[WALK_WHY_MAX];
	const char *why = text;
	struct store *store = NULL;
	enum err err = store_open(run->options->db, STORE_WRITE, &store, text, sizeof(text));

	if (err == ERR_OK) {
		err = report_keep(store, &options);
		why = store_why(store);
	}
	if (err != ERR_OK)
		cli_note(run->cli, "the report of crawl %lld is not kept: %s", (long long)crawl_id,
			 err == ERR_NOMEM ? "out of memory" : why);
	if (store != NULL)
		store_close(store);
}

struct summary crawl_run_summary(const struct crawl_run *run, const struct walk_result *result)
{
	return (struct summary){
		.network = run->network.name,
		.db = run->options->db,
		.crawl = result->crawl_id,
		.started_at_ms = result->started_at_ms,
		.elapsed_ms = result->elapsed_ms,
		.connect_timeout_ms = result->connect_timeout_ms,
		.answer_timeout_ms = result->answer_timeout_ms,
		.stats = result->stats,
		.visited_before = run->visited_before,
		.bytes_in = result->totals.bytes_in,
		.bytes_out = result->totals.bytes_out,
		.visits_ms = result->totals.visits_ms,
		.nodes = crawl_run_finds_nodes(run) ? &result->totals.nodes : NULL,
		.cpu_seconds = result->cpu_seconds,
		.max_rss_bytes = result->max_rss_bytes,
		.complete = result->complete,
	};
}

const char *crawl_run_unreached(const struct crawl_run *run, const struct walk_result *result)
{
	const char *why = "no seed answered; is there a way to the Internet? other seeds can be "
			  "given with --seed";

	if (result->stats.known == 0 && run->seeds.count > 0)
		why = "every seed is a private, an excluded or this machine's own address; "
		      "--allow-private permits private ones";
	else if (result->stats.known == 0)
		why = "no seed has an address; is there a way to the Internet? --verbose shows "
		      "what the resolver says";
	return why;
}
