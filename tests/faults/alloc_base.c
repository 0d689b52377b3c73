/* alloc_base.c: what grows in memory: sets of addresses and nodes, the cache, maps, texts. */
#include "base/addrset.h"
#include "base/glance.h"
#include "base/keymap.h"
#include "base/nodeset.h"
#include "base/text.h"
#include "engine/book.h"
#include "faults/scenario.h"

#include <string.h>

static const struct hash_key key = { 3, 4 };

/* --- addresses --- */

enum { ADDRS = 1200 };

static struct netaddr addr_at(uint32_t i)
{
	struct netaddr a = netaddr_ipv4(0x01000000 + i * 77, (uint16_t)(8333 + i % 3));

	if (i % 5 == 1)
		a.kind = NETADDR_IPV6;
	if (i % 7 == 2)
		a.kind = NETADDR_TORV3;
	a.bytes[5] = (uint8_t)i;
	a.bytes[6] = (uint8_t)(i >> 8);
	return a;
}

/* A set that had no room is as it was: everybody is there, and one more fits when there is room. */
static void check_set(struct addrset *s, uint32_t count)
{
	struct netaddr addr;
	uint32_t id;
	bool added;

	want(addrset_count(s) == count);
	for (uint32_t i = 0; i < count; i++) {
		addr = addr_at(i);
		want(addrset_find(s, &addr, &id));
	}
	addr = addr_at(count);
	want(!addrset_find(s, &addr, &id));
	want(addrset_add(s, &addr, &id, &added) == ERR_OK && added);
	want(addrset_find(s, &addr, &id));
}

static struct addrset set;
static uint32_t set_count;
static bool has_set;

static enum err run_addrset(void)
{
	enum err err = addrset_init(&set, &key);

	has_set = err == ERR_OK;
	for (set_count = 0; err == ERR_OK && set_count < ADDRS; set_count++) {
		struct netaddr addr = addr_at(set_count);
		uint32_t id;
		bool added;

		err = addrset_add(&set, &addr, &id, &added);
		if (err != ERR_OK)
			break;
		said_number(id);
	}
	return err;
}

static void after_addrset(enum err err)
{
	(void)err;
	if (has_set)
		check_set(&set, set_count);
	addrset_clear(&set);
}

/* --- nodes --- */

enum { NODES = NODESET_CHUNK + 300 };

static struct advert node_at(uint32_t i, uint8_t bytes[static PEER_NODE_ID_MAX])
{
	memset(bytes, 0, PEER_NODE_ID_MAX);
	memcpy(bytes, &i, sizeof(i));
	return (struct advert){ .addr = netaddr_ipv4(0x01000000 + i / 2, 30303),
				.node_id = slice_of(bytes, PEER_NODE_ID_MAX) };
}

static struct nodeset nodes;
static uint32_t nodes_count;
static bool has_nodes;

static enum err run_nodeset(void)
{
	uint8_t bytes[PEER_NODE_ID_MAX];
	enum err err = nodeset_init(&nodes, &key);

	has_nodes = err == ERR_OK;
	for (nodes_count = 0; err == ERR_OK && nodes_count < NODES; nodes_count++) {
		struct advert node = node_at(nodes_count, bytes);
		uint32_t id;
		bool added;

		err = nodeset_add(&nodes, &node, &id, &added);
		if (err != ERR_OK)
			break;
		said_number(id);
	}
	return err;
}

static void after_nodeset(enum err err)
{
	uint8_t bytes[PEER_NODE_ID_MAX];
	struct advert node = node_at(nodes_count, bytes);
	uint32_t id;
	bool added;

	(void)err;
	if (has_nodes) {
		want(nodeset_count(&nodes) == nodes_count);
		want(!nodeset_find(&nodes, &node, &id));
		want(nodeset_add(&nodes, &node, &id, &added) == ERR_OK && added);
		for (uint32_t i = 0; i <= nodes_count; i++) {
			node = node_at(i, bytes);
			want(nodeset_find(&nodes, &node, &id) && id == i);
		}
	}
	nodeset_clear(&nodes);
}

/* --- the map, and the cache --- */

enum { KEYS = 3000 };

static struct keymap map;
static uint64_t keys_count;
static bool has_map;

static enum err run_keymap(void)
{
	enum err err = keymap_init(&map);

	has_map = err == ERR_OK;
	for (keys_count = 0; err == ERR_OK && keys_count < KEYS; keys_count++) {
		struct keymap_slot *slot = keymap_put(&map, (keys_count + 1) * 0x9e3779b97f4a7c15);

		if (slot == NULL)
			return ERR_NOMEM;
		slot->id = (uint32_t)keys_count;
	}
	return err;
}

