#include "proto/ethereum/session.h"

#include "proto/ethereum/explain.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct ethereum_session {
	struct rlpx_session rlpx;
	struct session_counts counts;
	bool told_hello, told_done;
};

_Static_assert(sizeof(struct ethereum_session) <= SESSION_SIZE_MAX, "the session fits its place");
_Static_assert(P2P_CAPS_MAX *(P2P_CAP_NAME_MAX + 1 + 10 + 1) <= PEER_CAPABILITIES_MAX,
	       "all capabilities that are kept fit");

static void session_init(void *session, const struct session_params *params, uint64_t now_ms)
{
	struct ethereum_session *s = session;
	struct rlpx_session_params p = {
		.role = params->role,
		.goal = RLPX_GOAL_LEARN,
		.client = params->agent,
		.timeout_ms = params->timeout_ms,
	};

	assert(params->identity != NULL);
	assert(params->role == SESSION_RESPONDER || params->node_id.len == SECP_PUBLIC_LEN);
	memset(s, 0, sizeof(*s));
	if (params->role == SESSION_INITIATOR)
		p.remote = params->node_id.data;
	identity_local(params->identity, params->nonce, &p.local);
	rlpx_session_init(&s->rlpx, &p, now_ms);
	explicit_bzero(&p, sizeof(p));
}

static size_t session_recv(void *session, struct slice in, uint64_t now_ms)
{
	struct ethereum_session *s = session;
	size_t used = rlpx_session_recv(&s->rlpx, in, now_ms);

	s->counts.bytes_in += used;
	return used;
}

static size_t session_need(const void *session)
{
	return rlpx_session_need(&((const struct ethereum_session *)session)->rlpx);
}

static size_t session_send(void *session, uint8_t *out, size_t cap)
{
	struct ethereum_session *s = session;
	size_t n = rlpx_session_send(&s->rlpx, out, cap);

	s->counts.bytes_out += n;
	return n;
}

enum outcome ethereum_outcome(enum rlpx_outcome o, bool has_hello)
{
	switch (o) {
	case RLPX_OUTCOME_OK:
	case RLPX_OUTCOME_NO_STATUS:
	case RLPX_OUTCOME_NO_ETH:
		return OUTCOME_OK;
	case RLPX_OUTCOME_FULL:
	case RLPX_OUTCOME_HUNG_UP:
		return OUTCOME_PEER_FULL;
	case RLPX_OUTCOME_DISCONNECTED:
	case RLPX_OUTCOME_CLOSED:
		return has_hello ? OUTCOME_OK : OUTCOME_HANDSHAKE_TIMEOUT;
	case RLPX_OUTCOME_MUTE:
		return OUTCOME_MUTE;
	case RLPX_OUTCOME_TIMEOUT:
		return OUTCOME_HANDSHAKE_TIMEOUT;
	case RLPX_OUTCOME_PROTOCOL_ERROR:
	case RLPX_OUTCOME_NO_KEY:
		return OUTCOME_PROTOCOL_ERROR;
	case RLPX_OUTCOME_TOO_BIG:
		return OUTCOME_TOO_BIG;
	case RLPX_OUTCOME_SELF:
		return OUTCOME_SELF;
	case RLPX_OUTCOME_COUNT:
		break;
	}
	assert(!"an outcome of the list");
	return OUTCOME_CANCELLED;
}

static bool session_next(void *session, struct session_event *out)
{
	struct ethereum_session *s = session;
	enum rlpx_outcome outcome;

	*out = (struct session_event){ .kind = SESSION_EVENT_HANDSHAKE };
	if (s->rlpx.info.has_hello && !s->told_hello) {
		s->told_hello = true;
		return true;
	}
	if (s->told_done || !rlpx_session_done(&s->rlpx, &outcome, &out->rule))
		return false;
	s->told_done = true;
	out->kind = SESSION_EVENT_DONE;
	out->outcome = ethereum_outcome(outcome, s->rlpx.info.has_hello);
	return true;
}

static uint64_t session_deadline(const void *session)
{
	return rlpx_session_deadline(&((const struct ethereum_session *)session)->rlpx);
}

static void session_tick(void *session, uint64_t now_ms)
{
	rlpx_session_tick(&((struct ethereum_session *)session)->rlpx, now_ms);
}

static void session_closed(void *session, enum session_close how, uint64_t now_ms)
{
	rlpx_session_closed(&((struct ethereum_session *)session)->rlpx, how, now_ms);
}

size_t ethereum_capabilities(const struct p2p_hello *hello, char out[static PEER_CAPABILITIES_MAX])
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < hello->caps_count; i++)
		len += (size_t)snprintf(out + len, PEER_CAPABILITIES_MAX - len, "%s%s/%u",
					i > 0 ? " " : "", hello->caps[i].name,
					hello->caps[i].version);
	return len;
}

static void session_info(const void *session, struct peer_info *out)
{
	const struct rlpx_info *info = &((const struct ethereum_session *)session)->rlpx.info;

	*out = (struct peer_info){ .height = -1 };
	if (info->has_key)
		out->node_id = slice_of(info->key, sizeof(info->key));
	if (info->has_hello) {
		out->agent = info->hello.client;
		out->has_version = true;
		out->protocol = info->eth.version;
	}
	if (info->has_status && info->eth.version >= ETH_VERSION_RANGES &&
	    info->status.latest <= INT64_MAX)
		out->height = (int64_t)info->status.latest;
}

static void session_times(const void *session, struct session_times *out)
{
	const struct rlpx_info *info = &((const struct ethereum_session *)session)->rlpx.info;

	*out = (struct session_times){ .first_byte_ms = info->first_byte_ms,
				       .version_ms = info->handshake_ms,
				       .handshake_ms = info->hello_ms,
				       .asked_ms = -1,
				       .reply_ms = info->status_ms };
}

static void session_counts(const void *session, struct session_counts *out)
{
	*out = ((const struct ethereum_session *)session)->counts;
}

static size_t session_adverts(struct session_event *event, struct advert *out, size_t cap)
{
	(void)event;
	(void)out;
	(void)cap;
	return 0;
}

static size_t session_answer(void *session, const struct advert *adverts, size_t count,
			     uint8_t *out, size_t cap)
{
	(void)session;
	(void)adverts;
	(void)count;
	(void)out;
	(void)cap;
	return 0;
}

static const char *service_name(unsigned bit)
{
	(void)bit;
	return NULL;
}

const char *ethereum_session_end(const void *session, const char **rule)
{
	enum rlpx_outcome outcome;

	*rule = NULL;
	if (!rlpx_session_done(&((const struct ethereum_session *)session)->rlpx, &outcome, rule))
		return NULL;
	return rlpx_outcome_name(outcome);
}

void ethereum_session_info(const void *session, struct rlpx_info *out)
{
	rlpx_session_info(&((const struct ethereum_session *)session)->rlpx, out);
}

const struct proto ethereum_proto = {
	.name = "ethereum",
	.session_size = sizeof(struct ethereum_session),
	.session_align = _Alignof(struct ethereum_session),
	.buffer_max = RLPX_SIZE_LEN + RLPX_PACKET_MAX,
	.init = session_init,
	.recv = session_recv,
	.need = session_need,
	.send = session_send,
	.next = session_next,
	.deadline = session_deadline,
	.tick = session_tick,
	.closed = session_closed,
	.info = session_info,
	.times = session_times,
	.counts = session_counts,
	.adverts = session_adverts,
	.answer = session_answer,
	.explain = ethereum_explain,
	.service_name = service_name,
};
