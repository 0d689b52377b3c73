/* swarm_net.h: many swarms on virtual time: a driver that carries bytes between them, with
 * latency, in order. Deterministic: one seed, one course of events. */
#ifndef PEERWALK_TESTS_SWARM_NET_H
#define PEERWALK_TESTS_SWARM_NET_H

#include "base/keymap.h"
#include "engine/swarm.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	NET_LATENCY_MIN_MS = 10,
	NET_LATENCY_MAX_MS = 80,
	NET_CONNECT_MS = 5000, /* io/swarm_host.h's */
	NET_START_MS = 1000,
	NET_UNIX_S = 1790000000,
	NET_NODES_MAX = 256,
};

enum net_fate { NET_ALIVE, NET_KILLED, NET_SILENT };

struct net;

struct net_node {
	struct net *net;
	uint32_t at;
	enum net_fate fate;
	struct netaddr addr;
	uint8_t id[16];
	struct book *book;
	struct swarm *swarm;
	struct keymap links; /* connection id -> link */
	uint64_t wakes_ms;
	uint32_t told[SWARM_EVENT_SELF + 1]; /* events, by kind */
	uint32_t ports;
	uint32_t strays; /* connections of nobody's, that only stare */
};

/* One end of a connection. */
struct net_end {
	uint32_t node, id;  /* id SWARM_NONE: closed here */
	uint64_t newest_ms; /* arrival of what was sent to it last */
	uint8_t *in;
	size_t in_len, in_cap;
};

struct net_link {
	struct net_end ends[2]; /* 0: who dialled */
	uint32_t latency_ms;
};

enum net_event_kind {
	NET_ARRIVES,
	NET_STANDS,
	NET_REFUSED,
	NET_TIMEOUT,
	NET_BYTES,
	NET_EOF,
	NET_RESET,
	NET_WAKES
};

struct net_event {
	uint64_t at_ms, number;
	enum net_event_kind kind;
	uint32_t link, end; /* WAKES: link is the node */
	uint8_t *data;
	size_t len;
};

struct net {
	uint64_t now_ms, numbers, carried;
	struct random random;
	struct net_node nodes[NET_NODES_MAX];
	uint32_t count;
	struct net_link *links;
	uint32_t links_len, links_cap;
	struct net_event *heap;
	size_t heap_len, heap_cap;
	void (*on_event)(struct net_node *node, const struct swarm_event *event); /* may be NULL */
	uint8_t out[SWARM_SEND_MIN];
};

static inline bool net_before(const struct net_event *a, const struct net_event *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->number < b->number;
}

static inline void net_push(struct net *net, struct net_event event)
{
	size_t at = net->heap_len++;

	event.number = net->numbers++;
	if (at == net->heap_cap) {
		net->heap_cap = net->heap_cap == 0 ? 1024 : net->heap_cap * 2;
		net->heap = realloc(net->heap, net->heap_cap * sizeof(*net->heap));
		assert(net->heap != NULL);
	}
	for (; at > 0 && net_before(&event, &net->heap[(at - 1) / 2]); at = (at - 1) / 2)
		net->heap[at] = net->heap[(at - 1) / 2];
	net->heap[at] = event;
}

static inline struct net_event net_pop(struct net *net)
{
	struct net_event top = net->heap[0], last = net->heap[--net->heap_len];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < net->heap_len) {
		if (child + 1 < net->heap_len &&
		    net_before(&net->heap[child + 1], &net->heap[child]))
			child++;
		if (!net_before(&net->heap[child], &last))
			break;
		net->heap[at] = net->heap[child];
		at = child;
	}
	net->heap[at] = last;
	return top;
}

static inline void net_send(struct net *net, enum net_event_kind kind, uint32_t link, uint32_t end,
			    struct slice bytes)
{
	struct net_end *to = &net->links[link].ends[end];
	struct net_event event = { .kind = kind, .link = link, .end = end, .len = bytes.len };

