#include "app/nats_login.h"

#include <stddef.h>
#include <string.h>

/* A credential that is kept in a file: its row, and where bus_options wants it. */
struct credential {
    const char *key;
    size_t place;
};

static const struct credential credentials[] = {
    {"nats.password_file", offsetof(struct bus_options, password)},
    {"nats.token_file", offsetof(struct bus_options, token)},
    {"nats.nkey_file", offsetof(struct bus_options, nkey_seed)},
    {"nats.creds", offsetof(struct bus_options, credentials)},
};

#define CREDENTIALS (sizeof credentials / sizeof credentials[0])

/* A broker of this process and other servers would be two worlds: what is said in one is not heard
 * in the other. */
static bool check_embedded_is_alone(const struct options *options, struct status *status) {
    size_t count = options_count(options, "nats.urls");
    for (size_t i = 0; count > 1 && i < count; i++)
        if (!strcmp(options_item(options, "nats.urls", i), NATS_EMBEDDED))
            return status_fail(status, STATUS_CONFIG,
                               "--nats embedded cannot be one of several: name the servers of one "
                               "cluster, or the embedded broker alone");
    return true;
}

static bool check_embedded_tls(const struct options *options, const char *embedded_url,
                               struct status *status) {
    static const char *const keys[] = {"nats.tls_ca", "nats.tls_cert", "nats.tls_key"};
    if (strncmp(embedded_url, "tls://", 6) == 0) return true;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (options_is_given(options, keys[i]))
            return status_fail(status, STATUS_CONFIG,
                               "%s: the broker of this process speaks plain text; leave it out, or "
                               "give the broker TLS",
                               options_origin(options, keys[i]));
    return true;
}

static bool read_urls(const struct options *options, const char *embedded_url, struct buffer *out,
                      struct status *status) {
    for (size_t i = 0; i < options_count(options, "nats.urls"); i++) {
        const char *url = options_item(options, "nats.urls", i);
        if (!strcmp(url, NATS_EMBEDDED)) {
            if (!embedded_url)
                return status_fail(status, STATUS_CONFIG,
                                   "--nats embedded: there is no broker in this process; name one, "
                                   "as in --nats nats://127.0.0.1:4222");
            url = embedded_url;
            if (!check_embedded_tls(options, embedded_url, status)) return false;
        }
        if (out->length > 0) buffer_append_text(out, ",");
        buffer_append_text(out, url);
    }
    if (out->length == 0)
        return status_fail(status, STATUS_CONFIG, "--nats: no server is configured");
    return buffer_check(out, "--nats", status);
}

/* Reads the one credential that is configured, if any. */
static bool read_credential(const struct options *options, struct nats_login *out,
                            struct status *status) {
    const struct credential *chosen = NULL;
    for (size_t i = 0; i < CREDENTIALS; i++) {
        if (!options_is_given(options, credentials[i].key)) continue;
        if (chosen)
            return status_fail(
                status, STATUS_CONFIG, "%s and %s are both set: NATS takes one kind of credential",
                options_origin(options, chosen->key), options_origin(options, credentials[i].key));
        chosen = &credentials[i];
    }
    if (!chosen) return true;
    if (!options_secret(options, chosen->key, &out->secret, status)) return false;
    const char *text = buffer_text(&out->secret);
    memcpy((char *)&out->bus + chosen->place, &text, sizeof text);
    return true;
}

bool nats_login_read(const struct options *options, const char *client_name,
                     const char *embedded_url, struct nats_login *out, struct status *status) {
    memset(out, 0, sizeof *out);
    buffer_init(&out->urls, NATS_LOGIN_TEXT_BYTES);
    buffer_init(&out->secret, NATS_LOGIN_TEXT_BYTES);
    if (!check_embedded_is_alone(options, status) ||
        !read_urls(options, embedded_url, &out->urls, status))
        return false;
    if (!read_credential(options, out, status)) return false;
    out->bus.urls = buffer_text(&out->urls);
    out->bus.name = client_name;
    out->bus.user = options_text(options, "nats.user");
    out->bus.tls_ca_file = options_text(options, "nats.tls_ca");
    out->bus.tls_certificate_file = options_text(options, "nats.tls_cert");
    out->bus.tls_key_file = options_text(options, "nats.tls_key");
    if (out->bus.password && !out->bus.user)
        return status_fail(status, STATUS_CONFIG, "%s: a password needs its user, in --nats-user",
                           options_origin(options, "nats.password_file"));
    if (out->bus.user && !out->bus.password)
        return status_fail(status, STATUS_CONFIG,
                           "--nats-user needs the user's password in --nats-password-file");
    return true;
}

void nats_login_wipe(struct nats_login *login) {
    buffer_wipe(&login->secret);
    buffer_wipe(&login->urls);
    memset(&login->bus, 0, sizeof login->bus);
}
