/*
 * The whole stack as one JSON document: what `GET /v1/stack` answers, what the page's events carry.
 *
 *     {"version","time","license":{...as the client tells it},"heartbeat":{"count","age_ms","timeout_ms"},
 *      "roles":[{"name","summary","ready","condition","state","detail","reasons":[],"facts":[{label,value}]}],
 *      "events":[{"time","level","role","text"}],"commands":[{"purpose","line"}]}
 */
#ifndef LSYS_ROLES_UP_OVERVIEW_H
#define LSYS_ROLES_UP_OVERVIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/status.h"
#include "codec/json.h"
#include "roles/up/history.h"
#include "roles/up/stack.h"

/* A license document, a dozen roles and HISTORY_EVENTS_MAX events fit several times. */
#define OVERVIEW_BYTES_MAX 524288

/* The heartbeat as the client of this process hears it. */
struct heartbeat_view {
    int64_t last_monotonic_ms; /* 0: none yet */
    int64_t timeout_ms; /* after which the client turns to community; 0: there is no client */
    uint64_t count;     /* heard since the start */
};

struct overview {
    const struct stack *stack;
    const struct json_value *license; /* NULL: not known yet */
    const struct history *history;
    struct heartbeat_view heartbeat;
    const char *ca_path;    /* with --secure: whom to trust, for the commands; else NULL */
    const char *creds_path; /* and how to be let in by the broker */
    int64_t wall_ms;
    int64_t monotonic_ms;
};

/* Appends the document to `out`, which is empty. STATUS_TOO_LARGE when it does not fit. */
bool overview_write(const struct overview *overview, struct buffer *out,
                    struct status *status) MUST_CHECK;

/* The first address of a role with this scheme ("http://"), copied to `out`; false when it has
 * none. */
bool overview_address(const struct stack_member *member, const char *scheme, char *out,
                      size_t out_bytes);

#endif
