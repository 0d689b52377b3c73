/* fuzz_store.c: databases of anybody's making (any_db.h), and all that reads them: reports,
 * exports, comparisons, what a crawl and a node take up, what is written beside it.
 *
 * The first byte says what is asked. Whatever stands in the rows: nothing is told as "out of
 * memory", an error comes with its sentence, and what is made of them is text without control
 * characters. */
#include "engine/book.h"
#include "engine/crawl.h"
#include "fuzz/any_db.h"
#include "report/diff.h"
#include "report/export_enrtree.h"
#include "report/export_zone.h"
#include "report/html.h"
#include "report/report_book.h"
#include "report/score.h"
#include "store/look.h"

enum { INPUT_MAX = 4096, STEPS_MAX = 200 };

static struct store *store;

static const char *const net_names[] = { NULL, "bitcoin", "ethereum", "gossip" };

enum { NETWORKS = sizeof(net_names) / sizeof(*net_names), CRAWLS = 8 };

/* Content is no reason to be out of memory; and what is an error has a sentence. */
static void check_err(enum err err)
{
	CHECK(err != ERR_NOMEM);
	CHECK(err == ERR_OK || store_why(store)[0] != 0);
}

static void check_text(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		CHECK((s.data[i] >= 0x20 && s.data[i] != 0x7f) || s.data[i] == '\n' ||
		      s.data[i] == '\t' || s.data[i] == '\r');
}

static void check_json(json_t *doc)
{
	char *text;

	CHECK(doc != NULL);
	text = json_dumps(doc, JSON_INDENT(1));
	CHECK(text != NULL);
	check_text(slice_text(text));
	free(text);
	json_decref(doc);
}

/* --- reports --- */

static const char *service_name(const char *network, unsigned bit)
{
	(void)network;
	return bit == 0 ? "NETWORK" : NULL;
}

static void check_report(const char *network, int64_t crawl_id, bool history, size_t top)
{
	struct report_options ask = { .crawl_id = crawl_id,
				      .network = network,
				      .top = top,
				      .history = history,
				      .service_name = service_name,
				      .key = { 1, 2 } };
	struct report r = { 0 };
	struct text page = { 0 };
	enum err err = report_gather(store, &ask, &r);

	check_err(err);
	if (err == ERR_OK) {
		check_json(report_json(&r));
		CHECK(report_html(&r, NULL, &page) == ERR_OK);
		check_text(slice_of(page.data, page.len));
	}
	text_clear(&page);
	report_clear(&r);
}

/* Each takes some MB: one or two of them. */
static void ask_reports(struct any_in *in)
{
	uint8_t number = any_byte(in), how = any_byte(in);

	if (how % 2 == 0)
		check_report(net_names[number % NETWORKS], 0, true, how % 4 == 0 ? 10 : 0);
	else
		check_report(NULL, 1 + number % (CRAWLS - 1), how % 4 == 1, how % 8);
}

static void ask_series(struct any_in *in)
{
	static const char *const tables[] = { NULL, "agents", "clients", "heights", "services" };
	uint8_t number = any_byte(in), how = any_byte(in);
	struct report_options ask = { .network = net_names[1 + number % (NETWORKS - 1)],
				      .crawl_id = 1 + number % (CRAWLS - 1),
				      .key = { 1, 2 } };
	json_t *doc = NULL;
	enum err err;

	if (how & 1)
		check_err(report_keep(store, &ask));
	err = report_series(store, &ask, 0, how & 2 ? ANY_DB_MS * 2 : 0, 2 + how % 8,
			    tables[how / 8 % 5], &doc);
	check_err(err);
	if (err == ERR_OK)
		check_json(doc);
	err = report_books(store, ask.network, ANY_DB_UNIX_S, &doc);
	check_err(err);
	if (err == ERR_OK)
		check_json(doc);
}

/* --- exports --- */

static enum err take(void *ctx, struct slice data)
{
	*(size_t *)ctx += data.len;
	check_text(data);
	return ERR_OK;
}

