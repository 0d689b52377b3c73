/* What becomes of secrets once they have been used: work with keys is done on a stack of the test's
 * own, which is searched for them afterwards, and so is the heap. */
#include "base/text.h"
#include "io/dial.h"
#include "io/keyfile.h"
#include "io/node_serve.h"
#include "proto/ethereum/enr.h"
#include "proto/ethereum/identity.h"
#include "proto/ethereum/rlpx.h"

#include <malloc.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	STACK_LEN = 256 * 1024,
	SECRETS_MAX = 32,
	/* So many bytes in a row of a secret are no accident. */
	ENOUGH = 12,
	MASK = 0x5a,
};

static uint8_t *stack;
static char path[64];

/* What is searched for, masked so that it is not found here. */
static struct {
	const char *name;
	uint8_t masked[64];
	size_t len;
} secrets[SECRETS_MAX];
static unsigned secrets_count;

static void is_secret(const char *name, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	assert_true(secrets_count < SECRETS_MAX && len <= sizeof(secrets[0].masked));
	secrets[secrets_count].name = name;
	secrets[secrets_count].len = len;
	for (size_t i = 0; i < len; i++)
		secrets[secrets_count].masked[i] = bytes[i] ^ MASK;
	secrets_count++;
}

/* Any ENOUGH bytes in a row of it. */
static bool is_in(const uint8_t *memory, size_t memory_len, const uint8_t *masked, size_t len)
{
	for (size_t at = 0; at + ENOUGH <= memory_len; at++) {
		for (size_t from = 0; from + ENOUGH <= len; from += 4) {
			size_t same = 0;

			while (same < ENOUGH && (memory[at + same] ^ MASK) == masked[from + same])
				same++;
			if (same == ENOUGH)
				return true;
		}
	}
	return false;
}

/* All threads have the same (setup): what was given back is still there. */
static struct slice heap(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[256];
	void *from = NULL, *to = NULL;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strstr(line, "[heap]") != NULL)
			assert_int_equal(sscanf(line, "%p-%p", &from, &to), 2);
	}
	fclose(f);
	return slice_of(from, (size_t)((char *)to - (char *)from));
}

static bool is_there(const uint8_t *masked, size_t len)
{
	struct slice all = heap();

	return is_in(stack, STACK_LEN, masked, len) || is_in(all.data, all.len, masked, len);
}

static const char *found(void)
{
	for (unsigned i = 0; i < secrets_count; i++) {
		if (is_there(secrets[i].masked, secrets[i].len))
			return secrets[i].name;
	}
	return NULL;
}

static pthread_barrier_t barrier;

/* A thread that ends gives its stack back, so this one waits until it has been searched. */
static void *worker(void *arg)
{
	void (*const *work)(void) = arg;

	(*work)();
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}

/* Returns which secret is left behind; NULL: none. */
static const char *left_by(void (*work)(void))
{
	pthread_attr_t attr;
	pthread_t thread;
	const char *name;

	secrets_count = 0;
	memset(stack, 0, STACK_LEN);
	pthread_barrier_init(&barrier, NULL, 2);
	pthread_attr_init(&attr);
	assert_int_equal(pthread_attr_setstack(&attr, stack, STACK_LEN), 0);
	assert_int_equal(pthread_create(&thread, &attr, worker, &work), 0);
	pthread_barrier_wait(&barrier);
	name = found();
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
	pthread_barrier_destroy(&barrier);
	assert_true(secrets_count > 0);
	return name;
}

/* --- the work --- */

static void draw(uint8_t *out, size_t len)
{
	FILE *f = fopen("/dev/urandom", "rb");

	setvbuf(f, NULL, _IONBF, 0); /* no copy on the heap */
	assert_int_equal(fread(out, 1, len, f), len);
	fclose(f);
}

static void forget_one(void)
{
	volatile uint8_t copy[8192]; /* again and again, as calls that come later take some of it */
	uint8_t key[32];

	draw(key, sizeof(key));
	is_secret("a copy", key, sizeof(key));
	for (unsigned i = 0; i < sizeof(copy); i++)
		copy[i] = key[i % sizeof(key)];
	explicit_bzero(key, sizeof(key));
	assert_true(copy[0] == (secrets[0].masked[0] ^ MASK));
}

static void use_files(void)
{
	char why[KEYFILE_WHY_MAX], digits[2 * SECP_KEY_LEN + 1];
	struct secp_key key, again;

	assert_int_equal(keyfile_create(path, &key, why), ERR_OK);
	assert_int_equal(keyfile_read(path, &again, why), ERR_OK);
	is_secret("the key of the file", key.bytes, sizeof(key.bytes));
	hex_encode(slice_of(key.bytes, sizeof(key.bytes)), digits);
	is_secret("its digits", digits, 2 * SECP_KEY_LEN);
	explicit_bzero(digits, sizeof(digits));
	secp_key_clear(&key);
	secp_key_clear(&again);
}

static void start_secp(struct secp *s)
{
	uint8_t random[SECP_RANDOM_LEN];

	draw(random, sizeof(random));
	secp_init(s, random);
	is_secret("what blinds the computation", random, sizeof(random));
	explicit_bzero(random, sizeof(random));
}

