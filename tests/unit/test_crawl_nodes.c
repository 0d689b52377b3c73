/* test_crawl_nodes.c: a crawl where peers have keys: what is different from test_crawl.c. */
#include "engine/crawl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct crawl_config plain = { .nodes = true, .concurrency = 100, .key = { 3, 4 } };

static struct crawl *new_crawl(const struct crawl_config *config)
{
	struct crawl *c;

	assert_int_equal(crawl_new(config, 1000, &c), ERR_OK);
	return c;
}

/* A node's key is its number. */
struct peer {
	uint8_t key[PEER_NODE_ID_MAX];
	struct advert advert;
};

static struct advert *peer_at(struct peer *p, uint32_t key, struct netaddr addr)
{
	memset(p, 0, sizeof(*p));
	for (unsigned i = 0; i < 4; i++)
		p->key[i] = (uint8_t)(key >> (24 - 8 * i));
	p->advert = (struct advert){ .addr = addr, .node_id = slice_of(p->key, sizeof(p->key)) };
	return &p->advert;
}

static struct advert *peer(struct peer *p, uint32_t key, const char *text)
{
	struct netaddr a;

	assert_int_equal(netaddr_parse(slice_text(text), 30303, &a), ERR_OK);
	return peer_at(p, key, a);
}

static enum crawl_verdict add(struct crawl *c, uint32_t key, const char *text)
{
	struct peer p;

	return crawl_add(c, peer(&p, key, text));
}

static enum crawl_action next(struct crawl *c, struct crawl_dial *dial)
{
	uint64_t until;

	return crawl_next(c, 1000, dial, &until);
}

static uint32_t key_of(const struct crawl_dial *d)
{
	uint32_t key = 0;

	assert_int_equal(d->node_id.len, PEER_NODE_ID_MAX);
	for (unsigned i = 0; i < 4; i++)
		key = key << 8 | d->node_id.data[i];
	return key;
}

static struct crawl_stats stats_of(const struct crawl *c)
{
	struct crawl_stats stats;

	crawl_stats(c, &stats);
	return stats;
}

static void verdicts(void **state)
{
	static const struct {
		const char *name;
		uint32_t key;
		const char *addr;
		enum crawl_verdict verdict;
	} rows[] = {
		{ "a node", 1, "1.2.3.4", CRAWL_NEW },
		{ "the same again", 1, "1.2.3.4", CRAWL_KNOWN },
		{ "its key elsewhere", 1, "1.2.3.5", CRAWL_NEW },
		{ "another key there", 2, "1.2.3.4", CRAWL_NEW },
		{ "over IPv6", 1, "[2a01:4f8::1]:30303", CRAWL_NEW },
		{ "private", 3, "192.168.1.1", CRAWL_NOT_ROUTABLE },
		{ "port 0", 3, "1.2.3.4:0", CRAWL_NOT_ROUTABLE },
		{ "no IP address", 3,
		  "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:30303",
		  CRAWL_NOT_ROUTABLE },
		{ "excluded", 4, "9.9.9.9", CRAWL_EXCLUDED },
		{ "excluded again", 4, "9.9.9.9", CRAWL_EXCLUDED },
	};
	struct crawl_config config = plain;
	struct cidr exclude;
	struct crawl *c;

	(void)state;
	assert_int_equal(cidr_parse(slice_text("9.9.0.0/16"), &exclude), ERR_OK);
	config.exclude = &exclude;
	config.exclude_count = 1;
	c = new_crawl(&config);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (add(c, rows[i].key, rows[i].addr) != rows[i].verdict)
			fail_msg("%s", rows[i].name);
	}
	assert_int_equal(stats_of(c).known, 4);
	assert_int_equal(stats_of(c).waiting, 4);
	assert_int_equal(stats_of(c).no_dial, 0);
	crawl_free(c);
}

