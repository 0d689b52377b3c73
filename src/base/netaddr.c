#include "base/netaddr.h"

#include "base/keccak.h"
#include "base/rfc4648.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };
/* OnionCat's prefix, in which addr (v1) carried Tor v2 names. */
static const uint8_t onioncat_prefix[6] = { 0xfd, 0x87, 0xd8, 0x7e, 0xeb, 0x43 };

size_t netaddr_len(unsigned kind)
{
	switch ((enum netaddr_kind)kind) {
	case NETADDR_IPV4:
		return 4;
	case NETADDR_IPV6:
	case NETADDR_CJDNS:
		return 16;
	case NETADDR_TORV2:
		return 10;
	case NETADDR_TORV3:
	case NETADDR_I2P:
		return 32;
	case NETADDR_NONE:
		break;
	}
	return 0;
}

const char *netaddr_kind_name(unsigned kind)
{
	switch ((enum netaddr_kind)kind) {
	case NETADDR_IPV4:
		return "ipv4";
	case NETADDR_IPV6:
		return "ipv6";
	case NETADDR_TORV2:
		return "onion2";
	case NETADDR_TORV3:
		return "onion";
	case NETADDR_I2P:
		return "i2p";
	case NETADDR_CJDNS:
		return "cjdns";
	case NETADDR_NONE:
		break;
	}
	return "none";
}

struct netaddr netaddr_from_ip16(const uint8_t ip[16], uint16_t port)
{
	struct netaddr a = { .port = port };

	if (memcmp(ip, mapped_prefix, sizeof(mapped_prefix)) == 0) {
		a.kind = NETADDR_IPV4;
		memcpy(a.bytes, ip + 12, 4);
	} else if (memcmp(ip, onioncat_prefix, sizeof(onioncat_prefix)) == 0) {
		a.kind = NETADDR_TORV2;
		memcpy(a.bytes, ip + 6, 10);
	} else {
		a.kind = NETADDR_IPV6;
		memcpy(a.bytes, ip, 16);
	}
	return a;
}

bool netaddr_to_ip16(const struct netaddr *a, uint8_t out[16])
{
	switch ((enum netaddr_kind)a->kind) {
	case NETADDR_IPV4:
		memcpy(out, mapped_prefix, sizeof(mapped_prefix));
		memcpy(out + 12, a->bytes, 4);
		return true;
	case NETADDR_IPV6:
		memcpy(out, a->bytes, 16);
		return true;
	case NETADDR_TORV2:
		memcpy(out, onioncat_prefix, sizeof(onioncat_prefix));
		memcpy(out + 6, a->bytes, 10);
		return true;
	case NETADDR_TORV3:
	case NETADDR_I2P:
	case NETADDR_CJDNS:
	case NETADDR_NONE:
		break;
	}
	memset(out, 0, 16);
	return false;
}

struct netaddr netaddr_ipv4(uint32_t ip, uint16_t port)
{
	return (struct netaddr){ .kind = NETADDR_IPV4,
				 .port = port,
				 .bytes = { (uint8_t)(ip >> 24), (uint8_t)(ip >> 16),
					    (uint8_t)(ip >> 8), (uint8_t)ip } };
}

bool netaddr_same_host(const struct netaddr *a, const struct netaddr *b)
{
	return a->kind == b->kind && memcmp(a->bytes, b->bytes, netaddr_len(a->kind)) == 0;
}

bool netaddr_equal(const struct netaddr *a, const struct netaddr *b)
{
	return a->port == b->port && netaddr_same_host(a, b);
}

bool netaddr_is_ip(const struct netaddr *a)
{
	return a->kind == NETADDR_IPV4 || a->kind == NETADDR_IPV6;
}

/* Whether the first bits of p are those of prefix. */
static bool has_prefix(const uint8_t *p, const uint8_t *prefix, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(p, prefix, whole) != 0)
		return false;
	return rest == 0 || ((p[whole] ^ prefix[whole]) >> (8 - rest)) == 0;
}

struct block {
	uint8_t bits;
	uint8_t prefix[16];
};

