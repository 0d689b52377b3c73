/* test_node_serve.c: nodes of ours on real sockets of the loopback: they find each other, and
 * whatever strangers send, they go on. */
#include "base/hash.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* After cmocka's own. */
#include "support/discv4.h"
#include "support/sanitized.h"
#include "support/served.h"

/* --- starting --- */

static void starts_and_stops(void **state)
{
	struct served *s = served_init(0);
	struct node_serve_counts counts;
	struct enode_endpoint at;

	(void)state;
	served_start(s, NULL);
	counts = served_counts(s);
	assert_int_equal(counts.datagrams_in + counts.datagrams_out + counts.table, 0);
	assert_int_equal(node_serve_places(s->node), 1);
	at = discv4_endpoint(node_serve_node(s->node));
	assert_true(at.addr.port > 0 && at.addr.port == at.tcp_port);
	assert_int_equal(at.addr.port, node_serve_local(s->node, 0).port);
}

static const struct {
	const char *name;
	const char *place, *advertise; /* 127.0.0.1:0; NULL: none */
	const char *host;              /* of its record; NULL: none */
	bool port_as_bound;
} addresses[] = {
	{ "one address", "127.0.0.1:0", NULL, "127.0.0.1", true },
	{ "everywhere", "0.0.0.0:0", NULL, NULL, true },
	{ "everywhere, advertised", "0.0.0.0:0", "192.0.2.7:4000", "192.0.2.7", false },
	{ "one address, another advertised", "127.0.0.1:0", "192.0.2.7:0", "192.0.2.7", true },
};

static struct netaddr addr_of(const char *text)
{
	struct netaddr a = { 0 };

	if (text != NULL)
		assert_int_equal(netaddr_parse(slice_text(text), 0, &a), ERR_OK);
	return a;
}

static void says_where_it_is(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
		struct served *s = served_init(i);
		struct netaddr host = addr_of(addresses[i].host);
		struct enode_endpoint at;
		uint16_t port;

		s->config.places[0].addr = addr_of(addresses[i].place);
		s->config.advertise = addr_of(addresses[i].advertise);
		served_start(s, NULL);
		at = discv4_endpoint(node_serve_node(s->node));
		port = addresses[i].port_as_bound ? node_serve_local(s->node, 0).port : 4000;
		if (!netaddr_same_host(&at.addr, &host) || at.addr.port != port ||
		    at.tcp_port != port)
			fail_msg("%s", addresses[i].name);
	}
}

/* Without IPv6 on this machine, IPv4 alone, if that is optional. */
static void both_kinds_have_one_port(void **state)
{
	struct served *s = served_init(0);

	(void)state;
	s->config.places[1] = (struct listen_place){ addr_of("[::1]:0"), .optional = true };
	s->config.places_count = 2;
	served_start(s, NULL);
	if (node_serve_places(s->node) == 1)
		skip();
	assert_int_equal(node_serve_local(s->node, 0).port, node_serve_local(s->node, 1).port);
	assert_int_equal(node_serve_local(s->node, 1).kind, NETADDR_IPV6);
}

static void says_why_it_does_not_start(void **state)
{
	struct served *first = served_init(0), *s = served_init(1);
	char why[NODE_SERVE_WHY_MAX];

	(void)state;
	served_start(first, NULL);
	s->config.places[0].addr = node_serve_local(first->node, 0);
	assert_int_equal(node_serve_start(&served_loop, &s->config, &s->node, why), ERR_IO);
	assert_non_null(strstr(why, "another program does; choose another port"));
	assert_null(s->node);
	s->config.places[0].addr = netaddr_ipv4(0xc0000201, 0);
	assert_int_equal(node_serve_start(&served_loop, &s->config, &s->node, why), ERR_IO);
	assert_non_null(strstr(why, "192.0.2.1:0: it is no address of this machine"));
	/* Optional, and nothing else is left. */
	s->config.places[0].optional = true;
	assert_int_equal(node_serve_start(&served_loop, &s->config, &s->node, why), ERR_IO);
	assert_non_null(strstr(why, "no address of this machine"));
}

/* --- finding each other --- */

static bool all_know_all(void *arg)
{
	unsigned count = *(unsigned *)arg;

	for (unsigned i = 0; i < count; i++) {
		if (served_counts(&served[i]).live < count - 1)
			return false;
	}
	return true;
}

