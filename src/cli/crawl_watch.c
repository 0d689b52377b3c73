#include "cli/crawl_watch.h"

#include "api/watch.h"
#include "base/text.h"
#include "cli/crawl_metrics.h"
#include "cli/json_line.h"
#include "cli/loop.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "io/dial.h"
#include "io/limits.h"
#include "io/wall.h"
#include "proto/ethereum/targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	KEEP_MS_DAYS = 90,
	DAY_MS = 24 * 60 * 60 * 1000,
	/* The clock may be set while we wait, and the line on the terminal counts. */
	LOOK_MS = 1000,
	/* A round whose database somebody holds is begun so often; each waits for ten seconds. */
	BUSY_TRIES = 6,
};

struct watching {
	struct crawl_run *run;
	struct watch *watch;
	struct crawl_metrics *metrics; /* NULL: not asked for */
	struct crawl_numbers numbers;
	/* Of this thread, while no walk has it: for signals, and to wait on. */
	uv_loop_t loop;
	uv_timer_t timer;
	struct signals signals;
	bool signals_open, can_draw, drawn;
	uint64_t began_ns;
	uint64_t reached; /* visits, of all rounds of this process */
	bool any;         /* a round of this process is over */
	unsigned busy;    /* times in a row that somebody held the database */
	struct walk_result last;
};

static uint64_t elapsed_ms(const struct watching *w)
{
	return (uv_hrtime() - w->began_ns) / 1000000;
}

/* What is left of --duration; UINT64_MAX: there is no end. */
static uint64_t left_ms(const struct watching *w)
{
	uint64_t duration = w->run->options->duration_ms, elapsed = elapsed_ms(w);

	if (duration == 0)
		return UINT64_MAX;
	return elapsed < duration ? duration - elapsed : 0;
}

static bool is_over(const struct watching *w)
{
	return w->run->interrupted != 0 || left_ms(w) == 0;
}

/* --- signals --- */

static void on_signal(void *ctx, int status)
{
	struct watching *w = ctx;

	w->run->interrupted = status;
	if (w->run->walk != NULL)
		walk_stop(w->run->walk);
}

/* From now on a signal ends us at once. */
static void close_signals(struct watching *w)
{
	if (w->signals_open)
		signals_close(&w->signals);
	w->signals_open = false;
}

static void look_for_signals(struct watching *w)
{
	uv_run(&w->loop, UV_RUN_NOWAIT);
}

/* --- waiting --- */

static void on_timer(uv_timer_t *timer)
{
	(void)timer;
}

static void draw(struct watching *w, const char *what)
{
	char reached[32], visited[32], line[160];

	if (!w->can_draw)
		return;
	if (!w->any) {
		terminal_draw_line(what, &w->drawn);
		return;
	}
	format_count(w->last.stats.reached, reached);
	format_count(w->last.stats.visited, visited);
	snprintf(line, sizeof(line), "round %llu done: %s of %s reached; %s",
		 (unsigned long long)watch_round(w->watch), reached, visited, what);
	terminal_draw_line(line, &w->drawn);
}

static void wait_some(struct watching *w)
{
	int64_t now_ms = wall_ms(), next_ms = watch_next_ms(w->watch, now_ms);
	uint64_t wait_ms = (uint64_t)(next_ms - now_ms), left = left_ms(w);
	char text[32], what[64];

	format_duration((wait_ms + 999) / 1000 * 1000, text);
	snprintf(what, sizeof(what), "next in %s", text);
	draw(w, what);
	if (wait_ms > left)
		wait_ms = left;
	/* On the second, so that each is seen. */
	uv_update_time(&w->loop);
	uv_timer_start(&w->timer, on_timer,
		       wait_ms > LOOK_MS ? (wait_ms - 1) % LOOK_MS + 1 : wait_ms, 0);
	uv_run(&w->loop, UV_RUN_ONCE);
}

static int tidy(struct watching *w)
{
	draw(w, "tidying the database");
	if (watch_tidy(w->watch, wall_ms()) == ERR_OK)
		return EXIT_DONE;
	cli_fail(w->run->cli, "%s", watch_why(w->watch));
	return EXIT_FAILED;
}

/* --- a round --- */

static void show_numbers(struct watching *w, const struct walk_result *r)
{
	struct crawl_numbers *n = &w->numbers;
	struct crawl_numbers now;

	n->stats = r->stats;
	n->round = watch_round(w->watch);
	n->started_at_ms = r->started_at_ms;
	n->elapsed_ms = r->elapsed_ms;
	n->forgotten = watch_forgotten(w->watch);
	now = *n;
	if (n->running) {
		now.visits += r->stats.visited - w->run->visited_before;
		now.bytes_in += r->totals.bytes_in;
		now.bytes_out += r->totals.bytes_out;
	}
	crawl_metrics_set(w->metrics, &now);
}

