/* hosts.h: how the members of a simulated network are spread over a block of addresses.
 *
 * Member number i gets a host of the block by a permutation that can be run backwards, so that
 * no table of addresses is kept. Both ends of the block stay free. How far away a member is
 * stands here as well. */
#ifndef PEERWALK_SIM_HOSTS_H
#define PEERWALK_SIM_HOSTS_H

#include "base/netaddr.h"

enum { SIM_HOSTS_ROUNDS = 2 };

struct sim_hosts {
	/* private */
	struct cidr range;
	/* Host numbers are `width` bits wide; those of the network lie in [first, end). */
	unsigned width;
	uint64_t first, end, mask;
	uint64_t multiply[SIM_HOSTS_ROUNDS], unmultiply[SIM_HOSTS_ROUNDS];
};

/* random: numbers that decide about the order. ERR_VALUE if the range has no room for count. */
enum err sim_hosts_init(struct sim_hosts *h, const struct cidr *range, uint64_t count,
			const uint64_t random[static SIM_HOSTS_ROUNDS]);
/* How many members there is room for. */
uint64_t sim_hosts_room(const struct sim_hosts *h);
/* The address of member `index` < sim_hosts_room(). */
struct netaddr sim_hosts_address(const struct sim_hosts *h, uint64_t index, uint16_t port);
/* The reverse, whatever the port; false for an address that is nobody's. */
bool sim_hosts_index(const struct sim_hosts *h, const struct netaddr *addr, uint64_t *index);
/* Any address of the block, by a random number: somebody's or nobody's. */
struct netaddr sim_hosts_any(const struct sim_hosts *h, uint64_t roll, uint16_t port);

/* The round trip to somebody in a network with that median, by a random number: log-normal, most
 * near the median, a few far away, as on the real Internet; at most ten times the median. With
 * a tail there is one in n beyond n medians (Pareto's distribution, of index 1: it has no mean),
 * but nobody beyond tail_ms. */
uint32_t sim_rtt_ms(uint32_t median_ms, uint32_t tail_ms, uint64_t roll);

#endif
