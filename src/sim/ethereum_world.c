#include "sim/ethereum_world.h"

#include "base/keccak.h"
#include "proto/ethereum/relay.h"
#include "sim/ethereum_clients.h"
#include "sim/hosts.h"
#include "sim/walk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Streams of randomness: everything about a node is drawn from (seed, stream, index). */
enum stream {
	STREAM_HOSTS = 1,
	STREAM_KIND,
	STREAM_LIE,
	STREAM_CLIENT,
	STREAM_SESSION,
	STREAM_CHAIN,
	STREAM_HEAD,
	STREAM_HIDDEN,
	STREAM_NEWCOMER,
	STREAM_RTT,
	STREAM_SEQ,
	STREAM_TABLE,
};

/* What keys are for. */
enum domain {
	DOMAIN_NODE,
	DOMAIN_INVENTED,
	DOMAIN_OTHER,
	DOMAIN_BLINDING,
	DOMAIN_HASH,
};

enum {
	HIDDEN_PERMILLE = 5,    /* of the honest nodes */
	NEWCOMER_PERMILLE = 30, /* of all: their tables are nearly empty */
	NEWCOMER_BUCKET_MAX = 3,

	/* Sessions, in hundredths. */
	FULL_PERCENT = 40,
	HANGS_UP_PERCENT = 4,
	CLOSED_PERCENT = 5,
	NONE_PERCENT = 2,

	/* Chains, in hundredths: the network's own, the other three, and strangers. */
	OWN_PERCENT = 70,
	KNOWN_PERCENT = 12,
	BEHIND_PERCENT = 5, /* on software that knows no newer fork, or still syncing */

	/* Block 20,000,000 of mainnet is of June 2024, and there are 7,200 a day. */
	TIP_BLOCK = 26400000,
	/* November 2026: nodes stand where the chains do then. */
	WORLD_TIME_S = 1795000000,
};

/* Of one address: some bytes, so that a table costs no drawing. */
struct trait {
	uint8_t kind, session, client;
	bool hidden, newcomer;
};

/* A node among all, by the first bits of its hash. */
struct place {
	uint64_t prefix;
	uint32_t index;
};

struct sim_ethereum {
	struct sim_config config;
	uint32_t count, invented_count;
	bool is_lan; /* the range: no limits for subnets */
	const struct ethereum_chain *chain;
	struct sim_hosts hosts;
	struct secp secp;
	struct trait *traits;
	struct place *places; /* sorted */
	uint64_t *prefixes;   /* of hashes, by index */
	struct secp_key *keys;
	uint8_t (*public)[SECP_PUBLIC_LEN];
};

static uint64_t draw(const struct sim_ethereum *w, enum stream stream, uint64_t index)
{
	return random_mix(random_mix(w->config.seed + stream * 0xd1b54a32d192ed03ULL) ^
			  random_mix(index + 0x8cb92ba72f3d8dd7ULL));
}

/* 32 bytes that belong to (seed, domain, index). */
static void draw_bytes(const struct sim_ethereum *w, enum domain domain, uint64_t index,
		       uint8_t out[static 32])
{
	uint64_t numbers[3] = { w->config.seed, domain, index };
	uint8_t in[sizeof(numbers)];
	struct writer writer;

	writer_init(&writer, in, sizeof(in));
	for (unsigned i = 0; i < 3; i++)
		writer_u64le(&writer, numbers[i]);
	keccak_256(slice_of(in, sizeof(in)), out);
}

static void draw_key(const struct sim_ethereum *w, enum domain domain, uint64_t index,
		     struct secp_key *out)
{
	uint8_t bytes[32];
	bool good;

	draw_bytes(w, domain, index, bytes);
	good = secp_key_init(out, bytes);
	assert(good); /* all but one in 2^127 are a key */
	(void)good;
}

const char *sim_ethereum_kind_name(enum sim_ethereum_kind kind)
{
	static const char *const names[] = {
#define KIND_NAME(symbol, name, reach, ok) name,
		SIM_ETHEREUM_KIND_LIST(KIND_NAME)
#undef KIND_NAME
	};

	return names[kind];
}

