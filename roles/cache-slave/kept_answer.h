/*
 * The answer to "what may this place use", kept from one request to the next. Nearly all of its
 * text stays the same for minutes, and writing it anew costs several times what the rest of a
 * request does.
 *
 * What is kept is tied to its subject, by value: the state, the status, and the digest of the
 * license's token. Every request judges the license anew, at its own moment, and takes the kept
 * text only if the subject of its own judgement is equal. So there is nothing to invalidate, and no
 * text outlives what it was made of: the millisecond in which a license ends, a revocation, or the
 * end of the TTL changes the subject, whoever caused it.
 *
 *     {"licensed":true, ... ,"license":{...}   ,"age_ms":840,"reason":"..."}
 *     |<------- kept, for its subject ----->|  |<- written for each request ->|
 */
#ifndef LSYS_ROLES_CACHE_SLAVE_KEPT_ANSWER_H
#define LSYS_ROLES_CACHE_SLAVE_KEPT_ANSWER_H

#include "base/buffer.h"
#include "roles/cache-slave/slave.h"

struct kept_answer;

/* Begins with nothing kept. Never NULL. */
struct kept_answer *kept_answer_open(void);

/* NULL is harmless. */
void kept_answer_close(struct kept_answer *kept);

/* Writes the answer of slave_answer_license for this view. Valid until the next call; failed when
 * it is too large. */
const struct buffer *kept_answer_write(struct kept_answer *kept, const struct cache_slave *slave,
                                       const struct slave_view *view);

#endif
