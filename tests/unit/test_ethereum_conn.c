/* RLPx connections to simulated Ethereum nodes: each kind of session, met by the project's own. */
#include "sim/ethereum_conn.h"

#include "proto/ethereum/rlpx_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PEERS = 300, START_MS = 1000, IN_MAX = 16384 };

struct scene {
	struct sim_ethereum *world;
	struct identity identity; /* the nodes' random numbers */
	struct identity us;
	struct sim_ethereum_conn *conn;
	struct rlpx_session session;
	bool closed, reset;
	size_t in_len;
	uint8_t in[IN_MAX];
	unsigned bytes_heard;
};

static void scene_init(struct scene *s)
{
	struct sim_config config = {
		.network = network_find("ethereum"), .peers = PEERS, .seed = 31, .port = 30303
	};
	uint8_t random[SECP_RANDOM_LEN + IDENTITY_SEED_LEN] = { 9 };

	memset(s, 0, sizeof(*s));
	assert_int_equal(cidr_parse(slice_text("127.0.0.0/8"), &config.range), ERR_OK);
	assert_int_equal(sim_ethereum_new(&config, &s->world), ERR_OK);
	sim_ethereum_identity(s->world, &s->identity);
	identity_init(&s->us, NULL, random);
}

static void scene_clear(struct scene *s)
{
	identity_clear(&s->identity);
	identity_clear(&s->us);
	sim_ethereum_free(s->world);
}

/* All that both sides have to say at that time. */
static void talk(struct scene *s, uint64_t now_ms)
{
	uint8_t bytes[RLPX_OUT_CAP];
	struct sim_output output;
	size_t len;

	for (bool more = true; more;) {
		more = false;
		while ((len = rlpx_session_send(&s->session, bytes, sizeof(bytes))) > 0) {
			/* In pieces, as TCP may bring it. */
			for (size_t at = 0; at < len; at += 100)
				sim_ethereum_conn_recv(
					s->conn,
					slice_of(bytes + at, len - at < 100 ? len - at : 100),
					now_ms);
			more = true;
		}
		while (sim_ethereum_conn_next(s->conn, now_ms, &output)) {
			more = true;
			s->closed = s->closed || output.kind == SIM_OUTPUT_CLOSE;
			s->reset = s->reset || output.kind == SIM_OUTPUT_RESET;
			if (output.kind != SIM_OUTPUT_BYTES) {
				rlpx_session_closed(&s->session, SESSION_CLOSE_EOF, now_ms);
				continue;
			}
			assert_true(s->in_len + output.bytes.len <= IN_MAX);
			memcpy(s->in + s->in_len, output.bytes.data, output.bytes.len);
			s->in_len += output.bytes.len;
			s->bytes_heard += (unsigned)output.bytes.len;
			while ((len = rlpx_session_recv(&s->session, slice_of(s->in, s->in_len),
							now_ms)) > 0) {
				memmove(s->in, s->in + len, s->in_len - len);
				s->in_len -= len;
			}
		}
	}
}

/* A session with node `index`, called by the key of node `key`. */
static enum rlpx_outcome meet(struct scene *s, uint32_t index, uint32_t key)
{
	struct rlpx_session_params params = { .role = SESSION_INITIATOR,
					      .goal = RLPX_GOAL_LEARN,
					      .client = slice_text("test") };
	enum rlpx_outcome outcome = RLPX_OUTCOME_COUNT;
	const char *rule;
	struct enode node;

	sim_ethereum_enode(s->world, key, &node);
	identity_local(&s->us, index + 1, &params.local);
	params.remote = node.key;
	s->closed = s->reset = false;
	s->in_len = s->bytes_heard = 0;
	rlpx_session_init(&s->session, &params, START_MS);
	assert_int_equal(
		sim_ethereum_conn_new(s->world, index, &s->identity, index, START_MS, &s->conn),
		ERR_OK);
	talk(s, START_MS);
	rlpx_session_done(&s->session, &outcome, &rule);
	return outcome;
}

