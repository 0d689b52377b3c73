/* made_up.h: what strangers may be like, for bench_generate: each answer is drawn from the peer's
 * number, always the same. */
#ifndef PEERWALK_BENCH_MADE_UP_H
#define PEERWALK_BENCH_MADE_UP_H

#include "base/hash.h"
#include "base/peer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
	HIDDEN_PERCENT = 6, /* of a network that can't be dialled */
	AGENTS_OWN = 3000,  /* agents with a word of their owner's own */
	TIP = 950000,
};

static const int64_t end_ms = 1780000000000;

static const struct agent {
	const char *bitcoin, *ethereum;
	unsigned weight;
} agents[] = {
	{ "/Satoshi:29.0.0/", "Geth/v1.16.4-stable-a9523b64/linux-amd64/go1.24.7", 300 },
	{ "/Satoshi:28.1.0/", "Geth/v1.16.3-stable-d818a9af/linux-amd64/go1.24.6", 220 },
	{ "/Satoshi:28.0.0/", "Nethermind/v1.34.0+d0ae9f2e/linux-x64/dotnet9.0.9", 110 },
	{ "/Satoshi:27.0.0/", "Nethermind/v1.33.1+7d5e6a8c/linux-x64/dotnet9.0.8", 90 },
	{ "/Satoshi:26.0.0/", "reth/v1.8.2-9c30bf7/x86_64-unknown-linux-gnu", 60 },
	{ "/Satoshi:25.0.0/", "besu/v25.9.0/linux-x86_64/openjdk-java-21", 60 },
	{ "/Satoshi:29.0.0/Knots:20250305/", "erigon/v3.1.0/linux-amd64/go1.24.5", 90 },
	{ "/Satoshi:24.0.1/", "Geth/v1.15.11-stable-36b2371c/linux-amd64/go1.24.2", 25 },
	{ "/Satoshi:22.0.0/", "besu/v25.7.0/linux-x86_64/openjdk-java-21", 20 },
	{ "/btcwire:0.5.0/btcd:0.24.2/", "reth/v1.6.0-d8451e5/x86_64-unknown-linux-gnu", 10 },
	{ "/bcoin:2.2.0/", "EthereumJS/0.1.0/linux/node22.17.0", 5 },
	{ "<script>alert(1)</script>", "\xe2\x80\xaeRightToLeft/v1", 1 },
};
enum { AGENTS = sizeof(agents) / sizeof(*agents) };

/* A number that belongs to a peer and a question, and to nothing else. */
static uint64_t dice(uint64_t id, uint64_t question)
{
	return random_mix(id * 0x9e3779b97f4a7c15 + question);
}

static unsigned percent(uint64_t id, uint64_t question)
{
	return (unsigned)(dice(id, question) % 100);
}

/* Which question a number of dice() answers; those of a visit add the round's number, shifted. */
enum question {
	ASK_KIND,
	ASK_LIVE,
	ASK_PORT,
	ASK_AGENT,
	ASK_OWN_WORD,
	ASK_UPGRADE,
	ASK_UPTIME,
	ASK_UP,
	ASK_OUTCOME,
	ASK_LATENCY,
	ASK_JITTER,
	ASK_SERVICES,
	ASK_LAG,
	ASK_KEY,
	QUESTIONS,
};

/* Different ones for different numbers, as the multiplier is odd; *at: the next number. */
static struct netaddr ipv4(uint64_t *at, uint16_t port)
{
	struct netaddr a;

	do
		a = netaddr_ipv4((uint32_t)(*at)++ * 2654435761U, port);
	while (!netaddr_is_routable(&a));
	return a;
}

static struct netaddr address(uint64_t id, bool ethereum, uint64_t *at)
{
	static const uint8_t prefixes[][4] = { { 0x2a, 0x01, 0x04, 0xf8 },
					       { 0x24, 0x08, 0x82, 0x07 },
					       { 0x26, 0x00, 0x17, 0x00 },
					       { 0x2a, 0x02, 0x81, 0x08 } };
	uint16_t usual = ethereum ? 30303 : 8333;
	uint16_t port =
		percent(id, ASK_PORT) < 88 ? usual : (uint16_t)(1024 + dice(id, ASK_PORT) % 60000);
	unsigned kind = percent(id, ASK_KIND);
	struct netaddr a = { .port = port };

