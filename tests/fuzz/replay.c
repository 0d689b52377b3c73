/* replay.c: runs a fuzz target on every file of the folders given, without libFuzzer.
 *
 * So what a fuzzer once found stays found in the ordinary tests, with any compiler. */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX = 1024 * 1024 /* corpora are small; a longer file is a mistake */ };

static int run_file(const char *path)
{
	/* Of the file's own size, so that a sanitizer sees reads beyond the end. */
	uint8_t *data;
	size_t len;
	struct stat st;
	FILE *f = fopen(path, "rb");

	if (f == NULL || fstat(fileno(f), &st) != 0 || st.st_size > FILE_MAX) {
		fprintf(stderr, "%s: cannot be read, or is too long\n", path);
		if (f != NULL)
			fclose(f);
		return -1;
	}
	data = malloc((size_t)st.st_size + 1);
	if (data == NULL) {
		fclose(f);
		return -1;
	}
	len = fread(data, 1, (size_t)st.st_size, f);
	fclose(f);
	/* Moved to the end of the block: the byte after the last isn't ours. */
	memmove(data + 1, data, len);
	LLVMFuzzerTestOneInput(data + 1, len);
	free(data);
	return 0;
}

/* The number of files run, or -1. */
static int run_folder(const char *folder)
{
	struct dirent *entry;
	char path[4096];
	DIR *dir = opendir(folder);
	int count = 0;

	if (dir == NULL) {
		fprintf(stderr, "%s: %s\n", folder, strerror(errno));
		return -1;
	}
	while (count >= 0 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		count = run_file(path) == 0 ? count + 1 : -1;
	}
	closedir(dir);
	return count;
}

int main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		int count = run_folder(argv[i]);

		if (count < 0)
			return 1;
		total += count;
	}
	printf("%d inputs\n", total);
	/* A replay of nothing would prove nothing. */
	return total > 0 ? 0 : 1;
}
