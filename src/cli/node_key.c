#include "cli/node_key.h"

#include "cli/cli.h"

#include "io/dial.h"
#include "io/keyfile.h"

#include <string.h>

int node_key_read(const char *path, bool may_create, struct node_key *out)
{
	uint8_t random[SECP_RANDOM_LEN];
	char why[KEYFILE_WHY_MAX];
	enum err err;

	*out = (struct node_key){ 0 };
	dial_random(random, sizeof(random));
	secp_init(&out->secp, random);
	explicit_bzero(random, sizeof(random));
	if (may_create)
		err = keyfile_read_or_create(path, &out->key, &out->created, why);
	else
		err = keyfile_read(path, &out->key, why);
	if (err != ERR_OK) {
		cli_error("%s", why);
		return EXIT_FAILED;
	}
	secp_public(&out->secp, &out->key, out->public);
	return EXIT_DONE;
}

void node_key_clear(struct node_key *k)
{
	secp_key_clear(&k->key);
	secp_clear(&k->secp);
}
