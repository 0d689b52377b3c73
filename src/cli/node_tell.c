#include "cli/node_tell.h"

#include "base/text.h"
#include "cli/json_line.h"
#include "cli/peer_text.h"
#include "cli/terminal.h"
#include "proto/ethereum/session.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { CLIENT_TEXT_MAX = 4 * PEER_AGENT_MAX + 1 };

/* --- who it is --- */

static void own_record(const struct node_tell *t, char out[static ENR_TEXT_MAX])
{
	struct enr record;
	struct reader r;

	reader_init(&r, discv4_record(node_serve_node(t->node)));
	enr_decode(&r, &record);
	enr_text(&record, out);
}

static json_t *places_json(const struct node_tell *t)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < node_serve_places(t->node); i++) {
		struct netaddr local = node_serve_local(t->node, i);

		json_array_append_new(list, peer_text_addr_json(&local));
	}
	return list;
}

static void tell_self_json(const struct node_tell *t, bool moved, bool known, const char *url,
			   const char *record)
{
	const struct discv4 *d = node_serve_node(t->node);
	char id[2 * ENODE_ID_LEN + 1];
	uint8_t hash[ENODE_ID_LEN];

	enode_id(d->key, hash);
	hex_encode(slice_of(hash, sizeof(hash)), id);
	json_line_print(json_pack("{s:s, s:b, s:s, s:s, s:s, s:s, s:I, s:b, s:o}", "event",
				  moved ? "moved" : "ready", "ready", 1, "network",
				  t->network->name, "enode", url, "record", record, "node_id", id,
				  "seq", (json_int_t)discv4_seq(d), "address_known", known,
				  "listen", places_json(t)));
}

void node_tell_self(struct node_tell *t, bool moved)
{
	char url[ENODE_TEXT_MAX], record[ENR_TEXT_MAX], addr[NETADDR_TEXT_MAX];
	struct enode_endpoint at = discv4_endpoint(node_serve_node(t->node));
	bool known = node_serve_url(t->node, url);

	node_tell_hide(t);
	own_record(t, record);
	if (moved) {
		netaddr_text(&at.addr, addr);
		cli_note(t->cli, "others see this node at %s; its record is number %" PRIu64 " now",
			 addr, discv4_seq(node_serve_node(t->node)));
	}
	if (t->cli->json) {
		tell_self_json(t, moved, known, url, record);
		return;
	}
	printf("enode    %s\nrecord   %s\n", url, record);
	fflush(stdout);
	if (!known)
		cli_note(t->cli, "nobody has said yet where this node is: until then the URL is "
				 "good on this machine alone; --advertise ADDR:PORT says it");
}

/* --- what happens --- */

static const char *event_name(enum discv4_event_type type)
{
	switch (type) {
	case DISCV4_EVENT_BONDED:
		return "bonded";
	case DISCV4_EVENT_DROPPED:
		return "dropped";
	case DISCV4_EVENT_RECORD:
		return "record";
	case DISCV4_EVENT_STATEMENT:
		return "statement";
	case DISCV4_EVENT_ALIVE: /* nine of ten checks end so */
	case DISCV4_EVENT_SILENT:
	case DISCV4_EVENT_MOVED: /* node_tell_self */
	case DISCV4_EVENT_FOUND:
		break;
	}
	return NULL;
}

void node_tell_event(struct node_tell *t, const struct discv4_event *event)
{
	const char *name = event_name(event->type);
	char url[ENODE_TEXT_MAX], addr[NETADDR_TEXT_MAX] = "";
	struct enode node = { .endpoint = { event->node.addr, event->node.tcp_port } };
	bool result = t->cli->json && t->cli->verbose > 0;
	json_t *o;

	if (name == NULL || (!result && !log_wants(t->cli->log, LOG_DEBUG)))
		return;
	node_tell_hide(t);
	memcpy(node.key, event->node.key, sizeof(node.key));
	enode_text(&node, url);
	if (event->type == DISCV4_EVENT_STATEMENT)
		netaddr_text(&event->addr, addr);
	if (!result) {
		log_event(
			t->cli->log, LOG_DEBUG, name,
			(struct log_field[]){ log_text("enode", url),
					      log_text("sees_us_at", addr[0] != '\0' ? addr : NULL),
					      { 0 } });
		return;
	}
	o = json_pack("{s:s, s:s}", "event", name, "enode", url);
	if (addr[0] != '\0')
		json_object_set_new(o, "sees_us_at", json_string(addr));
	json_line_print(o);
}

