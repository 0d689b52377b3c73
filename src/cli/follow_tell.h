/* follow_tell.h: `peerwalk listen --follow`: fetches what the peer announces (proto/bitcoin/
 * follow.h), and says beneath each message what came of it. */
#ifndef PEERWALK_CLI_FOLLOW_TELL_H
#define PEERWALK_CLI_FOLLOW_TELL_H

#include "cli/message_tell.h"

struct follow_tell;

/* Whether anything is announced on that network. */
bool follow_tell_can(const struct network *network);
struct follow_tell *follow_tell_new(const struct cli *cli, const struct network *network);
/* Says on stderr how much was fetched. NULL is nothing. */
void follow_tell_free(struct follow_tell *f);
/* A message of the peer: sets m->more and m->more_json, until the next call. */
void follow_tell_hear(struct follow_tell *f, const struct session_event *event,
		      struct message_tell *m);
/* As visit.h's more. */
size_t follow_tell_send(struct follow_tell *f, uint8_t *out, size_t cap);

#endif
