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

static void on_place(void *out, const char *address, bool seen)
{
	fprintf(out, "* %s %s\n", seen ? "others see us at" : "listening at", address);
}

static void on_peer_up(void *out, const struct pw_member_peer *peer)
{
	fprintf(out, "* %s is here, at %s\n", peer->info->agent, peer->remote);
}

static void on_peer_down(void *out, const struct pw_member_peer *peer, enum pw_outcome outcome,
			 const char *why)
{
	fprintf(out, "* %s is gone: %s (%s)\n", peer->info->agent, why, pw_outcome_name(outcome));
}

/* A message of ours; the network has others of its own. */
static void on_message(void *out, const struct pw_member_peer *peer, const char *name,
		       struct pw_bytes payload)
{
	char text[1024], harmless[4 * sizeof(text)];
	struct pw_bytes said = { (const uint8_t *)text, 0 };

	if (strcmp(name, "chat") == 0 &&
	    pw_json_text(payload, "text", text, sizeof(text), &said.len) == PW_OK) {
		pw_escape(said, harmless, sizeof(harmless));
		fprintf(out, "%s: %s\n", peer->info->agent, harmless);
	}
}

/* A thread of its own: whoever runs a member waits for the network, and not for the keyboard. */
static void *read_lines(void *member)
{
	char line[1024], quoted[6 * sizeof(line) + 3], payload[sizeof(quoted) + 16];
	struct pw_bytes text = { (const uint8_t *)line, 0 }, json = { (const uint8_t *)payload, 0 };

	while (fgets(line, sizeof(line), stdin) != NULL) {
		text.len = strcspn(line, "\n");
		pw_json_quote(text, quoted, sizeof(quoted));
		json.len = (size_t)snprintf(payload, sizeof(payload), "{\"text\":%s}", quoted);
		pw_member_say_all(member, "chat", json);
	}
	pw_member_stop(member);
	return NULL;
}

int main(int argc, char **argv)
{
	struct pw_member_config config = { .size = sizeof(config), .group = "chat" };
	struct pw_member *member = NULL;
	pthread_t reader;
	enum pw_err err;

	config.network = pw_network_find("gossip");
	config.agent = argc > 1 ? argv[1] : "";
	config.on_place = on_place;
	config.on_peer_up = on_peer_up;
	config.on_peer_down = on_peer_down;
	config.on_message = on_message;
	config.ctx = stdout;
	setvbuf(stdout, NULL, _IOLBF, 0);
	err = pw_member_new(&config, &member);
	for (int i = 2; err == PW_OK && i < argc; i++)
		err = i == 2 ? pw_member_add_listen(member, argv[i])
			     : pw_member_add_seed(member, argv[i]);
	if (err == PW_OK && pthread_create(&reader, NULL, read_lines, member) == 0)
		err = pw_member_run(member);
	if (err != PW_OK) {
		fprintf(stderr, "chat: %s\n",
			member != NULL ? pw_member_why(member) : "expected NAME LISTEN [PEER ...]");
		return 1; /* whoever still reads stdin ends with the process */
	}
	pthread_join(reader, NULL);
	pw_member_free(member);
	return 0;
}