/* Without the whole key nobody knows whom to ask for. */
static void without_a_key_nobody_is_taken(void **state)
{
	static const size_t lengths[] = { 0, 32, PEER_NODE_ID_MAX - 1 };
	struct crawl *c = new_crawl(&plain);
	struct crawl_dial dial;
	struct peer p;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct advert *a = peer(&p, 1, "1.2.3.4");
		enum crawl_verdict verdict;
		uint32_t taken = 0;

		a->node_id.len = lengths[i];
		assert_int_equal(crawl_add(c, a), CRAWL_NOT_ROUTABLE);
		crawl_add_named(c, a, 1, &taken, &verdict);
		assert_int_equal(verdict, CRAWL_NOT_ROUTABLE);
		assert_int_equal(taken, 0);
		crawl_add_visited(c, a, OUTCOME_OK, true, 1);
	}
	assert_int_equal(stats_of(c).known, 0);
	assert_int_equal(stats_of(c).visited, 0);
	assert_int_equal(stats_of(c).not_routable, 3);
	assert_int_equal(next(c, &dial), CRAWL_DONE);
	crawl_free(c);
}

static void a_dial_says_whom_to_expect(void **state)
{
	struct crawl *c = new_crawl(&plain);
	struct crawl_dial first, dial;
	struct slice key;
	struct peer p;

	(void)state;
	peer(&p, 77, "1.2.3.4")->tcp_port = 0;
	crawl_add(c, &p.advert);
	/* The port may be learnt as long as the visit has not begun. */
	p.advert.tcp_port = 30305;
	assert_int_equal(crawl_add(c, &p.advert), CRAWL_KNOWN);
	assert_int_equal(next(c, &first), CRAWL_DIAL);
	assert_int_equal(key_of(&first), 77);
	assert_int_equal(first.tcp_port, 30305);
	assert_int_equal(first.addr.port, 30303);
	assert_int_equal(first.attempt, 1);
	/* Its key is borrowed for good, however many come after it. */
	key = first.node_id;
	for (uint32_t i = 0; i < 10000; i++)
		crawl_add(c, peer_at(&p, i, netaddr_ipv4(0x08000000U + i, 30303)));
	peer(&p, 77, "1.2.3.4");
	assert_true(slice_equal(key, p.advert.node_id));
	assert_int_equal(next(c, &dial), CRAWL_DIAL);
	crawl_free(c);
}

/* A liar that invents keys for somebody's address gets one visit at a time there. */
static void one_visit_at_a_time_to_one_ip(void **state)
{
	enum { KEYS = 20 };
	struct crawl *c = new_crawl(&plain);
	struct crawl_dial dial, none;
	bool seen[KEYS] = { false };

	(void)state;
	for (uint32_t i = 0; i < KEYS; i++)
		assert_int_equal(add(c, i, i % 2 ? "1.2.3.4:1000" : "1.2.3.4:2000"), CRAWL_NEW);
	for (unsigned i = 0; i < KEYS; i++) {
		assert_int_equal(next(c, &dial), CRAWL_DIAL);
		assert_int_equal(next(c, &none), CRAWL_WAIT);
		assert_false(seen[key_of(&dial)]);
		seen[key_of(&dial)] = true;
		crawl_finish(c, dial.id, OUTCOME_REFUSED, false);
	}
	assert_int_equal(next(c, &dial), CRAWL_DONE);
	assert_int_equal(stats_of(c).visited, KEYS);
	crawl_free(c);
}

static void groups_are_capped(void **state)
{
	struct crawl_config config = plain;
	struct crawl_dial dial, other;
	struct peer p;
	struct crawl *c;

	(void)state;
	config.per_group = 2;
	c = new_crawl(&config);
	for (uint32_t i = 0; i < 5; i++)
		crawl_add(c, peer_at(&p, i, netaddr_ipv4(0x08080001U + i, 30303)));
	assert_int_equal(next(c, &dial), CRAWL_DIAL);
	assert_int_equal(next(c, &other), CRAWL_DIAL);
	assert_int_equal(next(c, &other), CRAWL_WAIT);
	crawl_finish(c, dial.id, OUTCOME_OK, true);
	assert_int_equal(next(c, &other), CRAWL_DIAL);
	crawl_free(c);
}