static void after_keymap(enum err err)
{
	(void)err;
	for (uint64_t i = 0; has_map && i < keys_count; i++) {
		struct keymap_slot *slot = keymap_find(&map, (i + 1) * 0x9e3779b97f4a7c15);

		want(slot != NULL && slot->id == i);
	}
	keymap_clear(&map);
}

/* A cache that can't grow forgets somebody, who is looked up in the set then: that is no fault. */
static enum err run_glance(void)
{
	struct glance_cache cache;
	enum err err = glance_cache_init(&cache);

	if (err != ERR_OK)
		return err;
	for (uint64_t i = 1; i <= 40000; i++)
		glance_cache_put(&cache, i * 0x9e3779b97f4a7c15);
	want(glance_cache_has(&cache, 40000 * 0x9e3779b97f4a7c15));
	glance_cache_clear(&cache);
	return ERR_OK;
}

/* --- texts --- */

static enum err run_text(void)
{
	struct text text = { 0 };
	enum err err;

	for (unsigned i = 0; i < 200; i++) {
		text_printf(&text, "%u %s\n", i, "and a longer piece of text");
		text_add_escaped(&text, slice_text("\x1b[2J\xff"));
		text_add_csv(&text, slice_text("=1+1,\""));
		text_add_escaped_rest(&text, "a\\x00\x01");
	}
	err = text.err;
	if (err == ERR_OK)
		said(slice_of(text.data, text.len));
	text_clear(&text);
	return err;
}

/* --- a node's book --- */

static const struct book_config book_config = { .new_max = 2000,
						.tried_max = 600,
						.source_max = 400,
						.group_max = 300,
						.known_s = 86400,
						.seed = 7 };
static struct book *book;
static struct book_counts before_counts;

static void count_each(uint32_t *new_count, uint32_t *tried_count);

static bool count_one(void *ctx, const struct book_entry *entry)
{
	uint32_t *counts = ctx;

	counts[entry->tried]++;
	want(book_find(book, &entry->addr, NULL));
	return true;
}

static void count_each(uint32_t *new_count, uint32_t *tried_count)
{
	uint32_t counts[2] = { 0 };

	book_each(book, count_one, counts);
	*new_count = counts[0];
	*tried_count = counts[1];
}

/* Whom there is no memory for, there is no place for: nothing else changes. */
static enum err run_book(void)
{
	enum err err = book_new(&book_config, &book);
	int64_t now = 1800000000;
	struct book_entry entry;
	bool gone;

	for (uint32_t i = 0; err == ERR_OK && i < 3000; i++, now += 3) {
		struct netaddr source = netaddr_ipv4(0x05000000 + (i % 40 << 16), 8333);
		struct advert peer = { .addr = netaddr_ipv4(0x01000000 + i * 70001, 8333),
				       .last_seen_s = (uint32_t)now };

		book_add(book, &peer, &source, now);
		if (i % 3 == 0)
			book_asked(book, &peer.addr, now);
		if (i % 6 == 0)
			book_reached(book, &peer.addr, 9, now);
		else if (i % 3 == 0)
			book_failed(book, &peer.addr, now);
		if (i % 100 == 0)
			book_drop(book, &peer.addr);
		if (i % 500 == 0)
			while (book_changed(book, &entry, &gone))
				;
	}
	if (err == ERR_OK)
		book_expire(book, now);
	return err;
}

static void after_book(enum err err)
{
	struct advert sample[100];
	uint32_t new_count, tried_count;

	if (err != ERR_OK)
		return;
	book_counts(book, &before_counts);
	count_each(&new_count, &tried_count);
	want(new_count == before_counts.new_count && tried_count == before_counts.tried_count);
	book_sample(book, 1800009000, 0, sample, 100);
	book_free(book);
}

const struct scenario base_scenarios[] = {
	SCENARIO("addrset", NULL, run_addrset, after_addrset, .points = 200),
	SCENARIO("nodeset", NULL, run_nodeset, after_nodeset, .points = 200),
	SCENARIO("keymap", NULL, run_keymap, after_keymap, .points = 200),
	SCENARIO("glance", NULL, run_glance, NULL, .points = 200),
	SCENARIO("text", NULL, run_text, NULL, .points = 200),
	SCENARIO("book", NULL, run_book, after_book, .points = 200),
	{ 0 },
};
