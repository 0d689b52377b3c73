/* rlpx_probe.c: one RLPx session on a real socket, for the tests against other people's nodes.
 *
 *     rlpx_probe call ENODE [CLIENT [FROM]]   calls a node, and learns what it says
 *     rlpx_probe called ADDRESS:PORT          waits for one call, and learns the same
 *
 * CLIENT is the name that it says of itself, in hex; FROM the IPv4 address that it calls from.
 * Prints one line of JSON: how it ended, and what was learnt. `called` prints its enode URL
 * first. The exit status is 1 only if there was no connection. */
#include "base/text.h"
#include "proto/ethereum/enode.h"
#include "proto/ethereum/rlpx_session.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void draw(void *out, size_t len)
{
	if (getrandom(out, len, 0) != (ssize_t)len)
		fail("getrandom");
}

static void draw_key(struct secp_key *key)
{
	uint8_t bytes[SECP_KEY_LEN];

	do
		draw(bytes, sizeof(bytes));
	while (!secp_key_init(key, bytes));
}

static void text_of(struct slice s)
{
	printf("\"");
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] < ' ' || s.data[i] > '~' || s.data[i] == '"' || s.data[i] == '\\')
			printf("\\u%04x", s.data[i]);
		else
			printf("%c", s.data[i]);
	printf("\"");
}

static void hex_of(const char *name, const uint8_t *data, size_t len)
{
	printf(",\"%s\":\"", name);
	for (size_t i = 0; i < len; i++)
		printf("%02x", data[i]);
	printf("\"");
}

static void tell(const struct rlpx_session *s)
{
	enum rlpx_outcome outcome;
	struct rlpx_info info;
	const char *rule;

	if (!rlpx_session_done(s, &outcome, &rule))
		return;
	rlpx_session_info(s, &info);
	printf("{\"outcome\":\"%s\"", rlpx_outcome_name(outcome));
	if (rule != NULL)
		printf(",\"rule\":\"%s\"", rule);
	if (info.has_key)
		hex_of("key", info.key, sizeof(info.key));
	if (info.has_reason)
		printf(",\"reason\":%d", info.reason);
	if (info.has_hello) {
		printf(",\"p2p\":%u,\"client\":", info.hello.version);
		text_of(info.hello.client);
		printf(",\"port\":%u,\"capabilities\":[", info.hello.listen_port);
		for (size_t i = 0; i < info.hello.caps_count; i++)
			printf("%s\"%s/%u\"", i > 0 ? "," : "", info.hello.caps[i].name,
			       info.hello.caps[i].version);
		printf("],\"eth\":%u", info.eth.version);
	}
	if (info.has_status) {
		printf(",\"network\":%llu,\"next\":%llu",
		       (unsigned long long)info.status.network_id,
		       (unsigned long long)info.status.forkid.next);
		hex_of("genesis", info.status.genesis, 32);
		hex_of("head", info.status.head, 32);
		hex_of("fork", info.status.forkid.hash, 4);
	}
	printf("}\n");
}

static void flush(struct rlpx_session *s, int fd)
{
	uint8_t out[512];
	size_t n;

	while ((n = rlpx_session_send(s, out, sizeof(out))) > 0)
		if (send(fd, out, n, MSG_NOSIGNAL) != (ssize_t)n)
			return; /* the peer has gone; that shows when reading */
}

static void drive(struct rlpx_session *s, int fd)
{
	enum rlpx_outcome outcome;
	const char *rule;
	uint8_t in[4096];
	size_t len = 0;

	for (flush(s, fd); !rlpx_session_done(s, &outcome, &rule); flush(s, fd)) {
		uint64_t now = now_ms(), deadline = rlpx_session_deadline(s);
		struct pollfd p = { .fd = fd, .events = POLLIN };
		size_t at = 0, taken;
		ssize_t n;

		if (poll(&p, 1, deadline > now ? (int)(deadline - now) : 0) == 0) {
			rlpx_session_tick(s, now_ms());
			continue;
		}
		n = recv(fd, in + len, sizeof(in) - len, 0);
		if (n <= 0) {
			rlpx_session_closed(s, n == 0 ? SESSION_CLOSE_EOF : SESSION_CLOSE_RESET,
					    now_ms());
			continue;
		}
		len += (size_t)n;
		while ((taken = rlpx_session_recv(s, slice_of(in + at, len - at), now_ms())) > 0)
			at += taken;
		memmove(in, in + at, len - at);
		len -= at;
	}
	/* What it said last has to arrive: a close with bytes unread would be a reset. */
	shutdown(fd, SHUT_WR);
	while (recv(fd, in, sizeof(in), 0) > 0)
		continue;
}

