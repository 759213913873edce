/*
 * Every limit of the broker, with its reason. Values that stock NATS clients can observe are those
 * of nats-server; the others bound what a client can make the broker spend.
 */
#ifndef LSYS_BROKER_LIMITS_H
#define LSYS_BROKER_LIMITS_H

/* Default for the largest payload, headers included, as nats-server has it; INFO announces it. */
#define LIMIT_PAYLOAD_BYTES (1024 * 1024)

/* The most that configuration may ask for: a payload is held in memory whole while it arrives. */
#define LIMIT_PAYLOAD_MAX_BYTES (64 * 1024 * 1024)

/* Arguments of one operation, CONNECT included: more is an attempt to make us hold memory. */
#define LIMIT_CONTROL_LINE_BYTES 4096

/* The most that configuration may ask for: the line of a message, with the longest subject, sid and
 * reply, must fit one output chunk together with a small payload. */
#define LIMIT_CONTROL_LINE_MAX_BYTES 8192

/* Subscriptions of one connection: about 40 MB of index for a client that asks for all of them. */
#define LIMIT_SUBSCRIPTIONS 100000

/* Connections, as nats-server has it; the descriptor limit of the process usually comes first. */
#define LIMIT_CONNECTIONS 65536

/* Connections to the WebSocket listener, as many of them from one address as there may be in all:
 * behind a proxy all browsers have the proxy's. */
#define LIMIT_WEBSOCKETS 4096

/* Connections that have not yet authenticated, at most half of the descriptors. A flood of them
 * must not use up all for the two seconds that each may take. */
#define LIMIT_UNAUTHENTICATED 4096

/* Of these, from one address that is not this machine: a site behind one address may come back all
 * together, but may not shut out the others. */
#define LIMIT_UNAUTHENTICATED_OF_ADDRESS 256

/* Bytes waiting for one client before it is cut off as a slow consumer, as nats-server has it. */
#define LIMIT_PENDING_BYTES (64L * 1024 * 1024)

/* Bytes waiting for all clients together; the one with the most is cut off first. Also the bound
 * for what is held of incoming messages that have not come whole. */
#define LIMIT_PENDING_TOTAL_BYTES (256L * 1024 * 1024)

/* A publisher is not read from while one of its consumers has this much waiting, until all of
 * it is sent ... */
#define LIMIT_STALL_HIGH_BYTES (1024L * 1024)

/* ... or this long has passed: then whoever is behind holds nobody back any more, until it has
 * caught up. A consumer that stopped reading costs each publisher this pause once, not its
 * throughput. */
#define LIMIT_STALL_MS 500

/* And for at least so long, lest one that stops and goes on by turns costs a pause each time. */
#define LIMIT_LAG_MS 10000

/* The high mark while all clients together have more than half of the total waiting. */
#define LIMIT_STALL_CROWDED_BYTES (64L * 1024)

/* What was waiting must have left after this long, or the client is a slow consumer. */
#define LIMIT_WRITE_DEADLINE_MS 10000

/* From accept to a good CONNECT, when credentials are required, and to the end of the TLS
 * handshake. */
#define LIMIT_AUTHENTICATION_MS 2000

/* Silence after which the broker sends PING, and the first one, which measures the round trip. */
#define LIMIT_PING_INTERVAL_MS       120000
#define LIMIT_FIRST_PING_INTERVAL_MS 2000

/* PINGs that may be unanswered before the connection is stale. */
#define LIMIT_PINGS_OUTSTANDING 2

/* How often deadlines are looked at while there are clients. */
#define LIMIT_TICK_MS 250

/* Bytes queued on behalf of one read before the loop gets its turn: one publisher with a thousand
 * subscribers must not keep the other roles of the process waiting. */
#define LIMIT_TURN_BYTES (4L * 1024 * 1024)

/* After the lame duck notice: time for clients to move, and over how long the rest are closed. */
#define LIMIT_LAME_DUCK_GRACE_MS  10000
#define LIMIT_LAME_DUCK_SPREAD_MS 120000

/* A refused client is logged this often at most: anybody can be refused a thousand times a
 * second. */
#define LIMIT_REFUSAL_LOG_MS 100

/* Replies that a user with allow_responses may still send; the oldest are forgotten. */
#define LIMIT_REPLIES_REMEMBERED 4096

/* Answers that the services of an account owe to other accounts: 200 bytes each. */
#define LIMIT_ANSWERS_OWED 65536

/* How long they are waited for, unless the export says it; as nats-server has it. */
#define LIMIT_ANSWER_MS 120000

/* Accounts that a message may come through, one behind the other: by services that ask services, and
 * answers that ask back. Each takes some KiB of the stack. */
#define LIMIT_HOPS 16

#endif
