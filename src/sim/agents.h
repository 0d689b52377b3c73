/* agents.h: what simulated peers say of themselves: user agents with their protocol
 * versions, services and weights, as a crawl of Bitcoin in 2026 would find them. */
#ifndef PEERWALK_SIM_AGENTS_H
#define PEERWALK_SIM_AGENTS_H

#include <stddef.h>
#include <stdint.h>

/* Which software family an agent is drawn from. */
enum sim_family {
	SIM_FAMILY_MODERN,   /* speaks BIP 155 and 339, answers getaddr at once */
	SIM_FAMILY_OLD,      /* Bitcoin Core 0.21 and before: addr messages trickle */
	SIM_FAMILY_STEPWISE, /* protocol 70015 and before, not by the Core project */
	SIM_FAMILY_GOSSIP,   /* programs of anybody's */
	SIM_FAMILY_TUTORIAL, /* their hello says no name */
	SIM_FAMILY_COUNT,
};

struct sim_agent {
	const char *text;
	int32_t protocol;
	uint32_t weight;        /* parts of its family's sum */
	uint16_t services;      /* every node of it has these */
	uint16_t full_services; /* and those that keep the whole chain have these */
};

/* Number of the agent drawn by roll (any 64 bits) among its family. */
uint8_t sim_agent_draw(enum sim_family family, uint64_t roll);
const struct sim_agent *sim_agent_at(uint8_t number);

#endif
