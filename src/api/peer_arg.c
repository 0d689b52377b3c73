#include "api/peer_arg.h"

#include "base/text.h"
#include "proto/ethereum/enode.h"
#include "proto/ethereum/enr.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { DNS_LABEL_MAX = 63 /* RFC 1035, 2.3.4 */ };

static const char *expected(void)
{
	return "expected NETWORK://HOST[:PORT] or HOST[:PORT], with IPv6 in brackets when a port "
	       "follows";
}

/* RFC 1123, 2.1: letters, digits and hyphens, labels of 1 to 63; underscores are
 * tolerated. A last label of digits alone would be a mistyped IPv4 address. */
static bool is_dns_name(const char *text, size_t len)
{
	size_t label = 0;
	bool digits = true;

	if (len > 0 && text[len - 1] == '.')
		len--;
	if (len == 0 || len >= PEER_ARG_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '.') {
			if (label == 0 || text[i - 1] == '-')
				return false;
			label = 0;
			digits = true;
			continue;
		}
		if (!isalnum(c) && c != '_' && (c != '-' || label == 0))
			return false;
		digits = digits && isdigit(c);
		if (++label > DNS_LABEL_MAX)
			return false;
	}
	return label > 0 && !digits && text[len - 1] != '-';
}

static bool has_suffix(const char *text, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len > n && strncasecmp(text + len - n, suffix, n) == 0;
}

/* HOST[:PORT] where HOST is for DNS; whole is what was typed, for the sentence. */
static bool parse_name(const char *whole, const char *text, struct peer_arg *out, char *why)
{
	const char *colon = strchr(text, ':');
	size_t len = colon != NULL ? (size_t)(colon - text) : strlen(text);
	uint64_t port = out->network->default_port;

	if (text[0] != '[' && colon != NULL &&
	    (parse_uint(colon + 1, UINT16_MAX, &port) != ERR_OK || port == 0)) {
		snprintf(why, PEER_ARG_WHY_MAX,
			 "\"%s\": expected a port from 1 to 65535 after the colon", text);
		return false;
	}
	if (has_suffix(text, len, ".onion") || has_suffix(text, len, ".i2p")) {
		snprintf(
			why, PEER_ARG_WHY_MAX,
			"\"%s\" is no valid .onion (56 characters and a checksum) or .b32.i2p name",
			text);
		return false;
	}
	if (!is_dns_name(text, len)) {
		snprintf(why, PEER_ARG_WHY_MAX, "\"%s\" is no peer: %s", whole, expected());
		return false;
	}
	out->is_name = true;
	out->port = (uint16_t)port;
	memcpy(out->name, text, len);
	out->name[len] = '\0';
	return true;
}

/* --- nodes: peers with a key --- */

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* "TEXT": and the sentence. Records and URLs are long: their beginning tells which it is. */
__attribute__((format(printf, 3, 4))) static bool fail(char *why, const char *text,
						       const char *format, ...)
{
	enum { SHOWN = 48 };
	int n = snprintf(why, PEER_ARG_WHY_MAX, "\"%.*s%s\"", SHOWN, text,
			 strlen(text) > SHOWN ? "..." : "");
	va_list args;

	va_start(args, format);
	vsnprintf(why + n, PEER_ARG_WHY_MAX - (size_t)n, format, args);
	va_end(args);
	return false;
}

/* enode:// and enr: say the protocol, and leave the network to the context. */
static const struct network *node_network(const struct network *network, bool any_network)
{
	if (network != NULL && network->discovery == DISCOVERY_V4)
		return network;
	return network == NULL || any_network ? network_find("ethereum") : NULL;
}

static bool take_node(const char *text, const struct enode *node, struct peer_arg *out, char *why)
{
	const struct enode_endpoint *e = &node->endpoint;

	if (e->addr.port == 0)
		return fail(why, text,
			    " has no UDP port, where nodes are asked whom they know: expected one "
			    "from 1 to 65535");
	if (!netaddr_is_host(&e->addr))
		return fail(why, text, ": no node can have that address");
	out->addr = e->addr;
	out->port = e->addr.port;
	out->tcp_port = e->tcp_port;
	memcpy(out->node_id, node->key, sizeof(node->key));
	out->node_id_len = sizeof(node->key);
	return true;
}

/* KEY@HOST:PORT with a name for HOST: the part between, without the port. */
static bool host_is_name(const char *text)
{
	const char *at = strchr(text, '@');

	return at != NULL && is_dns_name(at + 1, strcspn(at + 1, ":?"));
}

