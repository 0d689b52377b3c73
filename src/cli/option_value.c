#include "cli/option_value.h"

#include "base/text.h"
#include "cli/alloc.h"
#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void *field_of(const struct option_row *row, void *base)
{
	return (char *)base + row->offset;
}

static bool parse_bool(const char *text, bool *out)
{
	static const char *const yes[] = { "yes", "true", "on", "1" };
	static const char *const no[] = { "no", "false", "off", "0" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
			*out = strcasecmp(text, yes[i]) == 0;
			return true;
		}
	}
	return false;
}

static bool set_uint(const struct option_row *row, const char *text, uint64_t *out)
{
	uint64_t v;

	if (parse_uint(text, row->max != 0 ? row->max : UINT64_MAX, &v) != ERR_OK || v < row->min)
		return false;
	*out = v;
	return true;
}

static bool set_choice(const struct option_row *row, const char *text, const char **out)
{
	size_t len = strlen(text);
	const char *p = row->choices;

	while (p != NULL && *p != '\0') {
		size_t word = strcspn(p, " ");

		if (len > 0 && word == len && memcmp(p, text, len) == 0) {
			*out = text;
			return true;
		}
		p += word + strspn(p + word, " ");
	}
	return false;
}

static void list_add(struct option_list *list, const char *item)
{
	list->items = alloc_grow(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = item;
}

static bool set_count(const char *text, unsigned *out)
{
	uint64_t v;

	if (text == NULL) {
		(*out)++;
		return true;
	}
	if (parse_uint(text, 9, &v) != ERR_OK)
		return false;
	*out = (unsigned)v;
	return true;
}

bool option_value_set(const struct option_row *row, void *base, const char *text)
{
	void *field = field_of(row, base);

	switch (row->type) {
	case OPTION_FLAG:
		if (text != NULL)
			return parse_bool(text, field);
		*(bool *)field = true;
		return true;
	case OPTION_COUNT:
		return set_count(text, field);
	case OPTION_TEXT:
		*(const char **)field = text;
		return true;
	case OPTION_LIST:
		list_add(field, text);
		return true;
	case OPTION_UINT:
		return set_uint(row, text, field);
	case OPTION_DURATION:
		return parse_duration(text, field) == ERR_OK && *(uint64_t *)field >= row->min;
	case OPTION_SIZE:
		return parse_size(text, field) == ERR_OK;
	case OPTION_RATE:
		return parse_rate(text, field) == ERR_OK && (row->min == 0 || *(double *)field > 0);
	case OPTION_FRACTION:
		return parse_fraction(text, field) == ERR_OK;
	case OPTION_CHOICE:
		return set_choice(row, text, field);
	}
	return false;
}

void option_value_reset(const struct option_row *row, void *base)
{
	struct option_list *list;

	/* Other types are overwritten by the next value. */
	switch (row->type) {
	case OPTION_COUNT:
		*(unsigned *)field_of(row, base) = 0;
		return;
	case OPTION_LIST:
		list = field_of(row, base);
		free(list->items);
		*list = (struct option_list){ 0 };
		return;
	case OPTION_FLAG:
	case OPTION_TEXT:
	case OPTION_UINT:
	case OPTION_DURATION:
	case OPTION_SIZE:
	case OPTION_RATE:
	case OPTION_FRACTION:
	case OPTION_CHOICE:
		return;
	}
}

static void expected_uint(const struct option_row *row, char *out, size_t cap)
{
	if (row->max != 0)
		snprintf(out, cap, "a whole number from %llu to %llu", (unsigned long long)row->min,
			 (unsigned long long)row->max);
	else if (row->min != 0)
		snprintf(out, cap, "a whole number, at least %llu", (unsigned long long)row->min);
	else
		snprintf(out, cap, "a whole number");
}

void option_expected(const struct option_row *row, char out[static OPTIONS_EXPECTED_MAX])
{
	const char *text = "text";

	switch (row->type) {
	case OPTION_FLAG:
		text = "yes or no";
		break;
	case OPTION_COUNT:
		text = "a whole number from 0 to 9";
		break;
	case OPTION_TEXT:
	case OPTION_LIST:
		break;
	case OPTION_UINT:
		expected_uint(row, out, OPTIONS_EXPECTED_MAX);
		return;
	case OPTION_DURATION:
		text = row->min == 0 ? "a time such as 250ms, 5s or 10m"
				     : "a time such as 250ms, 5s or 10m, above 0";
		break;
	case OPTION_SIZE:
		text = "a size such as 64KiB, 10MB or 1GiB";
		break;
	case OPTION_RATE:
		text = row->min == 0 ? "a rate such as 2000/s or 100/m"
				     : "a rate such as 2000/s or 100/m, above 0";
		break;
	case OPTION_FRACTION:
		text = "a share such as 0.25 or 25%";
		break;
	case OPTION_CHOICE:
		snprintf(out, OPTIONS_EXPECTED_MAX, "one of: %s", row->choices);
		return;
	}
	snprintf(out, OPTIONS_EXPECTED_MAX, "%s", text);
}
