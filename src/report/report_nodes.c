/* report_nodes.c: the tables of a report that are of nodes of discovery alone. */
#include "report/report_gather.h"

#include <string.h>

enum { NAME_MAX_BYTES = 64 /* of a client's name, and of its version */ };

/* The bytes before the first c, or all; *rest is what stands behind it. */
static struct slice cut(struct slice in, int c, struct slice *rest)
{
	const uint8_t *at = in.len > 0 ? memchr(in.data, c, in.len) : NULL;
	size_t len = at != NULL ? (size_t)(at - in.data) : in.len;

	*rest = slice_from(in, len + 1);
	return slice_of(in.data, len);
}

static struct slice at_most(struct slice s, size_t most)
{
	return slice_of(s.data, s.len < most ? s.len : most);
}

/* "v1.16.4" of "v1.16.4-stable-41714b49": a v and digits, or digits alone, up to what is not
 * of the release. Empty if it is no version. */
static struct slice release(struct slice field)
{
	size_t i = field.len > 0 && field.data[0] == 'v', len = 0;

	if (i >= field.len || field.data[i] < '0' || field.data[i] > '9')
		return slice_of(field.data, 0);
	while (len < field.len && field.data[len] != '-' && field.data[len] != '+')
		len++;
	return slice_of(field.data, len);
}

/* "Geth/v1.16.4-stable/linux-amd64/go1.25", or with a name that its owner gave it:
 * "Geth/mine/v1.16.4-stable/...". */
static void add_client(struct gather *g, struct slice agent)
{
	uint8_t key[2 * NAME_MAX_BYTES + 1];
	struct slice rest, version = { 0 };
	struct slice name = at_most(cut(agent, '/', &rest), NAME_MAX_BYTES);
	size_t len = name.len;

	tally_add(&g->tallies[REPORT_CLIENTS], name);
	while (rest.len > 0 && version.len == 0)
		version = release(cut(rest, '/', &rest));
	version = at_most(version, NAME_MAX_BYTES);
	if (len > 0)
		memcpy(key, name.data, len);
	if (version.len > 0) {
		key[len++] = ' ';
		memcpy(key + len, version.data, version.len);
		len += version.len;
	}
	tally_add(&g->tallies[REPORT_CLIENT_VERSIONS], slice_of(key, len));
}

/* Each once, however often it stands there. */
static void add_capabilities(struct gather *g, struct slice all)
{
	struct slice rest = all;

	while (rest.len > 0) {
		struct slice name = cut(rest, ' ', &rest), before = all;
		bool seen = false;

		while (before.data < name.data && !seen)
			seen = slice_equal(cut(before, ' ', &before), name);
		if (name.len > 0 && !seen)
			tally_add(&g->tallies[REPORT_CAPABILITIES], name);
	}
}

void gather_node(struct gather *g, const struct record *r)
{
	const struct node_info *n = r->node;
	const struct peer_chain *chain = &n->chain;

	if (n->completeness != NULL) {
		tally_add(&g->tallies[REPORT_COMPLETENESS], slice_text(n->completeness));
		if (n->entries > 0) {
			gather_time(&g->counts[REPORT_ENTRIES], (int32_t)(n->entries & INT32_MAX));
			gather_time(&g->counts[REPORT_FINDNODES],
				    (int32_t)(n->findnodes & INT32_MAX));
		}
	}
	if (n->session != NULL)
		tally_add(&g->tallies[REPORT_SESSIONS], slice_text(n->session));
	if (n->has_hello) {
		g->hellos++;
		add_client(g, r->info.agent);
		add_capabilities(g, n->capabilities);
	}
	if (chain->has_status)
		tally_add_number(&g->tallies[REPORT_NETWORKS], (int64_t)chain->network_id);
	if (chain->has_fork)
		tally_add(&g->tallies[REPORT_FORKS],
			  slice_of(chain->fork_hash, sizeof(chain->fork_hash)));
}

static void fill_counts(struct gather *g)
{
	for (unsigned i = 0; i < REPORT_COUNTS; i++) {
		struct report_counts *c = &g->report->counts[i];

		c->count = g->counts[i].count;
		c->median = gather_quantile(&g->counts[i], 50);
		c->p90 = gather_quantile(&g->counts[i], 90);
	}
}

enum err gather_fill_nodes(struct gather *g)
{
	struct report_table *capabilities = &g->report->tables[REPORT_CAPABILITIES];
	enum err err = ERR_OK;

	for (unsigned id = REPORT_NODE_TABLES; id < REPORT_TABLES && err == ERR_OK; id++)
		err = gather_tally(g, id);
	/* A node has several: the shares are of the nodes, and don't add up. */
	capabilities->total = g->hellos;
	capabilities->others = 0;
	fill_counts(g);
	return err;
}
