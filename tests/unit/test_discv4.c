/* test_discv4.c: a discv4 node, on virtual time. */
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

static void fetch(void)
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
static bool take_mail(const struct netaddr *to, struct packet *out)
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

static void say(const struct player *by, const struct packet *p, enum discv4_fate expected)
{
	assert_string_equal(
		discv4_fate_name(discv4_recv(&node, &by->addr, packet_slice(p), world.now_ms)),
		discv4_fate_name(expected));
	fetch();
}

static void run_until(uint64_t until_ms)
{
	while (discv4_deadline(&node) <= until_ms) {
		if (discv4_deadline(&node) > world.now_ms)
			world.now_ms = discv4_deadline(&node);
		discv4_tick(&node, world.now_ms);
		fetch();
	}
	world.now_ms = until_ms;
}

static int64_t wall_s(struct carrier *c)
{
	(void)c;
	return START_S + (int64_t)world.now_ms / 1000;
}

static int64_t later_s(void)
{
	return wall_s(NULL) + PLAYER_EXPIRATION_S;
}

static void virtual_say(struct carrier *c, unsigned listener, struct slice packet)
{
	discv4_recv(c->node, &c->addrs[listener], packet, world.now_ms);
	fetch();
}

static bool virtual_hear(struct carrier *c, unsigned listener, struct packet *out)
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

static void virtual_renew(struct carrier *c)
{
	world.last_port++;
	for (unsigned i = 0; i < CASE_LISTENERS; i++)
		c->addrs[i] = netaddr_ipv4(0x05060701 + i, world.last_port);
}

static struct discv4_params params_of(void)
{
	struct discv4_params p = { .secp = &secp, .seed = 9, .seq = 7 };

	p.key.bytes[0] = 1;
	p.wall_ms = (int64_t)START_S * 1000;
	p.self.addr = netaddr_ipv4(0x05050505, NODE_PORT);
	p.self.tcp_port = NODE_PORT;
	return p;
}

static void begin(const struct discv4_params *params)
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

static int start(void **state)
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

static int stop(void **state)
{
	(void)state;
	secp_clear(&secp);
	return 0;
}

/* The next packet for the player, which has to be of that type. */
static void expect(const struct player *p, enum discv4_type type, struct packet *packet,
		   struct discv4_packet *out)
{
	struct reader r;

	assert_true(take_mail(&p->addr, packet));
	reader_init(&r, packet_slice(packet));
	discv4_decode(&r, out);
	assert_true(reader_ok(&r));
	assert_string_equal(discv4_type_name(out->type), discv4_type_name(type));
}

static void player_pings(const struct player *p)
{
	struct discv4_ping m = ping_of(p, &world.carrier.node_addr, wall_s(NULL));
	struct packet ping;

	say_ping(p, &m, &ping);
	say(p, &ping, DISCV4_TAKEN);
}

