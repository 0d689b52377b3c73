/* scenario.h: something that is done again and again, each time with another allocation failing:
 * the first, the second, and so on, until it goes through; then each of them and all that come
 * after it.
 *
 * What is asked of it, each time: no crash and no endless wait; ERR_NOMEM, or else the very result
 * that it has when nothing fails; nothing that is not freed; and whatever `after` looks for. */
#ifndef PEERWALK_TESTS_FAULTS_SCENARIO_H
#define PEERWALK_TESTS_FAULTS_SCENARIO_H

#include "base/bytes.h"
#include "base/err.h"
#include "faults/failing.h"

#include <stdbool.h>
#include <stdint.h>

struct scenario {
	const char *name;
	void (*before)(void);    /* may be NULL; nothing fails in it */
	enum err (*run)(void);   /* here allocations fail */
	void (*after)(enum err); /* may be NULL; nothing fails in it; the result is run's */
	/* Other threads allocate, too: the same number is not always the same place. */
	bool threads;
	bool foreign_leaks; /* a library forgets something when it fails, and says so nowhere */
	bool long_form;     /* in the long form alone, or by its name: it waits a lot */
	unsigned points;    /* in the short form, of either kind; 0: POINTS_SHORT */
};

enum { POINTS_SHORT = 40 };

#define SCENARIO(n, b, r, a, ...)                                           \
	{                                                                   \
		.name = n, .before = b, .run = r, .after = a, ##__VA_ARGS__ \
	}

/* Ends with a row without a name. */
extern const struct scenario base_scenarios[], engine_scenarios[], store_scenarios[],
	report_scenarios[], export_scenarios[], places_scenarios[], web_scenarios[], io_scenarios[],
	api_scenarios[], live_scenarios[], cli_scenarios[];

/* Part of the result: run's of one point are compared with those of a run without faults. */
void said(struct slice bytes);
void said_number(uint64_t n);

/* A failure of this point; the rest of it goes on. */
void wanted(bool ok, const char *what, const char *file, int line);
#define want(condition) wanted(condition, #condition, __FILE__, __LINE__)

/* The folder for what this scenario leaves. */
const char *scenario_folder(void);

#endif
