/* unset.h: for buffers that a busy function fills itself. The build sets all variables to zero that
 * are not set otherwise, which for a few kilobytes, some times a visit, costs more than what is
 * done with them. */
#ifndef PEERWALK_BASE_UNSET_H
#define PEERWALK_BASE_UNSET_H

#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define UNSET __attribute__((uninitialized))
#endif
#endif
#ifndef UNSET
#define UNSET
#endif

#endif
