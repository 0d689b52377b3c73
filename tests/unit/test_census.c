#include "web/census.h"

#include "base/text.h"
#include "support/store.h"
#include "web/census_inner.h"

#include <ctype.h>
#include <math.h>

/* --- a naive model: each peer as the store tells it, and where it is --- */

enum { PEERS = 3000, QUERIES = 400, TEXT_MAX = 1100 };

struct peer {
	int64_t id;
	struct store_peer told;
	char address[NETADDR_HOST_TEXT_MAX], node_id[2 * PEER_NODE_ID_MAX + 1];
	char agent[TEXT_MAX]; /* escaped */
	struct schedule schedule;
	bool watched;
	struct geo_place place;
};

struct model {
	struct peer *peers;
	size_t count;
};

static const char *const agents[] = {
	"/Satoshi:27.0.0/", "/Satoshi:25.0.0/", "/btcd:0.24/",    "others",
	"Geth/v1.14.0",     "<script>x",        "\xff\x01/evil/", "/\xe2\x80\xaertl/",
};
static const char *const countries[][2] = {
	{ "DE", "Germany" }, { "US", "United States" }, { "FR", "France" }, { "", "" }, { "?!", "" }
};
static const char *const as_names[] = { "Hetzner Online GmbH", "AMAZON-02", "", "OVH <b>" };

static uint64_t below(struct random *r, uint64_t bound)
{
	return random_below(r, bound);
}

static struct netaddr random_addr(struct random *r)
{
	static const uint8_t kinds[] = { NETADDR_IPV4,  NETADDR_IPV4, NETADDR_IPV6, NETADDR_TORV3,
					 NETADDR_TORV2, NETADDR_I2P,  NETADDR_CJDNS };
	struct netaddr a = { .kind = kinds[below(r, sizeof(kinds))],
			     .port = (uint16_t)(8333 + below(r, 3)) };

	/* Few different bytes, and zeros among them: what is alike has to be told apart. */
	for (size_t i = 0; i < netaddr_len(a.kind); i++) {
		static const uint8_t bytes[] = { 0, 0, 0, 1, 2, 10, 12, 25, 0xfe, 0xa0 };

		a.bytes[i] =
			below(r, 4) > 0 ? bytes[below(r, sizeof(bytes))] : (uint8_t)random_next(r);
	}
	if (a.kind == NETADDR_IPV6)
		a.bytes[0] = 0x20; /* "::1.2.3.4" and its like are no peers' */
	if (a.kind == NETADDR_CJDNS)
		a.bytes[0] = 0xfc;
	return a;
}

static void random_place(struct random *r, struct geo_place *p)
{
	size_t country = below(r, sizeof(countries) / sizeof(*countries));

	*p = (struct geo_place){ .has_location = below(r, 3) > 0 };
	snprintf(p->country, sizeof(p->country), "%s", countries[country][0]);
	snprintf(p->country_name, sizeof(p->country_name), "%s", countries[country][1]);
	p->latitude = (double)below(r, 3) * 10 - 90.2 + (double)below(r, 2);
	p->longitude = 179.6 - (double)below(r, 4) * 90;
	if (below(r, 2) == 0)
		snprintf(p->city, sizeof(p->city), "City %d", (int)below(r, 5));
	p->asn = below(r, 4) > 0 ? (uint32_t)(24940 + below(r, 4)) : 0;
	snprintf(p->as_name, sizeof(p->as_name), "%s", as_names[p->asn % 4]);
	if (p->asn == 0)
		p->as_name[0] = 0;
}

static void random_said(struct random *r, struct peer *p)
{
	static const int64_t protocols[] = { 70016, 70015, 0, -7, INT32_MAX };
	struct store_peer *t = &p->told;
	const char *agent = agents[below(r, sizeof(agents) / sizeof(*agents))];

	t->visited = below(r, 4) > 0;
	t->outcome = t->visited ? (enum outcome)below(r, 5) : 0;
	t->reached = t->visited && t->outcome <= OUTCOME_NO_PEERS;
	t->visits = t->visited;
	t->has_version = t->visited && below(r, 3) > 0;
	t->agent = t->has_version && below(r, 8) > 0 ? slice_text(agent) : slice_of(NULL, 0);
	text_escape(t->agent, p->agent, sizeof(p->agent));
	t->protocol = protocols[below(r, 5)];
	t->services = 1ULL << below(r, 64) | below(r, 16);
	t->height = (int64_t)below(r, 5) - 1;
	t->connect_ms = t->visited ? (int32_t)below(r, 100) - 1 : -1;
	t->last_reached_ms =
		t->visited && below(r, 2) ? 1780000000000 + (int64_t)below(r, 9) * 1000 : -1;
}

