#include "base/enode_url.h"

#include "base/text.h"

#include <stdio.h>

size_t enode_url(const uint8_t key[static ENODE_KEY_LEN], const struct netaddr *addr,
		 uint16_t tcp_port, char out[static ENODE_URL_MAX])
{
	char digits[2 * ENODE_KEY_LEN + 1], host[NETADDR_TEXT_MAX];
	struct netaddr tcp = *addr;
	size_t len;

	tcp.port = tcp_port;
	hex_encode(slice_of(key, ENODE_KEY_LEN), digits);
	netaddr_text(&tcp, host);
	len = (size_t)snprintf(out, ENODE_URL_MAX, "enode://%s@%s", digits, host);
	if (addr->port != tcp_port)
		len += (size_t)snprintf(out + len, ENODE_URL_MAX - len, "?discport=%u", addr->port);
	return len;
}