static void two_find_each_other(void **state)
{
	unsigned count = 2;

	(void)state;
	served_start(served_init(0), NULL);
	served_start(served_init(1), &served[0]);
	served_until("two know each other", all_know_all, &count);
	for (unsigned i = 0; i < count; i++) {
		struct node_serve_counts counts = served_counts(&served[i]);

		assert_int_equal(served[i].events[DISCV4_EVENT_BONDED], 1);
		assert_true(served[i].events[DISCV4_EVENT_STATEMENT] > 0);
		assert_int_equal(counts.bonds, 1);
		assert_int_equal(counts.table, 1);
		assert_int_equal(counts.datagrams_in, served[i].in);
		assert_int_equal(counts.datagrams_out, served[i].out);
		assert_int_equal(counts.fates[DISCV4_TAKEN], served[i].fates[DISCV4_TAKEN]);
		assert_int_equal(counts.fates[DISCV4_MALFORMED], 0);
	}
}

static void a_group_finds_itself(void **state)
{
	unsigned count = SANITIZED ? 6 : 14;

	(void)state;
	for (unsigned i = 0; i < count; i++)
		served_start(served_init(i), i > 0 ? &served[0] : NULL);
	served_until("all know all", all_know_all, &count);
}

static void two_find_each_other_over_ipv6(void **state)
{
	const struct netaddr here = addr_of("[::1]:0");
	unsigned count = 2;

	(void)state;
	for (unsigned i = 0; i < count; i++) {
		struct served *s = served_init(i);
		char why[NODE_SERVE_WHY_MAX];

		s->config.places[0].addr = here;
		if (i > 0)
			served_start(s, &served[0]);
		else if (node_serve_start(&served_loop, &s->config, &s->node, why) != ERR_OK)
			skip(); /* no IPv6 on this machine */
	}
	served_until("two know each other", all_know_all, &count);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(served[i].fates[DISCV4_MALFORMED], 0);
}

static bool has_moved(void *arg)
{
	return ((struct served *)arg)->events[DISCV4_EVENT_MOVED] > 0;
}

/* A node that is told nothing learns where it is of ten hosts, and has a new record then. */
static void learns_where_it_is(void **state)
{
	struct served *s = served_init(0);
	struct enode_endpoint at;
	struct netaddr local;

	(void)state;
	s->config.places[0].addr = netaddr_ipv4(0, 0);
	served_start(s, NULL);
	local = netaddr_ipv4(0x7f000001, node_serve_local(s->node, 0).port);
	for (unsigned i = 1; i <= DISCV4_STATEMENTS; i++) {
		struct served *other = served_init(i);

		other->config.places[0].addr = netaddr_ipv4(0x7f000001 + i, 0);
		other->boot = kademlia_node(s->identity.public, &local, local.port);
		other->config.boots = &other->boot;
		other->config.boots_count = 1;
		served_start(other, NULL);
	}
	served_until("ten say where it is", has_moved, s);
	at = discv4_endpoint(node_serve_node(s->node));
	assert_true(netaddr_equal(&at.addr, &local));
	assert_int_equal(at.tcp_port, local.port);
	assert_int_equal(discv4_seq(node_serve_node(s->node)), s->config.seq + 1);
	assert_int_equal(s->events[DISCV4_EVENT_MOVED], 1);
}

static bool has_found(void *arg)
{
	return ((struct served *)arg)->events[DISCV4_EVENT_FOUND] > 0;
}

static void looks_for_others_when_asked(void **state)
{
	struct served *s = served_init(1);

	(void)state;
	served_start(served_init(0), NULL);
	s->config.refresh_ms = 0;
	served_start(s, &served[0]);
	assert_true(node_serve_lookup(s->node, served[0].identity.public) > 0);
	served_until("a lookup ends", has_found, s);
	assert_int_equal(s->events[DISCV4_EVENT_BONDED], 1);
}

static bool has_answer(void *arg)
{
	const struct served *s = arg;

	return s->events[DISCV4_EVENT_ALIVE] + s->events[DISCV4_EVENT_SILENT] > 0;
}

static void pings(void **state)
{
	struct served *s = served_init(0), *there = served_init(1), *gone = served_init(2);
	struct kademlia_node node;

	(void)state;
	s->config.refresh_ms = 0;
	served_start(s, NULL);
	served_start(there, NULL);
	served_start(gone, NULL);
	node = served_node(there);
	assert_true(node_serve_ping(s->node, &node));
	served_until("an answer", has_answer, s);
	assert_int_equal(s->events[DISCV4_EVENT_ALIVE], 1);
	memset(s->events, 0, sizeof(s->events));
	node = served_node(gone);
	node_serve_stop(gone->node);
	gone->node = NULL;
	assert_true(node_serve_ping(s->node, &node));
	served_until("no answer", has_answer, s);
	assert_int_equal(s->events[DISCV4_EVENT_SILENT], 1);
}

static bool has_stopped(void *arg)
{
	return ((struct served *)arg)->node == NULL;
}

static void stops_within_a_callback(void **state)
{
	struct served *s = served_init(1);

	(void)state;
	served_start(served_init(0), NULL);
	s->stop_at_event = true;
	served_start(s, &served[0]);
	served_until("it stops", has_stopped, s);
	served_for(50);
}

