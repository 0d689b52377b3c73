#include "api/peer_arg.h"

#include "base/text.h"

#include <ctype.h>
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
	if (!parse_scheme(text, network, any_network, out, &rest, why))
		return false;
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
