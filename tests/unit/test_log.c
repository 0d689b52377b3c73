/* test_log.c: lines of a log: what they look like, what strangers can't do to them, how many of
 * a kind there are, and what becomes of it when files move and disks are full. */
#include "base/text.h"
#include "io/log.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 4 << 20 };

static char folder[64], path[96], moved[96];
static int64_t now = 1785585600250; /* 2026-08-01T12:00:00.250Z */

static int64_t clock_ms(void *ctx)
{
	(void)ctx;
	return now;
}

static int start(void **state)
{
	(void)state;
	now = 1785585600250;
	snprintf(folder, sizeof(folder), "test_log.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/log", folder);
	snprintf(moved, sizeof(moved), "%s/log.1", folder);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	unlink(path);
	unlink(moved);
	return rmdir(folder);
}

static struct log *open_at(const char *where, enum log_level level, bool json)
{
	struct log_config config = {
		.level = level, .json = json, .path = where, .unix_ms = clock_ms
	};
	char why[LOG_WHY_MAX] = "";
	struct log *l = NULL;

	assert_int_equal(log_open(&config, &l, why), ERR_OK);
	return l;
}

/* The file as it is; freed by the caller. */
static char *contents(const char *file)
{
	char *text = calloc(1, FILE_MAX);
	FILE *f = fopen(file, "r");

	assert_non_null(text);
	assert_non_null(f);
	assert_true(fread(text, 1, FILE_MAX - 1, f) < FILE_MAX - 1);
	fclose(f);
	return text;
}

static void assert_contents(const char *file, const char *expected)
{
	char *text = contents(file);

	assert_string_equal(text, expected);
	free(text);
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

/* --- what lines look like --- */

static void write_some(struct log *l)
{
	const struct log_field fields[] = { log_text("peer", "192.0.2.1:8333"),
					    log_bytes("agent", slice_text("/a \"b\"/")),
					    log_text("rule", NULL),
					    log_bytes("empty", slice_text("")),
					    log_number("rtt_ms", -1),
					    { 0 } };

	log_say(l, LOG_ERROR, "the disk %s", "is gone");
	log_event(l, LOG_INFO, "up", fields);
}

static void text_lines(void **state)
{
	struct log *l = open_at(path, LOG_INFO, false);

	(void)state;
	write_some(l);
	log_close(l);
	assert_contents(path, "2026-08-01T12:00:00.250Z error the disk is gone\n"
			      "2026-08-01T12:00:00.250Z info  up peer=192.0.2.1:8333 "
			      "agent=\"/a \\\"b\\\"/\" empty=\"\" rtt_ms=-1\n");
}

static void json_lines(void **state)
{
	struct log *l = open_at(path, LOG_INFO, true);

	(void)state;
	write_some(l);
	log_close(l);
	assert_contents(path, "{\"ts\":\"2026-08-01T12:00:00.250Z\",\"level\":\"error\","
			      "\"message\":\"the disk is gone\"}\n"
			      "{\"ts\":\"2026-08-01T12:00:00.250Z\",\"level\":\"info\","
			      "\"event\":\"up\",\"peer\":\"192.0.2.1:8333\","
			      "\"agent\":\"/a \\\"b\\\"/\",\"empty\":\"\",\"rtt_ms\":-1}\n");
}

static void levels(void **state)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };
	const struct log_field none[] = { { 0 } };

	(void)state;
	for (unsigned level = 0; level < 4; level++) {
		struct log *l = open_at(path, (enum log_level)level, true);
		enum log_level parsed;
		char *text;

		for (unsigned i = 0; i < 4; i++) {
			log_say(l, (enum log_level)i, "a sentence");
			log_event(l, (enum log_level)i, "event", none);
			assert_int_equal(log_wants(l, (enum log_level)i), i <= level);
		}
		log_close(l);
		text = contents(path);
		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(count(text, names[i]), i <= level ? 2 : 0);
		free(text);
		unlink(path);
		assert_true(log_level_parse(names[level], &parsed));
		assert_int_equal(parsed, level);
		assert_string_equal(log_level_name(parsed), names[level]);
	}
	assert_false(log_level_parse("trace", &(enum log_level){ 0 }));
}

/* --- strangers --- */

