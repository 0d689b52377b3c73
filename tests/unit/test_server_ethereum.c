/* The simulated Ethereum network on real sockets, visited as a crawl does it: discovery over
 * UDP, then a session over TCP. */
#include "sim/server_ethereum.h"

#include "io/node_visit.h"
#include "support/simnet.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { PEERS = 260, GHOSTS = 20, COUNT = PEERS + GHOSTS, LATENCY_MS = 10, TIMEOUT_MS = 20 * 1000 };

static struct targets targets;

static void start(struct simnet *net, double loss)
{
	simnet_start(net, &simnet_ethereum,
		     (struct sim_config){ .network = network_find("ethereum"),
					  .peers = PEERS,
					  .ghosts = GHOSTS,
					  .seed = 41,
					  .latency_ms = LATENCY_MS,
					  .jitter_ms = 5,
					  .loss = loss,
					  .liars = 0.3 });
}

/* --- visits --- */

struct result {
	bool reached;
	enum outcome outcome;
	char agent[PEER_AGENT_MAX + 1], session[32];
	uint32_t adverts;
	int64_t rtt_ms;
};

struct crowd {
	struct simnet *net;
	struct identity identity;
	struct dialer dialer;
	struct node_visitor *visitor;
	struct result results[COUNT];
	unsigned left, named, strangers;
};

static void on_named(void *ctx, struct node_visit *v, const struct advert *adverts, size_t count)
{
	struct crowd *c = ctx;

	(void)v;
	c->named += (unsigned)count;
	for (size_t i = 0; i < count; i++)
		c->strangers += sim_ethereum_find(c->net->world, &adverts[i].addr) < 0;
}

static void on_done(void *ctx, struct node_visit *v, const struct record *record)
{
	struct crowd *c = ctx;
	struct result *r = node_visit_owner(v);
	struct probe_info info;

	node_visit_probe(v, &info);
	r->reached = record->reached;
	r->outcome = record->outcome;
	r->adverts = record->adverts;
	r->rtt_ms = info.rtt_ms;
	snprintf(r->agent, sizeof(r->agent), "%.*s", (int)record->info.agent.len,
		 record->info.agent.len > 0 ? (const char *)record->info.agent.data : "");
	snprintf(r->session, sizeof(r->session), "%s",
		 record->node->session != NULL ? record->node->session : "none");
	c->left--;
}

static void visit_all(struct crowd *c, struct simnet *net)
{
	uint8_t random[SECP_RANDOM_LEN + IDENTITY_SEED_LEN] = { 4 };
	struct node_visit_config config = {
		.visit = { .session = { .network = net->config.network,
					.role = SESSION_INITIATOR,
					.goal = SESSION_GOAL_PEERS,
					.agent = slice_text("test"),
					.timeout_ms = TIMEOUT_MS,
					.identity = &c->identity },
			   .connect_timeout_ms = TIMEOUT_MS },
		.targets = &targets,
		.on_named = on_named,
		.on_done = on_done,
		.ctx = c,
	};
	char why[NODE_VISIT_WHY_MAX];

	memset(c, 0, sizeof(*c));
	c->net = net;
	identity_init(&c->identity, NULL, random);
	dialer_init(&c->dialer, &net->loop);
	assert_int_equal(node_visitor_open(&c->dialer, &config, &c->visitor, why), ERR_OK);
	for (uint32_t i = 0; i < COUNT; i++) {
		struct node_visit *v;
		struct enode node;

		sim_ethereum_enode(net->world, i, &node);
		assert_int_equal(
			node_visit_start(c->visitor, &node, 0, 0, i + 1, &c->results[i], &v),
			ERR_OK);
		c->left++;
	}
	while (c->left > 0)
		uv_run(&net->loop, UV_RUN_ONCE);
	node_visitor_close(c->visitor);
	identity_clear(&c->identity);
}

