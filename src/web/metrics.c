#include "web/metrics.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

void metrics_begin(struct text *out, const char *name, const char *type, const char *help)
{
	text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value may hold anything but a line feed, a quote and a backslash, which are escaped. */
static void add_label(struct text *out, const struct metrics_label *label)
{
	struct text safe = { 0 };

	text_add_escaped(&safe, label->value);
	text_printf(out, "%s=\"", label->name);
	for (size_t i = 0; i < safe.len; i++) {
		char c[3] = { '\\', safe.data[i], 0 };

		text_add(out, c[1] == '"' || c[1] == '\\' ? c : c + 1);
	}
	text_add(out, "\"");
	if (safe.err != ERR_OK)
		out->err = safe.err;
	text_clear(&safe);
}

void metrics_values(struct text *out, const char *name, const struct metrics_label *labels,
		    double value)
{
	text_add(out, name);
	for (size_t i = 0; labels[i].name != NULL; i++) {
		text_add(out, i == 0 ? "{" : ",");
		add_label(out, &labels[i]);
	}
	text_add(out, labels[0].name != NULL ? "}" : "");
	if (isfinite(value))
		text_printf(out, " %.15g\n", value);
	else
		text_add(out, isnan(value) ? " NaN\n" : value > 0 ? " +Inf\n" : " -Inf\n");
}

void metrics_value(struct text *out, const char *name, const char *label, struct slice label_value,
		   double value)
{
	metrics_values(out, name, (struct metrics_label[]){ { label, label_value }, { 0 } }, value);
}

/* --- this process --- */

static double resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	char line[128] = "";
	const char *resident;

	if (f == NULL)
		return 0;
	/* Pages: all of the address space, resident, shared ... */
	resident = fgets(line, sizeof(line), f) != NULL ? strchr(line, ' ') : NULL;
	fclose(f);
	return resident == NULL
		       ? 0
		       : (double)strtoul(resident, NULL, 10) * (double)sysconf(_SC_PAGESIZE);
}

static double open_fds(void)
{
	DIR *folder = opendir("/proc/self/fd");
	const struct dirent *entry;
	double count = 0;

	while (folder != NULL && (entry = readdir(folder)) != NULL)
		count += entry->d_name[0] != '.';
	if (folder == NULL)
		return 0;
	closedir(folder);
	return count - 1; /* the folder's own */
}

/* The clock ticks since the boot at which the process began: the 22nd field, after a name in
 * brackets that may hold anything. */
static double started_ticks(void)
{
	FILE *f = fopen("/proc/self/stat", "re");
	char line[1024], *at;
	double ticks = 0;

	if (f == NULL)
		return 0;
	if (fgets(line, sizeof(line), f) != NULL && (at = strrchr(line, ')')) != NULL) {
		for (int field = 2; field < 22 && at != NULL; field++)
			at = strchr(at + 1, ' ');
		ticks = at != NULL ? strtod(at, NULL) : 0;
	}
	fclose(f);
	return ticks;
}

/* The kernel's own second of the boot: computed from two clocks it would be another one each time.
 */
static double boot_seconds(void)
{
	FILE *f = fopen("/proc/stat", "re");
	char line[128];
	double seconds = 0;

	while (f != NULL && seconds == 0 && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "btime ", 6) == 0)
			seconds = strtod(line + 6, NULL);
	}
	if (f != NULL)
		fclose(f);
	return seconds;
}

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void add_one(struct text *out, const char *name, const char *type, const char *help,
		    double value)
{
	metrics_begin(out, name, type, help);
	metrics_value(out, name, NULL, slice_text(""), value);
}

void metrics_process(struct text *out)
{
	add_one(out, "process_cpu_seconds_total", "counter", "CPU time, of user and system.",
		cpu_seconds());
	add_one(out, "process_resident_memory_bytes", "gauge", "Memory that is there.",
		resident_bytes());
	add_one(out, "process_open_fds", "gauge", "Open file descriptors.", open_fds());
	add_one(out, "process_start_time_seconds", "gauge", "Start, in seconds since 1970.",
		boot_seconds() + started_ticks() / (double)sysconf(_SC_CLK_TCK));
	metrics_begin(out, "peerwalk_build_info", "gauge", "1, with the version.");
	metrics_value(out, "peerwalk_build_info", "version", slice_text(PEERWALK_VERSION), 1);
}

/* --- a server of nothing else --- */

struct source {
	metrics_fn *fn;
	void *ctx;
};

static void on_request(void *ctx, const struct http_request *request, struct http_response *r)
{
	const struct source *source = ctx;
	const char *path = http_path(request), *unknown = http_param_unknown(request, "");

	if (unknown != NULL && strcmp(path, "/") != 0) {
		http_error(r, 400, "there is no parameter \"%.100s\"; expected none", unknown);
	} else if (strcmp(path, "/metrics") == 0) {
		r->type = METRICS_TYPE;
		source->fn(source->ctx, &r->body);
	} else if (strcmp(path, "/healthz") == 0) {
		r->type = "text/plain; charset=utf-8";
		r->fixed = slice_text("ok\n");
	} else {
		http_error(r, 404, "there is nothing here; expected /metrics or /healthz");
	}
}

enum err metrics_serve(const char *listen, const char *token, metrics_fn *fn, void *ctx,
		       struct http **out, char why[static HTTP_WHY_MAX])
{
	struct source *source = malloc(sizeof(*source));
	enum err err;

	*out = NULL;
	if (source == NULL) {
		snprintf(why, HTTP_WHY_MAX, "out of memory: end other programs");
		return ERR_NOMEM;
	}
	*source = (struct source){ .fn = fn, .ctx = ctx };
	err = http_start(&(struct http_config){ .listen = listen,
						.token = token,
						.handler = on_request,
						.ctx = source,
						.end = free },
			 out, why);
	if (err != ERR_OK)
		free(source);
	return err;
}