static void random_peer(struct random *r, struct peer *p, int64_t id)
{
	static const char *const networks[] = { "bitcoin", "ethereum", "gossip" };
	struct store_peer *t = &p->told;
	uint8_t node[PEER_NODE_ID_MAX];

	*p = (struct peer){ .id = id, .watched = below(r, 2) };
	t->network = networks[below(r, 3)];
	t->crawl_id = (int64_t)below(r, 4);
	t->addr = random_addr(r);
	netaddr_host_text(&t->addr, p->address);
	if (below(r, 2) == 0) {
		for (size_t i = 0; i < sizeof(node); i++)
			node[i] = (uint8_t)(below(r, 2) ? 0xab : random_next(r));
		hex_encode(slice_of(node, below(r, 2) ? 16 : sizeof(node)), p->node_id);
	}
	t->node_id = slice_text(p->node_id);
	t->first_seen_ms = 1770000000000 + (int64_t)below(r, 9) * 1000;
	t->last_seen_ms = 1780000000000 + (int64_t)below(r, 900) * 1000;
	random_said(r, p);
	random_place(r, &p->place);
	for (unsigned i = 0; p->watched && i < 2 + below(r, 3); i++) {
		struct schedule_session over;

		schedule_visited(&p->schedule, 60000, 1780000000000 + 600000LL * i, below(r, 2),
				 &over);
	}
}

static void put(struct census *c, const struct peer *p, bool new)
{
	struct census_news *n = calloc(1, sizeof(*n));

	assert_non_null(n);
	assert_int_equal(census_news_init(n, p->id, &p->told, p->watched ? &p->schedule : NULL),
			 ERR_OK);
	n->has_place = new;
	n->place = p->place;
	assert_int_equal(census_table_put(c->table, n), ERR_OK);
	free(n);
}

/* In no order of ids; and some become another one later. */
static void model_init(struct model *m, struct random *r, struct census *c)
{
	m->count = PEERS;
	m->peers = calloc(PEERS, sizeof(*m->peers));
	for (size_t i = 0; i < m->count; i++) {
		random_peer(r, &m->peers[i], (int64_t)(i * 7 % PEERS) + 1);
		put(c, &m->peers[i], true);
	}
	for (size_t i = 0; i < m->count; i += 3) {
		struct peer *p = &m->peers[i];

		random_said(r, p);
		p->told.last_seen_ms += 5000;
		put(c, p, false);
	}
}

/* --- what a filter leaves, the naive way --- */

static bool text_matches(const struct peer *p, const char *q)
{
	const struct store_peer *t = &p->told;
	char as_name[256], asn[32];
	struct netaddr addr;
	bool ip = netaddr_is_ip(&t->addr) || t->addr.kind == NETADDR_CJDNS;
	const char *ending = strchr(p->address, '.');

	text_escape(slice_text(p->place.as_name), as_name, sizeof(as_name));
	snprintf(asn, sizeof(asn), "as%u", p->place.asn);
	if (strcasestr(p->agent, q) != NULL || strcasestr(as_name, q) != NULL ||
	    (p->place.asn != 0 && strcasecmp(asn, q) == 0))
		return true;
	if (ip ? strcasestr(p->address, q) != NULL
	       : strncasecmp(p->address, q, strlen(q)) == 0 || strcasestr(ending, q) != NULL)
		return true;
	if (strlen(q) >= 4 && strncasecmp(p->node_id, q, strlen(q)) == 0)
		return true;
	return netaddr_parse(slice_text(q), 0, &addr) == ERR_OK &&
	       netaddr_same_host(&addr, &t->addr) && (addr.port == 0 || addr.port == t->addr.port);
}

static bool country_matches(const struct peer *p, const char *country)
{
	bool known = isupper((unsigned char)p->place.country[0]);

	return strcmp(country, "none") == 0 ? !known
					    : known && strcasecmp(p->place.country, country) == 0;
}

