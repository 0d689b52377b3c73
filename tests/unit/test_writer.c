#include "store/writer.h"

#include "store/db.h"
#include "support/store_rig.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

static uint64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void wait_ms(unsigned ms)
{
	struct timespec t = { .tv_nsec = (long)ms * 1000000 };

	nanosleep(&t, NULL);
}

static enum err count_rows(void *ctx, const struct store_visit *v)
{
	(void)v;
	++*(unsigned *)ctx;
	return ERR_OK;
}

static unsigned visits_in(struct store *s)
{
	struct store_filter any = STORE_FILTER_ANY;
	unsigned n = 0;

	assert_int_equal(store_visits(s, &any, count_rows, &n), ERR_OK);
	return n;
}

struct found {
	unsigned count;
	char agent[PEER_AGENT_MAX + 1], negotiation[PEER_NEGOTIATION_MAX + 1], rule[64];
	uint8_t node_id[PEER_NODE_ID_MAX];
};

static enum err find(void *ctx, const struct store_visit *v)
{
	struct found *f = ctx;
	const struct peer_info *i = &v->record.info;

	f->count++;
	snprintf(f->agent, sizeof(f->agent), "%.*s", (int)i->agent.len,
		 (const char *)i->agent.data);
	snprintf(f->negotiation, sizeof(f->negotiation), "%.*s", (int)i->negotiation.len,
		 (const char *)i->negotiation.data);
	snprintf(f->rule, sizeof(f->rule), "%s", v->record.rule);
	assert_int_equal(i->node_id.len, PEER_NODE_ID_MAX);
	memcpy(f->node_id, i->node_id.data, i->node_id.len);
	return ERR_OK;
}

/* The caller's bytes are gone as soon as the call is over. */
static void keeps_copies(void **state)
{
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl crawl = begin_crawl(s, "bitcoin");
	struct store_filter any = STORE_FILTER_ANY;
	char agent[] = "/agent/", negotiation[] = "version verack", rule[] = "a rule";
	uint8_t node_id[PEER_NODE_ID_MAX];
	struct record r = ok_record(addr_of("1.2.3.4"), slice_text(agent));
	struct store_writer *w;
	struct found f = { 0 };

	(void)state;
	memset(node_id, 0x42, sizeof(node_id));
	r.info.negotiation = slice_text(negotiation);
	r.info.node_id = slice_of(node_id, sizeof(node_id));
	r.rule = rule;
	assert_int_equal(store_writer_start(s, &crawl, NULL, NULL, &w), ERR_OK);
	store_writer_visit(w, &r);
	memset(agent, 'x', sizeof(agent));
	memset(negotiation, 'x', sizeof(negotiation));
	memset(rule, 'x', sizeof(rule));
	memset(node_id, 'x', sizeof(node_id));
	assert_int_equal(store_writer_stop(w), ERR_OK);
	assert_int_equal(store_visits(s, &any, find, &f), ERR_OK);
	assert_int_equal(f.count, 1);
	assert_string_equal(f.agent, "/agent/");
	assert_string_equal(f.negotiation, "version verack");
	assert_string_equal(f.rule, "a rule");
	assert_int_equal(f.node_id[0], 0x42);
	assert_int_equal(f.node_id[63], 0x42);
	store_close(s);
}

/* Another process sees each item within the promised time (and some slack for a
 * machine with other things to do), without any more coming in. */
static void commits_by_itself(void **state)
{
	struct store *s = open_db(folder.db, STORE_CREATE), *reader;
	struct store_crawl crawl = begin_crawl(s, "bitcoin");
	struct store_writer *w;

	(void)state;
	reader = open_db(folder.db, STORE_READ);
	assert_int_equal(store_writer_start(s, &crawl, NULL, NULL, &w), ERR_OK);
	for (unsigned i = 1; i <= 2; i++) {
		struct record r = failed_record(netaddr_ipv4(i, 8333), OUTCOME_REFUSED);
		uint64_t start = clock_ms();

		store_writer_visit(w, &r);
		while (visits_in(reader) < i && clock_ms() - start < 5000)
			wait_ms(10);
		assert_int_equal(visits_in(reader), i);
		assert_true(clock_ms() - start < 2 * STORE_COMMIT_MS);
	}
	store_close(reader);
	assert_int_equal(store_writer_stop(w), ERR_OK);
	store_close(s);
}

enum { THREADS = 4, EACH = 10 * 1000 };

struct putter {
	struct store_writer *w;
	uint32_t number;
};

static void *put_many(void *arg)
{
	struct putter *p = arg;

	for (uint32_t i = 0; i < EACH; i++) {
		struct record r =
			ok_record(netaddr_ipv4(p->number << 24 | i, 8333), slice_text("/x/"));
		struct advert advert = { .addr = r.addr, .services = i };

		store_writer_known(p->w, &r.addr, &advert, 1000 + i);
		store_writer_visit(p->w, &r);
	}
	return NULL;
}

