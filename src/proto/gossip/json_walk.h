/* json_walk.h: where the parts of a JSON text stand, which jansson's trees don't tell.
 *
 * Of text that is no JSON the answers mean nothing, but nothing beyond it is read: have it
 * parsed first. A struct reader is the place in the text; its `at` alone moves. */
#ifndef PEERWALK_PROTO_GOSSIP_JSON_WALK_H
#define PEERWALK_PROTO_GOSSIP_JSON_WALK_H

#include "base/bytes.h"

/* How deep brackets are nested, those in strings left out. Of any text. */
unsigned json_depth(struct slice text);

/* The reader stands before an object or an array, and then in it. */
void json_enter(struct reader *r);
/* The next member (key: between its quotes, as it is written) or element (key: empty) in it,
 * with its text as it stands. False at the end. */
bool json_step(struct reader *r, struct slice *key, struct slice *value);

#endif
