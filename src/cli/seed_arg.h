/* seed_arg.h: options of export for those who run a DNS seed or publish a list of nodes: what is in
 * the zone, and who is good enough for it. */
#ifndef PEERWALK_CLI_SEED_ARG_H
#define PEERWALK_CLI_SEED_ARG_H

#include "cli/cli.h"
#include "cli/node_key.h"
#include "report/export_enrtree.h"
#include "report/export_zone.h"

struct seed_arg {
	const char *origin, *contact, *key, *filter;
	struct option_list ns, links;
	uint64_t ttl_ms, serial, seq, max_age_ms, port, per_name, height_within;
	double min_uptime;
	bool allow_private;
};

#define SEED_ARG_AT(at, field) .offset = (at) + offsetof(struct seed_arg, field)

/* Rows, for the middle of a table. */
/* clang-format off */
#define SEED_ARG_ROWS(at)                                                                          \
	{ .name = "origin", .type = OPTION_TEXT, .arg = "NAME", SEED_ARG_AT(at, origin),           \
	  .help = "zone, enrtree: the DNS name of the seed or the tree, below which all others "   \
		  "are" },                                                                         \
	{ .name = "ns", .type = OPTION_LIST, .arg = "NAME", SEED_ARG_AT(at, ns),                   \
	  .help = "zone, enrtree: a name server of it, the primary one first; without any "      \
		  "there are no SOA and NS records, for a file that "        \
		  "another zone includes" },                                                       \
	{ .name = "contact", .type = OPTION_TEXT, .arg = "MAIL", SEED_ARG_AT(at, contact),         \
	  .help = "zone, enrtree: whom to write to, for SOA; otherwise hostmaster at the origin" },\
	{ .name = "ttl", .type = OPTION_DURATION, .arg = "T", SEED_ARG_AT(at, ttl_ms),             \
	  .help = "zone, enrtree: how long others may keep addresses, or the root of the tree",    \
	  .initial = "60s", .min = 1 },                                                            \
	{ .name = "serial", .type = OPTION_UINT, .arg = "N", SEED_ARG_AT(at, serial),              \
	  .help = "zone, enrtree: the number of this version of the zone, by which the peers in "  \
		  "it are drawn, too; otherwise the time, in seconds since 1970",                  \
	  .min = 1, .max = UINT32_MAX },                                                           \
	{ .name = "min-uptime", .type = OPTION_FRACTION, .arg = "F", SEED_ARG_AT(at, min_uptime),  \
	  .help = "seeds, zone, enrtree: the share of the time that a good peer is up",            \
	  .initial = "50%" },                                                                      \
	{ .name = "max-age", .type = OPTION_DURATION, .arg = "T", SEED_ARG_AT(at, max_age_ms),     \
	  .help = "seeds, zone, enrtree: who is good was reached no longer ago", .initial = "1d",  \
	  .min = 1 },                                                                              \
	{ .name = "filter", .type = OPTION_TEXT, .arg = "x1,x9,...", SEED_ARG_AT(at, filter),      \
	  .help = "zone: names for peers that offer certain services: x and the hexadecimal sum "  \
		  "of their bits; \"none\" for the origin alone",                                  \
	  .initial = "x1,x5,x9,xd,x49,x400,x404,x408,x40c,x448,x809,x849,xc08,xc48" },             \
	{ .name = "per-name", .type = OPTION_UINT, .arg = "N", SEED_ARG_AT(at, per_name),          \
	  .help = "zone: IPv4 addresses of a name, at most, and as many of IPv6; fewer if they "   \
		  "would not fit an answer of 512 bytes",                                          \
	  .initial = "25", .min = 1, .max = ZONE_PER_NAME_MAX },                                   \
	{ .name = "height-within", .type = OPTION_UINT, .arg = "N", SEED_ARG_AT(at, height_within),\
	  .help = "zone: who is further away from the median height, in blocks, is left out; of "  \
		  "chains with more than six blocks an hour more are wanted",                      \
	  .initial = "288" },                                                                      \
	{ .name = "port", .type = OPTION_UINT, .arg = "N", SEED_ARG_AT(at, port),                  \
	  .help = "zone: the port of peers, as DNS tells none; otherwise the network's",           \
	  .min = 1, .max = UINT16_MAX },                                                           \
	{ .name = "allow-private", .type = OPTION_FLAG, SEED_ARG_AT(at, allow_private),            \
	  .help = "zone: addresses that aren't public, too" },                                     \
	{ .name = "key", .type = OPTION_TEXT, .arg = "FILE", SEED_ARG_AT(at, key),                 \
	  .help = "enrtree: the private key that signs it, as the subcommand key makes one" },     \
	{ .name = "seq", .type = OPTION_UINT, .arg = "N", SEED_ARG_AT(at, seq),                    \
	  .help = "enrtree: the number of this version of the tree; otherwise the time, in "       \
		  "seconds since 1970", .min = 1, .max = INT64_MAX },                              \
	{ .name = "link", .type = OPTION_LIST, .arg = "URL", SEED_ARG_AT(at, links),               \
	  .help = "enrtree: somebody else's tree (enrtree://...), to look in, too" }
/* clang-format on */

/* Lives as long as what it is read from. */
struct seed_options {
	struct dns_zone zone;
	struct export_names names;
	struct export_tree tree;
	struct node_key key;
	bool has_key;
};

/* For --format `format`. Prints what is wrong, and returns an exit status; seed_options_clear in
 * every case. names.port stays 0 where no --port says it. */
int seed_arg_read(const struct cli *cli, const struct seed_arg *arg, const char *format,
		  struct seed_options *out, struct export_options *extra);
void seed_options_clear(struct seed_options *o);

#endif
