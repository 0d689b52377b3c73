#include "cli/node_show.h"

#include "base/text.h"
#include "cli/contacts.h"
#include "cli/enr_show.h"
#include "cli/field_text.h"
#include "cli/peer_text.h"
#include "proto/ethereum/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LABEL_WIDTH = 13 /* "capabilities" */ };

/* --- what it comes to --- */

static const struct node_info *node_of(const struct node_seen *s)
{
	return s->record.node;
}

static struct forkid fork_of(const struct peer_chain *c)
{
	struct forkid id = { .next = c->fork_next };

	memcpy(id.hash, c->fork_hash, sizeof(id.hash));
	return id;
}

/* The chain that the node is on, as far as it is known here: by its genesis, or else its fork. */
static const struct ethereum_chain *chain_of(const struct peer_chain *c)
{
	size_t place;

	for (size_t i = 0; c->has_status && i < ethereum_chains_count; i++) {
		if (memcmp(ethereum_chains[i].genesis, c->genesis, sizeof(c->genesis)) == 0)
			return &ethereum_chains[i];
	}
	return c->has_fork && !c->has_status ? forkid_chain(c->fork_hash, &place) : NULL;
}

/* EIP-2124, for somebody who is up to date. */
static enum forkid_verdict verdict_of(const struct node_seen *s, const struct ethereum_chain *chain)
{
	const struct forkid_head now = { .block = UINT64_MAX, .time_s = (uint64_t)s->unix_s };
	const struct forkid id = fork_of(&node_of(s)->chain);

	return forkid_check(chain, &now, &id);
}

void node_seen_init(struct node_seen *out, const struct peer_arg *peer, const struct node_visit *v,
		    const struct record *record)
{
	const char *wanted = peer->network->chain;

	*out = (struct node_seen){ .peer = peer,
				   .record = *record,
				   .unix_s = record->started_at_ms / 1000 };
	node_visit_probe(v, &out->probe);
	out->connected = node_visit_session(v, &out->session);
	if (wanted != NULL && (record->node->chain.has_fork || record->node->chain.has_status) &&
	    chain_of(&record->node->chain) != ethereum_chain_find(wanted))
		out->record.outcome = OUTCOME_WRONG_NETWORK;
}

bool node_seen_alive(const struct node_seen *s)
{
	return s->record.reached || (s->connected && s->session.has_key);
}

/* --- lines --- */

static void label(const char *name)
{
	printf("  %-*s", LABEL_WIDTH, name);
}

static void line(const char *name, const char *value)
{
	label(name);
	puts(value);
}

static void print_text(struct text *t)
{
	puts(t->data != NULL ? t->data : "");
	text_clear(t);
}

static void print_hex(const char *name, const uint8_t *bytes, size_t len)
{
	char hex[2 * SECP_PUBLIC_LEN + 1];

	hex_encode(slice_of(bytes, len), hex);
	line(name, hex);
}

static void print_faults(const struct probe_info *probe)
{
	for (unsigned b = 0; b < PROBE_BREACH_COUNT; b++) {
		if (probe->breaches[b] == 0)
			continue;
		label("fault");
		printf("%s (%" PRIu32 "): %s\n", probe_breach_name((enum probe_breach)b),
		       probe->breaches[b], probe_breach_text((enum probe_breach)b));
	}
}

/* --- failures --- */

const char *node_show_text_of(const struct node_seen *s)
{
	switch (s->record.outcome) {
	case OUTCOME_OK:
		return "answered";
	case OUTCOME_NO_PEERS:
		return "answered, but its table is empty, or it did not show it";
	case OUTCOME_REFUSED:
		return "nothing listens at that UDP port";
	case OUTCOME_CONNECT_TIMEOUT:
		return "no answer to any PING";
	case OUTCOME_HANDSHAKE_TIMEOUT:
		return "spoke, but did not answer our PING as it has to";
	case OUTCOME_PROTOCOL_ERROR:
		return s->probe.has_other_key ? "another node answers at that address"
					      : outcome_text(s->record.outcome);
	case OUTCOME_UNREACHABLE:
	case OUTCOME_RESET:
	case OUTCOME_PEER_FULL:
	case OUTCOME_MUTE:
	case OUTCOME_WRONG_NETWORK:
	case OUTCOME_TOO_BIG:
	case OUTCOME_SELF:
	case OUTCOME_CANCELLED:
	case OUTCOME_COUNT:
		break;
	}
	return outcome_text(s->record.outcome);
}

