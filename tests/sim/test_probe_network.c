/* test_probe_network.c: a network of 2,000 simulated discv4 nodes, crawled by visits
 * (probe.h) over virtual time, with latency and loss, and compared with the truth.
 *
 * Who signed what is taken for granted here: packets go as what they say (test_probe.c signs
 * and reads all of them). Only records are signed. */
#include "proto/ethereum/probe.h"
#include "support/tables.h"

enum {
	NODES = 2000,
	SEEDS = 3,
	VISITS = 48,     /* at once */
	FLIGHTS = 2048,  /* packets on their way */
	LIST_MAX = 1536, /* bytes of NEIGHBORS, and of a record */
	JITTER_MS = 40,
	UNIX_S = 1700000000,
	SEQ = 3,
	STEPS_MAX = 4 * 1000 * 1000,
	FINDNODES_MEDIAN = 13, /* at most */
};

/* Of the packets that could overtake the one before them, how many do. */
#define SWAPPED 0.05

/* One packet. */
struct flight {
	bool used, to_node;
	unsigned slot, visit; /* of which visit it is: its slot may have another one by then */
	uint64_t at_ms;
	enum discv4_type type;
	uint8_t hash[DISCV4_HASH_LEN], ref[DISCV4_HASH_LEN]; /* its own; which it answers */
	uint8_t target[SECP_PUBLIC_LEN];
	size_t count, len; /* of NEIGHBORS: nodes, bytes of their list; of a record: bytes */
	uint8_t list[LIST_MAX];
};

struct visit {
	struct probe probe;
	struct kademlia table;
	bool used, knows_us;
	unsigned node, number;
	uint8_t its_ping[DISCV4_HASH_LEN];
	uint64_t last_ms[2]; /* when the last packet arrives, at us and at the node */
};

struct tally {
	unsigned visits, reached, results[3], falsely, records, record_nodes, median;
	uint64_t truth, named, offline_pings, breaches[PROBE_BREACH_COUNT];
	uint16_t findnodes[NODES];
};

static struct world world;
static struct secp secp;
static struct secp_key keys[NODES];
static uint8_t own_key[SECP_PUBLIC_LEN];
static struct visit visits[VISITS];
static struct flight flights[FLIGHTS];
static bool seen[NODES];
static uint16_t queue[NODES];
static unsigned queued, taken, numbers;
static uint64_t now_ms, hashes;
static struct random random_state;
static double loss;

static void make_key(unsigned number, uint8_t *key)
{
	const uint8_t bytes[SECP_KEY_LEN] = { 1, (uint8_t)(number >> 8), (uint8_t)number, 1 };

	assert_true(secp_key_init(&keys[number], bytes));
	secp_public(&secp, &keys[number], key);
}

/* One in ten is like ethereumjs: all 16 nodes in one packet, and no record. */
static bool is_other_make(const struct node *n)
{
	return n->number % 10 == 3;
}

/* One in ten has met us before: no PING of its own. */
static bool is_acquainted(const struct node *n)
{
	return n->number % 10 == 5;
}

/* One way: up to 150 ms, one node in 50 far slower. */
static uint64_t latency_ms(const struct node *n)
{
	uint64_t base = n->number % 50 == 7 ? 700 : 5 + n->number * 37 % 145;

	return base + random_below(&random_state, JITTER_MS);
}

static void new_hash(uint8_t hash[DISCV4_HASH_LEN])
{
	hashes++;
	for (unsigned i = 0; i < DISCV4_HASH_LEN; i++)
		hash[i] = (uint8_t)(random_mix(hashes * 4 + i / 8) >> (i % 8 * 8));
}

