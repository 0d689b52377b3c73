#include "sim/hosts.h"

#include "base/hash.h"

#include <math.h>

static const uint64_t all_ones = UINT64_MAX;

/* The host numbers are a permutation of the block's: multiply and fold, twice, which
 * can be run backwards. */
static uint64_t scatter(const struct sim_hosts *h, uint64_t x)
{
	unsigned half = (h->width + 1) / 2;

	for (int i = 0; i < SIM_HOSTS_ROUNDS; i++) {
		x = x * h->multiply[i] & h->mask;
		x ^= x >> half;
	}
	return x;
}

static uint64_t unscatter(const struct sim_hosts *h, uint64_t x)
{
	unsigned half = (h->width + 1) / 2;

	for (int i = SIM_HOSTS_ROUNDS - 1; i >= 0; i--) {
		x ^= x >> half;
		x = x * h->unmultiply[i] & h->mask;
	}
	return x;
}

/* The inverse of an odd number modulo 2^64: Newton's iteration doubles the right bits. */
static uint64_t inverse_odd(uint64_t a)
{
	uint64_t x = a;

	for (int i = 0; i < 6; i++)
		x *= 2 - a * x;
	return x;
}

enum err sim_hosts_init(struct sim_hosts *h, const struct cidr *range, uint64_t count,
			const uint64_t random[static SIM_HOSTS_ROUNDS])
{
	unsigned host_bits = (unsigned)netaddr_len(range->base.kind) * 8;
	uint64_t reserve = 1;

	*h = (struct sim_hosts){ .range = *range };
	if (host_bits == 0 || range->bits > host_bits)
		return ERR_VALUE;
	host_bits -= range->bits;
	h->width = host_bits < 32 ? host_bits : 32;
	h->mask = h->width == 0 ? 0 : all_ones >> (64 - h->width);
	/* Both ends stay free: network and broadcast addresses, and in 127.0.0.0/8 the
	 * first 256, where the machine's own services listen. */
	if (h->width >= 12)
		reserve = 256;
	if (h->width < 2 || count > h->mask + 1 - 2 * reserve)
		return ERR_VALUE;
	h->first = reserve;
	h->end = h->mask + 1 - reserve;
	for (int i = 0; i < SIM_HOSTS_ROUNDS; i++) {
		h->multiply[i] = random[i] | 1;
		h->unmultiply[i] = inverse_odd(h->multiply[i]);
	}
	return ERR_OK;
}

uint64_t sim_hosts_room(const struct sim_hosts *h)
{
	return h->end - h->first;
}

/* Number of a host of the range to its address. IPv6 hosts stand right behind the
 * prefix, so that they spread over many /32s, and end in ::1. */
static struct netaddr host_address(const struct sim_hosts *h, uint64_t host, uint16_t port)
{
	const struct cidr *range = &h->range;
	struct netaddr a = range->base;
	unsigned at = range->bits;

	a.port = port;
	if (a.kind == NETADDR_IPV4) {
		a.bytes[0] |= (uint8_t)(host >> 24);
		a.bytes[1] |= (uint8_t)(host >> 16);
		a.bytes[2] |= (uint8_t)(host >> 8);
		a.bytes[3] |= (uint8_t)host;
		return a;
	}
	for (unsigned i = h->width; i-- > 0; at++)
		a.bytes[at / 8] |= (uint8_t)((host >> i & 1) << (7 - at % 8));
	if (at < 128)
		a.bytes[15] |= 1;
	return a;
}

static bool address_host(const struct sim_hosts *h, const struct netaddr *addr, uint64_t *host)
{
	const struct cidr *range = &h->range;
	struct netaddr back;
	uint64_t v = 0;

	if (!cidr_contains(range, addr))
		return false;
	for (unsigned at = range->bits; at < range->bits + h->width; at++)
		v = v << 1 | (addr->bytes[at / 8] >> (7 - at % 8) & 1);
	back = host_address(h, v, 0);
	*host = v;
	return netaddr_same_host(&back, addr);
}

struct netaddr sim_hosts_address(const struct sim_hosts *h, uint64_t index, uint16_t port)
{
	uint64_t x = index + h->first;

	do
		x = scatter(h, x);
	while (x < h->first || x >= h->end);
	return host_address(h, x, port);
}

bool sim_hosts_index(const struct sim_hosts *h, const struct netaddr *addr, uint64_t *index)
{
	uint64_t x;

	if (!address_host(h, addr, &x) || x < h->first || x >= h->end)
		return false;
	do
		x = unscatter(h, x);
	while (x < h->first || x >= h->end);
	*index = x - h->first;
	return true;
}

struct netaddr sim_hosts_any(const struct sim_hosts *h, uint64_t roll, uint16_t port)
{
	return host_address(h, h->first + roll % (h->end - h->first), port);
}

static uint32_t tail_rtt_ms(uint32_t median_ms, uint32_t tail_ms, double unit)
{
	double rtt_ms = median_ms / (2 * (1 - unit));

	return rtt_ms < tail_ms ? (uint32_t)rtt_ms : tail_ms;
}

uint32_t sim_rtt_ms(uint32_t median_ms, uint32_t tail_ms, uint64_t roll)
{
	struct random r = { roll };
	double a = 1.0 - random_unit(&r), b = random_unit(&r), rtt_ms;

	if (tail_ms > 0)
		return tail_rtt_ms(median_ms, tail_ms, b);
	/* Box and Muller's way to a normal variable; 0.6 puts 90 % under 2.2 medians. */
	rtt_ms = median_ms * exp(0.6 * sqrt(-2.0 * log(a)) * cos(6.283185307179586 * b));
	if (rtt_ms > 10.0 * median_ms)
		rtt_ms = 10.0 * median_ms;
	if (rtt_ms < 1.0 && median_ms > 0)
		rtt_ms = 1.0;
	return (uint32_t)rtt_ms;
}
