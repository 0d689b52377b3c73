#include "report/report_gather.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>

/* A country is counted by the two letters of its code, the first one in the higher byte. */
static int64_t country_number(const char code[static 3])
{
	return (int64_t)(uint8_t)code[0] << 8 | (uint8_t)code[1];
}

void gather_place(struct gather *g, const struct netaddr *addr)
{
	struct geo_place place;

	if (g->options->geo == NULL)
		return;
	geo_find(g->options->geo, addr, &place);
	if (place.country[0] != 0)
		tally_add_named(&g->tallies[REPORT_COUNTRIES], country_number(place.country),
				place.country_name);
	if (place.asn != 0)
		tally_add_named(&g->tallies[REPORT_ASNS], place.asn, place.as_name);
}

/* "DE Germany", "AS64500 Example Net": names come out of a file that may be anybody's. */
static void named_label(const char *what, const char *name, char *out, size_t cap)
{
	char harmless[4 * GEO_NAME_MAX + 1] = "";

	if (name != NULL)
		text_escape(slice_text(name), harmless, sizeof(harmless));
	snprintf(out, cap, "%s%s%s", what, harmless[0] != 0 ? " " : "", harmless);
}

static enum err country_row(const struct gather *g, struct report_table *t,
			    const struct tally_entry *e)
{
	const char code[] = { (char)(e->number >> 8), (char)(e->number & 0xff), 0 };
	char label[LABEL_MAX];

	(void)g;
	named_label(code, e->name, label, sizeof(label));
	return gather_row(t, label, code, e->count);
}

static enum err asn_row(const struct gather *g, struct report_table *t, const struct tally_entry *e)
{
	char as[32], label[LABEL_MAX];

	(void)g;
	snprintf(as, sizeof(as), "AS%" PRId64, e->number);
	named_label(as, e->name, label, sizeof(label));
	return gather_number_row(t, label, e->number, e->count);
}

enum err gather_fill_places(struct gather *g)
{
	enum err err = gather_tally(g, REPORT_COUNTRIES, country_row);

	return err == ERR_OK ? gather_tally(g, REPORT_ASNS, asn_row) : err;
}
