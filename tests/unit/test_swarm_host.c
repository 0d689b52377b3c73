#include "io/swarm_host.h"

#include "io/dial.h"
#include "support/toy.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	LOOPBACK = 0x7f000001,
	FEW = 20,
	MANY = 700,
	FIRST = 4, /* bytes of the host's first words: h, and where it is */
};

/* A host with what it tells, and clients of it on plain sockets, all in this thread. */
struct place {
	uv_loop_t *loop;
	struct book *book;
	struct swarm_host_config config;
	struct swarm_host *host;
	unsigned ups, downs, parted, checks;
	struct netaddr last_up;
	enum outcome last_outcome;
};

static void on_event(void *ctx, const struct swarm_event *e)
{
	struct place *p = ctx;

	if (e->kind == SWARM_EVENT_UP) {
		p->ups++;
		p->last_up = e->peer.remote;
	} else if (e->kind == SWARM_EVENT_DOWN) {
		p->downs++;
		p->parted += e->peer.up;
		p->last_outcome = e->outcome;
	}
}

static void place_init(struct place *p, uv_loop_t *loop, uint32_t ip)
{
	const struct book_config book = { .new_max = 100,
					  .tried_max = 100,
					  .source_max = 100,
					  .group_max = 100,
					  .known_s = 3600,
					  .allow_private = true };

	*p = (struct place){ .loop = loop };
	assert_int_equal(book_new(&book, &p->book), ERR_OK);
	p->config = (struct swarm_host_config){
		.swarm = { .network = &toy_network,
			   .book = p->book,
			   .session = { .network = &toy_network,
					.agent = slice_text("toy"),
					.nonce = ip },
			   .allow_private = true,
			   .seed = ip,
			   .on_event = on_event,
			   .ctx = p },
		.places = { { .addr = netaddr_ipv4(ip, 0) } },
		.places_count = 1,
	};
}

static void place_start(struct place *p)
{
	char why[SWARM_HOST_WHY_MAX];

	if (swarm_host_start(p->loop, &p->config, &p->host, why) != ERR_OK)
		fail_msg("%s", why);
}

static void place_end(struct place *p)
{
	swarm_host_stop(p->host);
	uv_run(p->loop, UV_RUN_DEFAULT);
	book_free(p->book);
}

/* One that has the loop to itself. */
static void start_alone(struct place *p, uv_loop_t *loop)
{
	assert_int_equal(uv_loop_init(loop), 0);
	place_init(p, loop, LOOPBACK);
	place_start(p);
}

static void end_alone(struct place *p)
{
	place_end(p);
	assert_int_equal(uv_loop_close(p->loop), 0);
}

static struct swarm_host_counts counts(const struct place *p)
{
	struct swarm_host_counts n;

	swarm_host_counts(p->host, &n);
	return n;
}

