#include "cli/group_arg.h"

#include "proto/gossip/messages.h"
#include "proto/gossip/session.h"

int group_arg_read(const struct cli *cli, const char *text, const struct network *network,
		   struct slice *out)
{
	*out = slice_of(NULL, 0);
	if (text == NULL)
		return EXIT_DONE;
	if (network->proto != &gossip_proto)
		return cli_usage(cli, "--group is for gossip networks, and %s is none",
				 network->name);
	*out = slice_text(text);
	if (!gossip_is_group(*out))
		return cli_usage(cli, "--group: expected a name of 1 to %d bytes in UTF-8",
				 GOSSIP_GROUP_MAX);
	return EXIT_DONE;
}
