/* The library's member of a network: settings, threads, what is said and heard, on loopback. */
#include "support/member.h"
#include "support/store.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { SPEAKERS = 4, SAID_EACH = 100 };

static struct pw_bytes bytes_of(const char *text)
{
	return (struct pw_bytes){ (const uint8_t *)text, strlen(text) };
}

/* A JSON object of cap - 1 bytes. */
static void long_text(char *out, size_t cap)
{
	memset(out, 'x', cap);
	memcpy(out, "{\"text\":\"", 9);
	memcpy(out + cap - 3, "\"}", 3);
}

/* --- settings --- */

static void test_config(void **state)
{
	static const uint8_t zero_key[32];
	static char long_group[66];
	static const struct {
		const char *what, *network;
		struct pw_member_config config; /* but for size and network */
		enum pw_err err;
	} rows[] = {
		{ "plain", "gossip", { 0 }, PW_OK },
		{ "a group", "gossip", { .group = "chat" }, PW_OK },
		{ "a group without a name", "gossip", { .group = "" }, PW_ERR_VALUE },
		{ "a long group", "gossip", { .group = long_group }, PW_ERR_VALUE },
		{ "a group that is no UTF-8", "gossip", { .group = "\xff" }, PW_ERR_VALUE },
		{ "a group of Bitcoin", "bitcoin", { .group = "chat" }, PW_ERR_VALUE },
		{ "a key where peers have none", "gossip", { .key = zero_key }, PW_ERR_VALUE },
		{ "no key", "ethereum", { .key = zero_key }, PW_ERR_VALUE },
		{ "a database of Ethereum", "ethereum", { .database = "x.db" }, PW_OK },
		{ "a node that nobody calls", "ethereum", { .no_listen = true }, PW_ERR_VALUE },
		{ "an agent of two lines", "gossip", { .agent = "a\nb" }, PW_ERR_VALUE },
		{ "an empty agent", "bitcoin", { .agent = "" }, PW_ERR_VALUE },
		{ "Bitcoin", "bitcoin", { .agent = "/x:1/", .in_max = 5 }, PW_OK },
		{ "Ethereum", "hoodi", { .agent = "x/v1" }, PW_OK },
	};
	struct pw_member_config config = { .size = sizeof(config) };
	struct pw_member *m;

	(void)state;
	memset(long_group, 'x', sizeof(long_group) - 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum pw_err err;

		config = rows[i].config;
		config.size = sizeof(config);
		config.network = pw_network_find(rows[i].network);
		err = pw_member_new(&config, &m);
		if (err != rows[i].err)
			fail_msg("%s: %s", rows[i].what, pw_err_text(err));
		assert_int_equal(m != NULL, err == PW_OK);
		pw_member_free(m);
	}
	config = (struct pw_member_config){ .size = sizeof(config) };
	assert_int_equal(pw_member_new(&config, &m), PW_ERR_VALUE);
	config = (struct pw_member_config){ .network = pw_network_find("gossip") };
	assert_int_equal(pw_member_new(&config, &m), PW_ERR_VALUE);
}

