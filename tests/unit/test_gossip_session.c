/* test_gossip_session.c: sessions of a gossip network, as scripts: what one side hears and
 * says, and when. */
#include "proto/gossip/session.h"

#include "base/uuid.h"
#include "proto/gossip/messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID         "a46de8d6-177e-4644-a711-63d182fdbade"
#define HELLO      "{\"nodeid\": \"" ID "\", \"msgtype\": \"hello\"}\n" /* the tutorial's */
#define PING       "{\"msgtype\": \"ping\"}\n"
#define PONG       "{\"msgtype\": \"pong\"}\n"
#define GETADDR    "{\"msgtype\": \"getaddr\"}\n"
#define ADDR(list) "{\"msgtype\": \"addr\", \"peers\": [" list "]}\n"
#define TWO        "[\"1.2.3.4:5\", \"" ID "\"], [\"6.7.8.9:10\", \"" ID "\"]"
#define OWN_TEXT   "01010101-0101-0101-0101-010101010101"
#define OWN_HELLO  "{\"msgtype\":\"hello\",\"nodeid\":\"" OWN_TEXT "\",\"agent\":\"test/1\"}\n"

enum { START = 1000 };

static uint8_t own_id[UUID_LEN];

/* One session, with what came out of it. */
struct side {
	_Alignas(16) uint8_t memory[SESSION_SIZE_MAX];
	char in[1 << 17]; /* what it has not taken yet */
	size_t in_len;
	uint64_t now;
	char out[1 << 14]; /* what it has said since the last look */
	char log[4096];    /* its events since the last look */
	bool done;
	enum outcome outcome;
	const char *rule;
};

static struct session_params params_of(enum session_role role, enum session_goal goal)
{
	struct session_params p = {
		.network = network_find("gossip"),
		.role = role,
		.goal = goal,
		.nonce = 12345,
		.agent = slice_text("test/1"),
		.peer = netaddr_ipv4(0x05060708, 5999),
		.own_id = slice_of(own_id, sizeof(own_id)),
		.ping_count = 2,
		.ping_interval_ms = 1000,
	};

	memset(own_id, 1, sizeof(own_id));
	assert_ptr_equal(p.network->proto, &gossip_proto);
	return p;
}

static void note(struct side *s, const char *what)
{
	assert_true(strlen(s->log) + strlen(what) + 2 < sizeof(s->log));
	strcat(s->log, s->log[0] != '\0' ? " " : "");
	strcat(s->log, what);
}

static void note_adverts(struct side *s, struct session_event *e)
{
	char text[NETADDR_TEXT_MAX];
	struct advert advert;

	snprintf(text, sizeof(text), "adverts:%u", e->count);
	note(s, text);
	while (e->count <= 10 && gossip_proto.adverts(e, &advert, 1) == 1) {
		netaddr_text(&advert.addr, text);
		note(s, text);
		assert_int_equal(advert.node_id.len, 0);
	}
}

static void drain(struct side *s)
{
	struct session_event e;
	char text[64];
	size_t len = strlen(s->out), n;

	while (gossip_proto.next(s->memory, &e)) {
		assert_false(s->done);
		switch (e.kind) {
		case SESSION_EVENT_HANDSHAKE:
			note(s, "handshake");
			break;
		case SESSION_EVENT_ADVERTS:
			note_adverts(s, &e);
			break;
		case SESSION_EVENT_ASKED:
			note(s, "asked");
			break;
		case SESSION_EVENT_MESSAGE:
			note(s, e.name);
			assert_int_equal(e.whole.data[e.whole.len - 1], '\n');
			assert_int_equal(e.payload.data[e.payload.len - 1], '}');
			assert_ptr_equal(e.payload.data, e.whole.data);
			break;
		case SESSION_EVENT_PONG:
			snprintf(text, sizeof(text), "pong:%u", (unsigned)e.rtt_ms);
			note(s, text);
			break;
		case SESSION_EVENT_DONE:
			s->done = true;
			s->outcome = e.outcome;
			s->rule = e.rule;
			assert_false(e.retry_stepwise);
			break;
		}
	}
	while ((n = gossip_proto.send(s->memory, (uint8_t *)s->out + len,
				      sizeof(s->out) - 1 - len)) > 0)
		len += n;
	s->out[len] = '\0';
}