static enum err check_peer(void *ctx, const struct store_peer *p)
{
	uint32_t i = (uint32_t)p->addr.bytes[1] << 16 | (uint32_t)p->addr.bytes[2] << 8 |
		     p->addr.bytes[3];

	assert_int_equal(p->claimed_services, i);
	assert_int_equal(p->first_seen_ms, 1000 + i);
	assert_int_equal(p->visits, 1);
	++*(unsigned *)ctx;
	return ERR_OK;
}

/* More than the queue holds, from many threads: they wait, and nothing is lost. */
static void many_threads(void **state)
{
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl crawl = begin_crawl(s, "bitcoin");
	struct store_filter any = STORE_FILTER_ANY;
	struct putter putters[THREADS];
	pthread_t threads[THREADS];
	struct store_writer *w;
	unsigned peers = 0;

	(void)state;
	assert_true(THREADS * EACH * sizeof(struct record) > STORE_WRITER_QUEUE_BYTES);
	assert_int_equal(store_writer_start(s, &crawl, NULL, NULL, &w), ERR_OK);
	for (uint32_t i = 0; i < THREADS; i++) {
		putters[i] = (struct putter){ w, i + 1 };
		assert_int_equal(pthread_create(&threads[i], NULL, put_many, &putters[i]), 0);
	}
	for (uint32_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(store_writer_stop(w), ERR_OK);
	assert_int_equal(visits_in(s), THREADS * EACH);
	assert_int_equal(store_peers(s, &any, check_peer, &peers), ERR_OK);
	assert_int_equal(peers, THREADS * EACH);
	store_close(s);
}

static void order_is_kept(void **state)
{
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl crawl = begin_crawl(s, "bitcoin");
	struct record first = failed_record(addr_of("1.1.1.1"), OUTCOME_CONNECT_TIMEOUT);
	struct record retry = ok_record(addr_of("1.1.1.1"), slice_text("/x/"));
	struct advert advert = { .addr = addr_of("2.2.2.2") };
	struct store_filter ok = { .outcome = OUTCOME_OK };
	struct store_writer *w;
	unsigned n = 0;

	(void)state;
	assert_int_equal(store_writer_start(s, &crawl, NULL, NULL, &w), ERR_OK);
	store_writer_visit(w, &first);
	store_writer_visit(w, &retry);
	store_writer_advert(w, &(struct advert){ .addr = first.addr }, &advert, 5);
	assert_int_equal(store_writer_stop(w), ERR_OK);
	assert_int_equal(visits_in(s), 1);
	assert_int_equal(store_visits(s, &ok, count_rows, &n), ERR_OK);
	assert_int_equal(n, 1);
	store_close(s);
}

static void nothing_to_do(void **state)
{
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl crawl = begin_crawl(s, "bitcoin");
	struct store_writer *w;

	(void)state;
	assert_int_equal(store_writer_start(s, &crawl, NULL, NULL, &w), ERR_OK);
	assert_int_equal(store_writer_stop(w), ERR_OK);
	store_close(s);
}

struct failure {
	atomic_uint calls;
	enum err err;
	char why[640];
};

static void on_error(void *ctx, enum err err, const char *why)
{
	struct failure *f = ctx;

	f->err = err;
	snprintf(f->why, sizeof(f->why), "%s", why);
	f->calls++;
}

/* A full disk: told once, nobody waits for ever, what was committed stays. */
static void full_disk(void **state)
{
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl crawl = begin_crawl(s, "bitcoin");
	struct failure failure = { 0 };
	struct putter putter = { .number = 1 };
	unsigned before, after;

	(void)state;
	assert_int_equal(store_writer_start(s, &crawl, on_error, &failure, &putter.w), ERR_OK);
	put_many(&putter);
	assert_int_equal(store_writer_stop(putter.w), ERR_OK);
	before = visits_in(s);
	assert_int_equal(before, EACH);
	assert_int_equal(sqlite3_exec(s->db, "PRAGMA max_page_count = 1", NULL, NULL, NULL),
			 SQLITE_OK);
	putter.number = 2;
	assert_int_equal(store_writer_start(s, &crawl, on_error, &failure, &putter.w), ERR_OK);
	put_many(&putter);
	put_many(&putter);
	assert_int_equal(store_writer_stop(putter.w), ERR_DISK_FULL);
	assert_int_equal(failure.calls, 1);
	assert_int_equal(failure.err, ERR_DISK_FULL);
	assert_non_null(strstr(failure.why, "make room"));
	after = visits_in(s);
	assert_true(after >= before && after < 2 * EACH);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps_copies, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(commits_by_itself, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(many_threads, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(order_is_kept, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(nothing_to_do, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(full_disk, folder_set_up, folder_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