static void check_export(const char *what, const struct export_format *f,
			 const struct store_filter *filter)
{
	static struct secp secp;
	static const uint8_t random[SECP_RANDOM_LEN] = { 1 };
	static const struct secp_key key = { { [31] = 1 } };
	static struct dns_zone zone = { .origin = "seed.example.org", .ttl_s = 60, .serial = 1 };
	static struct export_names names = { .port = 8333, .per_name = 25, .height_within = 100 };
	static struct export_tree tree = { .secp = &secp, .key = &key, .seq = 1 };
	static bool ready;
	struct export_options options = { .zone = &zone,
					  .names = &names,
					  .tree = &tree,
					  .rules = { .now_ms = ANY_DB_MS + 86400000LL * 4,
						     .max_age_ms = 86400000LL * 10,
						     .min_uptime = 0.1 } };
	uint64_t rows = 0;
	size_t len = 0;
	enum err err;

	if (!ready)
		secp_init(&secp, random);
	ready = true;
	err = export_run(store, what, f->name, filter, &options, take, &len, &rows);
	CHECK(err != ERR_NOMEM);
	CHECK(err == ERR_OK || options.note[0] != 0 || store_why(store)[0] != 0);
	CHECK(err != ERR_OK || rows == 0 || len > 0);
}

static void ask_exports(struct any_in *in)
{
	struct store_filter filter = STORE_FILTER_ANY;

	filter.crawl_id = any_byte(in) % CRAWLS;
	filter.network = net_names[any_byte(in) % NETWORKS];
	for (const struct export_format *f = export_formats; f->name != NULL; f++) {
		for (const char *const *what = export_whats; *what != NULL; what++) {
			if (f->what == NULL || strcmp(f->what, *what) == 0)
				check_export(*what, f, &filter);
		}
	}
}

/* --- comparisons --- */

static enum err on_difference(void *ctx, const struct store_change *c, enum diff_kind kind,
			      unsigned fields)
{
	struct text said = { 0 };

	check_json(diff_peer_json(ctx, c, kind, fields));
	for (enum diff_field i = 0; i < DIFF_FIELDS; i++) {
		if ((fields >> i & 1) == 0)
			continue;
		diff_add_value(&said, i, &c->was);
		diff_add_value(&said, i, &c->is);
	}
	check_text(slice_of(said.data, said.len));
	text_clear(&said);
	return ERR_OK;
}

static enum err on_number(void *ctx, int64_t id, enum store_difference what)
{
	(void)id;
	(void)what;
	++*(unsigned *)ctx;
	return ERR_OK;
}

static enum err on_change(void *ctx, const struct store_change *c)
{
	(void)c;
	++*(unsigned *)ctx;
	return ERR_OK;
}

static void ask_diffs(struct any_in *in)
{
	struct diff_options o = { .top = any_byte(in) % 4, .key = { 1, 2 } };
	struct diff d = { 0 };
	unsigned count = 0;
	enum err err;

	for (int64_t a = 1; a < CRAWLS; a++) {
		if (store_crawl_get(store, a, NULL, &o.a) != ERR_OK ||
		    store_crawl_before(store, &o.a, &o.b) != ERR_OK)
			continue;
		err = diff_gather(store, &o, &d);
		check_err(err);
		if (err == ERR_OK) {
			check_json(diff_json(&d));
			check_err(diff_peers(store, &d, on_difference, &d));
		}
		diff_clear(&d);
		check_err(store_differences(store, a, o.b.id, on_number, &count));
		check_err(store_change_of(store, a, o.b.id, any_byte(in), on_change, &count));
	}
}

/* With rows of the truth that are the input itself, or with right ones. */
static void ask_scores(struct slice rows)
{
	static const char heading[] = "peer,address,port,kind,agent,reachable\n",
			  right[] = ",1.2.3.4,8333,honest,/Satoshi:28.0.0/,1\n"
				    ",5.6.7.8,8333,garbage,,0\n";
	struct score_options o = { .key = { 1, 2 } };
	struct score score = { 0 };
	struct text truth = { 0 };

	text_add(&truth, heading);
	if (rows.len > 0)
		text_add_slice(&truth, rows);
	else
		text_add(&truth, right);
	CHECK(truth.err == ERR_OK);

	for (unsigned i = 0; i < NETWORKS; i++) {
		enum err err;

		o.network = net_names[i];
		err = score_run(store, slice_of(truth.data, truth.len), &o, &score);
		CHECK(err != ERR_NOMEM);
		if (err == ERR_OK)
			check_json(score_json(&score, 5));
		score_clear(&score);
	}
	text_clear(&truth);
}

/* --- what a crawl and a node begin with --- */

struct took_up {
	struct crawl *crawl;
	bool left;
};

