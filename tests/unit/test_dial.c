/* Visits on real sockets of the loopback, of peers that speak at the wrong time or too much, and
 * on a machine that has its own troubles. */
#include "io/dial.h"
#include "io/driver.h"
#include "proto/bitcoin/messages.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* --- a peer with a script, in a thread of its own --- */

struct peer {
	int listener;
	struct netaddr addr;
	pthread_t thread;
	uint8_t *script;
	struct writer w;
	size_t at_once;   /* bytes a send; 0: all */
	unsigned wait_ms; /* before it speaks */
	unsigned pongs;   /* heard */
	size_t pause_at;  /* of the script: it says the rest when it has heard `await` pongs */
	unsigned await;
};

static const struct network *main_net(void)
{
	return network_find("bitcoin");
}

static void put_empty(struct writer *w, enum bitcoin_command id)
{
	bitcoin_message_end(w, bitcoin_message_begin(w), main_net()->magic, id);
}

static void put_handshake(struct writer *w)
{
	const struct bitcoin_version v = {
		.protocol = 70016,
		.nonce = 77,
		.agent = slice_text("/scripted:1.0/"),
		.recv = { .addr = { .kind = NETADDR_IPV6 } },
		.from = { .addr = { .kind = NETADDR_IPV6 } },
		.has_from = true,
		.has_height = true,
		.has_relay = true,
	};
	size_t mark = bitcoin_message_begin(w);

	bitcoin_version_encode(w, &v);
	bitcoin_message_end(w, mark, main_net()->magic, BITCOIN_VERSION);
	put_empty(w, BITCOIN_VERACK);
}

static void put_addr(struct writer *w, unsigned count)
{
	struct advert adverts[100] = { 0 };
	size_t mark = bitcoin_message_begin(w);

	for (unsigned i = 0; i < count; i++)
		adverts[i].addr = netaddr_ipv4(0x08000000U + i, 8333);
	bitcoin_addr_encode(w, true, adverts, count);
	bitcoin_message_end(w, mark, main_net()->magic, BITCOIN_ADDRV2);
}

/* The longest list that BIP 155 allows, of a network that nobody knows yet. */
static void put_longest_addr(struct writer *w)
{
	size_t mark = bitcoin_message_begin(w);

	bitcoin_put_compact_size(w, BITCOIN_ADDR_MAX);
	for (unsigned i = 0; i < BITCOIN_ADDR_MAX; i++) {
		writer_u32le(w, 1);
		writer_u8(w, 1);
		writer_u8(w, 200);
		bitcoin_put_compact_size(w, 512);
		writer_zeros(w, 512 + 2);
	}
	bitcoin_message_end(w, mark, main_net()->magic, BITCOIN_ADDRV2);
}

static void put_pings(struct writer *w, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct bitcoin_ping ping = { .has_nonce = true, .nonce = i + 1 };
		size_t mark = bitcoin_message_begin(w);

		bitcoin_ping_encode(w, &ping);
		bitcoin_message_end(w, mark, main_net()->magic, BITCOIN_PING);
	}
}

/* Until there were as many pongs as it waits for. */
static void hear(struct peer *p, int fd)
{
	uint8_t in[1 << 16];
	size_t len = 0, at = 0;
	ssize_t n;

	while (p->pongs < p->await && (n = read(fd, in + len, sizeof(in) - len)) > 0) {
		len += (size_t)n;
		while (at + BITCOIN_HEADER_LEN <= len) {
			struct bitcoin_header h;
			struct reader r;

			reader_init(&r, slice_of(in + at, len - at));
			bitcoin_header_decode(&r, main_net()->magic, &h);
			if (!reader_ok(&r) || at + BITCOIN_HEADER_LEN + h.length > len)
				break;
			p->pongs += h.id == BITCOIN_PONG;
			at += BITCOIN_HEADER_LEN + h.length;
		}
	}
}