static struct side *begin(const struct session_params *params)
{
	struct side *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_true(gossip_proto.session_size <= sizeof(s->memory));
	s->now = START;
	gossip_proto.init(s->memory, params, START);
	drain(s);
	return s;
}

static struct side *begin_as(enum session_role role, enum session_goal goal)
{
	struct session_params params = params_of(role, goal);

	return begin(&params);
}

static void hear_bytes(struct side *s, const char *data, size_t len, size_t piece)
{
	size_t used;

	while (len > 0) {
		size_t n = len < piece ? len : piece;

		assert_true(s->in_len + n <= sizeof(s->in));
		memcpy(s->in + s->in_len, data, n);
		s->in_len += n;
		data += n;
		len -= n;
		if (s->in_len < gossip_proto.need(s->memory))
			continue;
		do {
			used = gossip_proto.recv(s->memory, slice_of(s->in, s->in_len), s->now);
			drain(s);
			memmove(s->in, s->in + used, s->in_len - used);
			s->in_len -= used;
		} while (used > 0);
	}
}

static void hear(struct side *s, const char *text)
{
	hear_bytes(s, text, strlen(text), strlen(text));
}

static void tick(struct side *s, uint64_t after_ms)
{
	s->now = START + after_ms;
	gossip_proto.tick(s->memory, s->now);
	drain(s);
}

/* What was said, and the events, since the last time. */
static void expect_said(struct side *s, const char *want)
{
	assert_string_equal(s->out, want);
	s->out[0] = '\0';
}

static void expect_told(struct side *s, const char *want)
{
	assert_string_equal(s->log, want);
	s->log[0] = '\0';
}

static void expect_done(struct side *s, enum outcome outcome, const char *rule)
{
	assert_true(s->done);
	assert_string_equal(outcome_name(s->outcome), outcome_name(outcome));
	if (rule == NULL)
		assert_null(s->rule);
	else
		assert_string_equal(s->rule, rule);
	assert_int_equal(gossip_proto.deadline(s->memory), UINT64_MAX);
	free(s);
}

/* The nonce of the ping that was said last. */
static void answer_ping(struct side *s)
{
	const char *ping = strstr(s->out, "{\"msgtype\":\"ping\"");
	char pong[128];

	assert_non_null(ping);
	snprintf(pong, sizeof(pong), "{\"msgtype\":\"pong\"%s",
		 ping + strlen("{\"msgtype\":\"ping\""));
	*(strchr(pong, '\n') + 1) = '\0';
	s->out[0] = '\0';
	hear(s, pong);
}

/* --- hello --- */

static void test_hello(void **state)
{
	struct session_params params = params_of(SESSION_INITIATOR, SESSION_GOAL_LISTEN);
	struct peer_info info;
	struct side *s;

	(void)state;
	params.listen_port = 6000;
	params.group = slice_text("chat");
	s = begin(&params);
	expect_said(s, "{\"msgtype\":\"hello\",\"nodeid\":\"" OWN_TEXT
		       "\",\"port\":6000,\"agent\":\"test/1\",\"network\":\"chat\"}\n");
	gossip_proto.info(s->memory, &info);
	assert_int_equal(info.node_id.len, 0);
	hear(s, "{\"msgtype\":\"hello\",\"nodeid\":\"" ID "\",\"port\":7,\"agent\":\"other\","
		"\"network\":\"chat\"}\r\n");
	expect_said(s, "{\"msgtype\":\"getaddr\"}\n");
	expect_told(s, "handshake hello");
	gossip_proto.info(s->memory, &info);
	assert_int_equal(info.node_id.len, UUID_LEN);
	assert_int_equal(info.node_id.data[0], 0xa4);
	assert_int_equal(info.listen_port, 7);
	assert_int_equal(info.height, -1);
	assert_false(info.has_version);
	assert_true(slice_equal(info.agent, slice_text("other")));
	assert_true(slice_equal(info.group, slice_text("chat")));
	/* Said again, it changes nothing. */
	hear(s, "{\"msgtype\":\"hello\",\"nodeid\":\"" OWN_TEXT "\"}\n");
	expect_said(s, "");
	assert_false(s->done);
	free(s);
}

