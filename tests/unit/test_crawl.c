#include "engine/crawl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct crawl_config plain = { .concurrency = 100, .key = { 3, 4 } };

static struct crawl *new_crawl(const struct crawl_config *config)
{
	struct crawl *c;

	assert_int_equal(crawl_new(config, 1000, &c), ERR_OK);
	return c;
}

static struct netaddr at(const char *text)
{
	struct netaddr a;

	assert_int_equal(netaddr_parse(slice_text(text), 8333, &a), ERR_OK);
	return a;
}

static enum crawl_verdict add(struct crawl *c, const char *text)
{
	struct netaddr a = at(text);

	return crawl_add(c, &(struct advert){ .addr = a });
}

static enum crawl_action next(struct crawl *c, uint64_t now_ms, struct crawl_dial *dial)
{
	uint64_t until;

	return crawl_next(c, now_ms, dial, &until);
}

static void verdicts(void **state)
{
	static const struct {
		const char *name, *addr;
		enum crawl_verdict verdict;
	} rows[] = {
		{ "public", "1.2.3.4", CRAWL_NEW },
		{ "the same again", "1.2.3.4:8333", CRAWL_KNOWN },
		{ "another port", "1.2.3.4:8334", CRAWL_NEW },
		{ "public IPv6", "[2a01:4f8::1]:8333", CRAWL_NEW },
		{ "unspecified", "0.0.0.0", CRAWL_NOT_ROUTABLE },
		{ "private", "192.168.1.1", CRAWL_NOT_ROUTABLE },
		{ "loopback", "[::1]:8333", CRAWL_NOT_ROUTABLE },
		{ "port 0", "1.2.3.5:0", CRAWL_NOT_ROUTABLE },
		{ "excluded block", "9.9.9.9", CRAWL_EXCLUDED },
		{ "excluded again", "9.9.9.9", CRAWL_EXCLUDED },
		{ "excluded address", "[2a01:4f9::7]:1", CRAWL_EXCLUDED },
		{ "beside it", "[2a01:4f9::8]:1", CRAWL_NEW },
		{ "Tor v3: known, not dialled",
		  "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333",
		  CRAWL_NEW_NO_DIAL },
	};
	struct cidr exclude[2];
	struct crawl_config config = plain;
	struct crawl_stats stats;
	struct crawl *c;

	(void)state;
	assert_int_equal(cidr_parse(slice_text("9.9.0.0/16"), &exclude[0]), ERR_OK);
	assert_int_equal(cidr_parse(slice_text("2a01:4f9::7"), &exclude[1]), ERR_OK);
	config.exclude = exclude;
	config.exclude_count = 2;
	c = new_crawl(&config);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (add(c, rows[i].addr) != rows[i].verdict)
			fail_msg("%s", rows[i].name);
	}
	crawl_stats(c, &stats);
	assert_int_equal(stats.known, 5);
	assert_int_equal(stats.no_dial, 1);
	assert_int_equal(stats.waiting, 4);
	crawl_free(c);
}

static void private_addresses_are_dialled_when_allowed(void **state)
{
	static const char *const nobodys[] = { "0.0.0.0:8333",    "0.1.2.3:8333", "224.0.0.1:8333",
					       "255.255.255.255", "[::]:8333",    "[ff02::1]:8333",
					       "127.0.0.1:0" };
	struct crawl_config config = plain;
	struct crawl_dial dial;
	struct crawl *c;

	(void)state;
	config.allow_private = true;
	c = new_crawl(&config);
	assert_int_equal(add(c, "127.1.2.3"), CRAWL_NEW);
	for (size_t i = 0; i < sizeof(nobodys) / sizeof(*nobodys); i++) {
		if (add(c, nobodys[i]) != CRAWL_NOT_ROUTABLE)
			fail_msg("%s", nobodys[i]);
	}
	assert_int_equal(next(c, 1000, &dial), CRAWL_DIAL);
	assert_int_equal(next(c, 1000, &dial), CRAWL_WAIT);
	crawl_free(c);
}

