/* BearSSL's TLS engines, client and server in one process without sockets, with our identities and
 * our X.509 engine on both sides. */
#include "tests/lib/unit.h"

#include <stdbool.h>
#include <string.h>

#include "base/random.h"
#include "tests/lib/pki.h"
#include "verifier/x509_engine.h"
#include "verifier/x509_identity.h"

static const char *const edge_names[] = {"edge-7", NULL};

/* One end of the connection. */
struct end {
    union {
        br_ssl_client_context client;
        br_ssl_server_context server;
    } tls;
    br_ssl_engine_context *engine;
    uint8_t buffer[BR_SSL_BUFSIZE_BIDI];
    struct x509_engine x509;
    struct x509_identity *identity;
    br_ec_private_key key;
};

static struct pki_certificate *ca, *stranger, *server_leaf, *client_leaf;

static int make_all(void **state) {
    (void)state;
    ca = pki_make(&(struct pki_wish){.common_name = "Site CA", .is_ca = true}, NULL);
    stranger = pki_make(&(struct pki_wish){.common_name = "Other CA", .is_ca = true}, NULL);
    server_leaf = pki_make(&(struct pki_wish){.common_name = "edge-7", .names = edge_names}, ca);
    client_leaf = pki_make(
        &(struct pki_wish){.common_name = "client-1", .purposes = X509_PURPOSE_CLIENT}, ca);
    return 0;
}

static int free_all(void **state) {
    (void)state;
    pki_free(ca);
    pki_free(stranger);
    pki_free(server_leaf);
    pki_free(client_leaf);
    return 0;
}

static struct x509_trust *trust_in(const struct pki_certificate *anchor) {
    struct x509_trust *trust = x509_trust_new();
    struct buffer text;
    buffer_init(&text, 1 << 14);
    pki_write_pem(anchor, &text);
    assert_true(x509_trust_add_pem(trust, buffer_bytes(&text), X509_UNFIT_REFUSE, NULL, NULL));
    buffer_free(&text);
    return trust;
}

static struct x509_identity *identity_of(const struct pki_certificate *leaf) {
    struct buffer text;
    buffer_init(&text, 1 << 14);
    pki_write_pem(leaf, &text);
    x509_key_write_pem(leaf->key, &text);
    struct x509_identity *identity =
        x509_identity_read_pem(buffer_bytes(&text), buffer_bytes(&text), NULL);
    assert_non_null(identity);
    buffer_wipe(&text);
    return identity;
}

static void seed(br_ssl_engine_context *engine) {
    uint8_t bytes[32];
    random_bytes(bytes, sizeof bytes);
    br_ssl_engine_inject_entropy(engine, bytes, sizeof bytes);
}

static void open_client(struct end *end, const struct x509_policy *policy) {
    br_x509_minimal_context unused;
    size_t count;
    end->engine = &end->tls.client.eng;
    br_ssl_client_init_full(&end->tls.client, &unused, NULL, 0);
    x509_engine_init(&end->x509, policy, PKI_NOW_MS);
    br_ssl_engine_set_x509(end->engine, x509_engine_class(&end->x509));
    br_ssl_engine_set_buffer(end->engine, end->buffer, sizeof end->buffer, 1);
    seed(end->engine);
    end->identity = identity_of(client_leaf);
    end->key = x509_key_ec_view(x509_identity_key(end->identity));
    const br_x509_certificate *chain = x509_identity_view(end->identity, &count);
    br_ssl_client_set_single_ec(&end->tls.client, chain, count, &end->key, BR_KEYTYPE_SIGN,
                                BR_KEYTYPE_EC, &br_ec_all_m31, br_ecdsa_i31_sign_asn1);
    assert_int_equal(br_ssl_client_reset(&end->tls.client, "sni.example", 0), 1);
}

