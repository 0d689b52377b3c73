#include "web/api_peers.h"

#include "report/json_text.h"
#include "web/api_peer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const sort_names[CENSUS_SORTS] = {
#define SORT_NAME(symbol, name) name,
	CENSUS_SORT_LIST(SORT_NAME)
#undef SORT_NAME
};

/* --- lists --- */

static bool page_read(const struct http_request *q, struct http_response *r,
		      struct census_page *out)
{
	const char *sort = http_param(q, "sort"), *order = http_param(q, "order");
	unsigned i = 0;

	*out = (struct census_page){ .after = http_param(q, "cursor") };
	while (sort != NULL && i < CENSUS_SORTS && strcmp(sort, sort_names[i]) != 0)
		i++;
	if (i == CENSUS_SORTS) {
		http_error(r, 400,
			   "there is no sort \"%s\"; expected seen, reached, uptime, first, "
			   "latency, height, agent or address",
			   sort);
		return false;
	}
	if (order != NULL && strcmp(order, "asc") != 0 && strcmp(order, "desc") != 0) {
		http_error(r, 400, "order is \"%s\"; expected asc or desc", order);
		return false;
	}
	out->sort = (enum census_sort)i;
	if (order != NULL)
		out->reverse = (strcmp(order, "desc") == 0) != census_sort_descends(out->sort);
	return api_number(q, r, "limit", API_LIMIT_DEFAULT, &out->limit);
}

/* Those of a page. Who is gone since the census was made is left out. */
static enum err page_items(const struct api_peers *a, struct store *s, const int64_t *ids,
			   size_t count, json_t *items)
{
	enum err err = store_read_begin(s);

	if (err != ERR_OK)
		return err;
	for (size_t i = 0; err == ERR_OK && i < count; i++) {
		json_t *peer;

		err = api_peer(a, s, ids[i], &peer);
		if (err == ERR_OK && peer != NULL && json_array_append_new(items, peer) != 0)
			err = ERR_NOMEM;
	}
	store_read_end(s);
	return err;
}

static void list(const struct api_peers *a, struct store *s, const struct http_request *q,
		 struct http_response *r)
{
	struct census_filter filter;
	struct census_page page;
	struct census_found found;
	int64_t ids[API_LIMIT_MAX];
	json_t *items;
	enum err err;

	if (!api_known(q, r, API_FILTER_NAMES " sort order limit cursor") ||
	    !api_filter(a, q, r, &filter) || !page_read(q, r, &page))
		return;
	err = census_find(a->census, &filter, &page, ids, &found);
	if (err == ERR_SYNTAX) {
		http_error(r, 400,
			   "cursor is none that a page of this sort and order ended with; begin "
			   "again without it");
		return;
	}
	items = json_array();
	if (err == ERR_OK)
		err = page_items(a, s, ids, found.count, items);
	if (err != ERR_OK) {
		json_decref(items);
		api_failed(r, s, err);
		return;
	}
	api_send(r, json_pack("{s:I s:o s:o}", "total", (json_int_t)found.total, "items", items,
			      "next", found.next[0] != 0 ? json_string(found.next) : json_null()));
}

/* --- facets --- */

static json_t *service_text(const struct api_peers *a, const char *network, const char *bit)
{
	unsigned number = (unsigned)strtoul(bit, NULL, 10);
	const char *name = a->service_name != NULL
				   ? a->service_name(network != NULL ? network : "", number)
				   : NULL;

	return name != NULL ? json_string(name) : json_sprintf("bit %u", number);
}

static json_t *facet_json(const struct api_peers *a, const char *network, bool services,
			  const struct census_count *rows, size_t count)
{
	json_t *out = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct census_count *row = &rows[i];
		/* What no parameter takes can't be asked for. */
		bool asked = row->value[0] != 0 && strlen(row->value) <= HTTP_PARAM_MAX;
		json_t *text = services ? service_text(a, network, row->value)
					: json_string(row->text[0] != 0 ? row->text : row->value);

		json_array_append_new(out,
				      json_pack("{s:o s:o s:I}", "value",
						asked ? json_string(row->value) : json_null(),
						"text", text, "count", (json_int_t)row->count));
	}
	return json_whole(out, count);
}

static void facets(const struct api_peers *a, struct store *s, const struct http_request *q,
		   struct http_response *r)
{
	static const char *const names[CENSUS_FACETS] = {
		[CENSUS_AGENTS] = "agents",       [CENSUS_COUNTRIES] = "countries",
		[CENSUS_ASNS] = "asns",           [CENSUS_KINDS] = "kinds",
		[CENSUS_OUTCOMES] = "outcomes",   [CENSUS_SERVICES] = "services",
		[CENSUS_PROTOCOLS] = "protocols",
	};
	struct census_filter filter;
	struct census_facets f;
	size_t top;
	json_t *doc;
	enum err err;

