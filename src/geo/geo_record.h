/* geo_record.h: one record of a database in MaxMind's format: which of the things that we look
 * for it has, under which names its maker has put them, and what they are. */
#ifndef PEERWALK_GEO_GEO_RECORD_H
#define PEERWALK_GEO_GEO_RECORD_H

#include "geo/geo.h"

#include <maxminddb.h>

enum geo_field {
	GEO_COUNTRY,
	GEO_COUNTRY_NAME,
	GEO_CITY,
	GEO_LATITUDE,
	GEO_LONGITUDE,
	GEO_TIME_ZONE,
	GEO_ASN,
	GEO_AS_NAME,
};

/* Which forms (bits of their own; a form is a field under some maker's name) this record has,
 * those apart that are known. */
uint32_t geo_record_forms(MMDB_entry_s *entry, uint32_t known);
bool geo_forms_have(uint32_t set, enum geo_field field);
/* Looks for these forms alone. What is missing or makes no sense is not known. */
void geo_record_read(MMDB_entry_s *entry, uint32_t set, struct geo_place *out);

#endif
