#include "proto/bitcoin/inventory.h"

#include "proto/bitcoin/fields.h"

const char *bitcoin_inv_type_name(uint32_t type)
{
	switch (type) {
	case 1:
		return "tx";
	case 2:
		return "block";
	case 3:
		return "filtered block"; /* BIP 37 */
	case 4:
		return "compact block"; /* BIP 152 */
	case 5:
		return "wtx"; /* BIP 339 */
	case 0x40000001:
		return "witness tx"; /* BIP 144 */
	case 0x40000002:
		return "witness block";
	case 0x40000003:
		return "filtered witness block";
	default:
		return NULL;
	}
}

static void read_inv(struct reader *r, struct bitcoin_inv *out)
{
	out->type = bitcoin_read_named_u32(r, "type", bitcoin_inv_type_name);
	out->hash = reader_hash(r, "hash");
}

void bitcoin_inv_decode(struct reader *r, struct bitcoin_inv_list *out)
{
	struct bitcoin_inv inv;
	uint64_t count;
	size_t start;

	*out = (struct bitcoin_inv_list){ 0 };
	count = bitcoin_compact_size(r, BITCOIN_INV_MAX, "count",
				     "inventory: at most 50,000 entries (MAX_INV_SZ)");
	start = r->at;
	if (!bitcoin_read_list_fast(r, count, BITCOIN_INV_LEN, &out->entries)) {
		for (uint64_t i = 0; i < count && reader_ok(r); i++) {
			reader_group(r, "entry", i);
			read_inv(r, &inv);
		}
		out->entries = bitcoin_read_since(r, start);
	}
	out->count = (uint32_t)count;
}

void bitcoin_inv_encode(struct writer *w, const struct bitcoin_inv_list *m)
{
	bitcoin_put_compact_size(w, m->count);
	writer_slice(w, m->entries);
}

bool bitcoin_inv_next(struct reader *r, struct bitcoin_inv *out)
{
	if (reader_left(r) == 0)
		return false;
	read_inv(r, out);
	return reader_ok(r);
}

void bitcoin_inv_put(struct writer *w, const struct bitcoin_inv *inv)
{
	writer_u32le(w, inv->type);
	bitcoin_put_hash(w, inv->hash);
}

void bitcoin_locator_decode(struct reader *r, struct bitcoin_locator *out)
{
	*out = (struct bitcoin_locator){ 0 };
	out->protocol = reader_u32le(r, "protocol");
	out->count = (uint32_t)bitcoin_compact_size(r, BITCOIN_LOCATOR_MAX, "count",
						    "locator: at most 101 hashes (MAX_LOCATOR_SZ)");
	out->hashes = bitcoin_read_hashes(r, out->count, "block hash");
	out->stop = reader_hash(r, "stop hash");
}

void bitcoin_locator_encode(struct writer *w, const struct bitcoin_locator *m)
{
	writer_u32le(w, m->protocol);
	bitcoin_put_compact_size(w, m->count);
	writer_slice(w, m->hashes);
	bitcoin_put_hash(w, m->stop);
}

static void read_headers_entry(struct reader *r, struct bitcoin_block_header *out)
{
	bitcoin_block_header_decode(r, out);
	bitcoin_compact_size(r, 0, "transaction count", "headers: no transactions follow");
}

void bitcoin_headers_decode(struct reader *r, struct bitcoin_headers *out)
{
	struct bitcoin_block_header header;
	uint64_t count;
	size_t start;

	*out = (struct bitcoin_headers){ 0 };
	count = bitcoin_compact_size(r, BITCOIN_HEADERS_MAX, "count",
				     "headers: at most 2,000 (MAX_HEADERS_RESULTS)");
	start = r->at;
	for (uint64_t i = 0; i < count && reader_ok(r); i++) {
		reader_group(r, "header", i);
		read_headers_entry(r, &header);
	}
	out->count = (uint32_t)count;
	out->entries = bitcoin_read_since(r, start);
}

void bitcoin_headers_encode(struct writer *w, const struct bitcoin_headers *m)
{
	bitcoin_put_compact_size(w, m->count);
	writer_slice(w, m->entries);
}

bool bitcoin_headers_next(struct reader *r, struct bitcoin_block_header *out)
{
	if (reader_left(r) == 0)
		return false;
	read_headers_entry(r, out);
	return reader_ok(r);
}

void bitcoin_headers_put(struct writer *w, const struct bitcoin_block_header *h)
{
	bitcoin_block_header_encode(w, h);
	writer_u8(w, 0);
}