static bool matches(const struct peer *p, const struct census_filter *f)
{
	const struct store_peer *t = &p->told;

	return (f->network == NULL || strcmp(f->network, t->network) == 0) &&
	       (f->text == NULL || text_matches(p, f->text)) &&
	       (f->agent == NULL || strcmp(f->agent, p->agent) == 0) &&
	       (f->country == NULL || country_matches(p, f->country)) &&
	       (f->asn == 0 || (f->asn < 0 ? p->place.asn == 0 : p->place.asn == f->asn)) &&
	       (f->kind == 0 || t->addr.kind == f->kind) &&
	       (f->outcome < 0 || (t->visited && (int)t->outcome == f->outcome)) &&
	       (f->visited < 0 || t->visited == f->visited) &&
	       (f->reached < 0 || t->reached == f->reached) &&
	       (f->services == 0 ||
		(t->has_version && (t->services & f->services) == f->services)) &&
	       (f->protocol < 0 || (t->has_version && t->protocol == f->protocol)) &&
	       (f->crawl_id == 0 || t->crawl_id == f->crawl_id);
}

/* --- and in which order --- */

struct naive_order {
	enum census_sort sort;
	bool reverse;
};

/* What a numeric sort is by; -1: not known. */
static double value_of(const struct peer *p, enum census_sort sort)
{
	const struct store_peer *t = &p->told;

	switch (sort) {
	case CENSUS_BY_SEEN:
		return (double)t->last_seen_ms;
	case CENSUS_BY_REACHED:
		return (double)t->last_reached_ms;
	case CENSUS_BY_UPTIME:
		/* The table keeps it in 16 bits. */
		return p->watched ? round(schedule_uptime(&p->schedule, WINDOW_7D) * 65534) : -1;
	case CENSUS_BY_FIRST:
		return (double)t->first_seen_ms;
	case CENSUS_BY_LATENCY:
		return t->connect_ms;
	case CENSUS_BY_HEIGHT:
		return t->has_version ? (double)t->height : -1;
	case CENSUS_BY_AGENT:
	case CENSUS_BY_ADDRESS:
	case CENSUS_SORTS:
		break;
	}
	return 0;
}

static int by_value(double a, double b, bool descending)
{
	if ((a < 0) != (b < 0))
		return a < 0 ? 1 : -1;
	if (a < 0 || a == b)
		return 0;
	return (a < b) != descending ? -1 : 1;
}

static int naive_compare(const void *left, const void *right, void *order)
{
	const struct peer *a = *(struct peer *const *)left, *b = *(struct peer *const *)right;
	const struct naive_order *o = order;
	bool descending = census_sort_descends(o->sort) != o->reverse;
	uint8_t ka[NETADDR_KEY_MAX] = { 0 }, kb[NETADDR_KEY_MAX] = { 0 };
	int by;

	netaddr_key(&a->told.addr, ka);
	netaddr_key(&b->told.addr, kb);
	if (o->sort == CENSUS_BY_ADDRESS)
		by = memcmp(ka, kb, sizeof(ka)) * (descending ? -1 : 1);
	else if (o->sort == CENSUS_BY_AGENT && (a->agent[0] == 0 || b->agent[0] == 0))
		by = (a->agent[0] == 0) - (b->agent[0] == 0);
	else if (o->sort == CENSUS_BY_AGENT)
		by = strcmp(a->agent, b->agent) * (descending ? -1 : 1);
	else
		by = by_value(value_of(a, o->sort), value_of(b, o->sort), descending);
	return by != 0 ? by : (a->id > b->id) - (a->id < b->id);
}

static size_t naive_find(const struct model *m, const struct census_filter *f,
			 struct naive_order order, struct peer **out)
{
	size_t count = 0;

	for (size_t i = 0; i < m->count; i++) {
		if (matches(&m->peers[i], f))
			out[count++] = &m->peers[i];
	}
	qsort_r(out, count, sizeof(struct peer *), naive_compare, &order);
	return count;
}

/* --- questions by chance --- */

