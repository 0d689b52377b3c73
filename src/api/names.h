/* names.h: names of peers for DNS: those that were given, and a network's own DNS seeds. */
#ifndef PEERWALK_API_NAMES_H
#define PEERWALK_API_NAMES_H

#include "api/peer_arg.h"
#include "io/resolve.h"

enum { NAMES_WHY_MAX = 160 };

/* Begins as zeros. */
struct names {
	char list[RESOLVE_NAMES_MAX][PEER_ARG_NAME_MAX];
	uint16_t ports[RESOLVE_NAMES_MAX];
	size_t count;
};

/* ERR_LIMIT beyond RESOLVE_NAMES_MAX; why gets a sentence. */
enum err names_add(struct names *n, const char *name, uint16_t port,
		   char why[static NAMES_WHY_MAX]);
/* The network's DNS seeds, plain and with the x9. filter (full nodes with witness). */
enum err names_add_seeds(struct names *n, const struct network *network,
			 char why[static NAMES_WHY_MAX]);
/* resolve_start for all of them; at least one is there. */
enum err names_resolve(const struct names *n, uv_loop_t *loop, resolve_fn *on_answer, void *ctx,
		       struct resolve **out, char why[static NAMES_WHY_MAX]);

#endif
