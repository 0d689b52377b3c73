#include "io/driver.h"

#include "io/dial.h"
#include "io/limits.h"
#include "io/loop.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Addresses looked up at a time: few enough to stay in the processor's first cache
 * between their decoding and their look-up. */
enum {
	NAMED_BATCH = 128,
	/* ... and glanced at: a whole message, so that the lock is taken once for it. */
	GLANCED_BATCH = 1024,
};

/* One visit in flight, beside what carries it. */
struct flight {
	struct loop *loop;
	struct dial *dial; /* one of both */
	struct node_visit *node;
	struct flight *next, **link; /* in the loop's list */
	uint32_t id;
	uint8_t attempt;
	uint32_t taken, cut; /* new addresses from this peer */
};

/* One thread's share. */
struct loop {
	struct driver *driver;
	unsigned index;
	uv_loop_t uv;
	uv_async_t wake;
	uv_timer_t later;
	uv_thread_t thread;
	struct dialer dialer;
	struct node_visitor *visitor; /* NULL unless DISCOVERY_V4 */
	struct flight *flights;
	uint32_t in_flight, share; /* share: visits at a time on this loop */
	uint64_t begin_not_before_ms;
	struct random nonces;
	bool idle;     /* guarded by the lock: wants to be woken when there is somebody */
	bool finished; /* guarded by the lock */
	struct glance glanced[GLANCED_BATCH];
	struct advert named[NAMED_BATCH];
	enum crawl_verdict verdicts[NAMED_BATCH];
};

struct driver {
	struct driver_config config;
	struct visit_config visit;
	uv_mutex_t lock; /* crawl, totals, holds, idle flags */
	struct crawl *crawl;
	struct driver_totals totals;
	unsigned holds;
	bool over;
	uint64_t
		refused_since_ms; /* no visit has ended since, and none could be begun; 0: not so */
	atomic_bool cancelling;
	uv_timer_t tick;
	struct loop *loops;
	unsigned loops_ready; /* of them initialised */
};

static void pump(struct loop *loop);
static void on_later(uv_timer_t *timer);

/* Called with the lock held. */
static void wake_idle(struct driver *d, const struct loop *but)
{
	for (unsigned i = 0; i < d->config.threads; i++) {
		if (&d->loops[i] != but && !d->loops[i].finished && (d->loops[i].idle || d->over)) {
			d->loops[i].idle = false;
			uv_async_send(&d->loops[i].wake);
		}
	}
}

/* --- what peers name --- */

static bool is_told(enum crawl_verdict verdict)
{
	return verdict == CRAWL_NEW || verdict == CRAWL_NEW_NO_DIAL || verdict == CRAWL_AGAIN;
}

/* At most NAMED_BATCH of them. */
static void take_batch(struct flight *f, const struct advert *from, const struct advert *named,
		       size_t count)
{
	struct loop *loop = f->loop;
	struct driver *d = loop->driver;
	int64_t now = dialer_unix_ms(&loop->dialer);
	uint32_t taken = f->taken, unnamed;

	uv_mutex_lock(&d->lock);
	unnamed = crawl_unnamed(d->crawl);
	f->cut += crawl_add_named(d->crawl, named, count, &f->taken, loop->verdicts);
	if (f->taken > taken)
		wake_idle(d, loop);
	unnamed -= crawl_unnamed(d->crawl);
	uv_mutex_unlock(&d->lock);
	if (f->taken == taken && unnamed == 0 && d->config.on_advert == NULL)
		return; /* all of them known: the usual case */
	for (size_t i = 0; i < count; i++) {
		if (is_told(loop->verdicts[i]))
			d->config.on_known(d->config.ctx, &named[i].addr, &named[i], now);
		if (d->config.on_advert != NULL)
			d->config.on_advert(d->config.ctx, from, &named[i], now);
	}
}

static void take_all(struct flight *f, const struct proto *proto, struct session_event *event,
		     const struct advert *from)
{
	struct loop *loop = f->loop;
	size_t count;

	while ((count = proto->adverts(event, loop->named, NAMED_BATCH)) > 0)
		take_batch(f, from, loop->named, count);
}

