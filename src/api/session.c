#include "api/node.h"

#include "io/dial.h"

#include <stdlib.h>
#include <string.h>

enum {
	RECV_MAX = 1 << 20,
	/* An addr or addrv2 message with 1,000 entries has at most 60 KB. */
	ANSWER_MAX = 64 * 1024,
	ANSWER_COUNT_MAX = 1000,
	/* A session's own few bytes, sent before an answer. */
	ANSWER_SLACK = 4 * 1024,
};

struct pw_session {
	const struct proto *proto;
	char agent[PEER_AGENT_MAX + 1], group[GOSSIP_GROUP_MAX + 1];
	uint64_t now_ms;
	bool over; /* DONE was told */
	/* What came, from `at` on not yet consumed. Events borrow from it: it is moved only
	 * when more comes. */
	uint8_t *in;
	size_t in_at, in_len, in_cap;
	/* What a responder has answered, from `at` on not yet sent. */
	uint8_t *answer;
	size_t answer_at, answer_len;
	struct session_event event; /* the last one; ADVERTS are read from it */
	struct pw_event told;
	struct pw_advert advert;
	char advert_host[NETADDR_HOST_TEXT_MAX];
	struct api_info info;
	struct session_node *node; /* NULL where peers have no keys */
	_Alignas(16) uint8_t state[];
};

/* Nodes of Ethereum are asked who they are, and nothing else. */
static bool is_for_nodes(const struct pw_session_config *c)
{
	return c->role == PW_RESPONDER || c->goal == PW_GOAL_PEERS;
}

static bool take_config(const struct pw_session_config *c, struct pw_session *s,
			struct session_params *p)
{
	const struct network *network = api_network(c->network);

	if (!api_agent(network, c->agent, s->agent) || !api_group(network, c->group, s->group))
		return false;
	if (api_has_nodes(network) ? !is_for_nodes(c) : c->key != NULL)
		return false;
	if ((c->role != PW_INITIATOR && c->role != PW_RESPONDER) ||
	    (c->goal != PW_GOAL_PEERS && c->goal != PW_GOAL_PING && c->goal != PW_GOAL_LISTEN))
		return false;
	*p = (struct session_params){
		.network = network,
		.role = c->role == PW_INITIATOR ? SESSION_INITIATOR : SESSION_RESPONDER,
		.goal = c->goal == PW_GOAL_PEERS  ? SESSION_GOAL_PEERS
			: c->goal == PW_GOAL_PING ? SESSION_GOAL_PING
						  : SESSION_GOAL_LISTEN,
		.stepwise = c->stepwise,
		.patient = c->patient,
		.nonce = c->nonce,
		.unix_s = c->unix_s,
		.services = c->services,
		.height = c->height,
		.agent = slice_text(s->agent),
		.group = slice_text(s->group),
		.listen_port = c->listen_port,
		.timeout_ms = c->timeout_ms,
		.ping_count = c->ping_count > 0 ? c->ping_count : 1,
		.ping_interval_ms = c->ping_interval_ms,
	};
	dial_random(&p->secret, sizeof(p->secret));
	while (p->nonce == 0)
		dial_random(&p->nonce, sizeof(p->nonce));
	return true;
}

static enum pw_err take_peer(const struct pw_session_config *c, struct pw_session *s,
			     struct session_params *p)
{
	if (s->node != NULL && p->role == SESSION_INITIATOR)
		return session_node_call(s->node, c->peer, p);
	if (c->peer != NULL &&
	    netaddr_parse(slice_text(c->peer), p->network->default_port, &p->peer) != ERR_OK)
		return PW_ERR_SYNTAX;
	return PW_OK;
}

enum pw_err pw_session_new(const struct pw_session_config *config, uint64_t now_ms,
			   struct pw_session **out)
{
	struct pw_session_config c;
	struct session_params params;
	struct pw_session *s;
	const struct proto *proto;
	enum pw_err err;

