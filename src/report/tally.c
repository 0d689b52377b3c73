#include "report/tally.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_MIN = 256, ENTRIES_MIN = 64 };

void tally_init(struct tally *t, const struct hash_key *key)
{
	*t = (struct tally){ .key = *key };
}

void tally_clear(struct tally *t)
{
	for (size_t i = 0; i < t->len; i++) {
		free(t->entries[i].key);
		free(t->entries[i].name);
	}
	free(t->entries);
	free(t->slots);
	*t = (struct tally){ 0 };
}

/* The slot of that key, or the free one where it belongs. */
static uint32_t *find(const struct tally *t, struct slice key)
{
	size_t at = hash_siphash13(&t->key, key.data, key.len) & (t->slots_count - 1);

	while (t->slots[at] != 0) {
		const struct tally_entry *e = &t->entries[t->slots[at] - 1];

		if (slice_equal(slice_of(e->key, e->len), key))
			break;
		at = (at + 1) & (t->slots_count - 1);
	}
	return &t->slots[at];
}

/* At most half of the slots are taken. */
static bool grow_slots(struct tally *t)
{
	size_t count = t->slots_count > 0 ? 2 * t->slots_count : SLOTS_MIN;
	uint32_t *slots = calloc(count, sizeof(*slots));

	if (slots == NULL)
		return false;
	free(t->slots);
	t->slots = slots;
	t->slots_count = count;
	for (size_t i = 0; i < t->len; i++)
		*find(t, slice_of(t->entries[i].key, t->entries[i].len)) = (uint32_t)i + 1;
	return true;
}

static bool make_room(struct tally *t)
{
	size_t cap = t->cap > 0 ? 2 * t->cap : ENTRIES_MIN;
	struct tally_entry *entries;

	if (2 * (t->len + 1) > t->slots_count && !grow_slots(t))
		return false;
	if (t->len < t->cap)
		return true;
	entries = realloc(t->entries, cap * sizeof(*entries));
	if (entries == NULL)
		return false;
	t->entries = entries;
	t->cap = cap;
	return true;
}

/* Room for a key of that length, and one byte more: malloc(0) may be NULL. */
static struct tally_entry *add_entry(struct tally *t, struct slice key)
{
	struct tally_entry e = { .key = malloc(key.len + 1), .len = key.len };

	if (e.key == NULL)
		return NULL;
	if (key.len > 0)
		memcpy(e.key, key.data, key.len);
	t->entries[t->len++] = e;
	return &t->entries[t->len - 1];
}

static struct tally_entry *add(struct tally *t, struct slice key)
{
	struct tally_entry *e = NULL;
	uint32_t *slot;

	if (t->err != ERR_OK)
		return NULL;
	if (!make_room(t)) {
		t->err = ERR_NOMEM;
		return NULL;
	}
	t->total++;
	slot = find(t, key);
	if (*slot != 0) {
		e = &t->entries[*slot - 1];
	} else if (t->len == TALLY_KEYS_MAX) {
		t->cut++;
		return NULL;
	} else {
		e = add_entry(t, key);
		if (e == NULL) {
			t->err = ERR_NOMEM;
			return NULL;
		}
		*slot = (uint32_t)t->len;
	}
	e->count++;
	return e;
}

void tally_add(struct tally *t, struct slice key)
{
	key.len = key.len < TALLY_KEY_MAX ? key.len : TALLY_KEY_MAX;
	add(t, key);
}

void tally_add_number(struct tally *t, int64_t number)
{
	tally_add_named(t, number, "");
}

void tally_add_named(struct tally *t, int64_t number, const char *name)
{
	struct tally_entry *e = add(t, slice_of(&number, sizeof(number)));

	if (e == NULL)
		return;
	e->number = number;
	if (e->name != NULL || name[0] == 0)
		return;
	e->name = strdup(name);
	if (e->name == NULL)
		t->err = ERR_NOMEM;
}

uint64_t tally_count(const struct tally *t, struct slice key)
{
	uint32_t slot = t->slots_count > 0 ? *find(t, key) : 0;

	return slot != 0 ? t->entries[slot - 1].count : 0;
}

static int by_number(const void *left, const void *right)
{
	const struct tally_entry *a = left, *b = right;

	return (a->number > b->number) - (a->number < b->number);
}

static int by_count(const void *left, const void *right)
{
	const struct tally_entry *a = left, *b = right;
	size_t len = a->len < b->len ? a->len : b->len;
	int order;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	order = by_number(a, b);
	if (order == 0)
		order = memcmp(a->key, b->key, len);
	return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

static void sort(struct tally *t, int (*order)(const void *, const void *))
{
	if (t->len > 0)
		qsort(t->entries, t->len, sizeof(*t->entries), order);
}

void tally_sort_by_count(struct tally *t)
{
	sort(t, by_count);
}

void tally_sort_by_number(struct tally *t)
{
	sort(t, by_number);
}
