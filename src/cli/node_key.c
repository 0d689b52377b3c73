#include "cli/node_key.h"

#include "cli/cli.h"

#include "io/dial.h"
#include "io/keyfile.h"

#include <string.h>

int node_key_read(const char *path, bool may_create, struct node_key *out)
{
	uint8_t random[SECP_RANDOM_LEN];
	char why[KEYFILE_WHY_MAX];
	enum err err;

	*out = (struct node_key){ 0 };
	dial_random(random, sizeof(random));
	secp_init(&out->secp, random);
	explicit_bzero(random, sizeof(random));
	if (may_create)
		err = keyfile_read_or_create(path, &out->key, &out->created, why);
	else
		err = keyfile_read(path, &out->key, why);
	if (err != ERR_OK) {
		cli_error("%s", why);
		return EXIT_FAILED;
	}
	secp_public(&out->secp, &out->key, out->public);
	return EXIT_DONE;
}

void node_key_clear(struct node_key *k)
{
	secp_key_clear(&k->key);
	secp_clear(&k->secp);
}

bool node_addr_parse(const char *text, bool with_port, struct netaddr *out)
{
	enum { PROBE_PORT = 1 };
	struct netaddr other, judged;

	/* A port that is not given is the default one: two defaults tell. */
	if (netaddr_parse(slice_text(text), PROBE_PORT, out) != ERR_OK ||
	    netaddr_parse(slice_text(text), PROBE_PORT + 1, &other) != ERR_OK ||
	    (out->port == other.port) != with_port)
		return false;
	/* Ethereum knows IPv6 addresses only, also where other networks see CJDNS. */
	if (out->kind == NETADDR_CJDNS)
		out->kind = NETADDR_IPV6;
	judged = *out;
	if (!with_port)
		out->port = 0;
	return netaddr_is_ip(out) && netaddr_is_host(&judged);
}

bool node_listen_parse(const char *text, uint16_t default_port, struct netaddr *out)
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
