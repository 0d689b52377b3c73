/* The library on a gossip network: sessions in memory, and a crawl of members on loopback. */
#include "support/member.h"

/* --- sessions --- */

static struct pw_session *session(enum pw_role role, enum pw_goal goal, const char *group)
{
	struct pw_session_config config = { .size = sizeof(config),
					    .network = pw_network_find("gossip"),
					    .role = role,
					    .goal = goal,
					    .agent = role == PW_RESPONDER ? "answers" : "asks",
					    .peer = role == PW_INITIATOR ? "192.0.2.7:5999" : NULL,
					    .timeout_ms = 60000,
					    .group = group,
					    .listen_port = role == PW_RESPONDER ? 5999 : 0 };
	struct pw_session *s;

	assert_int_equal(pw_session_new(&config, 1000, &s), PW_OK);
	return s;
}

/* Its events, until there is none; the last outcome. */
static void drain(struct pw_session *s, unsigned kinds[static PW_EVENT_DONE + 1],
		  enum pw_outcome *outcome)
{
	static const struct pw_advert known = { .host = "192.0.2.9", .port = 7 };
	const struct pw_event *e;

	while ((e = pw_session_next(s)) != NULL) {
		kinds[e->kind]++;
		if (e->kind == PW_EVENT_DONE)
			*outcome = e->outcome;
		if (e->kind == PW_EVENT_ASKED)
			assert_int_equal(pw_session_answer(s, &known, 1), PW_OK);
	}
}

static bool carry(struct pw_session *from, struct pw_session *to, uint64_t now_ms)
{
	char buf[4096];
	size_t n = pw_session_send(from, buf, sizeof(buf));

	if (n > 0)
		assert_int_equal(pw_session_recv(to, buf, n, now_ms), PW_OK);
	return n > 0;
}

/* Time passes until both have said all, and the one that dialled is done. */
static enum pw_outcome talk(struct pw_session *dialler, struct pw_session *other,
			    unsigned kinds[static PW_EVENT_DONE + 1])
{
	unsigned others[PW_EVENT_DONE + 1] = { 0 };
	enum pw_outcome outcome = PW_OUTCOME_COUNT, unused;
	uint64_t now_ms = 1000;
	bool asked, answered;

	memset(kinds, 0, (PW_EVENT_DONE + 1) * sizeof(*kinds));
	for (unsigned i = 0; i < 10000 && kinds[PW_EVENT_DONE] == 0; i++) {
		now_ms += 10;
		drain(dialler, kinds, &outcome);
		drain(other, others, &unused);
		asked = carry(dialler, other, now_ms);
		answered = carry(other, dialler, now_ms);
		if (asked || answered)
			continue;
		pw_session_tick(dialler, now_ms);
		pw_session_tick(other, now_ms);
	}
	assert_int_equal(kinds[PW_EVENT_DONE], 1);
	return outcome;
}

static void test_session(void **state)
{
	struct pw_session *a = session(PW_INITIATOR, PW_GOAL_PING, "here");
	struct pw_session *b = session(PW_RESPONDER, PW_GOAL_PEERS, "here");
	unsigned kinds[PW_EVENT_DONE + 1];
	const struct pw_info *info;
	char id[64];

	(void)state;
	talk(a, b, kinds);
	assert_int_equal(kinds[PW_EVENT_HANDSHAKE], 1);
	assert_int_equal(kinds[PW_EVENT_PONG], 1);
	info = pw_session_info(a);
	assert_string_equal(info->agent, "answers");
	assert_string_equal(info->group, "here");
	assert_int_equal(info->listen_port, 5999);
	assert_int_equal(strlen(info->id), 36);
	snprintf(id, sizeof(id), "%s", info->id);
	info = pw_session_info(b);
	assert_string_equal(info->agent, "asks");
	assert_int_equal(info->listen_port, 0);
	assert_string_not_equal(info->id, id);
	assert_null(pw_session_node(a));
	pw_session_free(a);
	pw_session_free(b);
}

