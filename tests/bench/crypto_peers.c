/*
 * What OpenSSL and libjwt need for what crypto_lsys.c measures of lsys: lines "openssl NAME
 * MICROSECONDS" and "libjwt NAME MICROSECONDS". Their keys are their own; texts, payloads and the
 * certificate are the same.
 *
 *     crypto_peers SECONDS ES256-TOKEN CERTIFICATE KEY CA
 */
#include <jwt.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string.h>

#include "tests/bench/crypto_cost.h"

#define TOKEN_BYTES_MAX 65536

static void die(const char *what) {
    fprintf(stderr, "crypto_peers: %s\n", what);
    exit(1);
}

/* ---- signatures ---- */

struct signature {
    EVP_PKEY *key;
    const EVP_MD *hash; /* NULL: Ed25519 */
    const unsigned char *text;
    size_t length;
    unsigned char value[128];
    size_t value_length;
};

static bool verify(void *context) {
    const struct signature *signature = context;
    EVP_MD_CTX *verification = EVP_MD_CTX_new();
    bool is_good =
        EVP_DigestVerifyInit(verification, NULL, signature->hash, NULL, signature->key) == 1 &&
        EVP_DigestVerify(verification, signature->value, signature->value_length, signature->text,
                         signature->length) == 1;
    EVP_MD_CTX_free(verification);
    return is_good;
}

static void measure_signature(const char *name, EVP_PKEY *key, const EVP_MD *hash, const char *text,
                              size_t length, double seconds) {
    struct signature signature = {.key = key,
                                  .hash = hash,
                                  .text = (const unsigned char *)text,
                                  .length = length,
                                  .value_length = sizeof signature.value};
    EVP_MD_CTX *signing = EVP_MD_CTX_new();
    if (EVP_DigestSignInit(signing, NULL, hash, NULL, key) != 1 ||
        EVP_DigestSign(signing, signature.value, &signature.value_length, signature.text, length) !=
            1)
        die("cannot sign");
    EVP_MD_CTX_free(signing);
    cost_measure(name, verify, &signature, seconds);
}

/* ---- libjwt's tokens ---- */

struct token {
    char *text;
    char *public_key; /* PEM */
    int public_key_length;
};

static bool decode(void *context) {
    const struct token *token = context;
    jwt_t *jwt;
    if (jwt_decode(&jwt, token->text, (const unsigned char *)token->public_key,
                   token->public_key_length) != 0)
        return false;
    jwt_free(jwt);
    return true;
}

/* The payload of a token, which is base64url, as JSON; the caller frees it. */
static char *payload_of(const char *token) {
    const char *begin = strchr(token, '.') + 1;
    size_t length = (size_t)(strchr(begin, '.') - begin);
    unsigned char *text = calloc(1, length + 8), *json = calloc(1, length + 8);
    for (size_t i = 0; i < length; i++)
        text[i] = (unsigned char)(begin[i] == '-' ? '+' : begin[i] == '_' ? '/' : begin[i]);
    for (; length % 4 != 0; length++)
        text[length] = '=';
    if (EVP_DecodeBlock(json, text, (int)length) < 0) die("the token's payload cannot be read");
    free(text);
    return (char *)json;
}

static void measure_libjwt(const char *given, EVP_PKEY *key, double seconds) {
    struct token token;
    char *private_key, *payload = payload_of(given);
    BIO *public_out = BIO_new(BIO_s_mem()), *private_out = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(public_out, key);
    PEM_write_bio_PrivateKey(private_out, key, NULL, NULL, 0, NULL, NULL);
    token.public_key_length = (int)BIO_get_mem_data(public_out, &token.public_key);
    int private_length = (int)BIO_get_mem_data(private_out, &private_key);
    jwt_t *jwt;
    if (jwt_new(&jwt) != 0 || jwt_add_grants_json(jwt, payload) != 0 ||
        jwt_set_alg(jwt, JWT_ALG_ES256, (unsigned char *)private_key, private_length) != 0 ||
        !(token.text = jwt_encode_str(jwt)))
        die("libjwt cannot sign");
    cost_measure("libjwt ES256-token", decode, &token, seconds);
    free(token.text);
    jwt_free(jwt);
    BIO_free(public_out);
    BIO_free(private_out);
    free(payload);
}

/* ---- handshakes ---- */