static void each_is_visited_once(void **state)
{
	struct crawl *c = new_crawl(&plain);
	struct crawl_dial dial;
	struct crawl_stats stats;

	(void)state;
	add(c, "1.2.3.4");
	assert_int_equal(next(c, 1000, &dial), CRAWL_DIAL);
	assert_int_equal(dial.attempt, 1);
	assert_int_equal(next(c, 1000, &dial), CRAWL_WAIT);
	assert_true(crawl_finish(c, dial.id, OUTCOME_OK, true));
	assert_int_equal(add(c, "1.2.3.4"), CRAWL_KNOWN);
	assert_int_equal(next(c, 1000, &dial), CRAWL_DONE);
	crawl_stats(c, &stats);
	assert_int_equal(stats.visited, 1);
	assert_int_equal(stats.reached, 1);
	assert_int_equal(stats.outcomes[OUTCOME_OK], 1);
	crawl_free(c);
}

static void once_more_at_the_end(enum outcome why)
{
	struct crawl *c = new_crawl(&plain);
	struct crawl_dial late, other;

	add(c, "1.2.3.4");
	assert_int_equal(next(c, 1000, &late), CRAWL_DIAL);
	assert_false(crawl_finish(c, late.id, why, false));
	/* Whoever waits for a first try goes first. */
	add(c, "5.6.7.8");
	assert_int_equal(next(c, 1000, &other), CRAWL_DIAL);
	assert_int_equal(other.addr.bytes[0], 5);
	assert_int_equal(next(c, 1000, &late), CRAWL_DIAL);
	assert_int_equal(late.attempt, 2);
	assert_true(crawl_finish(c, late.id, why, false));
	assert_int_equal(next(c, 1000, &late), CRAWL_WAIT);
	assert_true(crawl_finish(c, other.id, OUTCOME_NO_PEERS, true));
	assert_int_equal(next(c, 1000, &late), CRAWL_DONE);
	crawl_free(c);
}

static void who_is_silent_or_out_of_reach_is_tried_once_more(void **state)
{
	(void)state;
	once_more_at_the_end(OUTCOME_CONNECT_TIMEOUT);
	once_more_at_the_end(OUTCOME_UNREACHABLE);
}

/* Once the peers' times are known a first try is hasty, but for one in some; who was silent then
 * has the whole time at the second one, and the other way round. */
static void who_was_silent_to_a_hasty_try_has_the_whole_time(void **state)
{
	const struct record record = { .connect_ms = 40, .handshake_ms = 90 };
	struct crawl_config config = plain;
	struct crawl_dial dial;
	struct crawl_stats stats;
	struct crawl *c;
	unsigned firsts = 0, hasty = 0;
	char text[32];

	(void)state;
	config.patience = (struct patience_config){ .connect_ms = 5000, .answer_ms = 10000 };
	c = new_crawl(&config);
	for (unsigned i = 0; i < 2 * PATIENCE_LEAST; i++)
		crawl_learn(c, &record);
	for (unsigned i = 0; i < 64; i++) {
		snprintf(text, sizeof(text), "1.%u.3.4", i);
		add(c, text);
	}
	while (next(c, 1000, &dial) == CRAWL_DIAL) {
		bool whole = dial.wait.connect_ms == 5000;

		assert_true(whole || dial.wait.connect_ms == PATIENCE_CONNECT_MIN_MS);
		firsts += dial.attempt == 1;
		hasty += dial.attempt == 1 && !whole;
		assert_int_equal(dial.hasty, dial.attempt == 1 && !whole);
		if (dial.attempt == 2)
			assert_int_equal(dial.was_hasty, whole);
		crawl_finish(c, dial.id, OUTCOME_CONNECT_TIMEOUT, false);
	}
	assert_int_equal(firsts, 64);
	assert_int_equal(hasty, 64 - 64 / PATIENCE_WHOLE_EVERY);
	crawl_stats(c, &stats);
	assert_int_equal(stats.visited, 64);
	assert_int_equal(stats.wait.connect_ms, PATIENCE_CONNECT_MIN_MS);
	assert_int_equal(stats.wait.answer_ms, PATIENCE_ANSWER_MIN_MS);
	crawl_free(c);
}

/* How long an earlier run had waited, nobody knows: its silent have the whole time. */
static void who_was_left_silent_has_the_whole_time(void **state)
{
	const struct record record = { .connect_ms = 40, .handshake_ms = 90 };
	const struct advert left = { .addr = at("1.2.3.4") };
	struct crawl_config config = plain;
	struct crawl_dial dial;
	struct crawl *c;

	(void)state;
	config.patience = (struct patience_config){ .connect_ms = 5000, .answer_ms = 10000 };
	c = new_crawl(&config);
	for (unsigned i = 0; i < 2 * PATIENCE_LEAST; i++)
		crawl_learn(c, &record);
	crawl_add_visited(c, &left, OUTCOME_CONNECT_TIMEOUT, false, 1);
	assert_int_equal(next(c, 1000, &dial), CRAWL_DIAL);
	assert_int_equal(dial.attempt, 2);
	assert_int_equal(dial.wait.connect_ms, 5000);
	crawl_free(c);
}