static bool on_resumed(void *ctx, const struct advert *peer, enum outcome outcome, bool reached,
		       unsigned tries)
{
	struct took_up *t = ctx;

	if (!t->left && tries > 0)
		crawl_add_visited(t->crawl, peer, outcome, reached, (uint8_t)tries);
	if (t->left && tries == 0)
		crawl_add(t->crawl, peer);
	return true;
}

static bool on_watched(void *ctx, const struct store_watched *w)
{
	struct took_up *t = ctx;

	crawl_add_watched(t->crawl, &w->peer, schedule_is_due(&w->schedule, ANY_DB_MS));
	return true;
}

static void take_up(const char *network)
{
	struct crawl_config config = { .nodes = strcmp(network, "ethereum") == 0,
				       .concurrency = 4,
				       .per_group = 2,
				       .key = { 1, 2 } };
	struct took_up t = { 0 };
	struct store_crawl unfinished;
	uint64_t wait_ms;

	CHECK(crawl_new(&config, 1000, &t.crawl) == ERR_OK);
	if (store_crawl_unfinished(store, network, &unfinished) == ERR_OK)
		check_err(store_resume(store, &unfinished, on_resumed, &t));
	check_err(store_watched(store, network, on_watched, &t));
	t.left = true;
	if (unfinished.id != 0)
		check_err(store_resume(store, &unfinished, on_resumed, &t));
	for (unsigned i = 0; i < STEPS_MAX; i++) {
		struct crawl_dial dial;

		if (crawl_next(t.crawl, 2000, &dial, &wait_ms) != CRAWL_DIAL)
			break;
		CHECK(netaddr_is_routable(&dial.addr));
	}
	crawl_free(t.crawl);
}

static bool on_book_row(void *ctx, const struct store_book_row *row)
{
	struct book_entry e = { .addr = row->addr,
				.source = row->source,
				.services = row->services,
				.named_s = row->named_s,
				.asked_s = row->asked_s,
				.good_s = row->good_s,
				.failures = row->failures,
				.tried = row->tried };

	book_restore(ctx, &e, ANY_DB_UNIX_S);
	return true;
}

static void ask_beginnings(void)
{
	struct book_config config = { .new_max = 20,
				      .tried_max = 10,
				      .source_max = 10,
				      .group_max = 10,
				      .known_s = 30 * 86400 };
	static const char *const books[] = { "bitcoin", "ethereum", "gossip/club" };
	uint8_t value[STORE_BOOK_VALUE_MAX];
	struct book_entry entry;
	size_t len;

	for (unsigned i = 1; i < NETWORKS; i++)
		take_up(net_names[i]);
	for (unsigned i = 0; i < 3; i++) {
		struct book *book;
		bool gone;

		CHECK(book_new(&config, &book) == ERR_OK);
		check_err(store_book_load(store, books[i], on_book_row, book));
		while (book_changed(book, &entry, &gone))
			;
		book_expire(book, ANY_DB_UNIX_S + 86400);
		book_pick(book, ANY_DB_UNIX_S, NULL, NULL, &entry);
		book_free(book);
		check_err(store_book_value(store, books[i], "seq", value, &len));
		CHECK(len <= sizeof(value));
	}
}

/* --- what is written beside it --- */

static void write_round(const char *network)
{
	struct store_crawl c = { .started_at_ms = ANY_DB_MS + 5 * 86400000LL,
				 .every_ms = 3600000,
				 .settings = "{}" };
	uint64_t forgotten;
	bool looked, more = true;
	struct record r;

	snprintf(c.network, sizeof(c.network), "%s", network);
	if (store_crawl_begin(store, &c) != ERR_OK)
		return;
	r = any_reached("1.2.3.4:8333", "/new/");
	r.started_at_ms = c.started_at_ms + 1000;
	r.tries = 1;
	if (store_begin(store) == ERR_OK) {
		check_err(store_put_visit(store, &c, &r));
		r = any_missed("5.6.7.8:8333", OUTCOME_CONNECT_TIMEOUT, NULL);
		r.started_at_ms = c.started_at_ms + 2000;
		r.tries = 1;
		check_err(store_put_visit(store, &c, &r));
		check_err(store_commit(store));
	}
	r = any_reached("5.6.7.9:8334", "/new/");
	r.started_at_ms = c.started_at_ms + 3000;
	r.tries = 2;
	check_err(store_put_visit(store, &c, &r));
	check_err(store_round_end(store, &c, &looked));
	c.ended_at_ms = c.started_at_ms + 1000;
	check_err(store_crawl_end(store, &c));
	check_err(store_watch_forget(store, network, ANY_DB_MS + 40 * 86400000LL, &forgotten));
	for (unsigned i = 0; i < STEPS_MAX && more; i++) {
		enum err err =
			store_prune(store, network, ANY_DB_MS + 9 * 86400000LL, 86400000LL, &more);

		check_err(err);
		more = more && err == ERR_OK;
	}
	CHECK(!more);
}