static const char *session_word(enum sim_ethereum_session session, const struct result *r)
{
	switch (session) {
	case SIM_ETHEREUM_SESSION_STATUS:
		return strcmp(r->session, "no_eth") == 0 ? "no_eth" : "ok";
	case SIM_ETHEREUM_SESSION_FULL:
		return "full";
	case SIM_ETHEREUM_SESSION_HANGS_UP:
		return "hung_up";
	case SIM_ETHEREUM_SESSION_CLOSED:
		return "refused";
	case SIM_ETHEREUM_SESSION_NONE:
	case SIM_ETHEREUM_SESSION_COUNT:
		break;
	}
	return "none";
}

static void every_kind_ends_as_it_should(void **state)
{
	static struct crowd crowd;
	struct sim_ethereum_server_counts counts;
	unsigned kinds = 0, sessions = 0, answering = 0;
	struct simnet net;

	(void)state;
	start(&net, 0);
	visit_all(&crowd, &net);
	for (uint32_t i = 0; i < COUNT; i++) {
		const struct result *r = &crowd.results[i];
		struct sim_ethereum_node node;

		sim_ethereum_node(net.world, i, &node);
		kinds |= 1U << node.kind;
		if (r->reached != sim_ethereum_kind_answers(node.kind))
			fail_msg("%s: %s", sim_ethereum_kind_name(node.kind),
				 outcome_name(r->outcome));
		if (node.kind == SIM_ETHEREUM_GHOST)
			assert_int_equal(r->outcome, OUTCOME_CONNECT_TIMEOUT);
		if (!r->reached)
			continue;
		answering++;
		assert_true(r->rtt_ms + 1 >= node.rtt_ms);
		if (node.kind != SIM_ETHEREUM_HONEST)
			continue;
		sessions |= 1U << node.session;
		if (strcmp(r->session, session_word(node.session, r)) != 0)
			fail_msg("node %u: a session that is %s ended as %s", i,
				 session_word(node.session, r), r->session);
		if (node.session == SIM_ETHEREUM_SESSION_STATUS)
			assert_string_equal(r->agent, node.client);
		else
			assert_string_equal(r->agent, "");
	}
	assert_int_equal(kinds, (1U << SIM_ETHEREUM_KIND_COUNT) - 1);
	assert_int_equal(sessions, (1U << SIM_ETHEREUM_SESSION_COUNT) - 1);
	assert_true(crowd.named > answering * 50 && crowd.strangers > 0);
	sim_ethereum_server_counts(net.server, &counts);
	/* Some who prove nothing have got a proof nevertheless. */
	assert_in_range(counts.peers.bonds, answering, PEERS);
	assert_true(counts.peers.findnodes > 3 * answering);
	assert_true(counts.peers.ghosts >= GHOSTS);
	assert_true(counts.connections >= counts.sessions && counts.sessions > answering / 2);
	assert_true(counts.datagrams_out > counts.peers.findnodes);
	assert_int_equal(counts.lost + counts.overrun + counts.strangers, 0);
	simnet_stop(&net);
}

static void loss_is_made_good(void **state)
{
	static struct crowd crowd;
	struct sim_ethereum_server_counts counts;
	unsigned missed = 0, answering = 0;
	double share;
	struct simnet net;

	(void)state;
	start(&net, 0.1);
	visit_all(&crowd, &net);
	for (uint32_t i = 0; i < COUNT; i++) {
		bool answers = sim_ethereum_kind_answers(sim_ethereum_kind(net.world, i));

		assert_true(answers || !crowd.results[i].reached);
		answering += answers;
		missed += answers && !crowd.results[i].reached;
	}
	/* Three tries, each there and back: 0.19 ^ 3. */
	assert_in_range(missed, 0, answering / 20);
	sim_ethereum_server_counts(net.server, &counts);
	share = (double)counts.lost /
		(double)(counts.datagrams_in + counts.datagrams_out + counts.lost / 2);
	assert_true(share > 0.06 && share < 0.14);
	simnet_stop(&net);
}

static int udp_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	return fd;
}

