#include "cli/cli.h"

#include "cli/contacts.h"
#include "cli/follow_tell.h"
#include "cli/listen_node.h"
#include "cli/message_tell.h"
#include "cli/peer_text.h"
#include "cli/visit_args.h"

#include <inttypes.h>

struct listen_options {
	struct visit_args visit; /* its timeout is not used: listening has no end */
	uint64_t duration_ms, count;
	bool follow;
};

static const struct option_row options[] = {
	{ .name = "duration",
	  .letter = 'd',
	  .type = OPTION_DURATION,
	  .arg = "T",
	  .help = "stop after that time",
	  .min = 1,
	  .offset = offsetof(struct listen_options, duration_ms) },
	{ .name = "count",
	  .letter = 'c',
	  .type = OPTION_UINT,
	  .arg = "N",
	  .help = "stop after so many messages",
	  .min = 1,
	  .offset = offsetof(struct listen_options, count) },
	{ .name = "follow",
	  .letter = 'f',
	  .type = OPTION_FLAG,
	  .help = "fetch what is announced: transactions, and headers of blocks",
	  .offset = offsetof(struct listen_options, follow) },
	{ VISIT_ARGS_NETWORK(offsetof(struct listen_options, visit)) },
	{ VISIT_ARGS_GROUP(offsetof(struct listen_options, visit)) },
	{ CHAIN_ARG_MAGIC(offsetof(struct listen_options, visit.chain)) },
	{ CHAIN_ARG_PORT(offsetof(struct listen_options, visit.chain)) },
	{ VISIT_ARGS_CONNECT_TIMEOUT(offsetof(struct listen_options, visit)) },
	{ 0 },
};

struct listen {
	const struct cli *cli;
	const struct peer_arg *peer;
	const struct listen_options *options;
	struct follow_tell *follow; /* NULL: what is announced is not fetched */
	uint64_t messages;
	bool enough; /* --count is reached, or nobody reads our output any more */
	int status;
};

static void on_event(void *ctx, struct visit *v, struct session_event *event)
{
	struct listen *l = ctx;
	struct message_tell m = { .network = l->peer->network,
				  .name = event->name,
				  .whole = event->whole,
				  .header = event->whole.len - event->payload.len,
				  .bytes = event->payload.len };
	char name[CONTACTS_TEXT_MAX];

	if (event->kind != SESSION_EVENT_MESSAGE || l->enough)
		return;
	contacts_peer_text(l->peer, NULL, name);
	m.peer = name;
	if (l->follow != NULL)
		follow_tell_hear(l->follow, event, &m);
	l->enough = !message_tell(l->cli, &m);
	l->messages++;
	l->enough = l->enough || (l->options->count > 0 && l->messages >= l->options->count);
	if (l->enough)
		visit_cancel(v, 0);
}

static size_t more(void *ctx, struct visit *v, uint8_t *out, size_t cap)
{
	struct listen *l = ctx;

	(void)v;
	return l->follow != NULL ? follow_tell_send(l->follow, out, cap) : 0;
}

static void on_done(void *ctx, unsigned index, const struct record *r, const char *why)
{
	struct listen *l = ctx;
	char name[CONTACTS_TEXT_MAX];
	const char *hint;

	(void)index;
	contacts_peer_text(l->peer, r, name);
	if (r == NULL) {
		cli_error("%s: no answer: %s", name, why);
		l->status = EXIT_UNREACHED;
		return;
	}
	if (r->outcome == OUTCOME_CANCELLED && (r->reached || l->messages > 0))
		return; /* --duration, --count or a signal */
	hint = peer_text_hint(r->outcome);
	if (!r->reached) {
		cli_error("%s: %s (%s). %s", name, outcome_text(r->outcome),
			  outcome_name(r->outcome), hint != NULL ? hint : "");
		l->status = EXIT_UNREACHED;
		return;
	}
	if (r->outcome == OUTCOME_OK || r->outcome == OUTCOME_NO_PEERS)
		cli_error("%s: closed the connection after %" PRIu64
			  " messages; it may want its place back: try again",
			  name, l->messages);
	else
		cli_error("%s: %s (%s)%s%s", name, outcome_text(r->outcome),
			  outcome_name(r->outcome), r->rule != NULL ? ": " : "",
			  r->rule != NULL ? r->rule : "");
	l->status = EXIT_FAILED;
}

static int run(struct cli *cli, void *values, char **args, unsigned args_count)
{
	const struct listen_options *o = values;
	struct peer_arg peer;
	struct listen l = { .cli = cli, .peer = &peer, .options = o };
	struct contacts_config config = { .cli = cli,
					  .peers = &peer,
					  .count = 1,
					  .duration_ms = o->duration_ms,
					  .on_done = on_done,
					  .ctx = &l };
	struct network chain;
	int status = visit_args_read(cli, &o->visit, args, args_count, &chain, &peer);

	if (status != EXIT_DONE)
		return status;
	if (o->follow && !follow_tell_can(peer.network))
		return cli_usage(cli, "--follow: %s announces neither transactions nor blocks",
				 peer.network->name);
	if (peer.network->discovery == DISCOVERY_V4)
		return listen_node(
			&(struct listen_node_config){ .cli = cli,
						      .peer = &peer,
						      .count = o->count,
						      .duration_ms = o->duration_ms,
						      .answer_ms = o->visit.connect_timeout_ms });
	visit_args_config(&o->visit, SESSION_GOAL_LISTEN, &config.visit);
	config.visit.on_event = on_event;
	config.visit.more = more;
	config.visit.on_event_ctx = &l;
	if (o->follow)
		l.follow = follow_tell_new(cli, peer.network);
	status = contacts_run(&config);
	follow_tell_free(l.follow);
	return status != EXIT_DONE ? status : l.status;
}

const struct command command_listen = {
	.name = "listen",
	.summary = "prints each message of a peer as it arrives, decoded",
	.usage = "PEER [options]",
	.about =
		"Shakes hands, then prints one line a message: the time (UTC), its name, the bytes "
		"of its payload, and the first of its fields. With --verbose each field has a line "
		"of its own. Goes on until it is interrupted, or the peer closes.\n"
		"\n"
		"With --follow it asks for each transaction that the peer announces (inv), and for "
		"the header of each block, and prints them whole: ids, inputs, outputs, values, "
		"scripts. What comes is hashed; if it is not what was asked for, that is said.\n"
		"\n"
		"To a node of Ethereum (enode://, enr:) it is another node: it proves its address, "
		"answers, pings now and then, and prints each packet of discovery that comes from "
		"that node, with the bytes of the whole packet.\n"
		"\n"
		"To keep the packets themselves, run beside it:\n"
		"  tshark -i any -f 'tcp port 8333' -w bitcoin.pcapng\n",
	.examples = "peerwalk listen bitcoin://127.0.0.1\n"
		    "    what does the node on this machine talk about?\n"
		    "peerwalk listen --verbose --count 20 bitcoin-testnet4://203.0.113.5\n"
		    "    every field of the first twenty messages\n"
		    "peerwalk listen --follow bitcoin://203.0.113.5\n"
		    "    its transactions and blocks, as it learns of them\n"
		    "peerwalk listen --json --duration 1h bitcoin://203.0.113.5 > messages.jsonl\n"
		    "    an hour's messages, one JSON object a line\n"
		    "peerwalk listen --count 10 enode://d860...@18.138.108.67:30303\n"
		    "    ten packets of a node of Ethereum\n",
	.options = options,
	.options_size = sizeof(struct listen_options),
	.args_min = 1,
	.args_max = 1,
	.args_choices = "peers",
	.run = run,
};