/* NULL if it is lost; but it has its hash even then. */
static struct flight *launch(unsigned slot, enum discv4_type type, bool to_node,
			     uint8_t hash[DISCV4_HASH_LEN])
{
	struct visit *v = &visits[slot];
	struct flight *f = flights;

	new_hash(hash);
	if (random_unit(&random_state) < loss)
		return NULL;
	while (f->used)
		assert_true(++f < flights + FLIGHTS);
	f->used = true;
	f->to_node = to_node;
	f->slot = slot;
	f->visit = v->number;
	f->at_ms = now_ms + latency_ms(&world.nodes[v->node]);
	if (f->at_ms <= v->last_ms[to_node] && random_unit(&random_state) >= SWAPPED)
		f->at_ms = v->last_ms[to_node] + 1;
	v->last_ms[to_node] = f->at_ms;
	f->type = type;
	memcpy(f->hash, hash, DISCV4_HASH_LEN);
	f->count = f->len = 0;
	return f;
}

static void name(const struct probe_event *event, struct node *n)
{
	uint8_t hash[KADEMLIA_HASH_LEN];
	uint16_t at;

	kademlia_hash(event->node.key, hash);
	at = (uint16_t)index_of(&world, hash);
	assert_true(event->usable);
	assert_true(netaddr_equal(&event->node.endpoint.addr, &world.nodes[at].node.addr));
	for (unsigned i = 0; i < n->named_count; i++) {
		if (n->named[i] == at)
			return;
	}
	assert_true(n->named_count < KADEMLIA_ENTRIES_MAX);
	n->named[n->named_count++] = at;
	if (!seen[at]) {
		seen[at] = true;
		queue[queued++] = at;
	}
}

static void visit_begin(unsigned slot, unsigned at)
{
	struct visit *v = &visits[slot];
	const struct kademlia_node *n = &world.nodes[at].node;
	struct probe_params params = { .targets = &world.targets,
				       .own = { world.asker, 30303 },
				       .unix_ms = UNIX_S * 1000LL + (int64_t)now_ms };

	memcpy(params.own_key, own_key, sizeof(own_key));
	memcpy(params.node.key, n->key, sizeof(params.node.key));
	params.node.endpoint = (struct enode_endpoint){ n->addr, n->tcp_port };
	v->used = true;
	v->knows_us = is_acquainted(&world.nodes[at]);
	v->node = at;
	v->number = ++numbers;
	v->last_ms[0] = v->last_ms[1] = 0;
	table_make(&world, at, &v->table);
	probe_init(&v->probe, &params, now_ms);
}

static void visit_end(struct visit *v, struct tally *tally)
{
	struct node *n = &world.nodes[v->node];
	struct probe_info info;

	probe_info(&v->probe, &info);
	v->used = false;
	tally->visits++;
	assert_true(n->online || !info.reached);
	assert_true(info.reached ==
		    (info.outcome == OUTCOME_OK || info.outcome == OUTCOME_NO_PEERS));
	if (!n->online) {
		assert_int_equal(info.outcome, OUTCOME_CONNECT_TIMEOUT);
		assert_int_equal(info.packets_out, PROBE_TRIES);
	}
	if (!info.reached)
		return;
	qsort(n->named, n->named_count, sizeof(*n->named), tables_by_number);
	tally->findnodes[tally->reached++] = (uint16_t)info.findnodes;
	tally->results[info.completeness]++;
	tally->falsely += info.completeness == DRAIN_DRAINED &&
			  (n->named_count != n->truth_count ||
			   memcmp(n->named, n->truth, n->truth_count * sizeof(*n->truth)) != 0);
	tally->truth += n->truth_count;
	tally->named += n->named_count;
	tally->record_nodes += !is_other_make(n);
	tally->records += info.record.len > 0;
	for (unsigned b = 0; b < PROBE_BREACH_COUNT; b++)
		tally->breaches[b] += info.breaches[b];
}

