/* export_format.h: the formats of export.h, for its table. */
#ifndef PEERWALK_REPORT_EXPORT_FORMAT_H
#define PEERWALK_REPORT_EXPORT_FORMAT_H

#include "report/export.h"

export_format_fn export_csv, export_json, export_jsonl;

#endif
