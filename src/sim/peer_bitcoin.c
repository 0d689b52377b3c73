#include "sim/peer_inner.h"

#include "proto/bitcoin/messages.h"

#include <assert.h>
#include <string.h>

enum {
	/* Core 0.21 and before put addr messages on a timer; measured. */
	OLD_WAIT_MS = 16 * 1000,
	OLD_WAIT_MAX_MS = 61 * 1000,
};

static void begin(struct sim_conn *c)
{
	(void)c;
}

static void tell_lie(struct sim_conn *c, uint64_t now_ms)
{
	uint8_t bytes[SIM_LIE_MAX];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	sim_lie_opening(c->world, &c->peer, sim_wall_s(c, now_ms), &w);
	assert(writer_ok(&w));
	sim_tell(c, bytes, w.len, now_ms);
}

/* What Bitcoin Core says unasked once it has shaken hands: compact blocks (BIP 152),
 * a ping, where its chain ends, its fee filter (BIP 133). A few peers say something
 * that nobody knows. */
static void tell_unasked(struct sim_conn *c, uint64_t now_ms)
{
	const uint8_t *magic = sim_world_config(c->world)->network->magic;
	uint8_t bytes[512];
	struct writer w;
	size_t mark;

	writer_init(&w, bytes, sizeof(bytes));
	mark = bitcoin_message_begin(&w);
	writer_u8(&w, 0);
	writer_u64le(&w, 2);
	bitcoin_message_end(&w, mark, magic, BITCOIN_SENDCMPCT);
	mark = bitcoin_message_begin(&w);
	writer_u64le(&w, random_mix(c->peer.index ^ now_ms));
	bitcoin_message_end(&w, mark, magic, BITCOIN_PING);
	mark = bitcoin_message_begin(&w);
	writer_u32le(&w, (uint32_t)c->peer.protocol);
	bitcoin_put_compact_size(&w, 1);
	writer_zeros(&w, 2 * 32);
	bitcoin_message_end(&w, mark, magic, BITCOIN_GETHEADERS);
	mark = bitcoin_message_begin(&w);
	bitcoin_feefilter_encode(&w, c->peer.index % 20 == 0 ? 100 : 1000);
	bitcoin_message_end(&w, mark, magic, BITCOIN_FEEFILTER);
	if (c->peer.index % 50 == 1) {
		mark = bitcoin_message_begin(&w);
		writer_u64le(&w, c->peer.index);
		bitcoin_message_end(&w, mark, magic, BITCOIN_PING);
		memcpy(bytes + mark + 4, "wherefore\0\0\0", BITCOIN_COMMAND_LEN);
	}
	assert(writer_ok(&w));
	if (c->verack_waits)
		sim_tell(c, c->verack, sizeof(c->verack), now_ms);
	c->verack_waits = false;
	sim_tell(c, bytes, w.len, now_ms);
}

/* Of the session's words, what this peer's software would really say. */
static void tell_spoken(struct sim_conn *c, uint8_t *words, size_t len, uint64_t now_ms)
{
	struct bitcoin_header header;
	struct reader r;
	size_t whole;

	if (c->peer.kind == SIM_LIAR_CHECKSUM)
		sim_lie_checksums(words, len);
	for (size_t at = 0; at < len; at += whole) {
		reader_init(&r, slice_of(words + at, len - at));
		bitcoin_header_decode(&r, sim_world_config(c->world)->network->magic, &header);
		assert(reader_ok(&r));
		whole = BITCOIN_HEADER_LEN + header.length;
		if (header.id == BITCOIN_VERACK && c->peer.kind == SIM_STEPWISE && !c->shaken) {
			_Static_assert((int)SIM_VERACK_LEN == (int)BITCOIN_HEADER_LEN,
				       "a verack has no payload");
			memcpy(c->verack, words + at, sizeof(c->verack));
			c->verack_waits = true;
			continue;
		}
		sim_tell(c, words + at, whole, now_ms);
	}
}

static uint64_t wait_ms(const struct sim_conn *c)
{
	uint64_t roll = random_mix(sim_world_config(c->world)->seed ^ (c->peer.index * 31ULL));

	return c->peer.kind != SIM_OLD ? 0 : OLD_WAIT_MS + roll % (OLD_WAIT_MAX_MS - OLD_WAIT_MS);
}

/* The nonce of a whole version message, where it says one. */
static uint64_t version_nonce(struct slice message)
{
	struct bitcoin_version v;
	struct reader r;

	reader_init(&r, slice_from(message, BITCOIN_HEADER_LEN));
	bitcoin_version_decode(&r, &v);
	return reader_ok(&r) ? v.nonce : 0;
}

/* Whether SIM_STEPWISE hangs up on it. */
static bool comes_too_early(const struct sim_conn *c, enum bitcoin_command id)
{
	return c->peer.kind == SIM_STEPWISE && !c->shaken && id != BITCOIN_VERSION &&
	       id != BITCOIN_VERACK;
}

static void take_message(struct sim_conn *c, enum bitcoin_command id, struct slice message,
			 uint64_t now_ms)
{
	if (comes_too_early(c, id)) {
		sim_end(c, SIM_OUTPUT_CLOSE, now_ms);
		return;
	}
	if (id == BITCOIN_SENDADDRV2 && c->peer.protocol < BITCOIN_PROTOCOL_WTXIDRELAY)
		return; /* unknown to software of that age */
	if (!c->has_session)
		sim_start_session(c, version_nonce(message), now_ms);
	sim_hear(c, message, now_ms);
}

/* Takes whole messages off the front; returns how many bytes are done with. */
static size_t take(struct sim_conn *c, struct slice in, uint64_t now_ms)
{
	struct bitcoin_header header;
	struct reader r;
	size_t at = 0;

	while (!c->ends && in.len - at >= BITCOIN_HEADER_LEN) {
		reader_init(&r, slice_from(in, at));
		bitcoin_header_decode(&r, sim_world_config(c->world)->network->magic, &header);
		if (!reader_ok(&r) || header.length > SIM_IN_MAX - BITCOIN_HEADER_LEN) {
			sim_end(c, SIM_OUTPUT_RESET, now_ms);
			break;
		}
		if (in.len - at < BITCOIN_HEADER_LEN + header.length)
			break;
		take_message(c, header.id,
			     slice_of(in.data + at, BITCOIN_HEADER_LEN + header.length), now_ms);
		at += BITCOIN_HEADER_LEN + header.length;
	}
	return c->ends ? in.len : at;
}

static size_t lacks(struct slice held, struct slice in)
{
	size_t whole = BITCOIN_HEADER_LEN;
	struct reader r;

	if (held.len >= BITCOIN_HEADER_LEN) {
		reader_init(&r, slice_of(held.data + 16, 4)); /* take() has checked it */
		whole += reader_u32le(&r, "length");
	}
	return in.len < whole - held.len ? in.len : whole - held.len;
}

static size_t answer(struct sim_conn *c, const struct advert *adverts, size_t count, uint8_t *out,
		     size_t cap)
{
	return c->proto->answer(c->session, adverts, count, out, cap);
}

const struct sim_manner sim_manner_bitcoin = {
	.begin = begin,
	.lie = tell_lie,
	.take = take,
	.lacks = lacks,
	.spoken = tell_spoken,
	.shaken = tell_unasked,
	.wait_ms = wait_ms,
	.answer = answer,
};
