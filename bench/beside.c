/* bench_beside: how fast a crawl writes its visits into a database that is there already, while
 * others may be reading it.
 *
 *     bench_beside FILE SECONDS
 *
 * A crawl of the network of the newest one, of peers that are known and of new ones; it stays in
 * the file. Prints visits a second. */
#include "tool.h"

#include "base/hash.h"
#include "store/writer.h"

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
	start = seconds_of(CLOCK_MONOTONIC);
	/* A full queue makes us wait: what has been taken is as good as written. */
	for (; count % 256 != 0 || seconds_of(CLOCK_MONOTONIC) - start < seconds; count++) {
		struct record r =
			made_visit(count, netaddr_ipv4((uint32_t)random_mix(count + 1), 8333),
				   crawl.started_at_ms);

		store_writer_known(w, &r.addr, NULL, r.started_at_ms);
		store_writer_visit(w, &r);
	}
	check(store_writer_stop(w) == ERR_OK, "writer", store_why(s));
	printf("%.0f\n", (double)count / (seconds_of(CLOCK_MONOTONIC) - start));
	store_close(s);
	return 0;
}