static const struct {
	const char *name, *bytes;
	size_t len;
} hostile[] = {
	{ "a line of its own", "x\n2026-08-01T12:00:00.250Z error gone", 37 },
	{ "a carriage return", "a\rb", 3 },
	{ "NUL", "a\0b", 3 },
	{ "a terminal's sequence", "\x1b[2J\x1b]0;title\x07", 15 },
	{ "quotes and braces", "\"},{\"level\":\"error\"", 20 },
	{ "a backslash at the end", "abc\\", 4 },
	{ "escapes that are not ours", "\\u0000\\n\\\"", 10 },
	{ "no UTF-8", "\xff\xfe\xc0\x80\xed\xa0\x80", 7 },
	{ "half a letter", "\xe2\x82", 2 },
	{ "writing turned around", "\xe2\x80\xae", 3 },
	{ "letters", "\xc3\xa9\xe4\xb8\xad", 5 },
};

static void hostile_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		for (int json = 0; json < 2; json++) {
			struct slice bytes = slice_of(hostile[i].bytes, hostile[i].len);
			struct log *l = open_at(path, LOG_INFO, json);
			char *text, expected[LOG_TEXT_MAX];
			json_t *o;

			log_event(l, LOG_INFO, "up",
				  (struct log_field[]){
					  log_bytes("agent", bytes), log_number("end", 7), { 0 } });
			log_close(l);
			text = contents(path);
			unlink(path);
			if (count(text, "\n") != 1 || strchr(text, '\x1b') != NULL)
				fail_msg("%s: %s", hostile[i].name, text);
			if (json) {
				o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
				if (o == NULL)
					fail_msg("%s: no JSON: %s", hostile[i].name, text);
				text_escape(bytes, expected, sizeof(expected));
				assert_string_equal(json_string_value(json_object_get(o, "agent")),
						    expected);
				assert_int_equal(json_integer_value(json_object_get(o, "end")), 7);
				json_decref(o);
			}
			free(text);
		}
	}
}

/* A sentence is ours, and escaped where it quotes; what is not gets no further all the same. */
static void hostile_sentence(void **state)
{
	struct log *l = open_at(path, LOG_INFO, true);
	json_t *o;
	char *text;

	(void)state;
	log_say(l, LOG_INFO, "%s", "a \\x0a b\n{\"c\"\x1b");
	log_close(l);
	text = contents(path);
	assert_int_equal(count(text, "\n"), 1);
	o = json_loads(text, 0, NULL);
	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "message")),
			    "a \\x0a b\\x0a{\"c\"\\x1b");
	json_decref(o);
	free(text);
}

static void long_text(void **state)
{
	struct log *l = open_at(path, LOG_INFO, true);
	size_t len = 1 << 20;
	char *big = malloc(len + 1), *text;
	json_t *o;

	(void)state;
	assert_non_null(big);
	memset(big, '\n', len);
	big[len] = '\0';
	log_event(l, LOG_INFO, "up",
		  (struct log_field[]){ log_bytes("agent", slice_of(big, len)), { 0 } });
	log_say(l, LOG_INFO, "%s", big);
	log_close(l);
	text = contents(path);
	assert_int_equal(count(text, "\n"), 2);
	assert_true(strlen(text) < 2 * LOG_TEXT_MAX + 5 * LOG_MESSAGE_MAX + 200);
	*(strchr(text, '\n') + 1) = '\0';
	o = json_loads(text, 0, NULL);
	assert_non_null(o);
	json_decref(o);
	free(text);
	free(big);
}

/* --- so many of a kind --- */

static const struct log_field nobody[] = { { 0 } };

static void suppressed(void **state)
{
	struct log *l = open_at(path, LOG_INFO, false);
	char *text;

	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		log_event(l, LOG_INFO, "accepted", nobody);
	log_event(l, LOG_INFO, "refused", nobody);
	now += LOG_WINDOW_MS - 1;
	log_event(l, LOG_INFO, "accepted", nobody);
	text = contents(path);
	assert_int_equal(count(text, "info  accepted\n"), LOG_LINES_MAX);
	assert_int_equal(count(text, "info  refused\n"), 1);
	assert_int_equal(count(text, "suppressed"), 0);
	free(text);
	/* The next line of any kind, once the minute is over. */
	now += 1;
	log_event(l, LOG_INFO, "refused", nobody);
	text = contents(path);
	assert_int_equal(count(text, "info  9971 more suppressed of: accepted\n"), 1);
	free(text);
	/* And a new minute begins. */
	for (unsigned i = 0; i < 32; i++)
		log_event(l, LOG_INFO, "accepted", nobody);
	log_close(l);
	text = contents(path);
	assert_int_equal(count(text, "info  accepted\n"), 2 * LOG_LINES_MAX);
	assert_int_equal(count(text, "info  2 more suppressed of: accepted\n"), 1);
	free(text);
}

