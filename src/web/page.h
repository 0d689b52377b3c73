/* page.h: the files of the page (web/), as they were built, inside the program.
 *
 * The table is written by tools/build-page. Where the page could not be built, a small one in its
 * place says how: there is always one at "/". Files below "/assets/" have a hash of what is in them
 * in their names, and never change; the others may, with the program. */
#ifndef PEERWALK_WEB_PAGE_H
#define PEERWALK_WEB_PAGE_H

#include "base/bytes.h"

struct page_file {
	const char *path; /* "/" is index.html; "/assets/main-1x2y3z.js" */
	const char *type; /* Content-Type */
	struct slice data;
	bool gzipped;
};

/* What tools/build-page wrote. */
extern const struct page_file page_files[];
extern const size_t page_file_count;

/* NULL: there is no such file. */
const struct page_file *page_find(const char *path);

#endif
