/*
 * The extensions of a certificate. For this folder only.
 */
#ifndef LSYS_VERIFIER_X509_EXTENSIONS_H
#define LSYS_VERIFIER_X509_EXTENSIONS_H

#include "codec/der.h"
#include "verifier/x509_certificate.h"

/* Most extensions in one certificate; real ones have about ten. Also bounds the search for
 * doubles. */
#define X509_EXTENSIONS_MAX 32

/* Reads Extensions, a SEQUENCE, off `reader` into the certificate. Fails the reader when one is
 * malformed or appears twice. */
void x509_extensions_read(struct der_reader *reader, struct x509_certificate *out);

#endif
