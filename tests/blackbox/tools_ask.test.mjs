// lsys check, status and health ask a running license client, over TCP and over its unix socket.
import assert from 'node:assert/strict';
import path from 'node:path';
import { before, after, describe, test } from 'node:test';
import { temporaryFolder } from './lib/folders.mjs';
import { untilAnswer } from './lib/http.mjs';
import { binary, lsys, lsysOk, Background } from './lib/lsys.mjs';
import { freePort } from './lib/ports.mjs';
import { Vendor } from './lib/vendor.mjs';

describe('a license client that has heard of no license', () => {
  const folder = temporaryFolder({ after });
  const socket = path.join(folder, 'client.sock');
  let client, url;

  before(async () => {
    const vendor = await Vendor.create(folder);
    url = `http://127.0.0.1:${await freePort()}`;
    client = new Background(binary, ['license-client', '--keys', vendor.keys, '--data-dir', path.join(folder, 'data'),
      '--nats', `nats://127.0.0.1:${await freePort()}`, '--http', new URL(url).host, '--socket', socket], { cwd: folder });
    await untilAnswer(`${url}/v1/license`);
  });
  after(() => client.stop());

  test('is not licensed: exit code 1, with the reason', async () => {
    const result = await lsys(['check', '--client', url]);
    assert.equal(result.code, 1, result.stderr);
    assert.match(result.stdout, /^not licensed: edition community/);
    const feature = await lsys(['check', 'sso', '--client', url]);
    assert.equal(feature.code, 1, feature.stderr);
    assert.match(feature.stdout, /^sso: not granted: .{5}/);
    const quiet = await lsys(['check', 'sso', '--quiet', '--client', url]);
    assert.deepEqual([quiet.code, quiet.stdout, quiet.stderr], [1, '', '']);
  });

  test('is asked through its socket, and by LSYS_CLIENT_URL', async () => {
    const bySocket = await lsys(['check', '--client', `unix:${socket}`]);
    assert.equal(bySocket.code, 1, bySocket.stderr);
    const byVariable = await lsys(['check'], { env: { LSYS_CLIENT_URL: `${url}/` } });
    assert.equal(byVariable.code, 1, byVariable.stderr);
  });

  test('is asked about features with any name', async () => {
    for (const feature of ['a b', 'a/b', '../license', '%2e%2e', 'ü', '?x=1', '#']) {
      const result = await lsys(['check', '--client', url, '--', feature]);
      assert.ok([1, 76].includes(result.code), `${feature}: ${result.code} ${result.stderr}`);
    }
    const long = await lsys(['check', 'x'.repeat(300), '--client', url]);
    assert.equal(long.code, 64);
  });

  test('is shown by status, with the rule', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const shown = await lsysOk(['status', '--client', url, '--server', nobody]);
    assert.match(shown, /edition +community/);
    assert.match(shown, /license-server .*\n {2}no answer/);
    assert.doesNotMatch(shown, /explain/);
    const explained = await lsysOk(['status', '--explain', '--client', url, '--server', nobody]);
    assert.match(explained, /explain\n +rule: \w+/);
    assert.match(explained, /inputs:\n/);
    assert.doesNotMatch(explained, / \n/);
    const both = JSON.parse(await lsysOk(['status', '--json', '--client', url, '--server', nobody]));
    assert.equal(both.server, null);
    assert.equal(both.client.edition, 'community');
  });

  test('is alive', async () => {
    assert.equal((await lsys(['health', '--alive', url])).code, 0);
    const ready = await lsys(['health', url]);
    assert.match(ready.stdout, /(ok|NO) \w+: .+/);
  });

  test('keeps an audit log that can be read beside it', async () => {
    const data = path.join(folder, 'data');
    assert.match(await lsysOk(['audit', '--data-dir', data, '--verify']), /unbroken/);
    assert.match(await lsysOk(['audit', '--data-dir', data, '--head']), /^\d+ [0-9a-f]{64}\n$/);
    for (const line of (await lsysOk(['audit', '--data-dir', data, '--json'])).split('\n').filter(Boolean)) {
      assert.match(JSON.parse(line).hash, /^[0-9a-f]{64}$/);
    }
    await lsysOk(['audit', '--data-dir', data]);
    const nowhere = await lsys(['audit', '--data-dir', path.join(folder, 'nowhere')]);
    assert.equal(nowhere.code, 66);
  });
});

describe('a license server and a client with a license', () => {
  const folder = temporaryFolder({ after });
  const running = [];
  let vendor, license, serverUrl, url;

  before(async () => {
    vendor = await Vendor.create(folder);
    license = await vendor.issue('acme.lic', ['--valid-for', '1y', '--feature', 'sso', '--feature', 'nodes=50']);
    const nats = `127.0.0.1:${await freePort()}`;
    serverUrl = `http://127.0.0.1:${await freePort()}`;
    url = `http://127.0.0.1:${await freePort()}`;
    const common = (name, http) => ['--keys', vendor.keys, '--data-dir', path.join(folder, name), '--http', new URL(http).host];
    running.push(new Background(binary, ['license-server', '--license', license, '--nats', 'embedded', '--nats-listen', nats,
      '--heartbeat-interval', '1s', ...common('server', serverUrl)], { cwd: folder }));
    running.push(new Background(binary, ['license-client', '--nats', `nats://${nats}`, ...common('client', url)], { cwd: folder }));
    await untilAnswer(`${url}/v1/license`, ({ edition }) => edition === 'enterprise');
  });
  after(() => Promise.all(running.map((role) => role.stop())));

  test('is licensed: exit code 0, with edition, end and limits', async () => {
    const result = await lsys(['check', '--client', url]);
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout, /^licensed: edition enterprise, status valid, until \d{4}-/);
    const limited = await lsys(['check', 'nodes', '--client', url]);
    assert.equal(limited.code, 0, limited.stderr);
    assert.match(limited.stdout, /^nodes: granted, limit 50/);
    assert.equal((await lsys(['check', 'sso', '--client', url])).code, 0);
    const other = await lsys(['check', 'reports', '--client', url]);
    assert.equal(other.code, 1, other.stderr);
    assert.match(other.stdout, /^reports: not granted: /);
  });

  test('is shown by status from both sides', async () => {
    const shown = await lsysOk(['status', '--explain', '--client', url, '--server', serverUrl]);
    assert.equal(shown.match(/edition +enterprise/g).length, 2);
    assert.equal(shown.match(/features +sso nodes=50/g).length, 2);
    assert.equal(shown.match(/ explain\n +rule: \w+/g).length, 2);
    const both = JSON.parse(await lsysOk(['status', '--json', '--client', url, '--server', serverUrl]));
    assert.equal(both.server.license_id, both.client.license_id);
  });

  test('is ready', async () => {
    for (const role of [serverUrl, url]) {
      const ready = await lsys(['health', role]);
      assert.equal(ready.code, 0, ready.stdout + ready.stderr);
      assert.match(ready.stdout, /: ready\n( +ok \w+(: .+)?\n)+$/);
    }
  });

  test('is still licensed in grace, which check says and verify refuses', async () => {
    const ended = ['--not-before', '2020-01-01', '--expires', new Date(Date.now() - 3600_000).toISOString(), '--grace-days', '2'];
    await vendor.issue('acme.lic', [...ended, '--feature', 'sso']);
    await untilAnswer(`${url}/v1/license`, ({ status }) => status === 'grace');
    const result = await lsys(['check', '--client', url]);
    assert.equal(result.code, 0, result.stdout);
    assert.match(result.stdout, /status grace/);
    assert.equal((await lsys(['verify', license, '--keys', vendor.keys])).code, 10);
  });
});
