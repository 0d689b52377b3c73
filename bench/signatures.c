/* signatures.c: what a signature costs on this machine: the floor under a crawl of Ethereum's
 * discovery, where every packet is signed, and has to be checked by whoever reads it.
 *
 * usage: bench_signatures
 * Prints one JSON line, microseconds of CPU: to sign a hash, and to recover who signed one. The
 * smallest of several rounds: what disturbs one only ever makes it longer. */
#include "crypto/secp256k1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 20, TIMES = 500 };

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

int main(void)
{
	uint8_t random[SECP_RANDOM_LEN] = { 1 }, public[SECP_PUBLIC_LEN], key_bytes[32] = { 7 };
	static uint8_t hashes[TIMES][32], signatures[TIMES][SECP_SIGNATURE_LEN];
	double sign = 1e9, recover = 1e9;
	struct secp_key key;
	struct secp secp;

	secp_init(&secp, random);
	if (!secp_key_init(&key, key_bytes))
		return 1;
	for (unsigned round = 0; round < ROUNDS; round++) {
		double start = cpu_us(), took;

		for (unsigned i = 0; i < TIMES; i++) {
			hashes[i][0] = (uint8_t)i;
			hashes[i][1] = (uint8_t)(i >> 8);
			hashes[i][2] = (uint8_t)round;
			secp_sign(&secp, &key, hashes[i], signatures[i]);
		}
		took = (cpu_us() - start) / TIMES;
		sign = took < sign ? took : sign;
		start = cpu_us();
		for (unsigned i = 0; i < TIMES; i++) {
			if (!secp_recover(signatures[i], hashes[i], public))
				return 1;
		}
		took = (cpu_us() - start) / TIMES;
		recover = took < recover ? took : recover;
	}
	printf("{\"sign_us\":%.2f,\"recover_us\":%.2f}\n", sign, recover);
	secp_clear(&secp);
	return 0;
}
