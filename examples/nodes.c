/* nodes: walks Ethereum's nodes and prints client and chain of each that was reached.
 *
 *     nodes [--local] [--chain NAME] [SEED ...]
 *     cc nodes.c $(pkg-config --cflags --libs peerwalk) -o nodes
 *
 * A SEED is an URL, enode://KEY@IP:PORT, or a node record, enr:...; without one the
 * bootstrap nodes of the main network are asked. With --chain (mainnet, sepolia, holesky,
 * hoodi) the nodes of other chains are left out. --local is for nodes on this machine: it
 * allows private addresses. Ctrl-C ends it early. */
#include <peerwalk.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static struct pw_crawl *crawl; /* for the signal handler */

static void on_signal(int number)
{
	(void)number;
	pw_crawl_stop(crawl);
}

/* A chain that is not known here has a network id at least, if the node had a place for us. */
static void print_chain(const struct pw_node *node)
{
	if (node->chain != NULL)
		printf("%s", node->chain);
	else if (node->has_status)
		printf("network %" PRIu64, node->network_id);
	else if (node->has_fork)
		printf("fork %02x%02x%02x%02x", node->fork_hash[0], node->fork_hash[1],
		       node->fork_hash[2], node->fork_hash[3]);
	else
		printf("?");
}

static void on_visit(void *ctx, const struct pw_visit *visit)
{
	const struct pw_node *node = visit->node;

	(void)ctx;
	if (!visit->reached || visit->outcome == PW_OUTCOME_WRONG_NETWORK)
		return;
	printf("%s\t", visit->peer);
	print_chain(node);
	/* Most nodes have no place free, and say nothing but that. */
	if (node->has_hello)
		printf("\t%s\t%s\n", visit->info->agent, node->capabilities);
	else
		printf("\t(%s)\t\n", node->session != NULL ? node->session : "no session");
}

static int fail(const char *what)
{
	fprintf(stderr, "nodes: %s\n", what);
	return 1;
}

int main(int argc, char **argv)
{
	struct pw_crawl_config config = { .size = sizeof(config) };
	struct pw_stats stats = { .size = sizeof(stats) };
	int first = 1;
	enum pw_err err;

	if (first < argc && strcmp(argv[first], "--local") == 0) {
		config.allow_private = true;
		first++;
	}
	if (first + 1 < argc && strcmp(argv[first], "--chain") == 0) {
		config.chain = argv[first + 1];
		first += 2;
	}
	config.network = pw_network_find("ethereum");
	config.dns_seeds = first == argc;
	config.on_visit = on_visit;

	err = pw_crawl_new(&config, &crawl);
	if (err != PW_OK)
		return fail("expected [--local] [--chain NAME] [SEED ...]");
	for (int i = first; i < argc && err == PW_OK; i++)
		err = pw_crawl_add_seed(crawl, argv[i]);
	if (err == PW_OK) {
		signal(SIGINT, on_signal);
		err = pw_crawl_run(crawl);
		signal(SIGINT, SIG_DFL);
	}
	if (err != PW_OK)
		fail(pw_crawl_why(crawl));

	pw_crawl_stats(crawl, &stats);
	fprintf(stderr, "%" PRIu64 " known, %" PRIu64 " visited, %" PRIu64 " reached%s\n",
		stats.known, stats.visited, stats.reached, stats.complete ? "" : " so far");
	pw_crawl_free(crawl);
	return err == PW_OK && stats.reached > 0 ? 0 : 1;
}