static void on_tick(void *ctx, const struct walk_result *now)
{
	struct watching *w = ctx;

	look_for_signals(w);
	show_numbers(w, now);
}

/* Interrupted, or the last one before the end: there is no next one. */
static int64_t next_round_ms(const struct watching *w)
{
	int64_t now_ms = wall_ms(), next_ms = watch_next_ms(w->watch, now_ms);
	uint64_t left = left_ms(w);

	if (w->run->interrupted != 0 || (uint64_t)(next_ms - now_ms) >= left)
		return 0;
	return next_ms;
}

static void print_json(struct watching *w, const struct walk_result *r, int64_t next_ms)
{
	const struct summary summary = crawl_run_summary(w->run, r);
	json_t *doc = summary_json(&summary);
	char next[32];

	if (doc != NULL) {
		format_time(next_ms, false, next);
		json_object_set_new(doc, "round", json_integer((json_int_t)watch_round(w->watch)));
		json_object_set_new(doc, "every_seconds",
				    json_real((double)w->run->options->every_ms / 1000));
		json_object_set_new(doc, "resting", json_integer((json_int_t)r->stats.resting));
		json_object_set_new(doc, "next", next_ms > 0 ? json_string(next) : json_null());
	}
	json_line_print(doc);
}

static void print_row(const struct watching *w, const struct walk_result *r)
{
	char began[32], known[32], resting[32], visited[32], reached[32], time[32];

	format_time(r->started_at_ms, false, began);
	format_count(r->stats.known, known);
	format_count(r->stats.resting, resting);
	format_count(r->stats.visited, visited);
	format_count(r->stats.reached, reached);
	format_duration(r->elapsed_ms, time);
	printf("%6llu  %-20s  %10s  %10s  %10s  %10s  %s%s\n",
	       (unsigned long long)watch_round(w->watch), began, known, resting, visited, reached,
	       time, w->run->interrupted != 0 ? " (interrupted)" : "");
	fflush(stdout);
}

static void log_round(const struct watching *w, const struct walk_result *r, int64_t next_ms)
{
	char next[32] = "";

	if (next_ms > 0)
		format_time(next_ms, false, next);
	cli_event(w->run->cli, LOG_INFO, "round",
		  (struct log_field[]){ log_text("network", w->run->network.name),
					log_number("crawl", r->crawl_id),
					log_number("round", (int64_t)watch_round(w->watch)),
					log_number("known", (int64_t)r->stats.known),
					log_number("resting", (int64_t)r->stats.resting),
					log_number("visited", (int64_t)r->stats.visited),
					log_number("reached", (int64_t)r->stats.reached),
					log_number("elapsed_ms", (int64_t)r->elapsed_ms),
					log_text("complete", r->complete ? "yes" : "no"),
					log_text("next", next_ms > 0 ? next : NULL),
					{ 0 } });
}

static void tell_round(struct watching *w, const struct walk_result *r)
{
	struct crawl_numbers *n = &w->numbers;
	int64_t next_ms = next_round_ms(w);

	w->last = *r;
	w->any = true;
	w->reached += r->stats.reached;
	n->running = false;
	n->rounds++;
	n->visits += r->stats.visited - w->run->visited_before;
	n->bytes_in += r->totals.bytes_in;
	n->bytes_out += r->totals.bytes_out;
	n->ended_at_ms = wall_ms();
	n->next_ms = next_ms;
	show_numbers(w, r);
	log_round(w, r, next_ms);
	if (w->run->cli->json)
		print_json(w, r, next_ms);
	else
		print_row(w, r);
	if (r->unheard)
		cli_note(w->run->cli,
			 "round %llu heard from nobody, so this machine's own network must be "
			 "down: it "
			 "counts for no peer",
			 (unsigned long long)watch_round(w->watch));
	else if (r->stats.visited > 0 && r->stats.reached == 0 && w->run->interrupted == 0)
		cli_note(w->run->cli, "round %llu reached nobody: %s",
			 (unsigned long long)watch_round(w->watch), crawl_run_unreached(w->run, r));
}

