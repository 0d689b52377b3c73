/* chains.h: Bitcoin's networks as data: rows for the array in proto/proto.c.
 *
 * Source of every figure: Bitcoin Core's src/kernel/chainparams.cpp as of August 2026.
 * Signet's magic is the start of the double SHA-256 of the default challenge (BIP 325).
 * Seeds are bare names; those that filter by service bits (all here do) may also be
 * asked as x9.NAME, for NETWORK and WITNESS. Regtest is for one machine: no seeds. */
#ifndef PEERWALK_PROTO_BITCOIN_CHAINS_H
#define PEERWALK_PROTO_BITCOIN_CHAINS_H

#include "proto/bitcoin/session.h"

/* clang-format off */
#define BITCOIN_CHAINS                                                                             \
	{ .name = "bitcoin",                                                                       \
	  .proto = &bitcoin_proto,                                                                 \
	  .default_port = 8333,                                                                    \
	  .magic = { 0xf9, 0xbe, 0xb4, 0xd9 },                                                     \
	  .dns_seeds = { "dnsseed.bluematt.me", "seed.bitcoin.jonasschnelli.ch",                   \
			 "seed.btc.petertodd.net", "seed.bitcoin.sprovoost.nl",                    \
			 "dnsseed.emzy.de", "seed.bitcoin.wiz.biz",                                \
			 "seed.mainnet.achownodes.xyz" } },                                        \
	{ .name = "bitcoin-testnet3",                                                              \
	  .proto = &bitcoin_proto,                                                                 \
	  .default_port = 18333,                                                                   \
	  .magic = { 0x0b, 0x11, 0x09, 0x07 },                                                     \
	  .dns_seeds = { "testnet-seed.bitcoin.jonasschnelli.ch", "seed.tbtc.petertodd.net",       \
			 "testnet-seed.bluematt.me", "seed.testnet.achownodes.xyz" } },            \
	{ .name = "bitcoin-testnet4", /* BIP 94 */                                                 \
	  .proto = &bitcoin_proto,                                                                 \
	  .default_port = 48333,                                                                   \
	  .magic = { 0x1c, 0x16, 0x3f, 0x28 },                                                     \
	  .dns_seeds = { "seed.testnet4.bitcoin.sprovoost.nl", "seed.testnet4.wiz.biz" } },        \
	{ .name = "bitcoin-signet", /* BIP 325 */                                                  \
	  .proto = &bitcoin_proto,                                                                 \
	  .default_port = 38333,                                                                   \
	  .magic = { 0x0a, 0x03, 0xcf, 0x40 },                                                     \
	  .dns_seeds = { "seed.signet.bitcoin.sprovoost.nl", "seed.signet.achownodes.xyz" } },     \
	{ .name = "bitcoin-regtest",                                                               \
	  .proto = &bitcoin_proto,                                                                 \
	  .default_port = 18444,                                                                   \
	  .magic = { 0xfa, 0xbf, 0xb5, 0xda } },
/* clang-format on */

#endif
