#include "base/err.h"

const char *err_text(enum err err)
{
	switch (err) {
#define ERR_CASE(name, text) \
	case ERR_##name:     \
		return text;
		ERR_LIST(ERR_CASE)
#undef ERR_CASE
	}
	return "unknown error";
}

const char *err_name(enum err err)
{
	switch (err) {
#define ERR_CASE(name, text) \
	case ERR_##name:     \
		return #name;
		ERR_LIST(ERR_CASE)
#undef ERR_CASE
	}
	return "UNKNOWN";
}
