#include "cli/cli.h"
#include "cli/geo_arg.h"
#include "cli/output_file.h"
#include "cli/seed_arg.h"
#include "cli/store_arg.h"

#include "report/export.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct export_args {
	struct store_arg store;
	struct seed_arg seed;
	struct geo_arg geo;
	const char *what, *format, *output, *outcome, *kind, *country;
	uint64_t asn;
};

#define AT(field) offsetof(struct export_args, field)

static const struct option_row options[] = {
	{ STORE_ARG_DB(AT(store)) },
	{ .name = "what",
	  .letter = 'w',
	  .type = OPTION_CHOICE,
	  .arg = "WHAT",
	  .help = "peers (one row an address, of Ethereum one for each key at an address), visits "
		  "(one row a visit), adverts (who named "
		  "whom, kept by crawl --adverts) or book (whom our own nodes know, kept by node "
		  "--db)",
	  .initial = "peers",
	  .offset = AT(what),
	  .choices = "peers visits adverts book" },
	{ .name = "format",
	  .letter = 'f',
	  .type = OPTION_CHOICE,
	  .arg = "FORMAT",
	  .help = "csv, jsonl (one JSON object a line) or json (one array); csv unless --json; of "
		  "Ethereum's peers also nodeset (JSON as devp2p's tool has it), enodes (one URL a "
		  "line), enrs (one record a line) or enrtree (records as a signed tree in DNS); "
		  "of "
		  "Bitcoin's bitnodes (JSON as that site's snapshots), seeds (as bitcoin-seeder "
		  "dumps them) or zone (a zone file for a DNS seed); of adverts dot (Graphviz) or "
		  "graphml",
	  .offset = AT(format),
	  .choices = "csv jsonl json nodeset enodes enrs enrtree bitnodes seeds zone dot graphml" },
	{ .name = "output",
	  .letter = 'o',
	  .type = OPTION_TEXT,
	  .arg = "FILE",
	  .help = "write to this file instead of the standard output; what is there is replaced "
		  "when "
		  "all is written",
	  .offset = AT(output) },
	{ STORE_ARG_CRAWL(AT(store), "only what belongs to this crawl, as it was then") },
	{ STORE_ARG_NETWORK(AT(store), "only this network") },
	{ .name = "outcome",
	  .type = OPTION_TEXT,
	  .arg = "NAME",
	  .help = "only peers or visits with this outcome, for instance ok",
	  .offset = AT(outcome) },
	{ .name = "kind",
	  .type = OPTION_CHOICE,
	  .arg = "KIND",
	  .help = "only addresses of this kind",
	  .offset = AT(kind),
	  .choices = "ipv4 ipv6 onion2 onion i2p cjdns" },
	{ STORE_ARG_FORK(AT(store), "only Ethereum nodes of this chain, by their fork ids") },
	{ GEO_ARG_MMDB(AT(geo)) },
	{ GEO_ARG_ASMAP(AT(geo)) },
	{ .name = "country",
	  .type = OPTION_TEXT,
	  .arg = "CODE",
	  .help = "only peers and visits in this country, by its two letters (ISO 3166: DE), as "
		  "--mmdb has it",
	  .offset = AT(country) },
	{ .name = "asn",
	  .type = OPTION_UINT,
	  .arg = "N",
	  .help = "only peers and visits in this autonomous system, as --asmap or --mmdb has it",
	  .offset = AT(asn),
	  .min = 1,
	  .max = UINT32_MAX },
	SEED_ARG_ROWS(AT(seed)),
	{ 0 },
};

static enum err write_out(void *ctx, struct slice data)
{
	return fwrite(data.data, 1, data.len, ctx) == data.len ? ERR_OK : ERR_IO;
}

static bool is_format(const struct export_args *o, const char *name)
{
	return o->format != NULL && strcmp(o->format, name) == 0;
}

/* What formats of one --what need, and what --what book can't have. */
static int check_what(const struct cli *cli, const struct export_args *o)
{
	const struct export_format *f = export_formats;

	while (f->name != NULL && (o->format == NULL || strcmp(f->name, o->format) != 0))
		f++;
	if (f->name != NULL && f->write == NULL && strcmp(o->what, f->what) != 0)
		return cli_usage(cli, "--format %s is for --what %s", f->name, f->what);
	if (strcmp(o->what, "book") == 0 &&
	    (o->store.crawl != 0 || o->store.fork != NULL || o->outcome != NULL))
		return cli_usage(cli, "--crawl, --fork and --outcome are of crawls, not for --what "
				      "book");
	if ((is_format(o, "seeds") || is_format(o, "zone")) && o->store.crawl != 0)
		return cli_usage(cli, "--format %s is of peers as they are now, not of a --crawl",
				 o->format);
	if (o->seed.origin != NULL && !is_format(o, "zone") && !is_format(o, "enrtree"))
		return cli_usage(cli, "--origin is for --format zone and enrtree");
	return EXIT_DONE;
}

