/* api_metrics.c: the sums of each network for Prometheus; without a look at the database. */
#include "web/metrics.h"
#include "web/serve_inner.h"

#include <stdio.h>
#include <string.h>

static double peers(const struct serve_network *n)
{
	return (double)n->of.peers;
}

static double reached(const struct serve_network *n)
{
	return (double)n->of.reached;
}

static double running(const struct serve_network *n)
{
	return n->running;
}

static double crawl_visited(const struct serve_network *n)
{
	return (double)n->newest.visited;
}

static double crawl_known(const struct serve_network *n)
{
	return (double)n->newest.known;
}

static double crawl_reached(const struct serve_network *n)
{
	return (double)n->newest.reached;
}

static double crawl_started(const struct serve_network *n)
{
	return (double)n->newest.started_at_ms / 1000;
}

static double crawl_ended(const struct serve_network *n)
{
	return (double)n->newest.ended_at_ms / 1000;
}

static const struct {
	const char *name, *help;
	double (*value)(const struct serve_network *n);
	bool of_crawl;
} rows[] = {
	{ "peerwalk_peers", "Peers in the database.", peers, false },
	{ "peerwalk_peers_reached", "Peers that their newest visit reached.", reached, false },
	{ "peerwalk_crawl_running", "1 while a crawl runs.", running, false },
	{ "peerwalk_crawl_visited", "Peers that the newest crawl visited.", crawl_visited, true },
	{ "peerwalk_crawl_known", "Peers that the newest crawl knew.", crawl_known, true },
	{ "peerwalk_crawl_reached", "Peers that the newest crawl reached.", crawl_reached, true },
	{ "peerwalk_crawl_started_timestamp_seconds", "Start of the newest crawl.", crawl_started,
	  true },
	{ "peerwalk_crawl_ended_timestamp_seconds", "Its end; 0: it has none.", crawl_ended, true },
};

static void add_outcomes(const struct serve *s, struct text *out)
{
	static const char name[] = "peerwalk_peers_outcome";

	metrics_begin(out, name, "gauge", "Peers by the outcome of their newest visit.");
	for (size_t i = 0; i < s->networks_count; i++) {
		const struct serve_network *n = &s->networks[i];

		for (unsigned k = 0; k < OUTCOME_COUNT; k++)
			metrics_values(out, name,
				       (struct metrics_label[]){
					       { "network", slice_text(n->of.name) },
					       { "outcome", slice_text(outcome_name(k)) },
					       { 0 } },
				       (double)n->of.outcomes[k]);
	}
}

void api_metrics(struct serve *s, struct http_response *r)
{
	struct text *out = &r->body;

	r->type = METRICS_TYPE;
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		metrics_begin(out, rows[i].name, "gauge", rows[i].help);
		for (size_t k = 0; k < s->networks_count; k++) {
			const struct serve_network *n = &s->networks[k];

			if (n->has_newest || !rows[i].of_crawl)
				metrics_value(out, rows[i].name, "network", slice_text(n->of.name),
					      rows[i].value(n));
		}
	}
	add_outcomes(s, out);
	pthread_mutex_unlock(&s->lock);
	metrics_process(out);
}
