#include "api/node.h"
#include "api/peer_arg.h"
#include "proto/ethereum/enr.h"

#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(((struct pw_contact *)0)->peer) >= ENODE_TEXT_MAX, "every URL fits");
_Static_assert(sizeof(((struct pw_contact *)0)->host) >= PEER_ARG_NAME_MAX, "every name fits");

/* --- contacts --- */

static void take_addr(struct pw_contact *c, const struct peer_arg *arg)
{
	netaddr_host_text(&arg->addr, c->host);
	c->kind = netaddr_kind_name(arg->addr.kind);
	c->is_routable = netaddr_is_routable(&arg->addr);
	if (arg->node_id_len == 0) {
		netaddr_text(&arg->addr, c->peer);
		return;
	}
	c->has_key = true;
	memcpy(c->public_key, arg->node_id, sizeof(c->public_key));
	enode_url(arg->node_id, &arg->addr, arg->tcp_port, c->peer);
}

static void take_name(struct pw_contact *c, const struct peer_arg *arg)
{
	/* A host of that name with a port behind it would be read as a record. */
	bool ambiguous = strcmp(arg->name, "enr") == 0;

	c->kind = "name";
	snprintf(c->host, sizeof(c->host), "%s", arg->name);
	snprintf(c->peer, sizeof(c->peer), "%s%s%s:%u", ambiguous ? arg->network->name : "",
		 ambiguous ? "://" : "", arg->name, arg->port);
}

enum pw_err pw_contact_parse(const char *text, const struct pw_network *network,
			     struct pw_contact *out, char *why, size_t cap)
{
	struct pw_contact c = { 0 };
	char sentence[PEER_ARG_WHY_MAX] = "";
	struct peer_arg arg;
	bool good = peer_arg_parse(text, api_network(network), false, &arg, sentence);

	if (why != NULL)
		snprintf(why, cap, "%s", sentence);
	if (!good)
		return PW_ERR_SYNTAX;
	c.network = api_public_network(arg.network);
	c.port = arg.port;
	c.tcp_port = arg.tcp_port;
	if (arg.is_name) {
		take_name(&c, &arg);
	} else {
		take_addr(&c, &arg);
	}
	api_give(out, &c, sizeof(c));
	return PW_OK;
}

/* --- records --- */

static void take_endpoint(const struct enode_endpoint *e, char *ip, size_t cap, uint16_t *udp,
			  uint16_t *tcp)
{
	char host[NETADDR_HOST_TEXT_MAX];

	netaddr_host_text(&e->addr, host);
	snprintf(ip, cap, "%.*s", (int)cap - 1, host);
	*udp = e->addr.port;
	*tcp = e->tcp_port;
}

enum pw_err pw_record_decode(const char *text, struct pw_record *out, struct pw_fault *fault)
{
	struct pw_record r = { 0 };
	uint8_t bytes[ENR_LEN_MAX];
	struct enode_endpoint e;
	struct forkid fork;
	const char *rule;
	struct enr enr;
	enum err err = enr_parse(slice_text(text), bytes, &enr, &rule);

	if (err != ERR_OK) {
		if (fault != NULL)
			*fault = (struct pw_fault){ .rule = rule };
		return api_err(err);
	}
	r.seq = enr.seq;
	memcpy(r.public_key, enr.key, sizeof(r.public_key));
	enode_id(enr.key, r.node_id);
	if (enr_endpoint4(&enr, &e))
		take_endpoint(&e, r.ip4, sizeof(r.ip4), &r.udp4, &r.tcp4);
	if (enr_endpoint6(&enr, &e))
		take_endpoint(&e, r.ip6, sizeof(r.ip6), &r.udp6, &r.tcp6);
	r.has_fork = enr_forkid(&enr, &fork);
	if (r.has_fork) {
		memcpy(r.fork_hash, fork.hash, sizeof(r.fork_hash));
		r.fork_next = fork.next;
	}
	api_give(out, &r, sizeof(r));
	return PW_OK;
}