static void test_settings(void **state)
{
	static const struct {
		const char *what;
		enum pw_err (*add)(struct pw_member *m, const char *text);
		const char *text;
		enum pw_err err;
		const char *why;
	} rows[] = {
		{ "everywhere", pw_member_add_listen, "0.0.0.0", PW_OK, "" },
		{ "any port", pw_member_add_listen, "[::1]:0", PW_OK, "" },
		{ "a name", pw_member_add_listen, "localhost", PW_ERR_SYNTAX, "ADDR:PORT" },
		{ "nothing", pw_member_add_listen, "", PW_ERR_SYNTAX, "ADDR:PORT" },
		{ "third", pw_member_add_listen, "127.0.0.1:1", PW_OK, "" },
		{ "fourth", pw_member_add_listen, "127.0.0.1:2", PW_OK, "" },
		{ "fifth", pw_member_add_listen, "127.0.0.1:3", PW_ERR_LIMIT, "too many" },
		{ "without a port", pw_member_add_advertise, "192.0.2.1", PW_ERR_SYNTAX, "PORT" },
		{ "nowhere", pw_member_add_advertise, "0.0.0.0:1", PW_ERR_SYNTAX, "PORT" },
		{ "elsewhere", pw_member_add_advertise, "192.0.2.1:1", PW_OK, "" },
		{ "and in IPv6", pw_member_add_advertise, "[2001:db8::1]:1", PW_OK, "" },
		{ "and again", pw_member_add_advertise, "192.0.2.2:1", PW_ERR_LIMIT, "too many" },
		{ "an address", pw_member_add_seed, "192.0.2.7", PW_OK, "" },
		{ "a URL", pw_member_add_seed, "gossip://[2001:db8::7]:99", PW_OK, "" },
		{ "a name and a port", pw_member_add_seed, "peers.example:77", PW_OK, "" },
		{ "another port", pw_member_add_seed, "peers.example:78", PW_OK, "" },
		{ "another network", pw_member_add_seed, "bitcoin://192.0.2.1", PW_ERR_SYNTAX,
		  "another network" },
		{ "nobody", pw_member_add_seed, "no body", PW_ERR_SYNTAX, "is no peer" },
	};
	struct pw_member_config config = { .size = sizeof(config),
					   .network = pw_network_find("gossip") };
	struct pw_member *m;
	enum pw_err err;

	(void)state;
	assert_int_equal(pw_member_new(&config, &m), PW_OK);
	assert_string_equal(pw_member_why(m), "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		err = rows[i].add(m, rows[i].text);
		if (err != rows[i].err ||
		    (err != PW_OK && strstr(pw_member_why(m), rows[i].why) == NULL))
			fail_msg("%s: %s: %s", rows[i].what, pw_err_text(err), pw_member_why(m));
	}
	for (unsigned i = 4; i < 64; i++)
		assert_int_equal(pw_member_add_seed(m, "192.0.2.7"), PW_OK);
	assert_int_equal(pw_member_add_seed(m, "192.0.2.7"), PW_ERR_LIMIT);
	/* Nothing runs: nobody is there, and nobody hears. */
	assert_int_equal(pw_member_peers(m, NULL, NULL), PW_ERR_BUSY);
	assert_int_equal(pw_member_say_all(m, "x", bytes_of("")), PW_ERR_NOT_FOUND);
	assert_int_equal(pw_member_say(m, 1, "x", bytes_of("")), PW_ERR_NOT_FOUND);
	pw_member_free(m);
	pw_member_free(NULL);
}

/* --- two of them --- */

static struct rig a, b, c;

static void start_two(const char *network)
{
	char place[MEMBER_TEXT];

	rig_init(&a, network);
	rig_init(&b, network);
	a.config.agent = "/a:1/";
	b.config.agent = "/b:1/";
	a.wanted = b.wanted = "chat";
	rig_new(&a, "127.0.0.1:0", NULL);
	rig_begin(&a);
	rig_new(&b, "127.0.0.1:0", rig_get(&a, a.place, place));
	rig_begin(&b);
	rig_wait(a.ups, 1);
	rig_wait(b.ups, 1);
}

static void end_two(void)
{
	rig_end(&b, PW_OK);
	rig_wait(a.downs, a.ups);
	rig_end(&a, PW_OK);
	assert_int_equal(b.downs, b.ups);
	rig_free(&a);
	rig_free(&b);
}

static void test_gossip(void **state)
{
	struct pw_member_stats stats = { .size = sizeof(stats) };
	char text[MEMBER_TEXT], place[MEMBER_TEXT];

	(void)state;
	start_two("gossip");
	assert_string_equal(rig_get(&a, a.agent, text), "/b:1/");
	assert_string_equal(rig_get(&b, b.up, text), rig_get(&a, a.place, place));
	assert_int_equal(pw_member_say_all(a.member, "chat", bytes_of("{\"text\":\"to all\"}")),
			 PW_OK);
	rig_wait(b.messages, 1);
	assert_string_equal(rig_get(&b, b.message, text),
			    "{\"msgtype\":\"chat\",\"text\":\"to all\"}");
	assert_int_equal(pw_member_say(b.member, b.last_up, "chat", bytes_of("{\"n\":7}")), PW_OK);
	rig_wait(a.messages, 1);
	assert_string_equal(rig_get(&a, a.message, text), "{\"msgtype\":\"chat\",\"n\":7}");

	/* From callbacks alone. */
	rig_wait(a.ticks, 1);
	rig_wait(a.listed, 1);
	assert_int_equal(pw_member_peers(a.member, rig_listed, &a), PW_ERR_BUSY);
	pw_member_stats(a.member, &stats);
	assert_int_equal(stats.up, 1);
	assert_int_equal(stats.in + stats.out, 1);
	assert_true(stats.uptime_ms > 0 && stats.messages_in > 0 && stats.bytes_out > 0);
	assert_true(stats.known >= 1);
	assert_int_equal(stats.unsaid, 0);

	/* Nobody has that number: it was taken, and never said. */
	assert_int_equal(pw_member_say(a.member, a.last_up + 77, "chat", bytes_of("")), PW_OK);
	assert_int_equal(pw_member_say(a.member, 0, "chat", bytes_of("")), PW_ERR_NOT_FOUND);
	a.ticks = 0;
	rig_wait(a.ticks, 2);
	pw_member_stats(a.member, &stats);
	assert_int_equal(stats.unsaid, 1);
	end_two();
}

