// The openssl program as a peer: it makes keys, certificates and requests that lsys has to understand.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from './lsys.mjs';

/// Runs openssl and fails unless it exits with 0. Gives its stdout.
export async function openssl(args, options) {
  const result = await run('openssl', args, options);
  if (result.code !== 0) throw new Error(`openssl ${args.join(' ')}: ${result.stderr}`);
  return result.stdout;
}

const keyKinds = {
  p256: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p384: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  secp256k1: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1'],
  rsa1024: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'],
  rsa2048: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  ed25519: ['-algorithm', 'ED25519'],
};

/// Makes a private key of a kind in `folder` and gives its path.
export async function makeKey(folder, name, kind = 'p256') {
  const file = path.join(folder, `${name}.key.pem`);
  await openssl(['genpkey', ...keyKinds[kind], '-out', file]);
  return file;
}

/// Makes a certificate NAME.pem with a new key in `folder`. `issuer` is what this function gave before; without one it is
/// self-signed. `extensions` are lines of openssl's configuration. `start` and `end` (YYMMDDhhmmssZ) replace 30 days from
/// now. Gives {name, key, pem} as paths.
export async function makeCertificate(folder, name, { issuer, extensions = [], kind, digest = 'sha256', start, end,
  subject = `/CN=${name}`, signing = [] } = {}) {
  const key = await makeKey(folder, name, kind);
  const pem = path.join(folder, `${name}.pem`);
  const request = path.join(folder, `${name}.csr.pem`);
  const configuration = path.join(folder, `${name}.cnf`);
  writeFileSync(path.join(folder, 'index.txt'), '');
  writeFileSync(configuration, `
[req]
distinguished_name = name
[name]
[ca]
default_ca = own
[own]
database = ${folder}/index.txt
new_certs_dir = ${folder}
rand_serial = yes
unique_subject = no
policy = policy
[policy]
commonName = optional
organizationName = optional
[extensions]
${extensions.join('\n')}
`);
  await openssl(['req', '-new', '-config', configuration, '-key', key, '-subj', subject, '-out', request]);
  const signer = issuer ? ['-cert', issuer.pem, '-keyfile', issuer.key] : ['-selfsign', '-keyfile', key];
  const life = end ? ['-startdate', start, '-enddate', end] : ['-days', '30'];
  await openssl(['ca', '-batch', '-notext', '-preserveDN', '-config', configuration, '-extensions', 'extensions',
    '-md', digest, '-in', request, '-out', pem, ...signer, ...life, ...signing]);
  return { name, key, pem, request };
}

/// A date as openssl's ca wants it, `days` from now.
export function daysFromNow(days) {
  return new Date(Date.now() + days * 86_400_000).toISOString().replace(/^..|[-:T]|\.\d+/g, '');
}
