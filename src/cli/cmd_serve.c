#include "cli/chain_text.h"
#include "cli/cli.h"
#include "cli/geo_arg.h"
#include "cli/log_arg.h"
#include "cli/loop.h"
#include "cli/service_text.h"
#include "cli/signals.h"
#include "cli/store_arg.h"

#include "io/notify.h"
#include "web/serve.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

struct serve_options {
	const char *db, *listen, *token;
	struct geo_arg geo;
	struct log_arg log;
};

#define AT(field) offsetof(struct serve_options, field)

static const struct option_row options[] = {
	{ .name = "db",
	  .letter = 'd',
	  .type = OPTION_TEXT,
	  .arg = "FILE",
	  .help = "show this database, also while a crawl writes it",
	  .initial = "peerwalk.db",
	  .offset = AT(db) },
	{ .name = "listen",
	  .letter = 'l',
	  .type = OPTION_TEXT,
	  .arg = "ADDR:PORT",
	  .help = "where to listen, port 0 for any; other addresses than this machine's own need "
		  "--token",
	  .initial = "127.0.0.1:8080",
	  .offset = AT(listen) },
	{ .name = "token",
	  .type = OPTION_TEXT,
	  .arg = "FILE",
	  .help = "answer only those who have the token in the first line of FILE",
	  .offset = AT(token) },
	{ GEO_ARG_MMDB(AT(geo)) },
	{ GEO_ARG_ASMAP(AT(geo)) },
	{ LOG_ARG_FILE(AT(log)) },
	{ LOG_ARG_LEVEL(AT(log)) },
	{ LOG_ARG_FORMAT(AT(log)) },
	{ 0 },
};

/* While it runs. */
struct run {
	const struct cli *cli;
	struct serve *serve;
	struct http *http;
	uv_loop_t loop;
	struct signals signals;
	int interrupted;
};

static void on_signal(void *ctx, int status)
{
	struct run *run = ctx;

	run->interrupted = status;
	signals_close(&run->signals);
}

/* The result: where it is. */
static void tell(const struct run *run, const struct serve_options *o)
{
	char url[96];

	snprintf(url, sizeof(url), "http://%s/", http_where(run->http));
	if (run->cli->json) {
		json_t *line = json_pack("{s:s s:s}", "url", url, "db", o->db);

		json_dumpf(line, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(line);
	} else {
		puts(url);
	}
	fflush(stdout);
	if (access(o->db, F_OK) != 0)
		cli_note(run->cli, "%s is not there yet: it is shown as soon as it is", o->db);
	if (o->token != NULL)
		cli_note(run->cli, "a browser comes in by %s?token=..., with what is in %s", url,
			 o->token);
	notify_ready();
}

static int wait_for_signal(struct run *run)
{
	signals_watch(&run->signals, &run->loop, on_signal, run);
	signals_watch_log(&run->signals, run->cli->log);
	uv_run(&run->loop, UV_RUN_DEFAULT);
	notify_send("STOPPING=1");
	return run->interrupted;
}

static int start(struct run *run, const struct serve_options *o, const char *token,
		 const struct geo *geo)
{
	char why[HTTP_WHY_MAX] = "out of memory: end other programs";
	const struct serve_config config = { .db = o->db,
					     .geo = geo,
					     .key = store_arg_hash_key(),
					     .service_name = service_text,
					     .fork_text = chain_text_fork,
					     .network_text = chain_text_network };
	enum err err = serve_new(&config, &run->serve);

	if (err == ERR_OK)
		err = http_start(&(struct http_config){ .listen = o->listen,
							.token = token,
							.handler = serve_handle,
							.ctx = run->serve },
				 &run->http, why);
	if (err == ERR_OK)
		err = serve_start(run->serve, run->http);
	if (err == ERR_OK)
		return EXIT_DONE;
	if (err == ERR_VALUE)
		return cli_usage(run->cli, "--listen: %s", why);
	cli_fail(run->cli, "%s", why);
	return EXIT_FAILED;
}

static int read_token(const struct cli *cli, const char *path, char out[static HTTP_PARAM_MAX + 1])
{
	char why[HTTP_WHY_MAX];

	if (path == NULL || http_token_read(path, out, why) == ERR_OK)
		return EXIT_DONE;
	cli_fail(cli, "%s", why);
	return EXIT_FAILED;
}

static int run_serve(struct cli *cli, void *values, char **args, unsigned args_count)
{
	const struct serve_options *o = values;
	struct run run = { .cli = cli };
	char token[HTTP_PARAM_MAX + 1] = "", why[DRIVER_WHY_MAX];
	struct geo *geo = NULL;
	int status = log_arg_open(cli, &o->log);

	(void)args;
	(void)args_count;
	if (status != EXIT_DONE)
		return status;
	if (!loop_begin(&run.loop, NULL, why)) {
		cli_fail(cli, "%s", why);
		return EXIT_FAILED;
	}
	status = read_token(cli, o->token, token);
	if (status == EXIT_DONE)
		status = geo_arg_open(cli, &o->geo, &geo);
	if (status == EXIT_DONE)
		status = start(&run, o, o->token != NULL ? token : NULL, geo);
	if (status == EXIT_DONE) {
		tell(&run, o);
		status = wait_for_signal(&run);
	}
	serve_stop(run.serve);
	http_stop(run.http);
	serve_free(run.serve);
	geo_close(geo);
	uv_loop_close(&run.loop);
	explicit_bzero(token, sizeof(token));
	return status;
}

const struct command command_serve = {
	.name = "serve",
	.summary = "shows a database as a page, and to programs over HTTP",
	.usage = "[options]",
	.about =
		"A page for a browser: what a network looks like now and how it changes, the crawl "
		"that runs, each peer and its history, what came between two crawls, a map. For "
		"programs the same as JSON below /api/v1, events as they happen, and numbers for "
		"Prometheus at /metrics; docs/api.md describes them.\n"
		"\n"
		"The database is only read, and may be written by a crawl meanwhile. It need not "
		"be "
		"there yet. /healthz says whether it can be read, and if not, why.\n"
		"\n"
		"It listens at this machine's own address. At any other one everybody who asks "
		"needs a token, which stands in a file; and as that goes over the network, let a "
		"server with TLS stand between.\n"
		"\n"
		"It runs until interrupted.\n",
	.examples = "peerwalk serve\n"
		    "    the page is at http://127.0.0.1:8080/\n"
		    "peerwalk serve --db watch.db --mmdb city.mmdb --mmdb asn.mmdb\n"
		    "    with a map, countries and networks\n"
		    "peerwalk serve --listen 0.0.0.0:8080 --token token.txt\n"
		    "    for others, who need the token\n"
		    "curl -s http://127.0.0.1:8080/api/v1/networks\n"
		    "    what it says to programs\n",
	.options = options,
	.options_size = sizeof(struct serve_options),
	.run = run_serve,
};