/* The longest hello that there is, through the smallest of holes. */
static void test_longest_hello(void **state)
{
	struct session_params params = params_of(SESSION_INITIATOR, SESSION_GOAL_STAY);
	_Alignas(16) static uint8_t memory[SESSION_SIZE_MAX];
	static uint8_t agent[PEER_AGENT_MAX], group[GOSSIP_GROUP_MAX], out[4096];
	struct gossip_message m;
	const char *rule;

	(void)state;
	memset(agent, 1, sizeof(agent));
	memset(group, 2, sizeof(group));
	params.agent = slice_of(agent, sizeof(agent));
	params.group = slice_of(group, sizeof(group));
	params.listen_port = 65535;
	for (size_t piece = 1; piece <= 4096; piece *= 4) {
		size_t len = 0, n;

		gossip_proto.init(memory, &params, START);
		while ((n = gossip_proto.send(memory, out + len, piece)) > 0)
			len += n;
		assert_int_equal(out[len - 1], '\n');
		assert_int_equal(gossip_decode(slice_of(out, len - 1), &m, &rule), ERR_OK);
		assert_memory_equal(m.hello.agent, agent, sizeof(agent));
		assert_memory_equal(m.hello.group, group, sizeof(group));
		assert_int_equal(m.hello.port, 65535);
	}
}

static void test_listener(void **state)
{
	struct side *s = begin_as(SESSION_RESPONDER, SESSION_GOAL_PEERS);
	struct advert advert = { .addr = netaddr_ipv4(0x01020304, 5) };
	uint8_t out[256];
	size_t n;

	(void)state;
	expect_said(s, "");
	hear(s, HELLO PING GETADDR);
	expect_said(s, OWN_HELLO "{\"msgtype\":\"pong\"}\n");
	expect_told(s, "handshake asked");
	n = gossip_proto.answer(s->memory, &advert, 1, out, sizeof(out));
	assert_true(slice_equal(slice_of(out, n),
				slice_text("{\"msgtype\":\"addr\",\"peers\":[\"1.2.3.4:5\"]}\n")));
	assert_int_equal(gossip_proto.answer(s->memory, &advert, 1, out, n - 1), 0);
	free(s);
}