static void one_visit_at_a_time_to_one_ip(void **state)
{
	struct crawl *c = new_crawl(&plain);
	struct crawl_dial a, b;

	(void)state;
	add(c, "1.2.3.4:1");
	add(c, "1.2.3.4:2");
	add(c, "1.2.3.4:3");
	assert_int_equal(next(c, 1000, &a), CRAWL_DIAL);
	assert_int_equal(next(c, 1000, &b), CRAWL_WAIT);
	crawl_finish(c, a.id, OUTCOME_REFUSED, false);
	assert_int_equal(next(c, 1000, &a), CRAWL_DIAL);
	assert_int_equal(a.addr.port, 2);
	assert_int_equal(next(c, 1000, &b), CRAWL_WAIT);
	crawl_finish(c, a.id, OUTCOME_REFUSED, false);
	assert_int_equal(next(c, 1000, &a), CRAWL_DIAL);
	crawl_finish(c, a.id, OUTCOME_REFUSED, false);
	assert_int_equal(next(c, 1000, &a), CRAWL_DONE);
	crawl_free(c);
}

/* Whatever the order of ends, every address gets its turn and the caps hold. */
static void groups_are_capped_and_nobody_starves(void **state)
{
	struct crawl_config config = plain;
	struct crawl_dial flying[64];
	struct random random = { 7 };
	unsigned flying_count = 0, seen = 0, per_group[4] = { 0 };
	struct crawl *c;

	(void)state;
	config.per_group = 3;
	c = new_crawl(&config);
	for (unsigned i = 0; i < 400; i++) { /* 4 groups, 5 ports on each of 20 IPs */
		struct netaddr a = netaddr_ipv4(0x08000001U + ((i % 4) << 16) + (i / 20),
						(uint16_t)(1 + i / 4 % 5));

		crawl_add(c, &(struct advert){ .addr = a });
	}
	for (;;) {
		struct crawl_stats stats;
		struct crawl_dial dial;
		enum crawl_action action = next(c, 1000, &dial);

		if (action == CRAWL_DONE)
			break;
		if (action == CRAWL_DIAL) {
			assert_in_range(++per_group[dial.addr.bytes[1]], 1, 3);
			for (unsigned i = 0; i < flying_count; i++)
				assert_false(netaddr_same_host(&flying[i].addr, &dial.addr));
			flying[flying_count++] = dial;
			seen++;
			continue;
		}
		crawl_stats(c, &stats);
		assert_true(flying_count > 0);
		assert_int_equal(stats.in_flight, flying_count);
		dial = flying[0];
		{
			unsigned i = (unsigned)random_below(&random, flying_count);

			dial = flying[i];
			flying[i] = flying[--flying_count];
		}
		per_group[dial.addr.bytes[1]]--;
		if (random_below(&random, 5) == 0) {
			crawl_give_back(c, dial.id);
			seen--;
		} else {
			crawl_finish(c, dial.id, OUTCOME_REFUSED, false);
		}
	}
	{
		struct crawl_stats stats;

		crawl_stats(c, &stats);
		assert_int_equal(stats.visited, stats.known);
		assert_int_equal(seen, stats.known);
		assert_int_equal(stats.waiting, 0);
	}
	crawl_free(c);
}

static void liars_are_cut(void **state)
{
	struct crawl_config config = plain;
	enum crawl_verdict verdicts_out[100];
	struct advert adverts[100];
	struct crawl_stats stats;
	uint32_t taken = 0;
	struct crawl *c;

	(void)state;
	config.new_per_peer = 150;
	c = new_crawl(&config);
	memset(adverts, 0, sizeof(adverts));
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 100; i++)
			adverts[i].addr = netaddr_ipv4(0x08080000U + round * 100 + i, 8333);
		crawl_add_named(c, adverts, 100, &taken, verdicts_out);
	}
	crawl_stats(c, &stats);
	assert_int_equal(taken, 150);
	assert_int_equal(stats.known, 150);
	assert_int_equal(stats.cut, 150);
	assert_int_equal(stats.adverts, 300);
	assert_int_equal(verdicts_out[99], CRAWL_CUT);
	/* What is known already is no excess. */
	adverts[0].addr = netaddr_ipv4(0x08080000U, 8333);
	crawl_add_named(c, adverts, 1, &taken, verdicts_out);
	assert_int_equal(verdicts_out[0], CRAWL_KNOWN);
	crawl_free(c);
}