static void draw_key(const char *name, struct secp_key *out)
{
	uint8_t bytes[SECP_KEY_LEN];

	draw(bytes, sizeof(bytes));
	assert_true(secp_key_init(out, bytes));
	is_secret(name, bytes, sizeof(bytes));
	explicit_bzero(bytes, sizeof(bytes));
}

static void use_keys(void)
{
	uint8_t public[SECP_PUBLIC_LEN], hash[32], signature[SECP_SIGNATURE_LEN], shared[33];
	struct secp s;
	struct secp_key key;

	start_secp(&s);
	draw_key("a private key", &key);
	draw(hash, sizeof(hash));
	secp_public(&s, &key, public);
	secp_sign(&s, &key, hash, signature);
	assert_true(secp_ecdh_x(&s, &key, public, shared));
	is_secret("a shared secret", shared, 32);
	explicit_bzero(shared, sizeof(shared));
	assert_true(secp_ecdh_point(&s, &key, public, shared));
	explicit_bzero(shared, sizeof(shared));
	secp_key_clear(&key);
	secp_clear(&s);
}

static void draw_local(const struct secp *s, struct rlpx_local *out)
{
	memset(out, 0, sizeof(*out));
	out->secp = s;
	draw_key("a node's key", &out->key);
	draw_key("an ephemeral key", &out->ephemeral);
	draw_key("the key of a packet", &out->ecies.ephemeral);
	draw(out->nonce, sizeof(out->nonce));
	is_secret("a nonce", out->nonce, sizeof(out->nonce));
	draw(out->ecies.iv, sizeof(out->ecies.iv));
}

static void exchange(struct rlpx_frames *from, struct rlpx_frames *to)
{
	uint8_t frame[128], data[16];
	uint32_t len;
	struct writer w;

	writer_init(&w, frame, sizeof(frame));
	rlpx_frame_write(from, &w, slice_text("said in confidence"));
	assert_true(writer_ok(&w));
	assert_null(rlpx_header_read(to, frame, &len));
	assert_int_equal(len, 18);
	for (uint32_t at = 0; at < rlpx_padded(len); at += sizeof(data))
		rlpx_data_read(to, slice_of(frame + RLPX_HEADER_LEN + at, sizeof(data)), data);
	assert_null(rlpx_data_check(to, frame + RLPX_HEADER_LEN + rlpx_padded(len)));
}

static void speak(void)
{
	struct secp s;
	struct rlpx_local locals[2];
	struct rlpx_handshake a, b;
	struct rlpx_frames frames[2];
	struct rlpx_secrets agreed;
	uint8_t public[SECP_PUBLIC_LEN];
	struct slice auth, ack;

	start_secp(&s);
	for (unsigned i = 0; i < 2; i++)
		draw_local(&s, &locals[i]);
	secp_public(&s, &locals[1].key, public);
	rlpx_handshake_init(&a, SESSION_INITIATOR, &locals[0], public);
	rlpx_handshake_init(&b, SESSION_RESPONDER, &locals[1], NULL);
	explicit_bzero(locals, sizeof(locals));
	auth = rlpx_auth_write(&a);
	assert_null(rlpx_auth_read(&b, auth));
	ack = rlpx_ack_write(&b);
	assert_null(rlpx_ack_read(&a, ack));
	rlpx_secrets_derive(&a, &agreed);
	is_secret("the key of a stream", agreed.aes, sizeof(agreed.aes));
	is_secret("the key of its MACs", agreed.mac, sizeof(agreed.mac));
	explicit_bzero(&agreed, sizeof(agreed));
	rlpx_frames_init(&frames[0], &a, ack);
	rlpx_frames_init(&frames[1], &b, auth);
	rlpx_handshake_clear(&a);
	rlpx_handshake_clear(&b);
	exchange(&frames[0], &frames[1]);
	exchange(&frames[1], &frames[0]);
	rlpx_frames_clear(&frames[0]);
	rlpx_frames_clear(&frames[1]);
	secp_clear(&s);
}

static void draw_identity(void)
{
	uint8_t random[SECP_RANDOM_LEN + IDENTITY_SEED_LEN];
	struct identity id;
	struct rlpx_local local;

	draw(random, sizeof(random));
	identity_init(&id, NULL, random);
	is_secret("a seed", random + SECP_RANDOM_LEN, IDENTITY_SEED_LEN);
	is_secret("a node's own key", id.key.bytes, sizeof(id.key.bytes));
	explicit_bzero(random, sizeof(random));
	identity_local(&id, 7, &local);
	is_secret("a drawn key", local.ephemeral.bytes, sizeof(local.ephemeral.bytes));
	is_secret("a drawn nonce", local.nonce, sizeof(local.nonce));
	explicit_bzero(&local, sizeof(local));
	identity_clear(&id);
}

