#include "web/census_inner.h"

#include <stdio.h>
#include <string.h>

static bool consists_of(const char *text, const char *chars)
{
	return text[0] != 0 && text[strspn(text, chars)] == 0;
}

/* --- IPv4 --- */

/* Whether a part of the text fits a number: is its end, as the first of several parts; all of it,
 * in the middle; its beginning, as the last; or in it, as the only one. */
static bool part_fits(const char *number, size_t n, const char *part, size_t len, bool first,
		      bool last)
{
	if (first && last)
		return memmem(number, n, part, len) != NULL;
	if (len > n || (!first && !last && len != n))
		return false;
	return memcmp(first ? number + n - len : number, part, len) == 0;
}

static void octet_init(bool out[static 256], const char *part, size_t len, bool first, bool last)
{
	for (unsigned v = 0; v < 256; v++) {
		char text[4];
		size_t n = (size_t)snprintf(text, sizeof(text), "%u", v);

		out[v] = part_fits(text, n, part, len, first, last);
	}
}

static void ipv4_init(struct census_text *t)
{
	const char *part = t->text;
	unsigned dots = 0;

	if (!consists_of(part, "0123456789."))
		return;
	for (const char *c = part; *c != 0; c++)
		dots += *c == '.';
	if (dots > 3)
		return;
	t->octets = dots + 1;
	for (unsigned i = 0; i <= dots; i++) {
		size_t len = strcspn(part, ".");

		octet_init(t->octet[i], part, len, i == 0, i == dots);
		part += len + 1;
	}
}

static bool ipv4_match(const struct census_text *t, const uint8_t *host)
{
	for (unsigned at = 0; t->octets > 0 && at + t->octets <= 4; at++) {
		unsigned i = 0;

		while (i < t->octets && t->octet[i][host[at + i]])
			i++;
		if (i == t->octets)
			return true;
	}
	return false;
}

/* --- IPv6 --- */

static void group_init(uint8_t out[static 65536 / 8], const char *part, size_t len, bool first,
		       bool last)
{
	for (unsigned v = 0; v < 65536; v++) {
		char text[5];
		size_t n = 0;

		for (int shift = 12; shift >= 0; shift -= 4) {
			unsigned digit = v >> shift & 15;

			if (n > 0 || digit > 0 || shift == 0)
				text[n++] = "0123456789abcdef"[digit];
		}
		if (part_fits(text, n, part, len, first, last))
			out[v / 8] |= (uint8_t)(1U << v % 8);
	}
}

static void ipv6_init(struct census_text *t)
{
	const char *longest = t->text, *part = t->text;
	size_t longest_len = 0;
	unsigned colons = 0;

	if (!consists_of(part, "0123456789abcdef:"))
		return;
	for (const char *c = part; *c != 0; c++)
		colons += *c == ':';
	if (colons > 7)
		return;
	t->gap = strstr(part, "::") != NULL;
	t->groups = t->gap ? 1 : colons + 1;
	for (unsigned i = 0; i <= colons; i++) {
		size_t len = strcspn(part, ":");

		if (t->groups > 1)
			group_init(t->group[i], part, len, i == 0, i == colons);
		if (len > longest_len) {
			longest = part;
			longest_len = len;
		}
		part += len + 1;
	}
	if (t->groups == 1)
		group_init(t->group[0], longest, longest_len, true, true);
}

/* Whether its groups fit, from the one at `at` on; *zero: one of them is 0. */
static bool groups_fit(const struct census_text *t, const uint8_t *host, unsigned at, bool *zero)
{
	*zero = false;
	for (unsigned i = 0; i < t->groups; i++) {
		unsigned v = (unsigned)host[2 * (at + i)] << 8 | host[2 * (at + i) + 1];

		if ((t->group[i][v / 8] >> v % 8 & 1) == 0)
			return false;
		*zero |= v == 0;
	}
	return true;
}

static bool ipv6_match(const struct census_text *t, const struct census_row *row,
		       const uint8_t *host)
{
	struct netaddr addr = { .kind = row->kind };
	char text[NETADDR_HOST_TEXT_MAX];
	bool maybe = false, zero;

	for (unsigned at = 0; t->groups > 0 && at + t->groups <= 8; at++) {
		if (!groups_fit(t, host, at, &zero))
			continue;
		/* Zeros alone may be left out of the text. */
		if (!zero && !t->gap)
			return true;
		maybe = true;
	}
	if (!maybe)
		return false;
	memcpy(addr.bytes, host, 16);
	netaddr_host_text(&addr, text);
	return strstr(text, t->text) != NULL;
}

