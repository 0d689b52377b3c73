/* fuzz_probe.c: a visit of one node of discovery, and the search for the nearest to a key, by nodes
 * that answer what they like, when they like. What has to hold: no more packets than the limits
 * say, one end of each visit, a table no larger than there can be; and a search ends.
 *
 * An input is two bytes of settings and a row of commands: which, how, and as many bytes as the
 * command takes. The packets are not signed: what is taken on trust is who has signed them. */
#include "base/keccak.h"
#include "fuzz/fuzz.h"
#include "proto/ethereum/lookup.h"
#include "proto/ethereum/probe.h"

#include <string.h>

enum {
	COMMANDS_MAX = 400,
	INPUT_MAX = 1 << 14,
	UNIX_S = 1700000000,
	START_MS = 5000,
	HEADER_LEN = DISCV4_HASH_LEN + 65 + 1, /* hash, signature, type */
};

static struct targets targets;
static struct probe probe;
static struct enode node;
static uint64_t now_ms;
static unsigned sent, ended;
static uint8_t last_ping[DISCV4_HASH_LEN], last_request[DISCV4_HASH_LEN];
static uint8_t keys[64][SECP_PUBLIC_LEN]; /* of whom it names: points of the curve */

static uint8_t next_byte(struct reader *r)
{
	return reader_left(r) > 0 ? reader_u8(r, "byte") : 0;
}

static void set_up(void)
{
	static const uint8_t random[SECP_RANDOM_LEN] = { 9 };
	static struct secp secp;
	static bool done;

	if (done)
		return;
	done = true;
	secp_init(&secp, random);
	for (unsigned i = 0; i < 64; i++) {
		const uint8_t bytes[SECP_KEY_LEN] = { 1, (uint8_t)i, 1 };
		struct secp_key key;

		CHECK(secp_key_init(&key, bytes));
		secp_public(&secp, &key, keys[i]);
	}
	/* No table of hashes, which takes half a second: any key is a target. */
	for (uint32_t i = 0; i < TARGETS_COUNT; i++)
		targets.numbers[i] = i;
	memcpy(node.key, keys[0], sizeof(node.key));
	node.endpoint.addr = netaddr_ipv4(0x05060708, 30303);
}

/* --- what the visit says --- */

static void drain(void)
{
	struct probe_packet out;
	struct probe_event e;
	struct probe_info info;

	while (probe_next(&probe, &e)) {
		CHECK(ended == 0);
		ended += e.kind == PROBE_EVENT_DONE;
		CHECK(!e.usable || e.on_curve);
	}
	while (probe_send(&probe, &out, now_ms)) {
		uint8_t hash[DISCV4_HASH_LEN] = { (uint8_t)out.type, (uint8_t)sent };

		CHECK(ended == 0 && out.len <= PROBE_LIST_MAX);
		sent++;
		if (out.type == DISCV4_PING)
			memcpy(last_ping, hash, sizeof(hash));
		if (out.type == DISCV4_ENRREQUEST)
			memcpy(last_request, hash, sizeof(hash));
		probe_sent(&probe, out.ticket, hash, now_ms);
	}
	CHECK(sent <= PROBE_PINGS_MAX + PROBE_PONGS_MAX + PROBE_FINDNODES_MAX + PROBE_TRIES);
	probe_info(&probe, &info);
	CHECK(info.findnodes <= PROBE_FINDNODES_MAX && info.table <= DRAIN_SEEN_MAX);
	CHECK(info.outcome < OUTCOME_COUNT && info.record.len <= ENR_LEN_MAX);
	CHECK((probe_state(&probe) == PROBE_DONE) == (ended == 1));
	CHECK((probe_state(&probe) == PROBE_DONE) == (probe_deadline(&probe) == UINT64_MAX));
}

/* --- what the node says --- */

