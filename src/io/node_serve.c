#include "io/node_serve.h"

#include "io/dial.h"
#include "io/listen.h"
#include "io/node_gate.h"
#include "io/udp.h"
#include "io/wall.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TYPE_AT = DISCV4_HEADER_LEN - 1 };

struct place {
	struct udp *udp;
	enum netaddr_kind kind;
	bool anywhere; /* bound to the unspecified address */
};

struct node_serve {
	struct node_serve_config config;
	uv_loop_t *loop;
	uv_timer_t timer;
	struct place places[NODE_SERVE_PLACES_MAX];
	unsigned places_count;
	struct node_sessions *sessions; /* NULL: none */
	const struct udp_datagram *answering;
	bool stopping;
	uint64_t unsent, unread, fates[DISCV4_FATES];
	struct node_gate gate;
	struct discv4 discv4;
};

/* --- carrying packets --- */

static void tell_datagram(struct node_serve *n, const struct node_serve_datagram *d)
{
	if (n->config.on_datagram != NULL && !n->stopping)
		n->config.on_datagram(n->config.ctx, d);
}

static void send_datagram(struct node_serve *n, const struct discv4_datagram *out)
{
	const struct udp_datagram *answering = n->answering;
	struct node_serve_datagram told = { .outgoing = true,
					    .peer = out->to,
					    .bytes = slice_of(out->bytes, out->len),
					    .type = out->bytes[TYPE_AT] };

	for (unsigned i = 0; i < n->places_count; i++) {
		const struct netaddr *from = NULL;

		if (n->places[i].kind != out->to.kind)
			continue;
		/* A machine with several addresses answers from the one that was asked. */
		if (n->places[i].anywhere && answering != NULL &&
		    netaddr_same_host(&answering->from, &out->to) && netaddr_is_ip(&answering->to))
			from = &answering->to;
		udp_send(n->places[i].udp, &out->to, from, told.bytes);
		tell_datagram(n, &told);
		return;
	}
	n->unsent++;
}

static void on_timer(uv_timer_t *timer);

/* After all that the node has heard or was told. */
static void step(struct node_serve *n)
{
	uint64_t now = uv_now(n->loop), at;
	struct discv4_datagram out;
	struct discv4_event event;
	bool more = true;

	/* Callbacks may ask for more. */
	while (more && !n->stopping) {
		while (!n->stopping && discv4_send(&n->discv4, &out))
			send_datagram(n, &out);
		more = !n->stopping && discv4_next(&n->discv4, &event);
		if (more && n->config.on_event != NULL)
			n->config.on_event(n->config.ctx, &event);
	}
	if (n->stopping)
		return;
	at = discv4_deadline(&n->discv4);
	if (at == UINT64_MAX)
		uv_timer_stop(&n->timer);
	else
		uv_timer_start(&n->timer, on_timer, at > now ? at - now : 0, 0);
}

/* Anew for whatever comes: somebody may set the clock, or the machine has slept. */
static int64_t wall_minus_loop_ms(const struct node_serve *n)
{
	return wall_ms() - (int64_t)uv_now(n->loop);
}

static void on_timer(uv_timer_t *timer)
{
	struct node_serve *n = timer->data;

	discv4_set_wall(&n->discv4, wall_minus_loop_ms(n));
	discv4_tick(&n->discv4, uv_now(n->loop));
	step(n);
}

static void on_datagram(void *ctx, const struct udp_datagram *d)
{
	struct node_serve *n = ctx;
	struct node_serve_datagram told = { .peer = d->from,
					    .bytes = d->bytes,
					    .fate = DISCV4_MALFORMED };
	struct discv4_packet packet;
	struct reader r;

	/* What is for many hosts at once is for none of discovery's. */
	if (n->stopping || (d->to.kind != NETADDR_NONE && !netaddr_is_host(&d->to)))
		return;
	if (!node_gate_pass(&n->gate, &d->from, uv_now(n->loop))) {
		n->unread++;
		return;
	}
	discv4_set_wall(&n->discv4, wall_minus_loop_ms(n));
	reader_init(&r, d->bytes);
	discv4_decode(&r, &packet);
	if (reader_ok(&r)) {
		told.packet = &packet;
		told.type = packet.type;
		told.fate = discv4_take(&n->discv4, &d->from, &packet, uv_now(n->loop));
	}
	n->fates[told.fate]++;
	tell_datagram(n, &told);
	n->answering = d;
	step(n);
	n->answering = NULL;
}

