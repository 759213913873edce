/*
 * Asking a running role over HTTP from a tool: one call, waited for.
 */
#ifndef LSYS_APP_ASK_H
#define LSYS_APP_ASK_H

#include <stdbool.h>

#include "app/options.h"
#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "codec/json.h"

/* A role on the same machine answers in a millisecond; a person waits this long without
 * wondering. */
#define ASK_TIMEOUT_MS 5000

/* Largest answer that is read. */
#define ASK_ANSWER_BYTES (1024 * 1024)

struct answer {
    int http_status;                /* 200, 403, 503 ... */
    struct json_document *document; /* the body when it is JSON, else NULL; owned */
};

/* GETs `base_url` (http://HOST:PORT, https:// with the values of https_options, or unix:/path) with
 * `path` ("/v1/license") appended. True when an answer came, whatever its HTTP status. Otherwise
 * false with STATUS_CONFIG (a bad URL) or the errors of the HTTP client, naming the URL. The caller
 * gives `out` to answer_free in any case. */
bool ask(const struct options *options, const char *base_url, const char *path, struct answer *out,
         struct status *status) MUST_CHECK;

/* A call that is more than a plain GET. */
struct ask_request {
    const char *method;            /* "POST", "DELETE" ... */
    const char *base_url;          /* as for ask */
    const char *path;              /* as it goes on the wire, escaped */
    const char *api_key;           /* sent as X-API-Key; NULL: none */
    const struct options *options; /* with the rows of https_options; NULL: no https */
    struct bytes body;             /* may be empty */
};

/* As ask, for any call. */
bool ask_call(const struct ask_request *request, struct answer *out,
              struct status *status) MUST_CHECK;

/* The text for people in an answer that is a problem document (RFC 9457): its detail, else its
 * title, else "". Lives as long as the answer. */
const char *answer_problem(const struct answer *answer);

void answer_free(struct answer *answer);

#endif
