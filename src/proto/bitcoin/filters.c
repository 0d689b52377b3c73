#include "proto/bitcoin/filters.h"

#include "proto/bitcoin/fields.h"

static const char *describe_bloom_flags(uint32_t value)
{
	switch (value & 3) { /* Core's BLOOM_UPDATE_MASK */
	case 0:
		return "update none";
	case 1:
		return "update all";
	case 2:
		return "update only pay-to-pubkey outputs";
	default:
		return NULL;
	}
}

void bitcoin_filterload_decode(struct reader *r, struct bitcoin_filterload *out)
{
	size_t at;

	*out = (struct bitcoin_filterload){ 0 };
	out->filter = bitcoin_read_var_bytes(r, BITCOIN_BLOOM_BYTES_MAX, "filter",
					     "filter: at most 36,000 bytes (BIP 37)");
	at = r->at;
	out->hash_count = reader_u32le(r, "hash functions");
	if (out->hash_count > BITCOIN_BLOOM_HASHES_MAX)
		reader_fail_at(r, ERR_LIMIT, at, "hash functions: at most 50 (BIP 37)");
	out->tweak = reader_hex32le(r, "tweak");
	out->flags = bitcoin_read_named_u8(r, "flags", describe_bloom_flags);
}

void bitcoin_filterload_encode(struct writer *w, const struct bitcoin_filterload *m)
{
	bitcoin_put_var_slice(w, m->filter);
	writer_u32le(w, m->hash_count);
	writer_u32le(w, m->tweak);
	writer_u8(w, m->flags);
}

void bitcoin_filteradd_decode(struct reader *r, struct slice *out)
{
	*out = bitcoin_read_var_bytes(r, BITCOIN_BLOOM_ELEMENT_MAX, "element",
				      "element: at most 520 bytes (BIP 37)");
}

void bitcoin_filteradd_encode(struct writer *w, struct slice element)
{
	bitcoin_put_var_slice(w, element);
}

static const char *describe_filter_type(uint32_t value)
{
	return value == 0 ? "basic (BIP 158)" : NULL;
}

static uint8_t read_type(struct reader *r)
{
	return bitcoin_read_named_u8(r, "filter type", describe_filter_type);
}

void bitcoin_getcfilters_decode(struct reader *r, struct bitcoin_getcfilters *out)
{
	*out = (struct bitcoin_getcfilters){ .type = read_type(r) };
	out->start_height = reader_u32le(r, "start height");
	out->stop_hash = reader_hash(r, "stop hash");
}

void bitcoin_getcfilters_encode(struct writer *w, const struct bitcoin_getcfilters *m)
{
	writer_u8(w, m->type);
	writer_u32le(w, m->start_height);
	bitcoin_put_hash(w, m->stop_hash);
}

void bitcoin_cfilter_decode(struct reader *r, struct bitcoin_cfilter *out)
{
	*out = (struct bitcoin_cfilter){ .type = read_type(r) };
	out->block_hash = reader_hash(r, "block hash");
	out->filter = bitcoin_read_var_bytes(r, BITCOIN_PAYLOAD_MAX, "filter",
					     "filter: no longer than a message");
}

void bitcoin_cfilter_encode(struct writer *w, const struct bitcoin_cfilter *m)
{
	writer_u8(w, m->type);
	bitcoin_put_hash(w, m->block_hash);
	bitcoin_put_var_slice(w, m->filter);
}

void bitcoin_cfheaders_decode(struct reader *r, struct bitcoin_cfheaders *out)
{
	*out = (struct bitcoin_cfheaders){ .type = read_type(r) };
	out->stop_hash = reader_hash(r, "stop hash");
	out->previous_header = reader_hash(r, "previous filter header");
	out->count = (uint32_t)bitcoin_compact_size(r, BITCOIN_CFHEADERS_MAX, "count",
						    "filter hashes: at most 2,000 (BIP 157)");
	out->hashes = bitcoin_read_hashes(r, out->count, "filter hash");
}

void bitcoin_cfheaders_encode(struct writer *w, const struct bitcoin_cfheaders *m)
{
	writer_u8(w, m->type);
	bitcoin_put_hash(w, m->stop_hash);
	bitcoin_put_hash(w, m->previous_header);
	bitcoin_put_compact_size(w, m->count);
	writer_slice(w, m->hashes);
}

void bitcoin_getcfcheckpt_decode(struct reader *r, struct bitcoin_getcfcheckpt *out)
{
	*out = (struct bitcoin_getcfcheckpt){ .type = read_type(r) };
	out->stop_hash = reader_hash(r, "stop hash");
}

void bitcoin_getcfcheckpt_encode(struct writer *w, const struct bitcoin_getcfcheckpt *m)
{
	writer_u8(w, m->type);
	bitcoin_put_hash(w, m->stop_hash);
}

void bitcoin_cfcheckpt_decode(struct reader *r, struct bitcoin_cfcheckpt *out)
{
	*out = (struct bitcoin_cfcheckpt){ .type = read_type(r) };
	out->stop_hash = reader_hash(r, "stop hash");
	out->count = (uint32_t)bitcoin_compact_size(
		r, BITCOIN_HASHES_MAX, "count", "filter headers: 32 bytes each, in one message");
	out->headers = bitcoin_read_hashes(r, out->count, "filter header");
}

void bitcoin_cfcheckpt_encode(struct writer *w, const struct bitcoin_cfcheckpt *m)
{
	writer_u8(w, m->type);
	bitcoin_put_hash(w, m->stop_hash);
	bitcoin_put_compact_size(w, m->count);
	writer_slice(w, m->headers);
}
