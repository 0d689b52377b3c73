/* test_discv4.c: a discv4 node, on virtual time: answers, bonds, table, records. */
#include "support/discv4_world.h"

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

/* Who is at a port of the system can ask, but is not named; nor who was never checked. */
static void names_nobody(void **state)
{
	struct discv4_params params = params_of();
	struct kademlia_node dead = player_node(&players[1]);
	struct player low = players[0];
	struct discv4_packet heard;
	struct packet packet;

	(void)state;
	begin(&params);
	low.addr.port = RELAY_PORT_SYSTEM;
	discv4_add(&node, &dead, world.now_ms);
	player_bonds(&low, &params.self.addr);
	assert_int_equal(kademlia_count(&node.table), 1);
	say_findnode(&low, dead.key, later_s(), &packet);
	say(&low, &packet, DISCV4_TAKEN);
	expect(&low, DISCV4_NEIGHBORS, &packet, &heard);
	assert_int_equal(heard.neighbors.count, 0);
	assert_int_equal(world.mail_count, 0);
}

/* A PONG proves the address of the one who was pinged, and no other's. */
static void pongs_of_others(void **state)
{
	struct player elsewhere = players[0], other = players[1];
	struct discv4_params params = params_of();
	struct discv4_packet heard;
	struct packet packet;

	(void)state;
	begin(&params);
	elsewhere.addr = players[2].addr;
	other.addr = players[0].addr;
	player_pings(&players[0]);
	expect(&players[0], DISCV4_PONG, &packet, &heard);
	expect(&players[0], DISCV4_PING, &packet, &heard);
	player_pongs(&elsewhere, &packet, &params.self.addr, 0, DISCV4_UNASKED);
	player_pongs(&other, &packet, &params.self.addr, 0, DISCV4_UNASKED);
	assert_int_equal(discv4_bonds_count(&node.bonds, world.now_ms), 0);
	player_pongs(&players[0], &packet, &params.self.addr, 0, DISCV4_TAKEN);
	assert_int_equal(discv4_bonds_count(&node.bonds, world.now_ms), 1);
}

/* After a proof nothing is asked for a while: no record, though there is one, no PING. */
static void leave_in_peace(uint64_t seed)
{
	struct discv4_params params = params_of();
	struct netaddr lan = netaddr_ipv4(0x0a000001, NODE_PORT);
	struct discv4_packet heard;
	struct packet packet;

	params.seed = seed; /* when the table checks whom is random */
	begin(&params);
	for (unsigned i = 0; i < 20; i++) {
		player_pings(&players[i]);
		expect(&players[i], DISCV4_PONG, &packet, &heard);
		expect(&players[i], DISCV4_PING, &packet, &heard);
		/* What it says of our address is none of its business. */
		player_pongs(&players[i], &packet, &lan, 9, DISCV4_TAKEN);
	}
	run_until(world.now_ms + DISCV4_FRESH_MS - 1);
	assert_int_equal(world.mail_count, 0);
	assert_int_equal(events_of(DISCV4_EVENT_STATEMENT), 0);
	run_until(world.now_ms + 10 * KADEMLIA_SLOW_MS);
	assert_true(world.mail_count > 0);
}

static void leaves_in_peace(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 10; seed++)
		leave_in_peace(seed);
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
	/* A bond with one address is none with any other. */
	for (unsigned i = 1; i < 5000; i++) {
		struct netaddr other = netaddr_ipv4(0x05060708 + i, 999);

		discv4_bonds_prove(&bonds, hash, &crowd, 1000);
		assert_null(discv4_bonds_find(&bonds, hash, &other, 1000));
	}
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

