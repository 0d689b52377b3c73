#include "api/names.h"

#include <assert.h>
#include <stdio.h>

enum err names_add(struct names *n, const char *name, uint16_t port, char why[static NAMES_WHY_MAX])
{
	if (n->count == RESOLVE_NAMES_MAX) {
		snprintf(why, NAMES_WHY_MAX,
			 "at most %d seeds can be names; give the others as addresses",
			 RESOLVE_NAMES_MAX);
		return ERR_LIMIT;
	}
	n->ports[n->count] = port;
	snprintf(n->list[n->count++], sizeof(*n->list), "%s", name);
	return ERR_OK;
}

enum err names_add_seeds(struct names *n, const struct network *network,
			 char why[static NAMES_WHY_MAX])
{
	char filtered[PEER_ARG_NAME_MAX];
	enum err err = ERR_OK;

	for (size_t i = 0; i < NETWORKS_SEEDS_MAX && network->dns_seeds[i] != NULL; i++) {
		snprintf(filtered, sizeof(filtered), "x9.%s", network->dns_seeds[i]);
		err = names_add(n, network->dns_seeds[i], network->default_port, why);
		if (err == ERR_OK)
			err = names_add(n, filtered, network->default_port, why);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

enum err names_resolve(const struct names *n, uv_loop_t *loop, resolve_fn *on_answer, void *ctx,
		       struct resolve **out, char why[static NAMES_WHY_MAX])
{
	struct resolve_name list[RESOLVE_NAMES_MAX];
	enum err err;

	assert(n->count > 0);
	for (size_t i = 0; i < n->count; i++)
		list[i] = (struct resolve_name){ n->list[i], n->ports[i] };
	err = resolve_start(loop, list, n->count, on_answer, ctx, out);
	if (err != ERR_OK)
		snprintf(why, NAMES_WHY_MAX,
			 "cannot start looking up the names of the seeds; give addresses instead");
	return err;
}
