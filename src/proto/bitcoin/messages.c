#include "proto/bitcoin/messages.h"

#include "proto/bitcoin/fields.h"

#include <endian.h>
#include <string.h>

enum { ADDR_V1_LEN = 4 + 8 + 16 + 2 /* time, services, address, port */ };

const char *bitcoin_service_name(unsigned bit)
{
	switch (bit) {
	case 0:
		return "NETWORK";
	case 1:
		return "GETUTXO"; /* BIP 64; never in Core */
	case 2:
		return "BLOOM"; /* BIP 111 */
	case 3:
		return "WITNESS"; /* BIP 144 */
	case 6:
		return "COMPACT_FILTERS"; /* BIP 157 */
	case 10:
		return "NETWORK_LIMITED"; /* BIP 159 */
	case 11:
		return "P2P_V2"; /* BIP 324 */
	default:
		return NULL;
	}
}

static const char *describe_relay(uint32_t value)
{
	return value != 0 ? "announce transactions" : "announce no transactions";
}

void bitcoin_version_decode(struct reader *r, struct bitcoin_version *out)
{
	*out = (struct bitcoin_version){ .relay = true };
	out->protocol = reader_i32le(r, "protocol");
	out->services = bitcoin_read_services(r, "services");
	out->time_s = reader_time64le(r, "time");
	out->recv.services = bitcoin_read_services(r, "receiver services");
	out->recv.addr = bitcoin_read_ip16(r, "receiver address", "receiver port");
	if (reader_left(r) == 0)
		return;
	out->from.services = bitcoin_read_services(r, "sender services");
	out->from.addr = bitcoin_read_ip16(r, "sender address", "sender port");
	out->nonce = reader_hex64le(r, "nonce");
	out->has_from = reader_ok(r);
	/* Core takes a message that ends behind any of the fields from here on. */
	if (reader_left(r) == 0)
		return;
	out->agent = bitcoin_read_var_text(r, BITCOIN_AGENT_MAX, "user agent",
					   "user agent: at most 256 bytes (MAX_SUBVERSION_LENGTH)");
	if (reader_left(r) == 0)
		return;
	out->height = reader_i32le(r, "height");
	out->has_height = reader_ok(r);
	if (reader_left(r) == 0)
		return;
	out->relay = bitcoin_read_named_u8(r, "relay", describe_relay) != 0; /* BIP 37 */
	out->has_relay = reader_ok(r);
}

static void put_net_addr(struct writer *w, const struct bitcoin_net_addr *a)
{
	uint8_t ip[16];

	netaddr_to_ip16(&a->addr, ip); /* zeros where there is no such form */
	writer_u64le(w, a->services);
	writer_bytes(w, ip, sizeof(ip));
	writer_u16be(w, a->addr.port);
}

void bitcoin_version_encode(struct writer *w, const struct bitcoin_version *v)
{
	writer_u32le(w, (uint32_t)v->protocol);
	writer_u64le(w, v->services);
	writer_u64le(w, (uint64_t)v->time_s);
	put_net_addr(w, &v->recv);
	if (!v->has_from)
		return;
	put_net_addr(w, &v->from);
	writer_u64le(w, v->nonce);
	bitcoin_put_var_slice(w, v->agent);
	if (!v->has_height)
		return;
	writer_u32le(w, (uint32_t)v->height);
	if (v->has_relay)
		writer_u8(w, v->relay);
}

/* One entry of addrv2 as it stands in the message; unknown networks included. */
struct entry {
	uint32_t time_s;
	uint64_t services;
	uint8_t network;
	uint16_t port;
	struct slice bytes;
};

/* The length that BIP 155 gives a network's addresses, 0 where any will do: networks
 * not known to us, and Tor v2, which "MUST be ignored" like those. */
static inline size_t network_len(uint8_t network)
{
	static const uint8_t lens[] = {
		[NETADDR_IPV4] = 4,   [NETADDR_IPV6] = 16, [NETADDR_TORV2] = 0,
		[NETADDR_TORV3] = 32, [NETADDR_I2P] = 32,  [NETADDR_CJDNS] = 16,
	};

	return network < sizeof(lens) ? lens[network] : 0;
}

/* One byte nearly always (a length) or three (services): without a call. */
static inline size_t size_fast(const uint8_t *p, size_t left, uint64_t *out)
{
	enum err err;
	size_t n;

	if (left >= 1 && p[0] < 0xfd) {
		*out = p[0];
		return 1;
	}
	if (left >= 3 && p[0] == 0xfd && p[2] != 0) {
		*out = (uint64_t)p[1] | (uint64_t)p[2] << 8;
		return 3;
	}
	n = bitcoin_compact_size_peek(p, left, out, &err);
	return err == ERR_OK ? n : 0;
}

