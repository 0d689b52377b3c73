/* The simulated world on real sockets, met by visits over plain non-blocking sockets. */
#include "sim/server.h"

#include "engine/visit.h"
#include "proto/bitcoin/messages.h"
#include "support/simnet.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { PEERS = 250, GHOSTS = 60, LATENCY_MS = 4, IN_MAX = 256 * 1024 };

static void start_as(struct simnet *net, const char *network, uint32_t latency_ms)
{
	simnet_start(net, &simnet_bitcoin,
		     (struct sim_config){ .network = network_find(network),
					  .peers = PEERS,
					  .ghosts = GHOSTS,
					  .seed = 12,
					  .latency_ms = latency_ms,
					  .liars = 0.3 });
}

static void start(struct simnet *net, uint32_t latency_ms)
{
	start_as(net, "bitcoin-regtest", latency_ms);
}

static uint64_t now_ms(struct simnet *net)
{
	uv_update_time(&net->loop);
	return uv_now(&net->loop);
}

static int dial(const struct netaddr *addr)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(addr->port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	memcpy(&to.sin_addr, addr->bytes, 4);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS) {
		close(fd);
		return -errno;
	}
	return fd;
}

/* 0: connected; EINPROGRESS: not yet; else the error. */
static int dialled(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
	int error = 0;
	socklen_t len = sizeof(error);

	if (poll(&poll_fd, 1, 0) == 0)
		return EINPROGRESS;
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	return error;
}

/* --- visits --- */

struct client {
	struct visit *visit;
	int fd; /* -1: none */
	uint8_t *in;
	size_t in_len;
};

static void client_dial(struct client *c, uint64_t at_ms)
{
	c->in_len = 0;
	c->fd = dial(&c->visit->addr);
	if (c->fd < 0)
		visit_connect_failed(c->visit, OUTCOME_REFUSED, at_ms);
}