/* Only those who may be new. They are hashed without the lock, and looked up with it. */
static void take_unknown(struct flight *f, const struct proto *proto, struct session_event *event,
			 const struct advert *from)
{
	struct loop *loop = f->loop;
	struct driver *d = loop->driver;
	size_t count, left;

	while ((count = proto->glance(event, crawl_glance_key(d->crawl), loop->glanced,
				      GLANCED_BATCH)) > 0) {
		uv_mutex_lock(&d->lock);
		left = crawl_pass_known(d->crawl, loop->glanced, count);
		uv_mutex_unlock(&d->lock);
		for (size_t at = 0, n; at < left; at += n) {
			n = left - at < NAMED_BATCH ? left - at : NAMED_BATCH;
			for (size_t i = 0; i < n; i++)
				proto->advert_at(event, loop->glanced[at + i].at, &loop->named[i]);
			take_batch(f, from, loop->named, n);
		}
	}
}

static void on_event(void *ctx, struct visit *v, struct session_event *event)
{
	struct flight *f = v->owner;
	const struct proto *proto = v->config->session.network->proto;
	const struct advert from = { .addr = v->addr };

	(void)ctx;
	if (event->kind != SESSION_EVENT_ADVERTS)
		return;
	if (f->loop->driver->config.on_advert != NULL || proto->glance == NULL)
		take_all(f, proto, event, &from);
	else
		take_unknown(f, proto, event, &from);
}

static void on_nodes(void *ctx, struct node_visit *v, const struct advert *adverts, size_t count)
{
	const struct enode *node = node_visit_node(v);
	struct advert from = { .addr = node->endpoint.addr,
			       .node_id = slice_of(node->key, sizeof(node->key)),
			       .tcp_port = node->endpoint.tcp_port };

	(void)ctx;
	for (size_t at = 0; at < count; at += NAMED_BATCH)
		take_batch(node_visit_owner(v), &from, adverts + at,
			   count - at < NAMED_BATCH ? count - at : NAMED_BATCH);
}

/* --- visits --- */

static void land(struct flight *f)
{
	f->loop->in_flight--;
	*f->link = f->next;
	if (f->next != NULL)
		f->next->link = f->link;
	free(f);
}

/* Called with the lock held, when a visit could not be begun. */
static void give_up_if_endless(struct driver *d, uint64_t now_ms)
{
	struct crawl_stats stats;

	if (d->refused_since_ms == 0)
		d->refused_since_ms = now_ms;
	crawl_stats(d->crawl, &stats);
	if (stats.in_flight > 0 || now_ms - d->refused_since_ms < d->config.give_up_ms)
		return;
	d->totals.gave_up = true;
	crawl_stop(d->crawl);
}

/* This machine could not connect: the address waits again, and nothing is begun for a
 * while. Without a word to on_visit, as nothing is known of the peer. */
static void give_back(struct loop *loop, uint32_t id)
{
	struct driver *d = loop->driver;

	uv_update_time(&loop->uv);
	uv_mutex_lock(&d->lock);
	crawl_give_back(d->crawl, id);
	d->totals.local_errors++;
	give_up_if_endless(d, dialer_now_ms(&loop->dialer));
	uv_mutex_unlock(&d->lock);
	loop->begin_not_before_ms = dialer_now_ms(&loop->dialer) + DRIVER_BACK_OFF_MS;
	uv_timer_start(&loop->later, on_later, DRIVER_BACK_OFF_MS, 0);
}

static bool is_word(const char *text, const char *word)
{
	return text != NULL && strcmp(text, word) == 0;
}

static void count_node(struct driver_nodes *n, const struct record *r)
{
	const struct node_info *node = r->node;

	if (node == NULL)
		return;
	n->datagrams_in += r->messages_in;
	n->datagrams_out += node->datagrams_out;
	n->drained += is_word(node->completeness, drain_result_name(DRAIN_DRAINED));
	n->partial += is_word(node->completeness, drain_result_name(DRAIN_PARTIAL));
	n->timed_out += is_word(node->completeness, drain_result_name(DRAIN_TIMED_OUT));
	n->sessions += node->session != NULL;
	n->sessions_told += node->has_hello;
	n->sessions_full += is_word(node->session, rlpx_outcome_name(RLPX_OUTCOME_FULL));
}