/* --- starting --- */

static enum err open_place(struct node_serve *n, const struct netaddr *addr)
{
	struct place *p = &n->places[n->places_count];
	struct udp_config config = { .local = *addr,
				     .any_address = listen_is_anywhere(addr),
				     .on_datagram = on_datagram,
				     .ctx = n };
	struct netaddr bound;
	enum err err = udp_open(n->loop, &config, &p->udp);

	if (err != ERR_OK)
		return err;
	p->kind = addr->kind;
	p->anywhere = config.any_address;
	n->places_count++;
	bound = udp_local(p->udp);
	return n->sessions != NULL ? node_sessions_listen(n->sessions, &bound) : ERR_OK;
}

static enum err sessions_new(struct node_serve *n)
{
	const struct node_sessions_config config = { .identity = n->config.identity,
						     .client = n->config.client,
						     .life_ms = n->config.sessions_ms,
						     .on_end = n->config.on_session,
						     .ctx = n->config.ctx };

	n->sessions = NULL;
	return n->config.no_sessions ? ERR_OK : node_sessions_new(n->loop, &config, &n->sessions);
}

static void close_places(struct node_serve *n)
{
	int error = errno;

	for (unsigned i = 0; i < n->places_count; i++)
		udp_close(n->places[i].udp);
	if (n->sessions != NULL)
		node_sessions_stop(n->sessions);
	n->places_count = 0;
	n->sessions = NULL;
	errno = error;
}

/* All places, once; *failed is the one that could not be opened. */
static enum err open_places(struct node_serve *n, struct netaddr *failed)
{
	enum err err = sessions_new(n);
	uint16_t port = 0;

	for (unsigned i = 0; i < n->config.places_count && err == ERR_OK; i++) {
		const struct listen_place *place = &n->config.places[i];

		*failed = place->addr;
		if (failed->port == 0)
			failed->port = port;
		err = open_place(n, failed);
		if (err == ERR_IO && place->optional && listen_no_such_address(errno))
			err = ERR_OK;
		else if (err == ERR_OK)
			port = node_serve_local(n, 0).port;
	}
	if (err != ERR_OK)
		close_places(n);
	return err;
}

static enum err open_sockets(struct node_serve *n, char why[static NODE_SERVE_WHY_MAX])
{
	struct netaddr failed = { 0 };
	unsigned tries = 0;
	enum err err;

	do {
		err = open_places(n, &failed);
		/* A port that is free for UDP may be taken for TCP, if any will do. */
	} while (err == ERR_IO && errno == EADDRINUSE && n->config.places[0].addr.port == 0 &&
		 ++tries < NODE_SERVE_PORT_TRIES);
	if (err == ERR_OK && n->places_count == 0) {
		close_places(n);
		err = ERR_IO;
		errno = EADDRNOTAVAIL;
	}
	if (err == ERR_OK)
		return ERR_OK;
	if (err == ERR_IO)
		listen_why(&failed, errno, why);
	else
		snprintf(why, NODE_SERVE_WHY_MAX, "%s", err_text(err));
	return err;
}

/* Where we say that we are. */
static struct enode_endpoint own_endpoint(const struct node_serve *n)
{
	struct netaddr bound = node_serve_local(n, 0);
	struct enode_endpoint self = { .addr = n->config.advertise };

	if (self.addr.kind == NETADDR_NONE && netaddr_equal(&n->config.earlier.bound, &bound))
		self.addr = n->config.earlier.seen;
	if (self.addr.kind == NETADDR_NONE && !n->places[0].anywhere)
		self.addr = bound;
	if (self.addr.port == 0)
		self.addr.port = bound.port;
	if (n->sessions != NULL)
		self.tcp_port = self.addr.port;
	return self;
}

static void start_node(struct node_serve *n)
{
	const struct node_serve_config *c = &n->config;
	struct discv4_params params = {
		.secp = &c->identity->secp,
		.wall_ms = wall_minus_loop_ms(n),
		.self = own_endpoint(n),
		.self_fixed = c->advertise.kind != NETADDR_NONE,
		.seq = c->seq,
		.boots = c->boots,
		.boots_count = c->boots_count,
		.known = c->known,
		.known_count = c->known_count,
		.refresh_ms = c->refresh_ms,
	};

	params.key = c->identity->key; /* not in the literal: identity.c */
	dial_random(&params.seed, sizeof(params.seed));
	dial_random(&params.hash, sizeof(params.hash));
	discv4_init(&n->discv4, &params, uv_now(n->loop));
	secp_key_clear(&params.key);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct node_serve *n = handle->data;

	discv4_clear(&n->discv4);
	free(n);
}

