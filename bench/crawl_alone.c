/* crawl_alone.c: what a visit costs the crawler itself as the network grows: session, checksum,
 * crawl, without sockets, store, or the simulated peer. The peers' bytes are made beside the clock;
 * that they are new each time, and come from cold memory, is as it is with real ones.
 *
 * Everybody is known before the first visit: so it is in a crawl but for its first seconds, and so
 * a network of any size is measured by as many visits.
 *
 * usage: bench_crawl_alone [--json] [LARGEST] */
#include "figure.h"

#include "engine/crawl.h"
#include "engine/visit.h"
#include "proto/bitcoin/messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	FIRST = 32 << 24, /* 32.0.0.0: the addresses are this one and those after it */
	RTT_MS = 50,
	VISITS_MAX = 20000, /* of any network */
	REPLY_MAX = 1000,
	NAMED = 128,
	BYTES_MAX = 64 * 1024,
};

struct bench {
	struct crawl *crawl;
	const struct network *network;
	uint32_t addresses; /* every second one is a ghost that refuses */
	struct random random;
	uint64_t now_ms;
	uint32_t taken;
	struct visit *visit;
	struct advert named[NAMED], reply[REPLY_MAX];
	enum crawl_verdict verdicts[NAMED];
	uint8_t bytes[BYTES_MAX];
	size_t hello_len, len; /* the hand-shake; and the reply */
	double peers_s, ghosts_s;
	uint64_t peers, ghosts, entries;
};

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void on_event(void *ctx, struct visit *v, struct session_event *event)
{
	struct bench *b = ctx;
	size_t count;

	(void)v;
	if (event->kind != SESSION_EVENT_ADVERTS)
		return;
	while ((count = crawl_read_named(b->crawl, b->network->proto, event, b->named, NAMED)) > 0)
		crawl_add_named(b->crawl, b->named, count, &b->taken, b->verdicts);
}

static void put_hello(struct bench *b, struct writer *w)
{
	const struct bitcoin_version v = { .protocol = BITCOIN_PROTOCOL,
					   .recv = { .addr = { .kind = NETADDR_IPV6 } },
					   .from = { .addr = { .kind = NETADDR_IPV6 } },
					   .nonce = 1,
					   .agent = slice_text("/Satoshi:29.0.0/"),
					   .has_from = true,
					   .has_height = true,
					   .has_relay = true };
	size_t mark = bitcoin_message_begin(w);

	bitcoin_version_encode(w, &v);
	bitcoin_message_end(w, mark, b->network->magic, BITCOIN_VERSION);
	mark = bitcoin_message_begin(w);
	bitcoin_message_end(w, mark, b->network->magic, BITCOIN_VERACK);
}

/* As Core answers: at most 1,000 of those it knows, and at most 23 % of them. */
static void make_reply(struct bench *b)
{
	uint32_t share = b->addresses / 100 * 23, n = share < REPLY_MAX ? share : REPLY_MAX;
	struct writer w;
	size_t mark;

	for (uint32_t i = 0; i < n; i++)
		b->reply[i].addr = netaddr_ipv4(
			FIRST + (uint32_t)random_below(&b->random, b->addresses), 8333);
	writer_init(&w, b->bytes, sizeof(b->bytes));
	put_hello(b, &w);
	b->hello_len = w.len;
	mark = bitcoin_message_begin(&w);
	bitcoin_addr_encode(&w, true, b->reply, n);
	bitcoin_message_end(&w, mark, b->network->magic, BITCOIN_ADDRV2);
	b->len = w.len;
	b->entries += n;
}

static void hear(struct bench *b, size_t from, size_t to)
{
	uint8_t out[1024];
	size_t n;

	b->now_ms += RTT_MS;
	while ((n = visit_recv(b->visit, slice_of(b->bytes + from, to - from), b->now_ms)) > 0) {
		from += n;
		while (visit_send(b->visit, out, sizeof(out)) > 0)
			;
	}
}

