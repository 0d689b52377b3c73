/* snappy.h: Snappy's block format, which devp2p packs messages in since version 5.
 *
 * Source: EIP-706 and Snappy's format description. Unpacking is libsnappy's; the declared
 * length is looked at first, so that a few bytes never become 16 MiB. Packing puts the
 * bytes into one literal: what we send is a few hundred bytes of hashes and keys, which no
 * one can compress, and libsnappy's compressor allocates. */
#ifndef PEERWALK_PROTO_ETHEREUM_SNAPPY_H
#define PEERWALK_PROTO_ETHEREUM_SNAPPY_H

#include "base/bytes.h"

enum {
	/* EIP-706: a message that declares more ends the connection. */
	SNAPPY_DECLARED_MAX = 16 * 1024 * 1024,
	/* What one literal can hold without a longer form. */
	SNAPPY_PACK_MAX = 1 << 16,
	/* What packing makes longer. */
	SNAPPY_OVERHEAD = 3 + 3,
	/* Bytes that the length needs at most. */
	SNAPPY_LENGTH_MAX = 5,
};

/* The declared length, from the first SNAPPY_LENGTH_MAX bytes or all there are. ERR_SYNTAX,
 * or ERR_LIMIT for more than SNAPPY_DECLARED_MAX. */
enum err snappy_declared(struct slice in, size_t *len);
/* Also ERR_FULL: longer than cap. On success *len bytes are in out. */
enum err snappy_unpack(struct slice in, uint8_t *out, size_t cap, size_t *len);
/* in.len <= SNAPPY_PACK_MAX; anything else is an assert. */
void snappy_pack(struct writer *w, struct slice in);

#endif
