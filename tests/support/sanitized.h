/* sanitized.h: whether a sanitizer watches, which makes everything several times slower:
 * tests that are long make their worlds smaller then. */
#ifndef PEERWALK_TESTS_SUPPORT_SANITIZED_H
#define PEERWALK_TESTS_SUPPORT_SANITIZED_H

#if defined(SANITIZED) /* the build says so of a file that is not watched itself */
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#endif
