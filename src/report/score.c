#include "report/score.h"

#include "base/text.h"
#include "report/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What each kind of simulated peer can rightly become. A kind that is not here may be
 * anything: it can't be held against the crawler. */
struct kind_rule {
	const char *name;
	bool may_reach, may_be_ok;
};

static const struct kind_rule peer_kinds[] = {
	{ "honest", true, true },
	{ "old", true, true },
	{ "stepwise", true, true },
	{ "tutorial", true, true },
	{ "full", false, false },
	{ "ghost_refused", false, false },
	{ "ghost_silent", false, false },
	{ "wrong_magic", false, false },
	{ "wrong_checksum", false, false },
	{ "huge_length", false, false },
	{ "garbage", false, false },
	{ "mute", false, false },
	{ "echo", false, false },
	/* These shake hands before they lie. */
	{ "truncated", true, false },
	{ "dribble", true, false },
	{ "bad_addr", true, false },
	{ "invent", true, false },
	{ NULL, false, false },
};

/* Nodes of Ethereum: reached is who has proven its address. */
static const struct kind_rule node_kinds[] = {
	{ "honest", true, true },
	{ "ghost", false, false },
	/* No packet of theirs counts. */
	{ "bad_hash", false, false },
	{ "bad_signature", false, false },
	{ "expired", false, false },
	{ "wrong_pong", false, false },
	{ "other_key", false, false },
	/* These answer, and lie in what they send besides, or in whom they name. */
	{ "oversized", true, true },
	{ "unsolicited", true, true },
	{ "invent", true, true },
	{ "private", true, true },
	{ "bad_record", true, true },
	{ NULL, false, false },
};

static enum err kind_find(struct score *score, struct slice name, bool is_node, uint8_t *out)
{
	struct score_kind *k;

	for (size_t i = 0; i < score->kinds_count; i++) {
		if (slice_equal(name, slice_text(score->kinds[i].name))) {
			*out = (uint8_t)i;
			return ERR_OK;
		}
	}
	if (score->kinds_count == SCORE_KINDS_MAX || name.len == 0 ||
	    name.len >= SCORE_KIND_NAME_MAX)
		return ERR_SYNTAX;
	*out = (uint8_t)score->kinds_count;
	k = &score->kinds[score->kinds_count++];
	*k = (struct score_kind){ .may_reach = true, .may_be_ok = true };
	memcpy(k->name, name.data, name.len);
	for (const struct kind_rule *r = is_node ? node_kinds : peer_kinds; r->name != NULL; r++) {
		if (strcmp(r->name, k->name) == 0) {
			k->may_reach = r->may_reach;
			k->may_be_ok = r->may_be_ok;
		}
	}
	return ERR_OK;
}

static char *copy_text(struct slice s)
{
	return strndup(s.len > 0 ? (const char *)s.data : "", s.len);
}

/* The fields that we read, in their places of the heading. */
struct columns {
	int peer; /* -1: not there, so there are no nodes */
	int address, port, kind, agent, reachable;
};

static enum err read_heading(struct csv *csv, struct columns *c)
{
	enum err err;

	if (!csv_next(csv, &err))
		return err != ERR_OK ? err : ERR_SYNTAX;
	c->peer = csv_find(csv, "peer");
	c->address = csv_find(csv, "address");
	c->port = csv_find(csv, "port");
	c->kind = csv_find(csv, "kind");
	c->agent = csv_find(csv, "agent");
	c->reachable = csv_find(csv, "reachable");
	return c->address >= 0 && c->port >= 0 && c->kind >= 0 && c->agent >= 0 && c->reachable >= 0
		       ? ERR_OK
		       : ERR_SYNTAX;
}

/* The key of "enode://KEY@..."; whoever has none is no node, which is no error. */
static enum err read_key(struct slice peer, struct score_peer *out)
{
	static const char scheme[] = "enode://";
	enum { SCHEME_LEN = sizeof(scheme) - 1, DIGITS = 2 * PEER_NODE_ID_MAX };
	size_t len = 0;

	if (peer.len < SCHEME_LEN || memcmp(peer.data, scheme, SCHEME_LEN) != 0)
		return ERR_OK;
	peer = slice_from(peer, SCHEME_LEN);
	if (peer.len <= DIGITS || peer.data[DIGITS] != '@' ||
	    hex_decode(slice_of(peer.data, DIGITS), out->node_id, sizeof(out->node_id), &len) !=
		    ERR_OK)
		return ERR_SYNTAX;
	out->node_id_len = (uint8_t)len;
	return ERR_OK;
}