/* The fast way through a well-formed entry, without hook or errors: its length, or 0
 * for an entry that is cut short or breaks a rule (then entry_read says which). A
 * crawl reads thousands of these for every peer that it visits. */
static inline size_t entry_fast(const uint8_t *p, size_t left, struct entry *out)
{
	size_t at = 4, n, want;
	uint64_t len;

	if (left < at)
		return 0;
	out->time_s =
		(uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
	n = size_fast(p + at, left - at, &out->services);
	at += n;
	if (n == 0 || left - at < 1)
		return 0;
	out->network = p[at++];
	n = size_fast(p + at, left - at, &len);
	at += n;
	if (n == 0 || len > BITCOIN_ADDRV2_BYTES_MAX || left - at < len + 2)
		return 0;
	want = network_len(out->network);
	if (want != 0 && len != want)
		return 0;
	out->bytes = slice_of(p + at, (size_t)len);
	at += (size_t)len;
	out->port = (uint16_t)(p[at] << 8 | p[at + 1]);
	return at + 2;
}

static const char *describe_network(uint32_t network)
{
	return network_len((uint8_t)network) != 0 ? netaddr_kind_name(network)
	       : network == NETADDR_TORV2         ? "onion2, obsolete: ignored"
						  : "unknown: ignored";
}

/* The checked address, or NETADDR_NONE for an entry that is to be ignored. */
static struct netaddr entry_addr(const struct entry *e)
{
	struct netaddr a = { .kind = NETADDR_NONE };

	if (network_len(e->network) == 0)
		return a;
	if (e->network == NETADDR_IPV6) {
		/* BIP 155, appendix A, and Core: IPv4 or OnionCat dressed up as IPv6. */
		a = netaddr_from_ip16(e->bytes.data, e->port);
		if (a.kind != NETADDR_IPV6)
			a = (struct netaddr){ .kind = NETADDR_NONE };
		return a;
	}
	a.kind = e->network;
	a.port = e->port;
	memcpy(a.bytes, e->bytes.data, e->bytes.len);
	return a;
}

/* CompactSize services, with the names of their bits for the hook. */
static uint64_t read_compact_services(struct reader *r)
{
	char text[BITCOIN_SERVICES_TEXT_MAX];
	field_fn *hook = r->on_field;
	size_t start = r->at;
	uint64_t v;

	r->on_field = NULL;
	v = bitcoin_compact_size(r, UINT64_MAX, "services", NULL);
	r->on_field = hook;
	if (hook == NULL || !reader_ok(r))
		return v;
	bitcoin_services_text(v, text);
	reader_tell(r, &(struct field){ .name = "services",
					.kind = FIELD_HEX,
					.at = start,
					.len = r->at - start,
					.value = v,
					.bytes = { r->data + start, r->at - start },
					.text = text });
	return v;
}

static void entry_tell_addr(struct reader *r, const struct entry *e)
{
	struct netaddr a = entry_addr(e);
	char text[NETADDR_HOST_TEXT_MAX];

	netaddr_host_text(&a, text);
	reader_tell(r, &(struct field){ .name = "address",
					.kind = a.kind != NETADDR_NONE ? FIELD_ADDR : FIELD_BYTES,
					.at = r->at - e->bytes.len,
					.len = e->bytes.len,
					.bytes = e->bytes,
					.text = a.kind != NETADDR_NONE ? text : "ignored" });
}

static void entry_read(struct reader *r, struct entry *out)
{
	field_fn *hook = r->on_field;
	size_t len_at, want;
	uint64_t len;

	out->port = 0; /* until it is read: entry_tell_addr looks at the whole */
	out->time_s = reader_time32le(r, "time");
	out->services = read_compact_services(r);
	out->network = bitcoin_read_named_u8(r, "network", describe_network);
	len_at = r->at;
	len = bitcoin_compact_size(r, BITCOIN_ADDRV2_BYTES_MAX, "length",
				   "address: at most 512 bytes (BIP 155)");
	want = network_len(out->network);
	if (reader_ok(r) && want != 0 && len != want)
		reader_fail_at(r, ERR_VALUE, len_at,
			       "address: the length that BIP 155 gives its network");
	r->on_field = NULL;
	out->bytes = reader_bytes(r, (size_t)len, "address");
	r->on_field = hook;
	if (hook != NULL && reader_ok(r))
		entry_tell_addr(r, out);
	out->port = reader_u16be(r, "port");
}

/* Passes over the IPv4 entries at the start, in their usual form; returns how many. */
static uint64_t v2_check_ipv4(struct reader *r, uint64_t count)
{
	enum { LEN = 4 + 1 + 2 + 4 + 2, LEN_MAX = LEN + 2 };
	const uint8_t *p = r->data + r->at, *end = r->data + r->len;
	uint64_t i;

	for (i = 0; i < count && end - p >= LEN_MAX; i++) {
		size_t more = p[4] < 0xfd ? 0 : 2;

		if (p[4] > 0xfd || (more > 0 && p[6] == 0) || p[5 + more] != NETADDR_IPV4 ||
		    p[6 + more] != 4)
			break;
		p += LEN + more;
	}
	r->at = (size_t)(p - r->data);
	return i;
}

static void v2_check(struct reader *r, uint64_t count)
{
	bool quiet = r->on_field == NULL;
	struct entry e;

	for (uint64_t i = quiet ? v2_check_ipv4(r, count) : 0; i < count && reader_ok(r); i++) {
		size_t n = quiet ? entry_fast(r->data + r->at, r->len - r->at, &e) : 0;

		r->at += n;
		if (n == 0) {
			reader_group(r, "entry", i);
			entry_read(r, &e);
		}
		if (quiet && reader_ok(r))
			i += v2_check_ipv4(r, count - i - 1);
	}
}

static void v1_check(struct reader *r, uint64_t count)
{
	struct slice list;

	if (bitcoin_read_list_fast(r, count, ADDR_V1_LEN, &list))
		return;
	for (uint64_t i = 0; i < count && reader_ok(r); i++) {
		reader_group(r, "entry", i);
		reader_time32le(r, "time");
		bitcoin_read_services(r, "services");
		bitcoin_read_ip16(r, "address", "port");
	}
}

void bitcoin_addr_decode(struct reader *r, bool v2, struct bitcoin_addr *out)
{
	size_t start;
	uint64_t count;

	*out = (struct bitcoin_addr){ .v2 = v2 };
	count = bitcoin_compact_size(r, BITCOIN_ADDR_MAX, "count",
				     "addr: at most 1,000 entries (MAX_ADDR_TO_SEND, BIP 155)");
	start = r->at;
	if (v2)
		v2_check(r, count);
	else
		v1_check(r, count);
	if (!reader_ok(r))
		return;
	out->count = (uint32_t)count;
	out->entries = bitcoin_read_since(r, start);
}

static uint64_t little64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v)); /* one load: this runs for every address named */
	return le64toh(v);
}