static bool in_blocks(const uint8_t *p, const struct block *blocks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (has_prefix(p, blocks[i].prefix, blocks[i].bits))
			return true;
	}
	return false;
}

/* IANA IPv4 Special-Purpose Address Registry (RFC 6890 and later), and multicast. */
static const struct block special4[] = {
	{ 8, { 0 } },             /* this network */
	{ 8, { 10 } },            /* private, RFC 1918 */
	{ 10, { 100, 64 } },      /* shared by carriers, RFC 6598 */
	{ 8, { 127 } },           /* loopback */
	{ 16, { 169, 254 } },     /* link-local */
	{ 12, { 172, 16 } },      /* private */
	{ 24, { 192, 0, 0 } },    /* protocol assignments */
	{ 24, { 192, 0, 2 } },    /* documentation */
	{ 24, { 192, 88, 99 } },  /* 6to4 anycast, deprecated */
	{ 16, { 192, 168 } },     /* private */
	{ 15, { 198, 18 } },      /* benchmarking */
	{ 24, { 198, 51, 100 } }, /* documentation */
	{ 24, { 203, 0, 113 } },  /* documentation */
	{ 4, { 224 } },           /* multicast */
	{ 4, { 240 } },           /* reserved, and broadcast */
};

/* IANA IPv6 Special-Purpose Address Registry, and what lies outside 2000::/3. */
static const struct block special6[] = {
	{ 23, { 0x20, 0x01 } },             /* protocol assignments, Teredo, ORCHID */
	{ 32, { 0x20, 0x01, 0x0d, 0xb8 } }, /* documentation */
	{ 16, { 0x20, 0x02 } },             /* 6to4 */
	{ 20, { 0x3f, 0xff } },             /* documentation, RFC 9637 */
};

bool netaddr_is_routable(const struct netaddr *a)
{
	static const uint8_t global6[] = { 0x20 };

	switch ((enum netaddr_kind)a->kind) {
	case NETADDR_IPV4:
		return a->port != 0 &&
		       !in_blocks(a->bytes, special4, sizeof(special4) / sizeof(*special4));
	case NETADDR_IPV6:
		return a->port != 0 && has_prefix(a->bytes, global6, 3) &&
		       !in_blocks(a->bytes, special6, sizeof(special6) / sizeof(*special6));
	case NETADDR_CJDNS:
		return a->port != 0 && a->bytes[0] == 0xfc;
	case NETADDR_TORV3:
		return a->port != 0;
	case NETADDR_I2P:
		return true; /* BIP 155: I2P's SAM 3.1 has no ports, 0 is the rule */
	case NETADDR_TORV2:
	case NETADDR_NONE:
		break;
	}
	return false;
}

bool netaddr_is_host(const struct netaddr *a)
{
	static const uint8_t zeros[16], ones[4] = { 0xff, 0xff, 0xff, 0xff };

	switch ((enum netaddr_kind)a->kind) {
	case NETADDR_IPV4:
		return a->port != 0 && a->bytes[0] != 0 && (a->bytes[0] & 0xf0) != 0xe0 &&
		       memcmp(a->bytes, ones, sizeof(ones)) != 0;
	case NETADDR_IPV6:
		return a->port != 0 && a->bytes[0] != 0xff &&
		       memcmp(a->bytes, zeros, sizeof(zeros)) != 0;
	case NETADDR_CJDNS:
	case NETADDR_TORV3:
	case NETADDR_I2P:
	case NETADDR_TORV2:
		return true;
	case NETADDR_NONE:
		break;
	}
	return false;
}

/* Tor's rend-spec-v3: the two bytes that guard a v3 name, and its version. */
static void onion_checksum(const uint8_t key[32], uint8_t out[3])
{
	uint8_t in[15 + 32 + 1], digest[32];

	memcpy(in, ".onion checksum", 15);
	memcpy(in + 15, key, 32);
	in[47] = 3;
	sha3_256(slice_of(in, sizeof(in)), digest);
	out[0] = digest[0];
	out[1] = digest[1];
	out[2] = 3;
}

