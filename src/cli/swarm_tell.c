#include "cli/swarm_tell.h"

#include "base/text.h"
#include "base/uuid.h"
#include "cli/json_line.h"
#include "cli/peer_text.h"
#include "cli/terminal.h"
#include "io/dial.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { AGENT_TEXT_MAX = 4 * PEER_AGENT_MAX + 1, URL_MAX = NETADDR_TEXT_MAX + 64 };

/* --- who it is --- */

/* Where others can reach it, as far as this machine knows. */
static struct netaddr own_addr(const struct swarm_tell *t)
{
	struct netaddr local = swarm_host_local(t->host, 0), found = { 0 };
	uv_interface_address_t *list = NULL;
	int count = 0;

	if (t->advertise.kind != NETADDR_NONE || !listen_is_anywhere(&local))
		return t->advertise.kind != NETADDR_NONE ? t->advertise : local;
	if (uv_interface_addresses(&list, &count) == 0) {
		for (int i = 0; i < count && found.kind != local.kind; i++) {
			if (!list[i].is_internal)
				dial_netaddr((const struct sockaddr *)&list[i].address, &found);
		}
		uv_free_interface_addresses(list, count);
	}
	if (found.kind != local.kind) {
		found = (struct netaddr){ .kind = local.kind, .bytes = { [15] = 1 } };
		if (local.kind == NETADDR_IPV4)
			found = netaddr_ipv4(0x7f000001, 0);
	}
	found.port = local.port;
	return found;
}

/* False: it takes nobody in. */
static bool own_url(const struct swarm_tell *t, char out[static URL_MAX])
{
	char addr[NETADDR_TEXT_MAX];
	struct netaddr own;

	if (swarm_host_places(t->host) == 0)
		return false;
	own = own_addr(t);
	netaddr_text(&own, addr);
	snprintf(out, URL_MAX, "%s://%s", t->network->name, addr);
	return true;
}

static json_t *places_json(const struct swarm_tell *t)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < swarm_host_places(t->host); i++) {
		struct netaddr local = swarm_host_local(t->host, i);

		json_array_append_new(list, peer_text_addr_json(&local));
	}
	return list;
}

static json_t *id_json(struct slice id)
{
	char text[UUID_TEXT_MAX];

	if (id.len != UUID_LEN)
		return json_null();
	uuid_text(id.data, text);
	return json_string(text);
}

static void tell_ready_text(const struct swarm_tell *t, const char *url)
{
	char addr[NETADDR_TEXT_MAX], id[UUID_TEXT_MAX];

	for (unsigned i = 0; i < swarm_host_places(t->host); i++) {
		struct netaddr local = swarm_host_local(t->host, i);

		netaddr_text(&local, addr);
		printf("listen   %s\n", addr);
	}
	if (t->own_id.len == UUID_LEN) {
		uuid_text(t->own_id.data, id);
		printf("nodeid   %s\n", id);
	}
	if (t->group != NULL)
		printf("group    %s\n", t->group);
	if (url != NULL)
		printf("url      %s\n", url);
	fflush(stdout);
	if (url != NULL)
		cli_note(t->cli, "others join with: peerwalk node %s%s%s --bootstrap %s",
			 t->network->name, t->group != NULL ? " --group " : "",
			 t->group != NULL ? t->group : "", url);
}

void swarm_tell_ready(struct swarm_tell *t)
{
	char url[URL_MAX];
	bool reachable = own_url(t, url);
	struct swarm_host_counts n;
	json_t *o;

	swarm_tell_hide(t);
	swarm_host_counts(t->host, &n);
	if (!t->cli->json) {
		tell_ready_text(t, reachable ? url : NULL);
		return;
	}
	o = json_pack("{s:s, s:b, s:s, s:o, s:s?, s:o, s:s?, s:s}", "event", "ready", "ready", 1,
		      "network", t->network->name, "listen", places_json(t), "url",
		      reachable ? url : NULL, "nodeid", id_json(t->own_id), "group", t->group,
		      "agent", t->agent);
	json_object_set_new(o, "max_in", json_integer(swarm_host_in_max(t->host)));
	json_object_set_new(o, "known",
			    json_integer(n.swarm.book.new_count + n.swarm.book.tried_count));
	json_line_print(o);
}

/* --- what happens --- */

