/* session.h: a session of any protocol, as the fuzz targets of sessions feed it: it takes no more
 * than it was given, asks for no more than it announced, tells its end exactly once, sends nothing
 * but well-formed messages, and comes to the same verdict however the bytes were cut up on their
 * way. */
#ifndef PEERWALK_TESTS_FUZZ_SESSION_H
#define PEERWALK_TESTS_FUZZ_SESSION_H

#include "fuzz/fuzz.h"
#include "proto/proto.h"

#include <string.h>

enum {
	FUZZ_OUT_MAX = 1 << 18,
	FUZZ_EVENTS_MAX = 16, /* after one call; there are six kinds */
	FUZZ_TICKS_MAX = 1000,
	FUZZ_BATCH = 7,
};

/* What a protocol promises beyond that. */
struct fuzz_checks {
	/* Adverts of an event that nobody has read from yet, as they are read; count 0: no more. */
	void (*adverts)(struct session_event *e, const struct advert *adverts, size_t count);
	void (*message)(const struct session_event *e); /* NULL: nothing */
	void (*info)(const struct peer_info *info);
};

struct fuzz_run {
	const struct fuzz_checks *checks;
	const struct network *network;
	const struct proto *proto;
	_Alignas(16) uint8_t memory[SESSION_SIZE_MAX];
	uint64_t now;
	unsigned done;
	enum outcome outcome;
	uint32_t adverts;
	uint8_t out[FUZZ_OUT_MAX];
	size_t out_len;
};

static inline void fuzz_take_adverts(struct fuzz_run *run, struct session_event *e)
{
	struct session_event unread = *e;
	struct advert batch[FUZZ_BATCH];
	uint32_t count = 0;
	size_t n;

	do {
		n = run->proto->adverts(e, batch, FUZZ_BATCH);
		CHECK(n <= FUZZ_BATCH);
		run->checks->adverts(&unread, batch, n);
		count += (uint32_t)n;
	} while (n > 0);
	CHECK(count <= e->count);
	run->adverts += count;
}

static inline void fuzz_take_event(struct fuzz_run *run, struct session_event *e)
{
	const struct advert advert = {
		.addr = netaddr_ipv4(0x01020304, run->network->default_port),
	};

	CHECK(run->done == 0);
	switch (e->kind) {
	case SESSION_EVENT_HANDSHAKE:
	case SESSION_EVENT_PONG:
		break;
	case SESSION_EVENT_ADVERTS:
		fuzz_take_adverts(run, e);
		break;
	case SESSION_EVENT_ASKED:
		run->out_len += run->proto->answer(run->memory, &advert, 1, run->out + run->out_len,
						   FUZZ_OUT_MAX - run->out_len);
		break;
	case SESSION_EVENT_MESSAGE:
		CHECK(memchr(e->name, 0, sizeof(e->name)) != NULL);
		if (run->checks->message != NULL)
			run->checks->message(e);
		break;
	case SESSION_EVENT_DONE:
		run->done++;
		run->outcome = e->outcome;
		break;
	}
}

static inline void fuzz_drain(struct fuzz_run *run)
{
	struct session_event e;
	unsigned events = 0;
	size_t n;

	while (run->proto->next(run->memory, &e)) {
		fuzz_take_event(run, &e);
		CHECK(++events <= FUZZ_EVENTS_MAX);
	}
	do {
		size_t cap = FUZZ_OUT_MAX - run->out_len;

		n = run->proto->send(run->memory, run->out + run->out_len, cap < 100 ? cap : 100);
		CHECK(n <= 100 && n <= cap);
		run->out_len += n;
	} while (n > 0);
}

static inline void fuzz_feed(struct fuzz_run *run, struct slice in, size_t piece)
{
	size_t taken = 0, there = 0, n;

	while (there < in.len && run->done == 0) {
		there = in.len - there > piece ? there + piece : in.len;
		do {
			size_t offered = there - taken;

			n = run->proto->recv(run->memory, slice_of(in.data + taken, offered),
					     run->now);
			CHECK(n <= offered);
			taken += n;
			fuzz_drain(run);
			CHECK(run->proto->need(run->memory) <= run->proto->buffer_max);
		} while (n > 0 && run->done == 0);
	}
}

static inline void fuzz_finish(struct fuzz_run *run)
{
	struct peer_info info;

	for (unsigned i = 0; i < FUZZ_TICKS_MAX && run->done == 0; i++) {
		uint64_t deadline = run->proto->deadline(run->memory);

		if (deadline == UINT64_MAX)
			break;
		if (deadline > run->now)
			run->now = deadline;
		run->proto->tick(run->memory, run->now);
		fuzz_drain(run);
	}
	if (run->done == 0) {
		run->proto->closed(run->memory, SESSION_CLOSE_EOF, run->now);
		fuzz_drain(run);
	}
	CHECK(run->done == 1);
	CHECK(run->outcome < OUTCOME_COUNT);
	run->proto->info(run->memory, &info);
	CHECK(info.agent.len <= PEER_AGENT_MAX);
	run->checks->info(&info);
}

static inline void fuzz_run(struct fuzz_run *run, const struct fuzz_checks *checks,
			    const struct session_params *params, struct slice in, size_t piece)
{
	const char *rule;
	size_t at;

	run->checks = checks;
	run->network = params->network;
	run->proto = params->network->proto;
	CHECK(run->proto->session_size <= sizeof(run->memory));
	memset(run->memory, 0xa5, sizeof(run->memory)); /* init has to set everything */
	run->now = 1000;
	run->done = 0;
	run->adverts = 0;
	run->out_len = 0;
	run->proto->init(run->memory, params, run->now);
	fuzz_drain(run);
	fuzz_feed(run, in, piece);
	fuzz_finish(run);
	if (run->out_len > 0)
		CHECK(run->proto->explain(params->network, slice_of(run->out, run->out_len), NULL,
					  NULL, &at, &rule) == ERR_OK);
}

/* The bytes as a whole, and in pieces. */
static inline void fuzz_session(const struct fuzz_checks *checks,
				const struct session_params *params, struct slice in)
{
	static struct fuzz_run whole, pieces;

	fuzz_run(&whole, checks, params, in, SIZE_MAX);
	fuzz_run(&pieces, checks, params, in, in.len < 500 ? 1 : 37);
	CHECK(whole.outcome == pieces.outcome);
	CHECK(whole.adverts == pieces.adverts);
	CHECK(slice_equal(slice_of(whole.out, whole.out_len),
			  slice_of(pieces.out, pieces.out_len)));
}

#endif
