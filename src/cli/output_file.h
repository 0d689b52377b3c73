/* output_file.h: the FILE of --output and the like, which gets its new content whole or not at all.
 *
 * It is written under another name (FILE.new) beside it, and takes its place in the end: whoever
 * reads it meanwhile, and whoever has it after a failure, has the old one. What is no plain file
 * (a pipe, a device, a link) is written to as it is. */
#ifndef PEERWALK_CLI_OUTPUT_FILE_H
#define PEERWALK_CLI_OUTPUT_FILE_H

#include <stdbool.h>
#include <stdio.h>

struct output_file {
	FILE *file;
	const char *path; /* NULL: the standard output */
	const char *option;
	char *temporary; /* NULL: it is written to directly */
};

bool output_file_is_stdout(const char *path);
/* path NULL or "-": the standard output. option: what else to name in, "--output". False after
 * saying why; output_file_close in every case. */
bool output_file_open(struct output_file *o, const char *path, const char *option);
/* keep: what was written shall take its place. False after saying why it does not. */
bool output_file_close(struct output_file *o, bool keep);

#endif
