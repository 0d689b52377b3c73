/* log.h: what goes on, a line for each thing: in a file, in systemd's journal, or on stderr for
 * whoever looks at it.
 *
 * A line is an event with fields (log_event), or a sentence (log_say). What strangers wrote is
 * escaped in both. Strangers also decide how often many things happen: of one kind of line (one
 * event, one sentence's format) only so many a minute are written, and how many more there were is
 * said when the minute is over. So nobody fills a disk from outside.
 *
 * A log that can't be written (disk full) says so once on stderr, and how many lines are missing
 * once it can be written again. It never fails and never stops anybody. Any thread. */
#ifndef PEERWALK_IO_LOG_H
#define PEERWALK_IO_LOG_H

#include "base/bytes.h"

#include <stdarg.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

enum {
	LOG_WINDOW_MS = 60 * 1000,
	/* Of one kind in a window. Half a second apart in the mean, and below 10 MB a day for the
	 * longest of usual lines. */
	LOG_LINES_MAX = 30,
	/* The same for LOG_DEBUG, which somebody asks for who wants to see every packet: a
	 * hundred a second. */
	LOG_DEBUG_LINES_MAX = 6000,
	/* Kinds that are told apart: more than the program has; others share the last place. */
	LOG_KINDS_MAX = 64,
	LOG_TEXT_MAX = 512,     /* bytes of one text as it is written; the rest is cut */
	LOG_MESSAGE_MAX = 1024, /* of a sentence */
	LOG_WHY_MAX = 256,
};

struct log_config {
	enum log_level level; /* and everything graver */
	bool json;            /* else text */
	const char *path;     /* NULL: stderr */
	bool all;             /* suppresses nothing: for what a person waits for */
	/* The time; NULL: that of the machine. */
	int64_t (*unix_ms)(void *ctx);
	void *ctx;
};

/* One value of an event. A text without bytes at all (data is NULL) is left out. */
struct log_field {
	const char *name; /* NULL: the end of the list */
	struct slice text;
	int64_t number;
	bool is_number;
};

static inline struct log_field log_text(const char *name, const char *text)
{
	return (struct log_field){ .name = name,
				   .text = text != NULL ? slice_text(text)
							: (struct slice){ NULL, 0 } };
}

static inline struct log_field log_bytes(const char *name, struct slice text)
{
	return (struct log_field){ .name = name, .text = text };
}

static inline struct log_field log_number(const char *name, int64_t number)
{
	return (struct log_field){ .name = name, .number = number, .is_number = true };
}

struct log;

/* ERR_NOMEM; ERR_IO if the file can't be opened, and why, with the remedy. */
enum err log_open(const struct log_config *config, struct log **out, char why[static LOG_WHY_MAX]);
void log_close(struct log *l); /* takes NULL */
/* Opens the file anew, after it was moved away (logrotate). If that can't be done the old one
 * stays, and the log says why. */
void log_reopen(struct log *l);

/* Whether such a line would be written; for what is dear to put together. */
bool log_wants(const struct log *l, enum log_level level);
bool log_is_stderr(const struct log *l);
/* Text on stderr, for people: who sees stdout, too. */
bool log_is_plain(const struct log *l);
/* stderr is the journal: lines there begin with their level, "<6>", which it takes off. */
bool log_stderr_is_journal(void);

/* A sentence without a full stop, and without what strangers wrote, unless it is escaped. The
 * format is a literal. */
void log_say(struct log *l, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void log_vsay(struct log *l, enum log_level level, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));
/* `event` is a literal: letters and _. */
void log_event(struct log *l, enum log_level level, const char *event,
	       const struct log_field *fields);

const char *log_level_name(enum log_level level);
bool log_level_parse(const char *name, enum log_level *out);

#endif
