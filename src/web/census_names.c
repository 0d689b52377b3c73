#include "web/census_table.h"

#include <stdlib.h>
#include <string.h>

static enum err make_room(struct names *n, size_t bytes)
{
	if (n->count == n->at_cap) {
		uint32_t cap = n->at_cap > 0 ? 2 * n->at_cap : 64;
		uint32_t *at = realloc(n->at, cap * sizeof(*at));

		if (at == NULL)
			return ERR_NOMEM;
		n->at = at;
		n->at_cap = cap;
	}
	if (n->len + bytes > n->cap) {
		size_t cap = n->cap > 0 ? 2 * n->cap : 1024;
		char *text;

		while (cap < n->len + bytes)
			cap *= 2;
		text = realloc(n->text, cap);
		if (text == NULL)
			return ERR_NOMEM;
		n->text = text;
		n->cap = cap;
	}
	return ERR_OK;
}

static enum err append(struct names *n, const char *text, size_t bytes)
{
	enum err err = make_room(n, bytes);

	if (err != ERR_OK)
		return err;
	memcpy(n->text + n->len, text, bytes);
	n->at[n->count++] = (uint32_t)n->len;
	n->len += bytes;
	return ERR_OK;
}

enum err names_init(struct names *n, const struct hash_key *key, uint32_t max)
{
	enum err err;

	*n = (struct names){ .key = *key, .max = max };
	err = keymap_init(&n->map);
	if (err == ERR_OK)
		err = append(n, "", 1);
	return err == ERR_OK ? append(n, "others", sizeof("others")) : err;
}

void names_clear(struct names *n)
{
	keymap_clear(&n->map);
	free(n->text);
	free(n->at);
	*n = (struct names){ 0 };
}

static uint64_t key_of(const struct names *n, const char *text, size_t len)
{
	uint64_t key = hash_siphash13(&n->key, text, len);

	return key != 0 ? key : 1; /* a keymap's are not 0 */
}

uint32_t names_find(const struct names *n, const char *text)
{
	const struct keymap_slot *slot;

	if (text[0] == 0)
		return NAMES_NONE;
	slot = keymap_find(&n->map, key_of(n, text, strlen(text)));
	return slot != NULL && strcmp(names_text(n, slot->id), text) == 0 ? slot->id : NAMES_NONE;
}

enum err names_put(struct names *n, const char *text, uint32_t *out)
{
	size_t len = strlen(text);
	uint64_t key = key_of(n, text, len);
	struct keymap_slot *slot = len > 0 ? keymap_find(&n->map, key) : NULL;
	enum err err;

	*out = NAMES_NONE;
	if (len == 0)
		return ERR_OK;
	*out = NAMES_OTHERS;
	if (slot != NULL) {
		if (strcmp(names_text(n, slot->id), text) == 0)
			*out = slot->id;
		return ERR_OK;
	}
	if (n->count - NAMES_FIRST >= n->max || n->len + len + 1 > CENSUS_NAMES_BYTES)
		return ERR_OK;
	err = append(n, text, len + 1);
	slot = err == ERR_OK ? keymap_put(&n->map, key) : NULL;
	if (slot == NULL)
		return ERR_NOMEM;
	*out = slot->id = n->count - 1;
	return ERR_OK;
}
