/* chain_text.h: what is known of an Ethereum chain by its fork hash or its network id, in a few
 * words for tables. */
#ifndef PEERWALK_CLI_CHAIN_TEXT_H
#define PEERWALK_CLI_CHAIN_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* "mainnet", "sepolia, 2 forks behind" (what it would have been then), or nothing. */
void chain_text_fork(const uint8_t hash[static 4], int64_t unix_ms, char *out, size_t cap);
/* "mainnet", or nothing. Anybody may choose any number: a chain is told by its forks. */
void chain_text_network(uint64_t network_id, char *out, size_t cap);

#endif
