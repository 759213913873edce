/* Configuration files and points in time. */
#include "tests/lib/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "codec/http_date.h"
#include "codec/ini.h"
#include "codec/rfc3339.h"

static bool list_entry(void *context, const struct ini_entry *entry, struct status *status) {
    if (strcmp(entry->key, "bad") == 0)
        return status_fail(status, STATUS_CONFIG, "unknown key \"%s\"", entry->key);
    buffer_append_format(context, "%d:%s.%s=%s;", entry->line, entry->section, entry->key,
                         entry->value);
    return true;
}

static void entries_come_with_their_lines(void **state) {
    (void)state;
    static const char text[] = "\xEF\xBB\xBF; a comment\n"
                               "[broker]\n"
                               "listen = 127.0.0.1:4222 ; the default\n"
                               "\n"
                               "# another\r\n"
                               "  user=  a b  \r\n"
                               "[nats]\n"
                               "urls = nats://a:1,nats://b;c\n"
                               "empty =";
    struct buffer out;
    struct status status = STATUS_INIT;
    buffer_init(&out, 1024);
    if (!ini_read(bytes_of_text(text), "a.conf", list_entry, &out, &status))
        fail_msg("%s", status.text);
    assert_string_equal(buffer_text(&out), "3:broker.listen=127.0.0.1:4222;6:broker.user=a b;"
                                           "8:nats.urls=nats://a:1,nats://b;c;9:nats.empty=;");
    buffer_free(&out);
}

static void errors_name_file_and_line(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *error;
    } rows[] = {
        {"[a]\nx=1\nbad=2\n", "a.conf:3: unknown key \"bad\""},
        {"[a]\nno equals sign\n", "a.conf:2: neither [section], key = value nor a comment"},
        {"[a\n", "a.conf:1: neither [section], key = value nor a comment"},
        {"x=1\n", "a.conf:1: \"x\" stands before any [section]"},
        {"[a]\n=1\n", "a.conf:2: there is no key before '='"},
        {"[a]\nx=1\n  continued\n", "a.conf:3: neither [section], key = value nor a comment"},
        {"[a]\nx=\xFF\n", "a.conf:2: the line is not UTF-8 text"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buffer out;
        struct status status = STATUS_INIT;
        buffer_init(&out, 1024);
        assert_false(ini_read(bytes_of_text(rows[i].text), "a.conf", list_entry, &out, &status));
        assert_string_equal(status.text, rows[i].error);
        assert_int_equal(status.code, STATUS_CONFIG);
        buffer_free(&out);
    }
    assert_false(ini_read(bytes_of("[a]\nx=\0", 7), "a.conf", list_entry, NULL, NULL));
}

static void lines_are_limited(void **state) {
    (void)state;
    char text[INI_LINE_BYTES_MAX + 8] = "[a]\nx=";
    struct buffer out;
    struct status status = STATUS_INIT;
    buffer_init(&out, 2 * INI_LINE_BYTES_MAX);
    memset(text + 6, 'v', INI_LINE_BYTES_MAX - 2);
    assert_true(ini_read(bytes_of(text, 4 + INI_LINE_BYTES_MAX), "a", list_entry, &out, &status));
    text[4 + INI_LINE_BYTES_MAX] = 'v';
    assert_false(ini_read(bytes_of(text, 5 + INI_LINE_BYTES_MAX), "a", list_entry, &out, &status));
    assert_string_equal(status.text, "a:2: the line is longer than 4096 bytes");
    buffer_free(&out);
}

