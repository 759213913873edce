/*
 * The files of the web pages, linked into the binary as read-only data.
 *
 * Every file `roles/<role>/web/<name>` (html, css, js, svg) is an asset with the path
 * "<role>/<name>": the status page of `up`, roles/up/web/index.html, is "up/index.html". The table
 * is generated at build time by src/app/embed and is sorted by path.
 */
#ifndef LSYS_APP_WEB_ASSETS_H
#define LSYS_APP_WEB_ASSETS_H

#include <stddef.h>

struct web_asset {
    const char *path;          /* "<role>/<name>", no leading slash */
    const char *content_type;  /* with charset where it is text */
    const unsigned char *data; /* static; not terminated by NUL */
    size_t length_bytes;
    const char *etag; /* strong, with its quotes (RFC 9110, 8.8.3); from the SHA-256 of data */
};

/* Returns the asset with exactly this path, or NULL. The result is static. */
const struct web_asset *web_asset_find(const char *path);

/* The generated table, for web_asset_find and for tests. */
extern const struct web_asset web_assets[];
extern const size_t web_assets_count;

#endif
