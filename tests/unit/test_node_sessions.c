/* test_node_sessions.c: RLPx sessions with a node of ours, on real sockets: a good caller, and
 * those who want to keep it busy. */
#include "base/hash.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* After cmocka's own. */
#include "support/served.h"

/* Somebody who calls: raw bytes, or with a session of his own. */
struct guest {
	int fd;
	bool over; /* the node has closed */
	size_t heard;
	bool talks;
	struct rlpx_session session;
};

static const struct eth_status chain = {
	.network_id = 1,
	.genesis = { 0xd4, 0xe5 },
	.forkid = { { 0xc3, 0x76, 0xcf, 0x8b }, 0x6930b057 },
	.head = { 0xaa },
	.latest = 22500000,
};

static struct identity guest_identity;

/* From 127.0.0.last. */
static void guest_call(struct guest *g, const struct served *to, uint8_t last)
{
	struct netaddr at = node_serve_local(to->node, 0);
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(0x7f000000 + last) };

	memset(g, 0, sizeof(*g));
	g->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(g->fd >= 0);
	assert_int_equal(bind(g->fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	sin.sin_port = htons(at.port);
	sin.sin_addr.s_addr = htonl(0x7f000001);
	if (connect(g->fd, (struct sockaddr *)&sin, sizeof(sin)) != 0)
		assert_int_equal(errno, EINPROGRESS);
}

static void guest_talk(struct guest *g, const struct served *to)
{
	struct rlpx_session_params params = { .role = SESSION_INITIATOR,
					      .goal = RLPX_GOAL_SERVE,
					      .remote = to->identity.public,
					      .client = slice_text("guest/1"),
					      .status = &chain };
	static uint64_t nonce;

	identity_local(&guest_identity, nonce++, &params.local);
	rlpx_session_init(&g->session, &params, uv_now(&served_loop));
	g->talks = true;
}

/* Whatever there is to do now. */
static void guest_step(struct guest *g)
{
	static uint8_t held[4096];
	uint8_t out[4096];
	ssize_t n;

	while (g->talks) {
		size_t len = rlpx_session_send(&g->session, out, sizeof(out));

		if (len == 0)
			break;
		n = send(g->fd, out, len, MSG_NOSIGNAL);
		assert_true(n == (ssize_t)len || n < 0);
	}
	n = recv(g->fd, held, sizeof(held), g->talks ? MSG_PEEK : 0);
	if (n > 0 && g->talks) {
		size_t used = 0, took;

		while ((took = rlpx_session_recv(&g->session,
						 slice_of(held + used, (size_t)n - used),
						 uv_now(&served_loop))) > 0)
			used += took;
		if (used == 0) /* nobody listens any more */
			used = (size_t)n;
		n = recv(g->fd, held, used, 0);
	}
	if (n > 0)
		g->heard += (size_t)n;
	else if (n == 0 || errno == ECONNRESET)
		g->over = true;
}

static bool guest_is_over(void *arg)
{
	struct guest *g = arg;

	guest_step(g);
	return g->over;
}

static bool guest_is_heard(void *arg)
{
	struct guest *g = arg;

	guest_step(g);
	return g->session.info.has_hello;
}

static bool nobody_is_there(void *arg)
{
	return served_counts(arg).sessions.open == 0;
}

static struct served *start(uint64_t sessions_ms)
{
	const uint8_t random[SECP_RANDOM_LEN + IDENTITY_SEED_LEN] = { 99 };
	const struct secp_key key = { { [31] = 99 } };
	struct served *s = served_init(0);

	identity_init(&guest_identity, &key, random);
	s->config.sessions_ms = sessions_ms;
	served_start(s, NULL);
	return s;
}

static void tells_who_calls(void **state)
{
	struct served *s = start(0);
	enum rlpx_outcome outcome;
	struct rlpx_info info;
	const char *rule;
	struct guest g;

	(void)state;
	guest_call(&g, s, 2);
	guest_talk(&g, s);
	served_until("it closes", guest_is_over, &g);
	/* What we heard of it ... */
	assert_true(rlpx_session_done(&g.session, &outcome, &rule));
	assert_int_equal(outcome, RLPX_OUTCOME_OK);
	rlpx_session_info(&g.session, &info);
	assert_true(slice_equal(info.hello.client, slice_text("served/1")));
	assert_int_equal(info.hello.listen_port, node_serve_local(s->node, 0).port);
	assert_int_equal(info.eth.version, ETH_VERSION_LAST);
	assert_memory_equal(info.status.genesis, chain.genesis, sizeof(chain.genesis));
	assert_memory_equal(info.status.head, chain.head, sizeof(chain.head));
	assert_int_equal(info.status.latest, chain.latest);
	assert_true(info.has_reason);
	assert_int_equal(info.reason, P2P_REASON_QUITTING);
	/* ... and what it tells of us. */
	assert_int_equal(s->sessions, 1);
	assert_int_equal(s->outcome, RLPX_OUTCOME_OK);
	assert_string_equal(s->client, "guest/1");
	assert_memory_equal(s->info.key, guest_identity.public, SECP_PUBLIC_LEN);
	assert_memory_equal(s->info.status.head, chain.head, sizeof(chain.head));
	assert_int_equal(served_counts(s).sessions.hellos, 1);
	assert_int_equal(served_counts(s).sessions.statuses, 1);
	close(g.fd);
	served_until("nobody is left", nobody_is_there, s);
}

static void takes_leave_when_stopped(void **state)
{
	struct served *s = start(0);
	struct rlpx_info info;
	struct guest g;

	(void)state;
	guest_call(&g, s, 2);
	guest_talk(&g, s);
	g.session.params.goal = RLPX_GOAL_LEARN; /* waits for a Status, as the node does */
	served_until("a Hello", guest_is_heard, &g);
	node_serve_stop(s->node);
	s->node = NULL;
	served_until("it closes", guest_is_over, &g);
	rlpx_session_info(&g.session, &info);
	assert_true(info.has_reason);
	assert_int_equal(info.reason, P2P_REASON_QUITTING);
	assert_int_equal(s->sessions, 0);
	close(g.fd);
}

/* A visitor without a chain, as we are ourselves: neither waits for the other for long. */
static void has_nothing_to_say(void **state)
{
	struct served *s = start(0);
	enum rlpx_outcome outcome;
	struct rlpx_info info;
	const char *rule;
	struct guest g;

	(void)state;
	guest_call(&g, s, 2);
	guest_talk(&g, s);
	g.session.params.goal = RLPX_GOAL_LEARN;
	served_until("it closes", guest_is_over, &g);
	assert_true(rlpx_session_done(&g.session, &outcome, &rule));
	assert_int_equal(outcome, RLPX_OUTCOME_DISCONNECTED);
	rlpx_session_info(&g.session, &info);
	assert_int_equal(info.reason, P2P_REASON_USELESS);
	assert_int_equal(s->outcome, RLPX_OUTCOME_NO_STATUS);
	close(g.fd);
}

/* Whoever is told of a session may stop the node then and there. */
static void is_stopped_by_a_session(void **state)
{
	struct served *s = start(0);
	struct guest g;

	(void)state;
	s->stop_at_session = true;
	guest_call(&g, s, 2);
	guest_talk(&g, s);
	served_until("it closes", guest_is_over, &g);
	assert_null(s->node);
	assert_int_equal(s->sessions, 1);
	close(g.fd);
}

static void garbage_is_no_handshake(void **state)
{
	static const size_t sizes[] = { 2, 300, 2050, 5000, 100000 };
	struct random random = { 8 };
	struct served *s = start(500);
	uint8_t bytes[100000];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)random_next(&random);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct guest g;

		bytes[0] = (uint8_t)(i % 3); /* the length of a packet: too short, or good */
		guest_call(&g, s, 2);
		if (send(g.fd, bytes, sizes[i], MSG_NOSIGNAL) < 0)
			assert_int_equal(errno, EAGAIN);
		served_until("it closes", guest_is_over, &g);
		assert_int_equal(g.heard, 0);
		close(g.fd);
		served_until("nobody is left", nobody_is_there, s);
		assert_int_equal(s->sessions, i + 1);
		assert_true(s->outcome == RLPX_OUTCOME_PROTOCOL_ERROR ||
			    s->outcome == RLPX_OUTCOME_TIMEOUT);
	}
	assert_int_equal(served_counts(s).sessions.hellos, 0);
}

