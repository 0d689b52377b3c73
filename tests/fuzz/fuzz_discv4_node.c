/* fuzz_discv4_node.c: a discv4 node among strangers: any datagrams, from any addresses, at any
 * times; some are bytes of the fuzzer, most are packets that somebody signed. What has to
 * hold whatever they say: the caps, and that a host which has proven nothing gets no more
 * bytes than it sent and the advance that comes back with time, and nothing at all if it
 * sent nothing and no one has named it.
 *
 * An input is a row of commands: what, who, where from, how much, and as many bytes of
 * data as the command takes. */
#include "fuzz/fuzz.h"
#include "support/discv4.h"

enum {
	PLAYERS = 10,
	PLACES = 16,
	COMMANDS_MAX = 64, /* each may cost a signature or two */
	STEPS_MAX = 200,   /* of one wait; then the machine has slept */
	START_S = 1780000000,
	START_MS = 1000,
};

enum command {
	COMMAND_RAW,
	COMMAND_PING,
	COMMAND_PONG,       /* for the last PING to that place */
	COMMAND_PONG_WRONG, /* for any hash */
	COMMAND_FINDNODE,
	COMMAND_NEIGHBORS,
	COMMAND_ENRREQUEST,
	COMMAND_ENRRESPONSE, /* to the last ENRREQUEST to that place */
	COMMAND_LIST,        /* signed, but the list is the fuzzer's */
	COMMAND_WAIT,
	COMMAND_LOOKUP,
	COMMAND_COUNT,
};

struct place {
	struct netaddr addr;
	bool free;           /* proven once, or named: no limit */
	uint64_t in, out;    /* bytes */
	struct packet asked; /* the last PING or ENRREQUEST to it */
	uint8_t last_ping[DISCV4_HASH_LEN], last_request[DISCV4_HASH_LEN];
	bool pinged;
};

static struct secp secp;
static struct player players[PLAYERS];
static struct discv4 node;
static struct place places[PLACES];
static uint64_t now_ms;

static void set_up(void)
{
	static const uint8_t random[SECP_RANDOM_LEN] = { 7 };
	static bool done;

	if (done)
		return;
	done = true;
	secp_init(&secp, random);
	for (uint32_t i = 0; i < PLAYERS; i++)
		player_init(&players[i], &secp, 1 + i, &(struct netaddr){ 0 });
}

/* Public, local and loopback, IPv4 and IPv6, one host at two ports, and a crowd of one group. */
static void places_init(void)
{
	static const uint32_t ips[] = { 0x05060708, 0x05060708, 0x05060907, 0x0a000001,
					0x7f000001, 0xe0000001, 0x0506090a, 0x0506090b,
					0x0506090c, 0x0707090a, 0x0808090a, 0x09090909 };

	memset(places, 0, sizeof(places));
	for (unsigned i = 0; i < PLACES; i++) {
		struct netaddr *a = &places[i].addr;

		if (i < sizeof(ips) / sizeof(*ips)) {
			*a = netaddr_ipv4(ips[i], (uint16_t)(30000 + i));
			continue;
		}
		*a = (struct netaddr){ .kind = NETADDR_IPV6, .port = (uint16_t)(60 + i) };
		a->bytes[0] = 0x26;
		a->bytes[15] = (uint8_t)i;
	}
}

/* Proof is of a host, whatever the port. */
static void set_free(const struct netaddr *addr)
{
	for (unsigned i = 0; i < PLACES; i++)
		places[i].free |= netaddr_same_host(&places[i].addr, addr);
}

/* Accounts are of hosts, too. */
static void check_credit(const struct netaddr *host)
{
	uint64_t in = 0, out = 0;
	uint64_t back = (now_ms - START_MS) * DISCV4_CREDIT_ADVANCE / DISCV4_CREDIT_BACK_MS;

	for (unsigned i = 0; i < PLACES; i++) {
		if (!netaddr_same_host(&places[i].addr, host))
			continue;
		in += places[i].in;
		out += places[i].out;
	}
	CHECK(out == 0 || in > 0);
	CHECK(out <= in + DISCV4_CREDIT_ADVANCE + back);
}

static struct place *place_of(const struct netaddr *addr)
{
	for (unsigned i = 0; i < PLACES; i++) {
		if (netaddr_equal(&places[i].addr, addr))
			return &places[i];
	}
	return NULL;
}

