#include "cli/listen_node.h"

#include "cli/contacts.h"
#include "cli/loop.h"
#include "cli/message_tell.h"
#include "cli/signals.h"
#include "io/dial.h"
#include "io/node_serve.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct listening {
	const struct listen_node_config *config;
	struct kademlia_node peer;
	char name[ENODE_TEXT_MAX];
	uv_loop_t loop;
	struct node_serve *node; /* NULL: stopped */
	struct signals signals;
	uv_timer_t duration, answer;
	uint64_t packets;
	bool answered;
	int status;
};

static void stop(struct listening *l, int status)
{
	if (l->node == NULL)
		return;
	l->status = status;
	node_serve_stop(l->node);
	l->node = NULL;
	signals_close(&l->signals);
	uv_close((uv_handle_t *)&l->duration, NULL);
	uv_close((uv_handle_t *)&l->answer, NULL);
}

static bool is_peer(const struct listening *l, const uint8_t key[static SECP_PUBLIC_LEN])
{
	return memcmp(l->peer.key, key, sizeof(l->peer.key)) == 0;
}

/* Its own, by the signature, and what comes from its place but can't be read. */
static bool is_of_peer(const struct listening *l, const struct node_serve_datagram *d)
{
	if (d->outgoing)
		return false;
	return d->packet != NULL ? is_peer(l, d->packet->signer)
				 : netaddr_equal(&d->peer, &l->peer.addr);
}

/* Why it can't be read. */
static const char *broken_rule(struct slice bytes)
{
	struct discv4_packet packet;
	struct reader r;

	reader_init(&r, bytes);
	discv4_decode(&r, &packet);
	return r.rule != NULL ? r.rule : "is no packet of discovery";
}

static void on_datagram(void *ctx, const struct node_serve_datagram *d)
{
	struct listening *l = ctx;
	struct message_tell m = { .network = l->config->peer->network,
				  .peer = l->name,
				  .name = d->type != 0 ? discv4_type_name(d->type) : "malformed",
				  .whole = d->bytes,
				  .header = DISCV4_HEADER_LEN,
				  .bytes = d->bytes.len };

	if (!is_of_peer(l, d))
		return;
	m.rule = d->type == 0 ? broken_rule(d->bytes) : NULL;
	l->packets++;
	if (!message_tell(l->config->cli, &m) ||
	    (l->config->count > 0 && l->packets >= l->config->count))
		stop(l, EXIT_DONE);
}

static void on_event(void *ctx, const struct discv4_event *event)
{
	struct listening *l = ctx;

	if (!is_peer(l, event->node.key))
		return;
	if (event->type == DISCV4_EVENT_ALIVE && !l->answered) {
		l->answered = true;
		uv_timer_stop(&l->answer);
	} else if (event->type == DISCV4_EVENT_SILENT && !l->answered) {
		node_serve_ping(l->node, &l->peer);
	} else if (event->type == DISCV4_EVENT_DROPPED && l->answered) {
		cli_error("%s: answers no more, after %" PRIu64 " packets", l->name, l->packets);
		stop(l, EXIT_FAILED);
	}
}

static void on_no_answer(uv_timer_t *timer)
{
	struct listening *l = timer->data;

	cli_error("%s: no answer to a PING; is it there, and is the key the node's?", l->name);
	stop(l, EXIT_UNREACHED);
}

static void on_duration(uv_timer_t *timer)
{
	struct listening *l = timer->data;

	if (l->answered)
		stop(l, EXIT_DONE);
	else
		on_no_answer(timer);
}

static void on_signal(void *ctx, int status)
{
	stop(ctx, status);
}

static void start_handles(struct listening *l)
{
	signals_watch(&l->signals, &l->loop, on_signal, l);
	uv_timer_init(&l->loop, &l->duration);
	uv_timer_init(&l->loop, &l->answer);
	l->duration.data = l->answer.data = l;
	if (l->config->duration_ms > 0)
		uv_timer_start(&l->duration, on_duration, l->config->duration_ms, 0);
	uv_timer_start(&l->answer, on_no_answer, l->config->answer_ms, 0);
}

static int run(struct listening *l, const struct identity *identity)
{
	const struct node_serve_config config = {
		.identity = identity,
		.places = { { .addr = { .kind = l->peer.addr.kind } } },
		.places_count = 1,
		.no_sessions = true,
		/* The first record of this key. */
		.seq = 1,
		.boots = &l->peer,
		.boots_count = 1,
		.client = contacts_client(),
		.on_event = on_event,
		.on_datagram = on_datagram,
		.ctx = l,
	};
	char why[NODE_SERVE_WHY_MAX];

	if (node_serve_start(&l->loop, &config, &l->node, why) != ERR_OK) {
		cli_error("%s", why);
		uv_run(&l->loop, UV_RUN_DEFAULT); /* closes what was opened */
		return EXIT_FAILED;
	}
	start_handles(l);
	node_serve_ping(l->node, &l->peer);
	uv_run(&l->loop, UV_RUN_DEFAULT);
	return l->status;
}

int listen_node(const struct listen_node_config *config)
{
	const struct peer_arg *peer = config->peer;
	struct enode node = { .endpoint = { peer->addr, peer->tcp_port } };
	uint8_t random[SECP_RANDOM_LEN + IDENTITY_SEED_LEN];
	struct listening l = { .config = config };
	struct identity identity;
	char why[DRIVER_WHY_MAX];
	int status;

	l.peer = kademlia_node(peer->node_id, &peer->addr, peer->tcp_port);
	memcpy(node.key, peer->node_id, sizeof(node.key));
	enode_text(&node, l.name);
	if (!loop_begin(&l.loop, NULL, why)) {
		cli_error("%s", why);
		return EXIT_FAILED;
	}
	dial_random(random, sizeof(random));
	identity_init(&identity, NULL, random);
	explicit_bzero(random, sizeof(random));
	status = run(&l, &identity);
	identity_clear(&identity);
	uv_loop_close(&l.loop);
	return status;
}
