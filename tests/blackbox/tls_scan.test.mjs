// The well-known scanners look at what we serve and find nothing to complain about but that there is no TLS 1.3.
import assert from 'node:assert/strict';
import { chmodSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { temporaryFolder } from './lib/folders.mjs';
import { run, startLsys } from './lib/lsys.mjs';
import { makeCertificate } from './lib/openssl.mjs';

const folder = temporaryFolder({ after });
const pki = {};

before(async () => {
  const names = ['basicConstraints = critical, CA:FALSE', 'keyUsage = critical, digitalSignature', 'extendedKeyUsage = serverAuth',
    'subjectAltName = DNS:localhost, IP:127.0.0.1'];
  pki.ca = await makeCertificate(folder, 'ca', { extensions: ['basicConstraints = critical, CA:TRUE', 'keyUsage = critical, keyCertSign'] });
  pki.p256 = await makeCertificate(folder, 'p256', { issuer: pki.ca, extensions: names });
  pki.rsa = await makeCertificate(folder, 'rsa', { issuer: pki.ca, extensions: names, kind: 'rsa2048' });
  for (const { key } of Object.values(pki)) chmodSync(key, 0o600);
});

/// A broker that speaks TLS at once on both ports, with a certificate of each kind. Gives {https, nats}, ports.
async function startBroker(t) {
  const process = startLsys(t, ['broker', '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', '--tls-first',
    ...[pki.p256, pki.rsa].flatMap(({ pem, key }) => ['--tls-cert', pem, '--tls-key', key])]);
  const port = async (scheme) => Number((await process.untilOutput(new RegExp(`url=${scheme}://127\\.0\\.0\\.1:(\\d+)`)))[1]);
  return { https: await port('https'), nats: await port('tls') };
}

const isInstalled = async (program) => (await run('sh', ['-c', `command -v ${program}`])).code === 0;

/// The attributes of each element of that name, in XML as sslscan writes it.
const elements = (xml, name) => [...xml.matchAll(new RegExp(`<${name} ([^>]*?)/?>`, 'g'))].map(([, text]) =>
  Object.fromEntries([...text.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [key, value])));

const SUITES = ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-RSA-CHACHA20-POLY1305'];

describe('scanners', () => {
  for (const where of ['https', 'nats']) {
    test(`sslscan, ${where}`, async (t) => {
      if (!await isInstalled('sslscan')) return t.skip('sslscan is not installed');
      const ports = await startBroker(t);
      const { stdout: xml, stderr } = await run('sslscan', ['--no-colour', '--xml=-', `localhost:${ports[where]}`]);
      const enabled = elements(xml, 'protocol').filter((row) => row.enabled === '1').map((row) => row.type + row.version);
      assert.deepEqual(enabled, ['tls1.2'], stderr);
      assert.deepEqual(elements(xml, 'cipher').map((row) => row.cipher).sort(), SUITES);
      for (const row of elements(xml, 'cipher')) assert.equal(row.strength, 'strong', row.cipher);
      assert.equal(elements(xml, 'renegotiation')[0].supported, '0');
      for (const row of elements(xml, 'heartbleed')) assert.equal(row.vulnerable, '0');
      return undefined;
    });
  }

  // What testssl says of its own openssl, and how long it took.
  const aside = /^(engine_problem|scanTime)/;

  test('testssl.sh: protocols, suites, forward secrecy, known vulnerabilities', async (t) => {
    if (!await isInstalled('testssl')) return t.skip('testssl.sh is not installed');
    const { https } = await startBroker(t);
    const report = path.join(folder, 'testssl.json');
    const checks = ['--protocols', '--std', '--pfs', '--vulnerable']; // what takes half a minute; all of it takes two
    await run('testssl', ['--warnings', 'off', '--color', '0', '--quiet', '--openssl-timeout', '5', '--add-ca', pki.ca.pem,
      '--jsonfile', report, ...checks, `https://localhost:${https}`], { deadline_ms: 180_000 });
    const findings = JSON.parse(readFileSync(report, 'utf8'));
    assert.ok(findings.length > 40, `${findings.length} findings`);
    const bad = findings.filter((row) => !['OK', 'INFO'].includes(row.severity) && !aside.test(row.id));
    assert.deepEqual(bad, []);
    return undefined;
  });
});
