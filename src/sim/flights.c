#include "sim/flights.h"

#include <stdlib.h>
#include <string.h>

static bool before(const struct sim_flight *a, const struct sim_flight *b)
{
	return a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->number < b->number);
}

void sim_flights_clear(struct sim_flights *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->heap[i]);
	free(f->heap);
	memset(f, 0, sizeof(*f));
}

static bool grow(struct sim_flights *f)
{
	size_t cap = f->cap > 0 ? 2 * f->cap : 256;
	struct sim_flight **heap;

	if (f->count < f->cap)
		return true;
	if (f->count == SIM_FLIGHTS_MAX)
		return false;
	heap = realloc(f->heap, cap * sizeof(struct sim_flight *));
	if (heap == NULL)
		return false;
	f->heap = heap;
	f->cap = cap;
	return true;
}

bool sim_flights_add(struct sim_flights *f, uint64_t at_ms, const struct netaddr *from,
		     const struct netaddr *to, struct slice bytes)
{
	struct sim_flight *flight;
	size_t at = f->count;

	if (!grow(f))
		return false;
	flight = malloc(sizeof(*flight) + bytes.len);
	if (flight == NULL)
		return false;
	*flight = (struct sim_flight){ at_ms, ++f->last, *from, *to, bytes.len };
	memcpy(flight->bytes, bytes.data, bytes.len);
	f->count++;
	for (; at > 0 && before(flight, f->heap[(at - 1) / 2]); at = (at - 1) / 2)
		f->heap[at] = f->heap[(at - 1) / 2];
	f->heap[at] = flight;
	return true;
}

uint64_t sim_flights_due(const struct sim_flights *f)
{
	return f->count > 0 ? f->heap[0]->at_ms : UINT64_MAX;
}

struct sim_flight *sim_flights_take(struct sim_flights *f, uint64_t now_ms)
{
	struct sim_flight *first, *last;
	size_t at = 0, child;

	if (sim_flights_due(f) > now_ms || f->count == 0)
		return NULL;
	first = f->heap[0];
	last = f->heap[--f->count];
	while ((child = 2 * at + 1) < f->count) {
		if (child + 1 < f->count && before(f->heap[child + 1], f->heap[child]))
			child++;
		if (!before(f->heap[child], last))
			break;
		f->heap[at] = f->heap[child];
		at = child;
	}
	f->heap[at] = last;
	return first;
}
