/* enr_show.h: a node record (EIP-778) with all that it says, for people and as JSON.
 *
 * What the keys of known meaning hold is shown as what it means, if it is that; everything
 * else as hex. Text in a record is a stranger's, and escaped. */
#ifndef PEERWALK_CLI_ENR_SHOW_H
#define PEERWALK_CLI_ENR_SHOW_H

#include "base/text.h"
#include "proto/ethereum/enr.h"

#include <jansson.h>

/* Lines on stdout; false if there is no memory for them. */
bool enr_show_text(const struct enr *e);
/* {"record", "bytes", "seq", "node_id", "public_key", "signature", "enode", "enode6", "eth",
 * "pairs"}; NULL if there is no memory for it. */
json_t *enr_show_json(const struct enr *e);

/* "07c9462e, no next fork  (ethereum, after 18 of 18 forks)" */
void enr_show_add_forkid(struct text *t, const struct forkid *id);

#endif
