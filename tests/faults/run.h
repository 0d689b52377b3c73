/* run.h: one run of the program under the shim, and the scenarios of the sweep. */
#ifndef PEERWALK_TESTS_FAULTS_RUN_H
#define PEERWALK_TESTS_FAULTS_RUN_H

#include "faults/shim.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	RUN_ARGS_MAX = 32,
	RUN_TEXT_MAX = 4096,
	HANG_S = 100, /* the longest takes twenty, and six run side by side on a busy machine */
	SPIN_S = 2,   /* of CPU, beyond what it takes without faults */
};

struct fault {
	enum fault_call call;
	int error; /* 0: does only a part */
	unsigned long at;
	unsigned every;
};

/* What came of it. */
struct run {
	int status, signal; /* of its end; one of them is 0 */
	bool hung, sound;
	bool cut_short; /* a crawl whose time was over */
	double cpu_s;
	unsigned long calls[FAULT_CALL_COUNT], failed;
	char err[RUN_TEXT_MAX];    /* the beginning of its stderr */
	char result[RUN_TEXT_MAX]; /* of what it has found, what has to be the same each time */
};

struct sweep {
	const char *name;
	const char *network; /* simulated beside it; NULL: none */
	/* Words, with %d for the run's folder, %s for a seed, %c for the folder that all runs of
	 * the scenario share: truth.csv, seeds.txt, settings.ini. */
	const char *args;
	/* Where the program goes on until it is told to end: what is done meanwhile. */
	void (*visit)(const char *folder);
	/* Sets run->result from what is in the run's folder. */
	void (*look)(const char *folder, struct run *run);
	bool waits;      /* as long as nobody can be reached */
	bool needs_data; /* a database to read: %d/data.db */
};

/* Ends with a row without a name. */
extern const struct sweep sweeps[];

const char *run_call_name(enum fault_call call);
void run_with(const char *program, const char *shim);
/* What the runs of a scenario share; and its end. */
void run_begin(const struct sweep *s);
void run_end(const struct sweep *s);
/* Which of those at work this process is: each has a folder. */
void run_worker(unsigned number);
/* fault NULL: none. */
void run_program(const struct sweep *s, const struct fault *fault, struct run *out);
/* The end of one more worker; whether all was well. */
bool wait_worker(void);

#endif
