/* test_visit.c: a visit that takes two connections, and what is left of the first. */
#include "engine/visit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* After cmocka's own. */
#include "support/session.h"

enum { CONNECT_MS = 40, WORDS_MS = 60 };

static const struct visit_config *config(void)
{
	static struct visit_config c;

	c = (struct visit_config){ .session = params_of(SESSION_INITIATOR, SESSION_GOAL_PEERS),
				   .connect_timeout_ms = 5000 };
	return &c;
}

static void hear(struct visit *v, struct writer *w, uint64_t at_ms)
{
	size_t at = 0, n;

	while ((n = visit_recv(v, slice_of(w->data + at, w->len - at), at_ms)) > 0)
		at += n;
}

/* Connected, a version, and closed on the flight: it is to be dialled once more. */
static struct visit *closed_after_its_version(void)
{
	struct visit *v = calloc(1, visit_size(main_net()));
	struct writer w = script();
	struct netaddr addr;

	assert_non_null(v);
	netaddr_parse(slice_text("5.6.7.8:8333"), 0, &addr);
	visit_init(v, config(), &addr, NULL, 111, START, WALL * 1000LL);
	visit_connected(v, START + CONNECT_MS);
	put_version(&w, 77);
	hear(v, &w, START + WORDS_MS);
	visit_closed(v, SESSION_CLOSE_EOF, START + 100);
	assert_int_equal(v->state, VISIT_RECONNECT);
	return v;
}

static void said_its_version(const struct record *r)
{
	assert_true(r->info.has_version);
	assert_true(slice_equal(r->info.agent, slice_text("/scripted:1.0/")));
	assert_int_equal(r->info.protocol, 70016);
	assert_int_equal(r->info.height, 900000);
	assert_int_equal(r->tries, 2);
	assert_false(r->reached);
}

/* If it can't be reached again, the visit was the first connection. */
static void what_it_said_first_is_kept(void **state)
{
	static const struct {
		enum outcome why;
		enum outcome outcome;
	} rows[] = {
		{ OUTCOME_REFUSED, OUTCOME_HANDSHAKE_TIMEOUT },
		{ OUTCOME_CONNECT_TIMEOUT, OUTCOME_HANDSHAKE_TIMEOUT }, /* by the clock */
		{ OUTCOME_CANCELLED, OUTCOME_CANCELLED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct visit *v = closed_after_its_version();
		uint8_t out[256];
		struct record r;

		if (rows[i].why == OUTCOME_CANCELLED)
			visit_cancel(v, START + 150);
		else if (rows[i].why == OUTCOME_CONNECT_TIMEOUT)
			visit_tick(v, visit_deadline(v));
		else
			visit_connect_failed(v, rows[i].why, START + 150);
		assert_int_equal(v->state, VISIT_DONE);
		assert_int_equal(visit_send(v, out, sizeof(out)), 0);
		visit_record(v, START + 200, &r);
		assert_int_equal(r.outcome, rows[i].outcome);
		assert_false(r.stepwise);
		assert_int_equal(r.connect_ms, CONNECT_MS);
		assert_int_equal(r.version_ms, WORDS_MS);
		assert_int_equal(r.messages_in, 1);
		said_its_version(&r);
		free(v);
	}
}

/* If it says nothing the second time, it has said its version all the same. */
static void closed_again_without_a_word(void **state)
{
	struct visit *v = closed_after_its_version();
	struct record r;

	(void)state;
	visit_connected(v, START + 150);
	visit_closed(v, SESSION_CLOSE_EOF, START + 200);
	assert_int_equal(v->state, VISIT_DONE);
	visit_record(v, START + 200, &r);
	assert_int_equal(r.outcome, OUTCOME_PEER_FULL);
	assert_true(r.stepwise);
	assert_int_equal(r.connect_ms, 50);
	assert_int_equal(r.version_ms, -1);
	assert_int_equal(r.messages_in, 1);
	said_its_version(&r);
	free(v);
}

/* What it says the second time counts. */
static void another_version(void **state)
{
	struct visit *v = closed_after_its_version();
	struct writer w = script();
	struct record r;

	(void)state;
	visit_connected(v, START + 150);
	put_version_of(&w, 78, 70001);
	put_empty(&w, BITCOIN_VERACK);
	hear(v, &w, START + 180);
	visit_closed(v, SESSION_CLOSE_EOF, START + 200);
	visit_record(v, START + 200, &r);
	assert_int_equal(r.outcome, OUTCOME_NO_PEERS);
	assert_true(r.reached && r.stepwise);
	assert_int_equal(r.info.protocol, 70001);
	assert_int_equal(r.messages_in, 3);
	free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_said_first_is_kept),
		cmocka_unit_test(closed_again_without_a_word),
		cmocka_unit_test(another_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
