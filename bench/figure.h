/* figure.h: a figure of the table that bench/table.py makes, as a line of JSON. */
#ifndef PEERWALK_BENCH_FIGURE_H
#define PEERWALK_BENCH_FIGURE_H

#include <stdio.h>

/* floor 0: there is none. */
static inline void figure(const char *name, double value, const char *unit, double floor)
{
	printf("{\"name\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", \"floor\": ", name, value,
	       unit);
	if (floor > 0)
		printf("%.6g", floor);
	else
		printf("null");
	printf(", \"ratio\": null}\n");
	fflush(stdout);
}

#endif