/* --- names in base 32 --- */

static void base32_init(struct census_text *t)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	size_t len = strcspn(t->text, ".");

	t->in_onion = strstr(".onion", t->text) != NULL;
	t->in_i2p = strstr(".b32.i2p", t->text) != NULL;
	if (len == 0 || len > 8 * sizeof(t->bits) / 5 || len != strspn(t->text, digits))
		return;
	t->digits32 = true;
	t->bits_len = len;
	for (size_t i = 0; i < 5 * len; i++) {
		size_t digit = (size_t)(strchr(digits, t->text[i / 5]) - digits);

		if (digit >> (4 - i % 5) & 1)
			t->bits[i / 8] |= (uint8_t)(0x80U >> i % 8);
	}
}

static bool same_bits(const uint8_t *a, const uint8_t *b, size_t bits)
{
	size_t whole = bits / 8, rest = bits % 8;

	return memcmp(a, b, whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

static bool base32_match(const struct census_text *t, const struct census_row *row,
			 const uint8_t *host, bool in_ending)
{
	size_t covered = netaddr_len(row->kind) * 8 / 5;
	struct netaddr addr = { .kind = row->kind };
	char text[NETADDR_HOST_TEXT_MAX];

	if (in_ending)
		return true;
	if (!t->digits32)
		return false;
	if (!same_bits(t->bits, host, 5 * (t->bits_len < covered ? t->bits_len : covered)))
		return false;
	if (t->len == t->bits_len && t->len <= covered)
		return true;
	memcpy(addr.bytes, host, netaddr_len(row->kind));
	netaddr_host_text(&addr, text);
	return strncmp(text, t->text, t->len) == 0;
}

/* --- all of them --- */

static void node_init(struct census_text *t)
{
	const char *hex = strncmp(t->text, "0x", 2) == 0 ? t->text + 2 : t->text;
	size_t len = strlen(hex);

	if (len < CENSUS_NODE_DIGITS_MIN || len > 2 * sizeof(t->node) ||
	    !consists_of(hex, "0123456789abcdef"))
		return;
	t->node_digits = len;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);

		t->node[i / 2] |= (uint8_t)(i % 2 == 0 ? digit << 4 : digit);
	}
}

void census_text_init(struct census_text *t, const char *text)
{
	const char *scheme = strstr(text, "://");

	*t = (struct census_text){ 0 };
	if (scheme != NULL)
		text = scheme + 3;
	t->len = scheme != NULL ? strcspn(text, "@?") : strlen(text);
	/* Nothing that is longer is in one of these texts. */
	if (t->len > CENSUS_TEXT_MAX)
		t->len = 0;
	for (size_t i = 0; i < t->len; i++)
		t->text[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
	if (t->len == 0)
		return;
	t->exact = netaddr_parse(slice_of(t->text, t->len), 0, &t->addr) == ERR_OK;
	ipv4_init(t);
	ipv6_init(t);
	base32_init(t);
	node_init(t);
}

static bool host_match(const struct census_text *t, const struct census_row *row,
		       const uint8_t *host)
{
	switch ((enum netaddr_kind)row->kind) {
	case NETADDR_IPV4:
		return ipv4_match(t, host);
	case NETADDR_IPV6:
	case NETADDR_CJDNS:
		return ipv6_match(t, row, host);
	case NETADDR_TORV2:
	case NETADDR_TORV3:
		return base32_match(t, row, host, t->in_onion);
	case NETADDR_I2P:
		return base32_match(t, row, host, t->in_i2p);
	case NETADDR_NONE:
		break;
	}
	return false;
}

bool census_text_match(const struct census_text *t, const struct census_row *row,
		       const uint8_t *host)
{
	size_t len = netaddr_len(row->kind);

	if (t->len == 0)
		return false;
	if (host_match(t, row, host))
		return true;
	if (t->exact && t->addr.kind == row->kind && memcmp(t->addr.bytes, host, len) == 0 &&
	    (t->addr.port == 0 || t->addr.port == row->port))
		return true;
	return t->node_digits > 0 && t->node_digits <= 2U * row->node_len &&
	       same_bits(t->node, host + len, 4 * t->node_digits);
}
