/* seeds.h: where a crawl begins: peers given by hand, files of them, names for DNS. */
#ifndef PEERWALK_CLI_SEEDS_H
#define PEERWALK_CLI_SEEDS_H

#include "cli/cli.h"
#include "cli/peer_arg.h"

/* A peer by its number, compact: files of them may be long. */
struct seed {
	struct netaddr addr; /* these four as in struct peer_arg */
	uint16_t tcp_port;
	uint8_t node_id_len;
	uint8_t node_id[PEER_NODE_ID_MAX];
};

struct seeds {
	struct seed *list;
	size_t count, cap;
	struct seed_name {
		char name[PEER_ARG_NAME_MAX];
		uint16_t port;
	} * names; /* to be resolved */
	size_t names_count, names_cap;
};

void seeds_clear(struct seeds *s);
/* One PEER argument. Prints what is wrong; returns an exit status. */
int seeds_add(struct seeds *s, const struct cli *cli, const struct network *network,
	      const char *peer);
/* A file with one PEER a line; empty lines and what follows a # are passed over. */
int seeds_read(struct seeds *s, const struct cli *cli, const struct network *network,
	       const char *path);

/* list[index] as an advert, which borrows from it. */
struct advert seeds_advert(const struct seeds *s, size_t index);

/* A file of addresses and CIDR blocks, one a line. The blocks are the caller's to free. */
int exclude_read(const struct cli *cli, const char *path, struct cidr **out, size_t *count);

#endif
