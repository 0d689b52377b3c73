/* visit_args.h: the options that ping, peers and listen share, and what follows from them. */
#ifndef PEERWALK_CLI_VISIT_ARGS_H
#define PEERWALK_CLI_VISIT_ARGS_H

#include "cli/chain_arg.h"
#include "cli/contacts.h"
#include "cli/group_arg.h"

#include <jansson.h>

struct visit_args {
	const char *network, *group;
	struct chain_arg chain;
	uint64_t connect_timeout_ms, timeout_ms;
};

/* The initializers of rows, as in chain_arg.h; `at` is the offset of the struct. */
#define VISIT_ARGS_NETWORK(at)                                                             \
	.name = "network", .letter = 'n', .type = OPTION_TEXT, .arg = "NETWORK",           \
	.help = "the network of a peer that is written without one", .initial = "bitcoin", \
	.offset = (at) + offsetof(struct visit_args, network)
#define VISIT_ARGS_GROUP(at) GROUP_ARG_ROW((at) + offsetof(struct visit_args, group))
#define VISIT_ARGS_CONNECT_TIMEOUT(at)                                                             \
	.name = "connect-timeout", .type = OPTION_DURATION, .arg = "T", .min = 1, .initial = "5s", \
	.help = "how long to wait for a connection",                                               \
	.offset = (at) + offsetof(struct visit_args, connect_timeout_ms)
#define VISIT_ARGS_TIMEOUT(at)                                                           \
	.name = "timeout", .letter = 't', .type = OPTION_DURATION, .arg = "T", .min = 1, \
	.initial = "30s", .help = "how long the whole visit of a peer may take",         \
	.offset = (at) + offsetof(struct visit_args, timeout_ms)

/* Reads `count` peers, who may be of the group, if there is one; *chain is the network of bare
 * ones, and outlives them. Prints what is wrong, and returns an exit status. */
int visit_args_read(const struct cli *cli, const struct visit_args *a, char **args, unsigned count,
		    struct network *chain, struct peer_arg *peers);
void visit_args_config(const struct visit_args *a, enum session_goal goal,
		       struct visit_config *out);

/* {"peer", "network", "address", "port", "outcome", "reached", "text"} of one visit;
 * record NULL: there was none, and why says so. */
json_t *visit_args_json(const struct peer_arg *peer, const struct record *record, const char *why);
/* One document on stdout; takes it over. */
void visit_args_print_json(json_t *doc);

#endif
