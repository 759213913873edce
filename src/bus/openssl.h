/*
 * The part of OpenSSL's interface that the archive of nats.c was compiled against, over net's TLS.
 * lsys does not link OpenSSL; src/bus provides these symbols itself. The declarations follow the
 * manual pages of OpenSSL 3.0, with types of our own; tests/check_openssl_symbols proves that the
 * list is what the archive wants, no more and no less.
 *
 * Where it differs from OpenSSL, it is stricter or smaller:
 *   - A connection without a name to verify is refused, and so is one that does not verify, whatever the
 *     mode and the callback of SSL_set_verify say. The callback is only told.
 *   - The system's CAs are trusted only when no other CA is named.
 *   - Suites and versions are those of net/tls_profile.h; lists of suites and revocation lists are refused.
 *   - SSL_read and SSL_write never wait and never ask to be called again with the same arguments: without
 *     anything to do they fail with SSL_ERROR_SYSCALL and EAGAIN, which makes nats.c wait with its own
 *     deadlines. (For SSL_ERROR_WANT_READ it would wait for ever.)
 *   - SSL_do_handshake takes at most OPENSSL_HANDSHAKE_LIMIT_MS, since nats.c calls it on a blocking socket
 *     without a deadline.
 *   - SSL_free does not touch the descriptor, which nats.c has often closed by then.
 *
 * As in OpenSSL the last error is the calling thread's own.
 */
#ifndef LSYS_BUS_OPENSSL_H
#define LSYS_BUS_OPENSSL_H

#include <stddef.h>

struct openssl_bio;
struct openssl_certificate;
struct openssl_connection;
struct openssl_context;
struct openssl_key;
struct openssl_method;
struct openssl_name;
struct openssl_stack;
struct openssl_store;
struct openssl_verification;

/* Together with TCP connect and the login this stays well below the time after which a client has
 * no license: BUS_CONNECT_LIMIT_MS once more. */
#define OPENSSL_HANDSHAKE_LIMIT_MS 5000

/* Answers of SSL_get_error. */
#define OPENSSL_RESULT_SYSCALL 5 /* SSL_ERROR_SYSCALL: errno says what */
#define OPENSSL_RESULT_CLOSED  6 /* SSL_ERROR_ZERO_RETURN */

/* Commands of SSL_ctrl and SSL_CTX_ctrl that nats.c sends. */
#define OPENSSL_COMMAND_MODE        33  /* SSL_CTRL_MODE */
#define OPENSSL_COMMAND_SERVER_NAME 55  /* SSL_CTRL_SET_TLSEXT_HOSTNAME */
#define OPENSSL_COMMAND_MIN_VERSION 123 /* SSL_CTRL_SET_MIN_PROTO_VERSION */

/* X509_INFO, whose first members nats.c reads itself. */
struct openssl_info {
    struct openssl_certificate *certificate;
    void *revocation_list; /* always NULL: they are not read */
};

/* ---- openssl_error.c ---- */

unsigned long ERR_get_error(void);
const char *ERR_reason_error_string(unsigned long error);
int RAND_bytes(unsigned char *out, int length);
struct openssl_stack *SSL_COMP_get_compression_methods(void);

/* ---- openssl_context.c ---- */

const struct openssl_method *TLS_client_method(void);
struct openssl_context *SSL_CTX_new(const struct openssl_method *method);
void SSL_CTX_free(struct openssl_context *context);
long SSL_CTX_ctrl(struct openssl_context *context, int command, long number, void *pointer);
struct openssl_store *SSL_CTX_get_cert_store(const struct openssl_context *context);
int SSL_CTX_load_verify_locations(struct openssl_context *context, const char *file,
                                  const char *folder);
int SSL_CTX_set_cipher_list(struct openssl_context *context, const char *list);
int SSL_CTX_set_ciphersuites(struct openssl_context *context, const char *list);
int SSL_CTX_set_default_verify_paths(struct openssl_context *context);
int SSL_CTX_use_PrivateKey(struct openssl_context *context, struct openssl_key *key);
int SSL_CTX_use_PrivateKey_file(struct openssl_context *context, const char *file, int type);
int SSL_CTX_use_certificate(struct openssl_context *context,
                            struct openssl_certificate *certificate);
int SSL_CTX_use_certificate_chain_file(struct openssl_context *context, const char *file);

/* ---- openssl_connection.c ---- */

typedef int openssl_verify_callback(int verified, struct openssl_verification *verification);

struct openssl_connection *SSL_new(struct openssl_context *context);
void SSL_free(struct openssl_connection *connection);
long SSL_ctrl(struct openssl_connection *connection, int command, long number, void *pointer);
int SSL_do_handshake(struct openssl_connection *connection);
int SSL_get_error(const struct openssl_connection *connection, int result);
void *SSL_get_ex_data(const struct openssl_connection *connection, int index);
int SSL_get_ex_data_X509_STORE_CTX_idx(void);
int SSL_read(struct openssl_connection *connection, void *out, int length);
int SSL_set1_host(struct openssl_connection *connection, const char *host);
void SSL_set_connect_state(struct openssl_connection *connection);
int SSL_set_ex_data(struct openssl_connection *connection, int index, void *data);
int SSL_set_fd(struct openssl_connection *connection, int descriptor);
void SSL_set_hostflags(struct openssl_connection *connection, unsigned int flags);
void SSL_set_verify(struct openssl_connection *connection, int mode,
                    openssl_verify_callback *callback);
int SSL_write(struct openssl_connection *connection, const void *bytes, int length);

/* ---- openssl_certificate.c ---- */

typedef int openssl_passphrase_callback(char *out, int length, int writing, void *context);

struct openssl_bio *BIO_new_mem_buf(const void *bytes, int length);
int BIO_free(struct openssl_bio *bio);
struct openssl_key *PEM_read_bio_PrivateKey(struct openssl_bio *bio, struct openssl_key **key,
                                            openssl_passphrase_callback *callback, void *context);
struct openssl_certificate *PEM_read_bio_X509(struct openssl_bio *bio,
                                              struct openssl_certificate **certificate,
                                              openssl_passphrase_callback *callback, void *context);
struct openssl_stack *PEM_X509_INFO_read_bio(struct openssl_bio *bio, struct openssl_stack *stack,
                                             openssl_passphrase_callback *callback, void *context);
void EVP_PKEY_free(struct openssl_key *key);
void X509_INFO_free(struct openssl_info *info);
void X509_free(struct openssl_certificate *certificate);
int OPENSSL_sk_num(const struct openssl_stack *stack);
void *OPENSSL_sk_value(const struct openssl_stack *stack, int index);
void OPENSSL_sk_free(struct openssl_stack *stack);
void OPENSSL_sk_pop_free(struct openssl_stack *stack, void (*release)(void *element));
struct openssl_name *X509_get_issuer_name(const struct openssl_certificate *certificate);
struct openssl_name *X509_get_subject_name(const struct openssl_certificate *certificate);
char *X509_NAME_oneline(const struct openssl_name *name, char *out, int length);
int X509_STORE_add_cert(struct openssl_store *store, struct openssl_certificate *certificate);
int X509_STORE_add_crl(struct openssl_store *store, void *crl);
struct openssl_certificate *
X509_STORE_CTX_get_current_cert(const struct openssl_verification *verification);
int X509_STORE_CTX_get_error(const struct openssl_verification *verification);
int X509_STORE_CTX_get_error_depth(const struct openssl_verification *verification);
void *X509_STORE_CTX_get_ex_data(const struct openssl_verification *verification, int index);
const char *X509_verify_cert_error_string(long error);

#endif
