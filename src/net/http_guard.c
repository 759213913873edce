#include "net/http_guard.h"

#include <string.h>
#include <strings.h>

#include "net/address.h"

bool http_guard_host_is_allowed(struct bytes host, const char *const *allowed) {
    struct address address;
    if (host.length == 0) return true;
    if (!address_parse(host, 80, &address, NULL)) return false;
    if (address_is_ip_literal(address.host) || address_is_loopback(&address)) return true;
    /* "name." is the same host as "name". */
    size_t length = strlen(address.host);
    if (length > 1 && address.host[length - 1] == '.') address.host[length - 1] = '\0';
    for (size_t i = 0; allowed && allowed[i]; i++)
        if (strcmp(allowed[i], "*") == 0 || strcasecmp(allowed[i], address.host) == 0) return true;
    return false;
}

static struct bytes find(const struct http_head *head, const char *name) {
    return http_fields_find(head->fields, head->field_count, name);
}

bool http_guard_is_from_page(const struct http_head *head) {
    struct bytes site = find(head, "sec-fetch-site");
    /* "none": the person typed the address. */
    if (site.data && !http_names_equal(site, "none")) return true;
    return find(head, "origin").data != NULL;
}

bool http_guard_is_visit(const struct http_head *head) {
    return http_names_equal(find(head, "sec-fetch-mode"), "navigate") &&
           http_names_equal(find(head, "sec-fetch-dest"), "document") && !find(head, "origin").data;
}

static bool is_same_host(struct bytes origin, struct bytes host) {
    static const char *const schemes[] = {"http://", "https://", NULL};
    for (size_t i = 0; schemes[i]; i++) {
        size_t length = strlen(schemes[i]);
        if (origin.length != host.length + length) continue;
        const char *text = (const char *)origin.data;
        if (strncasecmp(text, schemes[i], length) == 0 &&
            strncasecmp(text + length, (const char *)host.data, host.length) == 0)
            return true;
    }
    return false;
}

static bool is_listed(struct bytes origin, const char *const *allowed) {
    for (size_t i = 0; allowed && allowed[i]; i++)
        if (strcmp(allowed[i], "*") == 0 || http_names_equal(origin, allowed[i])) return true;
    return false;
}

bool http_guard_origin_is_listed(const struct http_head *head, const char *const *allowed) {
    if (!find(head, "origin").data) return false;
    for (size_t i = 0; i < head->field_count; i++)
        if (http_names_equal(head->fields[i].name, "origin") &&
            !is_listed(head->fields[i].value, allowed))
            return false;
    return true;
}

bool http_guard_origin_is_allowed(const struct http_head *head) {
    struct bytes site = find(head, "sec-fetch-site");
    if (site.data && !http_names_equal(site, "same-origin") && !http_names_equal(site, "none"))
        return false;
    for (size_t i = 0; i < head->field_count; i++)
        if (http_names_equal(head->fields[i].name, "origin") &&
            !is_same_host(head->fields[i].value, head->host))
            return false;
    return true;
}
