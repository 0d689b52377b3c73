/* node_contacts.h: visits of a few nodes named on the command line, side by side: contacts.h
 * for networks whose nodes are found by datagrams (Ethereum). What ping and peers share.
 *
 * We are a node ourselves, with a key: one that is made for this run and forgotten, or that of
 * a file. Ctrl-C and SIGTERM cancel the visits, whose records are still told. */
#ifndef PEERWALK_CLI_NODE_CONTACTS_H
#define PEERWALK_CLI_NODE_CONTACTS_H

#include "cli/peer_arg.h"
#include "cli/visit_args.h"
#include "io/node_visit.h"

/* The initializers of a row, as in chain_arg.h; `at` is the offset of a const char *. */
#define NODE_CONTACTS_KEY(at)                                                                 \
	.name = "key", .letter = 'k', .type = OPTION_TEXT, .arg = "FILE",                     \
	.help = "Ethereum: be the node of this key (peerwalk key), not of one made for this " \
		"visit",                                                                      \
	.offset = (at)

struct node_contacts_config {
	const struct cli *cli;
	const struct peer_arg *peers;
	unsigned count;
	/* What the visits share. Set here: visit (from args), targets, ctx and the callbacks. */
	struct node_visit_config visit;
	const struct visit_args *args;
	const char *key; /* a file; NULL: a key for this run */
	uint64_t pings;  /* signs of life, the visit's own included; 0 counts as 1 */
	uint64_t interval_ms;

	/* A PONG; may be NULL. */
	void (*on_pong)(void *ctx, unsigned index, uint64_t rtt_ms);
	/* Each node that is named, as node_visit.h has it; may be NULL. */
	void (*on_node)(void *ctx, unsigned index, const struct probe_event *event);
	/* One node's end: its visit and the record of it, or NULL and why there was none. */
	void (*on_done)(void *ctx, unsigned index, const struct node_visit *v,
			const struct record *record, const char *why);
	void *ctx;
};

/* Those of the peers that are such nodes. Returns when all have ended, as contacts_run does:
 * EXIT_DONE whatever became of them; EXIT_FAILED also for a key file that is none (said on
 * stderr). */
int node_contacts_run(const struct node_contacts_config *config);

#endif