static void say(const struct peer *p, int fd, size_t from, size_t to)
{
	while (from < to) {
		size_t n = p->at_once > 0 && to - from > p->at_once ? p->at_once : to - from;
		ssize_t sent = send(fd, p->script + from, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		from += (size_t)sent;
	}
}

static void *play(void *arg)
{
	struct peer *p = arg;
	int fd = accept(p->listener, NULL, NULL);
	uint8_t rest[1024];

	if (fd < 0)
		return NULL;
	usleep(p->wait_ms * 1000);
	say(p, fd, 0, p->pause_at);
	hear(p, fd);
	say(p, fd, p->pause_at, p->w.len);
	while (read(fd, rest, sizeof(rest)) > 0)
		;
	close(fd);
	return NULL;
}

enum { SCRIPT_MAX = 1 << 20 };

static void peer_init(struct peer *p)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(sa);

	*p = (struct peer){ .listener = socket(AF_INET, SOCK_STREAM, 0),
			    .script = malloc(SCRIPT_MAX) };
	assert_non_null(p->script);
	writer_init(&p->w, p->script, SCRIPT_MAX);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(p->listener, 8), 0);
	assert_int_equal(getsockname(p->listener, (struct sockaddr *)&sa, &len), 0);
	p->addr = netaddr_ipv4(INADDR_LOOPBACK, ntohs(sa.sin_port));
}

static void peer_start(struct peer *p)
{
	assert_true(writer_ok(&p->w));
	assert_int_equal(pthread_create(&p->thread, NULL, play, p), 0);
}

static void peer_end(struct peer *p)
{
	pthread_join(p->thread, NULL);
	close(p->listener);
	free(p->script);
}

/* --- one visit --- */

struct once {
	uv_loop_t loop;
	uv_async_t stall;
	struct dialer *dialer;
	struct visit_config visit;
	unsigned stall_ms;
	unsigned ends;
	enum outcome outcome;
	uint32_t adverts;
};

static void on_once_done(void *ctx, struct dial *dial, const struct record *record)
{
	struct once *o = ctx;

	(void)dial;
	o->ends++;
	o->outcome = record->outcome;
	o->adverts = record->adverts;
}

/* Where callbacks of sockets are: libuv looks at timers before it looks at others. */
static void on_stall(uv_async_t *async)
{
	const struct once *o = async->data;

	usleep(o->stall_ms * 1000);
	uv_close((uv_handle_t *)async, NULL);
}

static void once_init(struct once *o, uint64_t timeout_ms)
{
	*o = (struct once){ .dialer = malloc(sizeof(*o->dialer)),
			    .visit = { .session = { .network = main_net(),
						    .goal = SESSION_GOAL_PEERS,
						    .agent = slice_text("/test:1/"),
						    .timeout_ms = timeout_ms },
				       .connect_timeout_ms = 5000 } };
	assert_non_null(o->dialer);
	assert_int_equal(uv_loop_init(&o->loop), 0);
	dialer_init(o->dialer, &o->loop);
}

static void once_run(struct once *o, struct peer *p)
{
	struct dial *dial;

	peer_start(p);
	if (o->stall_ms > 0) {
		uv_async_init(&o->loop, &o->stall, on_stall);
		o->stall.data = o;
		uv_async_send(&o->stall);
	}
	assert_int_equal(
		dial_start(o->dialer, &o->visit, &p->addr, NULL, 5, on_once_done, o, &dial),
		ERR_OK);
	uv_run(&o->loop, UV_RUN_DEFAULT);
	assert_int_equal(o->ends, 1);
	assert_int_equal(uv_loop_close(&o->loop), 0);
	peer_end(p);
}

/* --- tests --- */

/* Each answer leaves before the next message is heard: nobody who reads is blamed. */
static void many_pings_in_one_segment_are_answered(void **state)
{
	struct once o;
	struct peer p;

	(void)state;
	peer_init(&p);
	put_handshake(&p.w);
	put_pings(&p.w, 500);
	p.pause_at = p.w.len;
	p.await = 500;
	put_addr(&p.w, 50);
	once_init(&o, 5000);
	once_run(&o, &p);
	assert_int_equal(o.outcome, OUTCOME_OK);
	assert_int_equal(p.pongs, 500);
	free(o.dialer);
}