const char *node_show_hint_of(const struct node_seen *s)
{
	switch (s->record.outcome) {
	case OUTCOME_REFUSED:
		return "Check the address and the UDP port (discport), and that the node runs.";
	case OUTCOME_CONNECT_TIMEOUT:
		return "The machine may be off, a firewall may drop UDP, or the node may speak "
		       "another discovery than v4; check the address and the UDP port (discport).";
	case OUTCOME_HANDSHAKE_TIMEOUT:
		return s->probe.breaches[PROBE_BREACH_EXPIRED] > 0
			       ? "Its clock or that of this machine is wrong: packets are good for "
				 "20 seconds."
			       : "Its software may be broken, or somebody else speaks for it.";
	case OUTCOME_PROTOCOL_ERROR:
		return s->probe.has_other_key
			       ? "The node has a new key, or moved away: ask for its URL of today."
			       : peer_text_hint(s->record.outcome);
	case OUTCOME_NO_PEERS:
		return "It may have been started a short time ago; or our packets get lost.";
	case OUTCOME_WRONG_NETWORK:
		return "It is on another chain than the network that was named in front of it.";
	case OUTCOME_SELF:
		return "The URL has the key that --key gives us.";
	case OUTCOME_OK:
	case OUTCOME_UNREACHABLE:
	case OUTCOME_RESET:
	case OUTCOME_PEER_FULL:
	case OUTCOME_MUTE:
	case OUTCOME_TOO_BIG:
	case OUTCOME_CANCELLED:
	case OUTCOME_COUNT:
		break;
	}
	return peer_text_hint(s->record.outcome);
}

/* The words of rlpx_session.h, or where there was no connection those of outcomes. */
static bool session_outcome(const struct node_seen *s, enum rlpx_outcome *rlpx,
			    enum outcome *outcome)
{
	const char *name = node_of(s)->session;

	for (unsigned i = 0; s->connected && i < RLPX_OUTCOME_COUNT; i++) {
		*rlpx = (enum rlpx_outcome)i;
		if (strcmp(rlpx_outcome_name(*rlpx), name) == 0)
			return true;
	}
	if (!outcome_parse(name, outcome))
		*outcome = OUTCOME_CANCELLED;
	return false;
}

static const char *rlpx_hint(enum rlpx_outcome o)
{
	switch (o) {
	case RLPX_OUTCOME_FULL:
		return "All its places are taken, as is usual: try again later.";
	case RLPX_OUTCOME_HUNG_UP:
		return "It may be full, or have another key by now.";
	case RLPX_OUTCOME_NO_ETH:
		return "It is a node of another kind: its capabilities say which.";
	case RLPX_OUTCOME_NO_STATUS:
		return "It may have no chain to show, or wait for ours.";
	case RLPX_OUTCOME_DISCONNECTED:
	case RLPX_OUTCOME_CLOSED:
		return "It may not want visitors, or be busy: try again later.";
	case RLPX_OUTCOME_MUTE:
		return "Something else than a node may listen at that TCP port.";
	case RLPX_OUTCOME_TIMEOUT:
		return "It may be overloaded: try again with a longer --timeout.";
	case RLPX_OUTCOME_PROTOCOL_ERROR:
	case RLPX_OUTCOME_TOO_BIG:
		return "It is no node of Ethereum, or its software is broken.";
	case RLPX_OUTCOME_OK:
	case RLPX_OUTCOME_NO_KEY:
	case RLPX_OUTCOME_SELF:
	case RLPX_OUTCOME_COUNT:
		break;
	}
	return NULL;
}

