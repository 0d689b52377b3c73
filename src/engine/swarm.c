#include "engine/swarm.h"

#include "engine/swarm_inner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	EXPIRE_MS = 10 * 60 * 1000, /* how often the book forgets the old */
	CLOCK_OFF_S = 2,
};

int64_t swarm_unix_s(const struct swarm *s)
{
	return s->config.session.unix_s + (int64_t)((s->now_ms - s->start_ms) / 1000);
}

void swarm_free(struct swarm *s)
{
	if (s == NULL)
		return;
	for (uint32_t i = 0; i < s->slots_len; i++)
		swarm_conn_free(s, s->conns[i]);
	free(s->conns);
	free(s->heap);
	free(s->free_slots);
	keymap_clear(&s->ids);
	keymap_clear(&s->addrs);
	keymap_clear(&s->nodes);
	keymap_clear(&s->hosts);
	keymap_clear(&s->groups);
	keymap_clear(&s->out_groups);
	swarm_talk_clear(s);
	free(s);
}

static enum err make_indexes(struct swarm *s)
{
	if (keymap_init(&s->ids) != ERR_OK || keymap_init(&s->addrs) != ERR_OK ||
	    keymap_init(&s->nodes) != ERR_OK || keymap_init(&s->hosts) != ERR_OK ||
	    keymap_init(&s->groups) != ERR_OK || keymap_init(&s->out_groups) != ERR_OK)
		return ERR_NOMEM;
	return swarm_talk_new(s);
}

enum err swarm_new(const struct swarm_config *config, uint64_t now_ms, struct swarm **out)
{
	struct swarm *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return ERR_NOMEM;
	s->config = *config;
	s->proto = config->network->proto;
	assert(config->policy != NULL || s->proto->policy != NULL);
	s->policy = config->policy != NULL ? *config->policy : *s->proto->policy;
	assert(s->policy.in_max < UINT32_MAX / 4 && s->policy.answer_max > 0);
	s->now_ms = s->start_ms = now_ms;
	s->random.state = random_mix(config->seed);
	s->key = (struct hash_key){ random_next(&s->random), random_next(&s->random) };
	/* Others see what comes of the generator from here on, and don't learn the key of it. */
	s->random.state = hash_siphash13(&s->key, NULL, 0);
	for (unsigned i = 0; i < LINES; i++)
		s->lines[i] = (struct line){ NO_SLOT, NO_SLOT };
	s->first_action = s->last_action = NO_SLOT;
	s->dial_ms = s->check_ms = now_ms;
	s->expire_ms = now_ms + EXPIRE_MS;
	s->relay_ms = UINT64_MAX;
	if (make_indexes(s) != ERR_OK) {
		swarm_free(s);
		return ERR_NOMEM;
	}
	*out = s;
	return ERR_OK;
}

/* --- events --- */

void swarm_show(const struct swarm *s, const struct conn *c, struct swarm_peer *out)
{
	*out = (struct swarm_peer){
		.id = c->id,
		.direction = (enum swarm_direction)c->direction,
		.remote = c->remote,
		.listen = c->listen,
		.up = c->was_up,
		.since_ms = c->since_ms,
		.rtt_ms = c->rtt_ms,
	};
	if (c->state == CONN_DIALLING || !c->began)
		return;
	s->proto->counts(c->session, &out->counts);
	if (c->was_up)
		s->proto->info(c->session, &out->info);
}

void swarm_tell(struct swarm *s, const struct swarm_event *event)
{
	if (s->config.on_event != NULL)
		s->config.on_event(s->config.ctx, event);
}

void swarm_tell_addr(struct swarm *s, enum swarm_event_kind kind, const struct netaddr *addr)
{
	swarm_tell(s, &(struct swarm_event){ .kind = kind, .addr = *addr });
}

/* --- what the driver is to do --- */

void swarm_queue(struct swarm *s, struct conn *c)
{
	if (c->queued)
		return;
	c->queued = true;
	c->next_action = NO_SLOT;
	if (s->last_action == NO_SLOT)
		s->first_action = c->slot;
	else
		s->conns[s->last_action]->next_action = c->slot;
	s->last_action = c->slot;
}

void swarm_wants_send(struct swarm *s, struct conn *c)
{
	if (c->state != CONN_OPEN && c->state != CONN_UP)
		return;
	if (c->unsent)
		return;
	c->unsent = true;
	swarm_queue(s, c);
}

