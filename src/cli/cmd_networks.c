#include "cli/cli.h"

#include "base/text.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* As scripts know it, and for people. */
static const char *discovery_name(enum discovery discovery)
{
	return discovery == DISCOVERY_V4 ? "discv4" : "session";
}

static const char *discovery_text(enum discovery discovery)
{
	return discovery == DISCOVERY_V4 ? "discv4 over UDP" : "whoever is connected";
}

static size_t boot_nodes(const struct network *n)
{
	size_t count = 0;

	while (n->boot_nodes != NULL && n->boot_nodes[count] != NULL)
		count++;
	return count;
}

/* Empty for networks that have none. */
static void magic_text(const struct network *n, char out[static 9])
{
	static const uint8_t none[sizeof(n->magic)];

	out[0] = '\0';
	if (memcmp(n->magic, none, sizeof(none)) != 0)
		hex_encode(slice_of(n->magic, sizeof(n->magic)), out);
}

static json_t *network_json(const struct network *n)
{
	json_t *seeds = json_array(), *nodes = json_array();
	char magic[9];

	magic_text(n, magic);
	for (size_t i = 0; i < NETWORKS_SEEDS_MAX && n->dns_seeds[i] != NULL; i++)
		json_array_append_new(seeds, json_string(n->dns_seeds[i]));
	for (size_t i = 0; i < boot_nodes(n); i++)
		json_array_append_new(nodes, json_string(n->boot_nodes[i]));
	return json_pack("{s:s, s:s, s:s?, s:i, s:o, s:s, s:o, s:s?}", "name", n->name, "protocol",
			 n->proto->name, "magic", magic[0] != '\0' ? magic : NULL, "port",
			 (int)n->default_port, "dns_seeds", seeds, "discovery",
			 discovery_name(n->discovery), "boot_nodes", nodes, "chain", n->chain);
}

static int print_json(void)
{
	json_t *list = json_array();
	int status = EXIT_DONE;

	for (size_t i = 0; i < networks_count; i++)
		json_array_append_new(list, network_json(&networks[i]));
	if (json_array_size(list) != networks_count) {
		cli_error("out of memory");
		status = EXIT_FAILED;
	} else {
		json_dumpf(list, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(list);
	return status;
}

enum { COLUMNS = 7, SEEDS_COLUMN = 4 };

static void add_network(struct table *table, const struct network *n)
{
	char magic[9];

	magic_text(n, magic);
	table_cell(table, "%s", n->name);
	table_cell(table, "%s", n->proto->name);
	table_cell(table, "%s", magic[0] != '\0' ? magic : "-");
	table_cell(table, "%u", n->default_port);
	table_cell(table, "%s", n->dns_seeds[0] != NULL ? n->dns_seeds[0] : "-");
	if (n->boot_nodes != NULL)
		table_cell(table, "%zu", boot_nodes(n));
	else
		table_cell(table, "-");
	table_cell(table, "%s", discovery_text(n->discovery));
	/* One seed a line, so that a table of long lists stays a table. */
	for (size_t s = 1;
	     s < NETWORKS_SEEDS_MAX && n->dns_seeds[s - 1] != NULL && n->dns_seeds[s] != NULL;
	     s++) {
		for (unsigned c = 0; c < COLUMNS; c++)
			table_cell(table, "%s", c == SEEDS_COLUMN ? n->dns_seeds[s] : "");
	}
}

static int run(struct cli *cli, void *options, char **args, unsigned args_count)
{
	static const char *const headers[COLUMNS] = { "NETWORK",  "PROTOCOL",  "MAGIC",
						      ">PORT",    "DNS SEEDS", ">BOOT NODES",
						      "DISCOVERY" };
	struct table *table;

	(void)options;
	(void)args;
	(void)args_count;
	if (cli->json)
		return print_json();
	table = table_new(headers, COLUMNS);
	for (size_t i = 0; i < networks_count; i++)
		add_network(table, &networks[i]);
	table_print(table);
	return EXIT_DONE;
}

const struct command command_networks = {
	.name = "networks",
	.summary = "lists the networks that peerwalk knows",
	.usage = "[options]",
	.about =
		"Prints each network's name, protocol, magic, usual port, DNS seeds, the number of "
		"its bootstrap nodes (--json lists them), and how one learns who is there: from "
		"whoever one is connected to, or by a protocol for that alone.\n"
		"\n"
		"A Bitcoin-like chain that is not on the list can be described on the command "
		"line of other subcommands with --magic and --port.\n",
	.examples = "peerwalk networks\n"
		    "    a table for people\n"
		    "peerwalk networks --json\n"
		    "    the same for programs\n",
	.run = run,
};