static void random_text(struct random *r, const struct model *m, char out[static TEXT_MAX])
{
	static const char alphabet[] = "0123456789abcdef::..2a";
	const struct peer *p = &m->peers[below(r, m->count)];
	char as[GEO_NAME_MAX];
	const char *const from[] = { p->address, p->address, p->agent,
				     p->node_id, as,         p->place.as_name };
	const char *text = from[below(r, 6)];
	size_t len, at;

	snprintf(as, sizeof(as), "AS%u", p->place.asn);
	if (below(r, 8) == 0) {
		for (at = 0; at < 1 + below(r, 4); at++)
			out[at] = alphabet[below(r, sizeof(alphabet) - 1)];
		out[at] = 0;
		return;
	}
	if (below(r, 6) == 0) {
		netaddr_text(&p->told.addr, out);
		return;
	}
	len = strlen(text);
	at = below(r, 2) ? 0 : below(r, len + 1);
	len = 1 + below(r, below(r, 2) ? 6 : len + 1);
	snprintf(out, TEXT_MAX, "%.*s", (int)len, text + at);
	if (below(r, 4) == 0) {
		for (char *c = out; *c != 0; c++)
			*c = (char)toupper((unsigned char)*c);
	}
	if (out[0] == 0)
		strcpy(out, "zz");
}

static void random_filter(struct random *r, const struct model *m, char text[static TEXT_MAX],
			  struct census_filter *f)
{
	static const char *const codes[] = { "DE", "us", "none", "ZZ" };
	const struct peer *like = &m->peers[below(r, m->count)];

	*f = CENSUS_FILTER_ANY;
	if (below(r, 4) == 0)
		f->network = below(r, 9) ? like->told.network : "nowhere";
	if (below(r, 2) == 0) {
		random_text(r, m, text);
		f->text = text;
	}
	if (below(r, 6) == 0 && like->agent[0] != 0)
		f->agent = like->agent;
	if (below(r, 6) == 0)
		f->country = codes[below(r, 4)];
	if (below(r, 6) == 0)
		f->asn = below(r, 3) ? (int64_t)like->place.asn : -1;
	if (below(r, 6) == 0)
		f->kind = (int)(1 + below(r, 6));
	if (below(r, 6) == 0)
		f->outcome = (int)below(r, 6);
	if (below(r, 6) == 0)
		f->visited = (int)below(r, 2);
	if (below(r, 6) == 0)
		f->reached = (int)below(r, 2);
	if (below(r, 6) == 0)
		f->services = below(r, 4);
	if (below(r, 8) == 0)
		f->protocol = 70015 + (int64_t)below(r, 2);
	if (below(r, 8) == 0)
		f->crawl_id = 1 + (int64_t)below(r, 4);
}

static void print_filter(const struct census_filter *f, struct naive_order o)
{
	print_error("network %s text %s agent %s country %s asn %lld kind %d outcome %d visited %d "
		    "reached %d services %llx protocol %lld crawl %lld sort %d%s\n",
		    f->network, f->text, f->agent, f->country, (long long)f->asn, f->kind,
		    f->outcome, f->visited, f->reached, (unsigned long long)f->services,
		    (long long)f->protocol, (long long)f->crawl_id, o.sort, o.reverse ? "!" : "");
}

/* Page by page, all of it. */
static void assert_pages(const struct census *c, const struct census_filter *f,
			 struct naive_order o, size_t limit, struct peer **want, size_t count)
{
	struct census_found found = { 0 };
	char after[CENSUS_CURSOR_MAX];
	int64_t ids[PEERS];
	size_t at = 0;

	do {
		struct census_page page = { .sort = o.sort, .reverse = o.reverse, .limit = limit };

		memcpy(after, found.next, sizeof(after));
		page.after = at > 0 ? after : NULL;
		assert_int_equal(census_find(c, f, &page, ids, &found), ERR_OK);
		assert_int_equal(found.total, count);
		assert_true(found.count <= limit && found.count <= count - at);
		for (size_t i = 0; i < found.count; i++)
			assert_int_equal(ids[i], want[at + i]->id);
		at += found.count;
	} while (found.next[0] != 0);
	assert_int_equal(at, count);
}

static uint64_t sum(const struct census_facets *f, enum census_facet facet)
{
	uint64_t n = 0;

	for (size_t i = 0; i < f->counts[facet]; i++) {
		n += f->rows[facet][i].count;
		assert_true(i == 0 || f->rows[facet][i].count <= f->rows[facet][i - 1].count);
	}
	return n;
}

