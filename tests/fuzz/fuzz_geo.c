/* fuzz_geo.c: databases of places in MaxMind's format, of anybody's making, and addresses looked up
 * in them. The first byte says whether the rest is a whole file, or one record, which a good file
 * is made for: no fuzzer finds its way through a tree to a record. Whatever it is: what is found
 * is text that ends, a country of two letters, degrees within bounds. */
#include "fuzz/file.h"
#include "geo/geo.h"
#include "support/mmdb.h"
#include "support/mmdb_leaks.h"

enum { INPUT_MAX = 1 << 14 };

static void check_text(const char *text, size_t cap)
{
	CHECK(memchr(text, 0, cap) != NULL);
}

static void check_place(const struct geo_place *p)
{
	check_text(p->country_name, sizeof(p->country_name));
	check_text(p->city, sizeof(p->city));
	check_text(p->time_zone, sizeof(p->time_zone));
	check_text(p->as_name, sizeof(p->as_name));
	for (unsigned i = 0; i < 2; i++)
		CHECK(p->country[0] == 0 || (p->country[i] >= 'A' && p->country[i] <= 'Z'));
	CHECK(p->country[2] == 0);
	CHECK(p->latitude >= -90 && p->latitude <= 90);
	CHECK(p->longitude >= -180 && p->longitude <= 180);
}

static void look(const char *path)
{
	static const char *const addrs[] = { "1.2.3.4:1", "255.0.0.1:1", "[2001:db8::1]:1",
					     "[::ffff:1.2.3.4]:1", "[2002:102:304::1]:1" };
	char why[GEO_WHY_MAX] = "";
	struct geo_place place;
	struct netaddr addr;
	struct geo *geo;

	if (geo_open(&path, 1, NULL, &geo, why) != ERR_OK) {
		CHECK(why[0] != 0 && memchr(why, 0, sizeof(why)) != NULL);
		return;
	}
	for (unsigned i = 0; i < sizeof(addrs) / sizeof(*addrs); i++) {
		CHECK(netaddr_parse(slice_text(addrs[i]), 0, &addr) == ERR_OK);
		geo_find(geo, &addr, &place);
		check_place(&place);
	}
	geo_close(geo);
}

/* A tree of one node, both of whose branches lead to the record. */
static void look_in_record(struct slice record)
{
	struct mmdb m;
	struct text image;

	mmdb_init(&m, "fuzz", 4, 24);
	m.nodes[0][0] = m.nodes[0][1] = MMDB_DATA;
	text_add_slice(&m.data, record);
	image = mmdb_image(&m);
	look(fuzz_file(slice_of(image.data, image.len)));
	text_clear(&image);
	mmdb_clear(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > INPUT_MAX)
		return 0;
	if (data[0] & 1)
		look_in_record(slice_of(data + 1, size - 1));
	else
		look(fuzz_file(slice_of(data + 1, size - 1)));
	return 0;
}
