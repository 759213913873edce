// A master over HTTPS whose certificate is replaced: by the same CA without a gap; by another one, the sync fails with
// the reason, the cache counts within its grace, and all is well when it is put right.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { once } from 'node:events';
import { Master, Slave, fastTimes } from './lib/cache.mjs';
import { CROWD_GRANT, CROWD_LICENSE, Crowd, Oracle } from './lib/crowd.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { daysFromNow, makeCertificate } from './lib/openssl.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

const NAMES = 'subjectAltName = DNS:localhost, IP:127.0.0.1';
const leaf = (names) => ['basicConstraints = critical, CA:FALSE', 'extendedKeyUsage = serverAuth', names];

const folder = temporaryFolder({ after });
const pki = {};
let vendor;
let license;

before(async () => {
  vendor = await Vendor.create(folder);
  license = await vendor.issue('tls.lic', ['--license-id', 'L-tls', '--valid-for', '60d', ...CROWD_LICENSE]);
  for (const name of ['ca', 'stranger']) {
    pki[name] = await makeCertificate(folder, name, { extensions: ['basicConstraints = critical, CA:TRUE',
      'keyUsage = critical, keyCertSign', 'subjectKeyIdentifier = hash'] });
  }
  const certificates = { first: {}, renewed: {}, foreign: { issuer: pki.stranger }, elsewhere: { extensions: leaf('subjectAltName = DNS:edge-8') },
    expired: { start: daysFromNow(-9), end: daysFromNow(-1) } };
  for (const [name, options] of Object.entries(certificates)) {
    pki[name] = await makeCertificate(folder, name, { issuer: pki.ca, extensions: leaf(NAMES), ...options });
    chmodSync(pki[name].key, 0o600);
  }
});

/// The files that a master serves with. `use` puts another certificate in their place, as a certificate manager does:
/// each file at once, one after the other.
function served(t, name) {
  const place = temporaryFolder(t);
  const files = { cert: path.join(place, 'cert.pem'), key: path.join(place, 'key.pem') };
  const use = (other) => {
    for (const [from, to] of [[pki[other].key, files.key], [pki[other].pem, files.cert]]) {
      copyFileSync(from, `${to}.new`);
      chmodSync(`${to}.new`, 0o600);
      renameSync(`${to}.new`, to);
    }
  };
  use(name);
  return { ...files, use };
}