/* What the visit has learnt, and wants to be sent. */
static void visit_serve(unsigned slot, struct tally *tally)
{
	struct visit *v = &visits[slot];
	struct probe_event event;
	struct probe_packet out;
	bool over = false;

	while (probe_next(&v->probe, &event)) {
		if (event.kind == PROBE_EVENT_NODE)
			name(&event, &world.nodes[v->node]);
		over = over || event.kind == PROBE_EVENT_DONE;
	}
	while (probe_send(&v->probe, &out, now_ms)) {
		uint8_t hash[DISCV4_HASH_LEN];
		struct flight *f = launch(slot, out.type, true, hash);
		struct reader r;

		probe_sent(&v->probe, out.ticket, hash, now_ms);
		if (f == NULL)
			continue;
		reader_init(&r, slice_of(out.list, out.len));
		rlp_enter(&r, "data");
		if (out.type == DISCV4_FINDNODE)
			memcpy(f->target, rlp_bytes(&r, 64, 64, "target", "").data, 64);
		if (out.type == DISCV4_PONG) {
			rlp_any(&r, "to");
			memcpy(f->ref, rlp_bytes(&r, 32, 32, "ping hash", "").data, 32);
		}
		assert_true(reader_ok(&r));
	}
	if (over)
		visit_end(v, tally);
}

static void put_nodes(struct flight *f, const struct kademlia_node **nodes, size_t count)
{
	struct writer w;

	writer_init(&w, f->list, sizeof(f->list));
	for (size_t i = 0; i < count; i++) {
		size_t list = rlp_put_list(&w);

		rlp_put_bytes(&w, slice_of(nodes[i]->addr.bytes, netaddr_len(nodes[i]->addr.kind)));
		rlp_put_uint(&w, nodes[i]->addr.port);
		rlp_put_uint(&w, nodes[i]->tcp_port);
		rlp_put_bytes(&w, slice_of(nodes[i]->key, sizeof(nodes[i]->key)));
		rlp_end_list(&w, list);
	}
	assert_true(writer_ok(&w));
	f->count = count;
	f->len = w.len;
}

static void node_findnode(unsigned slot, const uint8_t target[SECP_PUBLIC_LEN])
{
	struct visit *v = &visits[slot];
	const struct kademlia_node *near[KADEMLIA_BUCKET_SIZE];
	uint8_t hash[KADEMLIA_HASH_LEN];
	size_t count, done = 0;
	size_t most = is_other_make(&world.nodes[v->node]) ? DRAIN_REPLY_MAX : DRAIN_PACKET_NODES;

	kademlia_hash(target, hash);
	count = kademlia_closest(&v->table, hash, near);
	do {
		size_t part = count - done < most ? count - done : most;
		struct flight *f = launch(slot, DISCV4_NEIGHBORS, false, hash);

		if (f != NULL)
			put_nodes(f, near + done, part);
		done += part;
	} while (done < count);
}

static void node_record(unsigned slot, const uint8_t request[DISCV4_HASH_LEN])
{
	const struct node *n = &world.nodes[visits[slot].node];
	const struct enode_endpoint endpoint = { n->node.addr, n->node.tcp_port };
	uint8_t hash[DISCV4_HASH_LEN];
	struct flight *f = launch(slot, DISCV4_ENRRESPONSE, false, hash);
	struct enr_draft draft;
	struct writer w;

	if (f == NULL)
		return;
	enr_draft_init(&draft, SEQ);
	enr_draft_endpoint(&draft, &endpoint);
	writer_init(&w, f->list, sizeof(f->list));
	enr_draft_sign(&draft, &secp, &keys[n->number], &w);
	assert_true(writer_ok(&w));
	f->len = w.len;
	memcpy(f->ref, request, DISCV4_HASH_LEN);
}

/* A packet of ours has come to the node. */
static void node_recv(const struct flight *in)
{
	struct visit *v = &visits[in->slot];
	const struct node *n = &world.nodes[v->node];
	uint8_t hash[DISCV4_HASH_LEN];
	struct flight *f;

	if (!n->online)
		return;
	if (in->type == DISCV4_PING) {
		f = launch(in->slot, DISCV4_PONG, false, hash);
		if (f != NULL)
			memcpy(f->ref, in->hash, DISCV4_HASH_LEN);
		if (!v->knows_us)
			launch(in->slot, DISCV4_PING, false, v->its_ping);
	} else if (in->type == DISCV4_PONG) {
		v->knows_us = v->knows_us || memcmp(in->ref, v->its_ping, DISCV4_HASH_LEN) == 0;
	} else if (in->type == DISCV4_FINDNODE && v->knows_us) {
		node_findnode(in->slot, in->target);
	} else if (in->type == DISCV4_ENRREQUEST && v->knows_us && !is_other_make(n)) {
		node_record(in->slot, in->hash);
	}
}

