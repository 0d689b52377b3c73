#include "cli/seed_arg.h"

#include "io/wall.h"

#include <stdio.h>
#include <string.h>

enum {
	/* What stands before an origin, with its dot: a hash of a tree, or all bits of services. */
	LABEL_MAX = ENRTREE_NAME_LEN + 1,
};

static int read_zone(const struct cli *cli, const struct seed_arg *arg, const char *format,
		     int64_t now_s, struct dns_zone *out)
{
	if (arg->origin == NULL)
		return cli_usage(cli, "--format %s needs --origin NAME: the DNS name of the %s",
				 format, strcmp(format, "zone") == 0 ? "seed" : "tree");
	if (!dns_name_parse(slice_text(arg->origin), out->origin) ||
	    strlen(out->origin) + LABEL_MAX >= DNS_NAME_MAX)
		return cli_usage(cli,
				 "--origin: expected a DNS name such as seed.example.org, not "
				 "\"%s\"",
				 arg->origin);
	if (arg->ns.count > DNS_NS_MAX)
		return cli_usage(cli, "--ns: at most %d name servers", DNS_NS_MAX);
	for (size_t i = 0; i < arg->ns.count; i++) {
		if (!dns_name_parse(slice_text(arg->ns.items[i]), out->ns[i]))
			return cli_usage(cli,
					 "--ns: expected a DNS name such as ns.example.org, "
					 "not \"%s\"",
					 arg->ns.items[i]);
	}
	out->ns_count = arg->ns.count;
	snprintf(out->contact, sizeof(out->contact), "hostmaster.%.*s", DNS_NAME_MAX - 12,
		 out->origin);
	if (arg->contact != NULL && !dns_contact_parse(slice_text(arg->contact), out->contact))
		return cli_usage(cli,
				 "--contact: expected a mail address such as "
				 "hostmaster@example.org, not \"%s\"",
				 arg->contact);
	if (arg->ttl_ms < 1000 || arg->ttl_ms / 1000 > INT32_MAX)
		return cli_usage(cli, "--ttl: expected whole seconds, such as 60s or 5m");
	out->ttl_s = (uint32_t)(arg->ttl_ms / 1000);
	out->serial = arg->serial != 0 ? (uint32_t)arg->serial : (uint32_t)now_s;
	return EXIT_DONE;
}

static int read_names(const struct cli *cli, const struct seed_arg *arg, struct export_names *out)
{
	struct slice rest = slice_text(arg->filter);

	out->port = (uint16_t)arg->port;
	out->allow_private = arg->allow_private;
	out->per_name = arg->per_name;
	out->height_within = arg->height_within;
	if (strcmp(arg->filter, "none") == 0)
		return EXIT_DONE;
	for (bool more = true; more;) {
		const uint8_t *comma = rest.len > 0 ? memchr(rest.data, ',', rest.len) : NULL;
		struct slice name = rest;
		uint64_t bits;

		if (comma != NULL)
			name.len = (size_t)(comma - rest.data);
		if (!zone_filter_parse(name, &bits))
			return cli_usage(cli,
					 "--filter: expected names such as x1,x9,x49 (x, and "
					 "hexadecimal digits in lower case), or none, not "
					 "\"%.*s\"",
					 (int)name.len, (const char *)name.data);
		for (size_t i = 0; i < out->filters_count; i++) {
			if (out->filters[i] == bits)
				return cli_usage(cli, "--filter: \"%.*s\" is there twice",
						 (int)name.len, (const char *)name.data);
		}
		if (out->filters_count == ZONE_FILTERS_MAX)
			return cli_usage(cli, "--filter: at most %d names", ZONE_FILTERS_MAX);
		out->filters[out->filters_count++] = bits;
		more = comma != NULL;
		rest = slice_from(rest, name.len + 1);
	}
	return EXIT_DONE;
}

static int read_tree(const struct cli *cli, const struct seed_arg *arg, int64_t now_s,
		     struct seed_options *out)
{
	int status;

	if (arg->key == NULL)
		return cli_usage(cli, "--format enrtree needs --key FILE, which signs it; "
				      "\"peerwalk key FILE\" makes one");
	if (arg->links.count > ENRTREE_LINKS_MAX)
		return cli_usage(cli, "--link: at most %d trees", ENRTREE_LINKS_MAX);
	for (size_t i = 0; i < arg->links.count; i++) {
		if (!enrtree_url_valid(slice_text(arg->links.items[i])))
			return cli_usage(cli, "--link: expected enrtree://KEY@NAME, not \"%s\"",
					 arg->links.items[i]);
	}
	out->has_key = true;
	status = node_key_read(arg->key, false, &out->key);
	out->tree = (struct export_tree){
		.secp = &out->key.secp,
		.key = &out->key.key,
		.seq = arg->seq != 0 ? arg->seq : (uint64_t)now_s,
		.links = arg->links.items,
		.links_count = arg->links.count,
	};
	return status;
}

int seed_arg_read(const struct cli *cli, const struct seed_arg *arg, const char *format,
		  struct seed_options *out, struct export_options *extra)
{
	bool zone = strcmp(format, "zone") == 0, tree = strcmp(format, "enrtree") == 0;
	int64_t now_ms = wall_ms();
	int status = EXIT_DONE;

	*out = (struct seed_options){ 0 };
	extra->rules = (struct export_rules){ .now_ms = now_ms,
					      .max_age_ms = arg->max_age_ms,
					      .min_uptime = arg->min_uptime };
	if (zone || tree)
		status = read_zone(cli, arg, format, now_ms / 1000, &out->zone);
	if (status == EXIT_DONE && zone)
		status = read_names(cli, arg, &out->names);
	if (status == EXIT_DONE && tree)
		status = read_tree(cli, arg, now_ms / 1000, out);
	extra->zone = &out->zone;
	extra->names = &out->names;
	extra->tree = &out->tree;
	return status;
}

void seed_options_clear(struct seed_options *o)
{
	if (o->has_key)
		node_key_clear(&o->key);
}
