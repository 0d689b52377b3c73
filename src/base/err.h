/* err.h: the one list of errors, with a sentence each.
 *
 * Results come back through pointers; functions that can fail return an enum err.
 * A peer's fault is an outcome (base/peer.h), never one of these alone. */
#ifndef PEERWALK_BASE_ERR_H
#define PEERWALK_BASE_ERR_H

/* X(name, sentence) */
#define ERR_LIST(X)                                              \
	X(OK, "no error")                                        \
	X(SHORT, "the input ends early")                         \
	X(TRAILING, "bytes are left over")                       \
	X(NONCANONICAL, "a value is not in its shortest form")   \
	X(LIMIT, "a limit is exceeded")                          \
	X(VALUE, "a value is not allowed")                       \
	X(MAGIC, "the magic belongs to another network")         \
	X(CHECKSUM, "the checksum is wrong")                     \
	X(SYNTAX, "the text is not in the expected form")        \
	X(FULL, "there is no room left for the output")          \
	X(NOMEM, "out of memory")                                \
	X(IO, "input or output failed")                          \
	X(DISK_FULL, "the disk is full")                         \
	X(READ_ONLY, "the file or its folder is read-only")      \
	X(NOT_OURS, "the file is no peerwalk database")          \
	X(NEWER, "the database was written by a newer peerwalk") \
	X(CORRUPT, "the database is damaged")                    \
	X(BUSY, "another process holds the database")            \
	X(NOT_FOUND, "there is no such thing")

enum err {
#define ERR_ENUM(name, text) ERR_##name,
	ERR_LIST(ERR_ENUM)
#undef ERR_ENUM
};

/* A sentence without a full stop; never NULL. */
const char *err_text(enum err err);
/* The name without its prefix, e.g. "SHORT"; never NULL. */
const char *err_name(enum err err);

#endif
