/* bench_addr: how fast a full addr and addrv2 are decoded and stepped through, as a share
 * of what the checksum of the same bytes takes, which no reader of Bitcoin can go without, and
 * beside a copy of them.
 *
 *     bench_addr [--json] [ROUNDS]
 */
#include "figure.h"

#include "base/hash.h"
#include "proto/bitcoin/messages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COUNT = BITCOIN_ADDR_MAX, BYTES_MAX = 64 * 1024 };

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Of a reply of Core's: half IPv4, a quarter IPv6, a quarter Tor; in v1 no Tor. */
static void fill(struct advert *adverts)
{
	struct random random = { 1 };

	for (unsigned i = 0; i < COUNT; i++) {
		struct advert *a = &adverts[i];

		*a = (struct advert){ .services = 0xc09, .last_seen_s = 1785000000 + i };
		a->addr = netaddr_ipv4((uint32_t)random_next(&random), 8333);
		if (i % 4 == 2)
			a->addr.kind = NETADDR_IPV6;
		else if (i % 4 == 3)
			a->addr.kind = NETADDR_TORV3;
		for (size_t b = 0; i % 4 >= 2 && b < netaddr_len(a->addr.kind); b++)
			a->addr.bytes[b] = (uint8_t)random_next(&random);
	}
}

/* The ports' sum, so that nothing is left out. */
static uint64_t decode(struct slice in, bool v2)
{
	struct bitcoin_addr list;
	struct reader r, entries;
	struct advert advert;
	uint64_t sum = 0;

	reader_init(&r, in);
	bitcoin_addr_decode(&r, v2, &list);
	reader_init(&entries, list.entries);
	while (bitcoin_addr_next(&entries, v2, &advert))
		sum += advert.addr.port;
	return sum;
}

static double copy_us(const uint8_t *bytes, size_t len, unsigned rounds)
{
	static uint8_t copy[BYTES_MAX];
	double start = now_us();

	for (unsigned i = 0; i < rounds; i++) {
		memcpy(copy, bytes, len);
		__asm__ volatile("" : : "r"(copy) : "memory"); /* it is wanted each time */
	}
	return (now_us() - start) / rounds;
}

static void measure(const struct advert *adverts, bool json, bool v2, unsigned rounds)
{
	static uint8_t bytes[BYTES_MAX];
	uint64_t sum = 0;
	uint8_t check[4];
	struct writer w;
	double start, decoded, floor;

	writer_init(&w, bytes, sizeof(bytes));
	bitcoin_addr_encode(&w, v2, adverts, COUNT);
	start = now_us();
	for (unsigned i = 0; i < rounds; i++)
		sum += decode(slice_of(bytes, w.len), v2);
	decoded = (now_us() - start) / rounds;
	start = now_us();
	for (unsigned i = 0; i < rounds; i++)
		bitcoin_checksum(slice_of(bytes, w.len), check);
	floor = (now_us() - start) / rounds;
	if (json) {
		figure(v2 ? "addrv2_decoded" : "addr_decoded", decoded, "us", floor);
		figure(v2 ? "addrv2_decoded_to_copy" : "addr_decoded_to_copy", decoded, "us",
		       copy_us(bytes, w.len, rounds));
		return;
	}
	printf("%s: %" PRIu64 " entries, %zu bytes: %.1f us; their checksum: %.1f us; ratio %.2f; "
	       "a copy of them: %.2f us\n",
	       v2 ? "addrv2" : "addr", sum / rounds / 8333, w.len, decoded, floor, decoded / floor,
	       copy_us(bytes, w.len, rounds));
}

int main(int argc, char **argv)
{
	static struct advert adverts[COUNT];
	bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
	unsigned rounds = argc > 1 + json ? (unsigned)strtoul(argv[1 + json], NULL, 10) : 5000;

	if (rounds == 0) {
		fprintf(stderr, "usage: bench_addr [--json] [ROUNDS]\n");
		return 2;
	}
	fill(adverts);
	measure(adverts, json, false, rounds);
	measure(adverts, json, true, rounds);
	return 0;
}
