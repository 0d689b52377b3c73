#include "api/visit.h"

void api_visit(struct api_visit *out, const struct record *r, bool final)
{
	struct pw_visit *visit = &out->visit;

	*visit = (struct pw_visit){
		.peer = out->peer,
		.host = out->host,
		.port = r->addr.port,
		.outcome = (enum pw_outcome)r->outcome,
		.reached = r->reached,
		.final = final,
		.tries = r->tries,
		.rule = r->rule,
		.started_at_ms = r->started_at_ms,
		.connect_ms = r->connect_ms,
		.handshake_ms = r->handshake_ms,
		.reply_ms = r->reply_ms,
		.total_ms = r->total_ms,
		.adverts = r->adverts,
		.adverts_new = r->adverts_new,
		.bytes_in = r->bytes_in,
		.bytes_out = r->bytes_out,
	};
	/* A database that others wrote may have what is no key. */
	if (r->node != NULL && r->info.node_id.len == ENODE_KEY_LEN) {
		enode_url(r->info.node_id.data, &r->addr, r->node->tcp_port, out->peer);
		api_node(&out->node, r->node, r->info.node_id);
		visit->node = &out->node.node;
	} else {
		netaddr_text(&r->addr, out->peer);
	}
	netaddr_host_text(&r->addr, out->host);
	api_info(&out->info, &r->info);
	visit->info = &out->info.info;
}
