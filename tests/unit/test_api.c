/* The library by its own header alone, without a network: words, networks, explain,
 * configurations, and sessions that talk to each other in memory. */
#include "peerwalk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A verack of main: header alone; the checksum is the start of SHA-256d of nothing, as in
 * every published capture. */
static const uint8_t verack[24] = { 0xf9, 0xbe, 0xb4, 0xd9, 'v',  'e',  'r',  'a',
				    'c',  'k',  0,    0,    0,    0,    0,    0,
				    0,    0,    0,    0,    0x5d, 0xf6, 0xe0, 0xe2 };

/* --- words --- */

static void test_words(void **state)
{
	char text[16];
	const char *a, *b;

	(void)state;
	assert_string_equal(pw_version(), PEERWALK_VERSION);
	for (int i = PW_OK; i <= PW_ERR_NOT_FOUND; i++) {
		a = pw_err_text((enum pw_err)i);
		assert_true(strlen(a) > 5);
		for (int j = PW_OK; j < i; j++)
			assert_string_not_equal(a, pw_err_text((enum pw_err)j));
	}
	assert_string_equal(pw_err_text((enum pw_err)999), "unknown error");
	for (int i = 0; i < PW_OUTCOME_COUNT; i++) {
		a = pw_outcome_name((enum pw_outcome)i);
		b = pw_outcome_text((enum pw_outcome)i);
		assert_int_equal(strspn(a, "abcdefghijklmnopqrstuvwxyz_"), strlen(a));
		assert_true(strlen(b) > strlen("unknown"));
	}
	assert_string_equal(pw_outcome_name(PW_OUTCOME_CONNECT_TIMEOUT), "connect_timeout");
	assert_string_equal(pw_outcome_name(PW_OUTCOME_COUNT), "unknown");

	assert_int_equal(
		pw_escape((struct pw_bytes){ (const uint8_t *)"a\033\\", 3 }, text, sizeof(text)),
		7);
	assert_string_equal(text, "a\\x1b\\\\");
	assert_int_equal(pw_escape((struct pw_bytes){ (const uint8_t *)"abc", 3 }, text, 3), 2);
	assert_string_equal(text, "ab");
	assert_int_equal(pw_escape((struct pw_bytes){ (const uint8_t *)"abc", 3 }, NULL, 0), 0);
}

/* --- networks --- */

static void test_networks(void **state)
{
	const struct pw_network *n;
	size_t count = 0;

	(void)state;
	while ((n = pw_network_at(count)) != NULL) {
		assert_ptr_equal(pw_network_find(pw_network_name(n)), n);
		assert_true(pw_network_port(n) > 0);
		count++;
	}
	assert_true(count >= 5);
	assert_null(pw_network_find("bitcoin-testnet2"));
	n = pw_network_find("bitcoin");
	assert_int_equal(pw_network_port(n), 8333);
	assert_string_equal(pw_service_name(n, 0), "NETWORK");
	assert_null(pw_service_name(n, 63));
	assert_null(pw_service_name(n, 64));
}

static void test_network_new(void **state)
{
	static const struct {
		const char *what, *name;
		uint16_t port;
		enum pw_err err;
	} rows[] = {
		{ "plain", "my-chain2", 7777, PW_OK },
		{ "one letter", "x", 1, PW_OK },
		{ "longest", "abcdefghijklmnopqrstuvwxyz012345", 1, PW_OK },
		{ "too long", "abcdefghijklmnopqrstuvwxyz0123456", 1, PW_ERR_VALUE },
		{ "empty", "", 1, PW_ERR_VALUE },
		{ "capitals", "MyChain", 1, PW_ERR_VALUE },
		{ "on the list", "bitcoin-signet", 1, PW_ERR_VALUE },
		{ "no port", "my-chain", 0, PW_ERR_VALUE },
	};
	static const uint8_t magic[4] = { 1, 2, 3, 4 };
	struct pw_network *n;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum pw_err err = pw_network_new(rows[i].name, magic, rows[i].port, &n);

		if (err != rows[i].err)
			fail_msg("%s: %s", rows[i].what, pw_err_text(err));
		if (err != PW_OK) {
			assert_null(n);
			continue;
		}
		assert_string_equal(pw_network_name(n), rows[i].name);
		assert_int_equal(pw_network_port(n), rows[i].port);
		pw_network_free(n);
	}
	pw_network_free(NULL);
}

/* --- explain --- */

struct seen {
	unsigned fields;
	char text[512];
};

static void note_field(void *ctx, const struct pw_field *field)
{
	struct seen *seen = ctx;
	size_t len = strlen(seen->text);

	seen->fields++;
	snprintf(seen->text + len, sizeof(seen->text) - len, "%zu+%zu %s %d %s|", field->at,
		 field->len, field->name, (int)field->kind, field->text);
}

