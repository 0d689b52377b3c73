#include "sim/liars.h"

#include "proto/bitcoin/messages.h"

#include <string.h>

static void put_version(struct writer *out, const uint8_t magic[4], const struct sim_peer *peer,
			int64_t now_s)
{
	size_t mark = bitcoin_message_begin(out);
	struct bitcoin_version v = {
		.protocol = peer->protocol,
		.services = peer->services,
		.time_s = now_s + peer->clock_skew_s,
		.recv = { .addr = { .kind = NETADDR_IPV6 } },
		.from = { .services = peer->services, .addr = { .kind = NETADDR_IPV6 } },
		.nonce = random_mix(peer->index + 1ULL),
		.agent = slice_text(peer->agent),
		.height = peer->height,
		.relay = true,
		.has_from = true,
		.has_height = true,
		.has_relay = true,
	};

	bitcoin_version_encode(out, &v);
	bitcoin_message_end(out, mark, magic, BITCOIN_VERSION);
}

/* A sound message of another network, as on a port that two networks share. */
static void other_magic(const struct network *network, uint8_t out[4])
{
	const struct network *other = network_find("bitcoin-testnet4");

	memcpy(out, other->magic, 4);
	if (memcmp(out, network->magic, 4) == 0)
		memcpy(out, network_find("bitcoin")->magic, 4);
}

/* The header of a version message whose length field is all ones, and the start of
 * the bytes that it promises. */
static void put_huge(struct writer *out, const struct network *network)
{
	writer_bytes(out, network->magic, 4);
	writer_bytes(out, "version\0\0\0\0\0", BITCOIN_COMMAND_LEN);
	writer_u32le(out, UINT32_MAX);
	writer_zeros(out, 4 + 64);
}

void sim_lie_garbage(const struct sim_world *w, uint32_t index, struct writer *out)
{
	static const char *const greetings[] = {
		"SSH-2.0-OpenSSH_9.6\r\n",
		"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
		"220 mail.example.org ESMTP\r\n",
	};
	struct random r = { sim_world_config(w)->seed ^ random_mix(index) };
	uint64_t pick = random_below(&r, 6);

	if (pick < 3) {
		writer_slice(out, slice_text(greetings[pick]));
		return;
	}
	/* The first byte is never the first one of a magic. */
	writer_u8(out, 0);
	for (size_t i = 1; i < SIM_GARBAGE_LEN; i++)
		writer_u8(out, (uint8_t)random_next(&r));
}

void sim_lie_opening(const struct sim_world *w, const struct sim_peer *peer, int64_t now_s,
		     struct writer *out)
{
	const struct network *network = sim_world_config(w)->network;
	size_t start = out->len;
	uint8_t magic[4];

	switch (peer->kind) {
	case SIM_LIAR_MAGIC:
		other_magic(network, magic);
		put_version(out, magic, peer, now_s);
		break;
	case SIM_LIAR_HUGE:
		put_huge(out, network);
		break;
	case SIM_LIAR_GARBAGE:
		sim_lie_garbage(w, peer->index, out);
		break;
	case SIM_LIAR_TRUNCATED:
		put_version(out, network->magic, peer, now_s);
		out->len = start + (out->len - start) / 2;
		break;
	case SIM_HONEST:
	case SIM_OLD:
	case SIM_STEPWISE:
	case SIM_TUTORIAL:
	case SIM_FULL:
	case SIM_GHOST_REFUSED:
	case SIM_GHOST_SILENT:
	case SIM_LIAR_CHECKSUM:
	case SIM_LIAR_DRIBBLE:
	case SIM_LIAR_INVENT:
	case SIM_LIAR_MUTE:
	case SIM_LIAR_ECHO:
	case SIM_LIAR_BAD_ADDR:
	case SIM_KIND_COUNT:
		break;
	}
}

void sim_lie_checksums(uint8_t *messages, size_t len)
{
	struct reader r;

	for (size_t at = 0; at + BITCOIN_HEADER_LEN <= len;) {
		reader_init(&r, slice_of(messages + at + 16, 4));
		messages[at + 20] ^= 0x5a;
		at += BITCOIN_HEADER_LEN + reader_u32le(&r, "length");
	}
}

void sim_lie_adverts(const struct sim_world *w, uint64_t first, int64_t now_s, struct advert *out,
		     size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = (struct advert){
			.addr = sim_world_invented(w, first + i),
			.services = BITCOIN_NODE_NETWORK | BITCOIN_NODE_WITNESS,
			.last_seen_s = now_s,
		};
}
