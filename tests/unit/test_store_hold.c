/* One crawl belongs to one store at a time, and stores of one process leave each other's locks
 * alone. */
#include "support/store_rig.h"

#include <fcntl.h>
#include <sys/wait.h>

static enum err resume(const char *path, struct store **s)
{
	struct store_crawl crawl;

	*s = open_db(path, STORE_WRITE);
	return store_crawl_unfinished(*s, "bitcoin", &crawl);
}

/* What another process sees: 0 locked, 1 free. Where SQLite keeps its locks of the file: its
 * documentation, "File Format", the lock-byte page. */
static bool database_is_locked(void)
{
	enum { SHARED_FIRST = 0x40000000 + 2, SHARED_BYTES = 510 };
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		struct flock lock = { .l_type = F_WRLCK,
				      .l_whence = SEEK_SET,
				      .l_start = SHARED_FIRST,
				      .l_len = SHARED_BYTES };
		int fd = open(folder.db, O_RDWR);

		_exit(fd < 0 || fcntl(fd, F_GETLK, &lock) != 0 ? 2 : lock.l_type == F_UNLCK);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status) == 0;
}

static void a_crawl_is_held_until_its_store_is_closed(void **state)
{
	struct store *first = open_db(folder.db, STORE_CREATE), *second;
	struct store_crawl crawl = begin_crawl(first, "bitcoin"), other;

	(void)state;
	assert_int_equal(resume(folder.db, &second), ERR_BUSY);
	/* Another crawl in the same file is another matter. */
	other = begin_crawl(second, "bitcoin-signet");
	assert_true(other.id != crawl.id);
	store_close(second);
	assert_int_equal(resume(folder.db, &second), ERR_BUSY);
	store_close(second);
	store_close(first);
	assert_int_equal(resume(folder.db, &first), ERR_OK);
	assert_int_equal(resume(folder.db, &second), ERR_BUSY);
	store_close(second);
	store_close(first);
}

/* Without it another process takes itself for the last one, and removes the log. */
static void closing_one_store_leaves_the_locks_of_others(void **state)
{
	struct store *first = open_db(folder.db, STORE_CREATE), *second;

	(void)state;
	begin_crawl(first, "bitcoin");
	assert_true(database_is_locked());
	assert_int_equal(resume(folder.db, &second), ERR_BUSY);
	store_close(second);
	assert_true(database_is_locked());
	second = open_db(folder.db, STORE_CREATE);
	begin_crawl(second, "bitcoin-signet");
	store_close(second);
	assert_true(database_is_locked());
	second = open_db(folder.db, STORE_READ);
	store_close(second);
	assert_true(database_is_locked());
	store_close(first);
	assert_false(database_is_locked());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_crawl_is_held_until_its_store_is_closed,
						folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(closing_one_store_leaves_the_locks_of_others,
						folder_set_up, folder_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