/* --- strangers --- */

/* A socket at 127.0.0.last, and somebody who speaks from there. */
struct stranger {
	int fd;
	struct player player;
};

static void stranger_init(struct stranger *s, const struct served *about, uint8_t last)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(0x7f000000 + last) };
	struct netaddr addr;
	socklen_t len = sizeof(sin);

	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(s->fd >= 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&sin, &len), 0);
	addr = netaddr_ipv4(ntohl(sin.sin_addr.s_addr), ntohs(sin.sin_port));
	player_init(&s->player, &about->identity.secp, 500 + last, &addr);
	addr = node_serve_local(about->node, 0);
	sin.sin_port = htons(addr.port);
	memcpy(&sin.sin_addr, addr.bytes, 4);
	assert_int_equal(connect(s->fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
}

static void stranger_pings(const struct stranger *s, const struct served *to)
{
	struct netaddr at = node_serve_local(to->node, 0);
	uv_timeval64_t wall;
	struct discv4_ping m;
	struct packet ping;

	uv_gettimeofday(&wall);
	m = ping_of(&s->player, &at, wall.tv_sec);
	say_ping(&s->player, &m, &ping);
	send(s->fd, ping.bytes, ping.len, 0);
}

static bool has_mail(void *arg)
{
	uint8_t bytes[2048];

	return recv(((struct stranger *)arg)->fd, bytes, sizeof(bytes), 0) > 0;
}

static void garbage_does_no_harm(void **state)
{
	static const size_t sizes[] = {
		0, 1, 97, 98, 99, 500, 1280, 1281, 2048, 2049, 9000, 60000
	};
	struct random random = { 4 };
	struct served *s = served_init(0);
	uint8_t *bytes = malloc(60000);
	struct stranger hostile, honest;
	unsigned count = sizeof(sizes) / sizeof(*sizes);

	(void)state;
	assert_non_null(bytes);
	served_start(s, NULL);
	stranger_init(&hostile, s, 2);
	stranger_init(&honest, s, 3);
	for (size_t i = 0; i < 60000; i++)
		bytes[i] = (uint8_t)random_next(&random);
	for (unsigned i = 0; i < count; i++)
		assert_true(send(hostile.fd, bytes, sizes[i], 0) >= 0);
	stranger_pings(&honest, s);
	served_until("an answer", has_mail, &honest);
	served_for(20);
	assert_int_equal(s->in, count + 1);
	assert_int_equal(s->unreadable, count);
	assert_int_equal(s->fates[DISCV4_MALFORMED], count);
	assert_false(has_mail(&hostile));
	assert_int_equal(served_counts(s).fates[DISCV4_MALFORMED], count);
	close(hostile.fd);
	close(honest.fd);
	free(bytes);
}

/* Good pings without end, and without an answer to ours: one host does not get more than its
 * share of our time, and another is answered meanwhile. */
static void a_flood_has_its_share(void **state)
{
	enum { BATCH = 100, BATCHES = 30 };
	struct served *s = served_init(0);
	struct stranger hostile, honest;
	struct node_serve_counts counts;
	uint64_t begun;

	(void)state;
	served_start(s, NULL);
	stranger_init(&hostile, s, 2);
	stranger_init(&honest, s, 3);
	uv_update_time(&served_loop);
	begun = uv_now(&served_loop);
	for (unsigned i = 0; i < BATCHES; i++) {
		for (unsigned k = 0; k < BATCH; k++)
			stranger_pings(&hostile, s);
		uv_run(&served_loop, UV_RUN_NOWAIT);
	}
	stranger_pings(&honest, s);
	served_until("an answer", has_mail, &honest);
	counts = served_counts(s);
	assert_int_equal(counts.datagrams_in, counts.unread + s->in);
	assert_true(s->in <=
		    NODE_SERVE_BURST + 1 +
			    NODE_SERVE_RATE * (uv_now(&served_loop) - begun + 1000) / 1000);
	if (uv_now(&served_loop) - begun < 2000)
		assert_true(counts.unread > 0);
	/* Who never answers is pinged, but never believed. */
	assert_int_equal(counts.table, 0);
	assert_int_equal(counts.bonds, 0);
	close(hostile.fd);
	close(honest.fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, served_setup, served_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(starts_and_stops),
		TEST(says_where_it_is),
		TEST(both_kinds_have_one_port),
		TEST(says_why_it_does_not_start),
		TEST(two_find_each_other),
		TEST(two_find_each_other_over_ipv6),
		TEST(a_group_finds_itself),
		TEST(learns_where_it_is),
		TEST(looks_for_others_when_asked),
		TEST(pings),
		TEST(stops_within_a_callback),
		TEST(garbage_does_no_harm),
		TEST(a_flood_has_its_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
