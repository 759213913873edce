/*
 * Certificates, requests and keys as files. Every error names the file. Files of private keys must
 * be readable by their owner only.
 */
#ifndef LSYS_APP_CERTIFICATE_FILES_H
#define LSYS_APP_CERTIFICATE_FILES_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/status.h"
#include "verifier/x509_certificate.h"
#include "verifier/x509_identity.h"
#include "verifier/x509_key.h"
#include "verifier/x509_request.h"
#include "verifier/x509_trust.h"

/* Longest file of a chain with its key, with the texts that tools put between. */
#define CERTIFICATE_FILE_BYTES_MAX ((size_t)262144)

/* Reads the first certificate of a PEM file; `der` (initialised, limit X509_CERTIFICATE_BYTES_MAX)
 * gets the bytes that `out` borrows from. STATUS_NOT_FOUND when there is none in it, and the errors
 * of file_read, pem_read and x509_certificate_parse. */
bool certificate_file_read(const char *path, struct buffer *der, struct x509_certificate *out,
                           struct status *status) MUST_CHECK;

/* Reads the first request of a PEM file and checks its proof of possession, in the same way. */
bool certificate_file_read_request(const char *path, struct buffer *der, struct x509_request *out,
                                   struct status *status) MUST_CHECK;

/* Reads a private key (0600). Owned by the caller; NULL on failure. */
struct x509_key *certificate_file_read_key(const char *path, struct status *status) MUST_CHECK;

/* Reads the chain and the key of a TLS server or client. Owned by the caller; NULL on failure. */
struct x509_identity *certificate_files_read_identity(const char *certificates_path,
                                                      const char *key_path,
                                                      struct status *status) MUST_CHECK;

/* Reads the CA certificates to trust. A file in which one is unfit is refused. Owned by the caller;
 * NULL on failure. */
struct x509_trust *certificate_file_read_trust(const char *path, struct status *status) MUST_CHECK;

/* Writes a private key to a new file, 0600. STATUS_BUSY when there is one already. */
bool certificate_file_create_key(const char *path, const struct x509_key *key,
                                 struct status *status) MUST_CHECK;

#endif