/* Whoever asks for a value gets as many as the facet has said. */
static void assert_facets(const struct census *c, const struct census_filter *f, size_t total)
{
	struct census_facets facets;

	assert_int_equal(census_facets(c, f, 1000, &facets), ERR_OK);
	assert_int_equal(facets.total, total);
	assert_int_equal(sum(&facets, CENSUS_KINDS), total);
	for (size_t i = 0; f->agent == NULL && i < facets.counts[CENSUS_AGENTS]; i++) {
		struct census_filter g = *f;
		struct census_page page = { .limit = 1 };
		struct census_found found;
		int64_t id;

		g.agent = facets.rows[CENSUS_AGENTS][i].value;
		assert_int_equal(census_find(c, &g, &page, &id, &found), ERR_OK);
		assert_int_equal(found.total, facets.rows[CENSUS_AGENTS][i].count);
	}
	for (size_t i = 0; f->services == 0 && i < facets.counts[CENSUS_SERVICES]; i++) {
		struct census_filter g = *f;
		struct census_page page = { .limit = 1 };
		struct census_found found;
		int64_t id;

		g.services = 1ULL << atoi(facets.rows[CENSUS_SERVICES][i].value);
		assert_int_equal(census_find(c, &g, &page, &id, &found), ERR_OK);
		assert_int_equal(found.total, facets.rows[CENSUS_SERVICES][i].count);
	}
	census_facets_clear(&facets);
}

static void assert_map(const struct census *c, const struct model *m, const struct census_filter *f)
{
	struct census_map map;
	uint64_t unknown = 0, located = 0, in_places = 0, de = 0;

	for (size_t i = 0; i < m->count; i++) {
		const struct peer *p = &m->peers[i];
		bool known = isupper((unsigned char)p->place.country[0]);

		if (!matches(p, f))
			continue;
		/* A latitude under -90 is nowhere. */
		located += p->place.has_location && p->place.latitude >= -90;
		unknown += !known && !(p->place.has_location && p->place.latitude >= -90);
		de += strcmp(p->place.country, "DE") == 0;
	}
	assert_int_equal(census_map(c, f, &map), ERR_OK);
	assert_int_equal(map.unknown, unknown);
	for (size_t i = 0; i < map.places_count; i++) {
		in_places += map.places[i].count;
		assert_in_range(map.places[i].latitude + 90, 0, 180);
		assert_in_range(map.places[i].longitude + 180, 0, 360);
	}
	assert_int_equal(in_places, located);
	for (size_t i = 0; i < map.countries_count; i++) {
		if (strcmp(map.countries[i].code, "DE") != 0)
			continue;
		assert_int_equal(map.countries[i].count, de);
		assert_string_equal(map.countries[i].name, "Germany");
		de = 0;
	}
	assert_int_equal(de, 0);
	census_map_clear(&map);
}

static void answers_as_a_naive_model(void **state)
{
	struct random r = { .state = 20261129 };
	struct peer **want = calloc(PEERS, sizeof(struct peer *));
	struct model m;
	struct census *c;
	size_t found = 0;

	(void)state;
	assert_int_equal(census_new(NULL, &c), ERR_OK);
	model_init(&m, &r, c);
	for (unsigned i = 0; i < QUERIES; i++) {
		struct census_filter f;
		struct naive_order o = { .sort = (enum census_sort)below(&r, CENSUS_SORTS),
					 .reverse = below(&r, 2) };
		char text[TEXT_MAX];
		size_t count;
		int64_t ids[1];
		struct census_page page = { .limit = 1 };
		struct census_found one;

		random_filter(&r, &m, text, &f);
		count = naive_find(&m, &f, o, want);
		assert_int_equal(census_find(c, &f, &page, ids, &one), ERR_OK);
		if (one.total != count)
			print_filter(&f, o);
		assert_pages(c, &f, o, count / 7 + 1 + below(&r, 50), want, count);
		assert_facets(c, &f, count);
		assert_map(c, &m, &f);
		found += count > 0;
	}
	/* Or nothing was proven. */
	assert_true(found > QUERIES / 3);
	census_free(c);
	free(m.peers);
	free(want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_as_a_naive_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
