#include "api/api.h"

#include "base/text.h"
#include "proto/bitcoin/session.h"
#include "proto/bitcoin/wire.h"

#include <stdio.h>
#include <string.h>

/* How a protocol makes messages out of a stream, and the reverse. */
struct framing {
	const struct proto *proto;
	/* Fills name, payload, whole and needed. ERR_SHORT: needed alone. */
	enum err (*cut)(const struct network *network, struct slice in, struct pw_message *out,
			struct pw_fault *fault);
	enum err (*frame)(const struct network *network, const char *name, struct slice payload,
			  struct writer *out, size_t *len);
};

static enum err fail(struct pw_fault *fault, enum err err, size_t at, const char *rule)
{
	*fault = (struct pw_fault){ at, rule };
	return err;
}

/* --- Bitcoin: a header and a payload --- */

static enum err bitcoin_cut(const struct network *network, struct slice in, struct pw_message *out,
			    struct pw_fault *fault)
{
	struct bitcoin_header header;
	uint8_t checksum[4];
	struct reader r;

	reader_init(&r, in);
	bitcoin_header_decode(&r, network->magic, &header);
	out->needed = BITCOIN_HEADER_LEN;
	if (!reader_ok(&r))
		return fail(fault, r.err, r.err_at, r.rule);
	out->needed += header.length;
	if (in.len < out->needed)
		return ERR_SHORT;
	out->whole = api_bytes(slice_of(in.data, out->needed));
	out->payload = api_bytes(slice_of(in.data + BITCOIN_HEADER_LEN, header.length));
	snprintf(out->name, sizeof(out->name), "%s", header.command);
	bitcoin_checksum(slice_of(out->payload.data, out->payload.len), checksum);
	if (memcmp(checksum, header.checksum, sizeof(checksum)) != 0)
		return fail(fault, ERR_CHECKSUM, BITCOIN_HEADER_LEN - sizeof(checksum),
			    "checksum: the start of the payload's double SHA-256");
	return ERR_OK;
}

/* Any name, of messages that nobody here knows as well. */
static enum err bitcoin_frame(const struct network *network, const char *name, struct slice payload,
			      struct writer *out, size_t *len)
{
	size_t name_len = strlen(name);
	uint8_t checksum[4];

	if (name_len == 0 || name_len > BITCOIN_COMMAND_LEN)
		return ERR_VALUE;
	for (const char *c = name; *c != 0; c++) {
		if (*c < 0x20 || *c > 0x7e)
			return ERR_VALUE;
	}
	if (payload.len > BITCOIN_PAYLOAD_MAX)
		return ERR_LIMIT;
	*len = BITCOIN_HEADER_LEN + payload.len;
	bitcoin_checksum(payload, checksum);
	writer_bytes(out, network->magic, sizeof(network->magic));
	writer_bytes(out, name, name_len);
	writer_zeros(out, BITCOIN_COMMAND_LEN - name_len);
	writer_u32le(out, (uint32_t)payload.len);
	writer_bytes(out, checksum, sizeof(checksum));
	if (payload.len > 0)
		writer_slice(out, payload);
	return out->err;
}

/* --- any --- */

static const struct framing framings[] = {
	{ &bitcoin_proto, bitcoin_cut, bitcoin_frame },
};

static const struct framing *framing_of(const struct pw_network *network)
{
	for (size_t i = 0; i < sizeof(framings) / sizeof(*framings); i++) {
		if (framings[i].proto == api_network(network)->proto)
			return &framings[i];
	}
	return NULL;
}

enum pw_err pw_message_decode(const struct pw_network *network, const void *data, size_t len,
			      struct pw_message *out, struct pw_fault *fault)
{
	const struct framing *f = framing_of(network);
	struct pw_message m = { 0 };
	struct pw_fault here = { 0, "" };
	enum err err;

	if (f == NULL)
		return PW_ERR_NOT_FOUND;
	err = f->cut(api_network(network), slice_of(data, len), &m, &here);
	if (err != ERR_OK && err != ERR_SHORT && fault != NULL)
		*fault = here;
	/* What is broken is not handed out in parts. */
	if (err != ERR_OK)
		m = (struct pw_message){ .needed = m.needed };
	api_give(out, &m, sizeof(m));
	return api_err(err);
}

enum pw_err pw_message_encode(const struct pw_network *network, const char *name,
			      struct pw_bytes payload, void *out, size_t cap, size_t *len)
{
	const struct framing *f = framing_of(network);
	struct writer w;

	*len = 0;
	if (f == NULL)
		return PW_ERR_NOT_FOUND;
	writer_init(&w, out, cap);
	return api_err(
		f->frame(api_network(network), name, slice_of(payload.data, payload.len), &w, len));
}
