/* chat: services that find each other and talk, in a group of the gossip network.
 *
 *     chat NAME LISTEN [PEER ...]       chat alice 0.0.0.0:5999
 *                                       chat bob 0.0.0.0:0 192.0.2.1:5999
 *     cc chat.c $(pkg-config --cflags --libs peerwalk) -pthread -o chat
 *
 * Each line of stdin goes to everybody; what others say is printed. One address of anybody in the
 * group is enough: the others become known by and by. Ends with stdin. */
#include <peerwalk.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void on_place(void *ctx, const char *address, bool seen)
{
	(void)ctx;
	printf("* %s %s\n", seen ? "others see us at" : "listening at", address);
}

static void on_peer_up(void *ctx, const struct pw_member_peer *peer)
{
	(void)ctx;
	printf("* %s is here, at %s\n", peer->info->agent, peer->remote);
}

static void on_peer_down(void *ctx, const struct pw_member_peer *peer, enum pw_outcome outcome,
			 const char *why)
{
	(void)ctx;
	(void)outcome;
	printf("* %s is gone: %s\n", peer->info->agent, why);
}

/* A message of ours; the network has others of its own. */
static void on_message(void *ctx, const struct pw_member_peer *peer, const char *name,
		       struct pw_bytes payload)
{
	char text[1024], harmless[4 * sizeof(text)];
	size_t len;

	(void)ctx;
	if (strcmp(name, "chat") != 0 ||
	    pw_json_text(payload, "text", text, sizeof(text), &len) != PW_OK)
		return;
	pw_escape((struct pw_bytes){ (const uint8_t *)text, len }, harmless, sizeof(harmless));
	printf("%s: %s\n", peer->info->agent, harmless);
}

/* A thread of its own: whoever runs a member waits for the network, and not for the keyboard. */
static void *read_lines(void *member)
{
	char line[1024], quoted[6 * sizeof(line) + 3], payload[sizeof(quoted) + 16];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		pw_json_quote((struct pw_bytes){ (const uint8_t *)line, strcspn(line, "\n") },
			      quoted, sizeof(quoted));
		snprintf(payload, sizeof(payload), "{\"text\":%s}", quoted);
		pw_member_say_all(member, "chat",
				  (struct pw_bytes){ (const uint8_t *)payload, strlen(payload) });
	}
	pw_member_stop(member);
	return NULL;
}

int main(int argc, char **argv)
{
	struct pw_member_config config = { .size = sizeof(config),
					   .network = pw_network_find("gossip"),
					   .group = "chat",
					   .allow_private = true, /* services of one house */
					   .on_place = on_place,
					   .on_peer_up = on_peer_up,
					   .on_peer_down = on_peer_down,
					   .on_message = on_message };
	struct pw_member *member = NULL;
	pthread_t reader;
	enum pw_err err;

	if (argc < 3) {
		fputs("chat: expected NAME LISTEN [PEER ...]\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	config.agent = argv[1];
	err = pw_member_new(&config, &member);
	if (err == PW_OK)
		err = pw_member_add_listen(member, argv[2]);
	for (int i = 3; i < argc && err == PW_OK; i++)
		err = pw_member_add_seed(member, argv[i]);
	if (err == PW_OK && pthread_create(&reader, NULL, read_lines, member) == 0)
		err = pw_member_run(member);
	if (err != PW_OK) {
		fprintf(stderr, "chat: %s\n",
			member != NULL ? pw_member_why(member) : pw_err_text(err));
		return 1; /* whoever still reads stdin ends with the process */
	}
	pthread_join(reader, NULL);
	pw_member_free(member);
	return 0;
}
