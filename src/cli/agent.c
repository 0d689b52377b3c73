#include "cli/agent.h"

#include <stdio.h>
#include <string.h>

/* BIP 14: /name:version(comment)/; the comment may not hold what frames it. Ethereum's clients
 * call themselves name/version/... */
int agent_make(const struct cli *cli, const struct network *network, const char *contact,
	       char out[static PEER_AGENT_MAX])
{
	bool bare = network->discovery == DISCOVERY_V4;
	int n;

	if (contact == NULL || *contact == 0) {
		snprintf(out, PEER_AGENT_MAX, bare ? "peerwalk/v%s" : "/peerwalk:%s/",
			 PEERWALK_VERSION);
		return EXIT_DONE;
	}
	for (const char *p = contact; *p != 0; p++) {
		if (*p < 0x20 || *p > 0x7e || strchr("/()", *p) != NULL)
			return cli_usage(cli, "--contact may hold printable ASCII without "
					      "slashes and parentheses (BIP 14)");
	}
	n = snprintf(out, PEER_AGENT_MAX, bare ? "peerwalk/v%s/(%s)" : "/peerwalk:%s(%s)/",
		     PEERWALK_VERSION, contact);
	if (n >= PEER_AGENT_MAX)
		return cli_usage(cli,
				 "--contact is too long: the whole user agent may have %d bytes",
				 PEER_AGENT_MAX - 1);
	return EXIT_DONE;
}