/* Whoever meets himself or another group is told so by the answer: both sides learn it. */
static void test_self_and_group(void **state)
{
	static const struct {
		const char *name, *group, *hello;
		bool done;
		enum outcome outcome;
	} rows[] = {
		{ "self", "", "{\"msgtype\":\"hello\",\"nodeid\":\"" OWN_TEXT "\"}\n", true,
		  OUTCOME_SELF },
		{ "another group", "a",
		  "{\"msgtype\":\"hello\",\"nodeid\":\"" ID "\",\"network\":\"b\"}\n", true,
		  OUTCOME_WRONG_NETWORK },
		{ "the same group", "b",
		  "{\"msgtype\":\"hello\",\"nodeid\":\"" ID "\",\"network\":\"b\"}\n", false, 0 },
		{ "any group is wanted", "",
		  "{\"msgtype\":\"hello\",\"nodeid\":\"" ID "\",\"network\":\"b\"}\n", false, 0 },
		{ "the tutorial's peers say none", "a", HELLO, false, 0 },
		{ "a group of the empty name is none", "a",
		  "{\"msgtype\":\"hello\",\"nodeid\":\"" ID "\",\"network\":\"\"}\n", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (unsigned role = 0; role < 2; role++) {
			struct session_params params =
				params_of(role == 0 ? SESSION_INITIATOR : SESSION_RESPONDER,
					  SESSION_GOAL_STAY);
			struct side *s;

			params.group = slice_text(rows[i].group);
			s = begin(&params);
			hear(s, rows[i].hello);
			assert_non_null(strstr(s->out, "\"hello\""));
			if (s->done != rows[i].done)
				fail_msg("%s", rows[i].name);
			if (s->done)
				expect_done(s, rows[i].outcome, NULL);
			else
				free(s);
		}
	}
}

/* Who has no id of his own gets one of his nonce, and knows it again. */
static void test_no_own_id(void **state)
{
	struct session_params params = params_of(SESSION_INITIATOR, SESSION_GOAL_PEERS);
	struct side *s;
	char hello[256];

	(void)state;
	params.own_id = slice_of(NULL, 0);
	s = begin(&params);
	strcpy(hello, s->out);
	hear(s, hello);
	expect_done(s, OUTCOME_SELF, NULL);
}

/* --- the crawl --- */

static struct side *crawl(void)
{
	struct side *s = begin_as(SESSION_INITIATOR, SESSION_GOAL_PEERS);

	expect_said(s, OWN_HELLO);
	s->now = START + 100; /* one round trip */
	hear(s, HELLO);
	assert_ptr_equal(
		strstr(s->out, "{\"msgtype\":\"getaddr\"}\n{\"msgtype\":\"ping\",\"nonce\":"),
		s->out);
	expect_told(s, "handshake");
	return s;
}

static void test_crawl(void **state)
{
	struct session_times times;
	struct side *s = crawl();

	(void)state;
	/* The tutorial's peer pings, announces itself and asks. */
	s->now = START + 150;
	hear(s, PING ADDR("\"5.6.7.8:5999\"") GETADDR);
	expect_told(s, "adverts:1 5.6.7.8:5999");
	assert_non_null(strstr(s->out, "{\"msgtype\":\"addr\",\"peers\":[]}\n"));
	s->now = START + 200;
	hear(s, ADDR(TWO ", \"some.name:1\""));
	expect_told(s, "adverts:3 1.2.3.4:5 6.7.8.9:10");
	assert_int_equal(gossip_proto.deadline(s->memory), START + 200 + GOSSIP_QUIET_SHORT_MS);
	answer_ping(s);
	expect_told(s, "pong:100");
	/* One round trip after the pong. */
	assert_int_equal(gossip_proto.deadline(s->memory), START + 300);
	gossip_proto.times(s->memory, &times);
	assert_int_equal(times.version_ms, 100);
	assert_int_equal(times.handshake_ms, 100);
	assert_int_equal(times.asked_ms, 100);
	assert_int_equal(times.reply_ms, 200);
	tick(s, 300);
	expect_done(s, OUTCOME_OK, NULL);
}

/* Each with the time when the visit ends, and what it came to. */
static const struct {
	const char *name, *lines;
	bool pong; /* behind the lines */
	unsigned ends_ms;
	enum outcome outcome;
} answers[] = {
	{ "an answer, and the pong", ADDR(TWO), true, 300, OUTCOME_OK },
	{ "an answer, never a pong", ADDR(TWO), false, 200 + GOSSIP_QUIET_SHORT_MS, OUTCOME_OK },
	{ "an empty answer", ADDR(""), true, 300, OUTCOME_NO_PEERS },
	{ "an empty answer, never a pong", ADDR(""), false, 200 + GOSSIP_QUIET_SHORT_MS,
	  OUTCOME_NO_PEERS },
	{ "nothing", "", true, 100 + GOSSIP_REPLY_MS, OUTCOME_NO_PEERS },
	{ "its announcement alone, as we dialled it", ADDR("\"5.6.7.8:5999\""), true,
	  100 + GOSSIP_REPLY_MS, OUTCOME_NO_PEERS },
	{ "its announcement alone, by its id", ADDR("[\"192.168.0.1:5999\", \"" ID "\"]"), true,
	  100 + GOSSIP_REPLY_MS, OUTCOME_NO_PEERS },
	{ "its announcement, and the empty answer", ADDR("\"5.6.7.8:5999\"") ADDR(""), true, 300,
	  OUTCOME_NO_PEERS },
	{ "its announcement, and an answer", ADDR("\"5.6.7.8:5999\"") ADDR(TWO), true, 300,
	  OUTCOME_OK },
	{ "an answer of one other", ADDR("[\"1.2.3.4:5\", \"" OWN_TEXT "\"]"), true, 300,
	  OUTCOME_OK },
	{ "another at the same host", ADDR("\"5.6.7.8:6000\""), true, 300, OUTCOME_OK },
	{ "an answer of a name alone", ADDR("\"some.name:80\""), true, 100 + GOSSIP_REPLY_MS,
	  OUTCOME_NO_PEERS },
};

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		struct side *s = crawl();

		s->now = START + 200;
		if (answers[i].lines[0] != '\0')
			hear(s, answers[i].lines);
		if (answers[i].pong)
			answer_ping(s);
		if (gossip_proto.deadline(s->memory) != START + answers[i].ends_ms)
			fail_msg("%s: ends %d", answers[i].name,
				 (int)(gossip_proto.deadline(s->memory) - START));
		tick(s, answers[i].ends_ms - 1);
		assert_false(s->done);
		tick(s, answers[i].ends_ms);
		if (!s->done || s->outcome != answers[i].outcome)
			fail_msg("%s: %s", answers[i].name, outcome_name(s->outcome));
		free(s);
	}
}

