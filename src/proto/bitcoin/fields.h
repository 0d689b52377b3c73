/* fields.h: fields that several messages share, read with a word of explanation.
 *
 * Private to proto/bitcoin. Each tells the reader's hook one field whose `text` says
 * what the number means, so that `peerwalk decode` need not know any protocol. */
#ifndef PEERWALK_PROTO_BITCOIN_FIELDS_H
#define PEERWALK_PROTO_BITCOIN_FIELDS_H

#include "base/bytes.h"
#include "base/netaddr.h"

enum {
	/* The seven names that bitcoin_service_name knows, and "bitNN " for 57 more. */
	BITCOIN_SERVICES_TEXT_MAX = 512,
};

/* Tells the hook that the last len bytes were one number, and what it means. */
void bitcoin_tell_number(struct reader *r, const char *name, enum field_kind kind, size_t len,
			 uint64_t value, const char *text);
/* Tells the hook of a hash that doesn't stand in the message but follows from it. */
void bitcoin_tell_computed(struct reader *r, const char *name, const uint8_t hash[32]);

/* The names of the set bits, e.g. "NETWORK WITNESS bit24"; the length. */
size_t bitcoin_services_text(uint64_t services, char out[static BITCOIN_SERVICES_TEXT_MAX]);

/* 8 bytes, little-endian: services with the names of their bits. */
uint64_t bitcoin_read_services(struct reader *r, const char *name);
/* 16 bytes and a big-endian port, as version and addr carry them. */
struct netaddr bitcoin_read_ip16(struct reader *r, const char *addr_name, const char *port_name);
/* 4 or 1 bytes with the text that describe() gives for the value, or none. */
uint32_t bitcoin_read_named_u32(struct reader *r, const char *name,
				const char *(*describe)(uint32_t value));
uint8_t bitcoin_read_named_u8(struct reader *r, const char *name,
			      const char *(*describe)(uint32_t value));
/* A CompactSize length up to max and so many bytes of text or of raw data. */
struct slice bitcoin_read_var_text(struct reader *r, size_t max, const char *name,
				   const char *limit_rule);
struct slice bitcoin_read_var_bytes(struct reader *r, size_t max, const char *name,
				    const char *limit_rule);
void bitcoin_put_var_slice(struct writer *w, struct slice s);

void bitcoin_put_hash(struct writer *w, struct slice hash); /* of 32 bytes */
/* count elements of 32 bytes, each told as `name`. */
struct slice bitcoin_read_hashes(struct reader *r, uint64_t count, const char *name);

/* What was read since `start`; empty after a failure. */
struct slice bitcoin_read_since(const struct reader *r, size_t start);

/* A list of equal elements, without a look at each: the bytes of count * size.
 * False if they aren't all there, or somebody listens: then read them one by one. */
bool bitcoin_read_list_fast(struct reader *r, uint64_t count, size_t size, struct slice *out);

#endif
