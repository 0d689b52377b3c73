/* asmap.h: Bitcoin Core's asmap files (-asmap): which AS announces an address.
 *
 * The file is a program for a machine that reads the bits of an address, the highest first. Its
 * instructions stand one after another, without gaps, the lowest bit of each byte first:
 *
 *     RETURN asn     the address is in this AS
 *     JUMP offset    takes a bit of the address; if it is 1, skips that many bits of the program
 *     MATCH bits     takes as many bits of the address; if they differ, the default is the answer
 *     DEFAULT asn    from here on, the answer where a MATCH fails
 *
 * A JUMP skips exactly the program for the other value of its bit, so that all of it is a tree.
 * Before the first DEFAULT the answer of a failed MATCH is 0: no AS. */
#ifndef PEERWALK_GEO_ASMAP_H
#define PEERWALK_GEO_ASMAP_H

#include "base/bytes.h"

enum {
	/* Twelve times what bitcoin-core/asmap-data publishes; offsets in bits fit 28 bits. */
	ASMAP_BYTES_MAX = 32 * 1024 * 1024,
	ASMAP_IP_BITS = 128, /* IPv4 is ::ffff:a.b.c.d */
};

/* Whether every address finds its way to an answer: what Bitcoin Core asks of a file, too. If not,
 * *rule says what is wrong, and *at_bit where. Takes the time of reading the file once. */
bool asmap_check(struct slice map, const char **rule, size_t *at_bit);
/* The AS of an address; 0: none. Of a file that was not checked the answer may be anything, but it
 * comes, and within the file's length. */
uint32_t asmap_find(struct slice map, const uint8_t ip[static ASMAP_IP_BITS / 8]);

#endif