/* A process that was held up hears what came meanwhile before it judges. */
static void a_stall_of_our_own_is_not_the_peers(void **state)
{
	struct once o;
	struct peer p;

	(void)state;
	peer_init(&p);
	p.wait_ms = 100;
	put_handshake(&p.w);
	put_addr(&p.w, 50);
	once_init(&o, 300);
	o.stall_ms = 700;
	once_run(&o, &p);
	assert_int_equal(o.outcome, OUTCOME_OK);
	assert_int_equal(o.adverts, 50);
	free(o.dialer);
}

/* In small pieces, with and without room among all dials. */
static void long_messages_share_a_cap(void **state)
{
	static const struct {
		const char *name;
		bool longest;
		size_t others; /* bytes that other dials hold */
		enum outcome outcome;
	} rows[] = {
		{ "longest, alone", true, 0, OUTCOME_OK },
		{ "longest, no room", true, DIAL_HELD_MAX, OUTCOME_CANCELLED },
		{ "usual, no room", false, DIAL_HELD_MAX, OUTCOME_OK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct once o;
		struct peer p;

		peer_init(&p);
		p.at_once = rows[i].longest ? 3000 : 100;
		put_handshake(&p.w);
		if (rows[i].longest)
			put_longest_addr(&p.w);
		put_addr(&p.w, 50);
		once_init(&o, 5000);
		o.dialer->held_bytes = rows[i].others;
		once_run(&o, &p);
		if (o.outcome != rows[i].outcome)
			fail_msg("%s: %s", rows[i].name, outcome_name(o.outcome));
		assert_int_equal(o.dialer->held_bytes, rows[i].others);
		free(o.dialer);
	}
}

static void no_known(void *ctx, const struct netaddr *addr, const struct advert *advert,
		     int64_t unix_ms)
{
	(void)ctx;
	(void)addr;
	(void)advert;
	(void)unix_ms;
}

static void count_unreachable(void *ctx, const struct record *record, bool final)
{
	*(unsigned *)ctx += final && record->outcome == OUTCOME_UNREACHABLE;
}

/* A crawl of one IPv6 address where IPv6 is switched off, as in many containers. */
static int crawl_without_ipv6(void)
{
	unsigned unreachable = 0;
	struct driver_config config = {
		.visit = { .session = { .network = main_net(), .agent = slice_text("/t:1/") },
			   .connect_timeout_ms = 1000 },
		.crawl = { .concurrency = 4 },
		.threads = 1,
		.on_known = no_known,
		.on_visit = count_unreachable,
		.ctx = &unreachable,
	};
	char why[DRIVER_WHY_MAX];
	struct driver *driver;
	struct netaddr addr;
	int fd;

	if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return 77;
	fd = open("/proc/sys/net/ipv6/conf/all/disable_ipv6", O_WRONLY);
	if (fd < 0 || write(fd, "1", 1) != 1)
		return 77;
	close(fd);
	alarm(10);
	if (netaddr_parse(slice_text("[2a01:4f8::1]:8333"), 0, &addr) != ERR_OK ||
	    driver_new(&config, &driver, why) != ERR_OK)
		return 1;
	driver_seed(driver, &(struct advert){ .addr = addr });
	driver_run(driver);
	driver_free(driver);
	return unreachable == 1 ? 0 : 2;
}

static void an_address_without_a_way_ends_the_crawl(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(crawl_without_ipv6());
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_pings_in_one_segment_are_answered),
		cmocka_unit_test(a_stall_of_our_own_is_not_the_peers),
		cmocka_unit_test(long_messages_share_a_cap),
		cmocka_unit_test(an_address_without_a_way_ends_the_crawl),
	};

	/* As the program does: libuv writes to peers that may be gone. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