static void draw_node(struct identity *id, uint64_t nonce)
{
	uint8_t random[SECP_RANDOM_LEN + IDENTITY_SEED_LEN];
	struct rlpx_local local;

	draw(random, sizeof(random));
	identity_init(id, NULL, random);
	explicit_bzero(random, sizeof(random));
	is_secret("a node's own key", id->key.bytes, sizeof(id->key.bytes));
	identity_local(id, nonce, &local);
	is_secret("a key of a visit", local.ephemeral.bytes, sizeof(local.ephemeral.bytes));
	explicit_bzero(&local, sizeof(local));
}

static void on_visited(void *ctx, struct dial *dial, const struct record *record)
{
	bool *over = ctx;

	(void)dial;
	assert_int_equal(record->outcome, OUTCOME_CANCELLED);
	*over = true;
}

/* Of somebody who says nothing: nothing ends the handshake but ourselves. */
static void cancel_visit(void)
{
	enum { NONCE = 77 };
	static struct dialer dialer;
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct identity id, other;
	struct visit_config config = { .session = { .network = network_find("ethereum"),
						    .identity = &id,
						    .agent = slice_text("wiped/1") },
				       .connect_timeout_ms = 60000 };
	struct netaddr to;
	struct dial *dial;
	bool over = false;
	uv_loop_t loop;

	draw_node(&other, 0);
	draw_node(&id, NONCE);
	config.session.node_id = slice_of(other.public, sizeof(other.public));
	assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	to = netaddr_ipv4(INADDR_LOOPBACK, ntohs(at.sin_port));
	assert_int_equal(uv_loop_init(&loop), 0);
	dialer_init(&dialer, &loop);
	assert_int_equal(dial_start(&dialer, &config, &to, NULL, NONCE, on_visited, &over, &dial),
			 ERR_OK);
	while (dial_visit(dial)->state == VISIT_CONNECTING)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(dial_visit(dial)->state, VISIT_OPEN);
	dial_cancel(dial);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_true(over);
	assert_int_equal(uv_loop_close(&loop), 0);
	close(listener);
	identity_clear(&id);
	identity_clear(&other);
}

static void stand(void)
{
	struct identity id;
	struct node_serve_config config = {
		.identity = &id,
		.places = { { .addr = netaddr_ipv4(INADDR_LOOPBACK, 0) } },
		.places_count = 1,
		.client = slice_text("wiped/1"),
	};
	char why[NODE_SERVE_WHY_MAX];
	struct node_serve *node;
	uv_loop_t loop;

	draw_node(&id, 0);
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(node_serve_start(&loop, &config, &node, why), ERR_OK);
	uv_run(&loop, UV_RUN_NOWAIT);
	node_serve_stop(node);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	identity_clear(&id);
}

static void sign_record(void)
{
	uint8_t out[ENR_LEN_MAX];
	struct enr_draft draft;
	struct secp s;
	struct secp_key key;
	struct writer w;

	start_secp(&s);
	draw_key("the key of a record", &key);
	enr_draft_init(&draft, 1);
	writer_init(&w, out, sizeof(out));
	enr_draft_sign(&draft, &s, &key, &w);
	assert_true(writer_ok(&w));
	secp_key_clear(&key);
	secp_clear(&s);
}

/* --- tests --- */

static void expect_nothing(void (*work)(void))
{
	const char *name = left_by(work);

	if (name != NULL)
		fail_msg("%s is still in memory", name);
}

static void a_copy_is_found(void **state)
{
	const char *name = left_by(forget_one);

	(void)state;
	assert_non_null(name);
	assert_string_equal(name, "a copy");
}

static void nothing_is_left_of_files(void **state)
{
	struct stat st;

	(void)state;
	expect_nothing(use_files);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void nothing_is_left_of_signatures(void **state)
{
	(void)state;
	expect_nothing(use_keys);
	expect_nothing(sign_record);
}

static void nothing_is_left_of_connections(void **state)
{
	(void)state;
	expect_nothing(speak);
}

static void nothing_is_left_of_identities(void **state)
{
	(void)state;
	expect_nothing(draw_identity);
}

static void nothing_is_left_of_a_visit_that_was_cancelled(void **state)
{
	(void)state;
	expect_nothing(cancel_visit);
}

static void nothing_is_left_of_a_node(void **state)
{
	(void)state;
	expect_nothing(stand);
}

static int setup(void **state)
{
	(void)state;
	mallopt(M_ARENA_MAX, 1);
	stack = mmap(NULL, STACK_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	snprintf(path, sizeof(path), "/tmp/test_wiped.%ld", (long)getpid());
	return stack == MAP_FAILED;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return munmap(stack, STACK_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_is_found),
		cmocka_unit_test(nothing_is_left_of_files),
		cmocka_unit_test(nothing_is_left_of_signatures),
		cmocka_unit_test(nothing_is_left_of_connections),
		cmocka_unit_test(nothing_is_left_of_identities),
		cmocka_unit_test(nothing_is_left_of_a_visit_that_was_cancelled),
		cmocka_unit_test(nothing_is_left_of_a_node),
	};

	if (PEERWALK_UNCONFINED[0] != '\0') {
		puts("skipped: built for " PEERWALK_UNCONFINED ", which leaves copies of its own");
		return 77;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
