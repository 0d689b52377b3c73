/* fork_arg.h: --fork, the Ethereum chain that a command line means: one that is known by name,
 * or GENESIS:FORK,FORK,... with the hash of its first block and the forks that it went through. */
#ifndef PEERWALK_CLI_FORK_ARG_H
#define PEERWALK_CLI_FORK_ARG_H

#include "cli/cli.h"
#include "proto/ethereum/forkid.h"

enum {
	/* The rules of the genesis, and those after each fork. */
	FORK_ARG_HASHES_MAX = ETHEREUM_FORKS_MAX + 1,
	FORK_ARG_NAMES_MAX = 128,
};

struct fork_arg {
	struct ethereum_chain chain; /* without a network id if it was described */
};

/* The rest of a row for the field of that offset, a const char *. */
#define FORK_ARG_ROW(at, help_)                                                           \
	.name = "fork", .type = OPTION_TEXT, .arg = "CHAIN", .help = help_ FORK_ARG_FORM, \
	.offset = (at), .choices = "mainnet sepolia holesky hoodi"
#define FORK_ARG_FORM                                                                         \
	": mainnet, sepolia, holesky, hoodi or GENESIS:FORK,FORK,..., the hash of its first " \
	"block and its forks in order, blocks or times"

/* ERR_NOT_FOUND: no chain of that name; ERR_SYNTAX, ERR_VALUE, ERR_LIMIT: *rule says in static
 * text what was expected. Forks at the genesis, and several at one place, are one or none, as
 * in EIP-2124. */
enum err fork_arg_parse(const char *text, struct fork_arg *out, const char **rule);
/* "mainnet, sepolia, ..." */
void fork_arg_names(char out[static FORK_ARG_NAMES_MAX]);
/* The fork hashes of nodes on that chain, whatever fork they have come to; how many. */
size_t fork_arg_hashes(const struct ethereum_chain *chain,
		       uint8_t out[static FORK_ARG_HASHES_MAX][4]);

#endif
