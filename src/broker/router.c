#include "broker/router.h"

#include <string.h>

#include "broker/claims_service.h"
#include "broker/flow.h"
#include "broker/limits.h"
#include "broker/replies.h"
#include "broker/subject.h"

/* "1048576 1048576\r\n" and room to spare. */
#define NUMBERS_BYTES 48

/* Larger payloads are given to the stream apart from their line, which then may go to the end of an
 * output chunk that has no room for all of it. */
#define INLINE_PAYLOAD_BYTES 4096

/* How a message looks to one kind of receiver. */
struct form {
    const char *verb; /* "MSG " or "HMSG " */
    size_t verb_length;
    char numbers[NUMBERS_BYTES]; /* sizes and CRLF */
    size_t numbers_length;
    struct bytes payload; /* a CRLF follows it in memory */
};

struct message {
    struct client *publisher;
    uint64_t only_client; /* nobody else may receive it; 0: everybody */
    uint64_t number;      /* of what was published; the same in all accounts */
    unsigned hops;        /* accounts that it came through */
    struct bytes subject;
    struct bytes reply;
    const struct frame *frame;
    struct form plain;       /* without headers, or with them cut off */
    struct form with_header; /* only when the message has some */
    bool has_header;
};

/* ---- putting lines together ---- */

static inline uint8_t *put(uint8_t *out, const void *from, size_t length) {
    memcpy(out, from, length);
    return out + length;
}

/* As put, without a call for the few bytes that subjects and sids mostly have. */
static inline uint8_t *put_short(uint8_t *out, const uint8_t *from, size_t length) {
    if (length > 16) return put(out, from, length);
    if (length >= 8) {
        memcpy(out, from, 8);
        memcpy(out + length - 8, from + length - 8, 8);
    } else if (length >= 4) {
        memcpy(out, from, 4);
        memcpy(out + length - 4, from + length - 4, 4);
    } else {
        for (size_t i = 0; i < length; i++)
            out[i] = from[i];
    }
    return out + length;
}

static char *put_number(char *out, size_t number) {
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0)
        *out++ = digits[--count];
    return out;
}

static void make_plain(struct form *form, struct bytes payload) {
    form->verb = "MSG ";
    form->verb_length = 4;
    form->payload = payload;
    char *end = put_number(form->numbers, payload.length);
    *end++ = '\r';
    *end++ = '\n';
    form->numbers_length = (size_t)(end - form->numbers);
}

static void make_with_header(struct form *form, struct bytes payload, size_t header_length) {
    form->verb = "HMSG ";
    form->verb_length = 5;
    form->payload = payload;
    char *end = put_number(form->numbers, header_length);
    *end++ = ' ';
    end = put_number(end, payload.length);
    *end++ = '\r';
    *end++ = '\n';
    form->numbers_length = (size_t)(end - form->numbers);
}

static void make_message(struct message *message, struct client *publisher,
                         const struct frame *frame) {
    size_t header = frame->header_length;
    message->publisher = publisher;
    message->only_client = 0;
    message->number = ++publisher->broker->published;
    message->hops = 0;
    message->subject = frame->subject;
    message->reply = frame->reply;
    message->has_header = header > 0;
    make_plain(&message->plain,
               bytes_of(frame->payload.data + header, frame->payload.length - header));
    if (message->has_header) make_with_header(&message->with_header, frame->payload, header);
}

/* ---- delivering ---- */

/* Writes the message for one subscription. Returns the bytes written, 0 when the stream takes
 * none. */
static size_t write_message(const struct message *message, const struct form *form,
                            struct client *client, const struct subscription *subscription) {
    size_t payload = form->payload.length + 2;
    size_t line = form->verb_length + message->subject.length + 1 + subscription->sid_length + 1 +
                  message->reply.length + 1 + form->numbers_length;
    bool in_one = payload <= INLINE_PAYLOAD_BYTES;
    uint8_t *start = stream_reserve(client->stream, line + (in_one ? payload : 0));
    if (start == NULL) return 0;
    uint8_t *out = put(start, form->verb, 4);
    if (form->verb_length == 5) *out++ = ' ';
    out = put_short(out, message->subject.data, message->subject.length);
    *out++ = ' ';
    out = put_short(out, subscription->sid, subscription->sid_length + 1U);
    if (message->reply.length > 0) {
        out = put(out, message->reply.data, message->reply.length);
        *out++ = ' ';
    }
    out = put_short(out, (const uint8_t *)form->numbers, form->numbers_length);
    if (in_one) out = put(out, form->payload.data, payload);
    stream_commit(client->stream, (size_t)(out - start));
    if (!in_one) stream_write(client->stream, form->payload.data, payload);
    return line + payload;
}

static bool may_receive(const struct message *message, const struct subscription *subscription) {
    const struct client *client = subscription->client;
    if (subscription->is_closed) return false;
    if (client == message->publisher && !client->options.echo) return false;
    if (message->only_client != 0 && client->id != message->only_client) return false;
    if (!subscription->needs_filter) return true;
    return permissions_may_receive(client_permissions(client), message->subject);
}

