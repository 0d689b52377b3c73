/* hold.c: one crawl, the book of one node, and the watching of one network belong to one process at
 * a time. */
#include "store/db.h"
#include "store/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* One byte for each, far beyond the end of any file. */
static const off_t crawls_base = (off_t)1 << 61, books_base = (off_t)1 << 62,
		   watches_base = (off_t)3 << 61;

/* The log beside the database, which stays while anybody has the database open. Not the
 * database itself: SQLite's own locks on that belong to the process, and all of them go
 * when the process closes any descriptor of the file (fcntl(2)), those of its other
 * stores too. SQLite locks nothing in the log. */
static int open_log(const char *path, int mode)
{
	char log[4096];
	int n = snprintf(log, sizeof(log), "%s-wal", path);

	return n > 0 && (size_t)n < sizeof(log) ? open(log, mode | O_CLOEXEC) : -1;
}

static enum err hold(struct store *s, off_t at, const char *what)
{
	/* Locks of the open file, not of the process: two stores of one process exclude
	 * each other, too, and the locks go with the process, however it ends. */
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	if (s->hold_fd < 0)
		s->hold_fd = open_log(s->path, O_RDWR);
	if (s->hold_fd >= 0 && fcntl(s->hold_fd, F_OFD_SETLK, &lock) == 0)
		return ERR_OK;
	if (s->hold_fd >= 0 && (errno == EAGAIN || errno == EACCES))
		return db_fail_as(s, ERR_BUSY, what);
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
		return db_fail_as(s, ERR_IO, strerror(errno));
	return ERR_OK; /* a file system without locks holds nobody up */
}

enum err db_hold_crawl(struct store *s, int64_t crawl)
{
	return hold(s, crawls_base + crawl, "it is writing this crawl");
}

enum err db_hold_book(struct store *s, int64_t book)
{
	return hold(s, books_base + book, "a node of that network keeps its addresses there");
}

void db_let_crawl(struct store *s, int64_t crawl)
{
	struct flock lock = {
		.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = crawls_base + crawl, .l_len = 1
	};

	if (s->hold_fd >= 0)
		fcntl(s->hold_fd, F_OFD_SETLK, &lock);
}

/* Whether anybody but the owner of that descriptor holds it. */
static bool is_held(int fd, int64_t crawl)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = crawls_base + crawl, .l_len = 1
	};

	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool db_crawl_held(struct store *s, int64_t crawl)
{
	int fd = open_log(s->path, O_RDONLY);
	bool held = is_held(fd, crawl);

	if (fd >= 0)
		close(fd);
	return held;
}

bool store_crawl_running(struct store *s, int64_t crawl_id)
{
	return s->hold_fd >= 0 ? is_held(s->hold_fd, crawl_id) : db_crawl_held(s, crawl_id);
}

enum err store_watch_hold(struct store *s, const char *network)
{
	int64_t id = 0;
	enum err err = db_network(s, network, true, &id);

	return err == ERR_OK ? hold(s, watches_base + id, "it is watching this network") : err;
}

void db_release(struct store *s)
{
	if (s->hold_fd >= 0)
		close(s->hold_fd);
	s->hold_fd = -1;
}