bool sim_ethereum_kind_answers(enum sim_ethereum_kind kind)
{
	static const bool answers[] = {
#define KIND_REACH(symbol, name, reach, ok) reach,
		SIM_ETHEREUM_KIND_LIST(KIND_REACH)
#undef KIND_REACH
	};

	return answers[kind];
}

/* --- making it --- */

static enum sim_ethereum_kind draw_kind(const struct sim_ethereum *w, uint32_t index)
{
	uint64_t roll = draw(w, STREAM_KIND, index);
	uint64_t lies = SIM_ETHEREUM_KIND_COUNT - SIM_ETHEREUM_LIAR_BAD_HASH;

	if (index >= w->config.peers)
		return SIM_ETHEREUM_GHOST;
	if (index == 0 || (double)(roll >> 11) * 0x1p-53 >= w->config.liars)
		return SIM_ETHEREUM_HONEST;
	return (enum sim_ethereum_kind)(SIM_ETHEREUM_LIAR_BAD_HASH +
					draw(w, STREAM_LIE, index) % lies);
}

static enum sim_ethereum_session draw_session(const struct sim_ethereum *w, uint32_t index)
{
	uint64_t roll = draw(w, STREAM_SESSION, index) % 100;

	if (index == 0)
		return SIM_ETHEREUM_SESSION_STATUS;
	if (roll < FULL_PERCENT)
		return SIM_ETHEREUM_SESSION_FULL;
	roll -= FULL_PERCENT;
	if (roll < HANGS_UP_PERCENT)
		return SIM_ETHEREUM_SESSION_HANGS_UP;
	roll -= HANGS_UP_PERCENT;
	if (roll < CLOSED_PERCENT)
		return SIM_ETHEREUM_SESSION_CLOSED;
	roll -= CLOSED_PERCENT;
	return roll < NONE_PERCENT ? SIM_ETHEREUM_SESSION_NONE : SIM_ETHEREUM_SESSION_STATUS;
}

static void make_node(struct sim_ethereum *w, uint32_t index)
{
	struct trait *t = &w->traits[index];
	uint8_t hash[KADEMLIA_HASH_LEN];
	uint64_t prefix = 0;

	t->kind = (uint8_t)draw_kind(w, index);
	t->session = (uint8_t)draw_session(w, index);
	t->client = sim_client_draw(draw(w, STREAM_CLIENT, index));
	t->hidden = t->kind == SIM_ETHEREUM_HONEST && index != 0 &&
		    draw(w, STREAM_HIDDEN, index) % 1000 < HIDDEN_PERMILLE;
	t->newcomer = index != 0 && draw(w, STREAM_NEWCOMER, index) % 1000 < NEWCOMER_PERMILLE;
	draw_key(w, DOMAIN_NODE, index, &w->keys[index]);
	secp_public(&w->secp, &w->keys[index], w->public[index]);
	kademlia_hash(w->public[index], hash);
	for (unsigned i = 0; i < 8; i++)
		prefix = prefix << 8 | hash[i];
	w->prefixes[index] = prefix;
	w->places[index] = (struct place){ prefix, index };
}

static int by_prefix(const void *a, const void *b)
{
	uint64_t x = ((const struct place *)a)->prefix, y = ((const struct place *)b)->prefix;

	return x < y ? -1 : x > y;
}

static enum err lay_out_addresses(struct sim_ethereum *w)
{
	uint64_t random[SIM_HOSTS_ROUNDS], spare;
	enum err err;

	for (unsigned i = 0; i < SIM_HOSTS_ROUNDS; i++)
		random[i] = draw(w, STREAM_HOSTS, i);
	err = sim_hosts_init(&w->hosts, &w->config.range,
			     (uint64_t)w->count + SIM_ETHEREUM_INVENTED_MIN, random);
	if (err != ERR_OK)
		return err;
	spare = sim_hosts_room(&w->hosts) - w->count;
	w->invented_count = spare < SIM_INVENTED_MAX ? (uint32_t)spare : SIM_INVENTED_MAX;
	w->is_lan = relay_is_lan(&w->config.range.base);
	return ERR_OK;
}

