#include "tests/lib/tls_peers.h"

#include "base/assertion.h"
#include "base/clock.h"

#define TEXT_BYTES 16384

static const char *const edge_7[] = {"edge-7", "localhost", "IP:127.0.0.1", "IP:::1", NULL};
static const char *const edge_8[] = {"edge-8", NULL};

struct role_row {
    enum tls_role role;
    const char *const *names;
    uint32_t purposes;
    int begin_days; /* from now */
    int end_days;
    bool is_stranger;
};

static const struct role_row rows[] = {
    {TLS_SERVER, edge_7, X509_PURPOSE_SERVER, -1, 1, false},
    {TLS_SERVER_OTHER_NAME, edge_8, X509_PURPOSE_SERVER, -1, 1, false},
    {TLS_SERVER_EXPIRED, edge_7, X509_PURPOSE_SERVER, -2, -1, false},
    {TLS_SERVER_FUTURE, edge_7, X509_PURPOSE_SERVER, 1, 2, false},
    {TLS_SERVER_STRANGER, edge_7, X509_PURPOSE_SERVER, -1, 1, true},
    {TLS_CLIENT, edge_8, X509_PURPOSE_CLIENT, -1, 1, false},
    {TLS_CLIENT_EXPIRED, edge_8, X509_PURPOSE_CLIENT, -2, -1, false},
    {TLS_CLIENT_STRANGER, edge_8, X509_PURPOSE_CLIENT, -1, 1, true},
};

static struct pki_certificate *make_ca(const char *name, struct buffer *pem) {
    struct pki_wish wish = {.common_name = name,
                            .is_ca = true,
                            .not_before_ms = clock_wall_ms() - 10 * PKI_DAY_MS,
                            .not_after_ms = clock_wall_ms() + 10 * PKI_DAY_MS};
    struct pki_certificate *ca = pki_make(&wish, NULL);
    buffer_init(pem, TEXT_BYTES);
    pki_write_pem(ca, pem);
    return ca;
}

static void make_role(struct tls_peers *peers, const struct role_row *row,
                      const struct pki_certificate *issuer) {
    struct tls_pem *pem = &peers->pems[row->role];
    struct pki_wish wish = {.common_name = row->names[0],
                            .names = row->names,
                            .purposes = row->purposes,
                            .not_before_ms = clock_wall_ms() + row->begin_days * PKI_DAY_MS,
                            .not_after_ms = clock_wall_ms() + row->end_days * PKI_DAY_MS};
    struct pki_certificate *made = pki_make(&wish, issuer);
    buffer_init(&pem->certificate, TEXT_BYTES);
    buffer_init(&pem->key, TEXT_BYTES);
    pki_write_pem(made, &pem->certificate);
    x509_key_write_pem(made->key, &pem->key);
    if (row->role == TLS_SERVER) x509_public_key_pin(x509_key_public(made->key), peers->server_pin);
    pki_free(made);
}

void tls_peers_make(struct tls_peers *peers) {
    struct pki_certificate *ca = make_ca("Site CA", &peers->ca);
    struct pki_certificate *stranger = make_ca("Other CA", &peers->stranger);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        make_role(peers, &rows[i], rows[i].is_stranger ? stranger : ca);
    pki_free(ca);
    pki_free(stranger);
}

void tls_peers_free(struct tls_peers *peers) {
    buffer_free(&peers->ca);
    buffer_free(&peers->stranger);
    for (size_t i = 0; i < TLS_ROLES; i++) {
        buffer_free(&peers->pems[i].certificate);
        buffer_wipe(&peers->pems[i].key);
    }
}

struct tls_identity tls_peers_identity(const struct tls_peers *peers, enum tls_role role) {
    return (struct tls_identity){.certificates = buffer_bytes(&peers->pems[role].certificate),
                                 .key = buffer_bytes(&peers->pems[role].key)};
}

struct tls_server_context *tls_peers_server(const struct tls_peers *peers, enum tls_role role,
                                            enum tls_client_certificates clients) {
    struct tls_identity identity = tls_peers_identity(peers, role);
    struct tls_server_options options = {.identities = &identity,
                                         .identity_count = 1,
                                         .client_certificates = clients,
                                         .client_ca = buffer_bytes(&peers->ca)};
    struct status status = STATUS_INIT;
    struct tls_server_context *context = tls_server_context_create(&options, &status);
    ASSERT(context);
    return context;
}

struct tls_client_context *tls_peers_client(const struct tls_peers *peers, enum tls_role role) {
    struct tls_client_options options = {.ca = buffer_bytes(&peers->ca)};
    if (role != TLS_ROLES) options.identity = tls_peers_identity(peers, role);
    struct status status = STATUS_INIT;
    struct tls_client_context *context = tls_client_context_create(&options, &status);
    ASSERT(context);
    return context;
}
