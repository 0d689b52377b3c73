/* Weeks of watching on virtual time: the crawl's rules and the schedule against peers that come and
 * go, whose every coming and going is known. */
#include "engine/crawl.h"
#include "engine/rounds.h"
#include "engine/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	MINUTE_MS = 60 * 1000,
	HOUR_MS = 60 * MINUTE_MS,
	DAY_MS = 24 * HOUR_MS,
	EVERY_MS = 10 * MINUTE_MS,
	VISIT_MS = 2 * 1000, /* from one dial to the next at most */
	CHANGES = 4096,      /* comings and goings of one peer, at most */
	NAMED = 25,          /* how many others each one names */
	NAMED_DAYS = 7,
	FORGET_DAYS = SCHEDULE_FORGET_S / (24 * 60 * 60),
	/* Nobody looks for two days in the middle. */
	DAYS_BEFORE = 12,
	DAYS_OFF = 2,
	DAYS_AFTER = NAMED_DAYS + FORGET_DAYS + 2 - DAYS_BEFORE - DAYS_OFF,
};
static const int64_t start_ms = 1790000000000;

/* What becomes of a peer; hours. */
static const struct kind {
	const char *name;
	unsigned count;
	double up_h, down_h; /* in the mean; up_h 0: it is never up */
	double named_d;      /* days for which others name it */
	double off;          /* the mean of how far its averages may be off */
} kinds[] = {
	{ "always up", 60, 1e9, 1, 1e9, 1e-6 },
	{ "up for days", 60, 100, 4, 1e9, 0.01 },
	/* Most of their absences end within one of the longer waits. */
	{ "up at times", 60, 6, 3, 1e9, 0.12 },
	{ "never, and named for ever", 20, 0, 1e9, 1e9, 1e-6 },
	{ "never, and named for a week", 40, 0, 1e9, NAMED_DAYS, 1e-6 },
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), PEERS = 240 };

/* A peer, and what is kept of it. */
struct peer {
	const struct kind *kind;
	struct advert advert;
	int64_t changes[CHANGES]; /* from when on it is up, down, up ...: the first is a coming */
	unsigned changes_count;
	bool watched;
	struct schedule schedule;
	int64_t last_seen_ms, last_visit_ms;
	bool was_up;
	unsigned visits, sessions, forgotten;
	int64_t longest_ms, longest_up_ms; /* from a visit to the next; ... that found it up */
};

struct world {
	struct peer peers[PEERS];
	struct random random;
	int64_t now_ms, last_ms; /* last_ms: the newest round's beginning */
	unsigned rounds, visits;
	bool was_off; /* before this round */
};

static double exponential(struct random *r, double mean)
{
	return -mean * log(1 - random_unit(r));
}

static void make_peer(struct world *w, unsigned i, const struct kind *kind)
{
	struct peer *p = &w->peers[i];
	double at_h = 0;
	bool up = kind->up_h > 0 &&
		  random_unit(&w->random) < kind->up_h / (kind->up_h + kind->down_h);

	p->kind = kind;
	p->advert.addr = netaddr_ipv4(0x01000000 + i * 65536, 8333);
	p->changes[0] = up ? 0 : INT64_MAX;
	p->changes_count = up;
	while (kind->up_h > 0 && at_h < 60 * 24 && p->changes_count < CHANGES) {
		at_h += exponential(&w->random, up ? kind->up_h : kind->down_h);
		p->changes[p->changes_count++] = start_ms + (int64_t)(at_h * HOUR_MS);
		up = !up;
	}
}

static void make_world(struct world *w)
{
	unsigned i = 0;

	memset(w, 0, sizeof(*w));
	w->random.state = 7;
	w->now_ms = start_ms;
	for (unsigned k = 0; k < KINDS; k++) {
		for (unsigned n = 0; n < kinds[k].count; n++)
			make_peer(w, i++, &kinds[k]);
	}
	assert_int_equal(i, PEERS);
}

static bool is_up(const struct peer *p, int64_t at_ms)
{
	unsigned n = 0;

	while (n < p->changes_count && p->changes[n] <= at_ms)
		n++;
	return n % 2 == 1;
}

static struct peer *find(struct world *w, const struct netaddr *addr)
{
	unsigned i = addr->bytes[0] == 1 ? addr->bytes[1] : PEERS;

	assert_true(i < PEERS);
	return &w->peers[i];
}

/* --- a round --- */

static void known(struct world *w, struct peer *p)
{
	p->last_seen_ms = w->now_ms;
}

