/* gates.h: counts what is in flight per key (an IP, a network group) and parks those
 * that have to wait until one of their key has ended, first come, first served. */
#ifndef PEERWALK_ENGINE_GATES_H
#define PEERWALK_ENGINE_GATES_H

#include "base/err.h"
#include "base/hash.h"
#include "base/netaddr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gate_waiter {
	uint32_t id, next;
};

struct gate {
	uint64_t key; /* 0: free slot */
	uint32_t active;
	uint32_t first, last; /* waiters; GATE_NONE if there are none */
};

struct gates {
	/* private */
	struct gate *slots;
	uint32_t mask;
	struct gate_waiter *pool; /* parked ids, and a free list of the rest */
	uint32_t pool_cap, pool_free;
	uint32_t parked;
	uint32_t ready_first, ready_last; /* woken: to be tried again */
};

enum { GATE_NONE = UINT32_MAX };

/* Room for max_active keys with something in flight. ERR_NOMEM. */
enum err gates_init(struct gates *g, uint32_t max_active);
void gates_clear(struct gates *g);

/* The keys of an address's IP and of its network group, /16 (IPv4) or /32 (IPv6); never 0. */
uint64_t gates_ip_key(const struct hash_key *secret, const struct netaddr *addr);
uint64_t gates_group_key(const struct hash_key *secret, const struct netaddr *addr);

/* False if `limit` are active under that key already. */
bool gates_enter(struct gates *g, uint64_t key, uint32_t limit);
/* One less is active; the first that waits for the key becomes ready. */
void gates_leave(struct gates *g, uint64_t key);
/* Waits for a key that is at its limit. ERR_NOMEM. */
enum err gates_park(struct gates *g, uint64_t key, uint32_t id);
/* If nothing is active under the key, the first that waits for it becomes ready:
 * for a waiter that was woken and had to wait elsewhere. */
void gates_pass_on(struct gates *g, uint64_t key);
/* The next that may try again; false if there is none. */
bool gates_ready(struct gates *g, uint32_t *id);
/* Makes an id ready that waits for no key. ERR_NOMEM. */
enum err gates_make_ready(struct gates *g, uint32_t id);
size_t gates_bytes(const struct gates *g);

#endif