static void liars_are_cut(void **state)
{
	enum { NAMED = CRAWL_NEW_PER_NODE + 100 };
	static const struct {
		const char *name;
		uint32_t new_per_peer, taken;
	} rows[] = { { "the usual cap", 0, CRAWL_NEW_PER_NODE }, { "another", 10, 10 } };

	(void)state;
	for (size_t row = 0; row < sizeof(rows) / sizeof(*rows); row++) {
		struct crawl_config config = plain;
		enum crawl_verdict verdict = CRAWL_NEW;
		uint32_t taken = 0, cut = 0;
		struct crawl *c;
		struct peer p;

		config.new_per_peer = rows[row].new_per_peer;
		c = new_crawl(&config);
		for (uint32_t i = 0; i < NAMED; i++)
			cut += crawl_add_named(c,
					       peer_at(&p, i, netaddr_ipv4(0x08000000U + i, 30303)),
					       1, &taken, &verdict);
		if (taken != rows[row].taken || cut != NAMED - taken || verdict != CRAWL_CUT)
			fail_msg("%s: %u taken, %u cut", rows[row].name, taken, cut);
		assert_int_equal(stats_of(c).known, taken);
		assert_int_equal(stats_of(c).cut, cut);
		assert_int_equal(stats_of(c).adverts, NAMED);
		/* What is known already is no excess; nor is what another node names. */
		peer_at(&p, 0, netaddr_ipv4(0x08000000U, 30303));
		crawl_add_named(c, &p.advert, 1, &taken, &verdict);
		assert_int_equal(verdict, CRAWL_KNOWN);
		taken = 0;
		peer_at(&p, NAMED, netaddr_ipv4(0x08000000U + NAMED, 30303));
		crawl_add_named(c, &p.advert, 1, &taken, &verdict);
		assert_int_equal(verdict, CRAWL_NEW);
		assert_int_equal(taken, 1);
		crawl_free(c);
	}
}

static void keys_of_one_host_are_cut(void **state)
{
	struct crawl_config config = plain;
	struct crawl *c;
	struct peer p;

	(void)state;
	config.new_per_peer = 10 * NODESET_PER_HOST;
	c = new_crawl(&config);
	for (uint32_t i = 0; i < NODESET_PER_HOST; i++)
		assert_int_equal(add(c, i, "1.2.3.4"), CRAWL_NEW);
	assert_int_equal(add(c, 9999, "1.2.3.4"), CRAWL_CUT);
	assert_int_equal(crawl_add(c, peer(&p, 0, "1.2.3.4")), CRAWL_KNOWN);
	assert_int_equal(stats_of(c).known, NODESET_PER_HOST);
	crawl_free(c);
}

static void the_known_are_capped(void **state)
{
	struct crawl_config config = plain;
	struct crawl *c;

	(void)state;
	config.known_max = 2;
	c = new_crawl(&config);
	assert_int_equal(add(c, 1, "1.1.1.1"), CRAWL_NEW);
	assert_int_equal(add(c, 2, "1.1.1.1"), CRAWL_NEW);
	assert_int_equal(add(c, 3, "1.1.1.1"), CRAWL_CUT);
	assert_int_equal(add(c, 1, "1.1.1.2"), CRAWL_CUT);
	assert_int_equal(add(c, 2, "1.1.1.1"), CRAWL_KNOWN);
	crawl_free(c);
}