static void suppressed_json(void **state)
{
	struct log *l = open_at(path, LOG_INFO, true);
	char *text;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		log_say(l, LOG_WARN, "a sentence about \"%u\"", i);
	log_close(l);
	text = contents(path);
	assert_int_equal(count(text, "\"message\""), LOG_LINES_MAX);
	assert_int_equal(count(text, "\"level\":\"warn\",\"event\":\"suppressed\","
				     "\"kind\":\"a sentence about \\\"%u\\\"\",\"count\":70}"),
			 1);
	free(text);
}

static void clock_set_back(void **state)
{
	struct log *l = open_at(path, LOG_INFO, false);
	char *text;

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		log_event(l, LOG_INFO, "accepted", nobody);
	now -= 86400000;
	log_event(l, LOG_INFO, "accepted", nobody);
	log_close(l);
	text = contents(path);
	assert_int_equal(count(text, "info  accepted\n"), LOG_LINES_MAX + 1);
	assert_int_equal(count(text, "10 more suppressed"), 1);
	free(text);
}

static void many_kinds(void **state)
{
	static char names[LOG_KINDS_MAX + 100][8];
	struct log *l = open_at(path, LOG_INFO, false);
	char *text;

	(void)state;
	for (unsigned round = 0; round < 100; round++) {
		for (unsigned i = 0; i < LOG_KINDS_MAX + 100; i++) {
			snprintf(names[i], sizeof(names[i]), "k%u", i);
			log_event(l, LOG_INFO, names[i], nobody);
		}
	}
	log_close(l);
	text = contents(path);
	assert_int_equal(count(text, "\n"), LOG_KINDS_MAX * (LOG_LINES_MAX + 1));
	free(text);
}

static void nothing_is_suppressed(void **state)
{
	struct log_config config = {
		.level = LOG_INFO, .path = path, .all = true, .unix_ms = clock_ms
	};
	char why[LOG_WHY_MAX], *text;
	struct log *l;

	(void)state;
	assert_int_equal(log_open(&config, &l, why), ERR_OK);
	for (unsigned i = 0; i < 1000; i++)
		log_say(l, LOG_INFO, "line");
	log_close(l);
	text = contents(path);
	assert_int_equal(count(text, " line\n"), 1000);
	assert_int_equal(count(text, "\n"), 1000);
	free(text);
}

/* --- files --- */

static void reopened(void **state)
{
	struct log *l = open_at(path, LOG_INFO, false);
	struct stat st;

	(void)state;
	log_say(l, LOG_INFO, "one");
	assert_int_equal(rename(path, moved), 0);
	log_say(l, LOG_INFO, "two");
	log_reopen(l);
	log_say(l, LOG_INFO, "three");
	log_close(l);
	assert_contents(moved, "2026-08-01T12:00:00.250Z info  one\n"
			       "2026-08-01T12:00:00.250Z info  two\n");
	assert_contents(path, "2026-08-01T12:00:00.250Z info  three\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07027, 0); /* nothing for others */
}

static void reopened_in_vain(void **state)
{
	struct log *l = open_at(path, LOG_INFO, false);
	char *text;

	(void)state;
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	log_reopen(l);
	log_say(l, LOG_INFO, "not lost");
	log_close(l);
	text = contents(moved);
	assert_int_equal(count(text, "cannot reopen the log: Is a directory"), 1);
	assert_int_equal(count(text, "info  not lost\n"), 1);
	free(text);
	assert_int_equal(rmdir(path), 0);
}

static void kept(void **state)
{
	struct log *l;
	char *text;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		l = open_at(path, LOG_INFO, false);
		log_say(l, LOG_INFO, "a run");
		log_close(l);
	}
	text = contents(path);
	assert_int_equal(count(text, "a run\n"), 2);
	free(text);
}

static void no_folder(void **state)
{
	struct log_config config = { .path = "no-such-folder/log" };
	struct log *l = NULL;
	char why[LOG_WHY_MAX];

	(void)state;
	assert_int_equal(log_open(&config, &l, why), ERR_IO);
	assert_string_equal(why, "cannot open the log no-such-folder/log: No such file or "
				 "directory; make its folder first");
	assert_null(l);
}

