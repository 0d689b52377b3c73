#include "base/peer.h"

#include <string.h>

static const struct {
	const char *name, *text;
} outcomes[OUTCOME_COUNT] = {
#define OUTCOME_ROW(symbol, name, text) [OUTCOME_##symbol] = { name, text },
	OUTCOME_LIST(OUTCOME_ROW)
#undef OUTCOME_ROW
};

const char *outcome_name(enum outcome o)
{
	return o < OUTCOME_COUNT ? outcomes[o].name : "unknown";
}

const char *outcome_text(enum outcome o)
{
	return o < OUTCOME_COUNT ? outcomes[o].text : "unknown";
}

bool outcome_parse(const char *name, enum outcome *out)
{
	for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
		if (strcmp(outcomes[i].name, name) == 0) {
			*out = (enum outcome)i;
			return true;
		}
	}
	return false;
}