/* The answer behind the pong: some make it on a thread of their own. */
static void test_late_answer(void **state)
{
	struct side *s = crawl();

	(void)state;
	s->now = START + 200;
	answer_ping(s);
	s->now = START + 5000;
	hear(s, ADDR(TWO));
	assert_int_equal(gossip_proto.deadline(s->memory), START + 5100);
	tick(s, 5100);
	expect_done(s, OUTCOME_OK, NULL);
}

static void test_too_many(void **state)
{
	static char line[GOSSIP_LINE_MAX];
	struct side *s = crawl();
	size_t len;

	(void)state;
	strcpy(line, "{\"msgtype\":\"addr\",\"peers\":[\"1.2.3.4:5\"");
	for (unsigned i = 1; i < GOSSIP_PEERS_MAX; i++)
		strcat(line, ",\"1.2.3.4:5\"");
	len = strlen(line);
	strcat(line, "]}\n");
	for (unsigned i = 0; i < GOSSIP_NAMED_MAX / GOSSIP_PEERS_MAX; i++)
		hear(s, line);
	assert_false(s->done);
	hear(s, line);
	expect_done(s, OUTCOME_TOO_BIG, "addr: more than 5,000 addresses in one visit");
	s = crawl();
	strcpy(line + len, ",\"1.2.3.4:5\"]}\n");
	hear(s, line);
	expect_done(s, OUTCOME_TOO_BIG, "addr: more than 1,000 addresses");
}

/* --- what ends a session --- */

static const struct {
	const char *name, *lines;
	enum outcome outcome;
	const char *rule;
} faults[] = {
	{ "no JSON", "GET / HTTP/1.1\r\n", OUTCOME_PROTOCOL_ERROR, "a line is one JSON object" },
	{ "ping before hello", PING, OUTCOME_PROTOCOL_ERROR, "the first message is hello" },
	{ "an unknown message before hello", "{\"msgtype\":\"x\"}\n", OUTCOME_PROTOCOL_ERROR,
	  "the first message is hello" },
	{ "hello without nodeid", "{\"msgtype\":\"hello\"}\n", OUTCOME_PROTOCOL_ERROR,
	  "hello: nodeid is a UUID" },
	{ "an empty line", HELLO "\n", OUTCOME_PROTOCOL_ERROR, "a line is one JSON object" },
	{ "addr without peers", HELLO "{\"msgtype\":\"addr\"}\n", OUTCOME_PROTOCOL_ERROR,
	  "addr: peers is a list" },
	{ "deep", HELLO "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n", OUTCOME_TOO_BIG,
	  "a message nested more than 32 deep" },
};

