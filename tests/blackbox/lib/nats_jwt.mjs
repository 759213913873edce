// npm nats-jwt. It looks for its source of randomness, a global `crypto`, when it is imported; Node 18 has none there.
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto;
export const { createAccount, createOperator, createUser, decode, encodeAccount, encodeOperator, encodeUser, fmtCreds,
  newScopedSigner, parseCreds } = await import('nats-jwt');
