/* chains.h: Ethereum's networks as data: rows for the array in proto/proto.c.
 *
 * All of them share one discovery; a name stands for where to begin, and for whose nodes are
 * wanted: "ethereum" for everybody's, the others for one chain's (forkid.h). */
#ifndef PEERWALK_PROTO_ETHEREUM_CHAINS_H
#define PEERWALK_PROTO_ETHEREUM_CHAINS_H

#include "proto/ethereum/session.h"

enum { ETHEREUM_PORT = 30303 /* go-ethereum's, for UDP and TCP */ };

extern const char *const ethereum_boot_ethereum[];
extern const char *const ethereum_boot_sepolia[];
extern const char *const ethereum_boot_holesky[];
extern const char *const ethereum_boot_hoodi[];

/* clang-format off */
#define ETHEREUM_ROW(name_, chain_)              \
	{ .name = #name_,                        \
	  .proto = &ethereum_proto,              \
	  .discovery = DISCOVERY_V4,             \
	  .default_port = ETHEREUM_PORT,         \
	  .boot_nodes = ethereum_boot_##name_,   \
	  .chain = chain_ }
#define ETHEREUM_CHAINS                          \
	ETHEREUM_ROW(ethereum, NULL),            \
	ETHEREUM_ROW(sepolia, "sepolia"),        \
	ETHEREUM_ROW(holesky, "holesky"),        \
	ETHEREUM_ROW(hoodi, "hoodi"),
/* clang-format on */

#endif