/* The signature of a record is its owner's, whoever sends it. */
static void records_of_others(void **state)
{
	struct discv4_params params = params_of();
	struct kademlia_node known = player_node(&players[0]);
	struct player liar = players[0];
	struct packet request, packet;
	struct discv4_packet heard;
	struct reader r;
	struct writer w;

	(void)state;
	begin(&params);
	discv4_add(&node, &known, world.now_ms);
	answer_check(&players[0], 5);
	expect(&players[0], DISCV4_ENRREQUEST, &request, &heard);
	say_enrresponse(&players[1], packet_hash(&request), 5,
			&(struct enode_endpoint){ .addr = players[1].addr }, &packet);
	reader_init(&r, packet_slice(&packet));
	discv4_decode(&r, &heard);
	packet_begin(&request, &w, DISCV4_ENRRESPONSE);
	discv4_enrresponse_encode(&w, heard.enrresponse.request_hash, heard.enrresponse.record.raw);
	packet_end(&request, &w, &liar);
	say(&liar, &request, DISCV4_MALFORMED);
	assert_int_equal(events_of(DISCV4_EVENT_RECORD), 0);
	assert_int_equal(kademlia_find(&node.table, known.hash)->node.seq, 0);
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
		for (unsigned i = 0; i < DISCV4_STATEMENTS; i++)
			player_bonds(&players[i], &players[39].addr);
		assert_int_equal(events_of(DISCV4_EVENT_STATEMENT), DISCV4_STATEMENTS);
		assert_int_equal(events_of(DISCV4_EVENT_MOVED), 1 - known);
	}
}

static void statements_draw(void **state)
{
	struct netaddr out, a = netaddr_ipv4(0x05aaaaaa, 4444), b = netaddr_ipv4(0x05bbbbbb, 5555);
	struct statements s;

	(void)state;
	statements_init(&s, DISCV4_STATEMENTS, DISCV4_STATEMENTS_MS);
	for (unsigned i = 0; i < 2 * DISCV4_STATEMENTS; i++) {
		struct netaddr by = netaddr_ipv4(0x05100001 + i, 30000);

		statements_add(&s, &by, i % 2 == 0 ? &a : &b, i);
	}
	assert_false(statements_agreed(&s, 100, &out));
	for (unsigned i = 0; i < 1000; i++) { /* one host, of many ports: one voice */
		struct netaddr by = netaddr_ipv4(0x05200001, (uint16_t)(30000 + i));

		statements_add(&s, &by, &b, 100);
	}
	assert_true(statements_agreed(&s, 100, &out) && netaddr_equal(&out, &b));
	assert_int_equal(s.count, 2 * DISCV4_STATEMENTS + 1);
	assert_false(statements_agreed(&s, 100 + DISCV4_STATEMENTS_MS, &out));
}

/* A PING with a new key, and no address in it. */
static size_t stranger_pings(unsigned number, const struct netaddr *from)
{
	struct discv4_ping m = { .version = 4, .expiration_s = later_s() };
	struct packet packet;
	struct player p;

	player_init(&p, &secp, 5000 + number, from);
	say_ping(&p, &m, &packet);
	say(&p, &packet, DISCV4_TAKEN);
	return packet.len;
}

static size_t mail_to(const struct netaddr *addr)
{
	struct packet packet;
	size_t len = 0;

	while (take_mail(addr, &packet))
		len += packet.len;
	return len;
}

/* Anybody can write any address on a packet. */
static void no_amplifier(void **state)
{
	struct discv4_params params = params_of();
	size_t in = 0, out = 0;

	(void)state;
	begin(&params);
	for (unsigned i = 0; i < 600; i++) {
		struct packet packet;
		struct player p;

		in += stranger_pings(i, &players[3].addr);
		out += mail_to(&players[3].addr);
		player_init(&p, &secp, 5000 + i, &players[3].addr);
		say_findnode(&p, p.public, later_s(), &packet);
		say(&p, &packet, DISCV4_UNBONDED);
		say_enrrequest(&p, later_s(), &packet);
		say(&p, &packet, DISCV4_UNBONDED);
		assert_int_equal(world.mail_count, 0);
		assert_true(out <= in + DISCV4_CREDIT_ADVANCE);
	}
	/* All of the advance was used, but for what is less than a packet. */
	assert_true(out > DISCV4_CREDIT_ADVANCE);
	assert_int_equal(discv4_bonds_count(&node.bonds, world.now_ms), 0);
	assert_int_equal(kademlia_count(&node.table), 0);
	run_until(world.now_ms + 10 * DISCV4_CREDIT_BACK_MS);
	in = out = 0;
	/* For an hour, ten a second: no more than comes, and what comes back. */
	for (unsigned i = 0; i < 3600; i++) {
		in += stranger_pings(i, &players[3].addr);
		run_until(world.now_ms + 100);
		out += mail_to(&players[3].addr);
		assert_true(out <= in + DISCV4_CREDIT_ADVANCE +
					   (i + 1) * 100 * (uint64_t)DISCV4_CREDIT_ADVANCE /
						   DISCV4_CREDIT_BACK_MS);
	}
}