static void test_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		for (unsigned role = 0; role < 2; role++) {
			struct side *s = begin_as(role == 0 ? SESSION_INITIATOR : SESSION_RESPONDER,
						  SESSION_GOAL_STAY);

			hear_bytes(s, faults[i].lines, strlen(faults[i].lines), 1);
			if (!s->done || s->outcome != faults[i].outcome ||
			    strcmp(s->rule, faults[i].rule) != 0)
				fail_msg("%s: %s", faults[i].name, s->rule);
			free(s);
		}
	}
}

/* A line of 64 KiB with any end is heard, one byte more is not waited for. */
static void test_line_length(void **state)
{
	static char line[GOSSIP_LINE_MAX + 2];

	(void)state;
	for (unsigned more = 0; more < 3; more++) {
		const char *end = more == 0 ? "\"}\n" : more == 1 ? "\"}\r\n" : "\"}  \n";
		size_t len = GOSSIP_MESSAGE_MAX + strlen(end) - 2;
		struct side *s = begin_as(SESSION_RESPONDER, SESSION_GOAL_STAY);

		hear(s, HELLO);
		s->log[0] = '\0';
		memset(line, 'a', len);
		memcpy(line, "{\"msgtype\":\"x\",\"a\":\"", 20);
		memcpy(line + len - strlen(end), end, strlen(end));
		hear_bytes(s, line, len, more == 0 ? len : 1000);
		if (more < 2) {
			expect_told(s, "x");
			free(s);
		} else {
			expect_done(s, OUTCOME_TOO_BIG, "a message over 64 KiB");
		}
	}
}

static const struct {
	const char *name, *lines;
	enum session_close how;
	enum outcome outcome;
	const char *rule;
} closings[] = {
	{ "at once", "", SESSION_CLOSE_EOF, OUTCOME_PEER_FULL, NULL },
	{ "at once, by a reset", "", SESSION_CLOSE_RESET, OUTCOME_PEER_FULL, NULL },
	{ "in its hello", "{\"msg", SESSION_CLOSE_EOF, OUTCOME_PROTOCOL_ERROR,
	  "closed in the middle of a message" },
	{ "after hello", HELLO, SESSION_CLOSE_EOF, OUTCOME_NO_PEERS, NULL },
	{ "after hello, by a reset", HELLO, SESSION_CLOSE_RESET, OUTCOME_RESET, NULL },
	{ "in its answer", HELLO "{\"msgtype\":\"addr\"", SESSION_CLOSE_EOF, OUTCOME_PROTOCOL_ERROR,
	  "closed in the middle of a message" },
	{ "after its answer", HELLO ADDR(TWO), SESSION_CLOSE_RESET, OUTCOME_OK, NULL },
	{ "after an empty answer", HELLO ADDR(""), SESSION_CLOSE_EOF, OUTCOME_NO_PEERS, NULL },
};

static void test_closed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(closings) / sizeof(*closings); i++) {
		struct side *s = begin_as(SESSION_INITIATOR, SESSION_GOAL_PEERS);

		if (closings[i].lines[0] != '\0')
			hear(s, closings[i].lines);
		gossip_proto.closed(s->memory, closings[i].how, s->now);
		drain(s);
		if (!s->done || s->outcome != closings[i].outcome)
			fail_msg("%s: %s", closings[i].name, outcome_name(s->outcome));
		gossip_proto.closed(s->memory, closings[i].how, s->now);
		expect_done(s, closings[i].outcome, closings[i].rule);
	}
}

static void test_silence(void **state)
{
	struct side *s = begin_as(SESSION_INITIATOR, SESSION_GOAL_STAY);

	(void)state;
	tick(s, GOSSIP_HANDSHAKE_MS - 1);
	assert_false(s->done);
	tick(s, GOSSIP_HANDSHAKE_MS);
	expect_done(s, OUTCOME_MUTE, NULL);
	s = begin_as(SESSION_RESPONDER, SESSION_GOAL_STAY);
	hear(s, "{");
	tick(s, GOSSIP_HANDSHAKE_MS);
	expect_done(s, OUTCOME_HANDSHAKE_TIMEOUT, NULL);
}