static void finish_visit(struct flight *f, const struct record *record)
{
	struct driver *d = f->loop->driver;
	struct record r = *record;
	struct crawl_stats stats;
	bool final;

	r.adverts_new = f->taken;
	r.adverts_cut = f->cut;
	if (f->attempt > 1)
		r.tries = f->attempt;
	uv_mutex_lock(&d->lock);
	d->totals.bytes_in += r.bytes_in;
	d->totals.bytes_out += r.bytes_out;
	d->totals.visits_ms += (uint64_t)r.total_ms;
	count_node(&d->totals.nodes, &r);
	crawl_learn(d->crawl, &r);
	d->refused_since_ms = 0;
	final = crawl_finish(d->crawl, f->id, r.outcome, r.reached);
	crawl_stats(d->crawl, &stats);
	if (stats.in_flight == 0 || stats.waiting > 0)
		wake_idle(d, f->loop);
	uv_mutex_unlock(&d->lock);
	d->config.on_visit(d->config.ctx, &r, final);
}

static void end_flight(struct flight *f, bool failed_here, const struct record *record)
{
	struct loop *loop = f->loop;

	if (failed_here && !loop->driver->cancelling)
		give_back(loop, f->id);
	else
		finish_visit(f, record);
	land(f);
	pump(loop);
}

static void on_done(void *ctx, struct dial *dial, const struct record *record)
{
	end_flight(ctx, dial_failed_here(dial), record);
}

static void on_node_done(void *ctx, struct node_visit *v, const struct record *record)
{
	(void)ctx;
	end_flight(node_visit_owner(v), node_visit_failed_here(v), record);
}

/* Four PINGs in all for whoever is silent, and once as long a wait as three of them have. */
static enum err start_node(struct flight *f, const struct crawl_dial *next, uint64_t nonce)
{
	struct enode node = { .endpoint = { .addr = next->addr, .tcp_port = next->tcp_port } };
	unsigned pings = next->attempt > 1 ? 1 : 0;
	uint32_t pong_ms = next->wait.connect_ms;

	memcpy(node.key, next->node_id.data, sizeof(node.key));
	if (next->hasty || next->was_hasty)
		pings = 2;
	if (next->was_hasty)
		pong_ms = DRIVER_PONG_MS;
	return node_visit_start(f->loop->visitor, &node, pings, pong_ms, nonce, f, &f->node);
}

static enum err start_visit(struct flight *f, const struct crawl_dial *next)
{
	struct loop *loop = f->loop;
	uint64_t nonce = random_next(&loop->nonces);

	if (loop->visitor == NULL)
		return dial_start(&loop->dialer, &loop->driver->visit, &next->addr, &next->wait,
				  nonce, on_done, f, &f->dial);
	return start_node(f, next, nonce);
}

static bool begin(struct loop *loop, const struct crawl_dial *next)
{
	struct flight *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return false;
	*f = (struct flight){ .loop = loop, .id = next->id, .attempt = next->attempt };
	f->next = loop->flights;
	f->link = &loop->flights;
	if (f->next != NULL)
		f->next->link = &f->next;
	loop->flights = f;
	loop->in_flight++;
	if (start_visit(f, next) == ERR_OK)
		return true;
	land(f);
	return false;
}

static void finish_loop(struct loop *loop)
{
	bool before;

	assert(loop != NULL);
	/* Under the lock: nobody wakes a loop whose handles are closing. */
	uv_mutex_lock(&loop->driver->lock);
	before = loop->finished;
	loop->finished = true;
	uv_mutex_unlock(&loop->driver->lock);
	if (before)
		return;
	if (loop->visitor != NULL)
		node_visitor_close(loop->visitor);
	uv_close((uv_handle_t *)&loop->wake, NULL);
	uv_close((uv_handle_t *)&loop->later, NULL);
	if (loop->index == 0)
		uv_close((uv_handle_t *)&loop->driver->tick, NULL);
}

static void on_later(uv_timer_t *timer)
{
	pump(timer->data);
}

/* What the crawl says next; with the lock inside. Sets the loop idle if it says so. */
static enum crawl_action ask(struct loop *loop, struct crawl_dial *next, uint64_t *until)
{
	struct driver *d = loop->driver;
	enum crawl_action action;