struct dribble {
	struct guest g;
	uint64_t next_ms;
};

/* A byte now and then, of a packet of 1,280. */
static bool dribbles(void *arg)
{
	struct dribble *d = arg;

	if (uv_now(&served_loop) >= d->next_ms) {
		send(d->g.fd, "\x05", 1, MSG_NOSIGNAL);
		d->next_ms = uv_now(&served_loop) + 20;
	}
	return guest_is_over(&d->g);
}

static void nobody_stays_for_long(void **state)
{
	enum { LIFE_MS = 300 };
	struct served *s = start(LIFE_MS);
	struct dribble d = { .next_ms = 0 };
	struct guest mute;
	uint64_t begun;

	(void)state;
	uv_update_time(&served_loop);
	begun = uv_now(&served_loop);
	guest_call(&d.g, s, 2);
	guest_call(&mute, s, 3);
	served_until("the dribbler is left", dribbles, &d);
	served_until("the mute one is left", guest_is_over, &mute);
	assert_in_range(uv_now(&served_loop) - begun, LIFE_MS,
			LIFE_MS + NODE_SESSIONS_LINGER_MS + 1000);
	served_until("nobody is left", nobody_is_there, s);
	assert_int_equal(s->sessions, 2);
	close(d.g.fd);
	close(mute.fd);
}

