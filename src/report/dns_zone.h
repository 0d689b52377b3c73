/* dns_zone.h: what zone files have in common (RFC 1035, section 5): names, the head, records.
 *
 * Names are an operator's: letters, digits, hyphens and underscores alone, so that nothing in a
 * file needs quoting. With name servers the file is a whole zone, with SOA and NS; without any it
 * is records alone, to be included in somebody's zone. */
#ifndef PEERWALK_REPORT_DNS_ZONE_H
#define PEERWALK_REPORT_DNS_ZONE_H

#include "base/text.h"

enum {
	DNS_NAME_MAX = 254, /* with NUL; RFC 1035 has 255 bytes on the wire */
	DNS_NS_MAX = 8      /* name servers of a zone; more would not fit beside an answer */
};

struct dns_zone {
	char origin[DNS_NAME_MAX];
	char ns[DNS_NS_MAX][DNS_NAME_MAX];
	size_t ns_count;
	char contact[DNS_NAME_MAX]; /* as a name, RFC 1035, section 8 */
	uint32_t ttl_s, serial;
};

/* "Seed.Example.org." becomes "seed.example.org". False if it is no name, or has no dot. */
bool dns_name_parse(struct slice text, char out[static DNS_NAME_MAX]);
/* "host.master@example.org" becomes "host\.master.example.org"; a name stays one. */
bool dns_contact_parse(struct slice text, char out[static DNS_NAME_MAX]);

/* $ORIGIN, $TTL, and SOA and NS where there are name servers. */
void dns_zone_head(struct text *out, const struct dns_zone *zone);
/* A record of text at a name below the origin ("@": the origin itself), in strings of up to 255
 * bytes. The text is ours: printable ASCII without quotation marks and backslashes. */
void dns_zone_txt(struct text *out, const char *name, uint32_t ttl_s, struct slice text);

#endif
