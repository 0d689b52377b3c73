/* report_places.c: the tables of a report that say where peers are. */
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

enum err gather_place_row(struct gather *g, enum report_table_id id, const struct tally_entry *e)
{
	char what[32], label[LABEL_MAX];

	if (id == REPORT_COUNTRIES)
		snprintf(what, sizeof(what), "%c%c", (char)(e->number >> 8),
			 (char)(e->number & 0xff));
	else
		snprintf(what, sizeof(what), "AS%" PRId64, e->number);
	named_label(what, e->name, label, sizeof(label));
	if (id == REPORT_COUNTRIES)
		return report_text_row(g->report, g->options, id, what, label, e->count);
	return report_number_row(g->report, g->options, id, e->number, label, e->count);
}

static enum err on_reached(void *ctx, const struct netaddr *addr)
{
	gather_place(ctx, addr);
	return ERR_OK;
}

enum err report_places_walk(struct store *s, const struct report_options *options, struct report *r)
{
	struct gather *g = gather_new(options, r);
	enum err err = g != NULL ? store_reached(s, r->crawl.id, on_reached, g) : ERR_NOMEM;

	if (err == ERR_OK)
		err = gather_tally(g, REPORT_COUNTRIES);
	if (err == ERR_OK)
		err = gather_tally(g, REPORT_ASNS);
	gather_free(g);
	return err;
}
