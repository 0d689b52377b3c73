#include "cli/cli.h"

#include "base/text.h"

#include <jansson.h>
#include <stdio.h>

static int print_json(void)
{
	json_t *list = json_array();
	int status = EXIT_DONE;

	for (size_t i = 0; i < networks_count; i++) {
		const struct network *n = &networks[i];
		json_t *seeds = json_array();
		char magic[2 * sizeof(n->magic) + 1];

		hex_encode(slice_of(n->magic, sizeof(n->magic)), magic);
		for (size_t s = 0; s < NETWORKS_SEEDS_MAX && n->dns_seeds[s] != NULL; s++)
			json_array_append_new(seeds, json_string(n->dns_seeds[s]));
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:i, s:o}", "name", n->name,
						"protocol", n->proto->name, "magic", magic, "port",
						(int)n->default_port, "dns_seeds", seeds));
	}
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

static int run(struct cli *cli, void *options, char **args, unsigned args_count)
{
	static const char *const headers[] = { "NETWORK", "PROTOCOL", "MAGIC", ">PORT",
					       "DNS SEEDS" };
	struct table *table;

	(void)options;
	(void)args;
	(void)args_count;
	if (cli->json)
		return print_json();
	table = table_new(headers, 5);
	for (size_t i = 0; i < networks_count; i++) {
		const struct network *n = &networks[i];
		char magic[2 * sizeof(n->magic) + 1];

		hex_encode(slice_of(n->magic, sizeof(n->magic)), magic);
		table_cell(table, "%s", n->name);
		table_cell(table, "%s", n->proto->name);
		table_cell(table, "%s", magic);
		table_cell(table, "%u", n->default_port);
		table_cell(table, "%s", n->dns_seeds[0] != NULL ? n->dns_seeds[0] : "-");
		/* One seed a line, so that a table of long lists stays a table. */
		for (size_t s = 1; s < NETWORKS_SEEDS_MAX && n->dns_seeds[s - 1] != NULL &&
				   n->dns_seeds[s] != NULL;
		     s++) {
			for (unsigned c = 0; c < 4; c++)
				table_cell(table, "%s", "");
			table_cell(table, "%s", n->dns_seeds[s]);
		}
	}
	table_print(table);
	return EXIT_DONE;
}

const struct command command_networks = {
	.name = "networks",
	.summary = "lists the networks that peerwalk knows",
	.usage = "[options]",
	.about = "Prints each network's name, protocol, magic, usual port and DNS seeds.\n"
		 "\n"
		 "A Bitcoin-like chain that is not on the list can be described on the command "
		 "line of other subcommands with --magic and --port.\n",
	.examples = "peerwalk networks\n"
		    "    a table for people\n"
		    "peerwalk networks --json\n"
		    "    the same for programs\n",
	.run = run,
};