static struct conn *first_in_line(struct swarm *s)
{
	struct conn *c = s->conns[s->first_action];

	s->first_action = c->next_action;
	if (s->first_action == NO_SLOT)
		s->last_action = NO_SLOT;
	c->queued = false;
	return c;
}

bool swarm_next(struct swarm *s, struct swarm_action *out)
{
	while (s->first_action != NO_SLOT) {
		struct conn *c = first_in_line(s);
		bool held = c->dial_told && !c->closed; /* by the driver */

		*out = (struct swarm_action){ .id = c->id, .addr = c->remote };
		if (c->state == CONN_GONE && held && c->unsent) {
			c->unsent = false;
			swarm_queue(s, c);
			out->what = SWARM_SEND;
			return true;
		}
		if (c->state == CONN_GONE) {
			swarm_conn_free(s, c);
			out->what = SWARM_CLOSE;
			if (held)
				return true;
		} else if (!c->dial_told) {
			c->dial_told = true;
			out->what = SWARM_DIAL;
			return true;
		} else if (c->unsent) {
			out->what = SWARM_SEND;
			return true;
		}
	}
	return false;
}

/* --- what the driver says --- */

static void advance(struct swarm *s, uint64_t now_ms)
{
	if (now_ms > s->now_ms)
		s->now_ms = now_ms;
}

uint32_t swarm_accepted(struct swarm *s, const struct netaddr *remote, uint64_t now_ms)
{
	struct conn *c;

	advance(s, now_ms);
	c = !s->stopping && swarm_evict_for(s, remote) ? swarm_conn_new(s, SWARM_IN, remote) : NULL;
	if (c == NULL) {
		s->counts.refused++;
		return SWARM_NONE;
	}
	c->dial_told = true;
	s->counts.accepted++;
	swarm_conn_open(s, c);
	return c->state == CONN_GONE ? SWARM_NONE : c->id;
}

void swarm_connected(struct swarm *s, uint32_t id, uint64_t now_ms)
{
	struct conn *c = swarm_conn_find(s, id);

	advance(s, now_ms);
	if (c == NULL)
		return;
	assert(c->state == CONN_DIALLING);
	swarm_conn_open(s, c);
}

void swarm_failed(struct swarm *s, uint32_t id, enum outcome why, uint64_t now_ms)
{
	struct conn *c = swarm_conn_find(s, id);

	advance(s, now_ms);
	if (c == NULL)
		return;
	assert(c->state == CONN_DIALLING);
	s->counts.failed++;
	c->closed = true;
	swarm_conn_end(s, c, why, outcome_text(why));
}

size_t swarm_recv(struct swarm *s, uint32_t id, struct slice in, uint64_t now_ms)
{
	struct conn *c = swarm_conn_find(s, id);
	size_t n;

	advance(s, now_ms);
	if (c == NULL || c->unsent)
		return 0;
	assert(c->began);
	n = s->proto->recv(c->session, in, s->now_ms);
	s->counts.bytes_in += n;
	swarm_conn_events(s, c);
	if (c->state != CONN_GONE && !swarm_talk_messages(s, c))
		swarm_conn_end(s, c, OUTCOME_TOO_BIG, "more messages than one peer may send");
	return n;
}

size_t swarm_need(const struct swarm *s, uint32_t id)
{
	const struct conn *c = swarm_conn_find(s, id);

	return c != NULL && c->began ? s->proto->need(c->session) : 0;
}

size_t swarm_send(struct swarm *s, uint32_t id, uint8_t *out, size_t cap, uint64_t now_ms)
{
	struct conn *c = swarm_conn_any(s, id);
	struct session_counts counts;
	size_t n;

	advance(s, now_ms);
	assert(cap >= SWARM_SEND_MIN);
	if (c == NULL || !c->began)
		return 0;
	n = s->proto->send(c->session, out, cap);
	if (n == 0)
		n = swarm_talk_make(s, c, out, cap);
	if (n == 0)
		c->unsent = false;
	s->counts.bytes_out += n;
	s->proto->counts(c->session, &counts);
	s->counts.messages_out += counts.messages_out - c->messages_said;
	c->messages_said = counts.messages_out;
	return n;
}

