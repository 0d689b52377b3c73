/* hold.c: one crawl, and the book of one node, belongs to one process at a time. */
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* One byte for each, far beyond the end of any file. */
static const off_t crawls_base = (off_t)1 << 61, books_base = (off_t)1 << 62;

/* The log beside the database, which stays while anybody has the database open. Not the
 * database itself: SQLite's own locks on that belong to the process, and all of them go
 * when the process closes any descriptor of the file (fcntl(2)), those of its other
 * stores too. SQLite locks nothing in the log. */
static int open_log(const char *path)
{
	char log[4096];
	int n = snprintf(log, sizeof(log), "%s-wal", path);

	return n > 0 && (size_t)n < sizeof(log) ? open(log, O_RDWR | O_CLOEXEC) : -1;
}

static enum err hold(struct store *s, off_t at, const char *what)
{
	/* Locks of the open file, not of the process: two stores of one process exclude
	 * each other, too, and the locks go with the process, however it ends. */
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	if (s->hold_fd < 0)
		s->hold_fd = open_log(s->path);
	if (s->hold_fd < 0 || fcntl(s->hold_fd, F_OFD_SETLK, &lock) == 0)
		return ERR_OK; /* a file system without locks holds nobody up */
	if (errno == EAGAIN || errno == EACCES)
		return db_fail_as(s, ERR_BUSY, what);
	return ERR_OK;
}

enum err db_hold_crawl(struct store *s, int64_t crawl)
{
	return hold(s, crawls_base + crawl, "it is writing this crawl");
}

enum err db_hold_book(struct store *s, int64_t book)
{
	return hold(s, books_base + book, "a node of that network keeps its addresses there");
}

void db_release(struct store *s)
{
	if (s->hold_fd >= 0)
		close(s->hold_fd);
	s->hold_fd = -1;
}