/* rest: KEY@IP:PORT[?discport=N]. */
static bool parse_url(const char *text, const char *rest, struct peer_arg *out, char *why)
{
	/* One more than any URL has: what doesn't fit is none, and stays none. */
	char url[ENODE_TEXT_MAX + 1];
	struct enode node;
	const char *rule;

	if (strchr(rest, '@') == NULL)
		return fail(why, text,
			    ": a node of Ethereum can be called by those alone who know its key: "
			    "expected enode://KEY@IP:PORT or enr:..., which its software prints at "
			    "the start (geth also as admin.nodeInfo)");
	snprintf(url, sizeof(url), "enode://%s", rest);
	if (enode_parse(slice_text(url), &node, &rule) == ERR_OK)
		return take_node(text, &node, out, why);
	if (host_is_name(rest))
		return fail(why, text,
			    ": a node is given by its IP address, as in enode://KEY@IP:PORT, not "
			    "by a name");
	return fail(why, text, " is no node; expected %s", rule);
}

/* The record's endpoint where discovery can be asked. */
static bool parse_record(const char *text, struct peer_arg *out, char *why)
{
	uint8_t bytes[ENR_LEN_MAX];
	struct enode node;
	const char *rule;
	struct enr e;
	enum err err = enr_parse(slice_text(text), bytes, &e, &rule);

	if (err != ERR_OK)
		return fail(why, text, " is no node record: %s; expected %s", err_text(err), rule);
	memcpy(node.key, e.key, sizeof(node.key));
	if ((!enr_endpoint4(&e, &node.endpoint) || node.endpoint.addr.port == 0) &&
	    (!enr_endpoint6(&e, &node.endpoint) || node.endpoint.addr.port == 0))
		return fail(why, text,
			    ": this record names no IP address with a UDP port, so the node can't "
			    "be called");
	return take_node(text, &node, out, why);
}

static bool parse_node(const char *text, const struct network *network, bool any_network,
		       struct peer_arg *out, char *why)
{
	out->network = node_network(network, any_network);
	if (out->network == NULL)
		return fail(why, text,
			    " is a node of Ethereum, and %s is another network: expected "
			    "%s://HOST[:PORT]",
			    network->name, network->name);
	if (starts_with(text, "enr:"))
		return parse_record(text, out, why);
	return parse_url(text, text + strlen("enode://"), out, why);
}

struct advert peer_arg_advert(const struct peer_arg *peer)
{
	return (struct advert){ .addr = peer->addr,
				.node_id = slice_of(peer->node_id, peer->node_id_len),
				.tcp_port = peer->tcp_port };
}

/* --- all --- */

/* The network before "://"; rest is what follows it. */
static bool parse_scheme(const char *text, const struct network *network, bool any_network,
			 struct peer_arg *out, const char **rest, char *why)
{
	const char *mark = strstr(text, "://");
	char name[64];

	*rest = text;
	out->network = network;
	if (mark == NULL) {
		if (network != NULL)
			return true;
		snprintf(why, PEER_ARG_WHY_MAX,
			 "\"%s\" names no network: expected NETWORK://HOST[:PORT], or --network",
			 text);
		return false;
	}
	*rest = mark + 3;
	snprintf(name, sizeof(name), "%.*s", (int)(mark - text), text);
	/* A chain described on the command line is not on the list, but has a name. */
	if (network != NULL && strcmp(network->name, name) == 0)
		return true;
	out->network = network_find(name);
	if (out->network == NULL) {
		snprintf(why, PEER_ARG_WHY_MAX,
			 "\"%s\": there is no network \"%s\"; \"peerwalk networks\" lists them",
			 text, name);
		return false;
	}
	if (network != NULL && !any_network) {
		snprintf(why, PEER_ARG_WHY_MAX,
			 "\"%s\" belongs to another network: expected %s://...", text,
			 network->name);
		return false;
	}
	return true;
}

bool peer_arg_parse(const char *text, const struct network *network, bool any_network,
		    struct peer_arg *out, char why[static PEER_ARG_WHY_MAX])
{
	const char *rest;
	size_t len;

	*out = (struct peer_arg){ 0 };
	if (starts_with(text, "enode://") || starts_with(text, "enr:"))
		return parse_node(text, network, any_network, out, why);
	if (!parse_scheme(text, network, any_network, out, &rest, why))
		return false;
	if (out->network->discovery == DISCOVERY_V4)
		return parse_url(text, rest, out, why);
	len = strlen(rest);
	if (len > 0 &&
	    netaddr_parse(slice_of(rest, len), out->network->default_port, &out->addr) == ERR_OK) {
		out->port = out->addr.port;
		if (out->port == 0 && out->addr.kind != NETADDR_I2P) {
			snprintf(why, PEER_ARG_WHY_MAX, "\"%s\": expected a port from 1 to 65535",
				 text);
			return false;
		}
		return true;
	}
	return parse_name(text, rest, out, why);
}