/* A protocol whose message is an array of adverts, with and without a way to glance. */
static size_t read_array(struct session_event *e, struct advert *out, size_t cap)
{
	size_t n = 0;

	for (; n < cap && e->reader.at < e->count; n++)
		out[n] = ((const struct advert *)(const void *)e->payload.data)[e->reader.at++];
	return n;
}

static void read_at(const struct session_event *e, uint32_t index, struct advert *out)
{
	*out = ((const struct advert *)(const void *)e->payload.data)[index];
}

static size_t glance_at_array(struct session_event *e, const struct glance_key *key,
			      struct glance *out, size_t cap)
{
	struct advert advert;
	size_t n = 0;

	for (; n < cap && read_array(e, &advert, 1) == 1; n++)
		out[n] =
			(struct glance){ glance_of(key, &advert.addr), (uint32_t)e->reader.at - 1 };
	return n;
}

/* Names them all, in batches as a driver takes them; returns how many were not passed
 * over. */
static size_t name_all(struct crawl *c, const struct proto *proto, const struct advert *adverts,
		       size_t count)
{
	struct session_event event = { .kind = SESSION_EVENT_ADVERTS,
				       .payload = slice_of(adverts, count * sizeof(*adverts)),
				       .count = (uint32_t)count };
	enum crawl_verdict verdicts_out[64];
	struct advert batch[64];
	uint32_t taken = 0;
	size_t n, all = 0;

	while ((n = crawl_read_named(c, proto, &event, batch, 64)) > 0) {
		crawl_add_named(c, batch, n, &taken, verdicts_out);
		all += n;
	}
	return all;
}

/* Who is known is passed over, and counted all the same; whoever is to be told from the
 * rest is not. */
static void a_glance_changes_no_count(void **state)
{
	enum { COUNT = 300, OWN_AT = 7, EXCLUDED_AT = 299 };
	const struct proto slow = { .adverts = read_array };
	const struct proto quick = { .adverts = read_array,
				     .glance = glance_at_array,
				     .advert_at = read_at };
	struct crawl_config config = plain;
	struct crawl_stats a, b;
	struct advert adverts[COUNT];
	struct cidr exclude;
	struct crawl *c[2];

	(void)state;
	memset(adverts, 0, sizeof(adverts));
	for (uint32_t i = 0; i < COUNT; i++)
		adverts[i].addr = netaddr_ipv4(0x08000001U + (i << 12), 8333);
	adverts[EXCLUDED_AT].addr = at("9.9.9.9");
	assert_int_equal(cidr_parse(slice_text("9.9.0.0/16"), &exclude), ERR_OK);
	config.exclude = &exclude;
	config.exclude_count = 1;
	for (unsigned i = 0; i < 2; i++) {
		const struct proto *proto = i == 0 ? &slow : &quick;

		c[i] = new_crawl(&config);
		assert_int_equal(name_all(c[i], proto, adverts, COUNT), COUNT);
		assert_int_equal(name_all(c[i], proto, adverts, COUNT), i == 0 ? COUNT : 1);
		crawl_add_own(c[i], &adverts[OWN_AT].addr);
		assert_int_equal(name_all(c[i], proto, adverts, COUNT), i == 0 ? COUNT : 2);
	}
	crawl_stats(c[0], &a);
	crawl_stats(c[1], &b);
	assert_int_equal(a.known, COUNT - 2);
	assert_int_equal(a.excluded, 4);
	assert_memory_equal(&a, &b, offsetof(struct crawl_stats, bytes));
	crawl_free(c[0]);
	crawl_free(c[1]);
}

static void the_known_are_capped(void **state)
{
	struct crawl_config config = plain;
	struct crawl *c;

	(void)state;
	config.known_max = 2;
	c = new_crawl(&config);
	assert_int_equal(add(c, "1.1.1.1"), CRAWL_NEW);
	assert_int_equal(add(c, "1.1.1.2"), CRAWL_NEW);
	assert_int_equal(add(c, "1.1.1.3"), CRAWL_CUT);
	assert_int_equal(add(c, "1.1.1.2"), CRAWL_KNOWN);
	crawl_free(c);
}