static enum err read_peer(struct score *score, const struct csv *csv, const struct columns *c,
			  struct score_peer *out)
{
	struct slice agent = csv->fields[c->agent], yes = csv->fields[c->reachable];
	struct slice peer = c->peer >= 0 ? csv->fields[c->peer] : slice_of("", 0);
	char port[8] = "";
	uint64_t number = 0;
	enum err err;

	*out = (struct score_peer){ 0 };
	if (csv->fields[c->port].len >= sizeof(port))
		return ERR_SYNTAX;
	snprintf(port, sizeof(port), "%.*s", (int)csv->fields[c->port].len,
		 (const char *)csv->fields[c->port].data);
	err = parse_uint(port, UINT16_MAX, &number);
	if (err == ERR_OK)
		err = netaddr_parse(csv->fields[c->address], (uint16_t)number, &out->addr);
	if (err == ERR_OK)
		err = read_key(peer, out);
	/* CJDNS is a notion of other networks: to Ethereum it is an address like any other. */
	if (out->node_id_len > 0 && out->addr.kind == NETADDR_CJDNS)
		out->addr.kind = NETADDR_IPV6;
	if (err == ERR_OK)
		err = kind_find(score, csv->fields[c->kind], out->node_id_len > 0, &out->kind);
	if (err != ERR_OK)
		return ERR_SYNTAX;
	out->reachable = slice_equal(yes, slice_text("1")) || slice_equal(yes, slice_text("true"));
	if (!out->reachable && !slice_equal(yes, slice_text("0")) &&
	    !slice_equal(yes, slice_text("false")))
		return ERR_SYNTAX;
	out->agent = copy_text(agent);
	if (out->node_id_len > 0)
		out->peer = copy_text(peer);
	/* One that is not counted is nobody's to free. */
	if (out->agent == NULL || (out->node_id_len > 0 && out->peer == NULL)) {
		free(out->agent);
		free(out->peer);
		return ERR_NOMEM;
	}
	return ERR_OK;
}

static enum err read_truth(struct score *score, struct slice truth)
{
	struct columns columns;
	struct csv csv;
	enum err err;

	csv_init(&csv, truth);
	err = read_heading(&csv, &columns);
	while (err == ERR_OK && csv_next(&csv, &err)) {
		if (score->count == score->cap) {
			size_t cap = score->cap > 0 ? 2 * score->cap : 1024;
			struct score_peer *peers = realloc(score->peers, cap * sizeof(*peers));

			if (peers == NULL) {
				err = ERR_NOMEM;
				break;
			}
			score->peers = peers;
			score->cap = cap;
		}
		if (csv.count == 1 && csv.fields[0].len == 0)
			continue; /* an empty line */
		/* A short row has fewer fields than the heading: none to borrow from. */
		for (size_t i = csv.count; i < CSV_FIELDS_MAX; i++)
			csv.fields[i] = slice_of("", 0);
		err = read_peer(score, &csv, &columns, &score->peers[score->count]);
		if (err == ERR_OK)
			score->count++;
	}
	score->truth_line = csv.line;
	csv_clear(&csv);
	return err;
}

static struct slice id_of(const struct score_peer *p)
{
	return slice_of(p->node_id, p->node_id_len);
}

static uint32_t *find(const struct score *score, const struct netaddr *addr, struct slice id)
{
	uint8_t key[NETADDR_KEY_MAX + PEER_NODE_ID_MAX];
	size_t len = netaddr_key(addr, key), at;

	if (id.len > 0)
		memcpy(key + len, id.data, id.len);
	at = hash_siphash13(&score->key, key, len + id.len) & (score->slots_count - 1);
	while (score->slots[at] != 0) {
		const struct score_peer *p = &score->peers[score->slots[at] - 1];

		if (netaddr_equal(&p->addr, addr) && slice_equal(id_of(p), id))
			break;
		at = (at + 1) & (score->slots_count - 1);
	}
	return &score->slots[at];
}

/* Each address stands in the truth once; of nodes each key at an address. */
static enum err index_truth(struct score *score)
{
	score->slots_count = 64;
	while (score->slots_count < 2 * score->count)
		score->slots_count *= 2;
	score->slots = calloc(score->slots_count, sizeof(*score->slots));
	if (score->slots == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < score->count; i++) {
		uint32_t *slot = find(score, &score->peers[i].addr, id_of(&score->peers[i]));

		if (*slot != 0) {
			score->truth_line = i + 2;
			return ERR_SYNTAX;
		}
		*slot = (uint32_t)i + 1;
	}
	return ERR_OK;
}