	event.at_ms = net->now_ms + net->links[link].latency_ms;
	if (event.at_ms < to->newest_ms)
		event.at_ms = to->newest_ms;
	to->newest_ms = event.at_ms;
	if (bytes.len > 0) {
		event.data = malloc(bytes.len);
		assert(event.data != NULL);
		memcpy(event.data, bytes.data, bytes.len);
	}
	net_push(net, event);
}

/* The last that stood there. */
static inline struct net_node *net_at(struct net *net, const struct netaddr *addr)
{
	for (uint32_t i = net->count; i > 0; i--)
		if (netaddr_equal(&net->nodes[i - 1].addr, addr))
			return &net->nodes[i - 1];
	return NULL;
}

static inline void net_dial(struct net *net, struct net_node *from, uint32_t id,
			    const struct netaddr *addr)
{
	struct net_node *to = net_at(net, addr);
	uint32_t link = net->links_len++;

	if (link == net->links_cap) {
		net->links_cap = net->links_cap == 0 ? 1024 : net->links_cap * 2;
		net->links = realloc(net->links, net->links_cap * sizeof(*net->links));
		assert(net->links != NULL);
	}
	net->links[link] = (struct net_link){
		.ends = { { .node = from->at, .id = id },
			  { .node = to != NULL ? to->at : UINT32_MAX, .id = SWARM_NONE } },
		.latency_ms = (uint32_t)(NET_LATENCY_MIN_MS +
					 random_below(&net->random,
						      NET_LATENCY_MAX_MS - NET_LATENCY_MIN_MS)),
	};
	keymap_put(&from->links, id)->id = link;
	if (to != NULL)
		net_send(net, NET_ARRIVES, link, 1, slice_of(NULL, 0));
	else
		net_push(net, (struct net_event){ .at_ms = net->now_ms + NET_CONNECT_MS,
						  .kind = NET_TIMEOUT,
						  .link = link });
}

/* Forgets the connection at that end; the other end hears of it, if it is told. */
static inline void net_hang_up(struct net *net, uint32_t link, uint32_t end,
			       enum net_event_kind how, bool tell)
{
	struct net_end *here = &net->links[link].ends[end];

	if (here->id == SWARM_NONE)
		return;
	keymap_remove(&net->nodes[here->node].links, here->id);
	here->id = SWARM_NONE;
	free(here->in);
	here->in = NULL;
	here->in_len = here->in_cap = 0;
	if (tell)
		net_send(net, how, link, 1 - end, slice_of(NULL, 0));
}

static inline void net_drain_one(struct net *net, struct net_node *node, uint32_t link,
				 uint32_t end, uint32_t id)
{
	size_t n;

	while ((n = swarm_send(node->swarm, id, net->out, sizeof(net->out), net->now_ms)) > 0)
		net_send(net, NET_BYTES, link, 1 - end, slice_of(net->out, n));
}

/* After any call of a node's swarm. */
static inline void net_step(struct net *net, struct net_node *node)
{
	struct swarm_action action;
	uint64_t at_ms;

	while (node->fate == NET_ALIVE && swarm_next(node->swarm, &action)) {
		const struct keymap_slot *slot = keymap_find(&node->links, action.id);
		uint32_t link = slot != NULL ? slot->id : UINT32_MAX, end;

		if (action.what == SWARM_DIAL) {
			net_dial(net, node, action.id, &action.addr);
			continue;
		}
		if (link == UINT32_MAX) {
			assert(node->strays > 0);
			node->strays -= action.what == SWARM_CLOSE;
			continue;
		}
		end = net->links[link].ends[0].node == node->at &&
				      net->links[link].ends[0].id == action.id
			      ? 0
			      : 1;
		if (action.what == SWARM_SEND)
			net_drain_one(net, node, link, end, action.id);
		else
			net_hang_up(net, link, end, NET_EOF,
				    net->links[link].ends[1].node != UINT32_MAX);
	}
	if (node->fate != NET_ALIVE)
		return;
	at_ms = swarm_deadline(node->swarm);
	if (at_ms < node->wakes_ms) {
		node->wakes_ms = at_ms > net->now_ms ? at_ms : net->now_ms + 1;
		net_push(net, (struct net_event){ .at_ms = node->wakes_ms,
						  .kind = NET_WAKES,
						  .link = node->at });
	}
}

