/* keyfile.h: a node's private key in a file.
 *
 * 64 hexadecimal digits and a line feed, as go-ethereum's "nodekey" (which has no line feed;
 * it may be missing here, too). The file belongs to its owner alone, mode 0600: one that
 * others may read is refused, as a key that is no secret is none. A new key comes from the
 * system's randomness, and never takes the place of a file that is there.
 *
 * What fails says why, and what to do about it, in a sentence without a full stop. Nothing
 * keeps the key: the caller ends its life with secp_key_clear; after a failure it is zero. */
#ifndef PEERWALK_IO_KEYFILE_H
#define PEERWALK_IO_KEYFILE_H

#include "crypto/secp256k1.h"

enum {
	KEYFILE_DIGITS = 2 * SECP_KEY_LEN,
	KEYFILE_WHY_MAX = 512, /* a longer path is cut in the message */
};

/* ERR_NOT_FOUND: there is no such file; ERR_SYNTAX: not the text of a key; ERR_VALUE: the
 * digits are no key; ERR_IO: it can't be read, is no file, or others may read it. */
enum err keyfile_read(const char *path, struct secp_key *out, char why[static KEYFILE_WHY_MAX]);
/* Makes a key, and a file that isn't there yet. ERR_IO, ERR_DISK_FULL, ERR_READ_ONLY; then
 * no half of a file is left. ERR_BUSY: something of that name exists. */
enum err keyfile_create(const char *path, struct secp_key *out, char why[static KEYFILE_WHY_MAX]);
/* The key in the file, or a new one in a new file. */
enum err keyfile_read_or_create(const char *path, struct secp_key *out, bool *created,
				char why[static KEYFILE_WHY_MAX]);

#endif