static void say(struct writer *w, uint8_t how)
{
	const struct netaddr froms[] = { node.endpoint.addr, netaddr_ipv4(0x05060708, 999),
					 netaddr_ipv4(0x09090909, 30303) };
	struct discv4_packet packet;
	uint8_t *bytes = w->data;
	struct reader r;

	if (!writer_ok(w))
		return;
	keccak_256(slice_of(bytes + DISCV4_HASH_LEN, w->len - DISCV4_HASH_LEN), bytes);
	reader_init(&r, slice_of(bytes, w->len));
	discv4_decode_unproven(&r, &packet);
	if (!reader_ok(&r)) {
		probe_garbage(&probe, w->len);
		return;
	}
	memcpy(packet.signer, keys[how & 8 ? 1 : 0], sizeof(packet.signer));
	probe_recv(&probe, &froms[(how & 7) % 3], &packet, w->len, now_ms);
	drain(); /* events borrow from it */
}

static void begin_packet(struct writer *w, uint8_t *bytes, size_t cap, enum discv4_type type)
{
	memset(bytes, 1, HEADER_LEN);
	writer_init(w, bytes, cap);
	w->len = HEADER_LEN - 1;
	writer_u8(w, (uint8_t)type);
}

static void say_neighbors(uint8_t how, struct reader *in)
{
	uint8_t bytes[DISCV4_PACKET_MAX];
	struct enode nodes[16];
	size_t count = next_byte(in) % 17;
	struct writer w;

	for (size_t i = 0; i < count; i++) {
		uint8_t which = next_byte(in), place = next_byte(in);

		memcpy(nodes[i].key, keys[which % 64], sizeof(nodes[i].key));
		if (which & 64)
			memset(nodes[i].key + 1, which, 40); /* no point of the curve, mostly */
		nodes[i].key[0] ^= which & 128;
		nodes[i].endpoint = (struct enode_endpoint){
			.addr = netaddr_ipv4(0x05000000U + ((uint32_t)place << 8), 30303),
			.tcp_port = place,
		};
		if (place & 1)
			nodes[i].endpoint.addr.bytes[0] = place;
	}
	begin_packet(&w, bytes, sizeof(bytes), DISCV4_NEIGHBORS);
	discv4_neighbors_encode(&w, nodes, count, UNIX_S + (int8_t)how + (int64_t)now_ms / 1000);
	say(&w, how & 15);
}

static void say_one(uint8_t command, uint8_t how, struct reader *in)
{
	int64_t expiration_s = UNIX_S + (int64_t)now_ms / 1000 + (int8_t)(how & 0xf0);
	const struct discv4_ping ping = { .version = next_byte(in),
					  .from = node.endpoint,
					  .to = node.endpoint,
					  .expiration_s = expiration_s,
					  .has_enr_seq = true,
					  .enr_seq = next_byte(in) };
	const struct discv4_pong pong = { .to = node.endpoint,
					  .ping_hash = slice_of(last_ping, DISCV4_HASH_LEN),
					  .expiration_s = expiration_s,
					  .has_enr_seq = true,
					  .enr_seq = ping.enr_seq };
	uint8_t bytes[DISCV4_LONG_MAX];
	enum discv4_type type = (enum discv4_type)(next_byte(in) % 8);
	struct writer w;

	if (command == 0) {
		begin_packet(&w, bytes, sizeof(bytes), DISCV4_PING);
		discv4_ping_encode(&w, &ping);
	} else if (command == 1) {
		begin_packet(&w, bytes, sizeof(bytes), DISCV4_PONG);
		discv4_pong_encode(&w, &pong);
	} else if (command == 2) { /* a record of the fuzzer's making */
		begin_packet(&w, bytes, sizeof(bytes), DISCV4_ENRRESPONSE);
		discv4_enrresponse_encode(&w, slice_of(last_request, DISCV4_HASH_LEN),
					  reader_bytes(in, reader_left(in) / 2, "record"));
	} else {
		size_t len = next_byte(in) * 6U;

		begin_packet(&w, bytes, sizeof(bytes), type);
		writer_slice(&w, reader_bytes(in, len < reader_left(in) ? len : reader_left(in),
					      "list"));
	}
	say(&w, how & 15);
}

