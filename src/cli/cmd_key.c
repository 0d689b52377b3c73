#include "cli/cli.h"
#include "cli/node_key.h"

#include "api/place_arg.h"
#include "base/text.h"
#include "proto/ethereum/enode.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct key_options {
	const char *enode;
};

/* What may be known of a key by everybody. */
struct identity {
	char public_key[2 * SECP_PUBLIC_LEN + 1], node_id[2 * ENODE_ID_LEN + 1];
	char url[ENODE_TEXT_MAX];
};

static void identify(const struct node_key *k, const struct netaddr *addr, struct identity *out)
{
	struct enode node = { .endpoint = { .addr = *addr, .tcp_port = addr->port } };
	uint8_t id[ENODE_ID_LEN];

	enode_id(k->public, id);
	hex_encode(slice_of(k->public, sizeof(k->public)), out->public_key);
	hex_encode(slice_of(id, sizeof(id)), out->node_id);
	memcpy(node.key, k->public, sizeof(node.key));
	out->url[0] = '\0';
	if (addr->kind != NETADDR_NONE)
		enode_text(&node, out->url);
}

static int print_json(const char *path, bool created, const struct identity *id)
{
	json_t *name = json_string(path);
	json_t *o;

	/* The name of a file is any bytes; JSON wants UTF-8. */
	if (name == NULL) {
		struct text t = { 0 };

		text_add_escaped(&t, slice_text(path));
		name = json_string(t.data != NULL ? t.data : "");
		text_clear(&t);
	}
	o = json_pack("{s:o, s:b, s:s, s:s, s:s?}", "file", name, "created", created, "public_key",
		      id->public_key, "node_id", id->node_id, "enode",
		      id->url[0] != '\0' ? id->url : NULL);
	if (o == NULL) {
		cli_error("out of memory");
		return EXIT_FAILED;
	}
	json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(o);
	return EXIT_DONE;
}

static int run(struct cli *cli, void *options, char **args, unsigned args_count)
{
	const struct key_options *o = options;
	struct netaddr addr = { 0 };
	struct identity id;
	struct node_key k;
	int status;

	(void)args_count;
	if (o->enode != NULL && !place_addr_parse(o->enode, true, &addr))
		return cli_usage(cli,
				 "--enode: expected ADDR:PORT, such as 192.0.2.1:30303 or "
				 "[2001:db8::1]:30303, instead of \"%s\"",
				 o->enode);
	status = node_key_read(args[0], true, &k);
	if (status != EXIT_DONE)
		goto out;
	identify(&k, &addr, &id);
	if (k.created)
		cli_note(cli, "%s is new; whoever has it can pretend to be this node", args[0]);
	if (cli->json) {
		status = print_json(args[0], k.created, &id);
		goto out;
	}
	printf("public key  %s\nnode id     %s\n", id.public_key, id.node_id);
	if (id.url[0] != '\0')
		printf("enode       %s\n", id.url);
out:
	node_key_clear(&k);
	return status;
}

static const struct option_row rows[] = {
	{ .name = "enode",
	  .letter = 'e',
	  .type = OPTION_TEXT,
	  .arg = "ADDR:PORT",
	  .help = "print the enode:// URL of a node with this key at that address, too",
	  .offset = offsetof(struct key_options, enode) },
	{ .name = NULL },
};

const struct command command_key = {
	.name = "key",
	.summary =
		"prints who an Ethereum node with the key in a file is; makes the file if need be",
	.usage = "FILE [options]",
	.about = "An Ethereum node is who has its private key. FILE holds it in the form of "
		 "go-ethereum's nodekey: 64 hexadecimal digits and a line feed. If there is no "
		 "such file, a new key is made, of the system's randomness, in a file that its "
		 "owner alone may read; a file that others have access to is refused.\n"
		 "\n"
		 "Printed are the public key, the node id (its Keccak-256, the node's place in "
		 "the tables of others) and, with --enode, the URL by which others find it. The "
		 "private key itself is never printed.\n",
	.examples = "peerwalk key node.key\n"
		    "    make the file on the first call; who is it?\n"
		    "peerwalk key node.key --enode 192.0.2.1:30303 --json\n"
		    "    the URL to give to others, for programs\n",
	.options = rows,
	.options_size = sizeof(struct key_options),
	.args_min = 1,
	.args_max = 1,
	.args_choices = "files",
	.run = run,
};
