/* export_zone.h: the good peers of one network as the zone of a DNS seed: addresses for the origin,
 * and for names that say which services are wanted ("x9": the hexadecimal sum of the bits).
 *
 * DNS tells addresses alone, so that peers have to be at the network's own port. Good is who is
 * good by the rules (good.h), speaks GOOD_PROTOCOL_MIN or newer, and whose height is near the
 * median of all those. The origin has those that offer all blocks; a name, those that offer all of
 * its bits. Of a name, one address at most is in a /16 of IPv4 or a /32 of IPv6, or, where a
 * database knows it, in an autonomous system: whoever owns a network can't fill an answer.
 *
 * Which of the good a name has is drawn by its bits and the zone's serial: another serial, another
 * draw; the same, the same file. Nothing that a peer has said stands in it. */
#ifndef PEERWALK_REPORT_EXPORT_ZONE_H
#define PEERWALK_REPORT_EXPORT_ZONE_H

#include "report/dns_zone.h"
#include "report/export.h"

enum {
	ZONE_FILTERS_MAX = 32,  /* names; seeds that answer all that Core may ask have fourteen */
	ZONE_PER_NAME_MAX = 30, /* more A records than that are no answer of 512 bytes */
};

struct export_names {
	uint16_t port;
	bool allow_private; /* addresses that aren't public, too */
	size_t per_name;    /* addresses of each type, at most; and no more than an answer holds */
	uint64_t height_within; /* blocks */
	uint64_t filters[ZONE_FILTERS_MAX];
	size_t filters_count;
};

/* "x9": 9. Lower-case hex digits without a leading zero. */
bool zone_filter_parse(struct slice text, uint64_t *out);

/* Takes zone, rules, names and geo of the options. The network is that of the filter, or else of
 * the newest crawl. *rows counts addresses; note gets how many peers are good. ERR_VALUE, and note
 * says why: nobody is. Holds 64 bytes of each peer that was reached. ERR_NOMEM; store errors; the
 * sink's. */
export_run_fn export_zone_run;

#endif