	*out = NULL;
	if (!api_config(&c, sizeof(c), config) || c.network == NULL || now_ms == 0)
		return PW_ERR_VALUE;
	proto = api_network(c.network)->proto;
	s = calloc(1, sizeof(*s) + proto->session_size);
	if (s == NULL)
		return PW_ERR_NOMEM;
	s->proto = proto;
	s->now_ms = now_ms;
	err = take_config(&c, s, &params) ? PW_OK : PW_ERR_VALUE;
	if (err == PW_OK && api_has_nodes(params.network))
		err = session_node_new(c.key, &params, &s->node);
	if (err == PW_OK)
		err = take_peer(&c, s, &params);
	if (err != PW_OK) {
		pw_session_free(s);
		return err;
	}
	proto->init(s->state, &params, now_ms);
	*out = s;
	return PW_OK;
}

void pw_session_free(struct pw_session *session)
{
	if (session == NULL)
		return;
	free(session->in);
	free(session->answer);
	if (session->node != NULL) /* its state has keys */
		explicit_bzero(session->state, session->proto->session_size);
	session_node_free(session->node);
	free(session);
}

/* --- in --- */

enum pw_err pw_session_recv(struct pw_session *session, const void *data, size_t len,
			    uint64_t now_ms)
{
	struct pw_session *s = session;
	size_t left = s->in_len - s->in_at;
	uint8_t *in;

	s->now_ms = now_ms;
	s->event.kind = SESSION_EVENT_DONE; /* its adverts are gone when the bytes are moved */
	if (s->over || len == 0)
		return PW_OK;
	if (len > RECV_MAX || left > s->proto->buffer_max)
		return PW_ERR_FULL;
	if (s->in_at > 0)
		memmove(s->in, s->in + s->in_at, left);
	s->in_at = 0;
	s->in_len = left;
	if (left + len > s->in_cap) {
		size_t cap = left + len > 2 * s->in_cap ? left + len : 2 * s->in_cap;

		in = realloc(s->in, cap);
		if (in == NULL)
			return PW_ERR_NOMEM;
		s->in = in;
		s->in_cap = cap;
	}
	memcpy(s->in + left, data, len);
	s->in_len += len;
	return PW_OK;
}

static enum pw_event_kind public_kind(enum session_event_kind kind)
{
	switch (kind) {
	case SESSION_EVENT_HANDSHAKE:
		return PW_EVENT_HANDSHAKE;
	case SESSION_EVENT_ADVERTS:
		return PW_EVENT_ADVERTS;
	case SESSION_EVENT_ASKED:
		return PW_EVENT_ASKED;
	case SESSION_EVENT_MESSAGE:
		return PW_EVENT_MESSAGE;
	case SESSION_EVENT_PONG:
		return PW_EVENT_PONG;
	case SESSION_EVENT_DONE:
		break;
	}
	return PW_EVENT_DONE;
}

/* What belongs to the kind of event, and nothing else. */
static const struct pw_event *tell(struct pw_session *s)
{
	const struct session_event *e = &s->event;
	struct pw_event *told = &s->told;

	*told = (struct pw_event){ .kind = public_kind(e->kind) };
	switch (told->kind) {
	case PW_EVENT_ADVERTS:
		told->count = e->count;
		break;
	case PW_EVENT_MESSAGE:
		told->name = e->name;
		told->payload = api_bytes(e->payload);
		told->whole = api_bytes(e->whole);
		break;
	case PW_EVENT_PONG:
		told->rtt_ms = e->rtt_ms;
		break;
	case PW_EVENT_DONE:
		told->outcome = (enum pw_outcome)e->outcome;
		told->rule = e->rule;
		told->retry_stepwise = e->retry_stepwise;
		s->over = true;
		break;
	case PW_EVENT_HANDSHAKE:
	case PW_EVENT_ASKED:
		break;
	}
	return told;
}

const struct pw_event *pw_session_next(struct pw_session *session)
{
	struct pw_session *s = session;
	size_t n;

	do {
		if (s->proto->next(s->state, &s->event))
			return tell(s);
		if (s->over)
			return NULL;
		n = s->in_at < s->in_len
			    ? s->proto->recv(s->state,
					     slice_of(s->in + s->in_at, s->in_len - s->in_at),
					     s->now_ms)
			    : 0;
		s->in_at += n;
	} while (n > 0);
	/* What broke a rule is not consumed, but told. */
	return s->proto->next(s->state, &s->event) ? tell(s) : NULL;
}

