/* bench_census: how long the answers about peers take (docs/api.md), over all of a database that
 * bench_generate has made, and what the census takes in memory.
 *
 *     bench_census FILE [MMDB...]
 *
 * Answers are whole ones: the pass over the table, the rows from the store, the JSON. The CPU's
 * time says what they take where others run, too. */
#include "web/api_peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TIMES = 40 };

static const char *const targets[] = {
	"/api/v1/peers",
	"/api/v1/peers?limit=1000",
	"/api/v1/peers?reached=yes&sort=uptime",
	"/api/v1/peers?sort=latency&order=desc",
	"/api/v1/peers?sort=agent",
	"/api/v1/peers?sort=address",
	"/api/v1/peers?network=bitcoin&outcome=ok&service=0,3&protocol=70016",
	"/api/v1/peers?q=satoshi",
	"/api/v1/peers?q=85.1",
	"/api/v1/peers?q=2a01:4f8",
	"/api/v1/peers?q=fe",
	"/api/v1/peers?q=abcd",
	"/api/v1/peers?q=nobody-has-this",
	"/api/v1/peers?country=DE&reached=yes",
	"/api/v1/facets",
	"/api/v1/facets?top=1000",
	"/api/v1/facets?reached=yes&q=2",
	"/api/v1/map",
	"/api/v1/map?reached=yes",
};

static double now_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void check(bool ok, const char *what, const char *why)
{
	if (ok)
		return;
	fprintf(stderr, "bench_census: %s: %s\n", what, why);
	exit(1);
}

static int by_size(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static void measure(const struct api_peers *api, struct store *store, const char *target)
{
	struct http_request *q = http_request_new(target);
	double ms[TIMES], cpu[TIMES];
	size_t bytes = 0;

	check(q != NULL, target, "no request");
	for (unsigned i = 0; i < TIMES; i++) {
		struct http_response r = { 0 };
		double begin = now_ms(CLOCK_MONOTONIC), busy = now_ms(CLOCK_THREAD_CPUTIME_ID);

		check(api_peers(api, store, q, &r) && r.status == 0, target,
		      r.body.data != NULL ? r.body.data : "no answer");
		ms[i] = now_ms(CLOCK_MONOTONIC) - begin;
		cpu[i] = now_ms(CLOCK_THREAD_CPUTIME_ID) - busy;
		bytes = r.body.len;
		text_clear(&r.body);
	}
	qsort(ms, TIMES, sizeof(*ms), by_size);
	qsort(cpu, TIMES, sizeof(*cpu), by_size);
	printf("  %-68s %7.1f %7.1f %7.1f %8zu\n", target, cpu[TIMES / 2], ms[TIMES / 2],
	       ms[TIMES * 95 / 100], bytes);
	fflush(stdout);
	http_request_free(q);
}

static void load(struct census *census, struct store *store)
{
	struct census_network networks[16];
	double begin = now_ms(CLOCK_MONOTONIC), busy = now_ms(CLOCK_THREAD_CPUTIME_ID);
	double first, cpu, again;
	uint64_t peers = 0;
	size_t count;

	check(census_refresh(census, store, 0) == ERR_OK, "refresh", store_why(store));
	first = now_ms(CLOCK_MONOTONIC) - begin;
	cpu = now_ms(CLOCK_THREAD_CPUTIME_ID) - busy;
	begin = now_ms(CLOCK_MONOTONIC);
	check(census_refresh(census, store, 0) == ERR_OK, "refresh", store_why(store));
	again = now_ms(CLOCK_MONOTONIC) - begin;
	count = census_networks(census, networks, 16);
	for (size_t i = 0; i < count && i < 16; i++)
		peers += networks[i].peers;
	check(peers > 0, "census", "nobody is in this database");
	printf("  %llu peers: read in %.1f s (%.1f s of CPU), looked at again in %.2f ms\n",
	       (unsigned long long)peers, first / 1e3, cpu / 1e3, again);
	printf("  %.1f MB, %.1f bytes a peer\n", (double)census_bytes(census) / 1e6,
	       (double)census_bytes(census) / (double)peers);
}

/* Somebody who was known from the beginning, and what became of him. */
static void measure_one(const struct api_peers *api, struct store *store)
{
	struct census_filter filter = CENSUS_FILTER_ANY;
	struct census_page page = { .sort = CENSUS_BY_FIRST, .reverse = true, .limit = 1 };
	struct census_found found;
	char target[64];
	int64_t id = 0;

	filter.reached = 1;
	check(census_find(api->census, &filter, &page, &id, &found) == ERR_OK && found.count == 1,
	      "census", "nobody was reached");
	snprintf(target, sizeof(target), "/api/v1/peers/%lld", (long long)id);
	measure(api, store, target);
	snprintf(target, sizeof(target), "/api/v1/peers/%lld/history", (long long)id);
	measure(api, store, target);
}

int main(int argc, char **argv)
{
	char why[GEO_WHY_MAX];
	struct api_peers api = { 0 };
	struct census *census;
	struct store *store;
	struct geo *geo = NULL;

	check(argc > 1, "usage", "bench_census FILE [MMDB...]");
	check(store_open(argv[1], STORE_READ, &store, why, sizeof(why)) == ERR_OK, argv[1], why);
	if (argc > 2)
		check(geo_open((const char *const *)argv + 2, (size_t)argc - 2, NULL, &geo, why) ==
			      ERR_OK,
		      argv[2], why);
	check(census_new(geo, &census) == ERR_OK, "census", "out of memory");
	load(census, store);
	api.census = census;
	api.geo = geo;
	printf("  %-68s %7s %7s %7s %8s\n", "", "CPU ms", "ms", "95 % ms", "bytes");
	for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++)
		measure(&api, store, targets[i]);
	measure_one(&api, store);
	census_free(census);
	geo_close(geo);
	store_close(store);
	return 0;
}
