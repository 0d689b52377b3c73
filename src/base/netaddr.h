/* netaddr.h: where a peer can be found: an address of any network of BIP 155, and a port.
 *
 * Plain values, copied freely. Compare with netaddr_equal: bytes beyond the kind's
 * length are zero in every value that these functions make. */
#ifndef PEERWALK_BASE_NETADDR_H
#define PEERWALK_BASE_NETADDR_H

#include "base/bytes.h"

/* The numbers are BIP 155's network ids. */
enum netaddr_kind {
	NETADDR_NONE = 0,
	NETADDR_IPV4 = 1,
	NETADDR_IPV6 = 2,
	NETADDR_TORV2 = 3, /* obsolete since 2021, still gossiped now and then */
	NETADDR_TORV3 = 4,
	NETADDR_I2P = 5,
	NETADDR_CJDNS = 6,
};

enum {
	NETADDR_BYTES_MAX = 32,
	NETADDR_HOST_TEXT_MAX = 64, /* with NUL; the longest is Tor v3's 62 */
	NETADDR_TEXT_MAX = 72,      /* with brackets, port and NUL */
	NETADDR_KEY_MAX = 1 + NETADDR_BYTES_MAX + 2,
};

struct netaddr {
	uint8_t kind; /* enum netaddr_kind */
	uint8_t reserved;
	uint16_t port; /* host byte order */
	uint8_t bytes[NETADDR_BYTES_MAX];
};

/* Bytes of an address of that kind; 0 for NETADDR_NONE and unknown kinds. */
size_t netaddr_len(unsigned kind);
/* "ipv4", "ipv6", "onion2", "onion", "i2p", "cjdns", "none". */
const char *netaddr_kind_name(unsigned kind);

/* From 16 bytes as Bitcoin's addr and version carry them: an IPv4-mapped address
 * becomes IPv4, an OnionCat one (fd87:d87e:eb43::/48) Tor v2, others IPv6. */
struct netaddr netaddr_from_ip16(const uint8_t ip[16], uint16_t port);
/* The reverse; false for kinds that have no 16-byte form. */
bool netaddr_to_ip16(const struct netaddr *a, uint8_t out[16]);
struct netaddr netaddr_ipv4(uint32_t ip, uint16_t port); /* host byte order */

bool netaddr_equal(const struct netaddr *a, const struct netaddr *b);
bool netaddr_same_host(const struct netaddr *a, const struct netaddr *b);

/* A number or name that can be dialled over IP (no proxy): IPv4 or IPv6. */
bool netaddr_is_ip(const struct netaddr *a);
/* False for addresses that can't be a public peer's: unspecified, loopback,
 * private, link-local, multicast, documentation, benchmarking, reserved
 * (the IANA special-purpose registries), and port 0 except for I2P. */
bool netaddr_is_routable(const struct netaddr *a);
/* False for what can't be one peer's, on whatever network: unspecified, multicast and
 * broadcast addresses, and port 0 of an IP address. */
bool netaddr_is_host(const struct netaddr *a);

/* The host alone: RFC 5952 without brackets, "....onion", "....b32.i2p". */
size_t netaddr_host_text(const struct netaddr *a, char out[static NETADDR_HOST_TEXT_MAX]);
/* HOST:PORT, IPv6 in brackets. */
size_t netaddr_text(const struct netaddr *a, char out[static NETADDR_TEXT_MAX]);
/* HOST, HOST:PORT, IPV6 or [IPV6]:PORT; numbers, .onion and .b32.i2p names only.
 * default_port is taken where none is given. ERR_SYNTAX otherwise. */
enum err netaddr_parse(struct slice text, uint16_t default_port, struct netaddr *out);

/* A canonical key: kind, address, port (big-endian). Returns its length. */
size_t netaddr_key(const struct netaddr *a, uint8_t out[static NETADDR_KEY_MAX]);

/* A CIDR block of IPv4 or IPv6 addresses. */
struct cidr {
	struct netaddr base; /* port 0, host bits zero */
	uint8_t bits;
};
/* ADDRESS or ADDRESS/BITS; ERR_SYNTAX otherwise (also for set host bits). */
enum err cidr_parse(struct slice text, struct cidr *out);
bool cidr_contains(const struct cidr *c, const struct netaddr *a);
/* The block's address number `index` (host bits); the port is 0. */
struct netaddr cidr_address(const struct cidr *c, uint64_t index);

#endif
