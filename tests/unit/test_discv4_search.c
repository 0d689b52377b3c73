/* test_discv4_search.c: a discv4 node that looks for others, on virtual time. */
#include "support/discv4_world.h"

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

/* Those of an earlier time: first of all, in their order, a few at a time, each once; who answers
 * is in the table, and only then lookups begin, without whoever is gone. */
static void meets_whom_it_knew(void **state)
{
	enum { ALIVE = 10 };
	struct discv4_params params = params_of();
	struct kademlia_node known[PLAYERS], boot = player_node(&players[1]);
	uint64_t began_ms = 1000;
	struct discv4_packet heard;
	struct packet packet;

	(void)state;
	for (unsigned i = 0; i < PLAYERS; i++)
		known[i] = player_node(&players[i]);
	params.known = known;
	params.known_count = PLAYERS;
	params.boots = &boot;
	params.boots_count = 1;
	params.refresh_ms = 30 * 60 * 1000;
	begin(&params);
	run_until(world.now_ms);
	assert_int_equal(world.mail_count, DISCV4_KNOWN_PARALLEL);
	for (unsigned i = 0; i < DISCV4_KNOWN_PARALLEL; i++)
		assert_true(netaddr_equal(&world.mail[i].to, &players[i].addr));
	for (unsigned i = 0; i < ALIVE; i++) {
		expect(&players[i], DISCV4_PING, &packet, &heard);
		player_pongs(&players[i], &packet, &world.carrier.node_addr, 0, DISCV4_TAKEN);
		assert_true(kademlia_find(&node.table, known[i].hash)->live);
		run_until(world.now_ms);
		/* The next one has its place. */
		assert_int_equal(mail_for(&players[DISCV4_KNOWN_PARALLEL + i].addr), 1);
	}
	run_until(began_ms + 4 * DISCV4_REPLY_MS);
	for (unsigned i = ALIVE; i < PLAYERS; i++)
		assert_int_equal(mail_for(&players[i].addr), 1);
	assert_int_equal(kademlia_count(&node.table), ALIVE);
	/* The lookup asks the living: only these are sent anything beside checks. */
	assert_true(node.looking || node.refresh_left < 1 + DISCV4_REFRESH_RANDOM);
}

/* None answers: the lookups wait for some seconds, and then ask the bootstrap node. */
static void doesnt_wait_for_ghosts(void **state)
{
	enum { GHOSTS = 200 };
	struct discv4_params params = params_of();
	struct kademlia_node known[GHOSTS], boot = player_node(&players[0]);

	(void)state;
	for (unsigned i = 0; i < GHOSTS; i++) {
		struct netaddr addr = netaddr_ipv4(0x06000001 + (i << 8), 30000);

		known[i] = kademlia_node(players[1 + i % 30].public, &addr, 0);
	}
	params.known = known;
	params.known_count = GHOSTS;
	params.refresh_ms = 30 * 60 * 1000;
	begin(&params);
	run_until(world.now_ms + DISCV4_MEETING_MS - 10);
	assert_int_equal(events_of(DISCV4_EVENT_SILENT), 0);
	assert_false(node.looking);
	assert_int_equal(node.refresh_left, 0);
	discv4_add(&node, &boot, world.now_ms);
	run_until(world.now_ms + 20);
	assert_true(node.looking);
	world.mail_count = 0;
	run_until(1000 + 20 * 1000);
	/* The rest was asked as well, and none twice. */
	assert_int_equal(node.known_at, GHOSTS);
	assert_int_equal(node.known_pending, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_up),
		cmocka_unit_test(asks_who_knows_us),
		cmocka_unit_test(spares_the_proof),
		cmocka_unit_test(lookups_wait),
		cmocka_unit_test(refreshes),
		cmocka_unit_test(meets_whom_it_knew),
		cmocka_unit_test(doesnt_wait_for_ghosts),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
