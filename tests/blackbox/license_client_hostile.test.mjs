// license-client and whoever can publish on license.status: nothing but a fresh, verified message of an accepted server
// changes anything, and everything else is counted.
import assert from 'node:assert/strict';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import * as jose from 'jose';
import { Client, TIMEOUT_MS, bareToken } from './lib/client.mjs';
import { temporaryFolder } from './lib/folders.mjs';
import { ForeignServer, digest } from './lib/foreign_server.mjs';
import { lsys } from './lib/lsys.mjs';
import { NatsServer } from './lib/nats_server.mjs';
import { suiteContext } from './lib/suite.mjs';
import { Vendor } from './lib/vendor.mjs';
import { until } from './lib/wait.mjs';

describe('a client that follows a server', () => {
  const suite = suiteContext();
  let nats, vendor, older, token, server, rogue, client;

  before(async () => {
    nats = await NatsServer.start(suite);
    vendor = await Vendor.create(path.join(temporaryFolder(suite), 'vendor'));
    older = bareToken(await vendor.issue('older.lic', ['--feature', 'sso', '--feature', 'gold']));
    token = bareToken(await vendor.issue('acme.lic', ['--feature', 'sso', '--feature', 'nodes=50']));
    server = await ForeignServer.create(suite, nats.url, token);
    rogue = await ForeignServer.create(suite, nats.url, token, { id: 'rogue' });
    client = await Client.start(suite, vendor, nats.url);
    await server.start();
    await client.untilEdition('enterprise');
    // From here on heartbeats come when a test sends them, so that none overtakes a message that it has made.
    clearInterval(server.timer);
  });

  /// Sends messages, waits until all were counted under `verdict`, and sees that the state did not change.
  async function isIgnored(verdict, messages) {
    const count = await client.heard(verdict);
    const before = await client.license();
    const changes = await client.metric('lsys_client_changes_total');
    for (const message of messages) await rogue.publish(message);
    await until(`${messages.length} messages to be counted as ${verdict}`,
      async () => await client.heard(verdict) >= count + messages.length);
    const now = await client.license();
    assert.deepEqual([now.edition, now.status, now.license_id, now.features, now.server_id],
      [before.edition, before.status, before.license_id, before.features, before.server_id]);
    assert.equal(await client.metric('lsys_client_changes_total'), changes);
  }

  test('believes a server in JavaScript, written from the description of the format', async () => {
    const state = await client.license();
    assert.equal(state.server_id, 'foreign-1');
    assert.deepEqual(state.features, { sso: true, nodes: 50 });
    assert.equal(state.source, 'license-server');
    assert.ok(await client.metric('lsys_client_pinned_keys') === 1);
  });

  test('a forged proof: the right key id, another key', async () => {
    const forged = await server.message('status', { claims: { status: 'revoked' }, signing: { key: rogue.key } });
    await isIgnored('bad_signature', [forged]);
  });

  test('altered fields around a good proof, and an altered proof', async () => {
    const alterations = [
      (message) => ({ ...message, license: { ...message.license, status: 'revoked' } }),
      (message) => ({ ...message, license: { ...message.license, serial: 99 } }),
      (message) => ({ ...message, seq: message.seq + 1 }),
      (message) => ({ ...message, sent_at: new Date(Date.parse(message.sent_at) + 1).toISOString() }),
      (message) => ({ ...message, server_id: 'another' }),
      (message) => ({ ...message, token: older }),
      (message) => ({ ...message, v: 2 }),
      (message) => ({ ...message, proof: `${message.proof}=` }),
      (message) => ({ ...message, proof: message.token }),
      (message) => ({ ...message, proof: undefined }),
    ];
    const messages = [];
    for (const alter of alterations) messages.push(alter(await server.message('status')));
    await isIgnored('malformed', messages);
  });

  test('headers that choose their own key or algorithm', async () => {
    const claims = server.proofClaims({ status: 'revoked' });
    const none = `${jose.base64url.encode(JSON.stringify({ alg: 'none', typ: 'status+jwt', kid: server.kid }))}.${
      jose.base64url.encode(JSON.stringify(claims))}.`;
    const hmac = await new jose.SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'status+jwt', kid: server.kid })
      .sign(jose.base64url.decode(server.jwk.x));
    const embedded = await server.sign(claims, { header: { jwk: rogue.jwk }, key: rogue.key });
    const wrongType = await server.sign(claims, { header: { typ: 'JWT' } });
    const message = await server.message('status');
    await isIgnored('malformed', [none, hmac, embedded, wrongType].map((proof) => ({ ...message, proof })));
  });

  test('not our format at all: binary, deep, duplicate, empty, a megabyte', async () => {
    await isIgnored('malformed', [
      new Uint8Array([0, 255, 254, 1]),
      '', '{', 'null', '[]', '{"v":1,"v":1}', `${'['.repeat(10_000)}`, '{"proof":"\u0000"}',
      `{"v":1,"proof":"${'x'.repeat(1_000_000)}"}`,
      `${' '.repeat(1_048_000)}{}`,
    ]);
  });

  test('a replayed message', async () => {
    const message = await server.say('status');
    await isIgnored('replayed', [message]);
  });

  test('a message overtaken by another, and a seq going back', async () => {
    const late = await server.message('status', { claims: { status: 'expired' } });
    const renewed = await client.heard('good');
    await server.say('heartbeat');
    await until('the later message to be heard', async () => await client.heard('good') > renewed);
    const back = await server.message('status', { claims: { seq: 5, status: 'revoked' } });
    await isIgnored('older', [late, back]);
  });

  test('a message withheld and released, and one from the future', async () => {
    const withheld = await server.message('status',
      { claims: { sent_at: (Date.now() - 11_000) / 1000, status: 'revoked' } });
    await isIgnored('withheld', [withheld]);
    const ahead = await server.message('status', { claims: { sent_at: (Date.now() + 11_000) / 1000 } });
    await isIgnored('ahead', [ahead]);
  });

  test("an answer to a nonce that is not ours, or no longer", async () => {
    await until('a nonce of the client', () => server.questions.length > 0);
    const wrong = await server.message('status', { claims: { nonce: jose.base64url.encode(new Uint8Array(16)) } });
    await isIgnored('wrong_nonce', [wrong]);
  });

  test('an unknown server that only broadcasts', async () => {
    await isIgnored('unproven', [await rogue.message('status', { claims: { status: 'revoked' } })]);
  });

  test('a known server with an older license', async () => {
    const message = await server.message('update', {
      claims: { serial: 1, license_id: jose.decodeJwt(older).jti, token_sha256: digest(older) },
      outer: { token: older },
    });
    await isIgnored('old_serial', [message]);
  });

  test('a flood of forgeries costs at most fifty verifications a second, and good messages still count', async () => {
    const forged = [];
    for (let i = 0; i < 500; i += 1) {
      const message = await server.message('status', { claims: { status: 'revoked' }, signing: { key: rogue.key } });
      forged.push(JSON.stringify(message));
    }
    const before = await client.heard('bad_signature');
    const started = performance.now();
    for (const message of forged) rogue.nats.publish('license.status', message);
    await rogue.nats.flush();
    await until('the flood to be counted', async () =>
      await client.heard('over_budget') + await client.heard('bad_signature') + await client.heard('older')
      >= before + 500);
    const seconds = (performance.now() - started) / 1000;
    const verified = await client.heard('bad_signature') - before;
    assert.ok(verified <= 50 * (1 + seconds), `${verified} verifications in ${seconds} s`);
    const good = await client.heard('good');
    await until('a good heartbeat after the flood', async () => {
      await server.say('heartbeat');
      return await client.heard('good') > good;
    });
    assert.equal((await client.license()).edition, 'enterprise');
  });
});