struct site {
    SSL_CTX *server, *client;
    SSL_SESSION *session; /* to be resumed; NULL: none */
    double server_seconds, client_seconds;
};

static bool step(SSL *end, int (*shake)(SSL *), double *seconds) {
    double begun = cost_now();
    int result = shake(end);
    *seconds += cost_now() - begun;
    return result == 1;
}

static bool shake_hands(struct site *site, SSL_SESSION **session) {
    double begun = cost_now();
    SSL *server = SSL_new(site->server);
    double between = cost_now();
    SSL *client = SSL_new(site->client);
    if (site->session) SSL_set_session(client, site->session);
    site->server_seconds += between - begun;
    site->client_seconds += cost_now() - between;
    BIO *forth = BIO_new(BIO_s_mem()), *back = BIO_new(BIO_s_mem());
    BIO_up_ref(forth);
    BIO_up_ref(back);
    SSL_set_bio(server, forth, back);
    SSL_set_bio(client, back, forth);
    bool is_done = false;
    for (int i = 0; i < 10 && !is_done; i++) {
        bool client_is_done = step(client, SSL_connect, &site->client_seconds);
        is_done = step(server, SSL_accept, &site->server_seconds) && client_is_done;
    }
    bool is_right = is_done && !SSL_session_reused(client) == !site->session;
    if (session) *session = SSL_get1_session(client);
    /* Else the session would count as failed. */
    SSL_set_shutdown(client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_set_shutdown(server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(client);
    SSL_free(server);
    return is_right;
}

static void measure_handshakes(struct site *site, bool resumes, double seconds) {
    long count = 0;
    if (resumes && !shake_hands(site, &site->session)) die("no handshake");
    site->server_seconds = site->client_seconds = 0;
    while (site->server_seconds + site->client_seconds < seconds) {
        if (!shake_hands(site, NULL)) die("no handshake of the wanted kind");
        count++;
    }
    cost_print(resumes ? "openssl resumed-client" : "openssl full-client",
               1e6 * site->client_seconds / (double)count);
    cost_print(resumes ? "openssl resumed-server" : "openssl full-server",
               1e6 * site->server_seconds / (double)count);
}

/* As lsys speaks: TLS 1.2, sessions by identifier, the certificate verified. */
static struct site open_site(const char *certificate, const char *key, const char *ca) {
    struct site site = {.server = SSL_CTX_new(TLS_server_method()),
                        .client = SSL_CTX_new(TLS_client_method())};
    if (SSL_CTX_use_certificate_chain_file(site.server, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(site.server, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_load_verify_locations(site.client, ca, NULL) != 1)
        die("cannot use the certificate");
    SSL_CTX *both[] = {site.server, site.client};
    for (int i = 0; i < 2; i++) {
        SSL_CTX_set_min_proto_version(both[i], TLS1_2_VERSION);
        SSL_CTX_set_max_proto_version(both[i], TLS1_2_VERSION);
        SSL_CTX_set_options(both[i], SSL_OP_NO_TICKET);
        SSL_CTX_set_cipher_list(both[i], "ECDHE-ECDSA-AES128-GCM-SHA256");
    }
    SSL_CTX_set_session_id_context(site.server, (const unsigned char *)"bench", 5);
    SSL_CTX_set_verify(site.client, SSL_VERIFY_PEER, NULL);
    return site;
}

int main(int count, char **arguments) {
    static char token[TOKEN_BYTES_MAX];
    if (count != 6) return 64;
    double seconds = strtod(arguments[1], NULL);
    FILE *file = fopen(arguments[2], "r");
    if (!file || fread(token, 1, sizeof token - 1, file) == 0) die("cannot read the token");
    fclose(file);
    size_t signed_length = (size_t)(strrchr(token, '.') - token);
    EVP_PKEY *p256 = EVP_EC_gen("P-256"), *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    measure_signature("openssl ES256-signature", p256, EVP_sha256(), token, signed_length, seconds);
    measure_signature("openssl EdDSA-signature", ed25519, NULL, token, signed_length, seconds);
    measure_libjwt(token, p256, seconds);
    struct site site = open_site(arguments[3], arguments[4], arguments[5]);
    measure_handshakes(&site, false, seconds);
    measure_handshakes(&site, true, seconds);
    return 0;
}
