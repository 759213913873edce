/* net/http_proxy and app/outbound_proxy: URLs of proxies, tunnels, and who needs none. */
#include "tests/lib/unit.h"

#include <stdbool.h>
#include <string.h>

#include "app/outbound_proxy.h"
#include "net/http_proxy.h"

static void urls_of_proxies(void **state) {
    static const struct {
        const char *text;
        const char *host; /* NULL: refused */
        int port;
        const char *authorization;
    } rows[] = {
        {"http://proxy.site:3128", "proxy.site", 3128, ""},
        {"http://proxy.site:3128/", "proxy.site", 3128, ""},
        {" proxy.site:8080\n", "proxy.site", 8080, ""},
        {"proxy.site", "proxy.site", HTTP_PROXY_PORT_DEFAULT, ""},
        {"http://[::1]:3128", "::1", 3128, ""},
        {"http://user:secret@proxy:1", "proxy", 1, "Basic dXNlcjpzZWNyZXQ="},
        {"user:secret@proxy:1", "proxy", 1, "Basic dXNlcjpzZWNyZXQ="},
        {"http://@proxy:1", "proxy", 1, ""},
        {"http://user@proxy:1", "proxy", 1, "Basic dXNlcjo="},
        {"http://a%40b:c%3ad%2f@proxy:1", "proxy", 1, "Basic YUBiOmM6ZC8="},
        {"http://user:p@ss@proxy:1", "proxy", 1, "Basic dXNlcjpwQHNz"},
        {"https://proxy:1", NULL, 0, ""},
        {"socks5://proxy:1", NULL, 0, ""},
        {"http://proxy:1/path", NULL, 0, ""},
        {"http://proxy:0", NULL, 0, ""},
        {"http://proxy:99999", NULL, 0, ""},
        {"http://", NULL, 0, ""},
        {"http://user:100%@proxy:1", NULL, 0, ""},
        {"http://user:\r\n@proxy:1 x", NULL, 0, ""},
        {"http://user:se/cret@proxy:1", NULL, 0, ""},
        {"http://user:secret", NULL, 0, ""},
        {"user://secret@proxy:1", NULL, 0, ""},
        {"", NULL, 0, ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_proxy proxy;
        struct status status = STATUS_INIT;
        bool read = http_proxy_parse(bytes_of_text(rows[i].text), &proxy, &status);
        if (read != (rows[i].host != NULL)) fail_msg("%s: %s", rows[i].text, status.text);
        assert_null(strstr(status.text, "user:"));
        assert_null(strstr(status.text, "secret"));
        if (!read) continue;
        assert_string_equal(proxy.address.host, rows[i].host);
        assert_int_equal(proxy.address.port, rows[i].port);
        assert_string_equal(proxy.authorization, rows[i].authorization);
    }
}

static void credentials_that_are_too_long(void **state) {
    char url[700] = "http://";
    struct http_proxy proxy;
    struct status status = STATUS_INIT;
    (void)state;
    memset(url + 7, 'x', 600);
    strcpy(url + 607, "@proxy:1");
    assert_false(http_proxy_parse(bytes_of_text(url), &proxy, &status));
}

static void hosts_that_need_no_proxy(void **state) {
    static const struct {
        const char *list;
        const char *host;
        bool exempt;
    } rows[] = {
        {NULL, "a.example", false},
        {"", "a.example", false},
        {"*", "a.example", true},
        {"example", "a.example", true},
        {".example", "a.example", true},
        {"a.example", "A.EXAMPLE", true},
        {"a.example", "ba.example", false},
        {"b.example, a.example", "x.a.example", true},
        {"b.example a.example", "a.example", true},
        {".", "a.example", false},
        {"10.1.2.3", "10.1.2.3", true},
        {"10.1.2.3", "10.1.2.30", false},
        {"10.0.0.0/8", "10.255.1.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"10.128.0.0/9", "10.127.255.255", false},
        {"10.128.0.0/9", "10.128.0.0", true},
        {"0.0.0.0/0", "8.8.8.8", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"10.0.0.0/33", "10.0.0.0", false},
        {"10.0.0.0/x", "10.0.0.0", false},
        {"2001:db8::/32", "2001:db8:1::1", true},
        {"2001:db8::/32", "2001:db9::1", false},
        {"[2001:db8::1]", "2001:db8::1", true},
        {"::/0", "2001:db8::1", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (outbound_proxy_is_exempt(rows[i].list, rows[i].host) != rows[i].exempt)
            fail_msg("%s in %s", rows[i].host, rows[i].list);
}

static struct http_tunnel *tunnel_to(const char *url, const char *through) {
    struct http_proxy proxy;
    struct url target;
    struct status status = STATUS_INIT;
    assert_true(http_proxy_parse(bytes_of_text(through), &proxy, &status));
    assert_true(url_parse(bytes_of_text(url), url_web_schemes, &target, &status));
    return http_tunnel_new(&proxy, &target);
}

static void a_tunnel_is_asked_for_with_credentials(void **state) {
    struct http_tunnel *tunnel = tunnel_to("https://master.site/x", "http://u:p@proxy:3128");
    (void)state;
    assert_true(bytes_equal_text(http_tunnel_request(tunnel),
                                 "CONNECT master.site:443 HTTP/1.1\r\nHost: master.site:443\r\n"
                                 "User-Agent: lsys\r\nProxy-Authorization: Basic dTpw\r\n\r\n"));
    http_tunnel_free(tunnel);
    tunnel = tunnel_to("https://[::1]:8003", "proxy:3128");
    assert_true(bytes_equal_text(
        http_tunnel_request(tunnel),
        "CONNECT [::1]:8003 HTTP/1.1\r\nHost: [::1]:8003\r\nUser-Agent: lsys\r\n\r\n"));
    http_tunnel_free(tunnel);
}

static void answers_to_connect(void **state) {
    static const struct {
        const char *answer;
        enum http_tunnel_state state;
        const char *says;
    } rows[] = {
        {"HTTP/1.1 200 Connection established\r\n\r\n", HTTP_TUNNEL_IS_OPEN, ""},
        {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", HTTP_TUNNEL_IS_OPEN, ""},
        {"HTTP/1.1 204 No Content\r\nVia: x\r\n\r\n", HTTP_TUNNEL_IS_OPEN, ""},
        {"HTTP/1.1 200 Connection", HTTP_TUNNEL_WAITS, ""},
        {"HTTP/1.1 100 Continue\r\n\r\n", HTTP_TUNNEL_WAITS, ""},
        {"HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno", HTTP_TUNNEL_FAILED, "USER:PASSWORD"},
        {"HTTP/1.1 403 No\r\n\r\n", HTTP_TUNNEL_FAILED, "answered 403"},
        {"HTTP/1.1 302 No\r\nLocation: http://x\r\n\r\n", HTTP_TUNNEL_FAILED, "answered 302"},
        {"HTTP/1.1 200 OK\r\n\r\nx", HTTP_TUNNEL_FAILED, "more than its answer"},
        {"SSH-2.0-OpenSSH\r\n", HTTP_TUNNEL_WAITS, ""},
        {"SSH-2.0-OpenSSH\r\n\r\n", HTTP_TUNNEL_FAILED, "the proxy proxy:3128"},
        {"HTTP/1.1 200 OK\nA: b\n\n", HTTP_TUNNEL_FAILED, "the proxy proxy:3128"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_tunnel *tunnel = tunnel_to("https://master.site", "proxy:3128");
        struct status status = STATUS_INIT;
        enum http_tunnel_state found =
            http_tunnel_feed(tunnel, bytes_of_text(rows[i].answer), &status);
        if (found != rows[i].state || !strstr(status.text, rows[i].says))
            fail_msg("%s: %d %s", rows[i].answer, (int)found, status.text);
        http_tunnel_free(tunnel);
    }
}

static void an_answer_may_come_byte_by_byte(void **state) {
    static const char answer[] = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
    struct http_tunnel *tunnel = tunnel_to("https://master.site", "proxy:3128");
    struct status status = STATUS_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof answer - 1; i++)
        assert_int_equal(http_tunnel_feed(tunnel, bytes_of(answer + i, 1), &status),
                         i == sizeof answer - 2 ? HTTP_TUNNEL_IS_OPEN : HTTP_TUNNEL_WAITS);
    http_tunnel_free(tunnel);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_of_proxies),
        cmocka_unit_test(credentials_that_are_too_long),
        cmocka_unit_test(hosts_that_need_no_proxy),
        cmocka_unit_test(a_tunnel_is_asked_for_with_credentials),
        cmocka_unit_test(answers_to_connect),
        cmocka_unit_test(an_answer_may_come_byte_by_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