static enum err allocate(struct sim_ethereum *w)
{
	w->traits = calloc(w->count, sizeof(*w->traits));
	w->places = calloc(w->count, sizeof(*w->places));
	w->prefixes = calloc(w->count, sizeof(*w->prefixes));
	w->keys = calloc(w->count, sizeof(*w->keys));
	w->public = calloc(w->count, sizeof(*w->public));
	return w->traits != NULL && w->places != NULL && w->prefixes != NULL && w->keys != NULL &&
			       w->public != NULL
		       ? ERR_OK
		       : ERR_NOMEM;
}

enum err sim_ethereum_new(const struct sim_config *config, struct sim_ethereum **out)
{
	const char *chain = config->network->chain;
	uint8_t blinding[SECP_RANDOM_LEN];
	struct sim_ethereum *w;
	enum err err;

	*out = NULL;
	if (config->peers == 0 || config->peers > UINT32_MAX - config->ghosts ||
	    config->port == 0 || config->port > UINT16_MAX - SIM_ETHEREUM_PORT_CLOSED)
		return ERR_VALUE;
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return ERR_NOMEM;
	w->config = *config;
	w->count = config->peers + config->ghosts;
	w->chain = ethereum_chain_find(chain != NULL ? chain : "ethereum");
	assert(w->chain != NULL);
	draw_bytes(w, DOMAIN_BLINDING, 0, blinding);
	secp_init(&w->secp, blinding);
	err = lay_out_addresses(w);
	if (err == ERR_OK)
		err = allocate(w);
	if (err != ERR_OK) {
		sim_ethereum_free(w);
		return err;
	}
	for (uint32_t i = 0; i < w->count; i++)
		make_node(w, i);
	qsort(w->places, w->count, sizeof(*w->places), by_prefix);
	*out = w;
	return ERR_OK;
}

void sim_ethereum_free(struct sim_ethereum *w)
{
	if (w == NULL)
		return;
	secp_clear(&w->secp);
	free(w->traits);
	free(w->places);
	free(w->prefixes);
	free(w->keys);
	free(w->public);
	free(w);
}

/* --- one node --- */

const struct sim_config *sim_ethereum_config(const struct sim_ethereum *w)
{
	return &w->config;
}

uint32_t sim_ethereum_count(const struct sim_ethereum *w)
{
	return w->count;
}

enum sim_ethereum_kind sim_ethereum_kind(const struct sim_ethereum *w, uint32_t index)
{
	return (enum sim_ethereum_kind)w->traits[index].kind;
}

enum sim_ethereum_session sim_ethereum_session(const struct sim_ethereum *w, uint32_t index)
{
	return (enum sim_ethereum_session)w->traits[index].session;
}

const struct secp_key *sim_ethereum_key(const struct sim_ethereum *w, uint32_t index)
{
	return &w->keys[index];
}

const struct secp *sim_ethereum_secp(const struct sim_ethereum *w)
{
	return &w->secp;
}

void sim_ethereum_identity(const struct sim_ethereum *w, struct identity *out)
{
	uint8_t bytes[SECP_RANDOM_LEN + IDENTITY_SEED_LEN];

	draw_bytes(w, DOMAIN_BLINDING, 1, bytes);
	draw_bytes(w, DOMAIN_BLINDING, 2, bytes + SECP_RANDOM_LEN);
	identity_init(out, NULL, bytes);
}

uint32_t sim_ethereum_rtt_ms(const struct sim_ethereum *w, uint32_t index)
{
	return sim_rtt_ms(w->config.latency_ms, w->config.tail_ms, draw(w, STREAM_RTT, index));
}

/* Milliseconds since 1970, as Geth begins; older software counts from 1. */
uint64_t sim_ethereum_seq(const struct sim_ethereum *w, uint32_t index)
{
	uint64_t roll = draw(w, STREAM_SEQ, index);

	if (roll % 4 == 0)
		return 1 + (roll >> 8) % 200;
	return WORLD_TIME_S * 1000ULL - (roll >> 8) % (300ULL * 86400 * 1000);
}

