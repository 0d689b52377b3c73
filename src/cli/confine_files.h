/* confine_files.h: the files and ports that a confined process keeps (Landlock). */
#ifndef PEERWALK_CLI_CONFINE_FILES_H
#define PEERWALK_CLI_CONFINE_FILES_H

#include "cli/confine.h"

/* From now on, for this thread and those that it starts. The version of Landlock's interface that
 * the kernel has, of which what it knows is used; 0: nothing has changed, and errno says why. */
int confine_files(const struct confine *c);

#endif