/* --- ping --- */

static void test_ping(void **state)
{
	struct side *s = begin_as(SESSION_INITIATOR, SESSION_GOAL_PING);

	(void)state;
	s->now = START + 10;
	hear(s, HELLO);
	s->now = START + 30;
	hear(s, "{\"msgtype\":\"pong\",\"nonce\":1}\n{\"msgtype\":\"pong\",\"nonce\":\"x\"}\n");
	expect_told(s, "handshake");
	answer_ping(s);
	expect_told(s, "pong:20");
	hear(s, PONG); /* nobody has asked for it */
	expect_told(s, "");
	assert_int_equal(gossip_proto.deadline(s->memory), START + 1010);
	tick(s, 1010);
	assert_non_null(strstr(s->out, "\"ping\""));
	hear(s, PONG); /* the tutorial's, without a nonce */
	expect_told(s, "pong:0");
	expect_done(s, OUTCOME_OK, NULL);
	/* Who never answers is left after ten seconds. */
	s = begin_as(SESSION_INITIATOR, SESSION_GOAL_PING);
	hear(s, HELLO);
	tick(s, GOSSIP_PING_TIMEOUT_MS);
	expect_done(s, OUTCOME_OK, NULL);
}

static void test_echo(void **state)
{
	struct side *s = begin_as(SESSION_RESPONDER, SESSION_GOAL_STAY);

	(void)state;
	hear(s, HELLO);
	s->out[0] = '\0';
	hear(s, "{\"nonce\":18446744073709551615,\"msgtype\":\"ping\"}\n"
		"{\"msgtype\":\"ping\",\"nonce\":\"a\\u000ab\"}\n");
	expect_said(s, "{\"msgtype\":\"pong\",\"nonce\":18446744073709551615}\n"
		       "{\"msgtype\":\"pong\",\"nonce\":\"a\\u000ab\"}\n");
	free(s);
}

/* --- a standing peer --- */

static void test_stay(void **state)
{
	for (unsigned role = 0; role < 2; role++) {
		struct side *s = begin_as(role == 0 ? SESSION_INITIATOR : SESSION_RESPONDER,
					  SESSION_GOAL_STAY);
		uint64_t asked_ms = 0;
		unsigned pings = 0, asks = 0;

		(void)state;
		hear(s, HELLO);
		expect_told(s, "handshake hello");
		assert_non_null(strstr(s->out, "\"ping\""));
		assert_null(strstr(s->out, "getaddr"));
		answer_ping(s);
		expect_told(s, "pong pong:0");
		/* What its driver announces at the handshake goes out before this. */
		assert_int_equal(gossip_proto.deadline(s->memory), START);
		tick(s, 0);
		expect_said(s, "{\"msgtype\":\"getaddr\"}\n");
		while (s->now < START + 3600 * 1000) {
			uint64_t at = gossip_proto.deadline(s->memory) - START;

			assert_true(at > 0 && at < 3700 * 1000);
			tick(s, at);
			if (strstr(s->out, "getaddr") != NULL) {
				assert_true(at - asked_ms >= GOSSIP_ASK_MS &&
					    at - asked_ms < 70 * 1000);
				asked_ms = at;
				asks++;
			}
			if (strstr(s->out, "ping") != NULL) {
				pings++;
				assert_int_equal(at, pings * GOSSIP_PING_MS);
				answer_ping(s);
			}
			s->out[0] = s->log[0] = '\0';
		}
		assert_int_equal(pings, 60);
		assert_in_range(asks, 3600 / 70, 3600 / 62);
		assert_false(s->done);
		free(s);
	}
}

