#include "proto/ethereum/enode.h"

#include "base/keccak.h"
#include "base/text.h"

#include <string.h>

static const char scheme[] = "enode://";
static const char discport[] = "discport=";

void enode_id(const uint8_t key[static SECP_PUBLIC_LEN], uint8_t out[static ENODE_ID_LEN])
{
	keccak_256(slice_of(key, SECP_PUBLIC_LEN), out);
}

/* The bytes before the first c, and in *rest those behind it; all, and none, without a c. */
static struct slice cut(struct slice in, int c, struct slice *rest, bool *found)
{
	const uint8_t *at = in.len > 0 ? memchr(in.data, c, in.len) : NULL;
	size_t len = at != NULL ? (size_t)(at - in.data) : in.len;

	*found = at != NULL;
	*rest = slice_from(in, len + 1);
	return slice_of(in.data, len);
}

static bool starts_with(struct slice in, const char *text)
{
	size_t len = strlen(text);

	return in.len >= len && memcmp(in.data, text, len) == 0;
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

/* IP:PORT with both parts; netaddr_parse alone would do without the port. */
static bool parse_host(struct slice host, struct netaddr *out)
{
	size_t colon = host.len;

	while (colon > 0 && host.data[colon - 1] != ':')
		colon--;
	if (colon < 2)
		return false;
	if (host.data[0] == '[' ? host.data[colon - 2] != ']'
				: memchr(host.data, ':', colon - 1) != NULL)
		return false;
	if (netaddr_parse(host, 0, out) != ERR_OK)
		return false;
	/* CJDNS is a notion of other networks; here it is an address like any other. */
	if (out->kind == NETADDR_CJDNS)
		out->kind = NETADDR_IPV6;
	return netaddr_is_ip(out);
}

/* Where a part begins; at the end, if there is nothing of it. */
static size_t place_of(struct slice text, struct slice part)
{
	return part.len > 0 ? (size_t)(part.data - text.data) : text.len;
}

enum err enode_parse_at(struct slice text, struct enode *out, const char **rule, size_t *err_at)
{
	struct slice key, host, query;
	bool has_key, has_query;
	struct enode node = { 0 };
	size_t len;

	*out = (struct enode){ 0 };
	*err_at = 0;
	*rule = "enode://KEY@IP:PORT or enode://KEY@IP:PORT?discport=N";
	if (!starts_with(text, scheme))
		return ERR_SYNTAX;
	key = cut(slice_from(text, strlen(scheme)), '@', &host, &has_key);
	if (!has_key)
		return ERR_SYNTAX;
	*err_at = strlen(scheme);
	*rule = "the key: 128 hexadecimal digits";
	if (key.len != (size_t)2 * SECP_PUBLIC_LEN ||
	    hex_decode(key, node.key, sizeof(node.key), &len) != ERR_OK)
		return ERR_SYNTAX;
	host = cut(host, '?', &query, &has_query);
	*err_at = place_of(text, host);
	*rule = "the address: IP:PORT, IPv6 in brackets";
	if (!parse_host(host, &node.endpoint.addr))
		return ERR_SYNTAX;
	node.endpoint.tcp_port = node.endpoint.addr.port;
	*err_at = place_of(text, query);
	*rule = "after the question mark: discport=N, a port";
	if (has_query &&
	    (!starts_with(query, discport) ||
	     !parse_port(slice_from(query, strlen(discport)), &node.endpoint.addr.port)))
		return ERR_SYNTAX;
	*err_at = strlen(scheme);
	*rule = "the key: a point of the curve secp256k1";
	if (!secp_public_valid(node.key))
		return ERR_VALUE;
	*err_at = 0;
	*rule = NULL;
	*out = node;
	return ERR_OK;
}

enum err enode_parse(struct slice text, struct enode *out, const char **rule)
{
	size_t err_at;

	return enode_parse_at(text, out, rule, &err_at);
}

size_t enode_text(const struct enode *node, char out[static ENODE_TEXT_MAX])
{
	return enode_url(node->key, &node->endpoint.addr, node->endpoint.tcp_port, out);
}

struct netaddr enode_addr(struct slice ip, uint16_t udp_port)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct netaddr a = { .port = udp_port };

	if (ip.len == 16 && memcmp(ip.data, mapped, sizeof(mapped)) == 0)
		ip = slice_from(ip, sizeof(mapped));
	if (ip.len != 4 && ip.len != 16)
		return a;
	a.kind = ip.len == 4 ? NETADDR_IPV4 : NETADDR_IPV6;
	memcpy(a.bytes, ip.data, ip.len);
	return a;
}

bool enode_endpoint_equal(const struct enode_endpoint *a, const struct enode_endpoint *b)
{
	return netaddr_equal(&a->addr, &b->addr) && a->tcp_port == b->tcp_port;
}