static void player_pongs(const struct player *p, const struct packet *ping,
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

static void player_bonds(const struct player *p, const struct netaddr *sees)
{
	struct discv4_packet heard;
	struct packet packet;

	player_pings(p);
	expect(p, DISCV4_PONG, &packet, &heard);
	expect(p, DISCV4_PING, &packet, &heard);
	player_pongs(p, &packet, sees, 0, DISCV4_TAKEN);
}

static unsigned events_of(enum discv4_event_type type)
{
	unsigned n = 0;

	for (unsigned i = 0; i < world.event_count; i++)
		n += world.events[i].type == type;
	return n;
}

static void conforms(void **state)
{
	struct discv4_params params = params_of();

	(void)state;
	begin(&params);
	cases_run(&world.carrier);
}

/* The same with decoding and signing in other hands. */
static void conforms_by_steps(void **state)
{
	struct discv4_params params = params_of();

	(void)state;
	begin(&params);
	world.by_steps = true;
	cases_run(&world.carrier);
}

/* A packet of other people, cut or changed, and one of our own. */
static void refuses(void **state)
{
	struct discv4_params params = params_of();
	struct player self = { .secp = &secp, .key = params.key, .addr = players[0].addr };
	struct netaddr nowhere = { .kind = NETADDR_NONE };
	struct discv4_ping m;
	struct packet ping;

	(void)state;
	begin(&params);
	m = ping_of(&players[0], &params.self.addr, wall_s(NULL));
	say_ping(&players[0], &m, &ping);
	assert_int_equal(discv4_recv(&node, &nowhere, packet_slice(&ping), world.now_ms),
			 DISCV4_MALFORMED);
	ping.bytes[DISCV4_HEADER_LEN] ^= 1;
	say(&players[0], &ping, DISCV4_MALFORMED);
	ping.len = DISCV4_PACKET_MIN - 1;
	say(&players[0], &ping, DISCV4_MALFORMED);
	say_ping(&self, &m, &ping);
	say(&self, &ping, DISCV4_SELF);
	assert_int_equal(world.mail_count, 0);
	assert_int_equal(world.event_count, 0);
}

/* 16 of 40, in packets that fit, and only such as have proven to be there. */
static void names_the_living(void **state)
{
	struct discv4_params params = params_of();
	struct kademlia_node dead;
	struct discv4_packet heard;
	struct packet packet;
	struct enode named;
	struct player lan;
	unsigned count = 0, packets = 0;
	struct reader r;

	(void)state;
	begin(&params);
	player_init(&lan, &secp, 500, &(struct netaddr){ .kind = NETADDR_NONE });
	lan.addr = netaddr_ipv4(0x0a000001, 30000);
	dead = player_node(&players[PLAYERS - 1]);
	assert_int_equal(discv4_add(&node, &dead, world.now_ms), KADEMLIA_ADDED);
	say_findnode(&players[0], dead.key, later_s(), &packet);
	say(&players[0], &packet, DISCV4_UNBONDED);
	player_bonds(&lan, &params.self.addr);
	for (unsigned i = 0; i + 1 < PLAYERS; i++)
		player_bonds(&players[i], &params.self.addr);
	assert_int_equal(events_of(DISCV4_EVENT_BONDED), PLAYERS);
	assert_int_equal(discv4_bonds_count(&node.bonds, world.now_ms), PLAYERS);
	say_findnode(&players[0], dead.key, later_s(), &packet);
	say(&players[0], &packet, DISCV4_TAKEN);
	while (world.mail_count > 0) {
		expect(&players[0], DISCV4_NEIGHBORS, &packet, &heard);
		packets++;
		assert_in_range(heard.neighbors.count, 1, DISCV4_PACKET_NODES);
		reader_init(&r, heard.neighbors.nodes);
		while (discv4_neighbors_next(&r, &named)) {
			count++;
			assert_memory_not_equal(named.key, dead.key, sizeof(named.key));
			assert_memory_not_equal(named.key, lan.public, sizeof(named.key));
			assert_int_equal(named.endpoint.tcp_port, 30000);
		}
	}
	assert_in_range(count, KADEMLIA_BUCKET_SIZE - 1, KADEMLIA_BUCKET_SIZE);
	assert_int_equal(packets, 2);
}

static void bonds_end(void **state)
{
	struct discv4_params params = params_of();
	struct packet packet;

	(void)state;
	begin(&params);
	player_bonds(&players[0], &params.self.addr);
	say_findnode(&players[0], players[1].public, later_s() + DISCV4_BOND_MS / 1000, &packet);
	world.now_ms += DISCV4_BOND_MS - 1;
	say(&players[0], &packet, DISCV4_TAKEN);
	world.now_ms++;
	say(&players[0], &packet, DISCV4_UNBONDED);
	world.mail_count = 0;
	player_bonds(&players[0], &params.self.addr); /* with a PING of ours, again */
	assert_int_equal(events_of(DISCV4_EVENT_BONDED), 2);
}

/* A key more at the same address takes the place of that address's oldest. */
static void bonds_are_capped(void **state)
{
	static struct discv4_bonds bonds;
	struct netaddr crowd = netaddr_ipv4(0x05060708, 999), lan = netaddr_ipv4(0x7f000001, 999);
	uint8_t hash[KADEMLIA_HASH_LEN] = { 0 };

	(void)state;
	discv4_bonds_init(&bonds, &(struct hash_key){ 1, 2 });
	for (unsigned i = 0; i < 1000; i++) {
		hash[0] = (uint8_t)i;
		hash[1] = (uint8_t)(i >> 8);
		discv4_bonds_prove(&bonds, hash, &crowd, i);
		assert_non_null(discv4_bonds_find(&bonds, hash, &crowd, i));
	}
	assert_int_equal(discv4_bonds_count(&bonds, 1000), DISCV4_BOND_WAYS);
	for (unsigned i = 0; i < 100000; i++) {
		memcpy(hash, &i, sizeof(i));
		discv4_bonds_prove(&bonds, hash, &lan, 1000);
	}
	assert_int_equal(discv4_bonds_count(&bonds, 1000), DISCV4_BONDS_MAX);
	assert_null(discv4_bonds_find(&bonds, hash, &crowd, 1000));
}

static void answer_check(struct player *p, uint64_t seq)
{
	struct discv4_packet heard;
	struct packet packet;

	while (world.mail_count == 0)
		run_until(discv4_deadline(&node));
	expect(p, DISCV4_PING, &packet, &heard);
	player_pongs(p, &packet, &world.carrier.node_addr, seq, DISCV4_TAKEN);
}

static void drops_the_silent(void **state)
{
	struct discv4_params params = params_of();
	struct kademlia_node known = player_node(&players[0]);
	struct kademlia_node never = player_node(&players[1]);

	(void)state;
	begin(&params);
	discv4_add(&node, &known, world.now_ms);
	assert_in_range(discv4_deadline(&node), world.now_ms, world.now_ms + KADEMLIA_FAST_MS);
	for (unsigned i = 0; i < 5; i++)
		answer_check(&players[0], 0);
	assert_int_equal(events_of(DISCV4_EVENT_ALIVE), 5);
	assert_true(kademlia_find(&node.table, known.hash)->live);
	discv4_add(&node, &never, world.now_ms);
	world.event_count = 0;
	run_until(world.now_ms + 60 * 1000);
	assert_int_equal(events_of(DISCV4_EVENT_DROPPED), 2);
	assert_int_equal(kademlia_count(&node.table), 0);
	/* First it who never answered; then who did, after two checks: 5 / 3 / 3. */
	assert_memory_equal(world.events[0].node.hash, never.hash, sizeof(never.hash));
	assert_int_equal(world.mail_count, 3);
}

/* A check says that there is a newer record; the record says where the node is now. */
static void follows_records(void **state)
{
	struct discv4_params params = params_of();
	struct enode_endpoint at = { .addr = netaddr_ipv4(0x05100909, 31000), .tcp_port = 7 };
	struct kademlia_node known = player_node(&players[0]);
	const struct kademlia_entry *e;
	struct packet request, packet;
	struct discv4_packet heard;

	(void)state;
	begin(&params);
	discv4_add(&node, &known, world.now_ms);
	answer_check(&players[0], 5);
	expect(&players[0], DISCV4_ENRREQUEST, &request, &heard);
	/* Somebody else's, for another question, or twice: no. */
	say_enrresponse(&players[1], packet_hash(&request), 5, &at, &packet);
	say(&players[1], &packet, DISCV4_UNASKED);
	say_enrresponse(&players[0], slice_of(known.hash, 32), 5, &at, &packet);
	say(&players[0], &packet, DISCV4_UNASKED);
	say_enrresponse(&players[0], packet_hash(&request), 5, &at, &packet);
	say(&players[0], &packet, DISCV4_TAKEN);
	say(&players[0], &packet, DISCV4_UNASKED);
	assert_int_equal(events_of(DISCV4_EVENT_RECORD), 1);
	e = kademlia_find(&node.table, known.hash);
	assert_true(netaddr_equal(&e->node.addr, &at.addr));
	assert_int_equal(e->node.seq, 5);
	assert_false(e->live);
}

/* A record without an address, or with one of a network that is none of its business. */
static void moves_nowhere(void **state)
{
	static const uint32_t places[] = { 0, 0x0a000001, 0x7f000001 };
	struct discv4_params params = params_of();
	struct kademlia_node known = player_node(&players[0]);
	struct packet request, packet;
	struct discv4_packet heard;

	(void)state;
	begin(&params);
	discv4_add(&node, &known, world.now_ms);
	for (unsigned i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct enode_endpoint at = { .addr = netaddr_ipv4(places[i], 31000) };
		const struct kademlia_entry *e;

		answer_check(&players[0], 5 + i);
		expect(&players[0], DISCV4_ENRREQUEST, &request, &heard);
		if (places[i] == 0)
			at.addr.kind = NETADDR_NONE;
		say_enrresponse(&players[0], packet_hash(&request), 5 + i, &at, &packet);
		say(&players[0], &packet, DISCV4_TAKEN);
		e = kademlia_find(&node.table, known.hash);
		assert_true(netaddr_equal(&e->node.addr, &known.addr) && e->live);
		assert_int_equal(e->node.seq, 5 + i);
	}
	answer_check(&players[0], 7);
	assert_int_equal(world.mail_count, 0);
}

static const struct {
	const char *name;
	unsigned first, second; /* how many say the first address, how many the other one */
	uint64_t pause_ms;      /* after each */
	bool fixed, moves;
} statement_rows[] = {
	{ "ten", 10, 0, 1000, false, true },
	{ "nine", 9, 0, 1000, false, false },
	{ "ten, too slow", 10, 0, 40 * 1000, false, false },
	{ "ten, and two others", 10, 2, 1000, false, true },
	{ "ten, and the address is fixed", 10, 0, 1000, true, false },
};

static void believes_ten(void **state)
{
	struct netaddr first = netaddr_ipv4(0x05aaaaaa, 4444);
	struct netaddr second = netaddr_ipv4(0x05bbbbbb, 5555);

	(void)state;
	for (size_t row = 0; row < sizeof(statement_rows) / sizeof(*statement_rows); row++) {
		struct discv4_params params = params_of();
		struct enode_endpoint in_record;
		struct reader r;
		struct enr e;
		bool moved;

		print_message("  %s\n", statement_rows[row].name);
		params.self_fixed = statement_rows[row].fixed;
		begin(&params);
		for (unsigned i = 0; i < statement_rows[row].first + statement_rows[row].second;
		     i++) {
			player_bonds(&players[i],
				     i < statement_rows[row].second ? &second : &first);
			run_until(world.now_ms + statement_rows[row].pause_ms);
			world.mail_count = 0; /* checks, unanswered */
		}
		assert_int_equal(events_of(DISCV4_EVENT_STATEMENT),
				 statement_rows[row].first + statement_rows[row].second);
		moved = events_of(DISCV4_EVENT_MOVED) == 1;
		assert_int_equal(moved, statement_rows[row].moves);
		assert_int_equal(discv4_seq(&node), moved ? 8 : 7);
		reader_init(&r, discv4_record(&node));
		enr_decode(&r, &e);
		assert_true(reader_ok(&r) && enr_endpoint4(&e, &in_record));
		assert_int_equal(e.seq, discv4_seq(&node));
		assert_true(netaddr_equal(&in_record.addr, moved ? &first : &params.self.addr));
	}
}

/* Ten that see us at an IPv6 address don't move a node that knows its IPv4 address; one
 * that knows nothing believes them. */
static void one_kind(void **state)
{
	(void)state;
	for (unsigned known = 0; known < 2; known++) {
		struct discv4_params params = params_of();

		if (!known)
			params.self.addr = (struct netaddr){ .port = NODE_PORT };
		begin(&params);
		for (unsigned i = 0; i < STATEMENTS_NEEDED; i++)
			player_bonds(&players[i], &players[39].addr);
		assert_int_equal(events_of(DISCV4_EVENT_STATEMENT), STATEMENTS_NEEDED);
		assert_int_equal(events_of(DISCV4_EVENT_MOVED), 1 - known);
	}
}

static void statements_draw(void **state)
{
	struct netaddr out, a = netaddr_ipv4(0x05aaaaaa, 4444), b = netaddr_ipv4(0x05bbbbbb, 5555);
	struct statements s;

	(void)state;
	statements_init(&s);
	for (unsigned i = 0; i < 2 * STATEMENTS_NEEDED; i++) {
		struct netaddr by = netaddr_ipv4(0x05100001 + i, 30000);

		statements_add(&s, &by, i % 2 == 0 ? &a : &b, i);
	}
	assert_false(statements_agreed(&s, 100, &out));
	for (unsigned i = 0; i < 1000; i++) { /* one host, of many ports: one voice */
		struct netaddr by = netaddr_ipv4(0x05200001, (uint16_t)(30000 + i));

		statements_add(&s, &by, &b, 100);
	}
	assert_true(statements_agreed(&s, 100, &out) && netaddr_equal(&out, &b));
	assert_int_equal(s.count, 2 * STATEMENTS_NEEDED + 1);
	assert_false(statements_agreed(&s, 100 + STATEMENTS_WINDOW_MS, &out));
}

/* Anybody can write any address on a packet. */
static void no_amplifier(void **state)
{
	struct discv4_params params = params_of();
	size_t in = 0, out = 0;

	(void)state;
	begin(&params);
	for (unsigned i = 0; i < 600; i++) {
		struct discv4_ping m = { .version = 4, .expiration_s = later_s() };
		struct packet packet;
		struct player p;

		/* Each with a new key, and no address in it: as short as can be. */
		player_init(&p, &secp, 5000 + i, &players[3].addr);
		say_ping(&p, &m, &packet);
		in += packet.len;
		say(&p, &packet, DISCV4_TAKEN);
		while (take_mail(&p.addr, &packet))
			out += packet.len;
		say_findnode(&p, p.public, later_s(), &packet);
		say(&p, &packet, DISCV4_UNBONDED);
		say_enrrequest(&p, later_s(), &packet);
		say(&p, &packet, DISCV4_UNBONDED);
		assert_int_equal(world.mail_count, 0);
		assert_true(out <= in * DISCV4_AMPLIFY_MAX);
	}
	assert_int_equal(node.pending_count, DISCV4_PENDING_STRANGERS);
	assert_int_equal(discv4_bonds_count(&node.bonds, world.now_ms), 0);
	assert_int_equal(kademlia_count(&node.table), 0);
	/* We may still ask whom we want; and all that ends. */
	assert_true(discv4_ping(&node, &(struct kademlia_node){ .addr = players[0].addr },
				world.now_ms));
	run_until(world.now_ms + DISCV4_REPLY_MS);
	assert_int_equal(node.pending_count, 0);
	assert_int_equal(events_of(DISCV4_EVENT_SILENT), 1);
}

static unsigned mail_for(const struct netaddr *to)
{
	unsigned n = 0;

	for (unsigned i = 0; i < world.mail_count; i++)
		n += netaddr_equal(&world.mail[i].to, to);
	return n;
}

static void name(struct enode *out, const struct player *p)
{
	memcpy(out->key, p->public, sizeof(out->key));
	out->endpoint = (struct enode_endpoint){ .addr = p->addr, .tcp_port = 30000 };
}

/* A lookup on its way: the first node was pinged. */
static void begin_lookup(struct packet *ping)
{
	struct discv4_params params = params_of();
	struct kademlia_node boot = player_node(&players[0]);
	struct discv4_packet heard;

	begin(&params);
	discv4_add(&node, &boot, world.now_ms);
	assert_int_equal(discv4_lookup(&node, players[9].public, world.now_ms), 1);
	assert_int_equal(discv4_deadline(&node), world.now_ms);
	run_until(world.now_ms);
	expect(&players[0], DISCV4_PING, ping, &heard);
	assert_int_equal(world.mail_count, 0);
}

static void expect_findnode(const struct player *p)
{
	struct discv4_packet heard;
	struct packet packet;

	expect(p, DISCV4_FINDNODE, &packet, &heard);
	assert_memory_equal(heard.findnode.target.data, players[9].public, SECP_PUBLIC_LEN);
}

/* Proof in both directions, then the question; of those named, only who may be called. */
static void looks_up(void **state)
{
	const struct kademlia_node *found[LOOKUP_RESULT_MAX];
	struct discv4_packet heard;
	struct enode named[6];
	struct packet packet;

	(void)state;
	begin_lookup(&packet);
	player_pongs(&players[0], &packet, &world.carrier.node_addr, 0, DISCV4_TAKEN);
	run_until(world.now_ms + 10);
	assert_int_equal(world.mail_count, 0);
	player_pings(&players[0]);
	expect(&players[0], DISCV4_PONG, &packet, &heard);
	expect_findnode(&players[0]);
	assert_int_equal(world.mail_count, 0);

	for (unsigned i = 0; i < 6; i++)
		name(&named[i], &players[4 + i]);
	named[2].endpoint.addr = netaddr_ipv4(0x0a000001, 30000); /* from outside of a LAN */
	named[3].endpoint.addr.port = 53;
	memset(named[4].key, 0xff, sizeof(named[4].key)); /* no point of the curve */
	memcpy(named[5].key, node.key, sizeof(named[5].key));
	say_neighbors(&players[1], named, 6, later_s(), &packet);
	say(&players[1], &packet, DISCV4_UNASKED);
	say_neighbors(&players[0], named, 6, later_s() - 30, &packet);
	say(&players[0], &packet, DISCV4_EXPIRED);
	say_neighbors(&players[0], named, 6, later_s(), &packet);
	say(&players[0], &packet, DISCV4_TAKEN);
	assert_int_equal(mail_for(&players[4].addr), 1);
	assert_int_equal(mail_for(&players[5].addr), 1);
	assert_int_equal(world.mail_count, 2);
	run_until(world.now_ms + DISCV4_MORE_MS);
	say(&players[0], &packet, DISCV4_UNASKED); /* too late */

	player_pings(&players[5]); /* before its PONG: as good */
	expect(&players[5], DISCV4_PING, &packet, &heard);
	player_pongs(&players[5], &packet, &world.carrier.node_addr, 0, DISCV4_TAKEN);
	expect(&players[5], DISCV4_PONG, &packet, &heard);
	expect_findnode(&players[5]);
	say_neighbors(&players[5], named, 0, later_s(), &packet);
	say(&players[5], &packet, DISCV4_TAKEN);
	while (events_of(DISCV4_EVENT_FOUND) == 0)
		run_until(discv4_deadline(&node));
	assert_int_equal(discv4_found(&node, found), 2);
	assert_true(memcmp(found[0]->key, players[0].public, SECP_PUBLIC_LEN) == 0 ||
		    memcmp(found[1]->key, players[0].public, SECP_PUBLIC_LEN) == 0);
	assert_true(memcmp(found[0]->key, players[5].public, SECP_PUBLIC_LEN) == 0 ||
		    memcmp(found[1]->key, players[5].public, SECP_PUBLIC_LEN) == 0);
}

/* Who has a bond with us from before doesn't ping back; it is asked all the same. */
static void asks_who_knows_us(void **state)
{
	const struct kademlia_node *found[LOOKUP_RESULT_MAX];
	struct enode named[KADEMLIA_BUCKET_SIZE];
	struct packet packet;

	(void)state;
	begin_lookup(&packet);
	player_pongs(&players[0], &packet, &world.carrier.node_addr, 0, DISCV4_TAKEN);
	run_until(world.now_ms + DISCV4_PING_BACK_MS - 1);
	assert_int_equal(world.mail_count, 0);
	run_until(world.now_ms + 1);
	expect_findnode(&players[0]);
	/* 12 and 12: more than 16 are not listened to, and the end needs no waiting. */
	for (unsigned i = 0; i < KADEMLIA_BUCKET_SIZE; i++)
		name(&named[i], &players[10 + i]);
	say_neighbors(&players[0], named, 12, later_s(), &packet);
	say(&players[0], &packet, DISCV4_TAKEN);
	for (unsigned i = 0; i < 12; i++)
		name(&named[i], &players[22 + i]);
	say_neighbors(&players[0], named, 12, later_s(), &packet);
	say(&players[0], &packet, DISCV4_TAKEN);
	say(&players[0], &packet, DISCV4_UNASKED);
	assert_int_equal(kademlia_count(&node.table), 1 + KADEMLIA_BUCKET_SIZE);
	/* Nobody else is there: each of the 16 has its second, three at a time. */
	while (events_of(DISCV4_EVENT_FOUND) == 0)
		run_until(discv4_deadline(&node));
	assert_int_equal(discv4_found(&node, found), 1);
	assert_in_range(world.now_ms, 6 * DISCV4_REPLY_MS, 9 * DISCV4_REPLY_MS);
}

/* It pinged us before: no proof is needed. Six silences, and it is. */
static void spares_the_proof(void **state)
{
	struct discv4_params params = params_of();
	struct discv4_packet heard;
	struct packet packet;

	(void)state;
	begin(&params);
	player_bonds(&players[0], &params.self.addr);
	for (unsigned i = 0; i <= DISCV4_FAILURES_MAX + 1; i++) {
		world.event_count = 0;
		discv4_lookup(&node, players[9].public, world.now_ms);
		run_until(world.now_ms);
		if (i <= DISCV4_FAILURES_MAX)
			expect_findnode(&players[0]);
		else
			expect(&players[0], DISCV4_PING, &packet, &heard);
		run_until(world.now_ms + DISCV4_REPLY_MS);
		assert_int_equal(events_of(DISCV4_EVENT_FOUND), 1);
		world.mail_count = 0; /* checks */
	}
}

/* One after the other, and no more than can wait. */
static void lookups_wait(void **state)
{
	struct discv4_params params = params_of();
	unsigned next = 1;

	(void)state;
	begin(&params);
	for (unsigned i = 1; i <= DISCV4_LOOKUPS_MAX; i++)
		assert_int_equal(discv4_lookup(&node, players[0].public, world.now_ms), i);
	assert_int_equal(discv4_lookup(&node, players[0].public, world.now_ms), 0);
	run_until(world.now_ms + 1);
	for (unsigned i = 0; i < world.event_count; i++)
		assert_int_equal(world.events[i].number, next++);
	assert_int_equal(next, DISCV4_LOOKUPS_MAX + 1);
	assert_int_equal(discv4_deadline(&node), UINT64_MAX);
}

/* All alone it doesn't wait for half an hour: the bootstrap node is asked again. */
static void refreshes(void **state)
{
	struct discv4_params params = params_of();
	struct kademlia_node boot = player_node(&players[0]);

	(void)state;
	params.boots = &boot;
	params.boots_count = 1;
	params.refresh_ms = 30 * 60 * 1000;
	begin(&params);
	run_until(world.now_ms + 60 * 1000);
	assert_in_range(events_of(DISCV4_EVENT_DROPPED), 4, 6);
	assert_in_range(mail_for(&players[0].addr), 8, 30);
	assert_int_equal(events_of(DISCV4_EVENT_FOUND), 0);
}

/* The shortest PING that can be read, and the longest answers. */
static void bounds_the_answers(void **state)
{
	struct discv4_params params = params_of();
	struct discv4_packet heard;
	struct packet packet;
	struct writer w;
	size_t outer, inner, len;

	(void)state;
	params.self.addr = players[7].addr;
	params.seq = UINT64_MAX;
	begin(&params);
	packet_begin(&packet, &w, DISCV4_PING);
	outer = rlp_put_list(&w);
	rlp_put_uint(&w, 4);
	for (unsigned i = 0; i < 2; i++) {
		inner = rlp_put_list(&w);
		rlp_put_uint(&w, 0);
		rlp_put_uint(&w, 0);
		rlp_end_list(&w, inner);
	}
	rlp_put_uint(&w, (uint64_t)later_s());
	rlp_end_list(&w, outer);
	packet_end(&packet, &w, &players[3]);
	assert_int_equal(packet.len, 111);
	say(&players[3], &packet, DISCV4_TAKEN);
	expect(&players[3], DISCV4_PONG, &packet, &heard);
	len = packet.len;
	expect(&players[3], DISCV4_PING, &packet, &heard);
	assert_int_equal(len + packet.len, 330);
	assert_true(330 <= DISCV4_AMPLIFY_MAX * 111);
	assert_int_equal(world.mail_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conforms),
		cmocka_unit_test(conforms_by_steps),
		cmocka_unit_test(refuses),
		cmocka_unit_test(names_the_living),
		cmocka_unit_test(bonds_end),
		cmocka_unit_test(bonds_are_capped),
		cmocka_unit_test(drops_the_silent),
		cmocka_unit_test(follows_records),
		cmocka_unit_test(believes_ten),
		cmocka_unit_test(one_kind),
		cmocka_unit_test(bounds_the_answers),
		cmocka_unit_test(moves_nowhere),
		cmocka_unit_test(statements_draw),
		cmocka_unit_test(no_amplifier),
		cmocka_unit_test(looks_up),
		cmocka_unit_test(asks_who_knows_us),
		cmocka_unit_test(spares_the_proof),
		cmocka_unit_test(lookups_wait),
		cmocka_unit_test(refreshes),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
