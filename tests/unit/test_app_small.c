/* The small parts of the app floor: suggestions, command lines, health, metrics, alerts,
 * listening. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "app/alerts.h"
#include "app/command_line.h"
#include "app/health.h"
#include "app/listen_policy.h"
#include "app/metrics.h"
#include "app/suggest.h"
#include "base/log.h"

static const char *suggest(const char *typed) {
    static const char *const names[] = {"license-server", "license-client", "keygen",
                                        "keyring",        "status",         "config"};
    struct suggestion suggestion = {0};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        suggestion_consider(&suggestion, typed, names[i]);
    return suggestion.name;
}

static void near_names_are_suggested(void **state) {
    (void)state;
    assert_string_equal(suggest("licence-server"), "license-server");
    assert_string_equal(suggest("keygne"), "keygen");
    assert_string_equal(suggest("stauts"), "status");
    assert_string_equal(suggest("conf"), "config");
    assert_string_equal(suggest("license-clien"), "license-client");
    assert_null(suggest("frobnicate"));
    assert_null(suggest(""));
    assert_null(suggest("x"));
}

static void check_words(const char *line, const char *const *expected) {
    struct status status = STATUS_INIT;
    char **words = command_line_split(line, &status);
    assert_non_null(words);
    size_t i = 0;
    for (; expected[i]; i++) {
        assert_non_null(words[i]);
        assert_string_equal(words[i], expected[i]);
    }
    assert_null(words[i]);
    command_line_free(words);
}

static void command_lines_are_split_without_a_shell(void **state) {
    (void)state;
    check_words("  sign  --key\t17 ", (const char *const[]){"sign", "--key", "17", NULL});
    check_words("'a b' \"c \\\"d\\\" \\n\" e\\ f '' $(x);y",
                (const char *const[]){"a b", "c \"d\" \\n", "e f", "", "$(x);y", NULL});
    check_words("a'b'\"c\"", (const char *const[]){"abc", NULL});
}

static void bad_command_lines_are_refused(void **state) {
    static const char *const lines[] = {"", "   ", "'open", "\"open", "end\\", "a \"b'"};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct status status = STATUS_INIT;
        assert_null(command_line_split(lines[i], &status));
        assert_int_equal(status.code, STATUS_CONFIG);
    }
    char many[2 * COMMAND_LINE_WORDS + 3] = "";
    for (int i = 0; i <= COMMAND_LINE_WORDS; i++)
        strcat(many, "a ");
    struct status status = STATUS_INIT;
    assert_null(command_line_split(many, &status));
}

static void health_says_what_is_missing(void **state) {
    struct buffer json;
    (void)state;
    struct health *health = health_new();
    buffer_init(&json, 4096);
    assert_true(health_is_ready(health));
    assert_true(health_set(health, "nats", false, "connecting to nats://127.0.0.1:4222"));
    assert_false(health_set(health, "nats", false, "still connecting"));
    assert_true(health_set(health, "license", true, "valid \"until\" 2027"));
    assert_false(health_is_ready(health));
    assert_string_equal(health_first_reason(health), "still connecting");
    health_write_json(health, &json);
    assert_string_equal(
        buffer_text(&json),
        "{\"ready\":false,\"conditions\":[{\"name\":\"nats\",\"met\":false,\"reason\":\"still "
        "connecting\"},{\"name\":\"license\",\"met\":true,\"reason\":\"valid \\\"until\\\" "
        "2027\"}]}");
    assert_true(health_set(health, "nats", true, "connected"));
    assert_true(health_is_ready(health));
    health_set(health, "nats", false, "lost");
    health_remove(health, "nats");
    assert_true(health_is_ready(health));
    buffer_free(&json);
    health_free(health);
}

static void count_refresh(void *owner) {
    metric_set(owner, 7);
}

static void metrics_are_prometheus_text(void **state) {
    struct buffer text;
    (void)state;
    struct metrics *metrics = metrics_new();
    buffer_init(&text, 4096);
    struct metric *seen = metrics_counter(metrics, "lsys_seen_total", "Seen.", "role", "a", NULL);
    struct metric *age = metrics_gauge(metrics, "lsys_age_seconds", "Age.", NULL);
    metric_increment(seen);
    metric_increment(metrics_counter(metrics, "lsys_seen_total", "Seen.", "role", "a", NULL));
    metric_set(metrics_counter(metrics, "lsys_seen_total", "Seen.", "role", "q\"\\\n", NULL),
               9007199254740991.0);
    metric_set(age, 0.25);
    struct metric *asked = metrics_gauge(metrics, "lsys_asked", "Asked.", NULL);
    metrics_add_refresh(metrics, count_refresh, asked);
    metrics_write(metrics, &text);
    assert_string_equal(buffer_text(&text),
                        "# HELP lsys_seen_total Seen.\n# TYPE lsys_seen_total counter\n"
                        "lsys_seen_total{role=\"a\"} 2\n"
                        "lsys_seen_total{role=\"q\\\"\\\\\\n\"} 9007199254740991\n"
                        "# HELP lsys_age_seconds Age.\n# TYPE lsys_age_seconds gauge\n"
                        "lsys_age_seconds 0.25\n"
                        "# HELP lsys_asked Asked.\n# TYPE lsys_asked gauge\nlsys_asked 7\n");
    metrics_remove_refresh(metrics, asked);
    metric_set(asked, NAN);
    metric_set(age, INFINITY);
    buffer_clear(&text);
    metrics_write(metrics, &text);
    assert_non_null(strstr(buffer_text(&text), "lsys_asked NaN\n"));
    assert_non_null(strstr(buffer_text(&text), "lsys_age_seconds +Inf\n"));
    buffer_free(&text);
    metrics_free(metrics);
}

static void hear(void *owner, const struct alert *alert) {
    char *heard = owner;
    strcat(heard, alert->code);
    strcat(heard, alert_severity_name(alert->severity));
}

static void alerts_reach_listeners_and_the_metric(void **state) {
    char heard[64] = "";
    struct buffer text;
    (void)state;
    log_configure(LOG_ERROR, LOG_LOGFMT);
    struct metrics *metrics = metrics_new();
    struct alerts *alerts = alerts_new(metrics);
    alerts_listen(alerts, hear, heard);
    alerts_raise(alerts, ALERT_WARNING, "license-server", "license_expires_soon", "in 7 days");
    alerts_unlisten(alerts, heard);
    alerts_raise(alerts, ALERT_INFO, "license-server", "license_expires_soon", "in 7 days");
    assert_string_equal(heard, "license_expires_soonwarning");
    buffer_init(&text, 4096);
    metrics_write(metrics, &text);
    assert_non_null(
        strstr(buffer_text(&text),
               "lsys_alerts_total{role=\"license-server\",code=\"license_expires_soon\"} 2\n"));
    buffer_free(&text);
    alerts_free(alerts);
    metrics_free(metrics);
}

static bool may_listen(const char *text, struct listen_protection protection, struct status *why) {
    struct address address;
    struct status status = STATUS_INIT;
    assert_true(address_parse(bytes_of_text(text), ADDRESS_PORT_REQUIRED, &address, &status));
    return listen_policy_check("broker", "--listen", &address, protection, why);
}

static void off_loopback_needs_protection(void **state) {
    struct status status = STATUS_INIT;
    struct listen_protection none = {0};
    (void)state;
    log_configure(LOG_ERROR, LOG_LOGFMT);
    assert_true(may_listen("127.0.0.1:1", none, &status));
    assert_true(may_listen("127.8.8.8:1", none, &status));
    assert_true(may_listen("[::1]:1", none, &status));
    assert_true(may_listen("unix:/run/x", none, &status));
    assert_false(may_listen("0.0.0.0:4222", none, &status));
    assert_string_equal(status.text,
                        "--listen 0.0.0.0:4222 would be open to the network without TLS and a "
                        "credential: listen on 127.0.0.1, or say --insecure-listen where the "
                        "network can be trusted");
    status_clear(&status);
    assert_false(may_listen("[::]:4222", (struct listen_protection){.credential = true}, &status));
    assert_true(may_listen("[::]:4222", (struct listen_protection){.insecure_listen = true}, NULL));
    assert_true(may_listen("10.0.0.1:1",
                           (struct listen_protection){.tls = true, .credential = true}, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(near_names_are_suggested),
        cmocka_unit_test(command_lines_are_split_without_a_shell),
        cmocka_unit_test(bad_command_lines_are_refused),
        cmocka_unit_test(health_says_what_is_missing),
        cmocka_unit_test(metrics_are_prometheus_text),
        cmocka_unit_test(alerts_reach_listeners_and_the_metric),
        cmocka_unit_test(off_loopback_needs_protection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
