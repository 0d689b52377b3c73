#include "cli/json_line.h"

#include <stdio.h>

void json_line_print(json_t *o)
{
	if (o != NULL)
		json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(10));
	putchar('\n');
	fflush(stdout);
	json_decref(o);
}