static void test_explain(void **state)
{
	struct seen seen = { 0 };
	struct pw_fault fault = { 99, NULL };
	uint8_t broken[sizeof(verack)];
	const struct pw_network *bitcoin = pw_network_find("bitcoin");

	(void)state;
	assert_int_equal(pw_explain(bitcoin, verack, sizeof(verack), note_field, &seen, &fault),
			 PW_OK);
	assert_int_equal(fault.at, 99);
	assert_non_null(strstr(seen.text, "0+4 magic"));
	assert_non_null(strstr(seen.text, "4+12 command"));
	assert_non_null(strstr(seen.text, "verack"));

	memcpy(broken, verack, sizeof(verack));
	broken[20] ^= 1;
	seen = (struct seen){ 0 };
	assert_int_equal(pw_explain(bitcoin, broken, sizeof(broken), note_field, &seen, &fault),
			 PW_ERR_CHECKSUM);
	assert_int_equal(fault.at, 20);
	assert_non_null(strstr(fault.rule, "checksum"));

	seen = (struct seen){ 0 };
	assert_int_equal(pw_explain(bitcoin, verack, 23, note_field, &seen, NULL), PW_ERR_SHORT);
	assert_int_equal(pw_explain(pw_network_find("bitcoin-signet"), verack, sizeof(verack),
				    note_field, &seen, &fault),
			 PW_ERR_MAGIC);
	assert_int_equal(fault.at, 0);
}

static void test_explain_own_chain(void **state)
{
	static const uint8_t magic[4] = { 1, 2, 3, 4 };
	uint8_t message[sizeof(verack)];
	struct seen seen = { 0 };
	struct pw_network *n;

	(void)state;
	assert_int_equal(pw_network_new("my-chain", magic, 7777, &n), PW_OK);
	memcpy(message, verack, sizeof(verack));
	memcpy(message, magic, sizeof(magic));
	assert_int_equal(pw_explain(n, message, sizeof(message), note_field, &seen, NULL), PW_OK);
	assert_int_equal(pw_explain(n, verack, sizeof(verack), note_field, &seen, NULL),
			 PW_ERR_MAGIC);
	pw_network_free(n);
}

/* --- configurations --- */

/* What a program that was built with a later header would pass. */
struct later_config {
	struct pw_session_config known;
	uint64_t unknown;
};

static void test_config_size(void **state)
{
	struct later_config later = { .known = { .size = sizeof(later) } };
	struct pw_session *s;

	(void)state;
	later.known.network = pw_network_find("bitcoin");
	assert_int_equal(pw_session_new(&later.known, 1, &s), PW_OK);
	pw_session_free(s);
	later.unknown = 1; /* asks for what this version can't do */
	assert_int_equal(pw_session_new(&later.known, 1, &s), PW_ERR_VALUE);
	assert_null(s);
	later.known.size = 0;
	assert_int_equal(pw_session_new(&later.known, 1, &s), PW_ERR_VALUE);
	assert_int_equal(pw_session_new(NULL, 1, &s), PW_ERR_VALUE);
	/* An earlier one: no agent and no peer. */
	later.known.size = offsetof(struct pw_session_config, agent);
	later.known.agent = "";
	assert_int_equal(pw_session_new(&later.known, 1, &s), PW_OK);
	pw_session_free(s);
	pw_session_free(NULL);
}

static void test_session_config(void **state)
{
	static char long_agent[258];
	struct {
		const char *what;
		struct pw_session_config config;
		uint64_t now_ms;
		enum pw_err err;
	} rows[] = {
		{ "plain", { .agent = "/x:1/", .peer = "[2001:db8::1]:8333" }, 1, PW_OK },
		{ "longest agent", { .agent = long_agent + 1 }, 1, PW_OK },
		{ "agent too long", { .agent = long_agent }, 1, PW_ERR_VALUE },
		{ "empty agent", { .agent = "" }, 1, PW_ERR_VALUE },
		{ "agent with a line end", { .agent = "/x\n/" }, 1, PW_ERR_VALUE },
		{ "no time", { .agent = NULL }, 0, PW_ERR_VALUE },
		{ "role", { .role = (enum pw_role)7 }, 1, PW_ERR_VALUE },
		{ "goal", { .goal = (enum pw_goal)7 }, 1, PW_ERR_VALUE },
		{ "peer is a name", { .peer = "example.org:8333" }, 1, PW_ERR_SYNTAX },
	};
	struct pw_session *s;

	(void)state;
	memset(long_agent, 'x', sizeof(long_agent) - 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pw_session_config c = rows[i].config;
		enum pw_err err;

		c.size = sizeof(c);
		c.network = pw_network_find("bitcoin");
		err = pw_session_new(&c, rows[i].now_ms, &s);
		if (err != rows[i].err)
			fail_msg("%s: %s", rows[i].what, pw_err_text(err));
		assert_true((s != NULL) == (err == PW_OK));
		pw_session_free(s);
	}
}