describe('recorded messages', () => {
  test('do not keep a license alive once their server is gone', async (t) => {
    const nats = await NatsServer.start(t);
    const vendor = await Vendor.create(path.join(temporaryFolder(t), 'vendor'));
    const token = bareToken(await vendor.issue('acme.lic'));
    const server = await ForeignServer.create(t, nats.url, token, { heartbeat_ms: 300 });
    const replayer = await ForeignServer.create(t, nats.url, token);
    const client = await Client.start(t, vendor, nats.url);
    const recorded = [];
    const tape = server.nats.subscribe('license.status', {
      callback: (error, message) => recorded.push(Buffer.from(message.data)),
    });
    await server.start();
    await client.untilEdition('enterprise');
    await until('some messages on the tape', () => recorded.length >= 4);
    await server.stop();
    tape.unsubscribe();
    /* New ones, made before the server died and never delivered: the withheld kind. */
    for (let i = 0; i < 30; i += 1) recorded.push(JSON.stringify(await server.message('heartbeat')));
    let position = 0;
    const timer = setInterval(() => replayer.publish(recorded[position++ % recorded.length]).catch(() => {}), 100);
    t.after(() => clearInterval(timer));
    const started = performance.now();
    const state = await client.untilEdition('community', 3 * TIMEOUT_MS + 10_000);
    clearInterval(timer);
    assert.equal(state.explain.cause, 'silence');
    /* Fresh heartbeats from the tape may count until the next nonce goes unanswered: ten timeouts at most. */
    assert.ok(performance.now() - started < 11 * TIMEOUT_MS);
  });
});

