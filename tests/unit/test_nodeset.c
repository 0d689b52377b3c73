/* test_nodeset.c: keys at addresses, each pair once. */
#include "base/nodeset.h"

#include "support/sanitized.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct hash_key hash = { 5, 6 };

/* --- a machine that runs out of memory --- */

static bool short_of_memory;
static unsigned allocations_left;

#if !SANITIZED
/* glibc's own, under the names that stay when a program has others. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static bool may_allocate(void)
{
	return !short_of_memory || allocations_left-- > 0;
}

void *malloc(size_t size)
{
	return may_allocate() ? __libc_malloc(size) : NULL;
}

void *calloc(size_t count, size_t size)
{
	return may_allocate() ? __libc_calloc(count, size) : NULL;
}

void *realloc(void *old, size_t size)
{
	return may_allocate() ? __libc_realloc(old, size) : NULL;
}
#endif

/* --- nodes --- */

struct peer {
	uint8_t key[PEER_NODE_ID_MAX];
	struct advert advert;
};

static const struct advert *peer_make(struct peer *p, uint32_t key, struct netaddr addr)
{
	memset(p, 0, sizeof(*p));
	for (unsigned i = 0; i < 4; i++)
		p->key[PEER_NODE_ID_MAX - 1 - i] = (uint8_t)(key >> 8 * i);
	p->advert = (struct advert){ .addr = addr, .node_id = slice_of(p->key, sizeof(p->key)) };
	return &p->advert;
}

static struct netaddr at(const char *text)
{
	struct netaddr a;

	assert_int_equal(netaddr_parse(slice_text(text), 30303, &a), ERR_OK);
	return a;
}

static struct nodeset new_set(void)
{
	struct nodeset s;

	assert_int_equal(nodeset_init(&s, &hash), ERR_OK);
	return s;
}

static uint32_t add(struct nodeset *s, const struct advert *peer, bool expected)
{
	uint32_t id;
	bool added;

	assert_int_equal(nodeset_add(s, peer, &id, &added), ERR_OK);
	assert_int_equal(added, expected);
	return id;
}

static void each_pair_is_an_entry(void **state)
{
	static const struct {
		const char *name;
		uint32_t key;
		const char *addr;
		bool added;
	} rows[] = {
		{ "the first", 1, "1.2.3.4:30303", true },
		{ "the same again", 1, "1.2.3.4:30303", false },
		{ "its key at another port", 1, "1.2.3.4:30304", true },
		{ "its key at another address", 1, "1.2.3.5:30303", true },
		{ "another key at its address", 2, "1.2.3.4:30303", true },
		{ "its key over IPv6", 1, "[2001:db8::1]:30303", true },
		{ "IPv6 again", 1, "[2001:db8::1]:30303", false },
		/* The same 16 bytes as 1.2.3.4 in a longer field. */
		{ "IPv6 that begins as IPv4", 1, "[102:304::]:30303", true },
		{ "the first once more", 1, "1.2.3.4:30303", false },
	};
	struct nodeset s = new_set();
	uint32_t count = 0;
	struct peer p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint32_t id, found;
		bool added;

		peer_make(&p, rows[i].key, at(rows[i].addr));
		if (nodeset_find(&s, &p.advert, &found) == rows[i].added)
			fail_msg("%s: found before", rows[i].name);
		if (nodeset_add(&s, &p.advert, &id, &added) != ERR_OK || added != rows[i].added)
			fail_msg("%s: added", rows[i].name);
		if (!nodeset_find(&s, &p.advert, &found) || found != id)
			fail_msg("%s: not found", rows[i].name);
		if (added && id != count)
			fail_msg("%s: ids count up", rows[i].name);
		count += added;
	}
	assert_int_equal(nodeset_count(&s), count);
	nodeset_clear(&s);
}

static void what_went_in_comes_out(void **state)
{
	static const char *const addrs[] = { "203.0.113.9:1", "[2001:db8::9]:65535" };
	struct nodeset s = new_set();
	struct advert out;
	struct peer p;

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		peer_make(&p, 0x01020304 + i, at(addrs[i]));
		p.advert.tcp_port = (uint16_t)(40000 + i);
		p.advert.services = 9; /* nobody's here */
		add(&s, &p.advert, true);
	}
	for (uint32_t i = 0; i < 2; i++) {
		struct netaddr addr = at(addrs[i]);

		peer_make(&p, 0x01020304 + i, addr);
		nodeset_get(&s, i, &out);
		assert_true(netaddr_equal(&out.addr, &addr));
		assert_true(slice_equal(out.node_id, slice_of(p.key, sizeof(p.key))));
		assert_int_equal(out.tcp_port, 40000 + i);
		assert_int_equal(out.services, 0);
	}
	nodeset_clear(&s);
}

