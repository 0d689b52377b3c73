#include "proto/ethereum/relay.h"

#include <string.h>

const char *relay_text(enum relay verdict)
{
	switch (verdict) {
#define RELAY_CASE(symbol, text) \
	case RELAY_##symbol:     \
		return text;
		RELAY_LIST(RELAY_CASE)
#undef RELAY_CASE
	}
	return "";
}

bool relay_is_loopback(const struct netaddr *a)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	if (a->kind == NETADDR_IPV4)
		return a->bytes[0] == 127;
	return a->kind == NETADDR_IPV6 && memcmp(a->bytes, loopback6, sizeof(loopback6)) == 0;
}

bool relay_is_lan(const struct netaddr *a)
{
	const uint8_t *b = a->bytes;

	if (relay_is_loopback(a))
		return true;
	if (a->kind == NETADDR_IPV4)
		return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) ||
		       (b[0] == 192 && b[1] == 168);
	/* fc00::/7 (RFC 4193) and fe80::/10 (RFC 4291) */
	return a->kind == NETADDR_IPV6 &&
	       ((b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80));
}

static bool is_unspecified(const struct netaddr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->bytes, zero, netaddr_len(a->kind)) == 0;
}

enum relay relay_check(const struct netaddr *from, const struct netaddr *named)
{
	if (!netaddr_is_ip(named) || is_unspecified(named))
		return RELAY_NO_IP;
	if (named->port <= RELAY_PORT_SYSTEM)
		return RELAY_LOW_PORT;
	if (relay_is_loopback(named))
		return relay_is_loopback(from) ? RELAY_OK : RELAY_LOOPBACK;
	if (relay_is_lan(named))
		return relay_is_lan(from) ? RELAY_OK : RELAY_LAN;
	return netaddr_is_routable(named) ? RELAY_OK : RELAY_SPECIAL;
}

/* Without a port it is the address alone that counts. */
static enum relay check_endpoint(const struct netaddr *from, struct netaddr addr)
{
	if (addr.port == 0)
		addr.port = UINT16_MAX;
	return relay_check(from, &addr);
}

enum relay relay_check_record(const struct netaddr *from, const struct enr *record)
{
	struct enode_endpoint e;
	enum relay verdict = RELAY_OK;

	if (enr_endpoint4(record, &e))
		verdict = check_endpoint(from, e.addr);
	if (verdict == RELAY_OK && enr_endpoint6(record, &e))
		verdict = check_endpoint(from, e.addr);
	return verdict;
}
