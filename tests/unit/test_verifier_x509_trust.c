/* Chains and the verdict on each, with certificates of our own making. What only other tools make
 * (RSA, SHA-1, strange extensions) is in tests/blackbox/ca.test.mjs. */
#include "tests/lib/unit.h"

#include <stdbool.h>
#include <string.h>

#include "tests/lib/pki.h"
#include "verifier/x509_engine.h"
#include "verifier/x509_trust.h"

static const char *const edge_names[] = {"edge-7", "*.edge.example.com", "IP:127.0.0.1", "IP:::1",
                                         NULL};

/* One deployment's CA, another one of the same name, and certificates under them. */
enum made {
    ROOT,
    IMPOSTOR,   /* another CA with the same name */
    STRANGER,   /* another CA with another name */
    SERVER,     /* edge-7, under ROOT */
    CLIENT,     /* clientAuth only */
    NAMELESS,   /* no alternative names, CN=edge-7 */
    EXPIRED,    /* ended yesterday */
    FUTURE,     /* begins tomorrow */
    FORGED,     /* as SERVER, under IMPOSTOR */
    FOREIGN,    /* as SERVER, under STRANGER */
    BELOW,      /* a CA under ROOT, which allows none */
    BELOW_LEAF, /* under BELOW */
    LEAF_LEAF,  /* "issued" by SERVER: made with its key by hand, see below */
    OLD_ROOT,   /* a CA that has expired */
    OLD_LEAF,   /* valid, under OLD_ROOT */
    SELF,       /* a server's self-signed certificate */
    MADE
};

static struct pki_certificate *made[MADE];

static void make(enum made which, enum made issuer, struct pki_wish wish) {
    made[which] = pki_make(&wish, issuer == MADE ? NULL : made[issuer]);
}

static int make_all(void **state) {
    (void)state;
    make(ROOT, MADE, (struct pki_wish){.common_name = "Site CA", .is_ca = true});
    make(IMPOSTOR, MADE, (struct pki_wish){.common_name = "Site CA", .is_ca = true});
    make(STRANGER, MADE, (struct pki_wish){.common_name = "Other CA", .is_ca = true});
    make(SERVER, ROOT, (struct pki_wish){.common_name = "edge-7", .names = edge_names});
    make(CLIENT, ROOT,
         (struct pki_wish){
             .common_name = "edge-7", .names = edge_names, .purposes = X509_PURPOSE_CLIENT});
    make(NAMELESS, ROOT, (struct pki_wish){.common_name = "edge-7"});
    make(EXPIRED, ROOT,
         (struct pki_wish){.common_name = "edge-7",
                           .names = edge_names,
                           .not_before_ms = PKI_NOW_MS - 2 * PKI_DAY_MS,
                           .not_after_ms = PKI_NOW_MS - PKI_DAY_MS});
    make(FUTURE, ROOT,
         (struct pki_wish){.common_name = "edge-7",
                           .names = edge_names,
                           .not_before_ms = PKI_NOW_MS + PKI_DAY_MS,
                           .not_after_ms = PKI_NOW_MS + 2 * PKI_DAY_MS});
    make(FORGED, IMPOSTOR, (struct pki_wish){.common_name = "edge-7", .names = edge_names});
    make(FOREIGN, STRANGER, (struct pki_wish){.common_name = "edge-7", .names = edge_names});
    make(BELOW, ROOT, (struct pki_wish){.common_name = "Lower CA", .is_ca = true});
    make(BELOW_LEAF, BELOW, (struct pki_wish){.common_name = "edge-7", .names = edge_names});
    made[SERVER]->certificate.is_ca = true; /* so that the builder lets it sign */
    make(LEAF_LEAF, SERVER, (struct pki_wish){.common_name = "edge-7", .names = edge_names});
    made[SERVER]->certificate.is_ca = false;
    make(OLD_ROOT, MADE,
         (struct pki_wish){.common_name = "Old CA",
                           .is_ca = true,
                           .not_before_ms = PKI_NOW_MS - 9 * PKI_DAY_MS,
                           .not_after_ms = PKI_NOW_MS - PKI_DAY_MS});
    make(OLD_LEAF, OLD_ROOT, (struct pki_wish){.common_name = "edge-7", .names = edge_names});
    make(SELF, MADE, (struct pki_wish){.common_name = "edge-7", .names = edge_names});
    return 0;
}

