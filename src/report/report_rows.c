/* report_rows.c: the rows of a report's tables: what stands in them for programs and for people. */
#include "report/report_gather.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool report_has_numbers(enum report_table_id id)
{
	return id == REPORT_PROTOCOLS || id == REPORT_SERVICES || id == REPORT_SERVICE_BITS ||
	       id == REPORT_PORTS || id == REPORT_NETWORKS || id == REPORT_ASNS;
}

static enum err add_row(struct report_table *t, const char *label, const char *value,
			uint64_t count)
{
	struct report_row *rows = realloc(t->rows, (t->count + 1) * sizeof(*rows));
	struct report_row *row;

	if (rows == NULL)
		return ERR_NOMEM;
	t->rows = rows;
	row = &rows[t->count++];
	*row = (struct report_row){ .label = strdup(label), .count = count };
	if (value != NULL)
		row->value = strdup(value);
	return row->label != NULL && (value == NULL || row->value != NULL) ? ERR_OK : ERR_NOMEM;
}

void report_row_clear(struct report_row *row)
{
	free(row->label);
	free(row->value);
	*row = (struct report_row){ 0 };
}

/* "NETWORK", or "bit 27". */
static void bit_text(const struct report *r, const struct report_options *o, unsigned bit,
		     char *out, size_t cap)
{
	const char *name = o->service_name != NULL ? o->service_name(r->crawl.network, bit) : NULL;

	if (name != NULL)
		snprintf(out, cap, "%s", name);
	else
		snprintf(out, cap, "bit %u", bit);
}

/* "0x409 NETWORK WITNESS NETWORK_LIMITED" */
static void services_text(const struct report *r, const struct report_options *o, uint64_t services,
			  char *out, size_t cap)
{
	size_t len = (size_t)snprintf(out, cap, "0x%" PRIx64, services);

	for (unsigned bit = 0; bit < 64 && len < cap; bit++) {
		char name[48];

		if ((services >> bit & 1) == 0)
			continue;
		bit_text(r, o, bit, name, sizeof(name));
		len += (size_t)snprintf(out + len, cap - len, " %s", name);
	}
}

static void number_text(const struct report *r, const struct report_options *o,
			enum report_table_id id, int64_t number, char *out, size_t cap)
{
	char name[64] = "";

	if (id == REPORT_SERVICES) {
		services_text(r, o, (uint64_t)number, out, cap);
	} else if (id == REPORT_SERVICE_BITS) {
		bit_text(r, o, (unsigned)number & 63, out, cap);
	} else if (id == REPORT_NETWORKS) {
		if (o->network_text != NULL)
			o->network_text((uint64_t)number, name, sizeof(name));
		snprintf(out, cap, "%" PRIu64 "%s%s", (uint64_t)number, name[0] != 0 ? " " : "",
			 name);
	} else {
		snprintf(out, cap, "%" PRId64, number);
	}
}

enum err report_number_row(struct report *r, const struct report_options *o,
			   enum report_table_id id, int64_t number, const char *label,
			   uint64_t count)
{
	struct report_table *t = &r->tables[id];
	char text[LABEL_MAX];
	enum err err;

	if (label == NULL)
		number_text(r, o, id, number, text, sizeof(text));
	err = add_row(t, label != NULL ? label : text, NULL, count);
	if (err == ERR_OK) {
		t->rows[t->count - 1].is_number = true;
		t->rows[t->count - 1].number = number;
	}
	return err;
}

/* "0x07c9462e mainnet" */
static enum err fork_row(struct report *r, const struct report_options *o, const char *value,
			 uint64_t count)
{
	struct text label = { 0 };
	char name[64] = "";
	uint8_t hash[4];
	size_t len = 0;
	enum err err;

	if (o->fork_text != NULL && strlen(value) == 2 + 2 * sizeof(hash) &&
	    hex_decode(slice_text(value + 2), hash, sizeof(hash), &len) == ERR_OK)
		o->fork_text(hash, r->crawl.started_at_ms, name, sizeof(name));
	text_add(&label, value);
	if (name[0] != 0) {
		text_add(&label, " ");
		text_add(&label, name);
	}
	err = label.err;
	if (err == ERR_OK)
		err = add_row(&r->tables[REPORT_FORKS], label.data, value, count);
	text_clear(&label);
	return err;
}

enum err report_text_row(struct report *r, const struct report_options *o, enum report_table_id id,
			 const char *value, const char *label, uint64_t count)
{
	if (id == REPORT_FORKS)
		return fork_row(r, o, value, count);
	return add_row(&r->tables[id], label != NULL ? label : value, label != NULL ? value : NULL,
		       count);
}

static enum err tally_row(struct gather *g, enum report_table_id id, const struct tally_entry *e)
{
	char value[LABEL_MAX];
	struct slice key = slice_of(e->key, e->len);

	if (id == REPORT_COUNTRIES || id == REPORT_ASNS)
		return gather_place_row(g, id, e);
	if (report_has_numbers(id))
		return report_number_row(g->report, g->options, id, e->number, NULL, e->count);
	if (id == REPORT_FORKS) {
		snprintf(value, sizeof(value), "0x");
		hex_encode(slice_of(e->key, e->len < 4 ? e->len : 4), value + 2);
	} else {
		text_escape(key, value, sizeof(value));
	}
	return report_text_row(g->report, g->options, id, value, NULL, e->count);
}

enum err gather_tally(struct gather *g, enum report_table_id id)
{
	struct report_table *t = &g->report->tables[id];
	struct tally *tally = &g->tallies[id];
	enum err err = tally->err;

	tally_sort_by_count(tally);
	t->total = tally->total;
	t->distinct = tally->len;
	t->others = tally->cut;
	for (size_t i = 0; i < tally->len && err == ERR_OK; i++) {
		if (g->options->top == 0 || i < g->options->top)
			err = tally_row(g, id, &tally->entries[i]);
		else
			t->others += tally->entries[i].count;
	}
	return err;
}
