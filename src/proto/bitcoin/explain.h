/* explain.h: Bitcoin messages field by field, for people: struct proto's explain. */
#ifndef PEERWALK_PROTO_BITCOIN_EXPLAIN_H
#define PEERWALK_PROTO_BITCOIN_EXPLAIN_H

#include "proto/proto.h"

/* Takes one or more whole messages and tells the hook each field at its place in `in`.
 * Stops at the first message that breaks a rule: *err_at is the first byte that does,
 * *rule says which rule, in static text. A checksum that is wrong is found after the
 * payload was told, but is the first error by its place. */
enum err bitcoin_explain(const struct network *network, struct slice in, field_fn *on_field,
			 void *ctx, size_t *err_at, const char **rule);

#endif
