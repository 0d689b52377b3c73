/* session.h: one Bitcoin session in a test, with what came out of it, and the messages of a
 * scripted peer. To be included after cmocka.h. */
#ifndef PEERWALK_TESTS_SUPPORT_SESSION_H
#define PEERWALK_TESTS_SUPPORT_SESSION_H

#include "proto/bitcoin/messages.h"
#include "proto/bitcoin/session.h"

#include <stdlib.h>
#include <string.h>

enum { START = 1000, WALL = 1800000000 };

/* One session with what came out of it. */
struct side {
	_Alignas(16) uint8_t memory[SESSION_SIZE_MAX];
	uint8_t in[1 << 17]; /* what it has not taken yet */
	size_t in_len;
	uint64_t now;
	unsigned handshakes, asked, messages, pongs;
	uint32_t advert_count, adverts_seen;
	char log[2048]; /* names of the MESSAGE events */
	bool done, retry_stepwise;
	enum outcome outcome;
	const char *rule;
};

static inline const struct network *main_net(void)
{
	return network_find("bitcoin");
}

static inline struct session_params params_of(enum session_role role, enum session_goal goal)
{
	struct session_params p = {
		.network = main_net(),
		.role = role,
		.goal = goal,
		.nonce = role == SESSION_INITIATOR ? 111 : 222,
		.unix_s = WALL,
		.agent = slice_text(role == SESSION_INITIATOR ? "/peerwalk:test/" : "/other:1.0/"),
		.timeout_ms = 20000,
		.ping_count = 2,
		.ping_interval_ms = 1000,
	};

	netaddr_parse(slice_text("5.6.7.8:8333"), 0, &p.peer);
	return p;
}

static inline void drain(struct side *s)
{
	struct session_event e;
	struct advert advert;

	while (bitcoin_proto.next(s->memory, &e)) {
		switch (e.kind) {
		case SESSION_EVENT_HANDSHAKE:
			s->handshakes++;
			break;
		case SESSION_EVENT_ADVERTS:
			s->advert_count += e.count;
			while (bitcoin_proto.adverts(&e, &advert, 1) == 1)
				s->adverts_seen++;
			break;
		case SESSION_EVENT_ASKED:
			s->asked++;
			break;
		case SESSION_EVENT_MESSAGE:
			s->messages++;
			strcat(s->log, e.name);
			strcat(s->log, " ");
			break;
		case SESSION_EVENT_PONG:
			s->pongs++;
			break;
		case SESSION_EVENT_DONE:
			assert_false(s->done);
			s->done = true;
			s->outcome = e.outcome;
			s->rule = e.rule;
			s->retry_stepwise = e.retry_stepwise;
			break;
		}
	}
}

static inline struct side *new_side(const struct session_params *params)
{
	struct side *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->now = START;
	assert_true(bitcoin_proto.session_size <= sizeof(s->memory));
	bitcoin_proto.init(s->memory, params, START);
	drain(s);
	return s;
}

/* Bytes arrive, in pieces of `piece` bytes. */
static inline void feed(struct side *s, const uint8_t *data, size_t len, size_t piece)
{
	while (len > 0) {
		size_t n = len < piece ? len : piece, used;

		assert_true(s->in_len + n <= sizeof(s->in));
		memcpy(s->in + s->in_len, data, n);
		s->in_len += n;
		data += n;
		len -= n;
		do {
			used = bitcoin_proto.recv(s->memory, slice_of(s->in, s->in_len), s->now);
			drain(s);
			memmove(s->in, s->in + used, s->in_len - used);
			s->in_len -= used;
		} while (used > 0);
	}
}

static inline size_t collect(struct side *s, uint8_t *out, size_t cap)
{
	size_t len = 0, n;

	while ((n = bitcoin_proto.send(s->memory, out + len, cap - len)) > 0)
		len += n;
	return len;
}

static inline void tick_at(struct side *s, uint64_t now)
{
	s->now = now;
	bitcoin_proto.tick(s->memory, now);
	drain(s);
}

/* --- messages of a peer --- */

static inline void put_version_of(struct writer *w, uint64_t nonce, int32_t protocol)
{
	size_t mark = bitcoin_message_begin(w);
	struct bitcoin_version v = {
		.protocol = protocol,
		.services = 9,
		.time_s = WALL + 5,
		.nonce = nonce,
		.agent = slice_text("/scripted:1.0/"),
		.height = 900000,
		.relay = true,
		.has_from = true,
		.has_height = true,
		.has_relay = true,
	};

	netaddr_parse(slice_text("9.8.7.6:1234"), 0, &v.recv.addr);
	v.from.addr.kind = NETADDR_IPV6;
	bitcoin_version_encode(w, &v);
	bitcoin_message_end(w, mark, main_net()->magic, BITCOIN_VERSION);
}

static inline void put_version(struct writer *w, uint64_t nonce)
{
	put_version_of(w, nonce, 70016);
}

static inline void put_empty(struct writer *w, enum bitcoin_command id)
{
	bitcoin_message_end(w, bitcoin_message_begin(w), main_net()->magic, id);
}

static inline void put_addr(struct writer *w, unsigned count, bool v2)
{
	struct advert *adverts = calloc(count, sizeof(*adverts));
	size_t mark = bitcoin_message_begin(w);

	assert_non_null(adverts);
	for (unsigned i = 0; i < count; i++) {
		adverts[i].addr = netaddr_ipv4(0x08000000U + i, 8333);
		adverts[i].last_seen_s = WALL - 60;
	}
	bitcoin_addr_encode(w, v2, adverts, count);
	bitcoin_message_end(w, mark, main_net()->magic, v2 ? BITCOIN_ADDRV2 : BITCOIN_ADDR);
	free(adverts);
}

static inline void put_self_addr(struct writer *w)
{
	struct advert advert = { .last_seen_s = WALL };
	size_t mark = bitcoin_message_begin(w);

	netaddr_parse(slice_text("5.6.7.8:8333"), 0, &advert.addr);
	bitcoin_addr_encode(w, false, &advert, 1);
	bitcoin_message_end(w, mark, main_net()->magic, BITCOIN_ADDR);
}

static inline void put_ping(struct writer *w, enum bitcoin_command id, uint64_t nonce)
{
	size_t mark = bitcoin_message_begin(w);

	bitcoin_ping_encode(w, &(struct bitcoin_ping){ .has_nonce = true, .nonce = nonce });
	bitcoin_message_end(w, mark, main_net()->magic, id);
}

static uint8_t script_bytes[1 << 16];

static inline struct writer script(void)
{
	struct writer w;

	writer_init(&w, script_bytes, sizeof(script_bytes));
	return w;
}

static inline void play(struct side *s, const struct writer *w)
{
	assert_true(writer_ok(w));
	feed(s, w->data, w->len, w->len);
}

static inline void shake_hands(struct side *s)
{
	struct writer w = script();

	put_version(&w, 77);
	put_empty(&w, BITCOIN_VERACK);
	play(s, &w);
	assert_int_equal(s->handshakes, 1);
}

/* Commands of whole messages in a row of bytes. */
static inline void commands_of(const uint8_t *data, size_t len, char *out)
{
	struct bitcoin_header h;
	struct reader r;

	*out = 0;
	while (len > 0) {
		reader_init(&r, slice_of(data, len));
		bitcoin_header_decode(&r, main_net()->magic, &h);
		assert_true(reader_ok(&r));
		strcat(out, h.command);
		strcat(out, " ");
		data += BITCOIN_HEADER_LEN + h.length;
		len -= BITCOIN_HEADER_LEN + h.length;
	}
}

#endif
