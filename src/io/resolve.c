#include "io/resolve.h"

#include "io/dial.h"

#include <assert.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 256 /* RFC 1035 allows 253 characters */ };

/* One name's work; belongs to its thread until it is queued, then to the loop. */
struct lookup {
	struct shared *shared;
	struct lookup *next;
	char name[NAME_MAX_BYTES];
	uint16_t port;
	int error; /* of getaddrinfo */
	size_t count;
	struct netaddr addrs[RESOLVE_PER_NAME_MAX];
};

/* What the threads and the loop share; lives until the last of them lets go. */
struct shared {
	pthread_mutex_t lock;
	unsigned users;
	uv_async_t *async; /* NULL: nobody listens any more */
	struct lookup *answered;
};

struct resolve {
	uv_async_t async;
	struct shared *shared;
	resolve_fn *on_answer;
	void *ctx;
	size_t left;
};

/* Called with the lock held, which it gives up. */
static void let_go(struct shared *s)
{
	bool last = --s->users == 0;

	pthread_mutex_unlock(&s->lock);
	if (!last)
		return;
	while (s->answered != NULL) {
		struct lookup *next = s->answered->next;

		free(s->answered);
		s->answered = next;
	}
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static void look_up(struct lookup *l)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;

	l->error = getaddrinfo(l->name, NULL, &hints, &found);
	if (l->error != 0)
		return;
	for (struct addrinfo *a = found; a != NULL && l->count < RESOLVE_PER_NAME_MAX;
	     a = a->ai_next) {
		if (dial_netaddr(a->ai_addr, &l->addrs[l->count])) {
			l->addrs[l->count].port = l->port;
			l->count++;
		}
	}
	freeaddrinfo(found);
}

static void *run(void *arg)
{
	struct lookup *l = arg;
	struct shared *s = l->shared;

	look_up(l);
	pthread_mutex_lock(&s->lock);
	l->next = s->answered;
	s->answered = l;
	if (s->async != NULL)
		uv_async_send(s->async);
	let_go(s);
	return NULL;
}

static void on_async(uv_async_t *async)
{
	struct resolve *r = async->data;
	struct lookup *l;

	pthread_mutex_lock(&r->shared->lock);
	l = r->shared->answered;
	r->shared->answered = NULL;
	pthread_mutex_unlock(&r->shared->lock);
	while (l != NULL) {
		struct lookup *next = l->next;

		r->left--;
		if (r->on_answer != NULL)
			r->on_answer(r->ctx,
				     &(struct resolve_answer){
					     .name = l->name,
					     .error = l->error != 0 ? gai_strerror(l->error) : NULL,
					     .addrs = l->addrs,
					     .count = l->count,
					     .left = r->left });
		free(l);
		l = next;
	}
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void resolve_stop(struct resolve *r)
{
	r->on_answer = NULL;
	pthread_mutex_lock(&r->shared->lock);
	r->shared->async = NULL;
	let_go(r->shared);
	r->shared = NULL;
	uv_close((uv_handle_t *)&r->async, on_closed);
}

static enum err start_one(struct resolve *r, const char *name, uint16_t port)
{
	struct lookup *l = calloc(1, sizeof(*l));
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	if (l == NULL)
		return ERR_NOMEM;
	if (strlen(name) >= sizeof(l->name)) {
		free(l);
		return ERR_LIMIT;
	}
	memcpy(l->name, name, strlen(name) + 1);
	l->shared = r->shared;
	l->port = port;
	pthread_mutex_lock(&r->shared->lock);
	r->shared->users++;
	pthread_mutex_unlock(&r->shared->lock);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&thread, &attr, run, l);
	pthread_attr_destroy(&attr);
	if (err == 0)
		return ERR_OK;
	pthread_mutex_lock(&r->shared->lock);
	assert(r->shared->users > 1); /* the loop holds it still */
	let_go(r->shared);
	free(l);
	return ERR_IO;
}

enum err resolve_start(uv_loop_t *loop, const struct resolve_name *names, size_t count,
		       resolve_fn *on_answer, void *ctx, struct resolve **out)
{
	struct resolve *r = calloc(1, sizeof(*r));
	enum err err = ERR_OK;

	*out = NULL;
	if (r == NULL || (r->shared = calloc(1, sizeof(*r->shared))) == NULL) {
		free(r);
		return ERR_NOMEM;
	}
	pthread_mutex_init(&r->shared->lock, NULL);
	r->shared->users = 1;
	r->shared->async = &r->async;
	r->on_answer = on_answer;
	r->ctx = ctx;
	r->left = count;
	r->async.data = r;
	if (uv_async_init(loop, &r->async, on_async) != 0) {
		pthread_mutex_lock(&r->shared->lock);
		let_go(r->shared);
		free(r);
		return ERR_IO;
	}
	if (count > RESOLVE_NAMES_MAX)
		err = ERR_LIMIT;
	for (size_t i = 0; err == ERR_OK && i < count; i++)
		err = start_one(r, names[i].name, names[i].port);
	if (err != ERR_OK) {
		resolve_stop(r);
		return err;
	}
	*out = r;
	return ERR_OK;
}
