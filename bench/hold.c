/* hold.c: callers of a standing peer, each from an address of its own on loopback: what it takes to
 * hold them all, in memory and in CPU, while they do no more than peers have to, and while each of
 * them pings once a second.
 *
 * usage: bench_hold NETWORK ADDR:PORT COUNT PID QUIET_S PINGED_S
 * PID is the peer's process; the others are the lengths of the two measurements. Prints one JSON
 * line. */
#include "io/dial.h"
#include "io/limits.h"
#include "proto/bitcoin/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	FIRST_SOURCE = 0x7f010001, /* 127.1.0.1 */
	CONNECTING_MAX = 200,
	SWEEP_MS = 100,
	SETTLE_MS = 3000,
	GIVE_UP_MS = 60 * 1000,
	ROOM = 64 * 1024,
};

struct caller {
	struct tcp tcp; /* first */
	struct held held;
	uint8_t id[16];
	bool up, gone;
	void *session;
};

static const struct network *network;
static struct tcp_set set;
static struct caller *callers;
static size_t count, begun, connecting, up, gone, pongs, pings, held_bytes;
static uv_loop_t loop;
static uint8_t buffer[ROOM];
static uint8_t ping[64];
static size_t ping_len;

static void pump(struct caller *c)
{
	const struct proto *p = network->proto;
	struct session_event e;
	uint8_t out[4096];
	size_t n;

	while (p->next(c->session, &e)) {
		if (e.kind == SESSION_EVENT_HANDSHAKE) {
			c->up = true;
			up++;
			connecting--;
		} else if (e.kind == SESSION_EVENT_MESSAGE) {
			pongs += strcmp(e.name, "pong") == 0;
		}
	}
	while ((n = p->send(c->session, out, sizeof(out))) > 0)
		tcp_send(&c->tcp, out, n);
}

static void lose(struct caller *c)
{
	if (c->gone)
		return;
	c->gone = true;
	gone++;
	if (c->up)
		up--;
	else
		connecting--;
	held_clear(&c->held, &held_bytes);
	tcp_close(&c->tcp);
}

static void on_connect(struct tcp *t, int error)
{
	struct caller *c = (struct caller *)(void *)t;
	struct session_params params = { .network = network,
					 .role = SESSION_INITIATOR,
					 .goal = SESSION_GOAL_STAY,
					 .agent = slice_text("/hold:1/"),
					 .own_id = slice_of(c->id, sizeof(c->id)) };

	if (error != 0) {
		lose(c);
		return;
	}
	dial_random(&params.nonce, sizeof(params.nonce));
	network->proto->init(c->session, &params, uv_now(&loop));
	pump(c);
}

static uv_buf_t room(struct tcp *t)
{
	return held_room(&((struct caller *)(void *)t)->held, buffer, sizeof(buffer));
}

static void on_read(struct tcp *t, ssize_t n, const uint8_t *data)
{
	struct caller *c = (struct caller *)(void *)t;
	size_t len, used = 0, took;

	if (n < 0) {
		lose(c);
		return;
	}
	len = c->held.len + (size_t)n;
	data = c->held.len > 0 ? c->held.bytes : data;
	while ((took = network->proto->recv(c->session, slice_of(data + used, len - used),
					    uv_now(&loop))) > 0) {
		used += took;
		pump(c);
	}
	if (used == len)
		held_clear(&c->held, &held_bytes);
	else if (!held_keep(&c->held, data + used, len - used,
			    held_cap(&c->held, len - used, network->proto->need(c->session)),
			    &held_bytes))
		lose(c);
}

static const struct tcp_calls calls = { .on_connect = on_connect,
					.room = room,
					.on_read = on_read };

static void begin_some(const struct netaddr *to)
{
	while (begun < count && connecting < CONNECTING_MAX) {
		struct netaddr from = netaddr_ipv4(FIRST_SOURCE + (uint32_t)begun, 0);
		struct caller *c = &callers[begun++];

		dial_random(c->id, sizeof(c->id));
		c->session = calloc(1, network->proto->session_size);
		connecting++;
		if (c->session == NULL || dial_connect(&set, &c->tcp, to, &from) != 0)
			lose(c);
	}
}

static void sweep(void)
{
	for (size_t i = 0; i < begun; i++) {
		struct caller *c = &callers[i];

		if (!c->up || c->gone || network->proto->deadline(c->session) > uv_now(&loop))
			continue;
		network->proto->tick(c->session, uv_now(&loop));
		pump(c);
	}
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
	sweep();
}