	uv_mutex_lock(&d->lock);
	action = crawl_next(d->crawl, dialer_now_ms(&loop->dialer), next, until);
	if (action == CRAWL_DONE && d->holds > 0 && !d->cancelling)
		action = CRAWL_WAIT;
	loop->idle = action == CRAWL_WAIT;
	if (action == CRAWL_DONE && !d->over) {
		d->over = true;
		wake_idle(d, loop);
	}
	uv_mutex_unlock(&d->lock);
	return action;
}

static void pump(struct loop *loop)
{
	struct crawl_dial next;
	uint64_t until, now;

	/* The callbacks may have waited for a slow disk: what begins now begins now. */
	uv_update_time(&loop->uv);
	now = dialer_now_ms(&loop->dialer);
	while (!loop->finished && loop->in_flight < loop->share &&
	       now >= loop->begin_not_before_ms) {
		switch (ask(loop, &next, &until)) {
		case CRAWL_DIAL:
			if (!begin(loop, &next)) {
				give_back(loop, next.id);
				return;
			}
			break;
		case CRAWL_WAIT:
			if (until != UINT64_MAX)
				uv_timer_start(&loop->later, on_later,
					       until > now ? until - now : 1, 0);
			return;
		case CRAWL_DONE:
			finish_loop(loop);
			return;
		}
	}
}

/* --- loops --- */

static void on_wake(uv_async_t *async)
{
	struct loop *loop = async->data;
	struct flight *f, *next;

	if (loop->driver->cancelling) {
		for (f = loop->flights; f != NULL; f = next) {
			next = f->next;
			if (f->node != NULL)
				node_visit_cancel(f->node);
			else
				dial_cancel(f->dial);
		}
	}
	pump(loop);
}

static void run_loop(void *arg)
{
	struct loop *loop = arg;

	pump(loop);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
}

static void on_tick(uv_timer_t *timer)
{
	struct driver *d = timer->data;

	if (d->config.on_tick != NULL)
		d->config.on_tick(d->config.ctx, d);
}

static enum err open_visitor(struct loop *loop, char *why)
{
	struct driver *d = loop->driver;
	struct node_visit_config config = d->config.node;

	if (d->visit.session.network->discovery != DISCOVERY_V4)
		return ERR_OK;
	config.visit = d->visit;
	config.on_named = on_nodes;
	config.on_done = on_node_done;
	return node_visitor_open(&loop->dialer, &config, &loop->visitor, why);
}

static enum err init_loop(struct driver *d, unsigned index, char *why)
{
	struct loop *loop = &d->loops[index];

	loop->driver = d;
	loop->index = index;
	snprintf(why, DRIVER_WHY_MAX, "cannot start %u event loops: out of memory or descriptors",
		 d->config.threads);
	if (loop_init(&loop->uv) != 0)
		return ERR_IO;
	if (uv_async_init(&loop->uv, &loop->wake, on_wake) != 0) {
		uv_loop_close(&loop->uv);
		return ERR_IO;
	}
	uv_timer_init(&loop->uv, &loop->later);
	loop->wake.data = loop->later.data = loop;
	dialer_init(&loop->dialer, &loop->uv);
	dial_random(&loop->nonces.state, sizeof(loop->nonces.state));
	loop->share = (d->config.crawl.concurrency + d->config.threads - 1) / d->config.threads;
	if (index == 0) {
		uv_timer_init(&loop->uv, &d->tick);
		d->tick.data = d;
		uv_timer_start(&d->tick, on_tick, DRIVER_TICK_MS, DRIVER_TICK_MS);
	}
	d->loops_ready++;
	return open_visitor(loop, why);
}

enum err driver_new(const struct driver_config *config, struct driver **out,
		    char why[static DRIVER_WHY_MAX])
{
	struct driver *d = calloc(1, sizeof(*d));
	enum err err = ERR_OK;

	*out = NULL;
	snprintf(why, DRIVER_WHY_MAX, "out of memory");
	assert(config->threads > 0 && config->threads <= DRIVER_THREADS_MAX);
	if (d == NULL)
		return ERR_NOMEM;
	d->config = *config;
	if (d->config.give_up_ms == 0)
		d->config.give_up_ms = DRIVER_GIVE_UP_MS;
	d->visit = config->visit;
	d->visit.on_event = on_event;
	uv_mutex_init(&d->lock);
	d->loops = calloc(config->threads, sizeof(*d->loops));
	if (d->loops == NULL)
		err = ERR_NOMEM;
	for (unsigned i = 0; err == ERR_OK && i < config->threads; i++)
		err = init_loop(d, i, why);
	if (err == ERR_OK)
		err = crawl_new(&config->crawl, dialer_now_ms(&d->loops[0].dialer), &d->crawl);
	if (err != ERR_OK) {
		driver_free(d);
		return err;
	}
	*out = d;
	return ERR_OK;
}

