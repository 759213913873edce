#include "roles/up/page.h"

#include <stdlib.h>

#include "app/web_assets.h"
#include "base/assertion.h"
#include "base/list.h"
#include "base/memory.h"
#include "net/http_events.h"
#include "net/http_request.h"

struct page {
    struct list followers; /* of struct page_follower */
    size_t follower_count;
    page_overview *overview;
    void *owner;
};

struct page_follower {
    struct list link;
    struct page *page;
    struct http_events *events;
};

static void serve_asset(struct http_request *request, const char *path) {
    const struct web_asset *asset = web_asset_find(path);
    if (!asset) {
        http_respond_problem(request, 404, "not_found", "There is no such page", NULL);
        return;
    }
    http_response_allow_page(request);
    http_respond_asset(request, asset->content_type, asset->etag,
                       bytes_of(asset->data, asset->length_bytes));
}

static void serve_index(void *context, struct http_request *request) {
    (void)context;
    serve_asset(request, "up/index.html");
}

static void serve_style(void *context, struct http_request *request) {
    (void)context;
    serve_asset(request, "up/style.css");
}

static void serve_script(void *context, struct http_request *request) {
    (void)context;
    serve_asset(request, "up/page.js");
}

static void serve_icon(void *context, struct http_request *request) {
    (void)context;
    serve_asset(request, "up/icon.svg");
}

static void serve_stack(void *context, struct http_request *request) {
    struct page *page = context;
    http_respond(request, 200, "application/json", page->overview(page->owner));
}

static void forget_follower(void *context) {
    struct page_follower *follower = context;
    list_remove(&follower->link);
    follower->page->follower_count--;
    free(follower);
}

static void send_overview(const struct page_follower *follower) {
    http_events_send(follower->events, "stack", NULL,
                     follower->page->overview(follower->page->owner));
}

static void serve_events(void *context, struct http_request *request) {
    struct page *page = context;
    if (page->follower_count == PAGE_FOLLOWERS_MAX) {
        http_respond_problem(request, 503, "too_many_followers", "Too many pages follow this stack",
                             "At most %d may; close one of the others", PAGE_FOLLOWERS_MAX);
        return;
    }
    struct page_follower *follower = memory_new(sizeof *follower);
    follower->page = page;
    list_append(&page->followers, &follower->link);
    page->follower_count++;
    follower->events = http_request_open_events(request, forget_follower, follower);
    send_overview(follower);
}

static const struct http_route page_routes[] = {
    {.method = "GET", .pattern = "/", .handle = serve_index},
    {.method = "GET", .pattern = "/style.css", .handle = serve_style},
    {.method = "GET", .pattern = "/page.js", .handle = serve_script},
    {.method = "GET", .pattern = "/icon.svg", .handle = serve_icon},
    {.method = "GET", .pattern = "/v1/stack", .handle = serve_stack},
    {.method = "GET", .pattern = "/v1/events", .handle = serve_events},
};

struct page *page_new(struct http_server *server, page_overview *overview, void *owner) {
    struct page *page = memory_new(sizeof *page);
    list_init(&page->followers);
    page->overview = overview;
    page->owner = owner;
    http_server_add_routes(server, page_routes, sizeof page_routes / sizeof page_routes[0], page);
    return page;
}

void page_broadcast(struct page *page) {
    for (struct list *at = page->followers.next; at != &page->followers; at = at->next)
        send_overview(LIST_ENTRY(at, struct page_follower, link));
}

size_t page_followers(const struct page *page) {
    return page->follower_count;
}

void page_free(struct page *page) {
    if (!page) return;
    ASSERT(list_is_empty(&page->followers));
    free(page);
}
