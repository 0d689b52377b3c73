/* swarm_rig.h: one swarm, and its peers as real sessions at the other ends of its connections,
 * carried by hand without latency. To be included after cmocka.h. */
#ifndef PEERWALK_TESTS_SUPPORT_SWARM_RIG_H
#define PEERWALK_TESTS_SUPPORT_SWARM_RIG_H

#include "engine/swarm.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	RIG_START = 1000,
	RIG_UNIX_S = 1800000000,
	RIG_FARS_MAX = 1024,
	RIG_DIALS_MAX = 1024,
	RIG_NAMED_MAX = 4096,
};

/* The other end of a connection. */
struct far {
	uint32_t id; /* of the swarm's connection */
	bool open, over;
	bool held; /* what it has to say stays on its way */
	struct netaddr addr;
	enum outcome outcome;
	uint8_t in[2 * SWARM_SEND_MIN]; /* what it has not taken yet */
	size_t in_len;
	uint8_t out[4096]; /* what the swarm has not taken yet */
	size_t out_len;
	uint32_t named, lists; /* addresses that it was told, in so many messages */
	uint32_t last_count;   /* in the last of them */
	struct advert *told;   /* RIG_NAMED_MAX; node_id is empty */
	uint32_t pongs;
	_Alignas(16) uint8_t session[SESSION_SIZE_MAX];
};

struct rig {
	struct swarm_config config;
	struct peer_policy policy;
	struct book_config book_config;
	uint8_t own_id[16];
	struct swarm *swarm;
	struct book *book;
	uint64_t now;
	struct far *fars[RIG_FARS_MAX];
	unsigned fars_count;
	bool deaf; /* what the swarm has for others is not read */
	struct {
		uint32_t id;
		struct netaddr addr;
	} dials[RIG_DIALS_MAX]; /* not carried out yet */
	unsigned dials_count, dialled;
	unsigned told[SWARM_EVENT_SELF + 1];
	struct netaddr last_addr;  /* KNOWN, LOST, SELF */
	enum outcome last_outcome; /* DOWN */
	bool last_was_up;
	const char *last_why;
	uint8_t out[SWARM_SEND_MIN];
};

static struct rig rig;

static inline struct netaddr at(const char *text)
{
	struct netaddr addr;

	assert(netaddr_parse(slice_text(text), 0, &addr) == ERR_OK);
	return addr;
}

static inline const struct proto *rig_proto(void)
{
	return rig.config.network->proto;
}

static inline void rig_on_event(void *ctx, const struct swarm_event *event)
{
	(void)ctx;
	rig.told[event->kind]++;
	if (event->kind >= SWARM_EVENT_KNOWN)
		rig.last_addr = event->addr;
	if (event->kind == SWARM_EVENT_DOWN) {
		rig.last_outcome = event->outcome;
		rig.last_was_up = event->peer.up;
		rig.last_why = event->why;
	}
}

/* The network's settings, to be changed before rig_start. */
static inline void rig_begin(const char *network)
{
	memset(&rig, 0, sizeof(rig));
	rig.now = RIG_START;
	rig.config = (struct swarm_config){
		.network = network_find(network),
		.session = { .agent = slice_text("/peerwalk:test/"), .unix_s = RIG_UNIX_S },
		.seed = 42,
		.on_event = rig_on_event,
	};
	rig.policy = *rig_proto()->policy;
	memset(rig.own_id, 0x55, sizeof(rig.own_id));
	rig.config.session.own_id = slice_of(rig.own_id, sizeof(rig.own_id));
	rig.book_config = (struct book_config){ .new_max = 4096,
						.tried_max = 1024,
						.source_max = 1024,
						.group_max = 1024,
						.known_s = 86400,
						.seed = 43 };
}

static inline void rig_start(void)
{
	rig.book_config.allow_private = rig.config.allow_private;
	assert(book_new(&rig.book_config, &rig.book) == ERR_OK);
	rig.config.policy = &rig.policy;
	rig.config.book = rig.book;
	assert(swarm_new(&rig.config, rig.now, &rig.swarm) == ERR_OK);
}

static inline void rig_end(void)
{
	swarm_free(rig.swarm);
	book_free(rig.book);
	for (unsigned i = 0; i < rig.fars_count; i++) {
		free(rig.fars[i]->told);
		free(rig.fars[i]);
	}
	rig.fars_count = 0;
}

static inline int64_t rig_unix_s(void)
{
	return RIG_UNIX_S + (int64_t)((rig.now - RIG_START) / 1000);
}

static inline struct far *far_of(uint32_t id)
{
	for (unsigned i = 0; i < rig.fars_count; i++)
		if (rig.fars[i]->id == id && rig.fars[i]->open)
			return rig.fars[i];
	return NULL;
}

