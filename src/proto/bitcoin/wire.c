#include "proto/bitcoin/wire.h"

#include "crypto/sha256.h"

#include <assert.h>
#include <string.h>

/* Core's CMessageHeader::IsMessageTypeValid: printable ASCII, then NULs to the end. */
static bool command_copy(struct slice raw, char out[BITCOIN_COMMAND_LEN + 1], size_t *bad_at)
{
	bool ended = false, valid = true;

	memset(out, 0, BITCOIN_COMMAND_LEN + 1);
	for (size_t i = 0; i < raw.len; i++) {
		uint8_t c = raw.data[i];
		bool printable = c >= 0x20 && c <= 0x7e;

		if (valid && (ended ? c != 0 : c != 0 && !printable)) {
			valid = false;
			*bad_at = i;
		}
		ended = ended || c == 0;
		out[i] = (char)(printable || c == 0 ? c : '?');
	}
	return valid;
}

static bool read_command(struct reader *r, char out[BITCOIN_COMMAND_LEN + 1], size_t *bad_at)
{
	field_fn *hook = r->on_field;
	struct slice raw;
	size_t shown;
	bool valid;

	r->on_field = NULL;
	raw = reader_bytes(r, BITCOIN_COMMAND_LEN, "command");
	r->on_field = hook;
	if (!reader_ok(r))
		return false;
	valid = command_copy(raw, out, bad_at);
	shown = valid ? strlen(out) : raw.len; /* the padding says nothing */
	reader_tell(r, &(struct field){ .name = "command",
					.kind = FIELD_TEXT,
					.at = r->at - raw.len,
					.len = raw.len,
					.bytes = { raw.data, shown } });
	return valid;
}

void bitcoin_header_decode(struct reader *r, const uint8_t magic[4], struct bitcoin_header *out)
{
	size_t start = r->at, bad_at = 0;
	struct slice raw;
	bool valid;

	*out = (struct bitcoin_header){ .id = BITCOIN_UNKNOWN };
	raw = reader_bytes(r, sizeof(out->magic), "magic");
	if (!reader_ok(r))
		return;
	memcpy(out->magic, raw.data, sizeof(out->magic));
	if (memcmp(out->magic, magic, sizeof(out->magic)) != 0) {
		reader_fail_at(r, ERR_MAGIC, start, "magic: the four bytes of this network");
		return;
	}
	valid = read_command(r, out->command, &bad_at);
	if (!reader_ok(r))
		return;
	if (valid)
		out->id = bitcoin_command_find(out->command);
	out->length = reader_u32le(r, "length");
	if (out->length > BITCOIN_PAYLOAD_MAX)
		reader_fail_at(r, ERR_LIMIT, start + 16,
			       "length: at most 4,000,000 bytes (MAX_PROTOCOL_MESSAGE_LENGTH)");
	raw = reader_bytes(r, sizeof(out->checksum), "checksum");
	if (reader_ok(r))
		memcpy(out->checksum, raw.data, sizeof(out->checksum));
	if (!valid)
		reader_fail_at(r, ERR_VALUE, start + 4 + bad_at,
			       "command: printable ASCII, then only NULs");
}

void bitcoin_checksum(struct slice payload, uint8_t out[4])
{
	/* Half of the messages of a handshake have no payload. */
	static const uint8_t of_nothing[4] = { 0x5d, 0xf6, 0xe0, 0xe2 };
	uint8_t digest[32];

	if (payload.len == 0) {
		memcpy(out, of_nothing, sizeof(of_nothing));
		return;
	}
	sha256d(payload, digest);
	memcpy(out, digest, 4);
}

size_t bitcoin_message_begin(struct writer *w)
{
	size_t mark = w->len;

	writer_zeros(w, BITCOIN_HEADER_LEN);
	return mark;
}

void bitcoin_message_end(struct writer *w, size_t mark, const uint8_t magic[4],
			 enum bitcoin_command id)
{
	struct writer header;
	size_t length;

	if (!writer_ok(w))
		return;
	assert(mark + BITCOIN_HEADER_LEN <= w->len);
	length = w->len - mark - BITCOIN_HEADER_LEN;
	assert(length <= BITCOIN_PAYLOAD_MAX);
	writer_init(&header, w->data + mark, BITCOIN_HEADER_LEN);
	writer_bytes(&header, magic, 4);
	writer_bytes(&header, bitcoin_command_name(id), BITCOIN_COMMAND_LEN);
	writer_u32le(&header, (uint32_t)length);
	bitcoin_checksum(slice_of(w->data + mark + BITCOIN_HEADER_LEN, length),
			 header.data + header.len);
}

size_t bitcoin_compact_size_peek(const uint8_t *p, size_t left, uint64_t *out, enum err *err)
{
	static const uint64_t least[3] = { 0xfd, 0x10000, 0x100000000 };
	size_t len;

	*err = ERR_SHORT;
	*out = 0;
	if (left == 0)
		return 0;
	if (p[0] < 0xfd) {
		*out = p[0];
		*err = ERR_OK;
		return 1;
	}
	len = (size_t)2 << (p[0] - 0xfd);
	if (left < 1 + len)
		return 0;
	for (size_t i = len; i > 0; i--)
		*out = *out << 8 | p[i];
	*err = *out < least[p[0] - 0xfd] ? ERR_NONCANONICAL : ERR_OK;
	return 1 + len;
}

uint64_t bitcoin_compact_size(struct reader *r, uint64_t max, const char *name,
			      const char *limit_rule)
{
	enum err err;
	uint64_t v;
	size_t len;

	if (reader_left(r) == 0)
		reader_fail(r, ERR_SHORT, name);
	if (!reader_ok(r))
		return 0;
	len = bitcoin_compact_size_peek(r->data + r->at, r->len - r->at, &v, &err);
	if (err == ERR_SHORT)
		reader_fail(r, err, name);
	else if (err != ERR_OK)
		reader_fail(r, err, "CompactSize: the shortest form only (ReadCompactSize)");
	else if (v > max)
		reader_fail(r, ERR_LIMIT, limit_rule);
	if (!reader_ok(r))
		return 0;
	r->at += len;
	reader_tell(r, &(struct field){ .name = name,
					.kind = FIELD_UINT,
					.at = r->at - len,
					.len = len,
					.value = v,
					.bytes = { r->data + r->at - len, len } });
	return v;
}

void bitcoin_put_compact_size(struct writer *w, uint64_t v)
{
	if (v < 0xfd) {
		writer_u8(w, (uint8_t)v);
	} else if (v <= UINT16_MAX) {
		writer_u8(w, 0xfd);
		writer_u16le(w, (uint16_t)v);
	} else if (v <= UINT32_MAX) {
		writer_u8(w, 0xfe);
		writer_u32le(w, (uint32_t)v);
	} else {
		writer_u8(w, 0xff);
		writer_u64le(w, v);
	}
}
