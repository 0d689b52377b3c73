/* explain.h: a packet of discovery v4, field by field, for `peerwalk decode`. */
#ifndef PEERWALK_PROTO_ETHEREUM_EXPLAIN_H
#define PEERWALK_PROTO_ETHEREUM_EXPLAIN_H

#include "proto/proto.h"

/* As proto.h's explain() says: one whole packet, of up to DISCV4_LONG_MAX bytes. */
enum err ethereum_explain(const struct network *network, struct slice in, field_fn *on_field,
			  void *ctx, size_t *err_at, const char **rule);

#endif
