#include "base/text.h"
#include "cli/cli.h"
#include "cli/node_ops.h"

#include <dirent.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of one text, with its NUL: the longest agent in escapes of four characters fits. */
enum { TEXT_ROOM = 4 * PEER_AGENT_MAX + 1 };

struct status_options {
	bool peers;
};

static const struct option_row rows[] = {
	{ .name = "peers",
	  .letter = 'p',
	  .type = OPTION_FLAG,
	  .help = "list its peers, too; of Ethereum the nodes of its table",
	  .offset = offsetof(struct status_options, peers) },
	{ 0 },
};

/* --- whom to ask --- */

/* The only node that the unit runs. */
static int find_path(const struct cli *cli, char out[static STATUS_WHY_MAX])
{
	DIR *folder = opendir("/run/peerwalk");
	char path[STATUS_WHY_MAX], names[256] = "";
	const struct dirent *entry;
	unsigned found = 0;
	size_t len = 0;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.' || !node_ops_path(entry->d_name, path) ||
		    access(path, F_OK) != 0)
			continue;
		found++;
		memcpy(out, path, sizeof(path));
		if (len < sizeof(names))
			len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s",
						len > 0 ? ", " : "", entry->d_name);
	}
	if (folder != NULL)
		closedir(folder);
	if (found == 1)
		return EXIT_DONE;
	if (found > 1)
		return cli_usage(cli, "several nodes run here; name one: %s", names);
	cli_error("no node is run by systemd here; name the socket of one that was started with "
		  "--status PATH");
	return EXIT_UNREACHED;
}

/* A word is a service's name, if it is a network's or such a service is there: a chain that is
 * described has one, too. */
static int choose_path(const struct cli *cli, const char *arg, char out[static STATUS_WHY_MAX])
{
	if (arg == NULL)
		return find_path(cli, out);
	if (strchr(arg, '/') == NULL && node_ops_path(arg, out) &&
	    (network_find(arg) != NULL || access(out, F_OK) == 0))
		return EXIT_DONE;
	if (snprintf(out, STATUS_WHY_MAX, "%s", arg) < STATUS_WHY_MAX)
		return EXIT_DONE;
	return cli_usage(cli, "\"%s\" is too long for a path", arg);
}

/* --- what it says --- */

/* The node has escaped what strangers say; but who knows what answers at that socket. */
static const char *text_of(const json_t *o, const char *key, char out[static TEXT_ROOM])
{
	const char *text = json_string_value(json_object_get(o, key));
	struct text t = { 0 };

	text_add_escaped_rest(&t, text != NULL ? text : "");
	snprintf(out, TEXT_ROOM, "%s", t.data != NULL ? t.data : "");
	text_clear(&t);
	return out;
}

static uint64_t number_of(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

static const char *count_of(const json_t *o, const char *key, char out[static 32])
{
	format_count(number_of(o, key), out);
	return out;
}

static void print_places(const json_t *o)
{
	const json_t *list = json_object_get(o, "listen");
	char text[TEXT_ROOM];

	printf("listening  ");
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *one = json_pack("{s:O}", "at", json_array_get(list, i));

		printf("%s%s", i > 0 ? ", " : "", text_of(one, "at", text));
		json_decref(one);
	}
	text_of(o, "address", text);
	printf("%s%s%s\n", json_array_size(list) == 0 ? "nowhere" : "",
	       text[0] != '\0' ? "; others see it at " : "", text);
}

static void print_status(const json_t *o)
{
	uint64_t seconds = (uint64_t)json_number_value(json_object_get(o, "uptime_seconds"));
	double cpu = json_number_value(json_object_get(o, "cpu_seconds"));
	char a[TEXT_ROOM], b[TEXT_ROOM], in[32], out[32], bytes_in[32], bytes_out[32], uptime[32];

	format_duration(seconds * 1000, uptime);
	format_bytes(number_of(o, "bytes_in"), bytes_in);
	format_bytes(number_of(o, "bytes_out"), bytes_out);
	printf("network    %s, by peerwalk %s, process %" PRIu64 "\n", text_of(o, "network", a),
	       text_of(o, "version", b), number_of(o, "pid"));
	printf("up         %s, since %s\n", uptime, text_of(o, "started_at", a));
	print_places(o);
	printf("peers      %s in, %s out\n", count_of(o, "peers_in", in),
	       count_of(o, "peers_out", out));
	printf("messages   %s in (%s), %s out (%s)\n", count_of(o, "messages_in", in), bytes_in,
	       count_of(o, "messages_out", out), bytes_out);
	printf("known      %s", count_of(o, "known", in));
	if (json_object_get(o, "tried") != NULL)
		printf(" address%s, %s of them reached", number_of(o, "known") == 1 ? "" : "es",
		       count_of(o, "tried", in));
	if (json_object_get(o, "live") != NULL)
		printf(" node%s in the table, %s of them checked",
		       number_of(o, "known") == 1 ? "" : "s", count_of(o, "live", in));
	format_bytes(number_of(o, "max_rss_bytes"), in);
	printf("\nused       %.1f s of CPU, %s of memory at most\n", cpu, in);
}

