/* crawl: walks a network and prints a line for each peer that was reached.
 *
 *     crawl NETWORK [--local] [--db FILE] [SEED ...]
 *     cc crawl.c $(pkg-config --cflags --libs peerwalk) -o crawl
 *
 * Without seeds the network's DNS seeds are asked. --local is for peers on this machine:
 * it allows private addresses. Ctrl-C ends it early. */
#include <peerwalk.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static struct pw_crawl *crawl; /* for the signal handler */

static void on_signal(int number)
{
	(void)number;
	pw_crawl_stop(crawl);
}

static void on_visit(void *ctx, const struct pw_visit *visit)
{
	(void)ctx;
	if (visit->reached)
		printf("%s\t%s\t%" PRId32 " ms\t%s\n", visit->peer, pw_outcome_name(visit->outcome),
		       visit->handshake_ms, visit->info->agent);
}

static void on_progress(void *ctx, const struct pw_stats *stats)
{
	(void)ctx;
	fprintf(stderr, "\r%" PRIu64 " known, %" PRIu64 " visited, %" PRIu64 " reached ",
		stats->known, stats->visited, stats->reached);
}

static int fail(const char *what)
{
	fprintf(stderr, "crawl: %s\n", what);
	return 1;
}

int main(int argc, char **argv)
{
	struct pw_crawl_config config = { .size = sizeof(config) };
	struct pw_stats stats = { .size = sizeof(stats) };
	int first = 2;
	enum pw_err err;

	if (argc < 2 || (config.network = pw_network_find(argv[1])) == NULL)
		return fail("expected NETWORK [--local] [--db FILE] [SEED ...]");
	if (first < argc && strcmp(argv[first], "--local") == 0) {
		config.allow_private = true;
		first++;
	}
	if (first + 1 < argc && strcmp(argv[first], "--db") == 0) {
		config.database = argv[first + 1];
		first += 2;
	}
	config.dns_seeds = first == argc;
	config.on_visit = on_visit;
	config.on_progress = on_progress;

	err = pw_crawl_new(&config, &crawl);
	if (err != PW_OK)
		return fail(pw_err_text(err));
	for (int i = first; i < argc && err == PW_OK; i++)
		err = pw_crawl_add_seed(crawl, argv[i]);
	if (err == PW_OK) {
		signal(SIGINT, on_signal);
		err = pw_crawl_run(crawl);
		signal(SIGINT, SIG_DFL);
		fputc('\n', stderr);
	}
	if (err != PW_OK)
		fail(pw_crawl_why(crawl));

	pw_crawl_stats(crawl, &stats);
	fprintf(stderr, "%" PRIu64 " known, %" PRIu64 " visited, %" PRIu64 " reached%s\n",
		stats.known, stats.visited, stats.reached, stats.complete ? "" : " so far");
	pw_crawl_free(crawl);
	return err == PW_OK && stats.reached > 0 ? 0 : 1;
}