static void a_tcp_port_is_kept_when_learnt_later(void **state)
{
	static const struct {
		uint16_t named, kept;
	} rows[] = { { 0, 0 }, { 30303, 30303 }, { 0, 30303 }, { 40404, 30303 } };
	struct nodeset s = new_set();
	struct advert out;
	struct peer p;

	(void)state;
	peer_make(&p, 1, at("1.2.3.4"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		p.advert.tcp_port = rows[i].named;
		add(&s, &p.advert, i == 0);
		nodeset_get(&s, 0, &out);
		assert_int_equal(out.tcp_port, rows[i].kept);
	}
	nodeset_clear(&s);
}

static void tags_are_the_owners(void **state)
{
	struct nodeset s = new_set();
	struct peer p;

	(void)state;
	for (uint32_t i = 0; i < 10; i++) {
		uint32_t id = add(&s, peer_make(&p, i, at("1.2.3.4")), true);

		assert_int_equal(*nodeset_tag(&s, id), 0);
		*nodeset_tag(&s, id) = (uint8_t)(100 + i);
	}
	for (uint32_t i = 0; i < 10; i++) {
		assert_int_equal(add(&s, peer_make(&p, i, at("1.2.3.4")), false), i);
		assert_int_equal(*nodeset_tag(&s, i), 100 + i);
	}
	nodeset_clear(&s);
}

/* Whatever its keys and ports are; others are not touched by it. */
static void a_host_has_its_cap(void **state)
{
	static const struct {
		const char *host, *beside; /* another host */
	} rows[] = { { "1.2.3.4", "1.2.3.5" }, { "[2001:db8::1]", "[2001:db8::2]" } };
	struct nodeset s = new_set();
	struct advert out;
	struct peer p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint32_t before = nodeset_count(&s), id;
		bool added = true;

		for (uint32_t k = 0; k < NODESET_PER_HOST; k++) {
			struct netaddr a = at(rows[i].host);

			a.port = (uint16_t)(2000 + k % 7);
			add(&s, peer_make(&p, k, a), true);
		}
		peer_make(&p, 9999, at(rows[i].host));
		assert_int_equal(nodeset_add(&s, &p.advert, &id, &added), ERR_LIMIT);
		assert_false(added);
		assert_false(nodeset_find(&s, &p.advert, &id));
		assert_int_equal(nodeset_count(&s), before + NODESET_PER_HOST);
		/* Whoever is there stays, and may still learn a port. */
		{
			struct netaddr a = at(rows[i].host);

			a.port = 2000;
			peer_make(&p, 0, a);
			p.advert.tcp_port = 5;
			id = add(&s, &p.advert, false);
			nodeset_get(&s, id, &out);
			assert_int_equal(out.tcp_port, 5);
		}
		add(&s, peer_make(&p, 9999, at(rows[i].beside)), true);
	}
	nodeset_clear(&s);
}

/* --- many of them --- */

/* 3,000 keys and 300 hosts: many repeats, hosts that reach their cap, and indexes that grow. */
static void as_a_list_would_do_it(void **state)
{
	enum { STEPS = SANITIZED ? 6000 : 20000, HOSTS = 300, KEYS = 3000 };
	static struct {
		uint32_t key, host;
		uint16_t tcp_port;
	} model[STEPS];
	static unsigned per_host[HOSTS];
	struct random random = { 11 };
	struct nodeset s = new_set();
	uint32_t count = 0;

	(void)state;
	for (unsigned i = 0; i < STEPS; i++) {
		uint32_t key = (uint32_t)random_below(&random, KEYS), id, known = 0;
		/* A tenth of the hosts have half of the nodes. */
		uint32_t host = (uint32_t)random_below(&random, i % 2 ? HOSTS : HOSTS / 10);
		uint16_t tcp_port = (uint16_t)random_below(&random, 3);
		struct netaddr addr = netaddr_ipv4(0x08000000U + host, 30303);
		enum err wanted = ERR_OK;
		struct peer p;
		bool added;

		while (known < count && (model[known].key != key || model[known].host != host))
			known++;
		if (known == count && per_host[host] == NODESET_PER_HOST)
			wanted = ERR_LIMIT;
		peer_make(&p, key, addr);
		p.advert.tcp_port = tcp_port;
		assert_int_equal(nodeset_find(&s, &p.advert, &id), known < count);
		assert_int_equal(nodeset_add(&s, &p.advert, &id, &added), wanted);
		assert_int_equal(added, wanted == ERR_OK && known == count);
		if (wanted != ERR_OK)
			continue;
		assert_int_equal(id, known);
		if (added) {
			model[count].key = key;
			model[count].host = host;
			model[count++].tcp_port = tcp_port;
			per_host[host]++;
		} else if (model[known].tcp_port == 0) {
			model[known].tcp_port = tcp_port;
		}
	}
	assert_int_equal(nodeset_count(&s), count);
	assert_true(count > NODESET_CHUNK || SANITIZED);
	for (uint32_t id = 0; id < count; id++) {
		struct advert out;
		struct peer p;
		uint32_t found;

		peer_make(&p, model[id].key, netaddr_ipv4(0x08000000U + model[id].host, 30303));
		assert_true(nodeset_find(&s, &p.advert, &found));
		assert_int_equal(found, id);
		nodeset_get(&s, id, &out);
		assert_true(slice_equal(out.node_id, p.advert.node_id));
		assert_true(netaddr_equal(&out.addr, &p.advert.addr));
		assert_int_equal(out.tcp_port, model[id].tcp_port);
	}
	nodeset_clear(&s);
}

