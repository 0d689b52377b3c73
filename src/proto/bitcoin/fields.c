#include "proto/bitcoin/fields.h"

#include "proto/bitcoin/messages.h"

#include <assert.h>
#include <string.h>

static size_t add_word(char *out, size_t len, const char *word, size_t cap)
{
	size_t n = strlen(word);

	if (len + n + 2 > cap)
		return len;
	if (len > 0)
		out[len++] = ' ';
	memcpy(out + len, word, n + 1);
	return len + n;
}

size_t bitcoin_services_text(uint64_t services, char out[static BITCOIN_SERVICES_TEXT_MAX])
{
	size_t len = 0;

	out[0] = 0;
	for (unsigned bit = 0; bit < 64; bit++) {
		char number[6] = "bit00";
		const char *name = bitcoin_service_name(bit);

		if ((services >> bit & 1) == 0)
			continue;
		number[3] = (char)('0' + bit / 10);
		number[4] = (char)('0' + bit % 10);
		len = add_word(out, len, name != NULL ? name : number, BITCOIN_SERVICES_TEXT_MAX);
	}
	return len;
}

void bitcoin_tell_number(struct reader *r, const char *name, enum field_kind kind, size_t len,
			 uint64_t value, const char *text)
{
	reader_tell(r, &(struct field){ .name = name,
					.kind = kind,
					.at = r->at - len,
					.len = len,
					.value = value,
					.bytes = { r->data + r->at - len, len },
					.text = text });
}

void bitcoin_tell_computed(struct reader *r, const char *name, const uint8_t hash[32])
{
	reader_tell(r, &(struct field){ .name = name,
					.kind = FIELD_HASH,
					.at = r->at,
					.bytes = { hash, 32 },
					.text = "computed" });
}

uint64_t bitcoin_read_services(struct reader *r, const char *name)
{
	char text[BITCOIN_SERVICES_TEXT_MAX];
	field_fn *hook = r->on_field;
	uint64_t v;

	r->on_field = NULL;
	v = reader_u64le(r, name);
	r->on_field = hook;
	if (hook != NULL && reader_ok(r)) {
		bitcoin_services_text(v, text);
		bitcoin_tell_number(r, name, FIELD_HEX, 8, v, text);
	}
	return v;
}

struct netaddr bitcoin_read_ip16(struct reader *r, const char *addr_name, const char *port_name)
{
	char text[NETADDR_HOST_TEXT_MAX];
	struct netaddr a = { .kind = NETADDR_NONE };
	field_fn *hook = r->on_field;
	struct slice ip;

	r->on_field = NULL;
	ip = reader_bytes(r, 16, addr_name);
	r->on_field = hook;
	if (!reader_ok(r))
		return a;
	a = netaddr_from_ip16(ip.data, 0);
	if (hook != NULL) {
		netaddr_host_text(&a, text);
		bitcoin_tell_number(r, addr_name, FIELD_ADDR, 16, 0, text);
	}
	a.port = reader_u16be(r, port_name);
	return a;
}

static uint32_t read_named(struct reader *r, const char *name, size_t len,
			   const char *(*describe)(uint32_t value))
{
	field_fn *hook = r->on_field;
	uint32_t v;

	r->on_field = NULL;
	v = len == 1 ? reader_u8(r, name) : reader_u32le(r, name);
	r->on_field = hook;
	if (hook != NULL && reader_ok(r))
		bitcoin_tell_number(r, name, FIELD_UINT, len, v, describe(v));
	return v;
}

uint32_t bitcoin_read_named_u32(struct reader *r, const char *name,
				const char *(*describe)(uint32_t value))
{
	return read_named(r, name, 4, describe);
}

uint8_t bitcoin_read_named_u8(struct reader *r, const char *name,
			      const char *(*describe)(uint32_t value))
{
	return (uint8_t)read_named(r, name, 1, describe);
}

struct slice bitcoin_read_var_text(struct reader *r, size_t max, const char *name,
				   const char *limit_rule)
{
	uint64_t len = bitcoin_compact_size(r, max, "length", limit_rule);

	return reader_text(r, (size_t)len, name);
}

struct slice bitcoin_read_var_bytes(struct reader *r, size_t max, const char *name,
				    const char *limit_rule)
{
	uint64_t len = bitcoin_compact_size(r, max, "length", limit_rule);

	return reader_bytes(r, (size_t)len, name);
}

void bitcoin_put_var_slice(struct writer *w, struct slice s)
{
	bitcoin_put_compact_size(w, s.len);
	writer_slice(w, s);
}

struct slice bitcoin_read_since(const struct reader *r, size_t start)
{
	if (!reader_ok(r) || r->at == start)
		return slice_of(NULL, 0);
	return slice_of(r->data + start, r->at - start);
}

bool bitcoin_read_list_fast(struct reader *r, uint64_t count, size_t size, struct slice *out)
{
	if (r->on_field != NULL || !reader_ok(r) || count > reader_left(r) / size)
		return false;
	*out = reader_bytes(r, (size_t)count * size, "list");
	return true;
}

void bitcoin_put_hash(struct writer *w, struct slice hash)
{
	assert(hash.len == 32);
	writer_slice(w, hash);
}

struct slice bitcoin_read_hashes(struct reader *r, uint64_t count, const char *name)
{
	size_t start = r->at;
	struct slice list;

	if (bitcoin_read_list_fast(r, count, 32, &list))
		return list;
	for (uint64_t i = 0; i < count && reader_ok(r); i++)
		reader_hash(r, name);
	return bitcoin_read_since(r, start);
}
