/* alloc_places.c: databases of places: opened, and asked. */
#include "faults/scenario.h"
#include "geo/geo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/mmdb_leaks.h"
#include "support/places.h"

static char files[4][256];

static void write_places(void)
{
	static const char *const names[] = { "country.mmdb", "city.mmdb", "asn.mmdb", "asmap.dat" };

	if (files[0][0] != 0)
		return;
	for (unsigned i = 0; i < 4; i++)
		snprintf(files[i], sizeof(files[i]), "%s/%s", scenario_folder(), names[i]);
	places_write(scenario_folder());
}

/* What the library can't look up is not known: no error, as of a damaged file. */
static enum err run_places(void)
{
	const char *const mmdb[] = { files[0], files[1], files[2] };
	const struct netaddr berlin = netaddr_ipv4(0x01000001, 8333);
	char why[GEO_WHY_MAX] = "";
	struct geo_place place;
	struct geo *geo;
	enum err err = geo_open(mmdb, 3, files[3], &geo, why);

	want(err == ERR_OK || (geo == NULL && strstr(why, "memory") != NULL));
	if (err != ERR_OK)
		return err;
	for (unsigned i = 0; i < 40; i++) {
		struct netaddr addr = netaddr_ipv4(0x01000000 + i % 5 * 0x01000001, 8333);

		geo_find(geo, &addr, &place);
		want(place.country[0] == 0 || strlen(place.country) == 2);
	}
	/* With memory again, it is all there. */
	failing_exempt(true);
	geo_find(geo, &berlin, &place);
	failing_exempt(false);
	want(strcmp(place.city, "Berlin") == 0 && place.asn == 64500);
	geo_close(geo);
	return ERR_OK;
}

const struct scenario places_scenarios[] = {
	SCENARIO("places", write_places, run_places, NULL, .points = 200, .foreign_leaks = true),
	{ 0 },
};
