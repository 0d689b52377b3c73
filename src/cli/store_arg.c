#include "cli/store_arg.h"

#include <sys/random.h>
#include <time.h>

int store_arg_forks(const struct cli *cli, const struct store_arg *arg, struct store_forks *out)
{
	struct fork_arg fork;
	const char *rule;
	char names[FORK_ARG_NAMES_MAX];
	enum err err;

	out->count = 0;
	if (arg->fork == NULL)
		return EXIT_DONE;
	err = fork_arg_parse(arg->fork, &fork, &rule);
	if (err == ERR_NOT_FOUND) {
		fork_arg_names(names);
		return cli_usage(cli,
				 "--fork: there is no chain \"%s\"; expected %s, or "
				 "GENESIS:FORK,FORK,...",
				 arg->fork, names);
	}
	if (err != ERR_OK)
		return cli_usage(cli, "--fork: expected %s", rule);
	out->count = fork_arg_hashes(&fork.chain, out->hashes);
	return EXIT_DONE;
}

struct store *store_arg_open(const struct store_arg *arg)
{
	struct store *store = NULL;
	char why[640];

	if (store_open(arg->db, STORE_READ, &store, why, sizeof(why)) != ERR_OK)
		cli_error("%s", why);
	return store;
}

void store_arg_waits(const struct cli *cli, const char *db)
{
	cli_note(cli,
		 "waiting for another process, which holds %s; end it, or name another file with "
		 "--db",
		 db);
}

struct hash_key store_arg_hash_key(void)
{
	struct hash_key key;

	/* Early at boot the kernel may have no randomness yet: then the time must do, as
	 * nobody can answer a reader of a file. */
	if (getrandom(&key, sizeof(key), GRND_NONBLOCK) != (ssize_t)sizeof(key)) {
		struct timespec now;

		clock_gettime(CLOCK_REALTIME, &now);
		key = (struct hash_key){ (uint64_t)now.tv_nsec, (uint64_t)now.tv_sec };
	}
	return key;
}
