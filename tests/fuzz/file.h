/* file.h: the fuzzer's bytes as a file, for what reads files by their names: one in memory, mode
 * 0600, the same for all inputs. */
#ifndef PEERWALK_TESTS_FUZZ_FILE_H
#define PEERWALK_TESTS_FUZZ_FILE_H

#include "base/bytes.h"
#include "fuzz/fuzz.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Its name. */
static inline const char *fuzz_file(struct slice content)
{
	static char path[32];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		CHECK(fd >= 0 && fchmod(fd, 0600) == 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	CHECK(ftruncate(fd, 0) == 0);
	CHECK(pwrite(fd, content.data, content.len, 0) == (ssize_t)content.len);
	return path;
}

#endif
