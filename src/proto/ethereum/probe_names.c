/* The names of what probe.h lists. */
#include "proto/ethereum/probe.h"

const char *probe_breach_name(enum probe_breach b)
{
	static const char *const names[] = {
#define PROBE_NAME(symbol, name, text) name,
		PROBE_BREACH_LIST(PROBE_NAME)
#undef PROBE_NAME
	};

	return (unsigned)b < PROBE_BREACH_COUNT ? names[b] : "";
}

const char *probe_breach_text(enum probe_breach b)
{
	static const char *const texts[] = {
#define PROBE_TEXT(symbol, name, text) text,
		PROBE_BREACH_LIST(PROBE_TEXT)
#undef PROBE_TEXT
	};

	return (unsigned)b < PROBE_BREACH_COUNT ? texts[b] : "";
}

const char *probe_state_name(enum probe_state s)
{
	switch (s) {
	case PROBE_BONDING:
		return "bonding";
	case PROBE_SETTLING:
		return "settling";
	case PROBE_ASKING:
		return "asking";
	case PROBE_DONE:
		return "done";
	}
	return "";
}