static inline void net_bytes(struct net *net, struct net_node *node, struct net_end *end,
			     uint32_t link, uint32_t side, struct slice bytes)
{
	uint32_t id = end->id;
	size_t used = 0, n;

	if (end->in_len + bytes.len > end->in_cap) {
		end->in_cap = end->in_len + bytes.len;
		end->in = realloc(end->in, end->in_cap);
		assert(end->in != NULL);
	}
	memcpy(end->in + end->in_len, bytes.data, bytes.len);
	end->in_len += bytes.len;
	while (end->in_len - used >= swarm_need(node->swarm, id)) {
		n = swarm_recv(node->swarm, id, slice_of(end->in + used, end->in_len - used),
			       net->now_ms);
		used += n;
		net_step(net, node);
		end = &net->links[link].ends[side]; /* the array may have moved */
		if (end->id != id)
			return;
		if (n == 0)
			break;
	}
	end->in_len -= used;
	memmove(end->in, end->in + used, end->in_len);
	if (end->in_len == 0) {
		free(end->in);
		end->in = NULL;
		end->in_cap = 0;
	}
}

static inline void net_arrives(struct net *net, struct net_node *node, uint32_t link)
{
	struct net_node *from = &net->nodes[net->links[link].ends[0].node];
	struct netaddr remote = from->addr;
	uint32_t id;

	if (node->fate == NET_SILENT) {
		net_push(net, (struct net_event){ .at_ms = net->now_ms + NET_CONNECT_MS,
						  .kind = NET_TIMEOUT,
						  .link = link });
		return;
	}
	if (node->fate == NET_KILLED) {
		net_send(net, NET_REFUSED, link, 0, slice_of(NULL, 0));
		return;
	}
	remote.port = (uint16_t)(40000 + from->ports++ % 20000);
	net_send(net, NET_STANDS, link, 0, slice_of(NULL, 0));
	id = swarm_accepted(node->swarm, &remote, net->now_ms);
	if (id == SWARM_NONE) {
		net_send(net, NET_EOF, link, 0, slice_of(NULL, 0));
	} else {
		net->links[link].ends[1].id = id;
		keymap_put(&node->links, id)->id = link;
	}
	net_step(net, node);
}

static inline void net_carry(struct net *net, const struct net_event *event)
{
	struct net_end *end;
	struct net_node *node;
	uint32_t id;

	if (event->kind == NET_WAKES) {
		node = &net->nodes[event->link];
		if (node->fate != NET_ALIVE || node->wakes_ms != event->at_ms)
			return;
		node->wakes_ms = UINT64_MAX;
		swarm_tick(node->swarm, net->now_ms);
		net_step(net, node);
		return;
	}
	end = &net->links[event->link].ends[event->end];
	node = &net->nodes[end->node];
	if (event->kind == NET_ARRIVES) {
		net_arrives(net, node, event->link);
		return;
	}
	id = end->id;
	if (id == SWARM_NONE || node->fate != NET_ALIVE)
		return;
	switch (event->kind) {
	case NET_STANDS:
		swarm_connected(node->swarm, id, net->now_ms);
		break;
	case NET_REFUSED:
	case NET_TIMEOUT:
		net_hang_up(net, event->link, event->end, NET_RESET, false);
		swarm_failed(node->swarm, id,
			     event->kind == NET_REFUSED ? OUTCOME_REFUSED : OUTCOME_CONNECT_TIMEOUT,
			     net->now_ms);
		break;
	case NET_BYTES:
		net_bytes(net, node, end, event->link, event->end,
			  slice_of(event->data, event->len));
		break;
	case NET_EOF:
	case NET_RESET:
		net_hang_up(net, event->link, event->end, NET_RESET, false);
		swarm_closed(node->swarm, id,
			     event->kind == NET_EOF ? SESSION_CLOSE_EOF : SESSION_CLOSE_RESET,
			     net->now_ms);
		break;
	case NET_ARRIVES:
	case NET_WAKES:
		break;
	}
	net_step(net, node);
}

