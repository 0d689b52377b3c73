#include "cli/contacts.h"

#include "cli/alloc.h"
#include "io/dial.h"
#include "io/limits.h"
#include "io/resolve.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DESCRIPTORS_OWN = 16 /* epoll, wake-up and signal pipes, the resolver's sockets */ };

struct contacts;

struct contact {
	struct contacts *all;
	unsigned index;
	struct visit_config visit;
	struct netaddr *addrs;
	size_t addrs_count, next; /* next: to be dialled if the present one does not accept */
	struct resolve *resolve;  /* NULL: none is going on */
	uv_timer_t resolve_timer;
	struct dial *dial; /* NULL: none is going on */
};

struct contacts {
	const struct contacts_config *config;
	uv_loop_t loop;
	struct dialer *dialer;
	uv_signal_t on_int, on_term;
	uv_timer_t duration;
	struct contact *list;
	unsigned begun, told;
	uint64_t at_once;
	bool beginning; /* begin_some is at work */
	bool stopping;
	int status;
};

struct slice contacts_agent(void)
{
	return slice_text("/peerwalk:" PEERWALK_VERSION "/");
}

unsigned contacts_index(const struct visit *v)
{
	return ((const struct contact *)v->owner)->index;
}

void contacts_peer_text(const struct peer_arg *peer, const struct record *record,
			char out[static CONTACTS_TEXT_MAX])
{
	char addr[NETADDR_TEXT_MAX] = "";

	if (!peer->is_name || record != NULL)
		netaddr_text(peer->is_name ? &record->addr : &peer->addr, addr);
	if (peer->is_name)
		snprintf(out, CONTACTS_TEXT_MAX, "%s://%s:%u%s%s%s", peer->network->name,
			 peer->name, peer->port, record != NULL ? " (" : "", addr,
			 record != NULL ? ")" : "");
	else
		snprintf(out, CONTACTS_TEXT_MAX, "%s://%s", peer->network->name, addr);
}

/* Lets the loop end: only signals and the duration are left, and they go now. */
static void all_told(struct contacts *all)
{
	uv_close((uv_handle_t *)&all->on_int, NULL);
	uv_close((uv_handle_t *)&all->on_term, NULL);
	uv_close((uv_handle_t *)&all->duration, NULL);
}

static void begin_some(struct contacts *all);

static void tell(struct contact *c, const struct record *record, const char *why)
{
	struct contacts *all = c->all;

	all->config->on_done(all->config->ctx, c->index, record, why);
	uv_close((uv_handle_t *)&c->resolve_timer, NULL);
	if (++all->told == all->config->count)
		all_told(all);
	else
		begin_some(all);
}

static void dial_next(struct contact *c);

/* Nobody accepted at this address, but the name has another. */
static bool try_another(const struct contact *c, const struct record *record)
{
	return !c->all->stopping && record->connect_ms < 0 &&
	       record->outcome != OUTCOME_CANCELLED && c->next < c->addrs_count;
}

static void failed_here(struct contact *c)
{
	if (c->all->status != EXIT_FAILED)
		cli_error("cannot open a connection: this machine has no descriptor, no local port "
			  "or no memory left; ulimit -n raises the limit of open files");
	c->all->status = EXIT_FAILED;
	tell(c, NULL, "this machine could not open a connection");
}

static void on_dial_done(void *ctx, struct dial *dial, const struct record *record)
{
	struct contact *c = ctx;

	c->dial = NULL;
	if (dial_failed_here(dial))
		failed_here(c);
	else if (try_another(c, record))
		dial_next(c);
	else
		tell(c, record, NULL);
}

static void dial_next(struct contact *c)
{
	const struct netaddr *addr = &c->addrs[c->next++];
	uint64_t nonce;

	if (!netaddr_is_ip(addr)) {
		tell(c, NULL, "Tor, I2P and CJDNS addresses can't be dialled from here");
		return;
	}
	dial_random(&nonce, sizeof(nonce));
	if (dial_start(c->all->dialer, &c->visit, addr, nonce, on_dial_done, c, &c->dial) != ERR_OK)
		failed_here(c);
}

static void end_resolve(struct contact *c)
{
	resolve_stop(c->resolve);
	c->resolve = NULL;
	uv_timer_stop(&c->resolve_timer);
}