static const char *direction_name(enum swarm_direction direction)
{
	switch (direction) {
	case SWARM_IN:
		return "in";
	case SWARM_OUT:
		return "out";
	case SWARM_CHECK:
		return "check";
	}
	return "";
}

static uint64_t peer_seconds(const struct swarm_tell *t, const struct swarm_peer *p)
{
	uint64_t now = swarm_host_now_ms(t->host);

	return now > p->since_ms ? (now - p->since_ms) / 1000 : 0;
}

static json_t *peer_json(const struct swarm_peer *p)
{
	json_t *o = json_object();

	json_object_set_new(o, "peer", peer_text_addr_json(&p->remote));
	json_object_set_new(o, "direction", json_string(direction_name(p->direction)));
	json_object_set_new(o, "address", peer_text_addr_json(&p->listen));
	if (!p->up)
		return o;
	json_object_set_new(o, "nodeid", id_json(p->info.node_id));
	json_object_set_new(o, "agent", peer_text_json(p->info.agent));
	if (p->info.has_version) {
		json_object_set_new(o, "protocol", json_integer(p->info.protocol));
		json_object_set_new(o, "services", peer_text_bits_json(p->info.services));
	}
	return o;
}

static const char *event_name(enum swarm_event_kind kind)
{
	switch (kind) {
	case SWARM_EVENT_UP:
		return "up";
	case SWARM_EVENT_DOWN:
		return "down";
	case SWARM_EVENT_MESSAGE:
		return "message";
	case SWARM_EVENT_KNOWN:
		return "known";
	case SWARM_EVENT_LOST:
		return "lost";
	case SWARM_EVENT_SELF:
		return "self";
	}
	return "";
}

static void tell_json(const struct swarm_tell *t, const struct swarm_event *e)
{
	json_t *o = json_pack("{s:s}", "event", event_name(e->kind)), *peer;

	switch (e->kind) {
	case SWARM_EVENT_UP:
	case SWARM_EVENT_DOWN:
		peer = peer_json(&e->peer);
		json_object_update(o, peer);
		json_decref(peer);
		if (e->kind == SWARM_EVENT_UP)
			break;
		json_object_set_new(o, "outcome", json_string(outcome_name(e->outcome)));
		json_object_set_new(o, "why", json_string(e->why));
		json_object_set_new(o, "seconds",
				    json_integer((json_int_t)peer_seconds(t, &e->peer)));
		break;
	case SWARM_EVENT_MESSAGE:
		json_object_set_new(o, "peer", peer_text_addr_json(&e->peer.remote));
		json_object_set_new(o, "message", json_string(e->session->name));
		json_object_set_new(o, "bytes", json_integer((json_int_t)e->session->payload.len));
		break;
	case SWARM_EVENT_KNOWN:
	case SWARM_EVENT_LOST:
	case SWARM_EVENT_SELF:
		json_object_set_new(o, "address", peer_text_addr_json(&e->addr));
		break;
	}
	json_line_print(o);
}

static void tell_text(const struct swarm_tell *t, const struct swarm_event *e)
{
	char addr[NETADDR_TEXT_MAX], agent[AGENT_TEXT_MAX] = "", time[32];
	const struct swarm_peer *p = &e->peer;

	switch (e->kind) {
	case SWARM_EVENT_UP:
		netaddr_text(&p->remote, addr);
		text_escape(p->info.agent, agent, sizeof(agent));
		printf("%-8s %-21s  %-5s  %s\n", "up", addr, direction_name(p->direction), agent);
		break;
	case SWARM_EVENT_DOWN:
		netaddr_text(&p->remote, addr);
		format_duration(peer_seconds(t, p) * 1000, time);
		printf("%-8s %-21s  %-5s  ", "down", addr, direction_name(p->direction));
		if (!p->up)
			printf("%s: %s\n", outcome_name(e->outcome), e->why);
		else if (strcmp(e->why, outcome_text(OUTCOME_OK)) == 0)
			printf("left after %s\n", time);
		else
			printf("%s after %s: %s\n",
			       e->outcome == OUTCOME_OK ? "gone" : outcome_name(e->outcome), time,
			       e->why);
		break;
	case SWARM_EVENT_MESSAGE:
		netaddr_text(&p->remote, addr);
		printf("%-8s %-21s  %-12s  %zu\n", "message", addr, e->session->name,
		       e->session->payload.len);
		break;
	case SWARM_EVENT_KNOWN:
	case SWARM_EVENT_LOST:
	case SWARM_EVENT_SELF:
		netaddr_text(&e->addr, addr);
		printf("%-8s %s\n", event_name(e->kind), addr);
		break;
	}
	fflush(stdout);
}