enum err node_serve_start(uv_loop_t *loop, const struct node_serve_config *config,
			  struct node_serve **out, char why[static NODE_SERVE_WHY_MAX])
{
	struct node_serve *n = calloc(1, sizeof(*n));
	struct hash_key key;
	enum err err;

	*out = NULL;
	if (n == NULL) {
		snprintf(why, NODE_SERVE_WHY_MAX, "%s", err_text(ERR_NOMEM));
		return ERR_NOMEM;
	}
	n->config = *config;
	n->loop = loop;
	uv_update_time(loop);
	err = open_sockets(n, why);
	if (err != ERR_OK) {
		/* The sockets tell nobody any more; nothing of them points here. */
		free(n);
		return err;
	}
	dial_random(&key, sizeof(key));
	node_gate_init(&n->gate, &key, NODE_SERVE_RATE, NODE_SERVE_BURST);
	uv_timer_init(loop, &n->timer);
	n->timer.data = n;
	start_node(n);
	uv_timer_start(&n->timer, on_timer, 0, 0);
	*out = n;
	return ERR_OK;
}

void node_serve_stop(struct node_serve *n)
{
	if (n->stopping)
		return;
	n->stopping = true;
	close_places(n);
	uv_close((uv_handle_t *)&n->timer, on_timer_closed);
}

/* --- asking --- */

bool node_serve_ping(struct node_serve *n, const struct kademlia_node *node)
{
	bool asked = discv4_ping(&n->discv4, node, uv_now(n->loop));

	/* It goes out with the next turn of the loop: this may be within a callback. */
	uv_timer_start(&n->timer, on_timer, 0, 0);
	return asked;
}

unsigned node_serve_lookup(struct node_serve *n, const uint8_t target[static SECP_PUBLIC_LEN])
{
	uv_timer_start(&n->timer, on_timer, 0, 0);
	return discv4_lookup(&n->discv4, target, uv_now(n->loop));
}

const struct discv4 *node_serve_node(const struct node_serve *n)
{
	return &n->discv4;
}

unsigned node_serve_places(const struct node_serve *n)
{
	return n->places_count;
}

struct netaddr node_serve_local(const struct node_serve *n, unsigned i)
{
	return udp_local(n->places[i].udp);
}

static unsigned count_live(const struct kademlia *t)
{
	unsigned live = 0;

	for (unsigned b = 0; b < KADEMLIA_BUCKETS; b++) {
		for (unsigned i = 0; i < t->buckets[b].entry_count; i++)
			live += t->buckets[b].entries[i].live;
	}
	return live;
}

bool node_serve_url(const struct node_serve *n, char out[static ENODE_TEXT_MAX])
{
	const struct discv4 *d = node_serve_node(n);
	struct enode node = { .endpoint = discv4_endpoint(d) };
	struct netaddr *addr = &node.endpoint.addr;
	bool known = addr->kind != NETADDR_NONE;

	memcpy(node.key, d->key, sizeof(node.key));
	if (!known && node_serve_local(n, 0).kind == NETADDR_IPV4)
		*addr = netaddr_ipv4(0x7f000001, addr->port);
	else if (!known)
		*addr = (struct netaddr){ .kind = NETADDR_IPV6,
					  .port = addr->port,
					  .bytes = { [15] = 1 } };
	enode_text(&node, out);
	return known;
}

void node_serve_counts(const struct node_serve *n, struct node_serve_counts *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < n->places_count; i++) {
		struct udp_counts udp;

		udp_counts(n->places[i].udp, &udp);
		out->datagrams_in += udp.datagrams_in;
		out->datagrams_out += udp.datagrams_out;
		out->bytes_in += udp.bytes_in;
		out->bytes_out += udp.bytes_out;
		out->unsent += udp.dropped;
	}
	out->unsent += n->unsent;
	out->unread = n->unread;
	memcpy(out->fates, n->fates, sizeof(out->fates));
	out->table = kademlia_count(&n->discv4.table);
	out->live = count_live(&n->discv4.table);
	out->bonds = discv4_bonds_count(&n->discv4.bonds, n->discv4.now_ms);
	if (n->sessions != NULL)
		node_sessions_counts(n->sessions, &out->sessions);
}