static void on_resolved(void *ctx, const struct resolve_answer *answer)
{
	struct contact *c = ctx;
	char why[256];

	if (answer->count == 0) {
		snprintf(why, sizeof(why), "%s has no address: %s", answer->name,
			 answer->error != NULL ? answer->error : "DNS knows none");
		end_resolve(c);
		tell(c, NULL, why);
		return;
	}
	c->addrs = alloc_zeroed(answer->count, sizeof(*c->addrs));
	memcpy(c->addrs, answer->addrs, answer->count * sizeof(*c->addrs));
	c->addrs_count = answer->count;
	end_resolve(c);
	dial_next(c);
}

static void on_resolve_timer(uv_timer_t *timer)
{
	struct contact *c = timer->data;

	end_resolve(c);
	tell(c, NULL, "DNS did not answer");
}

static void begin(struct contact *c)
{
	const struct peer_arg *peer = &c->all->config->peers[c->index];
	const char *name = peer->name;
	enum err err;

	uv_timer_init(&c->all->loop, &c->resolve_timer);
	c->resolve_timer.data = c;
	if (c->all->stopping) {
		tell(c, NULL, "stopped before its turn");
		return;
	}
	if (!peer->is_name) {
		c->addrs = alloc_zeroed(1, sizeof(*c->addrs));
		c->addrs[0] = peer->addr;
		c->addrs_count = 1;
		dial_next(c);
		return;
	}
	err = resolve_start(&c->all->loop, &name, 1, peer->port, on_resolved, c, &c->resolve);
	if (err != ERR_OK) {
		tell(c, NULL, err_text(err));
		return;
	}
	uv_timer_start(&c->resolve_timer, on_resolve_timer, CONTACTS_RESOLVE_MS, 0);
}

/* Whoever ends at once makes room for another in the loop, not in a recursion. */
static void begin_some(struct contacts *all)
{
	if (all->beginning)
		return;
	all->beginning = true;
	while (all->begun < all->config->count && all->begun - all->told < all->at_once) {
		struct contact *c = &all->list[all->begun];

		c->all = all;
		c->index = all->begun++;
		c->visit = all->config->visit;
		c->visit.session.network = all->config->peers[c->index].network;
		begin(c);
	}
	all->beginning = false;
}

static void stop(struct contacts *all)
{
	all->stopping = true;
	/* Those that have not begun are told by begin_some, as places become free. */
	for (unsigned i = 0; i < all->begun; i++) {
		struct contact *c = &all->list[i];

		if (c->resolve != NULL) {
			end_resolve(c);
			tell(c, NULL, "stopped before its address was known");
		} else if (c->dial != NULL) {
			dial_cancel(c->dial);
		}
	}
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct contacts *all = handle->data;

	all->status = number == SIGINT ? EXIT_INTERRUPTED : EXIT_TERMINATED;
	stop(all);
}

static void on_duration(uv_timer_t *timer)
{
	stop(timer->data);
}

static bool open_loop(struct contacts *all)
{
	uint64_t limit = limits_raise_descriptors(), used = limits_open_descriptors();

	/* libuv aborts where a loop's own descriptors don't fit. */
	if (limit < used + DESCRIPTORS_OWN + 1 || uv_loop_init(&all->loop) != 0) {
		cli_error("cannot start: too many open files; raise the limit (ulimit -n)");
		return false;
	}
	limit -= used + DESCRIPTORS_OWN;
	all->at_once = limit < CONTACTS_AT_ONCE ? limit : CONTACTS_AT_ONCE;
	uv_signal_init(&all->loop, &all->on_int);
	uv_signal_init(&all->loop, &all->on_term);
	uv_timer_init(&all->loop, &all->duration);
	all->on_int.data = all->on_term.data = all->duration.data = all;
	uv_signal_start(&all->on_int, on_signal, SIGINT);
	uv_signal_start(&all->on_term, on_signal, SIGTERM);
	if (all->config->duration_ms > 0)
		uv_timer_start(&all->duration, on_duration, all->config->duration_ms, 0);
	return true;
}

int contacts_run(const struct contacts_config *config)
{
	struct contacts all = { .config = config };
	int err;

	assert(config->count > 0);
	if (!open_loop(&all))
		return EXIT_FAILED;
	all.dialer = alloc_zeroed(1, sizeof(*all.dialer));
	all.list = alloc_zeroed(config->count, sizeof(*all.list));
	dialer_init(all.dialer, &all.loop);
	begin_some(&all);
	uv_run(&all.loop, UV_RUN_DEFAULT);
	err = uv_loop_close(&all.loop);
	assert(err == 0);
	(void)err;
	for (unsigned i = 0; i < config->count; i++)
		free(all.list[i].addrs);
	free(all.list);
	free(all.dialer);
	return all.status;
}