/* Some of those that are still named. */
static void name_some(struct world *w, struct crawl *crawl)
{
	struct advert adverts[NAMED];
	enum crawl_verdict verdicts[NAMED];
	size_t count = 0;
	uint32_t taken = 0;

	for (unsigned tries = 0; tries < NAMED; tries++) {
		const struct peer *p = &w->peers[random_below(&w->random, PEERS)];

		if ((double)(w->now_ms - start_ms) < p->kind->named_d * DAY_MS)
			adverts[count++] = p->advert;
	}
	crawl_add_named(crawl, adverts, count, &taken, verdicts);
	for (size_t i = 0; i < count; i++) {
		if (verdicts[i] == CRAWL_NEW || verdicts[i] == CRAWL_AGAIN)
			known(w, find(w, &adverts[i].addr));
	}
}

static void visit(struct world *w, struct crawl *crawl, const struct crawl_dial *dial)
{
	struct peer *p = find(w, &dial->addr);
	bool up = is_up(p, w->now_ms);
	struct schedule_session session;
	int64_t waited_ms = w->now_ms - p->last_visit_ms;

	if (p->watched && !w->was_off && waited_ms > p->longest_ms)
		p->longest_ms = waited_ms;
	if (p->watched && !w->was_off && p->was_up && waited_ms > p->longest_up_ms)
		p->longest_up_ms = waited_ms;
	p->last_visit_ms = w->now_ms;
	p->was_up = up;
	p->visits++;
	w->visits++;
	p->watched = true;
	p->sessions += schedule_visited(&p->schedule, EVERY_MS, w->now_ms, up, &session);
	if (up) {
		known(w, p);
		name_some(w, crawl);
	}
	crawl_finish(crawl, dial->id, up ? OUTCOME_OK : OUTCOME_REFUSED, up);
}

static void run_round(struct world *w)
{
	const struct crawl_config config = { .concurrency = 1, .key = { 3, w->rounds } };
	int64_t before_ms = rounds_due_before_ms(w->last_ms, EVERY_MS, w->now_ms);
	struct crawl_dial dial;
	struct crawl *crawl;
	uint64_t until;

	w->last_ms = w->now_ms;
	assert_int_equal(crawl_new(&config, 0, &crawl), ERR_OK);
	for (unsigned i = 0; i < PEERS; i++) {
		const struct peer *p = &w->peers[i];

		if (p->watched)
			crawl_add_watched(crawl, &p->advert, p->schedule.due_ms < before_ms);
	}
	if (w->rounds++ == 0)
		crawl_add(crawl, &w->peers[0].advert);
	while (crawl_next(crawl, 0, &dial, &until) == CRAWL_DIAL) {
		visit(w, crawl, &dial);
		w->now_ms += random_below(&w->random, VISIT_MS);
	}
	crawl_free(crawl);
}

/* As the store does it (store/watch.h). */
static void forget(struct world *w)
{
	for (unsigned i = 0; i < PEERS; i++) {
		struct peer *p = &w->peers[i];

		if (!p->watched || w->now_ms - p->last_seen_ms <= SCHEDULE_FORGET_S * 1000LL)
			continue;
		p->watched = false;
		p->schedule = (struct schedule){ 0 };
		p->forgotten++;
	}
}

static void watch_for(struct world *w, int64_t ms)
{
	int64_t end_ms = w->now_ms + ms;

	while (w->now_ms < end_ms) {
		run_round(w);
		w->was_off = false;
		forget(w);
		w->now_ms = rounds_next_ms(w->last_ms, EVERY_MS, w->now_ms);
	}
}

/* --- the truth --- */

/* The share of a window in which it was up, an hour that is W old weighing 1/e, since from_ms. */
static double true_uptime(const struct peer *p, int64_t from_ms, int64_t to_ms, double window_ms)
{
	double sum = 0;

	for (unsigned i = 0; i < p->changes_count; i += 2) {
		int64_t up = p->changes[i];
		int64_t down = i + 1 < p->changes_count ? p->changes[i + 1] : INT64_MAX;

		up = up < from_ms ? from_ms : up;
		down = down > to_ms ? to_ms : down;
		if (up < down)
			sum += exp(-(double)(to_ms - down) / window_ms) -
			       exp(-(double)(to_ms - up) / window_ms);
	}
	return sum / (1 - exp(-(double)(to_ms - from_ms) / window_ms));
}

/* Of the newest visit: what was kept against what was so. */
static double uptime_error(const struct peer *p, enum schedule_window window)
{
	double kept = schedule_uptime(&p->schedule, window);
	double truth = true_uptime(p, p->schedule.first_ms, p->schedule.visited_ms,
				   (double)schedule_window_ms[window]);

	assert_true(kept >= 0);
	return kept - truth;
}

static void check_uptime(const struct world *w, const struct kind *kind,
			 enum schedule_window window)
{
	double off = 0;
	unsigned count = 0;