static const char *session_text(const struct node_seen *s)
{
	enum outcome outcome;
	enum rlpx_outcome rlpx;

	if (node_of(s)->session == NULL)
		return NULL;
	if (session_outcome(s, &rlpx, &outcome))
		return rlpx_outcome_text(rlpx);
	return outcome == OUTCOME_REFUSED ? "nothing listens at that TCP port"
					  : outcome_text(outcome);
}

static const char *session_hint(const struct node_seen *s)
{
	enum outcome outcome;
	enum rlpx_outcome rlpx;

	if (session_outcome(s, &rlpx, &outcome))
		return rlpx_hint(rlpx);
	if (outcome == OUTCOME_REFUSED)
		return "It takes no sessions, or its TCP port is another one.";
	if (outcome == OUTCOME_CONNECT_TIMEOUT)
		return "A firewall may let UDP through, but not TCP.";
	return peer_text_hint(outcome);
}

static void print_other(const struct node_seen *s)
{
	struct enode other = { .endpoint = { s->peer->addr, s->peer->tcp_port } };
	char url[ENODE_TEXT_MAX];

	if (!s->probe.has_other_key)
		return;
	memcpy(other.key, s->probe.other, sizeof(other.key));
	enode_text(&other, url);
	printf("  there is now %s\n", url);
}

static void print_discovery_failure(const struct node_seen *s)
{
	const char *text = node_show_text_of(s), *hint = node_show_hint_of(s);
	const char *rule = s->record.rule;

	printf("  %s (%s)", text, outcome_name(s->record.outcome));
	if (rule != NULL)
		printf(": %s", rule);
	putchar('\n');
	print_other(s);
	if (hint != NULL)
		printf("  %s\n", hint);
}

static void print_session_failure(const struct node_seen *s)
{
	const struct node_info *n = node_of(s);
	const char *hint = session_hint(s);

	printf("  session at TCP port %u: %s (%s)", n->tcp_port, session_text(s), n->session);
	if (n->session_rule != NULL)
		printf(": %s", n->session_rule);
	else if (s->connected && s->session.has_reason)
		printf(": \"%s\"", p2p_reason_text(s->session.reason));
	putchar('\n');
	if (hint != NULL)
		printf("  %s\n", hint);
}

void node_show_failures(const struct node_seen *s)
{
	const char *session = node_of(s)->session;

	if (s->record.outcome != OUTCOME_OK && s->record.outcome != OUTCOME_CANCELLED)
		print_discovery_failure(s);
	if (!node_seen_alive(s))
		print_faults(&s->probe);
	if (session != NULL && strcmp(session, "ok") != 0 && s->record.outcome != OUTCOME_CANCELLED)
		print_session_failure(s);
}

/* --- what it says --- */

void node_show_name(const struct node_seen *s)
{
	struct text t = { 0 };

	if (s->record.info.has_version)
		text_add_escaped(&t, s->record.info.agent);
	else
		text_add(&t, "it is there; its client's name is not known");
	print_text(&t);
}

static void print_discovery(const struct node_seen *s)
{
	char text[NETADDR_TEXT_MAX];

	if (!s->record.reached) {
		line("discovery", "no proof of its address");
		return;
	}
	line("discovery", s->probe.pinged ? "proven both ways: it answered our PING, and we its own"
					  : "it answered our PING; it sent none, so it knows us");
	if (s->record.info.sees_us_as.kind != NETADDR_NONE) {
		netaddr_text(&s->record.info.sees_us_as, text);
		line("sees us as", text);
	}
	label("record");
	if (node_of(s)->record.len > 0)
		printf("%.*s\n", (int)node_of(s)->record.len,
		       (const char *)node_of(s)->record.data);
	else
		puts(s->probe.has_enr_seq ? "it has one, but did not give it"
					  : "none: it says nothing of records");
	if (s->probe.has_enr_seq) {
		label("record seq");
		printf("%" PRIu64 "\n", s->probe.enr_seq);
	}
}