void swarm_closed(struct swarm *s, uint32_t id, enum session_close how, uint64_t now_ms)
{
	struct conn *c = swarm_conn_find(s, id);

	advance(s, now_ms);
	if (c == NULL)
		return;
	assert(c->began);
	c->closed = true;
	s->proto->closed(c->session, how, s->now_ms);
	swarm_conn_events(s, c);
	/* A session whose end that is says so; this is for one that doesn't. */
	if (c->state != CONN_GONE)
		swarm_conn_end(s, c, OUTCOME_RESET, outcome_text(OUTCOME_RESET));
}

void swarm_close(struct swarm *s, uint32_t id, const char *why, uint64_t now_ms)
{
	struct conn *c = swarm_conn_find(s, id);

	advance(s, now_ms);
	if (c != NULL)
		swarm_conn_end(s, c, OUTCOME_CANCELLED, why);
}

uint64_t swarm_deadline(const struct swarm *s)
{
	uint64_t at_ms = s->heap_len > 0 ? s->heap[0].at_ms : UINT64_MAX;

	if (s->stopping)
		return at_ms;
	at_ms = swarm_earlier(at_ms, swarm_out_deadline(s));
	at_ms = swarm_earlier(at_ms, swarm_talk_deadline(s));
	return swarm_earlier(at_ms, s->expire_ms);
}

void swarm_tick(struct swarm *s, uint64_t now_ms)
{
	struct conn *c;

	advance(s, now_ms);
	while ((c = swarm_conn_due(s)) != NULL)
		swarm_conn_tick(s, c);
	if (s->stopping)
		return;
	if (s->now_ms >= s->expire_ms) {
		s->expire_ms = s->now_ms + EXPIRE_MS;
		book_expire(s->config.book, swarm_unix_s(s));
	}
	swarm_talk_tick(s);
	swarm_out_tick(s);
}

void swarm_clock(struct swarm *s, int64_t unix_s, uint64_t now_ms)
{
	int64_t off_s;

	advance(s, now_ms);
	off_s = unix_s - swarm_unix_s(s);
	/* Seconds that begin at different moments differ by one now and then. */
	if (off_s < -CLOCK_OFF_S || off_s > CLOCK_OFF_S)
		s->config.session.unix_s += off_s;
	if (off_s < -CLOCK_OFF_S)
		s->expire_ms = s->now_ms; /* the book holds times that are still to come */
}

void swarm_stop(struct swarm *s, uint64_t now_ms)
{
	advance(s, now_ms);
	s->stopping = true;
	for (uint32_t i = 0; i < s->slots_len; i++)
		if (s->conns[i] != NULL && s->conns[i]->state != CONN_GONE)
			swarm_conn_end(s, s->conns[i], OUTCOME_CANCELLED, "we leave");
}

/* --- for whoever looks on --- */

bool swarm_say(struct swarm *s, uint32_t id, struct slice message)
{
	struct conn *c = swarm_conn_find(s, id);
	uint8_t *grown;

	if (c == NULL || c->state != CONN_UP || message.len > SWARM_SAY_MAX - c->said_len)
		return false;
	if (message.len == 0)
		return true;
	grown = realloc(c->said, c->said_len + message.len);
	if (grown == NULL)
		return false;
	memcpy(grown + c->said_len, message.data, message.len);
	c->said = grown;
	c->said_len += (uint32_t)message.len;
	swarm_wants_send(s, c);
	return true;
}

uint32_t swarm_look(const struct swarm *s, uint32_t from, struct swarm_peer *out)
{
	for (uint32_t i = from; i < s->slots_len; i++)
		if (s->conns[i] != NULL && s->conns[i]->state != CONN_GONE) {
			swarm_show(s, s->conns[i], out);
			return i + 1;
		}
	return SWARM_NONE;
}

void swarm_counts(const struct swarm *s, struct swarm_counts *out)
{
	*out = s->counts;
	book_counts(s->config.book, &out->book);
	out->bytes =
		s->counts.bytes + sizeof(*s) + keymap_bytes(&s->ids) + keymap_bytes(&s->addrs) +
		keymap_bytes(&s->nodes) + keymap_bytes(&s->hosts) + keymap_bytes(&s->groups) +
		keymap_bytes(&s->out_groups) +
		s->slots_cap * (sizeof(struct conn *) + sizeof(*s->heap) + sizeof(*s->free_slots)) +
		swarm_talk_bytes(s);
}