static void test_groups(void **state)
{
	static const struct {
		const char *what, *ours, *theirs;
		bool meet;
	} rows[] = {
		{ "the same", "here", "here", true },
		{ "another", "here", "there", false },
		{ "one who says none", "here", NULL, true },
		{ "whoever it is", NULL, "there", true },
	};
	unsigned kinds[PW_EVENT_DONE + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pw_session *a = session(PW_INITIATOR, PW_GOAL_PING, rows[i].ours);
		struct pw_session *b = session(PW_RESPONDER, PW_GOAL_PEERS, rows[i].theirs);
		enum pw_outcome outcome = talk(a, b, kinds);

		if ((outcome == PW_OUTCOME_WRONG_NETWORK) == rows[i].meet ||
		    (kinds[PW_EVENT_PONG] > 0) != rows[i].meet)
			fail_msg("%s: %s", rows[i].what, pw_outcome_name(outcome));
		pw_session_free(a);
		pw_session_free(b);
	}
}

static void test_config(void **state)
{
	struct pw_session_config sc = { .size = sizeof(sc),
					.network = pw_network_find("bitcoin"),
					.group = "here" };
	struct pw_crawl_config cc = { .size = sizeof(cc),
				      .network = pw_network_find("bitcoin"),
				      .group = "here" };
	struct pw_session *s;
	struct pw_crawl *c;

	(void)state;
	assert_int_equal(pw_session_new(&sc, 1, &s), PW_ERR_VALUE);
	assert_int_equal(pw_crawl_new(&cc, &c), PW_ERR_VALUE);
	sc.network = cc.network = pw_network_find("gossip");
	assert_int_equal(pw_session_new(&sc, 1, &s), PW_OK);
	assert_int_equal(pw_crawl_new(&cc, &c), PW_OK);
	pw_session_free(s);
	pw_crawl_free(c);
	sc.group = cc.group = "";
	assert_int_equal(pw_session_new(&sc, 1, &s), PW_ERR_VALUE);
	assert_int_equal(pw_crawl_new(&cc, &c), PW_ERR_VALUE);
}

/* --- a crawl --- */

enum { MEMBERS = 4 };

static struct rig rigs[MEMBERS + 1]; /* the last is of another group */
static unsigned reached, foreign, listening;
static char last_group[64];

static void on_visit(void *ctx, const struct pw_visit *v)
{
	(void)ctx;
	reached += v->reached;
	foreign += v->outcome == PW_OUTCOME_WRONG_NETWORK;
	if (v->reached) {
		listening += v->info->listen_port == v->port;
		snprintf(last_group, sizeof(last_group), "%s", v->info->group);
	}
}

/* From one address of them all are found, and somebody of another group is told as such. */
static void test_crawl(void **state)
{
	struct pw_crawl_config config = { .size = sizeof(config),
					  .network = pw_network_find("gossip"),
					  .group = "here",
					  .allow_private = true,
					  .on_visit = on_visit };
	char place[MEMBER_TEXT], other[MEMBER_TEXT];
	struct pw_crawl *crawl;

	(void)state;
	for (unsigned i = 0; i <= MEMBERS; i++) {
		rig_init(&rigs[i], "gossip");
		rigs[i].config.group = i < MEMBERS ? "here" : "there";
		rig_new(&rigs[i], "127.0.0.1:0", i > 0 && i < MEMBERS ? place : NULL);
		rig_begin(&rigs[i]);
		if (i == 0)
			rig_get(&rigs[0], rigs[0].place, place);
	}
	for (unsigned i = 0; i < MEMBERS; i++)
		rig_wait(rigs[i].ups, i == 0 ? MEMBERS - 1 : 1);
	rig_get(&rigs[MEMBERS], rigs[MEMBERS].place, other);

	assert_int_equal(pw_crawl_new(&config, &crawl), PW_OK);
	assert_int_equal(pw_crawl_add_seed(crawl, place), PW_OK);
	assert_int_equal(pw_crawl_add_seed(crawl, other), PW_OK);
	assert_int_equal(pw_crawl_run(crawl), PW_OK);
	assert_int_equal(reached, MEMBERS);
	assert_int_equal(listening, MEMBERS);
	assert_int_equal(foreign, 1);
	assert_string_equal(last_group, "here");
	pw_crawl_free(crawl);
	for (unsigned i = 0; i <= MEMBERS; i++) {
		rig_end(&rigs[i], PW_OK);
		rig_free(&rigs[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_crawl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
