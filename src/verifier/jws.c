#include "verifier/jws.h"

#include <string.h>

#include "codec/base64url.h"
#include "codec/json_writer.h"

/* Header members that bring or point to keys, or change how the rest is read. */
static const char *const forbidden_headers[] = {"jwk",      "jku", "x5u", "x5c", "x5t",
                                                "x5t#S256", "b64", "zip", "enc"};

/* How much of an unverified text an error repeats. */
#define SHOWN_TEXT_BYTES 65

struct parts {
    struct bytes header;
    struct bytes payload;
    struct bytes signature;
};

/* Takes what comes before the next dot; the dot itself is dropped. False when there is no dot. */
static bool take_part(struct bytes *rest, struct bytes *part) {
    const uint8_t *dot = rest->length ? memchr(rest->data, '.', rest->length) : NULL;
    if (!dot) return false;
    size_t length = (size_t)(dot - rest->data);
    *part = bytes_of(rest->data, length);
    *rest = bytes_of(dot + 1, rest->length - length - 1);
    return true;
}

static bool split(struct bytes token, struct parts *parts, struct status *status) {
    if (token.length > JWS_TOKEN_BYTES_MAX)
        return status_fail(status, STATUS_TOO_LARGE,
                           "the token has %zu bytes, over the limit of %zu", token.length,
                           JWS_TOKEN_BYTES_MAX);
    if (!base64url_is_token(token))
        return status_fail(status, STATUS_MALFORMED,
                           "the token has a character that is not base64url");
    struct bytes rest = token;
    if (!take_part(&rest, &parts->header) || !take_part(&rest, &parts->payload))
        return status_fail(status, STATUS_MALFORMED,
                           "a token has three parts with dots between them, this has fewer");
    parts->signature = rest;
    if (rest.length > 0 && memchr(rest.data, '.', rest.length))
        return status_fail(status, STATUS_TRAILING_BYTES,
                           "something follows the token's third part, the signature");
    if (parts->header.length == 0 || parts->payload.length == 0)
        return status_fail(status, STATUS_MALFORMED, "a part of the token is empty");
    if (parts->header.length > JWS_HEADER_BYTES_MAX)
        return status_fail(status, STATUS_TOO_LARGE,
                           "the token's header has %zu bytes, over the limit of %zu",
                           parts->header.length, JWS_HEADER_BYTES_MAX);
    return true;
}

static bool decode_signature(struct bytes text, uint8_t out[SIGNATURE_BYTES],
                             struct status *status) {
    if (text.length != BASE64URL_LENGTH(SIGNATURE_BYTES))
        return status_fail(status, STATUS_BAD_SIGNATURE_LENGTH,
                           "the signature is not exactly %d bytes (%d characters)", SIGNATURE_BYTES,
                           BASE64URL_LENGTH(SIGNATURE_BYTES));
    if (!base64url_decode_exact(text, out, SIGNATURE_BYTES))
        return status_fail(status, STATUS_BAD_ENCODING,
                           "the token's signature is not canonical base64url");
    return true;
}

static bool decode_part(struct bytes text, const char *what, struct buffer *out,
                        struct status *status) {
    if (base64url_decode(text, out)) return true;
    if (out->failed) return buffer_check(out, what, status);
    return status_fail(status, STATUS_BAD_ENCODING, "the token's %s is not canonical base64url",
                       what);
}

static struct json_document *parse_object(struct bytes text, const char *what,
                                          struct status *status) {
    struct json_document *document = json_document_parse(text, JWS_TOKEN_BYTES_MAX, status);
    if (!document) {
        status_context(status, "the token's %s", what);
        return NULL;
    }
    if (json_value_type(json_document_root(document)) == JSON_TYPE_OBJECT) return document;
    status_fail(status, STATUS_BAD_JSON, "the token's %s is not a JSON object", what);
    json_document_free(document);
    return NULL;
}

