/* export_format.h: the formats of export.h, for its table; and what they share with those that
 * have files of their own. */
#ifndef PEERWALK_REPORT_EXPORT_FORMAT_H
#define PEERWALK_REPORT_EXPORT_FORMAT_H

#include "geo/geo.h"
#include "report/export.h"

enum { EXPORT_FLUSH_BYTES = 64 * 1024 /* output is handed on in pieces of about this size */ };

export_format_fn export_csv, export_json, export_jsonl;

/* Where that is; false if the options want others. */
bool export_place(const struct export_options *options, const struct netaddr *addr,
		  struct geo_place *out);
/* Hands on what is there if it is at least that much, and empties out. The sink's error, or
 * out's own. */
enum err export_flush(struct text *out, size_t least, export_sink_fn *sink, void *sink_ctx);
/* A stranger's bytes as a JSON string, after text_add_escaped. */
void export_json_text(struct text *out, struct slice s);

#endif
