#include "proto/bitcoin/explain.h"

#include "proto/bitcoin/messages.h"

#include <string.h>

enum { LENGTH_AT = 16, CHECKSUM_AT = 20 /* in the header */ };

/* The payload of the header that was just read, in a reader of its own: what it finds
 * comes second to what is wrong with the header. */
static void explain_payload(struct reader *r, const struct bitcoin_header *h, size_t start)
{
	struct reader payload = *r;
	uint8_t sum[4];

	if (h->length > reader_left(r)) {
		bitcoin_payload_explain(&payload, h->id);
		reader_fail(&payload, ERR_SHORT, "payload: as long as the header says");
		*r = payload;
		return;
	}
	payload.len = r->at + h->length;
	bitcoin_payload_explain(&payload, h->id);
	bitcoin_checksum(slice_of(r->data + r->at, h->length), sum);
	if (h->length > bitcoin_command_max(h->id))
		reader_fail_at(r, ERR_LIMIT, start + LENGTH_AT,
			       "length: no more than this message can have");
	if (memcmp(sum, h->checksum, sizeof(sum)) != 0)
		reader_fail_at(r, ERR_CHECKSUM, start + CHECKSUM_AT,
			       "checksum: the start of the payload's double SHA-256");
	if (!reader_ok(&payload))
		reader_fail_at(r, payload.err, payload.err_at, payload.rule);
	r->at += h->length;
}

enum err bitcoin_explain(const struct network *network, struct slice in, field_fn *on_field,
			 void *ctx, size_t *err_at, const char **rule)
{
	struct bitcoin_header header;
	struct reader r;
	uint64_t index = 0;

	reader_init(&r, in);
	r.on_field = on_field;
	r.on_field_ctx = ctx;
	do {
		size_t start = r.at;

		reader_group(&r, "message", index++);
		bitcoin_header_decode(&r, network->magic, &header);
		if (reader_ok(&r))
			explain_payload(&r, &header, start);
	} while (reader_left(&r) > 0);
	*err_at = r.err_at;
	*rule = r.rule;
	return r.err;
}
