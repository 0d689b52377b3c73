#include "io/log.h"

#include "base/text.h"
#include "io/wall.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How a line looks. */
enum style {
	STYLE_PLAIN,   /* "peerwalk: ...": who collects stderr has a clock of his own */
	STYLE_JOURNAL, /* "<6>..." */
	STYLE_DATED,   /* "2026-08-01T12:00:00.250Z info  ..." */
	STYLE_JSON,
};

struct kind {
	const char *name; /* of the event, or a format: told apart by the address alone */
	bool event;
	enum log_level level;
	int64_t since_ms; /* of the window */
	uint32_t lines;
	uint64_t left_out;
};

struct log {
	struct log_config config;
	char *path; /* NULL: stderr */
	enum style style;
	pthread_mutex_t lock; /* all that follows */
	int fd;
	struct kind kinds[LOG_KINDS_MAX];
	unsigned kinds_count;
	struct text line;
	bool cut;      /* the last line in the file lacks its end */
	uint64_t lost; /* lines since the log can't be written */
	int lost_errno;
};

static const char *const level_names[] = { "error", "warn", "info", "debug" };
/* syslog's numbers. */
static const char level_digits[] = { '3', '4', '6', '7' };

enum { LEVELS = sizeof(level_names) / sizeof(level_names[0]), FILE_MODE = 0640 };

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