static void client_hang_up(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static void client_say(struct client *c)
{
	uint8_t bytes[1024];
	size_t n = visit_send(c->visit, bytes, sizeof(bytes));

	if (n > 0) /* a few hundred bytes always fit; a peer that is gone is told by read */
		assert_true(send(c->fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n || errno != EAGAIN);
}

static void client_hear(struct client *c, uint64_t at_ms)
{
	ssize_t n = read(c->fd, c->in + c->in_len, IN_MAX - c->in_len);
	size_t used;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		visit_closed(c->visit, n == 0 ? SESSION_CLOSE_EOF : SESSION_CLOSE_RESET, at_ms);
		return;
	}
	c->in_len += (size_t)n;
	while ((used = visit_recv(c->visit, slice_of(c->in, c->in_len), at_ms)) > 0) {
		memmove(c->in, c->in + used, c->in_len - used);
		c->in_len -= used;
		client_say(c);
	}
}

static void client_step(struct client *c, uint64_t at_ms)
{
	int error;

	if (c->visit->state == VISIT_CONNECTING || c->visit->state == VISIT_RECONNECT) {
		error = dialled(c->fd);
		if (error == 0)
			visit_connected(c->visit, at_ms);
		else if (error != EINPROGRESS)
			visit_connect_failed(
				c->visit, error == ECONNREFUSED ? OUTCOME_REFUSED : OUTCOME_RESET,
				at_ms);
	} else if (c->visit->state == VISIT_OPEN) {
		client_hear(c, at_ms);
	}
	client_say(c);
	if (c->visit->state != VISIT_DONE)
		visit_tick(c->visit, at_ms);
	if (c->visit->state == VISIT_RECONNECT && c->visit->owner == NULL) {
		c->visit->owner = c; /* dialled anew, once */
		client_hang_up(c);
		client_dial(c, at_ms);
	}
	if (c->visit->state == VISIT_DONE)
		client_hang_up(c);
}

struct crowd {
	struct visit_config config;
	struct client *clients;
	uint32_t count;
};

static void crowd_init(struct crowd *crowd, struct simnet *net, uint32_t count)
{
	memset(crowd, 0, sizeof(*crowd));
	crowd->config = (struct visit_config){ .session = { .network = net->config.network,
							    .role = SESSION_INITIATOR,
							    .goal = SESSION_GOAL_PEERS,
							    .agent = slice_text("/test:1/"),
							    .timeout_ms = 2000 },
					       .connect_timeout_ms = 1500 };
	crowd->count = count;
	crowd->clients = calloc(count, sizeof(*crowd->clients));
	assert_non_null(crowd->clients);
	for (uint32_t i = 0; i < count; i++) {
		struct client *c = &crowd->clients[i];
		struct sim_peer peer;

		c->visit = malloc(visit_size(net->config.network));
		c->in = malloc(IN_MAX);
		assert_true(c->visit && c->in);
		sim_world_peer(net->world, i, &peer);
		visit_init(c->visit, &crowd->config, &peer.addr, NULL, i + 1, now_ms(net),
			   1790000000000);
		client_dial(c, now_ms(net));
	}
}

static void crowd_run(struct crowd *crowd, struct simnet *net)
{
	uint32_t left = crowd->count;

	while (left > 0) {
		uv_run(&net->loop, UV_RUN_NOWAIT);
		usleep(200);
		left = 0;
		for (uint32_t i = 0; i < crowd->count; i++) {
			if (crowd->clients[i].visit->state == VISIT_DONE)
				continue;
			client_step(&crowd->clients[i], now_ms(net));
			left++;
		}
	}
}

static void crowd_clear(struct crowd *crowd)
{
	for (uint32_t i = 0; i < crowd->count; i++) {
		client_hang_up(&crowd->clients[i]);
		free(crowd->clients[i].visit);
		free(crowd->clients[i].in);
	}
	free(crowd->clients);
}

static void every_kind_of(const char *network)
{
	struct sim_server_counts counts;
	uint64_t kinds = 0, wanted = 0, asked = 0, full = 0;
	struct record record;
	struct sim_peer peer;
	struct crowd crowd;
	struct simnet net;

	start_as(&net, network, LATENCY_MS);
	crowd_init(&crowd, &net, PEERS + GHOSTS);
	crowd_run(&crowd, &net);
	for (uint32_t i = 0; i < crowd.count; i++) {
		sim_world_peer(net.world, i, &peer);
		visit_record(crowd.clients[i].visit, now_ms(&net), &record);
		if ((sim_kind_outcomes(peer.kind) >> record.outcome & 1) == 0)
			fail_msg("%s: %s", sim_kind_name(peer.kind), outcome_name(record.outcome));
		assert_int_equal(record.reached, sim_kind_shakes_hands(peer.kind));
		kinds |= 1ULL << peer.kind;
		full += peer.kind == SIM_FULL;
		asked += record.reached;
		if (!record.reached)
			continue;
		assert_true(slice_equal(record.info.agent, slice_text(peer.agent)));
		/* Two round trips at least: the connection's, and that of the words. */
		assert_true(record.version_ms + 1 >= 2 * (int32_t)peer.rtt_ms);
		if (peer.kind == SIM_HONEST)
			assert_true(record.adverts > 40 && record.reply_ms >= record.version_ms);
	}
	for (int kind = 0; kind < SIM_KIND_COUNT; kind++) {
		if (sim_kind_is_of((enum sim_kind)kind, net.config.network))
			wanted |= 1ULL << kind;
	}
	assert_int_equal(kinds, wanted);
	sim_server_counts(net.server, &counts);
	assert_true(counts.connections >= PEERS);
	assert_true(counts.getaddr >= asked);
	assert_true(counts.bytes_out > asked * 500 && counts.bytes_in > 0);
	assert_int_equal(counts.strangers, 0);
	assert_true(full > 0);
	crowd_clear(&crowd);
	/* Nobody is there any more: nothing is kept. */
	for (unsigned i = 0; i < 500 && counts.open > 0; i++) {
		usleep(1000);
		uv_run(&net.loop, UV_RUN_NOWAIT);
		sim_server_counts(net.server, &counts);
	}
	assert_int_equal(counts.open, 0);
	simnet_stop(&net);
}

static void every_kind_ends_as_it_should(void **state)
{
	(void)state;
	every_kind_of("bitcoin-regtest");
}

static void every_kind_of_gossip_does(void **state)
{
	(void)state;
	every_kind_of("gossip");
}

static void strangers_are_sent_away(void **state)
{
	struct netaddr addr = netaddr_ipv4(0x7f000001, 0); /* 127.0.0.1 is never in a world */
	struct sim_server_counts counts = { 0 };
	ssize_t n = -1;
	struct simnet net;
	char byte;
	int fd;

	(void)state;
	start(&net, 0);
	addr.port = net.config.port;
	fd = dial(&addr);
	assert_true(fd >= 0);
	for (unsigned i = 0; i < 2000 && n < 0; i++) {
		uv_run(&net.loop, UV_RUN_NOWAIT);
		usleep(500);
		n = read(fd, &byte, 1);
	}
	assert_int_equal(n, 0);
	sim_server_counts(net.server, &counts);
	assert_int_equal(counts.strangers, 1);
	close(fd);
	simnet_stop(&net);
}

static void ghosts_are_silent_or_refuse(void **state)
{
	enum { DIALS = 300 };
	int fds[DIALS];
	struct netaddr addr;
	struct simnet net;

	(void)state;
	start(&net, 0);
	for (unsigned i = 0; i < DIALS; i++) {
		addr = netaddr_ipv4(0x7f100000 + i, (uint16_t)(net.config.port + SIM_PORT_SILENT));
		fds[i] = dial(&addr);
		assert_true(fds[i] >= 0);
	}
	for (unsigned round = 0; round < 15; round++) { /* past the first retransmission */
		usleep(100 * 1000);
		uv_run(&net.loop, UV_RUN_NOWAIT);
	}
	for (unsigned i = 0; i < DIALS; i++) {
		assert_int_equal(dialled(fds[i]), EINPROGRESS);
		close(fds[i]);
	}
	for (unsigned i = 0; i < 20; i++) {
		addr = netaddr_ipv4(0x7f100000 + i, (uint16_t)(net.config.port + SIM_PORT_REFUSED));
		fds[i] = dial(&addr);
		if (fds[i] >= 0) {
			usleep(1000);
			assert_int_equal(dialled(fds[i]), ECONNREFUSED);
			close(fds[i]);
		} else {
			assert_int_equal(-fds[i], ECONNREFUSED);
		}
	}
	simnet_stop(&net);
}

/* Reads until `least` bytes are there, and nothing more comes (or nothing came for
 * seconds: TCP's probes of a closed window take their time). */
static uint64_t read_all(int fd, struct simnet *net, uint64_t least)
{
	static uint8_t sink[1 << 16];
	uint64_t heard = 0;
	ssize_t done;

	for (unsigned idle = 0; idle < (heard < least ? 10000 : 200); idle++) {
		while ((done = read(fd, sink, sizeof(sink))) > 0) {
			heard += (uint64_t)done;
			idle = 0;
		}
		uv_run(&net->loop, UV_RUN_NOWAIT);
		usleep(500);
	}
	return heard;
}

/* A client that asks and asks, and reads nothing, fills its own socket and no more. */
static void who_never_reads_is_no_burden(void **state)
{
	enum { ROUNDS = 3000, PINGS = 500 };
	const struct network *network = network_find("bitcoin-regtest");
	static uint8_t pings[PINGS * (BITCOIN_HEADER_LEN + 8)];
	struct session_params params = { .network = network, .role = SESSION_INITIATOR };
	_Alignas(16) uint8_t session[SESSION_SIZE_MAX];
	uint8_t flight[1024];
	struct sim_server_counts counts;
	struct netaddr seed;
	uint64_t sent = 0, heard;
	struct writer w;
	struct simnet net;
	unsigned stuck = 0;
	size_t mark, n;
	ssize_t done;
	int fd;

	(void)state;
	start(&net, 0);
	assert_int_equal(sim_world_seeds(net.world, &seed, 1), 1);
	fd = dial(&seed);
	assert_true(fd >= 0);
	network->proto->init(session, &params, 0);
	n = network->proto->send(session, flight, sizeof(flight));
	writer_init(&w, pings, sizeof(pings));
	for (unsigned i = 0; i < PINGS; i++) {
		mark = bitcoin_message_begin(&w);
		writer_u64le(&w, i + 1);
		bitcoin_message_end(&w, mark, network->magic, BITCOIN_PING);
	}
	assert_int_equal(write(fd, flight, n), (ssize_t)n);
	for (unsigned i = 0; i < ROUNDS && stuck < 50; i++) {
		/* Whole messages only: a partial write would tear one apart. */
		done = send(fd, pings + sent % sizeof(pings), sizeof(pings) - sent % sizeof(pings),
			    MSG_NOSIGNAL);
		assert_true(done > 0 || errno == EAGAIN);
		sent += done > 0 ? (uint64_t)done : 0;
		stuck = done > 0 ? 0 : stuck + 1;
		uv_run(&net.loop, UV_RUN_NOWAIT);
		usleep(done > 0 ? 0 : 1000);
	}
	assert_int_equal(stuck, 50); /* the server has stopped listening to it */
	sim_server_counts(net.server, &counts);
	assert_int_equal(counts.open, 1);
	assert_true(counts.bytes_in < sent);
	heard = read_all(fd, &net, sent); /* once it reads, it gets a pong for each ping */
	assert_true(heard > sent - sizeof(pings));
	sim_server_counts(net.server, &counts);
	assert_int_equal(counts.bytes_out, heard);
	assert_int_equal(counts.bytes_in, sent + n);
	close(fd);
	simnet_stop(&net);
}

static void it_refuses_to_start_with_a_reason(void **state)
{
	struct sim_config config;
	struct sim_server *server;
	struct sim_world *world;
	char why[256], port[16];
	struct simnet net;

	(void)state;
	start(&net, 0);
	assert_int_equal(sim_server_start(&net.loop, net.world, &server, why, sizeof(why)), ERR_IO);
	snprintf(port, sizeof(port), "%u", net.config.port);
	assert_non_null(strstr(why, port));
	assert_null(server);

	config = net.config; /* TEST-NET-2 of RFC 5737: no machine has it */
	assert_int_equal(cidr_parse(slice_text("198.51.100.0/24"), &config.range), ERR_OK);
	config.peers = 10;
	assert_int_equal(sim_world_new(&config, &world), ERR_OK);
	assert_int_equal(sim_server_start(&net.loop, world, &server, why, sizeof(why)), ERR_IO);
	assert_non_null(strstr(why, "198.51.100."));
	assert_non_null(strstr(why, "no address of this machine"));
	sim_world_free(world);
	simnet_stop(&net);
}

static void stopping_lets_go_of_everybody(void **state)
{
	struct netaddr seeds[8];
	struct sim_server_counts counts = { 0 };
	struct simnet net;
	size_t count;
	int fds[8];
	char byte;

	(void)state;
	start(&net, 0);
	count = sim_world_seeds(net.world, seeds, 8);
	assert_int_equal(count, 8);
	for (size_t i = 0; i < count; i++)
		fds[i] = dial(&seeds[i]);
	for (unsigned i = 0; i < 500 && counts.open < count; i++) {
		uv_run(&net.loop, UV_RUN_NOWAIT);
		usleep(1000);
		sim_server_counts(net.server, &counts);
	}
	assert_int_equal(counts.open, count);
	simnet_stop(&net);
	for (size_t i = 0; i < count; i++) {
		assert_true(read(fds[i], &byte, 1) <= 0);
		assert_int_not_equal(errno, EAGAIN);
		close(fds[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_ends_as_it_should),
		cmocka_unit_test(every_kind_of_gossip_does),
		cmocka_unit_test(strangers_are_sent_away),
		cmocka_unit_test(ghosts_are_silent_or_refuse),
		cmocka_unit_test(who_never_reads_is_no_burden),
		cmocka_unit_test(it_refuses_to_start_with_a_reason),
		cmocka_unit_test(stopping_lets_go_of_everybody),
	};

	/* As the program does: libuv writes to peers that may be gone. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