static inline void far_hears_list(struct far *f, struct session_event event)
{
	struct advert adverts[64];
	size_t n;

	f->lists++;
	f->last_count = event.count;
	while ((n = rig_proto()->adverts(&event, adverts, 64)) > 0)
		for (size_t i = 0; i < n; i++)
			if (f->named < RIG_NAMED_MAX) {
				f->told[f->named] = adverts[i];
				f->told[f->named++].node_id = slice_of(NULL, 0);
			}
}

static inline void far_events(struct far *f)
{
	struct session_event event;

	while (rig_proto()->next(f->session, &event)) {
		if (event.kind == SESSION_EVENT_ADVERTS)
			far_hears_list(f, event);
		f->pongs += event.kind == SESSION_EVENT_PONG;
		if (event.kind == SESSION_EVENT_DONE) {
			f->over = true;
			f->outcome = event.outcome;
		}
	}
}

/* What it has taken in, heard; true if there was something. */
static inline bool far_hears(struct far *f)
{
	size_t used = 0, n;

	while (!f->over && f->in_len - used > 0 &&
	       (n = rig_proto()->recv(f->session, slice_of(f->in + used, f->in_len - used),
				      rig.now)) > 0) {
		used += n;
		far_events(f);
	}
	f->in_len -= used;
	memmove(f->in, f->in + used, f->in_len);
	return used > 0;
}

/* Reads what the swarm has for it. */
static inline void far_reads(struct far *f)
{
	size_t n;

	while ((n = swarm_send(rig.swarm, f->id, rig.out, sizeof(rig.out), rig.now)) > 0) {
		assert(f->in_len + n <= sizeof(f->in));
		memcpy(f->in + f->in_len, rig.out, n);
		f->in_len += n;
	}
}

/* What the swarm wants done. Dialling is noted, for rig_stands and rig_fails. */
static inline void rig_actions(void)
{
	struct swarm_action action;

	while (swarm_next(rig.swarm, &action)) {
		struct far *f = far_of(action.id);

		if (action.what == SWARM_DIAL && rig.dials_count < RIG_DIALS_MAX) {
			rig.dials[rig.dials_count].id = action.id;
			rig.dials[rig.dials_count++].addr = action.addr;
			rig.dialled++;
		} else if (action.what == SWARM_CLOSE && f != NULL) {
			f->open = false;
		} else if (action.what == SWARM_SEND && f != NULL && !rig.deaf) {
			far_reads(f);
		}
	}
}

/* Whole messages to the swarm, one at a time. Returns what it has taken. */
static inline size_t rig_say(struct far *f, struct slice bytes)
{
	size_t used = 0, n;

	while (used < bytes.len && f->open &&
	       (n = swarm_recv(rig.swarm, f->id, slice_from(bytes, used), rig.now)) > 0) {
		used += n;
		rig_actions();
	}
	return used;
}

/* What it has to say gets to the swarm; true if there was something. */
static inline bool far_passes(struct far *f)
{
	size_t n = rig_say(f, slice_of(f->out, f->out_len));

	f->out_len -= n;
	memmove(f->out, f->out + n, f->out_len);
	return n > 0;
}

/* Until nobody has anything to say, or the swarm doesn't listen. */
static inline void rig_run(void)
{
	bool busy = true;

	rig_actions();
	while (busy) {
		busy = false;
		for (unsigned i = 0; i < rig.fars_count; i++) {
			struct far *f = rig.fars[i];
			size_t n;

			busy |= far_hears(f);
			while (f->open && (n = rig_proto()->send(f->session, f->out + f->out_len,
								 sizeof(f->out) - f->out_len)) > 0)
				f->out_len += n;
			busy |= !f->held && far_passes(f);
		}
	}
}

/* Time passes, for both sides. */
static inline void rig_later(uint64_t ms)
{
	uint64_t end = rig.now + ms, next;

	do {
		next = swarm_deadline(rig.swarm);
		for (unsigned i = 0; i < rig.fars_count; i++)
			if (rig.fars[i]->open && rig_proto()->deadline(rig.fars[i]->session) < next)
				next = rig_proto()->deadline(rig.fars[i]->session);
		rig.now = next > end ? end : next > rig.now ? next : rig.now + 1;
		swarm_tick(rig.swarm, rig.now);
		for (unsigned i = 0; i < rig.fars_count; i++)
			if (rig.fars[i]->open) {
				rig_proto()->tick(rig.fars[i]->session, rig.now);
				far_events(rig.fars[i]);
			}
		rig_run();
	} while (rig.now < end);
}

static inline struct far *far_new(uint32_t id, const struct netaddr *addr)
{
	struct far *f = calloc(1, sizeof(*f));

	assert(f != NULL && rig.fars_count < RIG_FARS_MAX);
	f->told = calloc(RIG_NAMED_MAX, sizeof(*f->told));
	assert(f->told != NULL);
	f->id = id;
	f->addr = *addr;
	f->open = true;
	rig.fars[rig.fars_count++] = f;
	return f;
}