/* --- two sessions --- */

struct end {
	struct pw_session *session;
	const char *agent; /* of the other one, as told at the handshake */
	char said[128];    /* events, a letter each */
	unsigned named;
	char first[64]; /* the first that was named */
	enum pw_outcome outcome;
	uint64_t rtt_ms;
	bool over;
};

static struct pw_session *new_session(enum pw_role role, enum pw_goal goal, uint32_t pings)
{
	struct pw_session_config config = { .size = sizeof(config) };
	struct pw_session *s;

	config.network = pw_network_find("bitcoin-regtest");
	config.role = role;
	config.goal = goal;
	config.unix_s = 1800000000;
	config.ping_count = pings;
	config.services = role == PW_RESPONDER ? 9 : 0;
	config.height = 123;
	config.agent = role == PW_RESPONDER ? "/answers:1/" : "/asks:1/";
	config.peer = role == PW_RESPONDER ? "192.0.2.1:5000" : NULL;
	config.timeout_ms = 60000;
	assert_int_equal(pw_session_new(&config, 1000, &s), PW_OK);
	return s;
}

static void answer(struct pw_session *s)
{
	static const char *const hosts[] = {
		"192.0.2.7", "2001:db8::7",
		"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
	};
	struct pw_advert adverts[40];

	for (size_t i = 0; i < 40; i++)
		adverts[i] = (struct pw_advert){ .host = hosts[i % 3],
						 .port = (uint16_t)(8000 + i),
						 .services = 9,
						 .last_seen_s = 1799990000 };
	assert_int_equal(pw_session_answer(s, adverts, 0), PW_ERR_VALUE);
	assert_int_equal(pw_session_answer(s, adverts, 1001), PW_ERR_VALUE);
	adverts[39].host = "example.org";
	assert_int_equal(pw_session_answer(s, adverts, 40), PW_ERR_SYNTAX);
	assert_int_equal(pw_session_answer(s, adverts, 39), PW_OK);
	/* The first has not been sent yet. */
	assert_int_equal(pw_session_answer(s, adverts, 39), PW_ERR_FULL);
}

static void handle(struct end *end)
{
	const struct pw_event *e;
	const struct pw_advert *a;
	size_t len;

	while ((e = pw_session_next(end->session)) != NULL) {
		len = strlen(end->said);
		assert_true(len < sizeof(end->said) - 1);
		end->said[len] = "HAQMPD"[e->kind];
		switch (e->kind) {
		case PW_EVENT_HANDSHAKE:
			assert_true(pw_session_info(end->session)->has_version);
			assert_string_equal(pw_session_info(end->session)->agent, end->agent);
			break;
		case PW_EVENT_ADVERTS:
			while ((a = pw_session_advert(end->session)) != NULL) {
				if (end->named++ == 0)
					snprintf(end->first, sizeof(end->first), "%s %u %d",
						 a->host, a->port, (int)a->services);
			}
			assert_null(pw_session_advert(end->session));
			break;
		case PW_EVENT_ASKED:
			answer(end->session);
			break;
		case PW_EVENT_MESSAGE:
			assert_true(e->whole.len == e->payload.len + 24);
			assert_true(strlen(e->name) > 0);
			break;
		case PW_EVENT_PONG:
			end->rtt_ms = e->rtt_ms;
			break;
		case PW_EVENT_DONE:
			assert_false(end->over);
			end->over = true;
			end->outcome = e->outcome;
			break;
		}
	}
}

/* Hands over what one has to say, in pieces of so many bytes; false if it was nothing. */
static bool carry(struct end *from, struct end *to, size_t piece, uint64_t now_ms)
{
	uint8_t bytes[4096];
	bool any = false;
	size_t n;

	handle(from);
	while ((n = pw_session_send(from->session, bytes, piece)) > 0) {
		any = true;
		assert_int_equal(pw_session_recv(to->session, bytes, n, now_ms), PW_OK);
		handle(to);
	}
	return any;
}

/* Both talk until the first is done; each round takes 10 ms. */
static void talk(struct end *a, struct end *b, size_t piece)
{
	uint64_t now_ms = 1000;
	bool any;

	while (!a->over) {
		any = carry(a, b, piece, now_ms);
		now_ms += 10;
		any = carry(b, a, piece, now_ms) || any;
		if (any || a->over)
			continue;
		assert_true(pw_session_deadline(a->session) < UINT64_MAX);
		if (now_ms < pw_session_deadline(a->session))
			now_ms = pw_session_deadline(a->session);
		pw_session_tick(a->session, now_ms);
		handle(a);
	}
	pw_session_closed(b->session, false, now_ms);
	handle(b);
	assert_true(b->over);
	assert_int_equal(pw_session_recv(a->session, "late", 4, now_ms), PW_OK);
	assert_null(pw_session_next(a->session));
}