/* From whom to dial to what came of it. False: nobody is left. */
static bool visit_next(struct bench *b, const struct visit_config *config)
{
	struct crawl_dial next;
	struct record record;
	uint8_t out[1024];
	double start;
	uint64_t until;
	bool ghost;

	make_reply(b);
	start = cpu_seconds();
	if (crawl_next(b->crawl, b->now_ms, &next, &until) != CRAWL_DIAL)
		return false;
	ghost = (next.addr.bytes[3] & 1) != 0;
	b->taken = 0;
	visit_init(b->visit, config, &next.addr, NULL, 7, b->now_ms, 0);
	if (ghost) {
		visit_connect_failed(b->visit, OUTCOME_REFUSED, b->now_ms);
	} else {
		visit_connected(b->visit, b->now_ms);
		while (visit_send(b->visit, out, sizeof(out)) > 0)
			;
		hear(b, 0, b->hello_len);
		hear(b, b->hello_len, b->len);
		b->now_ms = visit_deadline(b->visit);
		visit_tick(b->visit, b->now_ms);
	}
	visit_record(b->visit, b->now_ms, &record);
	crawl_finish(b->crawl, next.id, record.outcome, record.reached);
	*(ghost ? &b->ghosts_s : &b->peers_s) += cpu_seconds() - start;
	*(ghost ? &b->ghosts : &b->peers) += 1;
	return ghost || record.outcome == OUTCOME_OK;
}

static void know_everybody(struct bench *b)
{
	for (uint32_t i = 0; i < b->addresses; i += NAMED) {
		size_t n = b->addresses - i < NAMED ? b->addresses - i : NAMED;

		b->taken = 0;
		for (size_t k = 0; k < n; k++)
			b->named[k].addr = netaddr_ipv4(FIRST + i + (uint32_t)k, 8333);
		crawl_add_named(b->crawl, b->named, n, &b->taken, b->verdicts);
	}
}

static void tell(const struct bench *b, bool json, uint32_t peers)
{
	double entries = (double)b->entries / (double)(b->peers + b->ghosts);
	double us = b->peers_s * 1e6 / (double)b->peers,
	       ghost_us = b->ghosts_s * 1e6 / (double)b->ghosts;
	char name[64];

	if (json) {
		snprintf(name, sizeof(name), "growth_entry_%u", peers);
		figure(name, us * 1e3 / entries, "ns", 0);
		snprintf(name, sizeof(name), "growth_ghost_%u", peers);
		figure(name, ghost_us, "us", 0);
		return;
	}
	printf("  %9u %12llu %12.1f %14.2f %12.1f %14.2f\n", peers,
	       (unsigned long long)(b->peers + b->ghosts), entries, us, us * 1e3 / entries,
	       ghost_us);
	fflush(stdout);
}

static bool crawl(struct bench *b, bool json, uint32_t peers)
{
	const struct crawl_config crawl = { .concurrency = 2000,
					    .max_visits = VISITS_MAX,
					    .key = { 1, 2 } };
	const struct visit_config visit = { .session = { .network = b->network,
							 .goal = SESSION_GOAL_PEERS,
							 .agent = slice_text("/peerwalk:bench/"),
							 .timeout_ms = 20000 },
					    .connect_timeout_ms = 5000,
					    .on_event = on_event,
					    .on_event_ctx = b };
	struct crawl_stats stats;

	b->addresses = 2 * peers;
	b->now_ms = 1;
	if (crawl_new(&crawl, b->now_ms, &b->crawl) != ERR_OK)
		return false;
	know_everybody(b);
	while (visit_next(b, &visit))
		;
	crawl_stats(b->crawl, &stats);
	crawl_free(b->crawl);
	tell(b, json, peers);
	/* Ends early where a visit ended otherwise than it must. */
	return stats.visited == (b->addresses < VISITS_MAX ? b->addresses : VISITS_MAX);
}

/* False: out of memory, or a visit that did not end as it must. */
static bool measure(bool json, uint32_t peers)
{
	const struct network *network = network_find("bitcoin");
	struct bench *b = calloc(1, sizeof(*b));
	bool good = b != NULL;

	if (good) {
		b->network = network;
		b->random = (struct random){ 5 };
		b->visit = malloc(visit_size(network));
		good = b->visit != NULL && crawl(b, json, peers);
		free(b->visit);
	}
	free(b);
	return good;
}

int main(int argc, char **argv)
{
	bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
	unsigned long largest = argc > 1 + json ? strtoul(argv[1 + json], NULL, 10) : 1000000;

	if (!json)
		printf("  %9s %12s %12s %14s %12s %14s\n", "peers", "visited", "entries", "us/peer",
		       "ns/entry", "us/ghost");
	for (uint32_t peers = 1000; peers <= largest; peers *= 10) {
		if (!measure(json, peers))
			return 1;
	}
	return 0;
}
