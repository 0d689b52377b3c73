#include "web/http_inner.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

union place {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* ADDR:PORT, [ADDR]:PORT, :PORT, PORT, and localhost as ADDR. */
static bool place_parse(const char *text, union place *out)
{
	const char *colon = strrchr(text, ':');
	const char *digits = colon != NULL ? colon + 1 : text;
	char host[INET6_ADDRSTRLEN + 2];
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;
	uint64_t port;

	memset(out, 0, sizeof(*out));
	if (len >= sizeof(host) || parse_uint(digits, UINT16_MAX, &port) != ERR_OK)
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)len, text);
	if (len == 0 || strcmp(host, "localhost") == 0)
		strcpy(host, "127.0.0.1");
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = htons((uint16_t)port);
		return inet_pton(AF_INET6, host + 1, &out->v6.sin6_addr) == 1;
	}
	out->v4.sin_family = AF_INET;
	out->v4.sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, host, &out->v4.sin_addr) == 1;
}

static bool is_loopback(const union place *p)
{
	if (p->any.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&p->v6.sin6_addr);
	return ntohl(p->v4.sin_addr.s_addr) >> 24 == 127;
}

static socklen_t place_len(const union place *p)
{
	return p->any.sa_family == AF_INET6 ? sizeof(p->v6) : sizeof(p->v4);
}

static uint16_t place_text(const union place *p, char out[static 64])
{
	bool v6 = p->any.sa_family == AF_INET6;
	uint16_t port = ntohs(v6 ? p->v6.sin6_port : p->v4.sin_port);
	char host[INET6_ADDRSTRLEN] = "";

	inet_ntop(p->any.sa_family,
		  v6 ? (const void *)&p->v6.sin6_addr : (const void *)&p->v4.sin_addr, host,
		  sizeof(host));
	snprintf(out, 64, v6 ? "[%s]:%u" : "%s:%u", host, (unsigned)port);
	return port;
}

static enum err explain(const char *text, char why[static HTTP_WHY_MAX])
{
	const char *remedy = "choose another address";

	if (errno == EADDRINUSE)
		remedy = "choose another port, or end the program that has this one (ss -ltnp "
			 "shows it)";
	else if (errno == EACCES || errno == EPERM)
		remedy = "ports below 1024 are root's: choose one above";
	else if (errno == EADDRNOTAVAIL)
		remedy = "choose an address that this machine has (ip addr shows them)";
	snprintf(why, HTTP_WHY_MAX, "cannot listen at %s: %s; %s", text, strerror(errno), remedy);
	return ERR_IO;
}

enum err http_listen(const char *text, bool anywhere, int *out, uint16_t *port,
		     char where[static 64], char why[static HTTP_WHY_MAX])
{
	union place p;
	socklen_t len = sizeof(p);
	int fd, on = 1;

	if (!place_parse(text, &p)) {
		snprintf(why, HTTP_WHY_MAX,
			 "\"%.100s\" is no address to listen at; expected ADDR:PORT, such as "
			 "127.0.0.1:8080 or [::1]:8080",
			 text);
		return ERR_VALUE;
	}
	if (!anywhere && !is_loopback(&p)) {
		snprintf(why, HTTP_WHY_MAX,
			 "at %s everybody on the network could ask; give a token that they need "
			 "with --token FILE, or listen at 127.0.0.1 alone",
			 text);
		return ERR_VALUE;
	}
	fd = socket(p.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return explain(text, why);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &p.any, place_len(&p)) != 0 || listen(fd, HTTP_CONNECTIONS_MAX) != 0 ||
	    getsockname(fd, &p.any, &len) != 0) {
		enum err err = explain(text, why);

		close(fd);
		return err;
	}
	*out = fd;
	*port = place_text(&p, where);
	return ERR_OK;
}

/* --- the token's file --- */

static enum err check_token(const char *path, ssize_t len, mode_t mode, const char *token,
			    char why[static HTTP_WHY_MAX])
{
	enum { TOKEN_MIN = 16 };

	if ((mode & (S_IROTH | S_IWOTH)) != 0) {
		snprintf(why, HTTP_WHY_MAX,
			 "%s: everybody on this machine may read or write it; forbid that with "
			 "`chmod 600 %s`",
			 path, path);
		return ERR_VALUE;
	}
	for (ssize_t i = 0; i < len; i++) {
		if (token[i] <= ' ' || token[i] > '~')
			len = 0;
	}
	if (len >= TOKEN_MIN && len <= HTTP_PARAM_MAX)
		return ERR_OK;
	snprintf(why, HTTP_WHY_MAX,
		 "%s: its first line is no token: expected %d to %d letters, digits and signs of "
		 "ASCII, such as `head -c 24 /dev/urandom | base64` makes",
		 path, TOKEN_MIN, HTTP_PARAM_MAX);
	return ERR_VALUE;
}

enum err http_token_read(const char *path, char out[static HTTP_PARAM_MAX + 1],
			 char why[static HTTP_WHY_MAX])
{
	char line[HTTP_PARAM_MAX + 3];
	FILE *f = fopen(path, "re");
	struct stat st;
	enum err err;
	size_t len;

	if (f == NULL || fstat(fileno(f), &st) != 0 || S_ISDIR(st.st_mode)) {
		int code = f != NULL ? EISDIR : errno;

		if (f != NULL)
			fclose(f);
		snprintf(why, HTTP_WHY_MAX,
			 "cannot read the token in %s: %s; make one with `(umask 077; head -c 24 "
			 "/dev/urandom | base64 > %s)`",
			 path, strerror(code), path);
		return code == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	}
	if (fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	fclose(f);
	len = strcspn(line, "\r\n");
	line[len] = '\0';
	err = check_token(path, (ssize_t)len, st.st_mode, line, why);
	if (err == ERR_OK)
		memcpy(out, line, len + 1);
	explicit_bzero(line, sizeof(line));
	return err;
}