/* A crawl of which there is something to write. One that is missing is told later on. */
static int check_crawl(const struct export_args *o, struct store *store)
{
	struct store_crawl crawl;

	if (o->store.crawl == 0 ||
	    store_crawl_get(store, (int64_t)o->store.crawl, NULL, &crawl) != ERR_OK ||
	    !crawl.pruned)
		return EXIT_DONE;
	cli_error("the visits of crawl %lld are gone (crawl --keep): name a newer one, or export "
		  "without --crawl",
		  (long long)crawl.id);
	return EXIT_FAILED;
}

/* A name that is neither in the database nor on a list is a slip of the pen. */
static int check_name(const struct export_args *o, struct store *store)
{
	struct store_crawl crawl;

	if (o->store.network == NULL || strcmp(o->what, "book") == 0 ||
	    network_find(o->store.network) != NULL ||
	    store_crawl_get(store, 0, o->store.network, &crawl) == ERR_OK)
		return EXIT_DONE;
	cli_error("%s", store_why(store));
	return EXIT_FAILED;
}

/* Three formats are of a network of Bitcoin's. Who says no --port gets the network's. */
static int check_network(const struct export_args *o, struct store *store, uint16_t *port)
{
	const struct network *network;
	struct store_crawl crawl;

	if (!is_format(o, "bitnodes") && !is_format(o, "seeds") && !is_format(o, "zone"))
		return EXIT_DONE;
	if (store_crawl_get(store, (int64_t)o->store.crawl, o->store.network, &crawl) != ERR_OK) {
		cli_error("%s", store_why(store));
		return EXIT_FAILED;
	}
	/* A chain described on the command line is Bitcoin-like. */
	network = network_find(crawl.network);
	if (network != NULL && strcmp(network->proto->name, "bitcoin") != 0) {
		cli_error("crawl %lld is of %s, and --format %s of Bitcoin's networks: choose "
			  "another with %s--network",
			  (long long)crawl.id, crawl.network, o->format,
			  is_format(o, "bitnodes") ? "--crawl or " : "");
		return EXIT_FAILED;
	}
	if (*port == 0 && network != NULL)
		*port = network->default_port;
	if (*port != 0 || !is_format(o, "zone"))
		return EXIT_DONE;
	cli_error("%s is on no list, so that its port is not known: give it with --port",
		  crawl.network);
	return EXIT_FAILED;
}

/* forks outlives the filter. */
static int read_filter(const struct cli *cli, const struct export_args *o,
		       struct store_forks *forks, struct store_filter *filter)
{
	enum outcome outcome;
	int status = store_arg_forks(cli, &o->store, forks);

	if (status != EXIT_DONE)
		return status;
	*filter = STORE_FILTER_ANY;
	filter->forks = (const uint8_t(*)[4])forks->hashes;
	filter->forks_count = forks->count;
	filter->crawl_id = (int64_t)o->store.crawl;
	filter->network = o->store.network;
	for (unsigned k = NETADDR_IPV4; o->kind != NULL && k <= NETADDR_CJDNS; k++) {
		if (strcmp(o->kind, netaddr_kind_name(k)) == 0)
			filter->kind = k;
	}
	if (o->outcome == NULL)
		return EXIT_DONE;
	if (!outcome_parse(o->outcome, &outcome)) {
		char names[512] = "";

		for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
			strncat(names, i > 0 ? ", " : "", sizeof(names) - strlen(names) - 1);
			strncat(names, outcome_name((enum outcome)i),
				sizeof(names) - strlen(names) - 1);
		}
		return cli_usage(cli, "there is no outcome \"%s\"; expected one of: %s", o->outcome,
				 names);
	}
	filter->outcome = (int)outcome;
	return EXIT_DONE;
}

/* Opens the databases, for the caller to close, and reads what they are to choose. */
static int read_places(const struct cli *cli, const struct export_args *o, struct geo **geo,
		       struct export_options *extra)
{
	bool chooses = o->country != NULL || o->asn != 0;
	int status;