static size_t v1_next(const uint8_t *p, size_t left, struct advert *out)
{
	if (left < ADDR_V1_LEN)
		return 0;
	out->last_seen_s = (int64_t)(little64(p) & UINT32_MAX);
	out->services = little64(p + 4);
	out->addr = netaddr_from_ip16(p + 12, (uint16_t)(p[28] << 8 | p[29]));
	/* Core reads OnionCat as no address at all; Tor v2 is gone. */
	if (out->addr.kind == NETADDR_TORV2)
		out->addr.kind = NETADDR_NONE;
	return ADDR_V1_LEN;
}

/* IPv4 in its usual form, nearly all of what peers name: its length, or 0 for any
 * other entry. */
static inline size_t v2_next_ipv4(const uint8_t *p, size_t left, struct advert *out)
{
	enum { LEN_MAX = 4 + 3 + 2 + 4 + 2 };
	size_t at = 5;

	if (left < LEN_MAX)
		return 0;
	out->services = p[4];
	if (p[4] == 0xfd && p[6] != 0) {
		out->services = (uint64_t)p[5] | (uint64_t)p[6] << 8;
		at = 7;
	} else if (p[4] >= 0xfd) {
		return 0;
	}
	if (p[at] != NETADDR_IPV4 || p[at + 1] != 4)
		return 0;
	out->last_seen_s =
		(uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
	out->addr = (struct netaddr){ .kind = NETADDR_IPV4,
				      .port = (uint16_t)(p[at + 6] << 8 | p[at + 7]) };
	memcpy(out->addr.bytes, p + at + 2, 4);
	return at + 8;
}

static size_t v2_next(const uint8_t *p, size_t left, struct advert *out)
{
	struct entry e;
	size_t n = v2_next_ipv4(p, left, out);

	if (n != 0)
		return n;
	n = entry_fast(p, left, &e);
	if (n == 0)
		return 0;
	out->last_seen_s = e.time_s;
	out->services = e.services;
	out->addr = entry_addr(&e);
	return n;
}

size_t bitcoin_addr_read(struct reader *r, bool v2, struct advert *out, size_t cap)
{
	size_t count = 0;

	while (count < cap && reader_left(r) > 0) {
		const uint8_t *p = r->data + r->at;
		size_t left = r->len - r->at;
		size_t n = v2 ? v2_next(p, left, &out[count]) : v1_next(p, left, &out[count]);

		if (n == 0) {
			reader_fail(r, ERR_SHORT, "entry");
			break;
		}
		r->at += n;
		out[count].node_id = slice_of(NULL, 0);
		count += out[count].addr.kind != NETADDR_NONE;
	}
	return count;
}

/* Glances at the IPv4 entries at the start, in their usual form; returns how many. As an
 * entry is one of two lengths, by turns that nobody can predict, there is no branch on
 * it. */
static size_t v2_glance_ipv4(struct reader *r, const struct glance_key *key, struct glance *out,
			     size_t cap)
{
	/* Up to the address; the eight bytes from there on are read as one number. */
	enum { HEAD = 4 + 1 + 2, MORE = 2, LEN = HEAD + 4 + 2, LEAST = HEAD + MORE + 8 };
	const uint8_t *p = r->data + r->at, *end = r->data + r->len;
	size_t count = 0;

	while (count < cap && end - p >= LEAST) {
		size_t more = (size_t)(p[4] == 0xfd) * MORE;
		const uint8_t *head = p + 5 + more;

		if (p[4] > 0xfd || head[0] != NETADDR_IPV4 || head[1] != 4 || (p[6] == 0 && more))
			break;
		out[count].hash = glance_ipv4(key, little64(head + 2) & ((1ULL << 48) - 1));
		out[count++].at = (uint32_t)(p - r->data);
		p += LEN + more;
	}
	r->at = (size_t)(p - r->data);
	return count;
}

size_t bitcoin_addr_glance(struct reader *r, bool v2, const struct glance_key *key,
			   struct glance *out, size_t cap)
{
	struct advert advert;
	size_t count = 0;

	while (count < cap) {
		uint32_t at;

		if (v2)
			count += v2_glance_ipv4(r, key, out + count, cap - count);
		if (count == cap)
			break;
		at = (uint32_t)r->at;
		if (!bitcoin_addr_next(r, v2, &advert))
			break;
		out[count++] = (struct glance){ glance_of(key, &advert.addr), at };
	}
	return count;
}

bool bitcoin_addr_next(struct reader *r, bool v2, struct advert *out)
{
	if (bitcoin_addr_read(r, v2, out, 1) == 1)
		return true;
	*out = (struct advert){ .addr = { .kind = NETADDR_NONE } };
	return false;
}

/* BIP 155: nobody may gossip Tor v2 any more; v1 has room for 16 bytes alone. */
static bool encodable(const struct netaddr *a, bool v2)
{
	uint8_t ip[16];

	if (network_len(a->kind) == 0)
		return false;
	return v2 || netaddr_to_ip16(a, ip);
}

static void put_advert(struct writer *w, bool v2, const struct advert *a)
{
	uint8_t ip[16];

	writer_u32le(w, (uint32_t)a->last_seen_s);
	if (v2) {
		bitcoin_put_compact_size(w, a->services);
		writer_u8(w, a->addr.kind);
		bitcoin_put_var_slice(w, slice_of(a->addr.bytes, netaddr_len(a->addr.kind)));
	} else {
		netaddr_to_ip16(&a->addr, ip);
		writer_u64le(w, a->services);
		writer_bytes(w, ip, sizeof(ip));
	}
	writer_u16be(w, a->addr.port);
}

void bitcoin_addr_encode(struct writer *w, bool v2, const struct advert *adverts, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += encodable(&adverts[i].addr, v2);
	bitcoin_put_compact_size(w, n);
	for (size_t i = 0; i < count; i++) {
		if (encodable(&adverts[i].addr, v2))
			put_advert(w, v2, &adverts[i]);
	}
}

void bitcoin_ping_decode(struct reader *r, struct bitcoin_ping *out)
{
	*out = (struct bitcoin_ping){ .has_nonce = false };
	if (reader_left(r) == 0)
		return; /* before BIP 31 */
	out->nonce = reader_hex64le(r, "nonce");
	out->has_nonce = reader_ok(r);
}

void bitcoin_ping_encode(struct writer *w, const struct bitcoin_ping *p)
{
	if (p->has_nonce)
		writer_u64le(w, p->nonce);
}

void bitcoin_feefilter_decode(struct reader *r, int64_t *out)
{
	*out = reader_i64le(r, "feerate");
}

void bitcoin_feefilter_encode(struct writer *w, int64_t fee)
{
	writer_u64le(w, (uint64_t)fee);
}
