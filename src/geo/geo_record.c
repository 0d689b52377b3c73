#include "geo/geo_record.h"

#include "base/text.h"

#include <string.h>

enum { PATH_MAX_STEPS = 4 /* with the NULL at the end */ };

/* Of one field the first that is there and makes sense counts. The makers: MaxMind (GeoIP2,
 * GeoLite2), DB-IP and IP2Location, who have taken its names; IPinfo; ip-location-db, which
 * publishes those of IPtoASN and RouteViews. */
static const struct {
	enum geo_field field;
	const char *path[PATH_MAX_STEPS];
} forms[] = {
	{ GEO_COUNTRY, { "country", "iso_code" } },            /* MaxMind */
	{ GEO_COUNTRY, { "country_code" } },                   /* IPinfo Lite, ip-location-db */
	{ GEO_COUNTRY, { "country" } },                        /* IPinfo */
	{ GEO_COUNTRY_NAME, { "country", "names", "en" } },    /* MaxMind */
	{ GEO_COUNTRY_NAME, { "country_name" } },              /* IPinfo */
	{ GEO_COUNTRY_NAME, { "country" } },                   /* IPinfo Lite */
	{ GEO_CITY, { "city", "names", "en" } },               /* MaxMind */
	{ GEO_CITY, { "city" } },                              /* IPinfo, ip-location-db */
	{ GEO_LATITUDE, { "location", "latitude" } },          /* MaxMind */
	{ GEO_LATITUDE, { "latitude" } },                      /* ip-location-db */
	{ GEO_LATITUDE, { "lat" } },                           /* IPinfo */
	{ GEO_LONGITUDE, { "location", "longitude" } },        /* MaxMind */
	{ GEO_LONGITUDE, { "longitude" } },                    /* ip-location-db */
	{ GEO_LONGITUDE, { "lng" } },                          /* IPinfo */
	{ GEO_TIME_ZONE, { "location", "time_zone" } },        /* MaxMind */
	{ GEO_TIME_ZONE, { "timezone" } },                     /* IPinfo, ip-location-db */
	{ GEO_ASN, { "autonomous_system_number" } },           /* MaxMind, ip-location-db */
	{ GEO_ASN, { "asn" } },                                /* IPinfo */
	{ GEO_ASN, { "traits", "autonomous_system_number" } }, /* GeoIP2 Enterprise, DB-IP */
	{ GEO_AS_NAME, { "autonomous_system_organization" } },
	{ GEO_AS_NAME, { "as_name" } },
	{ GEO_AS_NAME, { "traits", "autonomous_system_organization" } },
	{ GEO_AS_NAME, { "name" } }, /* IPinfo's ASN edition */
};

enum { FORMS = sizeof(forms) / sizeof(*forms) };

_Static_assert(FORMS <= 32, "a bit for each");

/* Some makers write a dash for what they don't know. */
static struct slice text_of(const MMDB_entry_data_s *data)
{
	struct slice text = slice_of("", 0);

	if (data->type == MMDB_DATA_TYPE_UTF8_STRING && data->data_size > 0)
		text = slice_of(data->utf8_string, data->data_size);
	return text.len == 1 && text.data[0] == '-' ? slice_of("", 0) : text;
}