static int free_all(void **state) {
    (void)state;
    for (size_t i = 0; i < MADE; i++)
        pki_free(made[i]);
    return 0;
}

/* A set with these CAs, ended by MADE. */
static struct x509_trust *trust_in(const enum made *anchors) {
    struct x509_trust *trust = x509_trust_new();
    struct buffer text;
    buffer_init(&text, 1 << 16);
    for (; *anchors != MADE; anchors++)
        pki_write_pem(made[*anchors], &text);
    assert_true(x509_trust_add_pem(trust, buffer_bytes(&text), X509_UNFIT_REFUSE, NULL, NULL));
    buffer_free(&text);
    return trust;
}

static const enum made site[] = {ROOT, OLD_ROOT, MADE};
static const enum made both[] = {IMPOSTOR, ROOT, MADE};

static const struct row {
    const char *what;
    const enum made *trusted;
    enum made chain[4]; /* ended by MADE */
    uint32_t purpose;
    const char *host;
    int64_t after_now_ms;
    enum status_code code;
    const char *text; /* part of it */
} rows[] = {
    {"a good server", site, {SERVER, MADE}, X509_PURPOSE_SERVER, "edge-7", 0, STATUS_OK, ""},
    {"upper case", site, {SERVER, MADE}, X509_PURPOSE_SERVER, "EDGE-7", 0, STATUS_OK, ""},
    {"a final dot", site, {SERVER, MADE}, X509_PURPOSE_SERVER, "edge-7.", 0, STATUS_OK, ""},
    {"its root comes along",
     site,
     {SERVER, ROOT, MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     0,
     STATUS_OK,
     ""},
    {"something else comes along",
     site,
     {SERVER, STRANGER, MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     0,
     STATUS_OK,
     ""},
    {"two CAs of one name", both, {SERVER, MADE}, X509_PURPOSE_SERVER, "edge-7", 0, STATUS_OK, ""},
    {"by its IPv4 address",
     site,
     {SERVER, MADE},
     X509_PURPOSE_SERVER,
     "127.0.0.1",
     0,
     STATUS_OK,
     ""},
    {"by its IPv6 address", site, {SERVER, MADE}, X509_PURPOSE_SERVER, "[::1]", 0, STATUS_OK, ""},
    {"the same address, longer",
     site,
     {SERVER, MADE},
     X509_PURPOSE_SERVER,
     "0:0:0:0:0:0:0:1",
     0,
     STATUS_OK,
     ""},
    {"another address",
     site,
     {SERVER, MADE},
     X509_PURPOSE_SERVER,
     "127.0.0.2",
     0,
     STATUS_WRONG_NAME,
     "name 127.0.0.2 not in [edge-7, *.edge.example.com, 127.0.0.1, ::1]"},
    {"another name",
     site,
     {SERVER, MADE},
     X509_PURPOSE_SERVER,
     "edge-8",
     0,
     STATUS_WRONG_NAME,
     "name edge-8 not in [edge-7, "},
    {"a wildcard's label",
     site,
     {SERVER, MADE},
     X509_PURPOSE_SERVER,
     "a.edge.example.com",
     0,
     STATUS_OK,
     ""},
    {"two labels for a wildcard",
     site,
     {SERVER, MADE},
     X509_PURPOSE_SERVER,
     "a.b.edge.example.com",
     0,
     STATUS_WRONG_NAME,
     "not in ["},
    {"no label for a wildcard",
     site,
     {SERVER, MADE},
     X509_PURPOSE_SERVER,
     "edge.example.com",
     0,
     STATUS_WRONG_NAME,
     "not in ["},
    {"the wildcard itself",
     site,
     {SERVER, MADE},
     X509_PURPOSE_SERVER,
     "*.edge.example.com",
     0,
     STATUS_WRONG_NAME,
     "not in ["},
    {"an escape sequence",
     site,
     {SERVER, MADE},
     X509_PURPOSE_SERVER,
     "edge\x1b[2J",
     0,
     STATUS_WRONG_NAME,
     "name edge\\x1b[2J not in"},
    {"no name", site, {SERVER, MADE}, X509_PURPOSE_SERVER, "", 0, STATUS_WRONG_NAME, "not in ["},
    {"only a common name",
     site,
     {NAMELESS, MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     0,
     STATUS_WRONG_NAME,
     "name edge-7 not in [] (the certificate has no subjectAltName"},
    {"a server as a client",
     site,
     {SERVER, MADE},
     X509_PURPOSE_CLIENT,
     NULL,
     0,
     STATUS_WRONG_TYPE,
     "certificate CN=edge-7: it is not meant for a client (clientAuth)"},
    {"a client as a server",
     site,
     {CLIENT, MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     0,
     STATUS_WRONG_TYPE,
     "it is not meant for a server (serverAuth)"},
    {"a good client", site, {CLIENT, MADE}, X509_PURPOSE_CLIENT, NULL, 0, STATUS_OK, ""},
    {"expired",
     site,
     {EXPIRED, MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     0,
     STATUS_EXPIRED,
     "certificate expired on 2026-05-31T00:00:00Z (CN=edge-7)"},
    {"its last second",
     site,
     {EXPIRED, MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     -PKI_DAY_MS + 999,
     STATUS_OK,
     ""},
    {"the second after",
     site,
     {EXPIRED, MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     -PKI_DAY_MS + 1000,
     STATUS_EXPIRED,
     "certificate expired on"},
    {"not yet valid",
     site,
     {FUTURE, MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     0,
     STATUS_NOT_YET_VALID,
     "certificate is not valid before 2026-06-02T00:00:00Z (CN=edge-7)"},
    {"the second before",
     site,
     {SERVER, MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     -PKI_DAY_MS - 1,
     STATUS_NOT_YET_VALID,
     "certificate is not valid before"},
    {"the first second",
     site,
     {SERVER, MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     -PKI_DAY_MS,
     STATUS_OK,
     ""},
    {"a CA of the same name",
     site,
     {FORGED, MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     0,
     STATUS_BAD_SIGNATURE,
     "certificate CN=edge-7: it names CN=Site CA as its issuer but is not signed by that key"},
    {"the same with its root",
     site,
     {FORGED, IMPOSTOR, MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     0,
     STATUS_BAD_SIGNATURE,
     "not signed by that key"},
    {"the same several times",
     site,
     {FORGED, IMPOSTOR, IMPOSTOR, MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     0,
     STATUS_BAD_SIGNATURE,
     "certificate CN=edge-7: it names CN=Site CA as its issuer"},
    {"an unknown CA",
     site,
     {FOREIGN, MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     0,
     STATUS_UNKNOWN_ISSUER,
     "unknown issuer CN=Other CA of certificate CN=edge-7"},
    {"an unknown CA that comes along",
     site,
     {FOREIGN, STRANGER, MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     0,
     STATUS_UNKNOWN_ISSUER,
     "unknown issuer CN=Other CA"},
    {"signed by itself",
     site,
     {SELF, MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     0,
     STATUS_UNKNOWN_ISSUER,
     "(the certificate is signed by itself)"},
    {"a CA below one that allows none",
     site,
     {BELOW_LEAF, BELOW, MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     0,
     STATUS_WRONG_TYPE,
     "allows 0 CAs below itself"},
    {"issued by a leaf",
     site,
     {LEAF_LEAF, SERVER, MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     0,
     STATUS_WRONG_TYPE,
     "it has issued another certificate but is not a CA's"},
    {"not in order",
     site,
     {BELOW_LEAF, SERVER, BELOW, MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     0,
     STATUS_WRONG_TYPE,
     "is not a CA's"},
    {"an expired CA",
     site,
     {OLD_LEAF, MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     0,
     STATUS_EXPIRED,
     "the trusted CA's own: certificate expired on 2026-05-31T00:00:00Z (CN=Old CA)"},
    {"nothing",
     site,
     {MADE},
     X509_PURPOSE_SERVER,
     "edge-7",
     0,
     STATUS_UNKNOWN_ISSUER,
     "there is no certificate"},
};

static size_t chain_of(const enum made *members, struct bytes *chain) {
    size_t count = 0;
    for (; members[count] != MADE; count++)
        chain[count] = buffer_bytes(&made[members[count]]->der);
    return count;
}

static void each_chain_has_its_verdict(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bytes chain[4];
        struct status status = STATUS_INIT;
        size_t count = chain_of(rows[i].chain, chain);
        struct x509_trust *trust = trust_in(rows[i].trusted);
        struct x509_policy policy = {
            .trust = trust, .purpose = rows[i].purpose, .host = rows[i].host};
        bool verified = x509_chain_verify(&policy, chain, count, PKI_NOW_MS + rows[i].after_now_ms,
                                          NULL, &status);
        if (verified != (rows[i].code == STATUS_OK) || status.code != rows[i].code ||
            !strstr(status.text, rows[i].text))
            fail_msg("%s: %s: \"%s\"", rows[i].what, status_code_name(status.code), status.text);
        x509_trust_free(trust);
    }
}

static void nobody_is_trusted_by_an_empty_set(void **state) {
    (void)state;
    struct bytes chain = buffer_bytes(&made[SERVER]->der);
    struct x509_trust *trust = x509_trust_new();
    struct x509_policy policy = {.trust = trust, .purpose = X509_PURPOSE_SERVER, .host = "edge-7"};
    struct status status = STATUS_INIT;
    assert_false(x509_chain_verify(&policy, &chain, 1, PKI_NOW_MS, NULL, &status));
    assert_int_equal(status.code, STATUS_UNKNOWN_ISSUER);
    x509_trust_free(trust);
}

static void only_a_pinned_key_counts(void **state) {
    (void)state;
    uint8_t pins[2][SHA256_BYTES] = {{0}};
    struct bytes chain = buffer_bytes(&made[SERVER]->der);
    struct status status = STATUS_INIT;
    struct x509_trust *trust = trust_in(site);
    struct x509_policy policy = {.trust = trust,
                                 .purpose = X509_PURPOSE_SERVER,
                                 .host = "edge-7",
                                 .pins = (const uint8_t(*)[SHA256_BYTES])pins,
                                 .pin_count = 2};
    assert_false(x509_chain_verify(&policy, &chain, 1, PKI_NOW_MS, NULL, &status));
    assert_int_equal(status.code, STATUS_UNKNOWN_KEY);
    x509_public_key_pin(x509_key_public(made[SERVER]->key), pins[1]);
    assert_true(x509_chain_verify(&policy, &chain, 1, PKI_NOW_MS, NULL, NULL));
    x509_trust_free(trust);
}

static void no_altered_byte_is_accepted(void **state) {
    (void)state;
    struct x509_trust *trust = trust_in(site);
    struct x509_policy policy = {.trust = trust, .purpose = X509_PURPOSE_SERVER, .host = "edge-7"};
    struct buffer *der = &made[SERVER]->der;
    for (size_t i = 0; i < der->length; i++) {
        struct bytes chain = buffer_bytes(der);
        der->data[i] ^= (uint8_t)(1 << i % 8);
        if (x509_chain_verify(&policy, &chain, 1, PKI_NOW_MS, NULL, NULL))
            fail_msg("byte %zu may be altered", i);
        der->data[i] ^= (uint8_t)(1 << i % 8);
    }
    for (size_t length = 0; length < der->length; length++) {
        struct bytes chain = bytes_of(der->data, length);
        assert_false(x509_chain_verify(&policy, &chain, 1, PKI_NOW_MS, NULL, NULL));
    }
    x509_trust_free(trust);
}

static void a_chain_has_a_limit(void **state) {
    (void)state;
    struct bytes chain[X509_CHAIN_MAX + 1];
    struct status status = STATUS_INIT;
    struct x509_trust *trust = trust_in(site);
    struct x509_policy policy = {.trust = trust, .purpose = X509_PURPOSE_SERVER};
    for (size_t i = 0; i < COUNT_OF(chain); i++)
        chain[i] = buffer_bytes(&made[SERVER]->der);
    assert_true(x509_chain_verify(&policy, chain, X509_CHAIN_MAX, PKI_NOW_MS, NULL, NULL));
    assert_false(x509_chain_verify(&policy, chain, X509_CHAIN_MAX + 1, PKI_NOW_MS, NULL, &status));
    assert_int_equal(status.code, STATUS_TOO_LARGE);
    x509_trust_free(trust);
}

static void only_cas_become_anchors(void **state) {
    (void)state;
    struct x509_trust *trust = x509_trust_new();
    struct status status = STATUS_INIT;
    struct buffer text;
    size_t skipped = 0;
    buffer_init(&text, 1 << 16);
    pki_write_pem(made[ROOT], &text);
    pki_write_pem(made[SERVER], &text);
    pki_write_pem(made[ROOT], &text); /* again: not added twice */
    pki_write_pem(made[STRANGER], &text);
    assert_false(x509_trust_add_pem(trust, buffer_bytes(&text), X509_UNFIT_REFUSE, NULL, &status));
    assert_int_equal(status.code, STATUS_WRONG_TYPE);
    assert_string_equal(status.text, "certificate 2 (CN=edge-7): it is not the certificate of a CA "
                                     "(basicConstraints CA:TRUE)");
    assert_true(x509_trust_add_pem(trust, buffer_bytes(&text), X509_UNFIT_SKIP, &skipped, NULL));
    assert_int_equal(skipped, 1);
    assert_int_equal(x509_trust_count(trust), 2);
    buffer_free(&text);
    x509_trust_free(trust);
}

static void texts_without_a_ca_are_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "", "no PEM at all\n", "-----BEGIN X-----\nZm9v\n-----END X-----\n",
        "-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nZm9v\n"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct x509_trust *trust = x509_trust_new();
        struct status status = STATUS_INIT;
        assert_false(
            x509_trust_add_pem(trust, bytes_of_text(texts[i]), X509_UNFIT_SKIP, NULL, &status));
        assert_int_not_equal(status.code, STATUS_OK);
        x509_trust_free(trust);
    }
}

/* Hands a chain to the engine as BearSSL does, in small pieces. Returns what end_chain gave. */
static unsigned feed(struct x509_engine *engine, const enum made *members) {
    const br_x509_class **class = x509_engine_class(engine);
    (*class)->start_chain(class, "ignored.example");
    for (; *members != MADE; members++) {
        struct bytes der = buffer_bytes(&made[*members]->der);
        (*class)->start_cert(class, (uint32_t)der.length);
        for (size_t at = 0; at < der.length; at += 100)
            (*class)->append(class, der.data + at, der.length - at < 100 ? der.length - at : 100);
        (*class)->end_cert(class);
    }
    return (*class)->end_chain(class);
}

static void the_engine_passes_the_verdict_on(void **state) {
    (void)state;
    static const enum made good[] = {SERVER, ROOT, MADE}, bad[] = {FOREIGN, MADE}, none[] = {MADE};
    static const enum made many[] = {SERVER, ROOT, ROOT, ROOT, ROOT, ROOT,
                                     ROOT,   ROOT, ROOT, ROOT, MADE};
    struct x509_trust *trust = trust_in(site);
    struct x509_policy policy = {.trust = trust, .purpose = X509_PURPOSE_SERVER, .host = "edge-7"};
    struct x509_engine engine;
    unsigned usages = 0;
    x509_engine_init(&engine, &policy, PKI_NOW_MS);
    const br_x509_class **class = x509_engine_class(&engine);

    assert_int_equal(feed(&engine, bad), X509_ENGINE_REFUSED);
    assert_int_equal(x509_engine_status(&engine)->code, STATUS_UNKNOWN_ISSUER);
    assert_null((*class)->get_pkey(class, &usages));
    assert_null(x509_engine_verdict(&engine));

    assert_int_equal(feed(&engine, good), 0);
    assert_int_equal(x509_engine_status(&engine)->code, STATUS_OK);
    const br_x509_pkey *key = (*class)->get_pkey(class, &usages);
    assert_non_null(key);
    assert_int_equal(key->key_type, BR_KEYTYPE_EC);
    assert_int_equal(usages, BR_KEYTYPE_SIGN);
    assert_memory_equal(key->key.ec.q, x509_key_public(made[SERVER]->key)->point.data, 65);
    assert_true(
        bytes_equal(x509_engine_verdict(&engine)->leaf.der, buffer_bytes(&made[SERVER]->der)));

    assert_int_equal(feed(&engine, none), X509_ENGINE_REFUSED);
    assert_int_equal(feed(&engine, many), X509_ENGINE_REFUSED);
    assert_int_equal(x509_engine_status(&engine)->code, STATUS_TOO_LARGE);
    (*class)->start_chain(class, NULL);
    (*class)->start_cert(class, UINT32_MAX);
    assert_int_equal((*class)->end_chain(class), X509_ENGINE_REFUSED);
    assert_int_equal(x509_engine_status(&engine)->code, STATUS_TOO_LARGE);
    x509_engine_free(&engine);
    x509_engine_free(&engine);
    x509_trust_free(trust);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_chain_has_its_verdict),
        cmocka_unit_test(nobody_is_trusted_by_an_empty_set),
        cmocka_unit_test(only_a_pinned_key_counts),
        cmocka_unit_test(no_altered_byte_is_accepted),
        cmocka_unit_test(a_chain_has_a_limit),
        cmocka_unit_test(only_cas_become_anchors),
        cmocka_unit_test(texts_without_a_ca_are_refused),
        cmocka_unit_test(the_engine_passes_the_verdict_on),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
