#include "cli/output_file.h"

#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether another file may take the place of what is there. */
static bool is_plain(const char *path)
{
	struct stat st;

	return lstat(path, &st) != 0 ? errno == ENOENT : S_ISREG(st.st_mode);
}

bool output_file_is_stdout(const char *path)
{
	return path == NULL || strcmp(path, "-") == 0;
}

bool output_file_open(struct output_file *o, const char *path, const char *option)
{
	size_t room = path != NULL ? strlen(path) + 5 : 0;

	if (output_file_is_stdout(path))
		path = NULL;
	*o = (struct output_file){ .file = stdout, .path = path, .option = option };
	if (path == NULL)
		return true;
	if (path[0] == '\0') {
		cli_error("%s: a file's name is expected", option);
		o->file = NULL;
		return false;
	}
	o->temporary = is_plain(path) ? malloc(room) : NULL;
	if (o->temporary != NULL)
		snprintf(o->temporary, room, "%s.new", path);
	o->file = fopen(o->temporary != NULL ? o->temporary : path, "we");
	if (o->file == NULL)
		cli_error("cannot write to %s: %s; name another file with %s",
			  o->temporary != NULL ? o->temporary : path, strerror(errno), option);
	return o->file != NULL;
}

bool output_file_close(struct output_file *o, bool keep)
{
	bool done = true;

	if (o->path != NULL && o->file != NULL) {
		/* On the disk before it takes the place of what is there: a power cut leaves one of
		 * them. */
		if (o->temporary != NULL && keep)
			done = fflush(o->file) == 0 && fsync(fileno(o->file)) == 0;
		done = fclose(o->file) == 0 && done;
		if (o->temporary != NULL && keep && done)
			done = rename(o->temporary, o->path) == 0;
		if (keep && !done)
			cli_error("cannot write to %s: %s; make room, or name another file with %s",
				  o->path, strerror(errno), o->option);
		if (o->temporary != NULL && !(keep && done))
			unlink(o->temporary);
	}
	free(o->temporary);
	*o = (struct output_file){ 0 };
	return done || !keep;
}
