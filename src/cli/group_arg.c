#include "cli/group_arg.h"

#include "base/text.h"
#include "proto/gossip/messages.h"
#include "proto/gossip/session.h"

static bool is_utf8(struct slice s)
{
	uint32_t code;

	for (size_t n; s.len > 0; s = slice_from(s, n)) {
		n = utf8_decode(s, &code);
		if (n == 0)
			return false;
	}
	return true;
}

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
	if (out->len == 0 || out->len > GOSSIP_GROUP_MAX || !is_utf8(*out))
		return cli_usage(cli, "--group: expected a name of 1 to %d bytes in UTF-8",
				 GOSSIP_GROUP_MAX);
	return EXIT_DONE;
}
