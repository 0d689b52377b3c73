#include "base/addrset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct hash_key key = { 1, 2 };

static struct netaddr make(unsigned kind, uint64_t seed)
{
	struct random r = { seed };
	struct netaddr a = { .kind = (uint8_t)kind, .port = (uint16_t)(seed % 50000 + 1) };

	for (size_t i = 0; i < netaddr_len(kind); i++)
		a.bytes[i] = (uint8_t)random_next(&r);
	return a;
}

static void every_kind_comes_back(void **state)
{
	static const unsigned kinds[] = { NETADDR_IPV4,  NETADDR_IPV6, NETADDR_TORV2,
					  NETADDR_TORV3, NETADDR_I2P,  NETADDR_CJDNS };
	struct addrset s;
	uint32_t id, again;
	bool added;

	(void)state;
	assert_int_equal(addrset_init(&s, &key), ERR_OK);
	for (size_t i = 0; i < 6; i++) {
		struct netaddr a = make(kinds[i], i + 1), b;

		assert_false(addrset_find(&s, &a, &id));
		assert_int_equal(addrset_add(&s, &a, &id, &added), ERR_OK);
		assert_true(added);
		assert_int_equal(*addrset_tag(&s, id), 0);
		*addrset_tag(&s, id) = (uint8_t)(i + 7);
		addrset_get(&s, id, &b);
		assert_memory_equal(&a, &b, sizeof(a));
		assert_int_equal(addrset_add(&s, &a, &again, &added), ERR_OK);
		assert_false(added);
		assert_int_equal(again, id);
		assert_int_equal(*addrset_tag(&s, id), i + 7);
	}
	assert_int_equal(addrset_count(&s), 6);
	addrset_clear(&s);
}

/* The same bytes in two kinds, and the same host on two ports, are different. */
static void kind_and_port_count(void **state)
{
	struct netaddr a = make(NETADDR_TORV3, 9), b = a, c = a;
	struct addrset s;
	uint32_t id;
	bool added;

	(void)state;
	b.kind = NETADDR_I2P;
	c.port ^= 1;
	assert_int_equal(addrset_init(&s, &key), ERR_OK);
	addrset_add(&s, &a, &id, &added);
	assert_false(addrset_find(&s, &b, &id));
	assert_false(addrset_find(&s, &c, &id));
	addrset_add(&s, &b, &id, &added);
	assert_true(added);
	addrset_add(&s, &c, &id, &added);
	assert_true(added);
	addrset_clear(&s);
}

static void a_million_fit_in_tens_of_bytes_each(void **state)
{
	enum { MANY = 1000 * 1000 };
	struct addrset s;
	uint32_t id;
	bool added;

	(void)state;
	assert_int_equal(addrset_init(&s, &key), ERR_OK);
	for (uint32_t i = 0; i < MANY; i++) {
		struct netaddr a = netaddr_ipv4(i * 2654435761U, 8333);

		assert_int_equal(addrset_add(&s, &a, &id, &added), ERR_OK);
		assert_true(added);
		/* Ids of a class are its positions, in order. */
		assert_int_equal(id, addrset_id(0, i));
	}
	for (uint32_t i = 0; i < MANY; i++) {
		struct netaddr a = netaddr_ipv4(i * 2654435761U, 8333);

		assert_true(addrset_find(&s, &a, &id));
		assert_int_equal(id, addrset_id(0, i));
	}
	/* 7 bytes an entry, a 2 Mi slot index of 4 bytes each, one unfinished chunk. */
	assert_in_range(addrset_bytes(&s), MANY * 7, MANY * 20);
	addrset_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_comes_back),
		cmocka_unit_test(kind_and_port_count),
		cmocka_unit_test(a_million_fit_in_tens_of_bytes_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