/* Delivers to one subscription; false when it may not receive the message. */
static bool deliver(const struct message *message, struct subscription *subscription) {
    if (!may_receive(message, subscription)) return false;
    struct client *client = subscription->client;
    struct broker *broker = client->broker;
    bool with_header = message->has_header && client->options.headers;
    const struct form *form = with_header ? &message->with_header : &message->plain;
    size_t written = write_message(message, form, client, subscription);
    if (written == 0) return false;
    broker->turn_bytes += written;
    client->out_messages++;
    client->out_bytes += form->payload.length;
    broker->counters.out_messages++;
    broker->counters.out_bytes += form->payload.length;
    if (message->reply.length > 0 && client->user != NULL && client->user->permissions != NULL &&
        client->user->permissions->allow_responses)
        replies_remember(client, message->reply);
    subscription->delivered++;
    if (subscription->maximum != 0 && subscription->delivered >= subscription->maximum)
        subscription_close(subscription);
    if (stream_pending_bytes(client->stream) > FLOW_UNNOTICED_BYTES)
        flow_note_pending(client, message->publisher);
    return true;
}

/* xorshift64: spreads messages over the members of a queue; nothing secret depends on it. */
static uint32_t pick(struct broker *broker, uint32_t count) {
    uint64_t state = broker->random_state;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    broker->random_state = state;
    return (uint32_t)(((state >> 32) * count) >> 32);
}

/* One member of the group gets it: a random one, or the next after it that may. */
static bool deliver_to_queue(const struct message *message, const struct subject_match *match,
                             struct subject_queue queue) {
    uint32_t at = pick(message->publisher->broker, queue.count);
    for (uint32_t tried = 0; tried < queue.count; tried++) {
        if (deliver(message, (struct subscription *)(void *)match->queued[queue.first + at]))
            return true;
        if (++at == queue.count) at = 0;
    }
    return false;
}

static bool deliver_to_all(const struct message *message, const struct subject_match *match) {
    bool delivered = false;
    for (uint32_t i = 0; i < match->plain_count; i++)
        delivered |= deliver(message, (struct subscription *)(void *)match->plain[i]);
    for (uint32_t i = 0; i < match->queue_count; i++)
        delivered |= deliver_to_queue(message, match, match->queues[i]);
    return delivered;
}

/* ---- what the broker itself says ---- */

/* The requester's own plain subscription to the reply subject, or NULL. */
static const struct subscription *find_inbox(const struct client *requester, struct bytes reply) {
    const struct subject_match *match = subject_index_match(requester->account->index, reply);
    for (uint32_t i = 0; i < match->plain_count; i++) {
        const struct subscription *subscription =
            (const struct subscription *)(const void *)match->plain[i];
        if (subscription->client == requester) return subscription;
    }
    return NULL;
}

/* Writes the line of a message up to its numbers. */
static void write_answer_line(const struct subscription *inbox, const char *verb,
                              struct bytes reply) {
    struct stream *stream = inbox->client->stream;
    stream_write(stream, verb, strlen(verb));
    stream_write(stream, reply.data, reply.length);
    stream_write(stream, " ", 1);
    stream_write(stream, inbox->sid, inbox->sid_length + 1U);
}

/* Tells a requester that nobody listens. */
static void answer_no_responders(struct client *requester, struct bytes reply) {
    static const char status[] = "16 16\r\nNATS/1.0 503\r\n\r\n\r\n";
    const struct subscription *inbox = find_inbox(requester, reply);
    if (inbox == NULL) return;
    write_answer_line(inbox, "HMSG ", reply);
    stream_write(requester->stream, status, sizeof status - 1);
}

void router_answer(struct client *requester, struct bytes reply, struct bytes payload) {
    const struct subscription *inbox = find_inbox(requester, reply);
    struct form form;
    if (inbox == NULL) return;
    make_plain(&form, payload);
    write_answer_line(inbox, "MSG ", reply);
    stream_write(requester->stream, form.numbers, form.numbers_length);
    stream_write(requester->stream, payload.data, payload.length);
    stream_write(requester->stream, "\r\n", 2);
}

/* ---- to other accounts ---- */

/* A requester who may not publish to its reply subject itself must not have a service do so: then
 * the answer is for its own subscriptions alone. */
static uint64_t sole_receiver(const struct message *message) {
    const struct client *requester = message->publisher;
    const struct permissions *permissions = client_permissions(requester);
    bool may = permissions == NULL || permissions_may_publish(permissions, message->reply);
    return may ? message->only_client : requester->id;
}

static bool route(const struct message *message, struct account *account);

