/* wipe.h: what secrets leave behind.
 *
 * Structs and buffers that hold a secret are wiped where they end, by explicit_bzero. What was
 * called meanwhile (a library, a permutation) leaves copies on the stack, below its caller: */
#ifndef PEERWALK_BASE_WIPE_H
#define PEERWALK_BASE_WIPE_H

/* Wipes 16 KiB of the stack below the caller: several times what the deepest call of libsecp256k1
 * takes, in 1/300 of the time of a signature. */
void wipe_stack(void);

#endif
