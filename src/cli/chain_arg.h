/* chain_arg.h: the network that a command line means: one of the list, or a Bitcoin-like
 * chain described by --magic HEX and --port N.
 *
 * Commands that take a network put CHAIN_ARG_MAGIC and CHAIN_ARG_PORT among their rows,
 * with the offset of a `struct chain_arg` in their options struct. */
#ifndef PEERWALK_CLI_CHAIN_ARG_H
#define PEERWALK_CLI_CHAIN_ARG_H

#include "cli/cli.h"

struct chain_arg {
	const char *magic; /* NULL: not given */
	uint64_t port;     /* 0: not given */
};

/* The initializers of two rows: { CHAIN_ARG_MAGIC(offsetof(struct x_options, chain)) } */
#define CHAIN_ARG_MAGIC(at)                                                                     \
	.name = "magic", .type = OPTION_TEXT, .arg = "HEX",                                     \
	.help = "the four magic bytes of a Bitcoin-like chain that is not on the list, in the " \
		"order of the wire",                                                            \
	.offset = (at) + offsetof(struct chain_arg, magic)
#define CHAIN_ARG_PORT(at)                                                       \
	.name = "port", .type = OPTION_UINT, .arg = "N", .min = 1, .max = 65535, \
	.help = "the usual port of that chain", .offset = (at) + offsetof(struct chain_arg, port)

/* Fills *out, whose name borrows `name`: a row of the list, or with --magic and --port a
 * chain of that name, which must not be on the list. Prints what is wrong, and returns
 * an exit status. */
int chain_arg_read(const struct cli *cli, const struct chain_arg *arg, const char *name,
		   struct network *out);

#endif
