#include "api/place_arg.h"

#include <string.h>

bool place_addr_parse(const char *text, bool with_port, struct netaddr *out)
{
	enum { PROBE_PORT = 1 };
	struct netaddr other, judged;

	/* A port that is not given is the default one: two defaults tell. */
	if (netaddr_parse(slice_text(text), PROBE_PORT, out) != ERR_OK ||
	    netaddr_parse(slice_text(text), PROBE_PORT + 1, &other) != ERR_OK ||
	    (out->port == other.port) != with_port)
		return false;
	/* fc00::/8 is of IPv6 to whoever listens there, also where BIP 155 sees CJDNS. */
	if (out->kind == NETADDR_CJDNS)
		out->kind = NETADDR_IPV6;
	judged = *out;
	if (!with_port)
		out->port = 0;
	return netaddr_is_ip(out) && netaddr_is_host(&judged);
}

bool place_listen_parse(const char *text, uint16_t default_port, struct netaddr *out)
{
	static const uint8_t unspecified[16];
	struct netaddr judged;

	if (netaddr_parse(slice_text(text), default_port, out) != ERR_OK)
		return false;
	if (out->kind == NETADDR_CJDNS)
		out->kind = NETADDR_IPV6;
	judged = *out;
	judged.port = 1;
	return netaddr_is_ip(out) && (netaddr_is_host(&judged) ||
				      memcmp(out->bytes, unspecified, netaddr_len(out->kind)) == 0);
}
