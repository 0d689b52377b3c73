#include "cli/chain_text.h"

#include "proto/ethereum/forkid.h"

#include <stdio.h>
#include <string.h>

/* As people call it: the list has the network's name for it. */
static const char *name_of(const struct ethereum_chain *chain)
{
	return strcmp(chain->name, "ethereum") == 0 ? "mainnet" : chain->name;
}

void chain_text_fork(const uint8_t hash[static 4], int64_t unix_ms, char *out, size_t cap)
{
	struct forkid_head then = { .block = UINT64_MAX,
				    .time_s = unix_ms > 0 ? (uint64_t)unix_ms / 1000 : 0 };

	snprintf(out, cap, "%s", "");
	for (size_t i = 0; i < ethereum_chains_count; i++) {
		const struct ethereum_chain *chain = &ethereum_chains[i];
		struct forkid newest = forkid_at(chain, &then);
		size_t place, up_to_date = 0;

		if (!forkid_place(chain, hash, &place))
			continue;
		forkid_place(chain, newest.hash, &up_to_date);
		if (place >= up_to_date)
			snprintf(out, cap, "%s%s", name_of(chain),
				 place > up_to_date ? ", ahead" : "");
		else
			snprintf(out, cap, "%s, %zu fork%s behind", name_of(chain),
				 up_to_date - place, up_to_date - place > 1 ? "s" : "");
		return;
	}
}

void chain_text_network(uint64_t network_id, char *out, size_t cap)
{
	snprintf(out, cap, "%s", "");
	for (size_t i = 0; i < ethereum_chains_count; i++) {
		if (ethereum_chains[i].network_id == network_id)
			snprintf(out, cap, "%s", name_of(&ethereum_chains[i]));
	}
}
