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
    assert.match(explained, /inputs/);
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