static void every_kind_of_session(void **state)
{
	unsigned seen[SIM_ETHEREUM_SESSION_COUNT] = { 0 }, no_eth = 0, by_version[80] = { 0 };
	struct scene s;

	(void)state;
	scene_init(&s);
	for (uint32_t i = 0; i < PEERS; i++) {
		enum rlpx_outcome outcome = meet(&s, i, i);
		struct sim_ethereum_node node;
		struct rlpx_info info;

		sim_ethereum_node(s.world, i, &node);
		rlpx_session_info(&s.session, &info);
		seen[node.session]++;
		assert_true(s.closed && !s.reset);
		assert_true(sim_ethereum_conn_deadline(s.conn) == UINT64_MAX);
		assert_int_equal(sim_ethereum_conn_shook_hands(s.conn), s.bytes_heard > 0);
		sim_ethereum_conn_free(s.conn);
		if (node.session == SIM_ETHEREUM_SESSION_FULL) {
			assert_int_equal(outcome, RLPX_OUTCOME_FULL);
			assert_false(info.has_hello);
			continue;
		}
		if (node.session != SIM_ETHEREUM_SESSION_STATUS) {
			assert_int_equal(outcome, RLPX_OUTCOME_HUNG_UP);
			assert_int_equal(s.bytes_heard, 0);
			continue;
		}
		assert_true(slice_equal(info.hello.client, slice_text(node.client)));
		assert_int_equal(info.hello.listen_port, node.enode.endpoint.tcp_port);
		assert_int_equal(info.hello.caps_count, node.offers_count);
		if (strcmp(node.offers[0].cap.name, "eth") != 0) {
			assert_int_equal(outcome, RLPX_OUTCOME_NO_ETH);
			no_eth++;
			continue;
		}
		assert_int_equal(outcome, RLPX_OUTCOME_OK);
		assert_true(info.status.network_id == node.status.network_id);
		assert_memory_equal(info.status.genesis, node.status.genesis, 32);
		assert_memory_equal(info.status.head, node.status.head, 32);
		assert_memory_equal(info.status.forkid.hash, node.forkid.hash, 4);
		if (info.eth.version >= ETH_VERSION_RANGES)
			assert_true(info.status.latest == node.status.latest);
		by_version[info.eth.version]++;
	}
	assert_true(seen[SIM_ETHEREUM_SESSION_STATUS] > PEERS / 3);
	assert_true(seen[SIM_ETHEREUM_SESSION_FULL] > PEERS / 4);
	assert_true(seen[SIM_ETHEREUM_SESSION_HANGS_UP] > 0 && no_eth > 0);
	assert_true(by_version[68] > 0 && by_version[69] > 0 && by_version[70] > 0);
	scene_clear(&s);
}

static uint32_t first_of(const struct scene *s, enum sim_ethereum_session session)
{
	uint32_t i = 1;

	while (sim_ethereum_session(s->world, i) != session)
		assert_true(++i < PEERS);
	return i;
}

/* Whoever calls another key is closed without a byte, by full ones as well. */
static void another_key_is_not_answered(void **state)
{
	static const enum sim_ethereum_session sessions[] = { SIM_ETHEREUM_SESSION_STATUS,
							      SIM_ETHEREUM_SESSION_FULL };
	struct scene s;

	(void)state;
	scene_init(&s);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(meet(&s, first_of(&s, sessions[i]), 0), RLPX_OUTCOME_HUNG_UP);
		assert_true(s.closed);
		assert_int_equal(s.bytes_heard, 0);
		assert_false(sim_ethereum_conn_shook_hands(s.conn));
		sim_ethereum_conn_free(s.conn);
	}
	scene_clear(&s);
}