/* The walk is there. */
static int run_round(struct watching *w)
{
	struct crawl_run *run = w->run;
	bool seeds = watch_wants_seeds(w->watch);
	struct walk_result result;
	int status;

	run->visited_before = 0;
	if (watch_is_resumed(w->watch))
		crawl_run_tell_earlier(run);
	w->numbers.running = true;
	w->numbers.ended_at_ms = w->numbers.next_ms = 0;
	status = crawl_run_seed(run, seeds || !w->any, seeds);
	if (status == EXIT_DONE)
		status = crawl_run_walk(run);
	if (status != EXIT_DONE)
		return status;
	look_for_signals(w);
	if (run->interrupted != 0)
		close_signals(w); /* whoever asks again does not want to wait */
	status = crawl_run_end(run, &result);
	/* Who was left out may be there in the next round. */
	if (status != EXIT_DONE && !result.left_out)
		return status;
	if (run->interrupted == 0)
		watch_end(w->watch, &result);
	tell_round(w, &result);
	if (run->interrupted == 0)
		crawl_run_keep_report(run, result.crawl_id);
	return EXIT_DONE;
}

/* It is tried again. */
static int wait_for_database(struct watching *w)
{
	if (w->busy++ == 0)
		cli_note(w->run->cli, "waiting for another process: %s", watch_why(w->watch));
	uv_update_time(&w->loop);
	uv_timer_start(&w->timer, on_timer, LOOK_MS, 0);
	uv_run(&w->loop, UV_RUN_ONCE);
	return EXIT_DONE;
}

static int begin_round(struct watching *w)
{
	struct walk_config config = crawl_run_config(w->run);
	enum err err;
	int status;

	terminal_hide_line(&w->drawn);
	config.crawl.duration_ms = w->run->options->duration_ms > 0 ? left_ms(w) : 0;
	err = watch_begin(w->watch, &config, wall_ms(), &w->run->walk);
	if (err == ERR_BUSY && w->busy + 1 < BUSY_TRIES)
		return wait_for_database(w);
	if (err != ERR_OK) {
		cli_fail(w->run->cli, "%s", watch_why(w->watch));
		return EXIT_FAILED;
	}
	w->busy = 0;
	status = run_round(w);
	walk_free(w->run->walk);
	w->run->walk = NULL;
	return status;
}

static int go_round(struct watching *w)
{
	int status = EXIT_DONE;

	while (status == EXIT_DONE && !is_over(w)) {
		switch (watch_next(w->watch, wall_ms())) {
		case WATCH_ROUND:
			status = begin_round(w);
			break;
		case WATCH_TIDY:
			status = tidy(w);
			break;
		case WATCH_WAIT:
			wait_some(w);
			break;
		}
		look_for_signals(w);
	}
	terminal_hide_line(&w->drawn);
	return status;
}

/* --- beginning and end --- */

static void print_head(const struct watching *w)
{
	const struct crawl_options *o = w->run->options;
	char every[32];

	if (w->run->cli->json)
		return;
	format_duration(o->every_ms, every);
	printf("Watching %s, a round every %s, kept in %s\n\n", w->run->network.name, every, o->db);
	printf("%6s  %-20s  %10s  %10s  %10s  %10s  %s\n", "ROUND", "BEGUN", "KNOWN", "RESTING",
	       "VISITED", "REACHED", "TIME");
	fflush(stdout);
}

/* Whoever starts it again may have to wait for long until there is something to see. */
static void tell_wait(const struct watching *w)
{
	int64_t now_ms = wall_ms(), next_ms = watch_next_ms(w->watch, now_ms);
	char next[32];

	format_time(next_ms, false, next);
	if (next_ms > now_ms + LOOK_MS)
		cli_note(w->run->cli, "going on: round %llu begins at %s",
			 (unsigned long long)watch_round(w->watch) + 1, next);
}

static void print_sums(const struct watching *w)
{
	const struct crawl_numbers *n = &w->numbers;
	char time[32], visits[32], in[32], out[32], rss[32], gone[32];

	format_duration(elapsed_ms(w), time);
	format_count(n->visits, visits);
	format_count(n->forgotten, gone);
	format_bytes(n->bytes_in, in);
	format_bytes(n->bytes_out, out);
	format_bytes(limits_max_rss_bytes(), rss);
	printf("\n  %-10s%s\n  %-10s%llu\n", "time", time, "rounds", (unsigned long long)n->rounds);
	printf("  %-10s%s, %.1f%% of them reached somebody\n", "visits", visits,
	       n->visits > 0 ? 100 * (double)w->reached / (double)n->visits : 0.0);
	if (n->forgotten > 0)
		printf("  %-10s%s\n", "forgotten", gone);
	printf("  %-10s%s in, %s out\n", "traffic", in, out);
	printf("  %-10s%.2f s\n  %-10s%s at most\n", "CPU", limits_cpu_seconds(), "memory", rss);
	fflush(stdout);
}

