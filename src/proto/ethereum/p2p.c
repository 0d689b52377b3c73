#include "proto/ethereum/p2p.h"

#include "proto/ethereum/rlp.h"
#include "proto/ethereum/snappy.h"

#include <string.h>

static bool is_name(struct slice name)
{
	if (name.len == 0 || name.len > P2P_CAP_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.data[i] <= ' ' || name.data[i] > '~')
			return false;
	return true;
}

static void cap_decode(struct reader *r, struct p2p_hello *out)
{
	struct rlp_list list = rlp_enter(r, "capability");
	struct slice name = rlp_text(r, P2P_BASE_MAX, "name", "capability: its name as text");
	uint64_t version = rlp_uint(r, 4, RLP_LENIENT, "version");
	struct p2p_cap *cap;

	rlp_leave(r, &list);
	if (!reader_ok(r))
		return;
	out->caps_said++;
	if (!is_name(name) || out->caps_count == P2P_CAPS_MAX)
		return;
	cap = &out->caps[out->caps_count++];
	memcpy(cap->name, name.data, name.len);
	cap->version = (uint32_t)version;
}

void p2p_hello_decode(struct reader *r, struct p2p_hello *out)
{
	struct rlp_list list, caps;
	struct slice key;

	memset(out, 0, sizeof(*out));
	list = rlp_enter(r, "hello");
	out->version = (uint32_t)rlp_uint(r, 4, RLP_LENIENT, "version");
	out->client = rlp_text(r, P2P_BASE_MAX, "client", "hello: the client's name as text");
	caps = rlp_enter(r, "capabilities");
	while (rlp_more(r))
		cap_decode(r, out);
	rlp_leave(r, &caps);
	out->listen_port = (uint16_t)rlp_uint(r, 2, RLP_LENIENT, "listen_port");
	key = rlp_bytes(r, SECP_PUBLIC_LEN, SECP_PUBLIC_LEN, "node_key",
			"hello: a public key of 64 bytes");
	rlp_leave(r, &list);
	if (reader_ok(r))
		memcpy(out->key, key.data, sizeof(out->key));
}

void p2p_hello_encode(struct writer *w, const struct p2p_hello *hello)
{
	size_t list = rlp_put_list(w), caps;

	rlp_put_uint(w, hello->version);
	rlp_put_bytes(w, hello->client);
	caps = rlp_put_list(w);
	for (size_t i = 0; i < hello->caps_count; i++) {
		size_t cap = rlp_put_list(w);

		rlp_put_bytes(w, slice_text(hello->caps[i].name));
		rlp_put_uint(w, hello->caps[i].version);
		rlp_end_list(w, cap);
	}
	rlp_end_list(w, caps);
	rlp_put_uint(w, hello->listen_port);
	rlp_put_bytes(w, slice_of(hello->key, sizeof(hello->key)));
	rlp_end_list(w, list);
}

const char *p2p_reason_text(uint8_t reason)
{
	static const struct {
		uint8_t number;
		const char *text;
	} rows[] = {
#define P2P_REASON_ROW(symbol, number, text) { number, text },
		P2P_REASON_LIST(P2P_REASON_ROW)
#undef P2P_REASON_ROW
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].number == reason)
			return rows[i].text;
	return "unknown reason";
}

void p2p_disconnect_decode(struct reader *r, uint8_t *reason)
{
	struct rlp_item item = rlp_peek(r, "disconnect");
	struct rlp_list list;

	*reason = P2P_REASON_REQUESTED;
	if (!reader_ok(r))
		return;
	if (!item.is_list) {
		*reason = (uint8_t)rlp_uint(r, 1, RLP_LENIENT, "reason");
		return;
	}
	list = rlp_enter(r, "disconnect");
	if (rlp_more(r))
		*reason = (uint8_t)rlp_uint(r, 1, RLP_LENIENT, "reason");
	rlp_leave(r, &list);
}

void p2p_disconnect_encode(struct writer *w, enum p2p_reason reason)
{
	size_t list = rlp_put_list(w);

	rlp_put_uint(w, reason);
	rlp_end_list(w, list);
}

static bool disconnect_plain(struct slice payload, uint8_t *reason)
{
	struct reader r;

	reader_init(&r, payload);
	p2p_disconnect_decode(&r, reason);
	return reader_ok(&r) && reader_left(&r) == 0;
}

bool p2p_disconnect_read(struct slice payload, bool snappy, uint8_t *reason)
{
	uint8_t plain[64]; /* the longest honest one has two bytes */
	size_t len;

	/* No plain form passes for a packed one: their first byte, taken for a length,
	 * promises more than there is, or (00) nothing at all. */
	if (snappy && snappy_unpack(payload, plain, sizeof(plain), &len) == ERR_OK &&
	    disconnect_plain(slice_of(plain, len), reason))
		return true;
	return disconnect_plain(payload, reason);
}

void p2p_empty_encode(struct writer *w)
{
	rlp_end_list(w, rlp_put_list(w));
}

/* Of the offers with this name, the one that the peer has too, in its highest version. */
static const struct p2p_offer *highest(const struct p2p_offer *offers, size_t count,
				       const char *name, const struct p2p_hello *peer)
{
	const struct p2p_offer *best = NULL;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(offers[i].cap.name, name) != 0 ||
		    (best != NULL && best->cap.version >= offers[i].cap.version))
			continue;
		for (size_t p = 0; p < peer->caps_count; p++)
			if (strcmp(peer->caps[p].name, name) == 0 &&
			    peer->caps[p].version == offers[i].cap.version)
				best = &offers[i];
	}
	return best;
}

size_t p2p_share(const struct p2p_offer *offers, size_t count, const struct p2p_hello *peer,
		 struct p2p_shared *out)
{
	uint32_t id = P2P_FIRST_SHARED;
	const char *last = "";
	size_t shared = 0;

	for (;;) {
		const char *name = NULL; /* the next one in the alphabet */
		const struct p2p_offer *best;

		for (size_t i = 0; i < count; i++)
			if (strcmp(offers[i].cap.name, last) > 0 &&
			    (name == NULL || strcmp(offers[i].cap.name, name) < 0))
				name = offers[i].cap.name;
		if (name == NULL)
			return shared;
		best = highest(offers, count, name, peer);
		if (best != NULL) {
			out[shared++] = (struct p2p_shared){ best->cap, id };
			id += best->ids;
		}
		last = name;
	}
}
