#include "roles/cache-slave/pulled.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "codec/http_date.h"

static enum cache_outcome outcome_of_failure(enum status_code code) {
    switch (code) {
    case STATUS_TIMEOUT: return CACHE_TIMED_OUT;
    case STATUS_TOO_LARGE: return CACHE_GARBAGE;
    default: return CACHE_UNREACHABLE;
    }
}

static int64_t at_most_an_hour(int64_t wait_ms) {
    if (wait_ms < 0) return 0;
    return wait_ms > CACHE_RETRY_AFTER_MAX_MS ? CACHE_RETRY_AFTER_MAX_MS : wait_ms;
}

/* Retry-After in seconds or as a date (RFC 9110, section 10.2.3). A date is compared with the
 * server's own clock, where it says what that shows. */
static int64_t read_retry_after_ms(const struct http_response *response) {
    int64_t seconds, until_ms, now_ms = clock_wall_ms();
    struct bytes text = http_response_field(response, "Retry-After");
    if (!text.data) return 0;
    if (text_read_integer(text, &seconds)) /* cut before it is multiplied */
        return at_most_an_hour(at_most_an_hour(seconds) * 1000);
    if (!http_date_parse(text, now_ms, &until_ms)) return 0;
    struct bytes date = http_response_field(response, "Date");
    if (date.data) http_date_parse(date, now_ms, &now_ms);
    return at_most_an_hour(until_ms - now_ms);
}

static int64_t read_age_ms(const struct http_response *response) {
    int64_t age_ms;
    struct bytes text = http_response_field(response, LICENSE_FEED_AGE_FIELD);
    return text.data && text_read_integer(text, &age_ms) && age_ms > 0 ? age_ms : 0;
}

/* What the master says about a refusal, cut to something that fits into a log line. */
static void read_problem(const struct http_response *response, struct status *status) {
    struct status ignored = STATUS_INIT;
    struct json_document *document =
        json_document_parse(response->body, ROLE_HTTP_ANSWER_BYTES, &ignored);
    const struct json_value *root = document ? json_document_root(document) : NULL;
    const char *detail = json_member_text(root, "detail");
    status_fail(status, STATUS_UNAVAILABLE, "the master answered %d%s%.200s", response->status,
                detail ? ": " : "", detail ? detail : "");
    json_document_free(document);
}

static void read_etag(const struct http_response *response, char out[PULLED_ETAG_BYTES]) {
    struct bytes etag = http_response_field(response, "ETag");
    out[0] = '\0';
    if (!etag.data || etag.length == 0 || etag.length >= PULLED_ETAG_BYTES) return;
    memcpy(out, etag.data, etag.length);
    out[etag.length] = '\0';
}

void pulled_read(const struct http_response *response, bool asked_with_etag,
                 struct license_feed_page *page, struct pulled *pulled) {
    pulled->outcome = cache_outcome_of_http(response->status);
    read_etag(response, pulled->etag);
    pulled->age_ms = read_age_ms(response);
    if (pulled->outcome != CACHE_CONFIRMED) {
        pulled->retry_after_ms = read_retry_after_ms(response);
        read_problem(response, &pulled->status);
    } else if (response->status == 200) {
        if (license_feed_page_read(response->body, page, &pulled->status)) pulled->page = page;
        if (!pulled->page) pulled->outcome = CACHE_GARBAGE;
    } else if (!asked_with_etag) {
        pulled->outcome = CACHE_GARBAGE;
        status_fail(&pulled->status, STATUS_PROTOCOL,
                    "the master says that nothing has changed, and was not asked that");
    }
}

void pulled_fail(const struct status *why, struct pulled *pulled) {
    pulled->outcome = outcome_of_failure(why->code);
    pulled->status = *why;
}
