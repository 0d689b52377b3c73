/* discv4_world.h: a discv4 node on virtual time, and those who talk to it: the mail that it
 * sends, the events that it tells. For one program: all is static. */
#ifndef PEERWALK_TESTS_SUPPORT_DISCV4_WORLD_H
#define PEERWALK_TESTS_SUPPORT_DISCV4_WORLD_H

#include "proto/ethereum/relay.h"
#include "support/discv4_cases.h"

enum { NODE_PORT = 30303, MAIL_MAX = 256, START_S = 1780000000, PLAYERS = 40 };

/* What the node sent and nobody has read, and what it told. */
struct world {
	struct carrier carrier; /* first: the cases know no more */
	uint64_t now_ms;
	uint16_t last_port;
	struct {
		struct netaddr to;
		struct packet packet;
		uint64_t at_ms;
	} mail[MAIL_MAX];
	unsigned mail_count;
	struct discv4_event events[MAIL_MAX];
	unsigned event_count;
	bool by_steps; /* packets are signed elsewhere */
};

static struct secp secp;
static struct discv4 node;
static struct world world;
static struct player players[PLAYERS];

static inline void fetch(void)
{
	struct discv4_datagram d;

	while (world.by_steps ? discv4_send_unsigned(&node, &d) : discv4_send(&node, &d)) {
		if (world.by_steps) {
			discv4_sign(&d, &secp, &node.params.key);
			discv4_signed(&node, &d);
		}
		assert_in_range(d.len, DISCV4_PACKET_MIN, DISCV4_PACKET_MAX);
		assert_true(world.mail_count < MAIL_MAX);
		world.mail[world.mail_count].to = d.to;
		world.mail[world.mail_count].at_ms = world.now_ms;
		world.mail[world.mail_count].packet.len = d.len;
		memcpy(world.mail[world.mail_count++].packet.bytes, d.bytes, d.len);
	}
	while (world.event_count < MAIL_MAX && discv4_next(&node, &world.events[world.event_count]))
		world.event_count++;
}

/* The first packet for that address, if there is one. */
static inline bool take_mail(const struct netaddr *to, struct packet *out)
{
	for (unsigned i = 0; i < world.mail_count; i++) {
		if (!netaddr_equal(&world.mail[i].to, to))
			continue;
		*out = world.mail[i].packet;
		memmove(&world.mail[i], &world.mail[i + 1],
			(--world.mail_count - i) * sizeof(*world.mail));
		return true;
	}
	return false;
}

static inline void say(const struct player *by, const struct packet *p, enum discv4_fate expected)
{
	assert_string_equal(
		discv4_fate_name(discv4_recv(&node, &by->addr, packet_slice(p), world.now_ms)),
		discv4_fate_name(expected));
	fetch();
}

static inline void run_until(uint64_t until_ms)
{
	while (discv4_deadline(&node) <= until_ms) {
		if (discv4_deadline(&node) > world.now_ms)
			world.now_ms = discv4_deadline(&node);
		discv4_tick(&node, world.now_ms);
		fetch();
	}
	world.now_ms = until_ms;
}

static inline int64_t wall_s(struct carrier *c)
{
	(void)c;
	return START_S + (int64_t)world.now_ms / 1000;
}

static inline int64_t later_s(void)
{
	return wall_s(NULL) + PLAYER_EXPIRATION_S;
}

static inline void virtual_say(struct carrier *c, unsigned listener, struct slice packet)
{
	discv4_recv(&node, &c->addrs[listener], packet, world.now_ms);
	fetch();
}

static inline bool virtual_hear(struct carrier *c, unsigned listener, struct packet *out)
{
	uint64_t until_ms = world.now_ms + CASE_SILENCE_MS;

	while (!take_mail(&c->addrs[listener], out)) {
		if (discv4_deadline(c->node) > until_ms) {
			world.now_ms = until_ms;
			return false;
		}
		run_until(discv4_deadline(c->node) > world.now_ms ? discv4_deadline(c->node)
								  : world.now_ms);
	}
	return true;
}

