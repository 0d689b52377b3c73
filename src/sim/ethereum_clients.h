/* ethereum_clients.h: what simulated Ethereum nodes run: the names that clients give themselves
 * in Hello, with weights and capabilities, as a crawl in 2026 would find them. */
#ifndef PEERWALK_SIM_ETHEREUM_CLIENTS_H
#define PEERWALK_SIM_ETHEREUM_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>

struct sim_client {
	const char *name;
	uint32_t weight; /* parts of the sum */
	bool strict;     /* names only nodes that have answered it */
	/* Versions of eth that it speaks, 0: none. */
	uint8_t eth_first, eth_last;
	bool snap;             /* snap/1 */
	const char *extra;     /* a capability of its own, or NULL ... */
	uint8_t extra_version; /* ... in this version */
};

/* Number of the client drawn by roll (any 64 bits). */
uint8_t sim_client_draw(uint64_t roll);
const struct sim_client *sim_client_at(uint8_t number);

#endif
