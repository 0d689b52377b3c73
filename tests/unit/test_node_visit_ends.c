/* test_node_visit_ends.c: visits of nodes that are ended at every point, several at a time, and on
 * a machine that has its own troubles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

/* After cmocka's own. */
#include "support/visits.h"

enum { CROWD = 700 };

/* --- ended by us --- */

static void cancelled(void **state)
{
	static const struct {
		const char *name;
		enum cancel at;
		unsigned in, out; /* datagrams that were told, at most */
		unsigned pings;   /* that the node has seen */
		enum outcome outcome;
	} rows[] = { { "before the first packet", AT_ONCE, 0, 0, 0, OUTCOME_CANCELLED },
		     { "by the first packet", ON_FIRST_OUT, 0, 1, 0, OUTCOME_CANCELLED },
		     { "by the first answer", ON_FIRST_IN, 1, 1, 1, OUTCOME_CANCELLED },
		     { "by the first node", ON_NODE, 4, 4, 1, OUTCOME_CANCELLED },
		     { "by whom it names", ON_NAMED, 4, 4, 1, OUTCOME_CANCELLED },
		     { "when it is over", ON_DONE, 99, 99, 1, OUTCOME_OK } };

	(void)state;
	open_visitor();
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct puppet *p = puppet(i, PUPPET_SERVES);
		struct told t;

		cancel_at = rows[i].at;
		visit(&t, &p->enode);
		if (rows[i].at == AT_ONCE)
			node_visit_cancel(t.visit);
		run();
		run_some();
		if (t.dones != 1 || t.outcome != rows[i].outcome || t.in > rows[i].in ||
		    t.out > rows[i].out || p->pings != rows[i].pings)
			fail_msg("%s: %s, %u in, %u out, %u pings", rows[i].name,
				 outcome_name(t.outcome), t.in, t.out, p->pings);
		if (rows[i].at == ON_NODE)
			assert_int_equal(t.named, 0);
	}
}

static void cancel_the_visit(struct puppet *p)
{
	struct told *t = p->ctx;

	assert_int_equal(t->dones, 0);
	node_visit_cancel(t->visit);
	assert_int_equal(t->dones, 1);
}

static void cancelled_in_its_session(void **state)
{
	static const enum puppet_session kinds[] = { PUPPET_IS_SILENT, PUPPET_SERVES };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct puppet *p = puppet(i, kinds[i]);
		struct told t;

		p->on_accept = cancel_the_visit;
		p->ctx = &t;
		visit_puppet(&t, p);
		assert_int_equal(t.outcome, OUTCOME_CANCELLED);
		/* What discovery has learnt stands. */
		assert_true(t.reached);
		assert_int_equal(t.entries, PUPPET_TABLE_MAX);
		assert_string_equal(t.session, "cancelled");
		assert_false(t.failed_here);
		run_some();
	}
}

/* --- several visits --- */

static void one_visit_of_one_address(void **state)
{
	struct puppet *p = puppet(0, PUPPET_NO_SESSIONS), *q = puppet(1, PUPPET_NO_SESSIONS);
	struct enode beside = q->enode;
	struct node_visit *none;
	struct told t, u;

	(void)state;
	open_visitor();
	visit(&t, &p->enode);
	assert_int_equal(node_visit_start(visitor, &p->enode, 0, 0, 90, NULL, &none), ERR_BUSY);
	assert_null(none);
	/* Another key and port of that host, too; another host not. */
	beside.endpoint.addr = p->enode.endpoint.addr;
	beside.endpoint.addr.port++;
	assert_int_equal(node_visit_start(visitor, &beside, 0, 0, 91, NULL, &none), ERR_BUSY);
	visit(&u, &q->enode);
	run();
	assert_int_equal(t.outcome, OUTCOME_OK);
	assert_int_equal(u.outcome, OUTCOME_OK);
	visit(&t, &p->enode);
	run();
	assert_int_equal(t.outcome, OUTCOME_OK);
}

static struct told again_told;
static unsigned again_left;

/* The address is free as soon as the end of its visit is told. */
static void visit_again(struct told *t)
{
	(void)t;
	if (again_left-- > 0)
		visit(&again_told, &puppets[0].enode);
	else
		then = NULL;
}

static void again_from_its_end(void **state)
{
	static const enum outcome outcomes[] = { OUTCOME_OK, OUTCOME_CANCELLED };
	struct puppet *p = puppet(0, PUPPET_NO_SESSIONS);
	struct told t;

	(void)state;
	open_visitor();
	for (unsigned i = 0; i < 2; i++) {
		again_left = 2;
		then = visit_again;
		visit(&t, &p->enode);
		if (i > 0)
			node_visit_cancel(t.visit);
		run();
		assert_int_equal(t.outcome, outcomes[i]);
		assert_int_equal(again_told.outcome, OUTCOME_OK);
		assert_string_equal(again_told.faults, "");
	}
}

