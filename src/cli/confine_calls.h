/* confine_calls.h: the system calls that a confined process keeps (seccomp). */
#ifndef PEERWALK_CLI_CONFINE_CALLS_H
#define PEERWALK_CLI_CONFINE_CALLS_H

/* From now on, for all threads. net: of confine.h. 0, or errno: nothing has changed then. */
int confine_calls(unsigned net);

#endif
