#include "sim/agents.h"

#include "proto/bitcoin/messages.h"

#include <assert.h>

enum {
	WITNESS = BITCOIN_NODE_WITNESS,
	LIMITED = BITCOIN_NODE_NETWORK_LIMITED,
	/* Bitcoin Core turned BIP 324 on by default in 27.0. */
	CORE = WITNESS | LIMITED,
	CORE_V2 = CORE | BITCOIN_NODE_P2P_V2,
	NETWORK = BITCOIN_NODE_NETWORK,
	FILTERS = BITCOIN_NODE_COMPACT_FILTERS,
	BLOOM = BITCOIN_NODE_BLOOM,
};

/* The shares are rounded guesses in the spirit of public node counts of 2026: no
 * single release dominates, Knots has a fifth, everything else is rare. The odd rows
 * at the end are what strangers really put into that field. */
static const struct sim_agent modern[] = {
	{ "/Satoshi:31.99.0/", 70017, 8, CORE_V2, NETWORK },
	{ "/Satoshi:31.0.0/", 70016, 150, CORE_V2, NETWORK },
	{ "/Satoshi:30.2.0/", 70016, 120, CORE_V2, NETWORK },
	{ "/Satoshi:30.0.0/", 70016, 70, CORE_V2, NETWORK },
	{ "/Satoshi:29.3.0/", 70016, 45, CORE_V2, NETWORK },
	{ "/Satoshi:29.2.0/", 70016, 30, CORE_V2, NETWORK },
	{ "/Satoshi:29.1.0/", 70016, 30, CORE_V2, NETWORK },
	{ "/Satoshi:29.0.0/", 70016, 70, CORE_V2, NETWORK },
	{ "/Satoshi:28.1.0/", 70016, 55, CORE_V2, NETWORK },
	{ "/Satoshi:28.0.0/", 70016, 45, CORE_V2, NETWORK },
	{ "/Satoshi:27.1.0/", 70016, 30, CORE_V2, NETWORK },
	{ "/Satoshi:27.0.0/", 70016, 30, CORE_V2, NETWORK },
	{ "/Satoshi:26.0.0/", 70016, 20, CORE, NETWORK },
	{ "/Satoshi:25.1.0/", 70016, 12, CORE, NETWORK },
	{ "/Satoshi:25.0.0/", 70016, 22, CORE, NETWORK },
	{ "/Satoshi:24.0.1/", 70016, 16, CORE, NETWORK },
	{ "/Satoshi:23.0.0/", 70016, 14, CORE, NETWORK },
	{ "/Satoshi:22.0.0/", 70016, 14, CORE, NETWORK },
	{ "/Satoshi:29.3.0/Knots:20260210/", 70016, 80, CORE_V2 | BLOOM, NETWORK },
	{ "/Satoshi:29.2.0/Knots:20251110/", 70016, 75, CORE_V2 | BLOOM, NETWORK },
	{ "/Satoshi:28.1.0/Knots:20250305/", 70016, 20, CORE_V2 | BLOOM, NETWORK },
	{ "/btcwire:0.5.0/btcd:0.24.2/", 70016, 6, WITNESS | NETWORK | FILTERS, NETWORK },
	{ "/Satoshi:28.1.0(Umbrel)/", 70016, 10, CORE_V2, NETWORK },
	{ "/Satoshi:25.0.0(FutureBit-Apollo-Node)/", 70016, 4, CORE, NETWORK },
	{ "/Satoshi:30.0.0(\xe2\x9a\xa1 n\xc5\x93ud)/", 70016, 2, CORE_V2, NETWORK },
	{ "/Satoshi:29.0.0(\"a, b\")/", 70016, 1, CORE_V2, NETWORK },
	{ "=1+1 /Satoshi:27.0.0/", 70016, 1, CORE_V2, NETWORK },
	{ "/Satoshi:30.0.0(\x1b[31mred\r\n)/", 70016, 1, CORE_V2, NETWORK },
	{ "", 70016, 1, CORE, NETWORK },
};

