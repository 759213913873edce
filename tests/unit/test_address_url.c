/* Addresses and URLs as data: text in, parts or refusal out. */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "net/address.h"
#include "net/url.h"

#define REFUSED (-2)

static void addresses_are_read_strictly(void **state) {
    (void)state;
    const struct {
        const char *text;
        int default_port;
        int port; /* REFUSED, or what comes out */
        const char *host;
    } rows[] = {
        {"127.0.0.1:4222", -1, 4222, "127.0.0.1"},
        {"localhost:0", -1, 0, "localhost"},
        {"[::1]:65535", -1, 65535, "::1"},
        {"[::ffff:1.2.3.4]:1", -1, 1, "::ffff:1.2.3.4"},
        {"nats-1.example.org:4222", -1, 4222, "nats-1.example.org"},
        {"a_b:1", -1, 1, "a_b"},
        {"host", 80, 80, "host"},
        {"host.", 80, 80, "host."},
        {"[::1]", 80, 80, "::1"},
        {"1.example:1", -1, 1, "1.example"},
        {"unix:/run/lsys/socket", -1, 0, "/run/lsys/socket"},
        {"", 80, REFUSED, NULL},
        {":80", -1, REFUSED, NULL},
        {"host", -1, REFUSED, NULL},
        {"host:", 80, REFUSED, NULL},
        {"host:65536", -1, REFUSED, NULL},
        {"host:-1", -1, REFUSED, NULL},
        {"host:+1", -1, REFUSED, NULL},
        {"host: 1", -1, REFUSED, NULL},
        {"host:1x", -1, REFUSED, NULL},
        {"host:000001", -1, REFUSED, NULL},
        {"::1:80", -1, REFUSED, NULL},
        {"[::1", 80, REFUSED, NULL},
        {"[::1]80", -1, REFUSED, NULL},
        {"[]:80", -1, REFUSED, NULL},
        {"[127.0.0.1]:80", -1, REFUSED, NULL},
        {"[fe80::1%eth0]:80", -1, REFUSED, NULL},
        {"127.1:80", -1, REFUSED, NULL},
        {"127.1.:80", -1, REFUSED, NULL},
        {"0x7f000001:80", -1, REFUSED, NULL},
        {"2130706433:80", -1, REFUSED, NULL},
        {"256.0.0.1:80", -1, REFUSED, NULL},
        {"ho st:80", -1, REFUSED, NULL},
        {"h\xc3\xb6st:80", -1, REFUSED, NULL},
        {"-host:80", -1, REFUSED, NULL},
        {".host:80", -1, REFUSED, NULL},
        {"host/path:80", -1, REFUSED, NULL},
        {"user@host:80", -1, REFUSED, NULL},
        {"http://host:80", -1, REFUSED, NULL},
        {"unix", 80, REFUSED, NULL}, /* found by fuzzing: "unix:80" is no path */
        {"unIx", 80, REFUSED, NULL}, /* found by fuzzing: URLs have their hosts in lower case */
        {"unix:", -1, REFUSED, NULL},
        {"unix:relative", -1, REFUSED, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct address address;
        struct status status = STATUS_INIT;
        bool is_read =
            address_parse(bytes_of_text(rows[i].text), rows[i].default_port, &address, &status);
        if (is_read != (rows[i].port != REFUSED)) print_error("%s\n", rows[i].text);
        assert_int_equal(is_read, rows[i].port != REFUSED);
        if (!is_read) {
            assert_int_equal(status.code, STATUS_MALFORMED);
            continue;
        }
        assert_int_equal(address.port, rows[i].port);
        assert_string_equal(address.host, rows[i].host);
    }
}

static void long_addresses_are_refused(void **state) {
    (void)state;
    struct address address;
    char text[400];
    memset(text, 'a', sizeof text);
    assert_true(address_parse(bytes_of(text, 253), 1, &address, NULL));
    assert_false(address_parse(bytes_of(text, 254), 1, &address, NULL));
    assert_false(address_parse(bytes_of(text, 400), 1, &address, NULL));
    memcpy(text, "unix:/", 6);
    assert_true(address_parse(bytes_of(text, 5 + 107), 1, &address, NULL));
    assert_false(address_parse(bytes_of(text, 5 + 108), 1, &address, NULL));
    memcpy(text, "unix:/a\0b", 9);
    assert_false(address_parse(bytes_of(text, 9), 1, &address, NULL));
}

static void addresses_are_written_as_they_are_read(void **state) {
    (void)state;
    const char *texts[] = {"127.0.0.1:4222", "[::1]:1", "name.example:65535", "unix:/a/b"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct address address;
        char out[ADDRESS_TEXT_BYTES];
        assert_true(address_parse(bytes_of_text(texts[i]), -1, &address, NULL));
        address_format(&address, out);
        assert_string_equal(out, texts[i]);
    }
}

static void loopback_is_what_only_this_machine_reaches(void **state) {
    (void)state;
    const struct {
        const char *text;
        bool is_loopback;
    } rows[] = {
        {"127.0.0.1:1", true},      {"127.255.255.254:1", true},    {"[::1]:1", true},
        {"localhost:1", true},      {"LOCALHOST:1", true},          {"a.localhost:1", true},
        {"unix:/a", true},          {"[::ffff:127.0.0.1]:1", true}, {"0.0.0.0:1", false},
        {"[::]:1", false},          {"128.0.0.1:1", false},         {"10.0.0.1:1", false},
        {"localhost.org:1", false}, {"[::ffff:10.0.0.1]:1", false}, {"notlocalhost:1", false},
        {"127.0.0.1.org:1", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct address address;
        assert_true(address_parse(bytes_of_text(rows[i].text), -1, &address, NULL));
        if (address_is_loopback(&address) != rows[i].is_loopback) print_error("%s\n", rows[i].text);
        assert_int_equal(address_is_loopback(&address), rows[i].is_loopback);
    }
}

static void socket_addresses_go_both_ways(void **state) {
    (void)state;
    const char *texts[] = {"127.0.0.1:4222", "[2001:db8::1]:1", "unix:/a/b"};
    struct sockaddr_storage socket_address;
    socklen_t length;
    struct address address;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        char out[ADDRESS_TEXT_BYTES];
        assert_true(address_parse(bytes_of_text(texts[i]), -1, &address, NULL));
        assert_true(address_to_socket(&address, &socket_address, &length));
        address_of_socket(&socket_address, &address);
        address_format(&address, out);
        assert_string_equal(out, texts[i]);
    }
    assert_true(address_parse(bytes_of_text("name:1"), -1, &address, NULL));
    assert_false(address_to_socket(&address, &socket_address, &length));
}

static void urls_are_read_strictly(void **state) {
    (void)state;
    const struct {
        const char *text;
        enum status_code code;
        const char *host;
        int port;
        const char *target;
    } rows[] = {
        {"http://a", STATUS_OK, "a", 80, "/"},
        {"https://A.Example/", STATUS_OK, "a.example", 443, "/"},
        {"HTTP://a:81/b/c?d=e&f", STATUS_OK, "a", 81, "/b/c?d=e&f"},
        {"http://a?q", STATUS_OK, "a", 80, "/?q"},
        {"http://[::1]:82/%41", STATUS_OK, "::1", 82, "/%41"},
        {"http://1.2.3.4/", STATUS_OK, "1.2.3.4", 80, "/"},
        {"file:///etc/passwd", STATUS_FORBIDDEN, NULL, 0, NULL},
        {"ftp://a/", STATUS_FORBIDDEN, NULL, 0, NULL},
        {"gopher://a/", STATUS_FORBIDDEN, NULL, 0, NULL},
        {"", STATUS_MALFORMED, NULL, 0, NULL},
        {"http", STATUS_MALFORMED, NULL, 0, NULL},
        {"http:", STATUS_MALFORMED, NULL, 0, NULL},
        {"http:/a", STATUS_MALFORMED, NULL, 0, NULL},
        {"http://", STATUS_MALFORMED, NULL, 0, NULL},
        {"http:///path", STATUS_MALFORMED, NULL, 0, NULL},
        {"//a/", STATUS_MALFORMED, NULL, 0, NULL},
        {"://a/", STATUS_MALFORMED, NULL, 0, NULL},
        {"http://user@a/", STATUS_MALFORMED, NULL, 0, NULL},
        {"http://a:b@c/", STATUS_MALFORMED, NULL, 0, NULL},
        {"http://a:0/", STATUS_MALFORMED, NULL, 0, NULL},
        {"http://a:/", STATUS_MALFORMED, NULL, 0, NULL},
        {"http://a:99999/", STATUS_MALFORMED, NULL, 0, NULL},
        {"http://a/#b", STATUS_MALFORMED, NULL, 0, NULL},
        {"http://a/b c", STATUS_MALFORMED, NULL, 0, NULL},
        {"http://a/\r\nX: y", STATUS_MALFORMED, NULL, 0, NULL},
        {"http://a/\xc3\xa9", STATUS_MALFORMED, NULL, 0, NULL},
        {"http://a/%", STATUS_MALFORMED, NULL, 0, NULL},
        {"http://a/%0", STATUS_MALFORMED, NULL, 0, NULL},
        {"http://a/%00", STATUS_MALFORMED, NULL, 0, NULL},
        {"http://a/%zz", STATUS_MALFORMED, NULL, 0, NULL},
        {"http://a\\@b/", STATUS_MALFORMED, NULL, 0, NULL},
        {"http://127.1/", STATUS_MALFORMED, NULL, 0, NULL},
        {"http://unix:/a", STATUS_MALFORMED, NULL, 0, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct url url;
        struct status status = STATUS_INIT;
        bool is_read = url_parse(bytes_of_text(rows[i].text), url_web_schemes, &url, &status);
        if (status.code != rows[i].code) print_error("%s: %s\n", rows[i].text, status.text);
        assert_int_equal(status.code, rows[i].code);
        assert_int_equal(is_read, rows[i].code == STATUS_OK);
        if (!is_read) continue;
        assert_string_equal(url.host, rows[i].host);
        assert_int_equal(url.port, rows[i].port);
        assert_string_equal(url.target, rows[i].target);
    }
}

static void the_longest_url_fits_and_no_longer_one(void **state) {
    (void)state;
    struct url url;
    char text[URL_BYTES_MAX + 2];
    memset(text, 'a', sizeof text);
    memcpy(text, "http://h?", 9);
    assert_true(url_parse(bytes_of(text, URL_BYTES_MAX), url_web_schemes, &url, NULL));
    assert_int_equal(strlen(url.target), URL_BYTES_MAX - 8 + 1);
    assert_false(url_parse(bytes_of(text, URL_BYTES_MAX + 1), url_web_schemes, &url, NULL));
}

static void the_host_field_names_host_and_port(void **state) {
    (void)state;
    const char *pairs[][2] = {{"http://a/", "a"},
                              {"http://a:80/", "a"},
                              {"https://a:80/", "a:80"},
                              {"http://[::1]:81/", "[::1]:81"},
                              {"http://[::1]/", "[::1]"}};
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        struct url url;
        struct address address;
        char out[ADDRESS_TEXT_BYTES];
        assert_true(url_parse(bytes_of_text(pairs[i][0]), url_web_schemes, &url, NULL));
        url_host_field(&url, out);
        assert_string_equal(out, pairs[i][1]);
        url_address(&url, &address);
        assert_string_equal(address.host, url.host);
        assert_int_equal(address.port, url.port);
    }
}

static void percent_escapes_are_decoded(void **state) {
    (void)state;
    struct buffer out;
    buffer_init(&out, 100);
    assert_true(url_percent_decode(bytes_of_text("a%20b%2F+%c3%A9"), false, &out, NULL));
    assert_string_equal(buffer_text(&out), "a b/+\xc3\xa9");
    buffer_clear(&out);
    assert_true(url_percent_decode(bytes_of_text("a+b%2B"), true, &out, NULL));
    assert_string_equal(buffer_text(&out), "a b+");
    assert_false(url_percent_decode(bytes_of("a\0b", 3), true, &out, NULL));
    buffer_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_strictly),
        cmocka_unit_test(long_addresses_are_refused),
        cmocka_unit_test(addresses_are_written_as_they_are_read),
        cmocka_unit_test(loopback_is_what_only_this_machine_reaches),
        cmocka_unit_test(socket_addresses_go_both_ways),
        cmocka_unit_test(urls_are_read_strictly),
        cmocka_unit_test(the_longest_url_fits_and_no_longer_one),
        cmocka_unit_test(the_host_field_names_host_and_port),
        cmocka_unit_test(percent_escapes_are_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
