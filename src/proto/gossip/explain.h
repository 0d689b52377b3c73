/* explain.h: tells each field of a gossip network's messages, line by line. */
#ifndef PEERWALK_PROTO_GOSSIP_EXPLAIN_H
#define PEERWALK_PROTO_GOSSIP_EXPLAIN_H

#include "proto/proto.h"

/* As struct proto has it: any number of lines; the last may lack its end. */
enum err gossip_explain(const struct network *network, struct slice in, field_fn *on_field,
			void *ctx, size_t *err_at, const char **rule);

#endif