/* In decimal; without the detour over a format, as every visit writes a few. */
static char *put_number(char *p, unsigned n)
{
	if (n >= 10)
		p = put_number(p, n / 10);
	*p++ = (char)('0' + n % 10);
	return p;
}

static size_t ipv4_text(const uint8_t bytes[4], char *out)
{
	char *p = out;

	for (unsigned i = 0; i < 4; i++) {
		p = put_number(p, bytes[i]);
		*p++ = '.';
	}
	*--p = 0;
	return (size_t)(p - out);
}

size_t netaddr_host_text(const struct netaddr *a, char out[static NETADDR_HOST_TEXT_MAX])
{
	uint8_t onion[35];
	size_t n;

	switch ((enum netaddr_kind)a->kind) {
	case NETADDR_IPV4:
		return ipv4_text(a->bytes, out);
	case NETADDR_IPV6:
	case NETADDR_CJDNS:
		/* The libc's inet_ntop writes RFC 5952's form. */
		if (inet_ntop(AF_INET6, a->bytes, out, NETADDR_HOST_TEXT_MAX) == NULL)
			break;
		return strlen(out);
	case NETADDR_TORV2:
		n = base32_encode(slice_of(a->bytes, 10), false, out);
		memcpy(out + n, ".onion", 7);
		return n + 6;
	case NETADDR_TORV3:
		memcpy(onion, a->bytes, 32);
		onion_checksum(a->bytes, onion + 32);
		n = base32_encode(slice_of(onion, sizeof(onion)), false, out);
		memcpy(out + n, ".onion", 7);
		return n + 6;
	case NETADDR_I2P:
		n = base32_encode(slice_of(a->bytes, 32), false, out);
		memcpy(out + n, ".b32.i2p", 9);
		return n + 8;
	case NETADDR_NONE:
		break;
	}
	memcpy(out, "none", 5);
	return 4;
}

size_t netaddr_text(const struct netaddr *a, char out[static NETADDR_TEXT_MAX])
{
	bool brackets = a->kind == NETADDR_IPV6 || a->kind == NETADDR_CJDNS;
	char *p = out;

	_Static_assert(NETADDR_TEXT_MAX >= NETADDR_HOST_TEXT_MAX + sizeof("[]:65535") - 1,
		       "the longest fits");
	if (brackets)
		*p++ = '[';
	p += netaddr_host_text(a, p);
	if (brackets)
		*p++ = ']';
	*p++ = ':';
	p = put_number(p, a->port);
	*p = 0;
	return (size_t)(p - out);
}

static bool ends_with(struct slice text, const char *tail)
{
	size_t n = strlen(tail);

	if (text.len < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int c = text.data[text.len - n + i];

		if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != tail[i])
			return false;
	}
	return true;
}

static bool parse_host(struct slice host, struct netaddr *out)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t ip[16];

	if (ends_with(host, ".b32.i2p")) {
		out->kind = NETADDR_I2P;
		return base32_decode(slice_of(host.data, host.len - 8), out->bytes, 32);
	}
	if (ends_with(host, ".onion")) {
		uint8_t onion[35], check[3];
		struct slice name = slice_of(host.data, host.len - 6);

		if (name.len == 16) {
			out->kind = NETADDR_TORV2;
			return base32_decode(name, out->bytes, 10);
		}
		if (!base32_decode(name, onion, sizeof(onion)))
			return false;
		onion_checksum(onion, check);
		out->kind = NETADDR_TORV3;
		memcpy(out->bytes, onion, 32);
		return memcmp(check, onion + 32, sizeof(check)) == 0;
	}
	if (host.len == 0 || host.len >= sizeof(text) || memchr(host.data, 0, host.len) != NULL)
		return false;
	memcpy(text, host.data, host.len);
	text[host.len] = 0;
	if (inet_pton(AF_INET, text, out->bytes) == 1) {
		out->kind = NETADDR_IPV4;
		return true;
	}
	if (inet_pton(AF_INET6, text, ip) == 1) {
		*out = netaddr_from_ip16(ip, out->port);
		/* fc00::/8 is CJDNS in the networks that use it; nobody else routes it. */
		if (out->kind == NETADDR_IPV6 && ip[0] == 0xfc)
			out->kind = NETADDR_CJDNS;
		return true;
	}
	return false;
}