/* As a request in the exporter's account, whose answer finds its way back. */
static bool pass_to_service(const struct message *message, const struct link *link,
                            struct account *importer) {
    struct broker *broker = message->publisher->broker;
    struct message request = *message;
    char reply[ANSWERS_SUBJECT_BYTES];
    bool wants_answer = message->reply.length > 0;
    if (wants_answer) {
        struct answer_way way = {.to = importer,
                                 .only_client = sole_receiver(message),
                                 .many = link->many_answers,
                                 .threshold_ms = link->threshold_ms,
                                 .reply = message->reply};
        answers_owe(&link->to->links->answers, &way, broker_now_ms(broker), reply);
        request.reply = bytes_of_text(reply);
    }
    request.only_client = 0;
    bool delivered = route(&request, link->to);
    if (wants_answer && !delivered) answers_forget(&link->to->links->answers, reply);
    return delivered;
}

static bool pass_on(const struct message *message, const struct link *link,
                    struct account *account) {
    uint8_t subject[LIMIT_CONTROL_LINE_MAX_BYTES];
    struct message passed = *message;
    passed.hops++;
    passed.subject = subject_map_apply(&link->map, message->subject, subject, sizeof subject);
    if (passed.subject.length == 0) return false;
    if (link->kind == NATS_SERVICE) return pass_to_service(&passed, link, account);
    return deliver_to_all(&passed, subject_index_match(link->to->index, passed.subject));
}

static bool follow_links(const struct message *message, struct account *account) {
    struct links *links = account->links;
    bool delivered = false;
    const struct subject_match *match = subject_index_match(links->index, message->subject);
    if (match->plain_count > 0) links->followed = message->number;
    for (uint32_t i = 0; i < match->plain_count; i++)
        delivered |= pass_on(message, (const struct link *)(const void *)match->plain[i], account);
    return delivered;
}

/* An answer that this account owes another; it may ask in turn for one. */
static bool pass_answer(const struct message *message, struct account *account, bool *delivered) {
    uint8_t reply[LIMIT_CONTROL_LINE_MAX_BYTES];
    struct message passed = *message;
    struct answer_way way;
    char back[ANSWERS_SUBJECT_BYTES];
    int64_t now_ms = broker_now_ms(message->publisher->broker);
    if (!answers_take(&account->links->answers, message->subject, now_ms, &way, reply,
                      sizeof reply))
        return false;
    struct account *receiver = way.to;
    passed.hops++;
    passed.subject = way.reply;
    passed.only_client = way.only_client;
    if (message->reply.length > 0) {
        way.to = account;
        way.only_client = sole_receiver(message);
        way.reply = message->reply;
        answers_owe(&receiver->links->answers, &way, now_ms, back);
        passed.reply = bytes_of_text(back);
    }
    *delivered = route(&passed, receiver);
    return true;
}

/* Sends it to everybody who receives what was published in the account. One that comes to an
 * account whose links it has followed before ends there: each account follows them once, however
 * many ways lead to it. One for a single client follows none: a service of a third account would
 * take it as published by somebody who may do so. */
static bool route(const struct message *message, struct account *account) {
    bool delivered = false;
    bool is_linked = account->links != NULL;
    if (message->hops > LIMIT_HOPS) return false;
    if (is_linked && account->links->followed == message->number) return false;
    if (is_linked && pass_answer(message, account, &delivered)) return delivered;
    delivered = deliver_to_all(message, subject_index_match(account->index, message->subject));
    if (is_linked && message->only_client == 0) delivered |= follow_links(message, account);
    return delivered;
}

/* ---- publishing ---- */

static bool may_publish(struct client *publisher, struct bytes subject) {
    const struct permissions *permissions = client_permissions(publisher);
    if (permissions == NULL || permissions_may_publish(permissions, subject)) return true;
    if (permissions->allow_responses && replies_use(publisher, subject)) return true;
    client_error(publisher, "Permissions Violation for Publish to \"%.*s\"", (int)subject.length,
                 (const char *)subject.data);
    return false;
}

void router_publish(struct client *publisher, const struct frame *frame) {
    struct broker *broker = publisher->broker;
    if (frame->has_headers && !publisher->options.headers) {
        client_refuse(publisher, NULL, "HPUB without headers in CONNECT");
        return;
    }
    publisher->in_messages++;
    publisher->in_bytes += frame->payload.length;
    broker->counters.in_messages++;
    broker->counters.in_bytes += frame->payload.length;
    if (publisher->options.pedantic && !subject_is_literal(frame->subject))
        client_error(publisher, "Invalid Publish Subject");
    if (!may_publish(publisher, frame->subject)) return;
    client_ok(publisher);

    if (publisher->account->is_system && claims_service_handle(publisher, frame)) return;

    struct message message;
    make_message(&message, publisher, frame);
    bool delivered = route(&message, publisher->account);
    if (!delivered && frame->reply.length > 0 && publisher->options.no_responders &&
        !publisher->is_closing)
        answer_no_responders(publisher, frame->reply);
}
