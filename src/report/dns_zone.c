#include "report/dns_zone.h"

#include <inttypes.h>
#include <string.h>

enum {
	LABEL_MAX = 63,
	STRING_MAX = 255,
	/* Of secondary servers, which are told of changes anyway (RFC 1996): they ask again after a
	 * quarter of an hour, go on trying each five minutes, and give up after a week. */
	REFRESH_S = 900,
	RETRY_S = 300,
	EXPIRE_S = 7 * 24 * 60 * 60,
	NS_TTL_S = 3600, /* of what hardly ever changes, unlike addresses */
	NEGATIVE_S = 60, /* that there is no such name may be remembered so long */
};

static bool is_label_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool dns_name_parse(struct slice text, char out[static DNS_NAME_MAX])
{
	size_t label = 0, dots = 0;

	out[0] = 0;
	if (text.len > 0 && text.data[text.len - 1] == '.')
		text.len--;
	if (text.len == 0 || text.len >= DNS_NAME_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		out[i] = (char)c;
		if (c == '.' && label > 0 && out[i - 1] != '-') {
			label = 0;
			dots++;
		} else if (!is_label_char(c) || (c == '-' && label == 0) || ++label > LABEL_MAX) {
			return false;
		}
	}
	out[text.len] = 0;
	return dots > 0 && label > 0 && out[text.len - 1] != '-';
}

bool dns_contact_parse(struct slice text, char out[static DNS_NAME_MAX])
{
	const uint8_t *at = text.len > 0 ? memchr(text.data, '@', text.len) : NULL;
	size_t user = at != NULL ? (size_t)(at - text.data) : 0, len = 0;
	char domain[DNS_NAME_MAX];

	if (at == NULL)
		return dns_name_parse(text, out);
	if (user == 0 || user > LABEL_MAX || !dns_name_parse(slice_from(text, user + 1), domain))
		return false;
	for (size_t i = 0; i < user; i++) {
		uint8_t c = text.data[i];

		if (!is_label_char(c) && !(c >= 'A' && c <= 'Z') && c != '.' && c != '+')
			return false;
		if (c == '.')
			out[len++] = '\\';
		out[len++] = (char)c;
	}
	if (len + 1 + strlen(domain) >= DNS_NAME_MAX)
		return false;
	out[len++] = '.';
	memcpy(out + len, domain, strlen(domain) + 1);
	return true;
}

void dns_zone_head(struct text *out, const struct dns_zone *zone)
{
	text_printf(out, "$ORIGIN %s.\n$TTL %" PRIu32 "\n", zone->origin, zone->ttl_s);
	if (zone->ns_count == 0)
		return;
	text_printf(out, "@ %d IN SOA %s. %s. %" PRIu32 " %d %d %d %d\n", NS_TTL_S, zone->ns[0],
		    zone->contact, zone->serial, REFRESH_S, RETRY_S, EXPIRE_S, NEGATIVE_S);
	for (size_t i = 0; i < zone->ns_count; i++)
		text_printf(out, "@ %d IN NS %s.\n", NS_TTL_S, zone->ns[i]);
}

void dns_zone_txt(struct text *out, const char *name, uint32_t ttl_s, struct slice text)
{
	text_printf(out, "%s %" PRIu32 " IN TXT", name, ttl_s);
	do {
		size_t len = text.len < STRING_MAX ? text.len : STRING_MAX;

		text_add(out, " \"");
		text_add_slice(out, slice_of(text.data, len));
		text_add(out, "\"");
		text = slice_from(text, len);
	} while (text.len > 0);
	text_add(out, "\n");
}