void node_tell_datagram(struct node_tell *t, const struct node_serve_datagram *d)
{
	const char *type = d->type != 0 ? discv4_type_name(d->type) : NULL;
	const char *fate = d->outgoing ? NULL : discv4_fate_name(d->fate);
	char addr[NETADDR_TEXT_MAX];

	if (t->cli->verbose < 2)
		return;
	node_tell_hide(t);
	netaddr_text(&d->peer, addr);
	if (t->cli->json)
		json_line_print(json_pack("{s:s, s:s, s:s?, s:I, s:s?}", "event",
					  d->outgoing ? "out" : "in", "peer", addr, "packet", type,
					  "bytes", (json_int_t)d->bytes.len, "fate", fate));
	else
		cli_debug(t->cli, "%-3s  %-11s  %5zu  %s%s%s", d->outgoing ? "out" : "in",
			  type != NULL ? type : "?", d->bytes.len, addr,
			  fate != NULL && d->fate != DISCV4_TAKEN ? "  " : "",
			  fate != NULL && d->fate != DISCV4_TAKEN ? fate : "");
}

void node_tell_session(struct node_tell *t, const struct node_session *s)
{
	char addr[NETADDR_TEXT_MAX], client[CLIENT_TEXT_MAX] = "";
	char caps[PEER_CAPABILITIES_MAX] = "", key[2 * SECP_PUBLIC_LEN + 1] = "";
	char genesis[2 * sizeof(s->info.status.genesis) + 1] = "";
	char fork[2 * sizeof(s->info.status.forkid.hash) + 1];
	bool has_status = s->info.has_status;
	json_t *o;

	node_tell_hide(t);
	netaddr_text(&s->from, addr);
	if (s->info.has_hello) {
		text_escape(s->info.hello.client, client, sizeof(client));
		ethereum_capabilities(&s->info.hello, caps);
	}
	if (s->info.has_key)
		hex_encode(slice_of(s->info.key, sizeof(s->info.key)), key);
	if (has_status)
		hex_encode(slice_of(s->info.status.genesis, sizeof(s->info.status.genesis)),
			   genesis);
	cli_event(t->cli, LOG_DEBUG, "session",
		  (struct log_field[]){ log_text("peer", addr),
					log_text("outcome", rlpx_outcome_name(s->outcome)),
					log_text("rule", s->rule),
					log_bytes("client", s->info.has_hello
								    ? s->info.hello.client
								    : (struct slice){ NULL, 0 }),
					{ 0 } });
	if (!t->cli->json) {
		printf("session  %-21s  %s%s%s%s%s%s%s\n", addr, rlpx_outcome_name(s->outcome),
		       s->rule != NULL ? "  " : "", s->rule != NULL ? s->rule : "",
		       client[0] != '\0' ? "  " : "", client, caps[0] != '\0' ? "  " : "", caps);
		fflush(stdout);
		return;
	}
	o = json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s?}", "event", "session", "peer",
		      addr, "outcome", rlpx_outcome_name(s->outcome), "rule", s->rule, "public_key",
		      s->info.has_key ? key : NULL, "client", s->info.has_hello ? client : NULL,
		      "capabilities", s->info.has_hello ? caps : NULL, "genesis",
		      has_status ? genesis : NULL);
	json_object_set_new(o, "network_id",
			    has_status && s->info.status.network_id <= INT64_MAX
				    ? json_integer((json_int_t)s->info.status.network_id)
				    : json_null());
	hex_encode(slice_of(s->info.status.forkid.hash, sizeof(s->info.status.forkid.hash)), fork);
	json_object_set_new(o, "fork_hash", has_status ? json_string(fork) : json_null());
	json_line_print(o);
}

/* --- how it goes --- */

/* Adds the counts to o. */
static void add_counts(json_t *o, const struct node_serve_counts *n)
{
	const struct node_sessions_counts *s = &n->sessions;
	json_t *fates = json_object(), *sessions;

	for (unsigned i = 0; i < DISCV4_FATES; i++)
		json_object_set_new(fates, discv4_fate_name((enum discv4_fate)i),
				    json_integer((json_int_t)n->fates[i]));
	json_object_set_new(fates, "unread", json_integer((json_int_t)n->unread));
	sessions = json_pack("{s:I, s:I, s:I, s:I}", "taken", (json_int_t)s->taken, "refused",
			     (json_int_t)s->refused, "hellos", (json_int_t)s->hellos, "statuses",
			     (json_int_t)s->statuses);
	json_object_set_new(o, "table", json_integer(n->table));
	json_object_set_new(o, "live", json_integer(n->live));
	json_object_set_new(o, "bonds", json_integer(n->bonds));
	json_object_set_new(o, "packets_in", json_integer((json_int_t)n->datagrams_in));
	json_object_set_new(o, "packets_out", json_integer((json_int_t)n->datagrams_out));
	json_object_set_new(o, "bytes_in", json_integer((json_int_t)n->bytes_in));
	json_object_set_new(o, "bytes_out", json_integer((json_int_t)n->bytes_out));
	json_object_set_new(o, "unsent", json_integer((json_int_t)n->unsent));
	json_object_set_new(o, "fates", fates);
	json_object_set_new(o, "sessions", sessions);
}

