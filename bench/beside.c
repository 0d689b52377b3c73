/* bench_beside: how fast a crawl writes its visits into a database that is there already, while
 * others may be reading it.
 *
 *     bench_beside FILE SECONDS
 *
 * A crawl of the network of the newest one, of peers that are known and of new ones; it stays in
 * the file. Prints visits a second. */
#include "base/hash.h"
#include "store/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(bool ok, const char *what, const char *why)
{
	if (ok)
		return;
	fprintf(stderr, "bench_beside: %s: %s\n", what, why);
	exit(1);
}

/* One of three answers. */
static struct record visit(uint64_t i, int64_t at_ms)
{
	struct record r = { .addr = netaddr_ipv4((uint32_t)random_mix(i + 1), 8333),
			    .started_at_ms = at_ms,
			    .outcome = OUTCOME_CONNECT_TIMEOUT,
			    .tries = 2,
			    .connect_ms = -1,
			    .version_ms = -1,
			    .handshake_ms = -1,
			    .reply_ms = -1,
			    .total_ms = 5000,
			    .info.height = -1 };

	if (i % 3 != 0)
		return r;
	r.outcome = OUTCOME_OK;
	r.reached = true;
	r.connect_ms = r.version_ms = r.handshake_ms = r.reply_ms = r.total_ms = 80;
	r.info = (struct peer_info){ .agent = slice_text("/Satoshi:29.0.0/"),
				     .has_version = true,
				     .protocol = 70016,
				     .services = 0xc09,
				     .height = 950000 };
	return r;
}

int main(int argc, char **argv)
{
	double seconds = argc == 3 ? strtod(argv[2], NULL) : 0, start;
	struct store_crawl newest, crawl = { .settings = "{}" };
	struct store_writer *w;
	struct store *s;
	uint64_t count = 0;
	char why[640];

	check(seconds > 0, "usage", "bench_beside FILE SECONDS");
	check(store_open(argv[1], STORE_WRITE, &s, why, sizeof(why)) == ERR_OK, "open", why);
	check(store_crawl_get(s, 0, NULL, &newest) == ERR_OK, "crawl", store_why(s));
	snprintf(crawl.network, sizeof(crawl.network), "%s", newest.network);
	crawl.started_at_ms = newest.started_at_ms + 3600 * 1000;
	check(store_crawl_begin(s, &crawl) == ERR_OK, "crawl", store_why(s));
	check(store_writer_start(s, &crawl, NULL, NULL, &w) == ERR_OK, "writer", "start");
	start = now_s();
	/* A full queue makes us wait: what has been taken is as good as written. */
	for (; count % 256 != 0 || now_s() - start < seconds; count++) {
		struct record r = visit(count, crawl.started_at_ms);

		store_writer_known(w, &r.addr, NULL, r.started_at_ms);
		store_writer_visit(w, &r);
	}
	check(store_writer_stop(w) == ERR_OK, "writer", store_why(s));
	printf("%.0f\n", (double)count / (now_s() - start));
	store_close(s);
	return 0;
}