/* Whoever is alone wants to know why. */
static bool is_alone(const struct swarm_tell *t)
{
	struct swarm_counts n;

	swarm_counts(swarm_host_swarm(t->host), &n);
	return n.up == 0;
}

/* What strangers can cause as often as they like, and what goes on all the time, is for who asks
 * for it. */
static bool is_worth_telling(const struct swarm_tell *t, const struct swarm_event *e)
{
	if (t->cli->verbose > 0)
		return true;
	switch (e->kind) {
	case SWARM_EVENT_UP:
	case SWARM_EVENT_DOWN:
		if (e->peer.direction == SWARM_IN)
			return e->peer.up;
		return t->cli->json ||
		       (e->peer.direction == SWARM_OUT && (e->peer.up || is_alone(t)));
	case SWARM_EVENT_MESSAGE:
		return false;
	case SWARM_EVENT_KNOWN:
		return t->cli->json;
	case SWARM_EVENT_LOST:
	case SWARM_EVENT_SELF:
		return true;
	}
	return true;
}

static void log_event_of(const struct swarm_tell *t, const struct swarm_event *e)
{
	const struct swarm_peer *p = &e->peer;
	bool of_peer = e->kind == SWARM_EVENT_UP || e->kind == SWARM_EVENT_DOWN;
	char addr[NETADDR_TEXT_MAX];

	/* Messages and names are too many for a log. */
	if (e->kind == SWARM_EVENT_MESSAGE || e->kind == SWARM_EVENT_KNOWN || (of_peer && !p->up))
		return;
	netaddr_text(of_peer ? &p->remote : &e->addr, addr);
	if (!of_peer)
		cli_event(t->cli, e->kind == SWARM_EVENT_SELF ? LOG_INFO : LOG_DEBUG,
			  event_name(e->kind),
			  (struct log_field[]){ log_text("address", addr), { 0 } });
	else if (e->kind == SWARM_EVENT_UP)
		cli_event(t->cli, LOG_DEBUG, "up",
			  (struct log_field[]){ log_text("peer", addr),
						log_text("direction", direction_name(p->direction)),
						log_bytes("agent", p->info.agent),
						{ 0 } });
	else
		cli_event(t->cli, LOG_DEBUG, "down",
			  (struct log_field[]){ log_text("peer", addr),
						log_text("direction", direction_name(p->direction)),
						log_text("outcome", outcome_name(e->outcome)),
						log_text("why", e->why),
						log_number("seconds", (int64_t)peer_seconds(t, p)),
						{ 0 } });
}

void swarm_tell_event(struct swarm_tell *t, const struct swarm_event *event)
{
	if (event->kind == SWARM_EVENT_SELF)
		t->self = event->addr;
	log_event_of(t, event);
	if (!is_worth_telling(t, event))
		return;
	swarm_tell_hide(t);
	if (t->cli->json)
		tell_json(t, event);
	else
		tell_text(t, event);
}

/* --- how it goes --- */

static json_t *ends_json(const struct swarm_counts *n)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
		if (n->ends[i] > 0)
			json_object_set_new(o, outcome_name((enum outcome)i),
					    json_integer((json_int_t)n->ends[i]));
	}
	return o;
}

