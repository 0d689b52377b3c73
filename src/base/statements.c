#include "base/statements.h"

void statements_init(struct statements *s, unsigned needed, uint64_t window_ms)
{
	s->needed = needed;
	s->window_ms = window_ms;
	s->count = 0;
}

void statements_add(struct statements *s, const struct netaddr *by, const struct netaddr *says,
		    uint64_t now_ms)
{
	unsigned place = 0, i;

	for (i = 0; i < s->count; i++) {
		if (netaddr_same_host(&s->list[i].by, by))
			break;
		if (s->list[i].at_ms < s->list[place].at_ms)
			place = i;
	}
	if (i < s->count)
		place = i;
	else if (s->count < STATEMENTS_MAX)
		place = s->count++;
	s->list[place].by = *by;
	s->list[place].says = *says;
	s->list[place].at_ms = now_ms;
}

static unsigned votes_for(const struct statements *s, uint64_t now_ms, const struct netaddr *addr)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->count; i++)
		n += now_ms - s->list[i].at_ms < s->window_ms &&
		     netaddr_equal(&s->list[i].says, addr);
	return n;
}

bool statements_agreed(const struct statements *s, uint64_t now_ms, struct netaddr *out)
{
	unsigned most = 0;
	bool draw = false;

	for (unsigned i = 0; i < s->count; i++) {
		unsigned n = votes_for(s, now_ms, &s->list[i].says);

		if (n > most) {
			most = n;
			draw = false;
			*out = s->list[i].says;
		} else if (n == most && !netaddr_equal(out, &s->list[i].says)) {
			draw = true;
		}
	}
	return most >= s->needed && !draw;
}
