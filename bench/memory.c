/* memory.c: what a known address takes, and a connection in flight, as the allocator counts it: all
 * that is held between the beginning and the worst moment, the crawl's fixed part included.
 *
 * usage: bench_memory [--json] [LARGEST]
 *
 * Addresses: spread over all of IPv4, named a thousand at a time while 2,000 visits at a time go
 * on. All are silent, so that each waits for its second try as well. Connections: as many as
 * descriptors allow, up to 2,000, to a listener of our own that never says a word; and to one that
 * begins a message that it never ends. */
#include "figure.h"

#include "io/driver.h"
#include "io/limits.h"
#include "proto/bitcoin/messages.h"

#include <malloc.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NAMED = 1000, CONCURRENCY = 2000 };

static size_t allocated(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* --- addresses --- */

struct addresses {
	struct crawl *crawl;
	uint64_t named, count;
	size_t before, worst;
	uint32_t ids[CONCURRENCY];
	struct advert adverts[NAMED];
	enum crawl_verdict verdicts[NAMED];
};

static void look(struct addresses *a)
{
	size_t now = allocated() - a->before;

	if (now > a->worst)
		a->worst = now;
}

/* Address number i of all that can be routed, in a mixed order; few repeat. */
static struct netaddr address(uint64_t i)
{
	return netaddr_ipv4((uint32_t)random_mix(i), 8333);
}

static void name_some(struct addresses *a)
{
	struct crawl_stats stats;
	uint32_t taken = 0;

	for (size_t i = 0; i < NAMED; i++)
		a->adverts[i].addr = address(a->named++);
	crawl_add_named(a->crawl, a->adverts, NAMED, &taken, a->verdicts);
	crawl_stats(a->crawl, &stats);
	a->count = stats.known;
}

/* As many as may be in flight, all in vain. False: nobody is left. */
static bool try_some(struct addresses *a)
{
	struct crawl_dial next;
	uint64_t until;
	size_t n = 0;

	while (n < CONCURRENCY && crawl_next(a->crawl, 1, &next, &until) == CRAWL_DIAL)
		a->ids[n++] = next.id;
	look(a);
	for (size_t i = 0; i < n; i++)
		crawl_finish(a->crawl, a->ids[i], OUTCOME_CONNECT_TIMEOUT, false);
	return n > 0;
}

/* Bytes an address; 0: out of memory. */
static double measure_addresses(uint64_t count)
{
	const struct crawl_config config = {
		.concurrency = CONCURRENCY,
		.patience = { .connect_ms = 5000, .answer_ms = 10000 },
		.key = { 1, 2 },
	};
	struct addresses *a = calloc(1, sizeof(*a));
	double bytes = 0;

	if (a == NULL)
		return 0;
	a->before = allocated();
	if (crawl_new(&config, 1, &a->crawl) == ERR_OK) {
		while (a->count < count) {
			name_some(a);
			/* Faster than they are tried, as it is when a crawl begins. */
			if (a->named % (4 * CONCURRENCY) == 0)
				try_some(a);
			look(a);
		}
		while (try_some(a))
			;
		bytes = (double)a->worst / (double)a->count;
		crawl_free(a->crawl);
	}
	free(a);
	return bytes;
}

/* --- connections --- */

struct flights {
	struct driver *driver;
	int listener;
	uint32_t count;
	bool begun; /* a message that has no end */
	size_t before, worst;
	unsigned quiet; /* ticks with all of them in flight */
};

static void on_known(void *ctx, const struct netaddr *addr, const struct advert *advert,
		     int64_t unix_ms)
{
	(void)ctx;
	(void)addr;
	(void)advert;
	(void)unix_ms;
}

static void on_visit(void *ctx, const struct record *record, bool final)
{
	(void)ctx;
	(void)record;
	(void) final;
}

/* The first bytes of a message of the network's, and no more. */
static void begin_messages(struct flights *f)
{
	const struct network *network = network_find("bitcoin");
	uint8_t bytes[64];
	struct writer w;
	int fd;

	writer_init(&w, bytes, sizeof(bytes));
	bitcoin_message_begin(&w);
	memcpy(bytes, network->magic, sizeof(network->magic));
	memcpy(bytes + 4, "version", 7);
	bytes[16] = 100; /* of its payload, none of which comes */
	while ((fd = accept4(f->listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		if (write(fd, bytes, w.len) < 0)
			perror("write"); /* and it stays open until the process ends */
	}
}

static void on_tick(void *ctx, struct driver *driver)
{
	struct flights *f = ctx;
	struct crawl_stats stats;
	struct driver_totals totals;
	size_t now = allocated() - f->before;

	driver_stats(driver, &stats, &totals);
	if (f->begun)
		begin_messages(f);
	if (now > f->worst)
		f->worst = now;
	f->quiet += stats.in_flight >= f->count;
	if (f->quiet >= 5)
		driver_stop(driver, true);
}

static bool listen_somewhere(struct flights *f, uint16_t *port)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_addr = { .s_addr = htonl(INADDR_ANY) } };
	socklen_t len = sizeof(any);

	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (f->listener < 0 ||
	    setsockopt(f->listener, SOL_SOCKET, SO_BINDTODEVICE, "lo", sizeof("lo")) != 0 ||
	    bind(f->listener, (struct sockaddr *)&any, len) != 0 ||
	    listen(f->listener, 4096) != 0 ||
	    getsockname(f->listener, (struct sockaddr *)&any, &len) != 0) {
		perror("a listener on loopback");
		return false;
	}
	*port = ntohs(any.sin_port);
	return true;
}

/* Bytes a connection; 0: it can't be measured here. */
static double measure_connections(bool begun)
{
	struct flights f = { .begun = begun };
	struct driver_config config = {
		.visit = { .session = { .network = network_find("bitcoin"),
					.goal = SESSION_GOAL_PEERS,
					.agent = slice_text("/peerwalk:bench/"),
					.timeout_ms = 20000 },
			   .connect_timeout_ms = 5000 },
		.crawl = { .allow_private = true, .key = { 1, 2 } },
		.threads = 1,
		.on_known = on_known,
		.on_visit = on_visit,
		.on_tick = on_tick,
		.ctx = &f,
	};
	char why[DRIVER_WHY_MAX];
	uint64_t limit;
	uint16_t port;
	double bytes;

	f.count = driver_fit_concurrency(begun ? CONCURRENCY / 2 : CONCURRENCY, 1, &limit);
	if (begun && f.count > limit / 3)
		f.count = (uint32_t)limit / 3; /* both ends are ours */
	if (f.count == 0 || !listen_somewhere(&f, &port))
		return 0;
	config.crawl.concurrency = f.count;
	if (driver_new(&config, &f.driver, why) != ERR_OK) {
		fprintf(stderr, "%s\n", why);
		return 0;
	}
	for (uint32_t i = 0; i < f.count; i++)
		driver_seed(f.driver,
			    &(struct advert){ .addr = netaddr_ipv4(
						      0x7f000001 + ((i % 256) << 16) + i, port) });
	f.before = allocated();
	driver_run(f.driver);
	bytes = (double)f.worst / f.count;
	driver_free(f.driver);
	close(f.listener);
	return bytes;
}

int main(int argc, char **argv)
{
	bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
	unsigned long largest = argc > 1 + json ? strtoul(argv[1 + json], NULL, 10) : 10000000;
	double mute = measure_connections(false), begun = measure_connections(true);
	char name[64];

	if (json) {
		figure("connection_bytes", mute, "B", 0);
		figure("connection_held_bytes", begun, "B", 0);
	} else {
		printf("  a connection in flight: %.0f bytes, %.0f with an unfinished message\n",
		       mute, begun);
	}
	for (unsigned long count = 1000000; count <= largest; count *= 10) {
		double bytes = measure_addresses(count);

		snprintf(name, sizeof(name), "address_bytes_%lu", count);
		if (json)
			figure(name, bytes, "B", 0);
		else
			printf("  an IPv4 address of %lu: %.2f bytes\n", count, bytes);
		fflush(stdout);
	}
	return mute > 0 && begun > 0 ? 0 : 1;
}