static void check_caps(void)
{
	unsigned outstanding = 0, strangers = 0, table = kademlia_count(&node.table);

	for (unsigned i = 0; i < DISCV4_PENDING_MAX; i++) {
		const struct discv4_pending *p = &node.pending[i];

		outstanding += p->ticket != 0;
		strangers += p->ticket != 0 && p->purpose == DISCV4_PURPOSE_STRANGER;
	}
	CHECK(outstanding == node.pending_count && strangers <= DISCV4_PENDING_STRANGERS);
	CHECK(table <= KADEMLIA_ENTRIES_MAX && node.lookup.outstanding <= LOOKUP_PARALLEL);
	CHECK(node.waiting_count <= DISCV4_LOOKUPS_MAX && node.statements.count <= STATEMENTS_MAX);
	CHECK(node.out_count == 0 && node.event_count == 0);
	CHECK(discv4_bonds_count(&node.bonds, node.now_ms) <= PLAYERS * PLACES);
}

static void check_sent(const struct discv4_datagram *d)
{
	struct place *place = place_of(&d->to);
	struct discv4_packet p;
	struct reader r;

	reader_init(&r, slice_of(d->bytes, d->len));
	discv4_decode(&r, &p);
	CHECK(reader_ok(&r) && memcmp(p.signer, node.key, sizeof(p.signer)) == 0);
	CHECK(place != NULL); /* nobody else was named, or spoke */
	CHECK(netaddr_is_host(&d->to));
	place->out += d->len;
	if (!place->free)
		check_credit(&place->addr);
	CHECK(place->free || p.type == DISCV4_PING || p.type == DISCV4_PONG);
	if (p.type == DISCV4_PING) {
		memcpy(place->last_ping, d->bytes, sizeof(place->last_ping));
		place->pinged = true;
	} else if (p.type == DISCV4_ENRREQUEST) {
		memcpy(place->last_request, d->bytes, sizeof(place->last_request));
	}
}

static void drain(void)
{
	struct discv4_datagram d;
	struct discv4_event e;

	while (discv4_send(&node, &d))
		check_sent(&d);
	while (discv4_next(&node, &e)) {
		if (e.type == DISCV4_EVENT_RECORD)
			CHECK(e.record_len > 0 && e.record_len <= ENR_LEN_MAX);
	}
	check_caps();
}

static void wait_until(uint64_t until_ms, bool ends)
{
	/* A deadline in the past may come a few times, for what can go on at once. */
	unsigned idle = 0, steps = 0;

	while (discv4_deadline(&node) <= until_ms && (ends || steps++ < STEPS_MAX)) {
		idle = discv4_deadline(&node) > now_ms ? 0 : idle + 1;
		CHECK(idle < 64);
		if (discv4_deadline(&node) > now_ms)
			now_ms = discv4_deadline(&node);
		discv4_tick(&node, now_ms);
		drain();
	}
	now_ms = until_ms;
	discv4_tick(&node, now_ms);
	drain();
}

static uint8_t next_byte(struct reader *r)
{
	return reader_left(r) > 0 ? reader_u8(r, "byte") : 0;
}

/* What the neighbors and the record name: one of the places. */
static struct netaddr named_place(struct reader *r)
{
	const struct place *p = &places[next_byte(r) % PLACES];

	return p->addr;
}

static void say_names(const struct player *by, struct reader *in, int64_t expiration_s,
		      struct packet *out)
{
	struct enode nodes[DISCV4_NEIGHBORS_MAX];
	unsigned count = next_byte(in) % (DISCV4_NEIGHBORS_MAX + 1);

	for (unsigned i = 0; i < count; i++) {
		memcpy(nodes[i].key, players[next_byte(in) % PLAYERS].public, SECP_PUBLIC_LEN);
		nodes[i].endpoint = (struct enode_endpoint){ .addr = named_place(in) };
		set_free(&nodes[i].endpoint.addr);
	}
	say_neighbors(by, nodes, count, expiration_s, out);
}

static void say_list(const struct player *by, struct reader *in, struct packet *out)
{
	unsigned type = next_byte(in) % 8;
	size_t len = next_byte(in);
	struct writer w;

	len = len < reader_left(in) ? len : reader_left(in);
	packet_begin(out, &w, type);
	writer_slice(&w, reader_bytes(in, len, "list"));
	if (w.len == DISCV4_HEADER_LEN - 1)
		writer_u8(&w, 0xc0);
	packet_end(out, &w, by);
}

