#include "api/api.h"

#include "base/text.h"
#include "proto/bitcoin/session.h"
#include "proto/bitcoin/wire.h"
#include "proto/gossip/messages.h"
#include "proto/gossip/session.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
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

/* 1 to max characters of printable ASCII. */
static bool is_word(const char *text, size_t max)
{
	size_t len = 0;

	while (len <= max && text[len] >= 0x20 && text[len] <= 0x7e)
		len++;
	return len > 0 && len <= max && text[len] == 0;
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

	if (!is_word(name, BITCOIN_COMMAND_LEN))
		return ERR_VALUE;
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

/* --- gossip: a JSON object on a line --- */

static enum err gossip_cut(const struct network *network, struct slice in, struct pw_message *out,
			   struct pw_fault *fault)
{
	const uint8_t *end = in.len > 0 ? memchr(in.data, '\n', in.len) : NULL;
	struct gossip_message message;
	const char *rule = "";
	struct slice line;
	enum err err;

	(void)network;
	line = slice_of(in.data, end != NULL ? (size_t)(end - in.data) : in.len);
	out->needed = line.len + 1;
	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	if (line.len > GOSSIP_MESSAGE_MAX)
		return fail(fault, ERR_LIMIT, GOSSIP_MESSAGE_MAX, "line: 64 KiB at most");
	if (end == NULL)
		return ERR_SHORT;
	out->whole = api_bytes(slice_of(in.data, out->needed));
	out->payload = api_bytes(line);
	err = gossip_decode(line, &message, &rule);
	_Static_assert(sizeof(out->name) >= sizeof(message.name), "every name fits");
	memcpy(out->name, message.name, sizeof(message.name));
	return err == ERR_OK ? ERR_OK : fail(fault, err, 0, rule);
}

static int add_piece(const char *piece, size_t len, void *text)
{
	text_add_slice(text, slice_of(piece, len));
	return ((struct text *)text)->err == ERR_OK ? 0 : -1;
}

/* The object without its line's end. ERR_SYNTAX: it is none, or says its own msgtype. */
static enum err gossip_object(const char *name, struct slice payload, struct text *out)
{
	json_error_t error = { 0 };
	json_t *given = payload.len > 0 ? json_loadb((const char *)payload.data, payload.len,
						     JSON_REJECT_DUPLICATES, &error)
					: json_object();
	json_t *whole = json_pack("{s:s}", "msgtype", name);
	enum err err = ERR_OK;

	if (whole == NULL || (given == NULL && json_error_code(&error) == json_error_out_of_memory))
		err = ERR_NOMEM;
	else if (!json_is_object(given) || json_object_get(given, "msgtype") != NULL)
		err = ERR_SYNTAX;
	else if (json_object_update(whole, given) != 0 ||
		 json_dump_callback(whole, add_piece, out, JSON_COMPACT) != 0)
		err = ERR_NOMEM;
	json_decref(given);
	json_decref(whole);
	return err;
}

/* What peers would take for broken is not made. */
static enum err gossip_frame(const struct network *network, const char *name, struct slice payload,
			     struct writer *out, size_t *len)
{
	struct gossip_message message;
	const char *rule;
	struct text object = { 0 };
	enum err err;

	(void)network;
	if (!is_word(name, GOSSIP_TYPE_MAX))
		return ERR_VALUE;
	err = gossip_object(name, payload, &object);
	if (err == ERR_OK && object.len > GOSSIP_MESSAGE_MAX)
		err = ERR_LIMIT;
	if (err == ERR_OK)
		err = gossip_decode(slice_of(object.data, object.len), &message, &rule);
	if (err == ERR_OK) {
		*len = object.len + 1;
		writer_slice(out, slice_of(object.data, object.len));
		writer_u8(out, '\n');
		err = out->err;
	}
	text_clear(&object);
	return err;
}

/* --- any --- */

static const struct framing framings[] = {
	{ &bitcoin_proto, bitcoin_cut, bitcoin_frame },
	{ &gossip_proto, gossip_cut, gossip_frame },
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