	if (chooses && (o->format != NULL && !is_format(o, "csv") && !is_format(o, "json") &&
			!is_format(o, "jsonl") && !is_format(o, "bitnodes")))
		return cli_usage(cli, "--country and --asn are for --format csv, json, jsonl and "
				      "bitnodes");
	if (chooses && strcmp(o->what, "peers") != 0 && strcmp(o->what, "visits") != 0)
		return cli_usage(cli, "--country and --asn are for --what peers and visits");
	if (o->country != NULL) {
		if (strlen(o->country) != 2 || !isalpha((unsigned char)o->country[0]) ||
		    !isalpha((unsigned char)o->country[1]))
			return cli_usage(cli,
					 "--country: expected two letters such as DE, not \"%s\"",
					 o->country);
		for (size_t i = 0; i < 2; i++)
			extra->country[i] = (char)toupper((unsigned char)o->country[i]);
	}
	extra->asn = (uint32_t)o->asn;
	status = geo_arg_open(cli, &o->geo, geo);
	extra->geo = *geo;
	if (status == EXIT_DONE && o->country != NULL && !geo_has_countries(*geo))
		status = cli_usage(cli, "--country needs a database of countries: name one with "
					"--mmdb");
	if (status == EXIT_DONE && o->asn != 0 && !geo_has_asns(*geo))
		status = cli_usage(cli, "--asn needs a database of AS numbers: name one with "
					"--asmap or --mmdb");
	return status;
}

static int write_all(const struct cli *cli, const struct export_args *o, struct store *store,
		     const struct store_filter *filter, struct export_options *extra, FILE *out)
{
	const char *format = o->format != NULL ? o->format : cli->json ? "jsonl" : "csv";
	bool to_file = !output_file_is_stdout(o->output);
	const char *name = to_file ? o->output : "the standard output";
	uint64_t rows = 0;
	enum err err;
	int saved;

	errno = 0;
	err = export_run(store, o->what, format, filter, extra, write_out, out, &rows);
	saved = errno;
	if (ferror(out) || (to_file && fflush(out) != 0)) {
		/* Whoever closes the pipe has read enough, and is told nothing. */
		saved = saved != 0 ? saved : errno;
		if (saved != EPIPE)
			cli_error("cannot write to %s: %s; make room, or name another file with "
				  "--output",
				  name, strerror(saved));
		errno = saved;
		return EXIT_FAILED;
	}
	if (err != ERR_OK) {
		cli_error("%s", err == ERR_NOMEM      ? "out of memory: end other programs"
				: extra->note[0] != 0 ? extra->note
						      : store_why(store));
		return EXIT_FAILED;
	}
	if (to_file)
		cli_note(cli, "%llu rows are in %s", (unsigned long long)rows, o->output);
	return EXIT_DONE;
}

static int write_file(const struct cli *cli, const struct export_args *o, struct store *store,
		      const struct store_filter *filter, struct export_options *extra)
{
	struct output_file file;
	int status = EXIT_FAILED;
	bool closed;

	if (output_file_open(&file, o->output, "--output"))
		status = write_all(cli, o, store, filter, extra, file.file);
	closed = ferror(stdout) && errno == EPIPE;
	if (!output_file_close(&file, status == EXIT_DONE))
		status = EXIT_FAILED;
	if (status == EXIT_DONE && extra->note[0] != 0)
		cli_note(cli, "%s", extra->note);
	if (closed)
		errno = EPIPE; /* for main, which looks at stdout once more */
	return status;
}

static int run(struct cli *cli, void *values, char **args, unsigned args_count)
{
	const struct export_args *o = values;
	struct export_options extra = { 0 };
	struct seed_options seed;
	struct store_forks forks;
	struct store_filter filter;
	struct store *store = NULL;
	struct geo *geo = NULL;
	int status = check_what(cli, o), saved;

	(void)args;
	(void)args_count;
	if (status == EXIT_DONE)
		status = read_filter(cli, o, &forks, &filter);
	if (status != EXIT_DONE)
		return status;
	status = seed_arg_read(cli, &o->seed, o->format != NULL ? o->format : "", &seed, &extra);
	if (status == EXIT_DONE)
		status = read_places(cli, o, &geo, &extra);
	if (status == EXIT_DONE && (store = store_arg_open(&o->store)) == NULL)
		status = EXIT_FAILED;
	if (status == EXIT_DONE)
		status = check_crawl(o, store);
	if (status == EXIT_DONE)
		status = check_name(o, store);
	if (status == EXIT_DONE)
		status = check_network(o, store, &seed.names.port);
	if (status == EXIT_DONE)
		status = write_file(cli, o, store, &filter, &extra);
	saved = errno;
	store_close(store);
	geo_close(geo);
	seed_options_clear(&seed);
	errno = saved;
	return status;
}