static void test_say_errors(void **state)
{
	static char big[70000];
	static const struct {
		const char *what, *name, *payload;
		enum pw_err err;
	} rows[] = {
		{ "no JSON", "chat", "{", PW_ERR_SYNTAX },
		{ "no name", "", "{}", PW_ERR_VALUE },
		{ "too long", "chat", big, PW_ERR_LIMIT },
	};

	(void)state;
	long_text(big, sizeof(big));
	start_two("gossip");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum pw_err err =
			pw_member_say_all(a.member, rows[i].name, bytes_of(rows[i].payload));

		if (err != rows[i].err)
			fail_msg("%s: %s", rows[i].what, pw_err_text(err));
	}
	/* The network's own messages come through as well, but not to `wanted`. */
	assert_int_equal(b.messages, 0);
	end_two();
}

static void *speak(void *ctx)
{
	struct rig *r = ctx;

	for (unsigned i = 0; i < SAID_EACH; i++) {
		while (pw_member_say_all(r->member, "chat", bytes_of("{\"text\":\"word\"}")) !=
		       PW_OK)
			usleep(1000);
	}
	return NULL;
}

/* Any thread may speak at any time, and all of it is heard. */
static void test_threads(void **state)
{
	struct pw_member_stats stats = { .size = sizeof(stats) };
	pthread_t speakers[SPEAKERS];

	(void)state;
	start_two("gossip");
	for (unsigned i = 0; i < SPEAKERS; i++)
		assert_int_equal(pthread_create(&speakers[i], NULL, speak, i % 2 ? &a : &b), 0);
	for (unsigned i = 0; i < SPEAKERS; i++) {
		pw_member_stats(a.member, &stats);
		pthread_join(speakers[i], NULL);
	}
	rig_wait(a.messages, SPEAKERS / 2 * SAID_EACH);
	rig_wait(b.messages, SPEAKERS / 2 * SAID_EACH);
	end_two();
}

/* What was said before the end is heard. */
static void test_last_words(void **state)
{
	(void)state;
	start_two("gossip");
	assert_int_equal(pw_member_say_all(b.member, "chat", bytes_of("{\"text\":\"bye\"}")),
			 PW_OK);
	rig_end(&b, PW_OK);
	rig_wait(a.messages, 1);
	rig_wait(a.downs, 1);
	/* The same members again. */
	b.places = 0;
	rig_begin(&b);
	rig_wait(b.ups, 2);
	end_two();
}

/* --- limits --- */

static enum pw_err filled;
static unsigned filled_count;

/* The loop does not take anything as long as we are here. */
static void fill_queue(void *ctx, const char *address, bool seen)
{
	static char big[60000];
	struct rig *r = ctx;

	(void)address;
	(void)seen;
	long_text(big, sizeof(big));
	do {
		filled = pw_member_say_all(r->member, "chat", bytes_of(big));
	} while (filled == PW_OK && ++filled_count < 1000);
	r->places++;
}

static void test_queue_is_bounded(void **state)
{
	(void)state;
	rig_init(&a, "gossip");
	a.config.on_place = fill_queue;
	rig_new(&a, "127.0.0.1:0", NULL);
	rig_begin(&a);
	assert_int_equal(filled, PW_ERR_FULL);
	assert_in_range(filled_count, 60, 70); /* 4 MiB */
	rig_end(&a, PW_OK);
	rig_free(&a);
}

/* --- beginning and end --- */

static void test_stop_before(void **state)
{
	(void)state;
	rig_init(&a, "gossip");
	rig_new(&a, "127.0.0.1:0", NULL);
	pw_member_stop(a.member);
	assert_int_equal(pw_member_run(a.member), PW_OK);
	/* That was this run's; the next goes on until it is stopped. */
	a.places = 0;
	rig_begin(&a);
	rig_wait(a.ticks, 1);
	rig_end(&a, PW_OK);
	rig_free(&a);
}