static void print_peers(const json_t *list)
{
	static const char *const columns[] = { "PEER", "WAY",  ">SINCE", ">RTT",
					       ">IN",  ">OUT", "AGENT" };
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *o = json_array_get(list, i);
		char text[TEXT_ROOM], shown[32];

		table_cell(t, "%s", text_of(o, "peer", text));
		table_cell(t, "%s", text_of(o, "direction", text));
		format_duration(number_of(o, "seconds") * 1000, shown);
		table_cell(t, "%s", shown);
		if (json_is_integer(json_object_get(o, "rtt_ms")))
			table_cell(t, "%" PRIu64 " ms", number_of(o, "rtt_ms"));
		else
			table_cell(t, "-");
		format_bytes(number_of(o, "bytes_in"), shown);
		table_cell(t, "%s", shown);
		format_bytes(number_of(o, "bytes_out"), shown);
		table_cell(t, "%s", shown);
		table_cell(t, "%s", text_of(o, "agent", text));
	}
	table_print(t);
}

/* Nodes of discovery have no connections. */
static void print_nodes(const json_t *list)
{
	char text[TEXT_ROOM];

	for (size_t i = 0; i < json_array_size(list); i++)
		puts(text_of(json_array_get(list, i), "enode", text));
}

static bool are_nodes(const json_t *list)
{
	return json_object_get(json_array_get(list, 0), "enode") != NULL;
}

static int print(const struct cli *cli, const struct status_options *o, const char *path,
		 const struct text *document)
{
	json_error_t error;
	json_t *root = json_loadb(document->data, document->len, 0, &error), *peers;
	char text[TEXT_ROOM];

	if (!json_is_object(root) || json_object_get(root, "error") != NULL) {
		cli_error("what answers at %s is no node of this version of peerwalk%s%s", path,
			  json_is_object(root) ? ": " : "",
			  json_is_object(root) ? text_of(root, "error", text) : "");
		json_decref(root);
		return EXIT_FAILED;
	}
	peers = json_object_get(root, "peers");
	if (cli->json) {
		json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
		putchar('\n');
	} else {
		print_status(root);
	}
	if (!cli->json && o->peers && json_array_size(peers) > 0) {
		putchar('\n');
		if (are_nodes(peers))
			print_nodes(peers);
		else
			print_peers(peers);
	}
	json_decref(root);
	return EXIT_DONE;
}

static int run(struct cli *cli, void *options, char **args, unsigned args_count)
{
	const struct status_options *o = options;
	char path[STATUS_WHY_MAX], why[STATUS_WHY_MAX];
	struct text document = { 0 };
	int status = choose_path(cli, args_count > 0 ? args[0] : NULL, path);
	enum err err;

	if (status != EXIT_DONE)
		return status;
	err = status_ask(path, o->peers ? "peers" : "status", &document, why);
	if (err == ERR_OK) {
		status = print(cli, o, path, &document);
	} else {
		cli_error("%s", why);
		status = err == ERR_NOT_FOUND ? EXIT_UNREACHED : EXIT_FAILED;
	}
	text_clear(&document);
	return status;
}

const struct command command_status = {
	.name = "status",
	.summary = "says how a running node is doing",
	.usage = "[PATH|NETWORK] [options]",
	.about = "Asks a node (peerwalk node --status PATH) over its Unix socket: since when it "
		 "runs, where it listens, how many peers it has, what went over the network, whom "
		 "it knows.\n"
		 "\n"
		 "A node that systemd runs from the unit that comes with peerwalk is found by its "
		 "network, and without an argument if it is the only one. The socket belongs to "
		 "the user that the node runs as; root may ask, too.\n",
	.examples = "peerwalk status\n"
		    "    the node of this machine\n"
		    "peerwalk status bitcoin --peers\n"
		    "    the one of Bitcoin's network, and who is connected\n"
		    "peerwalk status ./status --json\n"
		    "    for a program that watches it\n",
	.options = rows,
	.options_size = sizeof(struct status_options),
	.args_max = 1,
	.args_choices = "files",
	.run = run,
};