	if (!api_known(q, r, API_FILTER_NAMES " top") || !api_filter(a, q, r, &filter) ||
	    !api_number(q, r, "top", API_TOP_DEFAULT, &top))
		return;
	err = census_facets(a->census, &filter, top, &f);
	if (err == ERR_OK) {
		doc = json_pack("{s:I}", "total", (json_int_t)f.total);
		for (unsigned i = 0; i < CENSUS_FACETS; i++)
			json_object_set_new(doc, names[i],
					    facet_json(a, filter.network, i == CENSUS_SERVICES,
						       f.rows[i], f.counts[i]));
		api_send(r, json_whole(doc, 1 + CENSUS_FACETS));
	} else {
		api_failed(r, s, err);
	}
	census_facets_clear(&f);
}

/* --- the map --- */

static json_t *country_json(const struct census_country *c)
{
	return json_pack("{s:s s:s? s:I}", "country", c->code, "name",
			 c->name[0] != 0 ? c->name : NULL, "count", (json_int_t)c->count);
}

static json_t *place_json(const struct census_place *p)
{
	return json_pack("{s:i s:i s:I s:s? s:s?}", "latitude", p->latitude, "longitude",
			 p->longitude, "count", (json_int_t)p->count, "city",
			 p->city[0] != 0 ? p->city : NULL, "country",
			 p->country[0] != 0 ? p->country : NULL);
}

static void map(const struct api_peers *a, struct store *s, const struct http_request *q,
		struct http_response *r)
{
	struct census_filter filter;
	struct census_map m;
	enum err err;

	if (!api_known(q, r, API_FILTER_NAMES) || !api_filter(a, q, r, &filter))
		return;
	err = census_map(a->census, &filter, &m);
	if (err == ERR_OK) {
		json_t *countries = json_array(), *places = json_array();

		for (size_t i = 0; i < m.countries_count; i++)
			json_array_append_new(countries, country_json(&m.countries[i]));
		for (size_t i = 0; i < m.places_count; i++)
			json_array_append_new(places, place_json(&m.places[i]));
		api_send(r, json_pack("{s:o s:o s:I}", "countries",
				      json_whole(countries, m.countries_count), "places",
				      json_whole(places, m.places_count), "unknown",
				      (json_int_t)m.unknown));
	} else {
		api_failed(r, s, err);
	}
	census_map_clear(&m);
}

/* --- one peer --- */

static void one(const struct api_peers *a, struct store *s, int64_t id,
		const struct http_request *q, struct http_response *r)
{
	struct schedule schedule;
	json_t *peer = NULL, *watched = json_null();
	enum err err;

	if (!api_known(q, r, ""))
		return;
	err = api_peer(a, s, id, &peer);
	if (err != ERR_OK) {
		api_failed(r, s, err);
		return;
	}
	if (peer == NULL) {
		http_error(r, 404, "there is no peer %" PRId64 " in this database", id);
		return;
	}
	err = store_peer_schedule(s, id, &schedule);
	if (err == ERR_OK)
		watched = json_pack("{s:o s:I}", "due", api_time(schedule.due_ms), "misses",
				    (json_int_t)schedule.misses);
	if ((err != ERR_OK && err != ERR_NOT_FOUND) ||
	    json_object_set_new(peer, "schedule", watched) != 0) {
		json_decref(peer);
		api_failed(r, s, err != ERR_OK ? err : ERR_NOMEM);
		return;
	}
	api_send(r, peer);
}

/* "12" or "12/history", what stands behind /api/v1/peers/. */
static void below(const struct api_peers *a, struct store *s, const char *path,
		  const struct http_request *q, struct http_response *r)
{
	size_t len = strcspn(path, "/");
	const char *rest = path + len;
	char number[24] = "";
	uint64_t id = 0;

	if (len < sizeof(number))
		memcpy(number, path, len);
	if (parse_uint(number, INT64_MAX, &id) != ERR_OK || id == 0)
		http_error(r, 404, "\"%s\" is no peer; expected the number that a list has as id",
			   path);
	else if (strcmp(rest, "/history") == 0)
		api_peer_history(s, (int64_t)id, q, r);
	else if (rest[0] == 0)
		one(a, s, (int64_t)id, q, r);
	else
		http_error(r, 404, "a peer has nothing but /history");
}

bool api_peers(const struct api_peers *a, struct store *s, const struct http_request *q,
	       struct http_response *r)
{
	static const char folder[] = "/api/v1/peers/";
	const char *path = http_path(q);

	if (strcmp(path, "/api/v1/peers") == 0)
		list(a, s, q, r);
	else if (strcmp(path, "/api/v1/facets") == 0)
		facets(a, s, q, r);
	else if (strcmp(path, "/api/v1/map") == 0)
		map(a, s, q, r);
	else if (strncmp(path, folder, strlen(folder)) == 0)
		below(a, s, path + strlen(folder), q, r);
	else
		return false;
	return true;
}
