#include "report/diff.h"

#include "base/text.h"
#include "report/peer_url.h"
#include "report/report.h"

#include <inttypes.h>

/* More than 63 bits would break readers that have signed integers only. */
static json_t *unsigned_if(bool there, uint64_t v)
{
	if (!there)
		return json_null();
	return v <= INT64_MAX ? json_integer((json_int_t)v) : json_sprintf("%" PRIu64, v);
}

static json_t *escaped_if(bool there, struct slice s)
{
	struct text t = { 0 };
	json_t *out;

	if (!there)
		return json_null();
	text_add(&t, "");
	text_add_escaped(&t, s);
	out = t.err == ERR_OK ? json_stringn(t.data, t.len) : NULL;
	text_clear(&t);
	return out;
}

static json_t *came_json(const struct diff *d)
{
	uint64_t total = d->kinds[DIFF_NEW] + d->kinds[DIFF_BACK];

	return json_pack("{s:I s:I s:I}", "total", (json_int_t)total, "new",
			 (json_int_t)d->kinds[DIFF_NEW], "back", (json_int_t)d->kinds[DIFF_BACK]);
}

static json_t *left_json(const struct diff *d)
{
	json_t *outcomes = json_object();

	for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
		if (d->outcomes[i] > 0 && json_object_set_new(outcomes, outcome_name(i),
							      unsigned_if(true, d->outcomes[i])))
			return json_decref(outcomes), NULL;
	}
	return json_pack("{s:I s:I s:o}", "total", (json_int_t)d->kinds[DIFF_LEFT], "not_visited",
			 (json_int_t)d->unvisited, "outcomes", outcomes);
}

static json_t *stayed_json(const struct diff *d)
{
	uint64_t stayed = d->kinds[DIFF_CHANGED] + d->kinds[DIFF_SAME];
	json_t *fields = json_object();

	for (enum diff_field i = 0; i < DIFF_FIELDS; i++) {
		if (json_object_set_new(fields, diff_field_key(i), unsigned_if(true, d->fields[i])))
			return json_decref(fields), NULL;
	}
	return json_pack("{s:I s:I s:o}", "total", (json_int_t)stayed, "changed",
			 (json_int_t)d->kinds[DIFF_CHANGED], "fields", fields);
}

static json_t *agents_json(const struct diff *d)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < d->agents_count; i++) {
		const struct diff_agent *a = &d->agents[i];

		if (json_array_append_new(rows,
					  json_pack("{s:s s:I s:I s:I}", "value", a->label, "a",
						    (json_int_t)a->was, "b", (json_int_t)a->is,
						    "change", (json_int_t)(a->is - a->was))))
			return json_decref(rows), NULL;
	}
	return json_pack("{s:I s:I s:I s:o}", "total_a", (json_int_t)d->agents_a, "total_b",
			 (json_int_t)d->agents_b, "moved", (json_int_t)d->agents_moved, "rows",
			 rows);
}

json_t *diff_json(const struct diff *d)
{
	return json_pack("{s:o s:o s:I s:I s:o s:o s:o s:o}", "a", report_crawl_json(&d->a), "b",
			 report_crawl_json(&d->b), "reached_a", (json_int_t)d->reached_a,
			 "reached_b", (json_int_t)d->reached_b, "came", came_json(d), "left",
			 left_json(d), "stayed", stayed_json(d), "agents", agents_json(d));
}

static json_t *side_json(const struct store_change *c, const struct store_change_side *s)
{
	bool is_node = c->public.len > 0;
	char fork[2 + 2 * sizeof(s->fork_hash) + 1] = "0x";

	if (!s->visited)
		return json_null();
	hex_encode(slice_of(s->fork_hash, sizeof(s->fork_hash)), fork + 2);
	return json_pack("{s:s s:b s:o s:o s:o s:o s:s?}", "outcome", outcome_name(s->outcome),
			 "reached", (int)s->reached, "agent",
			 escaped_if(s->agent.len > 0 || s->has_version, s->agent), "protocol",
			 s->has_version ? json_integer(s->protocol) : json_null(), "services",
			 unsigned_if(s->has_version && !is_node, s->services), "record_seq",
			 unsigned_if(s->has_record_seq, s->record_seq), "fork_hash",
			 s->has_fork ? fork : NULL);
}

json_t *diff_peer_json(const struct diff *d, const struct store_change *c, enum diff_kind kind,
		       unsigned fields)
{
	json_t *names = json_array();
	char url[PEER_URL_MAX];

	peer_url(d->b.network, &c->addr, c->public, c->tcp_port, url);
	for (enum diff_field i = 0; i < DIFF_FIELDS; i++) {
		if ((fields >> i & 1) != 0 &&
		    json_array_append_new(names, json_string(diff_field_key(i))))
			return json_decref(names), NULL;
	}
	return json_pack("{s:s s:s s:o s:o s:o}", "peer", url, "change", diff_kind_name(kind),
			 "fields", names, "was", side_json(c, &c->was), "is", side_json(c, &c->is));
}
