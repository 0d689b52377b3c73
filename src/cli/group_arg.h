/* group_arg.h: --group, the group of a gossip network that is meant. Without it any is. */
#ifndef PEERWALK_CLI_GROUP_ARG_H
#define PEERWALK_CLI_GROUP_ARG_H

#include "cli/cli.h"
#include "proto/proto.h"

/* The rest of a row for the field of that offset, a const char *. */
#define GROUP_ARG_ROW(at)                                                                  \
	.name = "group", .letter = 'g', .type = OPTION_TEXT, .arg = "NAME",                \
	.help = "gossip: only peers of this group, or that name none; without it, of any", \
	.offset = (at)

/* Of a peer, or a crawl, of that network; text NULL: nothing was said. *out borrows from text,
 * and is for session_params.group. Prints what is wrong, and returns an exit status. */
int group_arg_read(const struct cli *cli, const char *text, const struct network *network,
		   struct slice *out);

#endif
