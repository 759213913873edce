/* What the HTTP server answers: fields, routes, methods, problems, assets, bodies; whom it
 * refuses. */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/http_fixture.h"
#include "tests/lib/loop_wait.h"

/* ---- answers ---- */

static void an_answer_has_its_fields(void **state) {
    struct http_fixture *fixture = *state;
    const char *answer = exchange(fixture, GET("/hello"));
    assert_status(answer, 200);
    assert_has(answer, "\r\nContent-Type: text/plain\r\n");
    assert_has(answer, "\r\nContent-Length: 6\r\n");
    assert_has(answer, "\r\nCache-Control: no-store\r\n");
    assert_has(answer, "\r\nX-Content-Type-Options: nosniff\r\n");
    assert_has(answer, "\r\nContent-Security-Policy: default-src 'none'");
    assert_has(answer, "\r\nConnection: close\r\n");
    assert_has(answer, " GMT\r\n");
    assert_has(answer, "\r\n\r\nhello\n");
}

static void paths_find_their_routes(void **state) {
    struct http_fixture *fixture = *state;
    const struct {
        const char *raw;
        int status;
        const char *body;
    } rows[] = {
        {GET("/"), 200, "hello"},
        {GET("/values/a"), 200, "\r\n\r\na|(none)"},
        {GET("/values/a%20b%C3%A9?q=1%2B1"), 200, "\r\n\r\na b\xc3\xa9|1+1"},
        {GET("/values/a?x=1&q=a+b&q=c"), 200, "\r\n\r\na|a b"},
        {GET("/values/a?q"), 200, "\r\n\r\na|"},
        {GET("/values/a?&&q=1"), 200, "\r\n\r\na|1"},
        {GET("/values/literal"), 200, "\r\n\r\nliteral"},
        {GET("/values/literal?q"), 200, "\r\n\r\nliteral"},
        {GET("/values/{name}"), 200, "\r\n\r\n{name}|(none)"},
        {GET("/values/%6Citeral"), 200, "\r\n\r\nliteral"},
        {GET("/files/a/b.css"), 200, "\r\n\r\na/b.css"},
        {GET("/files/a%20b/..c"), 200, "\r\n\r\na b/..c"},
        {GET("/values/"), 404, "not_found"},
        {GET("/values"), 404, "not_found"},
        {GET("/values/a/b"), 404, "not_found"},
        {GET("//hello"), 404, "not_found"},
        {GET("/hello/"), 404, "not_found"},
        {GET("/HELLO"), 404, "not_found"},
        {GET("/values/a%2Fb"), 404, "not_found"},
        {GET("/slashed/a%2Fb%5cc?q=1"), 200, "\r\n\r\na/b\\c|1"},
        {GET("/slashed/a/b"), 404, "not_found"},
        {GET("/slashed%2Fa"), 404, "not_found"},
        {GET("/slashed/%2e%2e"), 404, "not_found"},
        {GET("/slashed/a%2F%00"), 404, "not_found"},
        {GET("/files/a%2Fb"), 404, "not_found"},
        {GET("/files/a/../../etc/passwd"), 404, "not_found"},
        {GET("/files/%2e%2e/etc/passwd"), 404, "not_found"},
        {GET("/files/.%2E/x"), 404, "not_found"},
        {GET("/files/./x"), 404, "not_found"},
        {GET("/files/..%5cx"), 404, "not_found"},
        {GET("/files/a%00b"), 404, "not_found"},
        {GET("/files/a%0ab"), 404, "not_found"},
        {GET("/values/%"), 400, "bad_request"},
        {GET("/values/%zz"), 400, "bad_request"},
        {GET("/values/%4"), 400, "bad_request"},
        {GET("/values/a?q=%"), 400, "bad_request"},
        {GET("/values/a?q=%00"), 400, "bad_request"},
        {GET("/values/a?1&2&3&4&5&6&7&8&9&10&11&12&13&14&15&16&17"), 400, "bad_request"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *answer = exchange(fixture, rows[i].raw);
        if (!strstr(answer, rows[i].body)) print_error("%s", rows[i].raw);
        assert_status(answer, rows[i].status);
        assert_has(answer, rows[i].body);
    }
}

static void other_methods_are_told_what_is_allowed(void **state) {
    struct http_fixture *fixture = *state;
    const char *answer =
        exchange(fixture, "DELETE /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_status(answer, 405);
    assert_has(answer, "\r\nAllow: GET, HEAD, OPTIONS\r\n");
    answer =
        exchange(fixture, "OPTIONS /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_status(answer, 204);
    assert_has(answer, "\r\nAllow: POST, PUT, OPTIONS\r\n");
    assert_null(strstr(answer, "Content-Length"));
    answer =
        exchange(fixture, "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_status(answer, 204);
    answer =
        exchange(fixture, "OPTIONS /no HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_status(answer, 404);
}

static void head_has_the_fields_of_get_and_no_body(void **state) {
    struct http_fixture *fixture = *state;
    const char *answer =
        exchange(fixture, "HEAD /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_status(answer, 200);
    assert_has(answer, "\r\nContent-Length: 6\r\n");
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}

static void problems_are_escaped_json(void **state) {
    struct http_fixture *fixture = *state;
    const char *answer = exchange(fixture, GET("/problem"));
    assert_status(answer, 409);
    assert_has(answer, "Content-Type: application/problem+json\r\n");
    assert_has(answer, "\"code\":\"already_there\"");
    assert_has(answer, "\"title\":\"It is already there\"");
    assert_has(answer, "\"status\":409");
    assert_has(answer, "\"detail\":\"\\\"quoted\\\" \\u003c\\u001b\"");
}

static void assets_are_not_sent_twice(void **state) {
    struct http_fixture *fixture = *state;
    const char *answer = exchange(fixture, GET("/page"));
    assert_status(answer, 200);
    assert_has(answer, "\r\nETag: \"tag\"\r\n");
    assert_has(answer, "\r\nCache-Control: no-cache\r\n");
    assert_has(answer, "Content-Security-Policy: default-src 'self'");
    assert_has(answer, "<p>page");
    static const char *const tags[] = {"\"tag\"", "W/\"tag\"", "\"other\", \"tag\"", "*"};
    for (size_t i = 0; i < COUNT_OF(tags); i++) {
        char raw[200];
        snprintf(raw, sizeof raw,
                 "GET /page HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: %s\r\n"
                 "Connection: close\r\n\r\n",
                 tags[i]);
        answer = exchange(fixture, raw);
        assert_status(answer, 304);
        assert_has(answer, "\r\nETag: \"tag\"\r\n");
        assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    }
    answer = exchange(fixture, "GET /page HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"o\"\r\n"
                               "Connection: close\r\n\r\n");
    assert_status(answer, 200);
}

static void facts_of_the_request_are_right(void **state) {
    struct http_fixture *fixture = *state;
    const char *answer = exchange(fixture, "GET /facts HTTP/1.1\r\nHost: localhost\r\n"
                                           "Authorization: bEaReR  s3cret \r\n"
                                           "Connection: close\r\n\r\n");
    assert_has(answer, "local=1 page=0 token=s3cret peer=127.0.0.1");
    assert_has(answer, "\r\nX-Injected: a??Set-Cookie: b\r\n");
    answer =
        exchange(fixture, "GET /facts HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n"
                          "Authorization: Basic abc\r\nConnection: close\r\n\r\n");
    assert_has(answer, "page=1 token= ");
}

static void bodies_are_read_and_limited(void **state) {
    struct http_fixture *fixture = *state;
    const char *answer =
        exchange(fixture, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
                          "Connection: close\r\n\r\nabc");
    assert_has(answer, "\r\n\r\nabc");
    answer = exchange(fixture, "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
    assert_has(answer, "\r\n\r\nabc");
    answer =
        exchange(fixture, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n");
    assert_status(answer, 413);
    assert_has(answer, "body_too_large");
    assert_has(answer, "Connection: close");
    answer = exchange(fixture, "POST /no HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n"
                               "GET /hello HTTP/1.1\r\n\r\n");
    assert_status(answer, 404);
    assert_null(strstr(answer, "hello\n")); /* the unread body is not taken for a request */
}

static void a_client_that_asks_first_is_told_to_go_on(void **state) {
    struct http_fixture *fixture = *state;
    struct http_test_client *client = http_test_client_connect(fixture);
    http_test_client_send(client, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
                                  "Expect: 100-continue\r\n\r\n");
    expect_text(fixture, client, "HTTP/1.1 100 Continue\r\n\r\n");
    expect_no_text(client, "200");
    http_test_client_send(client, "abc");
    expect_text(fixture, client, "\r\n\r\nabc");
    buffer_clear(&client->received);
    http_test_client_send(client,
                          "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000\r\n"
                          "Expect: 100-continue\r\n\r\n");
    expect_text(fixture, client, "413");
    expect_no_text(client, "100 Continue");
}

/* ---- guards ---- */

#define FOLLOWS_A_LINK                                                                             \
    "Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n"                \
    "Sec-Fetch-Dest: "

static void strangers_hosts_and_origins_are_refused(void **state) {
    struct http_fixture *fixture = *state;
    const struct {
        const char *method;
        const char *fields;
        int status;
    } rows[] = {
        {"GET /hello", "Host: localhost:8080", 200},
        {"GET /hello", "Host: demo.localhost", 200},
        {"GET /hello", "Host: 127.0.0.1", 200},
        {"GET /hello", "Host: 192.168.1.1:80", 200},
        {"GET /hello", "Host: [::1]:80", 200},
        {"GET /hello", "Host: License.Example", 200},
        {"GET /hello", "Host: license.example.:80", 200},
        {"GET /hello", "Host: evil.example", 421},
        {"GET /hello", "Host: localhost.evil.example", 421},
        {"GET /hello", "Host: 127.0.0.1.evil.example", 421},
        {"GET /hello", "Host: xlicense.example", 421},
        {"PUT /echo", "Host: localhost", 200},
        {"PUT /echo", "Host: localhost:80\r\nOrigin: http://localhost:80", 200},
        {"PUT /echo", "Host: license.example\r\nOrigin: https://license.example", 200},
        {"PUT /echo", "Host: localhost\r\nSec-Fetch-Site: same-origin", 200},
        {"PUT /echo", "Host: localhost:80\r\nOrigin: http://localhost:81", 403},
        {"PUT /echo", "Host: localhost\r\nOrigin: http://localhost.evil.example", 403},
        {"PUT /echo", "Host: localhost\r\nOrigin: null", 403},
        {"PUT /echo", "Host: localhost\r\nOrigin:", 403},
        {"PUT /echo", "Host: localhost\r\nSec-Fetch-Site: cross-site", 403},
        {"PUT /echo", "Host: localhost\r\nOrigin: http://localhost\r\nOrigin: http://e.example",
         403},
        {"GET /hello", "Host: localhost:80\r\nOrigin: http://localhost:80", 200},
        {"GET /hello", "Host: localhost\r\nOrigin: http://evil.example", 403},
        {"GET /hello", "Host: localhost\r\nOrigin: null", 403},
        {"GET /hello", "Host: localhost\r\nSec-Fetch-Site: cross-site", 403},
        {"GET /hello", "Host: localhost\r\nSec-Fetch-Site: same-site", 403},
        {"GET /hello", "Host: localhost\r\nSec-Fetch-Site: none", 200},
        {"GET /hello", FOLLOWS_A_LINK "document", 200},
        {"GET /hello", FOLLOWS_A_LINK "iframe", 403},
        {"GET /hello", FOLLOWS_A_LINK "document\r\nOrigin: http://evil.example", 403},
        {"PUT /echo", FOLLOWS_A_LINK "document", 403},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char raw[400];
        snprintf(raw, sizeof raw, "%s HTTP/1.1\r\n%s\r\nConnection: close\r\n\r\n", rows[i].method,
                 rows[i].fields);
        const char *answer = exchange(fixture, raw);
        if (strncmp(answer + 9, "200", 3) != 0 && rows[i].status == 200) print_error("%s", raw);
        assert_status(answer, rows[i].status);
    }
    struct http_server_counters counters;
    http_server_read_counters(fixture->server, &counters);
    assert_int_equal(counters.requests, COUNT_OF(rows));
    assert_int_equal(counters.refused_requests, 17);
}

/* The Host of one request says nothing about that of the next on the same connection. */
static void a_host_is_judged_in_every_request(void **state) {
    struct http_fixture *fixture = *state;
    static const struct {
        const char *host;
        int status;
    } rows[] = {
        {"localhost", 200},    {"localhost", 200},    {"evil.example", 421},
        {"evil.example", 421}, {"localhost", 200},    {"localhost:80", 200},
        {"evil.example", 421}, {"localhost:80", 200}, {"local host", 400},
    };
    struct http_test_client *client = http_test_client_connect(fixture);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char raw[100];
        buffer_clear(&client->received);
        snprintf(raw, sizeof raw, "GET /hello HTTP/1.1\r\nHost: %s\r\n\r\n", rows[i].host);
        http_test_client_send(client, raw);
        expect_text(fixture, client, rows[i].status == 200 ? "hello\n" : "}");
        assert_status(buffer_text(&client->received), rows[i].status);
    }
}

static void malformed_requests_are_refused_and_closed(void **state) {
    struct http_fixture *fixture = *state;
    const char *answer = exchange(fixture, "GET / HTTP/1.1\nHost: localhost\n\n");
    assert_status(answer, 400);
    assert_has(answer, "bad_request");
    assert_has(answer, "Connection: close");
    answer = exchange(fixture, "GET / HTTP/2.0\r\nHost: localhost\r\n\r\n");
    assert_status(answer, 505);
    answer = exchange(fixture, "\x16\x03\x01 a TLS client");
    assert_status(answer, 400);
    assert_int_equal(fixture->handled, 0);
}

int main(void) {
#define SERVER_TEST(name)                                                                          \
    cmocka_unit_test_setup_teardown(name, http_fixture_set_up, http_fixture_tear_down)
    const struct CMUnitTest tests[] = {
        SERVER_TEST(an_answer_has_its_fields),
        SERVER_TEST(paths_find_their_routes),
        SERVER_TEST(other_methods_are_told_what_is_allowed),
        SERVER_TEST(head_has_the_fields_of_get_and_no_body),
        SERVER_TEST(problems_are_escaped_json),
        SERVER_TEST(assets_are_not_sent_twice),
        SERVER_TEST(facts_of_the_request_are_right),
        SERVER_TEST(bodies_are_read_and_limited),
        SERVER_TEST(a_client_that_asks_first_is_told_to_go_on),
        SERVER_TEST(strangers_hosts_and_origins_are_refused),
        SERVER_TEST(a_host_is_judged_in_every_request),
        SERVER_TEST(malformed_requests_are_refused_and_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