static void test_sessions_peers(void **state)
{
	static const size_t pieces[] = { 1, 7, 4096 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct end a = { .session = new_session(PW_INITIATOR, PW_GOAL_PEERS, 0),
				 .agent = "/answers:1/" };
		struct end b = { .session = new_session(PW_RESPONDER, PW_GOAL_PEERS, 0),
				 .agent = "/asks:1/" };

		talk(&a, &b, pieces[i]);
		assert_int_equal(a.outcome, PW_OUTCOME_OK);
		assert_int_equal(a.named, 39);
		assert_string_equal(a.first, "192.0.2.7 8000 9");
		assert_non_null(strchr(b.said, 'Q'));
		assert_int_equal(pw_session_info(a.session)->height, 123);
		assert_int_equal(pw_session_info(a.session)->services, 9);
		assert_int_equal(pw_session_info(a.session)->raw_agent.len, 11);
		assert_non_null(strstr(pw_session_info(a.session)->negotiation, "verack"));
		assert_string_equal(pw_session_info(a.session)->sees_us_as, "192.0.2.1:5000");
		assert_string_equal(pw_session_info(b.session)->sees_us_as, "");
		assert_int_equal(pw_session_deadline(a.session), UINT64_MAX);
		pw_session_free(a.session);
		pw_session_free(b.session);
	}
}

static void test_sessions_ping(void **state)
{
	struct end a = { .session = new_session(PW_INITIATOR, PW_GOAL_PING, 3),
			 .agent = "/answers:1/" };
	struct end b = { .session = new_session(PW_RESPONDER, PW_GOAL_PEERS, 0),
			 .agent = "/asks:1/" };
	unsigned pongs = 0;

	(void)state;
	talk(&a, &b, 4096);
	for (const char *p = a.said; *p != 0; p++)
		pongs += *p == 'P';
	assert_int_equal(pongs, 3);
	assert_int_equal(a.rtt_ms, 10);
	assert_int_equal(a.outcome, PW_OUTCOME_OK);
	pw_session_free(a.session);
	pw_session_free(b.session);
}

static void test_session_ends(void **state)
{
	struct end mute = { .session = new_session(PW_INITIATOR, PW_GOAL_PEERS, 0) };
	struct end full = { .session = new_session(PW_INITIATOR, PW_GOAL_PEERS, 0) };
	struct end other = { .session = new_session(PW_INITIATOR, PW_GOAL_PEERS, 0) };

	(void)state;
	pw_session_tick(mute.session, pw_session_deadline(mute.session) - 1);
	handle(&mute);
	assert_false(mute.over);
	pw_session_tick(mute.session, pw_session_deadline(mute.session));
	handle(&mute);
	assert_int_equal(mute.outcome, PW_OUTCOME_MUTE);

	pw_session_closed(full.session, false, 1010);
	handle(&full);
	assert_int_equal(full.outcome, PW_OUTCOME_PEER_FULL);

	/* The magic is main's, the session regtest's. */
	assert_int_equal(pw_session_recv(other.session, verack, sizeof(verack), 1010), PW_OK);
	handle(&other);
	assert_int_equal(other.outcome, PW_OUTCOME_WRONG_NETWORK);
	pw_session_free(mute.session);
	pw_session_free(full.session);
	pw_session_free(other.session);
}

/* Whoever never asks for events is stopped before memory is. */
static void test_session_recv_bounds(void **state)
{
	struct pw_session *s = new_session(PW_INITIATOR, PW_GOAL_LISTEN, 0);
	size_t cap = 1 << 20, taken = 0;
	uint8_t *bytes = calloc(1, cap + 1);
	enum pw_err err;

	(void)state;
	assert_non_null(bytes);
	assert_int_equal(pw_session_recv(s, bytes, cap + 1, 1001), PW_ERR_FULL);
	while ((err = pw_session_recv(s, bytes, cap, 1001)) == PW_OK)
		taken += cap;
	assert_int_equal(err, PW_ERR_FULL);
	assert_true(taken >= 4000000 && taken <= 8 * cap);
	free(bytes);
	pw_session_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_network_new),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_explain_own_chain),
		cmocka_unit_test(test_config_size),
		cmocka_unit_test(test_session_config),
		cmocka_unit_test(test_sessions_peers),
		cmocka_unit_test(test_sessions_ping),
		cmocka_unit_test(test_session_ends),
		cmocka_unit_test(test_session_recv_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