/* A packet of the node has come to us. */
static void visit_recv(const struct flight *in)
{
	struct visit *v = &visits[in->slot];
	const struct kademlia_node *n = &world.nodes[v->node].node;
	int64_t expiration_s = UNIX_S + (int64_t)now_ms / 1000 + 20;
	struct discv4_packet p = { .hash = { in->hash, DISCV4_HASH_LEN }, .type = in->type };
	bool has_seq = !is_other_make(&world.nodes[v->node]);
	struct reader r;

	memcpy(p.signer, n->key, sizeof(p.signer));
	if (in->type == DISCV4_PING) {
		p.ping = (struct discv4_ping){ .version = 4, .expiration_s = expiration_s };
	} else if (in->type == DISCV4_PONG) {
		p.pong = (struct discv4_pong){ { world.asker, 30303 },
					       { in->ref, DISCV4_HASH_LEN },
					       expiration_s,
					       has_seq,
					       has_seq ? SEQ : 0 };
	} else if (in->type == DISCV4_NEIGHBORS) {
		p.neighbors =
			(struct discv4_neighbors){ in->count, { in->list, in->len }, expiration_s };
	} else {
		p.enrresponse.request_hash = slice_of(in->ref, DISCV4_HASH_LEN);
		reader_init(&r, slice_of(in->list, in->len));
		enr_decode(&r, &p.enrresponse.record);
		assert_true(reader_ok(&r));
	}
	assert_true(probe_recv(&v->probe, &n->addr, &p, DISCV4_HEADER_LEN + in->len + 12, now_ms));
}

/* What comes next: a packet, or a visit whose deadline it is. False: all is over. */
static bool step(struct tally *tally)
{
	struct flight *first = NULL, arrived;
	unsigned due = VISITS;
	uint64_t at = UINT64_MAX;

	for (unsigned i = 0; i < VISITS; i++) {
		if (!visits[i].used && taken < queued) {
			visit_begin(i, queue[taken++]);
			visit_serve(i, tally);
		}
		if (visits[i].used && probe_deadline(&visits[i].probe) < at) {
			at = probe_deadline(&visits[i].probe);
			due = i;
		}
	}
	for (unsigned i = 0; i < FLIGHTS; i++) {
		if (flights[i].used && flights[i].at_ms < at) {
			at = flights[i].at_ms;
			first = &flights[i];
		}
	}
	if (at == UINT64_MAX)
		return false;
	now_ms = at > now_ms ? at : now_ms;
	if (first == NULL) {
		probe_tick(&visits[due].probe, now_ms);
		visit_serve(due, tally);
		return true;
	}
	arrived = *first;
	first->used = false;
	if (visits[arrived.slot].number != arrived.visit || !visits[arrived.slot].used)
		return true;
	if (arrived.to_node) {
		node_recv(&arrived);
	} else {
		visit_recv(&arrived);
		visit_serve(arrived.slot, tally);
	}
	return true;
}