	for (unsigned i = 0; i < PEERS; i++) {
		const struct peer *p = &w->peers[i];

		if (p->kind != kind || !p->watched)
			continue;
		off += fabs(uptime_error(p, window));
		count++;
	}
	if (count > 0 && off / count > kind->off)
		fail_msg("%s: the averages over %s are off by %.4f", kind->name,
			 schedule_window_names[window], off / count);
}

/* Times of being up that were over before the end, and lasted that long. */
static unsigned true_sessions(const struct peer *p, int64_t end_ms, int64_t least_ms)
{
	unsigned count = 0;

	for (unsigned i = 0; i + 1 < p->changes_count; i += 2) {
		int64_t from = p->changes[i] < start_ms ? start_ms : p->changes[i];

		count += p->changes[i + 1] < end_ms && p->changes[i + 1] - from > least_ms;
	}
	return count;
}

static void check_peer(const struct world *w, const struct peer *p)
{
	int64_t end_ms = w->now_ms;
	bool dead = p->kind->up_h == 0, gone = p->kind->named_d < DAYS_BEFORE;
	/* The absence of two days cuts one. */
	unsigned most = true_sessions(p, end_ms, 0) + 1;
	unsigned least = true_sessions(p, end_ms - 2 * EVERY_MS, 3 * (int64_t)DAY_MS);

	if (p->visits == 0 || p->watched == gone || p->forgotten != gone)
		fail_msg("%s: %u visits, watched %d, forgotten %u", p->kind->name, p->visits,
			 p->watched, p->forgotten);
	if (p->longest_up_ms > 2 * EVERY_MS || p->longest_ms > DAY_MS + 2 * EVERY_MS)
		fail_msg("%s: waits of %lld and %lld ms", p->kind->name,
			 (long long)p->longest_up_ms, (long long)p->longest_ms);
	if (dead && p->visits > 8 + NAMED_DAYS + FORGET_DAYS)
		fail_msg("%s: %u visits", p->kind->name, p->visits);
	if (p->sessions > most || p->sessions < least)
		fail_msg("%s: %u sessions instead of %u .. %u", p->kind->name, p->sessions, least,
			 most);
}

static void weeks(void **state)
{
	static struct world w;
	unsigned rounds = (DAYS_BEFORE + DAYS_AFTER) * (DAY_MS / EVERY_MS);

	(void)state;
	make_world(&w);
	watch_for(&w, DAYS_BEFORE * (int64_t)DAY_MS);
	w.now_ms += DAYS_OFF * (int64_t)DAY_MS;
	w.was_off = true;
	watch_for(&w, DAYS_AFTER * (int64_t)DAY_MS);
	print_message("%u rounds, %u visits\n", w.rounds, w.visits);
	assert_in_range(w.rounds, rounds - 1, rounds + 1);
	for (unsigned k = 0; k < KINDS; k++) {
		for (unsigned window = 0; window < SCHEDULE_WINDOWS; window++)
			check_uptime(&w, &kinds[k], (enum schedule_window)window);
	}
	for (unsigned i = 0; i < PEERS; i++)
		check_peer(&w, &w.peers[i]);
}

/* --- rounds --- */

static void when_the_next_round_begins(void **state)
{
	static const struct {
		const char *name;
		int64_t last, now, next;
	} rows[] = {
		{ "none yet", 0, 5000, 5000 },
		{ "it has just begun", 5000, 5000, 5600 },
		{ "in the middle", 5000, 5300, 5600 },
		{ "it is time", 5000, 5600, 5600 },
		{ "it took too long", 5000, 5900, 5900 },
		{ "a clock that was set back", 5000, 4999, 4999 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rounds_next_ms(rows[i].last, 600, rows[i].now) != rows[i].next)
			fail_msg("%s", rows[i].name);
	}
}

static void who_belongs_to_a_round(void **state)
{
	static const struct {
		const char *name;
		int64_t last, begin, due_before;
	} rows[] = {
		{ "the first", 0, 5000, 5600 },
		{ "on time", 5000, 5600, 6200 },
		{ "some moments late", 5000, 5620, 6200 },
		{ "much later", 5000, 5800, 6400 },
		{ "resumed by hand, early", 5000, 5100, 5700 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rounds_due_before_ms(rows[i].last, 600, rows[i].begin) != rows[i].due_before)
			fail_msg("%s", rows[i].name);
	}
}

static void which_round_goes_on(void **state)
{
	(void)state;
	assert_true(rounds_go_on(5000, 600, 5000));
	assert_true(rounds_go_on(5000, 600, 5599));
	assert_false(rounds_go_on(5000, 600, 5600));
	assert_false(rounds_go_on(5000, 600, 4999));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weeks),
		cmocka_unit_test(when_the_next_round_begins),
		cmocka_unit_test(who_belongs_to_a_round),
		cmocka_unit_test(which_round_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
