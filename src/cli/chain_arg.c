#include "cli/chain_arg.h"

#include "base/text.h"

#include <string.h>

/* The names of our own chains stand for the chains that everybody means by them. */
static int check_name(const struct cli *cli, const char *name)
{
	if (network_find(name) != NULL)
		return cli_usage(cli,
				 "\"%s\" is on the list, and has its own magic: leave out --magic, "
				 "or choose another name",
				 name);
	if (name[0] == '\0' || name[0] == '-' || strlen(name) > 32 ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(name))
		return cli_usage(
			cli,
			"\"%s\": expected a name of lower-case letters, digits and hyphens, "
			"at most 32",
			name);
	return EXIT_DONE;
}

int chain_arg_read(const struct cli *cli, const struct chain_arg *arg, const char *name,
		   struct network *out)
{
	const struct network *listed, *bitcoin = network_find("bitcoin");
	size_t len = 0;
	int status;

	if (arg->magic == NULL && arg->port == 0) {
		listed = cli_network(cli, name);
		if (listed == NULL)
			return EXIT_USAGE;
		*out = *listed;
		return EXIT_DONE;
	}
	if (arg->magic == NULL)
		return cli_usage(cli,
				 "--port describes a chain together with --magic; the port of a "
				 "peer goes behind its address, as in 127.0.0.1:%u",
				 (unsigned)arg->port);
	if (arg->port == 0)
		return cli_usage(cli, "--magic needs --port N, the usual port of that chain");
	status = check_name(cli, name);
	if (status != EXIT_DONE)
		return status;
	*out = (struct network){ .name = name,
				 .proto = bitcoin->proto,
				 .default_port = (uint16_t)arg->port };
	if (hex_decode(slice_text(arg->magic), out->magic, sizeof(out->magic), &len) != ERR_OK ||
	    len != sizeof(out->magic))
		return cli_usage(
			cli, "--magic: expected four bytes in hex, such as f9beb4d9, not \"%s\"",
			arg->magic);
	return EXIT_DONE;
}