static bool parse_port(struct slice text, uint16_t *out)
{
	uint32_t v = 0;

	if (text.len == 0 || text.len > 5)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		v = v * 10 + (uint32_t)(text.data[i] - '0');
	}
	*out = (uint16_t)v;
	return v <= UINT16_MAX;
}

enum err netaddr_parse(struct slice text, uint16_t default_port, struct netaddr *out)
{
	struct netaddr a = { .port = default_port };
	struct slice host = text;
	const uint8_t *colon;

	*out = (struct netaddr){ 0 };
	if (text.len > 0 && text.data[0] == '[') {
		const uint8_t *end = memchr(text.data, ']', text.len);

		if (end == NULL)
			return ERR_SYNTAX;
		host = slice_of(text.data + 1, (size_t)(end - text.data) - 1);
		text = slice_from(text, (size_t)(end - text.data) + 1);
		if (memchr(host.data, ':', host.len) == NULL)
			return ERR_SYNTAX;
		if (text.len > 0 &&
		    (text.data[0] != ':' || !parse_port(slice_from(text, 1), &a.port)))
			return ERR_SYNTAX;
	} else if (text.len > 0 && (colon = memchr(text.data, ':', text.len)) != NULL &&
		   memchr(colon + 1, ':', text.len - (size_t)(colon + 1 - text.data)) == NULL) {
		host = slice_of(text.data, (size_t)(colon - text.data));
		if (!parse_port(slice_from(text, host.len + 1), &a.port))
			return ERR_SYNTAX;
	}
	if (!parse_host(host, &a))
		return ERR_SYNTAX;
	*out = a;
	return ERR_OK;
}

size_t netaddr_key(const struct netaddr *a, uint8_t out[static NETADDR_KEY_MAX])
{
	size_t len = netaddr_len(a->kind);

	out[0] = a->kind;
	memcpy(out + 1, a->bytes, len);
	out[1 + len] = (uint8_t)(a->port >> 8);
	out[2 + len] = (uint8_t)a->port;
	return len + 3;
}

enum err cidr_parse(struct slice text, struct cidr *out)
{
	const uint8_t *slash = text.len > 0 ? memchr(text.data, '/', text.len) : NULL;
	struct slice host = text;
	struct netaddr check;
	uint16_t bits = 0;

	*out = (struct cidr){ 0 };
	if (slash != NULL) {
		host.len = (size_t)(slash - text.data);
		if (!parse_port(slice_from(text, host.len + 1), &bits))
			return ERR_SYNTAX;
	}
	if (!parse_host(host, &out->base) ||
	    !(netaddr_is_ip(&out->base) || out->base.kind == NETADDR_CJDNS))
		return ERR_SYNTAX;
	if (out->base.kind == NETADDR_CJDNS)
		out->base.kind = NETADDR_IPV6;
	if (slash == NULL)
		bits = (uint16_t)(netaddr_len(out->base.kind) * 8);
	if (bits > netaddr_len(out->base.kind) * 8)
		return ERR_SYNTAX;
	out->bits = (uint8_t)bits;
	check = cidr_address(out, 0);
	return netaddr_same_host(&check, &out->base) ? ERR_OK : ERR_SYNTAX;
}

bool cidr_contains(const struct cidr *c, const struct netaddr *a)
{
	unsigned kind = a->kind == NETADDR_CJDNS ? NETADDR_IPV6 : a->kind;

	return c->base.kind == kind && has_prefix(a->bytes, c->base.bytes, c->bits);
}

struct netaddr cidr_address(const struct cidr *c, uint64_t index)
{
	struct netaddr a = c->base;
	unsigned bits = (unsigned)netaddr_len(a.kind) * 8;

	for (unsigned i = bits; i > c->bits; i--) {
		uint8_t mask = (uint8_t)(0x80U >> ((i - 1) % 8));

		a.bytes[(i - 1) / 8] &= (uint8_t)~mask;
		if (index & 1)
			a.bytes[(i - 1) / 8] |= mask;
		index >>= 1;
	}
	return a;
}
