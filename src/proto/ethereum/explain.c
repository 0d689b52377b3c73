#include "proto/ethereum/explain.h"

#include "proto/ethereum/discv4_wire.h"

enum err ethereum_explain(const struct network *network, struct slice in, field_fn *on_field,
			  void *ctx, size_t *err_at, const char **rule)
{
	struct discv4_packet packet;
	struct reader r;

	(void)network; /* all of them share one discovery */
	reader_init(&r, in);
	r.on_field = on_field;
	r.on_field_ctx = ctx;
	discv4_decode_long(&r, &packet);
	*err_at = r.err_at;
	*rule = r.rule;
	return r.err;
}