static const struct sim_agent old[] = {
	{ "/Satoshi:0.21.1/", 70016, 40, CORE, NETWORK },
	{ "/Satoshi:0.21.0/", 70016, 20, CORE, NETWORK },
	{ "/Satoshi:0.20.1/", 70015, 30, CORE, NETWORK },
	{ "/Satoshi:0.20.0/", 70015, 10, CORE, NETWORK },
	{ "/Satoshi:0.19.1/", 70015, 10, CORE, NETWORK },
	{ "/Satoshi:0.18.1/", 70015, 10, CORE | BLOOM, NETWORK },
	{ "/Satoshi:0.18.0/", 70015, 8, CORE | BLOOM, NETWORK },
};

static const struct sim_agent stepwise[] = {
	{ "/bcoin:2.2.0/", 70015, 40, WITNESS | NETWORK, NETWORK },
	{ "/bcoin:1.0.2/", 70015, 10, WITNESS | NETWORK, NETWORK },
	{ "/btcwire:0.5.0/btcd:0.20.1/", 70013, 20, WITNESS | NETWORK | BLOOM | FILTERS, NETWORK },
	{ "/libbitcoin:3.6.0/", 70013, 10, NETWORK, NETWORK },
	{ "/libbitcoin:4.0.0/", 70013, 10, WITNESS | NETWORK, NETWORK },
	{ "/Gocoin:1.10.0/", 70015, 10, WITNESS | NETWORK, NETWORK },
};

/* Nobody counts these: what programmers call their programs. */
static const struct sim_agent gossip[] = {
	{ "chat/1.2", 0, 30, 0, 0 },
	{ "chat/1.1", 0, 10, 0, 0 },
	{ "inventory-service 2026.11", 0, 20, 0, 0 },
	{ "/peerwalk:0.1.0/", 0, 10, 0, 0 },
	{ "R\xc3\xb6hre \"3\", lab", 0, 3, 0, 0 },
	{ "=cmd|' /C calc'!A0", 0, 1, 0, 0 },
	{ "\x1b[31mred", 0, 1, 0, 0 },
	{ "", 0, 5, 0, 0 },
};

static const struct sim_agent tutorial[] = { { "", 0, 1, 0, 0 } };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const struct sim_agent *rows;
	uint8_t count, first; /* first: its rows' numbers begin here */
} families[SIM_FAMILY_COUNT] = {
	[SIM_FAMILY_MODERN] = { modern, COUNT(modern), 0 },
	[SIM_FAMILY_OLD] = { old, COUNT(old), COUNT(modern) },
	[SIM_FAMILY_STEPWISE] = { stepwise, COUNT(stepwise), COUNT(modern) + COUNT(old) },
	[SIM_FAMILY_GOSSIP] = { gossip, COUNT(gossip),
				COUNT(modern) + COUNT(old) + COUNT(stepwise) },
	[SIM_FAMILY_TUTORIAL] = { tutorial, COUNT(tutorial),
				  COUNT(modern) + COUNT(old) + COUNT(stepwise) + COUNT(gossip) },
};

uint8_t sim_agent_draw(enum sim_family family, uint64_t roll)
{
	const struct sim_agent *rows = families[family].rows;
	uint64_t sum = 0;
	uint8_t i = 0;

	for (i = 0; i < families[family].count; i++)
		sum += rows[i].weight;
	assert(sum > 0);
	roll %= sum;
	for (i = 0; roll >= rows[i].weight; i++)
		roll -= rows[i].weight;
	return (uint8_t)(families[family].first + i);
}

const struct sim_agent *sim_agent_at(uint8_t number)
{
	for (size_t i = 0; i < SIM_FAMILY_COUNT; i++) {
		if (number < families[i].first + families[i].count)
			return &families[i].rows[number - families[i].first];
	}
	assert(!"no such agent");
	return NULL;
}
