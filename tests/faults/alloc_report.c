/* alloc_report.c: what the store holds, as reports, pages, comparisons, and in every format of
 * export. An output is whole, or it is an error. */
#include "faults/data.h"
#include "report/diff.h"
#include "report/export_enrtree.h"
#include "report/export_zone.h"
#include "report/html.h"
#include "report/json_text.h"
#include "report/report_book.h"
#include "report/score.h"

static const char *path;
static struct store *store;

static void open_data(void)
{
	if (path == NULL)
		path = data_make("report.db");
	store = open_db(path, STORE_READ);
}

static void open_to_write(void)
{
	path = data_make("keep.db");
	store = open_db(path, STORE_CREATE);
}

static void close_data(enum err err)
{
	(void)err;
	store_close(store);
}

static void close_written(enum err err)
{
	close_data(err);
	want(data_sound(path));
	path = NULL;
}

static enum err say_json(json_t *doc)
{
	struct text text = { 0 };
	enum err err = json_text_add(&text, doc, JSON_SORT_KEYS);

	if (err == ERR_OK)
		said(slice_of(text.data, text.len));
	text_clear(&text);
	return err;
}

static enum err collect(void *ctx, struct slice data)
{
	(void)ctx;
	said(data);
	return ERR_OK;
}

/* --- reports --- */

static enum err gather(int64_t crawl_id, struct report *r)
{
	const struct report_options options = {
		.crawl_id = crawl_id, .top = 10, .history = true, .key = { 1, 2 }
	};

	return report_gather(store, &options, r);
}

static enum err report_crawl(int64_t crawl_id)
{
	struct report r;
	enum err err = gather(crawl_id, &r);

	if (err == ERR_OK)
		err = say_json(report_json(&r));
	report_clear(&r);
	return err;
}

static enum err run_report(void)
{
	return report_crawl(3);
}

static enum err run_report_nodes(void)
{
	return report_crawl(5);
}

static enum err run_html(void)
{
	struct text page = { 0 };
	struct report r;
	enum err err = gather(3, &r);

	if (err == ERR_OK)
		err = report_html(&r, NULL, &page);
	if (err == ERR_OK)
		said(slice_of(page.data, page.len));
	text_clear(&page);
	report_clear(&r);
	return err;
}

static enum err run_series(void)
{
	const struct report_options options = { .network = "bitcoin", .key = { 1, 2 } };
	json_t *doc = NULL;
	enum err err = report_series(store, &options, 0, 0, 10, "agents", &doc);

	return err == ERR_OK ? say_json(doc) : err;
}

static enum err run_keep(void)
{
	return data_keep(store);
}

static enum err run_books(void)
{
	json_t *doc = NULL;
	enum err err = report_books(store, NULL, 1780000100, &doc);

	return err == ERR_OK ? say_json(doc) : err;
}

/* --- comparisons --- */

static enum err on_peer(void *ctx, const struct store_change *c, enum diff_kind kind,
			unsigned fields)
{
	return say_json(diff_peer_json(ctx, c, kind, fields));
}

static enum err run_diff(void)
{
	struct diff_options options = { .key = { 1, 2 } };
	struct diff d = { 0 };
	enum err err = store_crawl_get(store, 1, NULL, &options.a);

	if (err == ERR_OK)
		err = store_crawl_get(store, 3, NULL, &options.b);
	if (err != ERR_OK)
		return err;
	err = diff_gather(store, &options, &d);
	if (err == ERR_OK)
		err = say_json(diff_json(&d));
	if (err == ERR_OK)
		err = diff_peers(store, &d, on_peer, &d);
	diff_clear(&d);
	return err;
}

static enum err run_score(void)
{
	static const char truth[] = "peer,address,port,kind,agent,reachable\n"
				    "1.0.0.0:8333,1.0.0.0,8333,honest,/Satoshi:27.0.0/,1\n"
				    "1.1.0.1:8333,1.1.0.1,8333,ghost,,0\n"
				    "1.2.0.2:8333,1.2.0.2,8333,liar_echo,\"=1+1,\"\"\",0\n";
	const struct score_options options = { .crawl_id = 3, .key = { 1, 2 } };
	struct score score;
	enum err err = score_run(store, slice_text(truth), &options, &score);

	if (err == ERR_OK)
		err = say_json(score_json(&score, 10));
	score_clear(&score);
	return err;
}

const struct scenario report_scenarios[] = {
	SCENARIO("report", open_data, run_report, close_data),
	SCENARIO("report of nodes", open_data, run_report_nodes, close_data),
	SCENARIO("page", open_data, run_html, close_data),
	SCENARIO("series", open_data, run_series, close_data),
	SCENARIO("kept report", open_to_write, run_keep, close_written, .points = 15),
	SCENARIO("books", open_data, run_books, close_data),
	SCENARIO("comparison", open_data, run_diff, close_data),
	SCENARIO("score", open_data, run_score, close_data),
	{ 0 },
};

/* --- exports --- */

static enum err export_as(const char *what, const char *format)
{
	static const uint8_t random[SECP_RANDOM_LEN] = { 1 };
	struct secp_key key = { { 7, [31] = 9 } };
	struct secp secp;
	struct dns_zone zone = { .origin = "seed.example.org", .ttl_s = 60, .serial = 1 };
	struct export_names names = { .port = 8333, .per_name = 25, .height_within = 100 };
	struct export_tree tree = { .secp = &secp, .key = &key, .seq = 7 };
	struct export_options options = {
		.zone = &zone,
		.names = &names,
		.tree = &tree,
		.rules = { .now_ms = data_start_ms + 3 * DATA_HOUR_MS,
			   .max_age_ms = 86400000,
			   .min_uptime = 0.1 },
	};
	struct store_filter any = STORE_FILTER_ANY;
	uint64_t rows = 0;
	enum err err;

	if (strcmp(format, "zone") == 0 || strcmp(format, "seeds") == 0)
		any.network = "bitcoin";
	secp_init(&secp, random);
	err = export_run(store, what, format, &any, &options, collect, NULL, &rows);
	want(err != ERR_OK || rows > 0);
	said_number(rows);
	secp_clear(&secp);
	return err;
}

/* What, and as what. */
#define EXPORTS(X)         \
	X(peers, csv)      \
	X(peers, jsonl)    \
	X(peers, json)     \
	X(visits, csv)     \
	X(visits, jsonl)   \
	X(adverts, csv)    \
	X(adverts, json)   \
	X(book, csv)       \
	X(book, json)      \
	X(peers, nodeset)  \
	X(peers, enodes)   \
	X(peers, enrs)     \
	X(peers, enrtree)  \
	X(peers, bitnodes) \
	X(peers, seeds)    \
	X(peers, zone)     \
	X(adverts, dot)    \
	X(adverts, graphml)

#define EXPORT_RUN(what, format)                    \
	static enum err run_##what##_##format(void) \
	{                                           \
		return export_as(#what, #format);   \
	}
EXPORTS(EXPORT_RUN)

#define EXPORT_ROW(what, format) \
	SCENARIO(#what " as " #format, open_data, run_##what##_##format, close_data, .points = 25),
const struct scenario export_scenarios[] = { EXPORTS(EXPORT_ROW){ 0 } };