/* From everywhere: who comes takes the place of the oldest, and can prove itself. */
static void strangers_are_capped(void **state)
{
	struct discv4_params params = params_of();
	struct discv4_packet heard;
	struct packet packet;

	(void)state;
	begin(&params);
	for (unsigned i = 0; i < 600; i++) {
		struct netaddr from = netaddr_ipv4(0x05200000 + i, 30000);

		stranger_pings(i, &from);
		assert_true(mail_to(&from) > 0);
	}
	assert_int_equal(node.pending_count, DISCV4_PENDING_STRANGERS);
	/* We may still ask whom we want; and all that ends. */
	assert_true(discv4_ping(&node, &(struct kademlia_node){ .addr = players[0].addr },
				world.now_ms));
	player_pings(&players[1]);
	expect(&players[1], DISCV4_PONG, &packet, &heard);
	expect(&players[1], DISCV4_PING, &packet, &heard);
	player_pongs(&players[1], &packet, &params.self.addr, 0, DISCV4_TAKEN);
	assert_int_equal(discv4_bonds_count(&node.bonds, world.now_ms), 1);
	run_until(world.now_ms + DISCV4_REPLY_MS);
	assert_int_equal(node.pending_count, 0);
	assert_int_equal(events_of(DISCV4_EVENT_SILENT), 1);
}

/* Where the advance is used up one proves oneself first, has the PONG then, and can ask. */
static void proof_first(void **state)
{
	struct discv4_params params = params_of();
	struct discv4_packet heard;
	struct packet ping, packet;
	struct discv4_ping m;
	unsigned i = 0;

	(void)state;
	begin(&params);
	do {
		stranger_pings(i++, &players[3].addr);
		assert_true(i < 100);
	} while (mail_to(&players[3].addr) > 0);
	m = ping_of(&players[3], &params.self.addr, later_s());
	say_ping(&players[3], &m, &ping);
	say(&players[3], &ping, DISCV4_TAKEN);
	expect(&players[3], DISCV4_PING, &packet, &heard);
	assert_true(packet.len <= ping.len);
	assert_false(heard.ping.has_enr_seq);
	assert_int_equal(world.mail_count, 0);
	player_pongs(&players[3], &packet, &params.self.addr, 0, DISCV4_TAKEN);
	expect(&players[3], DISCV4_PONG, &packet, &heard);
	assert_true(slice_equal(heard.pong.ping_hash, packet_hash(&ping)));
	say_findnode(&players[3], players[3].public, later_s(), &packet);
	say(&players[3], &packet, DISCV4_TAKEN);
	expect(&players[3], DISCV4_NEIGHBORS, &packet, &heard);
	/* Somebody there has what is sent: others are answered at once again. */
	player_bonds(&(struct player){ .secp = &secp, .key = { { 9 } }, .addr = players[3].addr },
		     &params.self.addr);
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
	assert_int_equal(packet.len, DISCV4_PING_LONGEST - 2); /* it told no TCP port */
	assert_int_equal(len + packet.len, 330);
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
		cmocka_unit_test(names_nobody),
		cmocka_unit_test(pongs_of_others),
		cmocka_unit_test(leaves_in_peace),
		cmocka_unit_test(records_of_others),
		cmocka_unit_test(one_kind),
		cmocka_unit_test(bounds_the_answers),
		cmocka_unit_test(moves_nowhere),
		cmocka_unit_test(statements_draw),
		cmocka_unit_test(no_amplifier),
		cmocka_unit_test(strangers_are_capped),
		cmocka_unit_test(proof_first),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
