/* store: what a database of peerwalk holds: its crawls, and who could be reached when last asked.
 *
 *     store FILE [NETWORK]
 *     cc store.c $(pkg-config --cflags --libs peerwalk) -o store */
#include <peerwalk.h>

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static void print_day(int64_t unix_ms)
{
	time_t unix_s = (time_t)(unix_ms / 1000);
	char text[16];

	strftime(text, sizeof(text), "%Y-%m-%d", gmtime(&unix_s));
	printf("%s", text);
}

static bool on_crawl(void *ctx, const struct pw_kept_crawl *crawl)
{
	(void)ctx;
	printf("crawl %" PRId64 " of %s, ", crawl->crawl, crawl->network);
	print_day(crawl->started_at_ms);
	if (crawl->ended_at_ms == 0)
		printf(": it did not end\n");
	else
		printf(": %" PRIu64 " known, %" PRIu64 " visited, %" PRIu64 " reached\n",
		       crawl->known, crawl->visited, crawl->reached);
	return true;
}

static bool on_peer(void *ctx, const struct pw_kept_peer *peer)
{
	uint64_t *reached = ctx;

	if (!peer->reached)
		return true;
	printf("%s\t%" PRId32 " ms\t%s\t", peer->peer, peer->handshake_ms, peer->info->agent);
	print_day(peer->visited_at_ms);
	putchar('\n');
	return ++*reached < 1000000; /* a table for people */
}

int main(int argc, char **argv)
{
	const char *network = argc > 2 ? argv[2] : NULL;
	struct pw_store *store;
	uint64_t reached = 0;
	enum pw_err err;

	if (argc < 2) {
		fputs("store: expected FILE [NETWORK]\n", stderr);
		return 2;
	}
	err = pw_store_open(argv[1], &store);
	if (err == PW_OK)
		err = pw_store_crawls(store, network, on_crawl, NULL);
	if (err == PW_OK)
		err = pw_store_peers(store, network, 0, on_peer, &reached);
	if (err != PW_OK)
		fprintf(stderr, "store: %s\n",
			store != NULL ? pw_store_why(store) : pw_err_text(err));
	else
		printf("%" PRIu64 " can be reached\n", reached);
	pw_store_close(store);
	return err != PW_OK;
}