/// The fingerprint of the certificate that a new connection gets.
async function presented(port) {
  const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

async function replace(files, master, name) {
  const before = await presented(master.port);
  files.use(name);
  await until(`the master to present ${name}`, async () => await presented(master.port) !== before);
}

async function startMaster(t, name) {
  const files = served(t, name);
  const master = await Master.start(t, vendor, { flags: ['--import', license, '--tls-cert', files.cert, '--tls-key', files.key] });
  return { files, master };
}

async function scene(t, times) {
  const { files, master } = await startMaster(t, 'first');
  const slave = await Slave.start(t, vendor, master.url, { times, flags: ['--https-ca', pki.ca.pem] });
  await slave.untilCurrent((current) => current.licensed);
  const crowd = new Crowd(t, slave, await Oracle.of(slave, { grants: { 'L-tls': CROWD_GRANT } }));
  return { files, master, slave, crowd };
}

describe('a certificate', () => {
  test('renewed by the same CA: no gap, not one sync fails', async (t) => {
    const { files, master, slave, crowd } = await scene(t, fastTimes({ LICENSE_CACHE_TTL: '5000', BACKGROUND_SYNC_INTERVAL: '100',
      SYNC_TIMEOUT: '4000' }));
    const renewing = replace(files, master, 'renewed');
    await crowd.ask({ states: ['synced'] });
    await renewing;
    const synced = await slave.outcome('confirmed');
    await until('syncs over the new one', async () => await slave.outcome('confirmed') > synced + 3);
    await crowd.ask({ states: ['synced'] });
    for (const outcome of ['unreachable', 'timed_out', 'garbage']) assert.equal(await slave.outcome(outcome), 0, outcome);
    assert.equal((await slave.syncStatus()).last_error, null);
  });

  test('of another CA: explained, the cache counts within its grace, and it heals when put right', async (t) => {
    const words = /certificate.*(trust|issue)|CA/;
    const { files, master, slave, crowd } = await scene(t, fastTimes({ BACKGROUND_SYNC_INTERVAL: '150', STALE_GRACE_PERIOD: '2500',
      SYNC_TIMEOUT: '4000' }));
    await replace(files, master, 'foreign');
    await crowd.ask({ states: ['synced', 'stale', 'failed'], words });
    await slave.untilCurrent((current) => current.sync_status === 'failed');
    await crowd.ask({ states: ['failed'], words });
    assert.match((await slave.syncStatus()).last_error, words);
    await replace(files, master, 'renewed');
    await slave.untilCurrent((current) => current.sync_status === 'synced', 5000);
    await crowd.ask({ states: ['synced', 'stale'] });
  });

  test('of another CA for good: the slave that is told of that CA goes on, at SIGHUP and after a restart', async (t) => {
    const quiet = fastTimes({ LICENSE_CACHE_TTL: '60000', BACKGROUND_SYNC_INTERVAL: '600000', SYNC_TIMEOUT: '4000' });
    const trusted = path.join(temporaryFolder(t), 'trusted.pem');
    copyFileSync(pki.ca.pem, trusted);
    const { files, master } = await startMaster(t, 'first');
    const slave = await Slave.start(t, vendor, master.url, { times: quiet, flags: ['--https-ca', trusted] });
    await slave.untilCurrent((current) => current.licensed);
    await replace(files, master, 'foreign');
    assert.equal((await slave.manualSync()).status, 503);

    writeFileSync(trusted, 'nonsense');
    process.kill(slave.process.pid, 'SIGHUP');
    await slave.process.untilOutput(/the new configuration is refused, the old one stays/);
    copyFileSync(pki.stranger.pem, trusted);
    process.kill(slave.process.pid, 'SIGHUP');
    await until('a sync by the new CA', async () => (await slave.syncStatus()).last_error === null);
    assert.equal((await slave.manualSync()).status, 200);
    await until('the push by the new CA', async () => (await slave.syncStatus()).push);

    await slave.stop();
    const again = await Slave.start(t, vendor, master.url, { dataDir: slave.dataDir, times: quiet, flags: ['--https-ca', trusted] });
    assert.equal((await again.current()).licensed, true);
    assert.equal((await again.manualSync()).status, 200);
  });

  for (const [what, name, words] of [
    ['for another name', 'elsewhere', /127\.0\.0\.1/],
    ['that has expired', 'expired', /expired/],
    ['of an unknown CA', 'foreign', /trust|CA/],
  ]) {
    test(`${what}: never a sync, and the reason is said`, async (t) => {
      const { master } = await startMaster(t, name);
      const slave = await Slave.start(t, vendor, master.url, { flags: ['--https-ca', pki.ca.pem] });
      const current = await slave.untilCurrent((answer) => answer.reason.includes('last try'));
      assert.equal(current.licensed, false);
      assert.match(current.reason.split('last try: ')[1], words);
      assert.equal(await slave.outcome('confirmed'), 0);
    });
  }
});

test('a master that stops speaking TLS is not believed, nor told the key', async (t) => {
  const heard = [];
  const plain = createServer((request, response) => {
    heard.push(request.headers);
    response.end('{}');
  });
  plain.listen(0, '127.0.0.1');
  await once(plain, 'listening');
  t.after(() => plain.close());
  const slave = await Slave.start(t, vendor, `https://127.0.0.1:${plain.address().port}`, { flags: ['--https-ca', pki.ca.pem] });
  const current = await slave.untilCurrent((answer) => answer.reason.includes('last try'));
  assert.match(current.reason, /TLS/);
  assert.equal(heard.length, 0);
});