static void say_of(enum command command, const struct player *by, struct place *place,
		   struct reader *in, struct packet *out)
{
	int64_t expiration_s = START_S + (int64_t)now_ms / 1000 + (int8_t)next_byte(in);
	struct discv4_ping ping = { .version = 4, .expiration_s = expiration_s };
	struct discv4_pong pong = { .to = { .addr = places[0].addr },
				    .ping_hash = slice_of(place->last_ping, DISCV4_HASH_LEN),
				    .expiration_s = expiration_s,
				    .has_enr_seq = true };
	struct enode_endpoint at = { .addr = places[0].addr };

	out->len = 0;
	switch (command) {
	case COMMAND_RAW:
		out->len = next_byte(in) < reader_left(in) ? reader_left(in) / 2 : 0;
		if (out->len > sizeof(out->bytes))
			out->len = sizeof(out->bytes);
		memcpy(out->bytes, in->data + in->at, out->len);
		break;
	case COMMAND_PING:
		say_ping(by, &ping, out);
		break;
	case COMMAND_PONG:
		pong.enr_seq = next_byte(in);
		pong.to.addr.port = (uint16_t)(pong.to.addr.port + next_byte(in) % 2);
		if (place->pinged)
			set_free(&place->addr);
		say_pong(by, &pong, out);
		break;
	case COMMAND_PONG_WRONG:
		pong.ping_hash = slice_of(players[0].public, DISCV4_HASH_LEN);
		say_pong(by, &pong, out);
		break;
	case COMMAND_FINDNODE:
		say_findnode(by, players[next_byte(in) % PLAYERS].public, expiration_s, out);
		break;
	case COMMAND_NEIGHBORS:
		say_names(by, in, expiration_s, out);
		break;
	case COMMAND_ENRREQUEST:
		say_enrrequest(by, expiration_s, out);
		break;
	case COMMAND_ENRRESPONSE:
		at.addr = named_place(in);
		set_free(&at.addr);
		say_enrresponse(by, slice_of(place->last_request, DISCV4_HASH_LEN), next_byte(in),
				&at, out);
		break;
	case COMMAND_LIST:
		say_list(by, in, out);
		break;
	case COMMAND_WAIT:
	case COMMAND_LOOKUP:
	case COMMAND_COUNT:
		break;
	}
}

static void run(struct reader *in)
{
	static const uint64_t waits_ms[] = { 1,         100,       500,         1000,
					     10 * 1000, 60 * 1000, 3600 * 1000, 25 * 3600 * 1000 };
	enum command command = (enum command)(next_byte(in) % COMMAND_COUNT);
	uint8_t which = next_byte(in);
	const struct player *by = &players[which % PLAYERS];
	struct place *place = &places[which / PLAYERS % PLACES];
	struct packet packet;

	if (command == COMMAND_WAIT) {
		wait_until(now_ms + waits_ms[which % (sizeof(waits_ms) / sizeof(*waits_ms))],
			   false);
		return;
	}
	if (command == COMMAND_LOOKUP) {
		discv4_lookup(&node, by->public, now_ms);
		return;
	}
	say_of(command, by, place, in, &packet);
	place->in += packet.len;
	discv4_recv(&node, &place->addr, packet_slice(&packet), now_ms);
	drain();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct discv4_params params = { .secp = &secp, .seed = 5, .seq = 1 };
	struct reader in;

	set_up();
	places_init();
	now_ms = START_MS;
	params.key.bytes[0] = 1;
	params.wall_ms = (int64_t)START_S * 1000;
	params.self.addr = netaddr_ipv4(0x05050505, 30303);
	params.refresh_ms = size > 0 && data[0] % 2 == 1 ? 30 * 1000 : 0;
	discv4_init(&node, &params, now_ms);
	reader_init(&in, slice_of(data, size));
	next_byte(&in);
	for (unsigned i = 0; i < COMMANDS_MAX && reader_left(&in) > 0; i++)
		run(&in);
	/* Without anybody who speaks, everything comes to an end. */
	wait_until(now_ms + 1000, true);
	wait_until(now_ms + 10 * 60 * 1000, true);
	CHECK(kademlia_count(&node.table) == 0 && node.pending_count == 0);
	return 0;
}
