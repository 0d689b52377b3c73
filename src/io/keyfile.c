#include "io/keyfile.h"

#include "base/text.h"
#include "io/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	/* Digits, an end of line of two bytes, and one more that tells a longer file. */
	READ_MAX = KEYFILE_DIGITS + 3,
	OTHERS = S_IRWXG | S_IRWXO,
};

static enum err open_failed(const char *path, char *why)
{
	if (errno == ENOENT) {
		snprintf(why, KEYFILE_WHY_MAX,
			 "there is no key file %s; \"peerwalk key FILE\" makes one", path);
		return ERR_NOT_FOUND;
	}
	snprintf(why, KEYFILE_WHY_MAX, "cannot open the key file %s: %s%s", path, strerror(errno),
		 errno == EACCES ? "; run as the user whom it belongs to" : "");
	return ERR_IO;
}

/* Whether the file may be believed at all. */
static enum err check_file(int fd, const char *path, char *why)
{
	struct stat st;

	if (fstat(fd, &st) != 0) {
		snprintf(why, KEYFILE_WHY_MAX, "cannot read the key file %s: %s", path,
			 strerror(errno));
		return ERR_IO;
	}
	if (!S_ISREG(st.st_mode)) {
		snprintf(why, KEYFILE_WHY_MAX, "%s is no file; name the one that holds the key",
			 path);
		return ERR_IO;
	}
	if ((st.st_mode & OTHERS) != 0) {
		snprintf(why, KEYFILE_WHY_MAX,
			 "others have access to the key file %s (mode %04o); take it away with "
			 "\"chmod 600 FILE\", or make a new key if somebody may have read it",
			 path, (unsigned)st.st_mode & 07777U);
		return ERR_IO;
	}
	return ERR_OK;
}

/* As much of the file as counts; -1 after an error. */
static ssize_t read_some(int fd, uint8_t out[static READ_MAX])
{
	size_t len = 0;

	while (len < READ_MAX) {
		ssize_t got = read(fd, out + len, READ_MAX - len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

static bool is_line_end(struct slice rest)
{
	return rest.len == 0 || slice_equal(rest, slice_text("\n")) ||
	       slice_equal(rest, slice_text("\r\n"));
}

static enum err parse(struct slice text, const char *path, struct secp_key *out, char *why)
{
	uint8_t bytes[SECP_KEY_LEN];
	enum err err = ERR_SYNTAX;
	size_t len;

	if (text.len < KEYFILE_DIGITS || !is_line_end(slice_from(text, KEYFILE_DIGITS)) ||
	    hex_decode(slice_of(text.data, KEYFILE_DIGITS), bytes, sizeof(bytes), &len) != ERR_OK)
		snprintf(why, KEYFILE_WHY_MAX,
			 "%s holds no key; expected 64 hexadecimal digits and a line feed; name "
			 "another file, or move this one away and make a new key",
			 path);
	else if (!secp_key_init(out, bytes)) {
		err = ERR_VALUE;
		snprintf(why, KEYFILE_WHY_MAX,
			 "the number in %s is no private key: zero, or not below the order of the "
			 "curve secp256k1; move the file away and make a new key",
			 path);
	} else {
		err = ERR_OK;
	}
	explicit_bzero(bytes, sizeof(bytes));
	return err;
}

enum err keyfile_read(const char *path, struct secp_key *out, char why[static KEYFILE_WHY_MAX])
{
	uint8_t text[READ_MAX];
	ssize_t len;
	enum err err;
	/* Without blocking: a pipe of that name may have nobody at its other end. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	*out = (struct secp_key){ 0 };
	why[0] = '\0';
	if (fd < 0)
		return open_failed(path, why);
	err = check_file(fd, path, why);
	if (err != ERR_OK)
		goto out;
	len = read_some(fd, text);
	if (len < 0) {
		snprintf(why, KEYFILE_WHY_MAX, "cannot read the key file %s: %s", path,
			 strerror(errno));
		err = ERR_IO;
	} else {
		err = parse(slice_of(text, (size_t)len), path, out, why);
	}
	explicit_bzero(text, sizeof(text));
out:
	close(fd);
	return err;
}

/* What errno says of a file that could not be made. */
static enum err create_failed(const char *path, int error, char *why)
{
	const char *remedy = "choose another folder";
	enum err err = ERR_IO;

	if (error == EEXIST) {
		snprintf(why, KEYFILE_WHY_MAX,
			 "%s is there already, and is not overwritten; choose another name", path);
		return ERR_BUSY;
	}
	if (error == ENOENT || error == ENOTDIR) {
		remedy = "make the folder that it shall be in first";
	} else if (error == EACCES || error == EPERM || error == EROFS) {
		err = ERR_READ_ONLY;
		remedy = "choose a folder that you may write to";
	} else if (error == ENOSPC || error == EDQUOT) {
		err = ERR_DISK_FULL;
		remedy = "make room on the disk";
	}
	snprintf(why, KEYFILE_WHY_MAX, "cannot write the key file %s: %s; %s", path,
		 strerror(error), remedy);
	return err;
}

/* 0, or errno. */
static int write_all(int fd, const char *data, size_t len)
{
	/* Mode 0600 whatever the umask. */
	if (fchmod(fd, S_IRUSR | S_IWUSR) != 0)
		return errno;
	while (len > 0) {
		ssize_t put = write(fd, data, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return errno;
		data += put;
		len -= (size_t)put;
	}
	/* A node that loses its key is another node. Some file systems can't, and say so. */
	return fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
}

/* The name shall survive a power cut as well as what is in the file. Best effort: not all file
 * systems can, and the key is written. */
static void sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096] = ".";
	size_t len = slash != NULL ? (size_t)(slash - path) + 1 : 1;
	int fd;

	if (len >= sizeof(folder))
		return;
	if (slash != NULL)
		memcpy(folder, path, len);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

static void draw_key(struct secp_key *out)
{
	uint8_t bytes[SECP_KEY_LEN];

	do {
		dial_random(bytes, sizeof(bytes));
	} while (!secp_key_init(out, bytes));
	explicit_bzero(bytes, sizeof(bytes));
}

enum err keyfile_create(const char *path, struct secp_key *out, char why[static KEYFILE_WHY_MAX])
{
	char text[KEYFILE_DIGITS + 2];
	int error, fd;

	*out = (struct secp_key){ 0 };
	why[0] = '\0';
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return create_failed(path, errno, why);
	draw_key(out);
	hex_encode(slice_of(out->bytes, sizeof(out->bytes)), text);
	text[KEYFILE_DIGITS] = '\n';
	error = write_all(fd, text, KEYFILE_DIGITS + 1);
	explicit_bzero(text, sizeof(text));
	/* Some file systems write only now. */
	if (close(fd) != 0 && error == 0)
		error = errno;
	if (error == 0) {
		sync_folder(path);
		return ERR_OK;
	}
	secp_key_clear(out);
	unlink(path); /* made by this very call: O_EXCL */
	return create_failed(path, error, why);
}

enum err keyfile_read_or_create(const char *path, struct secp_key *out, bool *created,
				char why[static KEYFILE_WHY_MAX])
{
	enum err err = keyfile_read(path, out, why);

	*created = false;
	if (err != ERR_NOT_FOUND)
		return err;
	err = keyfile_create(path, out, why);
	*created = err == ERR_OK;
	return err;
}
