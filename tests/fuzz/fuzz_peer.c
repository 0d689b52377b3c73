/* fuzz_peer.c: a peer as it is written on a command line or in a file of seeds. Whatever is
 * accepted is a peer that can be called or looked up, and written as an URL it is the same;
 * whatever isn't gets a sentence that fits. */
#include "api/peer_arg.h"
#include "fuzz/fuzz.h"
#include "proto/ethereum/enode.h"

#include <string.h>

enum { INPUT_MAX = 1024 };

static void check_node(const struct peer_arg *peer)
{
	struct enode node = { .endpoint = { .addr = peer->addr, .tcp_port = peer->tcp_port } };
	char url[ENODE_TEXT_MAX], why[PEER_ARG_WHY_MAX];
	struct peer_arg again;

	CHECK(!peer->is_name && netaddr_is_ip(&peer->addr) && peer->addr.port != 0);
	CHECK(peer->node_id_len == SECP_PUBLIC_LEN);
	memcpy(node.key, peer->node_id, sizeof(node.key));
	enode_text(&node, url);
	CHECK(peer_arg_parse(url, peer->network, false, &again, why));
	CHECK(netaddr_equal(&peer->addr, &again.addr) && peer->tcp_port == again.tcp_port);
	CHECK(memcmp(peer->node_id, again.node_id, sizeof(again.node_id)) == 0);
}

static void check_text(const char *text, const char *network, bool any_network)
{
	const struct network *context = network != NULL ? network_find(network) : NULL;
	char why[PEER_ARG_WHY_MAX] = "";
	struct peer_arg peer;

	if (!peer_arg_parse(text, context, any_network, &peer, why)) {
		CHECK(why[0] != '\0' && strlen(why) < sizeof(why));
		return;
	}
	CHECK(peer.network != NULL && (any_network || context == NULL || peer.network == context));
	if (peer.network->discovery == DISCOVERY_V4)
		check_node(&peer);
	else
		CHECK(peer.node_id_len == 0 && peer.is_name == (peer.addr.kind == NETADDR_NONE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[INPUT_MAX + 1];

	if (size > INPUT_MAX)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	check_text(text, NULL, false);
	check_text(text, "bitcoin", false);
	check_text(text, "bitcoin", true);
	check_text(text, "sepolia", false);
	return 0;
}
