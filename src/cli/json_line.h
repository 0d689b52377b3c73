/* json_line.h: one JSON object a line on stdout. */
#ifndef PEERWALK_CLI_JSON_LINE_H
#define PEERWALK_CLI_JSON_LINE_H

#include <jansson.h>

/* Takes it over. NULL (no memory for it) is an empty line. */
void json_line_print(json_t *o);

#endif