/* The truth has the agent as text_add_csv writes it: hold like against like. */
static enum err same_agent(const struct score_peer *p, struct slice agent, bool *same)
{
	struct text field = { 0 };
	struct csv csv;
	enum err err;

	text_add_csv(&field, agent);
	err = field.err;
	csv_init(&csv, slice_of(field.data, field.len));
	*same = field.len == 0 && p->agent[0] == 0;
	if (err == ERR_OK && csv_next(&csv, &err))
		*same = csv.count == 1 && slice_equal(csv.fields[0], slice_text(p->agent));
	csv_clear(&csv);
	text_clear(&field);
	return err;
}

static void count_table(struct score *score, const char *name)
{
	size_t i = 0;

	while (i < score->tables_count && strcmp(score->tables[i].name, name) != 0)
		i++;
	if (i == score->tables_count && i < SCORE_TABLES_MAX) {
		snprintf(score->tables[i].name, sizeof(score->tables[i].name), "%s",
			 i + 1 < SCORE_TABLES_MAX ? name : "other");
		score->tables_count++;
	}
	score->tables[i < SCORE_TABLES_MAX ? i : SCORE_TABLES_MAX - 1].count++;
}

static enum err on_visit(void *ctx, const struct store_visit *visit)
{
	struct score *score = ctx;
	const struct record *r = &visit->record;
	/* The ids of those that are no nodes of discovery are of one run of a program. */
	struct slice id = r->node != NULL ? r->info.node_id : slice_of(NULL, 0);
	uint32_t index = *find(score, &r->addr, id);
	struct score_peer *p;
	enum err err = ERR_OK;
	bool same = true;

	score->reached += r->reached;
	if (r->reached && r->node != NULL && r->node->completeness != NULL)
		count_table(score, r->node->completeness);
	if (index == 0) {
		score->strangers++;
		score->strangers_reached += r->reached;
		return ERR_OK;
	}
	p = &score->peers[index - 1];
	p->visited = true;
	p->reached = r->reached;
	p->outcome = r->outcome;
	if (r->reached && (r->info.has_version || r->info.agent.len > 0) &&
	    score->kinds[p->kind].may_reach)
		err = same_agent(p, r->info.agent, &same);
	p->agent_differs = !same;
	return err;
}

static void sum_up(struct score *score)
{
	for (size_t i = 0; i < score->count; i++) {
		const struct score_peer *p = &score->peers[i];
		struct score_kind *k = &score->kinds[p->kind];
		bool ok =
			p->visited && (p->outcome == OUTCOME_OK || p->outcome == OUTCOME_NO_PEERS);

		k->peers++;
		k->reachable += p->reachable;
		k->reached += p->reached;
		k->unvisited += !p->visited;
		if (p->visited)
			k->outcomes[p->outcome]++;
		score->reachable += p->reachable;
		score->found += p->reachable && p->reached;
		score->reached_right += p->reached && k->may_reach;
		score->false_reached += p->reached && !k->may_reach;
		score->false_ok += ok && !k->may_be_ok;
		score->agents_differ += p->agent_differs;
	}
}

enum err score_run(struct store *s, struct slice truth, const struct score_options *options,
		   struct score *out)
{
	struct store_filter filter = STORE_FILTER_ANY;
	enum err err;

	*out = (struct score){ .key = options->key };
	err = read_truth(out, truth);
	if (err == ERR_OK)
		err = index_truth(out);
	if (err != ERR_OK)
		return err;
	err = store_read_begin(s);
	if (err != ERR_OK)
		return err;
	err = store_crawl_get(s, options->crawl_id, options->network, &out->crawl);
	filter.crawl_id = out->crawl.id;
	if (err == ERR_OK)
		err = store_visits(s, &filter, on_visit, out);
	store_read_end(s);
	if (err == ERR_OK)
		sum_up(out);
	return err;
}

void score_clear(struct score *score)
{
	for (size_t i = 0; i < score->count; i++) {
		free(score->peers[i].agent);
		free(score->peers[i].peer);
	}
	free(score->peers);
	free(score->slots);
	*score = (struct score){ 0 };
}

double score_recall(const struct score *score)
{
	return score->reachable > 0 ? (double)score->found / (double)score->reachable : 1;
}

double score_precision(const struct score *score)
{
	return score->reached > 0 ? (double)score->reached_right / (double)score->reached : 1;
}

const struct score_peer *score_missing(const struct score *score, size_t *at)
{
	while (*at < score->count) {
		const struct score_peer *p = &score->peers[(*at)++];

		if (p->reachable && !p->reached)
			return p;
	}
	return NULL;
}