describe('a license that names its servers', () => {
  test('excludes every other server, even with the same license', async (t) => {
    const nats = await NatsServer.start(t);
    const vendor = await Vendor.create(path.join(temporaryFolder(t), 'vendor'));
    const named = await ForeignServer.create(t, nats.url, undefined);
    const other = await ForeignServer.create(t, nats.url, undefined, { id: 'other' });
    const token = bareToken(await vendor.issue('acme.lic', ['--server-key', named.kid]));
    named.setLicense(token);
    other.setLicense(token);
    const client = await Client.start(t, vendor, nats.url);
    await other.start();
    await until('the other server to be refused', async () => await client.heard('not_named') > 0);
    assert.equal((await client.license()).edition, 'community');
    await named.start();
    await client.untilEdition('enterprise');
    assert.equal((await client.license()).server_id, 'foreign-1');
    await named.stop();
    await client.untilEdition('community', 3 * TIMEOUT_MS + 5000);
    assert.equal(await client.metric('lsys_client_pinned_keys'), 0);
  });
});

describe('pinned keys', () => {
  test('strict pinning accepts only what an operator added; lsys client keys shows and changes it', async (t) => {
    const nats = await NatsServer.start(t);
    const vendor = await Vendor.create(path.join(temporaryFolder(t), 'vendor'));
    const server = await ForeignServer.create(t, nats.url, bareToken(await vendor.issue('acme.lic')));
    const flags = ['--pinning', 'strict'];
    const first = await Client.start(t, vendor, nats.url, { flags });
    await server.start();
    await until('the key to be refused', async () => await first.heard('frozen') > 0);
    assert.equal((await first.license()).edition, 'community');
    const busy = await lsys(['client', 'keys', 'add', server.kid, '--data-dir', first.dataDir]);
    assert.notEqual(busy.code, 0);
    assert.match(busy.stderr, /stop the client first/);
    await first.stop();

    const added = await lsys(['client', 'keys', 'add', server.kid, '--data-dir', first.dataDir]);
    assert.equal(added.code, 0, added.stderr);
    const second = await Client.start(t, vendor, nats.url, { flags, dataDir: first.dataDir });
    await second.untilEdition('enterprise');
    const listed = await lsys(['client', 'keys', 'ls', '--data-dir', first.dataDir]);
    assert.match(listed.stdout, new RegExp(server.kid));
    await second.stop();

    assert.equal((await lsys(['client', 'keys', 'rm', server.kid, '--data-dir', first.dataDir])).code, 0);
    const gone = await lsys(['client', 'keys', 'rm', server.kid, '--data-dir', first.dataDir]);
    assert.equal(gone.code, 66);
    const wrong = await lsys(['client', 'keys', 'add', '../../x', '--data-dir', first.dataDir]);
    assert.equal(wrong.code, 64);
  });
});