static void print_session(const struct node_seen *s)
{
	const struct node_info *n = node_of(s);

	if (n->session == NULL) {
		line("session", n->tcp_port == 0 ? "not tried: it says no TCP port" : "not tried");
		return;
	}
	label("session");
	if (n->has_hello)
		printf("%s, at TCP port %u\n", session_text(s), n->tcp_port);
	else
		printf("failed (%s), see below\n", n->session);
	if (!n->has_hello)
		return;
	label("protocol");
	if (s->session.eth.version != 0)
		printf("eth/%u\n", s->session.eth.version);
	else
		puts("no version of eth in common");
	label("capabilities");
	printf("%.*s\n", (int)n->capabilities.len, (const char *)n->capabilities.data);
	label("listens at");
	if (n->listen_port != 0)
		printf("TCP port %u, it says\n", n->listen_port);
	else
		puts("no port that it says");
}

static void print_fork(const struct node_seen *s)
{
	const struct forkid id = fork_of(&node_of(s)->chain);
	const struct ethereum_chain *chain = chain_of(&node_of(s)->chain);
	enum forkid_verdict verdict;
	struct text t = { 0 };

	label("fork id");
	enr_show_add_forkid(&t, &id);
	print_text(&t);
	label("chain");
	if (chain == NULL) {
		puts("not known here");
		return;
	}
	verdict = verdict_of(s, chain);
	printf("%s: %s (%s by EIP-2124)\n", chain->name, forkid_verdict_text(verdict),
	       forkid_compatible(verdict) ? "compatible" : "not compatible");
}

static void print_chain(const struct node_seen *s)
{
	const struct peer_chain *c = &node_of(s)->chain;

	if (c->has_status) {
		label("network id");
		printf("%" PRIu64 "\n", c->network_id);
		print_hex("genesis", c->genesis, sizeof(c->genesis));
	}
	if (c->has_fork)
		print_fork(s);
	if (c->has_status)
		print_hex("head", c->head, sizeof(c->head));
	if (s->record.info.height >= 0) {
		label("height");
		printf("%" PRId64 "\n", s->record.info.height);
	}
}

void node_show_info(const struct node_seen *s)
{
	uint8_t id[ENODE_ID_LEN];

	enode_id(s->peer->node_id, id);
	print_hex("node id", id, sizeof(id));
	print_discovery(s);
	print_session(s);
	print_chain(s);
	print_faults(&s->probe);
}

/* --- JSON --- */

static json_t *hex_json(const uint8_t *bytes, size_t len)
{
	char hex[2 * SECP_PUBLIC_LEN + 1];

	hex_encode(slice_of(bytes, len), hex);
	return json_string(hex);
}

json_t *node_show_faults_json(const struct probe_info *probe)
{
	json_t *o = json_object();

	for (unsigned b = 0; b < PROBE_BREACH_COUNT; b++) {
		if (probe->breaches[b] > 0)
			json_object_set_new(o, probe_breach_name((enum probe_breach)b),
					    json_integer(probe->breaches[b]));
	}
	return o;
}

static json_t *session_json(const struct node_seen *s)
{
	const struct node_info *n = node_of(s);
	const struct rlpx_info *info = &s->session;
	json_t *o;

	if (n->session == NULL)
		return json_null();
	o = json_pack("{s:s, s:s, s:s?, s:s?}", "outcome", n->session, "text", session_text(s),
		      "rule", n->session_rule, "reason",
		      s->connected && info->has_reason ? p2p_reason_text(info->reason) : NULL);
	json_object_set_new(o, "hello_ms",
			    s->connected && info->has_hello ? json_integer(info->hello_ms)
							    : json_null());
	json_object_set_new(o, "status_ms",
			    s->connected && info->has_status ? json_integer(info->status_ms)
							     : json_null());
	return o;
}