static int call_from(const struct place *p, uint32_t from, int receive_buffer)
{
	struct netaddr at = swarm_host_local(p->host, 0), source = netaddr_ipv4(from, 0);
	struct sockaddr_storage sa;
	socklen_t len = dial_sockaddr(&source, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (receive_buffer > 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
	len = dial_sockaddr(&at, &sa);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, len), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static int call(const struct place *p)
{
	return call_from(p, LOOPBACK, 0);
}

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* Turns of the loop until so many bytes have come; how many did by then, or by the end. */
static size_t hear(struct place *p, int fd, size_t wanted)
{
	static uint8_t buf[TOY_ANSWER];
	size_t got = 0;
	ssize_t n;

	while (got < wanted) {
		uv_run(p->loop, UV_RUN_NOWAIT);
		while ((n = read(fd, buf, sizeof(buf))) > 0)
			got += (size_t)n;
		if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
			break;
	}
	return got;
}

static void turns(struct place *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		uv_run(p->loop, UV_RUN_NOWAIT);
}

static void two_find_each_other(void **state)
{
	uv_loop_t loop;
	struct place a, b;
	struct netaddr at;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	place_init(&a, &loop, LOOPBACK);
	place_init(&b, &loop, LOOPBACK + 1);
	place_start(&a);
	place_start(&b);
	at = swarm_host_local(a.host, 0);
	assert_true(at.port != 0);
	swarm_bootstrap(swarm_host_swarm(b.host), &at);
	swarm_host_step(b.host);
	while (a.ups == 0 || b.ups == 0)
		uv_run(&loop, UV_RUN_ONCE);
	/* It calls from where it listens. */
	assert_int_equal(a.last_up.kind, NETADDR_IPV4);
	assert_memory_equal(a.last_up.bytes, ((uint8_t[]){ 127, 0, 0, 2 }), 4);
	assert_true(netaddr_equal(&b.last_up, &at));
	turns(&a, 10);
	assert_true(counts(&a).swarm.messages_in >= 1);
	assert_int_equal(counts(&a).swarm.messages_in, counts(&b).swarm.messages_out);
	assert_int_equal(counts(&b).swarm.messages_in, counts(&a).swarm.messages_out);
	swarm_host_stop(b.host);
	while (a.downs == 0)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(a.last_outcome, OUTCOME_OK);
	assert_int_equal(b.downs, 1);
	place_end(&a);
	book_free(b.book);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void it_says_why_it_can_not_listen(void **state)
{
	uv_loop_t loop;
	struct place a, b;
	char why[SWARM_HOST_WHY_MAX];

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	place_init(&a, &loop, LOOPBACK);
	place_init(&b, &loop, LOOPBACK);
	place_start(&a);
	b.config.places[0].addr = swarm_host_local(a.host, 0);
	assert_int_equal(swarm_host_start(&loop, &b.config, &b.host, why), ERR_IO);
	assert_non_null(strstr(why, "choose another port"));
	b.config.places[0].addr = netaddr_ipv4(0xc0000201, 1);
	assert_int_equal(swarm_host_start(&loop, &b.config, &b.host, why), ERR_IO);
	assert_non_null(strstr(why, "no address of this machine"));
	b.config.places[0].optional = true;
	assert_int_equal(swarm_host_start(&loop, &b.config, &b.host, why), ERR_IO);
	place_end(&a);
	book_free(b.book);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void both_kinds_of_addresses_share_a_port(void **state)
{
	uv_loop_t loop;
	struct place a;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	place_init(&a, &loop, 0);
	a.config.places[1] = (struct listen_place){ { .kind = NETADDR_IPV6 }, true };
	a.config.places_count = 2;
	place_start(&a);
	if (swarm_host_places(a.host) == 2)
		assert_int_equal(swarm_host_local(a.host, 0).port,
				 swarm_host_local(a.host, 1).port);
	assert_int_equal(swarm_host_local(a.host, 0).kind, NETADDR_IPV4);
	end_alone(&a);
}

static void bytes_one_by_one_are_a_message_too(void **state)
{
	uv_loop_t loop;
	struct place a;
	int slow, quick;

	(void)state;
	start_alone(&a, &loop);
	slow = call(&a);
	for (const char *c = "h\nm 9\n123"; *c != '\0'; c++) {
		assert_int_equal(write(slow, c, 1), 1);
		turns(&a, 3);
		/* Others are served meanwhile. */
		quick = call(&a);
		say(quick, "h\n");
		assert_int_equal(hear(&a, quick, FIRST), FIRST);
		close(quick);
	}
	assert_true(counts(&a).in_bytes > 0);
	say(slow, "456789a\n");
	assert_int_equal(hear(&a, slow, FIRST + TOY_ANSWER), FIRST + TOY_ANSWER);
	assert_int_equal(counts(&a).in_bytes, 0);
	close(slow);
	place_end(&a);
	assert_int_equal(a.ups, a.parted);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* Nothing is made for it before it reads, and then it gets everything. */
static void a_slow_reader_costs_one_message(void **state)
{
	enum { ASKED = 500 };
	uv_loop_t loop;
	struct place a;
	int slow, quick;

	(void)state;
	start_alone(&a, &loop);
	slow = call(&a);
	say(slow, "h\n");
	for (unsigned i = 0; i < ASKED; i++)
		say(slow, "a\n");
	turns(&a, 100);
	assert_true(counts(&a).out_bytes > 0);
	assert_true(counts(&a).out_bytes <= SWARM_HOST_WAITING_MAX);
	quick = call(&a);
	say(quick, "h\na\n");
	assert_int_equal(hear(&a, quick, FIRST + TOY_ANSWER), FIRST + TOY_ANSWER);
	assert_int_equal(hear(&a, slow, FIRST + ASKED * TOY_ANSWER), FIRST + ASKED * TOY_ANSWER);
	turns(&a, 3);
	assert_int_equal(counts(&a).out_bytes, 0);
	assert_int_equal(counts(&a).in_bytes, 0);
	say(slow, "a\n");
	assert_int_equal(hear(&a, slow, TOY_ANSWER), TOY_ANSWER);
	close(slow);
	close(quick);
	end_alone(&a);
}

static void unfinished_messages_have_a_limit_together(void **state)
{
	static char part[64 * 1024];
	uv_loop_t loop;
	struct place a;
	int fds[FEW], quick;
	size_t most = 0;

	(void)state;
	start_alone(&a, &loop);
	for (unsigned i = 0; i < FEW; i++) {
		fds[i] = call(&a);
		say(fds[i], "h\nm 4000000\n");
	}
	for (unsigned round = 0; round < 60; round++) {
		for (unsigned i = 0; i < FEW; i++) {
			ssize_t n = send(fds[i], part, sizeof(part), MSG_NOSIGNAL);

			(void)n; /* some are closed by then */
		}
		turns(&a, 2);
		if (counts(&a).in_bytes > most)
			most = counts(&a).in_bytes;
	}
	assert_true(most > SWARM_HOST_IN_MAX / 2);
	assert_true(most <= SWARM_HOST_IN_MAX);
	assert_true(counts(&a).let_go > 0);
	assert_true(counts(&a).swarm.up > 0);
	quick = call(&a);
	say(quick, "h\n");
	assert_int_equal(hear(&a, quick, FIRST), FIRST);
	for (unsigned i = 0; i < FEW; i++)
		close(fds[i]);
	close(quick);
	end_alone(&a);
}

static void slow_readers_have_a_limit_together(void **state)
{
	static int fds[MANY];
	uv_loop_t loop;
	struct place a;
	size_t most = 0;
	int quick;

	(void)state;
	start_alone(&a, &loop);
	for (unsigned i = 0; i < MANY; i++) {
		fds[i] = call_from(&a, LOOPBACK, 4096);
		say(fds[i], "h\n");
		for (unsigned asked = 0; asked < 100; asked++)
			say(fds[i], "a\n");
		turns(&a, 2);
		if (counts(&a).out_bytes > most)
			most = counts(&a).out_bytes;
	}
	turns(&a, 100);
	assert_true(most > SWARM_HOST_OUT_MAX / 2);
	assert_true(most <= SWARM_HOST_OUT_MAX);
	assert_true(counts(&a).let_go > 0);
	quick = call(&a);
	say(quick, "h\na\n");
	assert_int_equal(hear(&a, quick, FIRST + TOY_ANSWER), FIRST + TOY_ANSWER);
	for (unsigned i = 0; i < MANY; i++)
		close(fds[i]);
	close(quick);
	end_alone(&a);
}

static void a_flood_of_one_host_leaves_places_for_others(void **state)
{
	uv_loop_t loop;
	struct place a;
	int fds[MANY], other;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	place_init(&a, &loop, LOOPBACK);
	a.config.swarm.loopback_counts = true;
	place_start(&a);
	for (unsigned i = 0; i < MANY; i++)
		fds[i] = call(&a);
	turns(&a, MANY / SWARM_HOST_ROUND + 2);
	assert_int_equal(counts(&a).swarm.in, toy_policy.host_max);
	assert_int_equal(counts(&a).swarm.refused, MANY - toy_policy.host_max);
	other = call_from(&a, LOOPBACK + 5, 0);
	say(other, "h\n");
	assert_int_equal(hear(&a, other, FIRST), FIRST);
	for (unsigned i = 0; i < MANY; i++)
		close(fds[i]);
	close(other);
	end_alone(&a);
}

static void a_fast_clock_shortens_all_waits(void **state)
{
	uv_loop_t loop;
	struct place a;
	uint64_t before;
	int mute;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	place_init(&a, &loop, LOOPBACK);
	a.config.speed_up = 100;
	place_start(&a);
	mute = call(&a);
	before = uv_hrtime();
	while (a.downs == 0)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(a.last_outcome, OUTCOME_HANDSHAKE_TIMEOUT);
	assert_true((uv_hrtime() - before) / 1000000 >= TOY_WAIT_MS / 100 - 2);
	assert_true((uv_hrtime() - before) / 1000000 < TOY_WAIT_MS);
	close(mute);
	end_alone(&a);
}

/* What was said before the end arrives, but nobody who doesn't read keeps the host. */
static void leaving_is_polite_but_ends(void **state)
{
	uv_loop_t loop;
	struct place a;
	size_t heard = 0, n;
	int slow, never;

	(void)state;
	start_alone(&a, &loop);
	slow = call(&a);
	never = call(&a);
	for (unsigned i = 0; i < 2; i++) {
		int fd = i == 0 ? slow : never;

		say(fd, "h\n");
		for (unsigned asked = 0; asked < 500; asked++)
			say(fd, "a\n");
	}
	turns(&a, 100);
	assert_true(counts(&a).out_bytes > 0);
	swarm_host_stop(a.host);
	while ((n = hear(&a, slow, TOY_ANSWER)) > 0)
		heard += n;
	/* All that was drained: whole messages. */
	assert_int_equal(heard % TOY_ANSWER, FIRST);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(a.downs, 2);
	close(slow);
	close(never);
	book_free(a.book);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* The last test, as the limit can't be raised again. */
static void callers_are_as_many_as_descriptors(void **state)
{
	struct rlimit limit;
	uv_loop_t loop;
	struct place a;

	(void)state;
	start_alone(&a, &loop);
	assert_int_equal(swarm_host_in_max(a.host), toy_policy.in_max);
	place_end(&a);
	limit.rlim_cur = limit.rlim_max = SWARM_HOST_SPARE + 100;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	place_init(&a, &loop, LOOPBACK);
	place_start(&a);
	assert_in_range(swarm_host_in_max(a.host), 50, 99);
	end_alone(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_find_each_other),
		cmocka_unit_test(it_says_why_it_can_not_listen),
		cmocka_unit_test(both_kinds_of_addresses_share_a_port),
		cmocka_unit_test(bytes_one_by_one_are_a_message_too),
		cmocka_unit_test(a_slow_reader_costs_one_message),
		cmocka_unit_test(unfinished_messages_have_a_limit_together),
		cmocka_unit_test(slow_readers_have_a_limit_together),
		cmocka_unit_test(a_flood_of_one_host_leaves_places_for_others),
		cmocka_unit_test(a_fast_clock_shortens_all_waits),
		cmocka_unit_test(leaving_is_polite_but_ends),
		cmocka_unit_test(callers_are_as_many_as_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
