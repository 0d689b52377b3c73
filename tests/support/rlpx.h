/* rlpx.h: what the tests of RLPx sessions share: keys, parameters, a look at the end.
 *
 * Included after cmocka's own. */
#ifndef PEERWALK_TESTS_SUPPORT_RLPX_H
#define PEERWALK_TESTS_SUPPORT_RLPX_H

#include "proto/ethereum/rlpx_session.h"

enum { START_MS = 1000 };

static struct secp secp;

static inline int start(void **state)
{
	const uint8_t random[SECP_RANDOM_LEN] = { 4 };

	(void)state;
	secp_init(&secp, random);
	return 0;
}

static inline int stop(void **state)
{
	(void)state;
	secp_clear(&secp);
	return 0;
}

static inline void key_of(struct secp_key *key, uint8_t seed)
{
	uint8_t bytes[SECP_KEY_LEN];

	memset(bytes, seed, sizeof(bytes));
	assert_true(secp_key_init(key, bytes));
}

static inline struct rlpx_local local_of(uint8_t seed)
{
	struct rlpx_local l = { .secp = &secp, .padding = seed };

	key_of(&l.key, seed);
	key_of(&l.ephemeral, seed + 1);
	key_of(&l.ecies.ephemeral, seed + 2);
	memset(l.nonce, seed + 3, sizeof(l.nonce));
	memset(l.ecies.iv, seed + 4, sizeof(l.ecies.iv));
	return l;
}

enum { CRAWLER = 0x11, NODE = 0x22 };

static inline const uint8_t *public_of(uint8_t seed)
{
	static uint8_t public[SECP_PUBLIC_LEN];
	struct secp_key key;

	key_of(&key, seed);
	secp_public(&secp, &key, public);
	return public;
}

static const struct eth_status chain = {
	.network_id = 1,
	.genesis = { 0xd4, 0xe5 },
	.forkid = { { 0xc3, 0x76, 0xcf, 0x8b }, 0x6930b057 },
	.head = { 0xaa },
	.difficulty = { [30] = 1, [31] = 2 },
	.earliest = 5,
	.latest = 22500000,
};

static inline struct rlpx_session_params params_of(uint8_t seed, enum session_role role,
						   enum rlpx_goal goal)
{
	struct rlpx_session_params p = {
		.role = role,
		.goal = goal,
		.local = local_of(seed),
		.client = slice_text(seed == NODE ? "node/1" : "peerwalk/test"),
		.listen_port = seed == NODE ? 30303 : 0,
		.status = goal == RLPX_GOAL_SERVE ? &chain : NULL,
	};

	if (role == SESSION_INITIATOR)
		p.remote = public_of(seed == NODE ? CRAWLER : NODE);
	return p;
}

static inline enum rlpx_outcome outcome_of(const struct rlpx_session *s, const char **rule)
{
	enum rlpx_outcome o = RLPX_OUTCOME_COUNT;

	*rule = NULL;
	rlpx_session_done(s, &o, rule);
	return o;
}

static inline void expect_done(const char *name, const struct rlpx_session *s,
			       enum rlpx_outcome expected)
{
	const char *rule;
	enum rlpx_outcome o = outcome_of(s, &rule);

	if (o != expected)
		fail_msg("%s: %s, %s", name,
			 o == RLPX_OUTCOME_COUNT ? "goes on" : rlpx_outcome_name(o),
			 rule != NULL ? rule : "no rule");
}

#endif