static void make_ping(void)
{
	struct writer w;
	size_t mark;

	writer_init(&w, ping, sizeof(ping));
	if (network->magic[0] == 0 && network->magic[1] == 0) {
		writer_slice(&w, slice_text("{\"msgtype\":\"ping\",\"nonce\":1}\n"));
	} else {
		mark = bitcoin_message_begin(&w);
		writer_slice(&w, slice_of("\1\0\0\0\0\0\0\0", 8));
		bitcoin_message_end(&w, mark, network->magic, BITCOIN_PING);
	}
	ping_len = w.len;
}

/* For so long; with pings each caller has one of its own a second, evenly spread. */
static void run_for(uint64_t ms, bool with_pings)
{
	uint64_t begin = uv_now(&loop), now = begin, due = 0;

	for (; now < begin + ms; now = uv_now(&loop)) {
		for (; with_pings && due < (now - begin) * count / 1000; due++) {
			struct caller *c = &callers[due % count];

			if (!c->up || c->gone)
				continue;
			tcp_send(&c->tcp, ping, ping_len);
			pings++;
		}
		uv_run(&loop, with_pings ? UV_RUN_NOWAIT : UV_RUN_ONCE);
		if (with_pings)
			usleep(1000);
	}
}

/* --- the other process --- */

static double cpu_of(const char *pid)
{
	unsigned long user = 0, system = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	f = fopen(path, "r");
	if (f == NULL ||
	    fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		   &system) != 2)
		user = system = 0;
	if (f != NULL)
		fclose(f);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double rss_of(const char *pid, const char *key)
{
	char path[64], line[256];
	unsigned long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/status", pid);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, key, strlen(key)) == 0)
			kib = strtoul(line + strlen(key) + 1, NULL, 10);
	}
	if (f != NULL)
		fclose(f);
	return (double)kib * 1024 / 1e6;
}

int main(int argc, char **argv)
{
	struct netaddr to;
	uv_timer_t timer;
	uint64_t quiet_ms, pinged_ms, begin;
	double before, rss_before, rss, idle, pinged, connected;

	network = argc == 7 ? network_find(argv[1]) : NULL;
	if (network == NULL || netaddr_parse(slice_text(argv[2]), 0, &to) != ERR_OK) {
		fprintf(stderr, "usage: bench_hold NETWORK ADDR:PORT COUNT PID QUIET_S PINGED_S\n");
		return 2;
	}
	count = strtoul(argv[3], NULL, 10);
	quiet_ms = strtoul(argv[5], NULL, 10) * 1000;
	pinged_ms = strtoul(argv[6], NULL, 10) * 1000;
	callers = calloc(count, sizeof(*callers));
	limits_raise_descriptors();
	make_ping();
	uv_loop_init(&loop);
	tcp_set_init(&set, &loop, &calls);
	uv_timer_init(&loop, &timer);
	uv_timer_start(&timer, on_tick, SWEEP_MS, SWEEP_MS);
	rss_before = rss_of(argv[4], "VmRSS:");
	before = cpu_of(argv[4]);
	begin = uv_now(&loop);
	while ((begun < count || connecting > 0) && uv_now(&loop) < begin + GIVE_UP_MS) {
		begin_some(&to);
		uv_run(&loop, UV_RUN_ONCE);
	}
	run_for(SETTLE_MS, false);
	connected = cpu_of(argv[4]) - before;
	before = cpu_of(argv[4]);
	run_for(quiet_ms, false);
	idle = cpu_of(argv[4]) - before;
	rss = rss_of(argv[4], "VmRSS:");
	before = cpu_of(argv[4]);
	pongs = 0;
	run_for(pinged_ms, true);
	pinged = cpu_of(argv[4]) - before;
	run_for(1000, false);
	printf("{\"held\": %zu, \"lost\": %zu, \"rss_before_mb\": %.1f, \"rss_mb\": %.1f, "
	       "\"rss_peak_mb\": %.1f, \"connect_us\": %.1f, \"idle_percent\": %.2f, "
	       "\"pings\": %zu, \"pongs\": %zu, \"pinged_percent\": %.2f, \"ping_us\": %.2f}\n",
	       up, gone, rss_before, rss, rss_of(argv[4], "VmHWM:"),
	       connected * 1e6 / (double)count, idle * 1e5 / (double)quiet_ms, pings, pongs,
	       pinged * 1e5 / (double)pinged_ms, pinged * 1e6 / (double)(pings > 0 ? pings : 1));
	return up == count ? 0 : 1;
}