/* Entries don't move: what nodeset_get borrowed holds while the set grows. */
static void entries_stay_where_they_are(void **state)
{
	struct nodeset s = new_set();
	struct advert first;
	struct peer p;
	uint8_t *tag;

	(void)state;
	add(&s, peer_make(&p, 77, at("1.2.3.4")), true);
	nodeset_get(&s, 0, &first);
	tag = nodeset_tag(&s, 0);
	for (uint32_t i = 0; i < 3 * NODESET_CHUNK; i++)
		add(&s, peer_make(&p, i, netaddr_ipv4(0x08000000U + i, 1)), true);
	assert_ptr_equal(nodeset_tag(&s, 0), tag);
	peer_make(&p, 77, at("1.2.3.4"));
	assert_true(slice_equal(first.node_id, p.advert.node_id));
	nodeset_clear(&s);
}

/* As the header says: 88 bytes, and for the indexes 5 to 33, whether each node has an address
 * of its own or a hundred share one; a started chunk makes 2 more of the smaller sets. */
static void memory(void **state)
{
	static const struct {
		uint32_t count, per_host, bytes_max;
	} rows[] = { { 100000, 1, 88 + 33 + 2 },
		     { 100000, 100, 88 + 11 + 2 },
		     { 390000, 1, 88 + 17 } /* just before the indexes grow */ };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct nodeset s = new_set();
		struct peer p;

		for (uint32_t n = 0; n < rows[i].count; n++)
			add(&s,
			    peer_make(&p, n, netaddr_ipv4(0x08000000U + n / rows[i].per_host, 1)),
			    true);
		assert_in_range(nodeset_bytes(&s) / rows[i].count, sizeof(struct nodeset_entry),
				rows[i].bytes_max);
		nodeset_clear(&s);
	}
}

/* --- without memory --- */

static void nothing_changes_without_memory(void **state)
{
	/* Where each of the three parts grows: the first entry, the indexes, a chunk. */
	static const uint32_t counts[] = { 0, 768, NODESET_CHUNK };

	(void)state;
	if (SANITIZED)
		skip(); /* has an allocator of its own */
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		struct nodeset s = new_set();
		unsigned allowed = 0;
		struct peer p;
		uint32_t id;
		bool added;
		enum err err;

		for (uint32_t n = 0; n < counts[i]; n++)
			add(&s, peer_make(&p, n, netaddr_ipv4(0x08000000U + n, 1)), true);
		peer_make(&p, counts[i], at("1.2.3.4"));
		for (;; allowed++) {
			allocations_left = allowed;
			short_of_memory = true;
			err = nodeset_add(&s, &p.advert, &id, &added);
			short_of_memory = false;
			if (err == ERR_OK)
				break;
			assert_int_equal(err, ERR_NOMEM);
			assert_false(added);
			assert_int_equal(nodeset_count(&s), counts[i]);
			assert_false(nodeset_find(&s, &p.advert, &id));
		}
		assert_in_range(allowed, 1, 4);
		assert_true(added);
		for (uint32_t n = 0; n < counts[i]; n++) {
			peer_make(&p, n, netaddr_ipv4(0x08000000U + n, 1));
			assert_true(nodeset_find(&s, &p.advert, &id));
			assert_int_equal(id, n);
		}
		nodeset_clear(&s);
	}
}

static void no_set_without_memory(void **state)
{
	(void)state;
	if (SANITIZED)
		skip();
	for (unsigned allowed = 0; allowed < 2; allowed++) {
		struct nodeset s;
		enum err err;

		allocations_left = allowed;
		short_of_memory = true;
		err = nodeset_init(&s, &hash);
		short_of_memory = false;
		assert_int_equal(err, ERR_NOMEM);
		nodeset_clear(&s); /* does no harm */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_pair_is_an_entry),
		cmocka_unit_test(what_went_in_comes_out),
		cmocka_unit_test(a_tcp_port_is_kept_when_learnt_later),
		cmocka_unit_test(tags_are_the_owners),
		cmocka_unit_test(a_host_has_its_cap),
		cmocka_unit_test(as_a_list_would_do_it),
		cmocka_unit_test(entries_stay_where_they_are),
		cmocka_unit_test(memory),
		cmocka_unit_test(nothing_changes_without_memory),
		cmocka_unit_test(no_set_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