static void tell_end_json(const struct node_serve_counts *n, double seconds)
{
	json_t *o = json_pack("{s:s, s:b, s:f}", "event", "end", "ready", 0, "seconds", seconds);

	add_counts(o, n);
	json_line_print(o);
}

void node_tell_status(const struct node_tell *t, json_t *o)
{
	struct enode_endpoint at = discv4_endpoint(node_serve_node(t->node));
	char url[ENODE_TEXT_MAX], addr[NETADDR_TEXT_MAX];
	bool known = node_serve_url(t->node, url);
	struct node_serve_counts n;

	node_serve_counts(t->node, &n);
	netaddr_text(&at.addr, addr);
	json_object_set_new(o, "listen", places_json(t));
	json_object_set_new(o, "address", known ? json_string(addr) : json_null());
	json_object_set_new(o, "enode", json_string(url));
	/* Sessions are those of callers; discovery has no connections. */
	json_object_set_new(o, "peers_in", json_integer(n.sessions.open));
	json_object_set_new(o, "peers_out", json_integer(0));
	json_object_set_new(o, "messages_in", json_integer((json_int_t)n.datagrams_in));
	json_object_set_new(o, "messages_out", json_integer((json_int_t)n.datagrams_out));
	json_object_set_new(o, "known", json_integer(n.table));
	add_counts(o, &n);
}

json_t *node_tell_peer(const struct node_tell *t, uint32_t *at)
{
	const struct kademlia *table = &node_serve_node(t->node)->table;
	char url[ENODE_TEXT_MAX], addr[NETADDR_TEXT_MAX];

	for (; *at < KADEMLIA_ENTRIES_MAX; ++*at) {
		const struct kademlia_bucket *b = &table->buckets[*at / KADEMLIA_BUCKET_SIZE];
		const struct kademlia_entry *e = &b->entries[*at % KADEMLIA_BUCKET_SIZE];
		struct enode node = { .endpoint = { e->node.addr, e->node.tcp_port } };

		if (*at % KADEMLIA_BUCKET_SIZE >= b->entry_count)
			continue;
		++*at;
		memcpy(node.key, e->node.key, sizeof(node.key));
		enode_text(&node, url);
		netaddr_text(&e->node.addr, addr);
		return json_pack("{s:s, s:s, s:b, s:I}", "address", addr, "enode", url, "live",
				 e->live, "checks", (json_int_t)e->checks);
	}
	return NULL;
}

/* "12 malformed, 3 expired": what became of those that were not taken. */
static void print_fates(const struct node_serve_counts *n)
{
	const char *before = "; ";
	char count[32];

	for (unsigned i = DISCV4_TAKEN + 1; i < DISCV4_FATES; i++) {
		if (n->fates[i] == 0)
			continue;
		format_count(n->fates[i], count);
		printf("%s%s %s", before, count, discv4_fate_name((enum discv4_fate)i));
		before = ", ";
	}
	if (n->unread > 0) {
		format_count(n->unread, count);
		printf("%s%s unread, of hosts that sent too many", before, count);
	}
	putchar('\n');
}

void node_tell_end(struct node_tell *t, uint64_t now_ms)
{
	char time[32], in[32], out[32], bytes_in[32], bytes_out[32];
	struct node_serve_counts n;

	node_tell_hide(t);
	node_serve_counts(t->node, &n);
	if (t->cli->json) {
		tell_end_json(&n, (double)(now_ms - t->started_ms) / 1000);
		return;
	}
	format_duration(now_ms - t->started_ms, time);
	format_count(n.datagrams_in, in);
	format_count(n.datagrams_out, out);
	format_bytes(n.bytes_in, bytes_in);
	format_bytes(n.bytes_out, bytes_out);
	printf("time     %s\ntable    %u node%s, %u of them checked; %u bond%s\n", time, n.table,
	       n.table == 1 ? "" : "s", n.live, n.bonds, n.bonds == 1 ? "" : "s");
	printf("packets  %s in (%s), %s out (%s)", in, bytes_in, out, bytes_out);
	print_fates(&n);
	printf("sessions %" PRIu64 ", %" PRIu64 " with a Hello, %" PRIu64 " with a Status; %" PRIu64
	       " callers were sent away\n",
	       n.sessions.taken, n.sessions.hellos, n.sessions.statuses, n.sessions.refused);
}

void node_tell_progress(struct node_tell *t)
{
	char in[32], out[32], line[256];
	struct node_serve_counts n;

	node_serve_counts(t->node, &n);
	format_count(n.datagrams_in, in);
	format_count(n.datagrams_out, out);
	snprintf(line, sizeof(line),
		 "%s: %u in the table, %u bonds, packets %s in, %s out, %" PRIu64
		 " sessions, %u open",
		 t->network->name, n.table, n.bonds, in, out, n.sessions.taken, n.sessions.open);
	terminal_draw_line(line, &t->drawn);
}

void node_tell_hide(struct node_tell *t)
{
	terminal_hide_line(&t->drawn);
}
