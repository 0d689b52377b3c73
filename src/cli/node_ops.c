#include "cli/node_ops.h"

#include "cli/node.h"
#include "cli/node_metrics.h"
#include "io/limits.h"
#include "io/notify.h"
#include "io/wall.h"
#include "report/json_text.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BEAT_MS = 10 * 1000 };

bool node_ops_path(const char *network, char out[static STATUS_WHY_MAX])
{
	return snprintf(out, STATUS_WHY_MAX, "/run/peerwalk/%s/status", network) < STATUS_WHY_MAX;
}

/* --- the document --- */

/* Whatever becomes of the wall clock. */
static uint64_t uptime_ms(const struct node_run *run)
{
	return (uv_hrtime() - run->ops.started_ns) / 1000000;
}

json_t *node_ops_status(struct node_run *run)
{
	char started[32];
	json_t *o;

	format_time(run->ops.started_at_ms, false, started);
	o = json_pack("{s:s, s:s, s:i, s:s, s:f, s:f, s:I}", "network", run->network->name,
		      "version", PEERWALK_VERSION, "pid", (int)getpid(), "started_at", started,
		      "uptime_seconds", (double)uptime_ms(run) / 1000, "cpu_seconds",
		      limits_cpu_seconds(), "max_rss_bytes", (json_int_t)limits_max_rss_bytes());
	if (o != NULL)
		run->kind->status(run, o);
	return o;
}

/* Takes o over. */
static void add_json(struct text *out, json_t *o)
{
	json_text_add(out, o, JSON_COMPACT | JSON_REAL_PRECISION(10));
}

/* One after the other: as a tree, 10,000 of them would take more memory than the node. */
static void add_peers(struct node_run *run, struct text *out)
{
	const char *before = "";
	uint32_t at = 0;
	json_t *peer;

	if (out->len == 0 || out->err != ERR_OK)
		return;
	out->len--; /* the brace */
	text_add(out, ",\"peers\":[");
	while ((peer = run->kind->peer(run, &at)) != NULL) {
		text_add(out, before);
		add_json(out, peer);
		before = ",";
	}
	text_add(out, "]}");
}

static bool answer(void *ctx, const char *question, struct text *out)
{
	struct node_run *run = ctx;
	bool peers = strcmp(question, "peers") == 0;

	if (!peers && strcmp(question, "status") != 0)
		return false;
	add_json(out, node_ops_status(run));
	if (peers)
		add_peers(run, out);
	return true;
}

/* --- systemd --- */

static void on_beat(uv_timer_t *timer)
{
	struct node_run *run = timer->data;
	json_t *o = node_ops_status(run);
	json_int_t in = json_integer_value(json_object_get(o, "peers_in"));
	json_int_t out = json_integer_value(json_object_get(o, "peers_out"));
	json_int_t known = json_integer_value(json_object_get(o, "known"));
	char text[128];

	json_decref(o);
	snprintf(text, sizeof(text),
		 "WATCHDOG=1\nSTATUS=%" JSON_INTEGER_FORMAT " peers in, %" JSON_INTEGER_FORMAT
		 " out, %" JSON_INTEGER_FORMAT " known",
		 in, out, known);
	notify_send(text);
}

void node_ops_ready(struct node_run *run)
{
	uint64_t every_ms = notify_watchdog_ms();

	cli_event(run->cli, LOG_INFO, "ready",
		  (struct log_field[]){ log_text("network", run->network->name),
					log_text("version", PEERWALK_VERSION),
					log_number("pid", getpid()),
					{ 0 } });
	if (every_ms == 0 || every_ms > BEAT_MS)
		every_ms = BEAT_MS;
	if (notify_ready())
		uv_timer_start(&run->ops.beat, on_beat, 0, every_ms);
}

/* --- starting and stopping --- */

/* Where systemd gives the service a folder of its own, it is there without being asked for. */
static const char *socket_path(const struct node_run *run, char *room, size_t cap)
{
	const char *folder = getenv("RUNTIME_DIRECTORY");
	int len;

	if (run->options->status != NULL)
		return run->options->status;
	if (folder == NULL || *folder == '\0')
		return NULL;
	len = snprintf(room, cap, "%.*s/status", (int)strcspn(folder, ":"), folder);
	return len > 0 && (size_t)len < cap ? room : NULL;
}

bool node_ops_start(struct node_run *run)
{
	struct node_ops *ops = &run->ops;
	char room[STATUS_WHY_MAX], why[STATUS_WHY_MAX];
	const char *path = socket_path(run, room, sizeof(room));

	ops->started_at_ms = wall_ms();
	ops->started_ns = uv_hrtime();
	if (path != NULL &&
	    status_start(&run->loop,
			 &(struct status_config){ .path = path, .answer = answer, .ctx = run },
			 &ops->status, why) != ERR_OK) {
		cli_fail(run->cli, "%s", why);
		return false;
	}
	if (!node_metrics_start(run, &ops->metrics)) {
		status_stop(ops->status);
		return false;
	}
	uv_timer_init(&run->loop, &ops->beat);
	ops->beat.data = run;
	return true;
}

void node_ops_stop(struct node_run *run)
{
	cli_event(run->cli, LOG_INFO, "stopping",
		  (struct log_field[]){ log_number("uptime_s", (int64_t)(uptime_ms(run) / 1000)),
					{ 0 } });
	notify_send("STOPPING=1");
	status_stop(run->ops.status);
	node_metrics_stop(run->ops.metrics);
	uv_close((uv_handle_t *)&run->ops.beat, NULL);
}
