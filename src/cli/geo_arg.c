#include "cli/geo_arg.h"

int geo_arg_open(const struct cli *cli, const struct geo_arg *arg, struct geo **out)
{
	char why[GEO_WHY_MAX];
	enum err err;

	*out = NULL;
	if (arg->mmdb.count == 0 && arg->asmap == NULL)
		return EXIT_DONE;
	err = geo_open(arg->mmdb.items, arg->mmdb.count, arg->asmap, out, why);
	if (err == ERR_LIMIT)
		return cli_usage(cli, "--mmdb: %s", why);
	if (err != ERR_OK)
		cli_error("%s", why);
	return err == ERR_OK ? EXIT_DONE : EXIT_FAILED;
}