static bool check_header(const struct json_value *header, struct status *status) {
    for (size_t i = 0; i < sizeof forbidden_headers / sizeof forbidden_headers[0]; i++)
        if (json_value_member(header, forbidden_headers[i]))
            return status_fail(status, STATUS_FORBIDDEN_HEADER,
                               "the token's header has \"%s\": keys come from the key ring only",
                               forbidden_headers[i]);
    if (json_value_member(header, "crit"))
        return status_fail(status, STATUS_UNKNOWN_CRITICAL,
                           "the token's header asks for extensions (\"crit\"), and none is known");
    return true;
}

static bool read_algorithm(const struct json_value *header, enum jwk_type *out,
                           struct status *status) {
    const char *alg = json_member_text(header, "alg");
    for (enum jwk_type type = JWK_P256; type <= JWK_ED25519; type++) {
        if (alg && strcmp(alg, jwk_algorithm(type)) == 0) {
            *out = type;
            return true;
        }
    }
    return status_fail(status, STATUS_WRONG_ALGORITHM,
                       "the token's algorithm is neither ES256 nor EdDSA");
}

static bool read_header(struct bytes encoded, struct jws *jws, struct status *status) {
    struct buffer text;
    buffer_init(&text, JWS_HEADER_BYTES_MAX);
    bool done = decode_part(encoded, "header", &text, status);
    if (done) jws->header = parse_object(buffer_bytes(&text), "header", status);
    buffer_free(&text);
    if (!jws->header) return false;

    const struct json_value *header = json_document_root(jws->header);
    if (!check_header(header, status) || !read_algorithm(header, &jws->algorithm, status))
        return false;
    const char *typ = json_member_text(header, "typ");
    const char *kid = json_member_text(header, "kid");
    jws->typ = typ ? typ : "";
    jws->kid = kid ? kid : "";
    return true;
}

bool jws_parse(struct bytes token, struct jws *out, struct status *status) {
    struct parts parts = {0};
    *out = (struct jws){.token = token};
    buffer_init(&out->payload, JWS_TOKEN_BYTES_MAX);
    if (!split(token, &parts, status)) return false;
    out->signing_input = bytes_of(token.data, parts.header.length + 1 + parts.payload.length);
    bool done = read_header(parts.header, out, status) &&
                decode_part(parts.payload, "payload", &out->payload, status) &&
                decode_signature(parts.signature, out->signature, status);
    if (!done) jws_free(out);
    return done;
}

void jws_free(struct jws *jws) {
    json_document_free(jws->claims);
    json_document_free(jws->header);
    buffer_free(&jws->payload);
    jws->claims = NULL;
    jws->header = NULL;
}

/* The signature, or what is remembered of it. */
static bool signature_is_good(const struct jws *jws, const struct jwk *key, struct jws_memo *memo) {
    if (!memo) return jwk_verify(key, jws->signing_input, jws->signature);
    uint8_t digest[SHA256_BYTES];
    sha256_digest(jws->token, digest);
    enum jws_verdict verdict = jws_memo_find(memo, digest);
    if (verdict != JWS_VERDICT_UNKNOWN) return verdict == JWS_VERDICT_GOOD;
    bool good = jwk_verify(key, jws->signing_input, jws->signature);
    jws_memo_add(memo, digest, good);
    return good;
}

/* A copy of what an unverified token says, fit for a terminal: printable ASCII, cut where it is
 * long. */
static void make_printable(const char *text, char out[SHOWN_TEXT_BYTES]) {
    size_t length = 0;
    for (; text[length] && length < SHOWN_TEXT_BYTES - 1; length++) {
        bool printable = text[length] >= ' ' && text[length] <= '~';
        out[length] = '?';
        if (printable) out[length] = text[length];
    }
    out[length] = '\0';
}

static bool check_type(const struct jws *jws, enum token_type type, struct status *status) {
    char shown[SHOWN_TEXT_BYTES];
    if (strcmp(jws->typ, token_type_name(type)) == 0) return true;
    make_printable(jws->typ, shown);
    return status_fail(status, STATUS_WRONG_TYPE, "the token's typ is \"%s\", not \"%s\"", shown,
                       token_type_name(type));
}

