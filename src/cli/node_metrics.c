#include "cli/node_metrics.h"

#include "cli/alloc.h"
#include "cli/node.h"
#include "web/metrics.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The node's state belongs to its loop, which writes it down so often; the server's threads read
 * what was written. */
enum { WRITE_MS = 1000 };

struct node_metrics {
	struct node_run *run;
	struct http *http;
	uv_timer_t timer;
	pthread_mutex_t lock;
	struct text text;
};

/* Of what is a number in the status; a kind of node has some of them. */
static const struct {
	const char *key, *name, *type, *help;
} rows[] = {
	{ "uptime_seconds", "peerwalk_node_uptime_seconds", "gauge", "Time since the start." },
	{ "peers_in", "peerwalk_node_peers_in", "gauge", "Connections that others began." },
	{ "peers_out", "peerwalk_node_peers_out", "gauge", "Connections that it began." },
	{ "up", "peerwalk_node_peers_up", "gauge", "Connections with shaken hands." },
	{ "known", "peerwalk_node_known", "gauge", "Addresses or nodes that it knows." },
	{ "tried", "peerwalk_node_tried", "gauge", "Addresses that it has reached itself." },
	{ "live", "peerwalk_node_live", "gauge", "Nodes of its table that it has checked." },
	{ "bonds", "peerwalk_node_bonds", "gauge", "Nodes that have proven their addresses." },
	{ "buffers", "peerwalk_node_buffers_bytes", "gauge", "Bytes held for slow peers." },
	{ "messages_in", "peerwalk_node_messages_in_total", "counter", "Messages heard." },
	{ "messages_out", "peerwalk_node_messages_out_total", "counter", "Messages said." },
	{ "bytes_in", "peerwalk_node_bytes_in_total", "counter", "Bytes heard." },
	{ "bytes_out", "peerwalk_node_bytes_out_total", "counter", "Bytes said." },
	{ "packets_in", "peerwalk_node_packets_in_total", "counter", "Packets of discovery in." },
	{ "packets_out", "peerwalk_node_packets_out_total", "counter",
	  "Packets of discovery out." },
	{ "unsent", "peerwalk_node_unsent_total", "counter", "Packets that were not sent." },
	{ "accepted", "peerwalk_node_accepted_total", "counter", "Callers taken in." },
	{ "refused", "peerwalk_node_refused_total", "counter", "Callers turned away." },
	{ "evicted", "peerwalk_node_evicted_total", "counter", "Callers who made room." },
	{ "let_go", "peerwalk_node_let_go_total", "counter", "Peers let go for held bytes." },
	{ "unaccepted", "peerwalk_node_unaccepted_total", "counter",
	  "Callers lost for want of descriptors." },
	{ "dialled", "peerwalk_node_dialled_total", "counter", "Connections tried." },
	{ "failed", "peerwalk_node_failed_total", "counter", "Connections that failed." },
	{ "named", "peerwalk_node_named_total", "counter", "Addresses taken from peers." },
	{ "relayed", "peerwalk_node_relayed_total", "counter", "Addresses passed on." },
	{ "answered", "peerwalk_node_answered_total", "counter", "Questions answered." },
};

/* Of what is an object of numbers: one value for each of its keys. */
static const struct {
	const char *key, *name, *label, *help;
} groups[] = {
	{ "ends", "peerwalk_node_ends_total", "outcome", "Connections by how they ended." },
	{ "fates", "peerwalk_node_fates_total", "fate", "Packets by what became of them." },
	{ "sessions", "peerwalk_node_sessions_total", "step", "Sessions by how far they came." },
};

/* What a status (an object, as node_ops.c makes it) says as text. */
static void status_text(const json_t *status, struct text *out)
{
	const char *name = json_string_value(json_object_get(status, "network"));
	struct slice network = slice_text(name != NULL ? name : "");

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const json_t *value = json_object_get(status, rows[i].key);

		if (!json_is_number(value))
			continue;
		metrics_begin(out, rows[i].name, rows[i].type, rows[i].help);
		metrics_value(out, rows[i].name, "network", network, json_number_value(value));
	}
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		json_t *group = json_object_get(status, groups[i].key), *value;
		const char *key;

		if (json_object_size(group) == 0)
			continue;
		metrics_begin(out, groups[i].name, "counter", groups[i].help);
		json_object_foreach(group, key, value)
		{
			metrics_values(
				out, groups[i].name,
				(struct metrics_label[]){ { "network", network },
							  { groups[i].label, slice_text(key) },
							  { 0 } },
				json_number_value(value));
		}
	}
}

static void write_down(struct node_metrics *m)
{
	json_t *status = node_ops_status(m->run);
	struct text text = { 0 }, before;

	status_text(status, &text);
	json_decref(status);
	pthread_mutex_lock(&m->lock);
	before = m->text;
	m->text = text;
	pthread_mutex_unlock(&m->lock);
	text_clear(&before);
}

static void on_timer(uv_timer_t *timer)
{
	write_down(timer->data);
}

static void on_ask(void *ctx, struct text *out)
{
	struct node_metrics *m = ctx;

	pthread_mutex_lock(&m->lock);
	text_add_slice(out, slice_of(m->text.data, m->text.len));
	pthread_mutex_unlock(&m->lock);
	metrics_process(out);
}

bool node_metrics_start(struct node_run *run, struct node_metrics **out)
{
	const struct node_options *o = run->options;
	char token[HTTP_PARAM_MAX + 1], why[HTTP_WHY_MAX];
	struct node_metrics *m;
	enum err err = ERR_OK;

	*out = NULL;
	if (o->metrics == NULL)
		return true;
	if (o->token != NULL)
		err = http_token_read(o->token, token, why);
	if (err != ERR_OK) {
		cli_fail(run->cli, "%s", why);
		return false;
	}
	m = alloc_zeroed(1, sizeof(*m));
	m->run = run;
	pthread_mutex_init(&m->lock, NULL);
	uv_timer_init(&run->loop, &m->timer);
	m->timer.data = m;
	err = metrics_serve(o->metrics, o->token != NULL ? token : NULL, on_ask, m, &m->http, why);
	explicit_bzero(token, sizeof(token));
	if (err != ERR_OK) {
		cli_fail(run->cli, "--metrics: %s", why);
		node_metrics_stop(m);
		return false;
	}
	cli_note(run->cli, "metrics at http://%s/metrics", http_where(m->http));
	uv_timer_start(&m->timer, on_timer, 0, WRITE_MS);
	*out = m;
	return true;
}

static void on_closed(uv_handle_t *timer)
{
	struct node_metrics *m = timer->data;

	pthread_mutex_destroy(&m->lock);
	text_clear(&m->text);
	free(m);
}

void node_metrics_stop(struct node_metrics *m)
{
	if (m == NULL)
		return;
	http_stop(m->http);
	uv_close((uv_handle_t *)&m->timer, on_closed);
}