const struct command command_export = {
	.name = "export",
	.summary = "writes what the database holds for other programs",
	.usage = "[options]",
	.about =
		"Writes peers, visits, adverts or books as CSV or JSON, row by row: a million of "
		"them "
		"need no more memory than one.\n"
		"\n"
		"The columns of --what peers begin with network, peer, address, port, node_id, "
		"outcome, agent, protocol, services, height, first_seen, last_seen, "
		"last_reached, connect_ms, handshake_ms, visits, reached_count. outcome, "
		"connect_ms and handshake_ms are those of the newest visit; agent, protocol, "
		"services and height what the peer said when it last said who it is. With "
		"--crawl, all of these are those of that crawl.\n"
		"\n"
		"Of Ethereum, peer is the enode URL, port the UDP port and node_id the public "
		"key; behind these columns stands what the node said of itself, from tcp_port "
		"to record. The formats nodeset, enodes and enrs have the nodes that ever "
		"answered (with --crawl: that answered in it), each once, in the order of "
		"their node ids; a key that answered at several addresses is there with the "
		"newest. The score of nodeset is the number of crawls that reached the node, "
		"halved if the newest visit did not.\n"
		"\n"
		"The format bitnodes has the peers that one crawl reached, the newest unless "
		"--crawl or --network says otherwise; what is not known of a peer is null there. "
		"The formats dot and graphml have a node for each peer that named "
		"somebody or was named, with network, outcome and user agent, and an edge for "
		"each advert, with the number of the crawl.\n"
		"\n"
		"Where a peer is (country, asn, as_name, the last columns of peers and visits) is "
		"known with --mmdb or --asmap alone; the format bitnodes has it, too, and the "
		"format zone takes no two peers of one autonomous system.\n"
		"\n"
		"The formats zone, enrtree and seeds are for those who run seeds. They have peers "
		"that are good enough to be told to others: reached by the newest visit, no longer "
		"than --max-age ago, and up at least --min-uptime of the time, as crawl --every "
		"has seen it. A zone draws from them by its serial, so that each export has "
		"others; see docs/seeding.md.\n"
		"\n"
		"The columns of --what book are book (bitcoin, ethereum, gossip/GROUP), peer, "
		"address, port, node_id, tcp_port, kind, services, tried (1: our node reached it "
		"by itself), named, reached, attempted (when that was last), failures (since it "
		"was reached), source (who named it first).\n"
		"\n"
		"Times are UTC, ISO 8601. Text from peers is escaped: control characters, "
		"invisible ones and bytes that are no UTF-8 become \\xNN, a backslash two of "
		"them; in CSV, text that a spreadsheet would take for a formula begins with an "
		"apostrophe. Numbers above 63 bits are strings in JSON.\n",
	.examples = "peerwalk export --what peers --format csv --output peers.csv\n"
		    "    one row for each address ever heard of\n"
		    "peerwalk export --outcome ok --format jsonl | jq -r .agent\n"
		    "    the user agents of those that answered\n"
		    "peerwalk export --mmdb country.mmdb --country DE --output germany.csv\n"
		    "    those in Germany, by that database\n"
		    "peerwalk export --what visits --crawl 3 --output crawl3.csv\n"
		    "    all that crawl 3 learnt\n"
		    "peerwalk export --what book --network bitcoin\n"
		    "    whom our node of Bitcoin knows\n"
		    "peerwalk export --format nodeset --fork mainnet --output nodes.json\n"
		    "    mainnet's nodes, for devp2p nodeset info nodes.json\n"
		    "peerwalk export --what adverts --crawl 3 --format dot --output graph.dot\n"
		    "    who named whom in crawl 3, for Graphviz\n"
		    "peerwalk export --format zone --origin seed.example.org --ns ns.example.net "
		    "--asmap asmap.dat --output seed.zone\n"
		    "    a zone for a DNS seed, one peer of an autonomous system to a name\n"
		    "peerwalk export --format enrtree --origin nodes.example.org --key tree.key "
		    "--fork mainnet --output nodes.zone\n"
		    "    mainnet's good nodes as a signed tree, for clients that look in DNS\n"
		    "peerwalk export --network bitcoin --format seeds --output dnsseed.dump\n"
		    "    for makeseeds.py\n",
	.options = options,
	.options_size = sizeof(struct export_args),
	.run = run,
};
