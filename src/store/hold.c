/* hold.c: one crawl belongs to one process at a time. */
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* One byte for each crawl, far beyond the end of any database and beyond the bytes
 * that SQLite locks itself (around 1 GiB). */
static const off_t hold_base = (off_t)1 << 61;

enum err db_hold_crawl(struct store *s, int64_t crawl)
{
	/* Locks of the open file, not of the process: closing them leaves SQLite's alone,
	 * and they go with the process, however it ends. */
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = hold_base + crawl, .l_len = 1
	};

	if (s->hold_fd < 0)
		s->hold_fd = open(s->path, O_RDWR | O_CLOEXEC);
	if (s->hold_fd < 0 || fcntl(s->hold_fd, F_OFD_SETLK, &lock) == 0)
		return ERR_OK; /* a file system without locks holds nobody up */
	if (errno == EAGAIN || errno == EACCES)
		return db_fail_as(s, ERR_BUSY, "it is writing this crawl");
	return ERR_OK;
}

void db_release(struct store *s)
{
	if (s->hold_fd >= 0)
		close(s->hold_fd);
	s->hold_fd = -1;
}
