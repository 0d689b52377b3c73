/* fuzz_codecs.c: the library's codecs, which are handed what strangers wrote: messages, JSON,
 * peers and records as text.
 *
 * The first byte chooses one. Whatever follows: nothing outside the input is handed out, text
 * ends with NUL in its array, and what was written is read as the same again. */
#include "fuzz/fuzz.h"
#include "peerwalk.h"

#include <string.h>

enum { INPUT_MAX = 72 * 1024, OUT_MAX = 6 * INPUT_MAX + 64 };

static uint8_t out[OUT_MAX];
static char text[OUT_MAX], back[OUT_MAX];

/* A message off a stream; its parts lie in it. */
static bool decode(const struct pw_network *network, const uint8_t *data, size_t size,
		   struct pw_message *m)
{
	struct pw_fault fault = { SIZE_MAX, NULL };
	enum pw_err err;

	*m = (struct pw_message){ .size = sizeof(*m) };
	err = pw_message_decode(network, data, size, m, &fault);
	CHECK(memchr(m->name, 0, sizeof(m->name)) != NULL);
	if (err == PW_ERR_SHORT)
		CHECK(m->needed > size);
	else if (err != PW_OK)
		CHECK(fault.rule != NULL && fault.at <= size);
	if (err != PW_OK)
		return false;
	CHECK(m->whole.data == data && m->whole.len <= size && m->whole.len == m->needed);
	CHECK(m->payload.data >= data && m->payload.len < m->whole.len);
	CHECK(m->payload.data + m->payload.len <= data + m->whole.len);
	return true;
}

static void check_stream(const char *network, const uint8_t *data, size_t size)
{
	struct pw_message m;

	decode(pw_network_find(network), data, size, &m);
}

/* A name up to the first NUL, and a payload. */
static void check_frame(const char *network, const uint8_t *data, size_t size)
{
	const struct pw_network *n = pw_network_find(network);
	const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
	size_t at = end != NULL ? (size_t)(end - data) + 1 : 0, len, again;
	struct pw_bytes payload = { data + at, size - at };
	struct pw_message m;

	if (end == NULL)
		return;
	if (pw_message_encode(n, (const char *)data, payload, out, sizeof(out), &len) != PW_OK)
		return;
	CHECK(pw_message_encode(n, (const char *)data, payload, out, len - 1, &again) ==
	      PW_ERR_FULL);
	CHECK(again == len);
	CHECK(pw_message_encode(n, (const char *)data, payload, out, len, &again) == PW_OK);
	CHECK(decode(n, out, len, &m) && m.whole.len == len);
	/* Made harmless, and cut. */
	if (strlen((const char *)data) < sizeof(m.name) && strchr((const char *)data, '\\') == NULL)
		CHECK(strcmp(m.name, (const char *)data) == 0);
	if (strcmp(network, "bitcoin") == 0)
		CHECK(m.payload.len == payload.len &&
		      (payload.len == 0 || memcmp(m.payload.data, payload.data, payload.len) == 0));
}

static void check_quote(const uint8_t *data, size_t size)
{
	size_t len = pw_json_quote((struct pw_bytes){ data, size }, text + 5, sizeof(text) - 6);
	enum pw_err err;
	size_t n;

	CHECK(len >= 2 && len <= 6 * size + 2 && strlen(text + 5) == len);
	memcpy(text, "{\"a\":", 5);
	memcpy(text + 5 + len, "}", 2);
	err = pw_json_text((struct pw_bytes){ (const uint8_t *)text, len + 6 }, "a", back,
			   sizeof(back), &n);
	/* A NUL is the one character that has no place in text of ours. */
	CHECK(err == (size > 0 && memchr(data, 0, size) != NULL ? PW_ERR_SYNTAX : PW_OK));
	if (err == PW_OK && strstr(text, "\\ufffd") == NULL)
		CHECK(n == size && (size == 0 || memcmp(back, data, size) == 0));
}

static void check_json(const uint8_t *data, size_t size)
{
	char little[16];
	size_t n;

	if (pw_json_text((struct pw_bytes){ data, size }, "text", little, sizeof(little), &n) ==
	    PW_OK)
		CHECK(n < sizeof(little) && strlen(little) == n);
	else
		CHECK(little[0] == 0 && n == 0);
}

static void check_contact(const char *written)
{
	struct pw_contact c = { .size = sizeof(c) }, again = { .size = sizeof(again) };
	char why[400];

	if (pw_contact_parse(written, NULL, &c, why, sizeof(why)) != PW_OK) {
		CHECK(why[0] != 0);
		return;
	}
	CHECK(why[0] == 0 && c.network != NULL && c.kind != NULL && !(c.is_routable && !c.host[0]));
	CHECK(pw_contact_parse(c.peer, c.network, &again, NULL, 0) == PW_OK);
	CHECK(strcmp(c.peer, again.peer) == 0 && strcmp(c.host, again.host) == 0);
	CHECK(c.port == again.port && c.tcp_port == again.tcp_port && c.has_key == again.has_key);
	CHECK(memcmp(c.public_key, again.public_key, sizeof(c.public_key)) == 0);
}

static void check_record(const char *written)
{
	struct pw_record r = { .size = sizeof(r) };
	struct pw_fault fault = { 0, NULL };

	if (pw_record_decode(written, &r, &fault) != PW_OK) {
		CHECK(fault.rule != NULL);
		return;
	}
	CHECK(memchr(r.ip4, 0, sizeof(r.ip4)) != NULL && memchr(r.ip6, 0, sizeof(r.ip6)) != NULL);
	CHECK(r.ip4[0] != 0 || (r.udp4 == 0 && r.tcp4 == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char written[INPUT_MAX + 1];

	if (size == 0 || size > INPUT_MAX)
		return 0;
	memcpy(written, data + 1, size - 1);
	written[size - 1] = 0;
	switch (data[0] % 8) {
	case 0:
		check_stream("bitcoin", data + 1, size - 1);
		break;
	case 1:
		check_stream("gossip", data + 1, size - 1);
		break;
	case 2:
		check_frame("bitcoin", data + 1, size - 1);
		break;
	case 3:
		check_frame("gossip", data + 1, size - 1);
		break;
	case 4:
		check_quote(data + 1, size - 1);
		break;
	case 5:
		check_json(data + 1, size - 1);
		break;
	case 6:
		check_contact(written);
		break;
	case 7:
		check_record(written);
		break;
	}
	return 0;
}
