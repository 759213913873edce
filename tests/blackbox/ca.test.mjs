// lsys ca: openssl, Node and curl accept what it makes; it accepts what openssl makes, and refuses what is wrong.
import assert from 'node:assert/strict';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import { temporaryFolder } from './lib/folders.mjs';
import { lsys, lsysOk, run } from './lib/lsys.mjs';
import { daysFromNow, makeCertificate, makeKey, openssl } from './lib/openssl.mjs';

const mode = (file) => statSync(file).mode & 0o777;
const certificateOf = (file) => new X509Certificate(readFileSync(file));
const fits = (file, key) => certificateOf(file).checkPrivateKey(createPrivateKey(readFileSync(key)));

/// A folder with a CA in pki/; gives functions that run lsys in it.
async function deployment(t) {
  const folder = temporaryFolder(t);
  const at = (name) => path.join(folder, name);
  await lsysOk(['ca', 'init', '--out', at('pki')]);
  return {
    folder,
    at,
    ca: at('pki/ca.pem'),
    ok: (...args) => lsysOk(['ca', ...args], { cwd: folder }),
    refused: async (code, text, ...args) => {
      const result = await lsys(['ca', ...args], { cwd: folder });
      assert.equal(result.code, code, `ca ${args.join(' ')}: ${result.stderr}`);
      assert.match(result.stderr, text);
      return result;
    },
  };
}

test('openssl accepts the certificates', async (t) => {
  const { folder, at, ca, ok } = await deployment(t);
  await ok('issue', '--ca', 'pki', '--name', 'Edge-7', '--san', 'IP:127.0.0.1', '--san', 'IP:::1', '--san',
    'DNS:*.edge.example.com', '--out', 'edge-7');
  assert.equal(mode(at('pki/ca.key.pem')), 0o600);
  assert.equal(mode(at('edge-7.key.pem')), 0o600);
  assert.ok(fits(at('edge-7.pem'), at('edge-7.key.pem')));
  const verify = (...args) => openssl(['verify', '-x509_strict', '-CAfile', ca, ...args, at('edge-7.pem')]);
  await verify('-purpose', 'sslserver', '-verify_hostname', 'edge-7');
  await verify('-purpose', 'sslserver', '-verify_ip', '::1');
  await verify('-purpose', 'sslclient', '-verify_hostname', 'a.edge.example.com');
  await assert.rejects(verify('-verify_hostname', 'edge-8'));
  await openssl(['verify', '-x509_strict', '-CAfile', ca, ca]);

  const text = await openssl(['x509', '-in', at('edge-7.pem'), '-noout', '-text']);
  assert.match(text, /Version: 3/);
  assert.match(text, /Subject: CN ?= ?edge-7\n/);
  assert.match(text, /Signature Algorithm: ecdsa-with-SHA256/);
  assert.match(text, /NIST CURVE: P-256/);
  assert.match(text, /Basic Constraints: critical\s+CA:FALSE/);
  assert.match(text, /Key Usage: critical\s+Digital Signature\n/);
  assert.match(text, /Extended Key Usage: \s+TLS Web Server Authentication, TLS Web Client Authentication\n/);
  assert.match(text, /DNS:edge-7, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:\*\.edge\.example\.com/);
  assert.match(await openssl(['x509', '-in', ca, '-noout', '-text']),
    /Basic Constraints: critical\s+CA:TRUE, pathlen:0[^]*Key Usage: critical\s+Certificate Sign, CRL Sign/);
  assert.match(await openssl(['pkey', '-in', at('edge-7.key.pem'), '-check', '-noout']), /valid/);
  assert.deepEqual(readdirSync(folder).sort(), ['edge-7.key.pem', 'edge-7.pem', 'pki']);
});

