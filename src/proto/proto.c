#include "proto/proto.h"

#include "proto/bitcoin/chains.h"
#include "proto/ethereum/chains.h"
#include "proto/gossip/groups.h"

#include <string.h>

const struct network networks[] = { BITCOIN_CHAINS ETHEREUM_CHAINS GOSSIP_GROUPS };
const size_t networks_count = sizeof(networks) / sizeof(*networks);

const struct network *network_find(const char *name)
{
	for (size_t i = 0; i < networks_count; i++) {
		if (strcmp(networks[i].name, name) == 0)
			return &networks[i];
	}
	return NULL;
}
