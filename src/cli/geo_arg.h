/* geo_arg.h: what subcommands share that say where peers are: --mmdb and --asmap. */
#ifndef PEERWALK_CLI_GEO_ARG_H
#define PEERWALK_CLI_GEO_ARG_H

#include "cli/cli.h"
#include "geo/geo.h"

struct geo_arg {
	struct option_list mmdb;
	const char *asmap; /* NULL: not given */
};

/* The initializers of rows: { GEO_ARG_MMDB(offsetof(struct x_options, geo)) } */
#define GEO_ARG_MMDB(at)                                                                           \
	.name = "mmdb", .type = OPTION_LIST, .arg = "FILE",                                        \
	.help = "take countries, places and AS numbers from this database in MaxMind's format; a " \
		"second one adds what the first does not know",                                    \
	.offset = (at) + offsetof(struct geo_arg, mmdb)
#define GEO_ARG_ASMAP(at)                                                                     \
	.name = "asmap", .type = OPTION_TEXT, .arg = "FILE",                                  \
	.help = "take AS numbers from this file, the one that Bitcoin Core takes as -asmap, " \
		"before any database's",                                                      \
	.offset = (at) + offsetof(struct geo_arg, asmap)

/* Opens what is given; *out is NULL where nothing is. Prints what is wrong, and returns an exit
 * status. The caller closes it (geo_close). */
int geo_arg_open(const struct cli *cli, const struct geo_arg *arg, struct geo **out);

#endif
