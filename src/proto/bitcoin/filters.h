/* filters.h: Bloom filters of BIP 37 and compact block filters of BIP 157. */
#ifndef PEERWALK_PROTO_BITCOIN_FILTERS_H
#define PEERWALK_PROTO_BITCOIN_FILTERS_H

#include "proto/bitcoin/blocks.h"

enum {
	BITCOIN_BLOOM_BYTES_MAX = 36000, /* MAX_BLOOM_FILTER_SIZE */
	BITCOIN_BLOOM_HASHES_MAX = 50,   /* MAX_HASH_FUNCS */
	BITCOIN_BLOOM_ELEMENT_MAX = 520, /* MAX_SCRIPT_ELEMENT_SIZE */
	BITCOIN_CFHEADERS_MAX = 2000,    /* BIP 157 */
};

struct bitcoin_filterload {
	struct slice filter;
	uint32_t hash_count, tweak;
	uint8_t flags;
};
void bitcoin_filterload_decode(struct reader *r, struct bitcoin_filterload *out);
void bitcoin_filterload_encode(struct writer *w, const struct bitcoin_filterload *m);

void bitcoin_filteradd_decode(struct reader *r, struct slice *out);
void bitcoin_filteradd_encode(struct writer *w, struct slice element);

/* getcfilters, getcfheaders. */
struct bitcoin_getcfilters {
	uint8_t type; /* 0: basic (BIP 158) */
	uint32_t start_height;
	struct slice stop_hash;
};
void bitcoin_getcfilters_decode(struct reader *r, struct bitcoin_getcfilters *out);
void bitcoin_getcfilters_encode(struct writer *w, const struct bitcoin_getcfilters *m);

struct bitcoin_cfilter {
	uint8_t type;
	struct slice block_hash, filter;
};
void bitcoin_cfilter_decode(struct reader *r, struct bitcoin_cfilter *out);
void bitcoin_cfilter_encode(struct writer *w, const struct bitcoin_cfilter *m);

struct bitcoin_cfheaders {
	uint8_t type;
	struct slice stop_hash, previous_header;
	uint32_t count;
	struct slice hashes; /* 32 bytes each */
};
void bitcoin_cfheaders_decode(struct reader *r, struct bitcoin_cfheaders *out);
void bitcoin_cfheaders_encode(struct writer *w, const struct bitcoin_cfheaders *m);

struct bitcoin_getcfcheckpt {
	uint8_t type;
	struct slice stop_hash;
};
void bitcoin_getcfcheckpt_decode(struct reader *r, struct bitcoin_getcfcheckpt *out);
void bitcoin_getcfcheckpt_encode(struct writer *w, const struct bitcoin_getcfcheckpt *m);

struct bitcoin_cfcheckpt {
	uint8_t type;
	struct slice stop_hash;
	uint32_t count;
	struct slice headers; /* 32 bytes each */
};
void bitcoin_cfcheckpt_decode(struct reader *r, struct bitcoin_cfcheckpt *out);
void bitcoin_cfcheckpt_encode(struct writer *w, const struct bitcoin_cfcheckpt *m);

#endif