static inline void net_run(struct net *net, uint64_t until_ms)
{
	while (net->heap_len > 0 && net->heap[0].at_ms <= until_ms) {
		struct net_event event = net_pop(net);

		net->now_ms = event.at_ms;
		net->carried++;
		net_carry(net, &event);
		free(event.data);
	}
	net->now_ms = until_ms;
}

static inline void net_told(void *ctx, const struct swarm_event *event)
{
	struct net_node *node = ctx;

	node->told[event->kind]++;
	if (node->net->on_event != NULL)
		node->net->on_event(node, event);
}

static inline struct net *net_new(uint64_t seed)
{
	struct net *net = calloc(1, sizeof(*net));

	assert(net != NULL);
	net->now_ms = NET_START_MS;
	net->random.state = random_mix(seed);
	return net;
}

/* A node at that address; `config` and `book` are templates: session.own_id, listen_port,
 * seeds and time are set here. */
static inline struct net_node *net_add(struct net *net, const struct netaddr *addr,
				       struct swarm_config config, struct book_config book)
{
	struct net_node *node = &net->nodes[net->count];

	assert(net->count < NET_NODES_MAX);
	*node = (struct net_node){
		.net = net, .at = net->count++, .addr = *addr, .wakes_ms = UINT64_MAX
	};
	for (unsigned i = 0; i < sizeof(node->id); i++)
		node->id[i] = (uint8_t)random_next(&net->random);
	node->id[6] = (uint8_t)(0x40 | (node->id[6] & 0xf)); /* UUID, version 4 */
	node->id[8] = (uint8_t)(0x80 | (node->id[8] & 0x3f));
	book.seed = random_next(&net->random);
	assert(book_new(&book, &node->book) == ERR_OK && keymap_init(&node->links) == ERR_OK);
	config.session.own_id = slice_of(node->id, sizeof(node->id));
	config.session.listen_port = addr->port;
	config.session.unix_s = NET_UNIX_S + (int64_t)(net->now_ms / 1000);
	config.book = node->book;
	config.seed = random_next(&net->random);
	config.on_event = net_told;
	config.ctx = node;
	assert(swarm_new(&config, net->now_ms, &node->swarm) == ERR_OK);
	swarm_own(node->swarm, addr);
	net_step(net, node);
	return node;
}

/* Begins to stand. */
static inline void net_bootstrap(struct net *net, struct net_node *node, const struct netaddr *addr)
{
	swarm_bootstrap(node->swarm, addr);
	net_step(net, node);
}

/* Somebody who is no node connects to it, and says nothing. */
static inline void net_stare(struct net *net, struct net_node *node, const struct netaddr *remote)
{
	if (swarm_accepted(node->swarm, remote, net->now_ms) != SWARM_NONE)
		node->strays++;
	net_step(net, node);
}

/* Killed: its connections are reset. Silent: nobody hears from it any more. */
static inline void net_end(struct net *net, struct net_node *node, enum net_fate fate)
{
	for (uint32_t i = 0; fate == NET_KILLED && i < net->links_len; i++)
		for (uint32_t end = 0; end < 2; end++)
			if (net->links[i].ends[end].node == node->at &&
			    net->links[i].ends[1].node != UINT32_MAX)
				net_hang_up(net, i, end, NET_RESET, true);
	node->fate = fate;
}

static inline void net_free(struct net *net)
{
	for (size_t i = 0; i < net->heap_len; i++)
		free(net->heap[i].data);
	for (uint32_t i = 0; i < net->links_len; i++) {
		free(net->links[i].ends[0].in);
		free(net->links[i].ends[1].in);
	}
	for (uint32_t i = 0; i < net->count; i++) {
		swarm_free(net->nodes[i].swarm);
		book_free(net->nodes[i].book);
		keymap_clear(&net->nodes[i].links);
	}
	free(net->heap);
	free(net->links);
	free(net);
}

#endif