static inline void virtual_renew(struct carrier *c)
{
	world.last_port++;
	for (unsigned i = 0; i < CASE_LISTENERS; i++)
		c->addrs[i] = netaddr_ipv4(0x05060701 + i, world.last_port);
}

static inline struct discv4_params params_of(void)
{
	struct discv4_params p = { .secp = &secp, .seed = 9, .seq = 7 };

	p.key.bytes[0] = 1;
	p.wall_ms = (int64_t)START_S * 1000;
	p.self.addr = netaddr_ipv4(0x05050505, NODE_PORT);
	p.self.tcp_port = NODE_PORT;
	return p;
}

static inline void begin(const struct discv4_params *params)
{
	memset(&world, 0, sizeof(world));
	world.carrier = (struct carrier){ .node = &node,
					  .node_addr = params->self.addr,
					  .secp = &secp,
					  .renew = virtual_renew,
					  .say = virtual_say,
					  .hear = virtual_hear,
					  .now_s = wall_s };
	world.now_ms = 1000;
	world.last_port = 2000;
	discv4_init(&node, params, world.now_ms);
	fetch();
}

static inline int start(void **state)
{
	static const uint8_t random[SECP_RANDOM_LEN] = { 7 };

	(void)state;
	secp_init(&secp, random);
	for (unsigned i = 0; i < PLAYERS; i++) {
		struct netaddr addr = netaddr_ipv4(0x05100001 + (i << 8), 30000);

		if (i % 4 == 3) { /* 2600:i::1 */
			addr = (struct netaddr){ .kind = NETADDR_IPV6, .port = 30000 };
			addr.bytes[0] = 0x26;
			addr.bytes[3] = (uint8_t)i;
			addr.bytes[2] = (uint8_t)i;
			addr.bytes[15] = 1;
		}
		player_init(&players[i], &secp, 1 + i, &addr);
	}
	return 0;
}

static inline int stop(void **state)
{
	(void)state;
	secp_clear(&secp);
	return 0;
}

/* The next packet for the player, which has to be of that type. */
static inline void expect(const struct player *p, enum discv4_type type, struct packet *packet,
			  struct discv4_packet *out)
{
	struct reader r;

	assert_true(take_mail(&p->addr, packet));
	reader_init(&r, packet_slice(packet));
	discv4_decode(&r, out);
	assert_true(reader_ok(&r));
	assert_string_equal(discv4_type_name(out->type), discv4_type_name(type));
}

static inline void player_pings(const struct player *p)
{
	struct discv4_ping m = ping_of(p, &world.carrier.node_addr, wall_s(NULL));
	struct packet ping;

	say_ping(p, &m, &ping);
	say(p, &ping, DISCV4_TAKEN);
}

static inline void player_pongs(const struct player *p, const struct packet *ping,
				const struct netaddr *sees, uint64_t seq, enum discv4_fate expected)
{
	struct discv4_pong m = { .to = { .addr = *sees },
				 .ping_hash = packet_hash(ping),
				 .expiration_s = later_s(),
				 .has_enr_seq = seq > 0,
				 .enr_seq = seq };
	struct packet pong;

	say_pong(p, &m, &pong);
	say(p, &pong, expected);
}

static inline void player_bonds(const struct player *p, const struct netaddr *sees)
{
	struct discv4_packet heard;
	struct packet packet;

	player_pings(p);
	expect(p, DISCV4_PONG, &packet, &heard);
	expect(p, DISCV4_PING, &packet, &heard);
	player_pongs(p, &packet, sees, 0, DISCV4_TAKEN);
}

static inline unsigned events_of(enum discv4_event_type type)
{
	unsigned n = 0;

	for (unsigned i = 0; i < world.event_count; i++)
		n += world.events[i].type == type;
	return n;
}

#endif
