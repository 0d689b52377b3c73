/* html.h: a report as a page: one file that needs nothing else, neither a network nor a script.
 *
 * It is well-formed XML as well as HTML, so that any parser reads it the same. Whatever came from
 * strangers is text in it: escaped as in all reports, marked up by nobody, and set apart from the
 * writing around it. Its policy (Content-Security-Policy) allows its own style sheet, by its hash,
 * and nothing else. */
#ifndef PEERWALK_REPORT_HTML_H
#define PEERWALK_REPORT_HTML_H

#include "base/text.h"
#include "report/report.h"

/* The numbers are those of report_json. of: the chain that the report is limited to, or NULL.
 * ERR_NOMEM. */
enum err report_html(const struct report *r, const char *of, struct text *out);

#endif
