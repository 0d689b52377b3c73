#include "cli/peer_text.h"

#include <inttypes.h>
#include <stdio.h>

static void service_name(const struct network *network, unsigned bit, char out[static 32])
{
	const char *name = network->proto->service_name(bit);

	/* Bits without a name are kept: somebody means something by them. */
	if (name != NULL)
		snprintf(out, 32, "%s", name);
	else
		snprintf(out, 32, "bit%u", bit);
}

void peer_text_services(struct text *t, const struct network *network, uint64_t services)
{
	char name[32];
	bool any = false;

	for (unsigned bit = 0; bit < 64; bit++) {
		if ((services >> bit & 1) == 0)
			continue;
		service_name(network, bit, name);
		text_printf(t, "%s%s", any ? " " : "", name);
		any = true;
	}
	if (!any)
		text_add(t, "none");
}

json_t *peer_text_services_json(const struct network *network, uint64_t services)
{
	json_t *list = json_array();
	char name[32];

	for (unsigned bit = 0; bit < 64; bit++) {
		if ((services >> bit & 1) == 0)
			continue;
		service_name(network, bit, name);
		json_array_append_new(list, json_string(name));
	}
	return list;
}

json_t *peer_text_bits_json(uint64_t bits)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%" PRIx64, bits);
	return json_string(text);
}

json_t *peer_text_json(struct slice s)
{
	struct text t = { 0 };
	json_t *value;

	text_add_escaped(&t, s);
	value = json_stringn(t.data != NULL ? t.data : "", t.len);
	text_clear(&t);
	return value;
}

json_t *peer_text_addr_json(const struct netaddr *addr)
{
	char text[NETADDR_TEXT_MAX];

	if (addr->kind == NETADDR_NONE)
		return json_null();
	netaddr_text(addr, text);
	return json_string(text);
}

const char *peer_text_hint(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_OK:
	case OUTCOME_CANCELLED:
		return NULL;
	case OUTCOME_NO_PEERS:
		return "It may be new, or have answered the same address already today; --patient "
		       "waits longer for old software.";
	case OUTCOME_REFUSED:
		return "Check the address and the port, and that the peer's software is running "
		       "and "
		       "listening.";
	case OUTCOME_UNREACHABLE:
		return "Check that this machine has a route there: IPv6 needs IPv6 connectivity, "
		       "and "
		       "a firewall may forbid it.";
	case OUTCOME_CONNECT_TIMEOUT:
		return "The machine may be off or behind a firewall; a longer --connect-timeout "
		       "helps "
		       "with slow links.";
	case OUTCOME_RESET:
		return "A firewall or the peer broke the connection; try again later.";
	case OUTCOME_PEER_FULL:
		return "All its places may be taken: try again later, or from another address if "
		       "it "
		       "has banned this one.";
	case OUTCOME_MUTE:
		return "Something else than a peer may listen on that port.";
	case OUTCOME_HANDSHAKE_TIMEOUT:
		return "The peer may be overloaded, or want other software than ours; try again "
		       "with "
		       "a longer --timeout.";
	case OUTCOME_WRONG_NETWORK:
		return "Name its network in front of the address: \"peerwalk networks\" lists "
		       "them.";
	case OUTCOME_PROTOCOL_ERROR:
		return "It is no peer of this network, or its software is broken.";
	case OUTCOME_TOO_BIG:
		return "It is no honest peer, or no peer of this network.";
	case OUTCOME_SELF:
		return "The address leads back to this program.";
	case OUTCOME_COUNT:
		break;
	}
	return NULL;
}
