#include "sim/ethereum_clients.h"

#include <stddef.h>

/* The shares are rounded guesses in the spirit of public node counts of 2026: half are Geth,
 * Nethermind is next, and forks of Geth that serve other chains share the same network. The odd
 * rows at the end are what strangers really put into that field. */
/* clang-format off */
static const struct sim_client clients[] = {
	{ "Geth/v1.17.2-stable-4c1d8a05/linux-amd64/go1.26.1", 120, true, 69, 70, true, NULL, 0 },
	{ "Geth/v1.17.1-stable-be5f3a7e/linux-amd64/go1.26.0", 90, true, 69, 70, true, NULL, 0 },
	{ "Geth/v1.17.0-stable-0cf3d3ba/linux-arm64/go1.25.5", 30, true, 68, 70, true, NULL, 0 },
	{ "Geth/v1.16.9-stable-9f42c6d2/linux-amd64/go1.25.5", 60, true, 68, 69, true, NULL, 0 },
	{ "Geth/v1.16.7-stable-b9f3a3d9/linux-amd64/go1.25.1", 50, true, 68, 69, true, NULL, 0 },
	{ "Geth/v1.15.11-stable-36b2371c/linux-amd64/go1.24.2", 25, true, 68, 68, true, NULL, 0 },
	{ "Geth/mynode/v1.14.12-stable-293a300d/windows-amd64/go1.23.2", 12, true, 68, 68, true,
	  NULL, 0 },
	{ "Geth/v1.13.15-stable-c5ba367e/linux-amd64/go1.21.6", 10, true, 67, 68, true, NULL, 0 },
	{ "Geth/v1.10.26-stable-e5eb32ac/linux-amd64/go1.18.5", 4, true, 66, 67, true, NULL, 0 },
	{ "Nethermind/v1.36.2+3b1b6f8d/linux-x64/dotnet10.0.3", 90, false, 68, 69, true, NULL, 0 },
	{ "Nethermind/v1.35.8+e1c4a9b7/linux-x64/dotnet10.0.1", 70, false, 68, 69, true, NULL, 0 },
	{ "Nethermind/v1.32.4+1a29c3ba/linux-arm64/dotnet9.0.7", 25, false, 67, 69, true,
	  "nodedata", 1 },
	{ "Nethermind/v1.25.4+20b10b35/linux-x64/dotnet8.0.2", 8, false, 66, 68, true,
	  "nodedata", 1 },
	{ "besu/v26.4.0/linux-x86_64/openjdk-java-21", 55, false, 68, 69, true, NULL, 0 },
	{ "besu/v25.12.0/linux-x86_64/openjdk-java-21", 45, false, 68, 69, true, NULL, 0 },
	{ "besu/v24.12.2/linux-aarch_64/openjdk-java-21", 10, false, 66, 68, true, NULL, 0 },
	{ "erigon/v3.3.3/linux-amd64/go1.25.4", 45, true, 68, 69, false, NULL, 0 },
	{ "erigon/v3.0.15-3d9ae8c1/linux-amd64/go1.24.5", 25, true, 67, 68, false, NULL, 0 },
	{ "reth/v1.11.0-1a3b2c4d/x86_64-unknown-linux-gnu", 70, false, 66, 70, false, NULL, 0 },
	{ "reth/v1.9.3-27a8c0f5/x86_64-unknown-linux-gnu", 50, false, 66, 69, false, NULL, 0 },
	{ "Geth/v1.6.4-de0ed0ed/linux-amd64/go1.25.5", 40, true, 68, 68, true, "bsc", 1 },
	{ "bor/v2.5.3-5b2d1f0a/linux-amd64/go1.24.9", 25, true, 68, 69, true, NULL, 0 },
	{ "coregeth/v1.12.20-stable-c2fb4412/linux-amd64/go1.21.10", 12, true, 66, 68, true, NULL,
	  0 },
	{ "ethereumjs/v0.10.0/linux/nodejs", 4, false, 66, 68, false, NULL, 0 },
	{ "opera/v1.1.3-rc.5", 4, true, 0, 0, false, "opera", 64 },
	{ "Gwat/v0.9.0", 2, true, 0, 0, false, "wat", 2 },
	{ "Geth/\xe2\x9a\xa1 home/v1.17.1-stable-be5f3a7e/linux-amd64/go1.26.0", 1, true, 69, 70,
	  true, NULL, 0 },
	{ "Geth/a, \"b\"/v1.17.1-stable/linux-amd64/go1.26.0", 1, true, 69, 70, true, NULL, 0 },
	{ "=1+1 Geth/v1.17.1", 1, true, 69, 70, true, NULL, 0 },
	{ "Geth/\x1b[31mred\r\n/v1.17.1", 1, true, 69, 70, true, NULL, 0 },
	{ "", 1, false, 68, 68, false, NULL, 0 },
};
/* clang-format on */

enum { COUNT = sizeof(clients) / sizeof(*clients) };

uint8_t sim_client_draw(uint64_t roll)
{
	uint64_t sum = 0;
	uint8_t i = 0;

	for (size_t k = 0; k < COUNT; k++)
		sum += clients[k].weight;
	roll %= sum;
	for (; roll >= clients[i].weight; i++)
		roll -= clients[i].weight;
	return i;
}

const struct sim_client *sim_client_at(uint8_t number)
{
	return &clients[number];
}
