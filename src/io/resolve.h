/* resolve.h: names to addresses, all side by side, a dead one costing nothing.
 *
 * Each name has a thread of its own, as the system's resolver blocks for as long as
 * it likes: the answers come in as they come, and whoever is late is not waited for
 * (resolve_stop leaves it behind). Numeric addresses need no thread. */
#ifndef PEERWALK_IO_RESOLVE_H
#define PEERWALK_IO_RESOLVE_H

#include "base/netaddr.h"

#include <uv.h>

enum {
	RESOLVE_NAMES_MAX = 64,
	RESOLVE_PER_NAME_MAX = 256, /* a DNS seed answers with some 30 */
};

struct resolve;

struct resolve_name {
	const char *name;
	uint16_t port; /* of the addresses that it gets */
};

struct resolve_answer {
	const char *name;
	const char *error; /* why there is no address; NULL if there are some */
	const struct netaddr *addrs;
	size_t count;
	size_t left; /* names still without an answer */
};

typedef void resolve_fn(void *ctx, const struct resolve_answer *answer);

/* on_answer is called on the loop, once a name. The names are copied. ERR_LIMIT,
 * ERR_NOMEM, ERR_IO. */
enum err resolve_start(uv_loop_t *loop, const struct resolve_name *names, size_t count,
		       resolve_fn *on_answer, void *ctx, struct resolve **out);
/* No more answers; frees itself. */
void resolve_stop(struct resolve *r);

#endif
