/*
 * How fast publishers may go, and who is too slow. A publisher is not read from while a consumer of
 * its messages has much waiting; a consumer that does not take what is waiting is cut off. So
 * memory is bounded, a consumer that is only a little slower slows its publishers down to its own
 * pace, and one that stopped reading costs them one short pause.
 *
 *     pending > high mark  ->  publisher stalls  ->  consumer drained: publisher goes on
 *                                                \-> LIMIT_STALL_MS: publisher goes on; whoever is
 *                                                    behind is lagging and stalls nobody, until it has
 *                                                    drained and LIMIT_LAG_MS have passed
 *     pending > maximum, or nothing moved for the write deadline  ->  consumer is cut off
 *
 * Private to src/broker.
 */
#ifndef LSYS_BROKER_FLOW_H
#define LSYS_BROKER_FLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/client.h"

/* Pending output that is not worth looking at: more than a stream gathers before it sends. */
#define FLOW_UNNOTICED_BYTES (2 * STREAM_GATHER_BYTES)

/* Called when `consumer` has more than FLOW_UNNOTICED_BYTES waiting after something was written for
 * it on behalf of `publisher` (NULL: on behalf of the broker). May cut the consumer off, or another
 * one, and may stall the publisher. */
void flow_note_pending(struct client *consumer, struct client *publisher);

/* Called when nothing is waiting any more. */
void flow_drained(struct client *consumer);

/* Forgets a client that is going away, and lets go on whom it held back. */
void flow_forget(struct client *client);

/* True while the client's input must wait. */
static inline bool flow_is_stalled(const struct client *client) {
    return client->stalled_by != NULL;
}

/* Ends stalls that have lasted long enough, and connections whose output does not move. */
void flow_tick(struct broker *broker);

#endif