/* Adds the counts to o. */
static void add_counts(json_t *o, const struct swarm_host_counts *n)
{
	const struct swarm_counts *s = &n->swarm;
	const struct {
		const char *key;
		uint64_t value;
	} rows[] = {
		{ "peers_in", s->in },
		{ "peers_out", s->out },
		{ "up", s->up },
		{ "known", (uint64_t)s->book.new_count + s->book.tried_count },
		{ "tried", s->book.tried_count },
		{ "messages_in", s->messages_in },
		{ "messages_out", s->messages_out },
		{ "bytes_in", s->bytes_in },
		{ "bytes_out", s->bytes_out },
		{ "accepted", s->accepted },
		{ "refused", s->refused },
		{ "evicted", s->evicted },
		{ "let_go", n->let_go },
		{ "unaccepted", n->unaccepted },
		{ "dialled", s->dialled },
		{ "failed", s->failed },
		{ "named", s->named },
		{ "relayed", s->relayed },
		{ "answered", s->answered },
		{ "buffers", n->in_bytes + n->out_bytes },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		json_object_set_new(o, rows[i].key, json_integer((json_int_t)rows[i].value));
	json_object_set_new(o, "ends", ends_json(s));
}

void swarm_tell_end(struct swarm_tell *t, uint64_t now_ms)
{
	char time[32], in[32], out[32], bytes_in[32], bytes_out[32], known[32];
	struct swarm_host_counts n;
	const struct swarm_counts *s = &n.swarm;
	json_t *o;

	swarm_tell_hide(t);
	swarm_host_counts(t->host, &n);
	if (t->cli->json) {
		o = json_pack("{s:s, s:b, s:f}", "event", "end", "ready", 0, "seconds",
			      (double)(now_ms - t->started_ms) / 1000);
		add_counts(o, &n);
		json_line_print(o);
		return;
	}
	format_duration(now_ms - t->started_ms, time);
	format_count((uint64_t)s->book.new_count + s->book.tried_count, known);
	format_count(s->messages_in, in);
	format_count(s->messages_out, out);
	format_bytes(s->bytes_in, bytes_in);
	format_bytes(s->bytes_out, bytes_out);
	printf("time     %s\npeers    %u in, %u out at the end; %" PRIu64 " called, %" PRIu64
	       " of them were sent away; %" PRIu64 " were dialled, %" PRIu64 " in vain\n",
	       time, s->in, s->out, s->accepted + s->refused, s->refused, s->dialled, s->failed);
	printf("known    %s address%s, %u of them reached\n", known,
	       s->book.new_count + s->book.tried_count == 1 ? "" : "es", s->book.tried_count);
	printf("messages %s in (%s), %s out (%s)\n", in, bytes_in, out, bytes_out);
	fflush(stdout);
}

void swarm_tell_progress(struct swarm_tell *t)
{
	char known[32], in[32], out[32], bytes_in[32], bytes_out[32], line[320];
	struct swarm_host_counts n;

	swarm_host_counts(t->host, &n);
	format_count((uint64_t)n.swarm.book.new_count + n.swarm.book.tried_count, known);
	format_count(n.swarm.messages_in, in);
	format_count(n.swarm.messages_out, out);
	format_bytes(n.swarm.bytes_in, bytes_in);
	format_bytes(n.swarm.bytes_out, bytes_out);
	snprintf(line, sizeof(line),
		 "%s: %u in, %u out; %s known, %u reached; messages %s in (%s), %s out (%s)",
		 t->network->name, n.swarm.in, n.swarm.out, known, n.swarm.book.tried_count, in,
		 bytes_in, out, bytes_out);
	terminal_draw_line(line, &t->drawn);
}

void swarm_tell_hide(struct swarm_tell *t)
{
	terminal_hide_line(&t->drawn);
}

void swarm_tell_status(const struct swarm_tell *t, json_t *o)
{
	struct swarm_host_counts n;
	char url[URL_MAX];

	swarm_host_counts(t->host, &n);
	json_object_set_new(o, "listen", places_json(t));
	json_object_set_new(o, "address", peer_text_addr_json(&t->self));
	json_object_set_new(o, "url", own_url(t, url) ? json_string(url) : json_null());
	add_counts(o, &n);
}

json_t *swarm_tell_peer(const struct swarm_tell *t, uint32_t *at)
{
	struct swarm_peer p;
	json_t *o;

	*at = swarm_look(swarm_host_swarm(t->host), *at, &p);
	if (*at == SWARM_NONE)
		return NULL;
	o = peer_json(&p);
	json_object_set_new(o, "up", json_boolean(p.up));
	json_object_set_new(o, "seconds", json_integer((json_int_t)peer_seconds(t, &p)));
	json_object_set_new(o, "rtt_ms", p.rtt_ms >= 0 ? json_integer(p.rtt_ms) : json_null());
	json_object_set_new(o, "messages_in", json_integer(p.counts.messages_in));
	json_object_set_new(o, "bytes_in", json_integer((json_int_t)p.counts.bytes_in));
	json_object_set_new(o, "bytes_out", json_integer((json_int_t)p.counts.bytes_out));
	return o;
}
