/* fuzz.h: what every fuzz target shares: the entry point, and a check that ends it. */
#ifndef PEERWALK_TESTS_FUZZ_FUZZ_H
#define PEERWALK_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer's, and replay.c's: one input; 0. What is wrong ends the program. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                        \
		}                                                                       \
	} while (0)

#endif
