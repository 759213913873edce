/*
 * The status page and its data over HTTP: the assets of roles/up/web, `GET /v1/stack` with the
 * overview, and `GET /v1/events`, which sends the overview again whenever it changed. Nothing here
 * changes state.
 */
#ifndef LSYS_ROLES_UP_PAGE_H
#define LSYS_ROLES_UP_PAGE_H

#include <stddef.h>

#include "base/bytes.h"
#include "net/http_server.h"

/* Browsers that may follow at once; a tab each. Further ones get 503. */
#define PAGE_FOLLOWERS_MAX 64

struct page;

/* Gives the overview as JSON, valid until the next call. */
typedef struct bytes page_overview(void *owner);

/* Adds the page's routes to the server. The page must live as long as the server. Never NULL. */
struct page *page_new(struct http_server *server, page_overview *overview, void *owner);

/* Sends the overview to everyone who follows. */
void page_broadcast(struct page *page);

/* How many follow now. */
size_t page_followers(const struct page *page);

/* Frees the page once its server is closed. NULL is fine. */
void page_free(struct page *page);

#endif