/* More than the index of visits holds at first; nearly all ends at once, some in between
 * goes on. */
static void a_crowd(void **state)
{
	static struct told told[CROWD + PUPPETS_MAX];
	struct puppet *p = puppet(0, PUPPET_NO_SESSIONS);
	uint16_t free_port = p->enode.endpoint.addr.port;
	unsigned refused = 0, ok = 0;

	(void)state;
	puppet_stop(p);
	run_some();
	open_visitor();
	for (unsigned i = 0; i < CROWD; i++) {
		struct enode ghost = p->enode;

		if (i % (CROWD / (PUPPETS_MAX - 1)) == 0 && i > 0 &&
		    i / (CROWD / (PUPPETS_MAX - 1)) < PUPPETS_MAX) {
			unsigned number = i / (CROWD / (PUPPETS_MAX - 1));

			visit(&told[CROWD + number], &puppet(number, PUPPET_SERVES)->enode);
		}
		ghost.endpoint.addr = netaddr_ipv4(0x7f010001U + i, free_port);
		visit(&told[i], &ghost);
	}
	run();
	for (unsigned i = 0; i < CROWD; i++)
		refused += told[i].dones == 1 && told[i].outcome == OUTCOME_REFUSED;
	for (unsigned i = 1; i < PUPPETS_MAX; i++)
		ok += told[CROWD + i].dones == 1 && told[CROWD + i].outcome == OUTCOME_OK &&
		      strcmp(told[CROWD + i].session, "ok") == 0;
	assert_int_equal(ok, PUPPETS_MAX - 1);
	assert_int_equal(refused, CROWD);
}

/* --- the visitor --- */

/* As the crawl does it: with the last visit's end, wherever it comes from. */
static void closed_by_the_last_end(void **state)
{
	static const struct {
		const char *name;
		enum puppet_session sessions;
		bool silent, gone;
	} rows[] = { { "by a datagram", PUPPET_NO_SESSIONS, false, false },
		     { "by a session", PUPPET_SERVES, false, false },
		     { "by a timer", PUPPET_NO_SESSIONS, true, false },
		     { "by ICMP", PUPPET_NO_SESSIONS, false, true } };

	(void)state;
	close_with_the_last = true;
	config.timeout_ms = 100;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct puppet *p = puppet(i, rows[i].sessions);
		struct told t;

		p->silent = rows[i].silent;
		if (rows[i].gone)
			puppet_stop(p);
		visit_puppet(&t, p);
		assert_null(visitor);
		puppet_stop(p);
		/* Only the guard is left, which holds nobody up. */
		uv_run(&loop, UV_RUN_DEFAULT);
		if (uv_loop_alive(&loop))
			fail_msg("%s", rows[i].name);
	}
}

static void no_descriptors(void **state)
{
	struct rlimit before, none;
	char why[NODE_VISIT_WHY_MAX];
	enum err err;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	err = node_visitor_open(&dialer, &config, &visitor, why);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(err, ERR_IO);
	assert_null(visitor);
	assert_non_null(strstr(why, "ulimit -n"));
}

static struct rlimit descriptors;

/* From the last question on the machine has no descriptor to give. */
static void take_descriptors(struct puppet *p, enum discv4_type type)
{
	struct rlimit none = descriptors;

	(void)p;
	none.rlim_cur = 0;
	if (type == DISCV4_ENRREQUEST)
		setrlimit(RLIMIT_NOFILE, &none);
}

/* Not the node's fault: the caller may visit it again. */
static void no_descriptor_for_a_session(void **state)
{
	struct puppet *p = puppet(0, PUPPET_SERVES);
	struct told t;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &descriptors), 0);
	p->on_packet = take_descriptors;
	visit_puppet(&t, p);
	setrlimit(RLIMIT_NOFILE, &descriptors);
	assert_true(t.failed_here);
	assert_int_equal(p->accepted, 0);
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		ROW(cancelled),
		ROW(cancelled_in_its_session),
		ROW(one_visit_of_one_address),
		ROW(again_from_its_end),
		ROW(a_crowd),
		ROW(closed_by_the_last_end),
		ROW(no_descriptors),
		ROW(no_descriptor_for_a_session),
	};

	signal(SIGPIPE, SIG_IGN); /* as the program does */
	return cmocka_run_group_tests(tests, begin_all, end_all);
}