static void known_times_both_ways(void **state) {
    (void)state;
    static const struct {
        int64_t unix_ms;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {1709251199999, "2024-02-29T23:59:59.999Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
        {1801353600123, "2027-01-31T00:00:00.123Z"},
        {RFC3339_MIN_MS, "0000-01-01T00:00:00.000Z"},
        {RFC3339_MAX_MS, "9999-12-31T23:59:59.999Z"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[RFC3339_BYTES];
        int64_t unix_ms = 42;
        rfc3339_format(rows[i].unix_ms, text);
        assert_string_equal(text, rows[i].text);
        assert_true(rfc3339_parse(bytes_of_text(text), &unix_ms));
        assert_int_equal(unix_ms, rows[i].unix_ms);
    }
    char text[RFC3339_BYTES];
    rfc3339_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    rfc3339_format(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00.000Z");
}

static void every_day_agrees_with_the_c_library(void **state) {
    (void)state;
    for (time_t day = -30000; day < 60000; day++) {
        time_t second = day * 86400 + 3661;
        struct tm parts;
        char expected[64], text[RFC3339_BYTES];
        gmtime_r(&second, &parts);
        strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.000Z", &parts);
        rfc3339_format((int64_t)second * 1000, text);
        assert_string_equal(text, expected);
    }
}

static void forms_of_the_rfc(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t unix_ms; /* -1: refused */
    } rows[] = {
        {"1970-01-01T00:00:01Z", 1000},
        {"1970-01-01t00:00:01z", 1000},
        {"1970-01-01T00:00:01.5Z", 1500},
        {"1970-01-01T00:00:01.123456789Z", 1123},
        {"1970-01-01T01:00:01+01:00", 1000},
        {"1969-12-31T23:30:01-00:30", 1000},
        {"1970-01-01", -1},
        {"1970-01-01T00:00:01", -1},
        {"1970-01-01 00:00:01Z", -1},
        {"1970-01-01T00:00:01.Z", -1},
        {"1970-01-01T00:00:01.1234567890Z", -1},
        {"1970-01-01T00:00:60Z", -1},
        {"1970-01-01T24:00:00Z", -1},
        {"1970-00-01T00:00:00Z", -1},
        {"1970-13-01T00:00:00Z", -1},
        {"2023-02-29T00:00:00Z", -1},
        {"2100-02-29T00:00:00Z", -1},
        {"1970-01-01T00:00:01+0100", -1},
        {"1970-01-01T00:00:01+24:00", -1},
        {"1970-01-01T00:00:01Zx", -1},
        {"70-01-01T00:00:01Z", -1},
        {"", -1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t unix_ms = -1;
        assert_int_equal(rfc3339_parse(bytes_of_text(rows[i].text), &unix_ms),
                         rows[i].unix_ms != -1);
        assert_int_equal(unix_ms, rows[i].unix_ms);
    }
}

static void flags_may_be_bare_dates(void **state) {
    (void)state;
    int64_t unix_ms = 0;
    assert_true(rfc3339_parse_date_or_time(bytes_of_text("2027-01-31"), &unix_ms));
    assert_int_equal(unix_ms, 1801353600000);
    assert_true(rfc3339_parse_date_or_time(bytes_of_text("2027-01-31T00:00:01Z"), &unix_ms));
    assert_int_equal(unix_ms, 1801353601000);
    assert_false(rfc3339_parse_date_or_time(bytes_of_text("2027-01-32"), &unix_ms));
    assert_false(rfc3339_parse_date_or_time(bytes_of_text("2027-1-3"), &unix_ms));
    assert_false(rfc3339_parse_date_or_time(bytes_of_text("2027-01-31x"), &unix_ms));
}

/* RFC 9110, section 5.6.7; the first three rows are its own examples. */
static void dates_of_http(void **state) {
    static const struct {
        const char *text;
        int64_t unix_ms; /* -1: refused */
    } rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777000},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777000},
        {"Sun Nov  6 08:49:37 1994", 784111777000},
        {"Wed, 31 Dec 2025 23:59:59 GMT", 1767225599000},
        {"Sun Nov 16 08:49:37 1994", 784975777000},
        {"Thursday, 01-Jan-76 00:00:00 GMT", 3345062400000}, /* 2076: 50 years ahead of 2026 */
        {"Friday, 01-Jan-77 00:00:00 GMT", 220924800000},    /* 1977 */
        {"Sun, 06 Nov 1994 08:49:37 UTC", -1},
        {"Sun, 6 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 06 nov 1994 08:49:37 GMT", -1},
        {"Sun, 31 Feb 1994 08:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 25:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
        {"Sunday, 06 Nov 1994 08:49:37 GMT", -1},
        {"06 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 08:49", -1},
        {"Sun, ", -1},
        {"Sun", -1},
        {"120", -1},
        {"", -1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t unix_ms = -1;
        bool read = http_date_parse(bytes_of_text(rows[i].text), 1790000000000, &unix_ms);
        if (read != (rows[i].unix_ms >= 0) || unix_ms != rows[i].unix_ms)
            fail_msg("%s: %lld", rows[i].text, (long long)unix_ms);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_with_their_lines),
        cmocka_unit_test(errors_name_file_and_line),
        cmocka_unit_test(lines_are_limited),
        cmocka_unit_test(known_times_both_ways),
        cmocka_unit_test(every_day_agrees_with_the_c_library),
        cmocka_unit_test(forms_of_the_rfc),
        cmocka_unit_test(flags_may_be_bare_dates),
        cmocka_unit_test(dates_of_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
