#include "cli/crawl_metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct crawl_metrics {
	struct http *http;
	pthread_mutex_t lock; /* of the numbers */
	struct crawl_numbers numbers;
};

static void put(struct text *out, const struct crawl_numbers *n, const char *name, const char *help,
		const char *type, double value)
{
	metrics_begin(out, name, type, help);
	metrics_value(out, name, "network", slice_text(n->network), value);
}

static void gauge(struct text *out, const struct crawl_numbers *n, const char *name,
		  const char *help, uint64_t value)
{
	put(out, n, name, help, "gauge", (double)value);
}

static void counter(struct text *out, const struct crawl_numbers *n, const char *name,
		    const char *help, uint64_t value)
{
	put(out, n, name, help, "counter", (double)value);
}

static void moment(struct text *out, const struct crawl_numbers *n, const char *name,
		   const char *help, int64_t unix_ms)
{
	if (unix_ms > 0)
		put(out, n, name, help, "gauge", (double)unix_ms / 1000);
}

/* The file and what is still in its log. */
static uint64_t database_bytes(const char *db)
{
	static const char *const ends[] = { "", "-wal" };
	char path[4096];
	struct stat stat_of;
	uint64_t bytes = 0;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		int n = snprintf(path, sizeof(path), "%s%s", db, ends[i]);

		if (n > 0 && (size_t)n < sizeof(path) && stat(path, &stat_of) == 0)
			bytes += (uint64_t)stat_of.st_size;
	}
	return bytes;
}

static void add_round(struct text *out, const struct crawl_numbers *n)
{
	const struct crawl_stats *s = &n->stats;

	gauge(out, n, "peerwalk_crawl_running", "1 while a round runs.", n->running);
	gauge(out, n, "peerwalk_crawl_round", "Number of the newest round.", n->round);
	gauge(out, n, "peerwalk_crawl_known", "Addresses known in it.", s->known);
	gauge(out, n, "peerwalk_crawl_visited", "Peers visited in it.", s->visited);
	gauge(out, n, "peerwalk_crawl_reached", "Peers reached in it.", s->reached);
	gauge(out, n, "peerwalk_crawl_in_flight", "Visits under way.", s->in_flight);
	gauge(out, n, "peerwalk_crawl_waiting", "Addresses still to be visited in it.", s->waiting);
	gauge(out, n, "peerwalk_crawl_resting", "Peers that are not due in it.", s->resting);
	moment(out, n, "peerwalk_crawl_started_timestamp_seconds", "When it began.",
	       n->started_at_ms);
	moment(out, n, "peerwalk_crawl_ended_timestamp_seconds", "When it ended.", n->ended_at_ms);
	moment(out, n, "peerwalk_crawl_next_timestamp_seconds", "When the next one begins.",
	       n->next_ms);
	put(out, n, "peerwalk_crawl_seconds", "How long it took, or has been running.", "gauge",
	    (double)n->elapsed_ms / 1000);
	metrics_begin(out, "peerwalk_crawl_outcome", "gauge", "Visits of it by their outcome.");
	for (int i = 0; i < OUTCOME_COUNT; i++)
		metrics_value(out, "peerwalk_crawl_outcome", "outcome",
			      slice_text(outcome_name((enum outcome)i)), (double)s->outcomes[i]);
}

static void add_process(struct text *out, const struct crawl_numbers *n)
{
	counter(out, n, "peerwalk_rounds_total", "Rounds that this process ended.", n->rounds);
	counter(out, n, "peerwalk_visits_total", "Visits by this process.", n->visits);
	counter(out, n, "peerwalk_received_bytes_total", "Bytes that peers sent.", n->bytes_in);
	counter(out, n, "peerwalk_sent_bytes_total", "Bytes that were sent to peers.",
		n->bytes_out);
	counter(out, n, "peerwalk_forgotten_total", "Peers that are watched no longer.",
		n->forgotten);
	gauge(out, n, "peerwalk_database_bytes", "Size of the database, its log included.",
	      database_bytes(n->db));
}

static void on_ask(void *ctx, struct text *out)
{
	struct crawl_metrics *m = ctx;
	struct crawl_numbers n;

	pthread_mutex_lock(&m->lock);
	n = m->numbers;
	pthread_mutex_unlock(&m->lock);
	add_round(out, &n);
	add_process(out, &n);
	metrics_process(out);
}

enum err crawl_metrics_start(const char *listen, const char *token,
			     const struct crawl_numbers *numbers, struct crawl_metrics **out,
			     char why[static HTTP_WHY_MAX])
{
	struct crawl_metrics *m = calloc(1, sizeof(*m));
	enum err err;

	*out = NULL;
	snprintf(why, HTTP_WHY_MAX, "out of memory");
	if (m == NULL)
		return ERR_NOMEM;
	m->numbers = *numbers;
	pthread_mutex_init(&m->lock, NULL);
	err = metrics_serve(listen, token, on_ask, m, &m->http, why);
	if (err == ERR_OK)
		*out = m;
	else
		crawl_metrics_stop(m);
	return err;
}

const char *crawl_metrics_where(const struct crawl_metrics *m)
{
	return http_where(m->http);
}

void crawl_metrics_set(struct crawl_metrics *m, const struct crawl_numbers *numbers)
{
	if (m == NULL)
		return;
	pthread_mutex_lock(&m->lock);
	m->numbers = *numbers;
	pthread_mutex_unlock(&m->lock);
}

void crawl_metrics_stop(struct crawl_metrics *m)
{
	if (m == NULL)
		return;
	http_stop(m->http);
	pthread_mutex_destroy(&m->lock);
	free(m);
}
