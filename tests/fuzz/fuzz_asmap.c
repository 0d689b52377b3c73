/* fuzz_asmap.c: files of Bitcoin Core's asmap format, and addresses looked up in them.
 *
 * The first 16 bytes of an input are an address, the rest is the file. Whatever that is, the
 * search ends. In a file that was found in order every address has an answer, which depends on the
 * bits alone that were asked for; and without its last byte it is no file any more. */
#include "fuzz/fuzz.h"
#include "geo/asmap.h"

#include <string.h>

enum {
	IP_BYTES = ASMAP_IP_BITS / 8,
	ASN_MAX = 33521664, /* the greatest that the format can write */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t ip[IP_BYTES];
	struct slice map;
	const char *rule = "";
	size_t at;
	bool good;

	if (size < IP_BYTES)
		return 0;
	memcpy(ip, data, IP_BYTES);
	map = slice_of(data + IP_BYTES, size - IP_BYTES);
	good = asmap_check(map, &rule, &at);
	CHECK(good == (rule == NULL) && at <= 8 * map.len);
	CHECK(asmap_find(map, ip) <= ASN_MAX);
	for (unsigned bit = 0; bit < ASMAP_IP_BITS; bit++) {
		ip[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		CHECK(asmap_find(map, ip) <= ASN_MAX);
	}
	if (good) {
		map.len--;
		CHECK(!asmap_check(map, &rule, &at));
	}
	return 0;
}