/* What a peer is like; all of it may be left out. */
struct far_kind {
	enum session_goal goal; /* of one that calls */
	struct slice node_id;   /* gossip */
	uint16_t listen_port;   /* gossip */
	uint64_t services;
	struct netaddr sees_us_as; /* Bitcoin */
	bool held;
	uint32_t pings; /* SESSION_GOAL_PING: how many, an hour apart; 0: one */
};

static inline void far_begin(struct far *f, enum session_role role, const struct far_kind *kind)
{
	struct session_params params = {
		.network = rig.config.network,
		.role = role,
		.goal = role == SESSION_RESPONDER ? SESSION_GOAL_STAY : kind->goal,
		.nonce = 7000 + f->id,
		.unix_s = rig_unix_s(),
		.agent = slice_text("/far:1/"),
		.services = kind->services,
		.peer = kind->sees_us_as.kind != NETADDR_NONE ? kind->sees_us_as : at("9.9.9.9:9"),
		.own_id = kind->node_id,
		.listen_port = kind->listen_port,
		.ping_count = kind->pings > 0 ? kind->pings : 1,
		.ping_interval_ms = 3600 * 1000,
	};

	f->held = kind->held;
	rig_proto()->init(f->session, &params, rig.now);
}

/* Somebody calls. NULL: there is no place for him. */
static inline struct far *rig_calls_as(const char *text, struct far_kind kind)
{
	struct netaddr addr = at(text);
	uint32_t id = swarm_accepted(rig.swarm, &addr, rig.now);
	struct far *f;

	if (id == SWARM_NONE) {
		rig_run();
		return NULL;
	}
	f = far_new(id, &addr);
	far_begin(f, SESSION_INITIATOR, &kind);
	rig_run();
	return f;
}

static inline struct far *rig_calls(const char *text)
{
	return rig_calls_as(text, (struct far_kind){ .goal = SESSION_GOAL_STAY });
}

/* Calls, and says nothing. */
static inline struct far *rig_stares(const char *text)
{
	struct netaddr addr = at(text);
	uint32_t id = swarm_accepted(rig.swarm, &addr, rig.now);
	struct far *f = id != SWARM_NONE ? far_new(id, &addr) : NULL;

	if (f != NULL)
		far_begin(f, SESSION_RESPONDER, &(struct far_kind){ 0 });
	rig_actions();
	return f;
}

/* The oldest attempt that is under way. */
static inline uint32_t rig_attempt(struct netaddr *addr)
{
	uint32_t id = rig.dials[0].id;

	assert(rig.dials_count > 0);
	*addr = rig.dials[0].addr;
	rig.dials_count--;
	memmove(&rig.dials[0], &rig.dials[1], rig.dials_count * sizeof(rig.dials[0]));
	return id;
}

/* It succeeds. */
static inline struct far *rig_stands_as(struct far_kind kind)
{
	struct netaddr addr;
	uint32_t id = rig_attempt(&addr);
	struct far *f = far_new(id, &addr);

	far_begin(f, SESSION_RESPONDER, &kind);
	swarm_connected(rig.swarm, id, rig.now);
	rig_run();
	return f;
}

static inline struct far *rig_stands(void)
{
	return rig_stands_as((struct far_kind){ 0 });
}

static inline struct netaddr rig_fails(enum outcome why)
{
	struct netaddr addr;
	uint32_t id = rig_attempt(&addr);

	swarm_failed(rig.swarm, id, why, rig.now);
	rig_run();
	return addr;
}

static inline void rig_hangs_up(struct far *f)
{
	f->open = false;
	swarm_closed(rig.swarm, f->id, SESSION_CLOSE_EOF, rig.now);
	rig_run();
}

static inline bool far_was_told(const struct far *f, const char *text)
{
	struct netaddr addr = at(text);

	for (uint32_t i = 0; i < f->named; i++)
		if (netaddr_equal(&f->told[i].addr, &addr))
			return true;
	return false;
}

/* It names others. */
static inline void far_names(struct far *f, const struct advert *adverts, size_t count)
{
	static uint8_t bytes[SWARM_SEND_MIN];
	size_t n = rig_proto()->answer(f->session, adverts, count, bytes, sizeof(bytes));

	assert(n > 0);
	rig_say(f, slice_of(bytes, n));
	rig_run();
}

static inline void far_names_one(struct far *f, const char *text, int64_t age_s)
{
	struct advert advert = { .addr = at(text),
				 .services = 1,
				 .last_seen_s = rig_unix_s() - age_s };

	far_names(f, &advert, 1);
}

static inline struct swarm_counts rig_counts(void)
{
	struct swarm_counts counts;

	swarm_counts(rig.swarm, &counts);
	return counts;
}

/* Into the book, from elsewhere. */
static inline void rig_knows(const char *text)
{
	struct advert advert = { .addr = at(text), .services = 1, .last_seen_s = rig_unix_s() };

	assert(book_add(rig.book, &advert, &advert.addr, rig_unix_s()));
}

#endif