static void the_rate_is_kept(void **state)
{
	struct crawl_config config = plain;
	struct crawl_dial dial;
	uint64_t now = 1000, until;
	unsigned begun = 0;
	struct crawl *c;

	(void)state;
	config.rate_per_s = 10;
	config.concurrency = 1000;
	c = new_crawl(&config);
	for (unsigned i = 0; i < 200; i++) {
		struct netaddr a = netaddr_ipv4(0x08000001U + (i << 16), 8333);

		crawl_add(c, &(struct advert){ .addr = a });
	}
	while (now < 11000) {
		enum crawl_action action = crawl_next(c, now, &dial, &until);

		if (action == CRAWL_DIAL) {
			begun++;
			continue;
		}
		assert_int_equal(action, CRAWL_WAIT);
		assert_in_range(until, now + 1, now + 200);
		now = until;
	}
	assert_in_range(begun, 95, 102); /* ten a second for ten seconds */
	crawl_free(c);
}

/* Who was silent has been tried, and keeps its second try; nobody else is begun. */
static void a_number_of_peers_is_kept_by_the_silent_too(void **state)
{
	struct crawl_config config = plain;
	struct crawl_dial a, b, other;
	struct crawl_stats stats;
	struct crawl *c;

	(void)state;
	config.max_visits = 2;
	config.per_group = 2;
	c = new_crawl(&config);
	add(c, "1.1.1.1");
	add(c, "1.1.1.2");
	add(c, "1.1.1.3"); /* parked behind both */
	assert_int_equal(next(c, 1000, &a), CRAWL_DIAL);
	assert_int_equal(next(c, 1000, &b), CRAWL_DIAL);
	assert_int_equal(next(c, 1000, &other), CRAWL_WAIT);
	assert_false(crawl_finish(c, a.id, OUTCOME_CONNECT_TIMEOUT, false));
	assert_false(crawl_finish(c, b.id, OUTCOME_CONNECT_TIMEOUT, false));
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(next(c, 2000, &other), CRAWL_DIAL);
		assert_int_equal(other.attempt, 2);
		assert_int_equal(other.id, i == 0 ? a.id : b.id);
		assert_true(crawl_finish(c, other.id, OUTCOME_CONNECT_TIMEOUT, false));
	}
	assert_int_equal(next(c, 3000, &other), CRAWL_DONE);
	crawl_stats(c, &stats);
	assert_int_equal(stats.visited, 2);
	assert_int_equal(stats.waiting, 1);
	crawl_free(c);
}

/* This machine could not dial it: another may be tried in its place. */
static void what_is_given_back_was_not_tried(void **state)
{
	struct crawl_config config = plain;
	struct crawl_dial dial, other;
	struct crawl *c;

	(void)state;
	config.max_visits = 1;
	c = new_crawl(&config);
	add(c, "1.1.1.1");
	add(c, "2.2.2.2");
	assert_int_equal(next(c, 1000, &dial), CRAWL_DIAL);
	crawl_give_back(c, dial.id);
	assert_int_equal(next(c, 1000, &other), CRAWL_DIAL);
	assert_int_equal(next(c, 1000, &dial), CRAWL_WAIT);
	assert_true(crawl_finish(c, other.id, OUTCOME_OK, true));
	assert_int_equal(next(c, 1000, &dial), CRAWL_DONE);
	crawl_free(c);
}

/* A second try that an earlier run has left is one of the peers of this one. */
static void second_tries_of_an_earlier_run_count(void **state)
{
	static const char *const left[] = { "1.1.1.1", "2.2.2.2", "3.3.3.3" };
	struct crawl_config config = plain;
	struct crawl_dial dial;
	struct crawl *c;

	(void)state;
	config.max_visits = 2;
	c = new_crawl(&config);
	for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++)
		crawl_add_visited(c, &(struct advert){ .addr = at(left[i]) },
				  OUTCOME_CONNECT_TIMEOUT, false, 1);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(next(c, 1000, &dial), CRAWL_DIAL);
		assert_int_equal(dial.attempt, 2);
		assert_true(crawl_finish(c, dial.id, OUTCOME_CONNECT_TIMEOUT, false));
	}
	assert_int_equal(next(c, 1000, &dial), CRAWL_DONE);
	crawl_free(c);
}

