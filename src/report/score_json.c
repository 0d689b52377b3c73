#include "report/score.h"

#include "report/report.h"

static json_t *peer_json(const struct score *score, const struct score_peer *p)
{
	char host[NETADDR_HOST_TEXT_MAX];

	netaddr_host_text(&p->addr, host);
	return json_pack("{s:s s:i s:s s:o s:s*}", "address", host, "port", (int)p->addr.port,
			 "kind", score->kinds[p->kind].name, "outcome",
			 p->visited ? json_string(outcome_name(p->outcome)) : json_null(), "peer",
			 p->peer);
}

static json_t *kind_json(const struct score_kind *k)
{
	json_t *outcomes = json_object();

	for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
		if (k->outcomes[i] > 0)
			json_object_set_new(outcomes, outcome_name((enum outcome)i),
					    json_integer((json_int_t)k->outcomes[i]));
	}
	return json_pack("{s:I s:I s:I s:I s:o}", "peers", (json_int_t)k->peers, "reachable",
			 (json_int_t)k->reachable, "reached", (json_int_t)k->reached, "unvisited",
			 (json_int_t)k->unvisited, "outcomes", outcomes);
}

static json_t *tables_json(const struct score *score)
{
	json_t *out = json_object();

	for (size_t i = 0; i < score->tables_count; i++)
		json_object_set_new(out, score->tables[i].name,
				    json_integer((json_int_t)score->tables[i].count));
	return out;
}

json_t *score_json(const struct score *score, size_t missing_max)
{
	json_t *kinds = json_object(), *missing = json_array(), *tables = NULL;
	const struct score_peer *p;
	size_t at = 0;

	for (size_t i = 0; i < score->kinds_count; i++)
		json_object_set_new(kinds, score->kinds[i].name, kind_json(&score->kinds[i]));
	while (json_array_size(missing) < missing_max && (p = score_missing(score, &at)) != NULL)
		if (json_array_append_new(missing, peer_json(score, p)) != 0)
			break;
	if (score->tables_count > 0)
		tables = tables_json(score);
	return json_pack("{s:o s:f s:f s:I s:I s:I s:I s:I s:I s:I s:I s:I s:o s:o s:o*}", "crawl",
			 report_crawl_json(&score->crawl), "recall", score_recall(score),
			 "precision", score_precision(score), "peers", (json_int_t)score->count,
			 "reachable", (json_int_t)score->reachable, "found",
			 (json_int_t)score->found, "reached", (json_int_t)score->reached,
			 "false_reached", (json_int_t)score->false_reached, "false_ok",
			 (json_int_t)score->false_ok, "strangers", (json_int_t)score->strangers,
			 "strangers_reached", (json_int_t)score->strangers_reached, "agents_differ",
			 (json_int_t)score->agents_differ, "missing", missing, "kinds", kinds,
			 "completeness", tables);
}