static json_t *capabilities_json(const struct node_seen *s)
{
	const struct p2p_hello *hello = &s->session.hello;
	json_t *list = json_array();
	char text[P2P_CAP_NAME_MAX + 16];

	for (size_t i = 0; node_of(s)->has_hello && i < hello->caps_count; i++) {
		snprintf(text, sizeof(text), "%s/%u", hello->caps[i].name, hello->caps[i].version);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

static void add_chain_json(json_t *o, const struct node_seen *s)
{
	const struct peer_chain *c = &node_of(s)->chain;
	const struct ethereum_chain *chain = chain_of(c);
	enum forkid_verdict verdict = FORKID_INCOMPATIBLE;

	if (chain != NULL && c->has_fork)
		verdict = verdict_of(s, chain);
	json_object_set_new(o, "network_id",
			    c->has_status ? field_text_number_json(c->network_id) : json_null());
	json_object_set_new(o, "genesis",
			    c->has_status ? hex_json(c->genesis, sizeof(c->genesis)) : json_null());
	json_object_set_new(o, "head",
			    c->has_status ? hex_json(c->head, sizeof(c->head)) : json_null());
	json_object_set_new(o, "fork_hash",
			    c->has_fork ? hex_json(c->fork_hash, sizeof(c->fork_hash))
					: json_null());
	json_object_set_new(o, "fork_next",
			    c->has_fork ? field_text_number_json(c->fork_next) : json_null());
	json_object_set_new(o, "chain", chain != NULL ? json_string(chain->name) : json_null());
	json_object_set_new(o, "fork_compatible",
			    chain != NULL && c->has_fork ? json_boolean(forkid_compatible(verdict))
							 : json_null());
	json_object_set_new(o, "fork_text",
			    chain != NULL && c->has_fork ? json_string(forkid_verdict_text(verdict))
							 : json_null());
}

void node_show_json(json_t *o, const struct node_seen *s)
{
	const struct peer_info *info = &s->record.info;
	const struct node_info *n = node_of(s);
	char seen[NETADDR_TEXT_MAX] = "";
	uint8_t id[ENODE_ID_LEN];

	if (info->sees_us_as.kind != NETADDR_NONE)
		netaddr_text(&info->sees_us_as, seen);
	enode_id(s->peer->node_id, id);
	json_object_set_new(o, "public_key", hex_json(s->peer->node_id, s->peer->node_id_len));
	json_object_set_new(o, "node_id", hex_json(id, sizeof(id)));
	json_object_set_new(o, "pinged_us", json_boolean(s->probe.pinged));
	json_object_set_new(o, "sees_us_as", seen[0] != '\0' ? json_string(seen) : json_null());
	json_object_set_new(o, "record",
			    n->record.len > 0
				    ? json_stringn((const char *)n->record.data, n->record.len)
				    : json_null());
	json_object_set_new(o, "record_seq",
			    n->has_record_seq ? field_text_number_json(n->record_seq)
					      : json_null());
	json_object_set_new(o, "faults", node_show_faults_json(&s->probe));
	json_object_set_new(o, "other_key",
			    s->probe.has_other_key ? hex_json(s->probe.other, SECP_PUBLIC_LEN)
						   : json_null());
	json_object_set_new(o, "tcp_port",
			    n->tcp_port != 0 ? json_integer(n->tcp_port) : json_null());
	json_object_set_new(o, "session", session_json(s));
	json_object_set_new(o, "agent",
			    info->has_version ? peer_text_json(info->agent) : json_null());
	json_object_set_new(o, "protocol",
			    info->has_version ? json_integer(info->protocol) : json_null());
	json_object_set_new(o, "height",
			    info->height >= 0 ? json_integer(info->height) : json_null());
	json_object_set_new(o, "capabilities", capabilities_json(s));
	json_object_set_new(o, "listen_port",
			    n->has_hello ? json_integer(n->listen_port) : json_null());
	add_chain_json(o, s);
}