static void wait_for(uint64_t ms)
{
	uint64_t until_ms = now_ms + ms;

	for (unsigned i = 0; i < 500 && probe_deadline(&probe) <= until_ms; i++) {
		if (probe_deadline(&probe) > now_ms)
			now_ms = probe_deadline(&probe);
		probe_tick(&probe, now_ms);
		drain();
	}
	CHECK(probe_deadline(&probe) > until_ms);
	now_ms = until_ms;
}

static void run(struct reader *in)
{
	static const uint64_t waits_ms[] = { 1, 50, 299, 301, 999, 1001, 5000, 60000 };
	uint8_t command = next_byte(in) % 8, how = next_byte(in);

	if (command < 4)
		say_one(command, how, in);
	else if (command == 4)
		say_neighbors(how, in);
	else if (command == 5)
		wait_for(waits_ms[how % 8]);
	else if (command == 6 && how == 1)
		probe_failed(&probe, OUTCOME_REFUSED, now_ms);
	else if (command == 6)
		probe_garbage(&probe, how);
	else if (how == 1)
		probe_cancel(&probe, now_ms);
	drain();
}

/* --- a search --- */

/* Each answer is a byte: how many are named, then a byte for each. */
static void search(struct reader *in)
{
	uint8_t self[KADEMLIA_HASH_LEN], target[KADEMLIA_HASH_LEN];
	const struct kademlia_node *closest[LOOKUP_RESULT_MAX];
	struct kademlia_node n, asked[LOOKUP_PARALLEL];
	unsigned questions = 0;
	struct lookup l;

	keccak_256(slice_of(keys[63], SECP_PUBLIC_LEN), self);
	keccak_256(slice_of(keys[62], SECP_PUBLIC_LEN), target);
	lookup_init(&l, target, self);
	for (unsigned i = 0; i < 3; i++) {
		n = kademlia_node(keys[next_byte(in) % 64], &node.endpoint.addr, 30303);
		lookup_add(&l, &n);
	}
	while (!lookup_done(&l)) {
		unsigned count = 0;

		while (lookup_next(&l, &n)) {
			CHECK(count < LOOKUP_PARALLEL && memcmp(n.hash, self, sizeof(self)) != 0);
			asked[count++] = n;
			CHECK(++questions <= LOOKUP_ASKED_MAX);
		}
		CHECK(count > 0);
		while (count > 0) {
			uint8_t names = next_byte(in);

			for (unsigned i = 0; i < names % 17U; i++) {
				uint8_t key[SECP_PUBLIC_LEN] = { next_byte(in), next_byte(in) };

				n = kademlia_node(key, &node.endpoint.addr, 30303);
				lookup_add(&l, &n);
			}
			lookup_end(&l, asked[--count].hash, names < 192);
		}
	}
	CHECK(lookup_closest(&l, closest) <= LOOKUP_RESULT_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct probe_params params = { .targets = &targets, .unix_ms = UNIX_S * 1000LL };
	struct reader in;

	if (size < 2 || size > INPUT_MAX)
		return 0;
	set_up();
	reader_init(&in, slice_of(data + 2, size - 2));
	if (data[0] & 128) {
		search(&in);
		return 0;
	}
	params.node = node;
	params.no_table = data[0] & 1;
	params.no_record = data[0] & 2;
	params.pings = (data[0] >> 2) % (PROBE_TRIES + 1);
	params.timeout_ms = data[0] & 16 ? 1000 + 100 * data[1] : 0;
	memcpy(params.own_key, keys[2], sizeof(params.own_key));
	now_ms = START_MS;
	sent = ended = 0;
	probe_init(&probe, &params, now_ms);
	drain();
	for (unsigned i = 0; i < COMMANDS_MAX && reader_left(&in) > 0; i++)
		run(&in);
	wait_for(600 * 1000); /* nobody says anything any more: it ends */
	CHECK(probe_state(&probe) == PROBE_DONE && ended == 1);
	return 0;
}
