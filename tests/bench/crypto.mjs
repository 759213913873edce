// What verifying costs: lsys' own verifier and TLS against OpenSSL and libjwt, processor time for one operation. The programs
// are crypto_lsys.c and crypto_peers.c, which run in turn; the median of each counts.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from './measure.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const repeat = Number(process.env.REPEAT ?? 3);
const seconds = process.env.SECONDS_EACH ?? '0.5';

const folder = mkdtempSync(path.join(tmpdir(), 'lsys-bench-'));
const at = (name) => path.join(folder, name);
const lsys = (...args) => execFileSync(path.join(root, 'lsys'), args, { stdio: 'ignore' });

/// A license signed by a new key of this type; gives the path of the bare token, and the key's JWK.
function makeToken(type) {
  lsys('keygen', '--out', at(type), '--type', type);
  lsys('issue', '--key', at(`${type}/vendor.key.jwk`), '--customer', 'ACME', '--edition', 'enterprise', '--feature', 'sso',
    '--feature', 'nodes=50', '--valid-for', '30d', '--serial', '1', '--out', at(`${type}.lic`));
  const lines = readFileSync(at(`${type}.lic`), 'utf8').split('\n');
  writeFileSync(at(`${type}.token`), lines.filter((line) => !line.startsWith('-----')).join('').trim());
  return JSON.parse(readFileSync(at(`${type}/vendor.jwks`), 'utf8')).keys[0];
}

/// The lines of a program, as [name, microseconds].
const measure = (program, args) => execFileSync(path.join(root, 'build/bench', program), [seconds, ...args], { encoding: 'utf8' })
  .trim().split('\n').map((line) => line.match(/(.*) (\S+)/).slice(1));

const rows = [
  ['ES256, signature of a license', 'ES256-signature'],
  ['EdDSA, signature of a license', 'EdDSA-signature'],
  ['ES256, whole token', 'ES256-token'],
  ['EdDSA, whole token', 'EdDSA-token'],
  ['ES256, the same token again', 'ES256-token-again', 'ES256-token'],
  ['full handshake, client', 'full-client'],
  ['full handshake, server', 'full-server'],
  ['resumed handshake, client', 'resumed-client'],
  ['resumed handshake, server', 'resumed-server'],
];

try {
  const keys = ['p256', 'ed25519'].map(makeToken);
  writeFileSync(at('jwks'), JSON.stringify({ keys }));
  lsys('ca', 'init', '--out', at('pki'));
  lsys('ca', 'issue', '--ca', at('pki'), '--name', 'localhost', '--out', at('edge'));
  const tls = [at('edge.pem'), at('edge.key.pem'), at('pki/ca.pem')];
  const found = new Map();
  const note = (prefix, lines) => lines.forEach(([name, cost]) =>
    found.set(prefix + name, [...(found.get(prefix + name) ?? []), Number(cost)]));
  for (let i = 0; i < repeat; i++) {
    note('lsys ', measure('crypto_lsys', [at('p256.token'), at('ed25519.token'), at('jwks'), ...tls]));
    note('', measure('crypto_peers', [at('p256.token'), ...tls]));
  }
  const show = (name) => (found.has(name) ? median(found.get(name)).toFixed(1) : '-').padStart(10);
  console.log(`${'processor time, us'.padEnd(32)}${['lsys', 'openssl', 'libjwt', 'lsys/peer'].map((name) => name.padStart(10)).join('')}`);
  for (const [label, name, peer = name] of rows) {
    const best = ['libjwt', 'openssl'].map((who) => found.get(`${who} ${peer}`)).find(Boolean);
    const ratio = best ? (median(found.get(`lsys ${name}`)) / median(best)).toFixed(2) : '-';
    console.log(label.padEnd(32) + show(`lsys ${name}`) + show(`openssl ${peer}`) + show(`libjwt ${peer}`) + ratio.padStart(10));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
