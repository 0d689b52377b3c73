/* test_rlpx_talk.c: two RLPx sessions that talk to each other, and what comes before there are
 * frames. */
#include "base/text.h"
#include "proto/ethereum/rlpx_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* After cmocka's own. */
#include "support/rlpx.h"

struct side {
	struct rlpx_session session;
	uint8_t in[8192]; /* sent to it, and not yet taken */
	size_t in_len;
};

/* Hands over what one has to say to the other, in pieces; whether there was something. */
static bool carry(struct side *from, struct side *to, size_t piece)
{
	size_t n, taken, at = 0;

	n = rlpx_session_send(&from->session, to->in + to->in_len, piece);
	assert_true(to->in_len + n <= sizeof(to->in));
	to->in_len += n;
	while ((taken = rlpx_session_recv(&to->session, slice_of(to->in + at, to->in_len - at),
					  START_MS + 50)) > 0)
		at += taken;
	if (to->in_len > at &&
	    !rlpx_session_done(&to->session, &(enum rlpx_outcome){ 0 }, &(const char *){ NULL }))
		assert_true(rlpx_session_need(&to->session) > to->in_len - at);
	memmove(to->in, to->in + at, to->in_len - at);
	to->in_len -= at;
	return n > 0;
}

static void talk(struct side *a, struct side *b, size_t piece)
{
	bool more = true;

	while (more) {
		more = carry(a, b, piece);
		more |= carry(b, a, piece);
	}
}

static const struct p2p_offer only_68[] = { { { "eth", 68 }, 17 } };
static const struct p2p_offer old_and_snap[] = { { { "snap", 1 }, 8 },
						 { { "eth", 66 }, 17 },
						 { { "aaa", 1 }, 4 } };

static const struct {
	const char *name;
	enum session_role crawler;
	size_t piece;
	const struct p2p_offer *offers; /* the node's */
	size_t offers_count;
	uint32_t version, caps;
} talks[] = {
	{ "we call, all at once", SESSION_INITIATOR, 4096, NULL, 0, 72, ETH_VERSIONS },
	{ "we call, byte by byte", SESSION_INITIATOR, 1, NULL, 0, 72, ETH_VERSIONS },
	{ "we call, in odd pieces", SESSION_INITIATOR, 37, only_68, 1, 68, 1 },
	{ "we are called, all at once", SESSION_RESPONDER, 4096, only_68, 1, 68, 1 },
	{ "we are called, byte by byte", SESSION_RESPONDER, 1, old_and_snap, 3, 66, 3 },
	{ "we are called, in odd pieces", SESSION_RESPONDER, 113, NULL, 0, 72, ETH_VERSIONS },
};

static void both_roles(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(talks) / sizeof(*talks); i++) {
		const char *name = talks[i].name;
		bool calls = talks[i].crawler == SESSION_INITIATOR;
		struct rlpx_session_params p =
			params_of(CRAWLER, talks[i].crawler, RLPX_GOAL_LEARN);
		struct rlpx_session_params q = params_of(
			NODE, calls ? SESSION_RESPONDER : SESSION_INITIATOR, RLPX_GOAL_SERVE);
		struct side *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
		struct rlpx_info info;

		assert_true(a != NULL && b != NULL);
		q.offers = talks[i].offers;
		q.offers_count = talks[i].offers_count;
		rlpx_session_init(&a->session, &p, START_MS);
		rlpx_session_init(&b->session, &q, START_MS);
		talk(a, b, talks[i].piece);
		expect_done(name, &a->session, RLPX_OUTCOME_OK);
		expect_done(name, &b->session, RLPX_OUTCOME_OK);

		rlpx_session_info(&a->session, &info);
		assert_true(info.has_key && info.has_hello && info.has_status);
		assert_false(info.has_reason);
		assert_memory_equal(info.key, public_of(NODE), sizeof(info.key));
		assert_true(slice_equal(info.hello.client, slice_text("node/1")));
		assert_int_equal(info.hello.version, 5);
		assert_int_equal(info.hello.listen_port, 30303);
		assert_int_equal(info.hello.caps_count, talks[i].caps);
		assert_int_equal(info.eth.version, talks[i].version);
		assert_int_equal(info.status.version, talks[i].version);
		assert_int_equal(info.status.network_id, 1);
		assert_int_equal(info.status.forkid.next, 0x6930b057);
		assert_memory_equal(info.status.genesis, chain.genesis, 32);
		assert_memory_equal(info.status.head, chain.head, 32);
		assert_int_equal(info.status.latest, talks[i].version < 69 ? 0 : 22500000);
		assert_int_equal(info.status_ms, 50);

		/* The node has learnt who we are, and sees its own Status again. */
		rlpx_session_info(&b->session, &info);
		assert_memory_equal(info.key, public_of(CRAWLER), sizeof(info.key));
		assert_true(slice_equal(info.hello.client, slice_text("peerwalk/test")));
		assert_true(info.has_status && info.has_reason);
		assert_int_equal(info.reason, P2P_REASON_QUITTING);
		assert_memory_equal(info.status.head, chain.head, 32);
		assert_int_equal(info.status.difficulty[31], talks[i].version < 69 ? 2 : 0);
		rlpx_session_clear(&a->session);
		rlpx_session_clear(&b->session);
		free(a);
		free(b);
	}
}

/* --- before there are frames --- */