bool log_level_parse(const char *name, enum log_level *out)
{
	for (unsigned i = 0; i < LEVELS; i++) {
		if (strcmp(level_names[i], name) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

bool log_wants(const struct log *l, enum log_level level)
{
	return level <= l->config.level;
}

bool log_is_stderr(const struct log *l)
{
	return l->path == NULL;
}

bool log_is_plain(const struct log *l)
{
	return l->style == STYLE_PLAIN;
}

/* systemd says which device and inode the journal's end of our stderr has (systemd.exec(5)). */
bool log_stderr_is_journal(void)
{
	const char *text = getenv("JOURNAL_STREAM");
	char here[64];
	struct stat st;

	if (text == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	snprintf(here, sizeof(here), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(text, here) == 0;
}

static int64_t now_ms(const struct log *l)
{
	return l->config.unix_ms != NULL ? l->config.unix_ms(l->config.ctx) : wall_ms();
}

/* --- the file --- */

static int open_file(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, FILE_MODE);
}

/* How much of it was written; errno says why not all. */
static size_t write_all(int fd, const char *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(fd, data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

static void begin_line(struct log *l, enum log_level level, int64_t at_ms)
{
	char time[32];

	l->line.len = 0;
	l->line.err = ERR_OK;
	if (l->cut)
		text_add(&l->line, "\n");
	switch (l->style) {
	case STYLE_PLAIN:
		text_add(&l->line, "peerwalk: ");
		break;
	case STYLE_JOURNAL:
		text_printf(&l->line, "<%c>", level_digits[level]);
		break;
	case STYLE_DATED:
		format_time(at_ms, true, time);
		text_printf(&l->line, "%s %-5s ", time, level_names[level]);
		break;
	case STYLE_JSON:
		format_time(at_ms, true, time);
		text_printf(&l->line, "{\"ts\":\"%s\",\"level\":\"%s\"", time, level_names[level]);
		break;
	}
}

/* False: the line is lost. */
static bool end_line(struct log *l)
{
	size_t done;

	text_add(&l->line, l->style == STYLE_JSON ? "}\n" : "\n");
	if (l->line.err != ERR_OK) {
		errno = ENOMEM;
		return false;
	}
	errno = ENOSPC; /* if write() says nothing */
	done = write_all(l->fd, l->line.data, l->line.len);
	if (done > 0)
		l->cut = done < l->line.len;
	return done == l->line.len;
}

/* --- pieces of a line --- */

/* Of escaped text only these two have a meaning in JSON; what is escaped is so for the reader, too.
 */
static void add_quoted(struct text *t, const char *text)
{
	text_add(t, "\"");
	for (;;) {
		size_t len = strcspn(text, "\"\\");

		text_add_slice(t, slice_of(text, len));
		if (text[len] == '\0')
			break;
		text_printf(t, "\\%c", text[len]);
		text += len + 1;
	}
	text_add(t, "\"");
}

static void add_json_text(struct text *t, const char *name, const char *text)
{
	text_printf(t, ",\"%s\":", name);
	add_quoted(t, text);
}

static bool needs_quotes(const char *text)
{
	return *text == '\0' || strpbrk(text, " \"=") != NULL;
}

static void add_field(struct log *l, const struct log_field *f)
{
	bool json = l->style == STYLE_JSON;
	char text[LOG_TEXT_MAX];

	if (f->is_number) {
		text_printf(&l->line, json ? ",\"%s\":%" PRId64 : " %s=%" PRId64, f->name,
			    f->number);
		return;
	}
	if (f->text.data == NULL)
		return;
	text_escape(f->text, text, sizeof(text));
	if (json) {
		add_json_text(&l->line, f->name, text);
		return;
	}
	text_printf(&l->line, " %s=", f->name);
	if (needs_quotes(text))
		add_quoted(&l->line, text);
	else
		text_add(&l->line, text);
}

/* A sentence of ours. */
static bool write_note(struct log *l, enum log_level level, int64_t at_ms, const char *message)
{
	begin_line(l, level, at_ms);
	if (l->style == STYLE_JSON) {
		struct text escaped = { 0 };

		text_add_escaped_rest(&escaped, message);
		add_json_text(&l->line, "message", escaped.data != NULL ? escaped.data : "");
		text_clear(&escaped);
	} else {
		text_add_escaped_rest(&l->line, message);
	}
	return end_line(l);
}

/* --- when it can't be written --- */

static void tell_stderr(const struct log *l, const char *what, int number)
{
	char line[LOG_WHY_MAX + LOG_MESSAGE_MAX];
	int len;

	if (log_is_stderr(l)) /* nobody hears us */
		return;
	len = snprintf(line, sizeof(line), "%speerwalk: cannot %s the log %s: %s; going on%s\n",
		       log_stderr_is_journal() ? "<3>" : "", what, l->path, strerror(number),
		       number == ENOSPC ? " without it until there is room" : "");
	write_all(STDERR_FILENO, line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1);
}

static void lose(struct log *l)
{
	if (l->lost++ > 0)
		return;
	l->lost_errno = errno;
	tell_stderr(l, "write", l->lost_errno);
}

/* The first line that gets through says how many did not. */
static void tell_lost(struct log *l, int64_t at_ms)
{
	char message[LOG_MESSAGE_MAX];

	if (l->lost == 0)
		return;
	snprintf(message, sizeof(message), "%" PRIu64 " line%s missing here: %s", l->lost,
		 l->lost == 1 ? " is" : "s are", strerror(l->lost_errno));
	if (write_note(l, LOG_WARN, at_ms, message))
		l->lost = 0;
}

/* --- so many of a kind --- */

static struct kind *find_kind(struct log *l, const char *name)
{
	for (unsigned i = 0; i < l->kinds_count; i++) {
		if (l->kinds[i].name == name)
			return &l->kinds[i];
	}
	if (l->kinds_count < LOG_KINDS_MAX)
		l->kinds_count++;
	return &l->kinds[l->kinds_count - 1];
}

static void tell_left_out(struct log *l, struct kind *k, int64_t at_ms)
{
	uint64_t n = k->left_out;

	if (n == 0)
		return;
	k->left_out = 0;
	begin_line(l, k->level, at_ms);
	if (l->style == STYLE_JSON) {
		text_add(&l->line, ",\"event\":\"suppressed\"");
		add_json_text(&l->line, "kind", k->name);
		text_printf(&l->line, ",\"count\":%" PRIu64, n);
	} else {
		text_printf(&l->line, "%" PRIu64 " more suppressed of: %s", n, k->name);
	}
	if (!end_line(l))
		lose(l);
}

static bool is_over(const struct kind *k, int64_t at_ms)
{
	return at_ms - k->since_ms >= LOG_WINDOW_MS || at_ms < k->since_ms;
}

/* Whether one more may be written. */
static bool admit(struct log *l, enum log_level level, const char *name, int64_t at_ms)
{
	uint32_t most = level == LOG_DEBUG ? LOG_DEBUG_LINES_MAX : LOG_LINES_MAX;
	struct kind *k;

	if (l->config.all)
		return true;
	k = find_kind(l, name);
	/* Those of kinds that don't come any more have to be told, too. */
	for (unsigned i = 0; i < l->kinds_count; i++) {
		if (is_over(&l->kinds[i], at_ms))
			tell_left_out(l, &l->kinds[i], at_ms);
	}
	if (k->name == NULL || is_over(k, at_ms)) {
		*k = (struct kind){ .name = name, .level = level, .since_ms = at_ms };
	} else if (k->lines >= most) {
		k->left_out++;
		return false;
	}
	k->lines++;
	return true;
}

/* --- lines --- */

void log_vsay(struct log *l, enum log_level level, const char *format, va_list args)
{
	char message[LOG_MESSAGE_MAX];
	int64_t at_ms;

	if (!log_wants(l, level))
		return;
	vsnprintf(message, sizeof(message), format, args);
	pthread_mutex_lock(&l->lock);
	at_ms = now_ms(l);
	if (admit(l, level, format, at_ms)) {
		tell_lost(l, at_ms);
		if (!write_note(l, level, at_ms, message))
			lose(l);
	}
	pthread_mutex_unlock(&l->lock);
}

void log_say(struct log *l, enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vsay(l, level, format, args);
	va_end(args);
}

void log_event(struct log *l, enum log_level level, const char *event,
	       const struct log_field *fields)
{
	int64_t at_ms;

	if (!log_wants(l, level))
		return;
	pthread_mutex_lock(&l->lock);
	at_ms = now_ms(l);
	if (admit(l, level, event, at_ms)) {
		tell_lost(l, at_ms);
		begin_line(l, level, at_ms);
		if (l->style == STYLE_JSON)
			add_json_text(&l->line, "event", event);
		else
			text_add(&l->line, event);
		for (; fields->name != NULL; fields++)
			add_field(l, fields);
		if (!end_line(l))
			lose(l);
	}
	pthread_mutex_unlock(&l->lock);
}

/* --- opening and closing --- */

static enum style style_of(const struct log_config *config)
{
	if (config->json)
		return STYLE_JSON;
	if (config->path != NULL)
		return STYLE_DATED;
	return log_stderr_is_journal() ? STYLE_JOURNAL : STYLE_PLAIN;
}

static enum err open_failed(const char *path, char *why)
{
	const char *remedy = "";

	if (errno == ENOENT)
		remedy = "; make its folder first";
	else if (errno == EACCES)
		remedy = "; the folder has to be writable for the user that peerwalk runs as";
	snprintf(why, LOG_WHY_MAX, "cannot open the log %s: %s%s", path, strerror(errno), remedy);
	return ERR_IO;
}

enum err log_open(const struct log_config *config, struct log **out, char why[static LOG_WHY_MAX])
{
	struct log *l = calloc(1, sizeof(*l));
	enum err err = ERR_OK;

	if (l != NULL && config->path != NULL)
		l->path = strdup(config->path);
	/* Room for a sentence of any length: there will be no memory to tell that there is none. */
	if (l != NULL)
		text_printf(&l->line, "%*s", 2 * LOG_MESSAGE_MAX, "");
	if (l == NULL || (config->path != NULL && l->path == NULL) || l->line.err != ERR_OK) {
		if (l != NULL) {
			text_clear(&l->line);
			free(l->path);
		}
		free(l);
		snprintf(why, LOG_WHY_MAX, "out of memory");
		return ERR_NOMEM;
	}
	l->config = *config;
	l->style = style_of(config);
	pthread_mutex_init(&l->lock, NULL);
	l->fd = config->path != NULL ? open_file(config->path) : STDERR_FILENO;
	if (l->fd < 0) {
		err = open_failed(config->path, why);
		log_close(l);
		return err;
	}
	*out = l;
	return ERR_OK;
}

void log_close(struct log *l)
{
	if (l == NULL)
		return;
	for (unsigned i = 0; l->fd >= 0 && i < l->kinds_count; i++)
		tell_left_out(l, &l->kinds[i], now_ms(l));
	if (l->path != NULL && l->fd >= 0)
		close(l->fd);
	pthread_mutex_destroy(&l->lock);
	text_clear(&l->line);
	free(l->path);
	free(l);
}

void log_reopen(struct log *l)
{
	int fd, number;

	if (l->path == NULL)
		return;
	fd = open_file(l->path);
	number = errno;
	pthread_mutex_lock(&l->lock);
	if (fd >= 0) {
		close(l->fd);
		l->fd = fd;
		l->cut = false;
	} else {
		tell_stderr(l, "reopen", number);
	}
	pthread_mutex_unlock(&l->lock);
	if (fd < 0)
		log_say(l, LOG_ERROR, "cannot reopen the log: %s; the old file goes on",
			strerror(number));
}