/* A disk that fills up, in small: the limit of a file's size. */
static void full_and_free_again(void **state)
{
	struct log *l = open_at(path, LOG_INFO, false);
	struct rlimit before, small = { .rlim_cur = 100 };
	char *text;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (unsigned i = 0; i < 5; i++)
		log_say(l, LOG_INFO, "line %u", i);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	log_say(l, LOG_INFO, "line 5");
	log_say(l, LOG_INFO, "line 6");
	log_close(l);
	/* 38 bytes a line: two whole ones, and the beginning of a third. */
	text = contents(path);
	assert_string_equal(text, "2026-08-01T12:00:00.250Z info  line 0\n"
				  "2026-08-01T12:00:00.250Z info  line 1\n"
				  "2026-08-01T12:00:00.250Z\n"
				  "2026-08-01T12:00:00.250Z warn  3 lines are missing here: "
				  "File too large\n"
				  "2026-08-01T12:00:00.250Z info  line 5\n"
				  "2026-08-01T12:00:00.250Z info  line 6\n");
	free(text);
}

/* Only once, though every line fails. */
static void full_is_told_once(void **state)
{
	int saved = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct log *l = open_at("/dev/full", LOG_INFO, false);

	(void)state;
	assert_true(saved >= 0 && fd >= 0);
	dup2(fd, STDERR_FILENO);
	for (unsigned i = 0; i < 100; i++)
		log_say(l, LOG_INFO, "line %u", i);
	log_close(l);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
	assert_contents(path, "peerwalk: cannot write the log /dev/full: No space left on device; "
			      "going on without it until there is room\n");
}

/* --- stderr --- */

/* What a log without a file writes there. */
static char *on_stderr(const char *journal)
{
	int saved = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct stat st;
	char stream[64];
	struct log *l;

	assert_true(saved >= 0 && fd >= 0);
	dup2(fd, STDERR_FILENO);
	fstat(fd, &st);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	if (journal != NULL)
		setenv("JOURNAL_STREAM", *journal != '\0' ? journal : stream, 1);
	l = open_at(NULL, LOG_DEBUG, false);
	assert_true(log_is_stderr(l));
	log_say(l, LOG_ERROR, "one");
	log_say(l, LOG_WARN, "two");
	log_say(l, LOG_INFO, "three");
	log_say(l, LOG_DEBUG, "four");
	log_reopen(l); /* nothing to do */
	log_close(l);
	unsetenv("JOURNAL_STREAM");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
	return contents(path);
}

static void stderr_lines(void **state)
{
	static const char plain[] = "peerwalk: one\npeerwalk: two\npeerwalk: three\n"
				    "peerwalk: four\n";
	char *text = on_stderr(NULL);

	(void)state;
	assert_string_equal(text, plain);
	free(text);
	text = on_stderr("1:1"); /* the journal of whoever started us, not ours */
	assert_string_equal(text, plain);
	free(text);
	text = on_stderr("");
	assert_string_equal(text, "<3>one\n<4>two\n<6>three\n<7>four\n");
	free(text);
}

static void *say_much(void *log)
{
	for (unsigned i = 0; i < 1000; i++)
		log_say(log, LOG_DEBUG, "%s", "a line that is long enough to be torn in two");
	return NULL;
}

static void threads(void **state)
{
	struct log *l = open_at(path, LOG_DEBUG, true);
	pthread_t other[4];
	char *text;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&other[i], NULL, say_much, l), 0);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(other[i], NULL);
	log_close(l);
	text = contents(path);
	assert_int_equal(count(text, "\"message\":\"a line that is long enough to be torn in "
				     "two\"}\n{\"ts\""),
			 3999);
	assert_int_equal(count(text, "\n"), 4000);
	free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(text_lines),
		TEST(json_lines),
		TEST(levels),
		TEST(hostile_text),
		TEST(hostile_sentence),
		TEST(long_text),
		TEST(suppressed),
		TEST(suppressed_json),
		TEST(clock_set_back),
		TEST(many_kinds),
		TEST(nothing_is_suppressed),
		TEST(reopened),
		TEST(reopened_in_vain),
		TEST(kept),
		TEST(no_folder),
		TEST(full_and_free_again),
		TEST(full_is_told_once),
		TEST(stderr_lines),
		TEST(threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