void driver_free(struct driver *d)
{
	if (d == NULL)
		return;
	for (unsigned i = 0; i < d->loops_ready; i++) {
		finish_loop(&d->loops[i]);
		uv_run(&d->loops[i].uv, UV_RUN_DEFAULT);
		uv_loop_close(&d->loops[i].uv);
	}
	crawl_free(d->crawl);
	uv_mutex_destroy(&d->lock);
	free(d->loops);
	free(d);
}

uv_loop_t *driver_loop(struct driver *d)
{
	return &d->loops[0].uv;
}

struct crawl *driver_crawl(struct driver *d)
{
	return d->crawl;
}

enum crawl_verdict driver_seed(struct driver *d, const struct advert *peer)
{
	enum crawl_verdict verdict;

	uv_mutex_lock(&d->lock);
	verdict = crawl_add(d->crawl, peer);
	wake_idle(d, NULL);
	uv_mutex_unlock(&d->lock);
	if (is_told(verdict))
		d->config.on_known(d->config.ctx, &peer->addr, peer->node_id.len > 0 ? peer : NULL,
				   dialer_unix_ms(&d->loops[0].dialer));
	return verdict;
}

void driver_hold(struct driver *d)
{
	uv_mutex_lock(&d->lock);
	d->holds++;
	uv_mutex_unlock(&d->lock);
}

void driver_release(struct driver *d)
{
	uv_mutex_lock(&d->lock);
	assert(d->holds > 0);
	d->holds--;
	wake_idle(d, NULL);
	uv_mutex_unlock(&d->lock);
}

void driver_run(struct driver *d)
{
	unsigned started = 1;

	while (started < d->config.threads &&
	       uv_thread_create(&d->loops[started].thread, run_loop, &d->loops[started]) == 0)
		started++;
	/* Where the machine has no thread left, those that are there share the work. */
	for (unsigned i = started; i < d->config.threads; i++)
		finish_loop(&d->loops[i]);
	run_loop(&d->loops[0]);
	for (unsigned i = 1; i < started; i++)
		uv_thread_join(&d->loops[i].thread);
}

void driver_stop(struct driver *d, bool now)
{
	uv_mutex_lock(&d->lock);
	crawl_stop(d->crawl);
	if (now)
		d->cancelling = true;
	for (unsigned i = 0; i < d->config.threads; i++) {
		if (!d->loops[i].finished)
			uv_async_send(&d->loops[i].wake);
	}
	uv_mutex_unlock(&d->lock);
}

void driver_stats(struct driver *d, struct crawl_stats *stats, struct driver_totals *totals)
{
	uv_mutex_lock(&d->lock);
	crawl_stats(d->crawl, stats);
	*totals = d->totals;
	uv_mutex_unlock(&d->lock);
}

uint32_t driver_fit_concurrency(uint32_t wanted, unsigned threads, uint64_t *limit)
{
	uint64_t used = limits_open_descriptors() + 8ULL * threads;

	*limit = limits_raise_descriptors();
	used += *limit / 4 < DRIVER_DESCRIPTORS_SPARE ? *limit / 4 : DRIVER_DESCRIPTORS_SPARE;
	if (*limit <= used)
		return 0;
	return *limit - used < wanted ? (uint32_t)(*limit - used) : wanted;
}

void driver_few_descriptors(uint64_t limit, char why[static DRIVER_WHY_MAX])
{
	snprintf(why, DRIVER_WHY_MAX,
		 "this process may open %llu files, which leaves none for a connection: raise that "
		 "(ulimit -n, or LimitNOFILE= in a systemd unit)",
		 (unsigned long long)limit);
}