static void open_server(struct end *end, const struct x509_policy *policy) {
    size_t count;
    end->engine = &end->tls.server.eng;
    end->identity = identity_of(server_leaf);
    end->key = x509_key_ec_view(x509_identity_key(end->identity));
    const br_x509_certificate *chain = x509_identity_view(end->identity, &count);
    br_ssl_server_init_full_ec(&end->tls.server, chain, count, BR_KEYTYPE_EC, &end->key);
    br_ssl_engine_set_default_ecdsa(end->engine); /* to check what clients sign */
    x509_engine_init(&end->x509, policy, PKI_NOW_MS);
    br_ssl_engine_set_x509(end->engine, x509_engine_class(&end->x509));
    const br_x509_trust_anchor *anchors = x509_trust_view(policy->trust, &count);
    br_ssl_server_set_trust_anchor_names_alt(&end->tls.server, anchors, count);
    br_ssl_engine_set_buffer(end->engine, end->buffer, sizeof end->buffer, 1);
    seed(end->engine);
    assert_int_equal(br_ssl_server_reset(&end->tls.server), 1);
}

static void close_end(struct end *end) {
    x509_engine_free(&end->x509);
    x509_identity_free(end->identity);
}

/* Carries what one end wants to send to the other. Returns whether there was anything. */
static bool carry(struct end *from, struct end *to) {
    size_t sending, receiving;
    if (!(br_ssl_engine_current_state(from->engine) & BR_SSL_SENDREC)) return false;
    if (!(br_ssl_engine_current_state(to->engine) & BR_SSL_RECVREC)) return false;
    unsigned char *source = br_ssl_engine_sendrec_buf(from->engine, &sending);
    unsigned char *target = br_ssl_engine_recvrec_buf(to->engine, &receiving);
    size_t length = sending < receiving ? sending : receiving;
    memcpy(target, source, length);
    br_ssl_engine_sendrec_ack(from->engine, length);
    br_ssl_engine_recvrec_ack(to->engine, length);
    return true;
}

/* True when both ends can send data. */
static bool shake_hands(struct end *client, struct end *server) {
    while (carry(client, server) || carry(server, client))
        continue;
    return br_ssl_engine_current_state(client->engine) & BR_SSL_SENDAPP &&
           br_ssl_engine_current_state(server->engine) & BR_SSL_SENDAPP;
}

static void both_ends_believe_each_other(void **state) {
    (void)state;
    static struct end client, server;
    struct x509_trust *trust = trust_in(ca);
    struct x509_policy of_server = {
        .trust = trust, .purpose = X509_PURPOSE_SERVER, .host = "edge-7"};
    struct x509_policy of_client = {.trust = trust, .purpose = X509_PURPOSE_CLIENT};
    open_client(&client, &of_server);
    open_server(&server, &of_client);
    assert_true(shake_hands(&client, &server));
    const struct x509_verdict *peer = x509_engine_verdict(&server.x509);
    assert_non_null(peer);
    assert_true(bytes_equal_text(x509_name_common_name(peer->leaf.subject), "client-1"));
    assert_non_null(x509_engine_verdict(&client.x509));
    close_end(&client);
    close_end(&server);
    x509_trust_free(trust);
}

static void each_end_says_what_it_refuses(void **state) {
    (void)state;
    static struct end client, server;
    struct x509_trust *trust = trust_in(ca);
    struct x509_trust *other = trust_in(stranger);
    struct {
        const struct x509_trust *of_server, *of_client;
        const char *host;
        enum status_code client_code, server_code;
    } rows[] = {
        {other, trust, "edge-7", STATUS_UNKNOWN_ISSUER, STATUS_OK},
        {trust, trust, "sni.example", STATUS_WRONG_NAME, STATUS_OK},
        {trust, other, "edge-7", STATUS_OK, STATUS_UNKNOWN_ISSUER},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct x509_policy of_server = {
            .trust = rows[i].of_server, .purpose = X509_PURPOSE_SERVER, .host = rows[i].host};
        struct x509_policy of_client = {.trust = rows[i].of_client, .purpose = X509_PURPOSE_CLIENT};
        open_client(&client, &of_server);
        open_server(&server, &of_client);
        assert_false(shake_hands(&client, &server));
        assert_int_equal(x509_engine_status(&client.x509)->code, rows[i].client_code);
        assert_int_equal(x509_engine_status(&server.x509)->code, rows[i].server_code);
        struct end *refusing = rows[i].client_code ? &client : &server;
        assert_int_equal(br_ssl_engine_last_error(refusing->engine), X509_ENGINE_REFUSED);
        close_end(&client);
        close_end(&server);
    }
    x509_trust_free(other);
    x509_trust_free(trust);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_believe_each_other),
        cmocka_unit_test(each_end_says_what_it_refuses),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