static void stop_by_signal(int number)
{
	(void)number;
	pw_member_stop(a.member);
}

static void stop_by_callback(void *ctx, const struct pw_member_stats *stats)
{
	struct rig *r = ctx;

	(void)stats;
	r->ticks++;
	pw_member_stop(r->member);
}

static void test_stop_from(void **state)
{
	(void)state;
	rig_init(&a, "gossip");
	rig_new(&a, "127.0.0.1:0", NULL);
	rig_begin(&a);
	signal(SIGUSR1, stop_by_signal);
	raise(SIGUSR1);
	pthread_join(a.thread, NULL);
	signal(SIGUSR1, SIG_DFL);
	assert_int_equal(a.ended, PW_OK);
	rig_free(&a);

	rig_init(&a, "gossip");
	a.config.on_progress = stop_by_callback;
	rig_new(&a, "127.0.0.1:0", NULL);
	assert_int_equal(pw_member_run(a.member), PW_OK);
	assert_int_equal(a.ticks, 1);
	rig_free(&a);
}

static void test_place_taken(void **state)
{
	char place[MEMBER_TEXT];

	(void)state;
	rig_init(&a, "gossip");
	rig_new(&a, "127.0.0.1:0", NULL);
	rig_begin(&a);
	rig_init(&b, "gossip");
	rig_new(&b, rig_get(&a, a.place, place), NULL);
	assert_int_equal(pw_member_run(b.member), PW_ERR_IO);
	assert_non_null(strstr(pw_member_why(b.member), place));
	/* Stopped before it could begin. */
	pw_member_stop(b.member);
	assert_int_equal(pw_member_run(b.member), PW_ERR_IO);
	rig_end(&a, PW_OK);
	/* It can be had now. */
	rig_begin(&b);
	rig_end(&b, PW_OK);
	assert_string_equal(pw_member_why(b.member), "");
	rig_free(&a);
	rig_free(&b);
}

/* --- the address book --- */

static struct folder folder;

static int folder_set_up(void **state)
{
	(void)state;
	folder_make(&folder);
	return 0;
}

static int folder_tear_down(void **state)
{
	(void)state;
	folder_remove(&folder);
	return 0;
}

static void test_database(void **state)
{
	char place[MEMBER_TEXT];
	FILE *f;

	(void)state;
	rig_init(&a, "gossip");
	rig_new(&a, "127.0.0.1:0", NULL);
	rig_begin(&a);
	rig_init(&b, "gossip");
	b.config.database = folder.db;
	rig_new(&b, "127.0.0.1:0", rig_get(&a, a.place, place));
	rig_begin(&b);
	rig_wait(b.ups, 1);
	rig_end(&b, PW_OK);
	rig_free(&b);

	/* Somebody else with the same book needs nobody to begin with. */
	rig_init(&b, "gossip");
	b.config.database = folder.db;
	rig_new(&b, "127.0.0.1:0", NULL);
	rig_begin(&b);
	rig_wait(b.ups, 1);
	rig_end(&b, PW_OK);
	rig_free(&b);
	rig_end(&a, PW_OK);
	rig_free(&a);

	/* Another group has another book, and no file of ours is no book. */
	rig_init(&b, "gossip");
	b.config.database = folder.path;
	rig_new(&b, "127.0.0.1:0", NULL);
	assert_true(pw_member_run(b.member) != PW_OK);
	assert_non_null(strstr(pw_member_why(b.member), folder.path));
	rig_free(&b);
	f = fopen(folder.db, "w");
	assert_non_null(f);
	for (unsigned i = 0; i < 100; i++)
		fputs("notes about a journey\n", f);
	fclose(f);
	rig_init(&b, "gossip");
	b.config.database = folder.db;
	rig_new(&b, "127.0.0.1:0", NULL);
	assert_int_equal(pw_member_run(b.member), PW_ERR_NOT_OURS);
	rig_free(&b);
}

