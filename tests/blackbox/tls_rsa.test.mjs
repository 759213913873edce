// RSA keys where P-256 is the rule: of our servers, of our clients, of those who talk to them; and short ones, refused.
import assert from 'node:assert/strict';
import { chmodSync, readFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'nats';
import { Client } from './lib/client.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { lsys, run, start, startLsys } from './lib/lsys.mjs';
import { makeCertificate } from './lib/openssl.mjs';
import { natsServers } from './lib/peers.mjs';
import { freePort } from './lib/ports.mjs';
import { Vendor } from './lib/vendor.mjs';

const NAMES = 'subjectAltName = DNS:localhost, IP:127.0.0.1';
const AUTHORITY = ['basicConstraints = critical, CA:TRUE', 'keyUsage = critical, keyCertSign', 'subjectKeyIdentifier = hash'];
const leaf = (purpose) => ['basicConstraints = critical, CA:FALSE', `extendedKeyUsage = ${purpose}`, NAMES];
const TOO_SHORT = /1024 bits, which is less than 2048/;

const folder = temporaryFolder({ after });
const pki = {};
let vendor;

before(async () => {
  const make = async (name, options) => { pki[name] = await makeCertificate(folder, name, options); };
  await make('ca', { extensions: AUTHORITY, kind: 'rsa2048' });
  await make('shortCa', { extensions: AUTHORITY, kind: 'rsa1024' });
  await make('shortBetween', { extensions: AUTHORITY, kind: 'rsa1024', issuer: pki.ca });
  await make('server', { extensions: leaf('serverAuth'), kind: 'rsa2048', issuer: pki.ca });
  await make('client', { extensions: leaf('clientAuth'), kind: 'rsa2048', issuer: pki.ca });
  await make('shortServer', { extensions: leaf('serverAuth'), kind: 'rsa1024', issuer: pki.ca });
  await make('shortClient', { extensions: leaf('clientAuth'), kind: 'rsa1024', issuer: pki.ca });
  await make('below', { extensions: leaf('serverAuth'), issuer: pki.shortBetween });
  for (const { key } of Object.values(pki)) chmodSync(key, 0o600);
  vendor = await Vendor.create(folder);
});

const serves = (name) => ['--tls-cert', pki[name].pem, '--tls-key', pki[name].key];
const httpsAs = (name) => ['--https-ca', pki.ca.pem, '--https-cert', pki[name].pem, '--https-key', pki[name].key];
const natsAs = (name) => ['--nats-ca', pki.ca.pem, '--nats-cert', pki[name].pem, '--nats-key', pki[name].key];

/// A broker that speaks TLS on both ports. Gives {https, nats}, ports.
async function startBroker(t, ...flags) {
  const process = startLsys(t, ['broker', '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', ...serves('server'), ...flags]);
  const port = async (scheme) => Number((await process.untilOutput(new RegExp(`url=${scheme}://127\\.0\\.0\\.1:(\\d+)`)))[1]);
  return { https: await port('https'), nats: await port('(?:tls|nats)') };
}

describe('RSA', () => {
  test('HTTPS with a key of 2048 bits: curl, openssl, Node, our own', async (t) => {
    const { https: port } = await startBroker(t);
    const curl = await run('curl', ['-sS', '--cacert', pki.ca.pem, `https://localhost:${port}/healthz`]);
    assert.match(curl.stdout, /"status":"ok"/, curl.stderr);
    for (const suite of ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305']) {
      const name = `ECDHE-RSA-${suite}`;
      const { stdout } = await run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', pki.ca.pem, '-tls1_2',
        '-cipher', name]);
      assert.match(stdout, new RegExp(`Cipher +: ${name}`));
      assert.match(stdout, /Verify return code: 0/);
      assert.match(stdout, /Peer signature type: RSA\b/);
    }
    const status = await new Promise((resolve, reject) => {
      https.get({ host: 'localhost', port, path: '/healthz', ca: readFileSync(pki.ca.pem) }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject);
    });
    assert.equal(status, 200);
    const own = await lsys(['health', `https://localhost:${port}`, '--https-ca', pki.ca.pem]);
    assert.equal(own.code, 0, own.stderr);
  });

  test('the broker with a key of 2048 bits: npm nats, our own', async (t) => {
    const { nats: port } = await startBroker(t);
    const nc = await connect({ servers: `localhost:${port}`, tls: { caFile: pki.ca.pem } });
    t.after(() => nc.close());
    nc.subscribe('double', { callback: (_, message) => message.respond(`${2 * Number(message.string())}`) });
    assert.equal((await nc.request('double', '21')).string(), '42');
    const client = await Client.start(t, vendor, `tls://localhost:${port}`, { flags: ['--nats-ca', pki.ca.pem] });
    await client.process.untilOutput(/connected to NATS/);
  });

  test('a client of ours shows a certificate with an RSA key', async (t) => {
    const broker = await startBroker(t, '--tls-client-ca', pki.ca.pem);
    const known = await lsys(['health', `https://localhost:${broker.https}`, ...httpsAs('client')]);
    assert.equal(known.code, 0, known.stderr);
    const client = await Client.start(t, vendor, `tls://localhost:${broker.nats}`, { flags: natsAs('client') });
    await client.process.untilOutput(/connected to NATS/);
  });

  for (const { name, program } of natsServers()) {
    test(`${name} with RSA keys on both sides`, async (t) => {
      const port = await freePort();
      const server = start(t, program, ['-a', '127.0.0.1', '-p', `${port}`, '--tlsverify', '--tlscacert', pki.ca.pem,
        '--tlscert', pki.server.pem, '--tlskey', pki.server.key]);
      await server.untilOutput(/Server is ready/);
      const client = await Client.start(t, vendor, `tls://localhost:${port}`, { flags: natsAs('client') });
      await client.process.untilOutput(/connected to NATS/);
    });
  }

  test('keys of 1024 bits are no identity', async (t) => {
    const server = await lsys(['broker', '--listen', '127.0.0.1:0', ...serves('shortServer')]);
    assert.notEqual(server.code, 0);
    assert.match(server.stderr, TOO_SHORT);
    const caller = await lsys(['health', 'https://localhost:1', ...httpsAs('shortClient')]);
    assert.notEqual(caller.code, 0);
    assert.match(caller.stderr, TOO_SHORT);
    const client = await lsys(['license-client', '--keys', vendor.keys, '--nats', 'tls://localhost:1', '--http', '127.0.0.1:0',
      '--data-dir', path.join(temporaryFolder(t), 'data'), ...natsAs('shortClient')]);
    assert.notEqual(client.code, 0);
    assert.match(client.stderr, TOO_SHORT);
  });

  test('nor are they a CA, at the top of a chain or within it', async (t) => {
    const top = await lsys(['health', 'https://localhost:1', '--https-ca', pki.shortCa.pem]);
    assert.notEqual(top.code, 0);
    assert.match(top.stderr, TOO_SHORT);
    const port = await freePort();
    const server = start(t, 'openssl', ['s_server', '-accept', `127.0.0.1:${port}`, '-cert', pki.below.pem, '-key', pki.below.key,
      '-cert_chain', pki.shortBetween.pem, '-tls1_2', '-www', '-cipher', 'ALL:@SECLEVEL=0']);
    await server.untilOutput(/ACCEPT/);
    const within = await lsys(['health', `https://localhost:${port}`, '--https-ca', pki.ca.pem]);
    assert.match(within.stderr, /localhost: certificate CN=shortBetween: .*1024 bits, which is less than 2048/);
  });
});
