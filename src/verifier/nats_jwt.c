/* The outer form of NATS tokens: header, signature, and the claims that all kinds have. */
#include "verifier/nats_jwt.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "codec/base32.h"
#include "codec/base64url.h"
#include "verifier/nats_jwt_form.h"
#include "verifier/sha256.h"

/* Exactly what nsc and the libraries write. */
#define HEADER "{\"typ\":\"JWT\",\"alg\":\"ed25519-nkey\"}"

/* Longest header that is looked at: the one above has 36 bytes. */
#define HEADER_BYTES_MAX 512

#define FORMAT_VERSION 2

/* ---- reading ---- */

struct parts {
    struct bytes header, claims, signature;
    struct bytes signed_part; /* header, point, claims */
};

static bool split(struct bytes token, struct parts *out, struct status *status) {
    const uint8_t *points[2] = {NULL, NULL};
    size_t count = 0;
    if (token.length > NATS_JWT_BYTES_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "a NATS token has at most %d bytes",
                           NATS_JWT_BYTES_MAX);
    for (size_t i = 0; i < token.length; i++) {
        if (token.data[i] != '.') continue;
        if (count < 2) points[count] = token.data + i;
        count++;
    }
    if (count != 2)
        return status_fail(status, STATUS_MALFORMED,
                           "not a NATS token: three parts separated by points are expected");
    out->header = bytes_of(token.data, (size_t)(points[0] - token.data));
    out->claims = bytes_of(points[0] + 1, (size_t)(points[1] - points[0] - 1));
    out->signature = bytes_of(points[1] + 1, (size_t)(token.data + token.length - points[1] - 1));
    out->signed_part = bytes_of(token.data, (size_t)(points[1] - token.data));
    return true;
}

/* Decodes base64url and parses the JSON in it. */
static struct json_document *open_part(struct bytes part, size_t max_bytes, const char *what,
                                       struct status *status) {
    struct json_document *document = NULL;
    struct buffer text;
    buffer_init(&text, max_bytes);
    if (base64url_decode(part, &text))
        document = json_document_parse(buffer_bytes(&text), max_bytes, status);
    else if (text.failed)
        status_fail(status, STATUS_TOO_LARGE, "it has more than %zu bytes", max_bytes);
    else
        status_fail(status, STATUS_BAD_ENCODING, "it is not canonical base64url");
    buffer_free(&text);
    if (document && json_value_type(json_document_root(document)) != JSON_TYPE_OBJECT) {
        json_document_free(document);
        document = NULL;
        status_fail(status, STATUS_BAD_JSON, "it is not a JSON object");
    }
    if (!document) status_context(status, "the token's %s", what);
    return document;
}

static bool check_header(struct bytes part, struct status *status) {
    struct json_document *document = open_part(part, HEADER_BYTES_MAX, "header", status);
    if (!document) return false;
    const struct json_value *header = json_document_root(document);
    const char *type = json_member_text(header, "typ");
    const char *algorithm = json_member_text(header, "alg");
    bool good = true;
    if (!type || strcmp(type, "JWT") != 0)
        good = status_fail(status, STATUS_WRONG_TYPE, "the token's header has not \"typ\":\"JWT\"");
    else if (!algorithm || strcmp(algorithm, "ed25519-nkey") != 0)
        good = status_fail(status, STATUS_WRONG_ALGORITHM,
                           "the token's header has not \"alg\":\"ed25519-nkey\", the only one that "
                           "version 2 of NATS tokens has");
    else if (json_value_member(header, "crit"))
        good = status_fail(status, STATUS_UNKNOWN_CRITICAL,
                           "the token's header names critical extensions");
    json_document_free(document);
    return good;
}

static bool read_claims(const struct json_value *claims, const struct nats_jwt_kind *kind,
                        struct nats_jwt *out, struct status *status) {
    *out = (struct nats_jwt){0};
    return nats_key_read(json_value_member(claims, "iss"), "iss", kind->issuer, out->issuer,
                         status) &&
           nats_key_read(json_value_member(claims, "sub"), "sub", kind->subject, out->subject,
                         status) &&
           claims_text(claims, "jti", false, out->id, sizeof out->id, status) &&
           claims_text(claims, "name", false, out->name, sizeof out->name, status) &&
           claims_integer(claims, "iat", 0, CLAIM_TIME_MAX_S, &out->issued_at_s, status) &&
           claims_integer(claims, "nbf", 0, CLAIM_TIME_MAX_S, &out->not_before_s, status) &&
           claims_integer(claims, "exp", 0, CLAIM_TIME_MAX_S, &out->expires_at_s, status);
}

static bool check_signature(const struct parts *parts, const char *issuer, struct status *status) {
    uint8_t signature[SIGNATURE_BYTES];
    if (parts->signature.length != BASE64URL_LENGTH(SIGNATURE_BYTES))
        return status_fail(status, STATUS_BAD_SIGNATURE_LENGTH,
                           "the token's signature has not %d bytes", SIGNATURE_BYTES);
    if (!base64url_decode_exact(parts->signature, signature, sizeof signature))
        return status_fail(status, STATUS_BAD_ENCODING,
                           "the token's signature is not canonical base64url");
    if (!nkey_verify(bytes_of_text(issuer), parts->signed_part, signature))
        return status_fail(status, STATUS_BAD_SIGNATURE,
                           "the token's signature is not that of its issuer %s", issuer);
    return true;
}

