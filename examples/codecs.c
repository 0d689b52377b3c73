/* codecs: what stands in a peer's address or record, and messages as bytes.
 *
 *     codecs peer TEXT [NETWORK]              HOST[:PORT], NETWORK://HOST, enode://..., enr:...
 *     codecs record enr:...
 *     codecs message NETWORK NAME [PAYLOAD]   in hex, for examples/explain.c
 *     cc codecs.c $(pkg-config --cflags --libs peerwalk) -o codecs */
#include <peerwalk.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void print_hex(const char *what, const uint8_t *bytes, size_t len)
{
	printf("%s", what);
	for (size_t i = 0; i < len; i++)
		printf("%02x", bytes[i]);
	putchar('\n');
}

static int peer(const char *text, const char *network)
{
	struct pw_contact c = { .size = sizeof(c) };
	char why[400];

	if (pw_contact_parse(text, network != NULL ? pw_network_find(network) : NULL, &c, why,
			     sizeof(why)) != PW_OK) {
		fprintf(stderr, "codecs: %s\n", why);
		return 1;
	}
	printf("network    %s\npeer       %s\nhost       %s (%s%s)\nport       %u\n",
	       pw_network_name(c.network), c.peer, c.host, c.kind,
	       c.is_routable ? "" : ", not routable", (unsigned)c.port);
	if (c.has_key)
		print_hex("public key ", c.public_key, sizeof(c.public_key));
	return 0;
}

static int record(const char *text)
{
	struct pw_record r = { .size = sizeof(r) };
	struct pw_fault fault;
	enum pw_err err = pw_record_decode(text, &r, &fault);

	if (err != PW_OK) {
		fprintf(stderr, "codecs: %s (%s)\n", pw_err_text(err), fault.rule);
		return 1;
	}
	printf("number     %" PRIu64 "\n", r.seq);
	print_hex("node id    ", r.node_id, sizeof(r.node_id));
	if (r.ip4[0] != 0)
		printf("IPv4       %s, UDP %u, TCP %u\n", r.ip4, (unsigned)r.udp4,
		       (unsigned)r.tcp4);
	if (r.ip6[0] != 0)
		printf("IPv6       %s, UDP %u, TCP %u\n", r.ip6, (unsigned)r.udp6,
		       (unsigned)r.tcp6);
	if (r.has_fork)
		print_hex("fork       ", r.fork_hash, sizeof(r.fork_hash));
	return 0;
}

static int message(const char *network, const char *name, const char *payload)
{
	const struct pw_network *n = pw_network_find(network);
	uint8_t out[4096];
	size_t len;
	enum pw_err err = n == NULL ? PW_ERR_NOT_FOUND
				    : pw_message_encode(n, name,
							(struct pw_bytes){ (const uint8_t *)payload,
									   strlen(payload) },
							out, sizeof(out), &len);

	if (err == PW_OK)
		print_hex("", out, len);
	else
		fprintf(stderr, "codecs: %s\n", pw_err_text(err));
	return err != PW_OK;
}

int main(int argc, char **argv)
{
	if ((argc == 3 || argc == 4) && strcmp(argv[1], "peer") == 0)
		return peer(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "record") == 0)
		return record(argv[2]);
	if ((argc == 4 || argc == 5) && strcmp(argv[1], "message") == 0)
		return message(argv[2], argv[3], argc == 5 ? argv[4] : "");
	fputs("codecs: expected peer TEXT [NETWORK], record enr:..., or message NETWORK NAME "
	      "[PAYLOAD]\n",
	      stderr);
	return 2;
}
