/*
 * What every TLS connection of ours speaks, whichever side it is: TLS 1.2 (the newest that BearSSL
 * has), key exchange by ECDHE, AEAD ciphers, SHA-2 signatures, no renegotiation. Nothing of it is
 * an option: there is no reason to want less. For the files of net's TLS only.
 */
#ifndef LSYS_NET_TLS_PROFILE_H
#define LSYS_NET_TLS_PROFILE_H

#include <bearssl.h>

/* Sets versions, suites, hash functions, flags and the fastest implementations that this CPU has,
 * and seeds the generator from the kernel. The engine was zeroed before. AES-GCM leads where the
 * CPU has instructions for it, otherwise ChaCha20-Poly1305, which is faster in plain code and has
 * no tables to leak through. */
void tls_profile_apply(br_ssl_engine_context *engine);

/* For servers: exchanges keys on X25519 and P-256 only, which everybody has. A client that offers
 * nothing but P-521 would cost 17 ms of the loop, ten times as much. Signatures are still verified
 * on all curves. `curves` is written to and must live as long as the engine. */
void tls_profile_limit_curves(br_ssl_engine_context *engine, br_ec_impl *curves);

#endif