/* One who reads nothing, sends on and on, and does not close: dropped all the same. */
static bool pours(void *arg)
{
	static const uint8_t bytes[4096] = { 0xff, 0xff };
	struct guest *g = arg;

	return send(g->fd, bytes, sizeof(bytes), MSG_NOSIGNAL) < 0 && errno != EAGAIN;
}

static void who_never_closes_is_dropped(void **state)
{
	struct served *s = start(0);
	struct guest g;

	(void)state;
	guest_call(&g, s, 2);
	served_until("it closes", pours, &g);
	served_until("nobody is left", nobody_is_there, s);
	assert_true(served_counts(s).sessions.bytes_in <=
		    NODE_SESSIONS_LINGER_BYTES + 4 * RLPX_PACKET_MAX);
	close(g.fd);
}

static bool all_are_seen(void *arg)
{
	struct node_serve_counts counts = served_counts(&served[0]);

	return counts.sessions.taken + counts.sessions.refused == *(unsigned *)arg;
}

static void caps_hold(void **state)
{
	enum { HOSTS = NODE_SESSIONS_MAX / NODE_SESSIONS_PER_HOST, EACH = 6 };
	struct guest *guests = calloc(HOSTS * EACH + 1, sizeof(*guests));
	struct served *s = start(2000);
	unsigned called = 0;

	(void)state;
	assert_non_null(guests);
	for (unsigned k = 0; k < EACH; k++)
		guest_call(&guests[called++], s, 10);
	served_until("one host", all_are_seen, &called);
	assert_int_equal(served_counts(s).sessions.open, NODE_SESSIONS_PER_HOST);
	assert_int_equal(served_counts(s).sessions.refused, EACH - NODE_SESSIONS_PER_HOST);
	for (unsigned i = 1; i < HOSTS; i++) {
		for (unsigned k = 0; k < EACH; k++)
			guest_call(&guests[called++], s, (uint8_t)(10 + i));
	}
	served_until("many hosts", all_are_seen, &called);
	assert_int_equal(served_counts(s).sessions.open, NODE_SESSIONS_MAX);
	guest_call(&guests[called++], s, 200);
	served_until("one more", all_are_seen, &called);
	assert_int_equal(served_counts(s).sessions.open, NODE_SESSIONS_MAX);
	served_until("their time is over", nobody_is_there, s);
	for (unsigned i = 0; i < called; i++)
		close(guests[i].fd);
	/* And there is room again. */
	called++;
	guest_call(&guests[0], s, 201);
	served_until("another", all_are_seen, &called);
	assert_int_equal(served_counts(s).sessions.open, 1);
	close(guests[0].fd);
	free(guests);
}

/* Called again and again, each time for a moment. */
static void a_host_has_its_share(void **state)
{
	struct served *s = start(0);
	struct node_sessions_counts counts;
	unsigned called = 0;

	(void)state;
	while (called < 3 * NODE_SESSIONS_BURST) {
		struct guest g;

		guest_call(&g, s, 2);
		called++;
		served_until("it is seen", all_are_seen, &called);
		close(g.fd);
		served_until("and gone", nobody_is_there, s);
	}
	counts = served_counts(s).sessions;
	assert_true(counts.taken >= NODE_SESSIONS_BURST);
	assert_true(counts.refused > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, served_setup, served_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tells_who_calls),
		TEST(takes_leave_when_stopped),
		TEST(has_nothing_to_say),
		TEST(is_stopped_by_a_session),
		TEST(garbage_is_no_handshake),
		TEST(nobody_stays_for_long),
		TEST(who_never_closes_is_dropped),
		TEST(caps_hold),
		TEST(a_host_has_its_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