	if (!ethereum && kind < HIDDEN_PERCENT) {
		a.kind = NETADDR_TORV3;
		for (unsigned i = 0; i < 4; i++) {
			uint64_t bits = dice(id, ASK_KEY + i * QUESTIONS);

			memcpy(a.bytes + 8 * i, &bits, sizeof(bits));
		}
		return a;
	}
	if (kind >= HIDDEN_PERCENT + 14)
		return ipv4(at, port);
	a.kind = NETADDR_IPV6;
	memcpy(a.bytes, prefixes[id % 4], 4);
	for (unsigned i = 0; i < 8; i++)
		a.bytes[8 + i] = (uint8_t)(id >> (8 * (7 - i)));
	a.bytes[5] = (uint8_t)dice(id, ASK_KEY);
	return a;
}

static uint8_t pick_agent(uint64_t id)
{
	unsigned all = 0, at;

	for (unsigned i = 0; i < AGENTS; i++)
		all += agents[i].weight;
	at = (unsigned)(dice(id, ASK_AGENT) % all);
	for (unsigned i = 0; i < AGENTS; i++) {
		if (at < agents[i].weight)
			return (uint8_t)i;
		at -= agents[i].weight;
	}
	return 0;
}

static enum outcome miss(uint64_t id, uint64_t round)
{
	unsigned n = percent(id, ASK_OUTCOME);

	if (n < 72)
		return OUTCOME_CONNECT_TIMEOUT;
	if (n < 82)
		return OUTCOME_REFUSED;
	if (n < 88)
		return OUTCOME_UNREACHABLE;
	if (n < 95)
		return percent(id, ASK_OUTCOME + round * QUESTIONS) < 60 ? OUTCOME_PEER_FULL
									 : OUTCOME_RESET;
	if (n < 97)
		return OUTCOME_MUTE;
	if (n < 98)
		return OUTCOME_HANDSHAKE_TIMEOUT;
	return n < 99 ? OUTCOME_WRONG_NETWORK : OUTCOME_PROTOCOL_ERROR;
}

/* The agent's text: its own until it is upgraded. */
static size_t agent_text(bool ethereum, uint64_t id, unsigned agent, char out[256])
{
	const char *text = ethereum ? agents[agent].ethereum : agents[agent].bitcoin;
	uint64_t own = dice(id, ASK_OWN_WORD);

	if (!ethereum && own % 100 < 4)
		return (size_t)snprintf(out, 256, "/Satoshi:29.0.0(node-%llu)/",
					(unsigned long long)(own / 100 % AGENTS_OWN));
	return (size_t)snprintf(out, 256, "%s", text);
}

static uint64_t services_of(bool ethereum, uint64_t id)
{
	static const uint64_t sets[] = {
		0xc09, 0xc09, 0xc09, 0xc08, 0x409, 0x40d, 0xc49, 0x8000409
	};

	return ethereum ? 0 : sets[dice(id, ASK_SERVICES) % (sizeof(sets) / sizeof(*sets))];
}

static int64_t height_of(uint64_t id, int64_t at_ms)
{
	int64_t tip = TIP - (end_ms - at_ms) / (10 * 60 * 1000);
	unsigned lag = percent(id, ASK_LAG);

	return lag < 93 ? tip - (int64_t)(lag % 2) : tip - (int64_t)(dice(id, ASK_LAG) % 100000);
}

static int latency_ms(uint64_t id, uint64_t round)
{
	double u = (double)(dice(id, ASK_LATENCY) % 10000 + 1) / 10001;
	/* Log-normal, near enough: the middle at 90 ms, a few over a second. */
	double base = 90 * exp(0.9 * log(u / (1 - u)) / 1.7);
	unsigned jitter = (unsigned)(dice(id, ASK_JITTER + round * QUESTIONS) % 20);

	return base > 4800 ? 4800 : (int)base + (int)jitter;
}

#endif
