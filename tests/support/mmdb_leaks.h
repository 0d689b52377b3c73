/* mmdb_leaks.h: for a program that opens damaged databases of places. libmaxminddb 1.7 forgets what
 * it has read of the languages of a file that it then refuses, or whose list it has no memory for:
 * some kilobytes, and not ours to free. LeakSanitizer asks for this by its name, from a library of
 * its own where gcc made it. Included once a program. */
#ifndef PEERWALK_TESTS_SUPPORT_MMDB_LEAKS_H
#define PEERWALK_TESTS_SUPPORT_MMDB_LEAKS_H

__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libmaxminddb";
}

#endif