/* The kind comes first: what `iss` may be depends on it. */
static bool check_kind(const struct json_value *body, const struct nats_jwt_kind *kind,
                       struct status *status) {
    const char *type = json_member_text(body, "type");
    int64_t version = 0;
    bool omitted = kind->may_omit_type && !json_value_member(body, "type");
    if (!omitted && (!type || strcmp(type, kind->type) != 0))
        return status_fail(status, STATUS_WRONG_TYPE, "the token is not %s", kind->what);
    if (!json_member_integer(body, "version", &version) || version != FORMAT_VERSION)
        return status_fail(status, STATUS_BAD_CLAIM,
                           "the token is not of version %d, the only one that is read",
                           FORMAT_VERSION);
    return true;
}

struct json_document *nats_jwt_read(struct bytes token, const struct nats_jwt_kind *kind,
                                    struct nats_jwt *out, const struct json_value **body,
                                    struct status *status) {
    struct parts parts = {0};
    if (!split(token, &parts, status) || !check_header(parts.header, status)) return NULL;
    struct json_document *document = open_part(parts.claims, NATS_JWT_BYTES_MAX, "claims", status);
    if (!document) return NULL;
    const struct json_value *claims = json_document_root(document);
    *body = json_value_member(claims, "nats");
    if (check_kind(*body, kind, status) && read_claims(claims, kind, out, status) &&
        check_signature(&parts, out->issuer, status))
        return document;
    json_document_free(document);
    return NULL;
}

bool nats_jwt_check_times(const struct nats_jwt *jwt, int64_t now_s, struct status *status) {
    if (jwt->expires_at_s != 0 && jwt->expires_at_s <= now_s)
        return status_fail(status, STATUS_EXPIRED, "the token of %s has expired", jwt->subject);
    if (jwt->not_before_s > now_s)
        return status_fail(status, STATUS_NOT_YET_VALID, "the token of %s is not valid yet",
                           jwt->subject);
    return true;
}

/* ---- members ---- */

bool nats_key_read(const struct json_value *value, const char *what, enum nkey_kind kind,
                   char out[NKEY_PUBLIC_TEXT_BYTES], struct status *status) {
    const char *text = json_value_text(value);
    enum nkey_kind found;
    uint8_t key[NKEY_KEY_BYTES];
    if (!text || !nkey_decode_public(bytes_of_text(text), &found, key, NULL) || found != kind)
        return status_fail(status, STATUS_BAD_CLAIM,
                           "\"%s\" is not a public NKey of the kind that belongs there", what);
    memcpy(out, text, NKEY_PUBLIC_TEXT_BYTES);
    return true;
}

static bool is_absent(const struct json_value *value) {
    return !value || json_value_type(value) == JSON_TYPE_NULL;
}

bool nats_key_member_read(const struct json_value *object, const char *name, enum nkey_kind kind,
                          char out[NKEY_PUBLIC_TEXT_BYTES], struct status *status) {
    const struct json_value *value = json_value_member(object, name);
    const char *text = json_value_text(value);
    if (is_absent(value) || (text && text[0] == '\0')) return true;
    return nats_key_read(value, name, kind, out, status);
}

bool nats_limit_read(const struct json_value *object, const char *name, int64_t *out,
                     struct status *status) {
    if (is_absent(json_value_member(object, name))) return true;
    return claims_integer(object, name, NATS_NO_LIMIT, INT64_MAX, out, status);
}

bool nats_boolean_read(const struct json_value *object, const char *name, bool *out,
                       struct status *status) {
    const struct json_value *value = json_value_member(object, name);
    if (is_absent(value) || json_value_boolean(value, out)) return true;
    return status_fail(status, STATUS_BAD_CLAIM, "\"%s\" is neither true nor false", name);
}

bool nats_member_is(const struct json_value *object, const char *name, enum json_type type,
                    struct status *status) {
    const struct json_value *value = json_value_member(object, name);
    if (is_absent(value) || json_value_type(value) == type) return true;
    return status_fail(status, STATUS_BAD_CLAIM, "\"%s\" is not %s", name,
                       type == JSON_TYPE_ARRAY ? "an array" : "an object");
}

/* ---- texts ---- */

/* There is room for the next power of two of texts: it doubles when that is used up. */
static void make_room(struct nats_texts *texts) {
    size_t count = texts->count;
    if (count > 0 && (count & (count - 1)) != 0) return;
    char **larger = memory_new_array(count > 0 ? 2 * count : 1, sizeof *larger);
    if (count > 0) memcpy(larger, texts->items, count * sizeof *larger);
    free(texts->items);
    texts->items = larger;
}