const struct pw_advert *pw_session_advert(struct pw_session *session)
{
	struct pw_session *s = session;
	struct advert advert;

	if (s->event.kind != SESSION_EVENT_ADVERTS || s->proto->adverts(&s->event, &advert, 1) == 0)
		return NULL;
	netaddr_host_text(&advert.addr, s->advert_host);
	s->advert = (struct pw_advert){ .host = s->advert_host,
					.port = advert.addr.port,
					.services = advert.services,
					.last_seen_s = advert.last_seen_s };
	return &s->advert;
}

const struct pw_info *pw_session_info(struct pw_session *session)
{
	struct peer_info info;

	session->proto->info(session->state, &info);
	api_info(&session->info, &info);
	return &session->info.info;
}

const struct pw_node *pw_session_node(struct pw_session *session)
{
	if (session->node == NULL)
		return NULL;
	return session_node_tell(session->node, session->state);
}

/* --- out --- */

size_t pw_session_send(struct pw_session *session, void *out, size_t cap)
{
	struct pw_session *s = session;
	size_t n = s->answer_len - s->answer_at;

	/* An answer that was begun is finished first. */
	if (n == 0)
		return s->proto->send(s->state, out, cap);
	if (n > cap)
		n = cap;
	memcpy(out, s->answer + s->answer_at, n);
	s->answer_at += n;
	return n;
}

static enum pw_err read_adverts(const struct pw_advert *from, size_t count, struct advert *to)
{
	for (size_t i = 0; i < count; i++) {
		to[i].services = from[i].services;
		to[i].last_seen_s = from[i].last_seen_s;
		if (netaddr_parse(slice_text(from[i].host), from[i].port, &to[i].addr) != ERR_OK)
			return PW_ERR_SYNTAX;
		to[i].addr.port = from[i].port;
	}
	return PW_OK;
}

/* Behind what the session itself has to say. */
static enum pw_err put_answer(struct pw_session *s, const struct advert *adverts, size_t count)
{
	size_t n, len = 0;

	if (s->answer_at < s->answer_len)
		return PW_ERR_FULL;
	if (s->answer == NULL)
		s->answer = malloc(ANSWER_MAX + ANSWER_SLACK);
	if (s->answer == NULL)
		return PW_ERR_NOMEM;
	while (len < ANSWER_SLACK &&
	       (n = s->proto->send(s->state, s->answer + len, ANSWER_SLACK - len)) > 0)
		len += n;
	s->answer_at = 0;
	s->answer_len = len;
	n = s->proto->answer(s->state, adverts, count, s->answer + len, ANSWER_MAX);
	s->answer_len += n;
	return n > 0 ? PW_OK : PW_ERR_FULL;
}

enum pw_err pw_session_answer(struct pw_session *session, const struct pw_advert *adverts,
			      size_t count)
{
	struct advert *ours;
	enum pw_err err;

	if (count == 0 || count > ANSWER_COUNT_MAX || session->node != NULL)
		return PW_ERR_VALUE;
	ours = calloc(count, sizeof(*ours));
	if (ours == NULL)
		return PW_ERR_NOMEM;
	err = read_adverts(adverts, count, ours);
	if (err == PW_OK)
		err = put_answer(session, ours, count);
	free(ours);
	return err;
}

/* --- time --- */

uint64_t pw_session_deadline(const struct pw_session *session)
{
	return session->proto->deadline(session->state);
}

void pw_session_tick(struct pw_session *session, uint64_t now_ms)
{
	session->now_ms = now_ms;
	session->proto->tick(session->state, now_ms);
}

void pw_session_closed(struct pw_session *session, bool reset, uint64_t now_ms)
{
	session->now_ms = now_ms;
	session->proto->closed(session->state, reset ? SESSION_CLOSE_RESET : SESSION_CLOSE_EOF,
			       now_ms);
}
