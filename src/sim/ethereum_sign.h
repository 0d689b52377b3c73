/* ethereum_sign.h: signatures of simulated nodes: as good as any in the eyes of who checks them,
 * thirty times cheaper, and without any secret.
 *
 * ECDSA needs a secret random number for each signature; here it is always 1. One multiplication
 * and one addition are left of the work, and whoever sees a signature can compute the private
 * key. Simulated keys are no secrets (ethereum_world.h), and a simulation that signs as slowly as
 * those who visit it would take half of the machine away from them. Nothing else may use this.
 *
 * Source: SEC 1, 4.1.3, with k = 1, so that R is the generator of secp256k1. */
#ifndef PEERWALK_SIM_ETHEREUM_SIGN_H
#define PEERWALK_SIM_ETHEREUM_SIGN_H

#include "crypto/secp256k1.h"

/* r, s (the smaller of both possible) and the recovery id. */
void sim_sign(const struct secp_key *key, const uint8_t hash[static 32],
	      uint8_t out[static SECP_SIGNATURE_LEN]);
/* discv4_end, with such a signature and for packets of any length. */
void sim_sign_packet(struct writer *w, size_t mark, const struct secp_key *key);
/* Makes the hash of a packet right again, after something of it was changed. */
void sim_hash_packet(uint8_t *packet, size_t len);

#endif
