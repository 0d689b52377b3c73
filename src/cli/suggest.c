#include "cli/suggest.h"

#include <string.h>

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Edits (insert, delete, replace, swap of neighbours) that lead from a to b. */
static size_t edits(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][SUGGEST_NAME_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		above[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *spare = before;

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t replace = above[j - 1] + (a[i - 1] != b[j - 1]);

			row[j] = min3(above[j] + 1, row[j - 1] + 1, replace);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		before = above;
		above = row;
		row = spare;
	}
	return above[b_len];
}

void suggest_offer(struct suggest *s, const char *typed, const char *candidate)
{
	size_t typed_len = strlen(typed), len = strlen(candidate), distance;

	if (typed_len > SUGGEST_NAME_MAX || len > SUGGEST_NAME_MAX || typed_len < 2)
		return;
	distance = edits(typed, typed_len, candidate, len);
	/* A name cut short, or one that goes on ("signet" for bitcoin-signet), counts too. */
	if (typed_len >= 3 && distance > 1 && strstr(candidate, typed) != NULL)
		distance = 1;
	if (distance > (len + 2) / 3 || (s->best != NULL && distance >= s->distance))
		return;
	s->best = candidate;
	s->distance = distance;
}
