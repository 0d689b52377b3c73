/* Datagrams on their way: in what order they come out, and when. */
#include "sim/flights.h"

#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct netaddr from = { .kind = NETADDR_IPV4, .port = 1, .bytes = { 127, 0, 0, 1 } };
static const struct netaddr to = { .kind = NETADDR_IPV4, .port = 2, .bytes = { 127, 0, 0, 2 } };

static bool add(struct sim_flights *f, uint64_t at_ms, uint32_t number)
{
	return sim_flights_add(f, at_ms, &from, &to, slice_of(&number, sizeof(number)));
}

static void they_come_in_the_order_of_their_times(void **state)
{
	enum { COUNT = 5000, TIMES = 200 };
	struct sim_flights f = { 0 };
	struct random random = { 5 };
	uint64_t last_ms = 0;
	uint32_t last = 0;

	(void)state;
	assert_true(sim_flights_due(&f) == UINT64_MAX);
	assert_null(sim_flights_take(&f, UINT64_MAX));
	for (uint32_t i = 0; i < COUNT; i++)
		assert_true(add(&f, random_below(&random, TIMES), i));
	for (uint32_t i = 0; i < COUNT; i++) {
		uint64_t due_ms = sim_flights_due(&f);
		struct sim_flight *flight;
		uint32_t number;

		if (due_ms > 0)
			assert_null(sim_flights_take(&f, due_ms - 1));
		flight = sim_flights_take(&f, due_ms);
		assert_non_null(flight);
		assert_true(flight->at_ms == due_ms && due_ms >= last_ms);
		assert_int_equal(flight->len, sizeof(number));
		memcpy(&number, flight->bytes, sizeof(number));
		/* Of those of one time the first that went in. */
		assert_true(due_ms > last_ms || i == 0 || number > last);
		assert_true(netaddr_equal(&flight->from, &from) && netaddr_equal(&flight->to, &to));
		last_ms = due_ms;
		last = number;
		free(flight);
	}
	assert_true(sim_flights_due(&f) == UINT64_MAX);
	sim_flights_clear(&f);
}

static void there_is_an_end_to_them(void **state)
{
	struct sim_flights f = { 0 };

	(void)state;
	for (uint32_t i = 0; i < SIM_FLIGHTS_MAX; i++)
		assert_true(add(&f, i, i));
	assert_false(add(&f, 1, 1));
	free(sim_flights_take(&f, 0));
	assert_true(add(&f, 1, 1));
	sim_flights_clear(&f); /* with all of them */
	assert_true(sim_flights_due(&f) == UINT64_MAX);
	assert_true(add(&f, 1, 1));
	sim_flights_clear(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_come_in_the_order_of_their_times),
		cmocka_unit_test(there_is_an_end_to_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
