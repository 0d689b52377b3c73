#include "proto/bitcoin/options.h"

#include "proto/bitcoin/fields.h"

void bitcoin_sendtxrcncl_decode(struct reader *r, struct bitcoin_sendtxrcncl *out)
{
	size_t at = r->at;

	*out = (struct bitcoin_sendtxrcncl){ 0 };
	out->version = reader_u32le(r, "version");
	if (reader_ok(r) && out->version < 1)
		reader_fail_at(r, ERR_VALUE, at, "version: at least 1 (BIP 330)");
	out->salt = reader_hex64le(r, "salt");
}

void bitcoin_sendtxrcncl_encode(struct writer *w, const struct bitcoin_sendtxrcncl *m)
{
	writer_u32le(w, m->version);
	writer_u64le(w, m->salt);
}

void bitcoin_feature_decode(struct reader *r, struct bitcoin_feature *out)
{
	size_t at = r->at;

	*out = (struct bitcoin_feature){ 0 };
	out->id = bitcoin_read_var_text(r, BITCOIN_FEATURE_ID_MAX, "feature id",
					"feature id: at most 80 bytes (BIP 434)");
	if (reader_ok(r) && out->id.len < BITCOIN_FEATURE_ID_MIN)
		reader_fail_at(r, ERR_VALUE, at, "feature id: at least 4 bytes (BIP 434)");
	out->data = bitcoin_read_var_bytes(r, BITCOIN_FEATURE_DATA_MAX, "feature data",
					   "feature data: at most 512 bytes (BIP 434)");
	reader_end(r, "feature: nothing behind the data (BIP 434: exactly these fields)");
}

void bitcoin_feature_encode(struct writer *w, const struct bitcoin_feature *m)
{
	bitcoin_put_var_slice(w, m->id);
	bitcoin_put_var_slice(w, m->data);
}

static const char *describe_announce(uint32_t value)
{
	return value != 0 ? "blocks as cmpctblock" : "blocks as headers or inv";
}

void bitcoin_sendcmpct_decode(struct reader *r, struct bitcoin_sendcmpct *out)
{
	size_t at = r->at;
	uint8_t announce;

	*out = (struct bitcoin_sendcmpct){ 0 };
	announce = bitcoin_read_named_u8(r, "announce", describe_announce);
	if (announce > 1)
		reader_fail_at(r, ERR_VALUE, at, "announce: 0 or 1 (BIP 152)");
	out->announce = announce != 0;
	out->version = reader_u64le(r, "version");
}

void bitcoin_sendcmpct_encode(struct writer *w, const struct bitcoin_sendcmpct *m)
{
	writer_u8(w, m->announce);
	writer_u64le(w, m->version);
}

const char *bitcoin_reject_code_name(uint32_t code)
{
	switch (code) {
	case 0x01:
		return "malformed";
	case 0x10:
		return "invalid";
	case 0x11:
		return "obsolete";
	case 0x12:
		return "duplicate";
	case 0x40:
		return "nonstandard";
	case 0x41:
		return "dust";
	case 0x42:
		return "insufficient fee";
	case 0x43:
		return "checkpoint";
	default:
		return NULL;
	}
}

void bitcoin_reject_decode(struct reader *r, struct bitcoin_reject *out)
{
	*out = (struct bitcoin_reject){ 0 };
	out->command = bitcoin_read_var_text(r, BITCOIN_COMMAND_LEN, "rejected command",
					     "rejected command: at most 12 bytes (COMMAND_SIZE)");
	out->code = bitcoin_read_named_u8(r, "code", bitcoin_reject_code_name);
	out->reason =
		bitcoin_read_var_text(r, BITCOIN_REJECT_REASON_MAX, "reason",
				      "reason: at most 111 bytes (MAX_REJECT_MESSAGE_LENGTH)");
	if (reader_left(r) == 32)
		out->data = reader_hash(r, "rejected hash");
	else if (reader_left(r) > 0)
		out->data = reader_bytes(r, reader_left(r), "data");
}

void bitcoin_reject_encode(struct writer *w, const struct bitcoin_reject *m)
{
	bitcoin_put_var_slice(w, m->command);
	writer_u8(w, m->code);
	bitcoin_put_var_slice(w, m->reason);
	writer_slice(w, m->data);
}

static uint32_t read_cancelled(struct reader *r)
{
	uint64_t count = bitcoin_compact_size(r, BITCOIN_ALERT_LIST_MAX, "cancelled count",
					      "cancelled: at most 10,000 (our own limit)");

	for (uint64_t i = 0; i < count && reader_ok(r); i++)
		reader_i32le(r, "cancelled");
	return (uint32_t)count;
}

static uint32_t read_agents(struct reader *r)
{
	uint64_t count = bitcoin_compact_size(r, BITCOIN_ALERT_LIST_MAX, "user agent count",
					      "user agents: at most 10,000 (our own limit)");

	for (uint64_t i = 0; i < count && reader_ok(r); i++)
		bitcoin_read_var_text(r, BITCOIN_ALERT_STATUS_MAX, "user agent",
				      "user agent: at most 256 bytes");
	return (uint32_t)count;
}

static void alert_payload_decode(struct reader *r, struct bitcoin_alert *out)
{
	out->version = reader_i32le(r, "version");
	out->relay_until_s = reader_time64le(r, "relay until");
	out->expires_s = reader_time64le(r, "expires");
	out->id = reader_i32le(r, "id");
	out->cancel = reader_i32le(r, "cancels up to");
	out->cancel_count = read_cancelled(r);
	out->min_protocol = reader_i32le(r, "lowest protocol");
	out->max_protocol = reader_i32le(r, "highest protocol");
	out->agent_count = read_agents(r);
	out->priority = reader_i32le(r, "priority");
	out->comment = bitcoin_read_var_text(r, BITCOIN_ALERT_COMMENT_MAX, "comment",
					     "comment: at most 65,536 bytes");
	out->status = bitcoin_read_var_text(r, BITCOIN_ALERT_STATUS_MAX, "status bar",
					    "status bar: at most 256 bytes");
	out->reserved = bitcoin_read_var_text(r, BITCOIN_ALERT_STATUS_MAX, "reserved",
					      "reserved: at most 256 bytes");
}

void bitcoin_alert_decode(struct reader *r, struct bitcoin_alert *out)
{
	size_t whole = r->len;
	uint64_t len;

	*out = (struct bitcoin_alert){ 0 };
	len = bitcoin_compact_size(r, BITCOIN_ALERT_PAYLOAD_MAX, "alert length",
				   "alert: at most 100,000 bytes (our own limit)");
	if (len > reader_left(r))
		reader_fail(r, ERR_SHORT, "alert");
	if (!reader_ok(r))
		return;
	/* The signed part is a message in a message: nothing in it may reach beyond. */
	out->payload = slice_of(r->data + r->at, (size_t)len);
	r->len = r->at + (size_t)len;
	alert_payload_decode(r, out);
	reader_end(r, "alert: ends with its last field");
	r->len = whole;
	out->signature = bitcoin_read_var_bytes(r, BITCOIN_ALERT_SIGNATURE_MAX, "signature",
						"signature: at most 1,000 bytes (our own limit)");
}

void bitcoin_alert_encode(struct writer *w, const struct bitcoin_alert *m)
{
	bitcoin_put_var_slice(w, m->payload);
	bitcoin_put_var_slice(w, m->signature);
}
