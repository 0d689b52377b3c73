/* crawl_run.h: what `crawl` was asked for, and one walk of it: of a crawl by itself, or a round
 * of watching (crawl_watch.h). */
#ifndef PEERWALK_CLI_CRAWL_RUN_H
#define PEERWALK_CLI_CRAWL_RUN_H

#include "api/walk.h"
#include "cli/chain_arg.h"
#include "cli/cli.h"
#include "cli/fork_arg.h"
#include "cli/geo_arg.h"
#include "cli/log_arg.h"
#include "cli/progress.h"
#include "cli/seeds.h"
#include "cli/summary.h"

struct crawl_options {
	struct option_list seeds;
	const char *seeds_file, *exclude_file, *db, *contact, *key, *fork, *group, *metrics, *token;
	bool no_default_seeds, allow_private, adverts, resume, patient, no_session;
	uint64_t concurrency, threads, max_peers, per_group;
	uint64_t connect_timeout_ms, timeout_ms, duration_ms;
	uint64_t every_ms, keep_ms;
	double rate;
	struct chain_arg chain;
	struct geo_arg geo;
	struct log_arg log;
};

/* One run of the command. */
struct crawl_run {
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
	struct targets *targets; /* to search nodes with; NULL: each walk makes its own */
	struct geo *geo;         /* NULL: not given */
	struct walk *walk;       /* that of the moment; NULL: none */
	struct progress *progress;
	uint64_t visited_before; /* by the runs that this one goes on from */
	int interrupted;         /* the status that a signal has set; 0: none */
	bool refused;            /* said that this machine refused a connection */
	uint64_t told_wait_ms;   /* the last time for a connection that was told */
	/* On every tick of the walk; may be NULL. */
	void (*on_tick)(void *ctx, const struct walk_result *now);
	void *on_tick_ctx;
};

bool crawl_run_finds_nodes(const struct crawl_run *run);
/* There is somebody to begin with: else EXIT_USAGE, after saying so. */
int crawl_run_need_seeds(const struct crawl_run *run);
/* What a walk of this run is like. */
struct walk_config crawl_run_config(struct crawl_run *run);
/* Notes what run->walk goes on from. */
void crawl_run_tell_earlier(struct crawl_run *run);
/* Gives run->walk its seeds: names to be looked up and the network's own only if asked for. An exit
 * status. */
int crawl_run_seed(struct crawl_run *run, bool names, bool network_seeds);
/* walk_run, with its progress on the terminal. An exit status. */
int crawl_run_walk(struct crawl_run *run);
/* walk_end; an exit status. */
int crawl_run_end(struct crawl_run *run, struct walk_result *result);
/* Of a crawl that has ended: the store keeps its report. A failure is only noted: the report can be
 * made again as long as the visits are there. */
void crawl_run_keep_report(const struct crawl_run *run, int64_t crawl_id);
struct summary crawl_run_summary(const struct crawl_run *run, const struct walk_result *result);
/* Why nobody was reached. */
const char *crawl_run_unreached(const struct crawl_run *run, const struct walk_result *result);

#endif
