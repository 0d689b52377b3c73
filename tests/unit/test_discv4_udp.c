/* test_discv4_udp.c: a node of ours on real sockets on loopback, asked by others. */
#include "io/node_serve.h"
#include "support/discv4_cases.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BYTES_MAX = DISCV4_PACKET_MAX + 1 };

struct udp {
	struct carrier carrier; /* first: the cases know no more */
	uv_loop_t loop;
	struct node_serve *node;
	int sockets[CASE_LISTENERS];
};

static uint64_t clock_ms(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

static int64_t now_s(struct carrier *c)
{
	(void)c;
	return (int64_t)(clock_ms(CLOCK_REALTIME) / 1000);
}

/* 127.0.0.last, at any free port. */
static int open_socket(uint8_t last, struct netaddr *addr)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(0x7f000000 + last) };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*addr = netaddr_ipv4(ntohl(sin.sin_addr.s_addr), ntohs(sin.sin_port));
	return fd;
}

static void send_to(int fd, const struct netaddr *to, struct slice bytes)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(to->port) };

	assert_int_equal(to->kind, NETADDR_IPV4);
	assert_int_equal(to->bytes[0], 127);
	memcpy(&sin.sin_addr, to->bytes, 4);
	/* Nobody may be there any more: then it is lost, as anywhere. */
	if (sendto(fd, bytes.data, bytes.len, 0, (struct sockaddr *)&sin, sizeof(sin)) < 0)
		print_message("    not sent\n");
}

static bool receive(int fd, struct netaddr *from, uint8_t *out, size_t *len)
{
	struct sockaddr_in sin;
	socklen_t sin_len = sizeof(sin);
	ssize_t n = recvfrom(fd, out, BYTES_MAX, 0, (struct sockaddr *)&sin, &sin_len);

	if (n < 0)
		return false;
	*from = netaddr_ipv4(ntohl(sin.sin_addr.s_addr), ntohs(sin.sin_port));
	*len = (size_t)n;
	return true;
}

static void udp_say(struct carrier *c, unsigned listener, struct slice packet)
{
	send_to(((struct udp *)c)->sockets[listener], &c->node_addr, packet);
}

static bool udp_hear(struct carrier *c, unsigned listener, struct packet *out)
{
	struct udp *u = (struct udp *)c;
	uint64_t until_ms = now_ms() + CASE_SILENCE_MS;
	uint8_t bytes[BYTES_MAX];
	struct netaddr from;

	for (;;) {
		struct pollfd fds[] = { { uv_backend_fd(&u->loop), POLLIN, 0 },
					{ u->sockets[listener], POLLIN, 0 } };
		int wait_ms;

		uv_run(&u->loop, UV_RUN_NOWAIT);
		if (receive(u->sockets[listener], &from, bytes, &out->len)) {
			assert_true(out->len <= sizeof(out->bytes));
			assert_true(netaddr_equal(&from, &c->node_addr));
			memcpy(out->bytes, bytes, out->len);
			return true;
		}
		if (now_ms() >= until_ms)
			return false;
		wait_ms = (int)(until_ms - now_ms());
		if (uv_backend_timeout(&u->loop) < wait_ms)
			wait_ms = uv_backend_timeout(&u->loop);
		poll(fds, 2, wait_ms);
	}
}

static void udp_renew(struct carrier *c)
{
	struct udp *u = (struct udp *)c;

	for (unsigned i = 0; i < CASE_LISTENERS; i++) {
		if (u->sockets[i] >= 0)
			close(u->sockets[i]);
		u->sockets[i] = open_socket((uint8_t)(1 + i), &c->addrs[i]);
	}
}

/* Bound to one address; and to all of this machine, asked at one that the system would not choose
 * for an answer. */
static const struct {
	const char *name;
	uint32_t ip, asked;
} rows[] = {
	{ "at 127.0.0.1", 0x7f000001, 0x7f000001 },
	{ "everywhere, asked at 127.0.0.7", 0, 0x7f000007 },
};

static void conforms(void **state)
{
	const uint8_t random[SECP_RANDOM_LEN + IDENTITY_SEED_LEN] = { 7 };
	const struct secp_key key = { { 1 } };
	struct identity identity;

	(void)state;
	identity_init(&identity, &key, random);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct udp u = { .carrier = { .secp = &identity.secp,
					      .renew = udp_renew,
					      .say = udp_say,
					      .hear = udp_hear,
					      .now_s = now_s },
				 .sockets = { -1, -1 } };
		struct node_serve_config config = {
			.identity = &identity,
			.places = { { .addr = netaddr_ipv4(rows[i].ip, 0) } },
			.places_count = 1,
			.seq = 3,
			.refresh_ms = 60 * 1000,
		};
		char why[NODE_SERVE_WHY_MAX];

		print_message("%s\n", rows[i].name);
		assert_int_equal(uv_loop_init(&u.loop), 0);
		assert_int_equal(node_serve_start(&u.loop, &config, &u.node, why), ERR_OK);
		u.carrier.node = node_serve_node(u.node);
		u.carrier.node_addr = netaddr_ipv4(rows[i].asked, node_serve_local(u.node, 0).port);
		cases_run(&u.carrier);
		node_serve_stop(u.node);
		uv_run(&u.loop, UV_RUN_DEFAULT);
		assert_int_equal(uv_loop_close(&u.loop), 0);
		for (unsigned k = 0; k < CASE_LISTENERS; k++)
			close(u.sockets[k]);
	}
	identity_clear(&identity);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(conforms) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