static struct netaddr address_of(const struct sim_ethereum *w, uint32_t index)
{
	return sim_hosts_address(&w->hosts, index, w->config.port);
}

void sim_ethereum_enode(const struct sim_ethereum *w, uint32_t index, struct enode *out)
{
	memcpy(out->key, w->public[index], sizeof(out->key));
	out->endpoint.addr = address_of(w, index);
	out->endpoint.tcp_port = w->config.port;
	if (w->traits[index].session == SIM_ETHEREUM_SESSION_CLOSED)
		out->endpoint.tcp_port += SIM_ETHEREUM_PORT_CLOSED;
	else if (w->traits[index].session == SIM_ETHEREUM_SESSION_NONE)
		out->endpoint.tcp_port = 0;
}

static void set_offers(const struct sim_client *client, struct sim_ethereum_node *out)
{
	enum { EXTRA_IDS = 16, SNAP_IDS = 8 };

	for (unsigned v = client->eth_first; v > 0 && v <= client->eth_last; v++)
		out->offers[out->offers_count++] = eth_offers[v - ETH_VERSION_FIRST];
	if (client->extra != NULL) {
		struct p2p_offer *o = &out->offers[out->offers_count++];

		o->ids = EXTRA_IDS;
		o->cap.version = client->extra_version;
		memcpy(o->cap.name, client->extra, strlen(client->extra) + 1);
	}
	if (client->snap)
		out->offers[out->offers_count++] = (struct p2p_offer){ { "snap", 1 }, SNAP_IDS };
	assert(out->offers_count <= SIM_ETHEREUM_OFFERS_MAX);
}

/* A chain that nobody here knows: its genesis and its forks follow from its number. */
static void set_foreign_chain(const struct sim_ethereum *w, uint64_t roll,
			      struct sim_ethereum_node *out)
{
	/* BNB Smart Chain, Polygon, Gnosis, Ethereum Classic, PulseChain, somebody's own */
	static const uint64_t ids[] = { 56, 137, 100, 61, 369, 1337 };
	uint64_t id = ids[roll % (sizeof(ids) / sizeof(*ids))];
	uint8_t bytes[32];

	out->status.network_id = id == 61 ? 1 : id; /* Ethereum Classic has kept mainnet's */
	draw_bytes(w, DOMAIN_HASH, id, out->status.genesis);
	draw_bytes(w, DOMAIN_HASH, id + 1, bytes);
	memcpy(out->forkid.hash, bytes, sizeof(out->forkid.hash));
}

static void set_chain(const struct sim_ethereum *w, struct sim_ethereum_node *out)
{
	uint64_t roll = draw(w, STREAM_CHAIN, out->index), where = roll % 100;
	uint64_t head = draw(w, STREAM_HEAD, out->index);
	const struct ethereum_chain *chain = w->chain;
	struct forkid_head place = { UINT64_MAX, WORLD_TIME_S };

	out->status.latest = TIP_BLOCK - (head >> 8) % 3;
	if (where >= OWN_PERCENT)
		chain = &ethereum_chains[(roll >> 8) % ethereum_chains_count];
	if (head % 100 < BEHIND_PERCENT && chain->forks_count > chain->block_forks) {
		place.time_s =
			chain->forks[chain->block_forks +
				     (head >> 16) % (chain->forks_count - chain->block_forks)];
		out->status.latest -= (WORLD_TIME_S - place.time_s) / 12;
	}
	if (where >= OWN_PERCENT + KNOWN_PERCENT) {
		set_foreign_chain(w, roll >> 8, out);
	} else {
		out->forkid = forkid_at(chain, &place);
		out->status.network_id = chain->network_id;
		memcpy(out->status.genesis, chain->genesis, sizeof(chain->genesis));
	}
	out->status.forkid = out->forkid;
	/* All who stand at one block of one chain name the same. */
	draw_bytes(w, DOMAIN_HASH, out->status.network_id << 32 | out->status.latest,
		   out->status.head);
	memcpy(out->status.difficulty + 22, "\x0c\x70\xd8\x15\xd5\x62\xd3\xcf\xa9\x55", 10);
}