static void it_ends_at_its_limits(void **state)
{
	struct crawl_config config = plain;
	struct crawl_dial dial, other;
	struct crawl_stats stats;
	struct crawl *c;

	(void)state;
	config.max_visits = 1;
	c = new_crawl(&config);
	add(c, "1.1.1.1");
	add(c, "2.2.2.2");
	assert_int_equal(next(c, 1000, &dial), CRAWL_DIAL);
	assert_int_equal(next(c, 1000, &other), CRAWL_WAIT);
	crawl_finish(c, dial.id, OUTCOME_OK, true);
	assert_int_equal(next(c, 1000, &other), CRAWL_DONE);
	crawl_free(c);

	config.max_visits = 0;
	config.duration_ms = 500;
	c = new_crawl(&config);
	add(c, "1.1.1.1");
	add(c, "2.2.2.2");
	assert_int_equal(next(c, 1499, &dial), CRAWL_DIAL);
	assert_int_equal(next(c, 1500, &other), CRAWL_WAIT);
	crawl_stop(c);
	crawl_finish(c, dial.id, OUTCOME_CANCELLED, true);
	assert_int_equal(next(c, 1500, &other), CRAWL_DONE);
	/* It was not visited, whatever it had said by then. */
	crawl_stats(c, &stats);
	assert_int_equal(stats.visited + stats.reached + stats.outcomes[OUTCOME_CANCELLED], 0);
	assert_int_equal(stats.waiting, 2);
	crawl_free(c);
}

static void own_addresses_are_not_dialled(void **state)
{
	struct crawl *c = new_crawl(&plain);
	struct netaddr own = at("8.8.4.4");
	struct crawl_dial dial;
	struct crawl_stats stats;

	(void)state;
	crawl_add_own(c, &own);
	assert_int_equal(crawl_add(c, &(struct advert){ .addr = own }), CRAWL_EXCLUDED);
	/* Also when it was waiting already, behind a visit to the same IP. */
	add(c, "8.8.8.8:1");
	add(c, "8.8.8.8:2");
	add(c, "8.8.8.8:3");
	assert_int_equal(next(c, 1000, &dial), CRAWL_DIAL);
	own = at("8.8.8.8:2");
	{
		struct crawl_dial none;

		assert_int_equal(next(c, 1000, &none), CRAWL_WAIT);
	}
	crawl_add_own(c, &own);
	crawl_finish(c, dial.id, OUTCOME_OK, true);
	assert_int_equal(next(c, 1000, &dial), CRAWL_DIAL);
	assert_int_equal(dial.addr.port, 3);
	crawl_finish(c, dial.id, OUTCOME_SELF, false);
	assert_int_equal(next(c, 1000, &dial), CRAWL_DONE);
	crawl_stats(c, &stats);
	assert_int_equal(stats.known, 2);
	assert_int_equal(stats.waiting, 0);
	crawl_free(c);
}

static void resuming_visits_nobody_twice(void **state)
{
	struct crawl *c = new_crawl(&plain);
	struct netaddr seen = at("1.1.1.1"), once = at("2.2.2.2"), twice = at("3.3.3.3");
	struct crawl_dial dial;
	struct crawl_stats stats;

	(void)state;
	crawl_add_visited(c, &(struct advert){ .addr = seen }, OUTCOME_OK, true, 1);
	crawl_add_visited(c, &(struct advert){ .addr = once }, OUTCOME_CONNECT_TIMEOUT, false, 1);
	crawl_add_visited(c, &(struct advert){ .addr = twice }, OUTCOME_CONNECT_TIMEOUT, false, 2);
	add(c, "4.4.4.4");
	crawl_stats(c, &stats);
	assert_int_equal(stats.known, 4);
	assert_int_equal(stats.visited, 2);
	assert_int_equal(stats.reached, 1);
	assert_int_equal(stats.waiting, 2);
	assert_int_equal(next(c, 1000, &dial), CRAWL_DIAL);
	assert_int_equal(dial.addr.bytes[0], 4);
	crawl_finish(c, dial.id, OUTCOME_REFUSED, false);
	assert_int_equal(next(c, 1000, &dial), CRAWL_DIAL);
	assert_int_equal(dial.addr.bytes[0], 2);
	assert_int_equal(dial.attempt, 2);
	crawl_finish(c, dial.id, OUTCOME_REFUSED, false);
	assert_int_equal(next(c, 1000, &dial), CRAWL_DONE);
	crawl_free(c);
}