test('life and serial number are as promised', async (t) => {
  const { at, ok } = await deployment(t);
  await ok('issue', '--ca', 'pki', '--name', 'a', '--out', 'a', '--valid-for', '2h');
  await ok('issue', '--ca', 'pki', '--name', 'a', '--out', 'b', '--valid-for', '100y');
  const [a, b, ca] = ['a.pem', 'b.pem', 'pki/ca.pem'].map((name) => certificateOf(at(name)));
  const left_ms = Date.parse(a.validTo) - Date.now();
  assert.ok(left_ms > 2 * 3_600_000 - 60_000 && left_ms <= 2 * 3_600_000, `${left_ms} ms are left`);
  assert.ok(Date.parse(a.validFrom) < Date.now() - 200_000, 'clocks that are behind are thought of');
  assert.equal(b.validTo, ca.validTo, 'nothing outlives its CA');
  assert.notEqual(a.serialNumber, b.serialNumber);
  assert.match(a.serialNumber, /^[4-7][0-9A-F]{31}$/);
});

test('Node and curl speak TLS with the certificates', async (t) => {
  const { at, ca, ok } = await deployment(t);
  await ok('issue', '--ca', 'pki', '--name', 'localhost', '--san', 'IP:127.0.0.1', '--server', '--out', 'server');
  await ok('issue', '--ca', 'pki', '--name', 'client-1', '--client', '--out', 'client');
  const pair = (name) => ({ cert: readFileSync(at(`${name}.pem`)), key: readFileSync(at(`${name}.key.pem`)) });
  const authority = readFileSync(ca);
  const server = https.createServer({ ...pair('server'), ca: authority, requestCert: true, rejectUnauthorized: true },
    (request, response) => response.end(request.socket.getPeerCertificate().subject.CN));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address();

  const answer = await new Promise((resolve, reject) => {
    https.get({ port, host: '127.0.0.1', ca: authority, ...pair('client'), agent: false }, (response) => {
      let text = '';
      response.on('data', (piece) => { text += piece; });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
  assert.equal(answer, 'client-1');
  const curl = (...args) => run('curl', ['-sS', '--max-time', '10', '--cacert', ca, ...args]);
  const url = `https://localhost:${port}/`;
  const good = await curl('--resolve', `localhost:${port}:127.0.0.1`, '--cert', at('client.pem'), '--key',
    at('client.key.pem'), url);
  assert.equal(good.stdout, 'client-1', good.stderr);
  const wrongName = await curl('--connect-to', `edge-8:443:127.0.0.1:${port}`, 'https://edge-8/');
  assert.match(wrongName.stderr, /SSL/);
  // A server's certificate is no client's, and the other way round.
  const asClient = await curl('--resolve', `localhost:${port}:127.0.0.1`, '--cert', at('server.pem'), '--key',
    at('server.key.pem'), url);
  assert.notEqual(asClient.code, 0);
  await assert.rejects(openssl(['verify', '-CAfile', ca, '-purpose', 'sslserver', at('client.pem')]));
});

test('TLS with a stranger fails', async (t) => {
  const { at, ok } = await deployment(t);
  await ok('issue', '--ca', 'pki', '--name', 'localhost', '--out', 'server');
  await ok('init', '--out', 'other');
  const server = tls.createServer({ cert: readFileSync(at('server.pem')), key: readFileSync(at('server.key.pem')) });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const socket = tls.connect({ port: server.address().port, host: '127.0.0.1', servername: 'localhost',
    ca: readFileSync(at('other/ca.pem')) });
  const [error] = await once(socket, 'error');
  assert.match(error.code, /UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/);
});

test('nothing is overwritten and nothing is left half made', async (t) => {
  const { folder, at, ok, refused } = await deployment(t);
  await ok('issue', '--ca', 'pki', '--name', 'a', '--out', 'a');
  const before = readFileSync(at('a.key.pem'), 'utf8') + readFileSync(at('pki/ca.key.pem'), 'utf8');
  await refused(75, /a\.pem exists already/, 'issue', '--ca', 'pki', '--name', 'a', '--out', 'a');
  await refused(75, /ca\.pem exists already/, 'init', '--out', 'pki');
  await refused(75, /a\.key\.pem exists already/, 'request', '--name', 'a', '--out', 'a');
  writeFileSync(at('b.key.pem'), 'mine');
  await refused(75, /b\.key\.pem exists already/, 'issue', '--ca', 'pki', '--name', 'b', '--out', 'b');
  assert.equal(readFileSync(at('b.key.pem'), 'utf8'), 'mine');
  assert.ok(!existsSync(at('b.pem')));
  assert.equal(readFileSync(at('a.key.pem'), 'utf8') + readFileSync(at('pki/ca.key.pem'), 'utf8'), before);
  await refused(66, /c/, 'issue', '--ca', 'nowhere', '--name', 'c', '--out', 'c');
  await refused(66, /missing\/c/, 'issue', '--ca', 'pki', '--name', 'c', '--out', 'missing/c');
  assert.deepEqual(readdirSync(folder).sort(), ['a.key.pem', 'a.pem', 'b.key.pem', 'pki']);
});

test('nonsense is refused', async (t) => {
  const { folder, at, ok, refused } = await deployment(t);
  const issue = (...args) => ['issue', '--ca', 'pki', '--out', 'x', ...args];
  await refused(64, /--name is missing/, ...issue());
  for (const name of ['', 'a b', 'a\nb', '*', '*.com', '-a', 'https://a/', 'a'.repeat(64), 'a/b', '../x', 'ä']) {
    await refused(64, /neither an IP address nor a DNS name/, ...issue('--name', name));
  }
  await refused(64, /"10.0.0.256" is not an IP address/, ...issue('--name', 'a', '--san', 'IP:10.0.0.256'));
  await refused(64, /common name/, ...issue('--name', `${'a'.repeat(60)}.${'b'.repeat(20)}`));
  await refused(64, /more than|least|between|1m/, ...issue('--name', 'a', '--valid-for', '10s'));
  await refused(64, /--host means nothing to "issue"/, ...issue('--name', 'a', '--host', 'a'));
  await refused(64, /takes one FILE/, 'show');
  await refused(64, /takes no FILE/, 'init', 'x', '--out', 'y');
  await refused(64, /frob/, 'frob');
  await refused(64, /--out is missing/, 'init');
  await refused(64, /new CA/, 'renew', '--ca', 'pki', '--new-key');
  await refused(64, /--name/, 'init', '--out', 'other', '--name', 'a\x1b[2Jb');
  chmodSync(at('pki/ca.key.pem'), 0o644);
  await refused(77, /chmod 600/, ...issue('--name', 'a'));
  chmodSync(at('pki/ca.key.pem'), 0o600);
  await ok('init', '--out', 'other');
  writeFileSync(at('pki/ca.key.pem'), readFileSync(at('other/ca.key.pem')));
  await refused(18, /is not the key of/, ...issue('--name', 'a'));
  assert.deepEqual(readdirSync(folder).sort(), ['other', 'pki']);
});

test('requests of openssl are certified', async (t) => {
  const { folder, at, ca, ok, refused } = await deployment(t);
  for (const kind of ['p256', 'p384', 'rsa2048']) {
    const key = await makeKey(folder, kind, kind);
    await openssl(['req', '-new', '-key', key, '-subj', '/O=ACME/CN=whoever', '-addext',
      'subjectAltName=DNS:edge-7,IP:10.0.0.7', '-addext', 'basicConstraints=critical,CA:TRUE', '-out', at('csr')]);
    assert.match(await ok('show', 'csr'), /names +\[edge-7, 10\.0\.0\.7\]/);
    await ok('issue', '--ca', 'pki', '--request', 'csr', '--out', `${kind}-issued`);
    const made = at(`${kind}-issued.pem`);
    assert.ok(fits(made, key));
    assert.ok(!existsSync(at(`${kind}-issued.key.pem`)));
    await openssl(['verify', '-x509_strict', '-CAfile', ca, '-verify_ip', '10.0.0.7', '-purpose', 'sslserver', made]);
    assert.equal(certificateOf(made).ca, false, 'a wish to be a CA is not heard');
    await ok('verify', made, '--ca', 'pki', '--host', 'edge-7');
    await ok('issue', '--ca', 'pki', '--request', 'csr', '--name', 'mine', '--out', `${kind}-named`);
    assert.equal(certificateOf(at(`${kind}-named.pem`)).subjectAltName, 'DNS:mine');
  }
  await openssl(['req', '-new', '-key', at('p256.key.pem'), '-subj', '/CN=edge-9', '-out', at('csr')]);
  await ok('issue', '--ca', 'pki', '--request', 'csr', '--out', 'by-name');
  assert.equal(certificateOf(at('by-name.pem')).subjectAltName, 'DNS:edge-9');
  await openssl(['req', '-new', '-key', at('p256.key.pem'), '-subj', '/CN=Nobody At All', '-out', at('csr')]);
  await refused(64, /names no host/, 'issue', '--ca', 'pki', '--request', 'csr', '--out', 'x');
});

test('requests that prove nothing are refused', async (t) => {
  const { folder, at, ok, refused } = await deployment(t);
  await ok('request', '--name', 'edge-7', '--out', 'a');
  const der = Buffer.from(readFileSync(at('a.csr.pem'), 'utf8').replace(/-.*-|\n/g, ''), 'base64');
  const issue = ['issue', '--ca', 'pki', '--request', 'csr', '--out', 'x'];
  const write = (bytes) => writeFileSync(at('csr'),
    `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`);
  write(der);
  await ok('show', 'csr');
  const altered = Buffer.from(der);
  altered[altered.indexOf('edge-7') + 5] ^= 1; // edge-6 in the subject
  write(altered);
  await refused(14, /does not prove that its sender has the key/, ...issue);
  write(der.subarray(0, der.length - 1));
  await refused(18, /not a proper certificate request/, ...issue);
  for (const [kind, text] of [['rsa1024', /1024 bits, which is less than 2048/], ['ed25519', /Ed25519/],
    ['secp256k1', /not supported/]]) {
    const key = await makeKey(folder, kind, kind);
    await openssl(['req', '-new', '-key', key, '-subj', '/CN=edge-7', '-out', at('csr')]);
    await refused(20, text, ...issue);
  }
  await openssl(['req', '-new', '-sha1', '-key', await makeKey(folder, 'p256'), '-subj', '/CN=a', '-out', at('csr')]);
  await refused(20, /SHA-1/, ...issue);
  assert.ok(!existsSync(at('x.pem')));
});

test('openssl accepts our requests', async (t) => {
  const { folder, at, ok } = await deployment(t);
  await ok('request', '--name', 'edge-7', '--san', 'IP:10.0.0.7', '--out', 'a');
  assert.equal(mode(at('a.key.pem')), 0o600);
  const text = await openssl(['req', '-in', at('a.csr.pem'), '-noout', '-text', '-verify']);
  assert.match(text, /Subject: CN ?= ?edge-7/);
  assert.match(text, /DNS:edge-7, IP Address:10\.0\.0\.7/);
  const rsa = await makeKey(folder, 'rsa', 'rsa2048');
  await ok('request', '--name', 'edge-7', '--key', rsa, '--out', 'b');
  await openssl(['req', '-in', at('b.csr.pem'), '-noout', '-verify']);
});

test('CAs and keys of openssl are used', async (t) => {
  const { folder, at, ok, refused } = await deployment(t);
  const caExtensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign',
    'subjectKeyIdentifier=hash'];
  for (const kind of ['p256', 'rsa2048']) {
    mkdirSync(at(kind));
    const made = await makeCertificate(at(kind), 'ca', { kind, extensions: caExtensions });
    await ok('issue', '--ca', kind, '--name', 'edge-7', '--out', `${kind}-leaf`);
    await openssl(['verify', '-x509_strict', '-CAfile', made.pem, at(`${kind}-leaf.pem`)]);
    await ok('verify', `${kind}-leaf.pem`, '--ca', kind, '--host', 'edge-7');
    // The traditional forms of keys: SEC 1 and PKCS#1.
    await openssl(['pkey', '-in', made.key, '-traditional', '-out', at('traditional')]);
    writeFileSync(made.key, readFileSync(at('traditional')));
    assert.match(readFileSync(made.key, 'utf8'), /BEGIN (EC|RSA) PRIVATE KEY/);
    await ok('issue', '--ca', kind, '--name', 'edge-8', '--out', `${kind}-traditional`);
    await openssl(['verify', '-CAfile', made.pem, at(`${kind}-traditional.pem`)]);
    await openssl(['pkey', '-in', made.key, '-aes128', '-passout', 'pass:secret', '-out', at('encrypted')]);
    writeFileSync(made.key, readFileSync(at('encrypted')));
    await refused(77, /encrypted; decrypt it with: openssl pkey/, 'issue', '--ca', kind, '--name', 'a', '--out', 'x');
  }
  mkdirSync(at('leaf'));
  await makeCertificate(at('leaf'), 'ca', { extensions: ['basicConstraints=critical,CA:FALSE'] });
  await refused(21, /not the certificate of a CA/, 'issue', '--ca', 'leaf', '--name', 'a', '--out', 'x');
  assert.ok(!existsSync(path.join(folder, 'x.pem')));
});

const leaf = ['basicConstraints=critical,CA:FALSE', 'subjectAltName=DNS:edge-7,IP:127.0.0.1,email:a@b.example'];
const authority = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign', 'subjectKeyIdentifier=hash'];

// What openssl makes under a root of its own, and what lsys says to it.
const verdicts = [
  { what: 'a plain server', extensions: leaf },
  { what: 'RSA', kind: 'rsa2048', extensions: leaf },
  { what: 'P-384 with SHA-384', kind: 'p384', digest: 'sha384', extensions: leaf },
  { what: 'purposes that fit', extensions: [...leaf, 'extendedKeyUsage=serverAuth,emailProtection'] },
  { what: 'any purpose', extensions: [...leaf, 'extendedKeyUsage=anyExtendedKeyUsage'] },
  { what: 'known extensions', extensions: [...leaf, 'certificatePolicies=1.2.3', 'crlDistributionPoints=URI:http://x/',
    'authorityInfoAccess=OCSP;URI:http://x/', 'subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid'] },
  { what: 'an unknown extension', extensions: [...leaf, '1.2.3.4=DER:0500'] },
  { what: 'an unknown critical extension', extensions: [...leaf, '1.2.3.4=critical,DER:0500'], code: 23,
    text: /certificate CN=leaf: it has a critical extension that is not supported \(1\.2\.3\.4\)/ },
  { what: 'a critical purpose', extensions: [...leaf, 'extendedKeyUsage=critical,serverAuth'], code: 23,
    text: /marked critical/ },
  { what: 'a client', extensions: [...leaf, 'extendedKeyUsage=clientAuth'], code: 21,
    text: /not meant for a server \(serverAuth\)/ },
  { what: 'another purpose', extensions: [...leaf, 'extendedKeyUsage=codeSigning'], code: 21, text: /serverAuth/ },
  { what: 'a key that may not sign', extensions: [...leaf, 'keyUsage=critical,keyEncipherment'], code: 21,
    text: /digitalSignature/ },
  { what: 'a short RSA key', kind: 'rsa1024', extensions: leaf, code: 20, text: /1024 bits, which is less than 2048/ },
  { what: 'SHA-1', digest: 'sha1', extensions: leaf, code: 20, text: /SHA-1, which can be forged/ },
  { what: 'RSA-PSS', root: 'rsa', signing: ['-sigopt', 'rsa_padding_mode:pss'], extensions: leaf, code: 20,
    text: /RSA-PSS/ },
  { what: 'an RSA root', root: 'rsa', extensions: leaf },
  { what: 'an Ed25519 key', kind: 'ed25519', extensions: leaf, code: 20, text: /not supported/ },
  { what: 'no alternative name', extensions: [leaf[0]], subject: '/CN=edge-7', code: 76, text: /no subjectAltName/ },
  { what: 'only a mail address', extensions: [leaf[0], 'subjectAltName=email:edge-7@example.com'], code: 76,
    text: /name edge-7 not in \[edge-7@example\.com\]/ },
  { what: 'an address as a DNS name', extensions: [leaf[0], 'subjectAltName=DNS:127.0.0.1'], host: '127.0.0.1', code: 76,
    text: /name 127\.0\.0\.1 not in/ },
  { what: 'expired', start: daysFromNow(-20), end: daysFromNow(-10), extensions: leaf, code: 11,
    text: /certificate expired on \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(CN=leaf\)/ },
  { what: 'not yet valid', start: daysFromNow(10), end: daysFromNow(20), extensions: leaf, code: 12,
    text: /not valid before .* is the clock right/ },
  { what: 'under an intermediate', middle: authority, extensions: leaf },
  { what: 'without its intermediate', middle: authority, withhold: true, extensions: leaf, code: 76,
    text: /unknown issuer CN=middle of certificate CN=leaf: not among the 1 CA trusted here/ },
  { what: 'under a limited intermediate', middle: [...authority, 'extendedKeyUsage=clientAuth'], extensions: leaf,
    code: 21, text: /certificate CN=middle: it is not meant for a server/ },
  { what: 'under one that constrains names', middle: [...authority, 'nameConstraints=critical,permitted;DNS:edge-7'],
    extensions: leaf, code: 23, text: /constrains names/ },
  { what: 'under one that constrains them softly', middle: [...authority, 'nameConstraints=permitted;DNS:x'],
    extensions: leaf, code: 23, text: /constrains names/ },
  { what: 'under a leaf', middle: leaf, extensions: leaf, code: 21, text: /CN=middle: .* is not a CA's/ },
  { what: 'under one that may not sign', middle: [authority[0], 'keyUsage=critical,cRLSign'], extensions: leaf, code: 21,
    text: /keyCertSign/ },
  { what: 'under an expired intermediate', middle: authority, middleLife: [daysFromNow(-20), daysFromNow(-1)],
    extensions: leaf, code: 11, text: /expired on .* \(CN=middle\)/ },
  { what: 'a name with an escape sequence', subject: '/CN=a\x1b[2Jb', extensions: [leaf[0]], code: 76,
    text: /^[\x20-\x7e\n]*$/ },
];

test('chains of openssl get their verdict', async (t) => {
  const roots = temporaryFolder(t);
  const root = { ec: await makeCertificate(roots, 'root', { extensions: authority }),
    rsa: await makeCertificate(roots, 'root-rsa', { extensions: authority, kind: 'rsa2048' }) };
  for (const row of verdicts) {
    await t.test(row.what, async (s) => {
      const folder = temporaryFolder(s);
      const top = root[row.root ?? 'ec'];
      const [start, end] = row.middleLife ?? [];
      const middle = row.middle && await makeCertificate(folder, 'middle',
        { issuer: top, extensions: row.middle, start, end });
      const made = await makeCertificate(folder, 'leaf', { ...row, issuer: middle ?? top });
      const chain = path.join(folder, 'chain.pem');
      const members = middle && !row.withhold ? [made.pem, middle.pem] : [made.pem];
      writeFileSync(chain, members.map((file) => readFileSync(file)).join(''));
      const result = await lsys(['ca', 'verify', chain, '--ca', top.pem, '--host', row.host ?? 'edge-7']);
      assert.equal(result.code, row.code ?? 0, result.stderr + result.stdout);
      if (row.text) assert.match(result.stderr, row.text);
      const shown = await lsys(['ca', 'show', chain]);
      assert.equal(shown.code, 0, shown.stderr);
      assert.match(shown.stdout, /^[\x20-\x7e\n]*$/);
      assert.equal(JSON.parse(await lsysOk(['ca', 'show', chain, '--json'])).length, members.length);
    });
  }
});

test('a root that cannot be one is refused', async (t) => {
  const folder = temporaryFolder(t);
  const good = await makeCertificate(folder, 'good', { extensions: authority });
  const made = await makeCertificate(folder, 'leaf', { issuer: good, extensions: leaf });
  for (const [name, options, code, text] of [
    ['no-ca', { extensions: leaf }, 21, /certificate 1 \(CN=no-ca\): it is not the certificate of a CA/],
    ['weak', { extensions: authority, kind: 'rsa1024' }, 20, /1024 bits/],
    ['constrained', { extensions: [...authority, 'nameConstraints=permitted;DNS:x'] }, 23, /constrains names/],
    ['mute', { extensions: [authority[0], 'keyUsage=cRLSign'] }, 21, /keyCertSign/]]) {
    const bad = await makeCertificate(folder, name, options);
    const result = await lsys(['ca', 'verify', made.pem, '--ca', bad.pem]);
    assert.equal(result.code, code, result.stderr);
    assert.match(result.stderr, text);
  }
});

test('every root of the system is read', async (t) => {
  const bundle = '/etc/ssl/certs/ca-certificates.crt';
  if (!existsSync(bundle)) return t.skip('this machine has no bundle');
  const count = readFileSync(bundle, 'utf8').split('-----BEGIN CERTIFICATE-----').length - 1;
  const shown = JSON.parse(await lsysOk(['ca', 'show', bundle, '--json']));
  assert.equal(shown.length, count);
  assert.ok(shown.every((certificate) => certificate.ca));
});

test('renewal waits for half of the life', async (t) => {
  const { folder, at, ca, ok, refused } = await deployment(t);
  const issuer = { pem: ca, key: at('pki/ca.key.pem') };
  await ok('issue', '--ca', 'pki', '--name', 'fresh', '--out', 'fresh');
  const before = readFileSync(at('fresh.pem'));
  assert.match(await ok('renew', '--ca', 'pki', '--out', 'fresh'), /fresh: renewal is due from/);
  assert.deepEqual(readFileSync(at('fresh.pem')), before);

  for (const [name, from, to, due] of [['young', -40, 50, false], ['due', -50, 40, true], ['late', -70, 20, true],
    ['over', -90, -1, true]]) {
    const extensions = [...leaf, 'extendedKeyUsage=clientAuth'];
    await makeCertificate(folder, name, { issuer, extensions, start: daysFromNow(from), end: daysFromNow(to) });
    const old = certificateOf(at(`${name}.pem`));
    await ok('renew', '--ca', 'pki', '--out', name);
    const renewed = certificateOf(at(`${name}.pem`));
    assert.equal(renewed.serialNumber !== old.serialNumber, due, name);
    assert.ok(fits(at(`${name}.pem`), at(`${name}.key.pem`)));
    if (!due) continue;
    const life = (certificate) => Date.parse(certificate.validTo) - Date.parse(certificate.validFrom);
    assert.equal(life(renewed), life(old));
    assert.match(renewed.subjectAltName, /DNS:edge-7, IP Address:127\.0\.0\.1/);
    await openssl(['verify', '-CAfile', ca, '-purpose', 'sslclient', at(`${name}.pem`)]);
    await assert.rejects(openssl(['verify', '-CAfile', ca, '-purpose', 'sslserver', at(`${name}.pem`)]));
  }
  await ok('init', '--out', 'other');
  await refused(76, /this CA has not issued the old certificate/, 'renew', '--ca', 'other', '--out', 'fresh', '--force');
  assert.deepEqual(readFileSync(at('fresh.pem')), before);
});

test('renewal with a new key keeps the old one', async (t) => {
  const { folder, at, ok } = await deployment(t);
  await ok('issue', '--ca', 'pki', '--name', 'a', '--out', 'a');
  const oldKey = readFileSync(at('a.key.pem'), 'utf8');
  await ok('renew', '--ca', 'pki', '--out', 'a', '--force', '--new-key');
  assert.notEqual(readFileSync(at('a.key.pem'), 'utf8'), oldKey);
  assert.ok(fits(at('a.pem'), at('a.key.pem')));
  const kept = readdirSync(folder).find((name) => /^a\.key\.[0-9a-f]{32}\.pem$/.test(name));
  assert.equal(readFileSync(at(kept), 'utf8'), oldKey);
  assert.equal(mode(at(kept)), 0o600);
  assert.equal(mode(at('a.key.pem')), 0o600);
  // The key is at home elsewhere: the certificate's own key is certified again.
  await ok('request', '--name', 'b', '--out', 'b');
  await ok('issue', '--ca', 'pki', '--request', 'b.csr.pem', '--out', 'b-issued');
  await ok('renew', '--ca', 'pki', '--out', 'b-issued', '--force');
  assert.ok(fits(at('b-issued.pem'), at('b.key.pem')));
});

test('a renewed CA vouches for what it issued before', async (t) => {
  const { at, ok } = await deployment(t);
  await ok('issue', '--ca', 'pki', '--name', 'a', '--out', 'a');
  const before = certificateOf(at('pki/ca.pem'));
  await ok('renew', '--ca', 'pki', '--force');
  assert.notEqual(certificateOf(at('pki/ca.pem')).serialNumber, before.serialNumber);
  await openssl(['verify', '-x509_strict', '-CAfile', at('pki/ca.pem'), at('a.pem')]);
  await ok('verify', 'a.pem', '--ca', 'pki', '--host', 'a');
});

test('files that are no certificates are refused kindly', async (t) => {
  const { folder, at, ok, refused } = await deployment(t);
  await ok('issue', '--ca', 'pki', '--name', 'a', '--out', 'a');
  const pem = readFileSync(at('a.pem'), 'utf8');
  const files = {
    empty: '', text: 'hello\n', nul: Buffer.alloc(1000), random: Buffer.from(Array.from({ length: 5000 }, (_, i) => i * 7)),
    cut: pem.slice(0, pem.length / 2), trailing: pem.replace('\n-----END', 'AAAA\n-----END'),
    huge: Buffer.alloc(10 << 20, 'A'), 'huge-block': `-----BEGIN CERTIFICATE-----\n${'A'.repeat(1 << 20)}\n`,
    latin: Buffer.concat([Buffer.from('-----BEGIN CERTIFICATE-----\n'), Buffer.from([0xe4, 0xff, 10])]),
  };
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(at(name), content);
    for (const args of [['show', name], ['verify', name, '--ca', 'pki'], ['verify', 'a.pem', '--ca', name],
      ['issue', '--ca', 'pki', '--request', name, '--out', 'x'], ['request', '--name', 'a', '--key', name, '--out', 'x']]) {
      const result = await lsys(['ca', ...args], { cwd: folder });
      assert.ok(result.code >= 10 && result.code < 128, `${args.join(' ')}: ${result.code} ${result.stderr}`);
      assert.match(result.stderr, /^lsys ca: [\x20-\x7e]+\n/);
    }
  }
  await refused(74, /is a folder/, 'show', 'pki');
  await refused(66, /nowhere/, 'show', 'nowhere');
  const both = await ok('show', 'a.pem');
  writeFileSync(at('both.pem'), readFileSync(at('a.key.pem'), 'utf8') + pem);
  assert.equal(await ok('show', 'both.pem'), both, 'keys are not shown');
});