void sim_ethereum_node(const struct sim_ethereum *w, uint32_t index, struct sim_ethereum_node *out)
{
	const struct trait *t = &w->traits[index];
	const struct sim_client *client = sim_client_at(t->client);

	*out = (struct sim_ethereum_node){
		.index = index,
		.kind = (enum sim_ethereum_kind)t->kind,
		.seq = sim_ethereum_seq(w, index),
		.rtt_ms = sim_ethereum_rtt_ms(w, index),
		.hidden = t->hidden,
		.session = (enum sim_ethereum_session)t->session,
		.client = client->name,
	};
	sim_ethereum_enode(w, index, &out->enode);
	set_offers(client, out);
	set_chain(w, out);
}

int64_t sim_ethereum_find(const struct sim_ethereum *w, const struct netaddr *addr)
{
	uint64_t index;

	if (!sim_hosts_index(&w->hosts, addr, &index) || index >= w->count)
		return -1;
	return (int64_t)index;
}

void sim_ethereum_invented(const struct sim_ethereum *w, uint32_t number, struct enode *out)
{
	struct secp_key key;

	number %= w->invented_count;
	draw_key(w, DOMAIN_INVENTED, number, &key);
	secp_public(&w->secp, &key, out->key);
	/* Hosts behind those of the population are nobody's. */
	out->endpoint.addr =
		sim_hosts_address(&w->hosts, (uint64_t)w->count + number, w->config.port);
	out->endpoint.tcp_port = w->config.port;
}

uint32_t sim_ethereum_invented_count(const struct sim_ethereum *w)
{
	return w->invented_count;
}

void sim_ethereum_other_key(const struct sim_ethereum *w, uint32_t index, struct secp_key *out)
{
	draw_key(w, DOMAIN_OTHER, index, out);
}

/* --- tables --- */

/* One table in the making. */
struct table {
	const struct sim_ethereum *world;
	uint32_t self;
	bool strict;
	size_t bucket_max, count;
	struct random random;
	uint32_t *out;
	uint8_t subnets[KADEMLIA_ENTRIES_MAX][3]; /* of the entries; not for local networks */
};

/* As kademlia.h: so many of a network of 24 bits, in the bucket that begins at `first`. */
static bool subnet_allows(const struct table *t, size_t first, const struct netaddr *addr)
{
	unsigned in_bucket = 0, in_table = 0;

	for (size_t i = 0; i < t->count; i++) {
		if (memcmp(t->subnets[i], addr->bytes, sizeof(t->subnets[i])) != 0)
			continue;
		in_table++;
		in_bucket += i >= first;
	}
	return in_bucket < KADEMLIA_SUBNET_BUCKET && in_table < KADEMLIA_SUBNET_TABLE;
}

static bool is_named(struct table *t, uint32_t index)
{
	const struct trait *trait = &t->world->traits[index];

	if (index == t->self || trait->hidden)
		return false;
	if (!t->strict || sim_ethereum_kind_answers((enum sim_ethereum_kind)trait->kind))
		return true;
	return random_next(&t->random) % SIM_ETHEREUM_STALE == 0;
}

/* Fills a bucket with some of those who stand at lo .. hi - 1. */
static void fill_bucket(struct table *t, size_t lo, size_t hi)
{
	size_t first = t->count;
	struct sim_walk walk;
	uint32_t at;

	if (lo >= hi)
		return;
	sim_walk_start(&walk, &t->random, (uint32_t)(hi - lo));
	while (t->count - first < t->bucket_max && sim_walk_next(&walk, &at)) {
		uint32_t index = t->world->places[lo + at].index;

		if (!is_named(t, index))
			continue;
		if (!t->world->is_lan) {
			struct netaddr addr = address_of(t->world, index);

			if (!subnet_allows(t, first, &addr))
				continue;
			memcpy(t->subnets[t->count], addr.bytes, sizeof(t->subnets[0]));
		}
		t->out[t->count++] = index;
	}
}

/* The first of lo .. hi - 1, who share all bits before it, that has the bit set. */
static size_t split(const struct sim_ethereum *w, size_t lo, size_t hi, unsigned bit)
{
	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;

		if (w->places[middle].prefix >> (63 - bit) & 1)
			hi = middle;
		else
			lo = middle + 1;
	}
	return lo;
}

