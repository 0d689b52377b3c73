/* contacts.h: visits of a few peers named on the command line, side by side on a loop
 * of their own: what ping, peers and listen share.
 *
 * Names are resolved; a name with several addresses is tried address by address until
 * one accepts. Ctrl-C and SIGTERM cancel the visits, whose records are still told.
 *
 * Only peers of networks that are walked by sessions: node_contacts.h has those that are
 * found by datagrams. */
#ifndef PEERWALK_CLI_CONTACTS_H
#define PEERWALK_CLI_CONTACTS_H

#include "cli/peer_arg.h"
#include "engine/visit.h"

enum {
	CONTACTS_RESOLVE_MS = 10000, /* resolvers that are there answer within five */
	CONTACTS_TEXT_MAX = 400,
};

/* One peer's end: the record of its last attempt, or NULL and why there was none. */
typedef void contacts_done_fn(void *ctx, unsigned index, const struct record *record,
			      const char *why);

struct contacts_config {
	const struct cli *cli;
	const struct peer_arg *peers;
	unsigned count;
	/* What the visits share; session.network is set for each. on_event is called with
	 * on_event_ctx; contacts_index tells whose event it is, and visit_cancel ends it. */
	struct visit_config visit;
	uint64_t duration_ms; /* then everything is cancelled; 0: never */
	contacts_done_fn *on_done;
	void *ctx;
};

/* Those of the peers that are no nodes of node_contacts.h. Returns when all have ended: EXIT_DONE
 * whatever became of them, EXIT_INTERRUPTED or EXIT_TERMINATED after a signal, EXIT_FAILED if this
 * machine can't (said on stderr). */
int contacts_run(const struct contacts_config *config);

unsigned contacts_index(const struct visit *v);
/* "bitcoin://HOST:PORT" as given, with the address behind it if HOST is a name; a node's URL. */
void contacts_peer_text(const struct peer_arg *peer, const struct record *record,
			char out[static CONTACTS_TEXT_MAX]);
/* Our user agent; our name where nodes have keys, in the form that is usual there. */
struct slice contacts_agent(void);
struct slice contacts_client(void);

#endif
