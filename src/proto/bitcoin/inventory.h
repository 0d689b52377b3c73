/* inventory.h: lists of hashes: what a peer has, wants, or asks for.
 *
 * The rules of messages.h hold: lists stay slices, X_next steps through them, X_put
 * writes one element for those who build a list. */
#ifndef PEERWALK_PROTO_BITCOIN_INVENTORY_H
#define PEERWALK_PROTO_BITCOIN_INVENTORY_H

#include "proto/bitcoin/blocks.h"

enum {
	BITCOIN_INV_LEN = 4 + 32,
	BITCOIN_HEADERS_ENTRY_LEN = BITCOIN_BLOCK_HEADER_LEN + 1,
};

/* inv, getdata, notfound. */
struct bitcoin_inv {
	uint32_t type; /* src/protocol.h, GetDataMsg; unknown types are no error */
	struct slice hash;
};
struct bitcoin_inv_list {
	uint32_t count;
	struct slice entries;
};
void bitcoin_inv_decode(struct reader *r, struct bitcoin_inv_list *out);
void bitcoin_inv_encode(struct writer *w, const struct bitcoin_inv_list *m);
bool bitcoin_inv_next(struct reader *r, struct bitcoin_inv *out);
void bitcoin_inv_put(struct writer *w, const struct bitcoin_inv *inv);
/* "tx", "witness block" ..., or NULL. */
const char *bitcoin_inv_type_name(uint32_t type);

/* getheaders, getblocks: hashes of what the asker has, newest first. */
struct bitcoin_locator {
	uint32_t protocol;
	uint32_t count;
	struct slice hashes; /* 32 bytes each */
	struct slice stop;   /* 32 bytes; zeros: as many as possible */
};
void bitcoin_locator_decode(struct reader *r, struct bitcoin_locator *out);
void bitcoin_locator_encode(struct writer *w, const struct bitcoin_locator *m);

/* headers: each followed by a transaction count, which is zero. */
struct bitcoin_headers {
	uint32_t count;
	struct slice entries; /* BITCOIN_HEADERS_ENTRY_LEN each */
};
void bitcoin_headers_decode(struct reader *r, struct bitcoin_headers *out);
void bitcoin_headers_encode(struct writer *w, const struct bitcoin_headers *m);
bool bitcoin_headers_next(struct reader *r, struct bitcoin_block_header *out);
void bitcoin_headers_put(struct writer *w, const struct bitcoin_block_header *h);

#endif