/* Of a node that was heard, the PONGs may have been lost: as good as silence. */
static void once_more_at_the_end(enum outcome silence)
{
	struct crawl *c = new_crawl(&plain);
	struct crawl_dial late, other;

	add(c, 1, "1.2.3.4");
	add(c, 2, "1.2.3.4"); /* shares its address: waits until it is free */
	assert_int_equal(next(c, &late), CRAWL_DIAL);
	assert_int_equal(key_of(&late), 1);
	assert_false(crawl_finish(c, late.id, silence, false));
	add(c, 3, "5.6.7.8");
	assert_int_equal(next(c, &other), CRAWL_DIAL);
	assert_int_equal(key_of(&other), 2);
	crawl_finish(c, other.id, OUTCOME_OK, true);
	assert_int_equal(next(c, &other), CRAWL_DIAL);
	assert_int_equal(key_of(&other), 3);
	crawl_finish(c, other.id, OUTCOME_OK, true);
	assert_int_equal(next(c, &late), CRAWL_DIAL);
	assert_int_equal(key_of(&late), 1);
	assert_int_equal(late.attempt, 2);
	assert_true(crawl_finish(c, late.id, silence, false));
	assert_int_equal(next(c, &late), CRAWL_DONE);
	assert_int_equal(stats_of(c).visited, 3);
	assert_int_equal(stats_of(c).outcomes[silence], 1);
	crawl_free(c);
}

static void a_timeout_is_tried_once_more_at_the_end(void **state)
{
	(void)state;
	once_more_at_the_end(OUTCOME_CONNECT_TIMEOUT);
	once_more_at_the_end(OUTCOME_HANDSHAKE_TIMEOUT);
}

static void given_back_is_dialled_again(void **state)
{
	struct crawl *c = new_crawl(&plain);
	struct crawl_dial dial;

	(void)state;
	add(c, 5, "1.2.3.4");
	assert_int_equal(next(c, &dial), CRAWL_DIAL);
	crawl_give_back(c, dial.id);
	assert_int_equal(stats_of(c).begun, 0);
	assert_int_equal(next(c, &dial), CRAWL_DIAL);
	assert_int_equal(key_of(&dial), 5);
	assert_int_equal(dial.attempt, 1);
	crawl_finish(c, dial.id, OUTCOME_OK, true);
	assert_int_equal(next(c, &dial), CRAWL_DONE);
	crawl_free(c);
}

/* Our own key comes back to us, at whatever addresses others see us. */
static void ourselves(void **state)
{
	struct crawl *c = new_crawl(&plain);
	struct crawl_dial dial;
	struct netaddr own;

	(void)state;
	add(c, 1, "8.8.8.8");
	add(c, 2, "8.8.8.8");
	assert_int_equal(next(c, &dial), CRAWL_DIAL);
	assert_int_equal(key_of(&dial), 1);
	assert_true(crawl_finish(c, dial.id, OUTCOME_SELF, false));
	assert_int_equal(add(c, 1, "8.8.8.8"), CRAWL_EXCLUDED);
	/* The others of that address are not ourselves. */
	assert_int_equal(netaddr_parse(slice_text("8.8.8.8:30303"), 0, &own), ERR_OK);
	crawl_add_own(c, &own);
	assert_int_equal(next(c, &dial), CRAWL_DIAL);
	assert_int_equal(key_of(&dial), 2);
	crawl_finish(c, dial.id, OUTCOME_OK, true);
	assert_int_equal(next(c, &dial), CRAWL_DONE);
	assert_int_equal(stats_of(c).outcomes[OUTCOME_SELF], 1);
	assert_int_equal(stats_of(c).known, 2);
	crawl_free(c);
}