static void insert_text(struct nats_texts *texts, size_t place, const char *text) {
    make_room(texts);
    memmove(texts->items + place + 1, texts->items + place,
            (texts->count - place) * sizeof *texts->items);
    texts->items[place] = memory_copy_text(text);
    texts->count++;
}

void nats_texts_add(struct nats_texts *texts, const char *text) {
    insert_text(texts, texts->count, text);
}

void nats_texts_prepend(struct nats_texts *texts, const char *text) {
    insert_text(texts, 0, text);
}

void nats_texts_remove(struct nats_texts *texts, const char *text) {
    size_t kept = 0;
    for (size_t i = 0; i < texts->count; i++)
        if (strcmp(texts->items[i], text) == 0)
            free(texts->items[i]);
        else
            texts->items[kept++] = texts->items[i];
    texts->count = kept;
}

bool nats_texts_have(const struct nats_texts *texts, const char *text) {
    for (size_t i = 0; i < texts->count; i++)
        if (strcmp(texts->items[i], text) == 0) return true;
    return false;
}

void nats_texts_write(struct json_writer *json, const char *name, const struct nats_texts *texts) {
    json_writer_name(json, name);
    json_writer_begin_array(json);
    for (size_t i = 0; i < texts->count; i++)
        json_writer_text(json, texts->items[i]);
    json_writer_end_array(json);
}

void nats_texts_free(struct nats_texts *texts) {
    for (size_t i = 0; i < texts->count; i++)
        free(texts->items[i]);
    free(texts->items);
    *texts = (struct nats_texts){0};
}

/* ---- signing ---- */

static bool check_seed(const struct nats_jwt_kind *kind, struct bytes seed,
                       char issuer[NKEY_PUBLIC_TEXT_BYTES], struct status *status) {
    enum nkey_kind found;
    uint8_t key[NKEY_KEY_BYTES];
    if (!nkey_public_of_seed(seed, issuer, status) ||
        !nkey_decode_public(bytes_of_text(issuer), &found, key, status))
        return false;
    return found == kind->issuer ||
           status_fail(status, STATUS_MALFORMED,
                       "the seed is not of the kind that signs this token");
}

static bool write_claims(const struct nats_jwt_kind *kind, const struct nats_jwt *jwt,
                         nats_jwt_body_writer *write_body, const void *claims, struct buffer *out,
                         struct status *status) {
    struct json_writer json;
    buffer_clear(out);
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    if (jwt->id[0]) json_writer_member_text(&json, "jti", jwt->id);
    json_writer_member_integer(&json, "iat", jwt->issued_at_s);
    json_writer_member_text(&json, "iss", jwt->issuer);
    if (jwt->name[0]) json_writer_member_text(&json, "name", jwt->name);
    json_writer_member_text(&json, "sub", jwt->subject);
    if (jwt->not_before_s) json_writer_member_integer(&json, "nbf", jwt->not_before_s);
    if (jwt->expires_at_s) json_writer_member_integer(&json, "exp", jwt->expires_at_s);
    json_writer_name(&json, "nats");
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "type", kind->type);
    json_writer_member_integer(&json, "version", FORMAT_VERSION);
    write_body(&json, claims);
    json_writer_end_object(&json);
    json_writer_end_object(&json);
    return json_writer_finish(&json, "the token", status);
}

/* As nsc does, the id is a digest of the claims without it. */
static void make_id(struct bytes claims, char out[NATS_JWT_ID_BYTES]) {
    uint8_t digest[SHA256_BYTES];
    sha256_digest(claims, digest);
    base32_encode(bytes_of(digest, sizeof digest), out);
}

bool nats_jwt_sign(const struct nats_jwt_kind *kind, struct nats_jwt *jwt, struct bytes seed,
                   nats_jwt_body_writer *write_body, const void *claims, struct buffer *out,
                   struct status *status) {
    struct buffer text, token;
    uint8_t signature[SIGNATURE_BYTES];
    buffer_init(&text, NATS_JWT_BYTES_MAX);
    buffer_init(&token, NATS_JWT_BYTES_MAX);
    jwt->id[0] = '\0';
    bool good = check_seed(kind, seed, jwt->issuer, status) &&
                write_claims(kind, jwt, write_body, claims, &text, status);
    if (good) {
        make_id(buffer_bytes(&text), jwt->id);
        good = write_claims(kind, jwt, write_body, claims, &text, status);
    }
    if (good) {
        base64url_append(&token, bytes_of_text(HEADER));
        buffer_append(&token, ".", 1);
        base64url_append(&token, buffer_bytes(&text));
        good = nkey_sign(seed, buffer_bytes(&token), signature, status);
        buffer_append(&token, ".", 1);
        base64url_append(&token, bytes_of(signature, sizeof signature));
        good = good && buffer_check(&token, "the token", status);
    }
    if (good) {
        buffer_append(out, token.data, token.length);
        good = buffer_check(out, "the token", status);
    }
    buffer_free(&text);
    buffer_free(&token);
    return good;
}