size_t sim_ethereum_table(const struct sim_ethereum *w, uint32_t index,
			  uint32_t out[static KADEMLIA_ENTRIES_MAX])
{
	const struct trait *trait = &w->traits[index];
	struct table t = { .world = w,
			   .self = index,
			   .strict = sim_client_at(trait->client)->strict,
			   .bucket_max = KADEMLIA_BUCKET_SIZE,
			   .random = { draw(w, STREAM_TABLE, index) },
			   .out = out };
	size_t lo = 0, hi = w->count;

	if (trait->kind == SIM_ETHEREUM_GHOST)
		return 0;
	if (trait->newcomer)
		t.bucket_max = random_below(&t.random, NEWCOMER_BUCKET_MAX + 1);
	for (unsigned bit = 0; bit < KADEMLIA_BUCKETS - 1 && hi - lo > 1; bit++) {
		size_t middle = split(w, lo, hi, bit);

		if (w->prefixes[index] >> (63 - bit) & 1) {
			fill_bucket(&t, lo, middle);
			lo = middle;
		} else {
			fill_bucket(&t, middle, hi);
			hi = middle;
		}
	}
	fill_bucket(&t, lo, hi); /* all that is nearer shares the last one */
	return t.count;
}

size_t sim_ethereum_closest(const struct sim_ethereum *w, const uint32_t *table, size_t count,
			    const uint8_t target[static KADEMLIA_HASH_LEN],
			    uint32_t out[static KADEMLIA_BUCKET_SIZE])
{
	uint64_t near[KADEMLIA_BUCKET_SIZE] = { 0 }, prefix = 0;
	size_t n = 0;

	for (unsigned i = 0; i < 8; i++)
		prefix = prefix << 8 | target[i];
	for (size_t i = 0; i < count; i++) {
		uint64_t distance = w->prefixes[table[i]] ^ prefix;
		size_t at;

		if (n == KADEMLIA_BUCKET_SIZE && distance >= near[n - 1])
			continue;
		if (n < KADEMLIA_BUCKET_SIZE)
			n++;
		for (at = n - 1; at > 0 && distance < near[at - 1]; at--) {
			near[at] = near[at - 1];
			out[at] = out[at - 1];
		}
		near[at] = distance;
		out[at] = table[i];
	}
	return n;
}

/* --- the truth --- */

size_t sim_ethereum_seeds(const struct sim_ethereum *w, uint32_t *out, size_t count)
{
	size_t n = 0;

	for (uint32_t i = 0; i < w->config.peers && n < count; i++) {
		const struct trait *t = &w->traits[i];

		if (t->kind == SIM_ETHEREUM_HONEST && !t->hidden && !t->newcomer)
			out[n++] = i;
	}
	return n;
}

enum err sim_ethereum_reachable(const struct sim_ethereum *w, const uint32_t *seeds, size_t count,
				bool *reachable)
{
	uint32_t *queue = malloc(w->count * sizeof(*queue)), table[KADEMLIA_ENTRIES_MAX], ends = 0;

	if (queue == NULL)
		return ERR_NOMEM;
	memset(reachable, 0, w->count * sizeof(*reachable));
	for (size_t i = 0; i < count; i++) {
		if (!reachable[seeds[i]])
			queue[ends++] = seeds[i];
		reachable[seeds[i]] = true;
	}
	for (uint32_t i = 0; i < ends; i++) {
		size_t named = 0;

		if (w->traits[queue[i]].kind == SIM_ETHEREUM_HONEST)
			named = sim_ethereum_table(w, queue[i], table);
		for (size_t k = 0; k < named; k++) {
			if (!reachable[table[k]])
				queue[ends++] = table[k];
			reachable[table[k]] = true;
		}
	}
	free(queue);
	/* So far: who gets known. Who of them is there? */
	for (uint32_t i = 0; i < w->count; i++)
		reachable[i] = reachable[i] && sim_ethereum_kind_answers(sim_ethereum_kind(w, i));
	return ERR_OK;
}
