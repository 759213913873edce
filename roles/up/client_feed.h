/*
 * Follows what the license-client of this process tells applications: its server-sent events, over
 * the same loopback HTTP that every application uses, so that the page shows exactly what they are
 * told. Connects again by itself, after one second, for as long as it is open.
 */
#ifndef LSYS_ROLES_UP_CLIENT_FEED_H
#define LSYS_ROLES_UP_CLIENT_FEED_H

#include "codec/json.h"
#include "loop/loop.h"
#include "net/tls_context.h"

struct client_feed;

/* The license document changed; borrowed until the next call. */
typedef void client_feed_callback(void *context, const struct json_value *license);

/* Starts following `base_url` ("http://127.0.0.1:8002"), which is copied. For https `tls` says whom
 * to believe; it is held. Never NULL. */
struct client_feed *client_feed_open(struct loop *loop, const char *base_url,
                                     struct tls_client_context *tls, client_feed_callback *callback,
                                     void *context);

/* The last document, or NULL before the first one. */
const struct json_value *client_feed_license(const struct client_feed *feed);

/* Ends it; the pointer and the documents are invalid when the calling callback returns. NULL is
 * fine. */
void client_feed_close(struct client_feed *feed);

#endif
