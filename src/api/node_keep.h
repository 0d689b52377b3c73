/* node_keep.h: what a node of Ethereum keeps from one time to the next: the nodes of its table that
 * answered, the number of its record, and where others see it.
 *
 *     node_keep_open -> node_keep_prepare -> node_serve_start -> node_keep_started
 *     -> node_keep_event for each event ... -> node_serve_stop, and the loop's end ->
 *        node_keep_close
 *
 * All but the writing happens on the loop's thread; what was told is on the disk half a second
 * later. */
#ifndef PEERWALK_API_NODE_KEEP_H
#define PEERWALK_API_NODE_KEEP_H

#include "io/node_serve.h"
#include "store/book.h"

struct node_keep;

enum {
	/* Nodes that are kept, those included that have left the table: more than three times what
	 * it holds, so that a line that was dead for a while leaves somebody to begin with. */
	NODE_KEEP_MAX = 1024,
	/* Forgotten when they haven't answered for so long: few addresses are still right then. */
	NODE_KEEP_S = 30 * 24 * 3600,
	/* That a node of the table answered again is written so often: it is asked all the time. */
	NODE_KEEP_AGAIN_S = 3600,
	NODE_KEEP_WHY_MAX = 640,
};

/* Opens the database (made if missing) and reads the book of that name. key: the node's public
 * key; waiter: told from any thread. The errors of store_open and store_book_start, and a sentence
 * with the remedy. */
enum err node_keep_open(const char *path, const char *name,
			const uint8_t key[static SECP_PUBLIC_LEN], struct store_waiter waiter,
			struct node_keep **out, char why[static NODE_KEEP_WHY_MAX]);
/* Sets known, earlier, and seq: now_ms, or more if it was more. The nodes borrow from k.
 * ERR_NOMEM. */
enum err node_keep_prepare(struct node_keep *k, int64_t now_ms, struct node_serve_config *config);
void node_keep_started(struct node_keep *k, const struct node_serve *n);
/* NULL; or, once, why the store has failed: nothing is kept any more. */
const char *node_keep_event(struct node_keep *k, const struct node_serve *n,
			    const struct discv4_event *event, int64_t now_ms);
/* Writes what is left, and ends. The first error that node_keep_event has not told, with why.
 * Takes NULL. */
enum err node_keep_close(struct node_keep *k, char why[static NODE_KEEP_WHY_MAX]);

#endif
