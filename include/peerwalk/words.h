/* words.h: what all parts of the library share: errors, bytes, networks. */
#ifndef PEERWALK_WORDS_H
#define PEERWALK_WORDS_H

/** @file
 *  Errors, bytes, networks. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Marks what the library exports. */
#define PW_API __attribute__((visibility("default")))

/** The version of the library.
 *  @return e.g. "0.1.0"; static. */
PW_API const char *pw_version(void);

/* --- errors --------------------------------------------------------------------------- */

/** What can go wrong; pw_err_text() has a sentence for each. */
enum pw_err {
	PW_OK,               /**< no error */
	PW_ERR_SHORT,        /**< the input ends early */
	PW_ERR_TRAILING,     /**< bytes are left over */
	PW_ERR_NONCANONICAL, /**< a value is not in its shortest form */
	PW_ERR_LIMIT,        /**< a limit is exceeded */
	PW_ERR_VALUE,        /**< a value is not allowed */
	PW_ERR_MAGIC,        /**< the magic belongs to another network */
	PW_ERR_CHECKSUM,     /**< the checksum is wrong */
	PW_ERR_SYNTAX,       /**< the text is not in the expected form */
	PW_ERR_FULL,         /**< there is no room left for the output */
	PW_ERR_NOMEM,        /**< out of memory */
	PW_ERR_IO,           /**< input or output failed */
	PW_ERR_DISK_FULL,    /**< the disk is full */
	PW_ERR_READ_ONLY,    /**< the file or its folder is read-only */
	PW_ERR_NOT_OURS,     /**< the file is no peerwalk database */
	PW_ERR_NEWER,        /**< the database was written by a newer peerwalk */
	PW_ERR_CORRUPT,      /**< the database is damaged */
	PW_ERR_BUSY,         /**< another process holds the database */
	PW_ERR_NOT_FOUND     /**< there is no such thing */
};

/** A sentence for an error, without a full stop.
 *  @param err any value
 *  @return static text, never NULL */
PW_API const char *pw_err_text(enum pw_err err);

/** Borrowed bytes, perhaps a stranger's: any values, no NUL at the end. */
struct pw_bytes {
	const uint8_t *data; /**< NULL only if len is 0 */
	size_t len;          /**< how many */
};

/** Makes a stranger's bytes harmless for terminals, logs and files: letters stay, control
 *  and formatting characters, the backslash and what is no UTF-8 become \\xNN (\\\\).
 *  @param bytes the bytes
 *  @param out   where the text goes, cut to fit, always with a NUL if cap > 0
 *  @param cap   bytes at out; 4 * bytes.len + 1 are always enough
 *  @return the length of the text */
PW_API size_t pw_escape(struct pw_bytes bytes, char *out, size_t cap);

/* --- networks ------------------------------------------------------------------------- */

/** A network: mainnet, a test network, a chain of your own. */
struct pw_network;

/** Finds a network that the library knows.
 *  @param name e.g. "bitcoin", "bitcoin-testnet4", "bitcoin-regtest", "ethereum", "sepolia",
 *              "gossip"
 *  @return static; NULL if there is none of that name */
PW_API const struct pw_network *pw_network_find(const char *name);

/** The networks that the library knows, one by one.
 *  @param index from 0
 *  @return static; NULL at the end */
PW_API const struct pw_network *pw_network_at(size_t index);

/** Makes a network that speaks Bitcoin's protocol and is not on the list.
 *  @param name  1 to 32 lower-case letters, digits and hyphens; none of the list
 *  @param magic the four bytes that its messages begin with, in the order of the wire
 *  @param port  its usual port, not 0
 *  @param out   the network: free it after everything that was made with it
 *  @return PW_ERR_VALUE for a name or port that is not allowed, PW_ERR_NOMEM */
PW_API enum pw_err pw_network_new(const char *name, const uint8_t magic[4], uint16_t port,
				  struct pw_network **out);

/** Frees what pw_network_new() made.
 *  @param network it, or NULL */
PW_API void pw_network_free(struct pw_network *network);

/** The name of a network.
 *  @param network it
 *  @return text that lives as long as the network */
PW_API const char *pw_network_name(const struct pw_network *network);

/** The usual port of a network.
 *  @param network it
 *  @return the port */
PW_API uint16_t pw_network_port(const struct pw_network *network);

/** What a bit of the services means that a peer offers.
 *  @param network it
 *  @param bit     0 to 63
 *  @return e.g. "NETWORK" (static); NULL for a bit without a name */
PW_API const char *pw_service_name(const struct pw_network *network, unsigned bit);

#ifdef __cplusplus
}
#endif

#endif
