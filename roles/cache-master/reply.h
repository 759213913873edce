/*
 * What the master's answers have in common: an object under construction, and refusals.
 */
#ifndef LSYS_ROLES_CACHE_MASTER_REPLY_H
#define LSYS_ROLES_CACHE_MASTER_REPLY_H

#include "app/role_http.h"
#include "base/buffer.h"
#include "base/status.h"
#include "codec/json_writer.h"
#include "net/http_request.h"

/* Bodies other than a license: {"name":"...","scopes":[...]}. */
#define REPLY_SMALL_BODY_BYTES 4096

struct reply {
    struct buffer body;
    struct json_writer json; /* inside of the object */
};

void reply_begin(struct reply *reply);

/* Ends the object, answers with it, and wipes it. */
void reply_send(struct reply *reply, struct http_request *request, int http_status);

/* Answers with the problem that the status is. */
void reply_refuse(struct http_request *request, const struct status *status);

#endif
