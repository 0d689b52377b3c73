/* message_tell.h: one message of a peer, decoded, on stdout: a line, with --verbose a line for
 * each field, with --json an object. */
#ifndef PEERWALK_CLI_MESSAGE_TELL_H
#define PEERWALK_CLI_MESSAGE_TELL_H

#include "cli/cli.h"

#include <jansson.h>

struct message_tell {
	const struct network *network;
	const char *peer, *name;
	struct slice whole; /* as the network's explain() takes it */
	size_t header;      /* bytes at its start whose fields are the frame's, and not told */
	size_t bytes;       /* its size, as it is told */
	const char *rule;   /* that it breaks; NULL: explain() says, if there is one */
	/* What more there is to say of it: whole lines; keys of the object. Either may be NULL. */
	const char *more;
	json_t *more_json;
};

/* False once nobody reads what we print. */
bool message_tell(const struct cli *cli, const struct message_tell *m);

#endif