/* --- all there is to ask --- */

static enum err on_asked(void *ctx, int64_t id, bool reached)
{
	*(uint64_t *)ctx += (uint64_t)id + reached;
	return ERR_OK;
}

static enum err on_addr(void *ctx, const struct netaddr *addr)
{
	char text[NETADDR_TEXT_MAX];

	*(uint64_t *)ctx += netaddr_text(addr, text);
	return ERR_OK;
}

static enum err on_network(void *ctx, const struct store_network *n)
{
	*(uint64_t *)ctx += strlen(n->name);
	return ERR_OK;
}

static enum err on_recent(void *ctx, const struct store_recent *v)
{
	*(uint64_t *)ctx += v->agent.len + (uint64_t)v->outcome;
	return ERR_OK;
}

static enum err on_visit(void *ctx, const struct store_visit *v)
{
	*(uint64_t *)ctx += v->record.info.agent.len + strlen(v->network);
	return ERR_OK;
}

static enum err on_told(void *ctx, const struct store_told *t)
{
	*(uint64_t *)ctx += strlen(t->what) + t->was.len + t->now.len;
	return ERR_OK;
}

static enum err on_span(void *ctx, int64_t from_ms, int64_t to_ms)
{
	*(uint64_t *)ctx += (uint64_t)from_ms + (uint64_t)to_ms;
	return ERR_OK;
}

static enum err on_day(void *ctx, const struct store_day *d)
{
	*(uint64_t *)ctx += d->visits;
	return ERR_OK;
}

static enum err on_schedule(void *ctx, const struct schedule *s)
{
	for (unsigned i = 0; i < SCHEDULE_WINDOWS; i++) {
		double up = schedule_uptime(s, i);

		CHECK(up == -1 || (up >= 0 && up <= 1));
	}
	++*(uint64_t *)ctx;
	return ERR_OK;
}

static void ask_all(void)
{
	struct store_filter filter = STORE_FILTER_ANY;
	struct store_progress progress = { 0 };
	uint64_t sum = 0;
	int64_t version;

	check_err(store_version(store, &version));
	check_err(store_networks(store, on_network, &sum));
	check_err(store_schedules(store, "bitcoin", on_schedule, &sum));
	for (int64_t id = 1; id < CRAWLS; id++) {
		struct schedule schedule;
		enum err err;

		filter.crawl_id = id;
		check_err(store_asked(store, &filter, on_asked, &sum));
		check_err(store_reached(store, id, on_addr, &sum));
		check_err(store_progress(store, id, &progress));
		check_err(store_progress(store, id, &progress));
		check_err(store_progress_known(store, id, &sum));
		check_err(store_recent(store, id, 1, 100, on_recent, &sum));
		check_err(store_peer_visits(store, id, 10, on_visit, &sum));
		check_err(store_peer_told(store, id, 10, on_told, &sum));
		check_err(store_peer_sessions(store, id, 10, on_span, &sum));
		check_err(store_peer_days(store, id, 10, on_day, &sum));
		err = store_peer_schedule(store, id, &schedule);
		if (err == ERR_OK)
			on_schedule(&sum, &schedule);
		store_crawl_running(store, id);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct any_in in = { data, size };
	uint8_t what = any_byte(&in), with[2] = { any_byte(&in), any_byte(&in) };
	struct any_in then = { with, sizeof(with) };

	if (size < 4 || size > INPUT_MAX)
		return 0;
	store = any_db_store(&in);
	if (store == NULL)
		return 0;
	switch (what % 8) {
	case 0:
		ask_reports(&then);
		break;
	case 1:
		ask_series(&then);
		break;
	case 2:
		ask_exports(&then);
		break;
	case 3:
		ask_diffs(&then);
		break;
	case 4:
		ask_scores(slice_of(data + 4, with[0] % 2 != 0 ? size - 4 : 0));
		break;
	case 5:
		ask_beginnings();
		break;
	case 6:
		write_round(net_names[1 + with[0] % (NETWORKS - 1)]);
		break;
	case 7:
		ask_all();
		break;
	}
	return 0;
}
