/*
 * Asking a running role over HTTP from a tool: one GET, waited for.
 */
#ifndef LSYS_APP_ASK_H
#define LSYS_APP_ASK_H

#include <stdbool.h>

#include "base/attributes.h"
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

/* GETs `base_url` (http://HOST:PORT, or unix:/path) with `path` ("/v1/license") appended. True when
 * an answer came, whatever its HTTP status. Otherwise false with STATUS_CONFIG (a bad URL) or the
 * errors of the HTTP client, naming the URL. The caller gives `out` to answer_free in any case. */
bool ask(const char *base_url, const char *path, struct answer *out,
         struct status *status) MUST_CHECK;

void answer_free(struct answer *answer);

#endif