static void test_gone(void **state)
{
	struct side *s = begin_as(SESSION_RESPONDER, SESSION_GOAL_STAY);
	uint64_t at;

	(void)state;
	hear(s, HELLO);
	tick(s, 60 * 1000);
	answer_ping(s);
	/* Every other sign of life is none. */
	while (!s->done) {
		at = gossip_proto.deadline(s->memory) - START;
		assert_true(at <= 60 * 1000 + GOSSIP_GONE_MS);
		tick(s, at);
		if (!s->done)
			hear(s, "{\"msgtype\":\"x\"}\n");
		s->out[0] = s->log[0] = '\0';
	}
	assert_int_equal(s->now, START + 60 * 1000 + GOSSIP_GONE_MS);
	expect_done(s, OUTCOME_OK, "no pong in 240 seconds");
}

/* A pong that comes minutes late is one all the same. */
static void test_late_pong(void **state)
{
	struct side *s = begin_as(SESSION_INITIATOR, SESSION_GOAL_STAY);
	char first[256];

	(void)state;
	hear(s, HELLO);
	strcpy(first, strstr(s->out, "{\"msgtype\":\"ping\""));
	s->log[0] = '\0';
	tick(s, 60 * 1000);
	tick(s, 120 * 1000);
	strcpy(s->out, first);
	answer_ping(s);
	expect_told(s, "pong pong:120000");
	free(s);
}

static void test_asked_once_a_minute(void **state)
{
	struct side *s = begin_as(SESSION_RESPONDER, SESSION_GOAL_STAY);

	(void)state;
	hear(s, HELLO);
	s->log[0] = '\0';
	hear(s, GETADDR GETADDR);
	expect_told(s, "asked getaddr getaddr");
	s->now = START + GOSSIP_ASKED_MS - 1;
	hear(s, GETADDR);
	expect_told(s, "getaddr");
	s->now = START + GOSSIP_ASKED_MS;
	hear(s, GETADDR);
	expect_told(s, "asked getaddr");
	s->now = START + 2 * GOSSIP_ASKED_MS - 1;
	hear(s, GETADDR);
	expect_told(s, "getaddr");
	free(s);
}

static void test_messages_reach_the_caller(void **state)
{
	struct side *s = begin_as(SESSION_INITIATOR, SESSION_GOAL_STAY);
	struct session_counts counts;

	(void)state;
	hear(s, HELLO "{\"msgtype\":\"chat\",\"text\":\"hello, all\"}\n" ADDR("\"1.2.3.4:5\""));
	expect_told(s, "handshake hello chat adverts:1 1.2.3.4:5 addr");
	gossip_proto.counts(s->memory, &counts);
	assert_int_equal(counts.messages_in, 3);
	assert_int_equal(counts.unknown_in, 1);
	free(s);
}

/* Two sessions with each other, in pieces of any length. */
static void test_each_other(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 200; piece += 7) {
		struct session_params params = params_of(SESSION_INITIATOR, SESSION_GOAL_STAY);
		struct side *a = begin(&params), *b;
		uint8_t other[UUID_LEN] = { 2 };
		char bytes[4096];

		params.role = SESSION_RESPONDER;
		params.own_id = slice_of(other, sizeof(other));
		b = begin(&params);
		for (unsigned i = 0; i < 4; i++) {
			strcpy(bytes, a->out);
			a->out[0] = '\0';
			hear_bytes(b, bytes, strlen(bytes), piece);
			strcpy(bytes, b->out);
			b->out[0] = '\0';
			hear_bytes(a, bytes, strlen(bytes), piece);
			tick(a, 0);
			tick(b, 0);
		}
		assert_string_equal(a->log, "handshake hello ping asked getaddr pong pong:0");
		assert_string_equal(b->log, "handshake hello ping pong pong:0 asked getaddr");
		free(a);
		free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_longest_hello),
		cmocka_unit_test(test_listener),
		cmocka_unit_test(test_self_and_group),
		cmocka_unit_test(test_no_own_id),
		cmocka_unit_test(test_crawl),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_late_answer),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_line_length),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_ping),
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_stay),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_late_pong),
		cmocka_unit_test(test_asked_once_a_minute),
		cmocka_unit_test(test_messages_reach_the_caller),
		cmocka_unit_test(test_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