static int conclude(struct watching *w)
{
	const struct crawl_run *run = w->run;

	if (!run->cli->json)
		print_sums(w);
	if (run->interrupted != 0) {
		cli_note(run->cli,
			 "interrupted; what was learnt is in %s, and the same command goes on",
			 run->options->db);
		return run->interrupted;
	}
	if (w->reached > 0 || !w->any)
		return EXIT_DONE;
	cli_fail(run->cli, "nobody could be reached: %s", crawl_run_unreached(run, &w->last));
	return EXIT_UNREACHED;
}

static int start_metrics(struct watching *w)
{
	const struct crawl_options *o = w->run->options;
	char token[HTTP_PARAM_MAX + 1], why[HTTP_WHY_MAX];

	w->numbers.network = w->run->network.name;
	w->numbers.db = o->db;
	w->numbers.round = watch_round(w->watch);
	w->numbers.next_ms = watch_next_ms(w->watch, wall_ms());
	if (o->metrics == NULL)
		return EXIT_DONE;
	if ((o->token != NULL && http_token_read(o->token, token, why) != ERR_OK) ||
	    crawl_metrics_start(o->metrics, o->token != NULL ? token : NULL, &w->numbers,
				&w->metrics, why) != ERR_OK) {
		cli_fail(w->run->cli, "%s", why);
		return EXIT_FAILED;
	}
	cli_note(w->run->cli, "metrics at http://%s/metrics", crawl_metrics_where(w->metrics));
	return EXIT_DONE;
}

/* What all rounds of Ethereum share: the keys to search with, which take half a second to find; and
 * who we are. A new key each time would leave one more node that is gone in others' tables. */
static bool prepare_nodes(struct crawl_run *run)
{
	uint8_t bytes[SECP_KEY_LEN];

	if (!crawl_run_finds_nodes(run))
		return true;
	while (!run->has_key) {
		dial_random(bytes, sizeof(bytes));
		run->has_key = secp_key_init(&run->key, bytes);
	}
	explicit_bzero(bytes, sizeof(bytes));
	run->targets = malloc(sizeof(*run->targets));
	if (run->targets == NULL) {
		cli_fail(run->cli, "out of memory");
		return false;
	}
	targets_init(run->targets);
	return true;
}

static int start(struct watching *w)
{
	const struct crawl_options *o = w->run->options;
	const struct watch_config config = {
		.db = o->db,
		.network = w->run->network.name,
		.every_ms = o->every_ms,
		.keep_ms = o->keep_ms > 0 ? o->keep_ms : (uint64_t)KEEP_MS_DAYS * DAY_MS,
	};
	char why[WALK_WHY_MAX];
	int status;

	if (watch_new(&config, &w->watch, why) != ERR_OK) {
		cli_fail(w->run->cli, "%s", why);
		return EXIT_FAILED;
	}
	status = watch_round(w->watch) == 0 ? crawl_run_need_seeds(w->run) : EXIT_DONE;
	if (status == EXIT_DONE && !prepare_nodes(w->run))
		status = EXIT_FAILED;
	return status == EXIT_DONE ? start_metrics(w) : status;
}

static int watch(struct watching *w)
{
	const struct cli *cli = w->run->cli;
	char why[DRIVER_WHY_MAX];
	int status;

	if (!loop_begin(&w->loop, NULL, why)) {
		cli_error("%s", why);
		return EXIT_FAILED;
	}
	w->run->on_tick = on_tick;
	w->run->on_tick_ctx = w;
	w->can_draw = !cli->quiet && cli->err_is_terminal && terminal_can_draw(STDERR_FILENO);
	uv_timer_init(&w->loop, &w->timer);
	signals_watch(&w->signals, &w->loop, on_signal, w);
	signals_watch_log(&w->signals, cli->log);
	w->signals_open = true;
	status = start(w);
	if (status == EXIT_DONE) {
		print_head(w);
		tell_wait(w);
		status = go_round(w);
	}
	if (status == EXIT_DONE)
		status = conclude(w);
	close_signals(w);
	uv_close((uv_handle_t *)&w->timer, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	uv_loop_close(&w->loop);
	crawl_metrics_stop(w->metrics);
	watch_free(w->watch);
	return status;
}

int crawl_watch(struct crawl_run *run)
{
	struct watching w = { .run = run, .began_ns = uv_hrtime() };

	return watch(&w);
}
