#include "cli/peer_arg.h"

int peer_arg_read(const struct cli *cli, const char *text, const struct network *network,
		  bool any_network, struct peer_arg *out)
{
	char why[PEER_ARG_WHY_MAX];

	if (peer_arg_parse(text, network, any_network, out, why))
		return EXIT_DONE;
	return cli_usage(cli, "%s", why);
}
