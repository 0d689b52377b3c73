/* fuzz_session.c: a Bitcoin session that is fed a stranger's bytes.
 *
 * The first byte chooses role, goal and manner. Whatever follows: the session takes no
 * more than it was given, asks for no more than it announced, tells its end exactly
 * once, sends nothing but well-formed messages, and comes to the same verdict however
 * the bytes were cut up on their way. */
#include "fuzz/frames.h"
#include "fuzz/session.h"
#include "proto/bitcoin/session.h"

enum { INPUT_MAX = 1 << 16 };

/* A glance sees the same addresses as whoever reads them. */
static void check_adverts(struct session_event *glanced, const struct advert *read, size_t count)
{
	static const struct hash_key secret = { 3, 4 };
	struct glance_key key;
	struct glance glance;
	struct advert advert;

	glance_key_init(&key, &secret);
	for (size_t i = 0; i < count; i++) {
		CHECK(bitcoin_proto.glance(glanced, &key, &glance, 1) == 1);
		CHECK(glance.hash == glance_of(&key, &read[i].addr));
		bitcoin_proto.advert_at(glanced, glance.at, &advert);
		CHECK(netaddr_equal(&advert.addr, &read[i].addr));
		CHECK(advert.services == read[i].services);
		CHECK(advert.last_seen_s == read[i].last_seen_s);
	}
	if (count == 0)
		CHECK(bitcoin_proto.glance(glanced, &key, &glance, 1) == 0);
}

static void check_info(const struct peer_info *info)
{
	CHECK(info->negotiation.len <= PEER_NEGOTIATION_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct fuzz_checks checks = { .adverts = check_adverts, .info = check_info };
	const struct network *network = network_find("bitcoin");
	struct session_params params = {
		.network = network,
		.nonce = 111,
		.unix_s = 1800000000,
		.agent = slice_text("/peerwalk:fuzz/"),
		.timeout_ms = 20000,
		.ping_count = 2,
		.ping_interval_ms = 1000,
	};
	uint8_t *copy;

	if (size < 2 || size > INPUT_MAX)
		return 0;
	params.role = data[0] & 1 ? SESSION_RESPONDER : SESSION_INITIATOR;
	params.goal = (enum session_goal)(data[0] >> 1 & 3);
	if (params.goal == SESSION_GOAL_STAY)
		params.timeout_ms = 0;
	params.stepwise = data[0] >> 3 & 1;
	params.patient = data[0] >> 4 & 1;
	netaddr_parse(slice_text("5.6.7.8:8333"), 0, &params.peer);
	copy = malloc(size - 1);
	if (copy == NULL)
		return 0;
	memcpy(copy, data + 1, size - 1);
	if (data[0] & 0x80) /* as it came: broken frames are input too */
		put_frames_right(copy, size - 1, network->magic);
	fuzz_session(&checks, &params, slice_of(copy, size - 1));
	free(copy);
	return 0;
}