static void crawl(double lost, const unsigned *seeds, struct tally *tally)
{
	unsigned steps = 0;

	memset(tally, 0, sizeof(*tally));
	memset(visits, 0, sizeof(visits));
	memset(flights, 0, sizeof(flights));
	memset(seen, 0, sizeof(seen));
	queued = taken = 0;
	now_ms = 1000;
	loss = lost;
	random_state = (struct random){ 99 };
	for (unsigned i = 0; i < NODES; i++)
		world.nodes[i].named_count = 0;
	for (unsigned i = 0; i < SEEDS; i++) {
		seen[seeds[i]] = true;
		queue[queued++] = (uint16_t)seeds[i];
	}
	while (step(tally))
		assert_true(++steps < STEPS_MAX);
	assert_int_equal(tally->visits, queued);
	qsort(tally->findnodes, tally->reached, sizeof(*tally->findnodes), tables_by_number);
	tally->median = tally->findnodes[tally->reached / 2];
	print_message("%2.0f %% lost: %u visits in %.0f s, %u reached, %u drained, %u partial, %u "
		      "timed out, %u falsely; %u FINDNODEs in the median, %u at most; %llu of %llu "
		      "entries, %u of %u records\n",
		      100 * lost, tally->visits, (double)now_ms / 1000, tally->reached,
		      tally->results[DRAIN_DRAINED], tally->results[DRAIN_PARTIAL],
		      tally->results[DRAIN_TIMED_OUT], tally->falsely, tally->median,
		      tally->findnodes[tally->reached - 1], (unsigned long long)tally->named,
		      (unsigned long long)tally->truth, tally->records, tally->record_nodes);
}

static struct tally tally;
static unsigned seeds[SEEDS], reachable;

/* What no node of this network does, whatever becomes of its packets. */
static void expect_no_breach(void)
{
	for (unsigned b = 0; b < PROBE_BREACH_COUNT; b++) {
		if (b == PROBE_BREACH_LONG)
			assert_true(tally.breaches[b] > 0);
		else
			assert_int_equal(tally.breaches[b], 0);
	}
}

static void nothing_lost(void **state)
{
	(void)state;
	crawl(0, seeds, &tally);
	assert_int_equal(tally.reached, reachable);
	assert_int_equal(tally.results[DRAIN_DRAINED], reachable);
	assert_int_equal(tally.falsely, 0);
	assert_int_equal(tally.named, tally.truth);
	assert_int_equal(tally.records, tally.record_nodes);
	assert_in_range(tally.median, 2, FINDNODES_MEDIAN);
	expect_no_breach();
}

static void one_in_twenty_lost(void **state)
{
	(void)state;
	crawl(0.05, seeds, &tally);
	assert_true(tally.reached >= reachable * 995 / 1000);
	assert_true(tally.results[DRAIN_DRAINED] >= tally.reached * 95 / 100);
	assert_int_equal(tally.falsely, 0);
	assert_true(tally.named >= tally.truth * 995 / 1000);
	assert_true(tally.records >= tally.record_nodes * 99 / 100);
	assert_in_range(tally.median, 2, FINDNODES_MEDIAN);
	expect_no_breach();
}

/* Little is proven, and nothing falsely. */
static void storm(void **state)
{
	(void)state;
	crawl(0.4, seeds, &tally);
	assert_true(tally.reached >= reachable / 2);
	assert_int_equal(tally.falsely, 0);
	assert_in_range(tally.findnodes[tally.reached - 1], 2, PROBE_FINDNODES_MAX);
	expect_no_breach();
}

static int start(void **state)
{
	static const uint8_t random[SECP_RANDOM_LEN] = { 6 };
	static bool reached[NODES];
	static struct kademlia table;
	const uint8_t own[SECP_KEY_LEN] = { 2 };
	struct secp_key key;

	(void)state;
	targets_init(&world.targets);
	secp_init(&secp, random);
	if (!secp_key_init(&key, own))
		return -1;
	secp_public(&secp, &key, own_key);
	world_init(&world, NODES, 0, make_key);
	for (unsigned i = 0; i < NODES; i++) {
		table_make(&world, i, &table);
		truth_of(&world, i, &table);
	}
	for (unsigned i = 0, found = 0; found < SEEDS; i += 7) {
		if (world.nodes[i].online && i % 20 != 0)
			seeds[found++] = i;
	}
	reachable = world_crawl(&world, seeds, SEEDS, false, reached);
	return reachable > NODES / 2 ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	world_clear(&world);
	secp_clear(&secp);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_lost),
		cmocka_unit_test(one_in_twenty_lost),
		cmocka_unit_test(storm),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