static void resuming_visits_nobody_twice(void **state)
{
	struct crawl *c = new_crawl(&plain);
	struct crawl_dial dial;
	struct peer p;

	(void)state;
	crawl_add_visited(c, peer(&p, 1, "1.1.1.1"), OUTCOME_OK, true, 1);
	crawl_add_visited(c, peer(&p, 1, "1.1.1.1"), OUTCOME_OK, true, 1); /* told twice */
	crawl_add_visited(c, peer(&p, 2, "1.1.1.1"), OUTCOME_CONNECT_TIMEOUT, false, 1);
	crawl_add_visited(c, peer(&p, 3, "1.1.1.1"), OUTCOME_CONNECT_TIMEOUT, false, 2);
	crawl_add_visited(c, peer(&p, 4, "192.168.1.1"), OUTCOME_CONNECT_TIMEOUT, false, 1);
	assert_int_equal(add(c, 1, "1.1.1.1"), CRAWL_KNOWN);
	assert_int_equal(add(c, 4, "1.1.1.1"), CRAWL_NEW);
	assert_int_equal(stats_of(c).known, 5);
	assert_int_equal(stats_of(c).visited, 3);
	assert_int_equal(stats_of(c).reached, 1);
	assert_int_equal(stats_of(c).waiting, 2);
	assert_int_equal(next(c, &dial), CRAWL_DIAL);
	assert_int_equal(key_of(&dial), 4);
	crawl_finish(c, dial.id, OUTCOME_REFUSED, false);
	assert_int_equal(next(c, &dial), CRAWL_DIAL);
	assert_int_equal(key_of(&dial), 2);
	assert_int_equal(dial.attempt, 2);
	crawl_finish(c, dial.id, OUTCOME_REFUSED, false);
	assert_int_equal(next(c, &dial), CRAWL_DONE);
	crawl_free(c);
}

/* As the driver does it: whatever the order of ends, everybody gets a turn, once. */
static void nobody_starves(void **state)
{
	enum { HOSTS = 60, KEYS = 6 };
	struct crawl_config config = plain;
	struct crawl_dial flying[100];
	struct random random = { 9 };
	unsigned flying_count = 0, visits[HOSTS * KEYS] = { 0 };
	struct crawl *c;
	struct peer p;

	(void)state;
	config.per_group = 5;
	c = new_crawl(&config);
	for (uint32_t i = 0; i < HOSTS * KEYS; i++)
		crawl_add(c,
			  peer_at(&p, i,
				  netaddr_ipv4(0x08000001U + ((i % 3) << 16) + i % HOSTS, 30303)));
	for (;;) {
		struct crawl_dial dial;
		enum crawl_action action = next(c, &dial);
		unsigned i;

		if (action == CRAWL_DONE)
			break;
		if (action == CRAWL_DIAL) {
			for (i = 0; i < flying_count; i++)
				assert_false(netaddr_same_host(&flying[i].addr, &dial.addr));
			flying[flying_count++] = dial;
			continue;
		}
		assert_true(flying_count > 0);
		i = (unsigned)random_below(&random, flying_count);
		dial = flying[i];
		flying[i] = flying[--flying_count];
		if (random_below(&random, 4) == 0) {
			crawl_give_back(c, dial.id);
		} else if (crawl_finish(c, dial.id,
					random_below(&random, 2) ? OUTCOME_CONNECT_TIMEOUT
								 : OUTCOME_OK,
					false)) {
			visits[key_of(&dial)]++;
		}
	}
	for (unsigned i = 0; i < HOSTS * KEYS; i++)
		assert_int_equal(visits[i], 1);
	crawl_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(without_a_key_nobody_is_taken),
		cmocka_unit_test(a_dial_says_whom_to_expect),
		cmocka_unit_test(one_visit_at_a_time_to_one_ip),
		cmocka_unit_test(groups_are_capped),
		cmocka_unit_test(liars_are_cut),
		cmocka_unit_test(keys_of_one_host_are_cut),
		cmocka_unit_test(the_known_are_capped),
		cmocka_unit_test(a_timeout_is_tried_once_more_at_the_end),
		cmocka_unit_test(given_back_is_dialled_again),
		cmocka_unit_test(ourselves),
		cmocka_unit_test(resuming_visits_nobody_twice),
		cmocka_unit_test(nobody_starves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
