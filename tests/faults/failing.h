/* failing.h: memory that gives out at a place of one's choice.
 *
 * The program that is linked with failing.c has its malloc and the rest of them: all that its
 * libraries allocate goes through there as well, under a sanitizer too. Any thread. */
#ifndef PEERWALK_TESTS_FAULTS_FAILING_H
#define PEERWALK_TESTS_FAULTS_FAILING_H

#include <stdbool.h>
#include <stddef.h>

enum failing_how {
	FAIL_ONCE,
	FAIL_ON, /* that one and all later ones */
};

/* From now on allocations count from 1, and number `at` fails. */
void failing_arm(unsigned long at, enum failing_how how);
/* No more of that. How many were asked for, and how many failed. */
unsigned long failing_disarm(unsigned long *failed);
/* What this thread allocates for the test itself neither counts nor fails; it has to be freed by
 * such a thread, too. */
void failing_exempt(bool exempt);
/* Blocks that are allocated now. */
long failing_live(void);
/* Where the first one fails is told on stderr. */
void failing_tell(bool tell);

#endif