static bool check_signature(const struct jws *jws, const struct jwk *key, struct jws_memo *memo,
                            struct status *status) {
    if (jws->algorithm != key->type)
        return status_fail(
            status, STATUS_WRONG_ALGORITHM, "the token says %s, but its key %s is for %s",
            jwk_algorithm(jws->algorithm), key->thumbprint, jwk_algorithm(key->type));
    if (signature_is_good(jws, key, memo)) return true;
    return status_fail(status, STATUS_BAD_SIGNATURE,
                       "the signature is not that of key %s over this content", key->thumbprint);
}

bool jws_verify(const struct jws *jws, enum token_type type, const struct key_ring *ring,
                struct jws_memo *memo, const struct key_ring_entry **entry, struct status *status) {
    if (!check_type(jws, type, status)) return false;
    const struct key_ring_entry *found = key_ring_find(ring, type, jws->kid);
    if (!found) {
        char shown[SHOWN_TEXT_BYTES];
        make_printable(jws->kid, shown);
        return status_fail(status, STATUS_UNKNOWN_KEY,
                           "no key for %s with the thumbprint \"%s\" is in the key ring",
                           token_type_name(type), shown);
    }
    if (entry) *entry = found;
    return check_signature(jws, &found->key, memo, status);
}

bool jws_verify_with_key(const struct jws *jws, enum token_type type, const struct jwk *key,
                         struct jws_memo *memo, struct status *status) {
    if (!check_type(jws, type, status)) return false;
    if (strcmp(jws->kid, key->thumbprint) != 0)
        return status_fail(status, STATUS_UNKNOWN_KEY,
                           "the token's kid is not the thumbprint of its key, %s", key->thumbprint);
    return check_signature(jws, key, memo, status);
}

const struct json_value *jws_claims(struct jws *jws, struct status *status) {
    if (!jws->claims) jws->claims = parse_object(buffer_bytes(&jws->payload), "payload", status);
    return jws->claims ? json_document_root(jws->claims) : NULL;
}

static bool write_header(enum token_type type, const struct jwk *key, struct buffer *out,
                         struct status *status) {
    struct json_writer json;
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "alg", jwk_algorithm(key->type));
    json_writer_member_text(&json, "kid", key->thumbprint);
    json_writer_member_text(&json, "typ", token_type_name(type));
    json_writer_end_object(&json);
    return json_writer_finish(&json, "the token's header", status);
}

bool jws_write_signing_input(enum token_type type, const struct jwk *key, struct bytes claims,
                             struct buffer *out, struct status *status) {
    struct buffer header;
    buffer_init(&header, JWS_HEADER_BYTES_MAX);
    bool done = write_header(type, key, &header, status);
    if (done) {
        base64url_append(out, buffer_bytes(&header));
        buffer_append(out, ".", 1);
        base64url_append(out, claims);
        done = buffer_check(out, "the token", status);
    }
    buffer_free(&header);
    return done;
}

bool jws_append_signature(struct buffer *out, const uint8_t signature[SIGNATURE_BYTES]) {
    buffer_append(out, ".", 1);
    return base64url_append(out, bytes_of(signature, SIGNATURE_BYTES));
}

bool jws_sign(enum token_type type, const struct signer *signer, struct bytes claims,
              struct buffer *token, struct status *status) {
    uint8_t signature[SIGNATURE_BYTES];
    if (!jws_write_signing_input(type, &signer->public_key, claims, token, status) ||
        !signer_sign(signer, buffer_bytes(token), signature, status))
        return false;
    jws_append_signature(token, signature);
    if (!buffer_check(token, "the token", status)) return false;
    if (token->length > JWS_TOKEN_BYTES_MAX)
        return status_fail(status, STATUS_TOO_LARGE,
                           "the token has %zu bytes, over the limit of %zu that readers accept",
                           token->length, JWS_TOKEN_BYTES_MAX);
    return true;
}