/* Up to the first NUL, and no half character at the end. */
static bool take_text(struct slice text, char *out, size_t cap)
{
	size_t len = 0;

	while (len < text.len && len < cap - 1 && text.data[len] != 0)
		len++;
	if (len < text.len) {
		while (len > 0 && (text.data[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(out, text.data, len);
	out[len] = 0;
	return len > 0;
}

/* Two letters; ZZ is "unknown" in CLDR's list, and in some databases. */
static bool take_country(struct slice text, char out[3])
{
	char code[3] = "";

	for (size_t i = 0; i < 2; i++) {
		if (text.len != 2 || (text.data[i] & 0x5f) < 'A' || (text.data[i] & 0x5f) > 'Z' ||
		    text.data[i] < 'A')
			return false;
		code[i] = (char)(text.data[i] & 0x5f);
	}
	if (strcmp(code, "ZZ") == 0)
		return false;
	memcpy(out, code, sizeof(code));
	return true;
}

/* "-122.41": strtod would read it as the user's language has numbers. */
static bool parse_degrees(struct slice text, double *out)
{
	bool negative = text.len > 0 && text.data[0] == '-', digits = false;
	double v = 0, unit = 1;
	size_t i = negative ? 1 : 0;

	for (bool fraction = false; i < text.len; i++) {
		if (text.data[i] == '.' && !fraction) {
			fraction = true;
			continue;
		}
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		digits = true;
		v = 10 * v + (text.data[i] - '0');
		unit *= fraction ? 10 : 1;
	}
	*out = (negative ? -v : v) / unit;
	return digits;
}

static bool take_degrees(const MMDB_entry_data_s *data, double most, double *out)
{
	double v;

	if (data->type == MMDB_DATA_TYPE_DOUBLE)
		v = data->double_value;
	else if (data->type == MMDB_DATA_TYPE_FLOAT)
		v = (double)data->float_value;
	else if (!parse_degrees(text_of(data), &v))
		return false;
	if (!(v >= -most && v <= most)) /* not a number is neither */
		return false;
	*out = v;
	return true;
}

/* 15169, or "AS15169". */
static bool take_asn(const MMDB_entry_data_s *data, uint32_t *out)
{
	struct slice text = text_of(data);
	uint64_t v = 0;

	if (data->type == MMDB_DATA_TYPE_UINT32)
		v = data->uint32;
	else if (data->type == MMDB_DATA_TYPE_UINT16)
		v = data->uint16;
	else if (data->type == MMDB_DATA_TYPE_UINT64)
		v = data->uint64;
	else if (text.len > 2 && memcmp(text.data, "AS", 2) == 0)
		text = slice_of(text.data + 2, text.len - 2);
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9' || v > UINT32_MAX)
			return false;
		v = 10 * v + (text.data[i] - '0');
	}
	if (v > UINT32_MAX)
		return false;
	*out = (uint32_t)v;
	return v != 0;
}

static bool take(struct geo_place *p, enum geo_field field, const MMDB_entry_data_s *data)
{
	struct slice text = text_of(data);

	switch (field) {
	case GEO_COUNTRY:
		return take_country(text, p->country);
	case GEO_COUNTRY_NAME:
		/* What IPinfo calls the country is its code in one edition. */
		return text.len > 2 && take_text(text, p->country_name, sizeof(p->country_name));
	case GEO_CITY:
		return take_text(text, p->city, sizeof(p->city));
	case GEO_LATITUDE:
		return take_degrees(data, 90, &p->latitude);
	case GEO_LONGITUDE:
		return take_degrees(data, 180, &p->longitude);
	case GEO_TIME_ZONE:
		return take_text(text, p->time_zone, sizeof(p->time_zone));
	case GEO_ASN:
		return take_asn(data, &p->asn);
	case GEO_AS_NAME:
		return take_text(text, p->as_name, sizeof(p->as_name));
	}
	return false;
}

/* The record, and where the first step of the path before led: neighbours in the list of forms
 * often have it in common, and each step is a walk along a map. */
struct walk {
	MMDB_entry_s *record;
	const char *step;        /* NULL: none yet */
	MMDB_entry_data_s there; /* has_data: there is such a thing */
};

/* False if the record has no such thing, or is damaged there. */
static bool get(struct walk *w, size_t form, MMDB_entry_data_s *data)
{
	const char *const *path = forms[form].path;
	const char *const first[] = { path[0], NULL };
	MMDB_entry_s inner;

	if (w->step == NULL || strcmp(w->step, path[0]) != 0) {
		w->step = path[0];
		if (MMDB_aget_value(w->record, &w->there, first) != MMDB_SUCCESS)
			w->there.has_data = false;
	}
	*data = w->there;
	if (!w->there.has_data || path[1] == NULL)
		return w->there.has_data;
	inner = (MMDB_entry_s){ .mmdb = w->record->mmdb, .offset = w->there.offset };
	return w->there.type == MMDB_DATA_TYPE_MAP &&
	       MMDB_aget_value(&inner, data, path + 1) == MMDB_SUCCESS && data->has_data;
}

uint32_t geo_record_forms(MMDB_entry_s *entry, uint32_t known)
{
	struct walk w = { .record = entry };
	uint32_t out = 0;

	for (size_t i = 0; i < FORMS; i++) {
		struct geo_place place = { 0 };
		MMDB_entry_data_s data;

		if ((known >> i & 1) == 0 && get(&w, i, &data) &&
		    take(&place, forms[i].field, &data))
			out |= UINT32_C(1) << i;
	}
	return out;
}

bool geo_forms_have(uint32_t set, enum geo_field field)
{
	for (size_t i = 0; i < FORMS; i++) {
		if (forms[i].field == field && (set >> i & 1) != 0)
			return true;
	}
	return false;
}

void geo_record_read(MMDB_entry_s *entry, uint32_t set, struct geo_place *out)
{
	/* Half of it is of no use. */
	const uint32_t location = 1U << GEO_LATITUDE | 1U << GEO_LONGITUDE;
	struct walk w = { .record = entry };
	uint32_t fields = 0;

	*out = (struct geo_place){ 0 };
	for (size_t i = 0; i < FORMS; i++) {
		MMDB_entry_data_s data;

		if ((set >> i & 1) == 0 || (fields >> forms[i].field & 1) != 0 ||
		    !get(&w, i, &data))
			continue;
		if (take(out, forms[i].field, &data))
			fields |= 1U << forms[i].field;
	}
	out->has_location = (fields & location) == location;
	if (!out->has_location)
		out->latitude = out->longitude = 0;
}
