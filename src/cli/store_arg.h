/* store_arg.h: what subcommands that have a database share: --db, --crawl, --network, and
 * --fork, one chain's nodes. */
#ifndef PEERWALK_CLI_STORE_ARG_H
#define PEERWALK_CLI_STORE_ARG_H

#include "base/hash.h"
#include "cli/cli.h"
#include "cli/fork_arg.h"
#include "store/query.h"

struct store_arg {
	const char *db;
	uint64_t crawl;      /* 0: not given */
	const char *network; /* NULL: not given */
	const char *fork;    /* NULL: not given */
};

/* The fork hashes of the chain that --fork means; none: not given. */
struct store_forks {
	uint8_t hashes[FORK_ARG_HASHES_MAX][4];
	size_t count;
};

_Static_assert((int)FORK_ARG_HASHES_MAX <= (int)STORE_FORKS_MAX, "the filter takes a whole chain");

/* The initializers of rows: { STORE_ARG_DB(offsetof(struct x_options, store)) } */
#define STORE_ARG_DB(at)                                                 \
	.name = "db", .letter = 'd', .type = OPTION_TEXT, .arg = "FILE", \
	.help = "read this database", .initial = "peerwalk.db",          \
	.offset = (at) + offsetof(struct store_arg, db)
#define STORE_ARG_CRAWL(at, help_)                                                    \
	.name = "crawl", .type = OPTION_UINT, .arg = "N", .min = 1, .max = INT64_MAX, \
	.help = help_, .offset = (at) + offsetof(struct store_arg, crawl)
#define STORE_ARG_NETWORK(at, help_)                                          \
	.name = "network", .type = OPTION_TEXT, .arg = "NAME", .help = help_, \
	.offset = (at) + offsetof(struct store_arg, network)
#define STORE_ARG_FORK(at, help_) FORK_ARG_ROW((at) + offsetof(struct store_arg, fork), help_)

/* Prints what is wrong, and returns an exit status. */
int store_arg_forks(const struct cli *cli, const struct store_arg *arg, struct store_forks *out);
/* Opens the database for reading; NULL after an error message (EXIT_FAILED). */
struct store *store_arg_open(const struct store_arg *arg);
/* Says that another process holds that database, which is waited for. Any thread. */
void store_arg_waits(const struct cli *cli, const char *db);
/* For tables whose keys strangers choose. */
struct hash_key store_arg_hash_key(void);

#endif