static struct sockaddr_in address_of(const struct netaddr *addr, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (addr->kind != NETADDR_IPV4) {
		fprintf(stderr, "rlpx_probe: IPv4 only\n");
		exit(1);
	}
	memcpy(&to.sin_addr, addr->bytes, 4);
	return to;
}

/* from NULL: anywhere. */
static int call(const struct enode *node, const char *from)
{
	struct sockaddr_in to = address_of(&node->endpoint.addr, node->endpoint.tcp_port);
	struct sockaddr_in at = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (from != NULL && (inet_pton(AF_INET, from, &at.sin_addr) != 1 ||
			     bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0))
		fail(from);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		fail("connect");
	return fd;
}

static int be_called(const char *text, const uint8_t public[SECP_PUBLIC_LEN])
{
	struct enode self = { .endpoint = { .tcp_port = 0 } };
	char url[ENODE_TEXT_MAX];
	struct sockaddr_in at;
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1, peer;

	if (netaddr_parse(slice_text(text), 0, &self.endpoint.addr) != ERR_OK) {
		fprintf(stderr, "rlpx_probe: %s: expected ADDRESS:PORT\n", text);
		exit(1);
	}
	memcpy(self.key, public, sizeof(self.key));
	self.endpoint.tcp_port = self.endpoint.addr.port;
	enode_text(&self, url);
	at = address_of(&self.endpoint.addr, self.endpoint.tcp_port);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 1) != 0)
		fail("listen");
	printf("%s\n", url);
	fflush(stdout);
	peer = accept(fd, NULL, NULL);
	if (peer < 0)
		fail("accept");
	close(fd);
	return peer;
}

int main(int argc, char **argv)
{
	static struct rlpx_session session;
	bool calls = argc >= 3 && strcmp(argv[1], "call") == 0;
	uint8_t random[SECP_RANDOM_LEN], public[SECP_PUBLIC_LEN];
	struct rlpx_session_params params = { .client = slice_text("peerwalk/probe") };
	uint8_t client[P2P_BASE_MAX];
	const char *rule = NULL, *from = NULL;
	struct enode node;
	struct secp secp;
	size_t len;
	int fd;

	if (calls && argc == 5)
		from = argv[--argc];
	if (calls && argc == 4 &&
	    hex_decode(slice_text(argv[3]), client, sizeof(client), &len) == ERR_OK) {
		params.client = slice_of(client, len);
		argc--;
	}
	if (argc != 3 || (!calls && strcmp(argv[1], "called") != 0)) {
		fprintf(stderr, "usage: rlpx_probe call ENODE [CLIENT [FROM]] | "
				"called ADDRESS:PORT\n");
		return 2;
	}
	if (calls && enode_parse(slice_text(argv[2]), &node, &rule) != ERR_OK) {
		fprintf(stderr, "rlpx_probe: %s: %s\n", argv[2], rule);
		return 2;
	}
	draw(random, sizeof(random));
	secp_init(&secp, random);
	params.local.secp = &secp;
	draw_key(&params.local.key);
	draw_key(&params.local.ephemeral);
	draw_key(&params.local.ecies.ephemeral);
	draw(params.local.ecies.iv, sizeof(params.local.ecies.iv));
	draw(params.local.nonce, sizeof(params.local.nonce));
	draw(&params.local.padding, 1);
	secp_public(&secp, &params.local.key, public);
	params.role = calls ? SESSION_INITIATOR : SESSION_RESPONDER;
	params.remote = calls ? node.key : NULL;
	fd = calls ? call(&node, from) : be_called(argv[2], public);
	rlpx_session_init(&session, &params, now_ms());
	drive(&session, fd);
	close(fd);
	tell(&session);
	rlpx_session_clear(&session);
	secp_clear(&secp);
	return 0;
}
