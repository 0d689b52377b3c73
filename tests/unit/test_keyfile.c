/* test_keyfile.c: a key in a file: made once, read as often, and refused with a reason. */
#include "base/text.h"
#include "io/keyfile.h"
#include "support/hex.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* The key of EIP-778's example. */
#define KEY   "b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291"
#define UPPER "B71C71A67E1177AD4E901695E1B4B9EE17AE16C6668D313EAC2F96DBCDA3F291"
/* The order of the curve (SEC 2, 2.4.1), and the number before it. */
#define ORDER "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
#define LAST  "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140"
#define ZERO  "0000000000000000000000000000000000000000000000000000000000000000"

static char folder[64], path[96];

static int start(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "test_keyfile.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/node.key", folder);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void put_file(const char *text, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static bool is_zero(const struct secp_key *key)
{
	static const struct secp_key none;

	return memcmp(key, &none, sizeof(none)) == 0;
}

static void contents(void **state)
{
	static const struct {
		const char *name, *text;
		enum err err;
		const char *key; /* or, after an error, what the message has to say */
	} rows[] = {
		{ "digits and a line feed", KEY "\n", ERR_OK, KEY },
		{ "as go-ethereum writes it", KEY, ERR_OK, KEY },
		{ "as Windows ends lines", KEY "\r\n", ERR_OK, KEY },
		{ "upper case", UPPER "\n", ERR_OK, KEY },
		{ "the largest key", LAST "\n", ERR_OK, LAST },
		{ "empty", "", ERR_SYNTAX, "64 hexadecimal digits" },
		{ "a digit too few",
		  "71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291\n", ERR_SYNTAX,
		  "64 hexadecimal digits" },
		{ "a digit too many", KEY "0\n", ERR_SYNTAX, "64 hexadecimal digits" },
		{ "two line feeds", KEY "\n\n", ERR_SYNTAX, "64 hexadecimal digits" },
		{ "a second line", KEY "\n" KEY "\n", ERR_SYNTAX, "make a new key" },
		{ "a blank first", " " KEY, ERR_SYNTAX, "64 hexadecimal digits" },
		{ "0x first", "0x" KEY, ERR_SYNTAX, "64 hexadecimal digits" },
		{ "a letter that is no digit",
		  "g71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291\n", ERR_SYNTAX,
		  "64 hexadecimal digits" },
		{ "zero", ZERO "\n", ERR_VALUE, "no private key" },
		{ "the order of the curve", ORDER "\n", ERR_VALUE, "no private key" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char why[KEYFILE_WHY_MAX], text[KEYFILE_DIGITS + 1];
		struct secp_key key = { { 1 } };
		enum err err;

		put_file(rows[i].text, strlen(rows[i].text), 0600);
		err = keyfile_read(path, &key, why);
		if (err != rows[i].err)
			fail_msg("%s: %s, expected %s", rows[i].name, err_name(err),
				 err_name(rows[i].err));
		hex_encode(slice_of(key.bytes, sizeof(key.bytes)), text);
		if (err == ERR_OK && (strcmp(text, rows[i].key) != 0 || why[0] != '\0'))
			fail_msg("%s: another key, or \"%s\"", rows[i].name, why);
		if (err != ERR_OK && (strstr(why, rows[i].key) == NULL || !is_zero(&key)))
			fail_msg("%s: \"%s\", or a key is left", rows[i].name, why);
		/* A message must not give away what may be most of a key. */
		if (strstr(why, "71c71a67") != NULL)
			fail_msg("%s: the message has the key", rows[i].name);
	}
}

static void modes(void **state)
{
	static const struct {
		const char *name;
		mode_t mode;
		bool good;
	} rows[] = {
		{ "the owner alone", 0600, true },     { "the owner may only read", 0400, true },
		{ "the group may read", 0640, false }, { "all may read", 0644, false },
		{ "all may write", 0602, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char why[KEYFILE_WHY_MAX];
		struct secp_key key;
		enum err err;

		put_file(KEY "\n", strlen(KEY) + 1, rows[i].mode);
		err = keyfile_read(path, &key, why);
		if (err != (rows[i].good ? ERR_OK : ERR_IO) || is_zero(&key) == rows[i].good)
			fail_msg("%s: %s", rows[i].name, why);
		if (!rows[i].good)
			assert_non_null(strstr(why, "chmod 600"));
	}
}

static void made_once(void **state)
{
	char why[KEYFILE_WHY_MAX], text[KEYFILE_DIGITS + 3] = { 0 }, hex[KEYFILE_DIGITS + 1];
	struct secp_key first, again;
	mode_t mask = umask(0777); /* takes everything away; the mode is 0600 nevertheless */
	struct stat st;
	bool created;
	int fd;

	(void)state;
	assert_int_equal(keyfile_read(path, &first, why), ERR_NOT_FOUND);
	assert_non_null(strstr(why, "peerwalk key"));
	assert_int_equal(keyfile_read_or_create(path, &first, &created, why), ERR_OK);
	umask(mask);
	assert_true(created);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777U, 0600);
	assert_int_equal(st.st_size, KEYFILE_DIGITS + 1);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, text, sizeof(text)), KEYFILE_DIGITS + 1);
	close(fd);
	hex_encode(slice_of(first.bytes, sizeof(first.bytes)), hex);
	assert_memory_equal(text, hex, KEYFILE_DIGITS);
	assert_int_equal(text[KEYFILE_DIGITS], '\n');

	assert_int_equal(keyfile_read_or_create(path, &again, &created, why), ERR_OK);
	assert_false(created);
	assert_memory_equal(&first, &again, sizeof(first));
	assert_int_equal(keyfile_create(path, &again, why), ERR_BUSY);
	assert_true(is_zero(&again));
	assert_int_equal(keyfile_read(path, &again, why), ERR_OK);
	assert_memory_equal(&first, &again, sizeof(first));

	/* Another file, another key. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(keyfile_create(path, &again, why), ERR_OK);
	assert_memory_not_equal(&first, &again, sizeof(first));
}

static void no_file(void **state)
{
	char why[KEYFILE_WHY_MAX], other[128];
	struct secp_key key;
	bool created;

	(void)state;
	assert_int_equal(keyfile_read(folder, &key, why), ERR_IO);
	assert_non_null(strstr(why, "is no file"));
	/* With nobody who writes: must not wait. */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(keyfile_read(path, &key, why), ERR_IO);
	assert_non_null(strstr(why, "is no file"));
	assert_int_equal(unlink(path), 0);
	snprintf(other, sizeof(other), "%s/missing/node.key", folder);
	assert_int_equal(keyfile_read_or_create(other, &key, &created, why), ERR_IO);
	assert_non_null(strstr(why, "make the folder"));
	assert_false(created);
	/* A link to nowhere is not followed: the file would appear somewhere else. */
	assert_int_equal(symlink("elsewhere", path), 0);
	assert_int_equal(keyfile_read_or_create(path, &key, &created, why), ERR_BUSY);
	assert_int_equal(unlink(path), 0);
}

/* A file that can't be written to its end: the limit stands for a full disk. */
static void no_room(void **state)
{
	struct rlimit old, small;
	char why[KEYFILE_WHY_MAX];
	struct secp_key key = { { 1 } };
	enum err err;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	err = keyfile_create(path, &key, why);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(err, ERR_IO);
	assert_non_null(strstr(why, "cannot write the key file"));
	assert_true(is_zero(&key));
	assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(contents, start, stop),
		cmocka_unit_test_setup_teardown(modes, start, stop),
		cmocka_unit_test_setup_teardown(made_once, start, stop),
		cmocka_unit_test_setup_teardown(no_file, start, stop),
		cmocka_unit_test_setup_teardown(no_room, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
