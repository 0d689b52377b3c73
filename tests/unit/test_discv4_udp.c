/* test_discv4_udp.c: a discv4 node behind a real UDP socket on loopback, asked by others. */
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
	int node_socket, sockets[CASE_LISTENERS];
};

static struct secp secp;
static struct discv4 node;

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

/* Everything that the node has to do now. */
static void serve(struct udp *u)
{
	struct discv4_datagram datagram;
	struct discv4_event event;
	uint8_t bytes[BYTES_MAX];
	struct netaddr from;
	bool more = true;
	size_t len;

	while (more) {
		more = receive(u->node_socket, &from, bytes, &len);
		if (more)
			discv4_recv(&node, &from, slice_of(bytes, len), now_ms());
		else if (discv4_deadline(&node) <= now_ms())
			discv4_tick(&node, now_ms());
		while (discv4_send(&node, &datagram))
			send_to(u->node_socket, &datagram.to,
				slice_of(datagram.bytes, datagram.len));
		while (discv4_next(&node, &event))
			;
	}
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
		struct pollfd fds[] = { { u->node_socket, POLLIN, 0 },
					{ u->sockets[listener], POLLIN, 0 } };
		uint64_t wake_ms;

		serve(u);
		if (receive(u->sockets[listener], &from, bytes, &out->len)) {
			assert_true(out->len <= sizeof(out->bytes));
			assert_true(netaddr_equal(&from, &c->node_addr));
			memcpy(out->bytes, bytes, out->len);
			return true;
		}
		if (now_ms() >= until_ms)
			return false;
		wake_ms = discv4_deadline(&node) < until_ms ? discv4_deadline(&node) : until_ms;
		poll(fds, 2, wake_ms > now_ms() ? (int)(wake_ms - now_ms()) : 0);
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

static void conforms(void **state)
{
	static const uint8_t random[SECP_RANDOM_LEN] = { 7 };
	struct udp u = { .carrier = { .node = &node,
				      .secp = &secp,
				      .renew = udp_renew,
				      .say = udp_say,
				      .hear = udp_hear,
				      .now_s = now_s },
			 .sockets = { -1, -1 } };
	struct discv4_params params = {
		.secp = &secp,
		.seed = 5,
		.seq = 3,
		.refresh_ms = 60 * 1000,
		.wall_ms = (int64_t)clock_ms(CLOCK_REALTIME) - (int64_t)now_ms(),
	};

	(void)state;
	secp_init(&secp, random);
	params.key.bytes[0] = 1;
	u.node_socket = open_socket(1, &params.self.addr);
	u.carrier.node_addr = params.self.addr;
	discv4_init(&node, &params, now_ms());
	cases_run(&u.carrier);
	discv4_clear(&node);
	secp_clear(&secp);
	close(u.node_socket);
	for (unsigned i = 0; i < CASE_LISTENERS; i++)
		close(u.sockets[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(conforms) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
