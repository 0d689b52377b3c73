#include "proto/ethereum/targets.h"

#include <string.h>

/* The fast bits first: there is software that sorts its table by the keys themselves, and it
 * shall be asked for different places, too (drain.h). */
static void number_key(uint32_t number, uint8_t key[static KADEMLIA_KEY_LEN])
{
	memset(key, 0, KADEMLIA_KEY_LEN);
	key[0] = (uint8_t)number;
	key[1] = (uint8_t)(number >> 8);
	key[2] = (uint8_t)(number >> 16);
	key[3] = (uint8_t)(number >> 24);
}

static unsigned prefix_of(const uint8_t hash[static KADEMLIA_HASH_LEN])
{
	return (unsigned)hash[0] << 8 | hash[1];
}

void targets_init(struct targets *t)
{
	uint8_t key[KADEMLIA_KEY_LEN], hash[KADEMLIA_HASH_LEN];
	unsigned missing = TARGETS_COUNT;

	memset(t, 0, sizeof(*t));
	for (uint32_t number = 1; missing > 0; number++) {
		unsigned prefix;

		number_key(number, key);
		kademlia_hash(key, hash);
		prefix = prefix_of(hash);
		if (t->numbers[prefix] == 0) {
			t->numbers[prefix] = number;
			missing--;
		}
	}
}

void targets_key(const struct targets *t, uint16_t prefix, uint8_t key[static KADEMLIA_KEY_LEN])
{
	number_key(t->numbers[prefix], key);
}

void targets_near(const struct targets *t, const uint8_t hash[static KADEMLIA_HASH_LEN],
		  unsigned common, uint8_t key[static KADEMLIA_KEY_LEN])
{
	unsigned prefix = prefix_of(hash);

	if (common < TARGETS_BITS)
		prefix ^= 1U << (TARGETS_BITS - 1 - common);
	targets_key(t, (uint16_t)prefix, key);
}