static const struct {
	const char *name;
	enum session_role role;
	const char *in; /* hex */
	bool close;     /* else the deadline */
	enum rlpx_outcome outcome;
	const char *rule;
} firsts[] = {
	{ "silence", SESSION_INITIATOR, "", false, RLPX_OUTCOME_MUTE, NULL },
	{ "closed at once", SESSION_INITIATOR, "", true, RLPX_OUTCOME_HUNG_UP, NULL },
	{ "half a size", SESSION_INITIATOR, "01", false, RLPX_OUTCOME_TIMEOUT, NULL },
	{ "half a packet", SESSION_INITIATOR, "01800405", true, RLPX_OUTCOME_CLOSED, NULL },
	{ "HTTP", SESSION_INITIATOR, "485454502f312e31", true, RLPX_OUTCOME_PROTOCOL_ERROR,
	  "handshake: a packet of 209 to 2048 bytes" },
	{ "a short packet", SESSION_RESPONDER, "0010", true, RLPX_OUTCOME_PROTOCOL_ERROR,
	  "handshake: a packet of 209 to 2048 bytes" },
	{ "called, and silence", SESSION_RESPONDER, "", false, RLPX_OUTCOME_MUTE, NULL },
};

static void first_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(firsts) / sizeof(*firsts); i++) {
		struct rlpx_session_params params =
			params_of(CRAWLER, firsts[i].role, RLPX_GOAL_LEARN);
		struct rlpx_session *s = calloc(1, sizeof(*s));
		uint8_t in[16];
		const char *rule;
		size_t len;

		assert_non_null(s);
		rlpx_session_init(s, &params, START_MS);
		assert_int_equal(hex_decode(slice_text(firsts[i].in), in, sizeof(in), &len),
				 ERR_OK);
		assert_int_equal(rlpx_session_recv(s, slice_of(in, len), START_MS), 0);
		if (firsts[i].close)
			rlpx_session_closed(s, SESSION_CLOSE_EOF, START_MS);
		else
			rlpx_session_tick(s, START_MS + RLPX_HANDSHAKE_MS);
		expect_done(firsts[i].name, s, firsts[i].outcome);
		outcome_of(s, &rule);
		if ((rule == NULL) != (firsts[i].rule == NULL) ||
		    (rule != NULL && strcmp(rule, firsts[i].rule) != 0))
			fail_msg("%s: %s", firsts[i].name, rule != NULL ? rule : "no rule");
		free(s);
	}
}

static void keys_that_cannot_be_called(void **state)
{
	struct rlpx_session_params params = params_of(CRAWLER, SESSION_INITIATOR, RLPX_GOAL_LEARN);
	struct rlpx_session *s = calloc(1, sizeof(*s));
	uint8_t nothing[SECP_PUBLIC_LEN] = { 0 };

	(void)state;
	assert_non_null(s);
	params.remote = nothing;
	rlpx_session_init(s, &params, START_MS);
	expect_done("no point", s, RLPX_OUTCOME_NO_KEY);
	assert_int_equal(rlpx_session_send(s, nothing, 1), 0);
	params.remote = public_of(CRAWLER);
	rlpx_session_init(s, &params, START_MS);
	expect_done("ourselves", s, RLPX_OUTCOME_SELF);
	free(s);
}

/* Somebody with our own key calls. */
static void called_by_ourselves(void **state)
{
	struct rlpx_session_params params = params_of(NODE, SESSION_RESPONDER, RLPX_GOAL_LEARN);
	struct rlpx_local local = local_of(NODE);
	struct rlpx_session *s = calloc(1, sizeof(*s));
	struct rlpx_handshake h;

	(void)state;
	assert_non_null(s);
	rlpx_session_init(s, &params, START_MS);
	rlpx_handshake_init(&h, SESSION_INITIATOR, &local, public_of(NODE));
	assert_int_equal(rlpx_session_recv(s, rlpx_auth_write(&h), START_MS), 0);
	expect_done("ourselves", s, RLPX_OUTCOME_SELF);
	free(s);
}

/* The node that answers has another key than the one that was called. */
static void another_node_answers(void **state)
{
	struct rlpx_session_params p = params_of(CRAWLER, SESSION_INITIATOR, RLPX_GOAL_LEARN);
	struct rlpx_session_params q = params_of(0x33, SESSION_RESPONDER, RLPX_GOAL_SERVE);
	struct side *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	const char *rule;

	(void)state;
	assert_true(a != NULL && b != NULL);
	rlpx_session_init(&a->session, &p, START_MS);
	rlpx_session_init(&b->session, &q, START_MS);
	talk(a, b, 4096);
	expect_done("the other one", &b->session, RLPX_OUTCOME_PROTOCOL_ERROR);
	outcome_of(&b->session, &rule);
	assert_string_equal(rule, "auth: encrypted for another key, or changed on its way");
	rlpx_session_closed(&a->session, SESSION_CLOSE_EOF, START_MS);
	expect_done("we", &a->session, RLPX_OUTCOME_HUNG_UP);
	free(a);
	free(b);
}

static void names(void **state)
{
	(void)state;
	for (int i = 0; i < RLPX_OUTCOME_COUNT; i++) {
		assert_true(strlen(rlpx_outcome_name((enum rlpx_outcome)i)) > 0);
		assert_true(strlen(rlpx_outcome_text((enum rlpx_outcome)i)) > 0);
	}
	assert_string_equal(rlpx_outcome_name(RLPX_OUTCOME_FULL), "full");
	assert_string_equal(rlpx_state_name(RLPX_STATE_STATUS), "status");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_roles),
		cmocka_unit_test(first_bytes),
		cmocka_unit_test(keys_that_cannot_be_called),
		cmocka_unit_test(called_by_ourselves),
		cmocka_unit_test(another_node_answers),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
