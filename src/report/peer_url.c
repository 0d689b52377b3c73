#include "report/peer_url.h"

#include <string.h>

size_t peer_url(const char *network, const struct netaddr *addr, struct slice public,
		uint16_t tcp_port, char out[static PEER_URL_MAX])
{
	size_t len = strnlen(network, 63);

	if (public.len == ENODE_KEY_LEN)
		return enode_url(public.data, addr, tcp_port, out);
	memcpy(out, network, len);
	memcpy(out + len, "://", 3);
	len += 3;
	return len + netaddr_text(addr, out + len);
}