/* Garbage, and whatever goes to nobody: counted, and never answered. */
static void nobody_and_nonsense(void **state)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct sim_ethereum_server_counts counts = { 0 };
	uint8_t bytes[4000] = { 1, 2, 3 };
	struct enode node;
	struct simnet net;
	int fd;

	(void)state;
	start(&net, 0);
	fd = udp_socket();
	to.sin_port = htons(net.config.port);
	to.sin_addr.s_addr = htonl(0x7f000001); /* 127.0.0.1 is never in a world */
	assert_int_equal(sendto(fd, bytes, 200, 0, (struct sockaddr *)&to, sizeof(to)), 200);
	sim_ethereum_enode(net.world, 0, &node);
	memcpy(&to.sin_addr, node.endpoint.addr.bytes, 4);
	for (size_t len = 0; len <= sizeof(bytes); len += 500)
		assert_int_equal(sendto(fd, bytes, len, 0, (struct sockaddr *)&to, sizeof(to)),
				 (ssize_t)len);
	for (unsigned i = 0; i < 2000 && counts.datagrams_in < 10; i++) {
		uv_run(&net.loop, UV_RUN_NOWAIT);
		usleep(500);
		sim_ethereum_server_counts(net.server, &counts);
	}
	assert_int_equal(counts.datagrams_in, 10);
	assert_int_equal(counts.strangers, 1);
	assert_int_equal(counts.peers.dropped, 5); /* the rest is longer than a packet can be */
	assert_int_equal(counts.datagrams_out, 0);
	assert_true(recv(fd, bytes, sizeof(bytes), 0) < 0 && errno == EAGAIN);
	close(fd);
	simnet_stop(&net);
}

static void it_refuses_to_start_with_a_reason(void **state)
{
	struct sim_ethereum_server *server;
	struct sim_ethereum *world;
	struct sim_config config;
	char why[256], port[16];
	struct simnet net;

	(void)state;
	start(&net, 0);
	assert_int_equal(sim_ethereum_server_start(&net.loop, net.world, &server, why, sizeof(why)),
			 ERR_IO);
	snprintf(port, sizeof(port), "%u", net.config.port);
	assert_non_null(strstr(why, port));
	assert_null(server);

	config = net.config; /* TEST-NET-2 of RFC 5737: no machine has it */
	assert_int_equal(cidr_parse(slice_text("198.51.100.0/24"), &config.range), ERR_OK);
	config.peers = 10;
	assert_int_equal(sim_ethereum_new(&config, &world), ERR_OK);
	assert_int_equal(sim_ethereum_server_start(&net.loop, world, &server, why, sizeof(why)),
			 ERR_IO);
	assert_non_null(strstr(why, "198.51.100."));
	assert_non_null(strstr(why, "no address of this machine"));
	simnet_stop(&net);
	sim_ethereum_free(world);
}

/* Also of a connection that says nothing. */
static void stopping_lets_go_of_everything(void **state)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct sim_ethereum_server_counts counts = { 0 };
	struct enode node;
	struct simnet net;
	char byte;
	int fd;

	(void)state;
	start(&net, 0);
	sim_ethereum_enode(net.world, 0, &node);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(&to.sin_addr, node.endpoint.addr.bytes, 4);
	to.sin_port = htons(node.endpoint.tcp_port);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	for (unsigned i = 0; i < 2000 && counts.open == 0; i++) {
		uv_run(&net.loop, UV_RUN_NOWAIT);
		usleep(500);
		sim_ethereum_server_counts(net.server, &counts);
	}
	assert_int_equal(counts.open, 1);
	simnet_stop(&net);
	assert_true(read(fd, &byte, 1) <= 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_ends_as_it_should),
		cmocka_unit_test(loss_is_made_good),
		cmocka_unit_test(nobody_and_nonsense),
		cmocka_unit_test(it_refuses_to_start_with_a_reason),
		cmocka_unit_test(stopping_lets_go_of_everything),
	};

	signal(SIGPIPE, SIG_IGN);
	targets_init(&targets);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