/* No file may grow: what a full disk is, too. */
static void full_disk(bool full)
{
	static struct rlimit before;
	struct rlimit none;

	if (full) {
		signal(SIGXFSZ, SIG_IGN);
		assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
		none = (struct rlimit){ 0, before.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	} else {
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
		signal(SIGXFSZ, SIG_DFL);
	}
}

static void test_database_fails(void **state)
{
	struct pw_member_stats stats = { .size = sizeof(stats) };
	char place[MEMBER_TEXT];

	(void)state;
	rig_init(&a, "gossip");
	a.config.database = folder.db;
	a.wanted = "chat";
	rig_new(&a, "127.0.0.1:0", NULL);
	rig_begin(&a);
	full_disk(true);
	rig_init(&b, "gossip");
	rig_new(&b, "127.0.0.1:0", rig_get(&a, a.place, place));
	rig_begin(&b); /* an address to be kept */
	for (unsigned i = 0; i < 1000 && stats.database == PW_OK; i++) {
		usleep(10 * 1000);
		pw_member_stats(a.member, &stats);
	}
	full_disk(false);
	assert_true(stats.database != PW_OK);
	/* It goes on without. */
	rig_wait(b.ups, 1);
	assert_int_equal(pw_member_say_all(b.member, "chat", bytes_of("{}")), PW_OK);
	rig_wait(a.messages, 1);
	rig_end(&b, PW_OK);
	rig_end(&a, stats.database);
	assert_non_null(strstr(pw_member_why(a.member), folder.db));
	rig_free(&a);
	rig_free(&b);
}

/* --- strangers --- */

static int connect_to(const char *place)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	to.sin_port = htons((uint16_t)atoi(strchr(place, ':') + 1));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* Sends, and reads until the other side hangs up. */
static void say_and_wait(const char *place, const void *data, size_t len)
{
	int fd = connect_to(place);
	char buf[4096];

	assert_true(send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len);
	while (recv(fd, buf, sizeof(buf), 0) > 0)
		;
	close(fd);
}

static void test_strangers(void **state)
{
	static const char web[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	static const char other[] =
		"{\"msgtype\":\"hello\",\"nodeid\":\"a46de8d6-177e-4644-a711-63d182fdbade\","
		"\"network\":\"elsewhere\"}\n";
	static char endless[70000];
	char place[MEMBER_TEXT], text[MEMBER_TEXT];

	(void)state;
	memset(endless, '{', sizeof(endless));
	rig_init(&a, "gossip");
	a.config.group = "here";
	rig_new(&a, "127.0.0.1:0", NULL);
	rig_begin(&a);
	rig_get(&a, a.place, place);
	say_and_wait(place, web, strlen(web));
	say_and_wait(place, other, strlen(other));
	say_and_wait(place, endless, sizeof(endless));
	assert_int_equal(a.ups, 0);
	assert_int_equal(a.downs, 0);

	/* Somebody good, with strange words for a name. */
	rig_init(&b, "gossip");
	b.config.group = "here";
	rig_new(&b, "127.0.0.1:0", place);
	rig_begin(&b);
	rig_wait(a.ups, 1);
	assert_non_null(strstr(rig_get(&a, a.agent, text), "peerwalk"));
	end_two();
}

/* Who never reads costs no more than the rest of us can spare, and is told of. */
static void test_slow_reader(void **state)
{
	static const char hello[] =
		"{\"msgtype\":\"hello\",\"nodeid\":\"a46de8d6-177e-4644-a711-63d182fdbade\"}\n";
	static char big[60000];
	struct pw_member_stats stats = { .size = sizeof(stats) };
	char place[MEMBER_TEXT];
	int fd;

	(void)state;
	long_text(big, sizeof(big));
	rig_init(&a, "gossip");
	rig_new(&a, "127.0.0.1:0", NULL);
	rig_begin(&a);
	fd = connect_to(rig_get(&a, a.place, place));
	assert_true(send(fd, hello, strlen(hello), MSG_NOSIGNAL) == (ssize_t)strlen(hello));
	rig_wait(a.ups, 1);
	for (unsigned i = 0; i < 2000 && stats.unsaid == 0 && a.downs == 0; i++) {
		if (pw_member_say_all(a.member, "chat", bytes_of(big)) == PW_ERR_FULL)
			usleep(10 * 1000);
		pw_member_stats(a.member, &stats);
	}
	for (unsigned i = 0; i < 300 && stats.unsaid == 0; i++) {
		usleep(10 * 1000);
		pw_member_stats(a.member, &stats);
	}
	assert_true(stats.unsaid > 0);
	close(fd);
	rig_wait(a.downs, 1);
	rig_end(&a, PW_OK);
	rig_free(&a);
}

/* --- other networks --- */

static void test_bitcoin(void **state)
{
	char text[MEMBER_TEXT];

	(void)state;
	start_two("bitcoin-regtest");
	assert_string_equal(rig_get(&a, a.agent, text), "/b:1/");
	/* What nobody knows is passed over by Bitcoin's peers, and told here. */
	assert_int_equal(pw_member_say(b.member, b.last_up, "chat", bytes_of("any bytes")), PW_OK);
	rig_wait(a.messages, 1);
	assert_string_equal(rig_get(&a, a.message, text), "any bytes");
	end_two();
}

static void test_ethereum(void **state)
{
	char place[MEMBER_TEXT], text[MEMBER_TEXT];
	uint8_t packet[400];

	(void)state;
	rig_init(&a, "ethereum");
	rig_new(&a, "127.0.0.1:0", NULL);
	rig_begin(&a);
	assert_memory_equal(rig_get(&a, a.place, place), "enode://", 8);
	rig_init(&b, "ethereum");
	rig_new(&b, "127.0.0.1:0", place);
	rig_begin(&b);
	rig_wait(a.known, 1);
	rig_wait(b.known, 1);
	assert_string_equal(rig_get(&b, b.address, text), place);
	rig_wait(b.listed, 1);
	assert_string_equal(rig_get(&b, b.list, text), place);
	assert_int_equal(pw_member_say_all(a.member, "x", bytes_of("x")), PW_ERR_NOT_FOUND);

	/* The place is taken, and nobody waits for another one. */
	rig_init(&c, "ethereum");
	rig_new(&c, strchr(place, '@') + 1, NULL);
	pw_member_stop(c.member);
	assert_int_equal(pw_member_run(c.member), PW_ERR_IO);
	assert_true(strlen(pw_member_why(c.member)) > 0);
	rig_free(&c);

	/* A caller that is no node. */
	memset(packet, 7, sizeof(packet));
	say_and_wait(strchr(place, '@'), packet, sizeof(packet));
	rig_wait(a.downs, 1);
	assert_non_null(strstr(rig_get(&a, a.down, text), ", a node"));
	assert_int_equal(a.ups, 0);
	rig_end(&b, PW_OK);
	rig_end(&a, PW_OK);
	rig_free(&a);
	rig_free(&b);
}

static void test_ethereum_database(void **state)
{
	char place[MEMBER_TEXT];

	(void)state;
	rig_init(&a, "ethereum");
	rig_new(&a, "127.0.0.1:0", NULL);
	rig_begin(&a);
	for (unsigned i = 0; i < 2; i++) {
		rig_init(&b, "ethereum");
		b.config.database = folder.db;
		/* The second time it knows whom to ask. */
		rig_new(&b, "127.0.0.1:0", i == 0 ? rig_get(&a, a.place, place) : NULL);
		rig_begin(&b);
		rig_wait(b.listed, 1);
		rig_end(&b, PW_OK);
		rig_free(&b);
	}
	rig_end(&a, PW_OK);
	rig_free(&a);
	rig_init(&b, "ethereum");
	b.config.database = folder.path;
	rig_new(&b, "127.0.0.1:0", NULL);
	assert_true(pw_member_run(b.member) != PW_OK);
	assert_non_null(strstr(pw_member_why(b.member), folder.path));
	rig_free(&b);
}

static void test_ethereum_places(void **state)
{
	(void)state;
	rig_init(&a, "ethereum");
	rig_new(&a, "127.0.0.1:7", NULL);
	assert_int_equal(pw_member_add_listen(a.member, "[::1]:8"), PW_OK);
	assert_int_equal(pw_member_add_listen(a.member, "[::2]:8"), PW_ERR_LIMIT);
	assert_int_equal(pw_member_run(a.member), PW_ERR_VALUE);
	assert_non_null(strstr(pw_member_why(a.member), "same port"));
	assert_int_equal(pw_member_add_seed(a.member, "192.0.2.1"), PW_ERR_SYNTAX);
	rig_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_gossip),
		cmocka_unit_test(test_say_errors),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_last_words),
		cmocka_unit_test(test_queue_is_bounded),
		cmocka_unit_test(test_stop_before),
		cmocka_unit_test(test_stop_from),
		cmocka_unit_test(test_place_taken),
		cmocka_unit_test_setup_teardown(test_database, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(test_database_fails, folder_set_up,
						folder_tear_down),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_slow_reader),
		cmocka_unit_test(test_bitcoin),
		cmocka_unit_test(test_ethereum),
		cmocka_unit_test_setup_teardown(test_ethereum_database, folder_set_up,
						folder_tear_down),
		cmocka_unit_test(test_ethereum_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