static void five_million_addresses_fit_in_300_mb(void **state)
{
	enum { MANY = 5 * 1000 * 1000 };
	struct crawl *c = new_crawl(&plain);
	struct crawl_stats stats;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		/* Public space only: 32.0.0.0 and up, below 64.0.0.0 */
		struct netaddr a = netaddr_ipv4(0x20000000U + i * 107, 8333);

		assert_int_equal(crawl_add(c, &(struct advert){ .addr = a }), CRAWL_NEW);
	}
	crawl_stats(c, &stats);
	assert_int_equal(stats.known, MANY);
	assert_in_range(stats.bytes, MANY * 7, 300U * 1000 * 1000);
	crawl_free(c);
}

/* What a run must not dial, a second try of an earlier run must not either. */
static void resuming_keeps_to_the_rules_of_now(void **state)
{
	static const struct {
		const char *name, *addr;
	} rows[] = {
		{ "excluded since", "9.9.9.9:8333" },
		{ "private, no longer allowed", "192.168.1.1:8333" },
		{ "no address to dial",
		  "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333" },
	};
	struct crawl_config config = plain;
	struct crawl_dial dial;
	struct crawl_stats stats;
	struct cidr exclude;
	struct crawl *c;

	(void)state;
	assert_int_equal(cidr_parse(slice_text("9.9.0.0/16"), &exclude), ERR_OK);
	config.exclude = &exclude;
	config.exclude_count = 1;
	c = new_crawl(&config);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct netaddr addr = at(rows[i].addr);

		crawl_add_visited(c, &(struct advert){ .addr = addr }, OUTCOME_CONNECT_TIMEOUT,
				  false, 1);
		if (next(c, 1000, &dial) != CRAWL_DONE)
			fail_msg("%s", rows[i].name);
	}
	crawl_stats(c, &stats);
	assert_int_equal(stats.visited, 3);
	assert_int_equal(stats.outcomes[OUTCOME_CONNECT_TIMEOUT], 3);
	crawl_free(c);
}

/* Loops ask with clocks of their own, some milliseconds apart: no reason to hurry. */
static void clocks_apart_dont_raise_the_rate(void **state)
{
	struct crawl_config config = plain;
	unsigned dials = 0;
	struct crawl *c;

	(void)state;
	config.rate_per_s = 100;
	c = new_crawl(&config);
	for (unsigned i = 0; i < 90; i++) {
		struct netaddr a = netaddr_ipv4(0x08000001U + (i << 16), 8333);

		crawl_add(c, &(struct advert){ .addr = a });
	}
	for (uint64_t now = 1000; now < 1200; now++) {
		for (unsigned loop = 0; loop < 2; loop++) {
			struct crawl_dial dial;

			dials += next(c, now - 5 * loop, &dial) == CRAWL_DIAL;
		}
	}
	/* A burst of 10 at the most, and 20 in a fifth of a second. */
	assert_in_range(dials, 19, 31);
	crawl_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(private_addresses_are_dialled_when_allowed),
		cmocka_unit_test(each_is_visited_once),
		cmocka_unit_test(who_is_silent_or_out_of_reach_is_tried_once_more),
		cmocka_unit_test(who_was_silent_to_a_hasty_try_has_the_whole_time),
		cmocka_unit_test(who_was_left_silent_has_the_whole_time),
		cmocka_unit_test(one_visit_at_a_time_to_one_ip),
		cmocka_unit_test(groups_are_capped_and_nobody_starves),
		cmocka_unit_test(liars_are_cut),
		cmocka_unit_test(a_glance_changes_no_count),
		cmocka_unit_test(the_known_are_capped),
		cmocka_unit_test(the_rate_is_kept),
		cmocka_unit_test(a_number_of_peers_is_kept_by_the_silent_too),
		cmocka_unit_test(what_is_given_back_was_not_tried),
		cmocka_unit_test(second_tries_of_an_earlier_run_count),
		cmocka_unit_test(it_ends_at_its_limits),
		cmocka_unit_test(own_addresses_are_not_dialled),
		cmocka_unit_test(resuming_visits_nobody_twice),
		cmocka_unit_test(five_million_addresses_fit_in_300_mb),
		cmocka_unit_test(resuming_keeps_to_the_rules_of_now),
		cmocka_unit_test(clocks_apart_dont_raise_the_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