/* What was heard at a time is answered no sooner. */
static void answers_take_their_time(void **state)
{
	struct rlpx_session_params params = { .role = SESSION_INITIATOR, .goal = RLPX_GOAL_LEARN };
	uint8_t bytes[RLPX_OUT_CAP];
	struct sim_output output;
	struct enode node;
	struct scene s;
	size_t len;

	(void)state;
	scene_init(&s);
	sim_ethereum_enode(s.world, 0, &node);
	identity_local(&s.us, 1, &params.local);
	params.remote = node.key;
	rlpx_session_init(&s.session, &params, START_MS);
	len = rlpx_session_send(&s.session, bytes, sizeof(bytes));
	assert_int_equal(sim_ethereum_conn_new(s.world, 0, &s.identity, 1, START_MS, &s.conn),
			 ERR_OK);
	sim_ethereum_conn_recv(s.conn, slice_of(bytes, len), START_MS + 70);
	assert_int_equal(sim_ethereum_conn_deadline(s.conn), START_MS + 70);
	assert_false(sim_ethereum_conn_next(s.conn, START_MS + 69, &output));
	assert_true(sim_ethereum_conn_next(s.conn, START_MS + 70, &output));
	assert_int_equal(output.kind, SIM_OUTPUT_BYTES);
	assert_true(output.bytes.len > 200);
	sim_ethereum_conn_free(s.conn);
	scene_clear(&s);
}

/* Nobody may stay for ever without a word. */
static void silence_has_an_end(void **state)
{
	static const enum sim_ethereum_session sessions[] = { SIM_ETHEREUM_SESSION_STATUS,
							      SIM_ETHEREUM_SESSION_FULL };
	struct sim_output output;
	struct scene s;
	uint64_t end_ms;

	(void)state;
	scene_init(&s);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(sim_ethereum_conn_new(s.world, first_of(&s, sessions[i]),
						       &s.identity, 1, START_MS, &s.conn),
				 ERR_OK);
		end_ms = sim_ethereum_conn_deadline(s.conn);
		assert_int_equal(end_ms, START_MS + RLPX_HANDSHAKE_MS);
		assert_false(sim_ethereum_conn_next(s.conn, end_ms - 1, &output));
		assert_true(sim_ethereum_conn_next(s.conn, end_ms, &output));
		assert_int_equal(output.kind, SIM_OUTPUT_CLOSE);
		sim_ethereum_conn_free(s.conn);
	}
	scene_clear(&s);
}

static void garbage_ends_it(void **state)
{
	static const enum sim_ethereum_session sessions[] = { SIM_ETHEREUM_SESSION_STATUS,
							      SIM_ETHEREUM_SESSION_FULL };
	static uint8_t garbage[100 * 1000];
	struct random random = { 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(garbage); i++)
		garbage[i] = (uint8_t)random_next(&random);
	for (size_t k = 0; k < 2; k++) {
		for (unsigned size = 0; size < 4; size++) {
			struct sim_output output;
			struct scene s;

			scene_init(&s);
			/* The size of a packet: too short, too long, as it may be. */
			garbage[0] = size == 1 ? 0xff : size == 2 ? 1 : 0;
			garbage[1] = size == 0 ? 5 : 200;
			assert_int_equal(sim_ethereum_conn_new(s.world, first_of(&s, sessions[k]),
							       &s.identity, 1, START_MS, &s.conn),
					 ERR_OK);
			sim_ethereum_conn_recv(s.conn, slice_of(garbage, sizeof(garbage)),
					       START_MS);
			assert_true(sim_ethereum_conn_next(s.conn, START_MS, &output));
			assert_int_equal(output.kind, SIM_OUTPUT_CLOSE);
			assert_false(sim_ethereum_conn_next(s.conn, START_MS, &output));
			sim_ethereum_conn_free(s.conn);
			scene_clear(&s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_session),
		cmocka_unit_test(another_key_is_not_answered),
		cmocka_unit_test(answers_take_their_time),
		cmocka_unit_test(silence_has_an_end),
		cmocka_unit_test(garbage_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
