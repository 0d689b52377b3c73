/* peer_text.h: what is known of a peer, in words and as JSON. */
#ifndef PEERWALK_CLI_PEER_TEXT_H
#define PEERWALK_CLI_PEER_TEXT_H

#include "base/text.h"
#include "engine/record.h"
#include "proto/proto.h"

#include <jansson.h>

/* "NETWORK WITNESS bit24", or "none". */
void peer_text_services(struct text *t, const struct network *network, uint64_t services);
json_t *peer_text_services_json(const struct network *network, uint64_t services);

/* "0xc09": a JSON number would lose the upper bits in many readers. */
json_t *peer_text_bits_json(uint64_t bits);

/* A stranger's bytes as a JSON string, escaped. */
json_t *peer_text_json(struct slice s);

/* NETADDR_NONE: null. */
json_t *peer_text_addr_json(const struct netaddr *addr);

/* What to do about an outcome: one sentence with a full stop, or NULL. */
const char *peer_text_hint(enum outcome outcome);

#endif
