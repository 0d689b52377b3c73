/* explain.h: what people look at of Ethereum's, field by field, for `peerwalk decode`. */
#ifndef PEERWALK_PROTO_ETHEREUM_EXPLAIN_H
#define PEERWALK_PROTO_ETHEREUM_EXPLAIN_H

#include "proto/proto.h"

/* As proto.h's explain() says. The input is one of these, and tells which:
 *
 *     enr:...       a node record as text; offsets are those of its characters
 *     enode://...   an URL
 *     a record      its RLP: a list that begins with a signature
 *     RLP           any other list, or a string of less than 98 bytes, if that is all of it
 *     a packet      of discovery v4: everything else
 *
 * A packet may have up to DISCV4_LONG_MAX bytes to be shown, but is right with 1280 only.
 * Fields of no bytes are computed: who signed a packet, the id of a key. */
enum err ethereum_explain(const struct network *network, struct slice in, field_fn *on_field,
			  void *ctx, size_t *err_at, const char **rule);

#endif
