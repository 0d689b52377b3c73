#include "cli/fork_arg.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* The list's name for it is that of the network. */
static const char mainnet[] = "mainnet";

enum { NUMBER_MAX = 20 /* digits of a 64-bit number */ };

static enum err parse_genesis(struct slice text, struct ethereum_chain *chain, const char **rule)
{
	size_t len = 0;

	if (text.len >= 2 && memcmp(text.data, "0x", 2) == 0)
		text = slice_from(text, 2);
	*rule = "the hash of the first block: 64 hexadecimal digits";
	if (hex_decode(text, chain->genesis, sizeof(chain->genesis), &len) != ERR_OK ||
	    len != sizeof(chain->genesis))
		return ERR_SYNTAX;
	return ERR_OK;
}

static enum err add_fork(struct ethereum_chain *chain, uint64_t fork, const char **rule)
{
	uint64_t last = chain->forks_count > 0 ? chain->forks[chain->forks_count - 1] : 0;

	*rule = "the forks in ascending order: blocks, then times";
	if (fork < last)
		return ERR_VALUE;
	if (fork == last)
		return ERR_OK; /* at the genesis, or where another one is */
	*rule = "at most 24 forks";
	if (chain->forks_count == ETHEREUM_FORKS_MAX)
		return ERR_LIMIT;
	chain->forks[chain->forks_count++] = fork;
	chain->block_forks += fork <= ETHEREUM_FIRST_TIME_S;
	return ERR_OK;
}

/* "1150000,1920000,1681338455"; nothing at all for a chain without forks. */
static enum err parse_forks(const char *text, struct ethereum_chain *chain, const char **rule)
{
	enum err err = ERR_OK;

	while (err == ERR_OK && *text != 0) {
		size_t len = strcspn(text, ",");
		char number[NUMBER_MAX + 1];
		uint64_t fork = 0;

		*rule = "forks as decimal numbers with a comma between them";
		if (len == 0 || len > NUMBER_MAX || (text[len] == ',' && text[len + 1] == 0))
			return ERR_SYNTAX;
		snprintf(number, sizeof(number), "%.*s", (int)len, text);
		if (parse_uint(number, UINT64_MAX, &fork) != ERR_OK)
			return ERR_SYNTAX;
		err = add_fork(chain, fork, rule);
		text += text[len] == ',' ? len + 1 : len;
	}
	return err;
}

enum err fork_arg_parse(const char *text, struct fork_arg *out, const char **rule)
{
	const struct ethereum_chain *known =
		ethereum_chain_find(strcmp(text, mainnet) == 0 ? "ethereum" : text);
	const char *colon = strchr(text, ':');
	struct ethereum_chain chain = { .name = "custom" };
	enum err err;

	*out = (struct fork_arg){ 0 };
	*rule = NULL;
	if (known != NULL) {
		out->chain = *known;
		return ERR_OK;
	}
	if (colon == NULL)
		return ERR_NOT_FOUND;
	err = parse_genesis(slice_of(text, (size_t)(colon - text)), &chain, rule);
	if (err == ERR_OK)
		err = parse_forks(colon + 1, &chain, rule);
	if (err != ERR_OK)
		return err;
	*rule = NULL;
	out->chain = chain;
	return ERR_OK;
}

void fork_arg_names(char out[static FORK_ARG_NAMES_MAX])
{
	size_t len = (size_t)snprintf(out, FORK_ARG_NAMES_MAX, "%s", mainnet);

	for (size_t i = 0; i < ethereum_chains_count && len < FORK_ARG_NAMES_MAX; i++) {
		if (strcmp(ethereum_chains[i].name, "ethereum") != 0)
			len += (size_t)snprintf(out + len, FORK_ARG_NAMES_MAX - len, ", %s",
						ethereum_chains[i].name);
	}
}

size_t fork_arg_hashes(const struct ethereum_chain *chain,
		       uint8_t out[static FORK_ARG_HASHES_MAX][4])
{
	for (size_t n = 0; n <= chain->forks_count; n++)
		memcpy(out[n], forkid_after(chain, n).hash, sizeof(out[n]));
	return chain->forks_count + 1;
}
